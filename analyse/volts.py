"""Voltages that a network is driven with, against what its transistors were measured over."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..base.errors import ConfigError
from ..pdk import Tech

#: V below VSS to which a bulk's diode carries nothing that matters
DIODE_V = 0.5


def check_volts(tech: Tech, volts: Iterable[float]) -> None:
    """Refuse voltages that transistors do not withstand or pass on as a resistance.

    The voltage of every node lies between the least and the largest that drives the network.

    Args:
        tech: the transistors' models and their supply.
        volts: what drives the network, V.

    Raises:
        ConfigError: naming the voltage and the range.
    """
    low, high = -DIODE_V, tech.conditions.supply_v
    for value in _ends(volts):
        if not low <= value <= high:
            raise ConfigError(
                f"{value:g} V drives an array with transistors: allowed are {low:g} .. {high:g} V, "
                "below them a bulk conducts, above them no gate is on"
            )


def _ends(volts: Iterable[float]) -> tuple[float, ...]:
    found = np.asarray(list(volts), dtype=np.float64)
    return (float(found.min()), float(found.max())) if found.size else ()
