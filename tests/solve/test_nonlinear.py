import numpy as np
import pytest
from scipy.optimize import brentq

from crossstack.solve import (
    ConvergenceError,
    Cubic,
    DriveError,
    InputError,
    NetworkBuilder,
    Sinh,
    SquareLaw,
    network_drives,
    prepare_crossbar,
    solve_crossbar,
    solve_crossbar_nonlinear,
    solve_network,
    solve_network_nonlinear,
)
from crossstack.solve.circuit.iv import Limited, Linear, Odd, Table
from crossstack.solve.network.network import NO_SUPPLY_V

WIRES = {"row_segments": 3.0, "column_segments": 2.0}
SWITCH = SquareLaw(k_n=3e-4, k_p=8e-5, vth_n=0.7, vth_p=0.8, gate_high=3.3, off_ohm=1e10)


def devices(rng, *shape):
    return 1 / np.exp(rng.uniform(np.log(3e3), np.log(3e5), shape))


def b_source(law, g, a, b):
    """The device's law as an ngspice expression of v(a, b)."""
    g = float(g)
    if isinstance(law, Sinh):
        return f"{g / law.b!r}*sinh({law.b!r}*v({a},{b}))"
    a3 = 1.18 * g + 6596 * g * g + 1.605e-3 * law.temperature_c**-1.33
    return f"{g!r}*v({a},{b})+{a3!r}*v({a},{b})*v({a},{b})*v({a},{b})"


@pytest.mark.parametrize("law", [Sinh(3.0), Sinh(2.717), Cubic()])
@pytest.mark.parametrize("read", [0.2, 0.6])
def test_crossbar_agrees_with_ngspice_b_sources(rng, ngspice, law, read):
    T, n, m = 2, 3, 4
    G = devices(rng, T, n, m)
    v = rng.uniform(0, read, (T, n))
    row = lambda t, i, j: f"n{(t * n + i) * m + j}"  # noqa: E731
    col = lambda i, j: f"n{T * n * m + i * m + j}"  # noqa: E731
    lines, fixed, count = [], {}, T * n * m + n * m
    for t in range(T):
        for i in range(n):
            fixed[1000 + t * n + i] = v[t, i]
            before = f"n{1000 + t * n + i}"
            for j in range(m):
                lines.append(f"rw{t}{i}{j} {before} {row(t, i, j)} 3")
                before = row(t, i, j)
                law_text = b_source(law, G[t, i, j], before, col(i, j))
                lines.append(f"bd{t}{i}{j} {before} {col(i, j)} i={law_text}")
    for i in range(n):
        below = [col(i + 1, j) if i < n - 1 else "0" for j in range(m)]
        lines += [f"rb{i}{j} {col(i, j)} {below[j]} 2" for j in range(m)]
    truth = ngspice(lines, fixed, count)
    for engine in ("numba", "numpy"):
        s = solve_crossbar_nonlinear(G, v, device=law, engine=engine, **WIRES)
        assert s.method.startswith("newton")
        np.testing.assert_allclose(s.row_voltages, truth[: T * n * m].reshape(T, n, m), atol=1e-9)
        np.testing.assert_allclose(s.column_voltages, truth[T * n * m :].reshape(n, m), atol=1e-9)
        assert s.kcl_residual < 1e-7
        np.testing.assert_allclose(s.device_currents, law.current(G, s.device_voltages))


def test_small_voltages_are_linear(rng):
    G = devices(rng, 2, 6, 5)
    v = np.full((2, 6), 1e-4)
    bent = solve_crossbar_nonlinear(G, v, device=Sinh(3.0), **WIRES)
    straight = solve_crossbar(G, v, **WIRES)
    np.testing.assert_allclose(bent.column_currents, straight.column_currents, rtol=1e-6)


def test_write_voltage_converges(rng):
    G = devices(rng, 2, 24, 24)
    v = np.full((2, 24), np.nan)
    v[1] = 2.0
    s = solve_crossbar_nonlinear(G, v, device=Sinh(3.0), **WIRES)
    assert s.kcl_residual < 1e-6
    assert s.device_voltages[1].min() > 0
    assert s.device_voltages[1].max() < 2.0
    assert s.column_currents.sum() == pytest.approx(s.row_currents.sum(), rel=1e-8)


def test_laws_match_their_slopes():
    G, v = np.array([1e-5, 1e-4]), np.array([-0.3, 0.25])
    for law in (Sinh(), Cubic()):
        d = 1e-6
        slope = (law.current(G, v + d) - law.current(G, v - d)) / (2 * d)
        np.testing.assert_allclose(law.slope(G, v), slope, rtol=1e-8)
    # pdk/modules/al_tio2/SOURCES.md section 2: superlinearity of sinh at 0.2 V is 1.061
    assert Sinh(3.0).current(np.array([1.0]), np.array([0.2]))[0] / 0.2 == pytest.approx(
        1.061, abs=5e-4
    )


@pytest.mark.parametrize("p", [False, True])
def test_one_transistor_by_hand(p):
    b = NetworkBuilder()
    n = b.nodes(["in", "mid", "out"])
    b.switch(n[0], n[1], "g", w_um=2.0, l_um=0.5, p=p)
    b.memristor(0, 0, 0, n[1], n[2])
    b.port("in", n[0])
    b.port("out", n[2])
    volts = {"in": 3.3, "out": 2.0} if p else {"in": 1.0, "out": 0.0}
    s = solve_network_nonlinear(
        b.build(), conductances=[[[1e-4]]], port_voltages=volts, gates={"g": not p},
        switch=SquareLaw(k_n=3e-4, k_p=8e-5, vth_n=0.7, vth_p=0.8, gate_high=3.3, off_ohm=1e15),
    )  # fmt: skip
    x = float(s.node_voltages[1])
    if p:
        k, va, vb = 8e-5 * 4, 3.3 - 0.8, x - 0.8  # gate at 0: overdrive is the terminal itself
        want = k / 2 * (va**2 - max(vb, 0) ** 2)
    else:
        k, over = 3e-4 * 4, 3.3 - 0.7
        want = k / 2 * ((over - x) ** 2 - (over - 1.0) ** 2)
    assert want == pytest.approx(1e-4 * (x - volts["out"]), rel=1e-8)
    assert s.kcl_residual < 1e-8


def test_network_agrees_with_ngspice(make_array, ngspice, rng):
    network = make_array(3, 3)
    g = devices(rng, 2, 3, 3)
    law = Sinh(3.0)
    drives = network_drives(
        network, "deep-net", np.full((2, 3), 0.2), read_tier="bottom", write_column=1
    )
    s = solve_network_nonlinear(
        network, conductances=g, port_voltages=drives.port_voltages, gates=drives.gates,
        device=law, switch=SWITCH,
    )  # fmt: skip
    lines = [
        f"rw{k} n{a} n{b} {float(r)!r}"
        for k, (a, b, r) in enumerate(
            zip(network.resistor_a, network.resistor_b, network.resistor_ohm, strict=True)
        )
    ]
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    for k, value in enumerate(g[place].tolist()):
        a, b = f"n{network.memristor_a[k]}", f"n{network.memristor_b[k]}"
        lines.append(f"bm{k} {a} {b} i={b_source(law, value, a, b)}")
    half = 0.5 * SWITCH.k_n * 2.0 / 0.28
    for k, net in enumerate(network.switch_gate):
        a, b = f"n{network.switch_a[k]}", f"n{network.switch_b[k]}"
        over = (3.3 if drives.gates[network.nets[net]] else 0.0) - SWITCH.vth_n
        A, B = f"max({over!r}-v({b}),0)", f"max({over!r}-v({a}),0)"
        lines.append(f"bs{k} {a} {b} i={half!r}*({A}*{A}-{B}*{B})")
        lines.append(f"ro{k} {a} {b} 1e10")
    fixed = {network.ports[p]: v for p, v in drives.port_voltages.items()}
    fixed |= {network.ports[p]: NO_SUPPLY_V * drives.gates[p] for p in network.gate_nets}
    truth = ngspice(lines, fixed, network.n_nodes)
    np.testing.assert_allclose(s.node_voltages, truth, atol=2e-8)
    assert s.kcl_residual < 1e-8
    assert s.method.startswith("newton")


def test_linear_law_is_the_linear_solve(make_array, rng):
    network = make_array(3, 2)
    g = devices(rng, 2, 3, 2)
    drives = network_drives(network, "expansion", np.full((2, 3), 0.2))
    common = {
        "conductances": g, "port_voltages": drives.port_voltages, "gates": drives.gates,
        "switch_ohm": 800.0,
    }  # fmt: skip
    bent = solve_network_nonlinear(network, **common)
    straight = solve_network(network, **common)
    np.testing.assert_allclose(bent.node_voltages, straight.node_voltages, atol=1e-14)


def test_refusals():
    with pytest.raises(InputError, match="b of Sinh is 0"):
        Sinh(0.0)
    with pytest.raises(InputError, match="temperature_c is -1"):
        Cubic(-1)
    with pytest.raises(InputError, match="voltages have shape"):
        solve_crossbar_nonlinear([[[1.0]]], np.ones((2, 1, 1)), device=Sinh(), **WIRES)
    with pytest.raises(InputError, match="no nonlinear law"):
        solve_crossbar_nonlinear([[[np.inf]]], [[1.0]], device=Sinh(), **WIRES)


def test_settling_limit_is_reported(monkeypatch):
    from crossstack.solve.circuit import newton

    monkeypatch.setattr(newton, "MAX_STEPS", 2)
    with pytest.raises(ConvergenceError, match="did not settle in 2 steps"):
        solve_crossbar_nonlinear([[[1e-3]]], [[2.0]], device=Sinh(), **WIRES)
    assert issubclass(DriveError, ValueError)


@pytest.mark.parametrize(
    ("drain", "load"), [(2.0, 1e4), (3.3, 1e4), (5.0, 1e4), (2.6, 1e6), (3.3, 1e9)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_source_follower_settles(drain, load, turned):
    law = SquareLaw(k_n=2e-4, k_p=7e-5, vth_n=0.7, vth_p=0.8, gate_high=3.3)
    builder = NetworkBuilder()
    d, s, o = (builder.node(name) for name in "DSO")
    builder.port("D", d)
    builder.port("O", o)
    builder.switch(*((s, d) if turned else (d, s)), "g", w_um=2, l_um=0.28, p=False)
    builder.memristor(0, 0, 0, s, o)
    got = solve_network_nonlinear(
        builder.build(), conductances=[[[1 / load]]], port_voltages={"D": drain, "O": 0.0},
        gates={"g": True}, switch=law,
    )  # fmt: skip

    def left(v: float) -> float:
        over = np.maximum(3.3 - 0.7 - np.array([v, drain]), 0.0) ** 2
        return 0.5 * 2e-4 * 2 / 0.28 * (over[0] - over[1]) + (drain - v) * 1e-12 - v / load

    assert got.node_voltages[s] == pytest.approx(brentq(left, 0.0, drain, xtol=1e-14), rel=1e-8)
    assert got.kcl_residual < 1e-9
    assert got.method.startswith("newton")


@pytest.mark.parametrize("seed", range(40))
def test_laws_that_bend_both_ways_settle_on_the_load_line(seed):
    """A limiter, a cubic and a table beside a resistor: Kirchhoff's law holds to the digit."""
    rng = np.random.default_rng(seed)
    volts = np.sort(rng.uniform(0.1, 2.5, 6))
    amps = np.cumsum(10.0 ** rng.uniform(-6, -4, 6))
    table = Table(list(zip(volts, amps, strict=True)), volts[0] / amps[0])
    most = 10.0 ** rng.uniform(-6, -3)
    law = [table, Limited(Sinh(3.0), most), Limited(table, most), Limited(Odd(2.1), most)][seed % 4]
    ohm, source = 10.0 ** rng.uniform(1, 4), rng.choice([-1, 1]) * rng.uniform(0.1, 3.0)
    built = NetworkBuilder()
    a, m, c = (built.node(name) for name in ("BR[0]", "m", "C[0]"))
    built.resistor(a, m, ohm, layer="ME", net="BR[0]")
    built.memristor(0, 0, 0, m, c)
    built.port("BR[0]", a), built.port("C[0]", c)
    found = solve_network_nonlinear(
        built.build(), conductances=np.full((1, 1, 1), 1e-4),
        port_voltages={"BR[0]": source, "C[0]": 0.0}, device=law,
    )  # fmt: skip
    over, amp = found.device_voltages.item(), found.device_currents.item()
    both = found.node_voltages[m]
    assert both + ohm * amp == pytest.approx(source, rel=1e-9)
    assert float(law.current(np.array(1e-4), np.array(both))) == pytest.approx(amp, rel=1e-8)
    inner = law.law if isinstance(law, Limited) else law
    # a device behind a limiter has what its own law has at the current
    assert float(inner.current(np.array(1e-4), np.array(over))) == pytest.approx(amp, rel=1e-8)
    assert abs(over) <= abs(both) * (1 + 1e-9)


def test_slopes_of_laws_are_their_derivatives():
    volts, g = np.linspace(-2.0, 2.0, 41) + 0.013, np.array(1e-4)
    points = [(0.2, 2e-5), (1.0, 3e-4), (2.5, 8e-3)]
    for law in (Odd(2.1), Table(points, 1e4), Limited(Sinh(3.0), 1e-4), Linear()):
        step = 1e-7
        wanted = (law.current(g, volts + step) - law.current(g, volts - step)) / (2 * step)
        np.testing.assert_allclose(law.slope(g, volts), wanted, rtol=1e-5, atol=1e-11)
    for wrong in (lambda: Odd(-1.0), lambda: Limited(Sinh(3.0), 0.0), lambda: Table([(1, 1)], 1.0),
                  lambda: Table([(1, 1), (2, 0.5)], 1.0)):  # fmt: skip
        with pytest.raises(InputError):
            wrong()


@pytest.mark.parametrize("b", [1e-3, 1.0, 10.0, 25.0, 40.0, 45.0, 50.0])
@pytest.mark.parametrize("volts", [0.2, 2.0, 3.3])
def test_every_strength_of_the_law_settles(b, volts):
    def left(x):  # current of one wire less that of the device at its end
        return (volts - x) / 50.0 - 1e-4 * np.sinh(b * x) / b

    want = brentq(left, 0.0, volts, xtol=1e-15, rtol=1e-14)
    net = NetworkBuilder()
    n = net.nodes(["in", "mid", "out"])
    net.resistor(n[0], n[1], 50.0, layer="M", net="N")
    net.memristor(0, 0, 0, n[1], n[2])
    net.port("in", n[0])
    net.port("out", n[2])
    found = solve_network_nonlinear(
        net.build(), conductances=[[[1e-4]]], port_voltages={"in": volts, "out": 0.0},
        device=Sinh(b),
    )  # fmt: skip
    assert found.device_voltages[0, 0, 0] == pytest.approx(want, rel=1e-9)
    many = solve_crossbar_nonlinear(np.full((2, 5, 4), 1e-4), np.full((2, 5), volts),
                                    device=Sinh(b), **WIRES)  # fmt: skip
    assert many.kcl_residual < 1e-6
    over = many.device_voltages
    assert 0 < over.min() <= over.max() < volts
    array = prepare_crossbar((2, 5, 4), **WIRES)
    amps = array.currents(np.full((2, 5, 4), 1e-4), np.full((1, 10), volts), Sinh(b))
    np.testing.assert_allclose(amps[0], many.column_currents, rtol=1e-6)
