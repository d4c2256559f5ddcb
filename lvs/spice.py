"""Reference netlists in plain SPICE, ours or another tool's, as KLayout netlists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import klayout.db as db

from ..pdk import FileError, ParameterError
from .devices import KIND_BY_NAME, memristor_class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Model names of other tools for our devices: the foundry's decks, its models, and Magic.
ALIASES: dict[str, str] = {
    **{name: name for name in KIND_BY_NAME},
    **dict.fromkeys(("nmos", "nfet_03v3", "nmos_3p3"), "nfet"),
    **dict.fromkeys(("pmos", "pfet_03v3", "pmos_3p3"), "pfet"),
}

#: A channel longer or wider than this, in metres, was written without its unit.
_LARGEST_M = 1e-2


#: A comment at the end of a line: `$` (HSPICE) or `;` (ngspice).
_TAIL = re.compile(r"(?:\s\$|;).*")
_GIVEN = re.compile(r"(\w+)\s*=")
#: A name on the right of an equal sign.
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*=)")
_SETTING = re.compile(r"(\w+)\s*=\s*('[^']*'|\{[^}]*\}|\S+)")


@dataclass(frozen=True)
class _Scan:
    """What KLayout's reader does not tell: global parameters, scale, defined subcircuits."""

    parameters: dict[str, str]
    scale: str
    defined: frozenset[str]


def _scan(text: str) -> _Scan:
    parameters: dict[str, str] = {}
    scale, defined, depth = "1", set(), 0
    for line in re.sub(r"\n\s*\+", " ", text).splitlines():
        words = _TAIL.sub("", line).upper().split(None, 1)
        card, rest = [*words, "", ""][:2]
        if card == ".SUBCKT":
            depth += 1
            defined.update(rest.split()[:1])
        elif card == ".ENDS":
            depth -= 1
        elif card == ".PARAM" and depth == 0:
            parameters |= {k: _bare(v) for k, v in _SETTING.findall(rest)}
        elif card in (".OPTION", ".OPTIONS"):
            scale = dict(_SETTING.findall(rest)).get("SCALE", scale)
    return _Scan(parameters, scale, frozenset(defined))


def _bare(value: str) -> str:
    """Return a parameter's value so that it can stand inside an expression."""
    inner = value.strip("'{}").replace(" ", "")
    return f"({inner})" if inner != value else value


class _Delegate(db.NetlistSpiceReaderDelegate):
    """Turns M elements and calls of device subcircuits into devices of our kinds.

    Problems are collected, since an exception must not cross KLayout's reader.
    """

    def __init__(self, scan: _Scan) -> None:
        super().__init__()
        self.scan = scan
        self.problems: list[str] = []
        self.classes: dict[str, db.DeviceClass] = {}

    def start(self, netlist: db.Netlist) -> None:
        """Register the device classes (called by KLayout)."""
        for name, kind in KIND_BY_NAME.items():
            if kind.is_memristor:
                made = memristor_class(name)
            else:
                made = db.DeviceClassMOS4Transistor()
                made.name = name
            netlist.add(made)
            self.classes[name] = made

    def wants_subcircuit(self, name: str) -> bool:
        """Claim calls of device subcircuits as devices (called by KLayout)."""
        return name.lower() in ALIASES

    def control_statement(self, line: str) -> bool:
        """Pass over statements that only a simulator needs (called by KLayout for the rest)."""
        return True

    def parse_element(self, line: str, element: str) -> db.ParseElementData:
        """Split an element without its comment, and compute its parameters (called by KLayout)."""
        text = self._substituted(_TAIL.sub("", line))
        given = {name.upper() for name in _GIVEN.findall(text)}
        data = super().parse_element(text, element)
        data.parameters = {name: v for name, v in data.parameters.items() if name in given}
        return data

    def _substituted(self, text: str) -> str:
        """Put in the values of the file's global parameters, which KLayout's reader forgets."""
        first = _GIVEN.search(text)
        if first is None or not self.scan.parameters:
            return text
        known = {k: v for k, v in self.scan.parameters.items() if k not in self.variables()}
        nets, values = text[: first.start()], text[first.start() :]
        for _ in range(8):  # parameters may be defined by others
            values = _NAME.sub(lambda word: known.get(word[0].upper(), word[0]), values)
        return nets + values

    def element(
        self,
        circuit: db.Circuit,
        element: str,
        name: str,
        model: str,
        value: float,
        nets: Sequence[db.Net],
        params: Mapping[str, float | str],
    ) -> bool:
        """Create a device (called by KLayout)."""
        if circuit.name.lower() in ALIASES:
            return True  # the body of a device's own subcircuit: only there to be simulated
        what = f"{element}{name} in {circuit.name}"
        kind = KIND_BY_NAME.get(ALIASES.get(model.lower(), ""))
        if kind is None or element not in ("M", "X"):
            self.problems.append(f"{what}: {model or element} is not a device of this process")
            return True
        if len(nets) != len(kind.terminals):
            self.problems.append(f"{what}: {len(nets)} nets, {kind.name} has {len(kind.terminals)}")
            return True
        device = circuit.create_device(self.classes[kind.name], f"{element}{name}")
        for (terminal, _), net in zip(kind.terminals, nets, strict=True):
            device.connect_terminal(terminal, net)
        self._set_parameters(device, kind.parameters, params, what)
        return True

    def _set_parameters(
        self, device: db.Device, names: Sequence[str], params: Mapping[str, float | str], what: str
    ) -> None:
        scale = float(self.value_from_string(self.scan.scale, {}))
        times = params.get("M", 1.0)
        for name in names:
            value = params.get(name)
            if not isinstance(value, float) or not isinstance(times, float):
                text = "is missing" if value is None else f"= {value} is not a number"
                self.problems.append(f"{what}: {name} {text}")
                return
            if name != "AREA":
                value *= scale
                if not 0.0 < value < _LARGEST_M:
                    text = f"{name} = {value:g} m is not a size (units such as 2u are needed)"
                    self.problems.append(f"{what}: {text}")
                    return
                value *= 1e6
            device.set_parameter(name, value if name == "L" else value * times)


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference netlist.

    Attributes:
        netlist: KLayout's netlist.
        top: its top circuit.
        pins: names of the top's pins as in the file, upper case.
        path: the file.
    """

    netlist: db.Netlist
    top: db.Circuit
    pins: tuple[str, ...]
    path: Path

    def read_again(self) -> Reference:
        """Return a second copy, for uses that change the netlist (`Netlist.dup` is slower)."""
        top = None if self.top.name.startswith(".") else self.top.name
        return read_netlist(self.path, top)


def read_netlist(path: Path | str, top: str | None = None, prefer: str = "") -> Reference:
    """Read a SPICE netlist.

    Names are compared without regard to case, as SPICE does.

    Args:
        path: the file.
        top: subcircuit to compare; by default the only one that no other calls.
        prefer: which to take where several are called by no other.

    Raises:
        FileError: if the file cannot be read or holds elements that are no devices of ours.
        ParameterError: if there is no subcircuit `top`, or it must be chosen.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    text = path.read_text(encoding="utf-8", errors="replace")
    if "\0" in text:
        raise FileError(f"{path}: not a readable netlist (a binary file)")
    scan = _scan(text)
    netlist, delegate = db.Netlist(), _Delegate(scan)
    try:
        netlist.read(str(path), db.NetlistSpiceReader(delegate))
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()), "no reason given")
        raise FileError(f"{path}: not a readable netlist ({reason})") from None
    if delegate.problems:
        more = f" (and {len(delegate.problems) - 1} more)" if len(delegate.problems) > 1 else ""
        raise FileError(f"{path}: {delegate.problems[0]}{more}")
    for circuit in [c for c in netlist.each_circuit() if c.name.lower() in ALIASES]:
        netlist.remove(circuit)
    for circuit in netlist.each_circuit():
        if _is_placeholder(circuit) and circuit.name.partition("(")[0] not in scan.defined:
            name = circuit.name.partition("(")[0]
            raise FileError(f"{path}: subcircuit {name} is called but not defined")
    chosen = _choose_top(netlist, top, prefer, path)
    pins = tuple(pin.name().upper() for pin in chosen.each_pin())
    if chosen.name.startswith(".") and not pins:  # no .subckt at all: every net counts by name
        pins = tuple(net.name.upper() for net in chosen.each_net())
    return Reference(netlist, chosen, pins, path)


def _is_placeholder(circuit: db.Circuit) -> bool:
    """True for what KLayout makes of a call without definition: empty, with numbered pins."""
    names = [pin.name() for pin in circuit.each_pin()]
    empty = not any(circuit.each_device()) and not any(circuit.each_subcircuit())
    return empty and bool(names) and names == [str(n + 1) for n in range(len(names))]


def _choose_top(netlist: db.Netlist, top: str | None, prefer: str, path: Path) -> db.Circuit:
    circuits = {circuit.name.upper(): circuit for circuit in netlist.each_circuit()}
    if not circuits:
        raise FileError(f"{path}: holds no subcircuit and no device")
    tops = list(netlist.top_circuits())
    if top is None:
        named = [circuit for circuit in tops if circuit.name == prefer.upper()]
        if len(named or tops) == 1:
            return (named or tops)[0]
    elif top.upper() in circuits:
        return circuits[top.upper()]
    names = ", ".join(sorted(circuit.name for circuit in tops)[:6])
    raise ParameterError("top", top, f"a subcircuit of {path.name}, such as {names}")
