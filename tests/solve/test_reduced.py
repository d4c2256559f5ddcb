"""A network without its wires' inner nodes behaves like the whole one, and tells of all wires."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.base.errors import ConvergenceError
from crossstack.solve.circuit.iv import Limited, Sinh
from crossstack.solve.network import reduced as reduced_module
from crossstack.solve.network import whole
from crossstack.solve.network.alike import copies
from crossstack.solve.network.builder import NetworkBuilder
from crossstack.solve.network.linear import NetworkSolver, solve_network
from crossstack.solve.network.nonlinear import newton, solve_network_nonlinear
from crossstack.solve.network.reduced import reduced
from crossstack.solve.network.through import Throughs
from crossstack.solve.network.whole import solve_devices, solve_whole


def meshes(seed, side, spread, zeros):
    """A 2 x 2 array on meshes of wire, with transistors, dangling ends and pieces of no use."""
    rng = np.random.default_rng(seed)
    built = NetworkBuilder()

    def ohm():
        return 0.0 if rng.random() < zeros else 10.0 ** rng.uniform(-spread, spread)

    def mesh(name):
        nodes = np.array(
            [[built.node(f"{name}/{i}.{j}") for j in range(side)] for i in range(side)]
        )
        pairs = [(nodes[:, :-1], nodes[:, 1:]), (nodes[:-1], nodes[1:])]
        for a, b in pairs:
            for x, y in zip(a.ravel(), b.ravel(), strict=True):
                built.resistor(x, y, ohm(), layer="ME", net=name)
        built.resistor(nodes[0, 0], built.node(f"{name}/dangling"), 1.0, layer="ME", net=name)
        return nodes

    rows = [mesh(f"BR{i}") for i in range(2)]
    cols = [mesh(f"C{j}") for j in range(2)]
    mesh("adrift")
    for i in range(2):
        built.port(f"BR[{i}]", rows[i][0, 0])
        built.port(f"C[{i}]", cols[i][-1, -1])
        for j in range(2):
            inner = built.node(f"inner{i}{j}")
            built.switch(rows[i][j % side, -1], inner, f"BS[{j}]", w_um=1.0, l_um=0.28)
            built.memristor(0, i, j, inner, cols[j][0, i % side])
    return built.build()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 5), st.floats(0, 4), st.sampled_from([0.0, 0.2])
)  # fmt: skip
def test_pins_and_devices_see_the_same(seed, side, spread, zeros):
    network = meshes(seed, side, spread, zeros)
    found = reduced(network)
    assert found.network.n_nodes <= network.n_nodes
    for node, net in zip(found.network.resistor_a, found.network.resistor_net, strict=True):
        assert found.network.node_names[node].split("/")[0] == network.nets[net]
    common = {
        "conductances": np.full((1, 2, 2), 1e-3),
        "port_voltages": {"BR[0]": 0.2, "BR[1]": -0.1, "C[0]": 0.0, "C[1]": 0.0},
        "gates": {"BS[0]": True, "BS[1]": True},
        "switch_ohm": 300.0,
    }
    whole, small = (solve_network(n, **common) for n in (network, found.network))
    assert small.device_currents == pytest.approx(whole.device_currents, rel=1e-9, abs=1e-15)
    assert small.switch_currents == pytest.approx(whole.switch_currents, rel=1e-9, abs=1e-15)
    for pin, amps in whole.port_currents.items():
        assert small.port_currents[pin] == pytest.approx(amps, rel=1e-9, abs=1e-15)
    seen = found.spread(small.node_voltages)
    ends = np.concatenate([network.switch_a, network.switch_b, network.memristor_b])
    assert np.isfinite(seen[ends]).all()
    assert seen[ends] == pytest.approx(whole.node_voltages[ends], abs=1e-10)


def test_most_of_a_mesh_goes_and_the_work_is_done_once():
    network = meshes(1, 12, 1.0, 0.0)
    found = reduced(network)
    assert found.network.n_nodes < 0.3 * network.n_nodes
    assert reduced(network) is found
    # what nothing reads is gone, and is shown as unknown
    adrift = [k for k, name in enumerate(network.node_names) if name.startswith("adrift")]
    assert (found.place[adrift] < 0).all()
    assert np.isnan(found.spread(np.zeros(found.network.n_nodes))[adrift]).all()


def test_a_law_is_followed_in_the_whole_network():
    network = meshes(2, 6, 2.0, 0.1)
    law, siemens = Sinh(3.0), np.full((1, 2, 2), 1e-4)
    solved = solve_network_nonlinear(
        network,
        conductances=siemens,
        port_voltages={"BR[0]": 2.0, "BR[1]": 1.5, "C[0]": 0.0, "C[1]": 0.0},
        gates={"BS[0]": True, "BS[1]": True},
        switch_ohm=1e3,
        device=law,
    )
    wanted = law.current(siemens, solved.device_voltages)
    assert solved.device_currents == pytest.approx(wanted, rel=1e-9)
    assert len(solved.node_voltages) == network.n_nodes
    assert solved.kcl_residual < 1e-10


def test_a_mesh_of_many_neighbours_goes_as_a_whole_unless_its_ends_are_many():
    rng = np.random.default_rng(7)

    def solved(inner, ends):
        """A star of `ends` arms around a mesh in which every two nodes are joined."""
        built = NetworkBuilder()
        nodes = [built.node(f"BR0/{k}") for k in range(inner + ends)]
        for k in range(inner):
            for other in nodes[k + 1 : inner]:
                built.resistor(nodes[k], other, 10.0 ** rng.uniform(-3, 3), layer="ME", net="BR0")
        for j in range(ends):
            built.resistor(nodes[j % inner], nodes[inner + j], 1.0, layer="ME", net="BR0")
            built.port(f"C[{j}]", built.node(f"C{j}"))
            built.memristor(0, 0, j, nodes[inner + j], built.node(f"C{j}"))
        built.port("BR[0]", nodes[0])
        network = built.build()
        volts = {"BR[0]": 1.0, **{f"C[{j}]": 0.0 for j in range(ends)}}
        small = reduced(network).network
        both = [
            solve_network(n, conductances=np.full((1, 1, ends), 0.1), port_voltages=volts)
            for n in (network, small)
        ]
        assert both[1].device_currents == pytest.approx(both[0].device_currents, rel=1e-9)
        return small

    few = solved(40, 3)
    assert few.n_nodes == len(few.ports) + 3
    # of many ends, joining all with all would be more than the mesh is
    many = solved(26, 60)
    assert len(many.resistor_a) < 60 * 59 / 2


DRIVES = {"BR[0]": 0.2, "BR[1]": -0.1, "C[0]": 0.0, "C[1]": 0.0}


def same(found, wanted):
    """Voltages, currents and what floats are those of the whole network."""
    most = np.abs([*wanted.port_currents.values()]).max()
    for name in ("device_currents", "switch_currents", "resistor_currents"):
        got, want = getattr(found, name), getattr(wanted, name)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=name)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-9 * most, err_msg=name)
    np.testing.assert_allclose(found.node_voltages, wanted.node_voltages, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.device_voltages, wanted.device_voltages, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.floating_nodes, wanted.floating_nodes)
    assert found.floating == wanted.floating
    for pin, amps in wanted.port_currents.items():
        assert found.port_currents[pin] == pytest.approx(amps, rel=1e-8, abs=1e-9 * most)
    assert found.kcl_residual < 1e-9


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 5), st.floats(0, 3), st.sampled_from([0.0, 0.2]),
    st.booleans(), st.sampled_from([0.0, 1e-3]),
)  # fmt: skip
def test_wires_are_those_of_the_whole_network(seed, side, spread, zeros, on, last):
    network = meshes(seed, side, spread, zeros)
    siemens = np.full((1, 2, 2), 1e-3)
    siemens[0, 1, 1] = last  # behind a transistor that is off, a node that nothing drives
    given = {
        "conductances": siemens, "port_voltages": DRIVES, "switch_ohm": 300.0,
        "gates": {"BS[0]": True, "BS[1]": on},
    }  # fmt: skip
    same(solve_whole(network, **given), solve_network(network, **given))


@pytest.mark.parametrize("law", [Sinh(3.0), Limited(Sinh(3.0), 1e-4)])
@pytest.mark.parametrize("near", [False, True])
def test_a_law_is_followed_from_any_start(law, near):
    network = meshes(2, 6, 2.0, 0.1)
    given = {
        "conductances": np.full((1, 2, 2), 1e-4), "switch_ohm": 1e3,
        "port_voltages": {"BR[0]": 2.0, "BR[1]": 1.5, "C[0]": 0.0, "C[1]": 0.0},
        "gates": {"BS[0]": True, "BS[1]": True},
    }  # fmt: skip
    wanted = solve_network_nonlinear(network, device=law, **given)
    start = np.full(4, 1.5) if near else np.array([-5.0, 5.0, 0.0, 1e3])
    same(solve_whole(network, device=law, start=start, **given), wanted)
    few = solve_devices(network, device=law, **given)
    np.testing.assert_allclose(few.device_currents, wanted.device_currents, rtol=1e-9)


def test_an_ideal_switch_is_solved_with_the_wires():
    network = meshes(3, 3, 1.0, 0.0)
    given = {
        "conductances": np.full((1, 2, 2), 1e-3), "port_voltages": DRIVES,
        "gates": {"BS[0]": True, "BS[1]": True},
    }  # fmt: skip
    found, wanted = solve_whole(network, **given), solve_network(network, **given)
    np.testing.assert_array_equal(found.resistor_currents, wanted.resistor_currents)


def test_currents_that_do_not_add_up_are_refused(monkeypatch):
    network = meshes(4, 3, 1.0, 0.0)
    found = whole._injected
    monkeypatch.setattr(
        whole, "_injected", lambda *a: found(*a) * np.linspace(1, 1.1, a[0].n_nodes)
    )
    with pytest.raises(ConvergenceError, match="wires' currents"):
        solve_whole(
            network, conductances=np.full((1, 2, 2), 1e-3), port_voltages=DRIVES, switch_ohm=1.0,
            gates={"BS[0]": True, "BS[1]": True},
        )  # fmt: skip


def test_a_start_saves_newtons_steps():
    network = meshes(5, 3, 1.0, 0.0)
    volts = {"BR[0]": 2.0, "BR[1]": 1.5, "C[0]": 0.0, "C[1]": 0.0}
    solver = NetworkSolver(
        network, conductances=np.full((1, 2, 2), 1e-4), driven=volts, switch_ohm=1e3,
        gates={"BS[0]": True, "BS[1]": True},
    )  # fmt: skip
    first = newton(solver, Sinh(3.0), volts)
    assert "steps" in first.method
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    again = newton(solver, Sinh(3.0), volts, first.device_voltages[place])
    assert "steps" not in again.method
    np.testing.assert_allclose(again.device_currents, first.device_currents, rtol=1e-10)


def test_pieces_that_are_alike_are_found():
    network = meshes(1, 4, 0.0, 0.0)  # every resistor but the dangling ones has 1 ohm
    read = np.zeros(network.n_nodes, dtype=bool)
    kinds = copies(network, read)
    # two rows, two columns and a mesh adrift; four inner nodes without wires
    assert sorted(kind.nodes.shape for kind in kinds) == [(4, 1), (5, 17)]
    read[network.ports["C[1]"]] = True
    assert sorted(kind.nodes.shape for kind in copies(network, read)) == [(1, 17), (4, 1), (4, 17)]


def test_several_solutions_pass_the_meshes_as_each_alone():
    rng = np.random.default_rng(0)
    a, b = np.triu_indices(4, 1)
    a, b = np.concatenate([a, a + 10]), np.concatenate([b, b + 10])
    width = np.tile([1.0, 2.0, 1.0, 2.0, 1.0, 0.5], 2)
    kind = np.repeat([0, 1], 6)
    throughs, amps = Throughs(a, b, kind, width), rng.normal(size=(12, 3))
    both = throughs(amps)
    for k in range(3):
        np.testing.assert_allclose(throughs(amps[:, k]), both[:, k], rtol=1e-12)
    half = rng.permutation(np.arange(6, 12))
    np.testing.assert_allclose(throughs.part(half)(amps[half, 0]), both[half, 0], rtol=1e-12)
    assert (both >= np.abs(amps) - 1e-12).any()


def laplacian(count, a, b, siemens):
    found = np.zeros((count, count))
    for p, q, g in zip(a, b, siemens, strict=True):
        found[[p, q], [q, p]] -= g
        found[[p, q], [p, q]] += g
    return found


def seen_at(matrix, read):
    """What a mesh is to its read nodes: a Schur complement."""
    rest = np.setdiff1d(np.arange(len(matrix)), read)
    inner = np.linalg.solve(matrix[np.ix_(rest, rest)], matrix[np.ix_(rest, read)])
    return matrix[np.ix_(read, read)] - matrix[np.ix_(read, rest)] @ inner


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.0, 0.3, 2.0])
def test_nodes_may_go_by_rounds_over_all_or_by_pieces(seed, share, monkeypatch):
    """Several pieces, some without a node that may go, read nodes joined directly, too."""
    monkeypatch.setattr(reduced_module, "FEW", share)
    monkeypatch.setattr(reduced_module, "MOST_NEIGHBOURS", 3)
    rng = np.random.default_rng(seed)
    read = np.arange(8)
    a, b = [0, 2, 5], [1, 3, 7]
    for piece in range(3):
        nodes = 8 + 12 * piece + np.arange(12)
        a += [*nodes[1:], *rng.choice(nodes, 8 * (piece + 1)), *rng.choice(nodes, 4)]
        b += [*nodes[:-1], *rng.choice(nodes, 8 * (piece + 1)), *rng.choice(read, 4)]
    ends = np.array([a, b])
    a, b = ends[:, ends[0] != ends[1]]
    ohm = 10.0 ** rng.uniform(-2, 4, len(a))
    number, left, found = reduced_module.seen_of(44, a, b, ohm, read)
    want = seen_at(laplacian(44, a, b, 1 / ohm), read)
    small = laplacian(int(number.max()) + 1, *left, 1 / found)
    got = seen_at(small, number[read])
    np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-12 * np.abs(want).max())
    assert number.max() < 43
