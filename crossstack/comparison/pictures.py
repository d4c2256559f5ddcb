"""Pictures of a comparison, as files that its page shows too: current paths, and the maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import klayout.db as db

from ..base import names
from ..base.names import BOTTOM, TOP
from ..base.outputs import write_text
from ..report.nets_svg import Group, nets_svg
from ..report.reduction_svg import reduction_svgs
from ..report.standalone import standalone
from ..solve.modes.modes import DEEP_NET, EXPANSION
from .cases import Proved

if TYPE_CHECKING:
    from ..lvs import ExtractedLayout

#: mode -> what is done with the nets that carry current, their names or kinds, and their colour
_PATHS = {
    EXPANSION: (
        ("inputs", (*reversed(names.ALL_INPUTS), *reversed(names.ROWS)), "c0"),
        ("outputs", (names.COLUMN, names.OUTPUT), "c1"),
    ),
    f"{DEEP_NET}: bottom reads, top column 0 is written": (
        ("read", (names.INPUTS[BOTTOM], names.FAR_INPUTS[BOTTOM], names.ROWS[BOTTOM]), "c0"),
        ("outputs", (names.COLUMN, names.OUTPUT), "c1"),
        (
            "written",
            (*names.WRITE_ROWS, names.ROWS[TOP], names.WRITE_RAIL, names.column(0)),
            "c2",
        ),
    ),
}
#: mode -> nets of those kinds that carry none: a written column is not read
_IDLE = {mode: (names.output(0),) for mode in _PATHS if mode != EXPANSION}


def current_paths(folder: Path, proved: Proved) -> list[Path]:
    """Draw the macro once per mode with the nets that carry current in colour."""
    made = []
    shapes = _metal(proved.layout)
    for number, (mode, groups) in enumerate(_PATHS.items()):
        path = folder / f"paths_{number}_{mode.split(':')[0]}.svg"
        live = [net for net in shapes if net not in _IDLE.get(mode, ())]
        found = [_group(words, stems, style, live) for words, stems, style in groups]
        chart = nets_svg(title_of(mode), shapes, found, proved.layout.dbu)
        write_text(path, standalone(chart))
        made.append(path)
    return made


def title_of(mode: str) -> str:
    """Return what stands above the current paths of a mode, short enough for one line."""
    return f"current in {mode}"


def _group(words: str, stems: tuple[str, ...], style: str, nets: Iterable[str]) -> Group:
    """Return the nets of some names or kinds, under those that this layout has."""
    of = {net: net if net in stems else names.kind_of(net) for net in nets}
    found = frozenset(net for net, stem in of.items() if stem in stems)
    there = {of[net] for net in found}
    told = ", ".join(stem for stem in stems if stem in there)
    return Group(f"{words}: {told}", found, style)


def _metal(layout: ExtractedLayout) -> dict[str, db.Region]:
    """Return labelled net -> its wires and electrodes."""
    tech = layout.tech
    metals = {*tech.roles.wires, *tech.module.electrodes}
    found: dict[str, db.Region] = {}
    for net in layout.flat.nets:
        if not net.name:
            continue
        for layer, region in layout.net_shapes(net).items():
            if layer in metals:
                found.setdefault(net.name, db.Region()).insert(region)
    return found


def reduction_maps(folder: Path, found: Mapping[str, Any]) -> None:
    """Draw the reduction over series resistance and row wire, a file for each baseline.

    Args:
        folder: where the files go.
        found: ``map`` of compare.json.
    """
    for key, chart in reduction_svgs(found).items():
        write_text(folder / f"map_{key}.svg", standalone(chart))
