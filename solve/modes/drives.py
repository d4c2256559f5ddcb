"""What a mode puts on the pins and gates of an array of some size: its table, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base import names
from ...base.errors import ModeError
from ...base.names import BOTTOM, TIER_NAMES, TOP
from ..network.network import NO_SUPPLY_V, Network, supply_of
from .mode import LEVELS, VOLTAGES, ArrayKind, Mode, Request
from .modes import mode_named

Floats = NDArray[np.float64]


#: below it, an input counts as none, V: what is a 1e16th of it no longer has all digits
LEAST_V = 1e-290


@dataclass(frozen=True, eq=False)
class Drives:
    """What the pins and gates of an array carry in one mode.

    Attributes:
        port_voltages: V of every driven pin.
        gates: level of every gate net, complements included.
        optional: pins among `port_voltages` that a drawing may leave out.
        outputs: the sense pin of every column, length cols.
        request: the checked request that the values come from.
    """

    port_voltages: dict[str, float]
    gates: dict[str, bool]
    optional: frozenset[str]
    outputs: tuple[str, ...]
    request: Request


class Addressing(Protocol):
    """What sets the controls of a macro in the place of pins: a scan chain or a decoder."""

    def addressed(self, drives: Drives) -> Drives:
        """Return drives whose controls are what it sets for them."""


def mode_drives(
    mode: str,
    rows: int,
    cols: int,
    inputs: ArrayLike,
    *,
    kind: ArrayKind | None = None,
    read_tier: int | str = BOTTOM,
    write_tier: int | str | None = None,
    write_column: int = 0,
    write_voltage: float = 2.0,
    write_data: ArrayLike | None = None,
    write_rail: float = 0.0,
    write_rows: int | None = None,
    write_turn: int = 0,
    vdd: float = NO_SUPPLY_V,
) -> Drives:
    """Look a mode up in the table and fill it in.

    Args:
        mode: one of `MODES`.
        rows: number of rows.
        cols: number of columns.
        inputs: read voltages in V, shape (2, rows), or (1, rows) for a planar array.
        kind: the hardware; None is the stacked hybrid array without mode switches.
        read_tier: tier that computes in deep-net mode, 0/'bottom' or 1/'top'.
        write_tier: tier that is written; None is the other one.
        write_column: column that is written in deep-net mode.
        write_voltage: V between a written row and the write rail.
        write_data: share of `write_voltage` on every row, -1..1, shape (rows,); None
            writes every row.
        write_rail: V of the written column.
        write_rows: rows that are written at a time, from row 0 on; the others stand at the voltage
            of the written column. None writes all of them.
        write_turn: which of these turns; from the end if negative, so that -1 is the last.
        vdd: supply in V. Gates are on or off: no current depends on it.

    Returns:
        Voltages of the pins and levels of the gates.

    Raises:
        ModeError: naming an unknown mode, a write column out of range, both tiers written
            at once, inputs or data of the wrong shape or range.
    """
    kind = kind or ArrayKind()
    chosen = mode_named(mode)
    data = _in_turns(rows, write_data, write_rows, write_turn)
    if chosen.reads == "none":  # the tier that is not there
        read_tier = TOP
    request = _check_request(
        chosen,
        rows,
        cols,
        inputs,
        kind,
        (read_tier, write_tier),
        write_column,
        (write_voltage, data, write_rail, vdd),
    )
    have = {"", *(TIER_NAMES[t] for t in kind.tiers), *(["select"] if kind.select else [])}
    have |= set() if kind.shared_rows else {"lines"}
    have |= {"far"} if kind.both_ends else set()
    letters = {"R": names.TIERS[request.read_tier], "W": names.TIERS[request.write_tier]}
    count = {"rows": rows, "cols": cols, "one": 1}
    volts: dict[str, float] = {}
    gates: dict[str, bool] = {}
    optional: set[str] = set()
    for rule in chosen.rules(kind):
        if not have.issuperset(rule.part.split("+")):
            continue
        for i in range(count[rule.over]):
            name = rule.pins.format(i=i, **letters)
            if rule.carries in VOLTAGES:
                volts[name] = float(VOLTAGES[rule.carries](request, i))
                optional |= {name} if rule.optional else set()
            else:
                gates[name] = bool(LEVELS[rule.carries](request, i))
                gates[names.complement(name)] = not gates[name]
    outputs = tuple(names.output(j, macro=kind.macro) for j in range(cols))
    return Drives(volts, gates, frozenset(optional), outputs, request)


def network_drives(
    network: Network,
    mode: str,
    inputs: ArrayLike,
    *,
    chain: Addressing | None = None,
    **options: Any,
) -> Drives:
    """`mode_drives` for an extracted network, with its pins checked.

    Args:
        network: the extracted array or macro.
        mode: see `mode_drives`.
        inputs: see `mode_drives`.
        chain: what sets every control; None for a pin each.
        **options: the keyword arguments of `mode_drives` except `kind`.

    Returns:
        Drives of pins that all exist in the network.

    Raises:
        ModeError: naming a pin that the mode needs and the network lacks.
    """
    options = {"vdd": supply_of(network.conditions), **options}
    drives = mode_drives(
        mode, network.rows, network.cols, inputs, kind=ArrayKind.of(network), **options
    )
    absent = [pin for pin in drives.port_voltages if pin not in network.ports]
    needed = [pin for pin in absent if pin not in drives.optional]
    if needed:
        raise ModeError(
            f"{mode} mode drives port {needed[0]!r}, which the network does not have "
            f"({len(needed)} missing)"
        )
    volts = {pin: v for pin, v in drives.port_voltages.items() if pin in network.ports}
    found = Drives(volts, drives.gates, drives.optional, drives.outputs, drives.request)
    return found if chain is None else chain.addressed(found)


def tier_index(tier: int | str) -> int:
    """Tier number of 0, 1, 'bottom' or 'top'; ModeError otherwise."""
    if tier in TIER_NAMES:
        return TIER_NAMES.index(str(tier))
    if isinstance(tier, (int, np.integer)) and int(tier) in (BOTTOM, TOP):
        return int(tier)
    raise ModeError(f"tier is {tier!r}, allowed: 0 or 'bottom', 1 or 'top'")


def _in_turns(
    rows: int, data: ArrayLike | None, at_a_time: int | None, turn: int
) -> ArrayLike | None:
    """Return the data of those rows that are written in a turn, 0 for the others.

    Raises:
        ModeError: for a number of rows, or a turn, that there cannot be.
    """
    if at_a_time is None:
        if turn not in (0, -1):
            raise ModeError(f"write_turn is {turn}, allowed: 0 where all rows are written at once")
        return data
    if not (isinstance(at_a_time, (int, np.integer)) and at_a_time >= 1):
        raise ModeError(f"write_rows is {at_a_time}, allowed: a whole number, 1 or more")
    turns = -(-rows // int(at_a_time))
    if not (isinstance(turn, (int, np.integer)) and -turns <= turn < turns):
        raise ModeError(f"write_turn is {turn}, allowed: 0 .. {turns - 1}, or -1 for the last")
    share = np.ones(rows) if data is None else np.asarray(data, dtype=np.float64)
    mine = np.arange(rows) // int(at_a_time) == turn % turns
    # data of a wrong shape are refused where all data are
    return np.where(mine, share, 0.0) if share.shape == (rows,) else share


def _check_request(
    mode: Mode,
    rows: int,
    cols: int,
    inputs: ArrayLike,
    kind: ArrayKind,
    tiers: tuple[int | str, int | str | None],
    write_column: int,
    write: tuple[float, ArrayLike | None, float, float],
) -> Request:
    voltage, data, rail, vdd = write
    if np.asarray(inputs).dtype.kind == "b":
        raise ModeError("inputs hold true and false, allowed: voltages")
    volts = np.asarray(inputs, dtype=np.float64)
    wanted = (max(kind.tiers, default=0) + 1, rows)
    if volts.shape != wanted:
        raise ModeError(f"inputs have shape {volts.shape}, {mode.name} mode needs {wanted}")
    if not np.isfinite(volts).all():
        raise ModeError("inputs hold a value that is not finite")
    # what has no digits of its own gives figures of rounding
    volts = np.where(np.abs(volts) < LEAST_V, 0.0, volts)
    if kind.shared_rows and (volts[BOTTOM] != volts[TOP]).any():
        raise ModeError(
            f"inputs differ between the tiers, but both hang on one row line, {names.ROWS[BOTTOM]}"
        )
    read = tier_index(tiers[0])
    if mode.writes:
        written = 1 - read if tiers[1] is None else tier_index(tiers[1])
        if written == read:
            raise ModeError(
                f"{mode.name} reads and writes the {TIER_NAMES[read]} tier; one tier must read "
                "while the other is written"
            )
    for need in mode.needs:
        if need.pins and not need.met(kind, cols):
            raise ModeError(f"{mode.name} needs {need.text}")
    if mode.writes and not (
        isinstance(write_column, (int, np.integer)) and 0 <= write_column < cols
    ):
        raise ModeError(f"write_column is {write_column}, allowed 0..{cols - 1}")
    share = np.ones(rows) if data is None else np.asarray(data, dtype=np.float64)
    if share.shape != (rows,):
        raise ModeError(f"write_data has shape {share.shape}, expected ({rows},)")
    if not (np.abs(share) <= 1).all():
        raise ModeError("write_data is a share of write_voltage, allowed -1..1")
    for name, value in (("write_voltage", voltage), ("write_rail", rail), ("vdd", vdd)):
        if not np.isfinite(value):
            raise ModeError(f"{name} is {value} V, allowed: finite")
    return Request(
        volts,
        read,
        int(write_column),
        rail + voltage * share,
        float(rail),
        float(vdd),
        mode.writes,
    )


def gates_for(network: Network, drives: Drives) -> Mapping[str, bool]:
    """The levels of those gate nets that the network has."""
    known = set(network.nets)  # of a large array many thousands
    return {net: level for net, level in drives.gates.items() if net in known}
