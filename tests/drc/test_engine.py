"""What the run refuses, reports and counts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as rdb
import pytest

import crossstack.drc.engine as engine
from crossstack.base.errors import ConfigError
from crossstack.drc import DrcReport, RuleError, run_drc
from crossstack.drc.engine import WHOLE_DIE
from crossstack.drc.kinds import KINDS, compile_rule
from crossstack.pdk import FileError, ParameterError, TechError, get_tech

TECH = get_tech()


def layout_with(*boxes: tuple[str, int, int, int, int]) -> kdb.Layout:
    layout = kdb.Layout()
    top = layout.create_cell("TOP")
    for layer, *corners in boxes:
        top.shapes(layout.layer(*TECH.gds(layer))).insert(kdb.Box(*corners))
    return layout


def narrow() -> kdb.Layout:
    return layout_with(("Metal1", 0, 0, 200, 2000))


def test_clean_layout_is_clean() -> None:
    report = run_drc(layout_with(("Metal1", 0, 0, 500, 2000)), TECH)
    assert report.clean
    assert report.count == 0
    assert set(report.by_rule.values()) == {0}
    assert report.rules_run == len(report.by_rule) == len(TECH.rules) - len(report.skipped)
    assert set(report.skipped) == {r.name for r in TECH.rules if r.kind in WHOLE_DIE}


def test_violation_says_what_and_where() -> None:
    (violation,) = run_drc(narrow(), TECH).violations
    assert violation.rule == "M1.1"
    assert violation.cell == "TOP"
    assert violation.box == pytest.approx((-0.001, -0.001, 0.201, 2.001), abs=0.002)
    assert "M1.1" in str(violation)


def test_the_smallest_cell_owns_the_marker() -> None:
    layout = narrow()
    inner = layout.top_cell()
    inner.name = "inner"
    a, b = kdb.Vector(3000, 0), kdb.Vector(0, 5000)
    top = layout.create_cell("TOP")
    top.insert(kdb.CellInstArray(inner.cell_index(), kdb.Trans(kdb.Trans.R90, 9, 9), a, b, 3, 4))
    report = run_drc(layout, TECH, rules=["M1.1"])
    assert report.count == 12
    # a marker is one dbu larger than the shape, so the cell must hold a little more
    inner.shapes(layout.layer(*TECH.gds("PR_bndry"))).insert(kdb.Box(-100, -100, 300, 2100))
    assert {v.cell for v in run_drc(layout, TECH, rules=["M1.1"]).violations} == {"inner"}


def test_source_layout_is_not_changed() -> None:
    layout = narrow()
    before = [cell.name for cell in layout.each_cell()]
    run_drc(layout, TECH)
    assert [cell.name for cell in layout.each_cell()] == before


@pytest.mark.parametrize("suffix", [".gds", ".oas"])
def test_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    narrow().write(str(path))
    assert run_drc(path, TECH).by_rule["M1.1"] == 1


def test_rules_are_chosen_by_name_or_glob() -> None:
    report = run_drc(narrow(), TECH, rules=["M1.*", "V1.1"])
    assert all(name == "V1.1" or name.startswith("M1.") for name in report.by_rule)
    assert "M2.1" in report.skipped


def test_unknown_rule_is_refused() -> None:
    with pytest.raises(ParameterError, match="M9"):
        run_drc(narrow(), TECH, rules=["M1.1", "M9.*"])


def test_progress_names_every_rule() -> None:
    seen: list[tuple[str, int, int]] = []
    run_drc(narrow(), TECH, rules=["M1.*"], progress=lambda *row: seen.append(row))
    assert [row[1] for row in seen] == list(range(len(seen)))
    assert {row[2] for row in seen} == {len(seen)}


@pytest.mark.parametrize("threads", [1, 2])
def test_processes_share_the_rules(threads: int) -> None:
    layout = layout_with(("Metal1", 0, 0, 200, 2000), ("Metal2", 0, 0, 200, 2000))
    report = run_drc(layout, TECH, threads=threads)
    assert {n: c for n, c in report.by_rule.items() if c} == {"M1.1": 1, "M2.1": 1}
    assert list(report.by_rule) == [r.name for r in TECH.rules if r.kind not in WHOLE_DIE]


def test_density_is_a_warning() -> None:
    report = run_drc(layout_with(("Metal1", 0, 0, 500, 2000), ("PR_bndry", 0, 0, 9000, 9000)), TECH,
                     rules=["M1.*"])  # fmt: skip
    assert report.clean
    assert [v.rule for v in report.warnings] == ["M1.4"]
    assert report.by_rule["M1.4"] == 1


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        run_drc(tmp_path / "no.gds", TECH)


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    whole, cut, text = tmp_path / "a.gds", tmp_path / "cut.gds", tmp_path / "text.gds"
    narrow().write(str(whole))
    cut.write_bytes(whole.read_bytes()[:-20])
    text.write_text("not a layout")
    for path, words in ((cut, "cannot be read"), (text, "not a GDS or OASIS file")):
        with pytest.raises(FileError, match=words):
            run_drc(path, TECH)


def test_layout_of_another_process() -> None:
    layout = kdb.Layout()
    layout.create_cell("TOP").shapes(layout.layer(250, 7)).insert(kdb.Box(0, 0, 9, 9))
    layout.top_cell().shapes(layout.layer(0, 0)).insert(kdb.Box(0, 0, 99, 99))
    with pytest.raises(FileError, match="another process"):
        run_drc(layout, TECH)


def test_empty_top_cell() -> None:
    layout = kdb.Layout()
    layout.create_cell("TOP")
    with pytest.raises(FileError, match="draws nothing"):
        run_drc(layout, TECH)


def test_unknown_layers_are_noted() -> None:
    layout = narrow()
    layout.top_cell().shapes(layout.layer(250, 7)).insert(kdb.Box(0, 0, 9, 9))
    assert "250/7" in " ".join(run_drc(layout, TECH).notes)


def test_several_top_cells_need_a_name() -> None:
    layout = narrow()
    layout.create_cell("OTHER").shapes(layout.layer(34, 0)).insert(kdb.Box(0, 0, 900, 900))
    with pytest.raises(ConfigError, match="2 top cells"):
        run_drc(layout, TECH)
    assert run_drc(layout, TECH, top="OTHER").clean
    with pytest.raises(ParameterError, match="NONE"):
        run_drc(layout, TECH, top="NONE")


def test_another_dbu_is_refused() -> None:
    layout = narrow()
    layout.dbu = 0.0005
    with pytest.raises(FileError, match=r"database unit of 0.0005 um.*0.001.*convert"):
        run_drc(layout, TECH)


def test_a_rule_that_cannot_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(rule: object, a: object) -> object:
        return a.width(0.1)._op("unheard_of")  # type: ignore[attr-defined]

    monkeypatch.setitem(KINDS, "width", broken)
    with pytest.raises(RuleError, match="unheard_of"):
        run_drc(narrow(), TECH, rules=["M1.1"])


def test_a_rule_of_unknown_kind_or_layer_is_an_error() -> None:
    rule = TECH.rules[0]
    with pytest.raises(TechError, match="kind"):
        compile_rule(dataclasses.replace(rule, kind="magic"), TECH)
    with pytest.raises(TechError, match="Metal9"):
        compile_rule(dataclasses.replace(rule, layers=("Metal9",)), TECH)
    with pytest.raises(TechError, match=rule.name):
        compile_rule(dataclasses.replace(rule, layers=("COMP", "Poly2")), TECH)


def test_json_and_marker_file(tmp_path: Path) -> None:
    report = run_drc(narrow(), TECH)
    report.write_json(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert (data["violations"], data["rules_run"]) == (1, report.rules_run)
    assert data["by_rule"]["M1.1"] == 1
    assert data["by_rule"]["M1.2a"] == 0
    assert set(data["seconds"]) == set(data["peak_mb"]) == set(data["by_rule"])
    report.write_lyrdb(tmp_path / "a.lyrdb")
    database = rdb.ReportDatabase("x")
    database.load(str(tmp_path / "a.lyrdb"))
    assert database.num_items() == 1
    assert {c.name() for c in database.each_category()} == set(data["by_rule"])


def test_reports_that_cannot_be_written(tmp_path: Path) -> None:
    report = run_drc(narrow(), TECH, rules=["M1.1"])
    for write in (report.write_json, report.write_lyrdb):
        with pytest.raises(FileError, match="cannot write"):
            write(tmp_path / "no" / "a")


def test_markers_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LIMIT", 3)
    boxes = [("Metal1", i * 1000, 0, i * 1000 + 200, 2000) for i in range(8)]
    report: DrcReport = run_drc(layout_with(*boxes), TECH, rules=["M1.1"])
    assert (len(report.violations), report.count, report.by_rule["M1.1"]) == (3, 8, 8)
    assert not report.clean


@pytest.mark.parametrize(("side", "several"), [(100, False), (300, True)])
def test_a_filled_die_is_shared_among_the_cores(monkeypatch, side: int, several: bool) -> None:
    """Helpers take seconds to start, which pays for minutes of fill and for nothing less."""
    monkeypatch.setattr(engine.workers, "cores", lambda: 4)
    monkeypatch.setattr(engine.workers, "CHUNK", 0)
    asked = []

    def share(judge, layout, cell, tech, rules, helpers):
        asked.append(helpers)
        return map(judge(layout, layout.cell(cell), tech), rules)

    monkeypatch.setattr(engine.workers, "share", share)
    layout = kdb.Layout()
    square, top = layout.create_cell("SQUARE"), layout.create_cell("TOP")
    fill = layout.layer(*TECH.gds("Metal1_Dummy"))
    square.shapes(fill).insert(
        kdb.Polygon([kdb.Point(0, 0), kdb.Point(0, 2000), kdb.Point(2000, 900)])
    )
    step = kdb.Vector(5000, 0), kdb.Vector(0, 5000)
    top.insert(kdb.CellInstArray(square, kdb.Trans(), *step, side, side))
    report = run_drc(layout, TECH, rules=["ANGLE.Metal1_Dummy"])
    assert asked == ([4] if several else [])
    assert report.count == side * side, "one marker over both slanted edges of each"
