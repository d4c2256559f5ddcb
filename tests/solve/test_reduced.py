"""A network without its wires' inner nodes behaves like the whole one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.solve.circuit.iv import Sinh
from crossstack.solve.network.builder import NetworkBuilder
from crossstack.solve.network.linear import solve_network
from crossstack.solve.network.nonlinear import solve_network_nonlinear
from crossstack.solve.network.reduced import reduced


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
