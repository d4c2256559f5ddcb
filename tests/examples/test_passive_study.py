"""The passive study: figures against theory, and usable sizes that are the largest."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest


def test_the_script_measures_and_says_so(example, tmp_path, capsys):
    module = example("passive_study")
    assert module.main(["--sizes", "4", "16", "--limit", "24", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "passive_study.csv").open()))
    assert [(r["profile"], r["n"]) for r in rows] == [
        (p, n) for p in ("stepper", "aligner") for n in ("4", "16")
    ]
    for key in ("read_device", "read_column", "sneak_floating", "write_loss", "disturb"):
        for profile in ("stepper", "aligner"):
            values = [float(r[key]) for r in rows if r["profile"] == profile]
            assert values == sorted(values), key
            assert values[0] > 0
    for r in rows:
        assert float(r["write_loss"]) < float(r["read_column"]) < float(r["read_device"])
        assert 0.49 < float(r["half_select"]) < 0.5 < float(r["disturb"])
    assert (tmp_path / "passive_study.png").stat().st_size > 10_000
    sizes = re.findall(r"within 5%, N = (\d+) reads .*, N = (\d+) reads .*, N = ", printed)
    assert len(sizes) == 2
    for profile, (read, one) in zip(("stepper", "aligner"), sizes, strict=True):
        for size, fits in ((int(read), True), (int(read) + 1, False)):
            array, tech, _ = module.drawn(profile, size)
            assert (module.read_loss(array, tech)[1] <= 0.05) == fits
        assert int(read) < int(one)


def test_read_loss_is_what_first_order_theory_says(example):
    """Currents of devices at R_on through the extracted segments; 8 x 8 is nearly first order."""
    module = example("passive_study")
    array, tech, _ = module.drawn("stepper", 8)
    n = np.arange(8, 0, -1)
    row = (array.row_segment[0, 0] * n).sum()
    column = (array.column_segment[:, 0] * 2 * n).sum()  # two tiers on one column
    loss = (row + column) / tech.memristor.r_on_ohm
    assert module.read_loss(array, tech)[0] == pytest.approx(loss, rel=0.05)


def test_sneak_paths_are_those_of_the_whole_array(example):
    """By symmetry through N - 1 columns, the devices between them and 2 N - 1 rows, and back."""
    module = example("passive_study")
    array, tech, _ = module.drawn("stepper", 2)
    floating, grounded = module.sneak(array.network(), tech)
    around = 1 / 1 + 1 / (1 * 3) + 1 / 3  # in R_on, for N = 2
    assert floating == pytest.approx(1 + 100 / around, rel=0.005)
    assert grounded == pytest.approx(1, abs=0.02)


def test_bisection():
    from importlib import import_module

    largest = import_module("passive_study").largest
    for size in range(2, 20):
        assert largest(lambda n, most=size: n <= most, 19) == size
    assert largest(lambda n: False, 19) == 0


def test_wrong_arguments_give_one_line(example, tmp_path, capsys):
    module = example("passive_study")
    assert module.main(["--sizes", "0", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.strip().startswith("passive_study: rows = 0")
    with pytest.raises(SystemExit):
        module.main(["--error", "5"])
