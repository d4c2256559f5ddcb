"""What a chip shows at its pads: which pins are pads, and what the pads for sensing read.

On a chip with `kelvin` each row line and each column has a pad of its own that carries no current.
What it reads holds nothing of the pad, the track and the mode switch that the line is driven by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import names
from ..base.units import percent

if TYPE_CHECKING:
    from ..solve.network.network import Network
    from ..solve.study.metrics import IrDrop


@dataclass(frozen=True)
class AtPads:
    """The pads of a network in one mode.

    Attributes:
        driven: pins that are driven or read, and are pads.
        others: pins that are, and are none.
        sense_v: what each pad reads that carries no current, V.
        worst, mean: share of the voltage between the sense pads of its row and column that a device
            does not get; nan without sense pads.
    """

    driven: tuple[str, ...]
    others: tuple[str, ...]
    sense_v: dict[str, float]
    worst: float
    mean: float

    def lines(self) -> list[str]:
        """Return what that is, for people."""
        found = []
        if self.driven:
            of = len(self.driven) + len(self.others)
            found.append(
                f"pads       {len(self.driven)} of {of} driven pins are pads of the die: what "
                "leads from there to the array is counted"
            )
        if not np.isnan(self.worst):
            found.append(
                f"sense pads worst device {percent(self.worst)} lost between the sense pads of its "
                f"row and column, mean {percent(self.mean)} ({len(self.sense_v)} sense pads)"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        value: dict[str, Any] = {"counted": list(self.driven), "not_pads": list(self.others)}
        if self.sense_v:
            value["sense_V"] = self.sense_v
        if not np.isnan(self.worst):
            value["worst_device_error"], value["mean_device_error"] = self.worst, self.mean
        return value


def at_pads(network: Network, drop: IrDrop) -> AtPads | None:
    """Return what the pads of a solved network show; None for one without pads."""
    pads = set(network.pads)
    if not pads:
        return None
    solution = drop.solution
    pins = [*solution.port_currents]
    volts = getattr(solution, "node_voltages", np.zeros(0))
    sense = {
        pin: float(volts[network.ports[pin]])
        for pin in network.pads
        if names.LINE.fullmatch(pin) and pin not in pins and len(volts) == network.n_nodes
    }
    lost = _lost(drop, sense)
    return AtPads(
        tuple(pin for pin in pins if pin in pads),
        tuple(pin for pin in pins if pin not in pads),
        sense,
        float(np.nanmax(lost)) if np.isfinite(lost).any() else float("nan"),
        float(np.nanmean(lost)) if np.isfinite(lost).any() else float("nan"),
    )


def _lost(drop: IrDrop, sense: dict[str, float]) -> np.ndarray:
    """Return what each counted device loses of what its sense pads read, nan where none reads."""
    tiers, rows, cols = drop.device_error.shape
    nan = float("nan")
    row = np.array([[sense.get(names.row(t, i), nan) for i in range(rows)] for t in range(tiers)])
    column = np.array([sense.get(names.column(j), nan) for j in range(cols)])
    between = row[:, :, None] - column
    counted = np.isfinite(drop.device_error) & (between != 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = 1.0 - drop.solution.device_voltages / between
    return np.where(counted, lost, nan)


__all__ = ["AtPads", "at_pads"]
