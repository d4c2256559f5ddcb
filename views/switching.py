"""Logic of a layout over time: transistors as switches with resistance, nets with capacitance.

Nets that channels join are a stage; what gates of a stage are says which of its nets are led to
which supply. A net moves after the Elmore delay of its way there, and later behind an input that
moves slowly. A net led to both supplies, as while a latch changes over, stays as it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from ..base.groups import Groups
from .pull import BY_SLOPE, LN2, Pull

#: no level yet; no net is followed through more events than this
UNKNOWN, MOST_EVENTS = -1, 2_000_000


@dataclass(frozen=True)
class Fet:
    """A transistor: kind, width in um and nets."""

    kind: str
    w_um: float
    drain: int
    gate: int
    source: int

    @property
    def nets(self) -> frozenset[int]:
        """All of them."""
        return frozenset((self.drain, self.gate, self.source))


@dataclass(frozen=True)
class Event:
    """A net that moves: when it is half way, s, to which level, how long it takes in all, s."""

    at_s: float
    net: int
    high: bool
    slope_s: float


@dataclass
class _Stage:
    """Nets that channels join, the transistors between them and on supplies or pins."""

    nets: list[int]
    fets: list[Fet]
    known: dict[tuple[int, ...], dict[int, tuple[bool, float]]] = field(default_factory=dict)


class Switching:
    """A circuit of switches.

    Args:
        fets: its transistors.
        farad: net -> capacitance, F.
        pull: their resistances.
        supplies: net -> high; they never move.
        pins: nets that are driven from outside.
    """

    def __init__(
        self, fets: Sequence[Fet], farad: Mapping[int, float], pull: Pull,
        supplies: Mapping[int, bool], pins: Iterable[int],
    ) -> None:  # fmt: skip
        self.farad, self.pull, self._slope = farad, pull, pull.slope
        self.supplies, self.fixed = dict(supplies), {*supplies, *pins}
        self.level: dict[int, int] = {net: int(high) for net, high in supplies.items()}
        self.stages: list[_Stage] = [*_stages(fets, self.fixed)]
        self.moved_by: dict[int, list[_Stage]] = {}
        for stage in self.stages:
            ends = {n for f in stage.fets for n in (f.gate, f.drain, f.source)}
            for net in ends - set(stage.nets) - set(supplies) | {f.gate for f in stage.fets}:
                self.moved_by.setdefault(net, []).append(stage)
        self._gates = {f.gate for f in fets}

    def run(self, pins: Mapping[int, bool], slope_s: float = 0.0) -> list[Event]:
        """Move pins at once and follow until nothing moves; returns what moved, in its order.

        Raises:
            ValueError: if it never comes to rest.
        """
        order = count()
        queue: list[tuple[float, int, int]] = []
        waiting: dict[int, tuple[Event, int]] = {}

        def soon(event: Event) -> None:
            waiting[event.net] = (event, next(order))
            heapq.heappush(queue, (event.at_s, waiting[event.net][1], event.net))

        for net, high in pins.items():
            if self.level.get(net, UNKNOWN) != high:
                soon(Event(0.0, net, bool(high), slope_s))
        if any(net not in self.level for stage in self.stages for net in stage.nets):
            for stage in self.stages:
                self._follow(stage, Event(0.0, UNKNOWN, False, 0.0), waiting, soon)
        found: list[Event] = []
        while queue:
            _, number, net = heapq.heappop(queue)
            if net not in waiting or waiting[net][1] != number:
                continue
            event = waiting.pop(net)[0]
            self.level[net] = int(event.high)
            found.append(event)
            if len(found) > MOST_EVENTS:
                raise ValueError("logic on board does not come to rest")
            for stage in self.moved_by.get(net, ()):
                self._follow(stage, event, waiting, soon)
        return found

    def _follow(
        self,
        stage: _Stage,
        cause: Event,
        waiting: dict[int, tuple[Event, int]],
        soon: Callable[[Event], None],
    ) -> None:
        """Let the nets of a stage move, or no longer.

        Args:
            stage: of these nets.
            cause: what moved in it.
            waiting: what is to move.
            soon: takes what is to move.
        """
        led = self._led(stage)
        for net in stage.nets:
            planned = waiting.get(net)
            if net not in led:
                waiting.pop(net, None)
                continue
            high, elmore_s = led[net]
            if self.level.get(net, UNKNOWN) == high:
                waiting.pop(net, None)
            elif planned is None or planned[0].high != high:
                at = cause.at_s + LN2 * elmore_s + BY_SLOPE * cause.slope_s
                soon(Event(at, net, high, self._slope * LN2 * elmore_s))

    def _led(self, stage: _Stage) -> dict[int, tuple[bool, float]]:
        """Return net -> the one level that it is led to, and the Elmore delay of its way."""
        key = tuple(self.level.get(n, UNKNOWN) for f in stage.fets
                    for n in (f.gate, f.drain, f.source))  # fmt: skip
        if key not in stage.known:
            stage.known[key] = self._solve(stage)
        return stage.known[key]

    def _solve(self, stage: _Stage) -> dict[int, tuple[bool, float]]:
        own = set(stage.nets)
        on = [f for f in stage.fets
              if self.level.get(f.gate, UNKNOWN) == (0 if f.kind == "pfet" else 1)]  # fmt: skip
        joined: dict[int, list[int]] = {}
        for f in on:
            joined.setdefault(f.drain, []).append(f.source)
            joined.setdefault(f.source, []).append(f.drain)
        depth = [self._reached(joined, own, level) for level in (0, 1)]
        found: dict[int, tuple[bool, float]] = {}
        for level in (0, 1):
            mine = [n for n in stage.nets if n in depth[level] and n not in depth[1 - level]]
            if mine:
                elmore = self._elmore(on, mine, level, depth[level])
                found |= {n: (bool(level), t) for n, t in zip(mine, elmore, strict=True)}
        return found

    def _reached(
        self, joined: Mapping[int, list[int]], own: set[int], level: int
    ) -> dict[int, int]:
        """Return net -> transistors on the way from what is fixed at a level."""
        here = [n for n in joined if n in self.fixed and self.level.get(n, UNKNOWN) == level]
        depth = dict.fromkeys(here, 0)
        for net in here:  # grows
            for other in joined[net]:
                if other in own and other not in depth:
                    depth[other] = depth[net] + 1
                    here.append(other)
        return {n: d for n, d in depth.items() if n in own}

    def _elmore(
        self, on: Sequence[Fet], nets: list[int], level: int, depth: Mapping[int, int]
    ) -> list[float]:
        """Return the Elmore delay of each net from what is fixed at a level."""
        place = {n: k for k, n in enumerate(nets)}
        deep = max((depth[n] for n in nets if n in self._gates), default=max(depth.values()))
        matrix = np.zeros((len(nets), len(nets)))
        for f in on:
            a, b = place.get(f.drain), place.get(f.source)
            if (
                a == b
                or (a is None and f.drain not in self.fixed)
                or (b is None and f.source not in self.fixed)
            ):
                continue
            siemens = 1.0 / self.pull.ohm(f.kind, f.w_um, deep, bool(level))
            for k in (a, b):
                if k is not None:
                    matrix[k, k] += siemens
            if a is not None and b is not None:
                matrix[a, b] -= siemens
                matrix[b, a] -= siemens
        moving = [self.farad[n] * (self.level.get(n, UNKNOWN) != level) for n in nets]
        return [float(t) for t in np.linalg.solve(matrix, np.array(moving))]


def _stages(fets: Sequence[Fet], fixed: set[int]) -> Iterator[_Stage]:
    """Yield the stages of a circuit."""
    groups = Groups()
    ends = [(f, [n for n in (f.drain, f.source) if n not in fixed]) for f in fets]
    for _, inner in ends:
        for net in inner:
            groups.join(net, inner[0])
    stages: dict[int, _Stage] = {}
    for net in dict.fromkeys(net for _, inner in ends for net in inner):
        stages.setdefault(groups.of(net), _Stage([], [])).nets.append(net)
    for f, inner in ends:
        if inner:
            stages[groups.of(inner[0])].fets.append(f)
    yield from stages.values()
