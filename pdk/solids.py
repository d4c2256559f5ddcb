"""Where each drawn layer lies in the finished stack: for layer stacks and 3-D views."""

from __future__ import annotations

from itertools import pairwise

from .layers import METALS, VIA_ABOVE
from .tech import Tech


def solids_um(tech: Tech) -> dict[str, tuple[float, float]]:
    """Return drawn layer -> (bottom, top) in um above the silicon under STI.

    Films keep their place in the stack; cuts reach from the film below to the film above; the
    active area fills the height of STI. Layers that leave nothing on the chip are absent.
    """
    z = tech.heights_um
    found = {"COMP": z["STI"]}
    found |= {layer.name: z[layer.name] for layer in tech.layers if layer.name in z}
    found["Contact"] = (z["STI"][1], z["Metal1"][0])
    for lower, upper in pairwise(METALS):
        found[VIA_ABOVE[lower]] = (z[lower][1], z[upper][0])
    for cut in tech.cuts:
        if tech.layer(cut.layer).is_module:
            found[cut.layer] = (z[cut.lower][1], z[cut.upper][0])
    order = [layer.name for layer in tech.layers if layer.name in found]
    return {name: found[name] for name in sorted(order, key=lambda n: found[n])}


def conductor_joins(tech: Tech) -> tuple[tuple[str, str, str], ...]:
    """Return (lower, cut, upper) of every contact and via, by drawn layers.

    Both diffusion types are drawn as COMP, so their contacts are one join.
    """
    joins = []
    diffusions = {film.name for film in tech.diffusions}
    for cut in tech.cuts:
        lower = "COMP" if cut.lower in diffusions else cut.lower
        joins.append((lower, cut.layer, cut.upper))
    return tuple(dict.fromkeys(joins))
