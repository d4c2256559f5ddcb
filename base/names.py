"""Names of nets, pins and cells: one rule for case, used by every command."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .decimals import whole_decimal

#: letter of each tier in the names of its lines; the bottom tier first
TIERS = ("B", "T")
#: number and name of each tier
BOTTOM, TOP = 0, 1
TIER_NAMES = ("bottom", "top")

#: What a numbered name begins with, by tier where it depends on it. Rows are the row lines, WR the
#: write drivers of a macro's rows, and WSEL leads a column to the write rail WC.
ROWS, SELECTS, INPUTS = (("BR", "TR"), ("BS", "TS"), ("IN_B", "IN_T"))
COLUMN, OUTPUT, WRITE_ROW, WRITE_SELECT = "C", "OUT", "WR", "WSEL"
#: what the kinds of a macro's row pins end in where rows are driven from their other end, too
FAR_END = "_E"
FAR_INPUTS = tuple(kind + FAR_END for kind in INPUTS)
FAR_WRITE_ROW = WRITE_ROW + FAR_END
#: read inputs and write drivers at either end
ALL_INPUTS, WRITE_ROWS = (*INPUTS, *FAR_INPUTS), (WRITE_ROW, FAR_WRITE_ROW)
#: the electrodes of single devices, as extraction names their nets
ELECTRODES = ("BE", "TE")
#: Pins without a number: supplies, write rail, and which tier a macro's rows are written in.
SUPPLY, GROUND, WRITE_RAIL, WRITE_TIERS = "VDD", "VSS", "WC", ("WB", "WT")

_LINES = "|".join((*ROWS, COLUMN))
_NUMBERED = "|".join((_LINES, *SELECTS, *ALL_INPUTS, *WRITE_ROWS, OUTPUT, WRITE_SELECT))
_SINGLE = "|".join((SUPPLY, GROUND, WRITE_RAIL, *WRITE_TIERS))

#: The memristor of the library and the Verilog-A module among a macro's views.
MEMRISTOR_MODEL = "crossstack_memristor"

#: What names of cells of supply clamps begin with.
CLAMP = "supply_clamp"

#: Label of a row or column line: its letters and its number.
LINE = re.compile(rf"({_LINES})\[(\d+)\]", re.ASCII)

#: Pins of a scan chain on board: data in, clock, latch enable, select enable, reset, data out.
SCAN_PINS = ("SIN", "CLK", "LE", "EN", "RSTN", "SOUT")
#: Those that every chain has: without a select line there is nothing to enable.
SCAN_NEEDED = tuple(pin for pin in SCAN_PINS if pin != "EN")
#: What turns select lines of logic on board on, and pins of a decoder: bits of its column address
#: and its two mode bits. Those that every decoder has come first.
ENABLE, ADDRESS, MODE = "EN", "A", "M"
DECODER_PINS = (ENABLE, f"{MODE}[0]", f"{MODE}[1]")

#: Label of what turns transistors of an array or macro on and off.
CONTROL = re.compile(
    rf"(?:{'|'.join((*SELECTS, WRITE_SELECT))})\[\d+\]|{'|'.join(WRITE_TIERS)}", re.ASCII
)

#: Every pin of an array or macro of ours.
_PIN = re.compile(rf"(?:{_NUMBERED})\[\d+\]|{_SINGLE}", re.IGNORECASE | re.ASCII)


def numbered(kind: str, number: int | str) -> str:
    """Return a name of a kind, such as ``C[3]``; the number may be a placeholder."""
    return f"{kind}[{number}]"


def _letter(tier: int | str) -> str:
    """Return the letter of a tier; a text stands for one that is not known yet."""
    return tier if isinstance(tier, str) else TIERS[tier]


def row(tier: int | str, number: int | str) -> str:
    """Return the name of a row line of a tier."""
    return numbered(f"{_letter(tier)}R", number)


def column(number: int | str) -> str:
    """Return the name of a column line."""
    return numbered(COLUMN, number)


def select(tier: int | str, number: int | str) -> str:
    """Return the name of a column's select line in a tier."""
    return numbered(f"{_letter(tier)}S", number)


def row_input(tier: int | str, number: int | str) -> str:
    """Return the name of a macro's read input of a row in a tier."""
    return numbered(f"IN_{_letter(tier)}", number)


def write_row(number: int | str) -> str:
    """Return the name of a macro's write driver of a row."""
    return numbered(WRITE_ROW, number)


def far_end(name: str) -> str:
    """Return the pin at a row's other end: ``IN_T_E[3]`` of ``IN_T[3]``."""
    kind, bracket, rest = name.partition("[")
    return f"{kind}{FAR_END}{bracket}{rest}"


def write_tier(tier: int | str) -> str:
    """Return the name of the control that writes a macro's rows in a tier."""
    return f"W{_letter(tier)}"


def write_select(number: int | str) -> str:
    """Return the name of the control that leads a macro's column to the write rail."""
    return numbered(WRITE_SELECT, number)


def address(number: int | str) -> str:
    """Return the name of a bit of a decoder's column address."""
    return numbered(ADDRESS, number)


def address_bits(cols: int) -> int:
    """Return how many bits address a number of columns."""
    return (cols - 1).bit_length()


def mode_bit(number: int | str) -> str:
    """Return the name of a decoder's mode bit, which is that of a tier."""
    return numbered(MODE, number)


def output(number: int | str, *, macro: bool = True) -> str:
    """Return the name of the pin where a column is read: of a macro, or the line of an array."""
    return numbered(OUTPUT if macro else COLUMN, number)


def complement(name: str) -> str:
    """Return the name of the net that an inverter of a macro makes of a control."""
    return f"{name}_N"


def shown(name: str) -> str:
    """Return a name for a message: in quotes if one would not see all of it."""
    return name if name.isprintable() and name.split() == [name] else repr(name)


def kind_of(name: str) -> str:
    """Return what a numbered name begins with: ``TR`` of ``TR[4]`` and ``TR[i]``; else ''."""
    kind, bracket, _ = name.partition("[")
    return kind if bracket else ""


def number_of(name: str) -> int:
    """Return the first number of a numbered name: 4 of ``TR[4]``.

    Raises:
        ValueError: if there is none.
    """
    return whole_decimal(name.partition("[")[2].partition("]")[0])


def is_line(name: str) -> bool:
    """True for the net of a row or column line."""
    return kind_of(name) in (*ROWS, COLUMN)


def is_row(name: str) -> bool:
    """True for the net of a row line."""
    return kind_of(name) in ROWS


def is_column(name: str) -> bool:
    """True for the net of a column line."""
    return kind_of(name) == COLUMN


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
