"""The block's netlist for a chip's LVS: the reference, with the foundry's names of transistors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..base.errors import FileError
from ..base.names import fold
from ..pdk import Tech
from .abstract import Pin

_INFO = {"INPUT": "I", "OUTPUT": "O", "INOUT": "B"}
_LONGEST = 12


def cdl_lines(
    name: str, reference: Iterable[str], pins: Sequence[Pin], tech: Tech
) -> Iterator[str]:
    """Yield a netlist in CDL, which SPICE readers take, too.

    Args:
        name: of the block's subcircuit.
        reference: lines of its reference netlist.
        pins: for the directions, as `*.PININFO`.
        tech: for the transistors' names.

    Raises:
        FileError: if the reference does not define the block.
    """
    called = {d.name: d.netlist for d in tech.nets.devices if not d.is_memristor}
    head, found = False, False
    for line in reference:
        if head and not line.startswith("+"):
            yield from _pin_info(pins)
            head = False
        words = line.split()
        if len(words) > 1 and words[0].lower() == ".subckt" and fold(words[1]) == fold(name):
            head = found = True
        yield _renamed(line, called)
    if not found:
        raise FileError(f"the reference netlist has no subcircuit {name}")


def _renamed(line: str, called: dict[str, str]) -> str:
    """Return a line with a transistor's model as the foundry calls it; others stay."""
    if line[:1] not in "Mm":
        return line
    return re.sub(r"\b(\w+)\b(?= W=)", lambda m: called.get(m[1], m[1]), line, count=1)


def _pin_info(pins: Sequence[Pin]) -> Iterator[str]:
    words = [f"{pin.name}:{_INFO[pin.role.direction]}" for pin in pins]
    for k in range(0, len(words), _LONGEST):
        yield "*.PININFO " + " ".join(words[k : k + _LONGEST])
