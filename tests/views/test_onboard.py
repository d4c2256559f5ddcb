"""Logic on board in the views: what its pins carry, and how a datasheet says to set them."""

from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace

import pytest

from crossstack.analyse import stimulus
from crossstack.base import names
from crossstack.extract import net_capacitance
from crossstack.lvs import compare_layout
from crossstack.pdk import Conditions, ProcessError, get_tech
from crossstack.pdk.leakage import measured_off, read_leakage
from crossstack.solve import ArrayKind
from crossstack.solve.modes.modes import writing_mode
from crossstack.views import on_tracks
from crossstack.views.corners import circuit_of, corner_figures, leakage_w, transistor_count
from crossstack.views.datasheet import Found, datasheet
from crossstack.views.delays import LogicDelays
from crossstack.views.handling import steps
from crossstack.views.liberty import LEAKAGE_TOLD, liberty_lines
from crossstack.views.modes import written_in
from crossstack.views.onboard import kind_of_logic, latched, later, waves
from crossstack.views.pintable import modes_table, pin_table, voltages
from crossstack.views.ports import port_groups
from crossstack.views.states import states

DEVICE = {
    "v_read_V": 0.2, "v_set_V": 2.0, "v_reset_V": 2.0, "write_rows": None, "compliance_A": None,
}  # fmt: skip
ROWS = ("IN_B", "IN_T", "WR", "OUT", "WC", "VDD", "VSS")


@pytest.mark.parametrize(
    ("ports", "kind"),
    [
        (("A", "EN", "M", *ROWS), "decoder"),
        (("EN", "M", *ROWS), "decoder"),
        ((*names.SCAN_PINS, *ROWS), "scan"),
        (("TS", "BS", "WSEL", "WT", "WB", *ROWS), ""),
    ],
)
def test_a_datasheet_names_pins_that_there_are(ports, kind):
    """Select lines that no pin reaches were to be set high, under no name."""
    assert kind_of_logic(ports) == kind
    told = later(kind, known=False)
    sheet = {"device": DEVICE, "rows": 3, "cols": 2, "tiers": 2, "corners": [],
             "logic_delay": told, "select_lines": True, "write": None}  # fmt: skip
    found = steps([SimpleNamespace(name=name) for name in ports], sheet)
    text = "\n".join((*found["read"], *found["write"]))
    assert "  " not in text
    assert "()" not in text
    words = {"decoder": "M[0]", "scan": "SIN", "": "WSEL"}
    assert [key for key, word in words.items() if word in text] == [kind]
    assert (re.search(r"\bA\b", text) is not None) == ("A" in ports)
    # what the logic takes by itself is in no figure here
    assert ("comes on top" in text) == bool(kind)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "Apply up to 0.2 V to IN_B and IN_T; hold"),
        (("IN_B_E", "IN_T_E"), "Apply up to 0.2 V to IN_B, IN_T, IN_B_E and IN_T_E; hold"),
        (("BR", "TR", "C"), "BR, TR and C sense their lines behind the switches"),
    ],
)
def test_the_steps_of_a_read_name_all_pins_of_a_kind(more, told):
    """Pins that sense were named nowhere."""
    ports = ("TS", "BS", "WSEL", "WT", "WB", *ROWS, *more)
    sheet = {"device": DEVICE, "rows": 3, "cols": 2, "tiers": 2, "corners": [],
             "logic_delay": None, "select_lines": True, "write": None}  # fmt: skip
    text = "\n".join(steps([SimpleNamespace(name=name) for name in ports], sheet)["read"])
    assert told in text
    assert ("sense" in text) == ("BR" in more)


def test_a_write_sets_the_select_line_that_its_mode_sets():
    """Both lines were named: taken literally, the transistors of both tiers conduct."""
    ports = ("TS", "BS", "WSEL", "WT", "WB", *ROWS)
    sheet = {"device": DEVICE, "rows": 3, "cols": 2, "tiers": 2, "corners": [],
             "logic_delay": None, "select_lines": True, "write": None}  # fmt: skip
    text = "\n".join(steps([SimpleNamespace(name=name) for name in ports], sheet)["write"])
    told = re.search(r"select line of column k high \((.*)\); the other tier's stays low", text)
    assert told is not None
    pairs = {tuple(pair.split(" with ")) for pair in told[1].split(", ")}
    kind = ArrayKind(macro=True)
    carried = {rule.carries: rule.pins for rule in writing_mode(kind).rules(kind)}
    levels = ("written_column", "high")
    meant = {
        tuple(carried[level].format(W=tier, i="").removesuffix("[]") for level in levels)
        for tier in names.TIERS
    }
    assert pairs == meant == {("BS", "WB"), ("TS", "WT")}


def test_a_decoders_times_are_in_its_steps_and_its_diagram():
    times = LogicDelays(3e-9, 2e-9, 1e-9, 4e-9, 5e-9, 6e-9, 0.7e-9)
    ports = [SimpleNamespace(name=name, pins=[SimpleNamespace(role=SimpleNamespace(digital=False))])
             for name in ("A", "EN", "M", *ROWS)]  # fmt: skip
    sheet = {
        "device": DEVICE, "rows": 3, "cols": 2, "logic_delay": None, "name": "blk", "tiers": 2,
        "size_um": (1.0, 1.0), "modes": [], "not_written": None, "select_lines": True,
        "write": None, "corners": [{"settle_s": 9e-9, "control_s": None, "logic": vars(times)}],
    }  # fmt: skip
    found = steps(ports, sheet)
    text = "\n".join(found["read"])
    for words in ("low for 5 ns or longer", "6 ns or longer after the last change",
                  "if they stay for 700 ps", "on (3 ns after EN)", "after 9 ns"):  # fmt: skip
        assert words in text
    levels, marks = waves(["A", "EN", "M"], {"rest_s": "5 ns", "on_s": "3 ns"}, "9 ns")
    assert marks == {1: "EN falls", 2: "5 ns later", 3: "3 ns later", 4: "9 ns later"}
    assert {len(level) for _, level in levels} == {5}


@pytest.mark.parametrize(("cols", "periphery"), [(3, "decoder"), (2, "scan")])
def test_pins_of_logic_are_on_routing_tracks(draw, cols, periphery):
    """A via on a track reaches each, with the block's corner at whole multiples of the pitches."""
    abstract = draw(rows=1, cols=cols, periphery=periphery).abstract
    digital = {pin.name for pin in abstract.pins if pin.role.digital}
    assert len(digital) > 4
    assert {name for name, on in on_tracks(abstract).items() if on} >= digital


@pytest.mark.parametrize("periphery", ["decoder", "scan"])
def test_without_select_lines_nothing_is_said_of_them(draw, network_of, periphery):
    """A passive macro's enable turns its mode switches off; a chain of it has no enable."""
    block = draw(rows=2, cols=3, cell="passive", periphery=periphery)
    network, groups = network_of(block), port_groups(block.abstract.pins)
    what = stimulus(network, block.tech)
    sheet = datasheet(block.abstract, groups, block.tech, network, what, [], Found(), 0)
    told = " ".join([*steps(groups, sheet)["read"], sheet["power_up"]])
    assert "select" not in told
    ports = {group.name for group in groups}
    assert set(re.findall(r"\b(EN|LE|CLK|RSTN)\b", told)) <= ports
    assert "mode switches stand" in told


def test_address_and_mode_are_held():
    assert latched(["A[0]", "EN", "M[0]", "M[1]"]) == ["A[0]", "M[0]", "M[1]"]


@pytest.mark.parametrize("cols", [1, 3])
def test_the_modes_of_a_decoder_are_those_of_its_pins(draw, network_of, cols):
    """Lines inside were listed, and address, mode and enable were not."""
    block = draw(rows=1, cols=cols, periphery="decoder")
    network = network_of(block)
    table = {row.pop("pin"): row for row in modes_table(network, block.pins)}
    starred = {re.sub(r"\[\d+\]", "[*]", pin) for pin in block.pins}
    assert {re.sub(r"\[\d+\]", "[*]", pin) for pin in table} == starred
    heads = [*table["EN"]]
    # docs/howto/decoder.md: 11 reads both, 01 the bottom tier, 10 the top one
    codes = ["".join("01"[table[f"M[{k}]"][head] == "high"] for k in (1, 0)) for head in heads]
    told = {"expansion": "11", "bottom reads": "01", "top reads": "10",
            "of top is written, none": "01", "of bottom is written, none": "10"}  # fmt: skip
    assert codes == [next(told[w] for w in told if w in head) for head in heads]
    assert len(codes) == 3
    # what the highest address does, and that a lone column is written while none is read
    if cols == 3:
        (written,) = {told for head, told in table["A[*]"].items() if "written" in head}
        assert written == "column k (3: every column is read, none is written)"
    else:
        assert all("none is read" in head for head in heads[1:])


def test_the_modes_of_a_scan_chain_tell_its_lines_from_its_pins(scan, draw, network_of):
    """Lines inside stood in a column that was called pin."""
    block, network, *_ = scan
    pins = [pin.name for pin in block.abstract.pins]
    table = modes_table(network, pins)
    (column,) = {next(iter(row)) for row in table}
    assert column == "pin or line"
    names_of = {row[column] for row in table}
    starred = {re.sub(r"\[\d+\]", "[*]", pin) for pin in pins}
    inside = {name for name in names_of if name.endswith(" (line inside, set by bits)")}
    assert names_of - inside <= starred
    told = {name.partition(" ")[0] for name in inside}
    assert told == {"BS[*]", "TS[*]", "WB", "WT", "WSEL[*]"}
    assert not told & starred
    # without a chain they are pins
    plain = draw(rows=3, cols=2)
    found = modes_table(network_of(plain), [pin.name for pin in plain.abstract.pins])
    assert told <= {row["pin"] for row in found}


@pytest.mark.parametrize(
    ("values", "writes"),
    [
        ({"rows": 3, "cols": 3, "cell": "planar", "strap": True}, 3),
        ({"rows": 1, "cols": 3, "cell": "planar", "periphery": "decoder"}, 4),
        ({"rows": 1, "cols": 1}, 2),
        ({"rows": 3, "cols": 3, "cell": "passive"}, 0),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_what_is_written_while_nothing_is_read(draw, network_of, values, writes):
    """Pin list, mode table and model knew of no write of one tier, nor of a lone column's volts."""
    block, m = draw(**values), get_tech().memristor
    network, tech = network_of(block), block.tech
    what = stimulus(network, tech)
    low, high = voltages(network, tech, what)["WR[0]"]
    assert (low, high) == (0.0, max(m.v_set_v, m.v_reset_v) if writes else 0.0)
    heads = {key for row in modes_table(network, block.pins) for key in row}
    assert any("is written, none is read" in head for head in heads) == bool(writes)
    mode, why_not = written_in(network)
    assert (why_not is None) == bool(writes)
    controls = [p.name for p in block.abstract.pins if p.role.digital]
    found = [s for s in states(network, tech, what, controls) if not s.reads]
    # of a decoder with three columns, the fourth address, too
    assert len(found) == writes
    tiers = {s.write_tier for s in found}
    assert tiers == (set(network.tiers) if writes else set())
    for state in found:
        assert state.mode == mode.name
        own = {f"WSEL[{j}]": j == state.write_column for j in range(network.cols)}
        own |= {f"W{'BT'[t]}": t == state.write_tier for t in network.tiers}
        own |= {f"{'BT'[t]}S[{j}]": t == state.write_tier and j == state.write_column
                for t in network.tiers for j in range(network.cols)}  # fmt: skip
        assert {net: state.drives.gates[net] for net in own} == own


@pytest.mark.parametrize("periphery", ["none", "decoder"])
def test_every_transistor_counts_and_every_delay_has_a_source(draw, network_of, periphery):
    """The datasheet counted the array's own; EN was said to switch after 0 s."""
    block = draw(rows=1, cols=1 if periphery == "none" else 3, periphery=periphery)
    counted = compare_layout(block.extracted, block.reference, block.tech).devices
    assert transistor_count(block.extracted) == counted["nfet"] + counted["pfet"]
    network = network_of(block)
    pin = "EN" if periphery == "decoder" else "WB"
    farad = net_capacitance(block.extracted, block.tech, nets=[pin])
    given = (block.extracted, block.tech, block.abstract, farad, network, 1e-9)
    at = corner_figures(*given)
    assert (pin in at.control_s) == (periphery == "none")
    text = "\n".join(liberty_lines(block.abstract, port_groups(block.abstract.pins), at))
    assert ("no delay of the logic" in text) == (periphery == "decoder")
    assert "off currents at the corner" in text


def test_a_leakage_table_has_every_corner_of_a_transistor(tmp_path):
    path = tmp_path / "leakage.csv"
    text = (get_tech().process.folder / "leakage.csv").read_text()
    path.write_text("".join(line for line in text.splitlines(True) if "pfet,max" not in line))
    assert read_leakage(path, ("nfet",))["nfet"]["max"][25.0] == 3.42e-14
    with pytest.raises(ProcessError, match="no row for pfet at max"):
        read_leakage(path, ("nfet", "pfet"))


def test_leakage_follows_corner_and_temperature(draw, monkeypatch):
    """It was that of 25 C at every corner."""
    block = draw(rows=1, cols=1)
    at = [
        Conditions(corner="min", temperature_c=-40.0),
        Conditions(),
        Conditions(corner="max", temperature_c=125.0),
        Conditions(temperature_c=125.0),
        Conditions(corner="min", temperature_c=125.0),
    ]
    watts = [leakage_w(block.extracted, block.tech.at(c)) for c in at]
    assert all(measured for _, measured in watts)
    assert [w for w, _ in watts] == sorted(w for w, _ in watts)
    # per um at 25 C, typical, as pdk/gf180mcuD/leakage.csv states it; half way up in the logarithm
    nfet = block.tech.nfet
    assert measured_off(block.tech, nfet) == pytest.approx(6.1e-13)
    warm = block.tech.at(Conditions(temperature_c=55.0))
    assert measured_off(warm, nfet) == pytest.approx((6.1e-13 * 2.91e-11) ** 0.5)
    monkeypatch.setattr("crossstack.views.corners.measured_off", lambda tech, model: None)
    plain = [leakage_w(block.extracted, block.tech.at(c)) for c in at]
    assert len(set(plain)) == 1
    assert not plain[0][1]
    assert "assumed" in LEAKAGE_TOLD[False]


def test_nothing_is_extracted_where_no_capacitance_is_asked(draw, monkeypatch):
    """`views --r-only` looked for the capacitance of every kind of pin."""

    def refuse(*_, **__):
        raise AssertionError("a capacitance was extracted")

    monkeypatch.setattr("crossstack.views.corners.net_capacitance", refuse)
    block = draw(rows=1, cols=1)
    at = corner_figures(block.extracted, block.tech, block.abstract, {})
    assert at.farad == {}
    assert circuit_of(block.extracted, block.abstract, {}) is None
    text = "\n".join(liberty_lines(block.abstract, port_groups(block.abstract.pins), at))
    assert "  capacitance :" not in text


@pytest.fixture(scope="module")
def library(library_of, decoder):
    return library_of(decoder)


def test_liberty_parser_finds_the_checks_of_a_decoder(library, package):
    path, logic = library
    (cell,) = (
        package("liberty.parser", "liberty-parser")
        .parse_liberty(path.read_text())
        .get_groups("cell")
    )
    pins = {str(p.args[0]).strip('"'): p for p in cell.get_groups("pin")}
    enable = pins["EN"]
    assert enable["min_pulse_width_low"] == pytest.approx(logic.rest_s * 1e9, rel=1e-5)
    assert enable["min_pulse_width_high"] == pytest.approx(logic.on_s * 1e9, rel=1e-5)


@pytest.mark.requires_program("sta")
def test_opensta_checks_setup_and_times_from_the_enable(library, tmp_path):
    path, logic = library
    (tmp_path / "top.v").write_text(
        "module top(a, m, en, o);\ninput [1:0] a, m;\ninput en;\noutput [2:0] o;\n"
        "blk u0(.A(a), .M(m), .EN(en), .OUT(o));\nendmodule\n"
    )
    (tmp_path / "run.tcl").write_text(
        f"read_liberty {path}\nread_verilog top.v\nlink_design top\n"
        "create_clock -name en -period 40 [get_ports en]\n"
        "set_input_delay 1 -clock en [get_ports {a m}]\n"
        "set_output_delay 0 -clock en [all_outputs]\n"
        "report_checks -path_delay max -to [get_pins u0/A[1]]\nputs HOLD\n"
        "report_checks -path_delay min -to [get_pins u0/M[0]]\nputs OUT\n"
        "report_checks -path_delay max -to [get_ports o[2]]\n"
    )
    done = subprocess.run(
        ["sta", "-no_splash", "-exit", "run.tcl"], cwd=tmp_path, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    setup, rest = done.stdout.split("HOLD\n")
    hold, out = rest.split("\nOUT\n")
    found = re.search(r"(-[\d.]+)\s+\S+\s+library setup time", setup)
    assert float(found[1]) == pytest.approx(-logic.setup_s * 1e9, abs=0.006)
    found = re.search(r"([\d.]+)\s+\S+\s+library hold time", hold)
    assert float(found[1]) == pytest.approx(logic.hold_s * 1e9, abs=0.006)
    arrival = re.search(r"([\d.]+)\s+data arrival time", out)
    assert float(arrival[1]) == pytest.approx(logic.on_s * 1e9 + 1.0, abs=0.006)


def test_sense_pins_stand_at_what_others_drive(draw, network_of):
    """They had no voltage, and whoever joins an amplifier must know that of a write."""
    block = draw(rows=3, cols=2, kelvin=True)
    network, tech = network_of(block), block.tech
    table = {row["name"]: row for row in
             pin_table(block.abstract, tech, network, stimulus(network, tech), {}, [])}  # fmt: skip
    m = tech.memristor
    most = max(m.v_set_v, m.v_reset_v)
    for name in ("TR[0]", "BR[2]", "C[1]"):
        assert (table[name]["low_V"], table[name]["high_V"]) == (0.0, most)
    assert table["IN_T[0]"]["high_V"] == m.v_read_v
