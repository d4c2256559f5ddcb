"""Every rule passes at its limit and alone fails one grid step below it."""

from __future__ import annotations

import patterns_back  # noqa: F401
import patterns_die  # noqa: F401
import patterns_front  # noqa: F401
import patterns_module  # noqa: F401
import pytest
from drawing import GRID, Draw
from patterns import COMPANIONS, PATTERNS

from crossstack.drc import run_drc
from crossstack.drc.engine import WHOLE_DIE
from crossstack.pdk import get_tech

RULES = [rule.name for rule in get_tech().rules]
#: a foundry rule is the same in every profile
CASES = [
    (profile, rule.name)
    for profile in ("stepper", "aligner")
    for rule in get_tech(profile).rules
    if profile == "stepper" or "profile" in rule.source
]
#: a tap needs a transistor within reach: most patterns have none
LONELY_TAPS = {"DF.13_tap", "DF.14_tap"}


def found(profile: str, rule: str, d: float) -> set[str]:
    tech = get_tech(profile)
    p = Draw(tech, d)
    PATTERNS[rule](p)
    default = [r.name for r in tech.rules if r.kind not in WHOLE_DIE and r.name not in LONELY_TAPS]
    report = run_drc(p.layout, tech, rules=[*default, rule])
    return {name for name, count in report.by_rule.items() if count}


def test_every_rule_has_a_pattern() -> None:
    assert set(PATTERNS) == set(RULES)


@pytest.mark.parametrize(("profile", "rule"), CASES)
def test_at_the_limit_everything_passes(profile: str, rule: str) -> None:
    assert found(profile, rule, 0.0) == set()


@pytest.mark.parametrize(("profile", "rule"), CASES)
def test_one_step_below_only_this_rule_fails(profile: str, rule: str) -> None:
    assert found(profile, rule, GRID) == {rule} | COMPANIONS[rule]
