"""Heights of the films and what follows from them.

Heights are never written down: `stack` sums the ordered thicknesses, so a film cannot float
above or sink into its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable

from .model import Corner, Cut, Film

__all__ = ["Corner", "Cut", "Film", "stack"]


def stack(films: Iterable[Film]) -> dict[str, tuple[float, float]]:
    """Return film name -> (bottom, top) in um above the silicon under STI.

    A film that shares its bottom with the next, such as a metal embedded in the dielectric that
    follows, adds nothing to the height; every other film starts where the one before ends.
    """
    heights: dict[str, tuple[float, float]] = {}
    z = 0.0
    for film in films:
        heights[film.name] = (round(z, 6), round(z + film.thickness_um, 6))
        if not film.shares_bottom:
            z += film.thickness_um
    return heights
