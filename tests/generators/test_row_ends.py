"""Rows with pins at both ends: clean, matched, one pin in the network, and the IR drop of it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import klayout.db as db
import numpy as np
import pytest
from scipy.sparse import coo_matrix, identity
from scipy.sparse.linalg import spsolve

from crossstack.analyse.batch import solve_batch
from crossstack.base import names
from crossstack.cells import to_layout
from crossstack.config import config_of
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import ParameterError
from crossstack.sizing.theory import least_errors
from crossstack.solve import ir_drop, network_matrix, solve_network
from crossstack.solve.crossbar.crossbar import solve_crossbar
from crossstack.solve.modes.drives import gates_for, mode_drives, network_drives
from crossstack.solve.modes.mode import ArrayKind

_SPEC = importlib.util.spec_from_file_location(
    "bench_options_ends", Path(__file__).parents[2] / "bench" / "options.py"
)
options = importlib.util.module_from_spec(_SPEC)
sys.modules["bench_options_ends"] = options
_SPEC.loader.exec_module(options)


@pytest.mark.parametrize(
    "values",
    [
        {"rows": 7, "cols": 5},
        {"rows": 1, "cols": 1, "cell": "passive_planar", "profile": "aligner"},
        {"rows": 2, "cols": 3, "cell": "passive"},
        {"rows": 2, "cols": 2, "cell": "planar", "strap": True, "profile": "aligner"},
        {"rows": 2, "cols": 2, "select_w_um": 4.0, "select_fingers": 2, "me_width_um": 4.0},
        {"rows": 2, "cols": 2, "cell": "planar", "process": "sky130_reram"},
        {"rows": 4, "cols": 2, "top": "macro", "cell": "planar", "profile": "aligner"},
        {"rows": 3, "cols": 1, "top": "macro", "cell": "passive", "kelvin": True},
    ],
    ids=lambda v: f"{v.get('top', 'array')}-{v.get('cell', 'hybrid')}",
)
def test_both_ends_are_clean_and_matched(values):
    assert options.faults(build_top(ArraySpec(**values, row_ends="both"))) == ""


def _layout(**values):
    array = build_top(ArraySpec(**values))
    return to_layout(array.cell, array.tech), array.tech


def _loss(network):
    siemens = np.full((2, network.rows, network.cols), 1e-4)
    return ir_drop(network, siemens, np.full((2, network.rows), 0.2)).wires_only.worst_device


@pytest.mark.parametrize("strap", [False, True])
def test_the_drop_is_that_of_rows_driven_from_both_ends(strap):
    layout, tech = _layout(rows=10, cols=10, row_ends="both", strap=strap)
    found = [extract(layout, tech, engine=engine) for engine in ("flat", "tile")]
    assert [f.report.warnings for f in found] == [[], []]
    losses = [_loss(f.network) for f in found]
    assert losses[1] == pytest.approx(losses[0], rel=1e-9)
    one = extract(*_layout(rows=10, cols=10, strap=strap), engine="tile")
    assert losses[0] < _loss(one.network)
    if strap:  # a ladder is nothing for the solver of arrays
        return
    # the same segments, driven from both ends by the solver of arrays
    ends = one.array.row_segment[:, :, :1]
    arguments = one.array.crossbar_arguments(np.full((2, 10, 10), 1e-4), one.array.series_ohm())
    arguments |= {
        "row_segments": np.concatenate([one.array.row_segment, ends], axis=2),
        "row_drive": "both",
    }
    solved = solve_crossbar(voltages=np.full((2, 10), 0.2), **arguments)
    assert losses[0] == pytest.approx(1 - solved.device_currents.min() / 2e-5, rel=2e-3)


def test_a_label_twice_on_one_side_is_no_second_end():
    layout, tech = _layout(rows=2, cols=3)
    plain = _loss(extract(layout, tech, engine="flat").network)
    top = layout.top_cell()
    index = layout.find_layer(*tech.gds("Metal3_Label"))
    label = next(s for s in top.shapes(index).each() if s.text_string == "BR[0]")
    top.shapes(index).insert(label.text.moved(300, 0))
    found = extract(layout, tech, engine="flat")
    assert any("the first is the pin" in text for text in found.report.warnings)
    assert _loss(found.network) == pytest.approx(plain, rel=1e-9)


def test_a_turned_array_has_both_ends_too():
    layout, tech = _layout(rows=2, cols=3, row_ends="both")
    upright = _loss(extract(layout, tech, engine="flat").network)
    layout.top_cell().transform(db.Trans.R90)
    found = extract(layout, tech, engine="flat")
    assert found.report.warnings == []
    assert _loss(found.network) == pytest.approx(upright, rel=1e-4)


def test_a_macro_with_switches_at_both_ends_is_driven_over_both():
    layout, tech = _layout(rows=2, cols=2, top="macro", row_ends="both")
    found = [extract(layout, tech, engine=engine) for engine in ("flat", "tile")]
    assert [f.report.warnings for f in found] == [[], []]
    losses = [_loss(f.network) for f in found]
    assert losses[1] == pytest.approx(losses[0], rel=1e-9)
    network = found[1].network
    far = {p for p in network.ports if names.kind_of(p) in (*names.FAR_INPUTS, names.FAR_WRITE_ROW)}
    assert len(far) == 6
    drives = network_drives(network, "expansion", np.full((2, 2), 0.2))
    inputs = {p for p in far if p.startswith("IN")}
    assert {drives.port_voltages[p] for p in inputs} == {0.2}
    currents = _nodal(network, drives)
    for tier, i in ((0, 0), (0, 1), (1, 0), (1, 1)):
        name = names.row_input(tier, i)
        near, other = currents[name], currents[names.far_end(name)]
        assert near + other == pytest.approx(2 * 2e-5, rel=0.05)
        assert 0.45 < near / (near + other) < 0.55
    kind = ArrayKind.of(network)
    volts = mode_drives("deep-net", 2, 2, np.full((2, 2), 0.1), kind=kind).port_voltages
    assert all(volts[f"{name}_E[1]"] == volts[f"{name}[1]"] for name in ("IN_T", "IN_B", "WR"))


def test_the_matrix_of_a_macro_has_one_input_for_both_ends_of_a_row():
    layout, tech = _layout(rows=2, cols=3, top="macro", row_ends="both")
    network = extract(layout, tech).network
    random = np.random.default_rng(3)
    siemens = random.uniform(1e-6, 1e-4, (2, 2, 3))
    vectors = random.uniform(0, 0.2, (3, 2, 2))
    found = network_matrix(network, siemens, series={"switch_ohm": 300.0})
    assert found.inputs == ("IN_B[0]", "IN_B[1]", "IN_T[0]", "IN_T[1]")
    for volts, amps in zip(vectors, found.currents(vectors.reshape(3, -1)), strict=True):
        drives = network_drives(network, "expansion", volts)
        one = solve_network(
            network, conductances=siemens, port_voltages=drives.port_voltages,
            gates=gates_for(network, drives), switch_ohm=300.0,
        )  # fmt: skip
        wanted = [-one.port_currents[pin] for pin in drives.outputs]
        np.testing.assert_allclose(amps, wanted, rtol=1e-9)
    batch = solve_batch(network, tech, siemens, vectors, "deep-net", read_tier=1)
    assert batch.matrix_error is not None
    assert batch.matrix_error < 0.05


def _nodal(network, drives, on_ohm=100.0):
    """Return A into every driven pin: Kirchhoff's law, written out anew."""
    level = np.array([drives.gates.get(net, True) for net in network.nets])
    on = level[network.switch_gate] != network.switch_p
    a, b, siemens = (
        np.concatenate(parts)
        for parts in (
            (network.resistor_a, network.memristor_a, network.switch_a[on]),
            (network.resistor_b, network.memristor_b, network.switch_b[on]),
            (1 / network.resistor_ohm, np.full(8, 1e-4), np.full(on.sum(), 1 / on_ohm)),
        )
    )
    n, held = network.n_nodes, drives.port_voltages
    values = np.r_[siemens, siemens, -siemens, -siemens]
    where = (np.r_[a, b, a, b], np.r_[a, b, b, a])
    y = coo_matrix((values, where), (n, n)).tocsc() + 1e-15 * identity(n, format="csc")
    at = np.array([network.ports[p] for p in held])
    free = np.setdiff1d(np.arange(n), at)
    volts = np.zeros(n)
    volts[at] = [*held.values()]
    volts[free] = spsolve(y[free][:, free], -y[free][:, at] @ volts[at])
    out = y @ volts
    return {p: float(out[network.ports[p]]) for p in held}


@pytest.mark.parametrize(("ends", "drawn"), [("one", 0.02205), ("both", 0.01457)])
def test_theory_does_not_rule_out_what_a_strap_reaches(ends, drawn):
    # worst device of the drawn array, wires alone, as solved in full
    config = config_of({"rows": 32, "cols": 32, "strap": True, "row_ends": ends})
    assert 0.4 * drawn < least_errors(config)["worst_device_wires"] < drawn


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"row_ends": "east"}, "row_ends = 'east' .*one, both"),
        ({"row_ends": 2}, "row_ends = 2 .*a word"),
        ({"row_ends": "both", "top": "testchip"}, "row_ends = 'both' .*one on a test chip"),
        *(
            ({"row_ends": "both", "top": "macro", "periphery": p}, f"row_ends = 'both' .*: {p}")
            for p in ("scan", "decoder")
        ),
    ],
)
def test_other_ends_are_refused_by_name(values, words):
    with pytest.raises(ParameterError, match=words):
        ArraySpec(2, 2, **values)
