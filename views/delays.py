"""How long logic on board takes: a decoder's lines after its enable, address and mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from ..base import names
from ..base.errors import ConfigError
from ..base.groups import Groups
from ..extract import elmore_delays, net_capacitance
from ..extract.field.lumps import nodes_of_nets
from ..extract.nets.naming import memristor_places, net_names
from ..solve.modes.address import RESET
from ..solve.modes.decoder import OFF, Decoder
from .onboard import kind_of_logic
from .pull import Pull
from .switching import Event, Fet, Switching

if TYPE_CHECKING:
    from ..extract import NetCapacitance
    from ..lvs import ExtractedLayout
    from ..pdk import Tech
    from ..solve import Network
    from .abstract import Abstract

#: how long a pin takes from one level to the other, s: assumed
EDGE_S = 0.2e-9
#: from half way until a line has moved to 90 %, as a share of how long it takes in all
_REST = 0.4
#: capacitance of a net whose times do not matter, F
_ANY_F = 5e-15
_SUPPLIES = {names.GROUND: False, names.SUPPLY: True}


@dataclass(frozen=True)
class LogicDelays:
    """What a decoder takes, s, worst of all states that were followed.

    Attributes:
        on_s: from a rising enable until what it turns on is on.
        first_s: from a rising enable until the first of them begins to move.
        off_s: from a falling enable until what it turns off is off.
        switch_s: from a falling enable, with a new address and mode, until mode switches stand.
        rest_s: the same until nothing moves any more: the least time that it is low.
        setup_s: from a change of address or mode while it is low until nothing moves.
        hold_s: from a rising enable until the latches hold.
    """

    on_s: float
    first_s: float
    off_s: float
    switch_s: float
    rest_s: float
    setup_s: float
    hold_s: float


class Circuit:
    """The digital transistors of a layout as switches, nets by name.

    Args:
        extracted: the layout.
        block: its pins.
        known: capacitances that were extracted already; None if levels alone matter, not times.
    """

    def __init__(
        self,
        extracted: ExtractedLayout,
        block: Abstract,
        known: Mapping[str, NetCapacitance] | None,
    ) -> None:
        flat = extracted.flat
        places, _ = memristor_places(flat)
        self.names = net_names(flat, places)
        self.number = {name: k for k, name in enumerate(self.names)}
        self.supplies = {self.number[n]: high for n, high in _SUPPLIES.items() if n in self.number}
        self.fets = [*_digital(extracted, self.names, set(self.supplies))]
        ends = {n for f in self.fets for n in (f.drain, f.source)}
        self.farad = dict.fromkeys(ends, _ANY_F) if known is None else self._farad(extracted, known)
        digital = [p for p in block.pins if p.role.digital and p.role.direction == "INPUT"]
        self.pins = [self.number[pin.name] for pin in digital]

    def _farad(
        self, extracted: ExtractedLayout, known: Mapping[str, NetCapacitance]
    ) -> dict[int, float]:
        """Return net -> wires, gates and ends of channels, F."""
        tech = extracted.tech
        ends = {n for f in self.fets for n in (f.drain, f.source)}
        asked = [self.names[n] for n in ends if self.names[n] not in known]
        patterns = [name for name in asked if not name.startswith("net$")]
        if len(patterns) < len(asked):
            patterns.append("net$*")
        found = dict(known)
        if patterns:
            found |= net_capacitance(extracted, tech, nets=patterns)
        farad = {n: found[self.names[n]].total_f for n in ends if self.names[n] in found}
        for f in self.fets:
            model = tech.pfet if f.kind == "pfet" else tech.nfet
            each = (model.end_on_f_per_um + model.end_off_f_per_um) / 2 * f.w_um
            for net in (f.drain, f.source):
                if net in farad:
                    farad[net] += each
        return farad

    def at(self, tech: Tech) -> Switching:
        """Return the switches at the conditions of a technology."""
        return Switching(self.fets, self.farad, Pull(tech), self.supplies, self.pins)


def _digital(extracted: ExtractedLayout, found: list[str], supplies: set[int]) -> Iterator[Fet]:
    """Yield the transistors whose channels lead to no memristor, row or column."""
    flat = extracted.flat
    groups = Groups()
    analog = {k for k, name in enumerate(found) if names.is_line(name)}
    fets = []
    for device in flat.devices:
        if device.kind.is_memristor:
            analog |= set(device.nets)
            continue
        drain, gate, source = device.nets[:3]
        fets.append(Fet(device.kind.name, device.parameters[0], drain, gate, source))
        if not {drain, source} & (supplies | {-1}):
            groups.join(drain, source)
    closed = {groups.of(net) for net in analog if net >= 0}
    for f in fets:
        inner = {f.drain, f.source} - supplies
        if inner and -1 not in inner and not {groups.of(n) for n in inner} & closed:
            yield f


def chain_of(circuit: Circuit, tech: Tech, lines: Sequence[str]) -> tuple[str, ...]:
    """Return what the bits of a scan chain drive, from its data input on: a one is shifted through.

    Args:
        circuit: the transistors.
        tech: at any conditions.
        lines: what the chain drives.

    Raises:
        ConfigError: if one bit does not turn on one line after the other.
    """
    switching = circuit.at(tech)

    def run(**pins: bool) -> None:
        # a chain without select lines has no enable
        there = {circuit.number[pin]: v for pin, v in pins.items() if pin in circuit.number}
        switching.run(there)

    run(**RESET.levels)
    run(RSTN=True, LE=True, EN=True, SIN=True)
    found: list[str] = []
    for _ in lines:
        run(CLK=True)
        run(CLK=False)
        run(SIN=False)
        on = [line for line in lines if switching.level[circuit.number[line]] == 1]
        if len(on) != 1 or on[0] in found:
            raise ConfigError(
                f"after {len(found) + 1} clocks a one in the scan chain turns on "
                f"{', '.join(on) or 'nothing'}: no such chain is known"
            )
        found += on
    return tuple(found)


def scan_order(
    extracted: ExtractedLayout, block: Abstract, tech: Tech, network: Network
) -> tuple[str, ...]:
    """Return what the bits of a block's scan chain drive, see `chain_of`; nothing without one."""
    if kind_of_logic(names.kind_of(pin.name) or pin.name for pin in block.pins) != "scan":
        return ()
    return chain_of(Circuit(extracted, block, None), tech, control_lines(network))


def control_lines(network: Network) -> tuple[str, ...]:
    """Return the lines of a network that turn transistors of the array and its switches on."""
    return tuple(net for net in network.gate_nets if names.CONTROL.fullmatch(net))


def wire_delays(network: Network, capacitance: Mapping[str, NetCapacitance]) -> dict[str, float]:
    """Return control line -> Elmore delay of its wires from the end that is farther off, s."""
    members = nodes_of_nets(network)
    lines = {n: c for n, c in capacitance.items() if names.CONTROL.fullmatch(n) and n in members}
    found: dict[str, float] = {}
    for end in (0, -1):
        ports = {n: int(members[n][end]) for n in lines}
        for net, delay in elmore_delays(replace(network, ports=ports), lines).items():
            found[net] = max(delay, found.get(net, 0.0))
    return found


class Followed:
    """Logic on board that is followed over time.

    Args:
        circuit: its transistors.
        tech: at the conditions.
        lines: what it drives -> does the enable turn it off?
        held: pins that its latches, or its first flip-flop, hold.
        wires: line -> delay of its wires, s.
    """

    def __init__(
        self,
        circuit: Circuit,
        tech: Tech,
        lines: Mapping[str, bool],
        held: Iterable[str],
        wires: Mapping[str, float],
    ) -> None:
        self.circuit, self.wires = circuit, wires
        self.switching = circuit.at(tech)
        #: net of a line, or of what an inverter makes of it -> does the enable turn it off?
        self.lines: dict[int, bool] = {}
        for net, gated in lines.items():
            for name in (net, names.complement(net)):
                if name in circuit.number:
                    self.lines[circuit.number[name]] = gated
        own = {circuit.number[pin] for pin in held}
        stages = [s for s in self.switching.stages if any(own & f.nets for f in s.fets)]
        #: what opens and closes the latches
        self.latches = {f.gate for s in stages for f in s.fets} - own

    def run(self, pins: Mapping[str, bool]) -> list[Event]:
        """Move pins and follow."""
        return self.switching.run({self.circuit.number[p]: v for p, v in pins.items()}, EDGE_S)

    def end(self, event: Event) -> float:
        """Return when what moves has moved to 90 %, at the far end of its wires, s."""
        wire = self.wires.get(self.circuit.names[event.net], 0.0)
        return event.at_s + _REST * event.slope_s + wire

    def stand(self, events: list[Event], *, gated: bool) -> list[float]:
        """Return when lines stand that the enable turns off, or the others."""
        return [self.end(e) for e in events if self.lines.get(e.net) is gated]


class FollowedDecoder(Followed):
    """A decoder followed through its states.

    Args:
        circuit: its transistors.
        tech: at the conditions.
        decoder: what its pins mean.
        wires: line -> delay of its wires, s.
    """

    def __init__(
        self, circuit: Circuit, tech: Tech, decoder: Decoder, wires: Mapping[str, float]
    ) -> None:
        selects, all_ = names.SELECTS, not decoder.gates_selects
        lines = {net: names.kind_of(net) in selects or all_ for net in decoder.nets}
        held = [pin for pin in decoder.inputs if pin != names.ENABLE]
        super().__init__(circuit, tech, lines, held, wires)
        self.decoder = decoder

    def levels(self) -> dict[str, bool]:
        """Return the levels of what the decoder drives."""
        return {n: bool(self.switching.level[self.circuit.number[n]]) for n in self.decoder.nets}

    def delays(self) -> LogicDelays:
        """Return the worst of every mode with the first, the last and the highest address."""
        d, low = self.decoder, {names.ENABLE: False}
        columns = sorted({0, d.cols - 1, (1 << len(d.address)) - 1})
        codes = [(True, True), (True, False), (False, True)]
        states = [d.pins(code, column) for column in columns for code in codes]
        self.run({**d.pins(OFF), **low})
        self.run(states[0])
        times: dict[str, list[float]] = {f.name: [] for f in fields(LogicDelays)}
        for before, pins in zip(states, [*states[1:], states[0]], strict=True):
            fall = self.run({**pins, **low})
            times["off_s"] += self.stand(fall, gated=True)
            times["switch_s"] += self.stand(fall, gated=False)
            times["rest_s"] += [self.end(e) for e in fall]
            for again in (before, pins):
                times["setup_s"] += [self.end(e) for e in self.run({**again, **low})]
            rise = self.run(pins)
            times["on_s"] += self.stand(rise, gated=True)
            times["first_s"] += [e.at_s - _REST * e.slope_s for e in rise if self.lines.get(e.net)]
            times["hold_s"] += [e.at_s for e in rise if e.net in self.latches]
        worst = {key: max(found, default=0.0) for key, found in times.items()}
        return LogicDelays(**{**worst, "first_s": min(times["first_s"], default=0.0)})


def decoder_delays(
    circuit: Circuit, tech: Tech, network: Network, known: Mapping[str, NetCapacitance]
) -> LogicDelays:
    """Return what the decoder of a block takes.

    Args:
        circuit: its transistors.
        tech: at the conditions.
        network: extracted at them.
        known: capacitances of its lines.
    """
    decoder = Decoder(network.cols, control_lines(network))
    return FollowedDecoder(circuit, tech, decoder, wire_delays(network, known)).delays()
