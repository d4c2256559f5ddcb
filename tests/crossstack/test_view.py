"""`view`: pictures from above, cuts, stacks; what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import klayout.db as db
import numpy as np
import pytest

from crossstack.commands.view import _QUIET, _WHOLE
from crossstack.glb import write_glb
from crossstack.pdk import get_tech

from .conftest import NAME

TECH = get_tech("stepper")


def test_view_draws_a_build(crossstack, built, tmp_path):
    picture = tmp_path / "array.png"
    ran = crossstack("view", built, "--png", "-o", picture, "--size", 300)
    assert ran.code == 0
    assert picture.stat().st_size > 3000


@pytest.fixture
def marked(built, tmp_path):
    """A build that breaks a rule once."""
    folder = tmp_path / "marked"
    shutil.copytree(built, folder)
    text = (folder / "drc.lyrdb").read_text()
    item = f"<items><item><category>'M2.1'</category><cell>{NAME}</cell><values/></item>"
    (folder / "drc.lyrdb").write_text(text.replace("<items>", item, 1))
    return folder


def test_view_opens_klayout_with_colours_and_markers(
    crossstack, built, marked, tmp_path, monkeypatch
):
    program = tmp_path / "klayout"
    program.write_text(
        f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done > {tmp_path}/args\n'
        f'cp "$4" {tmp_path}/lyt\ntest -s "$7"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert crossstack("view", marked).code == 0
    early, _, first, lyt, file, flag, lyp, *markers = (tmp_path / "args").read_text().split()
    # KLayout takes the technology for the files that follow it, and what it shows of them from
    # a script that runs before
    assert (early, first, file, flag) == ("-rm", "-nn", str(marked / f"{NAME}.gds"), "-l")
    assert f"<name>{TECH.name}</name>" in (tmp_path / "lyt").read_text()
    assert (lyt[-4:], lyp[-4:]) == (".lyt", ".lyp")
    assert markers[0] == "-rr"
    assert markers[2:] == ["-m", str(marked / "drc.lyrdb")]
    # the list of no markers would only hide the layout
    for without in ([marked, "--no-markers"], [built]):
        assert crossstack("view", *without).code == 0
        assert "-m" not in (tmp_path / "args").read_text().split()
    monkeypatch.setenv("PATH", "")
    crossstack("view", built).fails(3, "not installed", "--png")


@pytest.mark.parametrize(("display", "words"), [("", "no display"), (":9", "ended with code 6")])
def test_view_without_a_display_names_what_needs_none(
    crossstack, built, tmp_path, monkeypatch, display, words
):
    program = tmp_path / "klayout"
    program.write_text("#!/bin/sh\nexit 6\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", display)
    crossstack("view", built).fails(3, words, "use --png, --cross-section or --glb")


def test_all_levels_of_a_layout_are_shown(built, tmp_path, requires_program):
    """A KLayout without settings shows the top cell alone, of an array: the frames of its cells."""
    probe, out = tmp_path / "probe.py", tmp_path / "levels"
    setup = "pya.Application.instance().get_config('full-hierarchy-new-cell')"
    tell = f"print(pya.LayoutView.current().max_hier_levels, {setup}, file=open({str(out)!r}, 'a'))"
    probe.write_text(f"import pya\n{tell}\n{_WHOLE}\n{tell}\n")
    quiet = tmp_path / "quiet.py"
    quiet.write_text(_QUIET)
    klayout = [requires_program("klayout"), "-z", "-nc"]
    for first in ([], ["-rm", quiet]):
        subprocess.run(
            [*klayout, *first, built / f"{NAME}.gds", "-r", probe],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "KLAYOUT_HOME": str(tmp_path)},
            check=True,
            timeout=60,
        )
    # told before, no advice is needed on how to see the cells; the setting comes back
    assert out.read_text().split("\n")[:4] == ["1 false", "2 false", "2 true", "2 false"]


@pytest.mark.parametrize("cut", ["auto", "y=6.51", "x=3.0"])
def test_view_draws_a_cross_section(crossstack, built, tmp_path, cut):
    picture = tmp_path / "cut.svg"
    ran = crossstack("view", built, "--cross-section", cut, "-o", picture)
    assert ran.code == 0, ran.err
    titles = {
        t.text.split(":")[0] for t in ElementTree.parse(picture).iter() if t.tag.endswith("title")
    }
    assert {"pass_nitride, 5.230 um wide", "pass_nitride, 8.000 um wide"} & titles
    assert "Metal3" in titles


def texts(picture: Path) -> list[str]:
    return [t.text for t in ElementTree.parse(picture).iter() if t.tag.endswith("text")]


@pytest.mark.parametrize(
    ("cut", "where", "along", "ticks"),
    [
        ("y=6.51,x=5,width=6", "cut along x at y = 6.510 um, x = 2.000 .. 8.000 um", "x", "2 3 8"),
        ("x=3,y=5", "cut along y at x = 3.000 um, y = 1.000 .. 9.000 um", "y", "1 2 9"),
        ("x=3,width=30,y=4", "x = 3.000 um, y = -11.000 .. 19.000 um", "y", "-10 -5 0 15"),
        ("auto,width=0.5", " um, x = ", "x", ""),
    ],
)
def test_a_cross_section_says_where_it_is(crossstack, built, tmp_path, cut, where, along, ticks):
    picture = tmp_path / "cut.svg"
    ran = crossstack("view", built, "--cross-section", cut, "-o", picture)
    assert ran.code == 0, ran.err
    written = texts(picture)
    assert any(where in text for text in written), written
    assert f"{along} in um" in written
    assert set(ticks.split()) <= set(written)


def test_a_tick_stands_where_the_layout_says(crossstack, built, tmp_path):
    """The left edge of the middle electrode, read off the axis, is where the layout has it."""
    picture = tmp_path / "cut.svg"
    crossstack("view", built, "--cross-section", "y=6.51,x=5,width=6", "-o", picture)
    elements = list(ElementTree.parse(picture).iter())
    at = {
        float(e.text): float(e.get("x"))
        for e in elements
        if e.get("text-anchor") == "middle" and e.tag.endswith("text")
    }
    um_per_px = (8 - 2) / (at[8] - at[2])
    drawn = [e for e in elements if any((t.text or "").startswith("ME: ") for t in e)]
    read = sorted(2 + (float(e.get("x")) - at[2]) * um_per_px for e in drawn)
    layout = db.Layout()
    layout.read(str(built / f"{NAME}.gds"))
    cells = db.Region(layout.top_cell().begin_shapes_rec(layout.layer(*TECH.gds("ME"))))
    line = db.Region(db.DBox(2, 6.51, 8, 6.511).to_itype(layout.dbu))
    edges = sorted(p.bbox().left * layout.dbu for p in (cells.merged() & line).each())
    assert read == pytest.approx(edges, abs=0.01)
    assert edges


def test_layouts_without_memristors_are_cut_where_one_says(crossstack, tmp_path):
    layout = db.Layout()
    top = layout.create_cell("plain")
    top.shapes(layout.layer(*TECH.gds("Metal1"))).insert(db.DBox(10, 20, 30, 24))
    file, picture = tmp_path / "plain.gds", tmp_path / "cut.svg"
    layout.write(str(file))
    run = ("view", file, "-o", picture, "--cross-section")
    crossstack(*run, "auto").fails(2, "no memristor", "y=3.5")
    assert crossstack(*run, "y=21").code == 0
    assert any("y = 21.000 um, x = 16.000 .. 24.000 um" in text for text in texts(picture))
    assert crossstack(*run, "x=12,y=21,width=10").code == 0
    assert any("x = 12.000 um, y = 16.000 .. 26.000 um" in text for text in texts(picture))
    titles = [t.text for t in ElementTree.parse(picture).iter() if t.tag.endswith("title")]
    assert any(t.startswith("Metal1: ") and t.endswith("4.000 um wide") for t in titles)


def test_view_refuses(crossstack, built, tmp_path):
    crossstack("view", built, "--cross-section", "z=3", "-o", tmp_path / "a").fails(2, "y=3.5")
    crossstack("view", built, "--cross-section", "y=", "-o", tmp_path / "a").fails(2, "y=3.5")
    crossstack("view", built, "--cross-section", "y=300").fails(2, "y = 0 ..")
    crossstack("view", built, "--cross-section", "y=3,x=-2").fails(2, "x = 0 ..")
    crossstack("view", built, "--cross-section", "y=nan").fails(2, "y = 0 ..")
    crossstack("view", built, "--cross-section", "y=3,width=0").fails(2, "0.5 to 1000 um")
    for wrong in ("y=3,y=4", "width=9", "auto,x=3", "y=3,z=1", ""):
        crossstack("view", built, "--cross-section", wrong).fails(2, "allowed: ", "width=20")
    crossstack("view", built, "--png", "--glb").fails(2, "one")
    both = ("--markers", built / "drc.lyrdb", "--no-markers")
    crossstack("view", built, "--png", *both).fails(2, "--no-markers")
    crossstack("view", built, "-o", tmp_path / "a.png").fails(2, "--png")
    crossstack("view", built, "--png", "--stretch", 2).fails(2, "--stretch belongs to --glb")


@pytest.mark.parametrize("name", ["lvs.json", "report.html", f"{NAME}.lvsdb"])
@pytest.mark.parametrize("how", [["--png"], []])
def test_view_wants_markers_that_are_some(crossstack, built, tmp_path, monkeypatch, name, how):
    monkeypatch.chdir(tmp_path)
    ran = crossstack("view", built, *how, "--markers", built / name)
    ran.fails(3, f"{name} is not a marker database (.lyrdb)")


def test_view_refuses_a_marker_database_cut_short(crossstack, built, tmp_path):
    short = tmp_path / "short.lyrdb"
    short.write_bytes((built / "drc.lyrdb").read_bytes()[:2000])
    run = ("view", built, "--png", "-o", tmp_path / "a.png", "--markers", short)
    crossstack(*run).fails(3, "short.lyrdb is not a marker database (.lyrdb)")


@pytest.mark.parametrize(
    ("how", "ending"),
    [(["--png"], ".png"), (["--cross-section", "auto"], ".svg"), (["--glb"], ".glb")],
)
def test_a_picture_is_called_what_it_is_and_has_a_folder(crossstack, built, tmp_path, how, ending):
    for name in ("x.jpg", "x"):
        crossstack("view", built, *how, "-o", tmp_path / name).fails(2, name, f"writes {ending}")
    away = tmp_path / "nodir" / f"x{ending}"
    ran = crossstack("view", built, *how, "-o", away)
    ran.fails(2, f"cannot write {away}: no folder {away.parent}")
    assert not list(tmp_path.iterdir())


def test_view_writes_a_glb(crossstack, built, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    picture = tmp_path / "stack.glb"
    assert crossstack("view", built, "--glb", "-o", picture).code == 0
    scene = trimesh.load(picture)
    assert {"ME", "BE", "TE", "Metal1", "VTE"} <= set(scene.geometry)
    # the middle electrode is as thick as its film, and every mesh is closed and outward
    assert scene.geometry["ME"].extents[2] == pytest.approx(TECH.film("ME").thickness_um, rel=1e-4)
    for name, mesh in scene.geometry.items():
        mesh.merge_vertices(merge_norm=True)
        assert mesh.volume > 0, name


def test_a_glb_is_stretched_and_says_its_unit(crossstack, built, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    picture = tmp_path / "stack.glb"
    ran = crossstack("view", built, "--glb", "--stretch", 20, "-o", picture)
    assert ran.out.splitlines() == [str(picture), "  1 m in it is 1 um, heights x 20"]
    thickness = trimesh.load(picture).geometry["TIO2_B"].extents[2]
    assert thickness == pytest.approx(20 * TECH.film("TIO2_B").thickness_um, rel=1e-4)
    raw = picture.read_bytes()
    gltf = json.loads(raw[20 : 20 + int.from_bytes(raw[12:16], "little")])
    assert gltf["asset"]["extras"]["unit"] == "1 m in it is 1 um, heights x 20"


def test_a_glb_of_many_boxes_stays_small_and_whole(tmp_path):
    """More boxes than 16-bit numbers count: they are split, and none is lost."""
    trimesh = pytest.importorskip("trimesh")
    layout = db.Layout()
    via = layout.create_cell("via")
    via.shapes(layout.layer(*TECH.gds("Via1"))).insert(db.DBox(0, 0, 0.26, 0.26))
    top = layout.create_cell("top")
    step = db.DVector(0.6, 0), db.DVector(0, 0.6)
    top.insert(db.DCellInstArray(via, db.DTrans(), *step, 100, 170))
    layout.write(str(tmp_path / "vias.gds"))
    boxes = write_glb(tmp_path / "vias.gds", TECH, tmp_path / "vias.glb")
    assert boxes == 17_000
    assert (tmp_path / "vias.glb").stat().st_size < 150 * boxes
    pieces = trimesh.load(tmp_path / "vias.glb").geometry.values()
    assert sum(len(mesh.faces) for mesh in pieces) == 12 * boxes
    low, high = TECH.heights_um["IMD1"]
    volume = sum(mesh.volume for mesh in pieces)
    ends = np.array([mesh.bounds for mesh in pieces])
    thick = np.ptp(ends[:, :, 2])
    assert volume == pytest.approx(boxes * 0.26**2 * thick, rel=1e-3)
    assert 0 < thick <= high - low
    assert ends[:, 1, 1].max() == pytest.approx(169 * 0.6 + 0.26)
