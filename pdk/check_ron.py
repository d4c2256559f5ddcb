"""Whether the measured table of on resistance is whole, and fits its process; see `check`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import nsmallest
from typing import Any

from ..base.errors import TechError
from .conditions import CORNERS
from .model import Process
from .ron import FILE as RON_FILE
from .ron import read_table
from .tables import table_of

#: share of the best conducting points at which corners must be in order, and how many those are
_MOST_IN_ORDER, _BEST = 0.9, 100
#: grids of the table, outermost first
_RON_GRIDS = ("temperature_c", "w_um", "source_v", "drop_v")


def measured_at(process: Process) -> dict[str, Any]:
    """Return what a table of on resistance says of the process that it was measured for.

    Its figures hold at no other supply (V, of the gates) and channel length (um).
    """
    lengths = {transistor.name: transistor.l_um for transistor in process.transistors}
    return {"supply_v": process.supply_v, "l_um": lengths}


def problems_of_ron(base: Process) -> Iterator[str]:
    """Yield what is missing or wrong in the measured table of on resistance."""
    names = {model.name for model in base.transistors}
    try:
        table = read_table(table_of(base.folder / RON_FILE))
        yield from _on_resistance(table, names)
        yield from _measured_elsewhere(base, table)
        if [table["temperature_c"][0], table["temperature_c"][-1]] != [*base.temperatures_c]:
            yield f"{RON_FILE}: temperature_c does not reach over temperatures_c of process.toml"
    except TechError as error:
        yield str(error)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        yield f"{RON_FILE} cannot be read, or lacks one of its tables"


def _measured_elsewhere(base: Process, table: dict[str, Any]) -> Iterator[str]:
    """A table holds at the supply and the channel lengths that it was measured at alone."""
    own = measured_at(base)
    lengths = table.get("l_um")
    pairs = [("supply_v", table.get("supply_v"), own["supply_v"], "V")]
    for name, um in own["l_um"].items():
        given = lengths.get(name) if isinstance(lengths, dict) else None
        pairs.append((f"l_um of {name}", given, um, "um"))
    for what, measured, value, unit in pairs:
        if isinstance(measured, int | float) and not isinstance(measured, bool):
            if math.isclose(measured, value, rel_tol=1e-9):
                continue
            shown = f"{measured:g} {unit}"
        else:
            shown = f"{measured!r:.40}, which is no number"
        yield (
            f"{RON_FILE}: measured at {what} = {shown}, the process has {value:g} {unit}: measure "
            f"again with crossstack foundry models --process {base.folder} --update"
        )


def _leaves(rows: Any, shape: list[int]) -> tuple[list[Any], bool]:
    """Return the values of nested lists, and True if they have just this shape."""
    level = [rows]
    for count in shape:
        if not all(isinstance(row, list) and len(row) == count for row in level):
            return [], False
        level = [value for row in level for value in row]
    return level, not any(isinstance(value, list) for value in level)


def _on_resistance(table: dict[str, Any], names: set[str]) -> Iterator[str]:
    """The table of on resistance is a full grid of positive numbers."""
    grids = [[float(x) for x in table[key]] for key in _RON_GRIDS]
    for grid in grids:
        if len(grid) < 2 or grid != sorted(set(grid)) or not all(map(math.isfinite, grid)):
            yield f"{RON_FILE}: a grid is not two or more numbers, ascending"
    shape = [len(grid) for grid in grids]
    for name in sorted(names):
        if name not in table["ohm"]:
            yield f"{name} has no on resistance ({RON_FILE})"
            continue
        by_corner: dict[str, list[Any]] = {}
        for corner in CORNERS:
            rows = table["ohm"][name].get(corner, [])
            values, even = _leaves(rows, shape)
            if not even:
                yield f"{RON_FILE}: {name}, {corner} is not {' x '.join(map(str, shape))} numbers"
            elif not (min(values) > 0.0 and max(values) < math.inf):
                yield f"{RON_FILE}: {name}, {corner} holds a value that is not a positive number"
            else:
                by_corner[corner] = values
        yield from _corner_order(name, by_corner)


def _corner_order(name: str, by_corner: dict[str, list[Any]]) -> Iterator[str]:
    """Where transistors conduct, fast ones resist less and slow ones more than typical ones."""
    if set(by_corner) != set(CORNERS):
        return
    triples = zip(*(by_corner[corner] for corner in ("typ", "min", "max")), strict=True)
    best = nsmallest(_BEST, triples)
    for corner, k, sign in (("min", 1, 1), ("max", 2, -1)):
        share = sum(sign * (row[0] - row[k]) >= 0 for row in best) / len(best)
        if share < _MOST_IN_ORDER:
            word = "above" if corner == "min" else "below"
            yield (
                f"{RON_FILE}: {name}: resistances of corner {corner} lie {word} those of typ; "
                "allowed: min (fast) <= typ <= max (slow)"
            )
