"""One small build that many tests look at, and a way to run the command line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossstack.cli import run

ROWS, COLS = 3, 2
NAME = f"crossstack_{ROWS}x{COLS}x2"


@dataclass
class Ran:
    """What a command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def fails(self, code: int, *words: str) -> None:
        """Check for one line on stderr with these words, and no traceback."""
        assert self.code == code, self.err + self.out
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in lines[0], lines[0]


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(n) for n in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def crossstack(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process."""

    def call(*args: object) -> Ran:
        capsys.readouterr()
        code = run([str(a) for a in args])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished 3 x 2 x 2 build; tests must not change it."""
    out = tmp_path_factory.mktemp("built")
    code = run(["build", "--rows", str(ROWS), "--cols", str(COLS), "-o", str(out), "--quiet"])
    assert code == 0
    return out / NAME
