"""What Newton's method needs of a device, in networks and crossbars alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .iv import DeviceLaw

Floats = NDArray[np.float64]

MAX_STEPS = 60
# One step may move a device's voltage by this much; keeps exponentials in range.
MAX_MOVE = 0.5


def tangent(device: DeviceLaw, G: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Conductance and series voltage of every device's tangent at voltages `at`."""
    slope = device.slope(G, at)
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.where(slope > 0, at - device.current(G, at) / slope, 0.0)
    return slope, shift
