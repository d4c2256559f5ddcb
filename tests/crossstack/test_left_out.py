"""What an extraction leaves out is said by every later step, and not judged."""

import json
from xml.etree import ElementTree as ET

import klayout.db as db
import numpy as np
import pytest

from crossstack.cli import run
from crossstack.solve import load_network
from crossstack.views.handling import steps

SAID = {"nets": "were extracted without resistance", "label": "the extraction left devices out"}


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A 3 x 2 array whose rows alone have wires, and one whose last row lost its label."""
    folder = tmp_path_factory.mktemp("left_out")
    size = ["--rows", "3", "--cols", "2", "--name", "a"]
    assert run(["generate", *size, "-o", str(folder), "--quiet"]) == 0
    gds = folder / "a.gds"
    layout = db.Layout()
    layout.read(str(gds))
    for index in layout.layer_indexes():
        shapes = layout.top_cell().shapes(index)
        for shape in [s for s in shapes.each() if s.is_text() and s.text_string[-3:] == "[2]"]:
            shapes.erase(shape)
    layout.write(str(folder / "b.gds"))
    quiet = ["-o", str(folder), "--quiet"]
    assert run(["extract", str(gds), "--nets", "TR*,BR*", *quiet]) == 0
    assert run(["extract", str(folder / "b.gds"), *quiet]) == 0
    return {"nets": folder / "a_network.npz", "label": folder / "b_network.npz"}


def test_the_file_holds_what_was_left_out(networks):
    ideal = load_network(networks["nets"]).left_out
    assert {"C[0]", "C[1]", "TE[0][0]", "BE[2][1]"} <= set(ideal.ideal_nets)
    assert not {"TR[0]", "TS[0]", "BS[0]"} & set(ideal.ideal_nets)  # gates carry no current
    assert not ideal.devices
    label = load_network(networks["label"]).left_out
    assert not label.ideal_nets
    assert len(label.devices) == 2
    assert all("has no label" in line for line in label.devices)


@pytest.mark.parametrize("which", ["nets", "label"])
def test_limits_are_not_judged(networks, tmp_path, capsys, which):
    found = tmp_path / "limits.xml"
    assert run(["limits", str(networks[which]), "--output", str(found), "--json"]) == 1
    out, err = capsys.readouterr()
    value = json.loads(out)
    assert value["verdict"]["judged"] is False
    assert SAID[which] in value["verdict"]["text"]
    assert any(SAID[which] in note for note in value["notes"])
    assert SAID[which] in err
    errors = [c.get("name") for c in ET.parse(found).iter("testcase") if len(c)]
    assert "current limits" in errors
    assert any(SAID[which] in e.get("message") for e in ET.parse(found).iter("failure")) or any(
        SAID[which] in e.get("message") for e in ET.parse(found).iter("error")
    )


@pytest.mark.parametrize("which", ["nets", "label"])
def test_solves_say_it(networks, capsys, which):
    needs = ["--device", "set_needed_v=0.1", "--device", "reset_needed_v=0.1"]
    how = [str(networks[which]), "--mode", "deep-net", *needs, "--programming", "device"]
    assert run(["solve", *how, "--json"]) == (1 if which == "label" else 0)
    out, err = capsys.readouterr()
    value = json.loads(out)
    assert SAID[which] in err
    assert any(SAID[which] in note for note in value["notes"])
    assert value["write_voltages"]["judged"] is (which == "nets")
    assert bool(value.get("programming_left_out")) is (which == "label")


def test_arrays_that_nothing_writes_are_not_judged(tmp_path, capsys):
    size = ["--rows", "2", "--cols", "2", "--cell", "passive", "--name", "p", "-o", str(tmp_path)]
    assert run(["generate", *size, "--quiet"]) == 0
    assert run(["extract", str(tmp_path / "p.gds"), "-o", str(tmp_path), "--quiet"]) == 0
    found = tmp_path / "limits.xml"
    assert run(["limits", str(tmp_path / "p_network.npz"), "--output", str(found), "--quiet"]) == 1
    errors = [
        c.get("name") for c in ET.parse(found).iter("testcase") if c.find("error") is not None
    ]
    assert errors == ["current limits", "write voltages"]


def test_open_devices_are_not_judged(networks, tmp_path, capsys):
    np.save(tmp_path / "g.npy", np.zeros((2, 3, 2)))
    how = ["--mode", "deep-net", "--conductances", str(tmp_path / "g.npy"), "--json"]
    assert run(["solve", str(networks["nets"]), *how]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["write_voltages"]["judged"] is False
    assert "devices of 0 S are open" in value["write_voltages"]["text"]


def test_figures_of_the_file_are_not_those_of_the_option(networks, tmp_path, capsys):
    gds = str(networks["nets"].with_name("a.gds"))
    stored = ["--device", "r_on_ohm=20000", "--device", "v_read_v=0.3"]
    assert run(["extract", gds, *stored, "-o", str(tmp_path), "--quiet"]) == 0
    assert run(["solve", str(tmp_path / "a_network.npz"), "--device", "write_rows=1"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "--device says" in line]
    assert said == ["crossstack: memristors as --device says: write_rows 1"]


def test_a_net_is_not_shown_before_its_node_is_refused(networks, capsys):
    how = [str(networks["nets"]), "--net", "TR[0]", "--to", "nope"]
    assert run(["inspect", *how]) == 2
    assert not capsys.readouterr().out


def test_a_target_that_nobody_can_judge_is_unknown(tmp_path, capsys):
    target = tmp_path / "size.yaml"
    target.write_text(
        "array: {rows: 1, cols: 2, cell: passive}\ntargets: {write_share: 1.0}\n"
        "free: {pitch_x_um: [5, 6]}\n"
    )
    assert run(["size", str(target), "-o", str(tmp_path / "out")]) == 1
    out = capsys.readouterr().out
    assert "is not known of any combination that was looked at, nor ruled out" in out
    assert "write_share at least 100 % is not known of it" in out
    assert "proved" not in out
    assert "misses" not in out


def test_a_datasheet_says_how_many_rows_and_what_current_a_write_takes():
    device = {"v_read_V": 0.2, "v_set_V": 2.0, "v_reset_V": 1.8, "write_rows": 1}
    sheet = {"rows": 3, "cols": 2, "tiers": 2, "corners": [], "logic_delay": None, "write": None}
    sheet["device"] = {**device, "compliance_A": 1e-4}
    (pulse,) = [step for step in steps([], sheet)["write"] if step.startswith("Set: ")]
    assert "at most 1 row at a time" in pulse
    assert "(3 turns)" in pulse
    assert "Limit the current of each written row to 100 uA" in pulse
    sheet["device"] |= {"write_rows": None, "compliance_A": None}
    (pulse,) = [step for step in steps([], sheet)["write"] if step.startswith("Set: ")]
    assert "at a time" not in pulse
    assert "Limit" not in pulse
