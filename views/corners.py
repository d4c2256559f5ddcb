"""A block at its corners: what the extracted wires and transistors make of its pins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..analyse import read_settle, stimulus
from ..base import names
from ..extract import elmore_delays, extract_network, net_capacitance
from ..pdk.leakage import measured_off
from .chain_delays import MOST_BITS, ChainDelays, chain_delays
from .delays import Circuit, LogicDelays, control_lines, decoder_delays
from .liberty import CornerFigures
from .onboard import kind_of_logic
from .pull import LN2

if TYPE_CHECKING:
    from ..extract import NetCapacitance
    from ..lvs import ExtractedLayout
    from ..pdk import Conditions, Tech
    from ..solve import Network
    from .abstract import Abstract


def corners_of(tech: Tech) -> tuple[Conditions, ...]:
    """Return the conditions that libraries are written for: the given ones, fast and slow."""
    low, high = tech.process.temperatures_c
    given = tech.conditions
    at = [given]
    for corner, temperature in (("min", low), ("max", high)):
        other = replace(given, corner=corner, temperature_c=temperature)
        if other not in at:
            at.append(other)
    return tuple(at)


def pin_capacitances(
    extracted: ExtractedLayout, block: Abstract, known: Mapping[str, NetCapacitance] | None = None
) -> dict[str, float]:
    """Return pin -> capacitance of its net in F.

    Args:
        extracted: the layout.
        block: its pins.
        known: capacitances that were extracted already; the others are extracted here, of
            numbered pins the one in the middle, which stands for the others of its kind.
    """
    farad = {name: net.total_f for name, net in (known or {}).items()}
    kinds: dict[str, list[str]] = {}
    for pin in block.pins:
        if not pin.role.supply:
            kinds.setdefault(names.kind_of(pin.name) or pin.name, []).append(pin.name)
    asked = [
        pins[len(pins) // 2] for pins in kinds.values() if not any(pin in farad for pin in pins)
    ]
    if asked:
        more = net_capacitance(extracted, extracted.tech, nets=asked)
        farad |= {name: net.total_f for name, net in more.items()}
    found: dict[str, float] = {}
    for pins in kinds.values():
        told = [farad[pin] for pin in pins if pin in farad]
        found |= {pin: farad.get(pin, max(told, default=0.0)) for pin in pins}
    return found


def corner_figures(
    extracted: ExtractedLayout,
    tech: Tech,
    block: Abstract,
    capacitance: Mapping[str, NetCapacitance],
    network: Network | None = None,
    settle_s: float | None = None,
    circuit: Circuit | None = None,
) -> CornerFigures:
    """Return what a block is at the conditions of a technology.

    Args:
        extracted: the layout.
        tech: at the corner.
        block: its pins.
        capacitance: of nets, which no corner changes; empty if not extracted.
        network: extracted at the corner, if there is one already.
        settle_s: of its read, if known already.
        circuit: of the logic on board; None for a block without any.
    """
    settle = settle_s if capacitance else None
    control: dict[str, float] = {}
    farad: dict[str, float] = {}
    logic: LogicDelays | ChainDelays | None = None
    if capacitance:
        network = extract_network(extracted, tech) if network is None else network
        if settle is None:
            what = stimulus(network, tech)
            settle = read_settle(network, tech, what, capacitance).settle_s
        kind = kind_of_logic(names.kind_of(pin.name) or pin.name for pin in block.pins)
        # behind logic on board a pin's own line tells nothing of when a switch moves
        if not kind:
            control = dict(_control_delays(network, tech, block, capacitance))
        if circuit is not None:
            logic = _delays(circuit, tech, network, capacitance, kind)
        farad = pin_capacitances(extracted, block, capacitance)
    watts, measured = leakage_w(extracted, tech)
    return CornerFigures(tech.conditions, settle, control, farad, watts, logic, measured)


def circuit_of(
    extracted: ExtractedLayout, block: Abstract, capacitance: Mapping[str, NetCapacitance]
) -> Circuit | None:
    """Return the transistors of a block's logic; None without logic, or without capacitances.

    Args:
        extracted: the layout.
        block: its pins.
        capacitance: of nets, as far as extracted.
    """
    kind = kind_of_logic(names.kind_of(pin.name) or pin.name for pin in block.pins)
    return Circuit(extracted, block, capacitance) if capacitance and kind else None


def _delays(
    circuit: Circuit,
    tech: Tech,
    network: Network,
    known: Mapping[str, NetCapacitance],
    kind: str,
) -> LogicDelays | ChainDelays | None:
    """Return what logic on board takes; None for a chain that is too long to be followed."""
    if kind == "decoder":
        return decoder_delays(circuit, tech, network, known)
    if len(control_lines(network)) > MOST_BITS:
        return None
    return chain_delays(circuit, tech, network, known)


def _control_delays(
    network: Network, tech: Tech, block: Abstract, capacitance: Mapping[str, NetCapacitance]
) -> Iterator[tuple[str, float]]:
    """Yield digital pin -> its line's delay, and that of the inverter behind it if there is one."""
    line = elmore_delays(network, capacitance)
    gates: dict[str, float] = {}
    for k, gate in enumerate(network.switch_gate.tolist()):
        model = tech.pfet if network.switch_p[k] else tech.nfet
        width = float(network.switch_w_um[k])
        name = network.nets[gate]
        gates[name] = gates.get(name, 0.0) + width * model.cg_on_f_per_um
    for pin in block.pins:
        if pin.role.digital and pin.role.direction == "INPUT":
            load = gates.get(names.complement(pin.name), 0.0)
            behind = LN2 * _inverter_ohm(tech) * load if load else 0.0
            yield pin.name, line.get(pin.name, 0.0) + behind


def _inverter_ohm(tech: Tech) -> float:
    """Return the resistance with which an inverter's weaker transistor of 1 um pulls, ohm."""
    return max(tech.nfet.ron_ohm(1.0), tech.pfet.ron_ohm(1.0))


def transistor_count(extracted: ExtractedLayout) -> int:
    """Return the number of transistors, parallel ones as one, as LVS counts them."""
    found = set()
    for device in extracted.flat.devices:
        if not device.kind.is_memristor:
            ends = dict(zip(device.kind.terminals, device.nets, strict=True))
            found.add((device.kind.name, ends["G"], frozenset((ends["D"], ends["S"]))))
    return len(found)


def leakage_w(extracted: ExtractedLayout, tech: Tech) -> tuple[float, bool]:
    """Return what the transistors on both supplies leak, each off half of the time, W.

    And whether the process has their off currents measured at the conditions; else they are its
    typical ones.
    """
    flat = extracted.flat
    models = {"nfet": tech.nfet, "pfet": tech.pfet}
    found = {kind: measured_off(tech, model) for kind, model in models.items()}
    ends = {names.GROUND: "nfet", names.SUPPLY: "pfet"}
    supplies = {n.number: ends[names.fold(n.name)] for n in flat.nets if names.fold(n.name) in ends}
    amps = 0.0
    for device in flat.devices:
        model = models.get(device.kind.name)
        if model is None:
            continue
        pulled = {
            supplies.get(net)
            for net, end in zip(device.nets, device.kind.terminals, strict=True)
            if end in ("D", "S")
        }
        if device.kind.name in pulled:
            own = found[device.kind.name]
            amps += 0.5 * device.parameters[0] * (model.ioff_a_per_um if own is None else own)
    return amps * tech.conditions.supply_v, None not in found.values()
