"""Reference netlists in SPICE, from the same values that are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..cells.drawing import Cell, Device, Subcircuit
from ..pdk import Tech


@dataclass(frozen=True)
class Instance:
    """A call of a subcircuit: its name, the subcircuit and the nets in pin order."""

    name: str
    subcircuit: str
    nets: tuple[str, ...]


def spice_lines(
    title: str,
    tech: Tech,
    cells: Iterable[Subcircuit],
    top: Subcircuit,
    instances: Iterable[Instance],
) -> Iterator[str]:
    """Yield the lines of a hierarchical netlist.

    Memristors are calls of two primitive subcircuits with their area in um2; as written they
    are resistors in the on state, so that the netlist can be simulated as it stands.
    """
    yield f"* {title}"
    yield "* reference netlist by CrossStack; AREA in um2, W and L in metres"
    for model in ("memristor_bottom", "memristor_top"):
        yield f".subckt {model} e me AREA=1 R={tech.memristor.r_on_ohm:g}"
        # R=R: ngspice, netgen and KLayout's own reader all take it, {R} not all of them
        yield "R1 e me R=R"
        yield ".ends"
    for cell in cells:
        yield f".subckt {cell.name} {' '.join(cell.pins)}"
        yield from (_device(d) for d in cell.devices)
        yield ".ends"
    yield from _wrapped([".subckt", top.name, *top.pins])
    yield from (_device(d) for d in top.devices)
    for i in instances:
        yield f"X{i.name} {' '.join(i.nets)} {i.subcircuit}"
    yield ".ends"


def _device(d: Device) -> str:
    values = " ".join(
        f"{key}={value:g}u" if key in ("W", "L") else f"{key}={value:g}"
        for key, value in d.parameters
    )
    return f"{d.name} {' '.join(d.nets)} {d.model} {values}".rstrip()


def _wrapped(words: list[str], width: int = 12) -> Iterator[str]:
    yield " ".join(words[:width])
    for k in range(width, len(words), width):
        yield "+ " + " ".join(words[k : k + width])


def gate_area(cell: Cell, net: str) -> float:
    """Return the area of a cell's gates on a net, in um2."""
    devices = cell.netlist.devices if cell.netlist else ()
    gates = (dict(d.parameters) for d in devices if len(d.nets) > 3 and d.nets[1] == net)
    return sum(g["W"] * g["L"] for g in gates)
