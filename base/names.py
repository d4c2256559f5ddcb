"""Names of nets, pins and cells: one rule for case, used by every command."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Label of a row or column line: its letters and its number.
LINE = re.compile(r"(TR|BR|C)\[(\d+)\]")

#: Every pin of an array or macro of ours.
_PIN = re.compile(
    r"(?:TR|BR|C|TS|BS|IN_T|IN_B|WR|OUT|WSEL)\[\d+\]|VDD|VSS|W[TBC]", re.IGNORECASE | re.ASCII
)

#: What a SPICE name may hold for every reader of netlists; anything else would end or change it.
_UNSAFE = re.compile(r"[^A-Za-z0-9_\[\]<>:.$/-]")
#: Names that SPICE takes for its ground wherever they stand.
_GROUND = frozenset({"0", "GND", "GND!", "NULL"})

_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def fold(name: str) -> str:
    """Return a name as it is compared: in upper case.

    SPICE does not tell upper from lower case, so no command does. Only ASCII letters are changed:
    other alphabets have letters whose upper case is another name's.
    """
    return name.translate(_UPPER)


def label_name(text: str) -> str:
    """Return the name that a label of a layout gives: ``br[2]`` names the line BR[2].

    Names that are none of ours stay as drawn; they are compared without regard to case.
    """
    return fold(text) if _PIN.fullmatch(text) else text


def spice_name(name: str) -> str:
    """Return a name that ngspice, KLayout and netgen read as one word and as no ground."""
    safe = _UNSAFE.sub("_", name) or "_"
    return f"{safe}_" if fold(safe) in _GROUND else safe


def cell_name(name: str) -> str:
    """Return a cell's name as every reader of netlists takes it for a subcircuit's."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"


def distinct(names: Iterable[str], taken: set[str] | None = None) -> list[str]:
    """Return names that a netlist can hold, no two of them equal without regard to case.

    Args:
        names: as they are wanted.
        taken: names in upper case that are given away; grows.
    """
    taken = set() if taken is None else taken
    found = []
    for name in names:
        wanted = free = spice_name(name)
        number = 1
        while fold(free) in taken:
            number += 1
            free = f"{wanted}_{number}"
        taken.add(fold(free))
        found.append(free)
    return found
