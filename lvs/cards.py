"""Logical lines of a netlist to subcircuits, elements and parameters; `.if` is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..base.names import fold
from .deck import Line, shortened
from .scopes import Scope, Texts
from .values import RESERVED, is_cut, names_in

#: A net that ngspice leaves alone wherever it stands, as if `.global` named it.
_EVERYWHERE = "NULL"

#: Circuit of the lines outside of any subcircuit.
OUTSIDE = ".TOP"

#: Statements that only a simulator needs: they neither make nor change a device.
_SIMULATION = frozenset(
    f".{word}"
    for word in re.findall(
        r"\w+",
        "ac op dc tran noise tf sens pz disto sp four print plot probe save meas measure ic "
        "nodeset width temp title csparam prot unprot protect unprotect",
    )
)
#: Options that change sizes in a way that is not computed here.
_SIZES = frozenset(("defl", "defw", "defad", "defas", "wl"))

_SETTING = re.compile(
    r"\s*([A-Za-z_]\w*)\s*=\s*('[^']*'|\{[^{}]*\}|[^\s'\"{}=]+)(?=\s|$)", re.ASCII
)
_FIRST = re.compile(r"[^\s=]+\s*=")
_PARAMS = re.compile(r"\bparams:", re.IGNORECASE)
#: Punctuation, which no name of a net, an element or a model may hold.
_NO_NAME = re.compile(r"""[(),{}'"=;\\]""")


def settings(line: Line, text: str, blanks: bool = True) -> tuple[list[str], Texts]:
    """Return the words of a text, upper case, and the pairs after them, names in lower case.

    Args:
        line: where the text stands.
        text: the line, or a part of it.
        blanks: brackets of a bare value may hold blanks, as in `W=( 1u + 1u )`; ngspice does not
            allow it in the head of a subcircuit.

    Raises:
        FileError: if anything else stands there.
    """
    if ":" in text:
        text = _PARAMS.sub(" ", text)
    first = _FIRST.search(text) if "=" in text else None
    at = first.start() if first else len(text)
    if (wrong := _NO_NAME.search(text, 0, at)) is not None:
        raise line.error(f"{wrong[0]!r} is no part of a name: {shortened(text)}")
    words = fold(text[:at]).split()
    found: Texts = {}
    while at < len(text):
        one = _SETTING.match(text, at)
        if one is None:
            raise line.error(f"not understood: {shortened(text[at:].strip())}")
        if one[1].lower() in found:
            raise line.error(f"{one[1]} is given twice")
        at = one.end()
        if blanks and one[2].count("(") != one[2].count(")"):
            at = _closed(text, one.start(2))
        found[one[1].lower()] = (text[one.start(2) : at], line)
        while at < len(text) and text[at] in " \t\f":
            at += 1
    return words, found


def _closed(text: str, at: int) -> int:
    """Return where a bare value ends: at the first blank outside of its brackets."""
    depth = 0
    for end in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if text[end] in "'\"{}=" or (depth <= 0 and text[end].isspace()):
            return end
    return len(text)


@dataclass(frozen=True)
class Element:
    """One element line: its name, the words after it (upper case), its `name=value` pairs."""

    name: str
    words: tuple[str, ...]
    given: Texts
    line: Line


@dataclass(eq=False)
class Subckt:
    """A subcircuit's definition (or the lines outside of any).

    Attributes:
        name: upper case.
        pins: upper case.
        header: parameters with their defaults.
        texts: parameters that it defines inside.
        elements: by upper-case name.
        line: where it starts, None for the lines outside of any subcircuit.
    """

    name: str
    pins: tuple[str, ...]
    header: Texts
    line: Line | None
    texts: Texts = field(default_factory=dict)
    elements: dict[str, Element] = field(default_factory=dict)


@dataclass(frozen=True)
class Cards:
    """What a netlist says.

    Attributes:
        top: the lines outside of any subcircuit.
        subckts: by upper-case name.
        globals: names of global nets, upper case.
        scope: global parameters.
        scale: factor of lengths that `.option scale` gives.
        path: the file.
        models: lower-case names of subcircuits and models that are devices, with their kinds.
    """

    top: Subckt
    subckts: dict[str, Subckt]
    globals: frozenset[str]
    scope: Scope
    scale: float
    path: Path
    models: Mapping[str, str]


def read_cards(lines: Iterable[Line], path: Path, models: Mapping[str, str]) -> Cards:
    """Return what the logical lines of a netlist say.

    Args:
        lines: logical lines.
        path: the file that they come from.
        models: lower-case names of subcircuits and models that are devices, with their kinds.

    Raises:
        FileError: for a line that is not understood.
    """
    reader = _Reader(models)
    lines = list(lines)
    reader.global_parameters(lines)
    for line in lines:
        reader.read(line)
    return reader.done(path)


def _check_names(given: Texts) -> None:
    """Refuse parameters that an expression cannot name: ngspice takes them for functions."""
    for name, (_, line) in given.items():
        if name in RESERVED:
            raise line.error(f"{name} is a name of ngspice's own and cannot be a parameter")


def _check_whole(line: Line, words: list[str], given: Texts) -> None:
    """Refuse values of which ngspice takes the first number only."""
    for name, (text, _) in given.items():
        if is_cut(text):
            what = f"{shortened(text)} needs quotes or braces on a device's own line"
            raise line.error(f"{words[0] if words else 'M'}: {name} = {what}")


class _Reader:
    def __init__(self, models: Mapping[str, str]) -> None:
        self.models = models
        self.top = Subckt(OUTSIDE, (), {}, None)
        self.here = self.top
        self.subckts: dict[str, Subckt] = {}
        self.globals: set[str] = set()
        self.scope = Scope({})
        self.scales: dict[float, Line] = {}
        #: of each open `.if`: its line, whether its lines count, whether a branch was taken
        self.branches: list[tuple[Line, bool, bool]] = []
        #: names in conditions inside of a subcircuit, each with a line
        self.asked: dict[str, Line] = {}

    def global_parameters(self, lines: Iterable[Line]) -> None:
        """Collect parameters outside of subcircuits; of two of a name the last counts."""
        depth = 0
        for line in lines:
            card = line.card
            depth += {".subckt": 1, ".ends": -1}.get(card, 0)
            if card == ".param" and depth == 0:
                self.scope.texts |= self._parameters(line)

    def read(self, line: Line) -> None:
        card = line.card
        if self.here.name.lower() in self.models and card not in (".subckt", ".ends"):
            self._body(line, card)
            return
        if card in (".if", ".elseif", ".else", ".endif"):
            self._branch(line, card)
            return
        if self.branches and card in (".subckt", ".ends", ".param", ".option", ".options",
                                      ".global", ".model"):  # fmt: skip
            raise line.error(f"{card} between .if and .endif is not supported")
        if not all(counts for _, counts, _ in self.branches):
            return
        if card == ".subckt":
            self._start(line)
        elif card == ".ends":
            self._end(line)
        elif card == ".param":
            if self.here is not self.top:
                self._local(line)
        elif card[0] == ".":
            self._statement(line, card)
        else:
            self._element(line)

    def done(self, path: Path) -> Cards:
        if self.branches:
            raise self.branches[-1][0].error(".if without .endif")
        if self.here.line is not None:
            raise self.here.line.error(f".subckt {self.here.name} is not ended by .ends")
        if len(self.scales) > 1:
            raise list(self.scales.values())[1].error("scale is given twice, with another value")
        self._check_conditions()
        scale = next(iter(self.scales), 1.0)
        joined = frozenset({*self.globals, _EVERYWHERE})
        return Cards(self.top, self.subckts, joined, self.scope, scale, path, self.models)

    def _check_conditions(self) -> None:
        """Refuse a condition on what may be a caller's parameter, decided here once for all."""
        for sub in self.subckts.values():
            if sub.name.lower() not in self.models:
                for name in self.asked.keys() & (sub.header.keys() | sub.texts.keys()):
                    line, text = self.asked[name], f"{name} is not global in .subckt {sub.name}"
                    raise line.error(f"{text}: {line.card} knows global parameters only")

    def _parameters(self, line: Line) -> Texts:
        words, given = settings(line, line.rest)
        if words or not given:
            raise line.unknown()
        if "m" in given:
            raise line.error("m is the multiplier of a call, not a parameter")
        _check_names(given)
        return given

    def _local(self, line: Line) -> None:
        given = self._parameters(line)
        for name in given:
            if name in self.here.header:
                raise line.error(f"{name} is a parameter of .subckt {self.here.name} already")
        self.here.texts |= given

    def _start(self, line: Line) -> None:
        if self.here is not self.top:
            raise line.error(f".subckt inside .subckt {self.here.name} is not supported")
        words, header = settings(line, line.rest, blanks=False)
        if not words:
            raise line.unknown()
        _check_names(header)
        name, *pins = words
        if name in self.subckts:
            where = self.subckts[name].line
            first = f" (first in line {where.number} of {where.path.name})" if where else ""
            raise line.error(f".subckt {name} is defined twice{first}")
        twice = [pin for pin in pins if pins.count(pin) > 1] if len(set(pins)) < len(pins) else []
        if twice:
            raise line.error(f".subckt {name} has two pins {twice[0]}")
        if "m" in header and name.lower() not in self.models:
            raise line.error(f".subckt {name}: m is the multiplier of a call, not a parameter")
        self.here = self.subckts[name] = Subckt(name, tuple(pins), header, line)

    def _body(self, line: Line, card: str) -> None:
        """Keep the body of a device's own subcircuit, which is looked at where it is called."""
        if card == ".param":
            self._local(line)
        elif card == ".model":
            self._model(line)
        elif card[0] == ".":
            raise line.error(f"{card} in .subckt {self.here.name} is not supported")
        else:
            self._element(line)

    def _end(self, line: Line) -> None:
        words = line.text.split()[1:]
        if self.here is self.top or len(words) > 1:
            raise line.error(".ends without .subckt" if self.here is self.top else line.text)
        if words and fold(words[0]) != self.here.name:
            raise line.error(f".ends {words[0]} ends .subckt {self.here.name}")
        self.here = self.top

    def _statement(self, line: Line, card: str) -> None:
        if card in _SIMULATION:
            return
        if card == ".global":
            words, given = settings(line, line.rest)
            if given or not words:
                raise line.unknown()
            self.globals |= set(words)
        elif card in (".option", ".options"):
            self._options(line)
        elif card == ".model":
            self._model(line)
        else:
            raise line.unknown()

    def _options(self, line: Line) -> None:
        if not re.search(r"\b(?:scale|def\w+|wl)\b", line.rest, re.IGNORECASE):
            return
        words, given = settings(line, line.rest)
        for name in (*given, *(word.lower() for word in words)):
            if name in _SIZES or (name == "scale" and name not in given):
                raise line.error(f"option {name} is not supported")
        if "scale" in given:
            if given["scale"][0][0] not in "+-.0123456789":  # ngspice takes no expression here
                raise line.unknown()
            value = self.scope.value(given["scale"][0], line, "scale", on_device=True)
            if value <= 0:
                raise line.error(f"scale = {value:g} is not allowed: positive")
            self.scales.setdefault(value, line)

    def _model(self, line: Line) -> None:
        """Pass over a model, unless it gives one of our names to another kind."""
        words = line.rest.replace("(", " ").split()
        if len(words) < 2:
            raise line.unknown()
        kind = self.models.get(words[0].lower())
        wanted = {"nfet": "nmos", "pfet": "pmos"}.get(kind or "", "")
        if kind is not None and words[1].lower() != wanted:
            raise line.error(f".model {words[0]} is a {words[1]}, {kind} was expected")

    def _element(self, line: Line) -> None:
        letter = line.text[0].lower()
        if not "a" <= letter <= "z":
            raise line.unknown()
        if letter in "mx":
            words, given = settings(line, line.text)
            if letter == "m":
                _check_whole(line, words, given)
        else:  # another device than ours: refused where its circuit is compared
            words, given = [fold(line.card)], {}
        name = words[0] if words else ""
        if not name or name in self.here.elements:
            raise (
                line.error(f"there are two {name} in {self.here.name}") if name else line.unknown()
            )
        self.here.elements[name] = Element(name, tuple(words[1:]), given, line)

    def _branch(self, line: Line, card: str) -> None:
        if card != ".if" and not self.branches:
            raise line.error(f"{card} without .if")
        if card == ".if":
            outer = all(counts for _, counts, _ in self.branches)
            taken = outer and self._holds(line)
            self.branches.append((line, taken, taken or not outer))
            return
        start, _, done = self.branches.pop()
        if card == ".endif":
            if line.rest:
                raise line.unknown()
            return
        if start.card == ".else":
            raise line.error(f"{card} after .else")
        taken = not done and (card == ".else" or self._holds(line))
        # the line kept is the last of the block: what may follow depends on it
        self.branches.append((line, taken, done or taken))

    def _holds(self, line: Line) -> bool:
        text = line.rest.strip()
        if not text:
            raise line.unknown()
        local = names_in(text) & (self.here.header.keys() | self.here.texts.keys())
        if local:
            name = min(local)
            raise line.error(f"{name} is not global: {line.card} knows global parameters only")
        if self.here is not self.top:
            self.asked |= dict.fromkeys(names_in(text), line)
        return bool(self.scope.value(text, line, line.card))
