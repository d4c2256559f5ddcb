"""The parameters of an array, each declared once: default, range and what it is.

Flags of the command line and their help, keys of a configuration file, PCells, functions for
gdsfactory, defaults of the cells and the pages of the docs follow from this table. Figures of a
range that the rules of a process decide: `generators.ranges`. A help text reads this and no table
of a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..pdk.ranges import MAX_LINES

#: cells of ours that arrays are made of, and kinds of top cell: the bare array, the array with its
#: mode switches, or that on a die
CELL_NAMES, TOPS = ("hybrid", "passive", "planar", "passive_planar"), ("array", "macro", "testchip")
#: transistors of a read switch. What is read lies near VSS, where a PMOS conducts nothing
READ_SWITCHES = ("nmos", "both")
#: ends at which row lines are driven
ROW_ENDS = ("one", "both")
#: what drives a macro's controls: its pins, or a scan chain or a decoder on board
PERIPHERIES = ("none", "scan", "decoder")
#: how many vias a stack may have on every level
CUTS = (1, 2, 4)
#: into how many gates a select transistor may be folded
FINGERS = (1, 2, 3, 4)
#: films that a process monitor may be of, and sides that a device on pads may have, in units of F
ELECTRODES, DEVICE_F = ("BE", "ME", "TE"), (1, 20)
#: greatest device, select transistor, pitch, pitch that mode switches follow, and switch, in um.
#: A wider switch is longer than any die.
MAX_DEVICE_UM, MAX_SELECT_UM, MAX_PITCH_UM, MAX_LINE_PITCH_UM, MAX_SWITCH_UM = (
    50.0, 100.0, 100.0, 20.0, 1000.0,
)  # fmt: skip


@dataclass(frozen=True)
class Declared:
    """One parameter.

    Attributes:
        text: what it is, with its unit.
        default: value where none is given.
        otherwise: what stands in for a default that is None or empty.
        low: least value, or in words what decides it in a process.
        high: greatest value; None for no number.
        words: what it may be, if it is one of a few.
        more: what else bounds it.
        only: what it is for, if not for every array.
    """

    text: str
    default: Any
    otherwise: str = ""
    low: float | str | None = None
    high: float | None = None
    words: Sequence[Any] = ()
    more: str = ""
    only: str = ""

    @property
    def is_word(self) -> bool:
        """True for a parameter that is one of a few words."""
        return bool(self.words) and isinstance(self.words[0], str)

    def range_text(self, low: float | None = None, high: float | None = None) -> str:
        """Return the range for people.

        Args:
            low: least value in the process that is meant, if one is.
            high: greatest value there.
        """
        if self.words and not self.is_word:
            return ", ".join(map(str, self.words[:-1])) + f" or {self.words[-1]}"
        if self.high is None:
            return ""
        least, most = self.low if low is None else low, self.high if high is None else high
        shown = f"{least:g} to" if isinstance(least, float | int) else f"from {least} to"
        return f"{shown} {most:g}" + (f", {self.more}" if self.more else "")

    def sentence(self, low: float | None = None, high: float | None = None) -> str:
        """Return what it is, its range and its default, for a help text."""
        default = self.otherwise or self.default
        if isinstance(default, bool):
            default = "with" if default else "without"
        shown = f"{default:g}" if isinstance(default, float) else default
        range_text = self.range_text(low, high)
        text = self.text + (f": {range_text}" if range_text else "")
        usual = f" (default: {shown})" if shown else ""
        return f"{text[0].upper()}{text[1:]}{usual}" + (f"; {self.only}." if self.only else ".")


_SWITCH = "width of the mode switches' {} in um, over all fingers"
_FINGER = "a finger that holds its contacts and cuts"
_MACRO = "not for a bare array"

#: parameter -> what it is, in the order of a configuration file
ARRAY: dict[str, Declared] = {
    "rows": Declared("row pairs", 10, low=1, high=MAX_LINES),
    "cols": Declared("columns", 10, low=1, high=MAX_LINES),
    "cell": Declared(
        "the cell: 2T2R, plain stacked lines, or one tier of either; or a cell of one's own",
        "hybrid",
        words=CELL_NAMES,
    ),
    "profile": Declared("what the post-process lab resolves", "", "the first of the process"),
    "device_um": Declared(
        "side of the smallest device in um", None,
        "what the module states, or 1, or the line width if that is larger",
        "the profile's line width", MAX_DEVICE_UM,
    ),
    "me_width_um": Declared(
        "width of the middle electrode, which is the column line and one side of every device, "
        "in um",
        None, "what the pitch leaves", "the profile's line width", MAX_DEVICE_UM,
        more="with a strap no narrower than its ties", only="not on a module between two metals",
    ),
    "select_w_um": Declared(
        "width of the select transistors in um", 2.0, "", "a contact on its side", MAX_SELECT_UM,
        only="not for passive cells",
    ),
    "select_fingers": Declared(
        "gates that a select transistor is folded into, which makes a cell with a wide one lower "
        "and wider, each gate as wide as a contact needs",
        1, words=FINGERS, only="not for passive cells",
    ),
    "pitch_x_um": Declared(
        "cell pitch along x in um", None, "the minimum",
        "the minimum by the design rules", MAX_PITCH_UM,
        more=f"with switches to {MAX_LINE_PITCH_UM:g}",
    ),
    "pitch_y_um": Declared(
        "cell pitch along y in um", None, "the minimum",
        "the minimum by the design rules", MAX_PITCH_UM,
        more=f"with switches to {MAX_LINE_PITCH_UM:g}",
    ),
    "strap": Declared(
        "line in the last metal below every column, tied to it in every row, which lowers the "
        "column's resistance",
        False, only="not for passive cells",
    ),
    "cuts": Declared(
        "vias on every level of a cell's stacks",
        1, words=CUTS, only="not for passive cells",
    ),
    "row_ends": Declared(
        "ends at which the row lines are driven, a bare array's over pins, a macro's over "
        "switches: in the west, or both",
        "one", words=ROW_ENDS, only="both not for a test chip, nor with periphery",
    ),
    "top": Declared(
        "bare array, macro with mode switches, or test chip: the macro with pads, process monitors "
        "and marks on a die, as large as a slot of the shuttle holds",
        "array",
        words=TOPS,
    ),
    "switch_wn_um": Declared(
        _SWITCH.format("NMOS"), 20.0, "", _FINGER, MAX_SWITCH_UM, only=_MACRO
    ),
    "switch_wp_um": Declared(
        _SWITCH.format("PMOS"), 20.0, "", _FINGER, MAX_SWITCH_UM, only=_MACRO
    ),
    "read_switch": Declared(
        "transistors of the switches that read: what is read lies near VSS, where a PMOS conducts "
        "nothing; inputs above about 1 V ask for both",
        "nmos",
        words=READ_SWITCHES,
        only=_MACRO,
    ),
    "kelvin": Declared(
        "every row line and column led to the boundary a second time, so that read-out can sense "
        "it behind its switch",
        False, only=_MACRO,
    ),
    "periphery": Declared(
        "what drives select lines and mode switches of a macro: a pin each, or on board a scan "
        "chain, reached over six pins, or a decoder of column address and mode",
        "none",
        words=PERIPHERIES,
        only=_MACRO,
    ),
    "name": Declared("name of the top cell and of the files", None, "from the size"),
    "process": Declared(
        "foundry base: a name, or the folder of one of your own; with --help, the least sizes of "
        "that process are shown",
        "",
    ),
}  # fmt: skip


_INVERTER = "channel width of the inverter's {} in um"

#: the same of single cells: inverters, process monitors, and marks of masks
PIECES: dict[str, Declared] = {
    "inverter_wn_um": Declared(_INVERTER.format("NMOS"), 2.0, "", _FINGER, MAX_SWITCH_UM),
    "inverter_wp_um": Declared(_INVERTER.format("PMOS"), 4.0, "", _FINGER, MAX_SWITCH_UM),
    "electrode": Declared("electrode film, BE, ME or TE", "BE", words=ELECTRODES),
    "device_f": Declared(
        "side of both devices, a whole number in units of F", 2, low=DEVICE_F[0], high=DEVICE_F[1]
    ),
    "mask": Declared("layer of the module's mask", "BE"),
}  # fmt: skip


def declared(name: str) -> Declared:
    """Return what is declared of a parameter, of an array or of a single cell."""
    return ARRAY[name] if name in ARRAY else PIECES[name]


def default(name: str) -> Any:
    """Return the default of a parameter, for the field of a class."""
    return declared(name).default
