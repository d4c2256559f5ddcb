"""How a block is read and programmed: its diagrams, and what is to be done step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base import names
from ..base.units import counted, quantity
from .datasheet import NOT_JUDGED
from .drawings import block_diagram, timing_diagram
from .onboard import kind_of_logic, settings, waves, write_waves

if TYPE_CHECKING:
    from .ports import PortGroup

#: what the pins of `kelvin` are for
_SENSE = (
    "{pins} sense their lines behind the switches: measure voltages there, and draw no current."
)


def _settle(sheet: Mapping[str, Any]) -> float | None:
    """Return how long a read takes at the nominal conditions, if that is known."""
    return sheet["corners"][0]["settle_s"] if sheet["corners"] else None


def _times(sheet: Mapping[str, Any]) -> dict[str, str]:
    """Return what logic on board takes at the nominal conditions, in words, if known."""
    logic = sheet["corners"][0]["logic"] if sheet["corners"] else None
    return {key: quantity(value, "s") for key, value in (logic or {}).items()}


def drawings(groups: Sequence[PortGroup], sheet: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> SVG of the diagrams of a datasheet."""
    words = (
        f"{counted(sheet['tiers'], 'tier')} of {counted(sheet['rows'], 'row')} x "
        f"{counted(sheet['cols'], 'column')}",
        f"{sheet['size_um'][0]:g} um x {sheet['size_um'][1]:g} um",
    )
    found = {"block": block_diagram(sheet["name"], groups, words)}
    settle = _settle(sheet)
    wait = quantity(settle, "s") if settle is not None else "settling"
    inputs = [g.name for g in groups if g.name in names.ALL_INPUTS]
    controls = [g.name for g in groups if g.pins[0].role.digital]
    selects = [name for name in controls if name in names.SELECTS]
    writes = [name for name in controls if name not in names.SELECTS]
    # inputs step when control lines stand: a read settles from there
    before = "0" if selects else ""
    read = [(name, "0" + "1" * 4) for name in selects]
    read += [(name, f"{before}0000") for name in writes]
    have, begun = [g.name for g in groups], 1.0 + len(before)
    marks = {**({1.0: "select"} if selects else {}), begun: "inputs step", begun + 1.0: wait}
    step = "x" * len(before) + "x==="
    if kind_of_logic(have):
        read, marks = waves(have, _times(sheet), wait)
        step = "xxx==" if len(read[0][1]) > len(step) else step
    read += [(name, step) for name in inputs] + [(names.OUTPUT, f"x{step[:-1]}")]
    found["read"] = timing_diagram(
        "Read: both tiers" if sheet["tiers"] > 1 else "Read", read, marks
    )
    if sheet["not_written"] is None:
        of_tier = " of one tier" if sheet["tiers"] > 1 else ""
        found["write"] = timing_diagram(f"Write of column k{of_tier}", _write_waves(have, sheet), {
            1: "others off", 2: "column k on", 3: "pulse", 4: "pulse ends", 5: "column k off",
        })  # fmt: skip
    return found


def _write_waves(have: Sequence[str], sheet: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the order in which the controls of a write change: break before make."""
    two, more = sheet["tiers"] > 1, sheet["cols"] > 1
    own, row, column = ", written tier" if two else "", names.WRITE_ROW, names.WRITE_SELECT
    write = names.write_tier("x" if two else names.BOTTOM)
    found = [(f"select k{own}", "101110")]
    if more:
        found.append((f"select j{own}", "100000"))
    if two:
        found.append(("select k, other tier", "100000"))
    found += [(f"{column} k", "001110"), (write, "001110"), (row, "xx0=00")]
    if two and more:
        found.append((f"{names.OUTPUT} j", "=x===="))
    return [*write_waves(have), *found]


def steps(groups: Sequence[PortGroup], sheet: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return how to read and to program a block, step by step."""
    have = [g.name for g in groups]
    selects, inputs, drivers, sensed = (
        _listed([name for name in kinds if name in have])
        for kinds in (
            names.SELECTS, names.ALL_INPUTS, names.WRITE_ROWS, (*names.ROWS, names.COLUMN)
        )
    )  # fmt: skip
    tiers = " or ".join(name for name in names.WRITE_TIERS if name in have)
    logic = kind_of_logic(have)
    device, settle = sheet["device"], _settle(sheet)
    wait = f"after {quantity(settle, 's')}" if settle is not None else "when they have settled"
    controls = sheet["corners"][0]["control_s"] if sheet["corners"] else None
    low = ", ".join(n for n in (*names.WRITE_TIERS, names.WRITE_SELECT) if n in have)
    set_read = [
        f"Set {low} low: rows are led to {inputs}, columns to {names.OUTPUT}.",
        *([f"Set every {selects} high."] if selects else []),
    ]
    set_write = _set_write(sheet, selects, drivers, tiers)
    after = (
        "Return all of them to 0 V, then set the select line low, then "
        f"{names.WRITE_SELECT} and {tiers}. Read back, and repeat as needed."
    )
    if logic:
        times = _times(sheet)
        set_read, set_write, after = settings(
            have, times, sheet["cols"], sheet["tiers"], selects=sheet["select_lines"]
        )
        what, key, pin = ("select lines are on", "on_s", names.ENABLE)
        if not sheet["select_lines"]:
            what, key, pin = ("mode switches stand", "on_s", names.ENABLE)
        if names.ENABLE not in have:
            key, pin = "follow_s", "LE"
        after_pin = f" ({times[key]} after {pin})" if times else ""
        wait += f", counted from when {what}{after_pin} and inputs stand"
    elif settle is not None:
        wait += ", counted from when inputs and control lines stand"
        if controls:
            wait += f" (these take up to {quantity(controls[1], 's')} from their pins)"
    read = [
        *set_read,
        f"Apply up to {device['v_read_V']:g} V to {inputs}; hold every {names.OUTPUT} at 0 V.",
        *([_SENSE.format(pins=sensed)] if sensed else []),
        f"Take the currents out of {names.OUTPUT} {wait}. {sheet['logic_delay'] or ''}".rstrip(),
    ]
    write = [
        *set_write,
        f"Set: put {device['v_set_V']:g} V on {drivers} of the rows to set, for a pulse. "
        f"Reset: put {device['v_reset_V']:g} V on {names.WRITE_RAIL} and on {drivers} of "
        f"the rows that stay; hold {drivers} of the rows to reset at 0 V."
        f"{_write_limits(device, sheet['rows'])} {_write_judged(sheet)}",
        after,
    ]
    return {"read": read, "write": write}


def _listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _set_write(sheet: Mapping[str, Any], selects: str, drivers: str, tiers: str) -> list[str]:
    """Return how controls that are pins of their own are set for a write."""
    off = f"Set every {selects} low, and {drivers} and {names.WRITE_RAIL} to 0 V."
    if sheet["tiers"] == 1:
        write, select = f"and {tiers}.", f"Set {selects} of column k high."
    else:
        write = f"and {tiers}: the tier that is written."
        own = ", ".join(map("{} with {}".format, names.SELECTS, names.WRITE_TIERS))
        select = (
            f"Set that tier's select line of column k high ({own}); the other tier's stays low."
        )
        if sheet["cols"] > 1:
            select += (
                " The other tier's lines of the other columns may be high, too: these columns are "
                "read meanwhile."
            )
    return [off, f"Set {names.WRITE_SELECT} of column k high, {write}", select]


def _write_limits(device: Mapping[str, Any], rows: int) -> str:
    """Return how many rows are written at a time and what a driver may give, in words."""
    at_a_time, amps = device["write_rows"], device["compliance_A"]
    found = ""
    if at_a_time is not None and at_a_time < rows:
        found += (
            f" Write at most {at_a_time} row{'s' if at_a_time > 1 else ''} at a time: repeat this "
            f"step for the others, which stay unwritten meanwhile ({-(-rows // at_a_time)} turns)."
        )
    if amps is not None:
        found += f" Limit the current of each written row to {quantity(amps, 'A')}."
    return found


def _write_judged(sheet: Mapping[str, Any]) -> str:
    """Return whether the voltages of a write are known to switch what is written."""
    if sheet["write"] is None:
        return f"Whether these voltages switch the devices is {NOT_JUDGED}."
    return f"Judged: {sheet['write']['text']}."
