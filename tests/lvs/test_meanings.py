"""What a netlist could mean in two ways: read as ngspice does, or refused by its line."""

from __future__ import annotations

import math
import random
import re
import subprocess

import pytest

from crossstack.lvs.flat import flatten
from crossstack.lvs.values import NoValueError, evaluate
from crossstack.pdk import FileError

from .test_dialect import ask_ngspice, needs_ngspice, number, read_netlist

#: Other names and values than in `NAMES`: a deck's own.
KNOWN = {"p1": 2.0, "p2": 3.0, "p3": 0.0, "p4": 1e-6, "p5": 0.5}
#: Parameters of a deck for calls.
NAMES = "abkwlxyzuvpq"


@pytest.fixture
def sizes(tmp_path):
    """Return W times m and L of every transistor of a flat deck, or why it is refused."""

    def run(text: str) -> list[tuple[float, float]] | str:
        path = tmp_path / "deck.spice"
        path.write_text(text)
        try:
            reference = read_netlist(path, top=".TOP")
        except FileError as error:
            return str(error)
        found = [device.parameters for device in flatten(reference.top, lambda n: n.name).devices]
        return sorted((round(w, 4), round(length, 4)) for w, length in found)

    return run


@pytest.fixture
def simulated(tmp_path):
    """Return what `sizes` does, as ngspice reads it; [] where that refuses the deck."""

    def run(text: str) -> list[tuple[float, float]]:
        models = ".model nfet nmos level=1\nV9 n9 0 1\n.end\n"
        (tmp_path / "theirs.spice").write_text(text + models)
        found = []
        for line in ask_ngspice(tmp_path, "theirs.spice", may_fail=True):
            given = dict(w.split("=") for w in re.sub(r"\s*=\s*", "=", line).split() if "=" in w)
            if line.startswith("m"):
                w, times = number(given["w"]) * 1e6, number(given.get("m", "1"))
                found.append((round(w * times, 4), round(number(given["l"]) * 1e6, 4)))
        return sorted(found)

    return run


def body_deck(header: str, body: str, call: str, more: str = "") -> str:
    return (
        f"* t\n{more}\n.subckt nfet_03v3 d g s b {header}\nM0 d g s b nfet {body}\n.ends\n"
        f".subckt top d g s b fac=2\nX1 d g s b nfet_03v3 {call}\n.ends\nX0 d g s b top\n"
    )


PASSED = "w={w} l={l}"
BODIES = {
    "m of the header": ("w=2u l=1u m=2", f"{PASSED} m={{m}}", "w=2u", "", [(4.0, 1.0)]),
    "m of the call": ("w=2u l=1u m=2", f"{PASSED} m={{m}}", "m=3", "", [(6.0, 1.0)]),
    "m, no formal": ("w=2u l=1u", PASSED, "w=2u m=3", "", [(6.0, 1.0)]),
    "m not handed on": ("w=2u l=1u m=2", PASSED, "w=2u", "", "m = 2 has no effect"),
    "m = 1 in the body": ("w=2u l=1u m=1", f"{PASSED} m=1", "m=2", "", "m = 2 has no effect"),
    "m handed on, no formal": ("w=2u l=1u", f"{PASSED} m={{m}}", "m=2", "", "m = {m} is not the m"),
    "default of a default": ("w=2u l={w}", PASSED, "w=4u", ".param w=0.3u", [(4.0, 4.0)]),
    "a formal that is none": ("w=2u", PASSED, "w=2u", ".param l=1u", "l = {l} is not the l"),
    "given, but no formal": ("w=2u l=1u", "w=w l=l", "nf=4", "", "parameter nf is not known"),
    "a condition": ("w=2u l=1u", "w='w<3u?w*2:w' l={l}", "", "", "is not the w"),
    "m = nf": ("w=2u l=1u nf=1", f"{PASSED} m={{nf}}", "nf=4", "", "m = {nf} is not the m"),
    "another formal": ("w=2u l=1u par=1", "w='w*par' l={l}", "par=4", "", "'w*par' is not the w"),
    "a caller's": ("w=2u l=1u", "w='w*fac' l={l}", "", ".param fac=1", "'w*fac' is not the w"),
    "default of a caller's": ("w='2u*fac' l=1u", PASSED, "", ".param fac=1", [(4.0, 1.0)]),
    "mil": ("w=2u l=1u", PASSED, "w=0.08mil", "", "0.08mil: ngspice reads mil"),
    "mil in the header": ("w=0.08mil l=1u", PASSED, "", "", "0.08mil: ngspice reads mil"),
    "exchanged": ("w=1u l=1u", PASSED, "w='2*l' l='w/4'", ".param w=4u l=0.5u", "by their order"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_of_transistors(name, sizes):
    *parts, wanted = BODIES[name]
    found = sizes(body_deck(*parts))
    assert found == wanted or (isinstance(wanted, str) and wanted in found), found
    assert isinstance(wanted, list) or "deck.spice, line " in found


@needs_ngspice
@pytest.mark.parametrize("name", [n for n in BODIES if isinstance(BODIES[n][-1], list)])
def test_bodies_of_transistors_are_those_of_ngspice(name, simulated):
    *parts, wanted = BODIES[name]
    assert simulated(body_deck(*parts)) == wanted


SWITCH = ".subckt sw d g s b {0}\nM1 d g s b nfet W={{w}} L={{l}}\n.ends\n"
CALL = SWITCH + ".subckt c d g s b w=1u\nX1 d g s b sw {1}\n.ends\nX0 d g s b c\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (CALL.format("w=0.4u l=0.28u", "w='2*w' l='0.28*w'"), "w is 1e-06 where it is called and"),
        (CALL.format("w=0.4u l=1u", "w='2*w' l=1u"), [(2.0, 1.0)]),
        (CALL.format("w=0.4u l=1u", "w={w} l='w/2'"), [(1.0, 0.5)]),
        (CALL.format("a=2u w=1u l=1u", "w='a*3'"), "a is 1e-06 where it is called and 2e-06"),
        (CALL.format("w=1u l=1u", "w={a} l={w} m=a*2meg"), [(1.0, 1.0)] * 2),
        (CALL.format("w=1u l=1u a=2u", "m=a*2meg"), "m = a*2meg: a is"),
        (CALL.format("w=1u l=1u\n.param a=2u", "w=a"), "w = a: a is"),
        (CALL.format("w=1u l=1u", "w='1u*m' m=2"), "no parameter m is defined"),
        ("\n.param m=1\n", "m is the multiplier of a call"),
        ("\n.param limit=2u\n", "limit is a name of ngspice's own"),
        ("\n.subckt s a temper=1\n.ends\n", "temper is a name of ngspice's own"),
        (".param q=0.08mil\nM1 d g s b nfet W=q L=1u\n", "q = 0.08mil: ngspice reads mil"),
        ("M1 d g s b nfet W=0.1mil L=1u\n", [(2.54, 1.0)]),
        ("X1 d g s b nfet_03v3 W=0.1mil L=1u\n", "0.1mil: ngspice reads mil"),
        ("X1 d g s b nfet_03v3 W='2*l' L=1u\n.param l=1u\n", "takes l from .subckt NFET_03V3"),
        ("X1 d g s b nfet_03v3 W=l L=l m=l\n.param l=1u\n", "takes l from .subckt NFET_03V3"),
        ("X1 d g s b nfet_03v3 W={w} L=1u ad='w*nf'\n.param w=2u\n", [(2.0, 1.0)]),
        (
            ".param k=1\n.subckt i d\n.if (k>1)\nM1 d d d d nfet W=1u L=1u\n.endif\n.ends\n"
            ".subckt o d k=2\nX1 d i\n.ends\nX0 d o\n",
            "k is not global in .subckt O: .if knows",
        ),
        (".param k=1\n.if (1!=3>7)\nM1 d d d d nfet W=1u L=1u\n.else\n"
         "M1 d d d d nfet W=2u L=1u\n.endif\n", [(2.0, 1.0)]),
        (".param k=1\n.if (2/-k<=2)\nM1 d d d d nfet W=1u L=1u\n.endif\n", "needs brackets"),
    ],
)  # fmt: skip
def test_calls_and_parameters(text, wanted, sizes):
    found = sizes("* t\n.param a=1u\n" + text)
    assert found == wanted or (isinstance(wanted, str) and wanted in found), found


def write_calls(seed: int) -> str:
    """Return a deck whose calls, headers and local parameters share some names."""
    r = random.Random(seed)

    def literal() -> str:
        return r.choice(["1u", "2u", "3u", "0.5u", "{4u}", "'1u*2'", "7u"])

    def value(names: str) -> str:
        a, b = r.choice(names), r.choice(names)
        return r.choice([literal(), a, f"{{{a}}}", f"'{a}*2'", f"'{a}+{b}'", f"'{a}>1.5u?{b}:{a}'"])

    def some(names: list[str]) -> str:
        chosen = r.sample(names, r.randint(0, len(names)))
        return " ".join(f"{name}={value(NAMES)}" for name in chosen)

    lines = ["* t", ".param " + " ".join(f"{n}={r.choice(['1u', '2u', '5u'])}" for n in NAMES)]
    header = [f"w={literal()}", f"l={r.choice([literal(), 'w', 'a'])}"]
    header += [f"{n}={literal()}" for n in r.sample("abk", r.randint(0, 2))]
    device = [pair[0] for pair in header]
    header += r.choice([[], ["m=2"]])
    r.shuffle(header)
    times = " m={m}" if "m=2" in header else ""
    lines += [f".subckt nfet_03v3 d g s b {' '.join(header)}"]
    lines += [f"M0 d g s b nfet w={{w}} l={r.choice(['l', '{ l }'])}{times}", ".ends"]
    cells: dict[str, list[str]] = {}
    for cell in ("c0", "c1", "c2"):
        own = r.sample(NAMES, r.randint(0, 3))
        local = [n for n in r.sample(NAMES, r.randint(0, 1)) if n not in own]
        lines.append(f".subckt {cell} d g s b {' '.join(f'{n}={literal()}' for n in own)}")
        lines += [f".param {n}={value(NAMES.replace(n, ''))}" for n in local]
        lines.append(f"M1 d g s b nfet w={r.choice(NAMES)} l={literal()}")
        lines.append(f"X0 d g s b nfet_03v3 {some(device)} {r.choice(['', 'm=2', 'm=3'])}")
        for below in r.sample(sorted(cells), min(len(cells), r.randint(0, 1))):
            lines.append(f"X1 d g s b {below} {some(cells[below])}")
        lines.append(".ends")
        cells[cell] = own
    lines += [f"X{cell} d g s b {cell} {some(own)}" for cell, own in cells.items()]
    return "\n".join(lines) + "\n"


@needs_ngspice
def test_calls_mean_what_ngspice_makes_of_them(sizes, simulated):
    same = 0
    for seed in range(150):
        text = write_calls(seed)
        ours = sizes(text)
        if isinstance(ours, list):
            theirs = simulated(text)
            assert theirs in (ours, []), seed
            same += theirs == ours
    assert same > 30


VALUES = [
    ("6+-2**2", None), ("0==1<0?1:4", 4), ("2^-p1*1", None), ("2/-p5<=2", None), ("1!=3>7", 0),
    ("4u==4u>10m", 1), ("2--3", 5), ("2---3", None), ("2*+3", None), ("-2**2", -4), ("- -3", 3),
    ("2*-(3)", None), ("2*-sqrt(4)", None), ("2*(-p1)", -4), ("!-2", None), ("0**0", None),
    ("1?0?5:6:7", None), ("1?(0?5:6):7", 6), ("0?2:0?5:6", 6), ("1?-2:3", -2), ("1?-p1:3", None),
    ("2000n==2u", 0), ("3%2m", 0), ("2<-1", 0), ("2&&-p1", None), ("max(1,-p1)", 1), ("1mil", None),
]  # fmt: skip


def ours(text: str) -> float | None:
    try:
        return evaluate(f"'{text}'", KNOWN.__getitem__)
    except NoValueError:
        return None


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_operators(text, value):
    assert ours(text) == value


def write_value(r: random.Random, depth: int) -> str:
    """Return an expression over everything that the reader knows, signs at all places."""
    operators = ["+", "-", "*", "/", "**", "^", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"]
    text = r.choice(["", "", "", "", "-", "!", "+", "- -"]) + write_atom(r, depth)
    for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4])):
        sign = r.choice(["", "", "", "-", " -", " "]) + ("!" if r.random() < 0.07 else "")
        text += r.choice(["", "", " "]) + r.choice(operators) + sign + write_atom(r, depth - 1)
    if r.random() < 0.2 and depth > 0:
        text += f"?{write_value(r, depth - 1)}:{write_value(r, depth - 1)}"
    return text


def write_atom(r: random.Random, depth: int) -> str:
    kind = r.random()
    if kind < 0.2:
        return r.choice(list(KNOWN))
    if kind < 0.4 and depth > 0:
        return f"({write_value(r, depth - 1)})"
    if kind < 0.6 and depth > 0:
        name = r.choice(["sqrt", "abs", "int", "floor", "ceil", "exp", "log", "ln", "log10", "atan",
                         "tanh", "sinh", "sin", "cos", "min", "max", "pow"])  # fmt: skip
        more = f",{write_value(r, depth - 1)}" if name in ("min", "max", "pow") else ""
        return f"{name}({write_value(r, depth - 1)}{more})"
    return r.choice(["1", "2", "3", "0", "0.5", "2u", "3n", "1meg", "2k", "10m", "1e-6", "2.5", "7",
                     "1.5e3k", "2mA", "4uF", ".5", "1.", "1e+2", "3E-1u", "0.1t"])  # fmt: skip


@needs_ngspice
def test_expressions_have_the_values_of_ngspice(tmp_path):
    r = random.Random(5)
    texts = [text for text, _ in VALUES]
    texts += [write_value(r, r.choice([0, 1, 1, 2, 3])) for _ in range(700)]
    read = [(t, v) for t in texts if len(t) < 80 and (v := ours(t)) is not None]
    assert len(read) > 300
    deck = ["* t", *(f".param {name}={value!r}" for name, value in KNOWN.items())]
    for k, (text, _) in enumerate(read):
        deck += [f".param q{k}='{text}'", f"V{k} n{k} 0 {{q{k}}}", f"R{k} n{k} 0 1k"]
    shown = [f"print v(n{k})" for k in range(len(read))]
    deck += [".control", "set numdgt=12", "op", *shown, "quit", ".endc", ".end", ""]
    (tmp_path / "values.cir").write_text("\n".join(deck))
    done = subprocess.run(
        ["ngspice", "-b", "values.cir"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    printed = re.findall(r"^v\(n(\d+)\) = (\S+)", done.stdout, re.MULTILINE)
    found = {int(k): float(value) for k, value in printed}
    assert len(found) == len(read)
    for k, (text, value) in enumerate(read):
        assert math.isclose(found[k], value, rel_tol=1e-6, abs_tol=1e-15), text


@pytest.mark.parametrize(
    "first",
    [".option scale=1u", " .OPTIONS scale=1u", ".param w=2u", ".global vss", ".model nfet pmos",
     ".control", ".if (0)", "M1 d g s b nfet W=2u L=1u"],
)  # fmt: skip
def test_line_1_is_the_title(first, sizes):
    found = sizes(f"{first}\nM2 d g s b nfet W=2u L=1u\n.endc\n")
    assert "line 1: the first line of a netlist is its title" in found


@pytest.mark.parametrize("statement", [".include more.inc", ".lib more.inc tt"])
def test_a_file_that_is_there_twice(statement, sizes, tmp_path, monkeypatch):
    """In the deck's folder and in the working folder: ngspice takes the second."""
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    text = ".lib tt\n.param ww=2u\n.endl\n" if "lib" in statement else ".param ww=2u\n"
    (tmp_path / "more.inc").write_text(text)
    (other / "more.inc").write_text(text)
    deck = f"* t\n{statement}\nM1 d g s b nfet W=ww L=1u\n"
    assert sizes(deck) == [(2.0, 1.0)]
    (other / "more.inc").write_text(text.replace("2u", "9u"))
    found = sizes(deck)
    for words in ("line 2", "which differ", str(tmp_path / "more.inc"), str(other / "more.inc")):
        assert words in found
