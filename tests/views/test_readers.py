"""Every view, read unedited by programs that are not ours."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.extract import write_spef
from crossstack.lvs import compare_layout
from crossstack.views import technology_lines


def run(*command: str, cwd=None, timeout: int = 120) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def test_klayout_reads_the_lef(views, tmp_path):
    abstract, tech = views.block.abstract, views.block.tech
    technology = tmp_path / "tech.lef"
    technology.write_text("\n".join(technology_lines(tech)) + "\n")
    options = db.LoadLayoutOptions()
    options.lefdef_config.lef_files = [str(technology)]
    lef = db.Layout()
    lef.read(str(views.folder / "blk.lef"), options)
    (top,) = lef.top_cells()
    scale = lef.dbu / tech.dbu_um
    assert top.name == "blk"
    assert top.dbbox().width() == pytest.approx(abstract.width * tech.dbu_um)

    def region(name: str) -> db.Region:
        index = next((i for i in lef.layer_indexes() if lef.get_info(i).name == name), None)
        found = db.Region() if index is None else db.Region(top.begin_shapes_rec(index))
        return found.transformed(db.ICplxTrans(scale))

    labels = set()
    for metal in tech.roles.wires:
        pins = [s.box for p in abstract.pins for s in p.shapes if s.layer == metal]
        assert (region(f"{metal}.PIN") ^ db.Region(pins)).is_empty(), metal
        blocked = list(abstract.obstructions[metal])
        assert (region(f"{metal}.OBS") ^ db.Region(blocked)).is_empty(), metal
        index = [i for i in lef.layer_indexes() if lef.get_info(i).name == f"{metal}.LABEL"]
        for i in index:
            labels |= {s.text_string for s in top.shapes(i).each() if s.is_text()}
    assert labels == {pin.name for pin in abstract.pins}


def test_sc_leflib_reads_the_lef(views, package):
    read = package("sc_leflib", "sc-leflib")
    found = read.parse(str(views.folder / "blk.lef"))
    macro, abstract = found["macros"]["blk"], views.block.abstract
    assert set(macro["pins"]) == {pin.name for pin in abstract.pins}
    assert macro["size"]["width"] == pytest.approx(abstract.width * views.block.tech.dbu_um)
    for pin in abstract.pins:
        theirs = macro["pins"][pin.name]
        assert theirs["direction"] == pin.role.direction
        assert theirs["use"] == pin.role.use
        shapes = sum(len(g["shapes"]) for p in theirs["ports"] for g in p["layer_geometries"])
        assert shapes == len(pin.shapes)
    blocked = {geometry["layer"] for group in macro["obs"] for geometry in group}
    assert blocked == set(abstract.obstructions)


def libraries(views) -> list[str]:
    return sorted(name for name in views.files if "__" in name and name.endswith(".lib"))


def name_of(group) -> str:
    return str(group.args[0]).strip('"')


def test_liberty_parser_reads_every_library(views, package):
    parser = package("liberty.parser", "liberty-parser")
    assert libraries(views) == [
        "blk__ff_n40C_3v30.lib", "blk__ss_125C_3v30.lib", "blk__tt_025C_3v30.lib",
    ]  # fmt: skip
    delays = []
    for name in libraries(views):
        library = parser.parse_liberty((views.folder / name).read_text())
        (cell,) = library.get_groups("cell")
        assert cell["is_macro_cell"]
        supplies = {name_of(group) for group in cell.get_groups("pg_pin")}
        assert supplies == {"VDD", "VSS"}
        buses = {name_of(group): group for group in cell.get_groups("bus")}
        pins = {name_of(p): p for b in buses.values() for p in b.get_groups("pin")}
        pins |= {name_of(group): group for group in cell.get_groups("pin")}
        want = {p.name for p in views.block.abstract.pins if not p.role.supply}
        assert set(pins) == want
        for pin, group in pins.items():
            assert group["capacitance"] == pytest.approx(views.farad[pin].total_f * 1e12, rel=1e-4)
        arcs = [t for pin in buses["OUT"].get_groups("pin") for t in pin.get_groups("timing")]
        rises = [t.get_groups("cell_rise")[0]["values"][0] for t in arcs]
        delays.append(max(float(str(value).strip('"')) for value in rises))
        assert cell["cell_leakage_power"] > 0
    fast, slow, typical = delays
    assert 0 < fast < typical < slow


@pytest.mark.requires_program("sta")
@pytest.mark.parametrize("corner", ["tt_025C_3v30", "ss_125C_3v30"])
def test_opensta_times_a_path_through_the_block(views, tmp_path, corner):
    (tmp_path / "top.v").write_text(
        "module top(t, w, o);\ninput [1:0] t;\ninput w;\noutput [1:0] o;\n"
        "blk u0(.TS(t), .WT(w), .OUT(o));\nendmodule\n"
    )
    (tmp_path / "run.tcl").write_text(
        f"read_liberty {views.folder}/blk__{corner}.lib\n"
        "read_verilog top.v\nlink_design top\ncreate_clock -name c -period 10\n"
        "set_input_delay 0 -clock c [all_inputs]\nset_output_delay 0 -clock c [all_outputs]\n"
        "report_checks -from [get_ports t\\[1\\]] -to [get_ports o\\[1\\]]\n"
        "puts OTHER\nreport_checks -from [get_ports t\\[1\\]] -to [get_ports o\\[0\\]]\n"
        "puts CONTROL\nreport_checks -from [get_ports w] -to [get_ports o\\[0\\]]\n"
    )
    out = run("sta", "-no_splash", "-exit", "run.tcl", cwd=tmp_path)
    own, rest = out.split("OTHER")
    other, control = rest.split("CONTROL")
    # a select line is on the way to its own column alone; a row control to every column
    assert "slack (MET)" in own
    assert "No paths found" in other
    arrival = [float(v) for v in re.findall(r" ([\d.]+)\s+data arrival time", own + control)]
    assert len(arrival) == 2
    assert arrival[1] >= arrival[0] > 0
    assert "rror" not in out


@pytest.mark.requires_program("sta")
@pytest.mark.parametrize("with_c", [True, False], ids=["rc", "r"])
def test_opensta_reads_the_inside_beside_the_black_box(views, tmp_path, with_c):
    """It knows the nets of the block's pins by their names in the Verilog, and no others."""
    farad = views.farad if with_c else None
    write_spef(views.network, tmp_path / "blk.spef", capacitance=farad, design="blk")
    (tmp_path / "run.tcl").write_text(
        f"read_liberty {views.folder}/blk__tt_025C_3v30.lib\n"
        f"read_verilog {views.folder}/blk.v\nlink_design blk\nread_spef blk.spef\nputs DONE\n"
    )
    out = run("sta", "-no_splash", "-exit", "run.tcl", cwd=tmp_path)
    assert "DONE" in out
    lines = [line for line in out.splitlines() if line != "DONE"]
    told = r"Warning: blk.spef, line \d+ (?:net|instance|pin) (\S+) not found\."
    unknown = [re.fullmatch(told, line) for line in lines]
    assert all(unknown), [s for s, found in zip(lines, unknown, strict=True) if not found][:3]
    missing = {found[1] for found in unknown if found}
    assert missing  # it did look for nets
    assert not missing & {pin.name for pin in views.block.abstract.pins}


@pytest.mark.requires_program("yosys")
def test_yosys_joins_the_black_box_and_the_library(views, tmp_path):
    (tmp_path / "chip.v").write_text(
        "module chip(input clk, input [1:0] s, inout [1:0] o, inout [2:0] t, b, w, inout c);\n"
        "reg [1:0] ts; always @(posedge clk) ts <= s;\n"
        "blk u0(.TS(ts), .BS(~ts), .WSEL(2'b0), .WT(1'b0), .WB(1'b0), .OUT(o), .IN_T(t), "
        ".IN_B(b), .WR(w), .WC(c));\nendmodule\n"
    )
    box = views.folder / "blk.v"
    steps = "hierarchy -check -top chip; synth -top chip; check -assert; stat"
    script = f"read_verilog {box} chip.v; {steps}"
    out = run("yosys", "-p", script, cwd=tmp_path)
    assert re.search(r"\n\s+blk\s+1\n", out)
    for name in libraries(views):
        out = run("yosys", "-p", f"read_liberty -lib {views.folder / name}; select -list =blk/*")
        ports = set(re.findall(r"^blk/(\w+)", out, re.MULTILINE))
        assert {"TS", "BS", "OUT", "IN_T", "IN_B", "WR", "WC", "WT", "WB", "WSEL"} <= ports
    # with its supplies as ports, as the open flows define
    script = f"read_verilog -DUSE_POWER_PINS {box}; select -list =blk/VDD =blk/VSS"
    assert "blk/VSS" in run("yosys", "-p", script)


def test_our_lvs_takes_the_cdl(views):
    report = compare_layout(views.block.extracted, views.folder / "blk.cdl", views.block.tech)
    assert report.match, report.findings[:3]
    text = (views.folder / "blk.cdl").read_text()
    assert "nfet_03v3" in text
    assert not re.search(r"\bnfet\b", text)
    told = dict(re.findall(r"(\S+):([IOB])\b", text))
    assert told["TS[1]"] == "I"
    assert told["IN_B[2]"] == told["VSS"] == "B"


def test_klayouts_own_reader_takes_the_cdl(views, capfd):
    netlist = db.Netlist()
    netlist.read(str(views.folder / "blk.cdl"), db.NetlistSpiceReader())
    assert "warning" not in "".join(capfd.readouterr()).lower()
    circuit = netlist.circuit_by_name("BLK")
    names = {pin.name().upper() for pin in circuit.each_pin()}
    assert names == {pin.name.upper() for pin in views.block.abstract.pins}
    kinds = {c.name for c in netlist.each_device_class()}
    assert {"NFET_03V3", "PFET_03V3"} <= kinds


@pytest.mark.requires_program("netgen-lvs")
def test_netgen_compares_the_cdl_with_the_reference(views, tmp_path):
    setup = tmp_path / "setup.tcl"
    setup.write_text(
        "permute default\nequate classes nfet nfet_03v3\nequate classes pfet pfet_03v3\n"
    )
    same = tmp_path / "same.cdl"
    same.write_text((views.folder / "blk.cdl").read_text())
    out = run(
        "netgen-lvs", "-batch", "lvs", f"{views.folder / 'blk.cdl'} blk", f"{same} blk",
        str(setup), str(tmp_path / "out.txt"), cwd=tmp_path,
    )  # fmt: skip
    report = out + (tmp_path / "out.txt").read_text()
    assert "Circuits match uniquely" in report
    assert "Mismatch" not in report.replace("Netlists do not match", "Mismatch")


@pytest.mark.requires_program("ngspice")
def test_ngspice_runs_the_cdl(views, tmp_path):
    """With models of the foundry's names; all selected, so the columns carry current."""
    pins = list(views.block.abstract.pins)
    text = (views.folder / "blk.cdl").read_text()
    card = re.search(r"^\.subckt blk (.*(?:\n\+.*)*)", text, re.MULTILINE)[1].replace("\n+", " ")
    high = {"VDD", "TS[0]", "TS[1]", "BS[0]", "BS[1]"}
    lines = ["* cdl", f".include {views.folder / 'blk.cdl'}"]
    lines += [
        f".model {k}fet_03v3 {k}mos level=1 vto={v} kp=200u" for k, v in (("n", 0.7), ("p", -0.7))
    ]
    lines += [f"Xdut {card} blk"]
    for k, pin in enumerate(pins):
        volts = 3.3 if pin.name in high else 0.2 if pin.name.startswith("IN_") else 0.0
        lines.append(f"V{k} {pin.name} 0 {volts}")
    sense = [k for k, pin in enumerate(pins) if pin.name.startswith("OUT")]
    lines += [".control", "op", *(f"print i(V{k})" for k in sense), "quit", ".endc", ".end"]
    deck = tmp_path / "run.cir"
    deck.write_text("\n".join(lines) + "\n")
    out = run("ngspice", "-b", str(deck))
    amps = [float(v) for v in re.findall(r"i\(v\d+\) = (\S+)", out)]
    # six devices of 10 kohm at 0.2 V
    assert len(amps) == 2
    assert all(0.5 * 120e-6 < a < 120e-6 for a in amps), amps


@pytest.mark.requires_program("sta")
@pytest.mark.requires_program("yosys")
def test_what_the_page_of_views_tells_a_user_to_type(views, tmp_path, monkeypatch, capsys):
    """Its three programs, on a macro of another size and name."""
    page = (Path(__file__).resolve().parents[2] / "docs/howto/views.md").read_text()
    rows, cols = views.block.spec.rows, views.block.spec.cols
    for old, new in (
        ("gds_out/weights/", f"{views.folder}/"), ("weights", "blk"), ("4'b0", f"{cols}'b0"),
        ("[3:0]", f"[{cols - 1}:0]"), ("[5:0]", f"[{rows - 1}:0]"),
    ):  # fmt: skip
        assert old in page, old
        page = page.replace(old, new)
    for name, text in re.findall(r'^```\w+ title="(\S+)"\n(.*?)^```', page, re.M | re.S):
        (tmp_path / name).write_text(text)
    typed = re.findall(r"^\$ (yosys|sta) (.*?) \| (?:tail|grep) .*$", page, re.M)
    out = {name: run(name, *shlex.split(rest), cwd=tmp_path) for name, rest in typed}
    assert re.search(r"\n\s+blk\s+1\n", out["yosys"])
    assert "slack (MET)" in out["sta"]
    assert "rror" not in out["sta"]
    monkeypatch.chdir(tmp_path)
    exec((tmp_path / "place.py").read_text(), {})  # our own page
    size = views.block.abstract
    width, height = (v * views.block.tech.dbu_um for v in (size.width, size.height))
    assert capsys.readouterr().out == f"blk (0,0;{width:.10g},{height:.10g}) um\n"
