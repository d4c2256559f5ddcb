"""A whole die from pad to pad: its currents beside ngspice, its tracks beside counted squares.

python bench/chip.py [ROWS COLS] [--kelvin]

Exit code 1 if a column current differs from that of ngspice on the extracted netlist by more than
1e-6, or the way from a pad to the macro from its counted squares by more than 1 ohm: these leave
out vias, and where the current turns or spreads over the metals.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from crossstack.analyse import analysis
from crossstack.analyse.operating import mode_ohm
from crossstack.analyse.pads import at_pads
from crossstack.base.ngspice import run_ngspice
from crossstack.cells import to_layout
from crossstack.extract import extract, write_spice
from crossstack.extract.sheet.rates import rates
from crossstack.generators import ArraySpec, build_top, testchip
from crossstack.generators.finish import finish
from crossstack.lvs import compare_layout, extract_layout
from crossstack.solve.modes.drives import network_drives
from crossstack.solve.modes.modes import DEEP_NET, EXPANSION
from crossstack.solve.network.network import Network
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


def beside_ngspice(network: Network, tech: Any, mode: str, folder: Path) -> float:
    """Return by how much column currents differ from ngspice's, as a share of the largest."""
    what = analysis.stimulus(network, tech)
    drives = network_drives(network, mode, what.inputs)
    ohm = mode_ohm(network, tech, what, mode)
    ours = ir_drop(network, what.conductances, what.inputs, mode=mode, switch_ohm=ohm)
    print(f"  {mode}: the worst device loses {ours.all_series.worst_device:.1%}, "
          f"{ours.wires_only.worst_device:.1%} in wires alone", flush=True)  # fmt: skip
    path = folder / f"{mode}.spice"
    write_spice(network, tech, path, switch_ohm=ohm, sources=drives.port_voltages,
                gates=drives.gates, name="chip", title="chip")  # fmt: skip
    lines = [line.strip() for line in run_ngspice(path, 900.0).splitlines() if line.strip()]
    amps = {
        lines[k][4:]: float(lines[k + 1].split("=")[1])
        for k in range(len(lines) - 1)
        if lines[k].startswith("pin ")
    }
    theirs = np.array([amps[pin] for pin in drives.outputs])
    mine = np.array([ours.solution.port_currents[pin] for pin in drives.outputs])
    for line in at.lines() if (at := at_pads(network, ours)) else []:
        print(f"  {line}")
    return float(np.abs(mine - theirs).max() / np.abs(mine).max())


def main(args: list[str]) -> int:
    """Build, compare and extract a die; returns 1 for a fault."""
    sizes = [int(text) for text in args if text.isdigit()] or [2, 2]
    spec = ArraySpec(rows=sizes[0], cols=sizes[1], top="testchip", kelvin="--kelvin" in args)
    tech, wrong, begun = spec.tech(), [], time.perf_counter()
    array, squares = counted_ohm(spec, tech)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gds, netlist = folder / "chip.gds", folder / "chip.spice"
        layout = to_layout(array.cell, tech)
        finish(layout, tech)
        layout.write(str(gds))
        netlist.write_text("\n".join(array.netlist_lines()) + "\n")
        extracted = extract_layout(gds, tech)
        match = compare_layout(extracted, netlist, tech).match
        print(f"{sizes[0]} x {sizes[1]}: LVS {'match' if match else 'MISMATCH'}, "
              f"{time.perf_counter() - begun:.0f} s", flush=True)  # fmt: skip
        wrong += [] if match else ["LVS"]
        begun = time.process_time()
        network = extract(extracted, tech).network
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"  {network.n_nodes} nodes, {len(network.resistor_ohm)} resistors, "
              f"{len(network.pads)} pads, {time.process_time() - begun:.0f} s of CPU, "
              f"{memory:.2f} GB", flush=True)  # fmt: skip
        for mode in (EXPANSION, DEEP_NET):
            off = beside_ngspice(network, tech, mode, folder)
            print(f"  {mode}: column currents {off:.1e} from ngspice", flush=True)
            wrong += [mode] if not off <= CLOSE else []
        macro = extract(to_layout(build_top(replace(spec, top="macro")).cell, tech), tech).network
    for pin in ("IN_T[0]", "OUT[0]", "WR[0]"):
        inside, whole = ohm_to_switch(macro, pin), ohm_to_switch(network, pin)
        counted = squares[pin]
        off = (whole - inside) / counted - 1.0
        print(f"  {pin}: {whole:.3f} ohm from the pad, {inside:.3f} from the macro's pin; the way "
              f"between is {whole - inside:.3f}, counted {counted:.3f} ({off:+.2%})")  # fmt: skip
        wrong += [pin] if not abs(whole - inside - counted) <= TRACK_OHM else []
    print("FAULTS: " + ", ".join(wrong) if wrong else "as it must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
