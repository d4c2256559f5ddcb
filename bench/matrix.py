"""One verdict everywhere: the same checks with old and new libraries and Pythons, as a table.

python bench/matrix.py                       every row whose Python is on this machine
python bench/matrix.py --only klayout --only numpy
python bench/matrix.py --keep FOLDER         keep the environments for the next run

Each row is an empty environment outside this one. It draws a 3 x 3 array and a macro, breaks a
rule and a netlist in copies, and runs drc (1, 2 and 4 threads), lvs, extract and solve on them.
A row agrees if drawings are the same bytes, verdicts are equal and numbers differ by less than
1e-9. Exit code 1 if a row within the ranges of pyproject.toml does not agree with the first one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOLERANCE = 1e-9
TOPS = ("array", "macro")
THREADS = (1, 2, 4)
#: what checks, extraction and solver need, without drawing libraries
SOLVING = ("-r", str(ROOT / "requirements-check.txt"), "scipy>=1.11,<2", "numba>=0.60")
CHECKS = ("drawing", "drc", "lvs", "extract", "solve", "gdsfactory")


@dataclass(frozen=True)
class Row:
    """One environment.

    Attributes:
        name: what it varies.
        python: version of Python.
        pins: requirements beside the package's own; empty for its newest.
        full: everything is installed, not only what checking and solving need.
        outside: why it lies outside the ranges of pyproject.toml; empty if it does not.
    """

    name: str
    python: str = "3.11"
    pins: tuple[str, ...] = ()
    full: bool = False
    outside: str = ""


ROWS = (
    Row("newest"),
    Row("klayout oldest", pins=("klayout==0.30.1",)),
    Row("klayout 0.30.9", pins=("klayout==0.30.9",)),
    Row("klayout 0.28", pins=("klayout==0.28.17.post1",), outside="klayout below 0.30"),
    Row("klayout 0.29", pins=("klayout==0.29.12",), outside="klayout below 0.30"),
    Row("numpy 1.26", pins=("numpy==1.26.4", "scipy<1.14")),
    Row("numpy 2.0", pins=("numpy==2.0.2",)),
    Row("gdsfactory newest", full=True),
    Row("gdsfactory oldest", pins=("gdsfactory==9.40.0",), full=True),
    Row("python 3.12", python="3.12", full=True),
    Row("python 3.13", python="3.13", full=True),
)


# ---- in the environment


def probe(folder: Path, tops: tuple[str, ...]) -> dict[str, Any]:
    """Run every check in this environment; return what it found."""
    from crossstack.base.versions import versions

    found: dict[str, Any] = {"versions": versions()}
    for top in tops:
        for check, value in _checks(folder, top):
            found.setdefault(check, {})[top] = value
    found["gdsfactory"] = _components()
    return found


def _checks(folder: Path, top: str) -> Iterator[tuple[str, Any]]:
    gds, spice = folder / f"{top}.gds", folder / f"{top}.spice"
    _crossstack("generate", "--rows", 3, "--cols", 3, "--top", top, "--name", top, "-o", folder)
    yield "drawing", hashlib.sha256(gds.read_bytes()).hexdigest()
    broken, wrong = folder / f"{top}_broken.gds", folder / f"{top}_wrong.spice"
    _break(gds, broken)
    text = spice.read_text()
    wrong.write_text(text.replace("W=", "W=1", 1).replace("w=", "w=1", 1))
    rules = []
    for threads in THREADS:
        for layout in (gds, broken):
            value = _json("drc", layout, "--threads", threads, "-o", folder / "drc")
            kept = {k: value[k] for k in ("violations", "rules_run", "by_rule")}
            rules.append({**kept, "items": sorted(map(json.dumps, value["items"]))})
    yield "drc", [*rules[:2], all(rules[k] == rules[k % 2] for k in range(len(rules)))]
    netlists = [
        _json("lvs", layout, "--netlist", netlist, "-o", folder / "lvs")
        for layout, netlist in ((gds, spice), (gds, wrong), (broken, spice))
    ]
    yield "lvs", [{k: v[k] for k in ("match", "devices", "errors")} for v in netlists]
    _crossstack("extract", gds, "-o", folder)
    yield "extract", _network(folder / f"{top}_network.npz")
    yield "solve", _solved(folder / f"{top}_network.npz")


def _crossstack(*arguments: object) -> str:
    program = Path(sys.executable).with_name("crossstack")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def _json(*arguments: object) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(_crossstack(*arguments, "--json"))
    return value


def _break(gds: Path, target: Path) -> None:
    """Add a line too narrow, and one too near to its neighbour."""
    import klayout.db as db

    layout = db.Layout()
    layout.read(str(gds))
    top = layout.top_cell()
    metal = layout.layer(34, 0)
    left, bottom = top.bbox().left - 20_000, top.bbox().bottom
    for x, width in ((0, 100), (5000, 500), (5600, 500)):
        top.shapes(metal).insert(db.Box(left + x, bottom, left + x + width, bottom + 3000))
    layout.write(str(target))


def _network(path: Path) -> dict[str, Any]:
    """Return counts and sums per layer of an extracted network."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        names = [str(name) for name in file["layers"]]
        layer, ohm = file["resistor_layer"], file["resistor_ohm"]
        sums = {name: float(ohm[layer == k].sum()) for k, name in enumerate(names)}
        return {
            "nodes": len(file["node_names"]),
            "memristors": len(file["memristor_row"]),
            "switches": len(file["switch_a"]),
            "ohm": sums,
        }


def _solved(path: Path) -> dict[str, Any]:
    found = {}
    for mode in ("expansion", "deep-net"):
        value = _json("solve", path, "--mode", mode)["modes"][mode]
        errors = {
            f"{key}/{counted}": value[key][counted]
            for key in ("worst_device_error", "mean_device_error", "worst_column_error")
            for counted in ("all_series", "wires_only")
        }
        found[mode] = {"amps": value["column_currents_A"], **errors}
    return found


def _components() -> Any:
    """Return a sum over the drawings of gdsfactory's cells; None without the library."""
    try:
        import gdsfactory  # noqa: F401
    except ImportError:
        return None
    import klayout.db as db

    from crossstack.pdk import PDK

    PDK.activate()
    found = {}
    for name in sorted(PDK.cells):
        try:
            cell = PDK.cells[name]().kdb_cell
        except Exception as error:
            found[name] = type(error).__name__
            continue
        layout = cell.layout()
        areas = {}
        for index in layout.layer_indexes():
            info, region = layout.get_info(index), db.Region(cell.begin_shapes_rec(index))
            areas[f"{info.layer}/{info.datatype}"] = region.merged().area()
        found[name] = {key: area for key, area in sorted(areas.items()) if area}
    return found


# ---- beside the environments


def python_of(version: str) -> str | None:
    """Return a Python of a version that is on this machine."""
    if sys.version.startswith(f"{version}."):
        return sys.executable
    homes = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(homes[-1]) if homes else shutil.which(f"python{version}")


def prepared(row: Row, wheel: Path, folder: Path) -> Path:
    """Make an environment, unless it is there; return its Python."""
    python = folder / "bin" / "python"
    subprocess.run([str(python_of(row.python)), "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "-q"]
    if row.full:
        subprocess.run([*pip, str(wheel), *row.pins], check=True)
        return python
    wanted = [*SOLVING, *(pin for pin in row.pins if not row.outside)]
    subprocess.run([*pip, *wanted], check=True)
    if row.outside:  # against the ranges, on purpose
        subprocess.run([*pip, *row.pins], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return python


def differs(ours: Any, theirs: Any) -> float:
    """Return the largest relative difference of two values; infinity if they are not alike."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if set(ours) != set(theirs):
            return float("inf")
        return max((differs(ours[k], theirs[k]) for k in ours), default=0.0)
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return float("inf")
        return max((differs(a, b) for a, b in zip(ours, theirs, strict=True)), default=0.0)
    if isinstance(ours, float) and isinstance(theirs, float):
        most = max(abs(ours), abs(theirs))
        return abs(ours - theirs) / most if most else 0.0
    return 0.0 if ours == theirs else float("inf")


def cell_of(check: str, found: dict[str, Any], first: dict[str, Any]) -> tuple[str, bool]:
    """Return the cell of a table, and whether it agrees."""
    if found[check] is None:
        return "-", True
    gap = differs(found[check], first[check])
    if gap <= TOLERANCE:
        return ("same" if gap == 0 else f"{gap:.0e}"), True
    return ("DIFFERS" if gap == float("inf") else f"DIFFERS {gap:.0e}"), False


def tried(row: Row, wheel: Path, folder: Path, flags: list[str]) -> dict[str, Any]:
    """Return what a row found, or why it found nothing."""
    try:
        python = prepared(row, wheel, folder)
        with tempfile.TemporaryDirectory(prefix="crossstack_matrix_") as work:
            done = subprocess.run(
                [str(python), __file__, "--probe", work, *flags],
                capture_output=True,
                text=True,
                cwd=work,
            )
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["no reason"])[-1][-120:]}
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    except subprocess.CalledProcessError as error:
        return {"failed": f"not installable: {error}"[:90]}


def table(rows: list[Row], wheel: Path, home: Path, out: Path | None, flags: list[str]) -> int:
    """Print a line per row; return the exit code."""
    print("| row | python | klayout | numpy | scipy | gdsfactory | " + " | ".join(CHECKS[:-1])
          + " | cells | s |")  # fmt: skip
    print("|---" * (len(CHECKS) + 7) + "|", flush=True)
    first: dict[str, Any] = {}
    bad, results = 0, {}
    for row in rows:
        begun = time.perf_counter()
        if python_of(row.python) is None:
            print(f"| {row.name} | {row.python} not on this machine |", flush=True)
            continue
        found = results[row.name] = tried(row, wheel, home / row.name.replace(" ", "_"), flags)
        seconds = time.perf_counter() - begun
        if out is not None:
            out.write_text(json.dumps(results, indent=1, allow_nan=False))
        if "failed" in found:
            print(f"| {row.name} | {row.python} | {found['failed']} |", flush=True)
            bad += not row.outside
            continue
        first = {**found, **{k: v for k, v in first.items() if v is not None}}
        cells = [cell_of(check, found, first) for check in CHECKS]
        good = all(agrees for _, agrees in cells)
        bad += not good and not row.outside
        v = found["versions"]
        libraries = " | ".join(
            v.get(key, "-") for key in ("python", "klayout", "numpy", "scipy", "gdsfactory")
        )
        name = f"{row.name} ({row.outside})" if row.outside else row.name
        print(f"| {name} | {libraries} | " + " | ".join(text for text, _ in cells)
              + f" | {seconds:.0f} |", flush=True)  # fmt: skip
    return 1 if bad or not first else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", action="append", help="rows whose name starts so, and the first")
    parser.add_argument("--quick", action="store_true", help="the array alone, no macro")
    parser.add_argument("--keep", type=Path, help="folder for the environments")
    parser.add_argument("--out", type=Path, help="JSON of everything that was found")
    args = parser.parse_args()
    if args.probe is not None:
        print(json.dumps(probe(args.probe, TOPS[: 1 if args.quick else 2]), allow_nan=False))
        return 0
    wanted = tuple(args.only or [""])
    rows = [row for row in ROWS if row == ROWS[0] or row.name.startswith(wanted)]
    with tempfile.TemporaryDirectory(prefix="crossstack_matrix_") as lent:
        home = args.keep or Path(lent)
        made = Path(lent) / "wheel"
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", made, ROOT], check=True
        )
        (wheel,) = made.glob("*.whl")
        return table(rows, wheel, home, args.out, ["--quick"] if args.quick else [])


if __name__ == "__main__":
    sys.exit(main())
