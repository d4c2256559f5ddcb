"""Folders that appear in one step, and what a terminal shows meanwhile."""

from __future__ import annotations

import os
import sys

import pytest

from crossstack import files
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


def test_leftovers_of_a_killed_run_are_swept_after_a_day(tmp_path):
    old, fresh = tmp_path / ".result.abc.part", tmp_path / ".result.def.part"
    make(old, data="half")
    make(fresh, data="half")
    os.utime(old, (1, 1))
    with files.replacing(tmp_path / "result"):
        pass
    assert not old.exists()
    assert fresh.exists()


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
