"""The behavioural model under Icarus Verilog: its columns are those of a solve, in every state."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crossstack.analyse import Stimulus, operating_point, stimulus
from crossstack.analyse.operating import Laws
from crossstack.base.errors import ConfigError
from crossstack.extract import extract_network
from crossstack.views import states as room
from crossstack.views.model import write_model
from crossstack.views.ports import port_groups
from crossstack.views.states import states

FILES = ("model.sv", "bench.sv", "matrix.hex", "states.hex", "vectors.hex")
pytestmark = pytest.mark.requires_program("iverilog")


def simulate(folder: Path, name: str = "blk") -> tuple[int, str]:
    sources = [f"{name}_bench.sv", f"{name}_model.sv"]
    subprocess.run(
        ["iverilog", "-g2012", "-Wall", "-o", "bench.vvp", *sources],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    done = subprocess.run(
        ["vvp", "bench.vvp"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def write(folder: Path, block, network, what, seed: int = 1) -> None:
    abstract = block.abstract
    groups = port_groups(abstract.pins)
    write_model(folder, abstract, groups, network, block.tech, what, 2e-9, seed)


def test_the_bench_passes_in_every_state(views, tmp_path):
    for end in FILES:
        shutil.copy(views.folder / f"blk_{end}", tmp_path)
    code, out = simulate(tmp_path)
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
    ],
    ids=lambda v: "-".join(map(str, v.values())),
)
def test_other_macros_have_models_too(draw, tmp_path, values):
    block = draw(**values)
    network = extract_network(block.extracted, block.tech)
    write(tmp_path, block, network, stimulus(network, block.tech))
    code, out = simulate(tmp_path)
    assert code == 0, out


def test_a_decoder_holds_its_address_while_it_is_enabled(draw, tmp_path):
    block = draw(rows=1, cols=3, periphery="decoder")
    network = extract_network(block.extracted, block.tech)
    write(tmp_path, block, network, stimulus(network, block.tech))
    code, out = simulate(tmp_path)
    assert code == 0, out
    # an enable that never falls opens no latch
    bench = tmp_path / "blk_bench.sv"
    bench.write_text(re.sub(r"(control\[\d+\]) = 1'b0", r"\1 = 1'b1", bench.read_text()))
    code, out = simulate(tmp_path)
    assert code != 0
    assert "FAIL" in out


def test_a_scan_chain_has_no_model_that_ignores_it(draw, tmp_path):
    """Its states had the same levels of CLK, LE, EN and RSTN: one's currents stood for all."""
    block = draw(rows=1, cols=2, periphery="scan")
    network = extract_network(block.extracted, block.tech)
    with pytest.raises(ConfigError, match="no pin sets BS"):
        write(tmp_path, block, network, stimulus(network, block.tech))


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
