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
from crossstack.generators import build_top
from crossstack.solve.network import wires

QUIET = Console(quiet=True)
FOLDED = {"strap": True, "row_ends": "both", "select_w_um": 8, "select_fingers": 2}
KINDS = {
    "plain": {},
    "strap": {"strap": True},
    "folded, row by row": {**FOLDED, "device": {"write_rows": 1}},
    "passive": {"cell": "passive"},
}


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


@pytest.mark.parametrize("kind", KINDS)
def test_currents_are_those_of_every_piece(kind, monkeypatch):
    monkeypatch.setattr(wires, "TOGETHER", 700)  # several nets at a time, and not all
    values = {"rows": 5, "cols": 4, **KINDS[kind]}
    _, flat = judged(values, engine="flat")
    tiled, found = judged(values, engine="tile", pieces=True)
    assert len(tiled.wires) < 20
    assert sum(len(alike.nets) for alike in tiled.wires) >= 14
    assert dict(numbers(found)) == pytest.approx(dict(numbers(flat)), rel=1e-9, nan_ok=True)
    assert found["verdict"]["text"].split(" in ")[0] == flat["verdict"]["text"].split(" in ")[0]
    # too little memory for what 1 A into each place does: solved for each net
    monkeypatch.setattr(wires, "MOST_BYTES", 0)
    _, again = judged(values, engine="tile", pieces=True)
    assert dict(numbers(again)) == pytest.approx(dict(numbers(flat)), rel=1e-9, nan_ok=True)


def test_the_network_holds_what_devices_see():
    values = {"rows": 6, "cols": 3, **FOLDED}
    every, small = (judged(values, engine=e, pieces=True)[0] for e in ("flat", "tile"))
    assert len(small.network.resistor_ohm) < len(every.network.resistor_ohm) / 5
    places = small.array.switch_places()
    gates = [small.network.nets[g] for g in small.network.switch_gate]
    assert gates == [f"{'BT'[t]}S[{j}]" for t, _, j, _ in places.T.tolist()]
    assert np.array_equal(np.bincount(places[3]), [36, 36])
