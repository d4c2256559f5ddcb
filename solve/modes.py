"""The mode table: what every pin of an array or macro carries in each mode.

`MODE_TABLE` is the one place that knows the modes (docs/design.md section 4); everything else
only reads it. A rule names pins by a pattern, says over which lines it runs, and what
they carry: a voltage from the `VOLTAGES` vocabulary or a gate level from `LEVELS`. In
deep-net rules `{R}` and `{W}` stand for the reading and the written tier's letter, so
that one entry serves both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import ModeError
from .network import BOTTOM, TIER_NAMES, TOP, Network

Floats = NDArray[np.float64]

LETTERS = {BOTTOM: "B", TOP: "T"}


@dataclass(frozen=True)
class Rule:
    """One line of the mode table.

    Attributes:
        pins: pattern of the pin or net names; `{i}` runs over rows or columns, `{R}` and
            `{W}` are the letters of the reading and written tier.
        over: 'rows', 'cols' or 'one'.
        carries: key of `VOLTAGES` (a driven pin) or `LEVELS` (a gate net).
        part: which hardware must be there for the rule to apply: 'top', 'bottom',
            'select' (select transistors), 'lines' (a row line for each tier), combined with
            '+'; '' always.
        optional: True for pins that a drawing may leave out (supplies).
    """

    pins: str
    over: str
    carries: str
    part: str = ""
    optional: bool = False


@dataclass(frozen=True)
class ArrayKind:
    """What hardware the pins belong to.

    Attributes:
        tiers: tiers present, (0,) planar or (0, 1) stacked.
        select: True if every device has a select transistor (hybrid cell).
        macro: True if row and column mode switches stand between array and pins.
        shared_rows: True if both tiers of a row hang on one row line, BR.
    """

    tiers: tuple[int, ...] = (BOTTOM, TOP)
    select: bool = True
    macro: bool = False
    shared_rows: bool = False

    @classmethod
    def of(cls, network: Network) -> ArrayKind:
        """Read the kind off a network's tiers, ports and gate nets."""
        gates = network.gate_nets
        return cls(
            tiers=network.tiers,
            select=any(net.startswith(("TS[", "BS[")) for net in gates),
            macro=any(pin.startswith(("IN_T[", "IN_B[", "OUT[")) for pin in network.ports),
            shared_rows=len(network.tiers) == len(TIER_NAMES)
            and not any(pin.startswith(("IN_T[", "TR[")) for pin in network.ports),
        )


@dataclass(frozen=True, eq=False)
class Request:
    """A checked request: what the vocabulary below reads its values from.

    Attributes:
        inputs: read voltages, shape (T, rows), V.
        read_tier: the tier that computes.
        write_column: the column that is written.
        write_voltages: voltage on every row line of the written tier, shape (rows,), V.
        write_rail: voltage of the written column, V.
        vdd: supply, V.
        writes: whether anything is written.
    """

    inputs: Floats
    read_tier: int
    write_column: int
    write_voltages: Floats
    write_rail: float
    vdd: float
    writes: bool

    @property
    def write_tier(self) -> int:
        """The tier that does not read."""
        return TOP if self.read_tier == BOTTOM else BOTTOM


#: polarities of a write: in a set the rows carry the write voltage and the column is at ground,
#: in a reset the other way round
POLARITIES = ("set", "reset")


def polarity_options(polarity: str, volts: float) -> dict[str, float]:
    """Return the options of `mode_drives` that write with a polarity.

    Args:
        polarity: 'set' or 'reset'.
        volts: write voltage in V, above 0.

    Raises:
        ModeError: for an unknown polarity, or a voltage that is not above 0.
    """
    if polarity not in POLARITIES:
        raise ModeError(f"unknown polarity {polarity!r}, allowed: {', '.join(POLARITIES)}")
    if not (np.isfinite(volts) and volts > 0):
        raise ModeError(f"the write voltage is {volts:g} V, allowed: finite, above 0")
    if polarity == "set":
        return {"write_voltage": volts, "write_rail": 0.0}
    return {"write_voltage": -volts, "write_rail": volts}


# What a driven pin can carry: request, index of the line -> V.
VOLTAGES: dict[str, Callable[[Request, int], float]] = {
    "input_bottom": lambda q, i: q.inputs[BOTTOM, i],
    "input_top": lambda q, i: q.inputs[TOP, i],
    "input_read": lambda q, i: q.inputs[q.read_tier, i],
    "write_data": lambda q, i: q.write_voltages[i],
    "write_rail": lambda q, i: q.write_rail,
    "sense": lambda q, i: 0.0,
    "sense_or_rail": lambda q, i: q.write_rail if i == q.write_column else 0.0,
    "ground": lambda q, i: 0.0,
    "vdd": lambda q, i: q.vdd,
}

# What a gate net can be: request, index of the line -> high?
LEVELS: dict[str, Callable[[Request, int], bool]] = {
    "high": lambda q, i: True,
    "low": lambda q, i: False,
    "written_column": lambda q, i: i == q.write_column,
    "other_columns": lambda q, i: i != q.write_column,
}

_SUPPLIES = (
    Rule("VSS", "one", "ground", optional=True),
    Rule("VDD", "one", "vdd", optional=True),
)
_ALL_SELECTED = (
    Rule("TS[{i}]", "cols", "high", part="top+select"),
    Rule("BS[{i}]", "cols", "high", part="bottom+select"),
)
_ONE_COLUMN_WRITTEN = (
    Rule("{W}S[{i}]", "cols", "written_column", part="select"),
    Rule("{R}S[{i}]", "cols", "other_columns", part="select"),
)

# (mode, macro) -> rules. A macro's controls drive complements of the same name + '_N'.
MODE_TABLE: dict[tuple[str, bool], tuple[Rule, ...]] = {
    ("expansion", False): (
        Rule("BR[{i}]", "rows", "input_bottom", part="bottom"),
        Rule("TR[{i}]", "rows", "input_top", part="top+lines"),
        Rule("C[{i}]", "cols", "sense"),
        *_ALL_SELECTED,
        *_SUPPLIES,
    ),
    ("deep-net", False): (
        Rule("{R}R[{i}]", "rows", "input_read"),
        Rule("{W}R[{i}]", "rows", "write_data"),
        Rule("C[{i}]", "cols", "sense_or_rail"),
        *_ONE_COLUMN_WRITTEN,
        *_SUPPLIES,
    ),
    ("expansion", True): (
        Rule("IN_B[{i}]", "rows", "input_bottom", part="bottom"),
        Rule("IN_T[{i}]", "rows", "input_top", part="top+lines"),
        Rule("WR[{i}]", "rows", "write_rail"),
        Rule("OUT[{i}]", "cols", "sense"),
        Rule("WC", "one", "write_rail"),
        Rule("WB", "one", "low", part="bottom"),
        Rule("WT", "one", "low", part="top+lines"),
        Rule("WSEL[{i}]", "cols", "low"),
        *_ALL_SELECTED,
        *_SUPPLIES,
    ),
    ("deep-net", True): (
        Rule("IN_{R}[{i}]", "rows", "input_read"),
        Rule("IN_{W}[{i}]", "rows", "ground"),
        Rule("WR[{i}]", "rows", "write_data"),
        Rule("OUT[{i}]", "cols", "sense"),
        Rule("WC", "one", "write_rail"),
        Rule("W{W}", "one", "high"),
        Rule("W{R}", "one", "low"),
        Rule("WSEL[{i}]", "cols", "written_column"),
        *_ONE_COLUMN_WRITTEN,
        *_SUPPLIES,
    ),
}
MODES = tuple(dict.fromkeys(mode for mode, _ in MODE_TABLE))


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
    vdd: float = 3.3,
) -> Drives:
    """Look a mode up in the table and fill it in.

    Args:
        mode: 'expansion' or 'deep-net'.
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
        vdd: supply in V.

    Returns:
        Voltages of the pins and levels of the gates.

    Raises:
        ModeError: naming an unknown mode, a write column out of range, both tiers written
            at once, inputs or data of the wrong shape or range.
    """
    kind = kind or ArrayKind()
    if mode not in MODES:
        raise ModeError(f"unknown mode {mode!r}, allowed: {', '.join(MODES)}")
    request = _check_request(
        mode,
        rows,
        cols,
        inputs,
        kind,
        (read_tier, write_tier),
        write_column,
        (write_voltage, write_data, write_rail, vdd),
    )
    have = {"", *(TIER_NAMES[t] for t in kind.tiers), *(["select"] if kind.select else [])}
    have |= set() if kind.shared_rows else {"lines"}
    letters = {"R": LETTERS[request.read_tier], "W": LETTERS[request.write_tier]}
    count = {"rows": rows, "cols": cols, "one": 1}
    volts: dict[str, float] = {}
    gates: dict[str, bool] = {}
    optional: set[str] = set()
    for rule in MODE_TABLE[mode, kind.macro]:
        if not have.issuperset(rule.part.split("+")):
            continue
        for i in range(count[rule.over]):
            name = rule.pins.format(i=i, **letters)
            if rule.carries in VOLTAGES:
                volts[name] = float(VOLTAGES[rule.carries](request, i))
                optional |= {name} if rule.optional else set()
            else:
                gates[name] = bool(LEVELS[rule.carries](request, i))
                gates[name + "_N"] = not gates[name]
    outputs = tuple(f"{'OUT' if kind.macro else 'C'}[{j}]" for j in range(cols))
    return Drives(volts, gates, frozenset(optional), outputs, request)


def network_drives(network: Network, mode: str, inputs: ArrayLike, **options: Any) -> Drives:
    """`mode_drives` for an extracted network, with its pins checked.

    Args:
        network: the extracted array or macro.
        mode: see `mode_drives`.
        inputs: see `mode_drives`.
        **options: the keyword arguments of `mode_drives` except `kind`.

    Returns:
        Drives of pins that all exist in the network.

    Raises:
        ModeError: naming a pin that the mode needs and the network lacks.
    """
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
    return Drives(volts, drives.gates, drives.optional, drives.outputs, drives.request)


def tier_index(tier: int | str) -> int:
    """Tier number of 0, 1, 'bottom' or 'top'; ModeError otherwise."""
    if tier in TIER_NAMES:
        return TIER_NAMES.index(str(tier))
    if isinstance(tier, (int, np.integer)) and int(tier) in LETTERS:
        return int(tier)
    raise ModeError(f"tier is {tier!r}, allowed: 0 or 'bottom', 1 or 'top'")


def _check_request(
    mode: str,
    rows: int,
    cols: int,
    inputs: ArrayLike,
    kind: ArrayKind,
    tiers: tuple[int | str, int | str | None],
    write_column: int,
    write: tuple[float, ArrayLike | None, float, float],
) -> Request:
    voltage, data, rail, vdd = write
    volts = np.asarray(inputs, dtype=np.float64)
    wanted = (max(kind.tiers, default=0) + 1, rows)
    if volts.shape != wanted:
        raise ModeError(f"inputs have shape {volts.shape}, {mode} mode needs {wanted}")
    if not np.isfinite(volts).all():
        raise ModeError("inputs hold a value that is not finite")
    if kind.shared_rows and (volts[BOTTOM] != volts[TOP]).any():
        raise ModeError("inputs differ between the tiers, but both hang on one row line, BR")
    read = tier_index(tiers[0])
    if mode == "deep-net":
        written = 1 - read if tiers[1] is None else tier_index(tiers[1])
        if written == read:
            raise ModeError(
                f"deep-net reads and writes the {TIER_NAMES[read]} tier; one tier must read "
                "while the other is written"
            )
        if len(kind.tiers) < len(TIER_NAMES):
            raise ModeError(f"deep-net needs two tiers, the array has {len(kind.tiers)}")
        if kind.shared_rows:
            raise ModeError("deep-net needs a row line for each tier; here both hang on BR")
        if not (isinstance(write_column, (int, np.integer)) and 0 <= write_column < cols):
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
        mode == "deep-net",
    )


def gates_for(network: Network, drives: Drives) -> Mapping[str, bool]:
    """The levels of those gate nets that the network has."""
    known = set(network.nets)  # of a large array many thousands
    return {net: level for net, level in drives.gates.items() if net in known}
