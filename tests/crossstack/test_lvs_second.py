"""`crossstack lvs --second magic`."""

from __future__ import annotations

import json
import shutil

import klayout.db as db
import pytest

from crossstack.lvs import magic
from crossstack.pdk import get_tech

from .conftest import COLS, NAME, ROWS


@pytest.mark.requires_program("magic")
def test_a_build_and_a_cut_line(crossstack, built, tmp_path):
    for suffix in ("gds", "spice"):
        shutil.copy(built / f"{NAME}.{suffix}", tmp_path)
    gds = tmp_path / f"{NAME}.gds"
    netlist = tmp_path / f"{NAME}.spice"
    ran = crossstack("lvs", gds, "--netlist", netlist, "--second", "magic", "--json")
    assert ran.code == 0
    found = ran.json["second"]
    assert found["agrees"]
    assert found["devices"]["memristor_top"] == {"ours": ROWS * COLS, "theirs": ROWS * COLS}
    shown = crossstack("lvs", gds, "--netlist", netlist, "--second", "magic").out
    assert "magic 8" in shown
    assert "agrees" in shown
    layout = db.Layout()
    layout.read(str(gds))
    layout.top_cell().flatten(True)
    metal = layout.top_cell().shapes(layout.layer(*get_tech().gds("Metal4")))
    region = db.Region(metal)
    middle = region.bbox().center().x
    rest = region - db.Region(db.Box(middle, -(10**6), middle + 300, 10**6))
    metal.clear()
    metal.insert(rest)
    layout.write(str(gds))
    damaged = crossstack("lvs", gds, "--netlist", netlist, "--second", "magic", "--json")
    assert damaged.code == 1
    assert not damaged.json["match"]
    assert damaged.json["second"]["agrees"]
    assert damaged.json["second"]["nets"]["theirs"] > found["nets"]["theirs"]


def test_magic_that_is_missing_is_one_line(crossstack, built, tmp_path, monkeypatch):
    monkeypatch.setattr(magic.shutil, "which", lambda name: None)
    gds, netlist = built / f"{NAME}.gds", built / f"{NAME}.spice"
    ran = crossstack("lvs", gds, "--netlist", netlist, "--second", "magic", "-o", tmp_path)
    ran.fails(3, "magic is not installed")


@pytest.mark.requires_program("magic")
def test_a_disagreement_is_a_finding(crossstack, built, tmp_path, monkeypatch):
    """Even where the netlist matches."""
    whole = magic.run_magic

    def deaf(*args, **options):
        found = whole(*args, **options)
        return magic.MagicNetlist(found.nets[1:], (), {}, found.version, found.seconds)

    monkeypatch.setattr("crossstack.lvs.second.run_magic", deaf)
    gds, netlist = built / f"{NAME}.gds", built / f"{NAME}.spice"
    ran = crossstack(
        "lvs", gds, "--netlist", netlist, "--second", "magic", "-o", tmp_path, "--json"
    )
    assert ran.code == 1
    assert not ran.json["match"]
    assert not ran.json["second"]["agrees"]
    differences = ran.json["second"]["differences"]
    assert differences
    assert ran.json["errors"] == differences
    assert [f["kind"] for f in ran.json["findings"]] == ["second"] * len(differences)
    kept = json.loads((tmp_path / f"{NAME}_lvs.json").read_text())
    assert not kept["match"]
    shown = crossstack("lvs", gds, "--netlist", netlist, "--second", "magic", "-o", tmp_path)
    assert "NO match" in shown.out.splitlines()[0]
    assert ": match" not in shown.out
