"""Does every device that is written get the voltage that it needs to switch?

The need is declared with the device, in either polarity and with its source. What is judged is the
voltage over the device itself: without wires, transistors and the limiter of a write driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.names import TIER_NAMES
from ..solve.modes.modes import POLARITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..pdk import Tech
    from ..solve.modes.written import WriteReport

    Floats = NDArray[np.float64]

#: below this voltage no current comes to a device, V
_NOTHING_V = 1e-9


@dataclass(frozen=True)
class Lowest:
    """The device that gets least in one slot of a write.

    Attributes:
        polarity: 'set' or 'reset'.
        tier: its tier.
        row, column: its place.
        volts: over it, V.
    """

    polarity: str
    tier: str
    row: int
    column: int
    volts: float


def lowest_of(volts: Floats, polarity: str, tier: int, column: int) -> Lowest | None:
    """Return the device that gets least of a written column; None if there is none.

    Args:
        volts: over the devices of the column, shape (rows,), V; nan where none is written.
        polarity: of the write.
        tier: that is written.
        column: that is written.
    """
    seen = np.abs(volts)
    if np.isnan(seen).all():
        return None
    row = int(np.nanargmin(seen))
    return Lowest(polarity, TIER_NAMES[tier], row, column, float(seen[row]))


def lowest_of_writes(writes: Mapping[str, WriteReport]) -> Iterator[Lowest]:
    """Yield the device that gets least of each polarity that was solved."""
    for polarity, write in writes.items():
        found = lowest_of(write.written_voltages, polarity, write.tier, write.column)
        if found is not None:
            yield found


@dataclass(frozen=True)
class Met:
    """The device that gets least of a polarity, beside what it needs.

    Attributes:
        lowest: the device.
        needed_v: voltage that it needs to switch, V.
        met: whether it gets it.
    """

    lowest: Lowest
    needed_v: float
    met: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self.lowest), "needed_V": self.needed_v, "met": self.met}


@dataclass(frozen=True)
class WriteVerdict:
    """Whether written devices get what they need.

    Attributes:
        judged: whether both polarities were solved, with every device of the layout.
        met: whether every device that was looked at gets enough.
        counted: which slots were looked at, for people.
        source: where the need comes from.
        assumed: whether nobody published it.
        ways: polarity -> the device that gets least.
        text: the verdict in one phrase.
    """

    judged: bool
    met: bool
    counted: str
    source: str
    assumed: bool
    ways: Mapping[str, Met]
    text: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as every JSON file has them."""
        return {
            "judged": self.judged,
            "met": self.met,
            "counted": self.counted,
            "source": self.source,
            "assumed": self.assumed,
            **{polarity: found.to_json() for polarity, found in self.ways.items()},
            "text": self.text,
        }

    @property
    def line(self) -> str:
        """The verdict with the device that gets least, for people."""
        return write_line(self.to_json())


def write_verdict(
    tech: Tech, found: Iterable[Lowest], counted: str, absent: Iterable[str] = ()
) -> WriteVerdict:
    """Return whether written devices get what they need, and the words for it.

    Args:
        tech: what its memristors need.
        found: the lowest voltages of the slots that were solved.
        counted: which slots these are, for people.
        absent: why devices that are written may not be among them.
    """
    every = [*found]
    m = tech.memristor
    ways: dict[str, Met] = {}
    for polarity in POLARITIES:
        mine = [each for each in every if each.polarity == polarity]
        if mine:
            # what cannot be compared is not enough
            worst = min(mine, key=lambda each: each.volts if np.isfinite(each.volts) else -np.inf)
            needed = m.needed_v(polarity)
            ways[polarity] = Met(worst, needed, worst.volts >= needed)
    missing = [f"no {polarity} was solved" for polarity in POLARITIES if polarity not in ways]
    missing += absent
    assumed = "assumed" in m.needed_source
    text = _words(ways, missing, assumed)
    met = bool(ways) and all(found.met for found in ways.values())
    return WriteVerdict(not missing, met, counted, m.needed_source, assumed, ways, text)


def _words(ways: Mapping[str, Met], missing: list[str], assumed: bool) -> str:
    """Say in one phrase what was found, and what was not solved."""
    if not ways:
        return f"write voltages not judged: {', '.join(missing)}"
    low = " and ".join(f"a {each}" for each in POLARITIES if each in ways and not ways[each].met)
    state = f"written devices get {f'too little in {low}' if low else 'what they need'}"
    parts = [
        f"{p} {_beside(w.lowest.volts, w.needed_v)} of {w.needed_v:g} V{_open(w.lowest)}"
        for p, w in ways.items()
    ]
    kind = "assumed" if assumed else "declared"
    return "; ".join([f"{state}: {', '.join(parts)} ({kind} need)", *missing])


def _beside(volts: float, needed: float) -> str:
    """Return a voltage in as many digits, three at least, as tell it from what is needed."""
    for digits in range(3, 18):
        text = f"{volts:.{digits}g}"
        if not np.isfinite(volts) or (float(text) >= needed) == (volts >= needed):
            break
    return text


def _open(lowest: Lowest) -> str:
    """Name a device that gets next to nothing: a wire or a transistor on its way is missing."""
    if abs(lowest.volts) > _NOTHING_V:
        return ""
    return (
        f" at {lowest.tier} tier, row {lowest.row}, column {lowest.column}, which nothing reaches"
    )


def write_line(value: Mapping[str, Any]) -> str:
    """Return a verdict, as its JSON values, with the device that gets least, for people."""
    worst = [value[polarity] for polarity in POLARITIES if polarity in value]
    places = [
        f"lowest {w['polarity']} voltage at {w['tier']} tier, row {w['row']}, column {w['column']}"
        for w in worst
    ]
    return "; ".join([value["text"], *places, f"judged: {value['counted']}"])


def write_voltages(em: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the verdict that stands in the content of an em.json; None if nothing was written."""
    found = (mode.get("write_voltages") for mode in em.get("modes", {}).values())
    return next((value for value in found if value is not None), None)
