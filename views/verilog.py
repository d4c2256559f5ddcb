"""Black box in Verilog: the ports of a block, for synthesis and for a chip's netlist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .ports import PortGroup

#: macro of the open flows under which supplies are ports
POWER_DEFINE = "USE_POWER_PINS"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


def identifier(name: str) -> str:
    """Return a name as Verilog writes it, escaped where it must be."""
    return name if _PLAIN.match(name) else f"\\{name} "


def black_box_lines(name: str, groups: Sequence[PortGroup], words: str) -> Iterator[str]:
    """Yield a module without contents.

    Args:
        name: of the block.
        groups: its ports.
        words: what it is, for a comment.
    """
    yield f"// {name}: {words}"
    yield "// Rows and columns are analogue: a chip's netlist joins them, no logic drives them."
    yield "(* blackbox *)"
    yield f"module {identifier(name)} ("
    yield from port_lines(groups)
    yield ");"
    yield "endmodule"


def port_lines(groups: Sequence[PortGroup]) -> Iterator[str]:
    """Yield the declarations between the brackets of a module.

    Args:
        groups: ports, supplies among them.
    """
    supplies = [g for g in groups if g.pins[0].role.supply]
    rest = [g for g in groups if not g.pins[0].role.supply]
    if supplies:
        yield f"`ifdef {POWER_DEFINE}"
        for k, group in enumerate(supplies):
            comma = "," if rest or k < len(supplies) - 1 else ""
            yield f"    inout {identifier(group.name)}{comma}"
        yield "`endif"
    for k, group in enumerate(rest):
        comma = "," if k < len(rest) - 1 else ""
        yield f"    {group.direction} {group.range}{identifier(group.name)}{comma}"
