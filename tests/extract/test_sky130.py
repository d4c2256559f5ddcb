"""Wires of SKY130: every level with its own cuts, and ngspice agrees with the solver."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.cells.drawing import to_layout
from crossstack.extract import extract_network, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import network_drives, solve_network

TECH = get_tech(process="sky130")


def ohms(network, name):
    return network.resistor_ohm[network.resistor_layer == network.layers.index(name)]


@pytest.fixture(scope="module")
def macro():
    spec = ArraySpec(2, 2, top="macro", process="sky130")
    return extract_network(to_layout(build_top(spec).cell, TECH), TECH)


def test_every_level_has_its_own_cuts(macro):
    for name, ohm in (("via", 4.5), ("via2", 3.41), ("via3", 3.41), ("via4", 0.38), ("mcon", 9.3)):
        found = ohms(macro, name)
        # n cuts side by side are one resistance, and there is no other
        assert max(found) == pytest.approx(ohm), name
        assert np.allclose(ohm / found, np.round(ohm / found)), name


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_ngspice_finds_the_solvers_currents(macro, mode, ngspice, tmp_path):
    drives = network_drives(macro, mode, np.full((2, 2), 0.2))
    ours = solve_network(
        macro,
        conductances=np.full((2, 2, 2), 1e-4),
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=lambda w, l, p: np.where(
            p, np.vectorize(TECH.pfet.ron_ohm)(w), np.vectorize(TECH.nfet.ron_ohm)(w)
        ),
    )
    bench = write_spice(
        macro, TECH, tmp_path / "m.spice", memristor_ohm=1e4, gates=drives.gates,
        sources=drives.port_voltages,
    )  # fmt: skip
    currents = ngspice(bench)
    for pin in drives.outputs:
        assert currents[pin] == pytest.approx(ours.port_currents[pin], rel=1e-6, abs=1e-12)
