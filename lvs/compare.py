"""Layout against reference netlist: the verdict, and every difference by name and place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.documents import json_text
from ..base.outputs import write_text
from .bare import check_bare_cells
from .checks import check_layout
from .devices import KINDS
from .explain import Explainer
from .extraction import ExtractedLayout, Finding
from .flat import flatten
from .graph import build_graph, equal_colors
from .hierarchy import klayout_compare
from .names import anchor_by_name, check_pins, exchanged_names, join_substrate
from .spice import Reference, read_netlist
from .tolerances import Tolerances

if TYPE_CHECKING:
    from ..pdk import Tech


_UNEXPLAINED = "connected differently where parts look alike (see KLayout's netlist browser)"


@dataclass(frozen=True)
class LvsReport:
    """Result of a comparison.

    Attributes:
        match: True if the layout is the reference netlist, with no finding.
        devices: number of devices in the layout by kind (parallel transistors count once).
        findings: every difference.
        extracted, reference: what was compared.
        tolerances: allowed differences.
    """

    match: bool
    devices: dict[str, int]
    findings: tuple[Finding, ...]
    extracted: ExtractedLayout = field(repr=False)
    reference: Reference = field(repr=False)
    tolerances: Tolerances

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


def compare_layout(
    extracted: ExtractedLayout,
    netlist: Path | str | Reference,
    tech: Tech | None = None,
    *,
    top: str | None = None,
    tolerances: Tolerances | None = None,
) -> LvsReport:
    """Compare an extracted layout with a reference netlist.

    Pins are compared by name; W, L and areas within tolerances. Equal colours of all nets and
    devices decide (see `graph`); where symmetric parts leave that open, KLayout's
    hierarchical comparer has the last word.

    Args:
        extracted: the layout.
        netlist: SPICE file, or one already read.
        tech: technology; by default that of the extraction.
        top: subcircuit of the reference; by default the one of the layout's top cell, or the
            only one that no other calls.
        tolerances: allowed differences.

    Raises:
        FileError: if the netlist cannot be read.
        ParameterError: if the reference's top must be chosen.
    """
    if isinstance(netlist, Reference):
        reference = netlist
    else:
        reference = read_netlist(
            netlist, top, prefer=extracted.top.name, models=extracted.tech.nets.models
        )
    grid = (tech or extracted.tech).grid_um
    allowed = tolerances or Tolerances(grid / 2)
    flat = flatten(reference.top, lambda net: net.name)
    if flat.devices and not extracted.flat.devices:
        text = f"{extracted.name} draws no device, the reference has {len(flat.devices)}"
        devices = {kind.name: 0 for kind in sorted(KINDS, key=lambda kind: kind.name)}
        finding = Finding("device", text)
        return LvsReport(False, devices, (finding,), extracted, reference, allowed)
    a, b = build_graph(extracted.flat, grid), build_graph(flat, grid)
    counts = Counter(KINDS[kind].name for kind in a.kinds.tolist())
    devices = {name: counts.get(name, 0) for name in sorted(kind.name for kind in KINDS)}
    findings = [*extracted.findings(), *check_layout(extracted)]
    findings += check_pins(extracted, reference, b)
    findings += check_bare_cells(extracted, reference)
    anchor_by_name(a, b, reference.pins)
    join_substrate(a, b)
    explainer = Explainer(extracted, a, b, allowed)
    findings += _differences(explainer, reference, not findings)
    located = iter(explainer.shorts())
    known = {finding for _, finding in extracted.shorts()}
    findings = [next(located) if finding in known else finding for finding in findings]
    return LvsReport(not findings, devices, tuple(findings), extracted, reference, allowed)


def _differences(explainer: Explainer, reference: Reference, clean: bool) -> list[Finding]:
    """Return the differences of two anchored netlists.

    Args:
        explainer: layout and reference, and how to speak of them.
        reference: the reference netlist.
        clean: True if nothing was found so far, so that the verdict hangs on this.
    """
    same, proven, hops = equal_colors(explainer.a, explainer.b)
    if not same:
        found = exchanged_names(explainer.layout, explainer.a, explainer.b) or explainer.explain()
        return found or ([Finding("topology", _UNEXPLAINED)] if clean else [])
    explainer.pair_by_color(hops)
    findings = explainer.parameters()
    if findings or proven or not clean:
        return findings
    t = explainer.tolerances
    if klayout_compare(explainer.layout, reference, t.length_um, t.area):
        return []
    return [Finding("topology", _UNEXPLAINED)]
