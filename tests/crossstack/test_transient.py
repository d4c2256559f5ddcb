"""`solve --transient`: against ngspice on the RC netlist, its files, what it refuses."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from crossstack.analyse.operating import Laws
from crossstack.solve import load_network

from .conftest import COLS, ROWS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import transient as bench


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
def test_reads_and_writes_are_those_of_ngspice(tmp_path):
    """2 x 2 x 2, sinh devices: settling 3 %, charges 2 %."""
    fast = {"fixed": True, "options": bench.FAST}
    case = bench.Case(2)
    read, write = Laws.of(case.tech, nonlinear=True), Laws.of(case.tech)
    rows = [*bench.judge(case, "expansion", read, tmp_path, **fast)]
    rows += bench.judge(case, "deep-net", write, tmp_path, only="write", **fast)
    assert len(rows) == 9
    off = {figure: ours / theirs - 1 for _, figure, ours, theirs, _ in rows}
    assert all(abs(off[figure]) < most for _, figure, _, _, most in rows), off


def test_a_build_is_followed_over_time(crossstack, built, tmp_path):
    ran = crossstack("solve", built, "--transient", "--bits", "6", "-o", tmp_path, "--json")
    assert ran.code == 0, ran.err
    read = ran.json["read"]
    assert set(read["columns"]) == {f"C[{j}]" for j in range(COLS)}
    assert read["devices"] == 2 * ROWS * COLS
    assert len(read["settle_by_bits_s"]) == 6
    assert np.all(np.diff(read["settle_by_bits_s"]) > 0)
    assert read["settle_s"] == pytest.approx(
        max(column["settle_s"] for column in read["columns"].values())
    )
    static = crossstack("solve", built, "--json").json["modes"]["expansion"]
    amps = [column["final_A"] for column in read["columns"].values()]
    assert amps == pytest.approx(static["column_currents_A"], rel=1e-5)
    # V^2 / R of all devices and what lies in series: 0.2 V at each source
    assert read["watts"] == pytest.approx(0.2 * sum(amps), rel=1e-6)
    assert read["energy_j"] == pytest.approx(read["settle_j"] + read["watts"] * 1e-7)
    rows = [*csv.DictReader((tmp_path / "transient_read.csv").open())]
    assert float(rows[-1]["C[0]_A"]) == pytest.approx(amps[0], rel=0.02)
    assert (tmp_path / "transient.json").is_file()
    # the capacitances are in the network file
    assert len(load_network(built / "network.npz").capacitor_f)


def test_more_capacitance_in_the_network_settles_later(crossstack, built, tmp_path):
    from dataclasses import replace

    from crossstack.solve import save_network

    network = load_network(built / "network.npz")
    more = replace(network, capacitor_f=3 * network.capacitor_f)
    save_network(more, tmp_path / "network.npz")
    shutil.copy(built / "manifest.json", tmp_path)
    first, later = (
        crossstack("solve", at, "--transient", "--json").json["read"]["settle_s"]
        for at in (built / "network.npz", tmp_path / "network.npz")
    )
    assert 1.5 * first < later < 3 * first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bits", "4"], ["--bits", "belongs to --transient"]),
        (["--transient", "--bits", "0"], ["--bits", "0 is not in the range 1 to 24"]),
        (["--transient", "--rise", "0"], ["--rise", "1e-15 to 1 s"]),
        (["--transient", "--pulse", "1e9"], ["--pulse", "1e-15 to 1 s"]),
        (["--transient", "--sensitivity"], ["--transient and --sensitivity"]),
        (["--transient", "-o", "x.csv"], ["-o FOLDER"]),
    ],
)
def test_refusals(crossstack, built, options, words):
    crossstack("solve", built, *options).fails(2, *words)


def test_a_network_of_resistors_alone_is_refused(crossstack, built, tmp_path):
    name = built.name
    assert crossstack("extract", built / f"{name}.gds", "-o", tmp_path).code == 0
    plain = tmp_path / f"{name}_network.npz"
    crossstack("solve", plain, "--transient").fails(2, "no capacitances", "extract --rc")
