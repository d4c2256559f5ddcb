"""Layout against reference netlist: the verdict, and every difference by name and place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import CrossStackError
from .bare import check_bare_cells
from .checks import check_layout
from .devices import KINDS
from .explain import Explainer
from .extraction import LARGE, ExtractedLayout, Finding
from .flat import flatten
from .graph import build_graph, equal_colors, told_apart
from .hierarchy import klayout_compare
from .names import anchor_by_name, check_pins, exchanged_names, join_substrate
from .repetition import compare_repetition
from .report import LvsReport
from .spice import Reference, read_netlist
from .tolerances import Tolerances

if TYPE_CHECKING:
    from ..pdk import Tech


#: Memristors up to which the differences of a large array are those of all of it.
MOST_AT_ONCE = 600_000
_UNEXPLAINED = "connected differently where parts look alike (see KLayout's netlist browser)"


def compare_layout(
    extracted: ExtractedLayout,
    netlist: Path | str | Reference,
    tech: Tech | None = None,
    *,
    top: str | None = None,
    tolerances: Tolerances | None = None,
    large: int = LARGE,
) -> LvsReport:
    """Compare an extracted layout with a reference netlist.

    Pins are compared by name; W, L and areas within tolerances. Equal colours of all nets and
    devices decide (see `graph`), also where parts look alike and some are taken for each other;
    where that leaves it open, KLayout's hierarchical comparer has the last word.

    Args:
        extracted: the layout.
        netlist: SPICE file, or one already read.
        tech: technology; by default that of the extraction.
        top: subcircuit of the reference; by default the one of the layout's top cell, or the
            only one that no other calls.
        tolerances: allowed differences.
        large: memristors from which only what is unique in an array is compared, once it is
            proven that the rest repeats it.

    Raises:
        FileError: if the netlist cannot be read.
        ConfigError: if the reference's top must be chosen.
        ParameterError: if it has no subcircuit `top`.
    """
    grid = (tech or extracted.tech).grid_um
    allowed = tolerances or Tolerances(grid / 2)
    if isinstance(netlist, Reference):
        return _compare_all(extracted, netlist, grid, allowed)
    if extracted.memristors >= large:
        found = _compare_large(extracted, Path(netlist), top, grid, allowed)
        if found is not None:
            return found
    reference = read_netlist(
        netlist, top, prefer=extracted.top_name, models=extracted.tech.nets.models
    )
    return _compare_all(extracted, reference, grid, allowed)


def _compare_large(
    extracted: ExtractedLayout, netlist: Path, top: str | None, grid: float, allowed: Tolerances
) -> LvsReport | None:
    """Compare what is unique in a large array; None where all of it has to be compared.

    What differs in it is said of the whole, where that takes minutes at most.
    """
    try:
        found = compare_repetition(
            extracted, netlist, top, lambda a, b: _compare_all(a, b, grid, allowed)
        )
    except CrossStackError:  # to be said of the files themselves, not of what stands for them
        return None
    if found is None or found.match or extracted.memristors > MOST_AT_ONCE:
        return found
    return None


def _compare_all(
    extracted: ExtractedLayout, reference: Reference, grid: float, allowed: Tolerances
) -> LvsReport:
    """Compare all nets and devices."""
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
    if (hops_apart := told_apart(explainer.a, explainer.b)) is not None:
        explainer.pair_by_color(hops_apart)
        if not explainer.parameters():
            return []
    t = explainer.tolerances
    if klayout_compare(explainer.layout, reference, t.length_um, t.area):
        return []
    return [Finding("topology", _UNEXPLAINED)]
