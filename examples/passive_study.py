"""How large may a passive stacked array be? Drawn, extracted and solved, size by size.

Without transistors three things limit an array, and each is measured on the drawn wires, with
every other device at R_on, which is the worst case:

* read: wires take part of every input, so column currents come out too small;
* sneak paths: one R_off device is read alone, in the far corner. With every other line floating,
  current finds its way around it; with every other line at 0 V what wires lift comes along;
* write under the V/2 scheme: the chosen row at V, its column at 0, all other lines at V/2. The
  device in the far corner gets less than V, while half-selected ones near the sources, also of
  the other tier, for the two share their columns, see V/2: the window between them closes.

Lines end in ideal sources, so that only the array itself counts.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from crossstack.cells import to_layout
from crossstack.extract import TiledArray, extract
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import PROFILES, CrossStackError, Tech
from crossstack.solve import Network, NetworkSolver, SolveError, solve_crossbar


@dataclass(frozen=True)
class Point:
    """What one N x N x 2 array does.

    Attributes:
        row_ohm, column_ohm: median wire per cell.
        read_device, read_column: largest loss of a device's voltage and of a column's current,
            all inputs on, as fractions.
        sneak_floating: current of an R_off device read with all other lines floating, over
            what it should be; sneak_grounded: the same with the others at 0 V.
        write_loss: part of V that the far corner's device does not get.
        half_select: largest voltage over any other device, over V; 0.5 without wires.
        half_other_tier: the same over devices of the other tier.
        disturb: largest voltage over any other device, over that of the chosen one; 0.5
            without wires, and from 1 on another device switches first.
    """

    profile: str
    n: int
    pitch_um: float
    row_ohm: float
    column_ohm: float
    read_device: float
    read_column: float
    sneak_floating: float
    sneak_grounded: float
    write_loss: float
    half_select: float
    half_other_tier: float
    disturb: float


def measure(profile: str, n: int) -> Point:
    """Draw, extract and solve one size."""
    array, tech, pitch = drawn(profile, n)
    device, column = read_loss(array, tech)
    network = array.network()
    floating, grounded = sneak(network, tech)
    return Point(
        profile,
        n,
        pitch,
        float(np.median(array.row_segment)),
        float(np.median(array.column_segment)),
        device,
        column,
        floating,
        grounded,
        *write(network, tech),
    )


@lru_cache(maxsize=64)
def drawn(profile: str, n: int) -> tuple[TiledArray, Tech, float]:
    """Draw an N x N x 2 array and extract its wires; returns them, the process and the pitch."""
    spec = ArraySpec(n, n, "passive", profile)
    layout, tech = build_top(spec), spec.tech()
    found = extract(to_layout(layout.cell, tech), tech, engine="tile")
    for warning in found.report.warnings:
        print(f"passive_study: {warning}", file=sys.stderr)
    assert found.array is not None
    return found.array, tech, float(layout.unit.info["pitch_x_um"])


def read_loss(array: TiledArray, tech: Tech) -> tuple[float, float]:
    """Return the largest loss of a device voltage and of a column current, all inputs on."""
    volt, siemens = tech.memristor.v_read_v, 1 / tech.memristor.r_on_ohm
    arguments = array.crossbar_arguments(np.full(array.shape, siemens), array.series_ohm())
    solved = solve_crossbar(voltages=np.full(array.shape[:2], volt), **arguments)
    wanted = siemens * volt * array.shape[0] * array.shape[1]
    return (
        float(1 - solved.device_currents.min() / (siemens * volt)),
        float(1 - solved.column_currents.min() / wanted),
    )


def sneak(network: Network, tech: Tech) -> tuple[float, float]:
    """Return measured over true current of the far corner's R_off among R_on.

    Once with all other lines floating, once with them at 0 V.
    """
    n, m = network.rows - 1, network.cols - 1
    siemens = np.full((2, network.rows, network.cols), 1 / tech.memristor.r_on_ohm)
    siemens[0, n, m] = 1 / tech.memristor.r_off_ohm
    row, column, volt = f"BR[{n}]", f"C[{m}]", tech.memristor.v_read_v
    ratios = []
    for driven in ([row, column], list(network.ports)):
        solver = NetworkSolver(network, conductances=siemens, driven=driven)
        amps = -solver.solve(dict.fromkeys(driven, 0.0) | {row: volt}).port_currents[column]
        ratios.append(amps / (volt * siemens[0, n, m]))
    return ratios[0], ratios[1]


def write(network: Network, tech: Tech) -> tuple[float, float, float, float]:
    """Return loss, largest other voltage, that of the other tier, and disturb (V/2 scheme)."""
    n, m, volt = network.rows - 1, network.cols - 1, tech.memristor.v_set_v
    siemens = np.full((2, network.rows, network.cols), 1 / tech.memristor.r_on_ohm)
    drives = dict.fromkeys(network.ports, volt / 2) | {f"BR[{n}]": volt, f"C[{m}]": 0.0}
    solver = NetworkSolver(network, conductances=siemens, driven=drives)
    share = np.abs(solver.solve(drives).device_voltages) / volt
    chosen, other_tier = float(share[0, n, m]), float(share[1].max())
    share[0, n, m] = 0.0
    others = float(share.max())
    return 1 - chosen, others, other_tier, others / chosen


def largest(fits: Callable[[int], bool], limit: int) -> int:
    """Return the largest size up to `limit` that fits, 0 if even 2 x 2 does not; by bisection."""
    low, high = (limit, limit) if fits(limit) else (1, limit)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low if low > 1 else 0


def usable(profile: str, error: float, limit: int) -> dict[str, int]:
    """Return the largest size at which each limit keeps to an error; each size is drawn."""

    def fits(loss: Callable[[TiledArray, Tech], float]) -> Callable[[int], bool]:
        return lambda n: abs(loss(*drawn(profile, n)[:2])) <= error

    losses: dict[str, Callable[[TiledArray, Tech], float]] = {
        "read": lambda array, tech: read_loss(array, tech)[1],
        "sneak": lambda array, tech: sneak(array.network(), tech)[1] - 1,
        "write": lambda array, tech: write(array.network(), tech)[0],
    }
    return {name: largest(fits(loss), limit) for name, loss in losses.items()}


def picture(points: list[Point], error: float, target: Path) -> None:
    """Draw losses and disturb over the size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for profile, colour in zip(PROFILES, ("tab:blue", "tab:orange"), strict=True):
        mine = [p for p in points if p.profile == profile]
        sizes = [p.n for p in mine]
        left.plot(sizes, [100 * p.read_column for p in mine], "o-", color=colour,
                  label=f"{profile}: column current, read")  # fmt: skip
        left.plot(sizes, [100 * p.write_loss for p in mine], "s--", color=colour,
                  label=f"{profile}: far device, V/2 write")  # fmt: skip
        right.plot(sizes, [1 - p.write_loss for p in mine], "s--", color=colour,
                   label=f"{profile}: chosen device")  # fmt: skip
        right.plot(sizes, [p.half_select for p in mine], "^-", color=colour,
                   label=f"{profile}: worst half-selected device")  # fmt: skip
    left.axhline(100 * error, color="grey", lw=0.8)
    left.set(xscale="log", yscale="log", ylabel="loss, %", title="What wires take")
    right.axhline(0.5, color="grey", lw=0.8)
    right.set(xscale="log", ylim=(0, 1.05), ylabel="voltage / V", title="Write, V/2 scheme")
    for axes in (left, right):
        axes.set_xlabel("N of N x N x 2, every device at R_on")
        axes.set_xticks(sorted({p.n for p in points}), minor=False)
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.legend(fontsize=8)
    figure.savefig(target, dpi=120)


def main(argv: list[str] | None = None) -> int:
    """Measure every size in both profiles, print a table, write it and a picture."""
    parser = argparse.ArgumentParser(description="Passive stacked arrays: how large may they be?")
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--error", type=float, default=0.05, help="largest loss allowed")
    parser.add_argument("--limit", type=int, default=64, help="largest size tried")
    parser.add_argument("--out", type=Path, default=Path("examples_out"), help="folder for files")
    args = parser.parse_args(argv)
    if not 0 < args.error < 1:
        parser.error(f"--error is {args.error}, allowed: between 0 and 1")
    try:
        points = [measure(profile, n) for profile in PROFILES for n in args.sizes]
        sizes = {profile: usable(profile, args.error, args.limit) for profile in PROFILES}
    except (CrossStackError, SolveError) as error:
        print(f"passive_study: {error}", file=sys.stderr)
        return 2
    print("                  wire, ohm     read all, lost   one R_off, measured/true"
          "    V/2 write: lost and, over V, half-selected")  # fmt: skip
    print("profile     N    row  column    device    column      floating        at 0 V"
          "          lost     any  other tier   disturb")  # fmt: skip
    for p in points:
        print(f"{p.profile:<9}{p.n:>4}{p.row_ohm:>7.2f}{p.column_ohm:>8.2f}{p.read_device:>10.2%}"
              f"{p.read_column:>10.2%}{p.sneak_floating:>14.4g}{p.sneak_grounded:>14.4g}"
              f"{p.write_loss:>14.2%}{p.half_select:>8.3f}{p.half_other_tier:>12.3f}"
              f"{p.disturb:>10.3f}")  # fmt: skip
    for profile, found in sizes.items():
        words = {k: f"{'at least ' if n == args.limit else ''}{n}" for k, n in found.items()}
        print(f"{profile}: within {args.error:.0%}, N = {words['read']} reads all rows at once, "
              f"N = {words['sneak']} reads one device with the other lines at 0 V, "
              f"N = {words['write']} writes the far corner")  # fmt: skip
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "passive_study.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(asdict(points[0])))
        table.writeheader()
        table.writerows(asdict(p) for p in points)
    picture(points, args.error, args.out / "passive_study.png")
    print(f"wrote {args.out / 'passive_study.csv'} and {args.out / 'passive_study.png'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
