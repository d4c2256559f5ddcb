"""Damaged inputs of every kind: one line, the right exit code, no hang (long: bench/fuzz.py)."""

from __future__ import annotations

import json
from pathlib import Path

import campaign as harness
import pytest
from campaign import TARGETS, Case, campaign, complaint, make_base
from mutate import STRUCTURE, mutate

SEED, COUNT = 2, 360


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    make_base(folder)
    return folder


def test_damaged_inputs_end_in_one_line(base: Path) -> None:
    outcome = campaign(base, SEED, COUNT)
    assert outcome.wrong == []
    assert outcome.ran == COUNT
    # the damage is real, but some files survive it: both sides of every reader are met
    codes = {code for _, code in outcome.codes}
    assert codes == {0, 1, 2, 3}
    assert {target for target, _ in outcome.codes} == set(TARGETS)


@pytest.mark.parametrize("suffix", STRUCTURE)
def test_damage_is_a_function_of_its_seed(suffix: str, base: Path) -> None:
    name = next(file for file, _ in TARGETS.values() if file.endswith(suffix))
    data = (base / name).read_bytes()
    made = [mutate(seed, suffix, data) for seed in range(40)]
    assert made == [mutate(seed, suffix, data) for seed in range(40)]
    assert sum(text != data for text in made) > 30
    assert len(set(made)) > 25


@pytest.mark.parametrize(
    ("code", "out", "err", "word"),
    [
        (3, "", "Traceback (most recent call last):\ncrossstack: x", "traceback"),
        (3, "", "crossstack: stopped by an error of its own: KeyError: 'x'", "of its own"),
        (3, "", "crossstack: one\ncrossstack: two", "2 lines"),
        (3, "", "", "0 lines"),
        (1, "{}", "", "exit code 1"),
        (139, "", "", "exit code 139"),
        (0, "Warning: x\n{}", "", "not the JSON"),
    ],
)
def test_the_harness_sees_a_wrong_end(code: int, out: str, err: str, word: str) -> None:
    case = Case(0, "solve network", 0)
    assert word in (complaint(case, code, out, err) or "")


def test_the_harness_accepts_right_ends() -> None:
    ends = [
        ("solve network", 0, json.dumps({"a": 1}), ""),
        ("drc gds", 1, "{}", ""),
        ("drc gds", 3, "", "crossstack: a.gds: no such file"),
    ]
    assert [complaint(Case(0, *[t, 0]), c, o, e) for t, c, o, e in ends] == [None] * 3


def test_a_hang_is_a_finding(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "START_SECONDS", 0.0)
    outcome = campaign(base, SEED, 2)
    assert [(row[0], row[2][:13]) for row in outcome.wrong] == [
        (0, "no end within"),
        (1, "no end within"),
    ]


def test_a_crash_is_a_finding(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = "import os; os.write(1, b'{{\"begin\": 0}}\\n'); os.abort()"
    monkeypatch.setattr(harness, "WORKER", crash)
    assert campaign(base, SEED, 1).wrong == [(0, next(iter(TARGETS)), "worker died (-6)", "")]
