"""How long a scan chain takes: over corners, as other readers find it, and as it must work."""

from __future__ import annotations

import re
import subprocess
from dataclasses import asdict

import pytest

from crossstack.addresses import chain_value
from crossstack.analyse import stimulus
from crossstack.base import names
from crossstack.pdk import Conditions
from crossstack.solve.modes.address import RESET, Chain
from crossstack.views import chain_delays as room
from crossstack.views.chain_delays import FollowedChain, chain_delays
from crossstack.views.corners import corner_figures
from crossstack.views.delays import EDGE_S, Circuit, control_lines, scan_order
from crossstack.views.liberty import liberty_lines
from crossstack.views.model import write_model
from crossstack.views.onboard import power_up, scan_chain, settings
from crossstack.views.pintable import chain_states
from crossstack.views.ports import port_groups


@pytest.fixture(scope="module")
def library(library_of, scan):
    return library_of(scan)


def test_a_chain_is_slower_where_transistors_are(scan):
    block, network, known, circuit = scan
    at = [Conditions(corner="min", temperature_c=-40.0), Conditions(),
          Conditions(corner="max", temperature_c=125.0)]  # fmt: skip
    found = [asdict(chain_delays(circuit, block.tech.at(c), network, known)) for c in at]
    for key in found[0]:
        fast, typical, slow = (f[key] for f in found)
        assert 0 < fast < typical < slow, key
    # a bit holds before it has passed on, and its output is among what stands after a clock
    typical = found[1]
    assert typical["hold_s"] < typical["out_s"] <= typical["high_s"]
    assert typical["hold_s"] > EDGE_S / 2


def test_bits_come_out_after_as_many_clocks(scan):
    """What is timed is a chain that shifts: SOUT says a bit's value when it stood in all bits."""
    block, network, _, circuit = scan
    lines = control_lines(network)
    chain = FollowedChain(circuit, block.tech, lines, {})
    chain.run(RESET.levels)
    chain.run({"RSTN": True})
    sent = [True, True, False, True, False, False, True, False] * 2
    out = []
    for bit in sent:
        chain.run({"SIN": bit})
        chain.run({"CLK": True})
        out.append(bool(chain.switching.level[circuit.number["SOUT"]]))
        chain.run({"CLK": False})
    n = len(lines)
    assert out[n - 1 :] == sent[: len(sent) - n + 1]
    assert out[: n - 1] == [False] * (n - 1)


def test_the_bits_of_a_datasheet_set_the_lines_of_its_modes(scan):
    """Shifted into the drawn transistors as the datasheet says, from power-up on."""
    block, network, _, circuit = scan
    what = stimulus(network, block.tech)
    order = scan_order(block.extracted, block.abstract, block.tech, network)
    told = scan_chain(order, chain_states(network, block.tech, what, order))
    assert len(told["states"]) == 3
    pins = {names.kind_of(pin.name) or pin.name for pin in block.abstract.pins}
    assert "RSTN low" in power_up(pins)
    for state, bits in told["states"].items():
        chain = FollowedChain(circuit, block.tech, control_lines(network), {})
        chain.run(RESET.levels)

        def on(chain: FollowedChain = chain) -> set[str]:
            return {line for line in order if chain.switching.level[circuit.number[line]]}

        assert on() == set()
        for levels in ({"RSTN": True}, *({"SIN": bit == "1", "CLK": clock} for bit in bits
                       for clock in (False, True)), {"CLK": False}, {"LE": True}, {"LE": False},
                       {"EN": True}):  # fmt: skip
            chain.run(levels)
        written = {"top": "T", "bottom": "B"}.get(state.split("of ")[-1].split(" is")[0])
        want = {f"{tier}S[{j}]" for tier in "BT" for j in range(network.cols)
                if written is None or (tier == written) == (j == 0)}  # fmt: skip
        assert on() == want | ({f"W{written}", "WSEL[0]"} if written else set())
        assert told["bits"][0] == order[-1]


@pytest.mark.requires_program("iverilog")
def test_a_chain_without_select_lines_has_no_enable(draw, network_of, tmp_path):
    """A macro without select transistors could not be built: "no level stated for CLK"."""
    block = draw(rows=1, cols=2, cell="passive", periphery="scan")
    network = network_of(block)
    what = stimulus(network, block.tech)
    circuit = Circuit(block.extracted, block.abstract, None)
    order = scan_order(block.extracted, block.abstract, block.tech, network)
    assert order == ("WSEL[0]", "WSEL[1]", "WT", "WB")
    assert "EN" not in {pin for step in Chain(order).sequence(dict.fromkeys(order, True))
                        for pin in step.levels}  # fmt: skip
    assert "EN" not in chain_value(order)["pins"]
    assert chain_value(("TS[0]",))["pins"] == [*names.SCAN_PINS]
    times = asdict(FollowedChain(circuit, block.tech, order, {}).delays())
    assert {key for key, value in times.items() if not value} == {"on_s", "off_s"}
    groups = port_groups(block.abstract.pins)
    write_model(tmp_path, block.abstract, groups, network, block.tech, what, 1e-9, chain=order)
    command = ["iverilog", "-g2012", "-Wall", "-o", "a.vvp", "blk_bench.sv", "blk_model.sv"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    done = subprocess.run(["vvp", "a.vvp"], cwd=tmp_path, capture_output=True, text=True,
                          timeout=60, check=True)  # fmt: skip
    assert "PASS" in done.stdout
    told = " ".join(
        settings({g.name for g in groups}, dict.fromkeys(times, "1 ns"), 2, 2, selects=False)[0]
    )
    assert "EN" not in told
    assert "LE high" in told


def test_a_long_chain_is_not_followed(scan, monkeypatch):
    block, network, known, circuit = scan
    monkeypatch.setattr("crossstack.views.corners.MOST_BITS", len(control_lines(network)) - 1)
    given = (block.extracted, block.tech, block.abstract, known, network, 1e-9)
    at = corner_figures(*given, circuit=circuit)
    assert at.logic is None
    text = "\n".join(liberty_lines(block.abstract, port_groups(block.abstract.pins), at))
    assert "no delay of the logic on board" in text
    assert room.MOST_BITS > 200


def test_liberty_parser_finds_what_pins_ask_for(library, package):
    path, chain = library
    (cell,) = (
        package("liberty.parser", "liberty-parser")
        .parse_liberty(path.read_text())
        .get_groups("cell")
    )
    pins = {str(p.args[0]).strip('"'): p for p in cell.get_groups("pin")}
    widths = {
        ("CLK", "high"): chain.high_s, ("CLK", "low"): chain.low_s, ("LE", "high"): chain.follow_s,
        ("LE", "low"): chain.shut_s, ("EN", "high"): chain.on_s, ("EN", "low"): chain.off_s,
        ("RSTN", "low"): chain.clear_s,
    }  # fmt: skip
    for (pin, level), seconds in widths.items():
        assert pins[pin][f"min_pulse_width_{level}"] == pytest.approx(seconds * 1e9, rel=1e-5)
    kinds = {
        name: [str(t["timing_type"]) for t in pins[name].get_groups("timing")] for name in pins
    }
    assert kinds["SIN"] == ["setup_rising", "hold_rising"]
    assert kinds["SOUT"] == ["rising_edge", "clear"]
    assert kinds["RSTN"] == ["recovery_rising"]


@pytest.mark.requires_program("sta")
def test_opensta_checks_the_chain(library, tmp_path):
    path, chain = library
    (tmp_path / "top.v").write_text(
        "module top(sin, clk, le, en, rstn, sout, o);\ninput sin, clk, le, en, rstn;\n"
        "output sout;\noutput [1:0] o;\nblk u0(.SIN(sin), .CLK(clk), .LE(le), .EN(en), "
        ".RSTN(rstn), .SOUT(sout), .OUT(o));\nendmodule\n"
    )
    (tmp_path / "run.tcl").write_text(
        f"read_liberty {path}\nread_verilog top.v\nlink_design top\n"
        "create_clock -name clk -period 40 [get_ports clk]\n"
        "set_input_delay 1 -clock clk [get_ports {sin rstn le}]\n"
        "set_output_delay 0 -clock clk [all_outputs]\n"
        "report_checks -path_delay max -to [get_pins u0/SIN]\nputs CUT\n"
        "report_checks -path_delay min -to [get_pins u0/SIN]\nputs CUT\n"
        "report_checks -path_delay max -to [get_pins u0/RSTN]\nputs CUT\n"
        "report_checks -path_delay max -from [get_pins u0/CLK] -to [get_ports sout]\nputs CUT\n"
        "report_checks -path_delay max -to [get_pins u0/LE]\n"
    )
    done = subprocess.run(
        ["sta", "-no_splash", "-exit", "run.tcl"], cwd=tmp_path, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    setup, hold, recovery, out, latch = done.stdout.split("CUT\n")
    for text, words, seconds in (
        (setup, r"(-[\d.]+)\s+\S+\s+library setup time", -chain.setup_s),
        (hold, r"([\d.]+)\s+\S+\s+library hold time", chain.hold_s),
        (recovery, r"(-[\d.]+)\s+\S+\s+library recovery time", -chain.ready_s),
        (out, r"([\d.]+)\s+data arrival time", chain.out_s),
        (latch, r"(-[\d.]+)\s+\S+\s+library setup time", -chain.shut_s),
    ):
        assert float(re.search(words, text)[1]) == pytest.approx(seconds * 1e9, abs=0.006), words


def test_the_steps_say_how_long(library):
    _, chain = library
    times = {key: f"{value * 1e9:.3g} ns" for key, value in asdict(chain).items()}
    ports = ("SIN", "CLK", "LE", "EN", "RSTN", "SOUT")
    read, write, _ = settings(ports, times, 2, 2)
    for steps in (read, write):
        text = " ".join(steps)
        for key in ("high_s", "low_s", "follow_s", "shut_s"):
            assert times[key] in text, key
    assert times["on_s"] in write[-1]
    assert "ns" not in " ".join(settings(ports, {}, 2, 2)[0])
