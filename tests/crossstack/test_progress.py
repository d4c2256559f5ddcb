"""How long a run takes, with and without a terminal; what a closed pipe loses: nothing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossstack import progress
from crossstack.comparison.run import plan_of as comparison_plan
from crossstack.config import config_of
from crossstack.console import Console
from crossstack.pace import Pace
from crossstack.plans import plan_of
from crossstack.progress import Course, Step

from .conftest import NAME

RUN = [sys.executable, "-c", "from crossstack.cli import main; main()"]


class Clock:
    """Time that stands still unless told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


def test_time_left_follows_the_plan(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    course = Course({"a": 2.0, "b": 6.0, "not here": 2.0, "c": 6.0})
    course.step = Step("a")
    assert course.left_s() is None
    assert "time left not known yet" in course.words()
    clock.now += 10
    course.spent["a"] = 10.0
    course.step = step = Step("b")
    assert course.left_s() == pytest.approx(30 + 10 + 30)
    clock.now += 15
    step(1, 2)  # half of it in 15 s: as fast as the plan
    assert course.left_s() == pytest.approx(15 + 5 * 8)
    assert course.words() == "step 2 of 4, b: 1 of 2, 25 s so far, about 55 s left"
    clock.now += 15
    course.spent["b"] = 30.0
    course.step = Step("c")  # passed over what does not apply
    assert course.left_s() == pytest.approx(30)
    clock.now += 29
    assert course.words().endswith("about 1 s left")
    clock.now += 2  # "about 1 s left" was told for minutes
    assert course.words() == "step 4 of 4, c, 71 s so far, time left not known yet"


def test_time_left_of_a_step_without_a_plan(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    course = Course()
    course.step = step = Step("foundry deck")
    clock.now += 8
    assert course.words() == "foundry deck, 8 s so far, time left not known yet"
    step("M1.1", 20, 100)
    assert course.words() == "foundry deck: 20 of 100, 8 s so far, about 32 s left"
    step(100, 100)
    assert course.left_s() == 0.0
    course.step = None
    assert course.words() == ""


@pytest.mark.parametrize("plan", [{}, {"extract": 1.0, "solve": 2.0}])
def test_a_step_that_stands_still_tells_no_time_left(monkeypatch, plan) -> None:
    """37 s, then 67 s, then 2 min were told to be left while the last third went on and on."""
    clock = Clock(monkeypatch)
    course = Course(plan)
    course.step = step = Step("extract")
    for done in range(2, 21):
        clock.now += 3
        step(done, 30)
    assert course.left_s() is not None
    clock.now += 27
    assert course.left_s() is not None, "another piece may take longer"
    clock.now += 3
    step(20, 30, "the same again")
    assert course.left_s() is None
    assert course.words().endswith("time left not known yet")
    step(21, 30)
    assert course.left_s() is not None


def test_a_short_first_step_tells_nothing_of_a_long_run(monkeypatch) -> None:
    """50 min were told after a minute of checking rules; 12 it took."""
    clock = Clock(monkeypatch)
    course = Course({"design rules": 3.0, "nets": 97.0})
    course.step = step = Step("design rules")
    for done in range(1, 378):
        clock.now += 0.3
        step(done, 378)
        assert course.left_s() is None


@pytest.mark.parametrize("plan", [{}, {"extract": 1.0}])
def test_parts_of_unlike_length_tell_no_time_left(monkeypatch, plan) -> None:
    """Sixty in 6 s, then one each 3 s: 17 s were told to be left for a minute."""
    clock = Clock(monkeypatch)
    course = Course(plan)
    course.step = step = Step("extract")
    lefts = {}
    for done in range(1, 100):
        clock.now += 0.1 if done <= 60 else 3.0
        step(done, 100)
        lefts[done] = course.left_s()
    assert lefts[9] is None, "a tenth is little"
    assert lefts[50] == pytest.approx(5.0)
    assert not any(lefts[done] for done in range(62, 80))
    for done, left in lefts.items():  # what is told is right within a factor of two and a bit
        if done > 61 and left is not None:
            assert 0.4 < left / (3.0 * (100 - done)) < 2.5


@given(st.integers(3, 60), st.floats(0.1, 100))
def test_equal_parts_never_stand_still_but_at_the_beginning(parts, seconds) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock, step = Clock(patch), Step("s")
        for done in range(1, parts):
            clock.now += seconds
            step(done, parts)
            clock.now += 0.49 * seconds
            assert step.left_s() is not None or done / parts < 0.1
            clock.now += 0.5 * seconds if done > 1 else 0.0
            assert step.left_s() is not None or done / parts < 0.1
            clock.now -= 0.99 * seconds if done > 1 else 0.49 * seconds


def told(clock: Clock, steps: list[float], free: int = 0) -> list[tuple[float, float]]:
    """Return the time left and its estimate after each piece, and halfway through the next."""
    pace = Pace(len(steps) + free, Step())
    for _ in range(free):
        clock.now += 0.1
        pace.piece(free=True)
    found = []
    for number, step in enumerate(steps):
        for half in (1, 2):
            clock.now += step / 2
            if half == 2:
                pace.piece()
            left = sum(steps[number:]) - half * step / 2
            if number or half == 2:
                found.append((left, pace.left_s()))
            else:
                assert pace.left_s() is None
    return found


def test_time_left_of_equal_pieces_is_right(monkeypatch) -> None:
    for free in (0, 500):  # what was there already tells nothing of the others
        *found, (none, end) = told(Clock(monkeypatch), [7.0] * 40, free)
        assert (none, end) == (0.0, 0.0)
        assert all(estimate == pytest.approx(left) for left, estimate in found)


@pytest.mark.parametrize(
    "steps",
    [
        [0.1] * 100 + [10.0] * 30,  # what is dear comes last
        [10.0] * 30 + [0.1] * 100,
        [1.0 + k / 10 for k in range(100)],
        [1.0, 1.0, 1.0, 20.0] * 30,
        [5.0, 1.0] * 60,
    ],
)
def test_time_left_of_unequal_pieces_follows_them(monkeypatch, steps) -> None:
    found = told(Clock(monkeypatch), steps)
    late = [(a, b) for a, b in found[len(found) * 4 // 5 :] if a > 2 * max(steps[-8:])]
    assert len(late) >= 8
    assert all(0.5 * left < estimate < 2.0 * left for left, estimate in late)


@given(st.lists(st.floats(0.5, 50.0), min_size=2, max_size=40))
def test_time_left_is_within_what_pieces_took(steps) -> None:
    with pytest.MonkeyPatch.context() as patch:
        *found, _ = told(Clock(patch), steps)
    for number, (_, estimate) in enumerate(found, 1):
        pieces = len(steps) - (number + 1) // 2
        assert (pieces - 0.5) * min(steps) <= estimate * (1 + 1e-9)
        assert estimate <= pieces * max(steps) * (1 + 1e-9)


def test_a_piece_that_takes_long_raises_the_time_left(monkeypatch) -> None:
    clock, step = Clock(monkeypatch), Step("search")
    pace = Pace(0, step)
    pace.phase("nearest", 64, most=True)
    assert step.line() == "0 of at most 64, time left not known yet"
    for _ in range(62):
        clock.now += 2
        pace.piece("missed")
    assert step.line() == "62 of at most 64, up to about 4 s left (missed)"
    before = 0.0
    for _ in range(100):
        clock.now += 5
        assert pace.left_s() > before
        before = pace.left_s()
    assert before > 30
    pace.piece()
    assert pace.left_s() > 30
    pace.phase("build", 3)
    course = Course()
    course.step = step
    assert course.words() == "build: 0 of 3, time left not known yet"


def test_a_line_a_minute_without_a_terminal(monkeypatch, capsys) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.02)
    console = Console()
    with console.steps({"one": 1.0, "two": 1.0}), console.step("one") as step:
        step(1, 4)
        time.sleep(0.07)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("crossstack: step 1 of 2, one: 1 of 4, ") for line in lines)
    with Console(quiet=True).steps(), Console(quiet=True).step("one"):
        time.sleep(0.05)
    with Console().step("alone"):
        time.sleep(0.05)
    assert all("alone" in line for line in capsys.readouterr().err.splitlines())


def test_a_plan_names_each_step_once() -> None:
    config = config_of({"rows": 1, "cols": 2})
    chip = config_of({"rows": 1, "cols": 2, "top": "testchip"})
    assert set(plan_of(chip)) - {"seal ring and fill"} < set(plan_of(config))
    names = [*comparison_plan(config.spec)]
    assert len(names) == len(set(names))
    assert names[0].startswith("draw ")
    assert names[-1] == "report"


def test_a_plan_is_of_what_is_built() -> None:
    """Shares were measured for each kind: of a macro its views, of a large array no settling."""

    def plan(top: str, rows: int, cell: str) -> dict[str, float]:
        return plan_of(config_of({"rows": rows, "cols": rows, "top": top, "cell": cell}))

    plans = {
        key: plan(*key)
        for key in (
            ("array", 10, "hybrid"), ("array", 64, "hybrid"), ("array", 64, "planar"),
            ("array", 40, "planar"), ("macro", 16, "hybrid"), ("testchip", 16, "hybrid"),
        )
    }  # fmt: skip
    assert all(99.0 < sum(plan.values()) < 101.0 for plan in plans.values())
    settling = {key: plan.get("settling", 0.0) for key, plan in plans.items()}
    assert settling["array", 64, "hybrid"] < 1 < settling["array", 10, "hybrid"]
    assert settling["array", 64, "planar"] < 1 < settling["array", 40, "planar"]
    assert [key for key, plan in plans.items() if "views" in plan] == [("macro", 16, "hybrid")]


def calls(built: Path, folder: Path) -> dict[str, tuple[list[object], list[str]]]:
    """What is run, and the files that it must leave."""
    gds, network = built / f"{NAME}.gds", built / "network.npz"
    return {
        "generate": (["generate", "--rows", 1, "--cols", 1, "--name", "a"], ["a.gds", "a.spice"]),
        "drc": (["drc", gds, "--output", folder / "r.xml"], [f"{NAME}_drc.json", "r.xml"]),
        "lvs": (["lvs", built], [f"{NAME}_lvs.json", f"{NAME}.lvsdb"]),
        "extract": (["extract", gds], [f"{NAME}_network.npz"]),
        "solve": (["solve", network], ["ir_drop.csv", "ir_drop.json", "report.html"]),
        "limits": (["limits", network], ["network_limits.json"]),
        "tapeout": (["tapeout", gds], ["tapeout.json", f"{NAME}_masks.gds"]),
    }


@pytest.mark.parametrize("verb", [*calls(Path(), Path())])
def test_a_reader_that_goes_away_loses_nothing(built, tmp_path, verb) -> None:
    """As `| head -0`: standard output is a pipe that nobody reads."""
    arguments, left = calls(built, tmp_path)[verb]
    told = subprocess.Popen(
        [*RUN, *map(str, arguments), "-o", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert told.stdout is not None
    told.stdout.close()
    _, said = told.communicate(timeout=100)
    assert told.returncode in (0, 1), said
    assert "Traceback" not in said
    assert all((tmp_path / name).stat().st_size for name in left)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_files_are_there_before_anything_is_printed(built, tmp_path) -> None:
    for verb, (arguments, left) in calls(built, tmp_path).items():
        if verb not in ("solve", "drc"):
            continue
        with open("/dev/full", "w") as full:
            ran = subprocess.run(
                [*RUN, *map(str, arguments), "-o", str(tmp_path)],
                stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert ran.returncode == 3
        assert len(ran.stderr.strip().splitlines()) == 1
        assert all((tmp_path / name).is_file() for name in left)


def test_a_tapeout_tells_its_steps(tmp_path, crossstack, monkeypatch) -> None:
    """Every step of it is in the plan, so that each line says how much time is left."""
    from crossstack import console
    from crossstack.plans import TAPEOUT
    from crossstack.signoff import tapeout

    seen, step = [], console.Console.step

    def noted(self, name: str):
        seen.append(name)
        return step(self, name)

    monkeypatch.setattr(console.Console, "step", noted)
    assert (
        crossstack("generate", "--rows", "1", "--cols", "1", "--name", "a", "-o", tmp_path).code
        == 0
    )
    seen.clear()
    crossstack("tapeout", tmp_path / "a.gds")
    assert seen == [*TAPEOUT]
    assert [*TAPEOUT][1:] == [*tapeout.STEPS]
    seen.clear()
    crossstack("tapeout", tmp_path / "a.gds", "--check-only")
    assert seen == [*tapeout.STEPS]


TELLS_OFTEN = (
    "import time, crossstack.progress as p, crossstack.drc.foundry as f\n"
    "p.EVERY_S = 0.05\n"
    "def deck(*a, progress, **k):  # of the foundry's own deck, which not every machine has\n"
    "    progress('M1.1', 3, 100)\n"
    "    time.sleep(60)\n"
    "f.run_foundry_drc = deck\n"
    "from crossstack.cli import main; main()"
)
SMALL = ("--rows", 2, "--cols", 2)
#: long command -> what is run, what it tells of its progress, and what it leaves when interrupted
LONG = {
    "build": (["build", *SMALL], r"step \d+ of \d+, .*\d s so far", "nothing was replaced"),
    "compare": (["compare", *SMALL], r"step \d+ of \d+, .*\d s so far", "nothing was replaced"),
    "sweep": (
        ["sweep", *SMALL, "--vary", "select_w_um=2,3,4", "--jobs", 2],
        r"sweep: [12] of 3",
        r"nothing was replaced; \d finished points? kept: the same command goes on from there",
    ),
    "foundry": (
        ["foundry", "drc", "FILE"],
        r"foundry deck: 3 of 100, .*\d s so far",
        "nothing was replaced",
    ),
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="signals as on Linux")
@pytest.mark.parametrize("verb", LONG)
def test_long_work_says_how_long_and_can_be_stopped(built, tmp_path, verb) -> None:
    """Without a terminal: lines with the time so far; Ctrl-C ends it in one line, nothing half."""
    arguments, told, left = LONG[verb]
    files = [built / f"{NAME}.gds" if word == "FILE" else word for word in arguments]
    process = subprocess.Popen(
        [sys.executable, "-c", TELLS_OFTEN, *map(str, files), "-o", str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if re.match(f"crossstack: {told}", line):
            break
    process.send_signal(signal.SIGINT)
    printed, rest = process.communicate(timeout=60)
    assert process.returncode == 130, "".join(lines) + rest
    assert printed == ""
    assert "Traceback" not in rest
    assert re.fullmatch(f"crossstack: interrupted; {left}", rest.splitlines()[-1])
    kept = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    # a sweep keeps the points that it solved, with which it goes on
    assert not [name for name in kept if verb != "sweep" or name == "report.html"]
    assert not [path for path in tmp_path.rglob(".*") if path.name.endswith(".part")]
