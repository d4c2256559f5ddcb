"""SPEF (IEEE 1481): wires and capacitances of every net, for tools that read parasitics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.names import TIER_NAMES
from ...base.outputs import write_text
from ...pdk import Conditions
from ...solve.network.network import Network
from ..field.lumps import lumps, nodes_of_nets
from .wires import SHORT_OHM

if TYPE_CHECKING:
    from ..field.netcap import NetCapacitance

FF = 1e15
_NO_NODES = np.array([], dtype=np.int64)
#: what an identifier may hold as it is: letters, digits, and the one index of a bus' bit at its end
_PLAIN = re.compile(r"[A-Za-z0-9_]|(?<=[^\[\]])\[[A-Za-z0-9_]+\]$")
_SPECIAL = frozenset("!#$%&`()*+,-./:;<=>?@[\\]^'{|}~\"")


def write_spef(
    network: Network,
    path: str | Path,
    *,
    capacitance: Mapping[str, NetCapacitance] | None = None,
    design: str = "crossstack",
    date: str = "1970-01-01T00:00:00",
) -> Path:
    """Write a network as SPEF with ohm and fF.

    Nets without resistors, such as those that `extract` was told to leave ideal, have pins and
    capacitances only. Several labels on one place are pins of the same net, joined by 1 uohm: some
    readers refuse resistors of 0 ohm.

    Names are escaped as the standard asks; what it has no escape for, such as a space, becomes
    an underscore. Instance pins are `XB_i_j` and `XT_i_j` (memristors; pins ROW and ME) and `Mk`
    (transistors; pins S and D).

    Args:
        network: extracted network.
        path: target file.
        capacitance: by net, from `net_capacitance`; None for resistors only.
        design: name of the design.
        date: written into the header; a fixed one, so that equal networks give equal files.

    Raises:
        FileError: if the file cannot be written.
    """
    path = Path(path)
    writer = _Writer(network, capacitance or {})
    head = header(design, date, network.conditions)
    lines = [*head, *writer.name_map(), *writer.ports(), *writer.nets()]
    write_text(path, "\n".join(lines) + "\n")
    return path


def header(design: str, date: str, conditions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the head of a SPEF file, with its units and at which conditions it was extracted."""
    yield '*SPEF "IEEE 1481-1998"'
    yield f'*DESIGN "{design}"'
    yield f'*DATE "{date}"'
    yield '*VENDOR "CrossStack"'
    yield '*PROGRAM "crossstack"'
    yield '*VERSION "1"'
    yield '*DESIGN_FLOW "PIN_CAP NONE" "NAME_SCOPE LOCAL"'
    yield "*DIVIDER /"
    yield "*DELIMITER :"
    yield "*BUS_DELIMITER [ ]"
    yield "*T_UNIT 1 PS"
    yield "*C_UNIT 1 FF"
    yield "*R_UNIT 1 OHM"
    yield "*L_UNIT 1 HENRY"
    if conditions:
        yield f"// conditions: {Conditions.from_json(conditions).text}"
    yield ""


def escaped(name: str) -> str:
    """Return a name as an identifier: special characters behind a backslash."""
    parts = []
    at = 0
    while at < len(name):
        plain = _PLAIN.match(name, at)
        text = plain[0] if plain else name[at]
        parts.append(text if plain else f"\\{text}" if text in _SPECIAL else "_")
        at += len(text)
    # digits alone would be a number
    return ("_" if name.isdecimal() else "") + "".join(parts)


class _Writer:
    def __init__(self, network: Network, capacitance: Mapping[str, NetCapacitance]) -> None:
        self.network = network
        self.nodes = nodes_of_nets(network)
        # nets without a node, such as ideal select lines, are named all the same
        self.nodes |= {name: _NO_NODES for name in network.nets if name not in self.nodes}
        self.index = {
            name: k + 1 for k, name in enumerate(dict.fromkeys((*self.nodes, *network.ports)))
        }
        self.instances: dict[str, int] = {}
        self.pins: dict[int, list[str]] = {}
        self._collect_pins()
        self.ports_at: dict[int, list[str]] = {}
        for pin, node in network.ports.items():
            self.ports_at.setdefault(node, []).append(f"*{self.index[pin]}")
        self.label = self._labels()
        self.caps = list(lumps(network, capacitance))
        self.owner = {int(node): name for name, members in self.nodes.items() for node in members}

    def _instance(self, name: str) -> int:
        return self.instances.setdefault(name, len(self.index) + len(self.instances) + 1)

    def _collect_pins(self) -> None:
        n = self.network
        for k in range(len(n.memristor_row)):
            tier = TIER_NAMES[n.memristor_tier[k]][0].upper()
            at = self._instance(f"X{tier}_{n.memristor_row[k]}_{n.memristor_col[k]}")
            self.pins.setdefault(int(n.memristor_a[k]), []).append(f"*{at}:ROW")
            self.pins.setdefault(int(n.memristor_b[k]), []).append(f"*{at}:ME")
        for k in range(len(n.switch_a)):
            at = self._instance(f"M{k}")
            self.pins.setdefault(int(n.switch_a[k]), []).append(f"*{at}:S")
            self.pins.setdefault(int(n.switch_b[k]), []).append(f"*{at}:D")

    def _labels(self) -> dict[int, str]:
        """Return the SPEF name of each node: its port, its first device pin, or net:number."""
        label: dict[int, str] = {}
        for name, members in self.nodes.items():
            for k, node in enumerate(members.tolist()):
                pins = self.pins.get(node)
                label[node] = pins[0] if pins else f"*{self.index[name]}:{k + 1}"
        return label | {node: pins[0] for node, pins in self.ports_at.items()}

    def name_map(self) -> Iterator[str]:
        yield "*NAME_MAP"
        taken: set[str] = set()
        for name, k in (*self.index.items(), *self.instances.items()):
            text = escaped(name)
            yield f"*{k} {f'{text}_{k}' if text in taken else text}"
            taken.add(text)
        yield ""

    def ports(self) -> Iterator[str]:
        if self.network.ports:
            yield "*PORTS"
            yield from (f"*{self.index[pin]} B" for pin in self.network.ports)
            yield ""

    def nets(self) -> Iterator[str]:
        n = self.network
        order = np.argsort(n.resistor_net, kind="stable")
        limits = np.searchsorted(n.resistor_net[order], np.arange(len(n.nets) + 1))
        number = {net: k for k, net in enumerate(n.nets)}
        caps: dict[str, list[str]] = {name: [] for name in self.nodes}
        total = dict.fromkeys(self.nodes, 0.0)
        for a, b, farad in self.caps:
            value = f"{farad * FF:.6g}"
            total[self.owner[a]] += farad
            if b is None:
                caps[self.owner[a]].append(f"{self.label[a]} {value}")
                continue
            # each of both nets lists the coupling from its own side
            total[self.owner[b]] += farad
            caps[self.owner[a]].append(f"{self.label[a]} {self.label[b]} {value}")
            caps[self.owner[b]].append(f"{self.label[b]} {self.label[a]} {value}")
        for name in self.nodes:
            k = number[name]
            resistors = order[limits[k] : limits[k + 1]]
            yield from self._net(name, resistors.tolist(), caps[name], total[name])

    def _net(self, name: str, resistors: list[int], caps: list[str], total: float) -> Iterator[str]:
        n = self.network
        yield f"*D_NET *{self.index[name]} {total * FF:.6g}"
        connections, shorts = [], []
        for node in self.nodes[name].tolist():
            pins = self.pins.get(node, [])
            ports = self.ports_at.get(node, [])
            connections += [*(f"*P {pin} B" for pin in ports), *(f"*I {pin} B" for pin in pins)]
            label = self.label[node]
            shorts += [f"{label} {pin} {SHORT_OHM:g}" for pin in (*ports, *pins) if pin != label]
        if connections:
            yield "*CONN"
            yield from connections
        if caps:
            yield "*CAP"
            yield from (f"{k + 1} {text}" for k, text in enumerate(caps))
        rows = [
            f"{self.label[int(n.resistor_a[k])]} {self.label[int(n.resistor_b[k])]} "
            f"{max(n.resistor_ohm[k], SHORT_OHM):.9g}"
            for k in resistors
        ]
        if rows or shorts:
            yield "*RES"
            yield from (f"{k + 1} {text}" for k, text in enumerate([*rows, *shorts]))
        yield "*END"
        yield ""
