"""A mode is one entry of a table: a toy one goes everywhere, and no other file knows of it."""

import json

import numpy as np
import pytest

from crossstack.base import names
from crossstack.cli import run
from crossstack.solve.modes.mode import OWN_ROWS, TWO_TIERS, ArrayKind, Mode, Rule
from crossstack.solve.modes.modes import MODES

ROWS, COLS = 3, 2
_SUPPLIES = (
    Rule(names.GROUND, "one", "ground", optional=True),
    Rule(names.SUPPLY, "one", "vdd", optional=True),
)
_ON = (
    Rule(names.select("{R}", "{i}"), "cols", "high", part="select"),
    Rule(names.select("{W}", "{i}"), "cols", "low", part="select"),
)
TOY = Mode(
    "solo",
    "one tier is read, the other rests",
    array=(
        Rule(names.row("{R}", "{i}"), "rows", "input_read"),
        Rule(names.row("{W}", "{i}"), "rows", "ground"),
        Rule(names.column("{i}"), "cols", "sense"),
        *_ON,
        *_SUPPLIES,
    ),
    reads="one",
    needs=(TWO_TIERS, OWN_ROWS),
    options=("read_tier",),
    settles=True,
)


@pytest.fixture(scope="module")
def toy():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODES, TOY.name, TOY)
        yield TOY


@pytest.fixture(scope="module")
def built(toy, tmp_path_factory):
    out = tmp_path_factory.mktemp("toy")
    size = ("--rows", str(ROWS), "--cols", str(COLS))
    assert run(["build", *size, "--name", "toy", "-o", str(out), "--quiet"]) == 0
    return out / "toy"


def told(capsys, *args):
    capsys.readouterr()
    code = run([str(a) for a in args])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_build_timing_and_report_have_it(built):
    drop = json.loads((built / "ir_drop.json").read_text())["modes"]["solo"]
    assert 0 < drop["worst_device_error"]["wires_only"] < drop["worst_device_error"]["all_series"]
    assert drop["columns_counted"] == [0, 1]
    assert "write" not in drop
    ideal = drop["ideal_column_currents_A"]
    np.testing.assert_allclose(ideal, ROWS * 0.2 / 10e3, rtol=1e-9)
    timing = json.loads((built / "timing.json").read_text())
    assert list(timing["modes"]) == ["solo"]
    ratio = timing["modes"]["solo"]["settle_s"] / timing["settle"]["settle_s"]
    # what couples into devices of the tier that rests leaves through their 10 kohm alone: 3.7 times
    # as long here, 5.1 times with the capacitances of the field
    assert 2.0 < ratio < 8.0
    assert "solo" in json.loads((built / "em.json").read_text())["modes"]
    assert (built / "ir_drop_solo.svg").is_file()
    report = (built / "report.html").read_text()
    assert "IR drop, solo" in report
    assert "In solo, settling" in report


def test_solve_one_tier_after_the_other(built, capsys):
    amps = []
    for tier in ("bottom", "top"):
        code, out, _ = told(capsys, "solve", built, "--mode", "solo", "--read-tier", tier, "--json")
        value = json.loads(out)
        assert (code, value["parameters"]["read_tier"]) == (0, tier)
        amps.append(value["modes"]["solo"]["column_currents_A"])
    assert not np.allclose(*amps, rtol=1e-6)  # the tiers' wires differ


@pytest.mark.parametrize("flags", [(), ("--nonlinear",)])
def test_solve_of_many_vectors(built, tmp_path, capsys, flags):
    vectors = np.random.default_rng(1).uniform(0.05, 0.2, (4, 2, ROWS))
    np.save(tmp_path / "x.npy", vectors)
    code, out, _ = told(
        capsys, "solve", built, "--mode", "solo", "--read-tier", "top", "--json", *flags,
        "--inputs", tmp_path / "x.npy", "-o", tmp_path / "out",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["batch"]["vectors"] == 4
    rows = np.loadtxt(tmp_path / "out" / "column_currents.csv", delimiter=",", skiprows=1)
    other = vectors.copy()
    other[:, 0] = 0.0  # the tier at rest does not count
    np.save(tmp_path / "y.npy", other)
    told(
        capsys, "solve", built, "--mode", "solo", "--read-tier", "top", *flags,
        "--inputs", tmp_path / "y.npy", "-o", tmp_path / "again",
    )  # fmt: skip
    again = np.loadtxt(tmp_path / "again" / "column_currents.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(rows, again, rtol=1e-3)
    assert "IR drop, solo" in (tmp_path / "out" / "report.html").read_text()


def test_help_and_refusals_know_it(built, capsys):
    for command in (("solve",), ("foundry", "solve")):
        text = " ".join(told(capsys, *command, "--help")[1].split())
        assert "[expansion|deep-net|solo]" in text
        assert "solo: one tier is read, the other rests" in text
    code, _, err = told(capsys, "solve", built, "--mode", "solo", "--write-column", "1")
    assert code == 2
    assert "--write-column belongs to --mode deep-net" in err
    code, _, err = told(capsys, "solve", built, "--read-tier", "top")
    assert code == 2
    assert "--read-tier belongs to --mode deep-net or --mode solo" in err
    assert TOY.refusal(ArrayKind(tiers=(0,)), 2) == "solo needs two tiers"
    assert TOY.refusal(ArrayKind(macro=True), 2) == "solo needs an array without mode switches"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"array": (Rule("C[{i}]", "cols", "nonsense"),)}, "carries 'nonsense'"),
        ({"array": (Rule("C[{i}]", "tiers", "sense"),)}, "runs over 'tiers'"),
        ({"array": ()}, "says of no pin"),
        ({"array": TOY.array, "reads": "some"}, "reads 'some'"),
        ({"array": TOY.array, "writes": True}, "writes a tier that it also reads"),
    ],
)
def test_a_mode_that_contradicts_itself_is_refused(wrong, words):
    with pytest.raises(Exception, match=words):
        Mode("bad", "", **wrong)
