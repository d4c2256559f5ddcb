"""A whole die from pad to pad: its currents beside two judges, its tracks beside counted squares.

python bench/chip.py [ROWS COLS] [--kelvin]    draw, compare, extract, judge
python bench/chip.py --network FILE            judge the currents of one that was extracted

The judges of the column currents take the extracted netlist as it is written:

- ngspice, of all its wires; where it takes longer than ten minutes, of the netlist whose wires are
  joined to what lies between pins and devices, which for direct current is the same circuit (the
  other judge has every wire);
- a reader of the text that shares no code with the package, with SciPy's direct solver
  (`netlist.py`).

Exit code 1 if a column current differs from that of a judge by more than 1e-6 of the largest, or
the way from a pad to the macro from its counted squares by more than 1 ohm: these leave out vias,
and where the current turns or spreads over the metals.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from netlist import source_currents
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from crossstack.analyse import analysis
from crossstack.analyse.operating import mode_ohm
from crossstack.analyse.pads import at_pads
from crossstack.base.ngspice import ModelsError, run_ngspice
from crossstack.cells import to_layout
from crossstack.extract import extract, write_spice
from crossstack.extract.sheet.rates import rates
from crossstack.generators import ArraySpec, build_top, testchip
from crossstack.generators.finish import finish
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import Conditions, Tech, get_tech
from crossstack.solve import load_network
from crossstack.solve.modes.drives import network_drives
from crossstack.solve.modes.modes import DEEP_NET, EXPANSION
from crossstack.solve.network.network import Network
from crossstack.solve.network.reduced import reduced
from crossstack.solve.study.metrics import ir_drop

CLOSE, TRACK_OHM = 1e-6, 1.0


def counted_ohm(spec: ArraySpec, tech: Any) -> tuple[Any, dict[str, float]]:
    """Return a chip, and the resistance of each pin's way to its pad by counted squares."""
    drawn: list[testchip.Chip] = []
    place = testchip.placed

    def noted(macro: Any) -> testchip.Chip:
        drawn.append(place(macro))
        return drawn[-1]

    testchip.placed = noted
    try:
        array = build_top(spec)
    finally:
        testchip.placed = place
    siemens = {metal: 1.0 / ohm for metal, ohm in rates(tech).sheet_ohm_sq.items()}
    return array, {
        net: sum(n / sum(siemens[m] for m in metals) for metals, n in parts)
        for net, parts in drawn[0].squares.items()
    }


def ohm_to_switch(network: Network, pin: str) -> float:
    """Return the resistance from a pin to the first transistor on its net."""
    mine = network.resistor_net == network.nets.index(pin)
    a, b, ohm = (getattr(network, f"resistor_{k}")[mine] for k in ("a", "b", "ohm"))
    nodes = np.unique(np.concatenate([a, b]))
    first, second = np.searchsorted(nodes, a), np.searchsorted(nodes, b)
    ends = np.concatenate([network.switch_a, network.switch_b])
    to = int(np.searchsorted(nodes, next(n for n in ends if n in nodes)))
    g, n = 1.0 / ohm, len(nodes)
    rows, columns = [first, second, first, second], [first, second, second, first]
    matrix = coo_matrix(
        (np.concatenate([g, g, -g, -g]), (np.concatenate(rows), np.concatenate(columns))), (n, n)
    ).tocsc()
    free = np.flatnonzero(np.arange(n) != np.searchsorted(nodes, network.ports[pin]))
    drive = np.zeros(n)
    drive[to] = 1.0
    return float(spsolve(matrix[free][:, free], drive[free])[np.searchsorted(free, to)])


def judged(network: Network, tech: Tech, mode: str, folder: Path, within_s: float) -> bool:
    """Print what the judges say of a mode's column currents; return whether all agree."""
    what = analysis.stimulus(network, tech)
    ohm = mode_ohm(network, tech, what, mode)
    ours = ir_drop(network, what.conductances, what.inputs, mode=mode, switch_ohm=ohm)
    print(f"  {mode}: the worst device loses {ours.all_series.worst_device:.1%}, "
          f"{ours.wires_only.worst_device:.1%} in wires alone", flush=True)  # fmt: skip
    for line in at.lines() if (at := at_pads(network, ours)) else []:
        print(f"  {line}")
    mine = ours.solution.port_currents
    deck = written(network, tech, mode, ohm, folder / f"{mode}.spice")
    order = list(network.ports)
    read = {order[int(k[1:])]: amps for k, amps in source_currents(deck).items()}
    found = {"SciPy, every wire": read}
    begun = time.perf_counter()
    try:
        found["ngspice, every wire"] = printed(deck, within_s)
        print(f"  {mode}: ngspice took {time.perf_counter() - begun:.0f} s")
    except ModelsError as error:
        print(f"  {mode}: {error}", flush=True)
        small = reduced(network).network
        deck = written(small, tech, mode, ohm, folder / f"{mode}_joined.spice")
        found["ngspice, wires joined"] = printed(deck, within_s)
    outputs = network_drives(network, mode, what.inputs).outputs
    largest = max(abs(mine[pin]) for pin in outputs)
    off = {who: max(abs(mine[pin] - amps[pin]) for pin in outputs) / largest
           for who, amps in found.items()}  # fmt: skip
    for who, share in off.items():
        print(f"  {mode}: {len(outputs)} column currents, up to {largest:.3e} A, differ "
              f"by {share:.1e} of the largest: {who}", flush=True)  # fmt: skip
    return all(share <= CLOSE for share in off.values())


def written(network: Network, tech: Tech, mode: str, ohm: Any, path: Path) -> Path:
    """Write the netlist of a mode with its sources."""
    drives = network_drives(network, mode, analysis.stimulus(network, tech).inputs)
    return write_spice(network, tech, path, switch_ohm=ohm, sources=drives.port_voltages,
                       gates=drives.gates, name="chip", title="chip")  # fmt: skip


def printed(deck: Path, within_s: float) -> Mapping[str, float]:
    """Return what ngspice prints for each pin that has a source, A."""
    lines = [line.strip() for line in run_ngspice(deck, within_s).splitlines() if line.strip()]
    return {
        lines[k][4:]: float(lines[k + 1].split("=")[1])
        for k in range(len(lines) - 1)
        if lines[k].startswith("pin ")
    }


def whole(spec: ArraySpec, folder: Path, within_s: float) -> list[str]:
    """Draw, compare, extract and judge a die; returns its faults."""
    tech, wrong, begun = spec.tech(), [], time.perf_counter()
    array, squares = counted_ohm(spec, tech)
    gds, netlist = folder / "chip.gds", folder / "chip.spice"
    layout = to_layout(array.cell, tech)
    finish(layout, tech)
    layout.write(str(gds))
    netlist.write_text("\n".join(array.netlist_lines()) + "\n")
    extracted = extract_layout(gds, tech)
    match = compare_layout(extracted, netlist, tech).match
    print(f"{spec.rows} x {spec.cols}: LVS {'match' if match else 'MISMATCH'}, "
          f"{time.perf_counter() - begun:.0f} s", flush=True)  # fmt: skip
    wrong += [] if match else ["LVS"]
    begun = time.process_time()
    network = extract(extracted, tech).network
    print(f"  extracted in {time.process_time() - begun:.0f} s of CPU", flush=True)
    wrong += currents(network, tech, folder, within_s)
    macro = extract(to_layout(build_top(replace(spec, top="macro")).cell, tech), tech).network
    for pin in ("IN_T[0]", "OUT[0]", "WR[0]"):
        inside, from_pad = ohm_to_switch(macro, pin), ohm_to_switch(network, pin)
        way, counted = from_pad - inside, squares[pin]
        print(f"  {pin}: {from_pad:.3f} ohm from the pad, {inside:.3f} from the macro's pin; the "
              f"way is {way:.3f}, counted {counted:.3f} ({way / counted - 1:+.2%})")  # fmt: skip
        wrong += [pin] if not abs(way - counted) <= TRACK_OHM else []
    return wrong


def currents(network: Network, tech: Tech, folder: Path, within_s: float) -> list[str]:
    """Print what a network is, and judge its currents; returns the modes in which they differ."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"  {network.n_nodes} nodes, {len(network.resistor_ohm)} resistors, {len(network.pads)} "
          f"pads; {memory:.2f} GB at most", flush=True)  # fmt: skip
    modes = (EXPANSION, DEEP_NET)
    return [mode for mode in modes if not judged(network, tech, mode, folder, within_s)]


def main() -> int:
    """Judge a die; returns 1 for a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="*", type=int, default=[2, 2], help="rows and columns")
    parser.add_argument("--kelvin", action="store_true", help="with a pad for each line")
    parser.add_argument("--network", type=Path, help="a die's network, as extract leaves it")
    parser.add_argument("--within", type=float, default=600.0, help="most time of ngspice, s")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.network is not None:
            found = load_network(given.network)
            at = Conditions.from_json(found.conditions)
            wrong = currents(found, get_tech(at.profile).at(at), Path(name), given.within)
        else:
            rows, cols = given.size
            spec = ArraySpec(rows=rows, cols=cols, top="testchip", kelvin=given.kelvin)
            wrong = whole(spec, Path(name), given.within)
    print("FAULTS: " + ", ".join(wrong) if wrong else "as it must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
