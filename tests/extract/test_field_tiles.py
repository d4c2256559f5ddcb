"""Capacitance from the field, tile by tile, against the field of the whole."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import klayout.db as db
import numpy as np
import pytest
from labelled import drawing

from crossstack.extract import net_capacitance
from crossstack.extract.field import tiles
from crossstack.extract.field.bodies import Bodies, net_label
from crossstack.extract.field.known import known, remember, scene_key
from crossstack.extract.field.maxwell import maxwell
from crossstack.extract.nets.naming import memristor_places, net_names
from crossstack.lvs import extract_layout
from crossstack.pdk import CrossStackError, ParameterError, get_tech

TECH = get_tech()
LINES = (
    # high up and alone, where fields reach far
    ("Metal5", (130, 370, 6130, 970), "A"),
    ("Metal5", (130, 1370, 6130, 1970), "B"),
    ("Metal4", (2630, -1630, 3430, 2870), "D"),
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("crossstack.extract.field.known._solved", {})


def test_tiles_add_up_to_the_field_of_the_whole() -> None:
    layout = extract_layout(drawing(*LINES), TECH)
    found = net_capacitance(layout, TECH, engine="field")
    bodies = Bodies(layout, TECH)
    nets, whole = maxwell(bodies.scene(bodies.bbox.enlarged(30000, 30000), air_um=30.0))
    names = net_names(layout.flat, memristor_places(layout.flat)[0])
    at = {names[net.number]: nets.index(net_label(net.number)) for net in layout.flat.nets}
    assert set(found) == {"A", "B", "D"}
    for name, one in found.items():
        own = whole[at[name], at[name]]
        assert one.total_f == pytest.approx(own, rel=0.01, abs=0)
        for other, value in one.coupling_f.items():
            assert value == found[other].coupling_f[name]
            assert value == pytest.approx(-whole[at[name], at[other]], rel=0.05, abs=0.01 * own)
    # the formula does not see that the lines stand in the field of each other
    assert found["A"].coupling_f["B"] > 0.1 * found["A"].total_f


def keys(layout: db.Layout) -> dict[tuple[int, int, int, int], str]:
    """Tile -> what its neighbourhood is known by."""
    extracted = extract_layout(layout, TECH)
    bodies = Bodies(extracted, TECH)
    made, found = tiles.Tiles(bodies), {}
    for box in tiles.tile_boxes(extracted, bodies):
        tile = made.at(box)
        if tile is not None:
            key = scene_key(tile.scene, tiles.SPACING, tile.focus, tile.nets)
            found[box.left, box.bottom, box.right, box.top] = key
    return found


def test_what_tiles_count_covers_all_of_the_plane_once() -> None:
    layout = extract_layout(drawing(*LINES), TECH)
    bodies = Bodies(layout, TECH)
    made, boxes = tiles.Tiles(bodies), tiles.tile_boxes(layout, bodies)
    counted = [made.at(box).focus for box in boxes]
    whole = sum(boxes, db.Box()).to_dtype(TECH.dbu_um)
    area = (whole.width() + 2 * tiles.BEYOND_UM) * (whole.height() + 2 * tiles.BEYOND_UM)
    assert len(boxes) > 1
    assert sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in counted) == pytest.approx(area, abs=1e-6)


def test_a_larger_array_has_no_more_neighbourhoods_to_solve(draw: Callable[..., db.Layout]) -> None:
    small, large = keys(draw(12, 12, "passive_planar")), keys(draw(12, 16, "passive_planar"))
    assert len(large) > len(small)
    assert len(set(large.values())) == len(set(small.values())) < len(small)


def test_an_edit_by_hand_changes_what_is_near_it_only(
    draw: Callable[..., db.Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "FEW", 0)  # the narrowest sight everywhere
    layout = draw(4, 4, "passive")
    before = keys(layout)
    edit = db.Box(500, 500, 800, 800)
    layout.top_cell().shapes(layout.layer(*TECH.gds("Metal1"))).insert(edit)
    after = keys(layout)
    reach = round(tiles.SIGHTS[-1].margin_um / TECH.dbu_um)
    changed = [db.Box(*at) for at, key in after.items() if before[at] != key]
    assert changed
    assert all(edit.enlarged(reach, reach).touches(box) for box in changed)
    assert len(changed) < len(before)


def test_every_net_has_its_own(draw: Callable[..., db.Layout], monkeypatch) -> None:
    """Electrodes behind transistors, too, and the net that happens to be the first."""
    monkeypatch.setattr(tiles.Tile, "energies_f", lambda t, *_: 1e-15 * np.eye(len(t.nets)))
    layout = extract_layout(draw(2, 2), TECH)
    found = net_capacitance(layout, TECH, engine="field")
    assert len(found) == len(layout.flat.nets)
    assert {"BE[1][0]", "TE[0][1]", "TR[0]", "TS[1]", "C[0]", "VSS"} <= set(found)
    assert found["TS[0]"].gate_f == pytest.approx(2 * 2.0 * 1.505e-15, abs=0)
    assert set(net_capacitance(layout, TECH, nets=["C*"], engine="field")) == {"C[0]", "C[1]"}


def test_what_was_solved_is_not_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("solved again")

    layout = drawing(("Metal1", (0, 0, 600, 600), "A"))
    first = net_capacitance(layout, TECH, engine="field")
    monkeypatch.setattr(tiles, "solve_fields", never)
    assert net_capacitance(layout, TECH, engine="field") == first
    monkeypatch.setattr("crossstack.extract.field.known._solved", {})  # from the files
    assert net_capacitance(layout, TECH, engine="field") == first


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_spoilt_file_is_no_answer(content: bytes, tmp_path: Path) -> None:
    remember("ab12", np.eye(2))
    [path] = (tmp_path / "cache").rglob("*.npy")
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossstack.extract.field.known._solved", {})
        assert known("ab12", 2) is None
    assert known("ab12", 2) is not None


def test_a_folder_that_cannot_be_written_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    remember("cd34", np.eye(3))
    assert known("cd34", 3) is not None
    assert known("ef56", 3) is None


def test_without_a_compiler_there_is_no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crossstack.extract.field.tiles", None)
    with pytest.raises(CrossStackError, match="needs numba"):
        net_capacitance(drawing(LINES[0]), TECH, engine="field")


def test_engines_are_named() -> None:
    with pytest.raises(ParameterError, match="formula, field"):
        net_capacitance(drawing(LINES[0]), TECH, engine="guess")
