"""Cells of a decoder on board: what turns an address and a mode into the levels of a macro's lines.

Columns stand in groups; high address bits tell the group, low ones the column within it. A line
along y is high in the addressed group; a row of bits has lines along x that tell what its lines are
in the addressed group and elsewhere. Nothing here has a state but the latches of address and mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..pdk import Tech
from ..pdk.ranges import whole
from .columns import (
    Column,
    N,
    P,
    diode_columns,
    gate_columns,
    inverter_columns,
    series_columns,
    slow_columns,
)
from .drawing import Cell
from .limits import one_of, switch
from .logic import LogicCell, NoTrackError
from .scan import ALLOWED_FINGERS, TRACKS, latch_columns

#: most inputs of one NAND: transistors in series
MOST_INPUTS = 4
#: address bits of the largest macro
MOST_BITS = 10
#: antenna diodes that an input may have side by side
ALLOWED_DIODES = range(9)
#: transistors in series in a delay
SLOW = 8
#: lines along x of a row of select bits, and of one of write bits, and the sides of their tracks
SELECT_LINES, WRITE_LINES = {"X": N, "Z": P}, {"W": N}


def high_lines(bits: int) -> dict[str, int]:
    """Return the lines along x of a row of group cells, true and complement, and their sides."""
    return {f"H{k}{end}": side for k in range(bits) for end, side in (("", N), ("_N", P))}


def _drawn(
    tech: Tech, name: str, columns: Sequence[Column], pins: Sequence[str],
    through: dict[str, int] | None = None, tracks: int | None = None, width: int | None = None,
) -> Cell:  # fmt: skip
    """Draw a cell with as few tracks as hold its nets, or with those that are given."""
    for count in range(TRACKS, 4 * TRACKS) if tracks is None else (tracks,):
        try:
            return LogicCell(
                tech, name, columns, pins, through=through, tracks=count, width=width
            ).draw()
        except NoTrackError:
            continue
    raise NoTrackError(f"{name}: no {4 * TRACKS - 1 if tracks is None else tracks} tracks hold it")


def _fingers(fingers: int) -> int:
    return one_of("fingers", fingers, ALLOWED_FINGERS)


def _bits(bits: int) -> int:
    return one_of("bits", bits, range(MOST_BITS + 1))


def _diodes(diodes: int) -> int:
    return one_of("diodes", diodes, ALLOWED_DIODES)


def select_bit(tech: Tech, *, fingers: int = 2, tracks: int | None = None,
               width: int | None = None) -> Cell:  # fmt: skip
    """Draw what drives a select line: Y is X while G is high, else Z.

    Args:
        tech: the process.
        fingers: gates of the buffer.
        tracks: on either side; None for the fewest.
        width: in dbu; None for the least.
    """
    columns = [
        *inverter_columns("G", "gn", supply_first=False),
        *inverter_columns("gn", "gi"),
        *gate_columns("X", "m", "gi", "gn"),
        *gate_columns("m", "Z", "gn", "gi"),
        *inverter_columns("m", "yn", supply_first=False),
        *inverter_columns("yn", "Y", _fingers(fingers)),
    ]
    return _drawn(tech, "decoder_select_bit", columns, ("G", "X", "Z", "Y"), SELECT_LINES,
                  tracks, width)  # fmt: skip


def write_bit(tech: Tech, *, fingers: int = 2, tracks: int | None = None,
              width: int | None = None) -> Cell:  # fmt: skip
    """Draw what drives a mode switch: Y is high while G and W are.

    Args:
        tech: the process.
        fingers: gates of the buffer.
        tracks: on either side; None for the fewest.
        width: in dbu; None for the least.
    """
    columns = [*series_columns(("G", "W"), "yn"), *inverter_columns("yn", "Y", _fingers(fingers))]
    return _drawn(tech, "decoder_write_bit", columns, ("G", "W", "Y"), WRITE_LINES, tracks, width)


def low_pins(bits: int) -> tuple[str, ...]:
    """Return the pins of a driver that are high in rows of the addressed column."""
    return tuple(f"L{k}" for k in range(bits))


def select_driver(tech: Tech, *, bits: int = 1, fingers: int = 2, tracks: int | None = None,
                  width: int | None = None) -> Cell:  # fmt: skip
    """Draw what drives the lines of a row of select bits: Z is U; X is S while all L are high.

    Args:
        tech: the process.
        bits: number of L.
        fingers: gates of each buffer.
        tracks: on either side; None for the fewest.
        width: in dbu; None for the least.
    """
    low, inner = low_pins(_bits(bits)), "S"
    columns: list[Column] = []
    if low:
        inner = "sel"
        columns = [
            *series_columns(low, "on"),
            *inverter_columns("on", "oi"),
            *gate_columns("S", "sel", "oi", "on"),
            *gate_columns("sel", "U", "on", "oi"),
        ]
    columns += [
        *inverter_columns(inner, "xn", supply_first=False),
        *inverter_columns("xn", "X", _fingers(fingers)),
        *inverter_columns("U", "zn", supply_first=False),
        *inverter_columns("zn", "Z", _fingers(fingers)),
    ]
    return _drawn(tech, "decoder_select_driver", columns, ("S", "U", *low, "X", "Z"), SELECT_LINES,
                  tracks, width)  # fmt: skip


def write_driver(tech: Tech, *, bits: int = 1, fingers: int = 2, tracks: int | None = None,
                 width: int | None = None) -> Cell:  # fmt: skip
    """Draw what drives the line of a row of write bits: W is high while S and all L are.

    Args:
        tech: the process.
        bits: number of L.
        fingers: gates of the buffer.
        tracks: on either side; None for the fewest.
        width: in dbu; None for the least.
    """
    inputs = ("S", *low_pins(_bits(bits)))
    columns = [*_all_of(inputs, "W", _fingers(fingers))]
    return _drawn(tech, "decoder_write_driver", columns, (*inputs, "W"), WRITE_LINES, tracks, width)


def _all_of(inputs: Sequence[str], y: str, fingers: int) -> list[Column]:
    """Return y = all of the inputs, buffered."""
    if len(inputs) <= MOST_INPUTS:
        return [*series_columns(inputs, "all"), *inverter_columns("all", y, fingers)]
    count = -(-len(inputs) // MOST_INPUTS)
    parts = [inputs[k::count] for k in range(count)]
    ends = [f"part{k}" for k in range(count)]
    gates = [c for part, end in zip(parts, ends, strict=True) for c in series_columns(part, end)]
    return [
        *gates,
        *series_columns(ends, "any", nand=False),
        *inverter_columns("any", "all"),
        *inverter_columns("all", y, fingers),
    ]


def group_cell(tech: Tech, code: Sequence[bool], *, fingers: int = 2, tracks: int | None = None,
               width: int | None = None) -> Cell:  # fmt: skip
    """Draw what tells a group: G is high while the high address bits are those of a code.

    Args:
        tech: the process.
        code: of the group, the lowest bit first.
        fingers: gates of the buffer.
        tracks: on either side; None for the fewest.
        width: in dbu; None for the least.
    """
    lines = high_lines(len(code))
    inputs = [f"H{k}" if bit else f"H{k}_N" for k, bit in enumerate(code)]
    name = "decoder_group_" + "".join("01"[bit] for bit in reversed(code))
    columns = _all_of(inputs, "G", _fingers(fingers))
    return _drawn(tech, name, columns, (*lines, "G"), lines, tracks, width)


def group(tech: Tech, *, bits: int = 2, number: int = 1, fingers: int = 2) -> Cell:
    """Draw what tells a group: G is high while the high address bits are those of its number.

    Args:
        tech: the process.
        bits: number of high address bits, one or more.
        number: of the group.
        fingers: gates of the buffer.
    """
    count = one_of("bits", bits, range(1, MOST_BITS + 1))
    own = whole(number, "number", 0, (1 << count) - 1)
    cell = group_cell(tech, [bool(own >> k & 1) for k in range(count)], fingers=fingers)
    assert cell.netlist is not None
    name = "decoder_group"
    return replace(cell, name=name, netlist=replace(cell.netlist, name=name))


def row_pass(tech: Tech, kind: str, lines: dict[str, int], tracks: int, width: int) -> Cell:
    """Draw what leads the lines of a row past a place without a cell."""
    return _drawn(tech, f"decoder_{kind}_pass", (), tuple(lines), lines, tracks, width)


def address_latch(tech: Tech, *, fingers: int = 2, diodes: int = 0,
                  width: int | None = None) -> Cell:  # fmt: skip
    """Draw a latch with both outputs: Q follows D while OPEN is high, QN is its complement.

    Args:
        tech: the process.
        fingers: gates of each buffer.
        diodes: antenna diodes on D.
        width: in dbu; None for the least.
    """
    n = _fingers(fingers)
    columns = [
        *diode_columns("D", _diodes(diodes)),
        *inverter_columns("D", "dn", supply_first=False),  # a pin of a macro ends on gates
        *latch_columns("dn", "heldn", "held", "OPEN"),
        *inverter_columns("heldn", "Q", n),
        *inverter_columns("held", "QN", n),
    ]
    return _drawn(tech, "decoder_latch", columns, ("D", "OPEN", "Q", "QN"), width=width)


def delay(tech: Tech, *, diodes: int = 0, width: int | None = None) -> Cell:
    """Draw a delay: Y follows A after two slow inverters.

    Args:
        tech: the process.
        diodes: antenna diodes on A.
        width: in dbu; None for the least.
    """
    columns = [
        *diode_columns("A", _diodes(diodes)),
        *slow_columns("A", "b", SLOW),
        *slow_columns("b", "Y", SLOW),
    ]
    return _drawn(tech, "decoder_delay", columns, ("A", "Y"), width=width)


def enables(tech: Tech, *, selects: bool = True, fingers: int = 2,
            width: int | None = None) -> Cell:  # fmt: skip
    """Draw what opens the latches while nothing is on, and tells what is on.

    ST and SB, or ON where there are no select lines, are high while E0 and E1 are, and the latched
    mode bit: after the delay of a rising enable, and off at once when it falls. OPEN is high while
    neither E0 nor E1 is.

    Args:
        tech: the process.
        selects: with ST and SB for select lines; else with ON.
        fingers: gates of each buffer.
        width: in dbu; None for the least.
    """
    n = _fingers(fingers)
    gates: dict[str, tuple[str, ...]] = {"ON": ("E0", "E1")}
    if switch("selects", selects):
        gates = {"ST": ("E0", "E1", "M1"), "SB": ("E0", "E1", "M0")}
    columns = [c for y, inputs in gates.items() for c in _named(inputs, y, n)]
    columns += [
        *series_columns(("E0", "E1"), "op", nand=False),
        *inverter_columns("op", "opn"),
        *inverter_columns("opn", "OPEN", n),
    ]
    inputs = dict.fromkeys(a for ends in gates.values() for a in ends)
    name = "decoder_enables" if selects else "decoder_enable"
    return _drawn(tech, name, columns, (*inputs, *gates, "OPEN"), width=width)


def modes(tech: Tech, *, gated: bool = False, fingers: int = 2, width: int | None = None) -> Cell:
    """Draw what turns the mode switches on: WB, WT or neither, and WR with either.

    Args:
        tech: the process.
        gated: only while ON is high, as macros without select lines ask for.
        fingers: gates of each buffer.
        width: in dbu; None for the least.
    """
    n = _fingers(fingers)
    on = ("ON",) if switch("gated", gated) else ()
    columns = [
        *_named((*on, "M0", "M1_N"), "WT", n),
        *_named((*on, "M1", "M0_N"), "WB", n),
        *series_columns(("WT_all", "WB_all"), "either"),
        *inverter_columns("either", "neither"),
        *inverter_columns("neither", "WR", n),
    ]
    pins = (*on, "M0", "M0_N", "M1", "M1_N", "WT", "WB", "WR")
    name = "decoder_modes_gated" if gated else "decoder_modes"
    return _drawn(tech, name, columns, pins, width=width)


def _named(inputs: Sequence[str], y: str, fingers: int) -> list[Column]:
    """Return y = all of a few inputs, whose complement is called after y."""
    return [*series_columns(inputs, f"{y}_all"), *inverter_columns(f"{y}_all", y, fingers)]
