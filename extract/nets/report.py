"""What an extraction did and what it could not take into account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ...pdk import Conditions

#: called with (what, done, total) while an extraction runs
Progress = Callable[[str, int, int], None]


@dataclass
class ExtractionReport:
    """Report of one extraction.

    Attributes:
        engine: 'flat' or 'tile'.
        conditions: of the resistances.
        nets: nets of the layout (of the array, for the tile engine).
        solved: nets whose wires were extracted.
        distinct_nets: of these, the ones that are no shifted copies of others.
        pieces: distinct wire pieces whose field was solved.
        skipped: nets without a device terminal that carries current, such as supplies.
        ideal_nets: nets left without resistance because they were not chosen.
        warnings: one line for each thing that could not be taken into account.
        seconds: run time.
    """

    engine: str = "flat"
    conditions: Conditions = field(default_factory=Conditions)
    nets: int = 0
    solved: int = 0
    distinct_nets: int = 0
    pieces: int = 0
    skipped: int = 0
    ideal_nets: int = 0
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def warn(self, text: str) -> None:
        """Note a warning once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def add(self, other: ExtractionReport) -> None:
        """Count what another extraction did of the same layout."""
        for name in ("nets", "solved", "distinct_nets", "pieces", "skipped", "ideal_nets"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for text in other.warnings:
            self.warn(text)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self) | {"conditions": self.conditions.to_json()}
