"""The ways from a macro's pins to its pads: short, wide, and in every metal above the lowest.

Close to the macro its pins spread to legs (`fan`), which run outwards to tracks around it; from
these spokes lead to the pads. Pins, legs and pads have one order around the die, so that no way
crosses another; a track is shared by all that do not meet along it. Where legs in the west and east
reach beyond the macro, those in the south and north first pass between them, and spread behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..base import names
from ..cells.cuts import between, via_array
from ..cells.drawing import Port, grid_down
from ..cells.rules import RuleBook
from .chip import JOINT, ROOM, SIDES, Chip
from .fan import SPACE, Turn, Wire, fan, levels, spread
from .id_room import CORNERS
from .padring import Pad, lead_out, pad_places

#: space of legs and of tracks, of any width
APART = 1_000
#: length of the hop of a pin in the lowest metal of tracks, and its distance from the macro
HOP, BEFORE = 3_000, 2_000
#: how much a micrometre of a net's way counts: columns carry the current of all their rows, lines
#: that end in gates carry none
_WEIGHTS = {names.OUTPUT: 4.0, **dict.fromkeys((*names.INPUTS, names.WRITE_ROW), 1.0)}
_LIGHT = 0.1


@dataclass(frozen=True)
class Leg:
    """The end of a fan: net, side, middle along the side, and from where on it is straight."""

    net: str
    side: str
    s: int
    d: int


@dataclass(frozen=True)
class _Stage:
    """A fan to be drawn: its turns, the far edge of its first level, its end, widths."""

    turns: list[Turn]
    first: int
    end: int
    turn: int
    leg: int


class Ways:
    """The ways of a die.

    Args:
        chip: the die, its macro, and the widths of its wires.
    """

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.stages: dict[str, list[_Stage]] = {}
        self.ports: dict[str, list[Port]] = {side: [] for side in SIDES}
        for port in chip.macro.pins:
            self.ports[chip.pin(port)[0]].append(port)
        for ports in self.ports.values():
            ports.sort(key=lambda port: chip.pin(port)[1])
        #: where legs begin and end along each side
        self.extent: dict[str, tuple[int, int]] = {}
        self.legs: list[Leg] = []
        self.inner = 0
        self._pads: list[Pad] = []
        self._level: list[int] = []
        self.free: list[Pad] = []
        self.fits = all(self._fan(side) for side in ("west", "east", "south", "north"))
        self.fits = self.fits and self._assign()

    # -- fans --------------------------------------------------------------------------------

    def _fan(self, side: str) -> bool:
        """Spread the pins of a side; False if there is no room."""
        chip, w = self.chip, self.chip.widths
        low, high, d = chip.of_macro(side)
        self.stages[side], self.extent[side] = [], (low, high)
        ports = self.ports[side]
        if not ports:
            return True
        wires, base = [_wire(chip, port) for port in ports], d - BEFORE - HOP - APART
        beside = ("west", "east") if side in ("south", "north") else ()
        beyond = min((self._beyond(side, other) for other in beside), default=d)
        if beyond < d:  # legs of the neighbours reach beyond the macro
            pitch = min(grid_down((high - low) / len(wires), 20), w.leg + APART)
            leg = pitch - APART
            if leg < 600 or not self._stage(side, wires, base, pitch, leg, (low, high)):
                return False
            turns = self.stages[side][-1].turns
            wires = [Wire(t.wire.name, t.to, leg // 2, chip.metals) for t in turns]
            base = min(beyond - ROOM, self.stages[side][-1].end - JOINT)
        room = (chip.pads_end, chip.length(side) - chip.pads_end)
        if not self._stage(side, wires, base, w.leg + APART, w.leg, room):
            return False
        stage = self.stages[side][-1]
        to = [t.to for t in stage.turns]
        self.extent[side] = (min(low, to[0] - w.leg), max(high, to[-1] + w.leg))
        self.legs += [Leg(t.wire.name, side, t.to, stage.end) for t in stage.turns]
        return True

    def _beyond(self, side: str, other: str) -> int:
        """Return how far from a side's edge of the die the legs of a neighbour begin."""
        low, high = self.extent[other]
        return low if side == "south" else self.chip.slot.height - high

    def _stage(
        self, side: str, wires: list[Wire], base: int, pitch: int, leg: int, room: tuple[int, int]
    ) -> bool:
        half = -(-leg // 2)
        to = spread([w.s for w in wires], pitch, room[0] + half, room[1] - half)
        if to is None:
            return False
        turn = min(self.chip.widths.turn, leg)
        turns = fan(wires, to, self.chip.metals, turn, leg)
        deep = (1 + max(t.level for t in turns)) * (turn + SPACE)
        stage = _Stage(turns, base, base - deep - APART, turn, leg)
        self.stages[side].append(stage)
        return stage.end > self.chip.pads_end

    # -- tracks ------------------------------------------------------------------------------

    def _assign(self) -> bool:
        """Give each leg a pad and a level of the tracks; False if there is no room.

        A pad close to a corner of the die serves whoever has a track that far out: it is taken
        away from any other leg, and all is given anew.
        """
        chip, w = self.chip, self.chip.widths
        if not self._cut():
            return False
        at_leg = [self._along(leg.side, leg.s) for leg in self.legs]
        weights = [_WEIGHTS.get(names.kind_of(leg.net), _LIGHT) for leg in self.legs]
        places = pad_places(chip)
        places.sort(key=lambda pad: self._along(pad.side, pad.s))
        while True:
            at_pad = [self._along(pad.side, pad.s) for pad in places]
            chosen = in_order(at_leg, at_pad, weights)
            if chosen is None:
                return False
            self._pads = [places[k] for k in chosen]
            self._level = self._levels(at_leg, [at_pad[k] for k in chosen])
            self.inner = chip.pads_end + ROOM // 2 + (1 + max(self._level)) * (w.track + APART)
            wrong = {
                k for k, pad, level in zip(chosen, self._pads, self._level, strict=True)
                if not self._meets(pad.side, pad.s, level)
            }  # fmt: skip
            if not wrong:
                break
            places = [pad for k, pad in enumerate(places) if k not in wrong]
        taken = set(self._pads)
        self.free = [pad for pad in places if pad not in taken]
        return all(
            self.inner + ROOM < leg.d and self._meets(leg.side, leg.s, 0) for leg in self.legs
        )

    def _levels(self, at_leg: list[int], at_pad: list[int]) -> list[int]:
        """Return the level of each leg's track, 0 for the innermost."""
        half = self.chip.widths.leg // 2
        spans = [
            (min(a, b) - half, max(a, b) + half + APART)
            for a, b in zip(at_leg, at_pad, strict=True)
        ]
        return levels(spans, [b >= a for a, b in zip(at_leg, at_pad, strict=True)])

    def _meets(self, side: str, s: int, level: int) -> bool:
        """Return whether a wire straight inwards from a side meets a level."""
        half, far = self.chip.widths.leg // 2, self._far(level)
        low, high = (max(far, self.chip.id_room.corner[c]) + half for c in CORNERS[side])
        return low <= s <= self.chip.length(side) - high

    def _far(self, level: int) -> int:
        """Return the inner edge of a level, from the die's edge."""
        return self.inner - level * (self.chip.widths.track + APART)

    def _cut(self) -> bool:
        """Sort the legs counterclockwise from where no way passes; False if that is two places.

        It is the middle of the largest gap of legs, or a corner that identification cells take as
        far as tracks lie.
        """
        chip = self.chip
        total = chip.around(0, "west", 0)
        at = sorted(chip.around(0, leg.side, leg.s) for leg in self.legs)
        gaps = [(b - a, a) for a, b in pairwise([*at, at[0] + total])]
        gap, begin = max(gaps)
        self.total, self.start = total, begin + gap // 2
        w, h = chip.slot.width, chip.slot.height
        corners = {"south-east": w, "north-east": w + h, "north-west": 2 * w + h, "south-west": 0}
        shut = [at for corner, at in corners.items() if chip.id_room.corner[corner] > chip.pads_end]
        if shut:
            self.start = shut[0]
        self.legs.sort(key=lambda leg: self._along(leg.side, leg.s))
        return len(shut) < 2

    def _along(self, side: str, s: int) -> int:
        """Return how far a place lies counterclockwise from where legs begin."""
        return (self.chip.around(0, side, s) - self.start) % self.total

    # -- drawing -----------------------------------------------------------------------------

    def draw(self) -> list[tuple[str, Pad]]:
        """Draw every way; returns each net and its pad."""
        chip, w = self.chip, self.chip.widths
        for side, stages in self.stages.items():
            for k, stage in enumerate(stages):
                after = stages[k + 1] if k + 1 < len(stages) else None
                self._draw_stage(side, stage, first=k == 0, after=after)
        half = w.leg // 2
        for leg, pad, level in zip(self.legs, self._pads, self._level, strict=True):
            far = self._far(level)
            track = (far - w.track, far)
            span = (leg.s - half, leg.s + half)
            chip.draw(leg.net, chip.metals, leg.side, span, (track[0], leg.d))
            chip.join(chip.metals, leg.side, span, (leg.d - JOINT, leg.d))
            self._track(leg, pad, track)
            lead_out(chip, leg.net, pad, half, track)
        return [(leg.net, pad) for leg, pad in zip(self.legs, self._pads, strict=True)]

    def _draw_stage(self, side: str, stage: _Stage, *, first: bool, after: _Stage | None) -> None:
        chip = self.chip
        ports = {port.name: port for port in self.ports[side]}
        for t in stage.turns:
            far = stage.first - t.level * (stage.turn + SPACE)
            near, name = far - stage.turn, t.wire.name
            if first:
                _stub(chip, ports[name], t.wire, near)
            for metal, low, high in t.spans:
                chip.canvas.rect(metal, *chip.box(side, (low, high), (near, far)))
            if abs(t.to - t.wire.s) > stage.turn:
                metals = tuple(metal for metal, _, _ in t.spans)
                chip.squares[name].append((metals, abs(t.to - t.wire.s) / stage.turn))
            if t.spans:
                low, high = max(a for _, a, _ in t.spans), min(b for _, _, b in t.spans)
                if high - low > stage.turn:  # where the pin's own metal meets the others
                    low, high = (low, min(high, low + 2 * JOINT)) if t.to > t.wire.s \
                        else (max(low, high - 2 * JOINT), high)  # fmt: skip
                    chip.join([m for m, _, _ in t.spans], side, (low, high), (near, far))
            chip.draw(name, t.leg_metals, side, t.leg, (stage.end - JOINT, far))
            if after is not None:  # straight on to the fan behind
                to = after.first - next(u.level for u in after.turns if u.wire.name == name) * (
                    after.turn + SPACE
                )
                span = (t.to - stage.leg // 2, t.to + stage.leg // 2)
                chip.draw(name, chip.metals, side, span, (to - after.turn, stage.end))
                chip.join(chip.metals, side, span, (stage.end - JOINT, stage.end))

    def _track(self, leg: Leg, pad: Pad, track: tuple[int, int]) -> None:
        """Draw the way along a track from a leg to a pad."""
        chip = self.chip
        d = (track[0] + track[1]) // 2
        start, stop = chip.around(d, leg.side, leg.s), chip.around(d, pad.side, pad.s)
        if self._along(pad.side, pad.s) < self._along(leg.side, leg.s):
            start, stop = stop, start
        w, h = chip.slot.width - 2 * d, chip.slot.height - 2 * d
        ends = [0]
        for side in SIDES * 2:
            ends.append(ends[-1] + (w if side in ("south", "north") else h))
        if stop < start:
            stop += ends[len(SIDES)]
        half = (track[1] - track[0]) // 2
        for k, side in enumerate(SIDES * 2):
            low, high = max(start, ends[k]), min(stop, ends[k + 1])
            if low > high:
                continue
            near, far = low - ends[k], high - ends[k]
            if side in ("north", "west"):  # the ring runs back along these
                near, far = ends[k + 1] - high, ends[k + 1] - low
            for metal in chip.metals:
                span = (d + near - half, d + far + half)
                chip.canvas.rect(metal, *chip.box(side, span, track))
        squares = (stop - start) / (2 * half)
        chip.squares[leg.net].append((chip.metals, squares))


def in_order(
    legs: Sequence[int], pads: Sequence[int], weights: Sequence[float]
) -> list[int] | None:
    """Return a pad for each leg, in the order of both, at the least sum of squared distances.

    Args:
        legs: places, rising.
        pads: places, rising.
        weights: of each leg's distance.

    Returns:
        Numbers of pads; None if there are too few.
    """
    n, m = len(legs), len(pads)
    if n > m:
        return None
    spare = m - n
    # best[k]: the legs so far on pads before k + 1 of those that this leg may take
    best, taken = [0.0] * (spare + 1), []
    for i, (leg, weight) in enumerate(zip(legs, weights, strict=True)):
        least, row, at = float("inf"), [], []
        for k in range(spare + 1):
            cost = best[k] + weight * (1e-6 * (leg - pads[i + k])) ** 2
            if cost < least:
                least, here = cost, k
            row.append(least)
            at.append(here)
        best = row
        taken.append(at)
    found, k = [0] * n, spare
    for i in reversed(range(n)):
        k = taken[i][k]
        found[i] = i + k
    return found


def _wire(chip: Chip, port: Port) -> Wire:
    """Return a pin as a fan meets it: one in the lowest of the metals comes by a hop.

    The hop keeps that metal's tracks away from gates until the diode of the pad is joined, which
    antenna rules ask for.
    """
    _, s, _ = chip.pin(port)
    lowest = port.layer == chip.metals[0]
    metal = chip.metals[1] if lowest else port.layer
    return Wire(port.name, s, _half_width(chip.rules, port), (metal,))


def _stub(chip: Chip, port: Port, wire: Wire, near: int) -> None:
    """Draw a pin's wire from the macro to its turn."""
    side, s, d = chip.pin(port)
    span = (s - wire.half, s + wire.half)
    if port.layer not in wire.metals:
        edge = chip.of_macro(side)[2]
        hop = (edge - BEFORE - HOP, edge - BEFORE)
        chip.draw(port.name, (port.layer,), side, span, (hop[0], d))
        via_array(chip.canvas, chip.rules, chip.box(side, span, hop),
                  chip.rules.tech.roles.cuts(port.layer, wire.metals[0]))  # fmt: skip
        d = hop[1]
    chip.draw(port.name, wire.metals, side, span, (near, d))


def _half_width(r: RuleBook, port: Port) -> int:
    """Return half the width of the line from a pin to its turn: the pin's own.

    Pins lie as close as their metal allows. A square landing for a via, wider than a narrow pin,
    would come too near to the next pin's line.
    """
    over = max(
        r.size(cut) + 2 * r.enclosure(metal, cut)
        for cut in r.tech.roles.vias
        for metal in between(r, cut)
    )
    return grid_down(max(port.width, over) / 2)


__all__ = ["APART", "Leg", "Ways", "in_order"]
