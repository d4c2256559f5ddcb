"""How long a scan chain on board takes: what its pins ask for, and its lines after them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ..base import names
from ..solve.modes.address import RESET, Chain, is_gated
from .delays import Circuit, Followed, control_lines, wire_delays
from .switching import Event

if TYPE_CHECKING:
    from ..extract import NetCapacitance
    from ..pdk import Tech
    from ..solve import Network

#: bits of the longest chain that is followed: time grows with their square, here 3 min a corner
MOST_BITS = 400
_IN, _CLOCK, _LATCH, _ENABLE, _RESET, _OUT = names.SCAN_PINS


@dataclass(frozen=True)
class ChainDelays:
    """What a scan chain takes, s, worst of a chain of ones and zeros in turn and its complement.

    Attributes:
        setup_s: from a change of SIN while CLK is low until nothing moves.
        hold_s: from a rising CLK until the first bit holds.
        high_s: from a rising CLK until every bit stands: the least time that it is high.
        low_s: the same from a falling CLK.
        out_s: from a rising CLK until SOUT stands.
        follow_s: from a rising LE until nothing moves: the least time that it is high.
        shut_s: from a falling LE until the latches hold.
        on_s: from a rising EN until select lines are on; 0 without any, which have no EN.
        off_s: from a falling EN until they are off.
        clear_s: from a falling RSTN until all is cleared: the least time that it is low.
        ready_s: from a rising RSTN until nothing moves.
    """

    setup_s: float
    hold_s: float
    high_s: float
    low_s: float
    out_s: float
    follow_s: float
    shut_s: float
    on_s: float
    off_s: float
    clear_s: float
    ready_s: float


class FollowedChain(Followed):
    """A scan chain followed through shifts of ones and zeros in turn.

    Args:
        circuit: its transistors.
        tech: at the conditions.
        nets: what its bits drive, in any order.
        wires: line -> delay of its wires, s.
    """

    def __init__(
        self, circuit: Circuit, tech: Tech, nets: Sequence[str], wires: Mapping[str, float]
    ) -> None:
        super().__init__(circuit, tech, {net: is_gated(net) for net in nets}, [_IN], wires)
        self.chain = Chain(tuple(nets))
        self.bits = len(nets)
        self._times: dict[str, list[float]] = defaultdict(list)

    def delays(self) -> ChainDelays:
        """Return the worst of what was followed."""
        self.run({pin: RESET.levels[pin] for pin in self.chain.pins})
        self._note("ready_s", self._set(_RESET, True))
        for k in range(self.bits):
            self._shift(k % 2 == 0)
        for k in (self.bits, self.bits + 1):
            self._latch()
            self._shift(k % 2 == 0)
        self._latch()
        if self.chain.enabled:
            self._set(_ENABLE, True)
        self._note("clear_s", self._set(_RESET, False))
        self._note("ready_s", self._set(_RESET, True))
        worst = {f.name: max(self._times[f.name], default=0.0) for f in fields(ChainDelays)}
        return ChainDelays(**worst)

    def _set(self, pin: str, high: bool) -> list[Event]:
        return self.run({pin: high})

    def _note(self, key: str, events: list[Event]) -> None:
        self._times[key] += [self.end(e) for e in events]

    def _shift(self, bit: bool) -> None:
        self._note("setup_s", self._set(_IN, bit))
        rise = self._set(_CLOCK, True)
        self._note("high_s", rise)
        self._times["hold_s"] += [e.at_s for e in rise if e.net in self.latches]
        out = self.circuit.number[_OUT]
        self._note("out_s", [e for e in rise if e.net == out])
        self._note("low_s", self._set(_CLOCK, False))

    def _latch(self) -> None:
        """Let latches follow and hold, then select lines go on and off."""
        self._note("follow_s", self._set(_LATCH, True))
        self._note("shut_s", self._set(_LATCH, False))
        if not self.chain.enabled:
            return
        for key, high in (("on_s", True), ("off_s", False)):
            self._times[key] += self.stand(self._set(_ENABLE, high), gated=True)


def chain_delays(
    circuit: Circuit, tech: Tech, network: Network, known: Mapping[str, NetCapacitance]
) -> ChainDelays:
    """Return what the scan chain of a block takes.

    Args:
        circuit: its transistors.
        tech: at the conditions.
        network: extracted at them.
        known: capacitances of its lines.
    """
    wires = wire_delays(network, known)
    return FollowedChain(circuit, tech, control_lines(network), wires).delays()
