"""Nets, pins and comments that ngspice takes for other ones than they look."""

from __future__ import annotations

import pytest

from crossstack.lvs import spice
from crossstack.pdk import FileError, get_tech

MODELS = get_tech().nets.models

TEXT = """* t
.subckt memristor_bottom e me AREA=1 R=10000
R1 e me R=R
.ends
.subckt nfet d g s b w=1u l=1u
M1 d g s b nfet w={w} l={l}
.ends
.subckt cell r c s vss
XB be c memristor_bottom AREA=1
XM be s r vss nfet W=2u L=1u
MM be s r vss nfet W=2u L=1u
.ends
.subckt pair r1 r2 c s vss
X1 r1 c s vss cell
X2 r2 c s vss cell
.ends
.subckt a r1 r2 c s vss
X0 r1 r2 c s vss pair
.ends
"""


@pytest.fixture
def read(tmp_path):
    def run(*changes: tuple[str, str]) -> spice.Reference:
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "r.spice"
        path.write_text(text)
        return spice.read_netlist(path, "a", models=MODELS)

    return run


LEVELS = ".subckt inner p q\nR1 p x R=5\nR2 x q 5\n.ends\n.subckt memristor"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("* t\n", "* t\n.global me\n")], "C on pin ME"),
        ([("* t\n", "* t\n.global E\n")], "BE on pin E"),
        ([("* t\n", "* t\n.global s\n")], "pin S"),
        ([("e me R=R", "e me R=R\n.ends\n.global me\n.subckt x")], "C on pin ME"),
        ([(" me ", " null ")], "C on pin NULL"),
        ([(" me ", " gnd ")], "C on pin GND"),
        ([("bottom e me", "bottom 0 me"), ("R1 e me", "R1 0 me")], "BE on pin 0"),
        ([("d g s b", "d g s 0")], "VSS on pin 0"),
        ([("cell r c s vss\nXB be c", "cell r 0 s vss\nXB be 0")], "C on pin 0"),
        # the model of a memristor on a net that all memristors share
        ([(".subckt memristor", LEVELS), ("R1 e me R=R", "X1 e me inner"),
          ("* t\n", "* t\n.global x\n")], "is on X"),
        ([("R1 e me R=R", "B1 e me I=v(e,vx)/R"), ("* t\n", "* t\n.global vx\n")], "is on VX"),
        # names below
        ([("X2 r2 c", "X2 X1.be c")], "a part of instance X1"),
        ([("r1 r2 c s vss pair", "r1 x0.x1.BE c s vss pair")], "a part of instance X0"),
        ([("X2 r2", "X1.XB r2")], "a part of instance X1"),
        ([("MM be", "M.XM.M1 be")], "a part of instance XM"),
        # bodies
        ([("R=R", "R={R*m}")], "no parameter m"),
        ([("R=R", "R=R tc1=zz")], "no parameter zz"),
        ([("R=R", "R=R m=1000")], "m = '1000'"),
        ([("R=R", "R=R M = {2}")], r"m = '\{2\}'"),
        ([(".subckt memristor", LEVELS.replace("R=5", "R=y")), ("R1 e me R=R", "X1 e me inner")],
         "no parameter y"),
        # what ngspice reads in another way, or not at all
        ([("MM be s r vss nfet W=2u", "MM be s r vss nfet W=1u+1u")], r"w = '1u\+1u'"),
        ([("MM be s r vss nfet W=2u", "MM be s r vss nfet W=.5u*4")], "needs quotes"),
        ([("MM be s r vss nfet W=2u", "MM be s r vss nfet W=\uff12u")], "\uff12u"),
        ([("AREA=1\n", "AREA=\u0661\n")], "\u0661"),
        ([("b w=1u", "b w=( 1u )")], "not understood|no value"),
    ],
)  # fmt: skip
def test_what_ngspice_takes_for_something_else_is_refused(read, changes, message):
    with pytest.raises(FileError, match=message):
        read(*changes)


MM = "MM be s r vss nfet W=2u L=1u"


@pytest.mark.parametrize(
    "changes",
    [
        [("r2 c s vss\nX1", "r2 c s vss\nX1.")],  # an instance's name may hold dots
        [("XB be c", "XB b.e c"), ("XM be", "XM b.e"), ("MM be", "MM b.e")],
        [("vss", "0")],
        [("R=R", "R={R} m=1")],
        [("R=R", "R=R tc1=zz"), ("* t\n", "* t\n.param zz=0\n")],
        [("bottom AREA=1", "bottom AREA=( 1 )")],
        [(MM, MM.replace("2u", "( 1u + 1u )"))],
        [(MM, MM.replace("2u", "max(2u, 1u)"))],
        [(MM, MM.replace("W=2u", "W=2u \\\\ \n\n"))],
        [(MM, f"$ note \\\\\n{MM}")],
        [(MM, f"  * note \\\\\n{MM}")],
    ],
)
def test_what_ngspice_reads_as_it_looks_is_read(read, changes):
    assert read(*changes).pins


@pytest.mark.parametrize("note", [" $ n", " ; n", " // n", "\n# n", "\n// n", "\n+ $ n", "\n+ ; n"])
def test_two_backslashes_in_a_comment_continue_the_line(read, note):
    reference = read((MM, f"{MM}{note} \\\\\nm=2"))
    circuit = reference.netlist.circuit_by_name("CELL")
    widths = {d.name: d.parameter("W") for d in circuit.each_device() if d.name == "MM"}
    assert widths == {"MM": pytest.approx(4.0)}
