"""References that a careless or hostile writer could hand over: right verdict, or refused."""

from __future__ import annotations

import os
import time

import klayout.db as db
import pytest

from crossstack.cells.drawing import to_layout
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import Tolerances, circuits, compare_layout, extract_layout, read_netlist
from crossstack.pdk import FileError, ParameterError, get_tech

TECH = get_tech()


class Case:
    """A generated layout with its own netlist."""

    def __init__(self, rows: int, cols: int, top: str, name: str) -> None:
        built = build_top(ArraySpec(rows=rows, cols=cols, top=top, name=name))
        self.layout = extract_layout(to_layout(built.cell, TECH), TECH)
        self.text = "\n".join(built.netlist_lines()) + "\n"


@pytest.fixture(scope="module")
def array():
    return Case(3, 3, "array", "a")


@pytest.fixture(scope="module")
def macro():
    return Case(2, 2, "macro", "mac")


@pytest.fixture
def errors(tmp_path):
    """Compare a layout with a text; returns the report's lines."""

    def run(case: Case, text: str | bytes) -> list[str]:
        path = tmp_path / "r.spice"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return compare_layout(case.layout, path).errors

    return run


def changed(case: Case, old: str, new: str) -> str:
    assert old in case.text
    return case.text.replace(old, new, 1)


CALL = "BS[0] VSS hybrid_cell\n"
MT = "MT te TS TR VSS nfet W=2u L=0.28u"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CALL, CALL.replace("\n", " m=1\n")),
        ("nfet W=2u", "nfet\n* c\n\n  $ d\n+ W=2u"),
        ("nfet W=2u", "nfet \\\\\nW=2u"),
        ("W=2u", "W={wsel}"),
        ("W=2u", "W=late"),
        ("W=2u L=0.28u", "L=0.28u W='wsel*1' ; W=9u"),
        ("W=2u L=0.28u", "L=0.28u W=2u $ m=9"),
        ("W=2u L=0.28u", "L=0.28u W=2u // m=9"),
        ("W=2u", "m=2 W=1u"),
        (MT, f".if (wsel > 1u)\n{MT}\n.else\nMX te TS TR VSS nfet W=9u L=9u\n.endif"),
        (MT, f".if (0)\nMX te TS TR VSS nfet W=9u L=9u\n.endif\n{MT}"),
        ("AREA=1\nMT", "AREA={1.0*area}\nMT"),
        ("* a\n", "* a\n.include p.inc\n"),
        ("* a\n", "* a\n.lib 'l.lib' TT\n"),
        ("* a\n", "* a\n.global VSS\n"),
        ("* a\n", "* a\n.tran 1n 1u\n.control\nlet x = 1\n.endc\n"),
        ("hybrid_cell TR BR C TS BS VSS\n", "hybrid_cell TR BR C TS BS VSS ww=2u\n"),
    ],
)
def test_the_same_circuit_written_in_another_way_matches(array, errors, tmp_path, old, new):
    (tmp_path / "p.inc").write_text(".param ww=2u\n.option scale=1\n")
    (tmp_path / "l.lib").write_text(".lib ff\nfoo\n.endl\n.lib tt\n.param ww=2u\n.endl tt\n")
    text = changed(array, old, new)
    text = text.replace("* a\n", "* a\n.param wsel=2u area=1 late=9u\n", 1) + ".param late=wsel\n"
    assert errors(array, text) == []


@pytest.mark.parametrize(
    "data",
    [
        lambda t: b"\xef\xbb\xbf" + t.encode(),
        lambda t: t.replace("\n", "\r\n").encode(),
        lambda t: b"\xff\xfe" + t.encode("utf-16-le"),
        lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
        lambda t: b"* \xb5m\n" + t.encode(),
        lambda t: t.lower().encode(),
        lambda t: t.upper().encode(),
        lambda t: t.replace(" ", "\t").encode() + b".end\n\n* after\n",
    ],
)
def test_encodings_ends_of_lines_and_case(array, errors, data, capfd):
    assert errors(array, data(array.text)) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (CALL, CALL.replace("\n", " m=2\n"), "is not in the layout"),
        (MT, MT + " m=2", "W = 2 um"),
        (MT, f".if (0)\n{MT}\n.endif", "is not in the reference"),
        (MT, MT.replace("W=2u", "\n*\n+ W=9u"), "9 um"),
        ("AREA=1\nMT", "AREA=1 m=2\nMT", "is not in the layout"),
        ("* a\n", "* a\n.option scale=2\n", "4 um"),
        (" TS[1]", " ", "the layout's pin TS[1]"),
        (" TR[1]", " ", "the layout's pin TR[1]"),
        (" C[2]", " ", "the layout's pin C[2]"),
        ("BS[2] VSS\n", "BS[2]\n", "the layout's pin VSS"),
        ("BS[2] VSS\n", "BS[2] VSS MORE\n", "MORE of A has no label"),
    ],
)
def test_another_circuit_is_a_mismatch(array, errors, old, new, message):
    found = errors(array, changed(array, old, new).replace("\n+ ", " ") if "*" not in new else
                   changed(array, old, new))  # fmt: skip
    assert any(message in line for line in found), found


@pytest.mark.parametrize("pin", ["VDD", "VSS", "WT", "WC", "IN_T[0]", "WR[1]", "OUT[0]", "TS[1]"])
def test_every_pin_of_a_macro_must_be_a_pin_of_the_reference(macro, errors, pin):
    head, top = macro.text.split(".subckt mac ")
    found = errors(macro, f"{head}.subckt mac {top.replace(pin, '', 1)}")
    assert any(f"the layout's pin {pin} " in line for line in found), found


def test_multipliers_of_switches_and_nets_named_like_parameters(macro, errors):
    assert errors(macro, "* t\n.param wsel=2u out=1 vdd={wsel}\n" + macro.text) == []
    call = "VDD VSS column_switch\n"
    assert errors(macro, macro.text.replace(call, call.replace("\n", " m=2\n"), 1)) != []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("AREA=1\nMT", "AREA=nan\nMT", "line 11.*area = nan"),
        ("AREA=1\nMT", "AREA=1e999\nMT", "1e999"),
        ("AREA=1\nMT", "AREA={1/0}\nMT", "1/0"),
        ("AREA=1\nMT", "AREA={10**400}\nMT", "10.*400"),
        ("AREA=1\nMT", "AREA=0\nMT", "AREA = 0"),
        ("AREA=1\nMT", "AREA=-1\nMT", "AREA = -1"),
        ("W=2u", "W=inf", "inf"),
        ("W=2u", "W=2a", "suffix"),
        ("W=2u", "W=2u m=0", "m = 0"),
        ("W=2u", "W=2u m=-1", "m = -1"),
        ("W=2u", "W=2u mult=2", "mult"),
        ("W=2u", "W=2u W=2u", "twice"),
        ("W=2u", "W=2 u", "'u"),
        ("W=2u", "W={sin}", "sin"),
        ("W=2u", "W={ln(1,2)}", "takes 1"),
        ("W=2u", "W={f(1)}", "no function f"),
        ("W=2u", "W={x}", "x is defined"),
        (CALL, CALL.replace("\n", " m=1.5\n"), "m = 1.5"),
        (CALL, CALL.replace("\n", " m=1e9\n"), "more than 5,000,000"),
        (CALL, CALL.replace("\n", " k=1\n"), "parameter k"),
        ("X0_0", ".connect TR[0] TR[1]\nX0_0", "connect"),
        ("X0_0", ".func f(x) {x}\nX0_0", "func"),
        ("X0_0", ".alter\nX0_0", "alter"),
        ("X0_0", "??\nX0_0", "not understood"),
        ("X0_0", "R9 TR[0] TR[1] 1\nX0_0", "R9 in A"),
        ("R1 e me R=R\n", "X1 e 1 memristor_top\nX2 1 me memristor_top\n", "one device"),
        ("X0_0", ".include none.spice\nX0_0", "no such file"),
        ("X0_0", ".include /dev/zero\nX0_0", "pipe or device"),
        ("X0_0", ".include fifo\nX0_0", "pipe or device"),
        ("X0_0", ".include r.spice\nX0_0", "includes itself"),
        ("X0_0", ".include .\nX0_0", "folder"),
        ("X0_0", ".lib r.spice tt\nX0_0", "no section tt"),
        ("X0_0", ".lib tt\nX0_0", "takes file and section"),
        ("X0_0", ".if (1)\nX0_0", ".ends between .if"),
        ("* a\n", "* a\n.if (0)\n", "between .if"),
        ("X0_0", ".endif\nX0_0", "without .if"),
        ("X0_0", ".if (1)\n.param z=1\n.endif\nX0_0", "not supported"),
        ("X0_0", ".subckt b x\n.ends\nX0_0", "inside .subckt A"),
        ("X0_0", "X9 TR[0] nowhere\nX0_0", "NOWHERE is called but not defined"),
        ("X0_0", "X9 TR[0] hybrid_cell\nX0_0", "1 nets"),
        ("X0_0", "M9 a b c d nfet W=2 L=1\nX0_0", "units"),
        ("X0_0", ".model nfet pmos\nX0_0", "nfet is a pmos"),
        ("X0_0", ".param q=q2 q2=q\nM9 a b c d nfet W=q L=1u\nX0_0", "its own value"),
        ("MB be", "X9 TR BR C TS BS VSS hybrid_cell\nMB be", "calls itself"),
        (" TS[1]", " TS[0]", "two pins"),
        (".subckt a ", ".subckt hybrid_cell x\n.ends\n.subckt a ", "defined twice"),
        (MT, f"{MT}\n{MT}", "two MT"),
        ("* a\n", "* a\n.option scale=1u\n.option scale=2u\n", "scale"),
        ("* a\n", "* a\n.option scale={1}\n", "not understood"),
        ("* a\n", "* a\n+ W=2u\n", "continues nothing"),
        (MT, MT.replace("W=2u", "\n; c\n+ W=2u"), "continues nothing"),
        ("* a\n", "M1 a b c d nfet W=2u L=1u\n", "title"),
        (".ends\n.subckt a", "\n.subckt a", "inside"),
        ("X2_2", ".ends\n.end\nX2_2", "after .end"),
        ("W=2u", "W=\x9c2u", "0x9c"),
        ("TR[0]", "TR[0]\u200b", "0x200b"),
        ("W=2u", "W={" + "(" * 20000 + "2u" + ")" * 20000 + "}", "words"),
        ("W=2u", "W={" + "(" * 200 + "2u" + ")" * 200 + "}", "brackets deep"),
    ],
)
def test_what_is_not_understood_is_refused_with_file_and_line(
    array, errors, tmp_path, old, new, message, capfd
):
    os.mkfifo(tmp_path / "fifo")
    text, start = changed(array, old, new), time.monotonic()
    with pytest.raises(FileError, match=rf"(?s)r\.spice.*{message}") as caught:
        errors(array, text)
    assert time.monotonic() - start < 2
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "line " in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "data",
    [b"X\x9c=", b"* t\nX\x9c=", b"", b"\0" * 99, b"\xff\xfe", b"* t\n.subckt", b"* t\n=", b"+",
     b"* t\n.lib", b"* t\n.param", b"* t\n.if", b"* t\n.global", b"* t\nM", b"* t\nX1 a",
     b"* t\n.subckt a x\nX1\n.ends", b"* t\n.control\n", b"* t\n.subckt a\n.ends b", b"* t\n{"],
)  # fmt: skip
def test_scraps_are_refused(array, errors, data):
    with pytest.raises(FileError):
        errors(array, b"" + data)


def test_a_netlist_that_would_grow_without_end(array, errors, monkeypatch):
    """Sixty levels of two calls each: 2^60 devices."""
    cells = "".join(
        f".subckt l{k} a b\nX1 a b l{k - 1}\nX2 a b l{k - 1}\n.ends\n" for k in range(1, 60)
    )
    text = f"* t\n.subckt l0 a b\nX1 a b memristor_top AREA=1\n.ends\n{cells}"
    with pytest.raises(FileError, match="more than 5,000,000"):
        errors(array, text)
    varied = "".join(
        f".subckt v{k} a b p=1u\nX1 a b v{k - 1} p={{p*2}}\nX2 a b v{k - 1} p={{p*3+1u}}\n.ends\n"
        for k in range(1, 60)
    )
    monkeypatch.setattr(circuits, "MOST_CIRCUITS", 2000)
    with pytest.raises(FileError, match="more than 2,000"):
        errors(array, f"* t\n.subckt v0 a b p=1\nX1 a b memristor_top AREA=p\n.ends\n{varied}")
    deep = "".join(f".subckt l{k} a b\nX1 a b l{k - 1}\n.ends\n" for k in range(1, 300))
    with pytest.raises(FileError, match="100 deep"):
        errors(array, f"* t\n.subckt l0 a b\nX1 a b memristor_top AREA=1\n.ends\n{deep}")


def test_long_chains_of_parameters_are_no_recursion(array, errors):
    chain = "".join(f".param p{k}=p{k - 1}+0\n" for k in range(1, 5000))
    text = f"* t\n.param p0=2u\n{chain}" + array.text.replace("W=2u", "W=p4999")
    assert errors(array, text) == []


def test_files_in_files_have_a_limit(tmp_path):
    for k in range(40):
        (tmp_path / f"{k}.inc").write_text(f".include {k + 1}.inc\n")
    with pytest.raises(FileError, match="20 deep"):
        read_netlist(tmp_path / "0.inc")


def test_a_file_may_be_included_twice_and_sizes_add_up(tmp_path, monkeypatch):
    from crossstack.lvs import deck

    monkeypatch.setattr(deck, "MOST_BYTES", 1000)
    (tmp_path / "a.inc").write_text("* " + "x" * 300 + "\n")
    (tmp_path / "b.spice").write_text("* t\n" + ".include a.inc\n" * 4)
    with pytest.raises(FileError, match="with what it includes"):
        read_netlist(tmp_path / "b.spice")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_tolerances_that_judge_nothing(value):
    for name in ("length_um", "area"):
        with pytest.raises(ParameterError, match=name):
            Tolerances(**{name: value})


def test_devices_outside_of_the_compared_subcircuit_are_not_dropped(array, errors):
    more = "M9 TR[0] TR[1] C[0] VSS nfet W=2u L=0.28u\n"
    with pytest.raises(FileError, match="M9 stands outside"):
        errors(array, array.text + more)


def test_one_rule_for_case(tmp_path):
    """A label br[2] names BR[2], for the comparison and for the extraction."""
    from crossstack.extract import extract_network

    built = build_top(ArraySpec(rows=3, cols=3, name="a"))
    layout = to_layout(built.cell, TECH)
    top = layout.top_cell()
    found = 0
    for info in layout.layer_infos():
        for shape in top.shapes(layout.layer(info)).each(db.Shapes.STexts):
            if shape.text_string == "BR[2]":
                shape.text_string = "br[2]"
                found += 1
    assert found
    path = tmp_path / "r.spice"
    path.write_text("\n".join(built.netlist_lines()) + "\n")
    assert compare_layout(extract_layout(layout, TECH), path).errors == []
    network = extract_network(layout, TECH)
    assert len(network.memristor_row) == 18
    assert "BR[2]" in network.ports


def test_labels_that_differ_in_case_are_one_name(drawing):
    drawing.rect("Metal4", 0, 0, 4, 1)
    drawing.rect("Metal4", 0, 5, 4, 6)
    drawing.label("Metal4", "plate", 1, 0.5)
    drawing.label("Metal4", "PLATE", 1, 5.5)
    (finding,) = drawing.extract().findings()
    assert finding.kind == "open"
