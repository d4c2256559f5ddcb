"""ngspice on the written netlist against our own solver."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.extract import extract_network, write_spice
from crossstack.pdk import ParameterError, get_tech
from crossstack.solve import network_drives, solve_network

TECH = get_tech()


def ron(w_um, l_um, is_p):
    return np.vectorize(TECH.nfet.ron_ohm)(w_um)


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
@pytest.mark.parametrize(("rows", "cols"), [(2, 3), (6, 5)])
def test_column_currents_agree_with_ngspice(draw, ngspice, tmp_path, rows, cols, mode) -> None:
    network = extract_network(draw(rows, cols), TECH)
    rng = np.random.default_rng(rows)
    ohm = rng.uniform(1e4, 1e6, (2, rows, cols))
    drives = network_drives(network, mode, rng.uniform(0, 0.2, (2, rows)))
    ours = solve_network(
        network,
        conductances=1 / ohm,
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=ron,
    )
    bench = write_spice(
        network,
        TECH,
        tmp_path / "bench.spice",
        memristor_ohm=ohm,
        gates=drives.gates,
        sources=drives.port_voltages,
    )
    currents = ngspice(bench)
    for pin in drives.outputs:
        assert currents[pin] == pytest.approx(ours.port_currents[pin], rel=1e-6, abs=1e-15)


def test_unknown_pin_is_named(draw, tmp_path) -> None:
    network = extract_network(draw(1, 1), TECH)
    with pytest.raises(ParameterError, match=r"TR\[9\]"):
        write_spice(network, TECH, tmp_path / "x.spice", sources={"TR[9]": 0.1})
