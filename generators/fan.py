"""Wires side by side that spread to a wider pitch, none crossing another, in all metals at once.

Wires come out of a box in the order of their places along its side. Each runs outwards, turns along
the side on a level of its own, and leaves at its new place in the same order. So none crosses
another, and a wire may take every metal from its turn on. Lengths are in dbu.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..cells.drawing import grid_down

#: from wire to wire within a fan, ample for every metal
SPACE = 600


@dataclass(frozen=True)
class Wire:
    """A wire where it enters a fan.

    Attributes:
        name: of its net.
        s: its middle along the side.
        half: half its width.
        metals: what it is drawn in.
    """

    name: str
    s: int
    half: int
    metals: tuple[str, ...]


@dataclass(frozen=True)
class Turn:
    """How a wire goes through a fan.

    Attributes:
        wire: the wire.
        to: its middle where it leaves.
        level: how many others turn before it, seen from the box.
        spans: (metal, from, to) of the part along the side.
        leg: (from, to) of the part outwards.
        leg_metals: what that part is drawn in.
    """

    wire: Wire
    to: int
    level: int
    spans: tuple[tuple[str, int, int], ...]
    leg: tuple[int, int]
    leg_metals: tuple[str, ...]


def spread(places: Sequence[int], pitch: int, low: int, high: int) -> list[int] | None:
    """Return places at a pitch or more, as close to the given ones as that lets them be.

    Args:
        places: in rising order.
        pitch: least distance of two.
        low: least place.
        high: largest place.

    Returns:
        The places on the grid; None if there is no room.
    """
    n = len(places)
    if n == 0:
        return []
    room = high - low - (n - 1) * pitch
    if room < 0:
        return None
    groups: list[list[float]] = []  # mean, count: neighbours that push each other
    for k, s in enumerate(places):
        groups.append([float(s - k * pitch), 1.0])
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            mean, count = groups.pop()
            before, many = groups[-1]
            groups[-1] = [(before * many + mean * count) / (many + count), many + count]
    means = [mean for mean, count in groups for _ in range(int(count))]
    return [
        grid_down(min(max(mean, low), low + room), 10) + k * pitch for k, mean in enumerate(means)
    ]


def levels(spans: Sequence[tuple[int, int]], rising: Sequence[bool]) -> list[int]:
    """Return the level on which each wire turns, 0 for the first, where spans must not overlap.

    Of wires that move to higher places the highest turns first, of others the lowest: the rest
    then passes outside of its span.

    Args:
        spans: what each wire covers along the side, space included, in their order.
        rising: whether each moves to a higher place.
    """
    found = [0] * len(spans)

    def above(k: int, others: Sequence[int]) -> int:
        low, high = spans[k]
        taken = (found[j] for j in others if spans[j][0] < high and low < spans[j][1])
        return 1 + max(taken, default=-1)

    n = len(spans)
    falling = [k for k in range(n) if not rising[k]]
    for k in falling:
        found[k] = above(k, [j for j in falling if j < k])
    # what rises turns after what falls beside it, whether they part or come close
    for k in (k for k in reversed(range(n)) if rising[k]):
        found[k] = above(k, [*falling, *(j for j in range(k + 1, n) if rising[j])])
    return found


def fan(
    wires: Sequence[Wire], to: Sequence[int], metals: tuple[str, ...], width: int, leg: int
) -> list[Turn]:
    """Return how each wire goes to its new place.

    Args:
        wires: in rising order of their places.
        to: the new places, rising.
        metals: what wires take from their turn on.
        width: of the parts along, and of those outwards of wires that are no wider.
        leg: the most that the part outwards of a wider wire takes; new places are farther apart.
    """
    half, most = width // 2, max(width, leg) // 2
    rising = [place >= wire.s for wire, place in zip(wires, to, strict=True)]
    ends = [
        (wire.s - wire.half, max(place + half, wire.s + wire.half))
        if up
        else (min(place - half, wire.s - wire.half), wire.s + wire.half)
        for wire, place, up in zip(wires, to, rising, strict=True)
    ]
    level = levels([(low, high + SPACE) for low, high in ends], rising)
    found: dict[int, Turn] = {}
    for k in sorted(range(len(wires)), key=lambda k: level[k]):
        wire, up, (low, high) = wires[k], rising[k], ends[k]
        later = [(w.metals, w.s - w.half, w.s + w.half) for j, w in enumerate(wires)
                 if level[j] > level[k]]  # fmt: skip
        left = [(t.leg_metals, *t.leg) for t in found.values() if t.level < level[k]]
        out = (
            (max(to[k] - half, low), min(to[k] + most, high))
            if up
            else (max(to[k] - most, low), min(to[k] + half, high))
        )
        spans, leg_metals = [], []
        for metal in dict.fromkeys((*wire.metals, *metals)):
            start, stop, least = low, high, 1
            if metal not in wire.metals:  # clear of what passes, and of what has left
                start, stop = _clear(metal, (low, high), (*later, *left), up=up)
                least = width
            if stop - start < least:
                continue
            spans.append((metal, start, stop))
            if start <= out[0] and out[1] <= stop:
                leg_metals.append(metal)
        found[k] = Turn(wire, to[k], level[k], tuple(spans), out, tuple(leg_metals))
    return [found[k] for k in range(len(wires))]


def _clear(
    metal: str,
    span: tuple[int, int],
    others: Sequence[tuple[tuple[str, ...], int, int]],
    *,
    up: bool,
) -> tuple[int, int]:
    """Return what is left of a span in a metal behind wires that cross it, seen from its leg."""
    start, stop = span
    for metals, low, high in others:
        if metal in metals and low - SPACE < span[1] and span[0] < high + SPACE:
            start, stop = (
                (max(start, high + SPACE), stop) if up else (start, min(stop, low - SPACE))
            )
    return start, stop


__all__ = ["SPACE", "Turn", "Wire", "fan", "levels", "spread"]
