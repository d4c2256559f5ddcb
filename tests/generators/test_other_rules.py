"""Cells ask the rules for every distance: with other figures in the table they are clean, too."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

BENCH = runpy.run_path(str(Path(__file__).resolve().parents[2] / "bench" / "rules.py"))


@pytest.mark.parametrize(
    ("process", "seed"),
    [("gf180mcuD", 5), ("gf180mcuD", 9), ("gf180mcuD", 11), ("sky130", 0), ("sky130", 9),
     ("sky130", 17)],
)  # fmt: skip
def test_enlarged_rules_are_drawn_clean(process: str, seed: int) -> None:
    assert list(BENCH["faults"](process, seed)) == []
