"""Nets that are no lines with taps in the tile engine: straps, folded transistors, macros."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.base.errors import NetworkFileError
from crossstack.cells import to_layout
from crossstack.extract import extract, save_array
from crossstack.extract.array import tile
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import ParameterError
from crossstack.solve import gates_for, network_drives, solve_network

FOLDED = {"select_fingers": 2, "select_w_um": 4.0}


def layout_of(rows: int, cols: int, **values):
    array = build_top(ArraySpec(rows, cols, **values))
    return to_layout(array.cell, array.tech), array.tech


def solved(network, mode: str):
    """Solve a network with devices at random; returns voltages and currents."""
    tiers = len(network.tiers)
    ohm = np.random.default_rng(3).uniform(1e4, 1e5, (tiers, network.rows, network.cols))
    drives = network_drives(network, mode, np.full((tiers, network.rows), 0.2))
    found = solve_network(
        network, conductances=1 / ohm, port_voltages=drives.port_voltages,
        gates=gates_for(network, drives), switch_ohm=lambda w, l, p: 1400.0 / w,
    )  # fmt: skip
    return found.device_voltages, np.array([found.port_currents[p] for p in drives.port_voltages])


@pytest.mark.parametrize(
    "values",
    [
        {"strap": True},
        # a tap of the column that both tiers stand on
        FOLDED,
        {"strap": True, "select_fingers": 3, "select_w_um": 6.0, "profile": "aligner"},
        {"strap": True, "cell": "planar", **FOLDED},
    ],
    ids=["strap", "folded", "both", "planar"],
)
@pytest.mark.parametrize("size", [(7, 5), (8, 8)])
def test_arrays_equal_the_flat_engine(size, values) -> None:
    source = layout_of(*size, **values)
    tiled, flat = (extract(*source, engine=engine) for engine in ("tile", "flat"))
    assert tiled.report.warnings == flat.report.warnings == []
    assert tiled.array is not None
    assert len(tiled.network.switch_a) == len(flat.network.switch_a)
    for mode in ("expansion", "deep-net")[: len(flat.network.tiers)]:
        for one, other in zip(solved(tiled.network, mode), solved(flat.network, mode), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9 * np.abs(other).max())


@pytest.mark.parametrize(
    "values", [{"strap": True, **FOLDED}, {"kelvin": True}], ids=["strap-folded", "kelvin"]
)
def test_macros_equal_the_flat_engine(values) -> None:
    source = layout_of(2, 3, top="macro", **values)
    tiled, flat = (extract(*source, engine=engine).network for engine in ("tile", "flat"))
    assert len(tiled.switch_a) == len(flat.switch_a)
    for mode in ("expansion", "deep-net"):
        for one, other in zip(solved(tiled, mode), solved(flat, mode), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9 * np.abs(other).max())


def test_what_is_too_large_for_a_network(monkeypatch, tmp_path) -> None:
    strapped = extract(*layout_of(3, 3, strap=True), engine="tile").array
    with pytest.raises(NetworkFileError, match="of this array 3 columns are kept piece by piece"):
        save_array(strapped, tmp_path / "a.npz")
    monkeypatch.setattr(tile, "MOST_CELLS", 8)
    for values in ({"strap": True}, FOLDED):
        with pytest.raises(ParameterError, match="straps and folded transistors need at most"):
            extract(*layout_of(3, 3, **values), engine="tile")
    monkeypatch.undo()
    # a plain array is not said to have straps or folded transistors
    plain = extract(*layout_of(128, 128), engine="tile").array
    with pytest.raises(NetworkFileError, match=r"of this array 128 row lines are .* by rounding"):
        save_array(plain, tmp_path / "a.npz")
    monkeypatch.setattr(tile, "MOST_CELLS", 8)
    # of a macro, lines are cut at the array's edge: as near as that comes
    source = layout_of(3, 2, top="macro")
    tiled, flat = (extract(*source, engine=engine).network for engine in ("tile", "flat"))
    for one, other in zip(solved(tiled, "deep-net"), solved(flat, "deep-net"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())
