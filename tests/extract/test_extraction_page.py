"""docs/extraction.md: its tables are those of its script, its example runs."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossstack.extract import extract, load_array, save_array
from crossstack.pdk import get_tech
from crossstack.solve import solve_crossbar

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "extraction.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "make_extraction.py"))


def table(page: str, name: str) -> list[str]:
    start = page.index(f"<!-- {name}: by docs/make_extraction.py -->")
    return page[start : page.index(f"<!-- end of {name} -->")].splitlines()[1:]


def test_current_limits_are_the_pdks(page, script):
    assert table(page, "limits") == list(script["limits"]())


def test_accuracy_is_the_studys(page, script):
    shown, made = table(page, "accuracy"), list(script["accuracy"]())
    assert len(shown) == len(made)
    for old, new in zip(shown[2:], made[2:], strict=True):
        assert old.split("|")[1] == new.split("|")[1]
        numbers = [[float(n) for n in re.findall(r"[-+]?\d+\.\d+", row)] for row in (old, new)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.02, rel=1e-3)


def test_no_error_of_ours_reaches_a_tenth_of_a_percent(page):
    for row in table(page, "accuracy")[2:]:
        error = float(re.findall(r"\(([-+][\d.]+) %\)", row)[-1])
        assert abs(error) < 0.1, row


def test_engines_agree_within_the_promise(page):
    for row in table(page, "engines")[2:]:
        assert float(row.split("|")[-2].split()[0]) < 0.1, row


def test_marks_that_are_missing_stop_the_script(script):
    with pytest.raises(SystemExit, match="no marks for limits"):
        script["renewed"]("# empty", "limits", iter(()))


def test_the_example_for_arrays_runs(draw, page, tmp_path, monkeypatch):
    array = extract(draw(3, 2), get_tech(), engine="tile").array
    save_array(array, tmp_path / "big_array.npz")
    monkeypatch.chdir(tmp_path)
    code = page.split("```python\n")[1].split("```")[0]
    names = {"volts": np.full((2, 3), 0.2), "siemens": np.full((2, 3, 2), 1e-4)}
    exec(code, names)  # our own page
    series = load_array("big_array.npz").series_ohm(lambda w, l: 800.0)
    ideal = 2 * 3 * 0.2 / (1e4 + series.mean())
    assert names["solution"].column_currents == pytest.approx([ideal] * 2, rel=1e-2)
    assert names["solve_crossbar"] is solve_crossbar
