"""A network of PyTorch on crossbars: trained, mapped, trained on with the wires in the loop.

scikit-learn's 8 x 8 digits (`load_digits`, half of them to learn from) are learnt by two layers.
Then every layer is cut into stacked arrays of several sizes and line resistances; printed is what
of the accuracy is left with wires, and after some more training with them in the loop. Last, two
layers share one drawn array in deep-net mode, a tier each, every read while a column of the other
tier is written. The data and the network are left for `crossstack map`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from crossstack.base.errors import CrossStackError
from crossstack.cells import to_layout
from crossstack.console import Console
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.pool import Here
from crossstack.torch import Array, Readout, calibrate_model, convert
from crossstack.torch.study import Asked, Study

PIXELS, CLASSES = 64, 10


def digits(seed: int) -> dict[str, np.ndarray]:
    """Return images (0 .. 1) and classes to learn from and to test with, half of the set each."""
    found = load_digits()
    x_train, x, y_train, y = train_test_split(
        found.data / 16.0, found.target, test_size=0.5, stratify=found.target, random_state=seed
    )
    return {"x": x, "y": y, "x_train": x_train, "y_train": y_train}


def trained(data: dict[str, np.ndarray], hidden: int, seed: int) -> nn.Sequential:
    """Return two layers that have learnt the digits."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(PIXELS, hidden), nn.ReLU(), nn.Linear(hidden, CLASSES)).double()
    x, y = torch.from_numpy(data["x_train"]), torch.from_numpy(data["y_train"])
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-4)
    for _ in range(60):
        for some in torch.randperm(len(x)).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x[some]), y[some]).backward()
            optimiser.step()
    return net.eval()


def table(net: nn.Module, data: dict[str, np.ndarray], args: argparse.Namespace) -> list[dict]:
    """Print accuracies over array size and line resistance."""
    asked = Asked(Readout(), retrain=args.epochs, rate=args.rate, seed=args.seed)
    study = Study(net, data, asked, Console(quiet=True), Here())
    print(f"{'array':<16}{'ohm a cell':>11}{'tiles':>6}{'ideal':>9}{'wires':>9}{'retrained':>11}"
          f"{'won back':>10}{'s':>5}")  # fmt: skip
    found = []
    for size in args.sizes:
        for ohm in args.ohms:
            start = time.perf_counter()
            array = Array.ideal(size, size, row_ohm=ohm, column_ohm=ohm)
            row = study.on(f"{size} x {size} x 2", array)
            row.pop("made")
            lost = row["ideal"] - row["wires"]
            back = (row["retrained"] - row["wires"]) / lost if lost > 0 else float("nan")
            shown = f"{back:.0%}" if lost >= 0.01 else "-"
            print(f"{row['array']:<16}{ohm:>11g}{row['tiles']:>6}{row['ideal']:>9.2%}"
                  f"{row['wires']:>9.2%}{row['retrained']:>11.2%}{shown:>10}"
                  f"{time.perf_counter() - start:>5.0f}", flush=True)  # fmt: skip
            found.append({**row, "ohm": ohm})
    return found


def deep_net(data: dict[str, np.ndarray], seed: int) -> dict[str, Any]:
    """Put two layers on the two tiers of one drawn array, each read while the other is written."""
    net = trained(data, CLASSES, seed)
    columns = 2 * CLASSES + 1  # pairs, and the column that is written meanwhile
    spec = ArraySpec(PIXELS, columns, "hybrid")
    tech = spec.tech()
    network = extract(to_layout(build_top(spec).cell, tech), tech, engine="tile").network
    tiers = {
        name: Array.of(network, tech, mode="deep-net", read_tier=tier, write_column=columns - 1)
        for name, tier in (("0", "bottom"), ("2", "top"))
    }
    made = convert(net, lambda name, layer: tiers[name])
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    calibrate_model(made, torch.from_numpy(data["x_train"])[:200])

    def right(model: nn.Module) -> float:
        with torch.no_grad():
            return float((model(x).argmax(dim=1) == y).double().mean())

    value = {"software": right(net), "wires": right(made)}
    print(f"deep-net, drawn {PIXELS} x {columns} x 2: two layers of {CLASSES} on one array")
    print(f"  software {value['software']:.2%}, wires and transistors {value['wires']:.2%}")
    return value


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32], help="rows = columns")
    parser.add_argument("--ohms", type=float, nargs="+", default=[1.0, 10.0, 50.0],
                        help="of rows and columns, a cell")  # fmt: skip
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5, help="with wires in the loop")
    parser.add_argument("--rate", type=float, default=3e-3, help="step of that training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("examples_out"), help="folder for files")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print the table; leave data, network and figures."""
    args = arguments(argv)
    try:
        data = digits(args.seed)
        net = trained(data, args.hidden, args.seed)
        args.out.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(args.out / "digits.npz", **data)
        torch.save(net, args.out / "digits.pt")
        value = {"table": table(net, data, args), "deep-net": deep_net(data, args.seed)}
    except CrossStackError as error:
        print(f"mapped_digits: {error}", file=sys.stderr)
        return 2
    (args.out / "mapped_digits.json").write_text(json.dumps(value, indent=2) + "\n")
    print(f"wrote digits.npz, digits.pt and mapped_digits.json to {args.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
