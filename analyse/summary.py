"""Solved modes as one value, the content of ir_drop.json, and as lines of a command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..base import names
from ..base.units import percent, quantity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..pdk import Conditions
    from ..solve.modes.written import WriteReport
    from ..solve.study.metrics import IrDrop
    from ..solve.study.theory import Drops, Parts
    from .analysis import Stimulus

#: Share of its voltage below which a device gets nothing: what is left is the solver's rounding.
NOTHING = 1e-5
#: Lines and devices that a remark names.
MOST_NAMED = 6
#: Share of a device's voltage that may be lost before it is remarked on.
LARGE_LOSS = 0.5
#: times 1/R_on from which a conductance, and not the array's size, is named as the cause
MUCH = 2.0


@dataclass(frozen=True)
class StackingView:
    """What stacking saves in one way of counting.

    Attributes:
        counted: the way, in words.
        parts: series parts of every tier, ohm.
        reduction: of the IR drop, as fractions.
    """

    counted: str
    parts: tuple[Parts, ...]
    reduction: Drops

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "counted": self.counted,
            "parts_ohm": [dict(vars(each)) for each in self.parts],
            "reduction": dict(vars(self.reduction)),
        }


@dataclass(frozen=True)
class Stacking:
    """What first-order theory says that stacking saves, beside the paper's figure.

    Attributes:
        paper: the paper's reduction, as a fraction.
        views: way of counting -> what is saved.
        not_run: why nothing could be said; empty if something was.
    """

    paper: float
    views: Mapping[str, StackingView]
    not_run: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        if self.not_run:
            return {"paper": self.paper, "not_run": self.not_run}
        views = {name: view.to_json() for name, view in self.views.items()}
        return {"paper": self.paper, "views": views}


@dataclass(frozen=True, eq=False)
class ModeDrops:
    """What the modes of one array lose.

    Attributes:
        modes: mode -> what it loses.
        not_run: mode -> why it was not solved.
        stimulus: what devices and inputs were, in words.
        conditions: of wires and transistors; None where somebody else tells them.
        stacking: what stacking saves by theory; None where nobody asked.
    """

    modes: Mapping[str, IrDrop]
    not_run: Mapping[str, str]
    stimulus: Mapping[str, str]
    conditions: Conditions | None = None
    stacking: Stacking | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the content of ir_drop.json."""
        value: dict[str, Any] = {
            "modes": {mode: drop.to_json() for mode, drop in self.modes.items()},
            "not_run": dict(self.not_run),
            "stimulus": dict(self.stimulus),
        }
        if self.conditions is not None:
            value["conditions"] = self.conditions.to_json()
        if self.stacking is not None:
            value["stacking"] = self.stacking.to_json()
        return value


def summary(
    done: Mapping[str, IrDrop],
    not_run: Mapping[str, str],
    what: Stimulus,
    conditions: Conditions | None = None,
    stacking: Stacking | None = None,
) -> ModeDrops:
    """Return what the modes of an array lose, as one value."""
    return ModeDrops(done, not_run, what.text, conditions, stacking)


def drop_lines(drops: ModeDrops) -> list[str]:
    """Return a line per mode: worst device, mean device and worst column, all series parts."""
    lines = []
    for mode, drop in drops.modes.items():
        series, wires = drop.all_series, drop.wires_only
        if math.isnan(series.worst_device):
            lines.append(f"{mode:<10} no device that is read has both an input and a conductance")
        else:
            lines.append(
                f"{mode:<10} worst device {percent(series.worst_device)} lost "
                f"({percent(wires.worst_device)} in wires), "
                f"mean {percent(series.mean_device)}, "
                + ("every ideal column current is zero" if math.isnan(series.worst_column)
                   else f"worst column {percent(series.worst_column)}")
            )  # fmt: skip
        if drop.write is not None:
            lines.append(write_line(drop.write, drop.writes))
    lines += [f"{mode}: not run, {why}" for mode, why in drops.not_run.items()]
    return lines


def remarks(drops: ModeDrops, cause: str = "") -> list[str]:
    """Return a line for each mode in which most of a device's voltage is lost on its way.

    Args:
        drops: what the modes lose.
        cause: why, or what helps, see `cause_of_loss`; empty where nobody knows.
    """
    why = f"; {cause}" if cause else ""
    found = []
    for mode, drop in drops.modes.items():
        series, wires = drop.all_series.worst_device, drop.wires_only.worst_device
        if cut_off := _without_voltage(drop.device_error):
            found.append(
                f"{mode}: no voltage reaches {cut_off}: a wire on the way is open, nothing drives "
                "it, or devices that are shorts take all of it"
            )
        elif series > LARGE_LOSS:
            found.append(
                f"{mode}: the worst device is left with {percent(1 - series)} of its voltage "
                f"({percent(wires)} are lost in wires), so that its current is not what its "
                f"conductance says{why}"
            )
    return found


def cause_of_loss(largest_s: float, usual_s: float, *, ours: bool) -> str:
    """Return why much of a voltage is lost, or what finds an array that loses less; else "".

    Args:
        largest_s: largest conductance of a device, S.
        usual_s: conductance of such a device in R_on, S.
        ours: the array was drawn by a build, whose parameters can be chosen again.
    """
    if largest_s > MUCH * usual_s:
        return (
            f"the largest conductance, {quantity(largest_s, 'S')}, is {largest_s / usual_s:.3g} "
            f"times 1/R_on ({quantity(usual_s, 'S')}): devices that conduct so well leave most of "
            "the voltage to wires and switches"
        )
    return "`crossstack size` finds an array that loses less" if ours else ""


def _without_voltage(lost: NDArray[np.float64]) -> str:
    """Return what gets nothing of its voltage, in words: whole lines, else devices; "" for none.

    Args:
        lost: share of its voltage that each device loses, shape (tiers, rows, cols); NaN for
            those that do not take part.
    """
    import numpy as np

    read = ~np.isnan(lost)
    none = read & (np.abs(1.0 - lost) < NOTHING)
    rows = [
        names.row(int(t), int(i))
        for t, i in np.argwhere((none == read).all(axis=2) & read.any(axis=2))
    ]
    columns = [
        names.column(int(j))
        for j in np.flatnonzero((none == read).all(axis=(0, 1)) & read.any(axis=(0, 1)))
    ]
    whole = [f"any device of {name}" for name in (*rows, *columns)]
    single = [
        f"the device of {names.row(int(t), int(i))} and {names.column(int(j))}"
        for t, i, j in np.argwhere(none)
        if names.row(int(t), int(i)) not in rows and names.column(int(j)) not in columns
    ]
    listed = [*whole, *single]
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more


def write_line(write: WriteReport, writes: Mapping[str, WriteReport]) -> str:
    """Return what is lost of a write voltage in each polarity, the worse one first.

    Args:
        write: of the polarity that loses more.
        writes: polarity -> write, of every one that was solved.
    """
    every = sorted(writes.items(), key=lambda each: each[0] != write.polarity)
    parts = [
        f"{name} loses {percent(each.worst_loss)} of {abs(each.applied).max():g} V"
        for name, each in every
    ]
    return f"{'write':<10} worst device: {', '.join(parts)}"
