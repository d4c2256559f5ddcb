"""Networks solved by their lines equal the same networks solved as one matrix."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossstack.solve import (
    DriveError,
    Network,
    NetworkSolver,
    Sinh,
    gates_for,
    network_drives,
    solve_network,
    solve_network_nonlinear,
)
from crossstack.solve.circuit.wires import IrregularError, Side, _Reader
from crossstack.solve.network import linear

SHAPES = [(1, 1), (1, 4), (4, 1), (2, 2), (7, 5), (3, 9)]


def edited(network: Network, **changes) -> Network:
    """The network with other arrays; `keep` is a mask of the resistors that stay."""
    arrays = {name: getattr(network, name) for name in network.__dataclass_fields__}
    keep = changes.pop("keep", None)
    if keep is not None:
        arrays |= {n: v[keep] for n, v in arrays.items() if n.startswith("resistor_")}
    return Network(**(arrays | changes)).validate()


def wires(network: Network, *ends: tuple[str, str]) -> np.ndarray:
    """Indices of the resistors between nodes of these names."""
    index = {name: k for k, name in enumerate(network.node_names.tolist())}
    found = []
    for one, other in ends:
        pair = {index[one], index[other]}
        found += [
            k
            for k, (a, b) in enumerate(
                zip(network.resistor_a.tolist(), network.resistor_b.tolist(), strict=True)
            )
            if {a, b} == pair
        ]
    assert len(found) == len(ends)
    return np.array(found)


def both(network, mode="expansion", seed=0, g=None, method="crossbar", **options):
    """(solution by lines, solution as one matrix) of the same drives."""
    rng = np.random.default_rng(seed)
    shape = (max(network.tiers) + 1, network.rows, network.cols)
    g = 10 ** rng.uniform(-6, -4, shape) if g is None else g
    series = {k: options.pop(k) for k in ("switch_off_ohm", "port_ohm") if k in options}
    drives = network_drives(network, mode, rng.uniform(0.05, 0.2, shape[:2]), **options)
    return [
        solve_network(
            network, conductances=g, port_voltages=drives.port_voltages,
            gates=gates_for(network, drives), switch_ohm=700.0, method=which, **series,
        )
        for which in (method, "direct")
    ]  # fmt: skip


def assert_same(one, other):
    np.testing.assert_allclose(one.node_voltages, other.node_voltages, atol=1e-12)
    # a current through a wire of 0.1 ohm is known to the rounding of its ends' voltages
    largest = max(map(abs, other.port_currents.values()))
    scale = largest + 1e-5
    for port, amps in other.port_currents.items():
        assert one.port_currents[port] == pytest.approx(amps, abs=1e-10 * scale), port
    assert one.floating == other.floating
    assert one.kcl_residual * largest < 1e-9 * scale
    assert "wires directly" in one.method
    assert other.method == "direct"


@pytest.mark.parametrize(("rows", "cols"), SHAPES)
@pytest.mark.parametrize("tiers", [(0,), (0, 1), (1,)])
@pytest.mark.parametrize("select", [True, False])
def test_arrays_of_every_kind(make_array, rows, cols, tiers, select):
    assert_same(*both(make_array(rows, cols, tiers=tiers, select=select)))


@pytest.mark.parametrize(("rows", "cols"), [(1, 3), (4, 2), (5, 6)])
def test_macros_in_both_modes(make_array, rows, cols):
    network = make_array(rows, cols, macro=True)
    assert_same(*both(network))
    for tier in ("bottom", "top"):
        assert_same(*both(network, "deep-net", read_tier=tier, write_column=cols - 1))


def test_leaking_transistors(make_array):
    for macro in (False, True):
        network = make_array(5, 4, macro=macro)
        assert_same(*both(network, "deep-net", write_column=2, switch_off_ohm=1e9))


def test_source_resistances(make_array):
    assert_same(*both(make_array(4, 5), port_ohm=120.0))


def test_ideal_wires(make_array):
    network = make_array(4, 5)
    ideal = edited(network, resistor_ohm=np.zeros_like(network.resistor_ohm))
    assert_same(*both(ideal))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.integers(1, 6),
    cols=st.integers(1, 6),
    seed=st.integers(0, 2**31),
    missing=st.floats(0, 0.9),
    cut=st.integers(0, 4),
    joined=st.integers(0, 3),
    tiers=st.sampled_from([(0,), (0, 1)]),
)
def test_missing_devices_cut_and_ideal_wires(
    make_array, rows, cols, seed, missing, cut, joined, tiers
):
    rng = np.random.default_rng(seed)
    network = make_array(rows, cols, tiers=tiers)
    size = len(network.resistor_ohm)
    ohm = network.resistor_ohm * rng.uniform(0.1, 10, size)
    ohm[rng.integers(0, size, joined)] = 0.0
    keep = np.ones(size, dtype=bool)
    keep[rng.integers(0, size, cut)] = False
    network = edited(edited(network, resistor_ohm=ohm), keep=keep)
    shape = (len(tiers), rows, cols)
    g = 10 ** rng.uniform(-7, -3, shape) * (rng.uniform(size=shape) >= missing)
    try:
        found = both(network, seed=seed, g=g)
    except DriveError as error:
        # nothing to solve, or a piece cut out of the middle of a line
        reasons = ("no device carries current", "between its pieces")
        if not any(reason in str(error) for reason in reasons):
            raise
        return
    assert_same(*found)


def test_a_row_cut_in_two_is_fed_through_its_devices(make_array):
    network = make_array(4, 6)
    keep = np.ones(len(network.resistor_a), dtype=bool)
    keep[wires(network, ("BR[2].2", "BR[2].3"))] = False
    one, other = both(edited(network, keep=keep))
    assert_same(one, other)
    assert one.floating == ()
    rest = one.device_currents[0, 2, 3:]
    assert abs(rest.sum()) < 1e-15  # nothing drives the far piece ...
    assert np.abs(rest).max() > 1e-11  # ... but its devices carry what its columns give


def test_a_second_path_along_a_line_is_corrected(make_array):
    network = make_array(6, 8)
    index = {name: k for k, name in enumerate(network.node_names.tolist())}
    extra = {
        "resistor_a": index["TR[1].2"], "resistor_b": index["TR[1].6"], "resistor_ohm": 60.0,
        "resistor_layer": 0, "resistor_net": 0, "resistor_width_um": 1.0, "resistor_cuts": np.nan,
        "resistor_parting": -1, "resistor_crosses": 0,
    }  # fmt: skip
    bypassed = edited(network, **{n: np.append(getattr(network, n), v) for n, v in extra.items()})
    one, other = both(bypassed)
    assert_same(one, other)
    plain, _ = both(network)
    assert np.abs(plain.node_voltages - one.node_voltages).max() > 1e-6


def test_what_no_line_describes_is_refused_and_solved_directly(make_array, monkeypatch):
    network = make_array(4, 4)
    index = {name: k for k, name in enumerate(network.node_names.tolist())}
    bridge = {
        "resistor_a": index["TR[1].2"], "resistor_b": index["TR[2].2"], "resistor_ohm": 5.0,
        "resistor_layer": 0, "resistor_net": 0, "resistor_width_um": 1.0, "resistor_cuts": np.nan,
        "resistor_parting": -1, "resistor_crosses": 0,
    }  # fmt: skip
    bridged = edited(network, **{n: np.append(getattr(network, n), v) for n, v in bridge.items()})
    with pytest.raises(DriveError, match="something joins lines"):
        both(bridged)
    monkeypatch.setattr(linear, "REGULAR_FROM", 0)
    auto, direct = both(bridged, method="auto")
    assert auto.method == "direct"
    np.testing.assert_array_equal(auto.node_voltages, direct.node_voltages)
    assert "wires directly" in both(network, method="auto")[0].method
    with pytest.raises(DriveError, match="method is 'lines', allowed: auto, crossbar, direct"):
        both(network, method="lines")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [-5.0, np.nan, np.inf])
def test_how_far_a_line_is_from_a_chain_is_said_beside_lines_without_response(value):
    each, none = np.arange(4), np.zeros(0, dtype=int)
    pair = np.repeat([0, 1], 2)
    side = Side(each, each, pair, np.tile([0, 1], 2), pair, none)
    reader = _Reader(side, np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 2.0, 0.0, 0.0]))
    reader.see(np.array([3.0, 4.0, 0.0, 0.0]), np.ones(4))
    with np.errstate(invalid="ignore"), pytest.raises(IrregularError, match="no chain") as refused:
        reader.see(np.array([9.0, value, 0.0, 0.0]), np.array([1.0, -1.0, 1.0, -1.0]))
    assert np.isfinite(value) == (
        "nan" not in str(refused.value) and "inf" not in str(refused.value)
    )


def test_a_line_driven_at_both_ends(make_array):
    def run(network, method):
        far = network.node_names.tolist().index("BR[1].3")
        twice = edited(network, ports={**network.ports, "E": far})
        volts = {p: 0.2 for p in twice.ports if "R[" in p} | {f"C[{j}]": 0.0 for j in range(4)}
        return solve_network(
            twice, conductances=np.full((2, 3, 4), 1e-4), port_voltages=volts | {"E": 0.1},
            gates=dict.fromkeys(twice.gate_nets, True), switch_ohm=700.0, method=method,
        )  # fmt: skip

    # seen through select transistors it is a chain nearly enough to be corrected
    assert_same(*(run(make_array(3, 4), method) for method in ("crossbar", "direct")))
    with pytest.raises(DriveError, match="no chain with taps"):
        run(make_array(3, 4, select=False), "crossbar")


def test_many_drives_of_one_factor(make_array):
    network = make_array(5, 6)
    g = np.full((2, 5, 6), 5e-5)
    drives = network_drives(network, "expansion", np.full((2, 5), 0.2))
    solvers = [
        NetworkSolver(
            network, conductances=g, driven=drives.port_voltages, gates=drives.gates,
            switch_ohm=500.0, method=method,
        )
        for method in ("crossbar", "direct")
    ]  # fmt: skip
    rng = np.random.default_rng(3)
    for _ in range(3):
        volts = {p: rng.uniform(-0.2, 0.2) for p in drives.port_voltages}
        assert_same(*(s.solve(volts) for s in solvers))


def test_nonlinear_devices(make_array):
    network = make_array(6, 7)
    drives = network_drives(network, "expansion", np.full((2, 6), 0.5))
    g = np.full((2, 6, 7), 1e-4)
    g[0, 2, 3] = 0.0
    one, other = (
        solve_network_nonlinear(
            network, conductances=g, port_voltages=drives.port_voltages,
            gates=gates_for(network, drives), device=Sinh(3.0), switch_ohm=900.0, method=method,
        )
        for method in ("crossbar", "direct")
    )  # fmt: skip
    np.testing.assert_allclose(one.node_voltages, other.node_voltages, atol=1e-12)
    assert "newton" in one.method
    assert "wires directly" in one.method
    assert one.kcl_residual < 1e-9


def test_large_arrays_take_the_lines_by_themselves(make_array):
    network = make_array(72, 72)
    auto, direct = both(network, method="auto")
    assert_same(auto, direct)


def test_without_numba(make_array, monkeypatch):
    from crossstack.solve.crossbar import crossbar

    monkeypatch.setattr(crossbar, "has_numba", lambda: False)
    one, other = both(make_array(5, 6))
    assert_same(one, other)
    assert "numpy" in one.method
