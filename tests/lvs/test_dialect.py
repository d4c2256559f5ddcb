"""Netlists in every dialect that we read, with ngspice as the judge of what they say."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest

from crossstack.lvs import spice
from crossstack.lvs.flat import flatten
from crossstack.lvs.values import evaluate
from crossstack.pdk import FileError, ParameterError, get_tech

read_netlist = partial(spice.read_netlist, models=get_tech().nets.models)

needs_ngspice = pytest.mark.skipif(not shutil.which("ngspice"), reason="ngspice is not installed")

#: What makes a deck for ngspice of one for us.
HEAD = """* models that ngspice needs
.model nfet nmos level=1
.model pfet pmos level=1
.subckt memristor_top row me area=1
r1 row me {area}
.ends
.subckt memristor_bottom row me area=1
r1 row me {area}
.ends
"""
#: (kind, nets, L or 0) -> sum of W or of areas times multipliers
Circuit = dict[tuple[object, ...], float]


def ask_ngspice(folder: Path, deck: str, may_fail: bool = False) -> list[str]:
    """Return the flat lines that ngspice makes of a deck; multipliers as in HSPICE."""
    (folder / ".spiceinit").write_text("set ngbehavior=hs\n")
    (folder / "run.cir").write_text(
        f"* run\n.control\nsource {deck}\nlisting expand\nquit\n.endc\n.end\n"
    )
    done = subprocess.run(
        ["ngspice", "-b", "run.cir"], cwd=folder, capture_output=True, timeout=60, check=False
    )
    text = done.stdout.decode(errors="replace")
    lines = re.findall(r"^ +\d+ : (.*)$", text, re.MULTILINE)
    assert lines or may_fail, text + done.stderr.decode(errors="replace")
    return lines


def ngspice_circuit(folder: Path, deck: str) -> Circuit:
    found: Circuit = defaultdict(float)
    for line in ask_ngspice(folder, deck):
        words = re.sub(r"\s*=\s*", "=", line).split()
        given = dict(w.split("=") for w in words if "=" in w)
        times = float(given.get("m", "1"))
        if words[0].startswith("m"):
            key = (words[5], *(net.replace(".", "/") for net in words[1:5]), _key(given["l"]))
            found[key] += number(given["w"]) * 1e6 * times
        elif words[0].startswith("r"):
            # r.x1.xt.r1: the last call is the memristor
            nets = tuple(net.replace(".", "/") for net in words[1:3])
            found["memristor", *nets, 0.0] += number(words[3]) * times
    return found


def number(text: str) -> float:
    return evaluate(text, lambda name: pytest.fail(name))


def _key(length: str) -> float:
    return round(number(length) * 1e6, 6)


def our_circuit(path: Path) -> Circuit:
    """Return our reading; copies of a call count as one, as ngspice has it."""
    reference = read_netlist(path, top=".TOP")
    flat = flatten(reference.top, lambda net: net.name)
    found: Circuit = defaultdict(float)
    for device in flat.devices:
        nets = []
        for k in device.nets:
            net = flat.nets[k]
            calls = net.path.rstrip("/").split("/") if net.path else []
            inner = [f"x{call}" for call in calls]
            nets.append("/".join([*inner, net.net.name]).lower())
        nets = [re.sub(r"\*\d+", "", net) for net in nets]
        if device.kind.is_memristor:
            found["memristor", *nets, 0.0] += device.parameters[0]
        else:
            found[device.kind.name, *nets, round(device.parameters[1], 6)] += device.parameters[0]
    return found


class Writer:
    """Writes a random netlist over all features of the dialect."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: dict[str, str] = {}
        self.known: list[str] = []

    def case(self, text: str) -> str:
        return self.random.choice([str.lower, str.upper, str])(text)

    def literal(self, micro: float) -> str:
        """Return a length of some um in one of its spellings."""
        spellings = (
            f"{micro:g}u", f"{micro:g}U", f"{micro:g}um", f"{micro * 1000:g}n", f"{micro:g}e-6",
            f"{micro / 1000:.7f}m", f"{micro:g}E-06", f"{micro * 1e6:g}p",
        )  # fmt: skip
        return self.random.choice(spellings)

    def expression(self, names: list[str]) -> str:
        """Return an expression that is a length."""
        r = self.random
        base = r.choice([*names, self.literal(r.choice([0.5, 1.2, 2.0]))])
        return r.choice(
            [
                base, f"{base}*2", f"2*({base}+1u)", f"{base}+{self.literal(1.0)}*3-1u",
                f"max({base},1u)", f"({base}>1u ? {base} : 2u)", f"{base}*2**3**1/4",
                f"abs(1u-{base}*3)", f"min(3u, {base} * 10)", f"{base}*int(2.7)",
                f"{base}*(1 && 1)+1u*(2==2)", f"sqrt({base}*{base})", f"-2u+{base}*9",
                f"{base}/2/2",
            ]
        )  # fmt: skip

    def value(self, names: list[str]) -> str:
        r = self.random
        if r.random() < 0.4:
            return self.literal(r.choice([0.28, 0.5, 2.0, 3.3]))
        text = self.expression(names)
        return r.choice([f"'{text}'", f"{{{text}}}", f"{{ {text} }}"])

    def equal(self) -> str:
        return self.random.choice(["=", " = ", "= ", " ="])

    def spread(self, words: list[str]) -> list[str]:
        """Return a card over several lines, with what may stand between and behind them."""
        r, lines = self.random, [""]
        for word in words:
            if r.random() < 0.15 and lines[-1].strip():
                if r.random() < 0.2:
                    lines[-1] += r.choice([" ; tail", " $ tail m=7", " // tail", ";x", " $"])
                lines += r.sample(
                    ["* comment m=9", "", "   ", "# c", "$ c", "\t* c"], r.randint(0, 2)
                )
                lines.append(r.choice(["+", "+ ", "  + ", "\t+"]))
            lines[-1] += r.choice([" ", "  ", "\t"]) + word if lines[-1] else word
        lines[-1] += r.choice(["", "", " ; W=9u", " $ W=9u", " // W=9u", "  "])
        return lines

    def transistor(self, name: str, nets: list[str], names: list[str]) -> list[str]:
        r = self.random
        words = [
            self.case(name),
            *(self.case(n) for n in nets),
            self.case(r.choice(["nfet", "pfet"])),
        ]
        words += [f"{self.case('w')}{self.equal()}{self.value(names)}"]
        words += [f"{self.case('l')}{self.equal()}{self.literal(0.28)}"]
        if r.random() < 0.3:
            words.append(f"m{self.equal()}{r.choice(['2', '{1+2}', '3.0'])}")
        return self.spread(words)

    def memristor(self, name: str, nets: list[str]) -> list[str]:
        r = self.random
        model = self.case(r.choice(["memristor_top", "memristor_bottom"]))
        words = [self.case(name), *nets, model, f"area={r.choice(['0.6', '{0.3*2}', '1.5'])}"]
        # ngspice passes a multiplier on to those subcircuits only that some call gives one
        words.append(r.choice(["m=1", "m=2"]))
        return self.spread(words)

    def cell(self, name: str, below: list[tuple[str, list[str]]]) -> tuple[list[str], list[str]]:
        """Return the lines of a subcircuit and its parameters."""
        r = self.random
        # no name of another cell: a call that names one may mean two things (`inside`)
        own = [f"{name}p{k}" for k in range(r.randint(0, 2))]
        names = [*self.known, *own]
        header = [f"{p}{self.equal()}{self.value(self.known)}" for p in own]
        if own and r.random() < 0.3:
            header.insert(0, "params:")
        lines = self.spread([".subckt", name, "a", "b", "c", *header])
        if own and r.random() < 0.5:
            lines.append(f".param loc{name} = '{own[0]}*2+1u'")
            names.append(f"loc{name}")
        lines += self.transistor("m1", ["a", "b", "mid", "c"], names)
        lines += self.memristor("xr", ["mid", "c"])
        if r.random() < 0.4:
            lines += [".if (flag == 1)", *self.transistor("m2", ["a", "a", "c", "vss"], names)]
            if r.random() < 0.5:
                lines += [
                    ".elseif (flag > 1)",
                    *self.transistor("m2", ["b", "a", "c", "vss"], names),
                ]
            lines += [".else", *self.transistor("m2", ["c", "c", "c", "c"], names), ".endif"]
        for k, (other, parameters) in enumerate(below):
            lines += self.call(f"x{k}", ["a", "mid", "c"], other, parameters, names)
        lines.append(r.choice([".ends", f".ends {name}", f".ENDS {name.upper()}"]))
        return lines, own

    def call(
        self, name: str, nets: list[str], cell: str, parameters: list[str], names: list[str]
    ) -> list[str]:
        r = self.random
        words = [name, *nets, self.case(cell)]
        words += [f"{p}{self.equal()}{self.value(names)}" for p in parameters if r.random() < 0.6]
        words.append(f"m{self.equal()}{r.choice(['1', '2', '{4/2}', '3'])}")
        return self.spread(words)

    def deck(self) -> str:
        r = self.random
        lines = ["a title that is no card", ".global vss", f".param flag={r.randint(0, 2)}"]
        for k in range(r.randint(1, 3)):
            text = f".param g{k} = {self.value(list(self.known))}"
            self.known.append(f"g{k}")
            how = r.choice(["here", "late", "include", "inc", "lib"])
            file = f"{how}{k}.txt"
            if how == "here":
                lines.append(text)
            elif how in ("include", "inc"):
                quote = r.choice(["", '"', "'"]) if how == "include" else ""
                lines.append(f".{how} {quote}sub/{file}{quote}")
                self.files[f"sub/{file}"] = f".include {file}.2\n"
                self.files[f"sub/{file}.2"] = f"* included\n{text}\n"
            elif how == "lib":
                lines.append(f".lib '{file}' {r.choice(['tt', 'TT'])}")
                other = f".param g{k} = 77u"
                self.files[file] = f".lib ff\n{other}\n.endl ff\n.lib tt\n{text}\n.endl\n"
            else:
                lines.insert(1, f".param g{k} = 50u" if r.random() < 0.3 else "* nothing")
                lines.append(text)
        cells: list[tuple[str, list[str]]] = []
        body: list[str] = []
        for k in range(r.randint(1, 3)):
            cell = f"c{k}"
            text, own = self.cell(cell, r.sample(cells, min(len(cells), r.randint(0, 2))))
            body += text
            cells.append((cell, own))
        for k, (cell, own) in enumerate(cells):
            body += self.call(f"x{k}", ["n1", "n2", "n3"], cell, own, self.known)
        body += self.transistor("m0", ["n1", "n2", "n3", "vss"], self.known)
        where = r.random() < 0.5
        text = "\n".join([*lines, *([] if where else [""]), *HEAD.splitlines(), *body, ".end", ""])
        return text.replace("\n", "\r\n") if r.random() < 0.2 else text


@needs_ngspice
@pytest.mark.parametrize("seed", range(60))
def test_ngspice_reads_the_same_circuit(seed, tmp_path):
    writer = Writer(seed)
    deck = writer.deck()
    for name, text in writer.files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "deck.spice").write_bytes(deck.encode())
    ours, theirs = our_circuit(tmp_path / "deck.spice"), ngspice_circuit(tmp_path, "deck.spice")
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert ours[key] == pytest.approx(value, rel=1e-9), key


@needs_ngspice
@pytest.mark.parametrize("option", [".option scale=1u", ".options  SCALE = 1e-6", ""])
def test_scale_is_that_of_ngspice(option, tmp_path):
    unit = "" if option else "u"
    deck = f"* t\n{option}\n.model nfet nmos level=1\nM1 d d 0 0 nfet W=10{unit} L=2{unit} m=2\n"
    (tmp_path / "ours.spice").write_text(deck)
    (tmp_path / "theirs.spice").write_text(
        f"{deck}V1 d 0 1\n.control\nop\nprint @m1[w] @m1[l]\nquit\n.endc\n.end\n"
    )
    done = subprocess.run(
        ["ngspice", "-b", "theirs.spice"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    w, length = (float(v) * 1e6 for v in re.findall(r"^@m1\S* = (\S+)", done.stdout, re.MULTILINE))
    reference = read_netlist(tmp_path / "ours.spice")
    (device,) = reference.top.each_device()
    assert device.parameter("L") == pytest.approx(length)
    assert device.parameter("W") == pytest.approx(2 * w)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_netlists_are_read_or_refused(seed, tmp_path):
    """No other error, no output, and soon."""
    r = random.Random(seed)
    path = tmp_path / "x.spice"
    scraps = [b"\n", b"\n+ ", b".if", b".endif", b"{", b"'", b"=", b"(", b"\\\\\n", b"\xff", b"\0",
              b".ends", b".subckt x", b" m=1e30", b".param a=a", b"1e999", b"*", b"$ ",
              b".include x",
              b".lib x y", b".control\n", b"\xe2\x80\x8b", b"X1 a a", b" nfet", b"**",
              b"?:"]  # fmt: skip
    for _ in range(40):
        data = bytearray(Writer(r.randrange(1000)).deck().encode())
        for _ in range(r.randint(1, 6)):
            at = r.randrange(len(data))
            data[at : at + r.choice([0, 0, 1, 20])] = r.choice(scraps)
        path.write_bytes(data)
        message = read_or_refused(path)
        assert "\n" not in message
        assert len(message) < 500


def read_or_refused(path: Path) -> str:
    """Read a netlist; returns why it was refused, "" if it was not."""
    try:
        reference = read_netlist(path, top=".TOP")
        flatten(reference.top, lambda net: net.name)
    except (FileError, ParameterError) as error:
        return str(error)
    return ""
