"""Process folders with one edit each: named by `pdk check`, or as good as any other process.

python bench/pdk_folders.py                     2000 edits of GF180MCU and its module
python bench/pdk_folders.py --from sky130 --edits 500 --seed 3
python bench/pdk_folders.py --only rules.csv    edits of one table

Each edit strikes one cell, row or token of a table: gone, twice, in the wrong place, negative, 0,
infinite, no number, huge, tiny, empty, another name, another type. The folder is then either
refused by a line that names the file, or an array of it is drawn, judged and extracted, in every
profile, and a macro for a share of them. An exception of another class, a trial that takes too
long, rules that are broken or a netlist that does not match count as faults. Exit code 1 if any.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossstack.base.errors import CrossStackError
from crossstack.pdk import DEFAULT
from crossstack.pdk.audit import audit
from crossstack.pdk.electromigration import current_limits
from crossstack.pdk.home import HOME
from crossstack.pdk.load import load_process
from crossstack.pdk.tech import get_tech
from crossstack.pdk.tracks import tracks_of
from crossstack.pdk.whole import module_folder
from crossstack.trial import problems_of_drawing

#: what a cell becomes; {} is what stood there
CELLS = (
    "", "0", "-{}", "-1", "inf", "-inf", "nan", "1e6", "1e300", "1e-9", "1e-300", "0.0025", "1000",
    "-500", "x", "{} ", "{}{}", "yes", "1e999", "é", "{}, 1", "F + Q", "F / 0", "../x", "0.5",
)  # fmt: skip
#: what a value of a TOML file becomes
VALUES = (
    '""', "0", "-1", "inf", "nan", "1e6", "1e300", "1e-12", "0.0025", "true", "[]", "{{}}", '"x"',
    "[1, 2]", '["x"]', "2026-01-01", "-{}", "[{}]", "{} {}", '"{{x}}"', "1e-300", "99999999",
)  # fmt: skip
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w"])-?\d+(?:\.\d+)?(?:e-?\d+)?')
#: what may become of a folder
GOOD = {"named", "drawn and named", "clean"}
#: no edit may keep a trial computing for longer, s: others share the machine
LONGEST_S = 60
#: edits between two lines that say how far it is
EVERY = 100


@dataclass(frozen=True)
class Edit:
    """One edit of a folder: file below it, what was done, and the text afterwards."""

    file: str
    what: str
    text: str


def start(folder: Path, origin: str) -> None:
    """Make a folder with the tables of a process and of its module."""
    base = load_process(HOME / origin)
    own = module_folder(base)
    skip = shutil.ignore_patterns("default.toml", "decks")
    shutil.copytree(base.folder, folder, ignore=skip)
    shutil.copytree(own, folder / own.name, ignore=skip, dirs_exist_ok=True)


def edits(folder: Path, rng: random.Random, only: str = "") -> Iterator[Edit]:
    """Yield edits of the tables of a folder without end, the same ones for the same seed."""
    tables = [path for path in sorted(folder.rglob("*")) if path.suffix in (".csv", ".toml")]
    tables = [path for path in tables if only in str(path.relative_to(folder))]
    while True:
        path = rng.choice(tables)
        lines = path.read_text(encoding="utf-8").splitlines()
        found = (_row if path.suffix == ".csv" else _key)(lines, rng)
        if found is not None:
            what, changed = found
            yield Edit(str(path.relative_to(folder)), what, "\n".join(changed) + "\n")


def _split(line: str) -> list[str]:
    return re.findall(r'(?:^|(?<=,))("(?:[^"]|"")*"|[^,]*)', line)


def _row(lines: list[str], rng: random.Random) -> tuple[str, list[str]] | None:
    """Return an edit of a table of rows."""
    numbers = [k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    head, *rows = numbers
    how = rng.choice(("cell",) * 12 + ("gone", "twice", "swap", "column", "order", "head"))
    if how == "head":
        cells = _split(lines[head])
        k = rng.randrange(len(cells))
        value = rng.choice(("x", "-500", "inf", "nan", "", cells[0], "1e300"))
        return f"column {cells[k]} -> {value!r}", _with(lines, head, cells, k, value)
    if how == "column":  # two columns trade places, in every row
        one, two = rng.sample(range(len(_split(lines[head]))), 2)
        names = _split(lines[head])
        changed = list(lines)
        for row in rows:
            cells = _split(lines[row])
            cells[one], cells[two] = cells[two], cells[one]
            changed[row] = ",".join(cells)
        return f"columns {names[one]} and {names[two]} swapped", changed
    if not rows:
        return None
    row = rng.choice(rows)
    cells, label = _split(lines[row]), f"row {lines[row][:30]!r}"
    if how == "gone":
        return f"{label} gone", lines[:row] + lines[row + 1 :]
    if how == "twice":
        return f"{label} twice", [*lines[:row], lines[row], *lines[row:]]
    if how == "order":
        other = rng.choice(rows)
        changed = list(lines)
        changed[row], changed[other] = lines[other], lines[row]
        return f"{label} and {lines[other][:30]!r} swapped", changed
    k = rng.randrange(len(cells))
    if how == "swap":
        j = rng.randrange(len(cells))
        cells[j], cells[k] = cells[k], cells[j]
        return f"{label}: cells {j} and {k} swapped", _with(lines, row, cells, k, cells[k])
    if rng.random() < 0.2:  # what stands in another row of this column
        value = _split(lines[rng.choice(rows)])[k]
    else:
        value = rng.choice(CELLS).replace("{}", cells[k])
    return f"{label}: cell {k} -> {value!r}", _with(lines, row, cells, k, value)


def _with(lines: list[str], row: int, cells: list[str], k: int, value: str) -> list[str]:
    changed = list(cells)
    changed[k] = value
    return [*lines[:row], ",".join(changed), *lines[row + 1 :]]


def _key(lines: list[str], rng: random.Random) -> tuple[str, list[str]] | None:
    """Return an edit of a file of keys."""
    numbers = [k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    if not numbers:
        return None
    row = rng.choice(numbers)
    line = lines[row]
    key, equals, value = line.partition(" = ")
    how = rng.choice(("value",) * 3 + ("token",) * 4 + ("gone", "twice", "renamed", "taken"))
    label = f"{line[:40]!r}"
    if how == "gone":
        return f"{label} gone", lines[:row] + lines[row + 1 :]
    if how == "twice":
        return f"{label} twice", [*lines[:row], line, *lines[row:]]
    if how == "renamed" and equals:
        return f"{label} renamed", _line(lines, row, f"{key}_{equals}{value}")
    if how == "value" and equals:
        new = rng.choice(VALUES).replace("{{", "{").replace("}}", "}").replace("{}", value)
        return f"{label} -> {new[:40]}", _line(lines, row, f"{key} = {new}")
    tokens = [*_TOKEN.finditer(line)]
    if not tokens:
        return None
    token = rng.choice(tokens)
    if how == "taken":  # an item of a list less
        rest = line[: token.start()] + re.sub(r"^\s*,\s*", "", line[token.end() :])
        return f"{label}: {token[0]} taken out", _line(lines, row, rest)
    others = [*_TOKEN.finditer("\n".join(x for x in lines if not x.startswith("#")))]
    new = (
        rng.choice(others)[0] if rng.random() < 0.5 else rng.choice(VALUES).replace("{}", token[0])
    )
    return f"{label}: {token[0][:20]} -> {new[:40]}", _line(
        lines, row, line[: token.start()] + new + line[token.end() :]
    )


def _line(lines: list[str], row: int, text: str) -> list[str]:
    return [*lines[:row], text, *lines[row + 1 :]]


def verdict(folder: Path, *, macro: bool) -> tuple[str, str]:
    """Return what becomes of a folder, and why: named, clean, or a fault.

    Faults are ``unnamed`` (a line that names no file), ``late`` (the tables are said to be
    complete, and something refuses them after all).
    """
    _, problems = audit(folder)
    if problems:
        unnamed = [text for text in problems if not re.search(r"\.(csv|toml|json|md)\b", text)]
        return ("unnamed", unnamed[0]) if len(unnamed) == len(problems) else ("named", problems[0])
    problems = tuple(problems_of_drawing(folder, whole=macro))
    if problems:  # `pdk check` draws, too, and says so
        return "drawn and named", problems[0]
    try:
        tech = get_tech(process=folder)
        for corner in ("typ", "min", "max"):
            for degrees in tech.process.temperatures_c:
                at = replace(tech.conditions, corner=corner, temperature_c=degrees)
                tech.at(at).nfet.ron_ohm(1.0)
        current_limits(tech)
        tracks_of(tech)
    except CrossStackError as error:
        return "late", str(error)
    return "clean", ""


@contextmanager
def _not_for_ever() -> Iterator[None]:
    def out(*_: Any) -> None:
        raise TimeoutError(f"more than {LONGEST_S} s")

    before = signal.signal(signal.SIGPROF, out)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run(
    origin: str,
    count: int,
    seed: int,
    only: str = "",
    *,
    macros: float = 0.1,
    verbose: bool = False,
) -> Counter[str]:
    """Print every fault among the edits; return how many became what."""
    rng, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "own"
        start(folder, origin)
        stream = edits(folder, rng, only)
        for number in range(1, count + 1):
            edit = next(stream)
            path = folder / edit.file
            before = path.read_text(encoding="utf-8")
            path.write_text(edit.text, encoding="utf-8")
            try:
                with _not_for_ever():
                    kind, why = verdict(folder, macro=rng.random() < macros)
            except CrossStackError as error:
                kind, why = "late", f"{type(error).__name__}: {error}"
            except Exception as error:  # the fault that is looked for
                kind = "own error"
                where = traceback.extract_tb(error.__traceback__)[-1]
                why = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            finally:
                path.write_text(before, encoding="utf-8")
            found[kind] += 1
            if kind not in GOOD or (verbose and kind == "drawn and named"):
                print(f"{kind}: {edit.file}: {edit.what}\n    {why[:300]}", flush=True)
            if not number % EVERY:
                print(f"{number} of {count}: {dict(found)}", flush=True)
    return found


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="origin", default=DEFAULT, help="process that is edited")
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drawn", action="store_true", help="print what only drawing shows, too")
    parser.add_argument("--only", default="", help="part of a table's path")
    asked = parser.parse_args()
    found = run(asked.origin, asked.edits, asked.seed, asked.only, verbose=asked.drawn)
    print(", ".join(f"{kind} {count}" for kind, count in sorted(found.items())))
    return 1 if set(found) - GOOD else 0


if __name__ == "__main__":
    sys.exit(main())
