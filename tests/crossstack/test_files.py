"""Folders that appear in one step, and what a terminal shows meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossstack.base import files, leftovers, outputs
from crossstack.console import Console
from crossstack.pdk import FileError


def make(folder, **texts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)


def fails_inside(context, **texts):
    with context as work:
        make(work, **texts)
        raise RuntimeError("out of luck")


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_takes_its_place(tmp_path, monkeypatch, exchange):
    if not exchange:  # as on systems that cannot swap two names
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    target = tmp_path / "result"
    for text in ("first", "second"):
        with files.replacing(target) as work:
            make(work, data=text)
            files.write_manifest(work, {"name": "x"})
    assert (target / "data").read_text() == "second"
    assert sorted(p.name for p in target.iterdir()) == ["data", "manifest.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_failure_changes_nothing(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda a, b: False)
    target = tmp_path / "result"
    make(target, data="first")
    files.write_manifest(target, {"name": "x"})
    with pytest.raises(RuntimeError, match="luck"):
        fails_inside(files.replacing(target), data="second")
    assert (target / "data").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_files_move_up_together(tmp_path):
    make(tmp_path, a="old")
    with pytest.raises(RuntimeError, match="luck"):
        fails_inside(files.together(tmp_path), a="new")
    assert (tmp_path / "a").read_text() == "old"
    with files.together(tmp_path) as work:
        make(work, a="new", b="too")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "new", "b": "too"}


def left_by_a_dead_process(folder, name, ended=True):
    """A temporary name as a process that has ended, or a live one, would leave it."""
    script = "import sys; from crossstack.base import leftovers; from pathlib import Path; "
    script += "p = leftovers.temporary(Path(sys.argv[1]), sys.argv[2]); p.mkdir(); "
    script += "print(p, flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, folder, name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    path = Path(process.stdout.readline().strip())
    (path / "data").write_text("half")
    if ended:
        process.kill()
        process.wait()
    return path, process


def test_a_folder_made_for_files_that_never_came_goes(tmp_path):
    """`tapeout --check-only` without a package left an empty one."""
    with pytest.raises(RuntimeError):
        fails_inside(files.together(tmp_path / "a" / "tapeout"), a="new")
    assert not any(tmp_path.iterdir())
    (tmp_path / "mine").mkdir()
    with pytest.raises(RuntimeError):
        fails_inside(files.together(tmp_path / "mine"), a="new")
    assert (tmp_path / "mine").is_dir()


def test_leftovers_are_swept_once_their_process_is_dead(tmp_path):
    gone, _ = left_by_a_dead_process(tmp_path, "result")
    other, _ = left_by_a_dead_process(tmp_path, "another")
    alive, process = left_by_a_dead_process(tmp_path, "result", ended=False)
    mine = tmp_path / ".result.abc.part"  # somebody's, whatever its age
    make(mine, data="mine")
    os.utime(mine, (1, 1))
    with files.replacing(tmp_path / "result"):
        pass
    assert not gone.exists()
    assert not other.exists()
    assert alive.exists()
    assert mine.exists()
    process.kill()
    process.wait()
    with files.together(tmp_path):
        pass
    assert not alive.exists()


@pytest.mark.parametrize("part", range(4))
def test_leftovers_of_another_host_boot_or_namespace_stay(tmp_path, part):
    gone, _ = left_by_a_dead_process(tmp_path, "result")
    fields = gone.name.rsplit(".", 2)[1].split("-")
    if part < 3:
        fields[part] = str(int(fields[2]) + 1) if part == 2 else "0" * 8
    else:  # the number was given to a process that lives: this one
        fields[3] = str(os.getpid())
    stranger = tmp_path / f".result.{'-'.join(fields)}.part"
    gone.rename(stranger)
    assert leftovers.is_dead(stranger) == (part == 3)
    with files.together(tmp_path):
        pass
    assert stranger.exists() == (part != 3)


def test_a_users_own_files_stay_in_a_folder_that_is_replaced(tmp_path):
    target = tmp_path / "result"
    make(target, data="first", mine="my notes")
    files.write_json(target / "manifest.json", {"name": "x", "files": {"data": ""}})
    with files.replacing(target) as work:
        make(work, other="second")
        files.write_manifest(work, {"name": "x"})
    names = {p.name for p in target.iterdir()}
    assert names == {"mine", "other", "manifest.json"}


def fails_while_writing(target):
    with outputs.one_step(target) as work:
        work.write_text("half")
        raise RuntimeError("out of luck")


def test_files_of_one_step(tmp_path):
    target = tmp_path / "table.csv"
    outputs.write_text(target, "first")
    target.chmod(0o640)
    with pytest.raises(RuntimeError, match="luck"):
        fails_while_writing(target)
    assert target.read_text() == "first"
    outputs.write_text(target, "second")
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("second", 0o640)
    link = tmp_path / "link.csv"
    link.symlink_to("table.csv")
    outputs.write_text(link, "third")
    assert link.is_symlink()
    assert target.read_text() == "third"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.csv", "table.csv"]


def test_a_pipe_gets_what_a_file_would(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    outputs.write_text(pipe, "all of it")
    assert reader.communicate(timeout=20)[0] == "all of it"
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["folder", "none/x.csv", "circle"])
def test_what_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(FileError, match=f"cannot write .*{name}"):
        outputs.write_text(tmp_path / name, "text")


def test_a_link_is_not_replaced(tmp_path):
    make(tmp_path / "elsewhere")
    (tmp_path / "result").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="not a folder"), files.replacing(tmp_path / "result"):
        pass


def test_progress_is_for_terminals_only(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert not Console().shows_progress()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert Console().shows_progress()
    assert not Console(quiet=True).shows_progress()
    monkeypatch.setenv("NO_COLOR", "1")  # takes away the colours only
    assert Console().shows_progress()
    monkeypatch.setenv("TERM", "dumb")
    assert not Console().shows_progress()


def test_progress_bar_runs(monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    console = Console()
    monkeypatch.setattr(console, "shows_progress", lambda: True)
    with console.steps(), console.step("design rules") as step:
        step("M1.1", 3, 10)
        step(0.5)
        step("words only")
    assert set(console.seconds) == {"design rules"}
    assert capsys.readouterr().out == ""
