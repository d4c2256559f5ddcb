"""The matrix of a network against solves of the network itself."""

import numpy as np
import pytest

from crossstack import solve
from crossstack.solve import (
    DriveError,
    ModeError,
    NetworkSolver,
    effective_matrix,
    ir_drop,
    network_drives,
    network_matrix,
    port_matrix,
    solve_network,
)
from crossstack.solve.modes.drives import gates_for


def devices(network, rng):
    shape = (max(network.tiers) + 1, network.rows, network.cols)
    return np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), shape))


def solved(network, siemens, mode, inputs, series, **options):
    """Column currents by a solve of their own."""
    drives = network_drives(network, mode, inputs, **options)
    found = solve_network(
        network,
        conductances=siemens,
        port_voltages=drives.port_voltages,
        gates=gates_for(network, drives),
        **series,
    )
    return {pin: -found.port_currents[pin] for pin in drives.outputs}


SERIES = {"switch_ohm": 800.0, "switch_off_ohm": 1e9, "port_ohm": 50.0}


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ({}, (5, 3)),
        ({}, (2, 6)),  # fewer inputs than outputs: one solve per input
        ({"macro": True}, (3, 4)),
        ({"tiers": (0,), "select": False}, (4, 3)),
    ],
    ids=str,
)
def test_expansion_equals_solves(make_array, rng, kind, size):
    network = make_array(*size, **kind)
    siemens = devices(network, rng)
    found = network_matrix(network, siemens, series=SERIES)
    inputs = rng.uniform(-0.2, 0.2, (4, siemens.shape[0], size[0]))
    currents = found.currents(inputs.reshape(4, -1))
    assert currents.shape == (4, size[1])
    assert found.kcl_residual < 1e-9
    for x, amps in zip(inputs, currents, strict=True):
        one = solved(network, siemens, "expansion", x, SERIES)
        assert found.outputs == tuple(one)
        np.testing.assert_allclose(amps, list(one.values()), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.currents(inputs[0].reshape(-1)), currents[0], rtol=1e-12)


@pytest.mark.parametrize("macro", [False, True])
@pytest.mark.parametrize("tier", [0, 1])
def test_deep_net_equals_solves_and_keeps_the_write(make_array, rng, macro, tier):
    """What leaks from the write into the read columns is the offset, to the last digit."""
    network = make_array(4, 3, macro=macro)
    siemens = devices(network, rng)
    options = {"read_tier": tier, "write_column": 1, "write_data": [1, -0.5, 1, 1]}
    found = network_matrix(network, siemens, mode="deep-net", series=SERIES, **options)
    letter = "BT"[tier]
    assert found.inputs == tuple(f"{'IN_' if macro else ''}{letter}{'' if macro else 'R'}[{i}]"
                                 for i in range(4))  # fmt: skip
    assert [pin[-3:] for pin in found.outputs] == ["[0]", "[2]"]
    assert np.abs(found.offset).min() > 1e-12
    inputs = np.zeros((2, 4))
    inputs[tier] = rng.uniform(0, 0.2, 4)
    one = solved(network, siemens, "deep-net", inputs, SERIES, **options)
    wanted = [one[pin] for pin in found.outputs]
    np.testing.assert_allclose(found.currents(inputs[tier]), wanted, rtol=1e-9, atol=1e-16)


def test_it_is_the_matrix_of_the_crossbar_solver(make_array, rng):
    network = make_array(6, 4, select=False, r_row=30.0, r_col=20.0)
    siemens = devices(network, rng)
    wanted = effective_matrix(siemens, row_segments=30.0, column_segments=20.0, method="direct")
    np.testing.assert_allclose(network_matrix(network, siemens).matrix, wanted, rtol=1e-9)
    plain = network_matrix(network, siemens, series={"wires": False}).matrix
    np.testing.assert_allclose(plain, siemens.transpose(2, 0, 1).reshape(4, -1), rtol=1e-9)


def test_ports_are_checked_by_name(make_array):
    network = make_array(2, 2, select=False)
    solver = NetworkSolver(network, conductances=np.full((2, 2, 2), 1e-4), driven=network.ports)
    for inputs, outputs, fixed, words in (
        (["BR[7]"], ["C[0]"], {}, r"inputs: port 'BR\[7\]'"),
        (["BR[0]"], ["C[9]"], {}, r"outputs: port 'C\[9\]'"),
        (["BR[0]"], ["C[0]"], {"X": 1.0}, "fixed: port 'X'"),
        (["BR[0]", "BR[0]"], ["C[0]"], {}, "stands twice"),
        (["BR[0]"], ["C[0]", "BR[0]"], {}, "cannot be fixed or an output"),
        (["BR[0]"], ["C[0]"], {"BR[0]": 1.0}, "cannot be fixed or an output"),
    ):
        with pytest.raises(DriveError, match=words):
            port_matrix(solver, inputs, outputs, fixed)
    found = port_matrix(solver, ["BR[0]", "BR[1]"], ["C[0]"], {"TR[0]": 0.1})
    assert found.offset[0] == pytest.approx(1e-5, rel=1e-2)
    with pytest.raises(DriveError, match=r"\(3,\), expected \(..., 2\)"):
        found.currents([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="read-only"):
        found.matrix[0, 0] = 1.0


def test_every_public_name_can_be_had():
    """Also after its module was imported: none may carry its module's name."""
    for name in solve.__all__:
        assert type(getattr(solve, name)).__name__ != "module", name


def shared_rows(make_array):
    """Both tiers behind one transistor on BR, as a cell of a user's own may be."""
    b = solve.NetworkBuilder()
    for i in range(2):
        b.port(f"BR[{i}]", b.node(f"BR[{i}]"))
        for j in range(3):
            b.port(f"C[{j}]", b.node(f"C[{j}]"))
            b.switch(b.node(f"BR[{i}]"), b.node(f"x{i}{j}"), f"BS[{j}]", w_um=2.0, l_um=0.28)
            for tier in (0, 1):
                b.memristor(tier, i, j, b.node(f"x{i}{j}"), b.node(f"C[{j}]"))
    return b.build()


def test_tiers_that_share_row_lines(make_array, rng):
    network = shared_rows(make_array)
    siemens = devices(network, rng)
    found = network_matrix(network, siemens, series={"switch_ohm": 1000.0})
    assert found.inputs == ("BR[0]", "BR[1]")
    wanted = 1 / (1000.0 + 1 / siemens.sum(axis=0)).T
    np.testing.assert_allclose(found.matrix, wanted, rtol=1e-9)
    same = np.tile([0.1, 0.2], (2, 1))
    drop = ir_drop(network, siemens, same, switch_ohm=1000.0)
    assert drop.wires_only.worst_device < 1e-9
    np.testing.assert_allclose(drop.column_currents, found.currents(same[0]), rtol=1e-9)
    with pytest.raises(ModeError, match="inputs differ between the tiers"):
        network_drives(network, "expansion", [[0.1, 0.2], [0.1, 0.3]])
    with pytest.raises(ModeError, match="a row line for each tier"):
        network_drives(network, "deep-net", same)
