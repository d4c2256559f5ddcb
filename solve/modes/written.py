"""What a write does to the devices of its column, and to all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.names import TIER_NAMES
from .mode import Request
from .modes import POLARITIES

Floats = NDArray[np.float64]
#: a voltage or current below this share of the largest is what rounding left of zero
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class WriteReport:
    """What a write does while the other tier reads.

    Attributes:
        tier: the written tier.
        column: the written column.
        device_voltages: voltage over every device of the written column, shape (rows,), V.
        applied: between each row's write pin and the write rail, same shape, V; 0 for a row that
            is not written.
        worst_loss: largest part of the applied write voltage that is lost, as a fraction.
        half_selected_voltage: largest voltage over any other device of the written tier, V.
        same_column_voltage: largest voltage over the reading tier's devices in the written
            column, V.
        read_disturb: largest change of another column's current against the same read
            without the write, as a fraction of the largest ideal column current; nan if all
            of these are zero.
        column_current: out of the column into the write rail, A.
    """

    tier: int
    column: int
    device_voltages: Floats
    applied: Floats
    worst_loss: float
    half_selected_voltage: float
    same_column_voltage: float
    read_disturb: float
    column_current: float

    @property
    def written_voltages(self) -> Floats:
        """Voltage over every device that is written, nan for the others, shape (rows,), V."""
        return np.where(self.applied != 0, self.device_voltages, np.nan)

    @property
    def lowest_voltage(self) -> float:
        """Least voltage over a device that is written, V; nan if none is."""
        seen = np.abs(self.written_voltages)
        return float(np.nanmin(seen)) if np.isfinite(seen).any() else float("nan")

    @property
    def polarity(self) -> str:
        """'set' if the rows are above the column, 'reset' if it is above them."""
        return POLARITIES[int(self.applied.sum() < 0)]

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {
            "tier": TIER_NAMES[self.tier],
            "column": self.column,
            "polarity": self.polarity,
            "device_voltages_V": self.device_voltages.tolist(),
            "applied_V": self.applied.tolist(),
            "lowest_V": or_none(self.lowest_voltage),
            "column_current_A": self.column_current,
            "worst_loss": self.worst_loss,
            "half_selected_voltage_V": self.half_selected_voltage,
            "same_column_voltage_V": self.same_column_voltage,
            "read_disturb": or_none(self.read_disturb),
        }


def or_none(value: float) -> float | None:
    """Return a value as JSON can hold it."""
    return None if np.isnan(value) else value


def share_of(part: ArrayLike, whole: ArrayLike, largest: float = 0.0) -> Floats:
    """Return |part| over |whole|; nan where the whole is zero, beside `largest` too."""
    size = np.abs(np.asarray(whole, dtype=np.float64))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share: Floats = np.abs(part) / size
    return np.where((size > _ROUNDING * largest) & np.isfinite(share), share, np.nan)


def write_report(
    device_voltages: Floats, request: Request, disturb: float, amps: float
) -> WriteReport:
    """Return what a write does.

    Args:
        device_voltages: over every device, shape (T, rows, cols), V.
        request: the mode's request, with a write.
        disturb: see `WriteReport.read_disturb`.
        amps: current out of the written column, A.
    """
    column = request.write_column
    written = device_voltages[request.write_tier]
    applied = request.write_voltages - request.write_rail
    seen = written[:, column]
    loss = share_of(applied - seen, applied, float(np.abs(applied).max()))
    others = [np.delete(written, column, axis=1).ravel(), seen[~request.written]]
    return WriteReport(
        tier=request.write_tier,
        column=column,
        device_voltages=seen,
        applied=np.broadcast_to(applied, seen.shape),
        worst_loss=_largest(loss),
        half_selected_voltage=_largest(np.concatenate(others)),
        same_column_voltage=_largest(device_voltages[request.read_tier][:, column]),
        read_disturb=disturb,
        column_current=amps,
    )


def _largest(volts: Floats) -> float:
    found = np.abs(volts[~np.isnan(volts)])
    return float(found.max(initial=0.0))
