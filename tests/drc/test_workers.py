"""Helpers of a DRC run: equal reports for every count, no work lost when one dies, no hang."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import klayout.db as kdb
import pytest

from crossstack.drc import run_drc, workers
from crossstack.pdk import get_tech

TECH = get_tech()
RULES = ["M1.*", "M2.*"]


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> kdb.Layout:
    """A layout with violations; helpers are started whatever the machine has."""
    monkeypatch.setattr(workers, "cores", lambda: 64)
    made = kdb.Layout()
    cell = made.create_cell("TOP")
    for name, gap in (("Metal1", 200), ("Metal2", 210)):
        layer = made.layer(*TECH.gds(name))
        for k in range(6):
            cell.shapes(layer).insert(kdb.Box(k * (1000 + gap), 0, k * (1000 + gap) + 1000, 150))
    return made


def plain(report) -> dict:
    value = report.to_json()
    return {k: v for k, v in value.items() if k not in ("seconds", "peak_mb")}


def test_every_count_gives_the_same_report(layout: kdb.Layout) -> None:
    reports = [plain(run_drc(layout, TECH, rules=RULES, threads=n)) for n in (1, 2, 4)]
    assert reports[0]["violations"] > 0
    assert reports[1:] == [reports[0]] * 2


def kill_when(count: int, killed: list[int]):
    """Kill helpers as they start, `count` of them."""
    real = workers._Helper

    class Mortal(real):
        def give(self, numbers, rules):
            super().give(numbers, rules)
            if len(killed) < count:
                killed.append(self.process.pid)
                self.process.send_signal(signal.SIGKILL)

    return Mortal


def test_no_work_is_lost_when_a_helper_is_killed(layout, monkeypatch) -> None:
    whole = plain(run_drc(layout, TECH, rules=RULES))
    killed: list[int] = []
    monkeypatch.setattr(workers, "_Helper", kill_when(1, killed))
    assert plain(run_drc(layout, TECH, rules=RULES, threads=2)) == whole
    assert len(killed) == 1


def test_a_rule_that_kills_its_helpers_is_named(layout, monkeypatch) -> None:
    monkeypatch.setattr(workers, "_Helper", kill_when(999, []))
    with pytest.raises(workers.WorkerError, match=r"rule M1\.\S+ .*SIGKILL, 2 times") as error:
        run_drc(layout, TECH, rules=RULES, threads=2)
    assert error.value.exit_code == 3


def test_an_error_of_a_rule_arrives_and_helpers_end(layout, monkeypatch) -> None:
    from dataclasses import replace

    bad = tuple(replace(r, kind="nonsense") if r.name == "M2.1" else r for r in TECH.rules)
    tech = replace(TECH, rules=bad)
    said = []
    for threads in (1, 2):
        with pytest.raises(Exception, match=r"M2\.1|nonsense") as error:
            run_drc(layout, tech, rules=RULES, threads=threads)
        said.append((type(error.value).__name__, str(error.value)))
    assert said[0] == said[1]


def test_helpers_work_beside_threads_and_in_a_script_without_guard(tmp_path: Path) -> None:
    """A script that calls at its top level, from a thread, while others hold locks."""
    script = tmp_path / "plain_script.py"
    script.write_text(
        "import threading, klayout.db as kdb\n"
        "from crossstack.drc import run_drc, workers\n"
        "from crossstack.pdk import get_tech\n"
        "workers.cores = lambda: 4\n"
        "layout = kdb.Layout(); cell = layout.create_cell('T')\n"
        "cell.shapes(layout.layer(34, 0)).insert(kdb.Box(0, 0, 100, 100))\n"
        "lock = threading.Lock(); lock.acquire()\n"
        "found = []\n"
        "def check():\n"
        "    found.append(run_drc(layout, get_tech(), rules=['M1.*', 'M2.*'], threads=2).count)\n"
        "thread = threading.Thread(target=check); thread.start(); thread.join()\n"
        "print(found)\n"
    )
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert ran.stdout.startswith("[")
    assert ran.stdout.strip() != "[0]"


def test_helpers_end_with_a_parent_that_is_killed() -> None:
    code = (
        "import klayout.db as kdb, time\n"
        "from crossstack.drc import workers\n"
        "helper = workers._Helper(b'')\n"
        "print(helper.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    helper = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 20
    while time.monotonic() < end and Path(f"/proc/{helper}/stat").exists():
        state = Path(f"/proc/{helper}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{helper}").exists()
