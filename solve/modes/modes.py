"""The modes: what every pin of an array or macro carries in each of them.

`MODES` is the one place that knows the modes (docs/design.md section 4); everything else
only reads it, so that a mode more is one entry more (see `mode.Mode`).
"""

from __future__ import annotations

import math

from ...base import names
from ...base.errors import ModeError
from ...base.names import BOTTOM, TOP
from ...base.spans import WRITE_V
from .mode import (
    ONE_TIER,
    OWN_ROWS,
    SELECT,
    TWO_COLUMNS,
    TWO_TIERS,
    ArrayKind,
    Mode,
    Rule,
)

#: the two modes of the paper
EXPANSION, DEEP_NET = "expansion", "deep-net"
#: how an array of one tier is written
WRITE = "write"

#: letters of the reading and the written tier in a pattern
_R, _W = "{R}", "{W}"

#: polarities of a write: in a set the rows carry the write voltage and the column is at ground,
#: in a reset the other way round
POLARITIES = ("set", "reset")


#: V; far below what moves any device, far above what rounding leaves of a voltage
LEAST_WRITE_V = WRITE_V.low


def polarity_options(polarity: str, volts: float) -> dict[str, float]:
    """Return the options of `mode_drives` that write with a polarity.

    Args:
        polarity: 'set' or 'reset'.
        volts: write voltage in V, at least `LEAST_WRITE_V`.

    Raises:
        ModeError: for an unknown polarity, or a voltage below the least.
    """
    if polarity not in POLARITIES:
        raise ModeError(f"unknown polarity {polarity!r}, allowed: {', '.join(POLARITIES)}")
    if not (math.isfinite(volts) and volts >= LEAST_WRITE_V):
        raise ModeError(
            f"the write voltage is {volts:g} V, allowed: finite, {LEAST_WRITE_V:g} V or more"
        )
    if polarity == "set":
        return {"write_voltage": volts, "write_rail": 0.0}
    return {"write_voltage": -volts, "write_rail": volts}


def _both_ends(*rules: Rule) -> tuple[Rule, ...]:
    """Return rules of a macro's row pins, each with that of the pin at the row's other end."""
    return tuple(rule for near in rules for rule in (near, near.far()))


_SUPPLIES = (
    Rule(names.GROUND, "one", "ground", optional=True),
    Rule(names.SUPPLY, "one", "vdd", optional=True),
)
_ALL_SELECTED = (
    Rule(names.select(TOP, "{i}"), "cols", "high", part="top+select"),
    Rule(names.select(BOTTOM, "{i}"), "cols", "high", part="bottom+select"),
)
_ONE_COLUMN_WRITTEN = (
    Rule(names.select(_W, "{i}"), "cols", "written_column", part="select"),
    Rule(names.select(_R, "{i}"), "cols", "other_columns", part="select"),
)

#: name -> mode, the usual one first. A macro's controls drive complements of the same name + '_N'.
MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            EXPANSION,
            "both tiers compute",
            array=(
                Rule(names.row(BOTTOM, "{i}"), "rows", "input_bottom", part="bottom"),
                Rule(names.row(TOP, "{i}"), "rows", "input_top", part="top+lines"),
                Rule(names.column("{i}"), "cols", "sense"),
                *_ALL_SELECTED,
                *_SUPPLIES,
            ),
            macro=(
                *_both_ends(
                    Rule(names.row_input(BOTTOM, "{i}"), "rows", "input_bottom", part="bottom"),
                    Rule(names.row_input(TOP, "{i}"), "rows", "input_top", part="top+lines"),
                    Rule(names.write_row("{i}"), "rows", "write_rail"),
                ),
                Rule(names.output("{i}"), "cols", "sense"),
                Rule(names.WRITE_RAIL, "one", "write_rail"),
                Rule(names.write_tier(BOTTOM), "one", "low", part="bottom"),
                Rule(names.write_tier(TOP), "one", "low", part="top+lines"),
                Rule(names.write_select("{i}"), "cols", "low"),
                *_ALL_SELECTED,
                *_SUPPLIES,
            ),
            settles=True,
        ),
        Mode(
            DEEP_NET,
            "one is read, a column of the other written",
            array=(
                Rule(names.row(_R, "{i}"), "rows", "input_read"),
                Rule(names.row(_W, "{i}"), "rows", "write_data"),
                Rule(names.column("{i}"), "cols", "sense_or_rail"),
                *_ONE_COLUMN_WRITTEN,
                *_SUPPLIES,
            ),
            macro=(
                *_both_ends(
                    Rule(names.row_input(_R, "{i}"), "rows", "input_read"),
                    Rule(names.row_input(_W, "{i}"), "rows", "ground"),
                    Rule(names.write_row("{i}"), "rows", "write_data"),
                ),
                Rule(names.output("{i}"), "cols", "sense"),
                Rule(names.WRITE_RAIL, "one", "write_rail"),
                Rule(names.write_tier(_W), "one", "high"),
                Rule(names.write_tier(_R), "one", "low"),
                Rule(names.write_select("{i}"), "cols", "written_column"),
                *_ONE_COLUMN_WRITTEN,
                *_SUPPLIES,
            ),
            reads="one",
            writes=True,
            needs=(TWO_TIERS, OWN_ROWS, SELECT, TWO_COLUMNS),
            options=(
                *("read_tier", "write_tier", "write_column", "write_voltage"),
                *("write_data", "write_rail", "polarity", "write_rows", "write_turn"),
            ),
        ),
    )
}


#: A column of a planar array is written through its select transistors; those of all others are
#: off. Nothing is read meanwhile: it has no IR drop of its own, and is not among `MODES`.
PLANAR_WRITE = Mode(
    WRITE,
    "a column of the only tier is written",
    array=(
        Rule(names.row(BOTTOM, "{i}"), "rows", "write_data"),
        Rule(names.column("{i}"), "cols", "sense_or_rail"),
        Rule(names.select(BOTTOM, "{i}"), "cols", "written_column", part="select"),
        *_SUPPLIES,
    ),
    macro=(
        *_both_ends(
            Rule(names.row_input(BOTTOM, "{i}"), "rows", "ground"),
            Rule(names.write_row("{i}"), "rows", "write_data"),
        ),
        Rule(names.output("{i}"), "cols", "sense"),
        Rule(names.WRITE_RAIL, "one", "write_rail"),
        Rule(names.write_tier(BOTTOM), "one", "high"),
        Rule(names.write_select("{i}"), "cols", "written_column"),
        Rule(names.select(BOTTOM, "{i}"), "cols", "written_column", part="select"),
        *_SUPPLIES,
    ),
    reads="none",
    writes=True,
    needs=(ONE_TIER, SELECT),
    options=(
        *("read_tier", "write_column", "write_voltage", "write_data", "write_rail", "polarity"),
        *("write_rows", "write_turn"),
    ),
)


def writing_mode(kind: ArrayKind) -> Mode:
    """Return the mode in which a kind of array is written, whether or not it can be."""
    return PLANAR_WRITE if len(kind.tiers) == 1 else MODES[DEEP_NET]


def read_tiers(kind: ArrayKind) -> tuple[int, ...]:
    """Return the tiers that read while the other is written: of a single one, the absent one."""
    return (TOP,) if len(kind.tiers) == 1 else (BOTTOM, TOP)


def mode_named(name: str) -> Mode:
    """Return a mode.

    Raises:
        ModeError: naming those that there are.
    """
    if name == WRITE:
        return PLANAR_WRITE
    if name not in MODES:
        raise ModeError(f"unknown mode {name!r}, allowed: {', '.join(MODES)}")
    return MODES[name]


def belongs(option: str) -> str:
    """Return which modes take an option, for a refusal."""
    return " or ".join(f"--mode {mode.name}" for mode in MODES.values() if option in mode.options)
