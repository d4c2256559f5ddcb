"""Damaged inputs through the command line, in process, under a clock and a memory limit.

A worker process runs case after case and writes a line for each; the parent kills a worker that
takes too long on one, or uses too much memory, and goes on with a new one. A case is a pure
function of its number and the campaign's seed.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mutate import mutate

#: s that one input may take, and MB that it may add to the memory of the process
SECONDS, MEGABYTES = 20.0, 1000.0
#: what a worker process runs
WORKER = (
    "from pathlib import Path; from campaign import work; "
    "work(Path({base!r}), {seed}, {count}, {start})"
)
#: s for the first line of a worker, which imports, and for its first case, which compiles
START_SECONDS = 120.0
#: exit codes that a damaged input may end with; 1 only where a command gives verdicts
VERDICTS = frozenset({"drc", "lvs", "extract", "tapeout", "report"})

#: name -> (file that is damaged, command line; FILE, BASE and OUT are put in)
TARGETS: dict[str, tuple[str, str]] = {
    "drc gds": ("a.gds", "drc FILE -o OUT --json"),
    "drc oas": ("a.oas", "drc FILE -o OUT --json"),
    "lvs gds": ("a.gds", "lvs FILE --netlist BASE/a.spice -o OUT --json"),
    "lvs spice": ("a.spice", "lvs BASE/a.gds --netlist FILE -o OUT --json"),
    "lvs macro spice": ("m.spice", "lvs BASE/m.gds --netlist FILE -o OUT --json"),
    "extract gds": ("a.gds", "extract FILE -o OUT --json"),
    "extract rc": ("p.gds", "extract FILE -o OUT --rc --spef --json"),
    "tapeout gds": ("a.gds", "tapeout FILE -o OUT --json"),
    "solve network": ("a_network.npz", "solve FILE --json"),
    "solve deep-net": ("a_network.npz", "solve FILE --mode deep-net -o OUT --json"),
    "solve array": ("t_array.npz", "solve FILE --json"),
    "inspect network": ("a_network.npz", "inspect FILE --json"),
    "solve weights": ("weights.csv", "solve BASE/a_network.npz --weights FILE --json"),
    "solve weights npy": ("weights.npy", "solve BASE/a_network.npz --weights FILE --json"),
    "solve inputs": ("inputs.csv", "solve BASE/a_network.npz --inputs FILE --json"),
    "generate yaml": ("a.yaml", "generate FILE -o OUT --json"),
    "drc waivers": ("waivers.yaml", "drc BASE/a.gds --waivers FILE -o OUT --json"),
    "drc manifest": ("a.json", "drc COPY/a.gds -o OUT --json"),
}

_YAML = """\
name: fuzzed
rows: 2
cols: 3
cell: hybrid
top: array
profile: stepper
select_w_um: 3.0
tech:
  sheet_resistance_ohm_sq: {ME: 0.3}
  corner: typ
  temperature_c: 25
"""
_WAIVERS = """\
- rule: M1.1
  cell: A
  reason: drawn on purpose
  expires: 2099-01-01
- rule: "V*"
  box: [0, 0, 5, 5]
  reason: test structure
"""


def make_base(folder: Path) -> None:
    """Write the valid files that a campaign damages."""
    import numpy as np

    from crossstack.cli import run

    def must(line: str) -> None:
        if (code := run(line.replace("BASE", str(folder)).split())) != 0:
            raise SystemExit(f"crossstack {line} ended with {code}")

    folder.mkdir(parents=True, exist_ok=True)
    must("generate --rows 2 --cols 2 --name a -o BASE -q")
    must("generate --rows 2 --cols 2 --name a --format oas -o BASE -q")
    must("generate --rows 2 --cols 2 --name a -o BASE -q")  # a.json again lists a.gds
    must("generate --rows 1 --cols 1 --top macro --name m -o BASE -q")
    must("generate --rows 2 --cols 1 --cell passive --name p -o BASE -q")
    must("generate --rows 8 --cols 8 --name t -o BASE -q")
    must("extract BASE/a.gds -o BASE -q")
    _large_array(folder)
    values = np.linspace(0, 1, 8).reshape(2, 2, 2)
    np.save(folder / "weights.npy", values)
    np.savetxt(folder / "weights.csv", values.reshape(4, 2), delimiter=",")
    np.savetxt(folder / "inputs.csv", np.full((2, 2), 0.2), delimiter=",")
    (folder / "a.yaml").write_text(_YAML)
    (folder / "waivers.yaml").write_text(_WAIVERS)


def _large_array(folder: Path) -> None:
    """Write t_array.npz, the file that only large arrays leave."""
    from crossstack.extract import extract, save_array
    from crossstack.pdk import get_tech

    array = extract(folder / "t.gds", get_tech(), engine="tile").array
    assert array is not None
    save_array(array, folder / "t_array.npz")


@dataclass(frozen=True)
class Case:
    """One damaged input.

    Attributes:
        number: which case of the campaign.
        target: key of `TARGETS`.
        seed: of the damage.
    """

    number: int
    target: str
    seed: int


def cases(seed: int, count: int, targets: tuple[str, ...] = tuple(TARGETS)) -> Iterator[Case]:
    """Yield the cases of a campaign, targets in turn."""
    for number in range(count):
        yield Case(number, targets[number % len(targets)], (seed << 32) + number)


def command_line(case: Case, base: Path, work: Path) -> list[str]:
    """Write the damaged file of a case below `work`; return the command line that reads it."""
    name, line = TARGETS[case.target]
    data = mutate(case.seed, Path(name).suffix, (base / name).read_bytes())
    damaged = work / name
    damaged.write_bytes(data)
    if "COPY" in line:
        (work / "a.gds").write_bytes((base / "a.gds").read_bytes())
    words = {"FILE": str(damaged), "BASE": str(base), "OUT": str(work / "out"), "COPY": str(work)}
    for word, value in words.items():
        line = line.replace(word, value)
    return [*line.split(), "-q"]


def complaint(case: Case, code: int, out: str, err: str) -> str | None:
    """Return what is wrong with how a run ended, or None."""
    command = TARGETS[case.target][1].split()[0]
    if "Traceback" in err or "Traceback" in out:
        return "traceback"
    if "of its own" in err:
        return "message of its own"
    if code not in {0, 1, 2, 3} or (code == 1 and command not in VERDICTS):
        return f"exit code {code}"
    if code in {2, 3}:
        lines = err.strip().splitlines()
        if len(lines) != 1 or not lines[0].startswith("crossstack: "):
            return f"{len(lines)} lines on stderr with exit code {code}"
        if len(lines[0]) > 600:
            return f"a line of {len(lines[0])} characters"
    if code in {0, 1}:
        try:
            json.loads(out)
        except ValueError:
            return "stdout is not the JSON that was asked for"
    return None


def work(base: Path, seed: int, count: int, start: int) -> None:
    """Run the cases from `start` on, writing a line of JSON before and after each."""
    from crossstack.cli import run

    report = os.fdopen(os.dup(1), "w", buffering=1)
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdout", "stderr")]
        for case in cases(seed, count):
            if case.number < start:
                continue
            room = Path(folder) / "case"
            _empty(room)
            print(json.dumps({"begin": case.number}), file=report)
            before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
            for number, path in enumerate(streams, 1):
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(handle, number)
                os.close(handle)
            code = run(command_line(case, base, room))
            sys.stdout.flush()
            sys.stderr.flush()
            out, err = (path.read_text("utf-8", "replace") for path in streams)
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            wrong = complaint(case, code, out, err)
            if wrong is None and more > MEGABYTES:
                wrong = f"{more:.0f} MB of memory"
            found = {
                "case": case.number,
                "code": code,
                "wrong": wrong,
                "said": (err.strip().splitlines() or [""])[-1][:300],
                "seconds": round(time.monotonic() - begun, 3),
            }
            print(json.dumps(found), file=report)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


@dataclass
class Outcome:
    """What a campaign found.

    Attributes:
        codes: (target, exit code) -> how often.
        wrong: one row per finding: case number, target, what is wrong, last line of stderr.
        slowest: (seconds, case number).
    """

    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[tuple[int, str, str, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)

    @property
    def ran(self) -> int:
        """Number of cases that ran to an exit code."""
        return sum(self.codes.values())


def campaign(
    base: Path,
    seed: int,
    count: int,
    start: int = 0,
    progress: Callable[[Outcome, int], None] = lambda outcome, number: None,
) -> Outcome:
    """Run the cases `start` .. `count` - 1 in worker processes, one at a time.

    Args:
        base: folder that `make_base` filled.
        seed: of the whole campaign.
        count: number of cases.
        start: first case, to go on with a campaign.
        progress: called after each case.
    """
    outcome, names = Outcome(), {case.number: case.target for case in cases(seed, count)}
    number = start
    while number < count:
        number = _worker(base, seed, count, number, names, outcome, progress)
    return outcome


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes | None]:
    """Yield what a worker writes, line by line; None, and no more, after too long a silence."""
    assert process.stdout is not None
    rest, clock = b"", START_SECONDS
    while select.select([process.stdout], [], [], clock)[0]:
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
        clock = SECONDS
    yield None


def _worker(
    base: Path,
    seed: int,
    count: int,
    start: int,
    names: dict[int, str],
    outcome: Outcome,
    progress: Callable[[Outcome, int], None],
) -> int:
    """Run one worker until it ends or must be killed; return the case to go on with."""
    code = WORKER.format(base=str(base), seed=seed, count=count, start=start)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    running, begun = start, False
    for line in _lines(process):
        if line is None:
            break
        found = json.loads(line)
        running = found.get("begin", running)
        if "begin" in found:
            begun = True
            continue
        running = found["case"] + 1
        outcome.codes[names[found["case"]], found["code"]] += 1
        outcome.slowest = max(outcome.slowest, (found["seconds"], found["case"]))
        if found["wrong"]:
            row = (found["case"], names[found["case"]], found["wrong"], found["said"])
            outcome.wrong.append(row)
        progress(outcome, found["case"])
    else:
        code_now = process.wait()
        if not begun:
            raise RuntimeError(f"no case ran: the worker ended with {code_now}")
        if running < count:
            outcome.wrong.append((running, names[running], f"worker died ({code_now})", ""))
        return running + 1
    process.kill()
    process.wait()
    outcome.wrong.append((running, names[running], f"no end within {SECONDS:g} s", ""))
    return running + 1
