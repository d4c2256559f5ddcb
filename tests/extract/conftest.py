"""Arrays to extract; drawn once per session."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.cells.drawing import to_layout
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech

# helpers of several test files lie beside them
sys.path.insert(0, str(Path(__file__).parent))


@lru_cache(maxsize=32)
def _drawn(rows: int, cols: int, cell: str, top: str, kelvin: bool) -> db.Layout:
    spec = ArraySpec(rows=rows, cols=cols, cell=cell, top=top, kelvin=kelvin)
    return to_layout(build_top(spec).cell, get_tech())


@pytest.fixture(scope="session")
def draw() -> Callable[..., db.Layout]:
    """Return a function that draws an array; each call gives a layout of its own."""

    def make(
        rows: int, cols: int, cell: str = "hybrid", top: str = "array", kelvin: bool = False
    ) -> db.Layout:
        return _drawn(rows, cols, cell, top, kelvin).dup()

    return make


@pytest.fixture(scope="session")
def ngspice() -> Callable[[Path], dict[str, float]]:
    """Return a function that runs a bench and gives pin -> current."""

    def run(path: Path) -> dict[str, float]:
        done = subprocess.run(
            ["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=120, check=False
        )
        lines = [s.strip() for s in done.stdout.splitlines() if s.strip()]
        values = {
            lines[k][4:]: float(lines[k + 1].split("=")[1])
            for k in range(len(lines) - 1)
            if lines[k].startswith("pin ")
        }
        assert values, done.stdout[-2000:] + done.stderr[-2000:]
        return values

    return run
