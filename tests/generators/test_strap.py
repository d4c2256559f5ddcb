"""Column strap and several cuts: clean, matched, and of the resistance that a hand computes."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import ParameterError

_SPEC = importlib.util.spec_from_file_location(
    "bench_options", Path(__file__).parents[2] / "bench" / "options.py"
)
options = importlib.util.module_from_spec(_SPEC)
sys.modules["bench_options"] = options
_SPEC.loader.exec_module(options)


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
@pytest.mark.parametrize(
    "values",
    [
        {"rows": 1, "cols": 1, "strap": True},
        {"rows": 3, "cols": 2, "strap": True, "cuts": 2},
        {"rows": 2, "cols": 2, "cuts": 4},
        {"rows": 2, "cols": 2, "cell": "planar", "strap": True, "cuts": 4, "top": "macro"},
        # a strap of wide metal, and module vias along a tall strip
        {"rows": 2, "cols": 2, "strap": True, "pitch_x_um": 15.0},
        {"rows": 2, "cols": 2, "strap": True, "device_um": 5.0, "cuts": 4},
        {"rows": 1, "cols": 2, "cuts": 2, "select_w_um": 0.36},
    ],
    ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()),
)
def test_strap_and_cuts_are_clean_and_matched(values, profile):
    assert options.faults(build_top(ArraySpec(**values, profile=profile))) == ""


def test_a_strap_costs_no_area_at_the_default_pitch():
    plain, strapped = (build_top(ArraySpec(1, 1, strap=on)).unit for on in (False, True))
    assert (strapped.width, strapped.height) == (plain.width, plain.height)
    assert strapped.info["strap_width_um"] == pytest.approx(1.38)


@pytest.mark.parametrize("key", ["strap", "cuts"])
@pytest.mark.parametrize(("cell", "value"), [("passive", None), ("hybrid", 3), ("hybrid", "yes")])
def test_what_cannot_be_drawn_is_refused_by_name(key, cell, value):
    value = {"strap": True, "cuts": 2}[key] if value is None else value
    with pytest.raises(ParameterError, match=f"^{key} = "):
        ArraySpec(cell=cell, **{key: value})


def _layout(**values):
    array = build_top(ArraySpec(**values))
    return to_layout(array.cell, array.tech), array.tech


def _steps(network):
    """Return what each cell adds to the resistance from the column's pin to its device."""
    of_column = network.resistor_net == list(network.nets).index("C[0]")
    a, b = network.resistor_a[of_column], network.resistor_b[of_column]
    g = 1 / network.resistor_ohm[of_column]
    nodes = np.unique([*a, *b])
    a, b = np.searchsorted(nodes, a), np.searchsorted(nodes, b)
    matrix = np.zeros((len(nodes), len(nodes)))
    np.add.at(matrix, (np.r_[a, b, a, b], np.r_[a, b, b, a]), np.r_[g, g, -g, -g])
    pin = int(np.searchsorted(nodes, network.ports["C[0]"]))
    matrix[pin] = 0
    matrix[pin, pin] = 1
    device = network.memristor_tier == 0
    order = np.argsort(network.memristor_row[device])
    at = np.searchsorted(nodes, network.memristor_b[device][order])
    ohm = np.linalg.inv(matrix)[at, at]
    return np.diff(ohm)


def test_the_column_of_a_strap_is_both_lines_in_parallel():
    # far from the ends both lines carry their share: sheet ohm x length / width each
    me, metal5 = 0.4 * 2.92 / 1.0, 0.04 * 2.92 / 1.38
    plain = _steps(extract(*_layout(rows=12, cols=1), engine="flat").network)
    strapped = _steps(extract(*_layout(rows=12, cols=1, strap=True), engine="flat").network)
    assert plain[5] == pytest.approx(me, rel=1e-6)
    assert strapped[5] == pytest.approx(me * metal5 / (me + metal5), rel=2e-3)


@pytest.mark.parametrize("cell", ["hybrid", "passive"])
@pytest.mark.parametrize("width", [0.7, 4.0])
def test_a_given_middle_electrode_is_as_wide_as_asked_for(cell, width):
    values = {"rows": 12, "cols": 1, "cell": cell, "me_width_um": width, "device_um": 1.2}
    unit = build_top(ArraySpec(**values)).unit
    assert unit.info["me_width_um"] == pytest.approx(width)
    assert unit.info["device_area_um2"] == pytest.approx(width * 1.2)
    step = 0.4 * unit.height * 1e-3 / width  # sheet ohm x length / width
    assert _steps(extract(*_layout(**values), engine="flat").network)[5] == pytest.approx(
        step, rel=1e-5
    )


def test_the_pitch_follows_the_middle_electrode():
    def pitch(**values):
        return build_top(ArraySpec(1, 1, **values)).unit.width

    assert pitch(me_width_um=1.0) == pitch()
    assert pitch(me_width_um=4.0) == pitch() + 3000
    assert pitch(me_width_um=2.0, pitch_x_um=9.0) == 9000


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
@pytest.mark.parametrize("seed", range(2))
def test_every_width_of_the_middle_electrode_is_clean(profile, seed):
    rng = random.Random(f"{profile}/{seed}")
    low = {"stepper": 0.8, "aligner": 2.0}[profile]  # a tie of a strap
    for cell, top in (("hybrid", "array"), ("planar", "macro"), ("passive", "array")):
        width = round(low * (50 / low) ** rng.random(), 2) if top == "array" else low
        strap = cell != "passive" and rng.random() < 0.6
        values = {"rows": 2, "cols": 2, "cell": cell, "top": top, "profile": profile}
        array = build_top(ArraySpec(**values, strap=strap, me_width_um=width))
        assert options.faults(array) == "", (cell, width, strap)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"me_width_um": 0.4}, "me_width_um = 0.4 .*0.5 .. 50 um"),
        ({"me_width_um": 0.6, "strap": True}, "me_width_um = 0.6 .*0.8 .. 50 um"),
        ({"me_width_um": "wide"}, "me_width_um = 'wide'"),
        ({"me_width_um": 4.0, "pitch_x_um": 6.0}, "pitch_x_um = 6.0 .*7.36 "),
        ({"me_width_um": 40.0, "top": "macro", "strap": True}, "me_width_um = 40.0 .*0.8 .. 16.6"),
        ({"me_width_um": 40.0, "top": "macro", "cell": "passive"}, "me_width_um = 40.0 .*0.5 .. "),
        ({"me_width_um": 1.0, "cell": "planar", "process": "sky130_reram"}, "me_width_um = 1.0 .*"),
    ],
)
def test_a_width_that_cannot_be_drawn_is_refused_by_name(values, words):
    with pytest.raises(ParameterError, match=words):
        build_top(ArraySpec(1, 2, **values))


@pytest.mark.parametrize("cuts", [2, 4])
def test_cuts_share_the_current_of_a_stack(cuts):
    def of_via(n):
        network = extract(*_layout(rows=1, cols=1, cuts=n), engine="flat").network
        names = np.array(list(network.layers))[network.resistor_layer]
        found = names == "Via3"
        return network.resistor_ohm[found], network.resistor_cuts[found]

    ohm, one = of_via(1)
    shared, count = of_via(cuts)
    assert (one == 1).all()
    assert 1 / (1 / shared).sum() == pytest.approx(1 / (1 / ohm).sum() / cuts, rel=0.02)
    assert count.sum() == cuts * one.sum()
