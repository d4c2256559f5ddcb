"""A process folder put to its use: the smallest array of it, drawn, judged and extracted.

Tables may agree with each other and still state what nothing can be drawn by. What refuses to be
drawn, breaks the folder's own rules or is not the circuit that was meant is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from .base.errors import CrossStackError
from .cells import to_layout
from .cells.registry import array_cells_on
from .drc import run_drc
from .extract import extract
from .generators import ArraySpec, build_top
from .generators.spec import array_defaults
from .lvs import compare_layout, extract_layout
from .pdk import Tech, get_tech, profile_names

#: rows and columns; how many broken rules are named
_LINES, _MOST = 2, 3


def problems_of_drawing(process: str | Path, *, whole: bool = True) -> Iterator[str]:
    """Yield what keeps the smallest layouts of a process from being drawn, or is wrong with them.

    Args:
        process: name or folder.
        whole: draw an array of every cell in the first profile, and a macro, with its switches;
            else an array of the usual cell in every profile.
    """
    for k, profile in enumerate(profile_names(process)):
        try:
            tech = get_tech(profile, process)
        except CrossStackError as error:
            yield str(error)
            return
        usual = array_defaults(tech)["cell"]
        yield from _problems_of(tech, usual, "array")
        if whole and not k:
            others = (cell for cell in array_cells_on(tech.module) if cell != usual)
            for cell in others:
                yield from _problems_of(tech, cell, "array")
            yield from _problems_of(tech, usual, "macro")


def _problems_of(tech: Tech, cell: str, top: str) -> Iterator[str]:
    what = f"{top} of {_LINES} x {_LINES} {cell} cells, profile {tech.profile.name}"
    try:
        array = build_top(
            ArraySpec(
                _LINES, _LINES, cell=cell, profile=tech.profile.name, top=top, process=tech.key
            )
        )
        layout = to_layout(array.cell, tech)
        report = run_drc(layout, tech)
        if rules := list(dict.fromkeys(violation.rule for violation in report.violations)):
            more = f" and {len(rules) - _MOST} more" if len(rules) > _MOST else ""
            yield f"{what}: drawn by these tables it breaks {', '.join(rules[:_MOST])}{more}"
        extracted = extract_layout(layout, tech)
        with TemporaryDirectory() as place:
            netlist = Path(place) / "trial.spice"
            netlist.write_text("\n".join(array.netlist_lines()) + "\n", encoding="utf-8")
            found = compare_layout(extracted, netlist, tech)
        if not found.match:
            yield f"{what}: the layout is not its netlist: {[*found.errors, ''][0]}"
        if top == "array" and cell == array_defaults(tech)["cell"]:
            extract(extracted, tech)
    except CrossStackError as error:
        yield f"{what}: {error}"
