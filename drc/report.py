"""What a DRC run found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import klayout.db  # noqa: F401  klayout.rdb needs it loaded
import klayout.rdb as rdb
from klayout.db import DPoint, DPolygon

from ..base.documents import json_text
from ..base.errors import FileError
from ..base.outputs import one_step, write_text


@dataclass(frozen=True)
class Violation:
    """One marker.

    Attributes:
        rule: rule name.
        text: what the rule says.
        points: outline in um, in the coordinates of the checked top cell.
        cell: smallest cell that contains the whole marker.
        copies: number of places in the layout that this marker stands for (repeated cells).
    """

    rule: str
    text: str
    points: tuple[tuple[float, float], ...]
    cell: str
    copies: int = 1

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Bounding box (x1, y1, x2, y2) in um."""
        xs, ys = [p[0] for p in self.points], [p[1] for p in self.points]
        return min(xs), min(ys), max(xs), max(ys)

    def __str__(self) -> str:
        x1, y1, x2, y2 = self.box
        copies = f" and {self.copies - 1} places like it" if self.copies > 1 else ""
        return f"{self.rule}: {self.text}: {self.cell} ({x1:g}, {y1:g}) to ({x2:g}, {y2:g}){copies}"


@dataclass(frozen=True)
class RuleRun:
    """How one rule ran: markers found, time and the process's peak memory after it."""

    name: str
    text: str
    value: float
    count: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class DrcReport:
    """Result of a complete run; every rule in `runs` did run.

    Attributes:
        source: file or layout that was checked.
        top: checked cell.
        tech: process and profile.
        runs: one entry per rule that ran.
        violations: markers, a limited number per rule (`by_rule` counts them all).
        warnings: markers of whole-die rules (density).
        skipped: rules that were not asked for.
        notes: remarks, such as layers that the process does not know.
        waived: markers covered by a waiver.
        waiver_notes: waivers that are expired or that nothing needed.
        unlisted: per rule, how many markers there are beyond those kept.
    """

    source: str
    top: str
    tech: str
    runs: tuple[RuleRun, ...]
    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...] = ()
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waived: tuple[Violation, ...] = ()
    waiver_notes: tuple[str, ...] = ()
    unlisted: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def by_rule(self) -> dict[str, int]:
        """Markers per rule, zeros included."""
        counts = Counter(v.rule for v in (*self.violations, *self.warnings))
        return {run.name: counts[run.name] + self.unlisted.get(run.name, 0) for run in self.runs}

    @property
    def rules_run(self) -> int:
        """Number of rules that ran."""
        return len(self.runs)

    @property
    def count(self) -> int:
        """Number of violations, warnings and waived ones not counted."""
        return len(self.violations) + sum(self.unlisted.values())

    @property
    def clean(self) -> bool:
        """True if every rule ran and found nothing."""
        return self.count == 0

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "violations": self.count,
            "rules_run": self.rules_run,
            "by_rule": self.by_rule,
            "clean": self.clean,
            "source": self.source,
            "top": self.top,
            "tech": self.tech,
            "warnings": len(self.warnings),
            "waived": len(self.waived),
            "skipped": list(self.skipped),
            "notes": list(self.notes),
            "waiver_notes": list(self.waiver_notes),
            "seconds": {run.name: round(run.seconds, 4) for run in self.runs},
            "peak_mb": {run.name: round(run.peak_mb, 1) for run in self.runs},
            "items": [
                {"rule": v.rule, "cell": v.cell, "box_um": list(v.box), "copies": v.copies}
                for v in (*self.violations, *self.warnings)
            ],
        }

    def write_json(self, path: Path) -> None:
        """Write `to_json`.

        Raises:
            FileError: if the file cannot be written.
        """
        write_text(Path(path), json_text(self.to_json(), indent=1))

    def write_lyrdb(self, path: Path) -> None:
        """Write the markers for KLayout's marker browser; every rule has its category.

        Raises:
            FileError: if the file cannot be written.
        """
        database = rdb.ReportDatabase("CrossStack DRC")
        database.description = f"{self.tech}, {self.source}"
        database.top_cell_name = self.top
        cell = database.create_cell(self.top)
        ids = {}
        for run in self.runs:
            category = database.create_category(run.name)
            category.description = run.text
            ids[run.name] = category.rdb_id()
        for v in (*self.violations, *self.warnings):
            item = database.create_item(cell.rdb_id(), ids[v.rule])
            item.add_value(rdb.RdbItemValue(DPolygon([DPoint(x, y) for x, y in v.points])))
        with one_step(Path(path)) as work:
            try:
                database.save(str(work))
            except RuntimeError as error:
                raise FileError(f"cannot write {path}: {error}") from None
