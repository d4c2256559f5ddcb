"""Wires kept apart from their network, once for nets that are alike, against every net alone."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.analyse import analysis, em_report
from crossstack.analyse.electromigration import current_limits_of
from crossstack.cells import to_layout
from crossstack.config import config_of
from crossstack.console import Console
from crossstack.extract import extract
from crossstack.extract.array import tile
from crossstack.generators import build_top
from crossstack.solve.circuit import factors
from crossstack.solve.network import linear, wires

QUIET = Console(quiet=True)
SMALL = {"rows": 4, "cols": 3}
#: a strap, rows from both ends, two gates a cell, rows written by turns
FOLDED = {
    **SMALL, "strap": True, "row_ends": "both", "select_w_um": 4, "select_fingers": 2,
    "device": {"write_rows": 2},
}  # fmt: skip
KINDS = {"plain": SMALL, "folded": FOLDED, "passive": {**SMALL, "cell": "passive"}}


def judged(values, **options):
    """Return a layout's extraction and what it says of currents."""
    config = config_of(values)
    tech, array = config.resolved_tech(), build_top(config.spec)
    found = extract(to_layout(array.cell, array.tech), tech, **options)
    what = analysis.stimulus(found.network, tech)
    done, _ = analysis.solve_modes(found.network, tech, what, QUIET)
    limits = current_limits_of(tech, tech.conditions.temperature_c)
    report = em_report(found.network, tech, limits, done, what, wires=found.wires)
    return found, report.to_json()


def numbers(value, path=""):
    """Yield each number of a report with its place, and each text that does not depend on order."""
    if isinstance(value, dict):
        for key, part in value.items():
            # of pieces that carry the same, the first in the order of a network stands for all
            if key not in ("net", "nodes", "layer", "text"):
                yield from numbers(part, f"{path}/{key}")
    elif not isinstance(value, str | list):
        yield path, value


@pytest.fixture(scope="module")
def flat():
    """What every net by itself says of currents, by kind."""
    return {kind: dict(numbers(judged(KINDS[kind], engine="flat")[1])) for kind in KINDS}


def same(report, wanted):
    assert dict(numbers(report)) == pytest.approx(wanted, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("kind", KINDS)
def test_currents_are_those_of_every_piece(kind, flat, monkeypatch):
    monkeypatch.setattr(wires, "TOGETHER", 700)  # several nets at a time, and not all
    tiled, found = judged(KINDS[kind], engine="tile", pieces=True)
    assert len(tiled.wires) < 20
    assert sum(len(alike.nets) for alike in tiled.wires) >= 11
    same(found, flat[kind])


def test_a_macro_is_judged_whole_by_either_engine(monkeypatch):
    """The tile engine left out what stands between transistors and memristors."""
    values = {"rows": 2, "cols": 2, "top": "macro", "row_ends": "both"}
    flat, tiled = (judged(values, engine=e, pieces=True)[1] for e in ("flat", "tile"))
    assert tiled["verdict"]["judged"]
    assert tiled["verdict"]["text"] == flat["verdict"]["text"]
    for mode, found in flat["modes"].items():
        for layer, load in found["by_layer"].items():
            assert tiled["modes"][mode]["by_layer"][layer]["ratio"] == pytest.approx(
                load["ratio"], rel=1e-6
            ), layer
    # above a size the stacks are one resistance each, and the verdict says so
    monkeypatch.setattr(tile, "MOST_STACKS", 3)
    verdict = judged(values, engine="tile", pieces=True)[1]["verdict"]
    assert not verdict["judged"]
    assert "not judged: electrode" in verdict["text"]


def test_where_memory_is_short_nets_are_solved_one_by_one(flat, monkeypatch):
    monkeypatch.setattr(wires, "MOST_BYTES", 0)
    same(judged(SMALL, engine="tile", pieces=True)[1], flat["plain"])


def test_the_network_holds_what_devices_see():
    every, small = (judged(FOLDED, engine=e, pieces=True)[0] for e in ("flat", "tile"))
    assert len(small.network.resistor_ohm) < len(every.network.resistor_ohm) / 5
    places = small.array.switch_places()
    gates = [small.network.nets[g] for g in small.network.switch_gate]
    assert gates == [f"{'BT'[t]}S[{j}]" for t, _, j, _ in places.T.tolist()]
    assert np.array_equal(np.bincount(places[3]), [24, 24])


def test_lines_that_are_meshes_are_solved_without_the_devices_between_them(flat, monkeypatch):
    """Steps over the devices get where a factor of everything gets, writes included."""
    monkeypatch.setattr(linear, "MESHED_FROM", 1)
    monkeypatch.setattr(linear, "MESHED", 0)
    seen = []
    solve = factors.PartsFactor.solve
    monkeypatch.setattr(
        factors.PartsFactor, "solve", lambda self, right: seen.append(self) or solve(self, right)
    )
    same(judged(FOLDED, engine="tile", pieces=True)[1], flat["folded"])
    assert len(seen) > 50
    # a transistor at its limit leaves a memristor of a steep law to hold two nodes together
    assert np.mean([factor._whole is not None for factor in seen]) < 0.2


def test_where_steps_do_not_get_there_everything_is_factorised(flat, monkeypatch):
    monkeypatch.setattr(linear, "MESHED_FROM", 1)
    monkeypatch.setattr(linear, "MESHED", 0)
    monkeypatch.setattr(factors, "gmres", lambda *a, **k: (None, 1))
    same(judged(SMALL, engine="tile", pieces=True)[1], flat["plain"])
