"""The rule table as a KLayout DRC deck, for the GUI and for batch runs.

The deck is generated from the same rules and the same expressions as the Python engine.
"""

from __future__ import annotations

from pathlib import Path

from ..base.outputs import write_text
from ..base.xml import xml_text
from ..pdk import Tech
from .antenna import Order
from .deck_parts import HEAD, TAIL, helpers
from .engine import WHOLE_DIE
from .kinds import compile_rule
from .ruby import Writer


def deck_text(tech: Tech) -> str:
    """Return the Ruby text of the deck."""
    nodes = {rule.name: compile_rule(rule, tech) for rule in tech.rules}
    writer = Writer(nodes.values(), tech)
    lines = [
        HEAD.format(tech=f"{tech.name}, post-process profile {tech.profile.name}"),
        helpers(tech),
    ]
    lines.append(_tables(tech))
    for rule in tech.rules:
        before, text = writer.write(nodes[rule.name])
        lines.append(f"# {rule.name}: {rule.text}")
        lines += before
        line = f'cs_rule("{rule.name}", "{rule.text}: {rule.value:g}") {{ {text} }}'
        lines.append(f"{line} if $density" if rule.kind in WHOLE_DIE else line)
    return "\n".join([*lines, TAIL])


def _tables(tech: Tech) -> str:
    """Return the Ruby tables that the helpers look layers up in."""
    order = Order.of(tech)
    names = {*order.stack, order.diffusion, tech.roles.layer("nplus")}
    names |= {rule.layers[0] for rule in tech.rules if rule.kind == "density"}
    rows = [f'  "{n}" => [{tech.gds(n)[0]}, {tech.gds(n)[1]}],' for n in sorted(names)]
    levels = [
        f'  ["{metal}", {chr(34) + cut + chr(34) if cut else "nil"}],'
        for metal, cut in order.levels
    ]
    shapes = [f"[{layer}, {datatype}]" for layer, datatype in sorted(tech.drawing.telling)]
    return "\n".join([
        "$cs_layers = {", *rows, "}",
        "$cs_levels = [", *levels, "]",
        f"$cs_diode_factor = {order.diode_factor:g}",
        f"$cs_known = [{', '.join(shapes)}]",
        "cs_check_layers",
        "",
    ])  # fmt: skip


def deck_macro(tech: Tech) -> str:
    """Return the deck as a KLayout macro (.lydrc), to be found in its DRC menu."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<klayout-macro>\n"
        f" <description>CrossStack DRC ({xml_text(tech.profile.name)})</description>\n"
        " <version/>\n <category>drc</category>\n <prolog/>\n <epilog/>\n <doc/>\n"
        " <autorun>false</autorun>\n <autorun-early>false</autorun-early>\n <shortcut/>\n"
        " <show-in-menu>true</show-in-menu>\n <group-name>drc_scripts</group-name>\n"
        " <menu-path>tools_menu.drc.end</menu-path>\n"
        " <interpreter>dsl</interpreter>\n"
        " <dsl-interpreter-name>drc-dsl-xml</dsl-interpreter-name>\n"
        f" <text>{xml_text(deck_text(tech))}</text>\n"
        "</klayout-macro>\n"
    )


def write_deck(path: Path, tech: Tech) -> None:
    """Write the deck: a macro for ``.lydrc``, plain Ruby for any other suffix.

    Raises:
        FileError: if the file cannot be written.
    """
    path = Path(path)
    text = deck_macro(tech) if path.suffix == ".lydrc" else deck_text(tech)
    write_text(path, text)
