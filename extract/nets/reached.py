"""The shapes of a net that its pins and devices reach over metal.

A seal ring stands on the substrate, and so is part of the ground's net, with tens of thousands of
vias. No metal joins it to a pin: none of the net's current flows there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import klayout.db as db

#: cuts from which on it is worth while to look; below, what nothing reaches costs less than that
MANY = 5_000
Bounds = tuple[int, int, int, int]


def reached(
    regions: Mapping[str, db.Region],
    cut_ends: Mapping[str, tuple[str, ...]],
    seeds: Iterable[tuple[str, Bounds]],
) -> dict[str, db.Region]:
    """Return the regions of a net without what nothing reaches.

    Args:
        regions: layer -> its shapes, merged.
        cut_ends: contact or via -> the conductors that it joins.
        seeds: conductors and places of pins and devices.
    """
    cuts = {name: region for name, region in regions.items() if name in cut_ends}
    if sum(region.count() for region in cuts.values()) < MANY:
        return dict(regions)
    fresh = {name: db.Region() for name in regions if name not in cuts}
    for layer, (x1, y1, x2, y2) in seeds:
        if layer in fresh:  # a pin is a point, and a region is not
            fresh[layer].insert(db.Box(x1, y1, x2, y2).enlarged(1))
    fresh = {layer: regions[layer].interacting(at) for layer, at in fresh.items()}
    found, used = {layer: region.dup() for layer, region in fresh.items()}, dict[str, db.Region]()
    while any(not region.is_empty() for region in fresh.values()):
        news = {layer: db.Region() for layer in fresh}
        for name, region in cuts.items():
            near = sum((fresh[end] for end in cut_ends[name] if end in fresh), db.Region())
            on_it = region.interacting(near)
            used[name] = used.get(name, db.Region()) + on_it
            for end in cut_ends[name]:
                if end in news:
                    news[end] += regions[end].interacting(on_it)
        fresh = {layer: news[layer].merged() - found[layer] for layer in news}
        for layer, region in fresh.items():
            found[layer] += region
    return {**found, **{name: region.merged() for name, region in used.items()}}


__all__ = ["MANY", "reached"]
