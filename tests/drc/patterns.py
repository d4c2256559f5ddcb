"""One pattern per rule: `PATTERNS[rule](draw)` draws it at the limit, or d um below it.

`COMPANIONS` holds the rules that a pattern below the limit cannot help breaking too.
"""

from __future__ import annotations

from collections.abc import Callable

from drawing import Draw

Pattern = Callable[[Draw], None]
PATTERNS: dict[str, Pattern] = {}
COMPANIONS: dict[str, frozenset[str]] = {}


def pattern(*rules: str, breaks: tuple[str, ...] = ()) -> Callable[[Pattern], Pattern]:
    """Register a pattern; `breaks` names its companions and must be explained at the pattern."""

    def add(function: Pattern) -> Pattern:
        for rule in rules:
            assert rule not in PATTERNS, rule
            PATTERNS[rule] = function
            COMPANIONS[rule] = frozenset(breaks)
        return function

    return add


def register(rule: str, function: Pattern, *breaks: str) -> None:
    """Register a pattern that a loop makes."""
    pattern(rule, breaks=breaks)(function)
