"""What a build found, as values: verdicts, figures, warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .analyse import ReadWrite
    from .analyse.loads import CurrentReport, CurrentVerdict
    from .analyse.needs import WriteVerdict
    from .analyse.summary import ModeDrops
    from .drc import DrcReport
    from .lvs import LvsReport
    from .pdk import Tech


@dataclass
class Build:
    """What a build found.

    Attributes:
        folder: where its results are.
        name: top cell and stem of the files.
        drc: verdict on the design rules; None until they ran.
        lvs: verdict on the netlist; None until it was compared.
        ir_drop, em, timing: contents of the JSON files of the same names; None until they were
            found.
        extraction: how the wires were extracted, with warnings.
        views: files of a macro for the chip around it, and pins off the routing tracks.
        area: of the drawing and of its cells, um2.
        tech: its technology at the conditions of the build.
        not_done: step -> why it was not done.
        warnings: remarks on the run as a whole, e.g. that another build was replaced.
        unjudged: why currents have no verdict, where all else was done; empty otherwise.
        seconds: step -> time it took.
        capacitance_engine: where capacitances come from, see `extract.net_capacitance`.
    """

    folder: Path
    name: str
    drc: DrcReport | None = None
    lvs: LvsReport | None = None
    ir_drop: ModeDrops | None = None
    em: CurrentReport | None = None
    timing: ReadWrite | None = None
    extraction: dict[str, Any] = field(default_factory=dict)
    views: dict[str, Any] = field(default_factory=dict)
    area: dict[str, float] = field(default_factory=dict)
    tech: Tech | None = None
    not_done: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    unjudged: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    capacitance_engine: str = "formula"

    @property
    def passed(self) -> bool:
        """True if the design rules hold, the netlist matches and everything was done.

        Currents have a verdict of their own, `limits`.
        """
        if self.drc is None or self.lvs is None or self.not_done:
            return False
        return self.drc.clean and self.lvs.match

    @property
    def limits(self) -> CurrentVerdict:
        """Return the verdict on the currents."""
        from .analyse.loads import CurrentVerdict

        if self.em is not None:
            return self.em.verdict
        return CurrentVerdict.unjudged(
            self.not_done.get("extract") or self.unjudged or "the wires were not extracted"
        )

    @property
    def write_voltages(self) -> WriteVerdict | None:
        """Return the verdict on what written devices get; None if nothing was written."""
        return None if self.em is None else self.em.write_voltages

    @property
    def verdict(self) -> str:
        """Return what was judged and how, in one line."""
        failed = ", ".join(self._failed())
        state = "passed: rules, netlist" if self.passed else f"FAILED: {failed}"
        writes = [] if self.write_voltages is None else [self.write_voltages.text]
        return "; ".join([state, self.limits.text, *writes])

    def _failed(self) -> list[str]:
        """Return what failed or was not done."""
        rules = self.drc is not None and self.drc.clean
        netlist = self.lvs is not None and self.lvs.match
        failed = [name for name, good in (("rules", rules), ("netlist", netlist)) if not good]
        return failed + [f"{step} (not done)" for step in self.not_done]

    def to_json(self) -> dict[str, Any]:
        """Return the result that `build --json` prints."""
        return {
            "folder": str(self.folder),
            "name": self.name,
            "passed": self.passed,
            "verdict": self.verdict,
            "limits": self.limits.to_json(),
            "write_voltages": json_of(self.write_voltages),
            "drc": lasting(self.drc) if self.drc else {},
            "lvs": self.lvs.to_json() if self.lvs else {},
            "ir_drop": json_of(self.ir_drop) or {},
            "em": json_of(self.em) or {},
            "timing": json_of(self.timing) or {},
            "area": self.area,
            "extraction": self.extraction,
            "views": self.views,
            "not_done": self.not_done,
            "warnings": self.warnings,
            "seconds": self.seconds,
        }


class Result(Protocol):
    """What can be written into a JSON file."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""


def json_of(result: Result | None) -> dict[str, Any] | None:
    """Return a result as JSON values; None of one that is not there."""
    return None if result is None else result.to_json()


def lasting(report: DrcReport) -> dict[str, Any]:
    """Return what of a report two builds of one layout have in common: no times, no memory."""
    return {k: v for k, v in report.to_json().items() if k not in ("seconds", "peak_mb")}
