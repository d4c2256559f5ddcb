"""Cells of a scan chain: one bit is a flip-flop, a latch behind it and a buffer for its line.

A bit shifts on the rising edge of CLK. Its latch follows the flip-flop while LE is high and holds
while it is low, so that lines stand still during a shift. What a select line gets is gated by EN:
all selects are off while EN is low. RSTN low clears the flip-flop at once.
"""

from __future__ import annotations

from ..pdk import Tech
from .columns import Column, N, P, gate_columns, inverter_columns, nand_columns
from .drawing import Cell
from .limits import one_of, switch
from .logic import LogicCell
from .rules import RuleBook

#: tracks on either side of every logic cell
TRACKS = 6
#: gates that an inverter may have side by side
ALLOWED_FINGERS = range(1, 17)
#: lines that run through all bits of a row, and the side of their tracks; EN comes last, where it
#: may be missing
SHARED = {"CLK": N, "LE": N, "RSTN": P, "EN": P}


def flip_flop_columns(d: str, q: str, clk: str = "CLK", rstn: str = "RSTN") -> list[Column]:
    """Return a flip-flop: q becomes d on the rising edge of the clock, 0 while rstn is low."""
    return [
        *inverter_columns(clk, "ckn", supply_first=False),
        *inverter_columns("ckn", "ck"),
        *gate_columns(d, "m1", "ckn", "ck"),
        *gate_columns("m1", "m3", "ck", "ckn"),
        *inverter_columns("m2", "m3", supply_first=False),
        *nand_columns("m1", rstn, "m2", "mx"),
        *gate_columns("m2", "s1", "ck", "ckn"),
        *gate_columns("s1", "s2", "ckn", "ck"),
        *nand_columns(rstn, q, "s2", "sx", supply_first=False),
        *inverter_columns("s1", q),
    ]


def latch_columns(d: str, q: str, qn: str, le: str = "LE") -> list[Column]:
    """Return a latch: q follows d while le is high."""
    return [
        *inverter_columns(le, "len", supply_first=False),
        *inverter_columns("len", "lei"),
        *gate_columns(d, "l1", "lei", "len"),
        *gate_columns("l1", q, "len", "lei"),
        *inverter_columns(qn, q, supply_first=False),
        *inverter_columns("l1", qn),
    ]


def _cell(tech: Tech, name: str, columns: list[Column], pins: tuple[str, ...]) -> Cell:
    return LogicCell(tech, name, columns, pins, tracks=TRACKS).draw()


def logic_inverter(tech: Tech, *, fingers: int = 1) -> Cell:
    """Draw an inverter of logic cells, in the height of their rows.

    Args:
        tech: the process.
        fingers: gates side by side, each as wide as the row allows.
    """
    n = one_of("fingers", fingers, ALLOWED_FINGERS)
    return _cell(tech, "logic_inverter", inverter_columns("A", "Y", n), ("A", "Y"))


def logic_nand2(tech: Tech) -> Cell:
    """Draw Y = not (A and B).

    Args:
        tech: the process.
    """
    return _cell(tech, "logic_nand2", nand_columns("A", "B", "Y", "x"), ("A", "B", "Y"))


def transmission_gate(tech: Tech) -> Cell:
    """Draw a transmission gate that joins A and B while G is high.

    Args:
        tech: the process.
    """
    columns = [*inverter_columns("G", "gn"), *gate_columns("A", "B", "G", "gn")]
    return _cell(tech, "transmission_gate", columns, ("A", "B", "G"))


def flip_flop(tech: Tech) -> Cell:
    """Draw a flip-flop with reset: Q becomes D on the rising edge of CLK, 0 while RSTN is low.

    Args:
        tech: the process.
    """
    return _cell(tech, "flip_flop", flip_flop_columns("D", "Q"), ("D", "CLK", "RSTN", "Q"))


def latch(tech: Tech) -> Cell:
    """Draw a latch: Q follows D while LE is high and holds while it is low.

    Args:
        tech: the process.
    """
    columns = [*latch_columns("D", "held", "heldn"), *inverter_columns("heldn", "Q")]
    return _cell(tech, "latch", columns, ("D", "LE", "Q"))


def bit_columns(gated: bool, fingers: int) -> list[Column]:
    """Return a bit of a chain: D to Q by CLK, Y from Q by LE, and by EN if gated."""
    bit = [*flip_flop_columns("D", "Q"), *latch_columns("Q", "held", "heldn")]
    if not gated:
        return bit + inverter_columns("heldn", "Y", fingers)
    return [*bit, *nand_columns("held", "EN", "yn", "yx"), *inverter_columns("yn", "Y", fingers)]


def scan_bit(tech: Tech, *, gated: bool = True, fingers: int = 2) -> Cell:
    """Draw a bit of a scan chain: D to Q by CLK, Y from Q by LE, and by EN if gated.

    Args:
        tech: the process.
        gated: Y is low while EN is, as a select line asks for; else Y stays as latched.
        fingers: gates of the buffer that drives Y.
    """
    return draw_bit(tech, gated=gated, fingers=fingers)


def scan_driver(tech: Tech, *, gated: bool = True, fingers: int = 2) -> Cell:
    """Draw what drives the lines that the bits of a row share.

    While RSTN is low, latches follow and no select line is on, whatever LE and EN are.

    Args:
        tech: the process.
        gated: with EN.
        fingers: gates of each buffer.
    """
    return draw_driver(tech, gated=gated, fingers=fingers)


def draw_bit(tech: Tech, *, gated: bool = True, fingers: int = 2, width: int | None = None,
             chain_x: tuple[int, int] | None = None, tracks: int = TRACKS) -> Cell:  # fmt: skip
    """Draw a bit as it stands in a row of a macro.

    Args:
        tech: the process.
        gated: with EN.
        fingers: gates of the buffer that drives Y.
        width: of the cell in dbu; None for the least.
        chain_x: x of a line that leads Q back down, and of those that lead D and Q to the bits
            below and above, in dbu; None for none.
        tracks: on either side.
    """
    columns = bit_columns(switch("gated", gated), one_of("fingers", fingers, ALLOWED_FINGERS))
    r = RuleBook(tech)
    half = r.pad // 2
    draft = LogicCell(tech, "", columns, (), tracks=tracks, width=width)
    west, east = (draft.inset + half,) * 2 if chain_x is None else chain_x
    reach = {
        "Y": (draft.inset, draft.width - draft.inset),
        "D": (east - half, east + half),
        "Q": (west - half, east + half),
    }
    shared = shared_by(gated)
    return LogicCell(
        tech,
        "scan_bit" if gated else "scan_bit_held",
        columns,
        ("D", "Q", "Y", *shared),
        through=shared,
        sides={"D": N, "Q": P, "Y": N},
        tracks=tracks,
        width=width,
        reach=reach,
    ).draw()


def shared_by(gated: bool) -> dict[str, int]:
    """Return the lines that bits of a row share, and the side of their tracks."""
    return {net: side for net, side in SHARED.items() if gated or net != "EN"}


def draw_driver(tech: Tech, *, gated: bool = True, fingers: int = 2, tracks: int = TRACKS) -> Cell:
    """Draw the drivers of a row of a macro.

    Args:
        tech: the process.
        gated: with EN.
        fingers: gates of each buffer.
        tracks: on either side.
    """
    switch("gated", gated)
    one_of("fingers", fingers, ALLOWED_FINGERS)
    columns = [
        *inverter_columns("CLKI", "clkn", supply_first=False),
        *inverter_columns("clkn", "CLK", fingers),
        *inverter_columns("LEI", "len", supply_first=False),
        *nand_columns("len", "RSTNI", "lea", "lex"),
        *inverter_columns("lea", "leb", supply_first=False),
        *inverter_columns("leb", "LE", fingers),
        *inverter_columns("RSTNI", "rst", supply_first=False),
        *inverter_columns("rst", "RSTN", fingers),
    ]
    if gated:
        columns += [*nand_columns("RSTNI", "ENI", "enn", "enx"),
                    *inverter_columns("enn", "EN", fingers)]  # fmt: skip
    shared = shared_by(gated)
    return LogicCell(
        tech,
        "scan_driver" if gated else "scan_driver_held",
        columns,
        (*(f"{net}I" for net in shared), *shared),
        through=shared,
        tracks=tracks,
        trunks=[f"{net}I" for net in shared],
        reach={},
    ).draw()


def draw_pass(
    tech: Tech, *, gated: bool, width: int, tracks: int, beside_driver: bool = False
) -> Cell:
    """Draw what leads the lines of a row past a place without a bit.

    Args:
        tech: the process.
        gated: with EN.
        width: of the cell in dbu.
        tracks: on either side.
        beside_driver: it stands between bits and driver, where no group is.
    """
    name, shared = "scan_pass" if gated else "scan_pass_held", shared_by(gated)
    name += "_east" * beside_driver
    return LogicCell(
        tech, name, (), tuple(shared), through=shared, tracks=tracks, width=width
    ).draw()
