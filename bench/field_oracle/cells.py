"""What this project's arrays are made of: scenes cut from drawn arrays, and their parts alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import klayout.db as db
import numpy as np

from crossstack.cells.drawing import to_layout
from crossstack.extract.field.bodies import Bodies
from crossstack.extract.field.scene import Conductor, Scene
from crossstack.extract.nets.naming import memristor_places, net_names
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import ExtractedLayout, extract_layout
from crossstack.pdk import Tech

from .drawn import Shape, rect

#: the films of a memristor reach so far beyond it, um
_OVER = 0.15
_Box = tuple[float, float, float, float]


def cells(tech: Tech) -> Iterator[Shape]:
    """Yield what arrays are made of."""
    yield from _parts(tech)
    for name, cell, words in (
        ("hybrid cell", "hybrid", "between its neighbours"),
        ("planar cell", "planar", "between its neighbours"),
        ("passive cell", "passive", "between its neighbours"),
    ):
        layout = _drawn(tech, cell)
        yield _cut(tech, layout, name, _cell(layout), words)
    layout = _drawn(tech, "hybrid")
    x1, y1, x2, y2 = _cell(layout, last=True)
    yield _cut(tech, layout, "hybrid cell at a corner", (x1, y1, x2 + 2, y2 + 2), "of the array")
    yield _cut(tech, layout, "select line", _around(layout, "TS[1]", 0.6), "with gate and contacts")


def _parts(tech: Tech) -> Iterator[Shape]:
    m3, m4 = tech.roles.metals[2:4]
    films = [
        rect("", film, -1 - _OVER, -0.25 - _OVER, 1 + _OVER, 0.25 + _OVER)
        for film in tech.drawn_insulators
    ]
    crossing = (
        rect("B", "BE", -4, -0.25, 4, 0.25),
        rect("C", "ME", -1, -4, 1, 4),
        rect("T", "TE", -4, -0.25, 4, 0.25),
        *films,
    )
    yield Shape("crossing of electrodes", "cell", crossing, (0.0, 0.0, 14.0, 14.0), 4, 25.0,
                "BE 0.5 um, ME 2 um, TE 0.5 um")  # fmt: skip
    columns = (
        rect("A", "ME", -4.11, -10, -0.25, 10),
        rect("B", "ME", 0.25, -10, 4.11, 10),
    )
    yield Shape("column beside column", "cell", columns, (-24.0, 0.0, 24.0, 30.0), 2, 30.0,
                "ME 3.86 um wide, 0.5 um apart, under air")  # fmt: skip
    rows = (
        rect("B", m3, -10, -0.99, 10, 0.99),
        rect("T", m4, -10, -0.99, 10, 0.99),
    )
    yield Shape("row over row", "cell", rows, (0.0, 0.0, 30.0, 21.0), 4, 30.0,
                f"{m4} over {m3}, 1.98 um wide")  # fmt: skip


@lru_cache
def _drawn(tech: Tech, cell: str) -> ExtractedLayout:
    array = build_top(ArraySpec(rows=3, cols=3, cell=cell))
    return extract_layout(to_layout(array.cell, tech), tech)


def _cell(layout: ExtractedLayout, last: bool = False) -> _Box:
    """Return one cell in um: in the middle, or the one at the upper right corner."""
    places, _ = memristor_places(layout.flat)
    at = {}
    for number, place in places.items():
        at.setdefault((place.row, place.col), []).append(layout.flat.devices[number].at)
    middle = {key: np.mean(values, axis=0) for key, values in at.items()}
    pitch = np.abs(middle[2, 2] - middle[1, 1])
    low = middle[(2, 2) if last else (1, 1)] - pitch / 2
    grid = [round(float(v), 2) for v in (*low, *(low + pitch))]
    return grid[0], grid[1], grid[2], grid[3]


def _around(layout: ExtractedLayout, name: str, beyond: float) -> _Box:
    """Return one cell's length of a select line's column, a little wider than the line."""
    (net,) = (n for n in layout.flat.nets if n.name == name)
    box = layout.net_shapes(net)[layout.tech.roles.layer("poly")].bbox().to_dtype(layout.dbu)
    _, low, _, high = _cell(layout)
    return round(box.left - beyond, 2), low, round(box.right + beyond, 2), high


def _cut(tech: Tech, layout: ExtractedLayout, name: str, box: _Box, words: str) -> Shape:
    """Return the scene of a box, its nets called as in the layout."""
    places, _ = memristor_places(layout.flat)
    names = net_names(layout.flat, places)
    found = Bodies(layout, tech).scene(db.DBox(*box).to_itype(layout.dbu))
    scene = Scene(found.window, found.top_um, tuple(
        Conductor(names[int(c.net.removeprefix("net"))] if c.net != "0" else "0",
                  c.low_um, c.high_um, c.polygons)
        for c in found.conductors), found.insulators)  # fmt: skip
    return Shape(name, "cell", (), scene.window, 1, scene.top_um, words, scene)
