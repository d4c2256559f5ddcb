"""Reference netlists in plain SPICE, ours or another tool's, as KLayout netlists."""

from __future__ import annotations

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


class _Delegate(db.NetlistSpiceReaderDelegate):
    """Turns M elements and calls of device subcircuits into devices of our kinds.

    Problems are collected, since an exception must not cross KLayout's reader.
    """

    def __init__(self) -> None:
        super().__init__()
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
        """Let KLayout handle .param, .include, .global and .options (called by KLayout)."""
        return bool(super().control_statement(line))

    def element(
        self,
        circuit: db.Circuit,
        element: str,
        name: str,
        model: str,
        value: float,
        nets: Sequence[db.Net],
        params: Mapping[str, float],
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
        self, device: db.Device, names: Sequence[str], params: Mapping[str, float], what: str
    ) -> None:
        for name in names:
            if name not in params:
                self.problems.append(f"{what}: {name} is missing")
                return
            value = params[name]
            if name != "AREA":
                value *= self.get_scale()
                if not 0.0 < value < _LARGEST_M:
                    text = f"{name} = {value:g} m is not a size (units such as 2u are needed)"
                    self.problems.append(f"{what}: {text}")
                    return
                value *= 1e6
            if name != "L":
                value *= params.get("M", 1.0)
            device.set_parameter(name, value)


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
    netlist, delegate = db.Netlist(), _Delegate()
    try:
        netlist.read(str(path), db.NetlistSpiceReader(delegate))
    except RuntimeError as error:
        raise FileError(f"{path}: not a readable netlist ({str(error).splitlines()[0]})") from None
    if delegate.problems:
        more = f" (and {len(delegate.problems) - 1} more)" if len(delegate.problems) > 1 else ""
        raise FileError(f"{path}: {delegate.problems[0]}{more}")
    for circuit in [c for c in netlist.each_circuit() if c.name.lower() in ALIASES]:
        netlist.remove(circuit)
    chosen = _choose_top(netlist, top, prefer, path)
    pins = tuple(pin.name().upper() for pin in chosen.each_pin())
    if chosen.name.startswith(".") and not pins:  # no .subckt at all: every net counts by name
        pins = tuple(net.name.upper() for net in chosen.each_net())
    return Reference(netlist, chosen, pins, path)


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
