"""How far layout and reference may be apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pdk import ParameterError


@dataclass(frozen=True)
class Tolerances:
    """Allowed differences between layout and reference.

    Attributes:
        length_um: of W and L, in um; by default half a step of the 5 nm grid.
        area: of memristor areas, relative.
    """

    length_um: float = 0.0025
    area: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse what would let everything, or nothing, pass."""
        for name in ("length_um", "area"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ParameterError(name, value, "a number from 0 on")

    def allowed(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the allowed difference for each reference value of a parameter."""
        if name == "AREA":
            return np.abs(values) * self.area
        return np.full(len(values), self.length_um)
