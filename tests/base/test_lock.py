"""One run at a time at a place."""

import os
import subprocess
import sys

import pytest

from crossstack.base import lock


def test_the_second_is_told_and_the_first_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_S", 0.02)
    with lock.alone(tmp_path / "lock", "works here"):
        mine = rf"\(process {os.getpid()}\) works here"
        again = lock.alone(tmp_path / "lock", "works here")
        with pytest.raises(lock.TakenError, match=mine), again:
            pass
        assert (tmp_path / "lock").is_file(), "whoever is refused removes nothing"
    assert not [*tmp_path.iterdir()]
    with lock.alone(tmp_path / "lock", "works here"):
        pass


def test_a_killed_run_holds_nothing(tmp_path):
    code = (
        "import os, sys, pathlib\nfrom crossstack.base.lock import alone\n"
        "with alone(pathlib.Path(sys.argv[1]), 'works'):\n    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "lock")]).returncode == -9
    assert (tmp_path / "lock").is_file()
    with lock.alone(tmp_path / "lock", "works here"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert not [*tmp_path.iterdir()]


def test_the_folder_of_a_run_that_has_just_ended_is_made_again(tmp_path, monkeypatch):
    """The first run removes its folder after the second has looked for it."""
    real, folder = os.open, tmp_path / "points"
    gone = []

    def late(path, *more):
        if not gone:
            gone.append(path)
            folder.rmdir()
        return real(path, *more)

    monkeypatch.setattr(os, "open", late)
    with lock.alone(folder / "lock", "works here"):
        assert gone
        assert (folder / "lock").read_text() == f"{os.getpid()}\n"
