"""Every kind of damage of docs/damage.md is caught by the check that the page names."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path

import pytest

from crossstack.generators import ArraySpec, build_array

DOCS = Path(__file__).parents[2] / "docs"


def load_script():
    spec = importlib.util.spec_from_file_location("make_damage", DOCS / "make_damage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = load_script()


#: the aligner differs in the module only
MODULE = [d for d in script.DAMAGES if set(d.rules) & {"OXT.2", "VTE.4", "VBE.5"}]
KINDS = {"stepper": script.DAMAGES, "aligner": MODULE}
PAIRS = [(profile, damage) for profile, damages in KINDS.items() for damage in damages]


@cache
def case(profile):
    array = build_array(ArraySpec(rows=2, cols=2, profile=profile))
    return array, script.reference_of(array)


def test_there_are_ten_kinds_and_each_has_a_check():
    assert len({d.name for d in script.DAMAGES}) == len(script.DAMAGES) >= 10
    assert all(d.rules or d.lvs for d in script.DAMAGES)
    assert len(MODULE) == 3


@pytest.mark.parametrize("profile", KINDS)
def test_undamaged_array_is_clean(profile):
    outcome = script.check(*case(profile))
    assert (outcome.rules, outcome.errors) == ({}, [])


@pytest.mark.parametrize(("profile", "damage"), PAIRS, ids=[f"{p}-{d.name}" for p, d in PAIRS])
def test_damage_is_caught_by_the_named_check(profile, damage):
    outcome = script.check(*case(profile), damage)
    assert set(damage.rules) <= set(outcome.rules)
    if damage.lvs:
        assert any(damage.lvs in error for error in outcome.errors), outcome.errors
    assert outcome.shows(damage)


def test_what_is_not_found_is_not_called_caught():
    clean = script.check(*case("stepper"))
    for damage in script.DAMAGES:
        assert not clean.shows(damage)
        assert script.row(damage, clean).endswith("| NO |")


def test_page_is_that_of_the_script():
    rows = (DOCS / "damage.md").read_text(encoding="utf-8").splitlines()
    table = [line.strip("| ").split(" | ") for line in rows if line.startswith("| ")][1:]
    assert [line[0] for line in table] == [d.name for d in script.DAMAGES]
    assert {line[-1] for line in table} == {"yes"}
