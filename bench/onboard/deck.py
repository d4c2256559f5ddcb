"""The logic on board as a deck for ngspice: BSIM transistors, lines as extracted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crossstack.base import names
from crossstack.cells import to_layout
from crossstack.cells.drawing import Label
from crossstack.extract import Bsim, elmore_delays, extract, net_capacitance
from crossstack.extract.field.lumps import nodes_of_nets
from crossstack.extract.write.bsim import transistor_card
from crossstack.generators.array import Array
from crossstack.lvs import extract_layout
from crossstack.solve.modes.address import Step

from .states import lines_of

#: ns of an edge of a pin
EDGE_NS = 0.2
#: ns of a step of a scan chain; of a decoder, that and what its delay takes
STEP_NS = {"scan": 6.0, "decoder": 16.0}
#: longest time from one point to the next where nothing moves, ns
QUIET_NS = 1.0


def wave(steps: list[Step], pin: str, volts: float, step_ns: float) -> str:
    """Return the points of a pin over time."""
    points, before = [f"0 {volts * steps[0].levels[pin]:g}"], steps[0].levels[pin]
    for k, step in enumerate(steps[1:], 1):
        if step.levels[pin] != before:
            t = k * step_ns
            points += [
                f"{t:g}n {volts * before:g}",
                f"{t + EDGE_NS:g}n {volts * step.levels[pin]:g}",
            ]
            before = step.levels[pin]
    return " ".join(points)


def inner_labels(array: Array) -> Iterator[Label]:
    """Yield a label for each net inside a decoder that one of its cells drives by itself.

    The calls of drivers, group cells and what stands between the blocks come in the order of their
    places; bits, which come as arrays, drive the lines that have a label anyway.
    """
    calls = [i for i in array.instances() if i.subcircuit.startswith("decoder_")]
    kinds = {i.subcircuit for i in calls} - {"decoder_select_bit", "decoder_write_bit"}
    places = [p for p in array.cell.placements if p.cell.name in kinds]
    mine = {kind: [i for i in calls if i.subcircuit == kind] for kind in kinds}
    named = set(lines_of(array)) | {pin.name for pin in array.pins}
    for place in places:
        assert place.cell.netlist is not None
        call = mine[place.cell.name].pop(0)
        for pin, net in zip(place.cell.netlist.pins, call.nets, strict=True):
            if net not in named:
                named.add(net)
                port = place.cell.port(pin)
                inward = 5 if port.orientation == 180 else -5
                yield Label(port.layer, net, place.x + port.x + inward, place.y + port.y)


def loads(array: Array) -> dict[str, tuple[float, float]]:
    """Return (F, s) of each line of the logic, and of the wires of each net inside a decoder.

    The time is the Elmore delay of the extracted wires from a drain of the line's buffer to the
    slowest place of the line; wires inside the logic have none, being shorter than the array.
    """
    lines, inner = lines_of(array), [*inner_labels(array)] if array.decoded else []
    # without its pins the logic is not left out of the network: its drains have nodes
    pins = {*names.SCAN_PINS, *names.DECODER_PINS}
    outer = [label for label in array.cell.labels if label.text not in pins]
    cell = replace(array.cell, labels=(*outer, *inner))
    nets = [*lines, *(label.text for label in inner)]
    drawn = extract_layout(to_layout(cell, array.tech), array.tech)
    farad = net_capacitance(drawn, array.tech, nets=nets)
    network = extract(drawn, array.tech, nets=list(lines), engine="flat").network
    drains = {int(node) for ends in (network.switch_a, network.switch_b) for node in ends}
    members = nodes_of_nets(network)
    driven = {net: next(n for n in members[net].tolist() if n in drains) for net in lines}
    own = {net: farad[net] for net in lines}
    delays = elmore_delays(replace(network, ports=driven), own)
    found = {}
    for net, c in farad.items():
        # gates of the logic itself are transistors of the deck
        found[net] = (c.total_f, delays[net]) if net in own else (c.total_f - c.gate_f, 0.0)
    return found


def far_end(net: str) -> str:
    """Return the node at the far end of a line."""
    return f"far_{net}"


def _wires(load: dict[str, tuple[float, float]]) -> Iterator[str]:
    """Yield each line as a pi section with its whole capacitance and its Elmore delay."""
    for k, (net, (farad, delay_s)) in enumerate(load.items()):
        if delay_s:
            yield f"Cn{k} {net} VSS {farad / 2:g}"
            yield f"Rl{k} {net} {far_end(net)} {2 * delay_s / farad:g}"
            yield f"Cf{k} {far_end(net)} VSS {farad / 2:g}"
        else:
            yield f"Cn{k} {net} VSS {farad:g}"


def deck(
    array: Array, bsim: Bsim, steps: list[Step], load: dict[str, tuple[float, float]], table: Path
) -> Iterator[str]:
    """Yield the netlist: the logic with BSIM transistors, its lines loaded as extracted.

    What is left out: the array and the mode switches, whose gates are part of the lines'
    capacitance, and the resistance of wires inside the logic and of supplies.

    The table has time, each line of the logic at its far end, and the output of a chain.
    """
    vdd, kind = bsim.vdd_v, array.spec.periphery
    ends = [far_end(net) if load[net][1] else net for net in lines_of(array)]
    ends += names.SCAN_PINS[-1:] if array.chain else ()
    yield "* logic on board"
    yield from bsim.library()
    for cell in array.subcircuits:
        if cell.name.startswith(f"{kind}_"):
            yield f".subckt {cell.name} {' '.join(cell.pins)}"
            for d in cell.devices:
                sizes = dict(d.parameters)
                yield transistor_card(bsim.kit, d.name, d.nets, d.model, sizes["W"], sizes["L"])
            yield ".ends"
    for i in array.instances():
        if i.subcircuit.startswith(f"{kind}_"):
            yield f"X{i.name} {' '.join(i.nets)} {i.subcircuit}"
    yield from _wires(load)
    yield f"Vvdd VDD 0 {vdd:g}"
    yield "Vvss VSS 0 0"
    for k, pin in enumerate(steps[0].levels):
        yield f"Vin{k} {pin} 0 PWL({wave(steps, pin, vdd, STEP_NS[kind])})"
    yield f".save {' '.join(f'v({net})' for net in ends)}"
    yield ".options reltol=2e-3 trtol=1"
    yield ".control"
    yield f"tran 0.1n {len(steps) * STEP_NS[kind]:g}n 0 {QUIET_NS:g}n"
    yield "set wr_singlescale"
    yield f"wrdata {table} {' '.join(f'v({net})' for net in ends)}"
    yield "print length(time)"
    yield "echo done = 1"
    yield "quit 0"
    yield ".endc"
    yield ".end"
