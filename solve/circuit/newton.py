"""What Newton's method needs of a device, in networks and crossbars alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
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


#: current of a device over that of its tangent from which a step is held back, halvings of it
_STEEP, _HALVINGS = 2.0, 40


def held_back(device: DeviceLaw, G: Floats, at: Floats, seen: Floats) -> Floats:
    """Return the voltages at which devices are taken next, at most those that a step asks for.

    From the flat part of a steep law a tangent leads far up it, and from there every further step
    leads down by no more than the law's own scale, 1 / b of a sinh. So a step that would make a
    device carry far more than its tangent says stops where it carries that much (as SPICE holds
    back its junctions).

    Args:
        device: law of all devices.
        G: their conductances at small voltage, S.
        at: voltages of their tangents, V.
        seen: voltages that the circuit of tangents gives, V.
    """
    told = device.current(G, at) + device.slope(G, at) * (seen - at)
    ahead = told * seen > 0
    steep = ahead & (np.abs(device.current(G, seen)) > _STEEP * np.abs(told))
    if not steep.any():
        return seen
    low, high = np.zeros_like(seen), seen.copy()
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        above = np.abs(device.current(G, middle)) > np.abs(told)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(steep, low, seen)


def settled(
    device: DeviceLaw, G: Floats, solve: Callable[[Floats, Floats], Floats], tol: float
) -> tuple[Floats, int]:
    """Return the voltages of devices by Newton's method, and the steps that it took.

    Args:
        device: law of all devices.
        G: their conductances at small voltage, S.
        solve: gives the voltages of devices that are conductances with a voltage in series.
        tol: change of the last step, relative to the largest voltage.

    Raises:
        ConvergenceError: if the steps do not end.
    """
    at, move = np.zeros_like(G), np.inf
    for step in range(1, MAX_STEPS + 1):
        seen = solve(*tangent(device, G, at))
        move = float(np.abs(seen - at)[G > 0].max(initial=0.0))
        if move <= tol * max(float(np.abs(seen).max(initial=0.0)), 1e-300):
            return seen, step
        at = at + np.clip(held_back(device, G, at, seen) - at, -MAX_MOVE, MAX_MOVE)
    raise ConvergenceError(
        f"Newton's method did not settle in {MAX_STEPS} steps: the last moved a device by "
        f"{move:.1e} V"
    )


def chord(device: DeviceLaw, G: Floats, at: Floats) -> Floats:
    """Conductance of every device between 0 V and its operating point, S."""
    slope: Floats = device.slope(G, np.zeros_like(G))
    np.divide(device.current(G, at), at, out=slope, where=at != 0)
    return slope
