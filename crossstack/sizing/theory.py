"""What no array of a kind can do better than, from a few of its cells.

Wires and cells are resistors: less of any of them loses less. The parts of a few cells, with a
margin for what these may be too high by, make an array of one resistor a cell and line that is
solved at once. What that loses, the drawn one loses at least.

A written device has a select transistor in front of it, which conducts the less, the nearer the
voltages at its ends come to each other. No node of the array is beyond the voltages that drive it,
so that wires take away and never add: without any, a device gets the most that it can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..config import RunConfig
from ..figures import Study, draw
from ..pdk import CrossStackError
from .alike import without_writes

if TYPE_CHECKING:
    from ..generators import ArraySpec
    from ..pdk import Tech
    from ..solve.study.theory import Parts

#: cells up to which an array is solved as fast as its parts are measured
LEAST_CELLS = 200
#: rows and columns whose parts are measured, and lines beside each other that show what one carries
_SIDE, _BESIDE = 4, 2
#: lengths of lines that show which layers carry all of a line's current: their loads grow as these,
#: but for what the wires of the longer one take
_LENGTHS, _GROWS = (8, 16), 0.75
#: what parts may be too high by, by what is counted: of transistors and wires they were at most
#: 1.5 %, of wires alone 8 %, in a dozen arrays of any kind (`bench/theory.py`)
MARGIN = {"all": 0.95, "wires": 0.9}
#: halvings in which a voltage is found, and what its table and law are off by rounding
_HALVINGS, _ROUNDING = 60, 1.0 + 1e-6
_VIEWS = {"all": "", "wires": "_wires"}


def least_errors(config: RunConfig) -> dict[str, float]:
    """Return error metric -> what it is at least; empty where solving costs no more.

    Args:
        config: the array.
    """
    spec = config.spec
    if spec.rows * spec.cols <= LEAST_CELLS or min(spec.rows, spec.cols) < _SIDE:
        return {}
    small = replace(
        without_writes(config),
        spec=replace(spec, rows=_SIDE, cols=_SIDE, row_ends="one", name=None),
    )
    siemens = 1.0 / config.resolved_tech().memristor.r_on_ohm
    found = {}
    try:
        parts = dict(_measured(small))
    except CrossStackError:  # nothing is ruled out that cannot be measured
        return {}
    for view, tiers in parts.items():
        for name, value in _bounds(spec, tiers, siemens, MARGIN[view]).items():
            found[f"{name}{_VIEWS[view]}"] = value
    return found


def most_write_share(config: RunConfig) -> float | None:
    """Return what part of its need the worst written device gets at most; None if nobody knows.

    Args:
        config: the array.
    """
    from ..solve.modes.modes import POLARITIES

    small = replace(
        without_writes(config), spec=replace(config.spec, rows=_SIDE, cols=_SIDE, name=None)
    )
    try:
        cells = _cells(small)
    except CrossStackError:  # nothing is ruled out that cannot be drawn small
        return None
    if not cells:
        return None
    tech = config.resolved_tech()
    return min(
        max(_most_v(tech, cell, polarity) for cell in cells) / tech.memristor.needed_v(polarity)
        for polarity in POLARITIES
    )


def least_load(config: RunConfig, lost: float) -> float | None:
    """Return what part of its limit a line's read current is at least; None if nobody knows.

    A row's current feeds a device in every column, a column's comes from those in every row, and
    none of them may be left with less than its share. Which layers carry all of it, and how much
    of it they may, is seen from arrays with lines of two lengths: there the load of such a layer
    grows with the length.

    Args:
        config: the array.
        lost: what any device may lose of its current in a read, as a part.
    """
    loads = []
    for axis in ("rows", "cols"):
        length = getattr(config.spec, axis)
        if length <= max(_LENGTHS):
            continue
        short, long = (_line_loads(config, axis, n) for n in _LENGTHS)
        grown = _GROWS * _LENGTHS[1] / _LENGTHS[0]
        loads += [
            load * length / _LENGTHS[1] * (1.0 - lost)
            for layer, load in long.items()
            if load > grown * short.get(layer, load)
        ]
    return max(loads, default=None)


def _line_loads(config: RunConfig, axis: str, length: int) -> dict[str, float]:
    rows, cols = (length if axis == name else _BESIDE for name in ("rows", "cols"))
    spec = replace(config.spec, rows=rows, cols=cols, name=None)
    return _read_loads(replace(without_writes(config), spec=spec))


@lru_cache(maxsize=64)
def _read_loads(config: RunConfig) -> dict[str, float]:
    """Return layer -> its hardest load in a read, as a part of its limit; empty if not judged."""
    from ..solve.modes.modes import EXPANSION
    from ..solve.network.reduced import leave_whole

    try:
        study = Study(config, draw(config))
        leave_whole(study.network)
        modes = study.em([EXPANSION]).modes
    except CrossStackError:  # nothing is ruled out that cannot be drawn small
        return {}
    loads = modes[EXPANSION].loads if EXPANSION in modes else None
    return {} if loads is None else {layer: at.ratio for layer, at in loads.by_layer.items()}


@dataclass(frozen=True)
class _Cell:
    """A memristor and the transistors at its row's end.

    Attributes:
        area_um2: of the memristor.
        w_um, l_um: of each transistor.
    """

    area_um2: float
    w_um: tuple[float, ...]
    l_um: tuple[float, ...]


@lru_cache(maxsize=64)
def _cells(config: RunConfig) -> frozenset[_Cell]:
    """Return the different cells of a drawing; none if one holds anything but NMOS at its row."""
    devices = draw(config).layout.flat.devices
    at: dict[int, list[tuple[float, ...]]] = {}
    for device in devices:
        if not device.kind.is_memristor:
            size = (*device.parameters[:2], float(device.kind.name == "nfet"))
            for net in {device.nets[0], device.nets[2]}:
                at.setdefault(net, []).append(size)
    found = set()
    for device in devices:
        if device.kind.is_memristor:
            sizes = sorted(at.get(device.nets[0], []))
            if not sizes or not all(n for _, _, n in sizes):
                return frozenset()
            w_um, l_um, _ = zip(*sizes, strict=True)
            found.add(_Cell(float(device.parameters[0]), w_um, l_um))
    return frozenset(found)


def _most_v(tech: Tech, cell: _Cell, polarity: str) -> float:
    """Return the voltage over a device that is written through its transistors alone, V."""
    from ..analyse.on_resistance import OnResistance
    from ..analyse.operating import write_law
    from ..solve.circuit.iv import Linear

    count = len(cell.w_um)
    table = OnResistance(tech, np.array(cell.w_um), np.array(cell.l_um), np.zeros(count, bool))
    law = write_law(tech.memristor) or Linear()
    siemens = tech.memristor.scale(np.array([cell.area_um2])) / tech.memristor.r_on_ohm
    # reads go on beside a write
    drive = max(tech.memristor.write_v(polarity), tech.memristor.v_read_v)
    low, high = 0.0, drive
    for _ in range(_HALVINGS):
        over = (low + high) / 2
        ends = (drive, over) if polarity == "set" else (drive - over, 0.0)
        passed = float(table.flow(*(np.full(count, volts) for volts in ends))[0].sum())
        if float(law.current(siemens, np.array([over]))[0]) > passed:
            high = over
        else:
            low = over
    return _ROUNDING * high


@lru_cache(maxsize=64)
def _measured(config: RunConfig) -> tuple[tuple[str, tuple[Parts, ...]], ...]:
    if not config.spec.strap:
        return tuple(_parts(config).items())
    # at the ends of a ladder, current is on its way into the strap and out: what counts is what
    # rows more add in between
    short, long = (
        _parts(replace(config, spec=replace(config.spec, rows=k * _SIDE))) for k in (2, 3)
    )
    steps = [k * _SIDE - 2 for k in (2, 3)]  # that a column's parts are the mean of
    return tuple(
        (
            view,
            tuple(
                replace(b, col=max(0.0, (b.col * steps[1] - a.col * steps[0]) / _SIDE))
                for a, b in zip(short[view], tiers, strict=True)
            ),
        )
        for view, tiers in long.items()
    )


def _parts(config: RunConfig) -> dict[str, tuple[Parts, ...]]:
    from ..comparison.drops import series_parts

    study = Study(config, draw(config))
    return {
        view: tuple(series_parts(study.network, study.tech, view, t) for t in study.network.tiers)
        for view in _VIEWS
    }


def _bounds(
    spec: ArraySpec, tiers: tuple[Parts, ...], siemens: float, share: float
) -> dict[str, float]:
    """Return the errors of the array whose lines and cells are of such parts, or somewhat less."""
    from ..solve import solve_crossbar

    count = len(tiers)
    both = spec.row_ends == "both"
    cells = np.array([1.0 / (1.0 / siemens + share * part.cell) for part in tiers])
    found = solve_crossbar(
        np.broadcast_to(cells[:, None, None], (count, spec.rows, spec.cols)),
        np.ones((count, spec.rows)),
        row_segments=share * np.array([part.row for part in tiers])[:, None, None],
        column_segments=share * min(part.col for part in tiers),
        drive_resistance=np.repeat(
            share * np.array([part.drive for part in tiers])[:, None], spec.rows, axis=1
        ),
        sense_resistance=share * min(part.sense for part in tiers),
        row_drive="both" if both else "left",
    )
    kept = found.device_currents / siemens
    column = found.device_currents.sum(axis=(0, 1)) / (siemens * count * spec.rows)
    return {
        "worst_device": 1.0 - float(kept.min()),
        "mean_device": 1.0 - float(kept.mean()),
        "worst_column": 1.0 - float(column.min()),
    }
