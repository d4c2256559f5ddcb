"""Netlists as other tools write them."""

from __future__ import annotations

from functools import partial

import pytest

from crossstack.base.errors import ConfigError
from crossstack.lvs import spice
from crossstack.pdk import FileError, ParameterError, get_tech

read_netlist = partial(spice.read_netlist, models=get_tech().nets.models)


@pytest.fixture
def read(tmp_path):
    def run(text, **options):
        path = tmp_path / "a.spice"
        path.write_text(text)
        return read_netlist(path, **options)

    return run


def devices(reference):
    found = {}
    for device in reference.top.each_device():
        kind = device.device_class().name
        sizes = ("AREA",) if kind.startswith("memristor") else ("W", "L")
        found[device.name] = kind, {name: device.parameter(name) for name in sizes}
    return found


def one(read, line, ports="d g s b"):
    return devices(read(f"* t\n.subckt top {ports}\n{line}\n.ends\n"))


@pytest.mark.parametrize(
    "line",
    [
        "M1 d g s b nfet W=2u L=0.28u",
        "m1 D G S B NFET w=2.0U l=280n",
        "M1 d g s b nfet\n+ W=2u\n+ L=0.28u",
        "M1 d g s b nfet W=2e-6 L=2.8e-07 AS=0.88p AD=0.88p PS=4.88u PD=4.88u NRS=0.13 $ comment",
        "X1 d g s b nfet_03v3 w=2u l=0.28u nf=1",
        "X1 d g s b nmos_3p3 w=2u l=0.28u m=1",
        "M1 d g s b nfet W=1u L=0.28u M=2",
        "M1 d g s b nfet W='1u+1u' L=0.28u",
    ],
)
def test_transistors_of_many_tools(read, line):
    ((kind, sizes),) = one(read, line).values()
    assert kind == "nfet"
    assert sizes == pytest.approx({"W": 2.0, "L": 0.28})


@pytest.mark.parametrize("model", ["pfet", "pfet_03v3", "pmos_3p3", "PMOS"])
def test_pmos_names(read, model):
    ((kind, _),) = one(read, f"M1 d g s b {model} W=2u L=0.28u").values()
    assert kind == "pfet"


def test_memristor_calls_are_devices(read):
    text = """* t
.subckt memristor_bottom e me AREA=1 R=10000
R1 e me {R}
.ends
.subckt MEMRISTOR_TOP e me AREA=1
R1 e me 10k
.ends
.subckt top a b
XB a b memristor_bottom AREA=1.5
XT a b memristor_top AREA=0.6
.ends
"""
    found = devices(read(text))
    assert found["XB"] == ("memristor_bottom", {"AREA": pytest.approx(1.5)})
    assert found["XT"] == ("memristor_top", {"AREA": pytest.approx(0.6)})


@pytest.mark.parametrize(
    "text",
    [
        ".option scale=1u\n.subckt top d g s b\nM1 d g s b nfet W=2 L=0.28\n.ends\n",
        ".options scale=1u\n.subckt top d g s b\nM1 d g s b nfet W=2 L=0.28\n.ends\n",
        ".param wn=ww ww=2u\n.subckt top d g s b\nM1 d g s b nfet W=wn L=0.28u\n.ends\n",
        ".param ww=1u wn='2*ww'\n.subckt top d g s b\n"
        "M1 d g s b nfet W='wn-ww+1u' L=0.28u\n.ends\n",
        ".subckt top d g s b\n.param wn=1u\nM1 d g s b nfet W={2*wn} L=0.28u\n.ends\n",
        ".temp 25\n.subckt top d g s b\nM1 d g s b nfet W=2u L=0.28u\n.ends\n.tran 1 2\n",
        ".subckt in d g s b\nM1 d g s b nfet W=2u L=0.28u ; c\n.ends\n.global b\n"
        ".subckt top d g s b\nX1 d g s b in\n.ends\n",
    ],
)
def test_parameters_scale_and_other_statements(read, text, capfd):
    reference = read("* t\n" + text)
    reference.netlist.flatten()
    ((_, sizes),) = devices(reference).values()
    assert sizes == pytest.approx({"W": 2.0, "L": 0.28})
    assert capfd.readouterr().out == ""


def test_included_file(tmp_path, read):
    (tmp_path / "cell.spice").write_text(".subckt in d\nM1 d d d d nfet W=2u L=0.28u\n.ends\n")
    reference = read("* t\n.include cell.spice\n.subckt top d\nX1 d in\n.ends\n")
    assert reference.netlist.circuit_by_name("IN") is not None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("R1 d g 10k", "R1 in TOP"),
        ("M1 d g s b nfet5 W=2u L=0.28u", "NFET5 is not a device"),
        ("M1 d g s b nfet W=2 L=0.28", "units"),
        ("M1 d g s b nfet W=2u", "L is missing"),
        ("X1 d g memristor_top", "AREA is missing"),
        ("X1 d g s memristor_top AREA=1", "3 nets"),
        ("X1 d g s b nowhere W=2u", "nowhere"),
        ("M1 d g", ""),
    ],
)
def test_what_is_not_ours_is_refused(read, line, message):
    with pytest.raises(FileError, match=f"(?i)a.spice.*{message}"):
        one(read, line)


def test_missing_file(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_netlist(tmp_path / "none.spice")


@pytest.mark.parametrize("text", ["", "* only a comment\n"])
def test_empty_netlist(read, text):
    with pytest.raises(FileError, match="no subcircuit"):
        read(text)


def test_binary_file(tmp_path):
    path = tmp_path / "a.spice"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(FileError):
        read_netlist(path)


OTHERS = {
    "LEF": "VERSION 5.8 ;\nUNITS\nEND UNITS\nSITE a\nEND a\nMACRO m\nEND m\nEND\n",
    "Liberty": 'library ("m") {\n  delay_model : table_lookup;\n}\n',
    "Verilog": "// m\nmodule m (a, b, c, d, e, f);\n  mux u1 (.a(a), .b(b));\nendmodule\n",
    "JSON": '{\n  "name": "m"\n}\n',
    "YAML": "rows: 2\ncols: 2\n",
    "CSV": "name,kind\nM1.1,width,Metal1,0.23,,min width of Metal1,DM22\n",
    "XML": '<?xml version="1.0"?>\n<display/>\n',
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_of_another_kind_is_said_to_be_no_netlist(read, kind):
    first = OTHERS[kind].splitlines()[0]
    with pytest.raises(FileError) as told:
        read(OTHERS[kind])
    assert "is no SPICE netlist: no line of it begins with .SUBCKT" in str(told.value)
    assert str(told.value).endswith(f"it begins with {first!r}")


def test_a_wrong_line_of_a_netlist_is_still_named(read):
    for text in (
        "* flat\nMN Y A VSS VSS nfet W=2u\nMN Y A VSS VSS nfet W=2u\n",
        TWO + "MQ x\nMQ x\n",
    ):
        with pytest.raises(FileError, match=r"line \d: there are two M"):
            read(text)


TWO = "* t\n.subckt a d g s b\nM1 d g s b nfet W=2u L=0.28u\n.ends\n.subckt b d\n.ends\n"


ONE = TWO.partition(".subckt b")[0]


def test_several_tops(read):
    with pytest.raises(ParameterError, match="A, B"):
        read(TWO)
    assert read(TWO, prefer="a").top.name == "A"
    assert read(TWO, top="b").top.name == "B"
    with pytest.raises(ParameterError, match="'c'"):
        read(TWO, top="c")


def test_a_netlist_without_the_layouts_top_cell_says_what_it_has(read):
    """`top = 'weights' is not allowed` was said where nobody had given a top."""
    for text, named in ((TWO, False), (TWO, True), (ONE, True)):
        with pytest.raises(ConfigError, match=r"has no subcircuit weights, .*; it has A") as error:
            read(text, prefer="weights", named=named)
        assert "top =" not in str(error.value)
    assert read(ONE, prefer="weights").top.name == "A"
    called = TWO.replace(".subckt b d", ".subckt b d g s w\nX1 d g s w a")
    assert read(called, prefer="a", named=True).top.name == "A"


def test_netlist_without_subcircuit(inverter, compare):
    text = "* flat\nMN Y A VSS VSS nfet W=2u L=0.28u\nMP Y A VDD VDD pfet W=2u L=0.28u\n.end\n"
    assert compare(inverter(), text).errors == []


GOOD_BODIES = {
    "declared only": "",
    "plain": "M0 d g s b nfet W=w L=l",
    "another name of it": "M0 d g s b nmos_3p3 w={w} l='l' m=1 as=1p",
    "a call": "X0 d g s b nmos_3p3 w=w l=l m=m",
    "the foundry's": ".param k='l-1.5e-7'\n.param z=agauss(0,k,1)\n"
    "m0 d g s b nmos_3p3 w=w l=l nf=nf\n+delvto='z*sw_stat_mismatch' sa=sa",
    "a model": "M0 d g s b nfet W=w L=l\n.model nfet_03v3 nmos level=14",
}
BAD_BODIES = {
    "W='2*w'": ("M0 d g s b nfet W='2*w' L=l", "line 3: M0 in .subckt NFET_03V3: w = '2.w'"),
    "L": ("M0 d g s b nfet W=w L='l+1n'", "l = 'l\\+1n' is not the l"),
    "exchanged sizes": ("M0 d g s b nfet W=l L=w", "w = l is not"),
    "a fixed W": ("M0 d g s b nfet W=2u L=l", "w = 2u is not"),
    "W hidden": (".param w2='2*w'\nM0 d g s b nfet W=w2 L=l", "line 4: .* w = w2"),
    "W computed": (".param w2='2*w'\nM0 d g s b nfet W='w2/2' L=l", "w = 'w2/2' is not"),
    "no W": ("M0 d g s b nfet L=l", "W is missing"),
    "other kind": ("M0 d g s b pfet W=w L=l", "'pfet', not the nfet that it stands for"),
    "unknown model": ("M0 d g s b nfet_x W=w L=l", "'nfet_x', not the nfet"),
    "pins": ("M0 g d s b nfet W=w L=l", "is on 'G D S B', not on its pins D G S B"),
    "ends": ("M0 s g d b nfet W=w L=l", "is on 'S G D B'"),
    "inner net": ("M0 d g s x nfet W=w L=l", "is on 'D G S X'"),
    "m = 2": ("M0 d g s b nfet W=w L=l m=2", "m = 2 is not"),
    "m twice": ("M0 d g s b nfet W=w L=l m='2*m'", "m = '2\\*m' is not"),
    "two": ("M0 d g s b nfet W=w L=l\nM1 d g s b nfet W=w L=l", "line 4: .*not several: M1"),
    "a resistor beside": ("M0 d g s b nfet W=w L=l\nR0 d s 1", "line 4: .*not several: R0"),
    "a resistor": ("R0 d s 1", "R0 in .subckt NFET_03V3: 'R0', not the nfet"),
    "a call of another": ("X0 d g s b pfet_03v3 w=w l=l", "'pfet_03v3', not the nfet"),
    "through another": ("X0 d g s b nmos_3p3 w=w l=l", "line 9: .* w = '3\\*w'"),
    "itself": ("X0 d g s b nfet_03v3 w=w l=l", "calls itself"),
    "undefined": ("M0 d g s b nfet W=nope L=l", "nope"),
    "if": (".if (1)\nM0 d g s b nfet W=w L=l\n.endif", "line 3: .if in .subckt"),
    "other model": ("M0 d g s b nfet W=w L=l\n.model nfet_03v3 pmos", "is a pmos"),
}


def wrapped_netlist(body: str, *more: str, pins: str = "d g s b") -> str:
    head = f"* t\n.subckt nfet_03v3 {pins} w=1u l=1u m=1 nf=1 sa=0"
    top = ".subckt top d g s b\nX1 d g s b nfet_03v3 w=2u l=0.28u\n.ends"
    return "\n".join([head, *([body] if body else []), ".ends", top, *more, ""])


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_a_body_that_is_the_device_is_read(name, read):
    assert devices(read(wrapped_netlist(GOOD_BODIES[name]))) == {
        "X1": ("nfet", {"W": pytest.approx(2.0), "L": pytest.approx(0.28)})
    }


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_is_another_circuit_is_refused(name, read):
    body, words = BAD_BODIES[name]
    other = ".subckt nmos_3p3 d g s b w=1u l=1u\nM0 d g s b nfet W='3*w' L=l\n.ends"
    with pytest.raises(FileError, match=words):
        read(wrapped_netlist(body, *([other] if "nmos_3p3" in body else [])))


@pytest.mark.parametrize("pins", ["g d s b", "x g d b", "d g s", "a s c d"])
def test_pins_of_a_device_stand_at_their_places(pins, read):
    with pytest.raises(FileError, match=r"line 2: .subckt NFET_03V3: .*, not D G S B"):
        read(wrapped_netlist("", pins=pins))


@pytest.mark.parametrize(
    ("pins", "body", "words"),
    [
        ("e me", "R1 e me R=R", ""),
        ("row me", "B1 row me I=1e-4*sinh(3*V(row,me))", ""),
        ("e me", "", ""),
        ("me e", "R1 me e 10k", r"'ME E', not ROW ME"),
        ("e me", "B1 me e I=1e-4*V(e,me)", r"is on 'ME E', not on its pins E ME"),
        ("e me", "R1 e e 10k", r"is on 'E E'"),
        ("e me", "R1 e me 10k\nR2 e 0 1", "not several: R2"),
        ("e me", "C1 e me 1f", "C1 is no device between the pins"),
        ("e me", "M1 e me 0 0 nfet W=1u L=1u", "M1 is no device"),
        ("e me", "X1 e me yakopcic", ""),
        ("e me", "X1 e me memristor_bottom AREA=AREA", "X1, a 'memristor_bottom', is none"),
        ("e me", "X1 e me with_switch", "line 10: .*one memristor: M1, a 'nfet', is none"),
    ],
)
def test_bodies_of_memristors(pins, body, words, read):
    lines = [
        "* t", f".subckt memristor_top {pins} AREA=1 R=10000", *([body] if body else []),
        ".ends", ".subckt top a b", "XT a b memristor_top AREA=0.6", ".ends",
        ".subckt with_switch a b", "X1 a b yakopcic", "M1 a b 0 0 nfet W=1u L=1u", ".ends",
        ".subckt yakopcic a b", "G1 a b x 0 1", "C1 x 0 1", "X2 a b part", "X3 a b part", ".ends",
        ".subckt part a b", "R1 a b 1k", ".ends", "",
    ]  # fmt: skip
    text = "\n".join(lines)
    if words:
        with pytest.raises(FileError, match=words):
            read(text, top="top")
    else:
        assert devices(read(text, top="top"))["XT"][1] == {"AREA": pytest.approx(0.6)}


def test_lines_that_end_in_cr_alone(tmp_path):
    lines = ["* t", ".subckt top d g s b", "M1 d g s b nfet W=2u L=0.28u", ".ends", ""]
    path = tmp_path / "a.spice"
    path.write_bytes("\r".join(lines).encode())
    assert set(devices(read_netlist(path))) == {"M1"}
    # among lines that end otherwise it is a blank, so that a comment stays one
    path.write_bytes(
        "\n".join([*lines[:3], "* off\rM2 d g s b nfet W=2u L=1u", *lines[3:]]).encode()
    )
    assert set(devices(read_netlist(path))) == {"M1"}


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_named(code, tmp_path):
    path = tmp_path / "a.spice"
    path.write_bytes("* t\n.subckt top a\n.ends\n".encode(code))
    with pytest.raises(FileError, match="UTF-16 without its mark"):
        read_netlist(path)


@pytest.mark.parametrize("line", ["M1 d g s b {} W=2u L=0.5u", "X1 d g s b {} w=2u l=0.5u"])
@pytest.mark.parametrize(
    "body", ["", ".subckt {} d g s b w=1u l=1u\nM0 d g s b nmos w=w l=l\n.ends"]
)
def test_a_device_of_another_process_is_said_to_be_that(tmp_path, line, body):
    path = tmp_path / "a.spice"
    theirs, ours = get_tech(process="sky130").nets.models, get_tech().nets.models
    foreign = {False: "nmos_3p3", True: "Sky130_fd_pr__nfet_g5v0d10v5"}
    for home, other in ((theirs, False), (ours, True)):
        whose = "sky130 and sky130_reram" if other else "gf180mcuD"
        one_line, own = line.format(foreign[other]), body.format(foreign[other])
        path.write_text(f"* t\n.subckt top d g s b\n{one_line}\n.ends\n{own}\n")
        told = f"line 3: .1 in TOP: {foreign[other].upper()} is a device of {whose}, not of this"
        with pytest.raises(FileError, match=told):
            spice.read_netlist(path, top="top", models=home)
        path.write_text(path.read_text().replace(foreign[other], foreign[not other]))
        spice.read_netlist(path, top="top", models=home)
        # of no process's, or without a process: a subcircuit as any other
        path.write_text(path.read_text().replace(foreign[not other], "mine"))
        if body and line[0] == "X":
            spice.read_netlist(path, top="top", models=home)
        else:
            with pytest.raises(FileError, match=r"MINE is (called but not defined|not a device)"):
                spice.read_netlist(path, top="top", models=home)
