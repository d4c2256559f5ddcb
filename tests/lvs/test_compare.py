"""Layout against netlist: every kind of damage is found and named, and nothing else."""

from __future__ import annotations

import json
import random
import re

import klayout.db as db
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossstack.lvs import Tolerances
from crossstack.pdk import FileError

ROWS, COLS = 3, 4
FEW = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def good(array):
    return array(ROWS, COLS)


@pytest.fixture
def check(compare, netlist):
    def run(drawing, **options):
        return compare(drawing, netlist(ROWS, COLS), **options)

    return run


def kinds(report):
    return {finding.kind for finding in report.findings}


def test_undamaged_array_matches(good, check):
    report = check(good)
    assert report.errors == []
    assert report.match
    assert report.devices == {"memristor_bottom": 12, "memristor_top": 12, "nfet": 24, "pfet": 0}


def test_flattened_layout_matches(good, check):
    good.top.flatten(-1, True)
    assert check(good).match


@pytest.mark.parametrize("trans", ["r90 5,7", "m45 -3,2"])
def test_turned_layout_matches(good, check, trans):
    good.top.transform(db.DTrans.from_s(trans))
    assert check(good).match


def test_row_line_cut(good, check):
    good.cut("Metal4", 12.5, 10, 12.9, 12)
    report = check(good)
    assert kinds(report) == {"open"}
    (error,) = report.errors
    assert "TR[1]" in error
    assert "gap of 0.400 um on Metal4 at (12.700, 11.250)" in error
    assert "and 1 more terminal on" in error


def test_select_line_cut(good, check):
    good.cut("Metal2", 12.2, 9.0, 12.8, 9.3)
    report = check(good)
    assert any("BS[2]" in e and "Metal2 at (12.500, 9.150)" in e for e in report.errors)


def test_column_cut(good, check):
    good.cut("ME", 15, 4, 18, 5)
    (error,) = check(good).errors
    assert "C[2]" in error
    assert "gap of 1.000 um on ME at (16.000, 4.500)" in error


def test_via_removed(good, check):
    good.cut("Via3", 7.8, 11.9, 8.2, 12.4)  # top transistor's drain, row 1, column 1
    report = check(good)
    assert kinds(report) == {"open", "unconnected"}
    assert any("Via3 missing at (7.980, 12.130)" in e and "1_1/" in e for e in report.errors)


def test_module_via_removed(good, check):
    good.cut("VTE", 7.7, 11.8, 8.4, 12.4)
    report = check(good)
    assert any("VTE missing at" in e and "1_1/TE" in e for e in report.errors)


def test_contact_removed(good, check):
    good.cut("Contact", 7.4, 9.6, 7.8, 10.0)  # gate of the bottom transistor, row 1, column 1
    report = check(good)
    assert any("gate of nfet at (7.580, 8.500)" in e for e in report.errors)
    assert any(e.startswith("open: BS[1]: G of nfet at (7.580, 8.500)") for e in report.errors)


def test_columns_shorted(good, check):
    good.rect("ME", 9, 6.2, 17, 6.6)
    (error,) = check(good).errors
    assert error == (
        "short: C[1] at (10.000, -1.200) and C[2] at (16.000, -1.200) are one net, "
        "joined on ME at (13.000, 6.400)"
    )


def test_rows_of_both_tiers_shorted(good, check):
    good.rect("Via3", 0.1, 4.3, 0.36, 4.56)
    good.rect("Metal3", 0.0, 1.0, 0.4, 4.6)
    (error,) = check(good).errors
    assert error.startswith("short: BR[0] at")
    assert "TR[0] at" in error
    assert "joined on " in error


def test_inner_nets_shorted(good, check):
    good.rect("BE", 1.6, 1.5, 9.0, 2.1)  # BE of (0, 0) and of (0, 1)
    report = check(good)
    assert kinds(report) == {"short"}
    assert any("0_0/BE" in e and "0_1/BE" in e and "joined on BE at" in e for e in report.errors)


def test_one_film_missing(good, check):
    good.cut("TIO2X_T", 9, 8, 11, 10)
    report = check(good)
    assert report.devices["memristor_top"] == ROWS * COLS - 1
    assert any(e.startswith("missing: memristor_top 1_1/XT") for e in report.errors)
    assert any("(10.000, 8.800) has TIO2_T but no TIO2X_T" in e for e in report.errors)


def test_both_films_missing(good, check):
    for film in ("TIO2X_B", "TIO2_B"):
        good.cut(film, 9, 8, 11, 10)
    report = check(good)
    assert any("short: 1_1/BE and C[1] are one net" in e for e in report.errors)
    assert any("BE and ME touch without film at (10.000, 8.800)" in e for e in report.errors)
    assert any(e.startswith("missing: memristor_bottom 1_1/XB") for e in report.errors)


def test_film_too_small(good, check):
    good.cut("TIO2X_T", 10.4, 8, 11, 10)
    report = check(good)
    place = "memristor_top at (9.950, 8.800)"
    assert any(place in e and "AREA = 0.54 um2" in e for e in report.errors)


def test_transistor_width_changed(good, check):
    good.cut("COMP", 6.9, 9.495, 8.2, 9.6)
    (error,) = check(good).errors
    assert error.startswith("size: nfet at (7.580, 8.49")
    assert "W = 1.995 um, reference 1_1/MB has 2 um" in error


def test_transistor_length_changed(good, check):
    good.rect("Poly2", 7.72, 7.28, 7.725, 9.8)
    (error,) = check(good).errors
    assert "L = 0.285 um, reference 1_1/MB has 0.28 um" in error


def test_tolerances(good, check):
    good.cut("COMP", 6.9, 9.495, 8.2, 9.6)
    assert check(good, tolerances=Tolerances(length_um=0.006)).match


def test_area_tolerance(good, compare, netlist):
    text = netlist(ROWS, COLS).replace("AREA=0.6", "AREA=0.6005")
    assert compare(good, text).match
    text = netlist(ROWS, COLS).replace("AREA=0.6", "AREA=0.63")
    assert not compare(good, text).match
    assert compare(good, text, tolerances=Tolerances(area=0.1)).match


@pytest.mark.parametrize(
    ("first", "second"),
    [("TS[1]", "TS[2]"), ("BS[0]", "BS[3]"), ("C[0]", "C[3]"), ("TS[1]", "BS[1]")],
)
def test_labels_exchanged(good, check, first, second):
    good.relabel({first: second, second: first})
    report = check(good)
    assert kinds(report) == {"swap"}
    assert len(report.errors) == 2
    assert any(e.endswith(f"is connected as the reference's {second}") for e in report.errors)


def test_rows_of_one_tier_are_the_same_circuit_in_any_order(good, check):
    """Row lines of a tier only meet in the columns: no netlist can tell them apart."""
    good.relabel({"TR[0]": "TR[2]", "TR[2]": "TR[0]"})
    assert check(good).match


def test_one_gate_on_the_wrong_select_line(good, check):
    good.cut("Metal2", 6.8, 9.5, 7.3, 10.1)  # bottom gate of (1, 1) off BS[1]
    good.rect("Metal2", 7.35, 9.55, 9.7, 10.0)  # and on to TS[1]
    report = check(good)
    assert kinds(report) == {"connection"}
    (error,) = report.errors
    assert "G of nfet at (7.580, 8.500)" in error
    assert "on TS[1], not on BS[1]" in error


def test_drain_and_source_may_be_exchanged(good, compare, netlist):
    text = netlist(ROWS, COLS).replace("MT te TS TR VSS", "MT TR TS te VSS")
    assert compare(good, text).match


def test_label_missing(good, check):
    good.relabel({"TR[1]": None})
    (error,) = check(good).errors
    assert error.startswith("pin: TR[1] of ARRAY_3X4 has no label")


def test_label_misspelt(good, check):
    good.relabel({"TR[1]": "TR[7]"})
    errors = check(good).errors
    assert len(errors) == 2
    assert any("label TR[7] at (0.100, 11.200) is no net of ARRAY_3X4" in e for e in errors)


def test_label_twice(good, check):
    good.relabel({"TR[1]": "TR[2]"})
    report = check(good)
    assert kinds(report) == {"open", "pin"}


def test_label_case_does_not_matter(good, check):
    good.relabel({"TR[1]": "tr[1]"})
    assert check(good).match


def test_tap_missing(good, check):
    good.layout.clear_layer(good.layer("Pplus"))
    (error,) = check(good).errors
    assert error.startswith("tap: nfet at")
    assert "and 23 more: the substrate has no p-tap" in error


def test_extra_device(good, check):
    unit = good.layout.cell("hybrid_cell")
    good.top.insert(db.DCellInstArray(unit.cell_index(), db.DVector(40, 40)))
    report = check(good)
    extra = [e for e in report.errors if e.startswith("extra: ")]
    assert len(extra) == 4
    assert any("nfet at (41.580, 41.500)" in e for e in extra)


def test_missing_row(good, compare, netlist):
    report = compare(good, netlist(ROWS + 1, COLS), top=f"array_{ROWS + 1}x{COLS}")
    assert sum(e.startswith("missing: ") for e in report.errors) == 4 * COLS
    assert "pin: TR[3] of ARRAY_4X4 has no label in the layout" in report.errors


def test_damage_in_every_cell_stays_readable(array, compare, netlist):
    d = array(20, 20)
    d.layout.cell("hybrid_cell").shapes(d.layer("TIO2_T")).clear()
    d.layout.cell("hybrid_cell").shapes(d.layer("Via1")).clear()
    report = compare(d, netlist(20, 20))
    assert not report.match
    assert 0 < len(report.errors) < 200


def test_two_faults_are_both_found(good, check):
    good.cut("Metal4", 12.5, 10, 12.9, 12)
    good.cut("COMP", 0.9, 2.495, 2.2, 2.6)
    good.rect("ME", 9, 6.2, 17, 6.6)
    report = check(good)
    assert kinds(report) == {"open", "short", "size"}
    assert len(report.errors) == 3


def test_fingers_count_as_one_transistor(drawing, compare, inverter):
    d = inverter()
    text = ".subckt inverter A Y VDD VSS\nMP Y A VDD VDD pfet W=2u L=0.28u\n"
    halves = "MN1 Y A VSS VSS nfet W=1u L=0.28u\nMN2 VSS A Y VSS nfet W=1u L=0.28u\n.ends\n"
    report = compare(d, text + halves)
    assert report.errors == []
    assert report.devices["nfet"] == 1


def test_inverter(inverter, compare, inverter_netlist):
    assert compare(inverter(), inverter_netlist).errors == []


def test_nmos_and_pmos_exchanged(inverter, compare, inverter_netlist):
    wrong = inverter_netlist.replace("nfet", "x").replace("pfet", "nfet").replace("x", "pfet")
    report = compare(inverter(), wrong)
    assert not report.match


def test_report_files(good, check, tmp_path):
    report = check(good)
    report.write(tmp_path / "lvs.json")
    value = json.loads((tmp_path / "lvs.json").read_text())
    assert value["match"] is True
    assert value["errors"] == []
    assert value["devices"]["nfet"] == 24
    report.write(tmp_path / "a.lvsdb")
    database = db.LayoutVsSchematic()
    database.read(str(tmp_path / "a.lvsdb"))
    assert database.netlist().circuit_by_name("hybrid_cell") is not None
    statuses = {pair.status() for pair in database.xref().each_circuit_pair()}
    assert statuses == {db.NetlistCrossReference.Match}
    for name in ("none/lvs.json", "none/a.lvsdb"):
        with pytest.raises(FileError, match="cannot write"):
            report.write(tmp_path / name)


def test_database_of_a_damaged_layout(good, check, tmp_path):
    good.cut("VTE", 7.7, 11.8, 8.4, 12.4)
    check(good).write(tmp_path / "a.lvsdb")
    database = db.LayoutVsSchematic()
    database.read(str(tmp_path / "a.lvsdb"))
    statuses = {pair.status() for pair in database.xref().each_circuit_pair()}
    assert statuses != {db.NetlistCrossReference.Match}


def test_comparing_leaves_the_extraction_as_it_was(good, tmp_path, netlist):
    from crossstack.lvs import compare_layout

    path = tmp_path / "a.spice"
    path.write_text(netlist(ROWS, COLS))
    extracted = good.extract()
    before = extracted.netlist.to_s()
    compare_layout(extracted, path).write(tmp_path / "a.lvsdb")
    assert extracted.netlist.to_s() == before
    assert len(extracted.flat.devices) == 4 * ROWS * COLS


def _shuffled(text: str, seed: int) -> str:
    """Return the same circuit: instances and elements in another order, inner nets renamed."""
    rng = random.Random(seed)
    lines = text.splitlines()
    blocks = [i for i, line in enumerate(lines) if line.startswith((".subckt", ".ends"))]
    for start, stop in zip(blocks[::2], blocks[1::2], strict=True):
        body = lines[start + 1 : stop]
        rng.shuffle(body)
        lines[start + 1 : stop] = body
    words = {"te": f"n{seed}_1", "be": f"n{seed}_2"}
    return "\n".join(re.sub(r"\b(te|be)\b", lambda m: words[m[1]], line) for line in lines) + "\n"


@FEW
@given(seed=st.integers(0, 1000), rows=st.integers(1, 4), cols=st.integers(1, 4))
def test_order_and_inner_names_do_not_matter(array, compare, netlist, seed, rows, cols):
    assert compare(array(rows, cols), _shuffled(netlist(rows, cols), seed)).match


@FEW
@given(data=st.data())
def test_any_two_exchanged_terminals_are_found(array, compare, netlist, data):
    """Exchange one net of one cell with that of another in the netlist: never a match.

    Except for the rows of two cells of one column, which are the same circuit either way.
    """
    lines = netlist(3, 3).splitlines()
    calls = [i for i, line in enumerate(lines) if line.endswith("hybrid_cell") and line[0] == "X"]
    first, second = data.draw(st.permutations(calls))[:2]
    column = data.draw(st.integers(1, 5))
    a, b = lines[first].split(), lines[second].split()
    if a[column] == b[column] or (column < 3 and a[3] == b[3]):
        return
    a[column], b[column] = b[column], a[column]
    lines[first], lines[second] = " ".join(a), " ".join(b)
    report = compare(array(3, 3), "\n".join(lines) + "\n")
    assert not report.match
    assert report.errors
