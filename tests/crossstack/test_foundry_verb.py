"""`crossstack foundry` from the command line."""

import json

import klayout.db as db
import pytest

from crossstack.base.files import sha256
from crossstack.cells import to_layout
from crossstack.cli import run
from crossstack.generators import ArraySpec, build_top


@pytest.mark.usefixtures("wheels")
@pytest.mark.parametrize("damaged", [False, True])
def test_deck_on_a_macro(damaged, tmp_path, capfd):
    array = build_top(ArraySpec(rows=2, cols=3, top="macro", switch_wn_um=4.0, switch_wp_um=4.0))
    layout = to_layout(array.cell, array.tech)
    if damaged:
        layer = layout.layer(*array.tech.gds("Metal2"))
        layout.top_cell().shapes(layer).insert(db.Box(0, -1000, 200, 0))  # 0.20 um wide
    path = tmp_path / f"{array.cell.name}.gds"
    layout.write(str(path))
    code = run(["foundry", "drc", str(path), "--json"])
    found = json.loads(capfd.readouterr().out)
    assert found["shapes"] > 1000
    assert found["rules_run"] > 100
    kept = json.loads((tmp_path / f"{path.stem}_foundry_drc.json").read_text())
    assert kept == {"schema": 1, **found}
    assert kept["source"] == {path.name: sha256(path)}
    if damaged:
        assert code == 1
        assert "M2.1" in found["by_rule"]
    else:
        assert code == 0, found["by_rule"]
        assert found["violations"] == 0


def test_a_file_that_is_no_layout_is_one_line(tmp_path, capfd):
    bad = tmp_path / "bad.gds"
    bad.write_bytes(b"\x00\x06\x00\x02")
    assert run(["foundry", "drc", str(bad)]) == 3
    err = capfd.readouterr().err.strip().splitlines()
    assert len(err) == 1
    assert "bad.gds" in err[0]
