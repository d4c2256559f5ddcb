"""Devices written by pulses, against a plain loop over single devices and circuits."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.optimize import brentq, root

from crossstack.analyse.on_resistance import OnResistance
from crossstack.base.errors import ConfigError, ParameterError
from crossstack.cells import to_layout
from crossstack.console import Console
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.mapping.arrays import Array
from crossstack.mapping.programs import Target, summary, write_tiles
from crossstack.mapping.writing import Programming, Writer, Written
from crossstack.pdk import get_tech
from crossstack.pool import Here, Team
from crossstack.solve import Sinh
from crossstack.solve.circuit.dynamics import Vteam
from crossstack.solve.study import guess

EXACT = Programming(threshold_sigma=0.0, pulse_sigma=0.0)
SPAN = 1e-4 - 1e-6


def written(array, wanted, how=EXACT, **device):
    memristor = dataclasses.replace(array.memristor, **device)
    writer = Writer(array.written(), memristor, how)
    return writer.write(wanted, np.ones_like(wanted), SPAN, [3])


def law(g, u, b=3.0):
    return g * np.sinh(b * u) / b


def volts_of_column(g, rows, rail, row_ohm, col_ohm):
    """Voltages over the devices of one column whose last row is next to the rail, and amps."""
    n = len(g)

    def device(i, node):
        """Voltage over a device for the voltage of its place on the column."""
        lacking = lambda u: rows[i] - row_ohm[i] * law(g[i], u) - u - node  # noqa: E731
        return brentq(lacking, -3.0, 3.0, xtol=1e-15)

    def kcl(nodes):
        amps = np.array([law(g[i], device(i, nodes[i])) for i in range(n)])
        ends = np.append(nodes, rail)
        along = (ends[:-1] - ends[1:]) / col_ohm
        return (amps + np.r_[0.0, along[:-1]] - along) * 1e4

    nodes = root(kcl, np.full(n, rail), tol=1e-13).x
    over = np.array([device(i, nodes[i]) for i in range(n)])
    return over, law(g, over)


def by_hand(wanted, row_ohm, col_ohm, how):
    """Write one column as the docstring of `mapping.writing` has it, device after device."""
    n, x = len(wanted), [0.0] * len(wanted)
    g = lambda: np.array([1e-6 + v * SPAN for v in x])  # noqa: E731
    volts, last, pulses, energy = [0.0] * n, [0] * n, [0] * n, 0.0
    first = {1: 1.5 + how.step_v, -1: 1.7 + how.step_v}
    rate = {
        1: (1.5, 1 / (50e-9 * (2.0 / 1.5 - 1) ** 3)),
        -1: (1.7, 1 / (50e-9 * (2 / 1.7 - 1) ** 3)),
    }
    while True:
        off = wanted - g()
        todo = {w: [i for i in range(n) if w * off[i] > how.tolerance * SPAN] for w in (1, -1)}
        if not (todo[1] or todo[-1]):
            return g(), pulses, energy
        for way in (1, -1):
            if not todo[way]:
                continue
            for i in todo[way]:
                volts[i] = min(volts[i] + how.step_v if last[i] == way else first[way], 2.0)
                last[i], pulses[i] = way, pulses[i] + 1
            rail = 0.0 if way > 0 else 2.0
            rows = np.array([rail + (way * volts[i] if i in todo[way] else 0) for i in range(n)])
            needed, k = rate[way]

            def rates(state, way=way, rows=rows, rail=rail, needed=needed, k=k):
                x[:] = state
                over, amps = volts_of_column(g(), rows, rail, row_ohm, col_ohm)
                found = []
                for i in range(n):
                    beyond = max(way * over[i] / needed - 1, 0.0) ** 3
                    window = 1 - (state[i] if way > 0 else 1 - state[i]) ** 8
                    found.append(way * k * beyond * window)
                return found, float(((rows - rail) * amps).sum())

            at = list(x)
            parts = min(max(math.ceil(max(map(abs, rates(at)[0])) * how.pulse_s / 0.15), 1), 16)
            step = how.pulse_s / parts
            for _ in range(parts):
                now, _ = rates(at)
                half = [
                    min(max(v + 0.5 * step * r, 0.0), 1.0) for v, r in zip(at, now, strict=True)
                ]
                then, watt = rates(half)
                energy += watt * step
                for i in range(n):
                    if half[i] != at[i]:
                        z = min(max(step * (then[i] - now[i]) / (half[i] - at[i]), -50.0), 1.0)
                        factor = math.expm1(z) / z if z else 1.0
                        at[i] = min(max(at[i] + step * now[i] * factor, 0.0), 1.0)
            x[:] = at


@pytest.mark.parametrize("least", [1, 1000])
def test_a_column_is_what_a_plain_loop_makes_of_it(monkeypatch, least):
    monkeypatch.setattr(guess, "FROM_DEVICES", least)
    array = Array.ideal(4, 1, tiers=1, row_ohm=60.0, column_ohm=25.0, drive_ohm=30.0)
    wanted = np.array([9e-5, 2e-6, 4e-5, 7e-5])
    found = written(array, wanted)
    g, pulses, joule = by_hand(wanted, np.full(4, 90.0), 25.0, EXACT)
    assert found.pulses.tolist() == pulses
    assert np.allclose(found.siemens, g, rtol=1e-8)
    assert found.write_j == pytest.approx(joule, rel=1e-8)
    assert found.reached.all()
    assert 0 < found.verify_j < found.write_j


@pytest.mark.parametrize(("ohm", "volts"), [(0.0, 2.0), (50.0, 2.0), (400.0, 2.0), (400.0, 3.0)])
def test_a_pulse_is_near_the_whole_truth(ohm, volts):
    """Of a device behind a resistor, against its differential equation in small steps."""
    moves, steps = Vteam.fitted((1.5, 1.7), (2.0, 2.0)), 500
    array = Array.ideal(1, 2, tiers=1, drive_ohm=ohm)
    how = Programming(
        threshold_sigma=0.0, pulse_sigma=0.0, pulses=1, step_v=10.0, tolerance=0.001, write_v=volts
    )  # one pulse, at once at the write voltage
    writer = Writer(array.written(), array.memristor, how)
    found = writer.write(np.array([1e-4, 1e-6]), np.ones(2), SPAN, [0])
    x = 0.0
    for _ in range(steps):
        g = 1e-6 + x * SPAN
        u = brentq(lambda v, g=g: volts - v - ohm * law(g, v), 0, volts)
        x += float(moves.rate(np.array(x), np.array(u))) * how.pulse_s / steps
    assert found.pulses.tolist() == [1, 0]
    assert (found.siemens[0] - 1e-6) / SPAN == pytest.approx(x, rel=0.02)


def test_without_loss_every_device_gets_there():
    rng = np.random.default_rng(0)
    array = Array.ideal(6, 5)
    wanted = rng.uniform(1e-6, 1e-4, array.prepared.size)
    for how in (EXACT, Programming(threshold_sigma=0.02, pulse_sigma=0.3, tolerance=0.005)):
        found = written(array, wanted, how)
        assert found.reached.all()
        assert np.abs(found.siemens - wanted).max() <= how.tolerance * SPAN
        assert found.pulses.max() <= how.pulses
    # each of them alone as well as all together
    assert np.allclose(written(array, wanted, EXACT, write_rows=1).siemens,
                       written(array, wanted).siemens, rtol=1e-9)  # fmt: skip


def test_far_devices_need_more_pulses_and_the_farthest_are_not_reached():
    wanted = np.full(40, 6e-5)
    pulses = written(Array.ideal(1, 40, tiers=1, row_ohm=20.0), wanted).pulses
    assert np.mean(pulses[20:]) > 2 * np.mean(pulses[:10])  # closing in takes one or another
    far = written(Array.ideal(1, 40, tiers=1, row_ohm=200.0), wanted)
    assert far.reached[0]
    assert not far.reached[-1]
    assert (np.diff(far.reached.astype(int)) <= 0).all()
    assert far.siemens[-1] < far.siemens[0]
    assert far.pulses.max() <= EXACT.pulses
    higher = dataclasses.replace(EXACT, write_v=4.0)
    assert written(Array.ideal(1, 40, tiers=1, row_ohm=200.0), wanted, higher).reached.sum() > (
        far.reached.sum()
    )


def test_a_drivers_limit_holds():
    array = Array.ideal(3, 2, tiers=1)
    found = written(array, np.full(6, 9e-5), compliance_a=100e-6)
    # beyond, the device gets less than its threshold: G sinh(b 1.5 V) / b is the limit
    most = 100e-6 * 3.0 / np.sinh(4.5)
    assert not found.reached.any()
    assert (found.siemens < most * 1.2).all()
    assert (found.siemens > most * 0.8).all()


@pytest.fixture(scope="module")
def hybrid():
    spec = ArraySpec(3, 3, "hybrid")
    tech = spec.tech()
    return extract(to_layout(build_top(spec).cell, tech), tech, engine="tile"), tech


@pytest.mark.parametrize(("way", "top"), [("set", "array"), ("reset", "macro")])
def test_select_transistors_work_where_they_work(way, top):
    """What is found meets the table, the law and Kirchhoff's laws, element by element."""
    spec = ArraySpec(4, 3, "hybrid", top=top)
    tech = spec.tech()
    network = extract(to_layout(build_top(spec).cell, tech), tech).network
    lines = Array.of(network, tech).written()
    columns, rng = lines.columns, np.random.default_rng(1)
    siemens = lines.placed(rng.uniform(1e-6, 9e-5, 24))
    rail = np.full(6, 0.0 if way == "set" else 2.0)
    rows = rail[:, None] + np.where(np.arange(4) != 1, 1.9 if way == "set" else -1.9, 0.0)
    over, at = columns.solve(siemens, Sinh(3.0), rows, rail, columns.start(rows, rail))
    most = np.abs(at.amps).max()
    ends = at.outer.reshape(-1), at.inner.reshape(-1)
    widths = (np.repeat(v, 4) for v in (columns.width_um, columns.length_um))
    table = OnResistance(tech, *widths, np.zeros(24, dtype=bool))
    through = (at.outer - at.inner) / table(*ends).reshape(6, 4)
    assert np.abs(through - at.amps).max() < 1e-7 * most
    assert np.abs(law(siemens, over) - at.amps).max() < 1e-7 * most
    assert np.allclose(rows - at.outer, columns.row_ohm * at.amps, atol=1e-9)
    fallen = columns.wire.solve(np.zeros(at.amps.shape), at.amps)
    assert np.allclose(at.column, fallen, atol=1e-9)
    assert np.allclose(over, at.inner - at.column - rail[:, None])
    assert (columns.row_ohm > 0).all()
    # select transistors are in the tables alone
    assert columns.row_ohm.max() < (50 if top == "array" else 3000)
    assert 0.5 < np.abs(over).max() < 1.9


def test_networks_and_arrays_are_written_alike(hybrid):
    found, tech = hybrid
    wanted = np.random.default_rng(2).uniform(1e-6, 2e-5, 18)
    nodes, arrays = (
        written(Array.of(wires, tech), wanted) for wires in (found.network, found.array)
    )
    assert np.allclose(nodes.siemens, arrays.siemens, rtol=1e-5)
    assert np.array_equal(nodes.pulses, arrays.pulses)


def test_processes_write_the_same(monkeypatch):
    array = Array.ideal(4, 4, row_ohm=50.0, column_ohm=50.0)
    rng = np.random.default_rng(0)
    size, how = array.prepared.size, Programming(read_noise=0.005, pulses=20)
    targets = [
        Target(rng.uniform(1e-6, 1e-4, size), rng.uniform(0.9, 1.1, size), SPAN, (7, k))
        for k in range(3)
    ]
    team = Team(2)
    try:
        here, there = (
            write_tiles(array, targets, how, where, Console(quiet=True), "tiles")
            for where in (Here(), team)
        )
    finally:
        team.stop()
    for one, other in zip(here, there, strict=True):
        assert np.array_equal(one.packed(), other.packed())
        assert np.array_equal(Written.unpacked(one.packed()).packed(), one.packed())
    told = summary(here)
    assert told["devices"] == 3 * size
    assert told["pulses"] == sum(int(tile.pulses.sum()) for tile in here)
    again = write_tiles(
        array, [dataclasses.replace(targets[0], seed=(8,))], how, Here(), Console(quiet=True), "t"
    )
    assert not np.array_equal(again[0].siemens, here[0].siemens)


@pytest.mark.parametrize(
    ("value", "word"),
    [({"tolerance": 0.0}, "tolerance"), ({"pulses": 0}, "pulses"), ({"rows": 0}, "rows"),
     ({"step_v": float("nan")}, "step_v"), ({"write_v": -1.0}, "write_v"),
     ({"threshold_sigma": 0.4}, "threshold_sigma")],
)  # fmt: skip
def test_wrong_values_are_refused(value, word):
    with pytest.raises(ParameterError, match=word):
        Programming(**value)


def test_arrays_that_cannot_be_written_are_refused(hybrid):
    spec = ArraySpec(3, 3, "passive")
    tech = spec.tech()
    passive = extract(to_layout(build_top(spec).cell, tech), tech).network
    with pytest.raises(ConfigError, match="no select transistors"):
        Array.of(passive, tech).written()
    found, tech = hybrid
    with pytest.raises(ConfigError, match="6 V drives"):
        written(Array.of(found.network, tech), np.zeros(18), Programming(write_v=6.0))
    assert get_tech().memristor.set_needed_v == 1.5
