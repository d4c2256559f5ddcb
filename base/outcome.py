"""What a check found, in one shape for every check: read by the formats for CI systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: what became of a case; `UNKNOWN` was not judged and so did not pass
PASSED, FAILED, WARNED, UNKNOWN, SKIPPED = "ok", "failed", "warning", "unknown", "skipped"

#: x1, y1, x2, y2 in um
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Marker:
    """One place, or one thing, that a case is about.

    Attributes:
        text: what is wrong, with its place in words.
        cell: cell that holds it; empty for none.
        box: where it is in the coordinates of the top cell, um; None where nobody knows.
        copies: places in the layout that it stands for.
        level: `FAILED`, `WARNED` or `UNKNOWN`.
        waived: True if a waiver covers it: it is shown and fails nothing.
    """

    text: str
    cell: str = ""
    box: Box | None = None
    copies: int = 1
    level: str = FAILED
    waived: bool = False


@dataclass(frozen=True)
class Case:
    """One thing that was asked of a layout: a rule, an item of a list, a limit.

    Attributes:
        name: its short name, the same in every run.
        text: what it asks for.
        status: what became of it.
        message: what was found, in one line; empty if it passed.
        markers: places, as many as the check keeps.
        seconds: time that it took; 0 where it is not measured.
        properties: further plain values, such as the value of a rule.
    """

    name: str
    text: str
    status: str
    message: str = ""
    markers: tuple[Marker, ...] = ()
    seconds: float = 0.0
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
        check: its name, e.g. ``DRC``.
        source: file that was checked, as the user named it.
        top: checked cell.
        cases: everything that was asked.
        notes: remarks about the run, shown as warnings.
    """

    check: str
    source: str
    top: str
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()

    def count(self, status: str) -> int:
        """Return how many cases ended so."""
        return sum(case.status == status for case in self.cases)
