"""Handwritten digits on extracted crossbars: does a network still classify behind real wires?

scikit-learn's 8 x 8 digits are learnt by two small networks in numpy: one layer (64 inputs, 10
classes) and two layers with a hidden one. Their weights become pairs of conductances between
1/R_off and 1/R_on, and every array is drawn and its wires extracted:

* planar: one tier of 64 rows;
* stacked: expansion mode, 32 rows in two tiers on half the area;
* deep-net: both layers in one stacked array, the first in the bottom tier, the second in the top
  tier; each is read while a column of the other tier is written, as in use.

An extracted array with linear devices is a linear map, so `network_matrix` turns it into a matrix
and thousands of images into one product. Transistors enter with the resistance at which they work
for the mean image; a few images are solved on their own to show what that leaves out. Ideal is
the same devices without wires and transistors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from crossstack.analyse.analysis import Stimulus
from crossstack.analyse.operating import mode_ohm
from crossstack.cells import to_layout
from crossstack.comparison.deepnet import off_ohm
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import CrossStackError, Tech, get_tech
from crossstack.solve import (
    Network,
    SolveError,
    Spread,
    network_drives,
    network_matrix,
    sample_devices,
    solve_network,
)
from crossstack.solve.modes.drives import gates_for

Floats = NDArray[np.float64]
CLASSES, PIXELS = 10, 64
#: images that are solved one by one, to check the matrix
CHECKED = 3


def images(seed: int) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Return training and test images (0 .. 1) and their classes, half of the set each.

    The first pixel is blank in every image; its input carries the constant 1 instead.
    """
    digits = load_digits()
    pixels = digits.data / 16.0
    pixels[:, 0] = 1.0
    x, x_test, y, y_test = train_test_split(
        pixels, digits.target, test_size=0.5, stratify=digits.target, random_state=seed
    )
    return x, x_test, y, y_test


def forward(layers: list[Floats], x: Floats) -> list[Floats]:
    """Return the input and what every layer gives, ReLU between them."""
    values = [x]
    for k, w in enumerate(layers):
        values.append(values[-1] @ w if k == len(layers) - 1 else np.maximum(values[-1] @ w, 0))
    return values


def train(x: Floats, y: NDArray[np.int64], sizes: list[int], seed: int) -> list[Floats]:
    """Learn weights by Adam on the cross-entropy, with a little weight decay."""
    rng = np.random.default_rng(seed)
    layers = [rng.normal(0, (2 / a) ** 0.5, (a, b)) for a, b in pairwise(sizes)]
    first, second = ([np.zeros_like(w) for w in layers] for _ in range(2))
    wanted = np.eye(CLASSES)[y]
    for step in range(1, 401):
        values = forward(layers, x)
        share = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
        error = (share / share.sum(axis=1, keepdims=True) - wanted) / len(x)
        for k in reversed(range(len(layers))):
            slope = values[k].T @ error + 1e-4 * layers[k]
            error = (error @ layers[k].T) * (values[k] > 0)
            first[k] += 0.1 * (slope - first[k])
            second[k] += 0.001 * (slope**2 - second[k])
            rate = 0.02 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
            layers[k] -= rate * first[k] / (np.sqrt(second[k]) + 1e-8)
    return layers


@dataclass(frozen=True)
class Devices:
    """How weights become conductances: levels (0 for any) and spread of ln G."""

    tech: Tech
    levels: int
    sigma: float
    seed: int

    def conductances(self, weights: Floats) -> Floats:
        """Return S, shape (inputs, 2 x outputs): column 2j counts up, 2j + 1 counts down."""
        m = self.tech.memristor
        share = np.stack([weights, -weights], axis=2).reshape(len(weights), -1)
        share = np.clip(share / np.abs(weights).max(), 0, 1)
        if self.levels:
            share = np.round(share * (self.levels - 1)) / (self.levels - 1)
        siemens = 1 / m.r_off_ohm + share * (1 / m.r_on_ohm - 1 / m.r_off_ohm)
        spread, rng = Spread(sigma=self.sigma), np.random.default_rng(self.seed)
        varied: Floats = sample_devices(siemens, spread, 1, rng)[0]
        return varied


class Chip:
    """An array drawn once and extracted for any wire resistance."""

    def __init__(self, cell: str, rows: int, cols: int) -> None:
        self.spec = ArraySpec(rows, cols, cell)
        drawn = build_top(self.spec)
        self.layout = to_layout(drawn.cell, self.spec.tech())
        self.cells_um2 = rows * cols * drawn.unit.width * drawn.unit.height * 1e-6

    def network(self, factor: float) -> tuple[Network, Tech]:
        """Return the extracted network with all sheet resistances times `factor`."""
        tech = self.spec.tech()
        for name in tech.conductors if factor != 1 else ():
            typical = tech.film(name).sheet_ohm_sq
            assert typical is not None
            tech = tech.with_sheet_resistance(name, factor * typical.typ)
        return extract(self.layout, tech, engine="tile").network, tech


class Read:
    """One way to read an extracted array: voltages of its inputs in, column currents out."""

    def __init__(
        self,
        network: Network,
        tech: Tech,
        siemens: Floats,
        typical: Floats,
        width_um: float,
        **mode: Any,
    ) -> None:
        self.network, self.tech, self.siemens, self.mode = network, tech, siemens, mode
        self.off_ohm = off_ohm(tech, width_um)
        self.ohm = self._ohm(typical, None)
        self.map = network_matrix(network, siemens, series=self._series(self.ohm), **mode)

    def _series(self, ohm: Floats) -> dict[str, Any]:
        return {"switch_ohm": ohm, "switch_off_ohm": self.off_ohm}

    def _ohm(self, volts: Floats, start: Floats | None) -> Floats:
        what = Stimulus(self.siemens, volts, {})
        return mode_ohm(
            self.network, self.tech, what, start=start, off_ohm=self.off_ohm, **self.mode
        )

    def exact(self, volts: Floats) -> Floats:
        """Solve one input of shape (tiers, rows) with every transistor where it works for it."""
        drives = network_drives(self.network, inputs=volts, **self.mode)
        solved = solve_network(
            self.network,
            conductances=self.siemens,
            port_voltages=drives.port_voltages,
            gates=gates_for(self.network, drives),
            **self._series(self._ohm(volts, self.ohm)),
        )
        return np.array([-solved.port_currents[pin] for pin in self.map.outputs])


@dataclass(frozen=True)
class Result:
    """What one array did with the test images.

    Attributes:
        name, factor: which array, and times what its sheet resistances were taken.
        accuracy: share of the test images that it classifies.
        loss: part of all column currents that wires and transistors take; of two layers,
            of the one that loses more.
        worst: largest error of a column current, over the layer's largest ideal one.
        matrix: the same between the matrix and images solved on their own.
        kcl: largest residual of Kirchhoff's current law.
    """

    name: str
    factor: float
    accuracy: float
    loss: float
    worst: float
    matrix: float
    kcl: float


def expansion(
    name: str, chip: Chip, factor: float, siemens: Floats, x: Floats, y: NDArray[np.int64]
) -> Result:
    """Classify images by one layer, all rows of all tiers at once."""
    network, tech = chip.network(factor)
    tiers = len(chip.spec.tiers)
    volts = tech.memristor.v_read_v * x
    read = Read(network, tech, siemens.reshape(tiers, -1, siemens.shape[1]),
                volts.mean(axis=0).reshape(tiers, -1), chip.spec.select_w_um,
                mode="expansion")  # fmt: skip
    amps, ideal = read.map.currents(volts), volts @ siemens
    exact = np.array([read.exact(v.reshape(tiers, -1)) for v in volts[:CHECKED]])
    right = (pairs(amps).argmax(axis=1) == y).mean()
    off = np.abs(amps[:CHECKED] - exact).max() / ideal.max()
    return Result(name, factor, float(right), *errors(amps, ideal), off, read.map.kcl_residual)


def pairs(amps: Floats) -> Floats:
    """Return what the read-out takes: column 2j less column 2j + 1."""
    difference: Floats = amps[:, ::2] - amps[:, 1::2]
    return difference


def errors(amps: Floats, ideal: Floats) -> tuple[float, float]:
    """Return lost current and largest error, both as fractions."""
    return 1 - float(amps.sum() / ideal.sum()), float(np.abs(amps - ideal).max() / ideal.max())


@dataclass(frozen=True, eq=False)
class DeepNet:
    """Two layers in the tiers of one array.

    Attributes:
        siemens: of each layer, shape (inputs, columns in use).
        gain: V per A from a hidden pair's difference to its input of the second layer,
            calibrated once on ideal devices and training images.
    """

    siemens: list[Floats]
    gain: float

    @classmethod
    def of(cls, layers: list[Floats], devices: Devices, x: Floats) -> DeepNet:
        """Map two layers; the largest hidden value of the training images becomes v_read."""
        siemens = [devices.conductances(w) for w in layers]
        volt = devices.tech.memristor.v_read_v
        hidden = np.maximum(pairs(volt * x @ siemens[0]), 0)
        return cls(siemens, volt / float(hidden.max()))

    def hidden(self, amps: Floats) -> Floats:
        """Return the second layer's input voltages for the first one's currents."""
        volts: Floats = self.gain * np.maximum(pairs(amps), 0)
        return volts

    def ideal(self, volts: Floats) -> Floats:
        """Return the output currents without wires and transistors."""
        result: Floats = self.hidden(volts @ self.siemens[0]) @ self.siemens[1]
        return result

    def tiers(self, rows: int, cols: int) -> Floats:
        """Return the whole array's conductances; devices not in use are off."""
        least = min(float(g.min()) for g in self.siemens)
        whole = np.full((2, rows, cols), least)
        for tier, g in enumerate(self.siemens):
            whole[tier, : g.shape[0], : g.shape[1]] = g
        return whole


def deep_net(net: DeepNet, chip: Chip, factor: float, x: Floats, y: NDArray[np.int64]) -> Result:
    """Classify images by two layers, reading each while a column of the other tier is written."""
    network, tech = chip.network(factor)
    siemens = net.tiers(network.rows, network.cols)
    volts, worst, residual = tech.memristor.v_read_v * x, 0.0, 0.0
    loss = off = 0.0
    for tier, g in enumerate(net.siemens):
        inputs = np.zeros((len(volts), network.rows))
        inputs[:, : volts.shape[1]] = volts
        typical = np.zeros((2, network.rows))
        typical[tier] = inputs.mean(axis=0)
        amps = np.empty((len(volts), network.cols))
        for slot in (0, 1):  # the column written in slot 0 is read in slot 1
            read = Read(network, tech, siemens, typical, chip.spec.select_w_um, mode="deep-net",
                        read_tier=tier, write_column=slot,
                        write_voltage=tech.memristor.v_set_v)  # fmt: skip
            taken = [int(pin.split("[")[1][:-1]) for pin in read.map.outputs]
            found = read.map.currents(inputs)
            new = taken if slot == 0 else [0]
            amps[:, new] = found[:, [taken.index(j) for j in new]]
            residual = max(residual, read.map.kcl_residual)
            for k in range(CHECKED if slot == 0 else 0):
                one = np.zeros((2, network.rows))
                one[tier] = inputs[k]
                apart = np.abs(found[k] - read.exact(one)).max()
                off = max(off, apart / (volts @ g).max())
        amps = amps[:, : g.shape[1]]
        missing, most = errors(amps, volts @ g)
        loss, worst = max(loss, missing), max(worst, most)
        volts = net.hidden(amps) if tier == 0 else volts
    right = float((pairs(amps).argmax(axis=1) == y).mean())
    return Result("deep-net", factor, right, loss, worst, float(off), residual)


def picture(results: list[Result], ideal: dict[str, float], target: Path) -> None:
    """Draw accuracy and lost current over the sheet resistance."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    factors = list(dict.fromkeys(r.factor for r in results))
    for name, colour in (("planar", "tab:blue"), ("stacked", "tab:orange"),
                         ("deep-net", "tab:green")):  # fmt: skip
        mine = [r for r in results if r.name == name]
        left.plot(factors, [100 * r.accuracy for r in mine], "o-", color=colour, label=name)
        left.axhline(100 * ideal[name], color=colour, lw=0.8, ls=":")
        right.plot(factors, [100 * r.loss for r in mine], "o-", color=colour, label=name)
    left.set(ylabel="accuracy, % (dotted: ideal)", title="Digits classified")
    right.set(ylabel="current lost, %", title="Column currents")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.set(xscale="log", xlabel="sheet resistance, times the film table's")
        axes.set_xticks(factors, [f"{factor:g}" for factor in factors])
        axes.set_xticks([], minor=True)
        axes.legend()
    figure.savefig(target, dpi=120)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Handwritten digits on extracted crossbars.")
    parser.add_argument("--hidden", type=int, default=24, help="size of the hidden layer")
    parser.add_argument("--levels", type=int, default=16, help="levels per device, 0 for any")
    parser.add_argument("--sigma", type=float, default=0.05, help="spread of the devices' ln G")
    parser.add_argument("--seed", type=int, default=1, help="split, first weights and spread")
    parser.add_argument("--factors", type=float, nargs="+", default=[1.0, 10.0, 30.0],
                        help="times what the sheet resistances are taken")  # fmt: skip
    parser.add_argument("--images", type=int, help="test images (default: all)")
    parser.add_argument("--out", type=Path, default=Path("examples_out"), help="folder for files")
    args = parser.parse_args(argv)
    if not 1 <= args.hidden <= PIXELS:
        parser.error(f"--hidden is {args.hidden}, allowed: 1 .. {PIXELS}")
    if args.levels < 0 or args.levels == 1:
        parser.error(f"--levels is {args.levels}, allowed: 0 for any, or 2 and more")
    if args.seed < 0:
        parser.error(f"--seed is {args.seed}, allowed: 0 or more")
    if args.images is not None and args.images < CHECKED:
        parser.error(f"--images is {args.images}, allowed: {CHECKED} or more")
    return args


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Train, map, draw, extract and classify; returns everything that was measured."""
    x, x_test, y, y_test = images(args.seed)
    x_test, y_test = x_test[: args.images], y_test[: args.images]
    one = train(x, y, [PIXELS, CLASSES], args.seed)
    two = train(x, y, [PIXELS, args.hidden, CLASSES], args.seed)
    devices = Devices(get_tech(), args.levels, args.sigma, args.seed)
    siemens, net = devices.conductances(one[0]), DeepNet.of(two, devices, x)
    volts = devices.tech.memristor.v_read_v * x_test

    def right(outputs: Floats) -> float:
        return float((outputs.argmax(axis=1) == y_test).mean())

    software = {"one layer": right(x_test @ one[0]), "two layers": right(forward(two, x_test)[-1])}
    flat, deep = right(pairs(volts @ siemens)), right(pairs(net.ideal(volts)))
    ideal = {"planar": flat, "stacked": flat, "deep-net": deep}
    say(f"{len(x)} images learnt, {len(x_test)} tested; "
        f"{args.levels or 'any'} levels, spread {args.sigma:g}, seed {args.seed}")  # fmt: skip
    say(f"in software   one layer {software['one layer']:.2%}, "
        f"two layers {software['two layers']:.2%}")  # fmt: skip
    say(f"ideal devices one layer {flat:.2%}, two layers {deep:.2%}")
    columns = 2 * max(args.hidden, CLASSES)
    planar, stacked = Chip("planar", PIXELS, 2 * CLASSES), Chip("hybrid", PIXELS // 2, 2 * CLASSES)
    both = Chip("hybrid", PIXELS, columns)
    say(f"{'array':<20}{'um2':>6}{'sheet x':>9}{'accuracy':>10}{'lost':>8}{'worst':>8}"
        f"{'matrix':>9}{'KCL':>9}")  # fmt: skip
    results = []
    for factor in args.factors:
        for chip, result in (
            (planar, expansion("planar", planar, factor, siemens, x_test, y_test)),
            (stacked, expansion("stacked", stacked, factor, siemens, x_test, y_test)),
            (both, deep_net(net, both, factor, x_test, y_test)),
        ):
            results.append(result)
            size = f"{chip.spec.rows}x{chip.spec.cols}x{len(chip.spec.tiers)}"
            say(f"{result.name:<9}{size:<11}{chip.cells_um2:>6.0f}{factor:>9g}{result.accuracy:>10.2%}"
                f"{result.loss:>8.1%}{result.worst:>8.1%}{result.matrix:>9.2%}"
                f"{result.kcl:>9.0e}")  # fmt: skip
    args.out.mkdir(parents=True, exist_ok=True)
    picture(results, ideal, args.out / "digits.png")
    return {"software": software, "ideal": ideal, "extracted": [vars(r) for r in results]}


def main(argv: list[str] | None = None) -> int:
    """Print accuracies and errors; write them and a picture."""
    args, start = arguments(argv), time.perf_counter()
    try:
        measured = run(args, print)
    except (CrossStackError, SolveError) as error:
        print(f"digits: {error}", file=sys.stderr)
        return 2
    (args.out / "digits.json").write_text(json.dumps(measured, indent=2) + "\n")
    print("lost: current that wires and transistors take; worst: largest error of a column, and "
          "matrix: its\npart that comes from one transistor resistance for all images, both over "
          "the largest ideal current")  # fmt: skip
    took = time.perf_counter() - start
    print(f"wrote {args.out / 'digits.json'} and {args.out / 'digits.png'} in {took:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
