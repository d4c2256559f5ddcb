"""Capacitance of the lines and electrodes of a regular array of any size.

Rows and columns that are alike, with alike neighbours, stand in runs. An array in which every run
is cut to a few lines holds each neighbourhood of the large one, and one more line in a run tells
what each further line of it adds to the lines that cross it. So a small array, and one more for
each run, are extracted by the same code as any layout; the sums follow. Nothing but sums is made of
the large array, and its time does not grow with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ...base import names as grammar
from ...lvs import extract_layout
from ...pdk import Tech
from ..array.farads import PARTS, ArrayFarads
from ..array.grid import ArrayView, NotRegularError, array_view
from ..nets.report import Progress
from .capacitance import net_capacitance
from .netcap import NetCapacitance

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Found = dict[str, NetCapacitance]
#: how far lines see each other, um: so far on either side the middle one of a run sees its like
REACH_UM = 8.0
#: runs of either direction beyond which an array is none of few kinds
_MOST_RUNS = 8
#: cells that a small array may have
_MOST_CELLS = 400


class _Axis:
    """The rows, or the columns, of an array: runs of alike lines, and which of each stay.

    Args:
        kinds: kind of each line.
        pitch_um: from one to the next.
    """

    def __init__(self, kinds: Ints, pitch_um: float) -> None:
        self._sees = max(2, math.ceil(REACH_UM / pitch_um))
        self._run = 2 * self._sees + 1
        edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
        self.runs = [(a, b) for a, b in pairwise(edges) if b - a > self._run]
        if len(self.runs) > _MOST_RUNS:
            raise NotRegularError("its lines are of too many kinds for a capacitance by runs")
        self.count = len(kinds)
        #: line that stands for each
        self.stands = np.arange(len(kinds))
        for a, b in self.runs:
            self.stands[a + self._sees + 1 : b - self._sees] = a + self._sees

    def kept(self, longer: int | None = None) -> list[int]:
        """Return the lines that stay, one more of a run if asked for."""
        gone: set[int] = set()
        for k, (a, b) in enumerate(self.runs):
            gone.update(range(a + self._sees + 1 + (k == longer), b - self._sees))
        return [i for i in range(self.count) if i not in gone]

    def left_out(self, run: int) -> int:
        """Return how many lines of a run do not stay."""
        a, b = self.runs[run]
        return b - a - self._run


class _Cut:
    """Where the kept lines of one axis go: spans of the layout and how far each moves."""

    def __init__(self, kept: list[int], origin: int, pitch: int) -> None:
        self.rank = {line: k for k, line in enumerate(kept)}
        start = origin - pitch // 2
        groups: list[list[int]] = []
        for line in kept:
            if groups and line == groups[-1][-1] + 1:
                groups[-1].append(line)
            else:
                groups.append([line])
        far = 1 << 29
        self.spans = []
        for k, group in enumerate(groups):
            low = -far if k == 0 else start + group[0] * pitch
            high = far if k == len(groups) - 1 else start + (group[-1] + 1) * pitch
            self.spans.append((low, high, (self.rank[group[0]] - group[0]) * pitch))

    def move(self, low: int, high: int) -> int | None:
        """Return how far what lies from low to high moves; None if it goes.

        Raises:
            NotRegularError: for what reaches across a cut.
        """
        for start, end, shift in self.spans:
            if start <= low and high <= end:
                return shift
            if start < low < end or start < high < end:
                raise NotRegularError("what stands beside the array reaches across its lines")
        return None


def array_capacitance(
    layout: db.Layout,
    top: db.Cell,
    tech: Tech,
    *,
    engine: str = "formula",
    progress: Progress | None = None,
) -> ArrayFarads:
    """Return the capacitance of every line and electrode of a regular array.

    Args:
        layout: an array with labelled lines, of any size; not changed.
        top: its cell.
        tech: technology.
        engine: see `net_capacitance`.
        progress: called with (what, done, total).

    Raises:
        NotRegularError: for a layout that is no such array, or of too many kinds of lines.
    """
    view = array_view(layout, top, tech)
    rows, cols = (
        _Axis(kinds, pitch * layout.dbu)
        for kinds, pitch in ((view.row_kind, view.grid.dy), (view.col_kind, view.grid.dx))
    )
    if len(rows.kept()) * len(cols.kept()) > _MOST_CELLS:
        raise NotRegularError("its lines are of too many kinds for a capacitance by runs")
    if (rows.runs or cols.runs) and _stands_beside(view, tech):
        raise NotRegularError("transistors stand beside the array")
    total = 1 + len(rows.runs) + len(cols.runs)

    def found(done: int, row: int | None = None, col: int | None = None) -> Found:
        if progress:
            progress("capacitance", done, total)
        small = _smaller(view, rows.kept(row), cols.kept(col), tech)
        extracted = extract_layout(small, tech, top.name)
        return net_capacitance(extracted, tech, engine=engine)

    base = found(0)
    more_rows = [found(1 + k, row=k) for k in range(len(rows.runs))]
    more_cols = [found(1 + len(rows.runs) + k, col=k) for k in range(len(cols.runs))]
    return _whole(base, (rows, more_rows), (cols, more_cols))


def _stands_beside(view: ArrayView, tech: Tech) -> bool:
    """Return whether anything beside the array's cells may hold a transistor."""
    wanted = [view.layout.find_layer(*tech.gds(tech.roles.layer(r))) for r in ("poly", "diffusion")]
    if None in wanted:
        return False
    cells = {placed.cell for placed in view.placed() if not placed.on_grid}
    return any(
        all(not view.layout.cell(cell).bbox_per_layer(layer).empty() for layer in wanted)
        for cell in cells
    )


def net_capacitances(farads: ArrayFarads, *, devices: bool) -> Found:
    """Return lines as nets: what is across memristors is coupling, all else ground.

    Args:
        farads: of an array.
        devices: name the electrodes; without, all of a line is ground.
    """
    found = {name: NetCapacitance(name, ground_f=f) for name, f in farads.totals().items() if f > 0}
    for tier, row, col in np.argwhere(farads.device > 0).tolist() if devices else ():
        column = found[grammar.column(col)]
        value = float(farads.device[tier, row, col])
        column.ground_f -= value
        column.coupling_f[f"{grammar.ELECTRODES[tier]}[{row}][{col}]"] = value
    return found


def _smaller(view: ArrayView, rows: list[int], cols: list[int], tech: Tech) -> db.Layout:
    """Return a copy of a layout with some rows and columns, moved together."""
    grid = view.grid
    down, across = _Cut(rows, grid.y0, grid.dy), _Cut(cols, grid.x0, grid.dx)
    copy = view.layout.dup()
    target = copy.cell(view.top.name)
    target.clear()
    for cell, trans in _instances(view, down, across):
        target.insert(db.CellInstArray(cell, trans))
    for index in view.layout.layer_indexes():
        shapes = view.top.shapes(index)
        if shapes.is_empty():
            continue
        region = db.Region([s.polygon for s in shapes.each() if not s.is_text()])
        moved = db.Region()
        for left, right, dx in across.spans:
            for low, high, dy in down.spans:
                moved += (region & db.Region(db.Box(left, low, right, high))).moved(dx, dy)
        target.shapes(index).insert(moved.merged())
        for shape in shapes.each():
            if shape.is_text():
                at = shape.text.bbox().center()
                aside, up = across.move(at.x, at.x), down.move(at.y, at.y)
                if aside is not None and up is not None:
                    target.shapes(index).insert(shape.text.moved(aside, up))
    return copy


def _instances(view: ArrayView, down: _Cut, across: _Cut) -> Iterator[tuple[int, db.Trans]]:
    """Yield cell and place of every instance that stays."""
    grid = view.grid
    for placed in view.placed():
        trans = placed.instance.trans
        box = (
            view.layout.cell(placed.cell)
            .bbox()
            .transformed(db.Trans(trans.angle, trans.is_mirror(), 0, 0))
        )
        centre = box.center()
        xs, ys = (
            _kept_steps(at.tolist(), middle, low, high, cut, which if placed.on_grid else None)
            for at, middle, low, high, cut, which in (
                (placed.x, centre.x, box.left, box.right, across, grid.col_at),
                (placed.y, centre.y, box.bottom, box.top, down, grid.row_at),
            )
        )
        for x in xs:
            for y in ys:
                yield placed.cell, db.Trans(trans.angle, trans.is_mirror(), x, y)


def _kept_steps(
    at: list[int], middle: int, low: int, high: int, cut: _Cut, line_at: object
) -> list[int]:
    """Return where the places of an instance array go along one axis."""
    found = []
    for place in at:
        if callable(line_at):
            line = line_at(place + middle)
            spot = cut.move(place + middle, place + middle) if line in cut.rank else None
        else:
            spot = cut.move(place + low, place + high)
        if spot is not None:
            found.append(place + spot)
    return found


def _parts(net: NetCapacitance) -> Floats:
    """Return the capacitance of a net by what it is to, shape (parts,)."""
    found = dict.fromkeys(PARTS, 0.0)
    found["ground"] = net.ground_f + net.gate_f
    for other, farad in net.coupling_f.items():
        kind = grammar.kind_of(other)
        if kind in grammar.ROWS:
            found["rows"] += farad
        elif kind == grammar.COLUMN:
            found["columns"] += farad
        elif kind in grammar.SELECTS:
            found["selects"] += farad
        elif kind in grammar.ELECTRODES:
            found["electrodes"] += farad
        else:
            found["ground"] += farad
    return np.array([found[part] for part in PARTS])


def _whole(
    base: Found, rows: tuple[_Axis, list[Found]], cols: tuple[_Axis, list[Found]]
) -> ArrayFarads:
    """Put the array together from the small ones."""
    (down, more_rows), (across, more_cols) = rows, cols
    n, m = down.count, across.count
    tiers = 1 + any(grammar.kind_of(name) == grammar.ROWS[1] for name in base)
    named = [grammar.column(j) for j in across.kept()] + [grammar.row(0, i) for i in down.kept()]
    if absent := [name for name in named if name not in base]:
        raise NotRegularError(f"no line is labelled {absent[0]}")

    def line(name: str, crossing: _Axis, more: list[Found]) -> Floats:
        if name not in base:
            return np.zeros(len(PARTS))
        own = _parts(base[name])
        for run, found in enumerate(more):
            own = own + crossing.left_out(run) * (_parts(found[name]) - _parts(base[name]))
        return own

    def lines(pattern: list[str], axis: _Axis, crossing: _Axis, more: list[Found]) -> Floats:
        own = {k: line(pattern[k], crossing, more) for k in np.unique(axis.stands).tolist()}
        return np.array([own[k] for k in axis.stands.tolist()])

    electrode, device = np.zeros((tiers, n, m)), np.zeros((tiers, n, m))
    seen = _electrodes(base)
    for t in range(tiers):
        for i in np.unique(down.stands).tolist():
            for j in np.unique(across.stands).tolist():
                own = seen.get(f"{grammar.ELECTRODES[t]}[{i}][{j}]", (0.0, 0.0))
                electrode[t, i, j], device[t, i, j] = own
        electrode[t] = electrode[t][np.ix_(down.stands, across.stands)]
        device[t] = device[t][np.ix_(down.stands, across.stands)]
    return ArrayFarads(
        row=np.stack([
            lines([grammar.row(t, i) for i in range(n)], down, across, more_cols)
            for t in range(tiers)
        ]),
        column=lines([grammar.column(j) for j in range(m)], across, down, more_rows),
        select=np.stack([
            lines([grammar.select(t, j) for j in range(m)], across, down, more_rows)
            for t in range(tiers)
        ]),
        electrode=electrode,
        device=device,
    )  # fmt: skip


def _electrodes(base: Found) -> dict[str, tuple[float, float]]:
    """Return electrode -> its capacitance, and that across its memristor, F.

    An engine that finds lines alone knows of an electrode what lines have to it.
    """
    total: dict[str, float] = {}
    across: dict[str, float] = {}
    for name, net in base.items():
        kind = grammar.kind_of(name)
        if kind in grammar.ELECTRODES:
            continue
        for other, farad in net.coupling_f.items():
            if grammar.kind_of(other) in grammar.ELECTRODES:
                total[other] = total.get(other, 0.0) + farad
                if kind == grammar.COLUMN:
                    across[other] = max(across.get(other, 0.0), farad)
    for name, net in base.items():
        if grammar.kind_of(name) in grammar.ELECTRODES:
            total[name] = net.total_f
    return {name: (farad, across.get(name, 0.0)) for name, farad in total.items()}
