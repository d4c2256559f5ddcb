"""Logic on board of a macro in ngspice with the foundry's models: every mode, every column.

python bench/periphery.py [ROWS COLS [PROCESS]] [--decoder] [--slow]

Each state is set over the pins of the scan chain, or of the decoder; what the lines then carry must
be the mode table, no line may move when it should stand still, and no mode switch while a select
line is on. The decoder's address and mode change together with its enable, both ways. Prints how
long lines rise and fall, and of a decoder when after its enable; exit code 1 for a fault.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossstack.base import names
from crossstack.base.ngspice import run_ngspice
from crossstack.cells import to_layout
from crossstack.cells.drawing import Label
from crossstack.extract import Bsim
from crossstack.extract.field.capacitance import net_capacitance
from crossstack.extract.write.bsim import transistor_card
from crossstack.generators import ArraySpec, build_top
from crossstack.generators.array import Array
from crossstack.pdk import Conditions
from crossstack.signoff.models import foundry_models
from crossstack.solve.modes.address import RESET, Chain, Step, is_gated
from crossstack.solve.modes.decoder import OFF, Decoder
from crossstack.solve.modes.drives import Drives, mode_drives
from crossstack.solve.modes.mode import ArrayKind
from crossstack.solve.modes.modes import MODES

Floats = NDArray[np.float64]
#: ns of an edge of a pin
EDGE_NS = 0.2
#: ns of a step of a scan chain; of a decoder, that and what its delay takes
STEP_NS = {"scan": 6.0, "decoder": 16.0}
#: share of the supply within which a line is low, or high
LOW, HIGH = 0.1, 0.9


@dataclass
class State:
    """A state to set, and which steps of the run do it."""

    text: str
    levels: dict[str, bool]
    latch: int
    on: int
    end: int


def lines_of(array: Array) -> tuple[str, ...]:
    """Return what the logic on board drives."""
    return array.chain or array.decoded


def states(array: Array) -> Iterator[tuple[str, Drives]]:
    """Yield every mode, reading tier and written column with its levels, and the first again."""
    rows, cols = array.spec.rows, array.spec.cols
    kind = ArrayKind(macro=True)
    for mode in (*MODES.values(), *MODES.values())[: len(MODES) + 1]:  # the first once more
        ways = [(t, c) for t in names.TIER_NAMES for c in range(cols)] if mode.writes else [("", 0)]
        for tier, column in ways:
            options = {"read_tier": tier, "write_column": column} if tier else {}
            drives = mode_drives(mode.name, rows, cols, np.zeros((2, rows)), kind=kind, **options)
            text = f"{mode.name} {tier} {column}".strip() if tier else mode.name
            yield text, drives


def plan(array: Array) -> tuple[list[Step], list[State]]:
    """Return all steps of the run, and which of them belong to which state."""
    return _plan_of_decoder(array) if array.decoded else _plan_of_chain(array)


def _plan_of_decoder(array: Array) -> tuple[list[Step], list[State]]:
    """Address and mode change with the falling enable, and once it has risen they are others."""
    decoder = Decoder(array.spec.cols, array.decoded)
    low = {names.ENABLE: False}
    rest = Step("power-up", {**decoder.pins(OFF), **low})
    awake = Step("power-up, others high", {**dict.fromkeys(decoder.inputs, True), **low})
    steps, found = [rest, awake, rest], []
    for text, drives in states(array):
        pins = decoder.pins_of(drives)
        first = len(steps)
        other = {pin: not high for pin, high in pins.items()} | {names.ENABLE: True}
        steps += [Step("set", {**pins, **low}), Step("on", pins), Step("held", other)]
        levels = {net: drives.gates[net] for net in decoder.nets}
        found.append(State(text, levels, first, first + 1, len(steps)))
    return steps, found


def _plan_of_chain(array: Array) -> tuple[list[Step], list[State]]:
    chain = Chain(array.chain)
    # at power-up whatever the other pins are
    awake = Step("reset, others high", {**RESET.levels, "EN": True, "LE": True, "CLK": True})
    steps, found = [RESET, awake, RESET], []
    for text, drives in states(array):
        first = len(steps)
        levels = {net: drives.gates[net] for net in chain.nets}
        steps += chain.sequence(levels)
        found.append(
            State(text, levels, first + 2 * len(chain.nets) + 2, len(steps) - 1, len(steps))
        )
    return steps, found


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


def loads(array: Array) -> dict[str, float]:
    """Return F on each line of the logic, and of the wires of each net inside a decoder."""
    lines, inner = lines_of(array), [*inner_labels(array)] if array.decoded else []
    cell = replace(array.cell, labels=(*array.cell.labels, *inner))
    nets = [*lines, *(label.text for label in inner)]
    found = net_capacitance(to_layout(cell, array.tech), array.tech, nets=nets)
    own = set(lines)  # gates of the logic itself are transistors of the deck
    return {net: c.total_f - (0.0 if net in own else c.gate_f) for net, c in found.items()}


def deck(array: Array, bsim: Bsim, steps: list[Step], table: Path) -> Iterator[str]:
    """Yield the netlist: the logic with BSIM transistors, its lines loaded as extracted."""
    lines, vdd, kind = lines_of(array), bsim.vdd_v, array.spec.periphery
    load = loads(array)
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
    for k, (net, farad) in enumerate(load.items()):
        yield f"Cl{k} {net} VSS {farad:g}"
    yield f"Vvdd VDD 0 {vdd:g}"
    yield "Vvss VSS 0 0"
    for k, pin in enumerate(steps[0].levels):
        yield f"Vin{k} {pin} 0 PWL({wave(steps, pin, vdd, STEP_NS[kind])})"
    yield f".save {' '.join(f'v({net})' for net in lines)}"
    yield ".options method=gear reltol=2e-3"
    yield ".control"
    yield f"tran 0.1n {len(steps) * STEP_NS[kind]:g}n"
    yield "set wr_singlescale"
    yield f"wrdata {table} {' '.join(f'v({net})' for net in lines)}"
    yield "print length(time)"
    yield "echo done = 1"
    yield "quit 0"
    yield ".endc"
    yield ".end"


def faults(
    array: Array, found: list[State], ns: NDArray, high: dict[str, NDArray]
) -> Iterator[str]:
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
    array: Array, found: list[State], ns: Floats, high: dict[str, Floats]
) -> Iterator[str]:
    """Yield in words when lines of a decoder have settled after its enable moved."""
    step_ns = STEP_NS[array.spec.periphery]
    gated = [share for net, share in high.items() if is_gated(net)]
    switches = [share for net, share in high.items() if not is_gated(net)]

    def last(shares: list[Floats], begin: float, end: float) -> float:
        at = (ns > begin) & (ns < end)
        moves = [ns[at][(s[at] > LOW) & (s[at] < HIGH)] for s in shares]
        return max((m[-1] - begin for m in moves if len(m)), default=0.0)

    falls = [(s.latch * step_ns, s.on * step_ns, s.end * step_ns) for s in found]
    if gated:
        yield f"select lines are off {max(last(gated, a, b) for a, b, _ in falls):.2f} ns after EN"
        yield f"they are on {max(last(gated, b, c) for _, b, c in falls):.2f} ns after EN"
    yield f"mode switches stand {max(last(switches, a, b) for a, b, _ in falls):.2f} ns after EN"


def edges(ns: Floats, share: Floats) -> tuple[list[float], list[float]]:
    """Return all times that a line takes to rise and to fall, 10 to 90 percent, in ns."""
    found: tuple[list[float], list[float]] = ([], [])
    last, since = (share[0] > HIGH), 0.0
    for t, v in zip(ns, share, strict=True):
        if (v >= HIGH) if not last else (v <= LOW):
            found[1 if last else 0].append(t - since)
            last = not last
            since = t
        elif (v <= LOW) if not last else (v >= HIGH):
            since = t
    return found


def main(arguments: list[str]) -> int:
    """Run the bench."""
    words = [word for word in arguments if not word.startswith("-")]
    rows, cols = (int(words[0]), int(words[1])) if len(words) > 1 else (3, 2)
    process = {"process": words[2]} if len(words) > 2 else {}
    kind = "decoder" if "--decoder" in arguments else "scan"
    array = build_top(ArraySpec(rows, cols, top="macro", periphery=kind, **process))
    tech = array.tech
    if "--slow" in arguments:
        tech = tech.at(Conditions(corner="max", temperature_c=125.0))
    steps, found = plan(array)
    with foundry_models(tech) as folder, tempfile.TemporaryDirectory() as work:
        bsim = Bsim(tech, folder)
        path, table = Path(work) / "a.spice", Path(work) / "a.txt"
        # brackets would pick one value out of a vector
        text = "\n".join(deck(array, bsim, steps, table)) + "\n"
        path.write_text(text.replace("[", "_").replace("]", ""))
        run_ngspice(path, 3000.0)
        values = np.loadtxt(table)
    ns = values[:, 0] * 1e9
    high = {net: values[:, 1 + k] / bsim.vdd_v for k, net in enumerate(lines_of(array))}
    wrong = [*faults(array, found, ns, high)]
    print(f"{rows} x {cols}, {tech.conditions.text}: {len(high)} lines by a {kind}, "
          f"{len(found)} states, {len(steps)} steps of {STEP_NS[kind]:g} ns")  # fmt: skip
    for kind in (*names.SELECTS, names.WRITE_SELECT, *names.WRITE_TIERS):
        both = [edges(ns, v) for net, v in high.items() if net.partition("[")[0] == kind]
        rise, fall = (max((t for pair in both for t in pair[k]), default=0.0) for k in (0, 1))
        print(f"  {kind:<5} rises in at most {rise:.2f} ns, falls in at most {fall:.2f} ns")
    if array.decoded:
        for text in after_enable(array, found, ns, high):
            print(f"  {text}")
    for text in wrong:
        print(f"  fault: {text}")
    print("every state as the mode table says, no line moves else" if not wrong else "FAULTS")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
