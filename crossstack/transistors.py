"""Transistors of a network at the voltages at which they work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .pdk import CrossStackError, Tech
from .pdk.conditions import agree

if TYPE_CHECKING:
    from .solve.network import Network

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: rounds in which transistors and voltages must agree, and to what relative change
_MOST_ROUNDS, _SETTLED = 100, 1e-3
_LEAST_STEP = 0.05
#: a transistor of more than this carries nothing that matters, ohm
_OFF_OHM = 1e8


class OnResistance:
    """R_on of many transistors as a function of their source voltages.

    An array has two or three sizes of transistor: each size's table is read once, and read
    off for all of its transistors together.
    """

    def __init__(self, tech: Tech, w_um: Floats, l_um: Floats, is_p: Bools) -> None:
        """Read the tables of all sizes that occur."""
        sizes, self._size = np.unique(
            np.stack([w_um, l_um, np.asarray(is_p, dtype=np.float64)]), axis=1, return_inverse=True
        )
        self.well_on_v = np.where(is_p, tech.pfet.well_on_v, tech.nfet.well_on_v)
        self._curves = []
        for w, length, p in sizes.T.tolist():
            model = tech.pfet if p else tech.nfet
            volts = model.source_grid_v
            ohm = [model.ron_ohm(w, v) * length / model.l_um for v in volts]
            self._curves.append((volts, np.log(ohm)))

    def __call__(self, source_v: Floats) -> Floats:
        """Return R_on in ohm at source voltages against VSS, one per transistor."""
        out = np.empty(len(source_v))
        for k, (volts, log_ohm) in enumerate(self._curves):
            mine = self._size == k
            # the table itself is linear in this between its voltages, see `pdk.ron`
            out[mine] = np.exp(np.interp(source_v[mine], volts, log_ohm))
        return out


def switch_ohm(tech: Tech) -> Callable[[Floats, Floats, Bools], Floats]:
    """Return the least on resistance of transistors as a function of W, L (um) and type."""

    def ohm(w_um: Floats, l_um: Floats, is_p: Bools) -> Floats:
        table = OnResistance(tech, w_um, l_um, is_p)
        return table(table.well_on_v)

    return ohm


def working_ohm(
    network: Network, tech: Tech, solve: Callable[[Floats], Floats], start: Floats | None = None
) -> Floats:
    """Return R_on of every transistor of a network at the voltage at which it works, in ohm.

    Args:
        network: whose transistors.
        tech: their models, at its corner and temperature.
        solve: R_on of every switch -> voltage of every node, V.
        start: first guess, from a similar solve; None for the least resistances.

    Raises:
        CrossStackError: if it does not settle.
        ParameterError: for models at other conditions than the network's.
    """
    agree(network.conditions, tech.conditions)
    is_p = network.switch_p

    def sources(ohm: Floats) -> Floats:
        volts = solve(ohm)
        a, b = volts[network.switch_a], volts[network.switch_b]
        return np.where(is_p, np.maximum(a, b), np.minimum(a, b))

    return settled(
        OnResistance(tech, network.switch_w_um, network.switch_l_um, is_p), sources, start
    )


def settled(
    table: OnResistance, sources: Callable[[Floats], Floats], start: Floats | None = None
) -> Floats:
    """Return resistances of transistors that fit the voltages which they lead to, in ohm.

    A PMOS does not pass the read voltage and an NMOS hardly the write voltage, so that one
    resistance per width would flatter the switches. Resistances and voltages are brought
    together by repeated solving, damped where they swing, until nothing moves by more than
    a thousandth.

    Args:
        table: R_on over source voltage.
        sources: R_on of every transistor -> its source voltage, V.
        start: first guess; None for the least resistances.

    Raises:
        CrossStackError: if it does not settle.
    """
    if not len(table.well_on_v):
        return np.zeros(0)
    ohm = table(table.well_on_v) if start is None else start
    last, step = np.inf, 1.0
    for _ in range(_MOST_ROUNDS):
        wanted = table(sources(ohm))
        moved = np.abs(np.log(wanted / ohm))
        # what is off stays off whatever its resistance exactly is
        matters = np.minimum(wanted, ohm) < _OFF_OHM
        most = float(moved[matters].max(initial=0.0))
        if most < _SETTLED:
            return wanted
        if most > 0.5 * last:  # it swings: near cut-off a few millivolts are a decade
            step = max(0.7 * step, _LEAST_STEP)
        ohm = ohm * (wanted / ohm) ** step
        last = most
    raise CrossStackError("the transistors' resistances and voltages did not settle")
