"""A planar array is written column by column: limits, voltages, programming, size and sweep."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from crossstack.analyse import current_verdict, electromigration, writing
from crossstack.analyse.electromigration import current_limits_of
from crossstack.analyse.on_resistance import OnResistance
from crossstack.analyse.studies import programming
from crossstack.base.errors import ModeError
from crossstack.config import config_of
from crossstack.console import Console
from crossstack.figures import Study, draw, figures
from crossstack.sizing.evaluate import Task, evaluate
from crossstack.sizing.metrics import flat_figures
from crossstack.solve.modes.drives import network_drives
from crossstack.solve.modes.mode import ArrayKind
from crossstack.solve.modes.modes import MODES, PLANAR_WRITE, WRITE, writing_mode

QUIET = Console(quiet=True)
PLANAR = {"cell": "planar", "rows": 3, "cols": 2}


def study(**values):
    config = config_of({**PLANAR, **values})
    return Study(config, draw(config))


def by_hand(network, tech, pins, column):
    """Return the voltage of every node and current of every resistor, by Newton's method alone.

    Nothing of the solver: a dense matrix of the extracted resistors, I = G sinh(b V) / b of each
    memristor, the table of each transistor; those of other columns than the written one are open.
    """
    m, n = tech.memristor, network.n_nodes
    on = np.array([network.nets[g] == f"BS[{column}]" for g in network.switch_gate])
    table = OnResistance(
        tech, network.switch_w_um[on], network.switch_l_um[on], np.zeros(on.sum(), bool)
    )
    a = np.concatenate([network.resistor_a, network.memristor_a, network.switch_a[on]])
    b = np.concatenate([network.resistor_b, network.memristor_b, network.switch_b[on]])
    wires, cells = len(network.resistor_ohm), len(network.memristor_a)
    held = {network.ports[pin]: volts for pin, volts in pins.items()}
    free = np.array([k for k in range(n) if k not in held])
    volts = np.zeros(n)
    for node, value in held.items():
        volts[node] = value
    for _ in range(200):
        va, vb = volts[a], volts[b]
        amps, by_a = (np.zeros(len(a)) for _ in range(2))
        amps[:wires] = (va - vb)[:wires] / network.resistor_ohm
        by_a[:wires] = 1.0 / network.resistor_ohm
        over = (va - vb)[wires : wires + cells]
        amps[wires : wires + cells] = np.sinh(m.sinh_b_per_v * over) / m.sinh_b_per_v / m.r_on_ohm
        by_a[wires : wires + cells] = np.cosh(m.sinh_b_per_v * over) / m.r_on_ohm
        by_b = by_a.copy()
        s = slice(wires + cells, None)
        amps[s], by_a[s], by_b[s] = table.flow(va[s], vb[s])
        matrix, out = np.zeros((n, n)), np.zeros(n)
        for at, sign in ((a, 1.0), (b, -1.0)):
            np.add.at(out, at, sign * amps)
            np.add.at(matrix, (at, a), sign * by_a)
            np.add.at(matrix, (at, b), -sign * by_b)
        matrix[free, free] += 1e-15  # what transistors that are off leave alone
        step = np.linalg.solve(matrix[np.ix_(free, free)], -out[free])
        volts[free] += np.clip(step, -0.1, 0.1)
        if np.abs(step).max() < 1e-11:
            return volts, amps[:wires]
    raise AssertionError("no solution")


@pytest.mark.parametrize("rows_at_a_time", [None, 1])
@pytest.mark.parametrize("top", ["array", "macro"])
def test_what_devices_get_is_what_a_solution_by_hand_gives(top, rows_at_a_time):
    device = {} if rows_at_a_time is None else {"write_rows": rows_at_a_time}
    found = study(device=device, top="array")
    if top == "macro":  # its switches are drawn, extracted and solved by the same means
        macro = study(device=device, top="macro")
        for polarity, met in macro.em().write_voltages.ways.items():
            alone = found.em().write_voltages.ways[polarity]
            assert 0.5 * alone.lowest.volts < met.lowest.volts < alone.lowest.volts
        return
    network, tech = found.network, found.tech
    m, report = tech.memristor, found.em()
    turns = [range(3)] if rows_at_a_time is None else [[0], [2]]
    hardest, peak = dict.fromkeys(("set", "reset"), np.inf), 0.0
    limit = current_limits_of(tech, 25.0).wire_a_per_um
    layer = np.array(network.layers)[network.resistor_layer]
    wide = np.isfinite(network.resistor_width_um) & (layer == "ME")
    for polarity, column, written in (
        (p, c, t) for p in ("set", "reset") for c in (0, 1) for t in turns
    ):
        rail = 0.0 if polarity == "set" else m.write_v("reset")
        row = m.write_v("set") if polarity == "set" else 0.0
        pins = {f"BR[{i}]": row if i in written else rail for i in range(3)}
        pins |= {f"C[{j}]": rail if j == column else 0.0 for j in range(2)}
        pins |= {"VSS": 0.0} if "VSS" in network.ports else {}
        volts, amps = by_hand(network, tech, pins, column)
        for k in np.flatnonzero(network.memristor_col == column):
            if network.memristor_row[k] in written:
                over = abs(volts[network.memristor_a[k]] - volts[network.memristor_b[k]])
                hardest[polarity] = min(hardest[polarity], over)
        used = np.abs(amps[wide]) / (limit["ME"] * network.resistor_width_um[wide])
        peak = max(peak, float(used.max()))
    for polarity, met in report.write_voltages.ways.items():
        assert met.lowest.volts == pytest.approx(hardest[polarity], rel=1e-7)
    mode = report.modes[WRITE]
    assert mode.peak.by_layer["ME"].ratio == pytest.approx(peak, rel=1e-6)
    # of two columns each carries its write for half of the time, and every turn of its rows
    assert mode.loads.by_layer["ME"].ratio == pytest.approx(peak / 2, rel=1e-2)
    assert report.verdict.judged
    assert "write mode" in report.verdict.text


def test_every_cell_is_programmed_and_no_other_one_sees_a_voltage():
    found = study(select_w_um=14.0, device={"write_rows": 1, "v_set_v": 3.0, "v_reset_v": 2.6})
    reports = programming(found.network, found.tech, found.what, None, QUIET)
    assert [(r.polarity, r.report.tier) for r in reports] == [("set", 0), ("reset", 0)]
    for programmed in reports:
        lowest = found.em().write_voltages.ways[programmed.polarity].lowest.volts
        assert not programmed.report.below.any()
        assert programmed.report.voltages.min() == pytest.approx(lowest, rel=1e-9)
        # what the column itself loses: cells of other columns hang on transistors that are off
        assert np.nanmax(programmed.report.disturb) < 0.02


def test_a_point_is_sized_and_a_sweep_tells_of_its_writes(crossstack, tmp_path):
    device = {"write_rows": 1, "v_set_v": 3.0, "v_reset_v": 2.6}
    config = config_of({**PLANAR, "select_w_um": 14.0, "device": device})
    row = figures(config, draw(config))
    whole = flat_figures(row)
    bounds = {"write_share": 1.0, "limit_used": 10.0, "write_loss": 0.6, "write_v_set": 1.4}
    found = evaluate(Task((config,), bounds, ("area_um2",)))
    assert found["why"] is None
    assert all(found["figures"][name] == whole[name] for name in bounds)
    assert whole["write_v_set"] == row["write_voltages"]["set"]["volts"] >= 1.5
    assert whole["write_loss"] == pytest.approx(1.0 - whole["write_v_set"] / 3.0, rel=1e-12)
    ran = crossstack("sweep", "--cell", "planar", "--rows", 2, "--cols", 2, "--vary",
                     "select_w_um=2,4", "-o", tmp_path / "s", "--jobs", 1)  # fmt: skip
    assert ran.code == 0
    with (tmp_path / "s" / "sweep.csv").open() as stream:
        narrow, wide = csv.DictReader(stream)
    assert 0.0 < float(wide["write_loss_set"]) < float(narrow["write_loss_set"]) < 1.0
    assert narrow["write_met"] == "no"


def test_the_mode_is_of_one_tier_with_transistors():
    assert WRITE not in MODES, "nothing is read in it"
    assert writing_mode(ArrayKind(tiers=(0,))) is PLANAR_WRITE
    assert writing_mode(ArrayKind()).name == "deep-net"
    bare = ArrayKind(tiers=(0,), select=False)
    assert "write needs select transistors" in PLANAR_WRITE.refusal(bare, 2)
    stacked = config_of({"rows": 2, "cols": 2})
    network = Study(stacked, draw(stacked)).network
    with pytest.raises(ModeError, match="write needs a single tier"):
        network_drives(network, WRITE, np.zeros((2, 2)))


def test_a_write_leaves_other_columns_alone():
    network = study().network
    drives = network_drives(network, WRITE, np.zeros((1, 3)), write_column=1, write_voltage=1.0)
    assert {pin: v for pin, v in drives.port_voltages.items() if pin[0] in "BC"} == {
        "BR[0]": 1.0, "BR[1]": 1.0, "BR[2]": 1.0, "C[0]": 0.0, "C[1]": 0.0,
    }  # fmt: skip
    assert {net: level for net, level in drives.gates.items() if not net.endswith("_N")} == {
        "BS[0]": False, "BS[1]": True,
    }  # fmt: skip


def strapped():
    """A planar array with straps: a row's middle electrode carries current in that row's turn."""
    device = {"write_rows": 1, "v_set_v": 2.8, "v_reset_v": 2.4}
    return study(rows=4, cols=2, strap=True, select_w_um=4.0, device=device)


def test_the_average_of_a_strapped_column_is_that_of_all_turns():
    """Each turn counted as the hardest: 114 % in ME of an array whose worst is 97 % in VBE."""
    found = strapped()
    network, tech, m = found.network, found.tech, found.tech.memristor
    limit = current_limits_of(tech, 25.0).wire_a_per_um["ME"]
    wide = np.isfinite(network.resistor_width_um)
    wide &= np.array(network.layers)[network.resistor_layer] == "ME"
    column = np.array(["C[0]", "C[1]"])[:, None] == np.array(network.nets)[network.resistor_net]
    most = 0.0
    for polarity in ("set", "reset"):
        rail = 0.0 if polarity == "set" else m.write_v("reset")
        row = m.write_v("set") if polarity == "set" else 0.0
        means = []
        for j in (0, 1):
            every = []
            for turn in range(4):
                pins = {f"BR[{i}]": row if i == turn else rail for i in range(4)}
                pins |= {f"C[{k}]": rail if k == j else 0.0 for k in range(2)}
                pins |= {"VSS": 0.0} if "VSS" in network.ports else {}
                every.append(np.abs(by_hand(network, tech, pins, j)[1]))
            means.append(np.mean(every, axis=0) / 2)
        used = np.sum(means, axis=0)[wide & column.any(axis=0)]
        most = max(
            most, (used / (limit * network.resistor_width_um[wide & column.any(axis=0)])).max()
        )
    report = found.em()
    assert report.modes[WRITE].loads.by_layer["ME"].ratio == pytest.approx(most, rel=1e-3)
    assert not report.verdict.exceeded
    assert report.verdict.judged
    assert report.verdict.hardest.stress.layer == "VBE"


def test_a_bound_above_a_limit_exceeds_nothing(monkeypatch):
    monkeypatch.setattr(writing, "MOST_TURNS", 1)
    monkeypatch.setattr(electromigration, "MOST_TURNS", 1)
    monkeypatch.setattr(current_verdict, "MOST_TURNS", 1)
    report = strapped().em()
    assert (report.verdict.judged, report.verdict.exceeded) == (False, False)
    assert report.verdict.text.startswith("current limits not judged: at most 11")
    assert report.verdict.text.endswith("a bound: of 4 turns of rows the first and last are solved")
    assert "of 4 turns of rows" in report.counted
    assert report.modes[WRITE].loads.above_limit == 0
    # what is above it for certain is told so, by its own figure
    hard = study(rows=4, device={"write_rows": 2, "r_on_ohm": 2000.0}).em()
    assert (hard.verdict.judged, hard.verdict.exceeded) == (True, True)


def test_columns_between_count_as_the_harder_end():
    """Reads alone loaded them in the table of nets and in its picture."""
    nets = study(cols=3).em().nets
    assert nets["C[1]"] == max(nets["C[0]"], nets["C[2]"], key=lambda load: load.ratio)
    assert nets["C[1]"].mode == WRITE
