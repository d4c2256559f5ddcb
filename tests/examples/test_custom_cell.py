"""The user's cell: proven, usable by its name everywhere, and found out when damaged."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import klayout.db as db
import numpy as np
import pytest

from crossstack.analyse.analysis import refusal
from crossstack.cells import Rect, draw_cell, register_cell, to_layout
from crossstack.cli import run
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import network_matrix


@pytest.mark.parametrize(
    ("profile", "macro"), [("stepper", False), ("aligner", False), ("stepper", True)]
)
def test_it_is_clean_matched_and_solved(example, tmp_path, capsys, profile, macro):
    arguments = ["--rows", "3", "--cols", "4", "--profile", profile, "--out", str(tmp_path)]
    arguments += ["--no-gdsfactory", *(["--macro"] if macro else [])]
    assert example("custom_cell").main(arguments) == 0
    printed = capsys.readouterr().out
    assert "DRC  0 violations" in printed
    assert "LVS  match (12 memristor_bottom, 12 memristor_top, " in printed
    (picture,) = tmp_path.glob("*.png")
    assert picture.stat().st_size > 10_000


def damaged(tech, *, cell, name, layer, **values):
    """The cell with the last rectangle of a layer changed: the strap gone, or TE's via moved."""
    good = cell(tech, **values)
    k = max(i for i, r in enumerate(good.rects) if r.layer == layer)
    rects = list(good.rects)
    if layer == "Metal5":
        del rects[k]
    else:
        r = rects[k]
        rects[k] = Rect(r.layer, r.x1 - 5, r.y1, r.x2 - 5, r.y2)
    netlist = replace(good.netlist, name=name)
    return replace(good, name=name, rects=tuple(rects), netlist=netlist)


@pytest.mark.parametrize(
    ("layer", "words"), [("Metal5", "LVS  NO MATCH"), ("VTE", "DRC  ")], ids=["strap", "via"]
)
def test_damage_is_found(example, tmp_path, capsys, layer, words):
    module, name = example("custom_cell"), f"damaged_{layer.lower()}"
    register_cell(name, partial(damaged, cell=module.cell_1t2r, name=name, layer=layer))
    assert not module.prove(ArraySpec(2, 2, name), tmp_path)
    printed = capsys.readouterr().out
    assert words in printed
    assert ("DRC  0 violations" in printed) == (layer == "Metal5")


def test_weights_add_behind_one_transistor(example):
    """Without wires a weight is the transistor in series with both devices together."""
    register_cell("cell_1t2r", example("custom_cell").cell_1t2r)
    spec = ArraySpec(3, 2, "cell_1t2r")
    network = extract(to_layout(build_top(spec).cell, spec.tech()), spec.tech()).network
    assert network.shape == ((0, 1), 3, 2)
    siemens = np.random.default_rng(1).uniform(1e-6, 1e-4, (2, 3, 2))
    series = {"switch_ohm": 700.0, "wires": False}
    ideal = network_matrix(network, siemens, series=series)
    np.testing.assert_allclose(ideal.matrix, 1 / (700 + 1 / siemens.sum(axis=0)).T, rtol=1e-9)
    drawn = network_matrix(network, siemens, series={"switch_ohm": 700.0})
    loss = 1 - drawn.matrix.sum() / ideal.matrix.sum()
    assert 1e-4 < loss < 0.02
    reason = refusal(network, "deep-net")
    assert reason is not None
    assert "row line" in reason


def test_the_command_line_knows_it_once_installed(example, tmp_path, monkeypatch, capfd):
    module = example("custom_cell")
    info = tmp_path / "my_cells-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_cells\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[crossstack.array_cells]\ncell_1t2r = {module.__name__}:cell_1t2r\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    code = run(["generate", "--rows", "2", "--cols", "2", "--cell", "cell_1t2r",
                "-o", str(tmp_path)])  # fmt: skip
    assert code == 0, capfd.readouterr().err
    name = "crossstack_cell_1t2r_2x2x2"
    assert {f"{name}.gds", f"{name}.spice"} <= {p.name for p in tmp_path.iterdir()}
    assert run(["generate", "--cell", "cell_1t3r", "-o", str(tmp_path)]) == 2
    assert "'cell_1t2r'" in capfd.readouterr().err


def test_gdsfactory_draws_the_same(example, tmp_path, capsys):
    gf = pytest.importorskip("gdsfactory")
    gf.CONF.cell_layout_cache = False
    module = example("custom_cell")
    assert module.main(["--rows", "2", "--cols", "2", "--out", str(tmp_path)]) == 0
    assert "gdsfactory: cell_1t2r with ports BR_E, BR_W" in capsys.readouterr().out
    tech = get_tech()
    ours = to_layout(draw_cell("cell_1t2r", tech), tech)
    theirs = gf.get_component("cell_1t2r", profile="stepper").kdb_cell
    for layer in tech.layers:
        a = db.Region(ours.top_cell().begin_shapes_rec(ours.layer(*layer.gds)))
        b = db.Region(theirs.begin_shapes_rec(theirs.layout().layer(*layer.gds)))
        assert (a ^ b).is_empty(), layer.name


def test_wrong_arguments_give_one_line(example, tmp_path, capsys):
    assert example("custom_cell").main(["--profile", "laser", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.strip().startswith("custom_cell: profile = 'laser'")
