"""What a mode is: what it reads, writes and needs, and what every pin carries in it.

A rule names pins by a pattern, says over which lines it runs, and what they carry: a voltage
from the `VOLTAGES` vocabulary or a gate level from `LEVELS`. `{R}` and `{W}` stand for the
letters of the reading and the written tier, so that one entry serves both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...base import names
from ...base.errors import ModeError
from ...base.names import BOTTOM, TIER_NAMES, TOP

if TYPE_CHECKING:  # numpy and networks take longer to load than a help text does
    import numpy as np
    from numpy.typing import NDArray

    from ..network.network import Network

    Floats = NDArray[np.float64]


def is_macro(pins: Iterable[str]) -> bool:
    """True if pins are those of mode switches between array and outside."""
    kinds = {names.kind_of(pin) for pin in pins}
    return not kinds.isdisjoint((*names.INPUTS, names.OUTPUT))


@dataclass(frozen=True)
class Rule:
    """One line of the mode table.

    Attributes:
        pins: pattern of the pin or net names; `{i}` runs over rows or columns, `{R}` and
            `{W}` are the letters of the reading and written tier.
        over: 'rows', 'cols' or 'one'.
        carries: key of `VOLTAGES` (a driven pin) or `LEVELS` (a gate net).
        part: which hardware must be there for the rule to apply: 'top', 'bottom',
            'select' (select transistors), 'lines' (a row line for each tier), 'far' (switches at
            both ends of the rows), combined with '+'; '' always.
        optional: True for pins that a drawing may leave out (supplies).
    """

    pins: str
    over: str
    carries: str
    part: str = ""
    optional: bool = False

    def far(self) -> Rule:
        """Return what the same pin at a row's other end carries, in a macro that has one."""
        part = f"{self.part}+far".lstrip("+")
        return replace(self, pins=names.far_end(self.pins), part=part)


@dataclass(frozen=True)
class ArrayKind:
    """What hardware the pins belong to.

    Attributes:
        tiers: tiers present, (0,) planar or (0, 1) stacked.
        select: True if every device has a select transistor (hybrid cell).
        macro: True if row and column mode switches stand between array and pins.
        shared_rows: True if both tiers of a row hang on one row line, BR.
        both_ends: True if mode switches stand at both ends of the rows.
    """

    tiers: tuple[int, ...] = (BOTTOM, TOP)
    select: bool = True
    macro: bool = False
    shared_rows: bool = False
    both_ends: bool = False

    @classmethod
    def of(cls, network: Network) -> ArrayKind:
        """Read the kind off a network's tiers, ports and gate nets."""
        gates, kinds = network.gate_nets, {names.kind_of(pin) for pin in network.ports}
        return cls(
            tiers=network.tiers,
            select=any(names.kind_of(net) in names.SELECTS for net in gates),
            macro=is_macro(network.ports),
            shared_rows=len(network.tiers) == len(TIER_NAMES)
            and kinds.isdisjoint((names.INPUTS[TOP], names.ROWS[TOP])),
            both_ends=not kinds.isdisjoint(names.FAR_INPUTS),
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
    def written(self) -> NDArray[np.bool_]:
        """Rows whose devices see a voltage of the write, shape (rows,)."""
        found: NDArray[np.bool_] = self.write_voltages != self.write_rail
        return found

    @property
    def write_tier(self) -> int:
        """The tier that does not read."""
        return TOP if self.read_tier == BOTTOM else BOTTOM


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


@dataclass(frozen=True)
class Need:
    """Something without which a mode makes no sense.

    Attributes:
        text: what is missing, after "<mode> needs".
        met: kind of array, number of columns -> is it there?
        pins: True if not even the pins could be named without it.
    """

    text: str
    met: Callable[[ArrayKind, int], bool]
    pins: bool = False


TWO_TIERS = Need("two tiers", lambda kind, cols: len(kind.tiers) == len(TIER_NAMES), pins=True)
OWN_ROWS = Need(
    f"a row line for each tier: here both hang on {names.ROWS[BOTTOM]}",
    lambda kind, cols: not kind.shared_rows,
    pins=True,
)
ONE_TIER = Need("a single tier", lambda kind, cols: len(kind.tiers) == 1, pins=True)
SELECT = Need(
    "select transistors: without them every column would be written",
    lambda kind, cols: kind.select,
)
TWO_COLUMNS = Need(
    "a second column: one is written, the others are read", lambda kind, cols: cols >= 2
)


@dataclass(frozen=True)
class Mode:
    """One way to use an array; an entry of `MODES` is all that a mode takes.

    Attributes:
        name: as --mode takes it.
        text: what it does, for the help and the documents.
        array: what the pins of a bare array carry; empty if it needs mode switches.
        macro: what those of a macro with mode switches carry; empty if it cannot be one.
        reads: which tiers compute: 'every', 'one', which the option `read_tier` names, or 'none'.
        writes: True if a column of the tier that does not read is written.
        needs: what an array must have.
        options: options of `mode_drives` that mean something in it.
        settles: True if a build reports how a read in it settles.

    Raises:
        ModeError: for a mode that contradicts itself.
    """

    name: str
    text: str
    array: tuple[Rule, ...] = ()
    macro: tuple[Rule, ...] = ()
    reads: str = "every"
    writes: bool = False
    needs: tuple[Need, ...] = ()
    options: tuple[str, ...] = ()
    settles: bool = False

    def __post_init__(self) -> None:
        for rule in (*self.array, *self.macro):
            if (rule.carries in VOLTAGES) == (rule.carries in LEVELS):
                raise ModeError(f"{self.name}: {rule.pins} carries {rule.carries!r}, not known")
            if rule.over not in ("rows", "cols", "one"):
                raise ModeError(f"{self.name}: {rule.pins} runs over {rule.over!r}")
        if not (self.array or self.macro):
            raise ModeError(f"{self.name} says of no pin what it carries")
        if self.reads not in ("every", "one", "none"):
            raise ModeError(f"{self.name} reads {self.reads!r}, allowed: 'every', 'one', 'none'")
        if self.writes and self.reads == "every":
            raise ModeError(f"{self.name} writes a tier that it also reads")

    def rules(self, kind: ArrayKind) -> tuple[Rule, ...]:
        """Return what the pins of a kind of array carry.

        Raises:
            ModeError: if the mode is not one of such an array.
        """
        if lacks := self._lacks_switches(kind):
            raise ModeError(lacks)
        return self.macro if kind.macro else self.array

    def refusal(self, kind: ArrayKind, cols: int) -> str | None:
        """Return why an array does not offer the mode; None if it does."""
        missing = (f"{self.name} needs {n.text}" for n in self.needs if not n.met(kind, cols))
        return next(missing, None) or self._lacks_switches(kind)

    def _lacks_switches(self, kind: ArrayKind) -> str | None:
        if not (self.macro if kind.macro else self.array):
            return f"{self.name} needs an array with{'out' if kind.macro else ''} mode switches"
        return None

    def reading(self, tiers: int, read_tier: int) -> list[int]:
        """Return the tiers that compute, of so many."""
        one = self.reads == "one"
        return [t for t in range(tiers) if self.reads == "every" or (one and t == read_tier)]

    def counted(self, shape: tuple[int, ...], request: Request) -> NDArray[np.bool_]:
        """Return which devices compute, and so count in metrics, shape (T, rows, cols)."""
        import numpy as np

        counted = np.zeros(shape, dtype=bool)
        counted[self.reading(shape[0], request.read_tier)] = True
        if self.writes:
            counted[:, :, request.write_column] = False
        return counted

    def columns(self, cols: int, write_column: int) -> list[int]:
        """Return the columns that compute, of so many."""
        return [j for j in range(cols) if not (self.writes and j == write_column)]

    def foreign(self, options: Iterable[str]) -> list[str]:
        """Return those options that mean nothing in the mode."""
        return [key for key in options if key not in self.options]
