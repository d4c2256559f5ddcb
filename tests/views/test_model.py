"""The behavioural model under Icarus Verilog: its columns are those of a solve, in every state."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crossstack.analyse import Stimulus, operating_point, stimulus
from crossstack.analyse.operating import Laws
from crossstack.base.errors import ConfigError
from crossstack.solve.modes.address import Chain
from crossstack.views import states as room
from crossstack.views.delays import Circuit, LogicDelays, scan_order
from crossstack.views.model import write_model
from crossstack.views.onboard import decoder_of
from crossstack.views.ports import port_groups
from crossstack.views.states import states

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import scan_model

FILES = ("model.sv", "bench.sv", "matrix.hex", "states.hex", "vectors.hex")
pytestmark = pytest.mark.requires_program("iverilog")


def simulate(folder: Path, name: str = "blk", *options: str) -> tuple[int, str]:
    sources = [f"{name}_bench.sv", f"{name}_model.sv"]
    subprocess.run(
        ["iverilog", "-g2012", "-Wall", *options, "-o", "bench.vvp", *sources],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    done = subprocess.run(
        ["vvp", "bench.vvp"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def write(folder: Path, block, network, what, seed: int = 1, logic=None) -> None:
    abstract = block.abstract
    groups = port_groups(abstract.pins)
    chain = scan_order(block.extracted, abstract, block.tech, network)
    write_model(folder, abstract, groups, network, block.tech, what, 2e-9, seed, logic, chain)


@pytest.mark.parametrize("options", [(), ("-DUSE_POWER_PINS",)], ids=["signals", "supplies"])
def test_the_bench_passes_in_every_state(views, tmp_path, options):
    for end in FILES:
        shutil.copy(views.folder / f"blk_{end}", tmp_path)
    code, out = simulate(tmp_path, "blk", *options)
    assert code == 0, out
    # expansion, and each of two columns written in either tier
    assert "in 5 states" in out
    assert float(re.search(r"worst error (\S+)", out)[1]) < 1e-12


@pytest.mark.parametrize(("file", "line"), [("matrix.hex", 3), ("vectors.hex", 7)])
def test_the_bench_fails_on_a_wrong_number(views, tmp_path, file, line):
    for end in FILES:
        shutil.copy(views.folder / f"blk_{end}", tmp_path)
    path = tmp_path / f"blk_{file}"
    words = path.read_text().split()
    words[line] = f"{int(words[line], 16) ^ (1 << 44):x}"
    path.write_text("\n".join(words) + "\n")
    code, out = simulate(tmp_path)
    assert code != 0
    assert "FAIL" in out


@pytest.mark.parametrize(
    "values",
    [
        {"rows": 2, "cols": 3, "cell": "passive"},
        {"rows": 3, "cols": 3, "cell": "planar"},
        {"rows": 1, "cols": 1},
        {"rows": 2, "cols": 2, "kelvin": True},
        {"rows": 1, "cols": 3, "periphery": "decoder"},
        {"rows": 1, "cols": 1, "periphery": "decoder"},
        {"rows": 2, "cols": 1, "row_ends": "both"},
        {"rows": 1, "cols": 2, "periphery": "scan"},
        {"rows": 1, "cols": 1, "cell": "passive", "name": "module"},
    ],
    ids=lambda v: "-".join(map(str, v.values())),
)
def test_other_macros_have_models_too(draw, network_of, tmp_path, values):
    block = draw(**values)
    network = network_of(block)
    write(tmp_path, block, network, stimulus(network, block.tech))
    code, out = simulate(tmp_path, block.spec.top_name)
    assert code == 0, out


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        # an enable that never falls opens no latch
        (r"(control\[\d+\]) = 1'b0", r"\1 = 1'b1", "FAIL"),
        # what rises too soon is told, and makes no state
        (r"#\(dut.REST_NS \+ dut.SETUP_NS \+ 0.002\);", "#(0.5 * dut.REST_NS);", "short low pulse"),
    ],
)
def test_a_decoder_asks_for_its_times(decoder, tmp_path, old, new, word):
    block, network, _, _ = decoder
    times = LogicDelays(3.5e-9, 3.4e-9, 0.9e-9, 5e-9, 5.4e-9, 1.9e-9, 0.5e-9)
    write(tmp_path, block, network, stimulus(network, block.tech), logic=times)
    code, out = simulate(tmp_path)
    assert code == 0, out
    # expansion at each address, each column in either tier, and the address of none
    assert "in 12 states" in out
    bench = tmp_path / "blk_bench.sv"
    changed = re.sub(old, new, bench.read_text())
    assert changed != bench.read_text()
    bench.write_text(changed)
    code, out = simulate(tmp_path)
    assert code != 0
    assert word in out


@pytest.mark.parametrize("change", [None, ("latched = shifted", "latched = shifted ^ 1")])
def test_a_chain_is_as_its_transistors_switch(draw, network_of, tmp_path, change):
    """States of all bits, also of no mode; `bench/scan_model.py` goes over all of them."""
    block = draw(rows=1, cols=2, periphery="scan")
    network = network_of(block)
    write(tmp_path, block, network, stimulus(network, block.tech))
    chain = Chain(scan_order(block.extracted, block.abstract, block.tech, network))
    every = [*scan_model.steps(chain, 6)]
    circuit = Circuit(block.extracted, block.abstract, None)
    layout = scan_model.drawn(circuit, block.tech, chain, every)
    if change:
        model = tmp_path / "blk_model.sv"
        model.write_text(model.read_text().replace(*change))
    assert (scan_model.told(tmp_path, every) == layout) == (change is None)
    assert len(set(layout)) > 10


@pytest.mark.parametrize("cols", [1, 3])
def test_states_are_those_of_every_code(draw, network_of, cols):
    """An address of no column had none, nor a write of a lone column."""
    block = draw(rows=1, cols=cols, periphery="decoder")
    network = network_of(block)
    controls = [p.name for p in block.abstract.pins if p.role.digital]
    found = states(network, block.tech, stimulus(network, block.tech), controls)
    logic = decoder_of(network, controls)
    codes = [(True, True), (True, False), (False, True)]
    every = [logic.pins(code, k) for code in codes for k in range(1 << len(logic.address))]
    told = {tuple(sorted(state.controls.items())): state for state in found}
    assert set(told) == {tuple(sorted(pins.items())) for pins in every}
    for pins in every:
        state, levels = told[tuple(sorted(pins.items()))], logic.levels(pins)
        assert {net: state.drives.gates[net] for net in levels} == levels
        # a column whose devices in a tier are on, and that is not on the write rail, is read
        on = {j for j in range(cols) if not levels[f"WSEL[{j}]"]
              and (levels[f"BS[{j}]"] or levels[f"TS[{j}]"])}  # fmt: skip
        assert set(state.reads) == on == set(np.flatnonzero(state.matrix.any(axis=1)))


@pytest.mark.parametrize("seed", [1, 2])
def test_random_weights_agree_with_the_solver(views, tmp_path, seed):
    """The matrices against `solve`, with the transistors of each operating point."""
    network, tech = views.network, views.block.tech
    shape = (2, network.rows, network.cols)
    siemens = np.random.default_rng(seed).uniform(1e-6, 1e-4, shape)
    what = Stimulus(siemens, views.what.inputs, {"conductances": "random", "inputs": "read"})
    write(tmp_path, views.block, network, what, seed)
    code, out = simulate(tmp_path)
    assert code == 0, out
    controls = [p.name for p in views.block.abstract.pins if p.role.digital]
    for state in states(network, tech, what, controls):
        drop = operating_point(network, tech, what, state.mode, Laws.of(tech), **state.options)
        volts = what.inputs.reshape(-1)
        mine = np.where(state.matrix.any(axis=1), state.matrix @ volts, 0.0)
        theirs = np.nan_to_num(np.asarray(drop.column_currents))
        theirs = np.where(state.matrix.any(axis=1), theirs, 0.0)
        assert mine == pytest.approx(theirs, rel=2e-4, abs=1e-12), state.mode


def test_states_are_lines_of_the_mode_table(views):
    controls = [p.name for p in views.block.abstract.pins if p.role.digital]
    found = states(views.network, views.block.tech, views.what, controls)
    first, *rest = found
    assert first.controls == {
        **{f"{kind}[{j}]": True for kind in ("TS", "BS") for j in range(2)},
        **{f"WSEL[{j}]": False for j in range(2)}, "WB": False, "WT": False,
    }  # fmt: skip
    assert {(s.write_tier, s.write_column) for s in rest} == {
        (t, j) for t in (0, 1) for j in (0, 1)
    }
    assert len({tuple(s.controls.values()) for s in found}) == len(found)
    for state in rest:
        column = state.write_column
        assert not state.matrix[column].any()
        assert state.controls[f"WSEL[{column}]"]


def test_a_model_that_would_be_too_large_is_refused(views, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "MOST_NUMBERS", 59)
    with pytest.raises(ConfigError, match="60 numbers in 5 states, allowed: 59"):
        write(tmp_path, views.block, views.network, views.what)
    assert not list(tmp_path.iterdir())
