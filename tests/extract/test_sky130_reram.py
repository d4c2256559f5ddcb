"""Wires of SKY130 with its own ReRAM: two vias in one, every engine, ngspice, BSIM."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.cells.drawing import to_layout
from crossstack.extract import extract_network, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import network_drives, solve_network

TECH = get_tech(process="sky130_reram")
ROWS, COLS = 3, 2


@pytest.fixture(scope="module", params=["array", "macro"])
def layout(request):
    spec = ArraySpec(ROWS, COLS, "planar", top=request.param, process="sky130_reram")
    return to_layout(build_top(spec).cell, TECH)


def solved(network):
    drives = network_drives(network, "expansion", np.full((1, ROWS), 0.2))
    found = solve_network(
        network,
        conductances=np.full((1, ROWS, COLS), 1e-4),
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=lambda w, l, p: np.where(
            p, np.vectorize(TECH.pfet.ron_ohm)(w), np.vectorize(TECH.nfet.ron_ohm)(w)
        ),
    )
    return drives, found.port_currents


def test_a_via_is_two_and_one_under_film_is_none(layout):
    network = extract_network(layout, TECH, engine="flat")
    ohm = network.resistor_ohm[network.resistor_layer == network.layers.index("via_metal")]
    assert max(ohm) == pytest.approx(9.0)
    assert network.memristor_area_um2 == pytest.approx(np.full(ROWS * COLS, 0.1024))
    assert sorted(zip(network.memristor_row, network.memristor_col, strict=True)) == [
        (i, j) for i in range(ROWS) for j in range(COLS)
    ]


def test_tile_and_flat_find_the_same(layout):
    flat, tile = (
        solved(extract_network(layout, TECH, engine=engine)) for engine in ("flat", "tile")
    )
    for pin in flat[0].outputs:
        assert tile[1][pin] == pytest.approx(flat[1][pin], rel=1e-9)


def test_the_tile_engine_names_the_columns_film(layout):
    assert "met2" in extract_network(layout, TECH, engine="tile").layers
    assert "ME" not in extract_network(layout, TECH, engine="tile").layers


def test_ngspice_finds_the_solvers_currents(layout, ngspice, tmp_path):
    network = extract_network(layout, TECH)
    drives, ours = solved(network)
    bench = write_spice(
        network, TECH, tmp_path / "a.spice", memristor_ohm=1e4, gates=drives.gates,
        sources=drives.port_voltages,
    )  # fmt: skip
    currents = ngspice(bench)
    for pin in drives.outputs:
        assert currents[pin] == pytest.approx(ours[pin], rel=1e-6)
