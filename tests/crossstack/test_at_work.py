"""Select transistors where every vector puts them, over a space, against the whole network."""

from dataclasses import replace

import numpy as np
import pytest

from crossstack.analyse.analysis import Stimulus, operating_point
from crossstack.analyse.operating import Laws
from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.mapping.arrays import Array

LEAST, MOST = np.log(1e-6), np.log(1e-3)
#: what the writes of other tests of this kind are, V
WAY = {"write_voltage": 2.0, "write_rail": 0.0}


def drawn(rows, cols, process, conditions):
    spec = ArraySpec(rows, cols, "hybrid", process=process)
    tech = spec.tech()
    tech = tech.at(replace(tech.conditions, **conditions))
    return extract(to_layout(build_top(spec).cell, tech), tech, engine="tile"), tech


def places(rng):
    """Processes, odd shapes, modes and conditions at random."""
    process = ("gf180mcuD", "sky130")[rng.integers(2)]
    rows, cols = ((2, 9), (7, 3), (3, 2))[rng.integers(3)]
    read = ("bottom", "top")[rng.integers(2)]
    deep = {"read_tier": read, "write_column": int(rng.integers(cols))}
    options = deep if rng.random() < 0.5 else {}
    conditions = {
        "corner": ("typ", "min", "max")[rng.integers(3)],
        "temperature_c": float(rng.choice([-40, 0, 27, 85, 125])),
    }
    return process, rows, cols, options, conditions


@pytest.mark.parametrize("seed", range(10, 16))
def test_the_same_as_the_whole_network(seed):
    rng = np.random.default_rng(seed)
    process, rows, cols, options, conditions = places(rng)
    found, tech = drawn(rows, cols, process, conditions)
    mode = "deep-net" if options else "expansion"
    span = np.sort(rng.uniform(LEAST, MOST, 2))
    siemens = np.exp(rng.uniform(*span, (2, rows, cols)))
    volts = rng.uniform(-0.1, 0.8, (2, rows)) * (rng.random((2, rows)) < 0.8)
    drop = operating_point(
        found.network, tech, Stimulus(siemens, volts, {}), mode, Laws.of(tech),
        **({**options, **WAY} if options else {}),
    )  # fmt: skip
    others = [j for j in range(cols) if j != options.get("write_column")]
    want = np.array(drop.column_currents)[others]
    tier = {"bottom": [0], "top": [1]}.get(options.get("read_tier"), [0, 1])
    for wires in (found.network, found.array):
        array = Array.of(wires, tech, mode=mode, **options)
        amps, _ = array.at_work(siemens, volts[tier].reshape(-1))
        assert np.abs(amps - want).max() <= 1e-9 * np.abs(want).max()
