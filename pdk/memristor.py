"""A memristor's electrical figures: what a module states, and what a user may state instead.

`PARAMETERS` is the one declaration of each: unit, range and meaning. The section `device` of a
configuration file, a module's table `[memristor]` and the documents read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

from ..base.errors import ParameterError
from .ranges import MAX_LINES, number, whole

#: V; what drives an array ends at the process's supply, too: see `refuse_beyond`
_LEAST_V, _MOST_V = 1e-3, 100.0
#: what drives an array
DRIVEN = ("v_read_v", "v_set_v", "v_reset_v")
LAWS = ("linear", "sinh", "cubic", "table")
POLARITIES = ("set", "reset")
#: points of a table, and how far its first resistance may be from R_on
_MOST_POINTS, _NEAR_R_ON = 1000, 0.05
_LONGEST_TEXT = 300
NO_SOURCE = "assumed: the configuration names no source"


@dataclass(frozen=True)
class Parameter:
    """One figure of a memristor.

    Attributes:
        unit: empty for a number without one, or a text.
        low, high: range of a number; None for anything else.
        text: what it is.
        law: law that it belongs to; empty for every one.
        whole: True for a whole number.
        of: all that it changes, `WRITES` or `SPREAD`, or `WORDS` for what no figure depends on;
            empty for more.
    """

    unit: str
    low: float | None
    high: float | None
    text: str
    law: str = ""
    whole: bool = False
    of: str = ""


#: what a figure may be of alone
WRITES, SPREAD, WORDS = "writes", "spread", "words"

PARAMETERS: dict[str, Parameter] = {
    "r_on_ohm": Parameter("ohm", 1.0, 1e12, "resistance at small voltage in the on state"),
    "r_off_ohm": Parameter(
        "ohm", 1.0, 1e15, "resistance at small voltage in the off state, at least that of the on"
    ),
    "v_read_v": Parameter("V", _LEAST_V, _MOST_V, "read voltage"),
    "v_set_v": Parameter(
        "V",
        _LEAST_V,
        _MOST_V,
        "write voltage of a set: written rows above their column",
        of=WRITES,
    ),
    "v_reset_v": Parameter(
        "V",
        _LEAST_V,
        _MOST_V,
        "write voltage of a reset: the column above the written rows",
        of=WRITES,
    ),
    "set_needed_v": Parameter(
        "V", _LEAST_V, _MOST_V, "least voltage over a device itself that sets it", of=WRITES
    ),
    "reset_needed_v": Parameter(
        "V", _LEAST_V, _MOST_V, "least voltage over a device itself that resets it", of=WRITES
    ),
    "needed_source": Parameter("", None, None, "where these two come from", of=WORDS),
    "law": Parameter(
        "",
        None,
        None,
        "current of a device that is written: `linear`, I = G V; `sinh`, I = G sinh(b V) / b; "
        "`cubic`, I = G (V + c V^3); `table`, straight between measured points",
        of=WRITES,
    ),
    "sinh_b_per_v": Parameter("1/V", 1e-3, 50.0, "b of the law sinh", "sinh", of=WRITES),
    "cubic_c_per_v2": Parameter("1/V^2", 0.0, 1e3, "c of the law cubic", "cubic", of=WRITES),
    "table": Parameter(
        "V, A",
        None,
        None,
        "points [V, A] of the law table, of a device in its on state, voltages rising from above "
        "0 V to the largest write voltage or beyond, the first within 5 % of r_on_ohm; with "
        "negative ones, those of a reset, else both ways are alike",
        "table",
        of=WRITES,
    ),
    "area_um2": Parameter("um^2", 1e-6, 1e6, "area of the device that R_on and R_off are of"),
    "area_exponent": Parameter(
        "", 0.0, 1.0, "p of G ~ area^p: 0 for a filament, 1 where all of the area conducts"
    ),
    "compliance_a": Parameter(
        "A",
        1e-9,
        1.0,
        "largest current of the write driver of a row, and so of the one device that it writes; "
        "left out, there is no limit",
        of=WRITES,
    ),
    "write_rows": Parameter(
        "",
        1,
        MAX_LINES,
        "rows that are written at a time, in turns within the slot of their column, while the "
        "others stand at its voltage; left out, all at once",
        whole=True,
        of=WRITES,
    ),
    "sigma_ln_g": Parameter(
        "", 0.0, 10.0, "standard deviation of ln G, of `solve --monte-carlo`", of=SPREAD
    ),
    "stuck_on": Parameter("", 0.0, 1.0, "share stuck on, of `solve --monte-carlo`", of=SPREAD),
    "stuck_off": Parameter("", 0.0, 1.0, "share stuck off, of `solve --monte-carlo`", of=SPREAD),
    "source": Parameter("", None, None, "where the figures come from", of=WORDS),
}
#: in volt and ampere
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class MemristorParameters:
    """Electrical figures of one memristor; `PARAMETERS` says what each is.

    Attributes:
        r_on_ohm, r_off_ohm: resistance at small voltage in the two end states, ohm.
        v_read_v: read voltage, V.
        v_set_v, v_reset_v: write voltage in either polarity, V.
        set_needed_v, reset_needed_v: voltage over the device that switches it, V.
        needed_source: where these two come from.
        law: current of a device that is written: one of `LAWS`.
        source: where the figures come from.
        sinh_b_per_v: b of I = G sinh(b V) / b, so that G is the small-signal conductance, 1/V.
        cubic_c_per_v2: c of I = G (V + c V^3), 1/V^2.
        table: points of a device in its on state, V and A; empty without.
        area_um2: of the device that R_on and R_off are of, um^2.
        area_exponent: p of G ~ area^p.
        compliance_a: largest current of a row's write driver, A; None for no limit.
        write_rows: rows that are written at a time; None for all.
        sigma_ln_g: standard deviation of ln G.
        stuck_on, stuck_off: share of stuck devices.
    """

    r_on_ohm: float
    r_off_ohm: float
    v_read_v: float
    v_set_v: float
    v_reset_v: float
    set_needed_v: float
    reset_needed_v: float
    needed_source: str
    law: str
    source: str
    sinh_b_per_v: float = 3.0
    cubic_c_per_v2: float = 2.1
    table: Points = ()
    area_um2: float = 1.0
    area_exponent: float = 0.0
    compliance_a: float | None = None
    write_rows: int | None = None
    sigma_ln_g: float = 0.1
    stuck_on: float = 0.0
    stuck_off: float = 0.0

    def __post_init__(self) -> None:
        if self.r_off_ohm < self.r_on_ohm:
            raise ParameterError(
                "r_off_ohm", self.r_off_ohm, f"r_on_ohm, {self.r_on_ohm:g}, or more"
            )
        if self.stuck_on + self.stuck_off > 1:
            raise ParameterError(
                "stuck_off", self.stuck_off, f"at most what stuck_on leaves, {1 - self.stuck_on:g}"
            )
        if self.law == "table" and not self.table:
            raise ParameterError("law", self.law, "table with two or more points in `table`")
        if self.table and self.law != "table":
            points = f"{len(self.table)} points"
            raise ParameterError("table", points, f"none with `law: {self.law}`")
        if self.table:
            self._check_table()

    def _check_table(self) -> None:
        """Refuse a table that does not fit R_on, or does not reach the write voltages."""
        (low, _), (high, _) = self.table[0], self.table[-1]
        both = low < 0
        for polarity, end in (("set", high), ("reset", -low if both else high)):
            if end < self.write_v(polarity):
                raise ParameterError(
                    "table", f"up to {end:g} V", f"points up to v_{polarity}_v, "
                    f"{self.write_v(polarity):g} V: nobody knows the current beyond",
                )  # fmt: skip
        for volt, amp in self._beside_zero():
            if abs(volt / amp / self.r_on_ohm - 1) > _NEAR_R_ON:
                raise ParameterError(
                    "table", f"{volt / amp:g} ohm at {volt:g} V",
                    f"r_on_ohm, {self.r_on_ohm:g}, within {_NEAR_R_ON:.0%} at the first point",
                )  # fmt: skip

    def _beside_zero(self) -> list[tuple[float, float]]:
        positive = min((p for p in self.table if p[0] > 0), default=None)
        negative = max((p for p in self.table if p[0] < 0), default=None)
        return [p for p in (positive, negative) if p is not None]

    def write_v(self, polarity: str) -> float:
        """Return the write voltage of a polarity, V."""
        return {"set": self.v_set_v, "reset": self.v_reset_v}[polarity]

    def needed_v(self, polarity: str) -> float:
        """Return the voltage over a device that switches it in a polarity, V."""
        return {"set": self.set_needed_v, "reset": self.reset_needed_v}[polarity]

    def turns(self, rows: int) -> int:
        """Return in how many turns the rows of a column are written."""
        return -(-rows // (self.write_rows or rows))

    def scale(self, area_um2: Any) -> Any:
        """Return what conductances of a device of an area are multiplied with (array or number)."""
        return (area_um2 / self.area_um2) ** self.area_exponent

    def changed(self, values: Mapping[str, Any]) -> MemristorParameters:
        """Return the figures with some of a user's, as `device_values` returned them.

        Raises:
            ParameterError: for figures that contradict each other, or have no effect.
        """
        if not values:
            return self
        values = dict(values)
        needs = {"set_needed_v", "reset_needed_v"} & values.keys()
        if "needed_source" in values and not needs:
            raise ParameterError(
                "needed_source", values["needed_source"], "beside set_needed_v or reset_needed_v"
            )
        if needs:
            values.setdefault("needed_source", NO_SOURCE)
        if len(needs) == 1:
            (key,) = needs
            values["needed_source"] = f"{key}: {values['needed_source']}; else {self.needed_source}"
        values.setdefault("source", f"figures of your own; the others as in {self.source}")
        self._check_r_on(values)
        law = values.get("law", self.law)
        for key in values:
            if (owner := PARAMETERS[key].law) not in ("", law):
                raise ParameterError(key, values[key], f"`law: {owner}`; the law is {law}")
        if "area_um2" in values and not values.get("area_exponent", self.area_exponent):
            raise ParameterError(
                "area_um2", values["area_um2"], "an area_exponent above 0 beside it"
            )
        if law != "table":
            values["table"] = ()
        return replace(self, **values)

    def _check_r_on(self, values: Mapping[str, Any]) -> None:
        """Refuse an R_on above the R_off that is kept, by the name that the user wrote."""
        r_on = values.get("r_on_ohm", 0.0)
        if "r_off_ohm" not in values and r_on > self.r_off_ohm:
            raise ParameterError(
                "r_on_ohm", r_on, f"it is above r_off_ohm, {self.r_off_ohm:g}; set that, too"
            )


def device_values(values: Any) -> dict[str, Any]:
    """Return figures of a memristor as a user or a table states them, each checked on its own.

    Raises:
        ParameterError: for an unknown key, or a value outside its range.
    """
    if not isinstance(values, Mapping):
        raise ParameterError("device", values, "a section with keys " + ", ".join(PARAMETERS))
    found = {}
    for key, value in values.items():
        if key not in PARAMETERS:
            raise ParameterError.unknown(key, value, PARAMETERS, "key")
        found[str(key)] = _checked(str(key), value)
    return {key: found[key] for key in PARAMETERS if key in found}


def refuse_beyond(supply_v: float, values: Mapping[str, Any], where: str) -> None:
    """Refuse voltages that drive an array above the supply, V: its transistors pass on no more.

    Args:
        supply_v: of the process, V.
        values: figures of a memristor.
        where: they stand, for the message; their key follows.

    Raises:
        ParameterError: for the first of them.
    """
    for key in DRIVEN:
        if (volts := values.get(key, 0.0)) > supply_v:
            allowed = f"up to the supply, {supply_v:g} V"
            raise ParameterError(f"{where}{key}", volts, allowed)


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored figures with others on top; another law does not keep those of the stored."""
    law = given.get("law")
    kept = {
        key: value
        for key, value in stored.items()
        if law is None or PARAMETERS[key].law in ("", law)
    }
    return {**kept, **given}


def _checked(key: str, value: Any) -> Any:
    known = PARAMETERS[key]
    if known.low is not None and known.high is not None:
        if known.whole:
            return whole(value, key, int(known.low), int(known.high))
        return number(value, key, known.low, known.high, known.unit)
    if key == "table":
        return _points(value)
    if key == "law":
        if not isinstance(value, str) or value not in LAWS:
            raise ParameterError(key, value, "one of " + ", ".join(LAWS))
        return value
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise ParameterError(key, value, f"a text of 1 to {_LONGEST_TEXT} characters")
    return value


def _points(value: Any) -> Points:
    """Return the points of a table: voltage and current rise together, and pass zero together."""
    allowed = f"2 .. {_MOST_POINTS} points [V, A]"
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= _MOST_POINTS:
        raise ParameterError("table", value, allowed)
    found = []
    for point in value:
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise ParameterError("table", point, allowed)
        volt = number(point[0], "table", -10.0, 10.0, "V")
        amp = number(point[1], "table", -1.0, 1.0, "A")
        if volt == 0 and amp == 0:
            continue  # every device passes there
        if not volt * amp > 0:
            raise ParameterError("table", list(point), "V and A of one sign")
        found.append((volt, amp))
    for (v, i), (volt, amp) in pairwise(found):
        if not (volt > v and amp > i):
            raise ParameterError(
                "table", [volt, amp], f"V and A above those of the point before, [{v:g}, {i:g}]"
            )
    if not found or found[-1][0] < 0:
        raise ParameterError("table", value, "points at positive voltages")
    return tuple(found)


def names() -> tuple[str, ...]:
    """Return the keys of a section `device`, in their order."""
    known = {f.name for f in fields(MemristorParameters)}
    assert known == set(PARAMETERS)
    return tuple(PARAMETERS)
