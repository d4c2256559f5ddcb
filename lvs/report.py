"""What a comparison found."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.documents import json_text
from ..base.outputs import write_text
from .extraction import ExtractedLayout, Finding
from .hierarchy import klayout_compare
from .spice import Reference
from .tolerances import Tolerances


@dataclass(frozen=True)
class LvsReport:
    """Result of a comparison.

    Attributes:
        match: True if the layout is the reference netlist, with no finding.
        devices: number of devices in the layout by kind (parallel transistors count once).
        findings: every difference.
        extracted, reference: what was compared: of a large array, what stands for it.
        tolerances: allowed differences.
        note: what stands for a large array, in words; empty where all of it was compared.
    """

    match: bool
    devices: dict[str, int]
    findings: tuple[Finding, ...]
    extracted: ExtractedLayout = field(repr=False)
    reference: Reference = field(repr=False)
    tolerances: Tolerances
    note: str = ""

    @property
    def errors(self) -> list[str]:
        """One line for each finding."""
        return [str(finding) for finding in self.findings]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "match": self.match,
            "devices": dict(self.devices),
            "errors": self.errors,
            "findings": [finding.to_json() for finding in self.findings],
            **({"note": self.note} if self.note else {}),
        }

    def write(self, path: Path | str) -> None:
        """Write the report: KLayout's netlist database if `path` ends in .lvsdb, else JSON.

        Raises:
            FileError: if the file cannot be written.
        """
        if Path(path).suffix == ".lvsdb":
            t = self.tolerances
            klayout_compare(self.extracted, self.reference, t.length_um, t.area, Path(path))
            return
        write_text(Path(path), json_text(self.to_json()))
