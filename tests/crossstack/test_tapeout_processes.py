"""Tapeout in every process: what it has no rules for is unknown, with the reason."""

from __future__ import annotations

from pathlib import Path

import klayout.db as db
import pytest

from crossstack.cells import to_layout
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech, profile_names

#: unknown for a block: they count on its chip
OF_A_CHIP = {"density", "seal ring", "id cells", "local density", "fill", "pad protection", "marks"}
OTHERS = ("sky130", "sky130_reram")
DRAWN = [
    *((process, profile, "array") for process in OTHERS for profile in profile_names(process)),
    *((process, profile_names(process)[-1], "macro") for process in OTHERS),
]


def write(folder: Path, process: str, profile: str, top: str) -> tuple[Path, db.Layout]:
    """Write the least layout of a process and its netlist."""
    cell = "planar" if process == "sky130_reram" else "hybrid"
    array = build_top(ArraySpec(1, 1, cell, process=process, profile=profile, top=top))
    layout, path = to_layout(array.cell, array.tech), folder / "a.gds"
    layout.write(str(path))
    path.with_suffix(".spice").write_text("\n".join(array.netlist_lines()) + "\n")
    return path, layout


def checks(ran) -> dict[str, tuple[str, str]]:
    return {c["name"]: (c["status"], c["text"]) for c in ran.json["checks"]}


@pytest.mark.parametrize(("process", "profile", "top"), DRAWN)
def test_every_process_has_a_verdict(process, profile, top, tmp_path, crossstack):
    path, _ = write(tmp_path, process, profile, top)
    ran = crossstack("tapeout", path, "--process", process, "--profile", profile, "--json")
    assert (ran.code, ran.json["verdict"]) == (1, "unknown"), ran.err
    found = checks(ran)
    assert {name for name, (status, _) in found.items() if status != "ok"} <= OF_A_CHIP
    for name in ("design rules", "netlist"):
        assert found[name][0] == "ok", found[name]
    assert (tmp_path / "tapeout" / "a_foundry.gds").is_file()


@pytest.mark.parametrize("process", OTHERS)
def test_a_pad_that_a_process_has_no_rules_of_is_judged_as_far_as_it_can_be(
    process, tmp_path, crossstack
):
    path, layout = write(tmp_path, process, profile_names(process)[0], "array")
    tech = get_tech(process=process)
    plate = db.Box(-95_000, -5_000, -15_000, 75_000)
    for role, box in (("land", plate), ("pad", plate.enlarged(-5_000, -5_000))):
        layout.top_cell().shapes(layout.layer(*tech.gds(tech.roles.layer(role)))).insert(box)
    layout.write(str(path))
    ran = crossstack("tapeout", path, "--process", process, "--json")
    found = checks(ran)
    for name, reason in (
        ("seal ring", "describes no seal ring"),
        ("local density", "describes no window"),
        ("fill", "has no rule of the largest gap"),
    ):
        assert found[name][0] == "unknown"
        assert reason in found[name][1]
        assert process in found[name][1]
    assert found["density"][0] != "ok"
    assert "no identification cells" in found["id cells"][1]
    assert found["pad protection"][0] == "failed"
    assert ran.json["verdict"] == "not ready"


@pytest.mark.parametrize("process", OTHERS)
def test_a_monitor_in_a_process_that_draws_none_is_unknown(process, tmp_path, crossstack):
    path, layout = write(tmp_path, process, profile_names(process)[0], "array")
    tech = get_tech(process=process)
    top, cell = layout.top_cell(), layout.create_cell("kelvin_be")
    cell.shapes(layout.layer(*tech.gds(tech.roles.land))).insert(db.Box(0, 0, 5_000, 5_000))
    top.insert(db.CellInstArray(cell.cell_index(), db.Trans(-50_000, 0)))
    layout.write(str(path))
    found = checks(crossstack("tapeout", path, "--process", process, "--json"))
    assert found["probe plan"][0] == "unknown"
    assert f"process {process} has no rule" in found["probe plan"][1]
    asked = ("measure", "--plan", path, "--process", process, "-o", tmp_path)
    crossstack(*asked).fails(2, "--process", "how pads are drawn")


def test_readings_of_films_that_a_process_has_not_are_refused(tmp_path, crossstack):
    assert crossstack("measure", "--simulate", "-o", tmp_path, "-q").code == 0
    table = tmp_path / "readings.csv"
    asked = ("measure", "--readings", table, "-o", tmp_path / "o")
    of_other = "profile foundry", f"{table} was measured on stepper"
    crossstack(*asked, "--process", "sky130_reram").fails(2, *of_other)
    table.write_text(table.read_text().replace(",profile", "").replace(",stepper", ""))
    for process, told in (("sky130", "how pads are drawn"), ("sky130_reram", "film BE")):
        crossstack(*asked, "--process", process).fails(2, process, told)
