"""Where each drawn layer lies in the finished stack: for layer stacks and 3-D views."""

from __future__ import annotations

from .tech import Tech


def solids_um(tech: Tech) -> dict[str, tuple[float, float]]:
    """Return drawn layer -> (bottom, top) in um above the silicon under STI.

    Films keep their place in the stack; cuts reach from the film below to the film above; the
    active area fills the height of the lowest film. Layers that leave nothing on the chip are
    absent.
    """
    z, roles = tech.heights_um, tech.roles
    found = {roles.layer("diffusion"): z[tech.films[0].name]}
    found |= {layer.name: z[layer.name] for layer in tech.layers if layer.name in z}
    for cut in tech.cuts:
        # contacts to the silicon and to poly are one layer: drawn down to the silicon
        bottom = z[cut.lower][1] if cut.lower in z else z[tech.films[0].name][1]
        low = min(bottom, found.get(cut.layer, (bottom, 0.0))[0])
        found[cut.layer] = (low, z[cut.upper][0])
    order = [layer.name for layer in tech.layers if layer.name in found]
    return {name: found[name] for name in sorted(order, key=lambda n: found[n])}


def conductor_joins(tech: Tech) -> tuple[tuple[str, str, str], ...]:
    """Return (lower, cut, upper) of every contact and via, by drawn layers.

    Where both types of diffusion are one drawn layer, their contacts are one join.
    """
    joins = []
    diffusions = {film.name for film in tech.diffusions}
    for cut in tech.cuts:
        lower = tech.roles.layer("diffusion") if cut.lower in diffusions else cut.lower
        joins.append((lower, cut.layer, cut.upper))
    return tuple(dict.fromkeys(joins))
