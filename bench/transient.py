"""Reads and writes over time against ngspice on the extracted RC netlist.

python bench/transient.py [--size N] [--only linear|law|bsim] [--mode MODE] [--top macro] ...
Prints settling, charge of the read, rise of the write, disturb and its charge of both.
Exit code 1 if a settling is off by more than 3 %, a charge by more than 2 %, a
glitch by more than 5 %.

linear: memristors and transistors are resistors on both sides. law: memristors by their law
(sinh, as B sources). bsim: transistors by our table against the foundry's BSIM models, whose gates,
sources and drains have their own capacitance.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.analyse import analysis
from crossstack.analyse.operating import Laws, at_work, write_options
from crossstack.analyse.transients import Asked, OverTime, over_time
from crossstack.cells import to_layout
from crossstack.console import Console
from crossstack.extract import Bsim, extract, net_capacitance, write_spice
from crossstack.extract.field.lumps import with_capacitors, without_small
from crossstack.extract.write.bins import few_bins
from crossstack.extract.write.bsim import pin_volts
from crossstack.extract.write.wires import Nodes
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import extract_layout
from crossstack.pdk import get_tech
from crossstack.signoff.models import foundry_models
from crossstack.solve import network_drives
from crossstack.solve.network.network import Network
from crossstack.solve.network.waves import settled_s

#: relative
SETTLING, CHARGE = 0.03, 0.02
#: of a glitch, which a source of 1 ps sends through fF: gates that float a little count, too
GLITCH = 0.05
#: ngspice: exact enough for 1 / 2048 of a current and for fF on nodes
OPTIONS = "method=gear reltol=1e-6 abstol=1e-13 vntol=1e-8 chgtol=1e-21 trtol=7 gmin=1e-15"
MODES = ("expansion", "deep-net")
#: memristors linear, transistors as resistors
KINDS = {"linear": (True, True), "law": (False, True), "bsim": (False, False)}
#: for a test: in seconds, to a percent or two
FAST = "method=gear reltol=1e-5 abstol=1e-12 vntol=1e-8 chgtol=1e-20 trtol=7 gmin=1e-15"
Volts = Mapping[str, float]


class Case:
    """An array with its capacitances, in one mode and way.

    Args:
        rows: rows and columns.
        top: array or macro.
        engine: of the capacitance.
        share: below which couplings count as ground, on both sides: ngspice takes its time by them.
    """

    def __init__(
        self, rows: int, top: str = "array", engine: str = "formula", share: float = 0.01
    ) -> None:
        self.tech = get_tech()
        array = build_top(ArraySpec(rows=rows, cols=rows, top=top))
        layout = extract_layout(to_layout(array.cell, array.tech), array.tech)
        self.farad = without_small(net_capacitance(layout, self.tech, engine=engine), share)
        self.network: Network = with_capacitors(extract(layout, self.tech).network, self.farad)
        self.what = analysis.stimulus(self.network, self.tech)

    def ours(self, mode: str, laws: Laws, *, fixed: bool) -> OverTime:
        """Return what we find, of a set alone."""
        way = {"polarity": "set"} if mode == "deep-net" else {}
        asked = Asked(fixed=fixed)
        console = Console(quiet=True)
        return over_time(self.network, self.tech, self.what, console, mode, laws, asked, **way)

    def ngspice(
        self,
        mode: str,
        laws: Laws,
        part: str,
        folder: Path,
        found: OverTime,
        bsim: Bsim | None,
        options: str,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return times and currents into the network, and voltages of written devices, by name."""
        network, what = self.network, self.what
        polarity = {"polarity": "set"} if mode == "deep-net" else {}
        way = next(write_options(self.tech, mode, polarity))
        full = network_drives(network, mode, what.inputs, **way)
        none = {"write_voltage": 0.0, "write_rail": 0.0} if mode == "deep-net" else {}
        idle = network_drives(network, mode, what.inputs, **{**way, **none})
        after = idle.port_voltages if part == "read" else full.port_voltages
        before = idle.port_voltages
        if part == "read":
            before = {pin: v if pin in idle.optional else 0.0 for pin, v in after.items()}
        work = at_work(network, self.tech, what, mode, **laws.options, **way)
        request = full.request
        by_tier = [
            laws.in_tier(request.writes and t == request.write_tier)
            for t in range(len(what.conductances))
        ]
        ohm = np.full(what.conductances.shape, np.inf)
        np.divide(1.0, what.conductances, out=ohm, where=what.conductances > 0)
        path = folder / f"{mode}_{part.replace(' ', '_')}.spice"
        write_spice(
            network, self.tech, path, memristor_ohm=ohm, laws=by_tier, capacitance=self.farad,
            gates=full.gates, bsim=bsim, switch_ohm=None if bsim else work.ohm,
        )  # fmt: skip
        still = {} if bsim is None else pin_volts(network, {}, full.gates, bsim)
        stop = 1.1 * float(found.waves[part].waves.seconds[-1])
        return _run(path, self, still, before, after, stop, found, part, options)


def _probes(case: Case, found: OverTime) -> Iterator[tuple[str, str, str]]:
    """Yield name and both nodes of the devices that are written."""
    network, column = case.network, found.writes[0].column if found.writes else -1
    names = Nodes(network).names
    for k in np.flatnonzero(network.memristor_col == column):
        ends = names[network.memristor_a[k]], names[network.memristor_b[k]]
        yield f"probe{network.memristor_tier[k]}_{network.memristor_row[k]}", *ends


def _run(
    path: Path, case: Case, still: Volts, before: Volts, after: Volts, stop: float,
    found: OverTime, part: str, options: str,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:  # fmt: skip
    """Run a netlist with its sources moving; see `Case.ngspice`."""
    text = path.read_text()
    body, end = text.rsplit("\n.ends", 1)
    probes = list(_probes(case, found))
    body += "".join(f"\nE{name} {name} 0 {a} {b} 1" for name, a, b in probes)
    head = next(line for line in text.splitlines() if line.startswith(".subckt crossstack"))
    at = text.splitlines().index(head)
    pins = head.split()[2:]
    for line in text.splitlines()[at + 1 :]:
        if not line.startswith("+"):
            break
        pins += line.split()[1:]
    rise = found.asked.rise_s
    cards, shown = [], {}
    for k, pin in enumerate(pins):
        low, high = before.get(pin, still.get(pin)), after.get(pin, still.get(pin))
        if low is None or high is None:
            # nothing drives it: select lines of resistors stand still
            low = high = 0.0
        wave = f"dc {low:.9g}" if low == high else f"pwl(0 {low:.9g} {rise:.9g} {high:.9g})"
        cards.append(f"V{k} p{k} 0 {wave}")
        if pin in after:
            shown[pin] = f"i(v{k})"
    call = " ".join(f"p{k}" for k in range(len(pins)))
    vectors = [*shown.values(), *(f"v(xdut.{name})" for name, *_ in probes)]
    deck = [
        body + "\n.ends" + end.replace(".end\n", "").rstrip(),
        *_wrapped(f"Xdut {call} crossstack"),
        *cards,
        f".options {options}",
        ".control",
        "set wr_singlescale",
        "set numdgt=10",
        # currents of sources and the probes alone: all nodes of a long run take gigabytes
        *(f"save {vector}" for vector in vectors),
        f"tran {rise:.4g} {stop:.6g} 0 {stop / 200:.4g}",
        f"wrdata {path.with_suffix('.txt')} " + " ".join(vectors),
        "quit",
        ".endc",
        ".end",
    ]
    path.write_text("\n".join(deck) + "\n")
    begin = time.monotonic()
    done = subprocess.run(
        ["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=1200, check=False
    )
    data = path.with_suffix(".txt")
    if not data.is_file():
        raise SystemExit((done.stdout + done.stderr)[-2000:])
    case.seconds = time.monotonic() - begin
    table = np.loadtxt(data)
    if not table[-1, 0] >= 0.999 * stop:
        said = (done.stdout + done.stderr).strip().splitlines()[-5:]
        raise SystemExit("\n".join([*said, f"ngspice ended at {table[-1, 0]:.3g} of {stop:.3g} s"]))
    named = dict(zip([*shown, *(name for name, *_ in probes)], table[:, 1:].T, strict=True))
    return table[:, 0], {k: -v if k in shown else v for k, v in named.items()}


def _wrapped(line: str, words: int = 20) -> Iterator[str]:
    every = line.split()
    for k in range(0, len(every), words):
        yield ("+ " if k else "") + " ".join(every[k : k + words])


def _charge(seconds: np.ndarray, amps: np.ndarray, until: float) -> float:
    inner = seconds < until
    times = np.append(seconds[inner], until)
    return float(np.trapezoid(np.interp(times, seconds, amps), times))


def read_rows(found: OverTime, seconds: np.ndarray, named: dict[str, np.ndarray]) -> Iterator[Any]:
    """Yield (figure, ours, ngspice's, tolerance) of a read."""
    pins = list(found.read.columns)
    final = np.array([-found.read.columns[pin]["final_A"] for pin in pins])
    theirs = np.stack([named[pin] for pin in pins], axis=1)
    yield "final A", -final.sum(), -theirs[-1].sum(), 0.005
    off = theirs / theirs[-1] - 1.0
    for bits in (4, 8):
        settled = settled_s(seconds, off, 0.5 ** (bits + 1))
        yield f"settling, {bits} bits, s", found.read.settle_by_bits_s[bits - 1], settled, SETTLING
    until = found.read.settle_s
    charge = sum(column["charge_C"] for column in found.read.columns.values())
    yield "charge, C", charge, -sum(_charge(seconds, c, until) for c in theirs.T), CHARGE


def write_rows(found: OverTime, seconds: np.ndarray, named: dict[str, np.ndarray]) -> Iterator[Any]:
    """Yield the same of a write."""
    write = found.writes[0]
    probes = [v for k, v in named.items() if k.startswith("probe")]
    # the devices of the other tier in this column do not conduct
    volts = np.stack([v for v in probes if abs(v[-1]) > 0.5 * write.volts], axis=1)
    yield "least V", write.volts, float(np.abs(volts[-1]).min()), 0.005
    for share, ours in ((0.9, write.rise_90_s), (0.99, write.rise_99_s)):
        theirs = settled_s(seconds, volts / volts[-1] - 1.0, 1.0 - share)
        yield f"rise to {share:.0%}, s", ours, theirs, SETTLING
    pin = write.worst
    assert pin is not None
    one, amps = write.disturb[pin], named[pin]
    yield f"glitch {pin}, A", one["glitch_A"], float(np.abs(amps - amps[0]).max()), GLITCH
    end = float(found.waves[f"write {write.way}"].waves.seconds[-1])
    charge = -_charge(seconds, amps - amps[-1], end)
    yield f"charge of it {pin}, C", one["charge_C"], charge, CHARGE


def judge(
    case: Case, mode: str, laws: Laws, folder: Path, *, fixed: bool, bsim: Bsim | None = None,
    only: str = "", options: str = OPTIONS,
) -> Iterator[tuple[str, str, float, float, float]]:  # fmt: skip
    """Yield (part, figure, ours, ngspice's, tolerance) of the parts whose name begins so."""
    found = case.ours(mode, laws, fixed=fixed)
    parts = {"read": read_rows}
    parts |= {f"write {found.writes[0].way}": write_rows} if found.writes else {}
    for part, rows in parts.items():
        if not part.startswith(only):
            continue
        seconds, named = case.ngspice(mode, laws, part, folder, found, bsim, options)
        for row in rows(found, seconds, named):
            yield f"{mode} {part}", *row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=6)
    parser.add_argument("--top", choices=["array", "macro"], default="array")
    parser.add_argument("--engine", choices=["formula", "field"], default="formula")
    parser.add_argument("--share", type=float, default=0.01, help="couplings below it are ground")
    parser.add_argument("--fast", action="store_true", help="ngspice to a percent or two")
    parser.add_argument("--only", choices=["linear", "law", "bsim"], action="append")
    parser.add_argument("--mode", choices=MODES, action="append")
    arguments = parser.parse_args()
    case = Case(arguments.size, arguments.top, arguments.engine, arguments.share)
    options = FAST if arguments.fast else OPTIONS
    failed = 0
    wanted = arguments.only or ["linear", "law"]
    lend = foundry_models(case.tech) if "bsim" in wanted else nullcontext()
    with lend as models, tempfile.TemporaryDirectory() as name:
        bsim = None
        if models is not None:
            sizes = {*zip(case.network.switch_w_um, case.network.switch_l_um, strict=True)}
            bsim = Bsim(case.tech, few_bins(Path(models), Path(name) / "models", sizes))
        for kind in wanted:
            linear, fixed = KINDS[kind]
            for mode in arguments.mode or MODES:
                laws = Laws.of(case.tech, linear=linear)
                by = bsim if kind == "bsim" else None
                rows = judge(case, mode, laws, Path(name), fixed=fixed, bsim=by, options=options)
                for part, figure, ours, theirs, most in rows:
                    off = ours / theirs - 1.0 if theirs else 0.0
                    failed += abs(off) > most
                    print(
                        f"{kind:<7}{part:<22}{figure:<24}{ours:>12.5g}{theirs:>12.5g}"
                        f"{off:>9.2%}{'' if abs(off) <= most else '  FAILED'}"
                        f"  ({case.seconds:.0f} s)",
                        flush=True,
                    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
