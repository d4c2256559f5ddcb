"""`crossstack foundry` from the command line."""

import json
from dataclasses import replace

import klayout.db as db
import pytest

from crossstack.base.files import sha256
from crossstack.cells import to_layout
from crossstack.cli import run
from crossstack.drc import foundry
from crossstack.generators import ArraySpec, build_top


@pytest.mark.usefixtures("wheels")
def test_deck_on_a_damaged_macro(tmp_path, capfd, monkeypatch):
    """It finds the damage and nothing else; of the same report without it, the verdict is clean."""
    reports = []

    def kept(*args, **more):
        reports.append(run_deck(*args, **more))
        return reports[-1]

    run_deck = foundry.run_foundry_drc
    monkeypatch.setattr(foundry, "run_foundry_drc", kept)
    array = build_top(ArraySpec(rows=2, cols=3, top="macro", switch_wn_um=4.0, switch_wp_um=4.0))
    layout = to_layout(array.cell, array.tech)
    layer = layout.layer(*array.tech.gds("Metal2"))
    layout.top_cell().shapes(layer).insert(db.Box(0, -1000, 200, 0))  # 0.20 um wide
    path = tmp_path / f"{array.cell.name}.gds"
    layout.write(str(path))
    code, found = drc(path, capfd)
    assert code == 1
    assert found["shapes"] > 1000
    assert found["rules_run"] > 100
    assert set(found["by_rule"]) == {"M2.1"}
    (report,) = reports
    assert all(y < 0.1 for item in report.items for _, y in item.points)
    clean = replace(report, items=(), by_rule=dict.fromkeys(report.by_rule, 0))
    monkeypatch.setattr(foundry, "run_foundry_drc", lambda *args, **more: clean)
    code, without = drc(path, capfd)
    assert code == 0
    assert without == {**found, "violations": 0, "by_rule": {}}


def drc(path, capfd):
    """Run the command on a layout; return its code and what it printed, which it kept too."""
    code = run(["foundry", "drc", str(path), "--json"])
    found = json.loads(capfd.readouterr().out)
    kept = json.loads(path.with_name(f"{path.stem}_foundry_drc.json").read_text())
    assert kept == {"schema": 1, **found}
    assert kept["source"] == {path.name: sha256(path)}
    return code, found


def test_a_file_that_is_no_layout_is_one_line(tmp_path, capfd):
    bad = tmp_path / "bad.gds"
    bad.write_bytes(b"\x00\x06\x00\x02")
    assert run(["foundry", "drc", str(bad)]) == 3
    err = capfd.readouterr().err.strip().splitlines()
    assert len(err) == 1
    assert "bad.gds" in err[0]
