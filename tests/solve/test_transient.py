"""Networks with capacitors over time, against circuits that have a formula and direct solves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossstack.base.errors import ConvergenceError
from crossstack.solve import NetworkBuilder, Sinh, load_network, save_network
from crossstack.solve.circuit.iv import Cubic, Odd, Table
from crossstack.solve.network.linear import NetworkSolver
from crossstack.solve.network.nonlinear import solve_network_nonlinear
from crossstack.solve.network.transient import RcNetwork
from crossstack.solve.network.waves import Watch, settled_s

from .conftest import build_array

NONE = np.zeros((0, 2), dtype=np.int64)


def one_rc(ohm: float) -> NetworkSolver:
    """in - R - n, and a second port that takes nothing."""
    b = NetworkBuilder()
    b.resistor(b.node("in"), b.node("n"), ohm, layer="M", net="x", width_um=1)
    b.port("in", b.node("in"))
    return NetworkSolver(b.build(), conductances=np.zeros((1, 0, 0)), driven=["in"])


@pytest.mark.parametrize("over", [0.01, 0.3, 1.0, 5.0, 50.0])
@pytest.mark.parametrize("low", [0.0, -0.4])
def test_a_capacitor_is_charged_as_the_formula_says(over, low):
    """Source, R, C, a ramp of T = over RC: charge, energy, voltage over time."""
    ohm, farad, high = 2e3, 5e-15, 1.2
    tau = ohm * farad
    T, step = over * tau, high - low
    net = RcNetwork(one_rc(ohm), [(1, None, farad)])
    watch = Watch((), np.array([[0, 1]]), 2.0**-11)
    waves = net.run({"in": low}, {"in": high}, T, watch)
    assert waves.coulombs[-1, 0] == pytest.approx(farad * step, rel=1e-3)
    lost = farad * step**2 * (tau / T) * (1 - tau / T * (1 - math.exp(-T / tau)))
    stored = 0.5 * farad * (high**2 - low**2)
    assert waves.joules[-1, 0] == pytest.approx(stored + lost, rel=2e-3)
    assert waves.joules_until(1.0)[0] == pytest.approx(waves.joules[-1, 0])
    # the current falls from its largest by e each tau once the source stands
    falls = waves.seconds >= T
    peak = step / T * farad * (1 - math.exp(-T / tau))
    wanted = peak * np.exp(-(waves.seconds[falls] - T) / tau)
    assert waves.amps[falls, 0] == pytest.approx(wanted, abs=2e-4 * step / ohm)
    rest = np.array([[0.0]]) if over > 20 else waves.probes / step
    if over <= 1.0:
        late = settled_s(waves.seconds, rest, 2.0**-11)
        until = tau * math.log(tau / T * (math.exp(T / tau) - 1) * 2**11)
        assert late == pytest.approx(until, rel=2e-3)


def rc_array(select=True):
    """A 3 x 2 x 2 array with random capacitors: network, options of a read."""
    network = build_array(3, 2, select=select)
    rng = np.random.default_rng(5)
    n = network.n_nodes
    ground = [(int(k), None, float(f)) for k, f in enumerate(rng.uniform(1e-15, 9e-15, n))]
    pairs = [(*map(int, rng.choice(n, 2, replace=False)), 4e-16) for _ in range(n)]
    siemens = rng.uniform(2e-5, 1e-4, (2, 3, 2))
    ports = {pin: 0.0 for pin in network.ports if pin[0] == "C"}
    ports |= {pin: 0.3 for pin in network.ports if pin[:2] in ("TR", "BR")}
    gates = dict.fromkeys(network.gate_nets, True)
    return network, [*ground, *pairs], siemens, ports, gates


@pytest.mark.parametrize(
    "law",
    [Sinh(3.0), Odd(2.1), Cubic(), Table([(0.1, 1.2e-5), (0.5, 9e-5)], 1e4)],
    ids=lambda law: type(law).__name__,
)
def test_any_law_comes_to_rest_where_the_static_solution_is(law):
    network, capacitors, siemens, ports, gates = rc_array()
    options = {"conductances": siemens, "gates": gates, "switch_ohm": 900.0}
    solver = NetworkSolver(network, driven=ports, method="direct", **options)
    edges = solver.edges

    def flow(volts):
        over = volts[edges.a] - volts[edges.b]
        amps, slope = edges.g * over, edges.g.copy()
        d, own = edges.devices, edges.g[edges.devices]
        amps[d], slope[d] = law.current(own, over[d]), law.slope(own, over[d])
        return amps, slope, slope

    net = RcNetwork(solver, capacitors, flow)
    wanted = solve_network_nonlinear(network, port_voltages=ports, device=law, **options)
    pins = tuple(ports)
    idle = dict.fromkeys(ports, 0.0)
    waves = net.run(idle, ports, 1e-12, Watch(pins, NONE, 2.0**-11))
    static = [wanted.port_currents[pin] for pin in waves.ports]
    assert waves.after == pytest.approx(static, rel=1e-6, abs=1e-12)
    assert waves.amps[-1] == pytest.approx(static, rel=1e-3, abs=1e-8)
    # all that came in by the sources stands on the capacitors to ground
    volts = net.rest(net.held(ports), net.rest(net.held(idle)))[solver.circuit.group]
    stored = sum(f * volts[a] for a, b, f in capacitors if b is None)
    assert waves.coulombs[-1].sum() == pytest.approx(stored, rel=2e-3)
    # and back again, with nothing left
    back = net.run(ports, idle, 1e-12, Watch(pins, NONE, 2.0**-11))
    assert back.coulombs[-1].sum() == pytest.approx(-stored, rel=2e-3)


def test_elmore_is_the_first_moment_of_the_response():
    """Of a linear network: the integral of what a voltage lacks, over its step."""
    network, capacitors, siemens, ports, gates = rc_array()
    solver = NetworkSolver(
        network, conductances=siemens, driven=ports, gates=gates, switch_ohm=900.0, method="direct"
    )
    net = RcNetwork(solver, capacitors)
    pairs = np.stack([network.memristor_a, network.memristor_b], axis=1).astype(np.int64)
    idle = dict.fromkeys(ports, 0.0)
    delays = net.elmore_s(idle, ports, pairs)
    waves = net.run(idle, ports, 1e-16, Watch(tuple(ports), pairs, 2.0**-14))
    lacks = np.trapezoid(1.0 - waves.probes / waves.probes_after, waves.seconds, axis=0)
    assert delays == pytest.approx(lacks, rel=5e-3)
    assert (delays > 0).all()


def test_what_is_not_followed_far_enough_is_refused():
    seconds, off = np.array([0.0, 1.0, 2.0]), np.array([[1.0], [0.5], [0.25]])
    assert settled_s(seconds, off, 0.5**0.5) == pytest.approx(0.5)
    with pytest.raises(ConvergenceError, match="has not settled"):
        settled_s(seconds, off, 0.1)


def test_capacitors_are_kept_in_the_file(tmp_path):
    from dataclasses import replace

    network = build_array(2, 2)
    kept = replace(
        network, capacitor_a=np.array([0, 1], np.int32), capacitor_b=np.array([-1, 4], np.int32),
        capacitor_f=np.array([1e-15, 2e-15]),
    )  # fmt: skip
    found = load_network(save_network(kept, tmp_path / "c.npz"))
    assert [*found.capacitors] == [(0, None, 1e-15), (1, 4, 2e-15)]
    plain = load_network(save_network(network, tmp_path / "r.npz"))
    assert not [*plain.capacitors]
