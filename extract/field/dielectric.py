"""Capacitance per area and per length from the film stack: plates, fringes and side walls.

The fringe of a single line follows Sakurai and Tamaru (IEEE Trans. Electron Devices 30, 183,
1983; within 6 % for 0.3 < w/h < 30, 0.3 < t/h < 30). Their formula for neighbours starts at
s/h = 0.5, and lines in upper metals lie closer, so neighbours follow `side_f_um`; the tests
hold both to finite differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from scipy.special import ellipk

from ...pdk import Tech

EPSILON_0_F_UM = 8.8541878128e-18
#: relative permittivity where no film of the stack is named at a height
FILL_K = 3.9
#: beyond this w/h the fit's widening of the plate would outgrow any fringe
_WIDEST = 10.0


@dataclass(frozen=True)
class Dielectrics:
    """The stack as a column of insulators.

    Attributes:
        spans: conductor -> (bottom, top) in um, bottom to top.
        insulators: (bottom, top, relative permittivity), none in another.
        films: every film -> (bottom, top) in um.
    """

    spans: dict[str, tuple[float, float]]
    insulators: tuple[tuple[float, float, float], ...]
    films: dict[str, tuple[float, float]]

    @classmethod
    def of(cls, tech: Tech) -> Dielectrics:
        """Read the stack of a technology."""
        heights = tech.heights_um
        spans = {f.name: heights[f.name] for f in tech.films if f.sheet_ohm_sq is not None}
        return cls(dict(sorted(spans.items(), key=lambda s: s[1])), _apart(tech), heights)

    def plate_f_um2(self, low_um: float, high_um: float) -> float:
        """Return F/um2 between two horizontal plates at the given heights."""
        thickness = 0.0
        covered = 0.0
        for bottom, top, k in self.insulators:
            part = min(top, high_um) - max(bottom, low_um)
            if part > 0:
                thickness += part / k
                covered += part
        thickness += max(0.0, high_um - low_um - covered) / FILL_K
        return EPSILON_0_F_UM / thickness

    def side_k(self, conductor: str) -> float:
        """Return the permittivity beside a conductor."""
        bottom, top = self.spans[conductor]
        middle = (bottom + top) / 2
        return next((k for low, high, k in self.insulators if low <= middle < high), FILL_K)


def _apart(tech: Tech) -> tuple[tuple[float, float, float], ...]:
    """Return what fills each height, bottom to top.

    Of films that share a height the later one counts, and one that a mask draws before all
    others, as in a field.
    """
    films = [f for f in tech.films if f.permittivity is not None]
    films.sort(key=lambda f: f.name in tech.drawn_insulators)
    heights = tech.heights_um
    found = []
    for low, high in pairwise(sorted({z for f in films for z in heights[f.name]})):
        here = [f for f in films if heights[f.name][0] <= low and high <= heights[f.name][1]]
        if here and here[-1].permittivity is not None:
            found.append((low, high, here[-1].permittivity))
    return tuple(found)


def fringe_f_um(k: float, width_um: float, thickness_um: float, height_um: float) -> float:
    """Return what both edges of a line add to its plate capacitance, F per um of line."""
    t, w = thickness_um / height_um, width_um / height_um
    return float(EPSILON_0_F_UM * k * (0.15 * min(w, _WIDEST) + 2.80 * t**0.222))


def side_f_um(
    k: float, width_um: float, thickness_um: float, height_um: float, space_um: float
) -> float:
    """Return the capacitance between two parallel lines, F per um of their common length.

    Side walls as plates and both faces as coplanar strips (conformal mapping), of which the
    plane below takes its share; the exponent is fitted to field solutions.
    """
    modulus = space_um / (space_um + 2 * width_um)
    strips = ellipk(1 - modulus**2) / ellipk(modulus**2)
    taken = (1 + space_um / height_um) ** -0.9
    return float(EPSILON_0_F_UM * k * (strips + thickness_um / space_um) * taken)


def fringe_left(height_um: float, space_um: float) -> float:
    """Return the share of an edge's fringe that a neighbour leaves to the plane below.

    Fitted to field solutions; 1 from a distance of four heights.
    """
    return float(min(1.0, 0.5 * (space_um / height_um) ** 0.5))
