"""Every registered cell and a set of arrays against the netlists that come with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossstack.cells.alone_cell import alone
from crossstack.cells.drawing import to_layout
from crossstack.cells.registry import CELLS, draw_cell
from crossstack.generators.array import build_array
from crossstack.generators.netlist import spice_lines
from crossstack.generators.spec import ArraySpec
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import PROFILES, get_tech

# their supplies and controls are joined only in the macro
WIRED_OUTSIDE = {"row_switch", "column_switch", "inverter"}


def write(path: Path, lines) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("name", sorted(set(CELLS) - WIRED_OUTSIDE))
def test_cell(name, profile, tmp_path):
    tech = get_tech(profile)
    cell = draw_cell(name, tech)
    path = write(tmp_path / "cell.spice", spice_lines(name, tech, [], cell.netlist, []))
    report = compare_layout(extract_layout(to_layout(alone(cell, tech), tech), tech), path)
    assert report.errors == []
    # parallel transistors count once, whichever of source and drain is which
    parts = {(d.model, d.nets[1], frozenset(d.nets)) for d in cell.netlist.devices}
    assert sum(report.devices.values()) == len(parts)


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("kind", ["hybrid", "passive", "planar"])
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (2, 7)])
def test_array(kind, rows, cols, profile, tmp_path):
    built = build_array(ArraySpec(rows=rows, cols=cols, cell=kind, profile=profile))
    path = write(tmp_path / "array.spice", built.netlist_lines())
    extracted = extract_layout(to_layout(built.cell, built.tech), built.tech)
    report = compare_layout(extracted, path)
    assert report.errors == []
    count = rows * cols
    tiers = 1 if kind == "planar" else 2
    assert report.devices == {
        "memristor_bottom": count,
        "memristor_top": count * (tiers - 1),
        "nfet": 0 if kind == "passive" else count * tiers,
        "pfet": 0,
    }


def test_written_files(tmp_path):
    built = build_array(ArraySpec(rows=4, cols=3, select_w_um=3.0))
    gds = tmp_path / "array.gds"
    to_layout(built.cell, built.tech).write(str(gds))
    path = write(tmp_path / "array.spice", built.netlist_lines())
    assert compare_layout(extract_layout(gds, built.tech), path).match


def test_array_of_another_size_is_no_match(tmp_path):
    built = build_array(ArraySpec(rows=4, cols=3))
    other = build_array(ArraySpec(rows=4, cols=3, select_w_um=3.0))
    path = write(tmp_path / "array.spice", other.netlist_lines())
    report = compare_layout(extract_layout(to_layout(built.cell, built.tech), built.tech), path)
    assert not report.match
    assert any("W = 2 um" in e and "has 3 um" in e for e in report.errors)
