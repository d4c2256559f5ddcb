"""How a run ends: closed pipes, full disks, signals, crashes, memory limits, resumed sweeps."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossstack import sweep
from crossstack.base import leftovers
from crossstack.base.claims import watched
from crossstack.console import Console
from crossstack.points import Points

from .conftest import NAME

MAIN = "from crossstack.cli import main; main()"
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="signals as on Linux")


def start(*args: object, code: str = MAIN, **more) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, args)], text=True, **more)


def ran(*args: object, code: str = MAIN, **more) -> subprocess.CompletedProcess:
    """Run a command line in a process of its own."""
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 120} | more
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, text=True, check=False, **more)


def one_line(done: subprocess.CompletedProcess, code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def leavings(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob(".*") if p.name.endswith(".part")]


# ---- what is printed


def test_a_closed_pipe_loses_nothing(built, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = ran("solve", built, "-o", tmp_path / "results", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    names = {p.name for p in (tmp_path / "results").iterdir()}
    assert names == {"ir_drop.csv", "ir_drop.json", "report.html"}


@pytest.mark.parametrize("json_too", [[], ["--json"], ["--format", "sarif"]])
def test_a_verdict_survives_a_closed_pipe(built, tmp_path, json_too):
    import klayout.db as kdb

    layout = kdb.Layout()
    layout.read(str(built / f"{NAME}.gds"))
    layer = layout.layer(34, 0)
    layout.top_cell().shapes(layer).insert(kdb.Box(-5000, -5000, -4990, -4000))
    layout.write(str(tmp_path / "bad.gds"))
    reading, writing = os.pipe()
    os.close(reading)
    done = ran("drc", tmp_path / "bad.gds", "--rules", "M1.*", *json_too, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
    assert (tmp_path / "bad_drc.json").is_file()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_descriptors_become_no_files_of_ours(built, tmp_path, closed):
    line = f'"$0" -c "$1" drc "$2" --rules "M1.*" -o "$3" {closed}'
    arguments = [sys.executable, MAIN, str(built / f"{NAME}.gds"), str(tmp_path)]
    assert subprocess.run(["sh", "-c", line, *arguments], check=False).returncode == 0
    assert json.loads((tmp_path / f"{NAME}_drc.json").read_text())["clean"] is True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_no_success(built, tmp_path):
    with Path("/dev/full").open("w") as full:
        done = ran("drc", built / f"{NAME}.gds", "--rules", "M1.*", "-o", tmp_path, stdout=full)
    one_line(done, 3, "standard output: No space left")
    assert (tmp_path / f"{NAME}_drc.json").is_file()


NOISY = (
    "import os, sys, crossstack.drc.engine as e\n"
    "real = e.run_drc\n"
    "def noisy(*a, **k):\n"
    "    os.write(1, b'Warning: a library speaks\\n'); os.write(2, b'and again\\n')\n"
    "    return real(*a, **k)\n"
    "import crossstack.drc; crossstack.drc.run_drc = noisy\n" + MAIN
)


def test_libraries_print_nothing_between_our_lines(built, tmp_path):
    args = ("drc", built / f"{NAME}.gds", "--rules", "M1.*", "-o", tmp_path, "--json")
    done = ran(*args, code=NOISY)
    assert done.returncode == 0
    assert json.loads(done.stdout)["violations"] == 0
    assert done.stderr == ""


# ---- what is read


def test_pipes_and_devices_are_no_input(crossstack, built, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    gds, spice = built / f"{NAME}.gds", built / f"{NAME}.spice"
    for source in (pipe, Path("/dev/zero")):
        for args in (
            ["build", source], ["sweep", source, "--vary", "rows=1,2"],
            ["drc", source], ["drc", gds, "--waivers", source],
            ["lvs", source, "--netlist", spice], ["lvs", gds, "--netlist", source],
            ["extract", source], ["inspect", source], ["solve", source], ["tapeout", source],
            ["solve", built, "--weights", source], ["solve", built, "--inputs", source],
            ["solve", built, "--conductances", source], ["view", source, "--png"],
            ["view", gds, "--png", "--markers", source], ["inspect", built, "--layout", source],
            ["foundry", "drc", source], ["foundry", "solve", source],
        ):  # fmt: skip
            crossstack(*args).fails(3, str(source), "pipe or device")


# ---- what is written


#: bytes: less than two of these have, more than the layer colours that a picture needs for a while
SMALL = 30_000


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["solve", "BUILT"], "keep.csv"),
        (["view", "BUILT", "--cross-section", "auto"], "keep.svg"),
        (["view", "BUILT", "--glb"], "keep.glb"),
        (["view", "BUILT", "--png", "--size", "6000"], "keep.png"),
    ],
)
def test_a_full_disk_leaves_a_single_file_whole(built, tmp_path, args, name):
    target = tmp_path / name
    target.write_text("years of work")
    args = [str(built) if a == "BUILT" else a for a in args]
    done = ran(*args, "-o", target, preexec_fn=small_files)
    if target.read_text(errors="replace") == "years of work":
        one_line(done, 3, name)
    else:  # small enough
        assert done.returncode == 0
        assert target.stat().st_size <= SMALL
    assert [p.name for p in tmp_path.iterdir()] == [name]


# ---- how it ends


CRASHES = {
    "exit(1)": ("ctypes.CDLL(None).exit(1)", "exit code 1"),
    "abort": ("os.abort()", "SIGABRT"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "out of memory?"),
    "blas": (
        "os.write(2, b'OpenBLAS error: Memory allocation still failed\\n'); "
        "ctypes.CDLL(None).exit(1)",
        "not enough memory",
    ),
}


@pytest.mark.parametrize("kind", CRASHES)
def test_a_library_that_ends_the_program_is_no_verdict(built, tmp_path, kind):
    act, words = CRASHES[kind]
    code = (
        "import ctypes, os, signal, crossstack.drc as d\n"
        "from crossstack.base import files\n"
        "def run(*a, **k):\n"
        f"    with files.together(__import__('pathlib').Path({str(tmp_path)!r})) as w:\n"
        f"        (w / 'half').write_text('x'); {act}\n"
        "d.run_drc = run\n" + MAIN
    )
    one_line(ran("drc", built / f"{NAME}.gds", "-o", tmp_path, code=code), 3, words)
    assert not list(tmp_path.iterdir()), "a crash leaves nothing behind"


SLOW = (
    "import ctypes, crossstack.flow as f\n"
    "def slow(*a): ctypes.PyDLL(None).sleep(60)  # as a library that keeps the interpreter\n"
    "f._check_rules = slow\n" + MAIN
)


@LINUX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once_even_inside_a_library(tmp_path, sent):
    out = tmp_path / "new" / "out"  # the run makes both, and neither is left
    process = start("build", "--rows", 2, "--cols", 2, "-o", out, code=SLOW)
    wait_for(lambda: list(out.glob(".*.part/*.spice")))
    process.send_signal(sent)
    time.sleep(0.3)
    process.send_signal(sent)
    begin = time.monotonic()
    assert process.wait(30) == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
    assert time.monotonic() - begin < 5
    assert not list(tmp_path.iterdir())


@LINUX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_is_answered_soon_even_inside_a_library(tmp_path, sent):
    out = tmp_path / "new" / "out"
    process = start("build", "--rows", 2, "--cols", 2, "-o", out, code=SLOW, stderr=subprocess.PIPE)
    wait_for(lambda: list(out.glob(".*.part/*.spice")))
    process.send_signal(sent)
    begin = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
    assert time.monotonic() - begin < 5
    assert said == "crossstack: interrupted; nothing was replaced\n"
    assert not list(tmp_path.iterdir())


KEEPS = (
    "import ctypes, os, sys, crossstack.supervise as s\n"
    "def work():\n"
    "    for n in (1, 2): s.keeps(f'{n} finished points')\n"
    "    open(sys.argv[1], 'w').close()\n"
    "    ctypes.PyDLL(None).sleep(60)\n"
    "os._exit(s.supervised(work))"
)


@LINUX
def test_a_run_ended_from_outside_says_what_it_kept(tmp_path):
    """Of a stopped sweep nothing was said to be left, and the next run went on from its points."""
    process = start(tmp_path / "mark", code=KEEPS, stderr=subprocess.PIPE)
    wait_for((tmp_path / "mark").exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.endswith("; 2 finished points kept: the same command goes on from there\n")


LOST = (
    "import signal, time, crossstack.flow as f\n"
    "def slow(*a):\n"
    "    real = signal.getsignal(signal.SIGUSR1)\n"
    "    signal.signal(signal.SIGUSR1, lambda *_: signal.signal(signal.SIGUSR1, real))\n"
    "    open({mark!r}, 'w').close()\n"
    "    try: time.sleep(60)\n"
    "    except BaseException: open({mark!r} + '2', 'w').close(); raise\n"
    "f._check_rules = slow\n" + MAIN
)


@LINUX
def test_a_signal_that_nobody_noticed_is_passed_on_again(tmp_path):
    """Another thread had it, and the main one waited on: a sweep took 24 s to its next case."""
    mark = tmp_path / "inside"
    process = start("build", "--rows", 1, "--cols", 1, "-o", tmp_path / "out",
                    code=LOST.format(mark=str(mark)), stderr=subprocess.PIPE)  # fmt: skip
    wait_for(mark.exists)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.count("\n")) == (130, 1)
    assert (tmp_path / "inside2").exists(), "the run cleaned up by itself"


STUCK = (
    "import ctypes, crossstack.sweep as s\n"
    "work, calls = s.work, []\n"
    "def slow(config):\n"
    "    calls.append(config)\n"
    "    if len(calls) == 2: open({mark!r}, 'w').close(); ctypes.PyDLL(None).sleep(60)\n"
    "    return work(config)\n"
    "s.work = slow\n" + MAIN
)


@LINUX
def test_a_sweep_stopped_inside_a_library_keeps_its_points(tmp_path):
    mark, out = tmp_path / "inside", tmp_path / "sweep"
    args = ("sweep", "--rows", 1, "--cols", 1, "--vary", "select_w_um=2,3", "--jobs", 1, "-o", out)
    process = start(*args, code=STUCK.format(mark=str(mark)), stderr=subprocess.PIPE)
    wait_for(mark.exists)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, time.monotonic() - begin < 5) == (130, True), said
    assert not out.exists()
    done = ran(*args)
    assert done.returncode in (0, 1), done.stderr
    assert "goes on where an earlier run ended: 1 of 2 solved" in done.stdout + done.stderr


SWALLOWS = (
    "import time, crossstack.flow as f\n"
    "check = f._check_rules\n"
    "def slow(*a):  # as a callback of a library's that a request to stop reaches\n"
    "    open({mark!r}, 'w').close()\n"
    "    try: time.sleep(60)\n"
    "    except BaseException: {then}\n"
    "    return check(*a)\n"
    "f._check_rules = slow\n" + MAIN
)


@LINUX
def test_a_stopped_run_leaves_no_folder_of_its_own(tmp_path):
    """`build -o out` left an empty out; a folder that was there stays, and what is in it."""
    (tmp_path / "kept").mkdir()
    mark = tmp_path / "kept" / "inside"
    code = SWALLOWS.format(then="pass", mark=str(mark))
    for out in ("kept/new/deep", "kept"):
        process = start("build", "--rows", 1, "--cols", 1, "-o", tmp_path / out, code=code,
                        stderr=subprocess.DEVNULL)  # fmt: skip
        wait_for(mark.exists)
        time.sleep(0.1)
        assert list((tmp_path / out).glob(".*.part"))
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert list(tmp_path.rglob("*")) == [tmp_path / "kept", mark]
        mark.unlink()


@LINUX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("then", ["raise ValueError('an error of its own')", "pass"])
def test_a_library_that_swallows_a_signal_ends_the_run_as_interrupted(tmp_path, sent, then):
    out, mark = tmp_path / "out", tmp_path / "inside"
    out.mkdir()
    code = SWALLOWS.format(then=then, mark=str(mark))
    process = start("build", "--rows", 2, "--cols", 2, "-o", out, code=code,
                    stderr=subprocess.PIPE)  # fmt: skip
    wait_for(mark.exists)
    time.sleep(0.1)
    process.send_signal(sent)
    _, said = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
    assert said == "crossstack: interrupted; nothing was replaced\n"
    assert not list(out.iterdir())


def wait_for(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@LINUX
def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path):
    process = start("build", "--rows", 2, "--cols", 2, "-o", tmp_path, code=SLOW)
    wait_for(lambda: list(tmp_path.glob(".*.part/*.spice")))
    process.kill()  # the child dies with it, and nobody cleans up
    process.wait()
    wait_for(lambda: all(map(leftovers.is_dead, tmp_path.glob(".*.part"))))
    assert leavings(tmp_path)
    done = ran("generate", "--rows", 1, "--cols", 1, "--name", "a", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    assert not leavings(tmp_path)


@LINUX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_helpers_end_with_an_interrupted_run(built, tmp_path, sent):
    code = (
        "import crossstack.drc.workers as w, crossstack.base.processes as p\n"
        "w.cores = lambda: 8\n"
        "assert 'from {module}' in p._START\n"
        "p._START = p._START.replace('from {module}', "
        "'import time; time.sleep(30); from {module}', 1)\n" + MAIN
    )
    args = ("drc", built / f"{NAME}.gds", "--threads", 3, "-o", tmp_path)
    process = start(*args, code=code, stderr=subprocess.PIPE)
    wait_for(lambda: len(below(process.pid)) == 4)
    helpers = below(process.pid)
    process.send_signal(sent)
    _, said = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
    assert said.count("\n") == 1
    assert "interrupted" in said
    wait_for(lambda: not any(alive(pid) for pid in helpers))
    assert not list(tmp_path.iterdir())


def below(root: int) -> list[int]:
    from crossstack.supervise import _descendants

    return _descendants(root)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@LINUX
@pytest.mark.parametrize("megabytes", [100, 250, 400, 700])
@pytest.mark.parametrize("verb", ["lvs", "solve", "build"])
def test_a_limit_on_memory_is_no_verdict(built, tmp_path, verb, megabytes):
    args = {
        "lvs": [built / f"{NAME}.gds", "--netlist", built / f"{NAME}.spice", "-o", tmp_path],
        "solve": [built, "-o", tmp_path / "x.csv"],
        "build": ["--rows", 2, "--cols", 2, "-o", tmp_path],
    }[verb]
    size = megabytes * 1_000_000

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

    done = ran(verb, *args, preexec_fn=limited)
    if done.returncode:
        one_line(done, 3, "not enough memory")
        assert not list(tmp_path.iterdir())
    else:
        assert (verb, megabytes) == ("lvs", 700)


# ---- sweeps


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path, monkeypatch):
    vary = {"rows": [1, 2], "tech.sheet_resistance_ohm_sq.ME": [0.4, 0.8]}
    cases = sweep.cases({"cols": 2}, vary)
    quiet = Console(quiet=True)
    whole = sweep.run(cases, quiet)
    solved: list[str] = []
    real = sweep._solve

    def stops_after_two(config, layout):
        if len(solved) == 2:
            raise KeyboardInterrupt
        solved.append(str(config))
        return real(config, layout)

    monkeypatch.setattr(sweep, "_solve", stops_after_two)
    with pytest.raises(KeyboardInterrupt):
        sweep.run(cases, quiet, Points(tmp_path / "sweep"))
    monkeypatch.setattr(sweep, "_solve", lambda *a: solved.append(str(a[0])) or real(*a))
    points = Points(tmp_path / "sweep")
    assert sweep.run(cases, quiet, points) == whole
    assert len(solved) == len(set(solved)) == 4, "no point twice"
    # other parameters find nothing of these
    other = sweep.cases({"cols": 2, "select_w_um": 3.0}, vary)
    assert all(Points(tmp_path / "sweep").find(case.config) is None for case in other)
    points.drop()
    assert not list(tmp_path.iterdir())


def test_a_spoilt_point_is_solved_again(tmp_path):
    (case,) = sweep.cases({"cols": 1}, {"rows": [1]})
    points = Points(tmp_path / "sweep")
    points.keep(case.config, {"modes": {}})
    assert points.find(case.config) == {"modes": {}}
    (path,) = (tmp_path / ".sweep.points").iterdir()
    for text in ("", "{", "[]", path.read_text().replace('"cols": 1', '"cols": 2')):
        path.write_text(text)
        with watched():
            assert [*points.kept()] == []
            assert points.find(case.config) is None
            points.keep(case.config, {"modes": {}})
        assert points.find(case.config) == {"modes": {}}


@LINUX
def test_a_killed_sweep_gives_the_same_files_when_run_again(crossstack, tmp_path):
    args = ("sweep", "--cols", 1, "--vary", "rows=1,2,3,4,5", "--quiet")
    assert crossstack(*args, "-o", tmp_path / "whole").code == 0
    process = start(*args, "-o", tmp_path / "cut")
    points = tmp_path / ".cut.points"
    wait_for(lambda: points.is_dir() and len(list(points.glob("*.json"))) >= 1, 60)
    # held where it is, lest it end before the second has begun
    at_work = int((points / "lock").read_text())
    os.kill(at_work, signal.SIGSTOP)
    second = crossstack(*args, "-o", tmp_path / "cut")
    os.kill(at_work, signal.SIGCONT)
    process.kill()
    process.wait()
    assert second.code == 3
    assert f"works for {tmp_path / 'cut'}: wait for its end, or choose another" in second.err
    wait_for(lambda: all(map(leftovers.is_dead, tmp_path.glob(".*.part"))))
    assert not (tmp_path / "cut").exists()
    ran = crossstack(*args[:-1], "-o", tmp_path / "cut")
    assert ran.code == 0
    assert re.match(r"goes on where an earlier run ended: \d+ of \d+ solved\n", ran.out)
    for name in ("sweep.csv", "sweep.json", "sweep.svg"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut", "whole"]


@LINUX
def test_a_killed_search_goes_on_where_it_was(crossstack, tmp_path):
    (tmp_path / "t.yaml").write_text(
        "array: {rows: 1, cols: 2}\ntargets: {worst_device: 0.1}\nfree: {select_w_um: [1, 2, 3]}\n"
    )
    args = ("size", tmp_path / "t.yaml", "--jobs", 1, "-o", tmp_path / "cut")
    process = start(*args)
    points = tmp_path / ".cut.points"
    wait_for(lambda: points.is_dir() and len(list(points.glob("*.json"))) >= 1, 60)
    at_work = int((points / "lock").read_text())
    os.kill(at_work, signal.SIGSTOP)
    second = crossstack(*args)
    os.kill(at_work, signal.SIGCONT)
    assert second.code == 3
    assert f"works for {tmp_path / 'cut'}: wait for its end, or choose another" in second.err
    assert process.poll() is None, "the first one goes on"
    process.kill()
    process.wait()
    assert not (tmp_path / "cut").exists()
    again = crossstack(*args)
    assert again.code == 0
    assert re.search(r"goes on where an earlier run ended: [123] drawn\n", again.out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut", "t.yaml"]
    assert json.loads((tmp_path / "cut" / "size.json").read_text())["search"]["looked_at"] == 3
