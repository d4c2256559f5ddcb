"""A user's own model of the memristor: a subcircuit that devices of a netlist call."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import ConfigError, FileError
from ...base.inputs import read_text
from ...base.names import fold

#: what a call says of its device, if the subcircuit has a parameter of that name
PARAMETERS = ("tier", "row", "column", "area", "conductance")
_MOST_BYTES = 10_000_000
_PORTS = 2
_ASSIGNED = re.compile(r"^(\w+)\s*=")


@dataclass(frozen=True)
class MemristorModel:
    """A subcircuit in a library file.

    Attributes:
        path: the file, as the netlist names it.
        name: of the subcircuit, as the file writes it.
        parameters: those of `PARAMETERS` that it declares; others are left at their defaults.
    """

    path: str
    name: str
    parameters: tuple[str, ...]

    @property
    def remark(self) -> str | None:
        """What of the devices is lost in a call, in words; None if their state is told."""
        if "conductance" in self.parameters:
            return None
        return (
            f"{self.name} declares no parameter conductance: whatever the layout's devices are set "
            "to, each is what the library makes of it"
        )

    @property
    def include(self) -> str:
        """The line that includes the file."""
        return f'.include "{self.path}"'

    def call(self, name: str, nodes: tuple[str, str], values: dict[str, float]) -> str:
        """Return the card of a device.

        Args:
            name: of the device.
            nodes: row side, column side.
            values: of `PARAMETERS`.
        """
        told = " ".join(f"{key}={values[key]:.9g}" for key in self.parameters)
        return f"X{name} {nodes[0]} {nodes[1]} {self.name} {told}".rstrip()


def read_model(path: Path, subckt: str | None, folder: Path) -> MemristorModel:
    """Find a subcircuit of two nodes in a library file.

    Args:
        path: the file.
        subckt: its name; None if the file has one only.
        folder: where the netlist will lie; ngspice looks from there.

    Raises:
        FileError: if the file cannot be read, or a netlist could not name it.
        ConfigError: if it has no such subcircuit, or one with other than two nodes.
    """
    if re.search(r'["\n\r]', str(path)):
        raise FileError(f"{path}: a netlist cannot include a file of such a name")
    found: dict[str, tuple[str, list[str]]] = {}
    for line in _cards(read_text(path, _MOST_BYTES)):
        words = line.split()
        if words[0].lower() == ".subckt" and len(words) > 1:
            if fold(words[1]) in found:
                raise FileError(f"{path} defines subcircuit {words[1]} twice")
            found[fold(words[1])] = (words[1], words[2:])
    if not found:
        raise FileError(f"{path} defines no subcircuit")
    known = ", ".join(name for name, _ in found.values())
    if subckt is None and len(found) != 1:
        raise ConfigError(f"{path} has subcircuits {known}: choose one with --subckt")
    wanted = fold(subckt) if subckt is not None else next(iter(found))
    if wanted not in found:
        raise ConfigError(f"--subckt {subckt}: {path} has subcircuits {known}")
    name, rest = found[wanted]
    nodes, parameters = _split(rest)
    if len(nodes) != _PORTS:
        raise FileError(
            f"subcircuit {name} of {path} has {len(nodes)} nodes ({' '.join(nodes)}), allowed: 2, "
            "the row side and the column side of a memristor"
        )
    seen = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    return MemristorModel(seen, name, tuple(p for p in PARAMETERS if p in parameters))


def _cards(text: str) -> Iterator[str]:
    """Yield the cards of a file with their continuations, without comments."""
    card = ""
    for raw in text.splitlines():
        line = re.split(r"\$ |;", raw.strip(), maxsplit=1)[0].strip()
        if not line or line.startswith("*"):
            continue
        if line.startswith("+"):
            card += " " + line[1:]
            continue
        if card.strip():
            yield card
        card = line
    if card.strip():
        yield card


def _split(words: list[str]) -> tuple[list[str], set[str]]:
    """Return nodes and names of parameters of what stands behind a subcircuit's name."""
    text = re.sub(r"\s*=\s*", "=", " ".join(words))
    text = re.sub(r"\{[^}]*\}|'[^']*'", "0", text)  # values may hold spaces
    nodes: list[str] = []
    parameters: set[str] = set()
    for word in text.split():
        if word.lower() == "params:":
            continue
        if match := _ASSIGNED.match(word):
            parameters.add(match[1].lower())
        else:
            nodes.append(word)
    return nodes, parameters
