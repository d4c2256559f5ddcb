"""Verdict on what the lines of the logic on board carried over time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crossstack.generators.array import Array
from crossstack.solve.modes.address import is_gated

from .deck import EDGE_NS, STEP_NS
from .states import State

Floats = NDArray[np.float64]
#: share of the supply within which a line is low, or high
LOW, HIGH = 0.1, 0.9


def faults(array: Array, found: list[State], ns: Floats, high: dict[str, Floats]) -> Iterator[str]:
    """Yield what is not as it should be; `high` is the share of the supply over time."""
    step_ns = STEP_NS[array.spec.periphery]
    settled = step_ns - 2 * EDGE_NS
    for net, share in high.items():
        # a decoder's mode switches follow its mode bits while no select line is on
        if (array.chain or is_gated(net)) and share[ns < 3 * step_ns].max() > LOW:
            yield f"reset: {net} is on"
    held = dict.fromkeys(high, False)
    begin = 3 * step_ns
    for state in found:
        t_latch, t_on, t_end = (k * step_ns for k in (state.latch, state.on, state.end))
        off = (ns > begin + settled) & (ns < t_on)
        before = (ns > begin + settled) & (ns < t_latch)
        on = (ns > t_on + settled) & (ns < t_end)
        for net, share in high.items():
            wanted = state.levels[net]
            if is_gated(net):
                if share[off].max() > LOW:
                    yield f"{state.text}: {net} is on before it may be"
                # of neither state: not on at any time
                if not wanted and not held[net] and share[(ns > begin) & (ns < t_end)].max() > LOW:
                    yield f"{state.text}: {net} is on"
                if not wanted and share[(ns > t_on) & (ns < t_end)].max() > LOW:
                    yield f"{state.text}: {net} is on again"
            elif before.any() and (
                (share[before].max() > LOW) if not held[net] else (share[before].min() < HIGH)
            ):
                yield f"{state.text}: {net} moves during the shift"
            if (wanted and share[on].min() < HIGH) or (not wanted and share[on].max() > LOW):
                yield f"{state.text}: {net} is not {'on' if wanted else 'off'}"
        held, begin = state.levels, t_end
    yield from moving(ns, high)


def moving(ns: Floats, high: dict[str, Floats]) -> Iterator[str]:
    """Yield mode switches that move while a select line is on."""
    selects = [share for net, share in high.items() if is_gated(net)]
    if not selects:
        return
    on = np.max(selects, axis=0) > LOW
    for net, share in high.items():
        wrong = on & (share > LOW) & (share < HIGH)
        if not is_gated(net) and wrong.any():
            yield f"{net} moves at {ns[wrong][0]:.2f} ns while a select line is on"


def after_enable(
    kind: str, found: list[State], ns: Floats, high: dict[str, Floats]
) -> dict[str, float]:
    """Return when lines of a decoder have settled after its enable moved, ns; 0 without states."""
    step_ns = STEP_NS[kind]
    gated = [share for net, share in high.items() if is_gated(net)]
    switches = [share for net, share in high.items() if not is_gated(net)]

    def last(shares: list[Floats], begin: float, end: float) -> float:
        at = (ns > begin) & (ns < end)
        moves = [ns[at][(s[at] > LOW) & (s[at] < HIGH)] for s in shares]
        return max((m[-1] - begin for m in moves if len(m)), default=0.0)

    falls = [(s.latch * step_ns, s.on * step_ns, s.end * step_ns) for s in found]
    times = {"switches": max((last(switches, a, b) for a, b, _ in falls), default=0.0)}
    if gated:
        times["off"] = max((last(gated, a, b) for a, b, _ in falls), default=0.0)
        times["on"] = max((last(gated, b, c) for _, b, c in falls), default=0.0)
    return times


def edges(ns: Floats, share: Floats) -> tuple[list[float], list[float]]:
    """Return all times that a line takes to rise and to fall, 10 to 90 percent, in ns.

    Points come as they are needed, so that both crossings are taken between two of them.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for level, sign in ((share, 1.0), (1.0 - share, -1.0)):
        low = _crossings(ns, level, LOW)
        for t in _crossings(ns, level, HIGH):
            begun = low[low < t]
            if len(begun) and not len(_crossings(ns, level, HIGH, begun[-1], t)):
                found[0 if sign > 0 else 1].append(float(t - begun[-1]))
    return found


def _crossings(
    ns: Floats, level: Floats, at: float, begin: float = -np.inf, end: float = np.inf
) -> Floats:
    """Return when a level rises through a value, between two times."""
    k = np.flatnonzero((level[:-1] < at) & (level[1:] >= at))
    t = ns[k] + (at - level[k]) / (level[k + 1] - level[k]) * (ns[k + 1] - ns[k])
    return t[(t > begin) & (t < end)]
