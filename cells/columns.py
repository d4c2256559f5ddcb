"""What logic cells are made of: columns of one gate of each kind, and gates of several columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SUPPLIES = ("VSS", "VDD")
#: sides of a cell: its N and its P transistors
N, P = 0, 1


@dataclass(frozen=True)
class Column:
    """One gate of each kind, and what lies on either side of it.

    Attributes:
        gates: nets of the N and of the P gate; None for no transistor.
        west, east: nets (N, P) of the contacts on either side.
    """

    gates: tuple[str | None, str | None]
    west: tuple[str, str]
    east: tuple[str, str]


def inverter_columns(a: str, y: str, fingers: int = 1, supply_first: bool = True) -> list[Column]:
    """Return an inverter of some fingers, its supplies or its output in the west."""
    ends = [SUPPLIES, (y, y)]
    first = 0 if supply_first else 1
    return [
        Column((a, a), ends[(k + first) % 2], ends[(k + first + 1) % 2]) for k in range(fingers)
    ]


def nand_columns(
    near: str, far: str, y: str, inner: str, supply_first: bool = True
) -> list[Column]:
    """Return y = not (near and far); `near` is the gate in the west, `inner` between the two.

    On one side y is a contact of both kinds, which joins its N to its P transistors.
    """
    outer, both, between = ("VSS", y), (y, y), (inner, "VDD")
    west, east = (outer, both) if supply_first else (both, outer)
    return [Column((near, near), west, between), Column((far, far), between, east)]


def gate_columns(a: str, b: str, high: str, low: str) -> list[Column]:
    """Return a transmission gate between a and b that conducts while `high` is high."""
    return [Column((high, low), (a, a), (b, b))]


def series_columns(inputs: Sequence[str], y: str, *, nand: bool = True) -> list[Column]:
    """Return y = not (all of the inputs), or y = not (any of them), supplies in the west.

    Nets between transistors in series are called after y. On the side of those in parallel the
    contacts are by turns of y and of the supply; the last one is of y on both sides.
    """
    n = len(inputs)
    if n == 1:
        return inverter_columns(inputs[0], y)
    supply, rail = SUPPLIES if nand else SUPPLIES[::-1]
    series = [supply, *(f"{y}_{k}" for k in range(1, n)), y]
    parallel = [y if (n - k) % 2 == 0 else rail for k in range(n + 1)]
    lines = [*zip(*((series, parallel) if nand else (parallel, series)), strict=True)]
    return [Column((a, a), lines[k], lines[k + 1]) for k, a in enumerate(inputs)]


def slow_columns(a: str, y: str, count: int) -> list[Column]:
    """Return an inverter whose transistors are so many in series: it takes about their square."""
    inner = [(f"{y}n{k}", f"{y}p{k}") for k in range(1, count)]
    lines = [SUPPLIES, *inner, (y, y)]
    return [Column((a, a), lines[k], lines[k + 1]) for k in range(count)]


def diode_columns(a: str, count: int) -> list[Column]:
    """Return antenna diodes on a net: active areas of both kinds without a gate."""
    return [Column((None, None), (a, a), (a, a))] * count
