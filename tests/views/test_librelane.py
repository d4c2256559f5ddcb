"""The LibreLane example: what registries offer runs on it; its configuration is of this macro."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import yaml

from crossstack.pdk.tracks import tracks_of
from crossstack.views.lef import lef_lines, technology_lines
from crossstack.views.liberty import CornerFigures, liberty_lines
from crossstack.views.ports import port_groups
from crossstack.views.verilog import black_box_lines

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "examples" / "librelane"


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(HERE / "run.py"))


@pytest.fixture(scope="module")
def macro(draw, tmp_path_factory, example):
    """The macro's views that the example reads, with delays of a round figure."""
    block = draw(rows=8, cols=6, name="crossbar")
    out = tmp_path_factory.mktemp("librelane")
    folder = out / "crossbar"
    folder.mkdir()
    abstract = block.abstract
    groups = port_groups(abstract.pins)
    farad = {pin.name: 20e-15 for pin in abstract.pins}
    at = CornerFigures(block.tech.conditions, 1e-9, {}, farad, 1e-9)
    files = {
        "crossbar.lef": lef_lines(abstract),
        "crossbar.v": black_box_lines("crossbar", groups, "test"),
        "crossbar__ss_125C_3v30.lib": liberty_lines(abstract, groups, at),
    }
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    (out / "technology.lef").write_text("\n".join(technology_lines(block.tech)) + "\n")
    (out / "chip.def").write_text("\n".join(example["def_lines"](abstract)) + "\n")
    return out, abstract


def test_the_floorplan_holds_both_macros(example, macro):
    out, abstract = macro
    layout = example["read_floorplan"](out, abstract.tech)
    assert example["check_floorplan"](layout, abstract) == []
    # a macro moved onto the other is seen
    text = (out / "chip.def").read_text()
    (out / "moved.def").write_text(text)
    (out / "chip.def").write_text(
        re.sub(r"u_right crossbar \+ FIXED \( \d+", "u_right crossbar + FIXED ( 70000", text)
    )
    assert example["check_floorplan"](example["read_floorplan"](out, abstract.tech), abstract)
    (out / "chip.def").write_text(text)


@pytest.mark.requires_program("yosys")
@pytest.mark.requires_program("sta")
def test_controller_and_macros_close(example, macro):
    out, abstract = macro
    assert re.search(r"\n\s+crossbar\s+2\s", example["synthesise"](out))
    netlist = (out / "chip_netlist.v").read_text()
    lines = list(example["spef_lines"](abstract, netlist))
    assert sum(line.startswith("*D_NET") for line in lines) == 40
    slacks = []
    for factor in (1, 100):
        # wires a hundred times as heavy make the way slower: the file is really read
        words = [line.split() for line in lines]
        heavy = [
            " ".join([*w[:2], f"{float(w[2]) * factor}"])
            if len(w) == 3 and w[0].isdigit()
            else line
            for w, line in zip(words, lines, strict=True)
        ]
        (out / "chip.spef").write_text("\n".join(heavy) + "\n")
        report = example["time_chip"](out)
        assert not re.search("Warning|Error", report)
        found = re.findall(r"(-?[\d.]+)\s+slack \((\w+)\)", report)
        assert found[0][1] == "MET"
        slacks.append(float(found[0][0]))
    assert slacks[1] < slacks[0]


def test_the_configuration_is_of_this_macro(macro):
    _, abstract = macro
    config = yaml.safe_load((HERE / "config.yaml").read_text())
    views = config["MACROS"]["crossbar"]
    assert {"gds", "lef", "vh", "lib", "spice", "instances"} == set(views)
    tech = abstract.tech
    width, height = config["DIE_AREA"][2:]
    for place in views["instances"].values():
        x, y = place["location"]
        assert 0 < x < width - abstract.width * tech.dbu_um
        assert 0 < y < height - abstract.height * tech.dbu_um
        # at whole multiples of the track pitches of signals
        for track in list(tracks_of(tech).values())[:4]:
            assert round(x / track.pitch_um, 6).is_integer()
            assert round(y / track.pitch_um, 6).is_integer()
    for line in config["PDN_MACRO_CONNECTIONS"]:
        instance, *rest = line.split()
        assert instance in views["instances"]
        assert rest == ["VDD", "VSS", "VDD", "VSS"]
    named = [Path(str(f)).name for f in (*views["gds"], *views["lef"], *views["vh"])]
    assert named == ["crossbar_foundry.gds", "crossbar.lef", "crossbar.v"]
