"""Work shared by processes and by a Dask cluster: the same table, whatever dies on the way."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossstack import identity, pace, pool, progress, sweep
from crossstack.base.errors import ConfigError
from crossstack.config import RunConfig
from crossstack.console import Console
from crossstack.points import Points
from crossstack.sizing.metrics import METRICS
from crossstack.sizing.run import size
from crossstack.sizing.target import read_target

QUIET = Console(quiet=True)
CASES = sweep.cases({"cols": 2}, {"rows": [1, 2], "tech.temperature_c": [25, 85]})


@pytest.fixture(scope="module")
def alone() -> list[dict]:
    return sweep.run(CASES, QUIET)


def mortal(deaths: int, killed: list[int]):
    """A helper that is killed with its task, `deaths` times in all."""

    class Mortal(pool._Helper):
        def give(self, number, data):
            super().give(number, data)
            if len(killed) < deaths:
                killed.append(self.process.pid)
                self.process.send_signal(signal.SIGKILL)

    return Mortal


def test_helpers_find_what_one_process_finds(alone, tmp_path) -> None:
    with pool.pool(None, 2, len(CASES)) as where:
        assert isinstance(where, pool.Team)
        assert sweep.run(CASES, QUIET, Points(tmp_path / "s"), where) == alone
        helpers = [helper.process.pid for helper in where.helpers]
    assert 1 <= len(helpers) <= 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in helpers)
    # every case was kept on the way
    assert all(Points(tmp_path / "s").find(case.config) for case in CASES)


def test_no_task_is_lost_when_a_helper_is_killed(monkeypatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(pool, "_Helper", mortal(1, killed))
    team = pool.Team(2)
    with contextlib.closing(_Closing(team)):
        assert dict(team.run(math.sqrt, [0, 1, 4, 9])) == {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0}
    assert len(killed) == 1


def test_a_task_that_kills_its_helpers_ends_the_run(monkeypatch) -> None:
    monkeypatch.setattr(pool, "_Helper", mortal(99, []))
    team = pool.Team(2)
    with (
        contextlib.closing(_Closing(team)),
        pytest.raises(pool.PoolError, match="SIGKILL, 2 times"),
    ):
        dict(team.run(math.sqrt, range(3)))
    assert pool.PoolError.exit_code == 3


def test_an_error_arrives_as_it_was() -> None:
    team = pool.Team(2)
    with contextlib.closing(_Closing(team)):
        with pytest.raises(ConfigError, match="--vary rows: write it as KEY=VALUE"):
            dict(team.run(sweep.parse_vary, [["rows"]] * 3))
        with pytest.raises(RuntimeError, match="ValueError: "):
            dict(team.run(math.sqrt, [-1.0]))
        # the team can go on
        assert dict(team.run(math.sqrt, [4])) == {0: 2.0}


class _Closing:
    def __init__(self, team: pool.Team) -> None:
        self.close = team.stop


# ---- Dask


def _start(*words: str | Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """A scheduler and two workers, as a user starts them."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    note = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--scheduler-file", note, "--no-dashboard")
    started = [_start("dask", "scheduler", "--port", "0", *here)]
    try:
        until(note.is_file)
        worker = ("--nthreads", "1", "--no-nanny", "--local-directory", folder)
        address = json.loads(note.read_text())["address"]
        started += [_start("dask", "worker", address, "--no-dashboard", *worker) for _ in range(2)]
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def until(done, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_cluster_finds_the_same_though_a_worker_is_killed(dask, alone, monkeypatch) -> None:
    address, workers = dask
    with pool.pool(address, None, len(CASES)) as where:
        until(lambda: where.size == 2)
        killed = []
        real = pace.Pace.piece

        def kill_one(self, *args, **kwargs):
            if not killed:
                killed.append(workers[0].pid)
                workers[0].kill()
            return real(self, *args, **kwargs)

        monkeypatch.setattr(pace.Pace, "piece", kill_one)
        assert sweep.run(CASES, QUIET, None, where) == alone
        assert killed
        until(lambda: where.size == 1)


def test_the_command_takes_a_cluster_and_refuses_what_does_not_fit(
    dask, crossstack, tmp_path, monkeypatch
) -> None:
    address, _ = dask
    args = ("sweep", "--cols", 1, "--vary", "rows=1,2", "--quiet")
    assert crossstack(*args, "-o", tmp_path / "a").code == 0
    assert crossstack(*args, "--scheduler", address, "-o", tmp_path / "b").code == 0
    for name in ("sweep.csv", "sweep.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    both = ("--scheduler", address, "--jobs", 2)
    crossstack(*args, *both, "-o", tmp_path / "c").fails(2, "--jobs")
    other = {**identity.identity(), "code": "x", "numpy": "0"}
    monkeypatch.setattr("crossstack.cluster.identity", lambda: other)
    ran = crossstack(*args, "--scheduler", address, "-o", tmp_path / "c")
    ran.fails(3, "computes with something else", "other code", "numpy", "not 0")


def test_a_scheduler_that_is_not_there(crossstack, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("crossstack.cluster._ANSWER_S", 1)
    args = ("sweep", "--cols", 1, "--vary", "rows=1,2", "-o", tmp_path / "s", "--scheduler")
    crossstack(*args, "tcp://127.0.0.1:9").fails(3, "tcp://127.0.0.1:9", "no Dask scheduler")
    crossstack(*args, "nonsense://x").fails(3, "nonsense://x", "no Dask scheduler")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setitem(sys.modules, "distributed", None)
    crossstack(*args, "tcp://127.0.0.1:9").fails(2, "crossstack[dask]")


def test_a_search_finds_the_same_on_a_cluster(dask, tmp_path, monkeypatch) -> None:
    address, _ = dask
    monkeypatch.setattr("crossstack.sizing.run.prove", _unbuilt)
    (tmp_path / "t.yaml").write_text(
        "array: {rows: 1, cols: 2}\ntargets: {worst_device: 0.1}\nfree: {select_w_um: [1, 2, 3]}\n"
    )
    target = read_target(tmp_path / "t.yaml")
    here = size(target, tmp_path / "here", QUIET)
    with pool.pool(address, None, 8) as where:
        there = size(target, tmp_path / "there", QUIET, where)
    assert here == there
    assert here["met"]
    for name in ("size.json", "candidates.csv"):
        mine, theirs = ((tmp_path / each / name).read_bytes() for each in ("here", "there"))
        assert mine == theirs


def _unbuilt(proof):
    name = proof.configs[0].spec.top_name
    (proof.folder / name).mkdir()
    (proof.folder / name / "manifest.json").write_text("{}")
    known = dict.fromkeys(METRICS, 0.05)
    rest = {"passed": True, "verdict": "", "drc_violations": 0, "lvs_match": True, "not_done": {}}
    return {"name": name, "figures": known, "worst": known, **rest}


# ---- progress


def test_time_left_without_a_terminal(monkeypatch, capsys) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.02)
    with pace.paced(Console(), "sweep", 4) as run:
        run.piece("rows=1", free=True)
        assert run.left_s() is None
        time.sleep(0.06)
        run.piece("rows=2")
        time.sleep(0.06)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "crossstack: sweep: 1 of 4, time left not known yet (rows=1)"
    assert any("2 of 4, about 1 s left (rows=2)" in line for line in lines)
    with pace.paced(Console(quiet=True), "sweep", 1):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""
    assert [progress.duration(s) for s in (0.2, 99, 300, 7200)] == ["1 s", "99 s", "5 min", "2.0 h"]


# ---- what names a point


def test_a_point_depends_on_the_contents_of_code_and_process(tmp_path, monkeypatch) -> None:
    points, config = Points(tmp_path / "s"), CASES[0].config
    points.keep(config, {"x": 1})
    assert points.find(config) == {"x": 1}
    monkeypatch.setattr("crossstack.points.identity", lambda: {"code": "other"})
    assert points.find(config) is None
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "layers.toml").write_text("a")
    first = identity.process_sum(str(tmp_path / "own"))
    (tmp_path / "own" / "layers.toml").write_text("b")
    assert first != identity.process_sum(str(tmp_path / "own"))
    assert identity.process_sum("gf180mcuD") == ""


def test_jobs_must_be_a_number_of_processes(crossstack, tmp_path) -> None:
    args = ("sweep", "--vary", "rows=1", "-o", tmp_path / "s", "--jobs")
    crossstack(*args, "0").fails(2, "--jobs")
    assert isinstance(CASES[0].config, RunConfig)
    with pytest.raises(ConfigError, match="--jobs"), pool.pool("tcp://127.0.0.1:9", 2, 1):
        pass
