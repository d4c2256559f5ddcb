"""Memristors as a configuration describes them: in the solver, in ngspice, in the verdict."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from crossstack.analyse import writing
from crossstack.analyse.analysis import solve_modes, stimulus
from crossstack.analyse.bsim import compare_bsim
from crossstack.analyse.duty import column_of_nets
from crossstack.analyse.needs import Lowest, write_verdict
from crossstack.analyse.operating import Laws, write_options, write_way
from crossstack.analyse.parts import AllOf
from crossstack.analyse.studies import programming
from crossstack.analyse.timing import overlap
from crossstack.analyse.writing import write_currents
from crossstack.base.errors import ConfigError, ModeError, ParameterError
from crossstack.cells import to_layout
from crossstack.cli import run
from crossstack.config import config_of
from crossstack.console import Console
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.layouts import wires_in
from crossstack.pdk import Conditions, get_tech
from crossstack.pdk.memristor import merged
from crossstack.signoff.models import foundry_models
from crossstack.solve.circuit.iv import Limited, Linear, Sinh
from crossstack.solve.modes.drives import mode_drives
from crossstack.solve.modes.modes import POLARITIES

TECH = get_tech()
#: measured on nobody's device: as sinh with b = 3 /V, other slopes in the two polarities
POINTS = [[-2.2, -6e-3], [-1.5, -1.6e-3], [-0.8, -1.9e-4], [-0.2, -2.04e-5],
          [0.2, 2.05e-5], [0.8, 1.8e-4], [1.5, 1.5e-3], [2.5, 9e-3]]  # fmt: skip
DEVICES = {
    "linear": {"law": "linear"},
    "cubic": {"law": "cubic", "cubic_c_per_v2": 2.1},
    "table": {"law": "table", "table": POINTS},
    "limited": {"compliance_a": 1.5e-4},
    "unlike": {"law": "cubic", "v_set_v": 2.2, "v_reset_v": 1.4, "r_on_ohm": 2e4},
}


@pytest.fixture(scope="module")
def network():
    drawn = build_top(ArraySpec(rows=2, cols=2))
    return extract_network(to_layout(drawn.cell, drawn.tech), TECH)


def with_device(network, device):
    """A network and technology whose memristors are others: wires do not feel them."""
    tech = TECH.at(Conditions(device=device))
    return replace(network, conditions=tech.conditions.to_json()), tech


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("kind", DEVICES)
def test_a_write_is_that_of_ngspice_with_the_law(network, kind, polarity, requires_program):
    """Column current and device voltages within 1 %, transistors by BSIM there (0.2 % seen)."""
    requires_program("ngspice")
    network, tech = with_device(network, DEVICES[kind])
    what = stimulus(network, tech)
    (way,) = write_options(tech, "deep-net", {"polarity": polarity, "read_tier": 0})
    with foundry_models(TECH) as models:
        found = compare_bsim(network, tech, what, "deep-net", models, **way)
    assert abs(found.ours.write.applied[0]) == tech.memristor.write_v(polarity)
    assert np.abs(found.write_error).max() < 0.01
    assert np.abs(found.column_error).max() < 1e-3
    assert found.ours.column_currents[0] / found.column_currents[0] == pytest.approx(1, abs=0.01)
    most = tech.memristor.compliance_a
    if most is not None:
        amps = np.abs(found.ours.solution.device_currents[1, :, 0])
        assert amps == pytest.approx(most, rel=1e-9)
        # the driver takes the rest: the device has what its law has at the limit
        volts = np.arcsinh(3.0 * most * 1e4) / 3.0
        assert np.abs(found.ours.write.device_voltages) == pytest.approx(volts, rel=1e-9)


def test_figures_go_from_the_file_to_every_result(tmp_path, capsys):
    file = tmp_path / "array.yaml"
    file.write_text(
        "rows: 2\ncols: 2\ndevice:\n  r_on_ohm: 20e3\n  law: cubic\n  v_read_v: 0.1\n"
        "  set_needed_v: 1.1\n  needed_source: my lab\n  v_reset_v: 1.8\n"
    )
    assert run(["build", str(file), "-o", str(tmp_path), "--quiet"]) == 0
    folder = tmp_path / "crossstack_2x2x2"
    manifest = json.loads((folder / "manifest.json").read_text())
    asked = {"r_on_ohm": 2e4, "v_read_v": 0.1, "v_reset_v": 1.8, "set_needed_v": 1.1,
             "needed_source": "my lab", "law": "cubic"}  # fmt: skip
    assert manifest["parameters"]["device"] == asked
    drop = json.loads((folder / "ir_drop.json").read_text())
    assert drop["conditions"]["device"] == asked
    mode = drop["modes"]["deep-net"]
    assert {k: abs(w["applied_V"][0]) for k, w in mode["writes"].items()} == {
        "set": 2.0, "reset": 1.8,
    }  # fmt: skip
    ideal = drop["modes"]["expansion"]["ideal_column_currents_A"]
    assert ideal == pytest.approx([4 * 0.1 / 2e4] * 2)
    told = manifest["write_voltages"]
    assert told["judged"]
    assert told["set"]["needed_V"] == 1.1
    assert told["set"]["met"] == (told["set"]["volts"] >= 1.1)
    assert told["text"] in manifest["verdict"]
    assert told["source"].startswith("set_needed_v: my lab; else assumed")
    assert "Write voltages" in (folder / "report.html").read_text()
    # what a later step takes is what the network carries
    wires = wires_in(folder)
    assert wires.tech.memristor.r_on_ohm == 2e4
    other = wires.with_device({"r_on_ohm": 3e4})
    assert other.tech.memristor.r_on_ohm == 3e4
    assert other.tech.memristor.law == "cubic"
    assert any("r_on_ohm 30000" in note for note in other.notes)
    capsys.readouterr()
    assert run(["solve", str(folder), "--device", "r_on_ohm=3e4", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    currents = value["modes"]["expansion"]["ideal_column_currents_A"]
    assert currents == pytest.approx([4 * 0.1 / 3e4] * 2)
    assert value["parameters"]["conditions"]["device"]["r_on_ohm"] == 3e4
    # another law does not keep the figures of the one before
    assert wires.with_device({"law": "sinh"}).tech.memristor.law == "sinh"
    assert merged({"law": "cubic", "cubic_c_per_v2": 1.0, "r_on_ohm": 1.0}, {"law": "sinh"}) == {
        "law": "sinh", "r_on_ohm": 1.0,
    }  # fmt: skip
    assert run(["solve", str(folder), "--programming", "device", "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert {r["needed_V"] for r in value["programming"]} == {1.1, 1.7}
    assert run(["solve", str(folder), "--programming", "devices"]) == 2


WRONG = {
    "r_on_ohm: 0": "from 1 to 1e+12 ohm",
    "r_on_ohm: .nan": "from 1 to 1e+12 ohm",
    "r_on_ohm: true": "from 1 to 1e+12 ohm",
    "r_off_ohm: 10": "r_on_ohm, 10000, or more",
    "r_on_ohm: 2e6": "line 2: device.r_on_ohm = 2000000.0 is not allowed: it is above r_off",
    "{r_on_ohm: 2e6, r_off_ohm: 1e6}": "line 2: device.r_off_ohm = 1000000.0 is not allowed: r_on",
    "v_set_v: 5": "up to the supply, 3.3 V",
    "v_set_v: -2": "from 0.001 to 100 V",
    "law: quartic": "one of linear, sinh, cubic, table",
    "law: table": "two or more points",
    "law: [sinh]": "one of linear, sinh, cubic, table",
    "table: [[1, 1e-4], [2, 1e-3]]": "`law: table`",
    "cubic_c_per_v2: 2": "`law: cubic`; the law is sinh",
    "{law: cubic, sinh_b_per_v: 3}": "`law: sinh`; the law is cubic",
    "{law: table, table: [[1, 1e-4]]}": "2 .. 1000 points",
    "{law: table, table: [[0.2, 2e-5], [1, 1e-4]]}": "up to v_set_v, 2 V",
    "{law: table, table: [[-1, -1e-4], [0.2, 2e-5], [2, 1e-3]]}": "up to v_reset_v, 2 V",
    "{law: table, table: [[0.2, 2e-5], [2, 1e-6]]}": "above those of the point before",
    "{law: table, table: [[0.2, -2e-5], [2, 1e-6]]}": "V and A of one sign",
    "{law: table, table: [[0.2, 4e-5], [2, 1e-3]]}": "r_on_ohm, 10000, within 5%",
    "{law: table, table: [[-2, -1e-3], [-0.2, -2e-5]]}": "points at positive voltages",
    "compliance_a: 0": "from 1e-09 to 1 A",
    "area_um2: 4": "an area_exponent above 0 beside it",
    "needed_source: me": "beside set_needed_v or reset_needed_v",
    "{set_needed_v: 1, needed_source: ''}": "a text of 1 to",
    "{stuck_on: 0.6, stuck_off: 0.5}": "at most what stuck_on leaves",
    "r_one_ohm: 1": "did you mean 'r_on_ohm'",
    "[1, 2]": "a section with keys r_on_ohm",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_figure_is_refused_by_name_before_anything_is_drawn(text, tmp_path, capsys):
    file = tmp_path / "array.yaml"
    file.write_text("device:\n  " + text + "\n")
    for verb in ("build", "generate"):
        assert run([verb, str(file), "-o", str(tmp_path / "out")]) == 2
        message = capsys.readouterr().err
        assert WRONG[text] in message
        assert "device" in message
        assert message.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["build", "generate", "compare", "sweep --vary rows=1,2", "size"])
def test_every_command_that_reads_an_array_refuses_figures_that_contradict_each_other(
    verb, tmp_path, capsys
):
    device, file = "{r_on_ohm: 1e3, r_off_ohm: 10}", tmp_path / "array.yaml"
    free = "targets: {worst_device: 0.5}\nfree: {select_w_um: [2, 4]}\n"
    file.write_text(
        f"array: {{device: {device}}}\n{free}" if verb == "size" else f"device: {device}\n"
    )
    command = [verb.split()[0], str(file), *verb.split()[1:], "-o", str(tmp_path / "out")]
    assert run(command) == 2
    assert "device.r_off_ohm = 10.0 is not allowed: r_on_ohm, 1000, or" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_empty_section_says_nothing():
    assert config_of({"device": None}).tech == Conditions()
    assert config_of({"device": {}}).resolved_tech().memristor == TECH.memristor


def test_old_networks_have_the_modules_devices():
    before = Conditions().to_json()
    del before["device"]
    assert Conditions.from_json(before) == Conditions()
    with pytest.raises(ParameterError, match="conditions"):
        Conditions.from_json({**before, "memristor": {}})


def test_a_network_is_not_solved_with_other_devices_unasked(network):
    _, other = with_device(network, {"r_on_ohm": 2e4})
    with pytest.raises(ParameterError, match="r_on_ohm=20000"):
        solve_modes(network, other, stimulus(network, other), Console(quiet=True))


def test_conductance_follows_the_area(network):
    """Half of a square of 2 um at p = 1 is R_on of 1 um^2 times 1 / 4 to the p."""
    for p in (0.5, 1.0):
        here, tech = with_device(network, {"area_um2": 4.0, "area_exponent": p})
        area = float(network.memristor_area_um2[0])
        assert stimulus(here, tech).conductances == pytest.approx(1e-4 * (area / 4.0) ** p)
    assert stimulus(network, TECH).conductances == pytest.approx(1e-4)


def test_a_write_beyond_the_table_is_refused(network):
    _, tech = with_device(network, DEVICES["table"])
    assert [*write_options(tech, "deep-net", {"write_voltage": 2.2})]
    with pytest.raises(ConfigError, match=r"up to 2\.2 V.*reset"):
        [*write_options(tech, "deep-net", {"write_voltage": 2.4})]


def test_laws_are_told(network):
    _, tech = with_device(network, {"compliance_a": 1e-4})
    laws = Laws.of(tech)
    assert laws.write == Limited(Sinh(3.0), 1e-4)
    assert laws.every is None
    assert "at most 0.0001 A" in laws.text("deep-net")
    assert laws.to_json()["write"]["compliance_A"] == 1e-4
    assert Laws.of(tech, nonlinear=True).every == Sinh(3.0)
    assert Laws.of(tech, linear=True) == Laws(write=Limited(Linear(), 1e-4))
    assert Laws.of(TECH, linear=True) == Laws()
    _, linear = with_device(network, {"law": "linear"})
    with pytest.raises(ConfigError, match="linear"):
        Laws.of(linear, nonlinear=True)


def test_a_verdict_on_writes_fails_closed():
    right = [Lowest("set", "top", 0, 0, 1.6), Lowest("reset", "top", 0, 0, 1.8)]
    assert write_verdict(TECH, right, "all").met
    nan = [*right, Lowest("set", "top", 1, 0, float("nan"))]
    assert not write_verdict(TECH, nan, "all").met
    half = write_verdict(TECH, right[:1], "all")
    assert not half.judged
    assert "no reset was solved" in half.text
    assert not write_verdict(TECH, [], "all").judged
    low = write_verdict(TECH, [right[0], Lowest("reset", "top", 0, 0, 1.69)], "all")
    assert not low.met
    assert "too little" in low.text
    assert "assumed" in low.text
    # in as many digits as tell what it gets from what it needs
    near = write_verdict(TECH, [Lowest("set", "top", 0, 0, 1.49894), right[1]], "all")
    assert "set 1.499 of 1.5 V, reset 1.8 of 1.7 V" in near.text
    least = np.nextafter(1.5, 0.0)
    text = write_verdict(TECH, [Lowest("set", "top", 0, 0, least), right[1]], "all").text
    assert f"set {float(least)!r} of 1.5 V" in text


def test_spread_is_the_devices(network):
    from crossstack.analyse.solve_studies import _spread

    chance = {"sigma": None, "stuck": None, "open_wire": None}
    _, tech = with_device(network, {"sigma_ln_g": 0.3, "stuck_on": 0.01, "stuck_off": 0.02})
    found = _spread(network, tech, chance)
    assert (found.sigma, found.stuck_on, found.stuck_off) == (0.3, 0.01, 0.02)
    assert _spread(network, tech, {**chance, "sigma": 0.0, "stuck": 0.0}).sigma == 0.0


@pytest.fixture(scope="module")
def five():
    drawn = build_top(ArraySpec(rows=5, cols=2))
    return extract_network(to_layout(drawn.cell, drawn.tech), TECH)


def test_rows_are_written_in_turns(five):
    """5 rows, 2 at a time: three turns, in which the others see nothing; the column carries 2."""
    network, tech = with_device(five, {"write_rows": 2})
    what = stimulus(network, tech)
    options = {"read_tier": "bottom", "write_column": 1, "polarity": "set"}
    ways = [*write_options(tech, "deep-net", options, 5)]
    assert [way["write_turn"] for way in ways] == [0, -2, -1]
    even = [*write_options(tech, "deep-net", options, 6)]
    assert [way["write_turn"] for way in even] == [0, -1]
    console = Console(quiet=True)
    turn, _ = solve_modes(network, tech, what, console, ("deep-net",), write_turn=0, **options)
    write = turn["deep-net"].write
    assert (write.applied != 0).tolist() == [True, True, False, False, False]
    others = np.abs(write.device_voltages[2:]).max()
    assert write.half_selected_voltage == others < 0.1
    assert write.lowest_voltage == np.abs(write.device_voltages[:2]).min()
    every, _ = solve_modes(five, TECH, what, console, ("deep-net",), **options)
    once = every["deep-net"].write
    # two devices load the wires less than five, and the read columns do not feel how many
    assert write.lowest_voltage > once.lowest_voltage
    assert 0.4 < write.column_current / once.column_current < 0.42
    read = (np.delete(d["deep-net"].column_currents, 1) for d in (turn, every))
    np.testing.assert_allclose(*read, rtol=1e-6)


def test_what_goes_through_all_slots_goes_through_all_turns(five):
    network, tech = with_device(five, {"write_rows": 2})
    what, console = stimulus(network, tech), Console(quiet=True)
    turns, once = (
        programming(n, t, what, 1.0, console)[0] for n, t in ((network, tech), (five, TECH))
    )
    assert turns.report.voltages.min() > once.report.voltages.min()
    assert not turns.report.below.any()
    declared = programming(network, tech, what, None, console)
    assert [r.report.needed for r in declared] == [1.5, 1.7, 1.5, 1.7]
    assert all(r.report.below.sum() == 10 for r in declared)
    # the same devices of a column are written, in three turns in place of one
    assert tech.memristor.turns(5) == 3
    base, slow = (overlap(1e-9, 2, t.memristor.turns(5))["over_pulse"][0] for t in (TECH, tech))
    assert slow["write"] == 3 * base["write"]
    assert "columns x 3 turns of rows x pulse" in overlap(1e-9, 2, 3)["counted"]
    # at most two devices at a time load the column, in place of five
    both = ((network, tech), (five, TECH))
    peak = [write_currents(n, t, what, Laws.of(t))[0].peak for n, t in both]
    column = column_of_nets(five)[five.resistor_net] >= 0
    assert peak[0][column].max() / peak[1][column].max() == pytest.approx(0.41, abs=0.02)
    amps, lowest = write_currents(network, tech, what, Laws.of(tech))
    average = amps.average
    assert {each.row for each in lowest} <= {0, 1, 2, 3, 4}
    # a line of one row carries one turn in three, and one column in two
    row = network.nets.index("TR[4]")
    mine = network.resistor_net == row
    assert 0 < average[mine].max() <= peak[0][mine].max() / 3 * 1.01
    # so does what leads to one device; a column's end carries every turn
    own = network.resistor_net == network.nets.index("TE[4][1]")
    assert average[own].max() == pytest.approx(peak[0][own].max() / (3 * 2), rel=0.02)
    line = network.resistor_net == network.nets.index("C[1]")
    assert average[line].max() > peak[0][line].max() * (2 + 2 + 1) / 6 / 2


@pytest.mark.parametrize("at_a_time", [2, 3, 4])
def test_every_command_names_the_same_device(five, at_a_time):
    """The device that gets least is that of all turns, in the solve and beside the limits."""
    network, tech = with_device(five, {"write_rows": at_a_time})
    what, console = stimulus(network, tech), Console(quiet=True)
    options = {"read_tier": 0, "write_column": 1, "polarity": "set"}
    every = [
        solve_modes(network, tech, what, console, ("deep-net",), write_turn=k, **options)[0]
        for k in range(tech.memristor.turns(5))
    ]
    least = min(done["deep-net"].write.lowest_voltage for done in every)
    solved, _ = solve_modes(network, tech, what, console, ("deep-net",), **options)
    assert solved["deep-net"].write.lowest_voltage == pytest.approx(least, rel=1e-4)
    _, lowest = write_currents(network, tech, what, Laws.of(tech))
    mine = [x.volts for x in lowest if (x.polarity, x.tier, x.column) == ("set", "top", 1)]
    assert min(mine) == pytest.approx(least, rel=1e-4)


@pytest.mark.parametrize("most", [16, 1])
@pytest.mark.parametrize("at_a_time", [1, 2, 3, 4])
def test_the_average_is_that_of_all_turns(five, monkeypatch, at_a_time, most):
    """What the wires of a column carry on average, or a bound where turns are many."""
    monkeypatch.setattr(writing, "MOST_TURNS", most)
    network, tech = with_device(five, {"write_rows": at_a_time})
    what, laws = stimulus(network, tech), Laws.of(tech)
    amps, _ = write_currents(network, tech, what, laws)
    average = amps.average
    part, turns = AllOf(network), tech.memristor.turns(5)
    line = network.resistor_net == network.nets.index("C[1]")

    def carried(column, polarity, turn):
        way = {"read_tier": 0, "write_column": column, "write_rows": at_a_time}
        way |= write_way(tech, polarity) | {"write_turn": turn}
        solved, _ = writing._solve(network, tech, what, laws, "deep-net", way, None)
        return part.passing(solved)[line]

    every = [[carried(1, way, k) for k in range(turns)] for way in ("set", "reset")]
    read = np.max([carried(0, way, 0) for way in ("set", "reset")], axis=0)
    # one of two slots is the column's own, in the other it is read
    mean = (np.max(np.mean(every, axis=1), axis=0) + read) / 2
    assert (average[line] >= mean * 0.98).all()
    if turns <= most:
        np.testing.assert_allclose(average[line], mean, rtol=0.02)
        np.testing.assert_array_equal(amps.sure, average)
    else:
        assert average[line].max() == pytest.approx(mean.max(), rel=0.02)
        assert (amps.sure[line] <= mean * 1.02).all()
    assert (amps.peak[line] >= np.max(every, axis=(0, 1)) * 0.99).all()


@pytest.mark.parametrize("turn", [0, -1])
def test_a_turn_is_that_of_ngspice(five, turn, requires_program):
    requires_program("ngspice")
    network, tech = with_device(five, {"write_rows": 2})
    ways = write_options(tech, "deep-net", {"polarity": "reset", "read_tier": 0})
    (way,) = (way for way in ways if way["write_turn"] == turn)
    with foundry_models(TECH) as models:
        found = compare_bsim(network, tech, stimulus(network, tech), "deep-net", models, **way)
    seen = found.write_error[~np.isnan(found.write_error)]
    assert len(seen) == (2 if turn == 0 else 1)
    assert np.abs(seen).max() < 0.01
    assert found.ours.column_currents[0] / found.column_currents[0] == pytest.approx(1, abs=0.01)


def test_turns_that_cannot_be_are_refused():
    x = np.full((2, 5), 0.2)
    for options, words in (
        ({"write_rows": 0}, "write_rows is 0"), ({"write_rows": 1.5}, "write_rows is 1.5"),
        ({"write_rows": 2, "write_turn": 3}, r"write_turn is 3, allowed: 0 \.\. 2"),
        ({"write_turn": 1}, "write_turn is 1"),
    ):  # fmt: skip
        with pytest.raises(ModeError, match=words):
            mode_drives("deep-net", 5, 3, x, **options)
    found = mode_drives("deep-net", 5, 3, x, write_rows=7).request
    assert found.written.all()
    data = mode_drives("deep-net", 5, 3, x, write_rows=2, write_turn=1, write_data=[0.5] * 5)
    assert data.request.write_voltages.tolist() == [0, 0, 1.0, 1.0, 0]
    for text in ("write_rows: 0", "write_rows: 2.5", "write_rows: true", "write_rows: 2000"):
        with pytest.raises(
            ParameterError, match=r"device\.write_rows.*whole number from 1 to 1024"
        ):
            config_of({"device": yaml.safe_load("{" + text + "}")})
