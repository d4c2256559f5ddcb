"""Capacitance of nets from the field, tile by tile: each neighbourhood that differs is solved once.

The layout is cut into tiles, cells of the array where there is one. A tile is solved within a
larger window, and gives the energy of the field in itself for each pair of nets near it:
C_ij = sum over tiles of the integral of k grad u_i . grad u_j. The tiles at the edge of the layout
go on for `BEYOND_UM`. How far a window reaches is a `Sight`: the widest in which there are few
bodies, for what shields a field are the bodies, and a field without any reaches as far as it
is high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ...lvs import ExtractedLayout
from ...pdk import Tech
from ..nets.naming import memristor_places, net_names
from ..nets.report import Progress
from .bodies import Bodies, net_label
from .known import known, remember, scene_key
from .lines import Box, Spacing, lines_of
from .maxwell import extrapolated, solve_fields
from .netcap import GROUND, NetCapacitance, chosen_nets, gates_f
from .scene import Conductor, Scene

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """How far a tile sees, um.

    Attributes:
        margin_um: the window is as much larger than the tile.
        reach_um: nets that are farther from the tile count as ground.
    """

    margin_um: float
    reach_um: float


#: wide to narrow: the first in which there are at most `FEW` bodies counts, else the last
SIGHTS = (Sight(20.0, 12.0), Sight(10.0, 6.0), Sight(5.0, 3.0), Sight(2.5, 0.8))
FEW = 15
#: how far the tiles at the edge of a layout go on
BEYOND_UM = 20.0
#: couplings below this share of both nets' capacitance count as ground
LEAST_SHARE = 1e-3
#: tiles where there is no array, and the least of them, um
_TILE_UM, _LEAST_UM = 5.0, 2.5
#: the grid of a tile
SPACING = Spacing(merge_um=0.03)


@dataclass(frozen=True)
class Tile:
    """A tile in its window.

    Attributes:
        scene: the window, nets by what they are here.
        focus: the tile in it, x1, y1, x2, y2 in um.
        nets: those asked for, as they are called in the scene.
        numbers: the same in the layout.
    """

    scene: Scene
    focus: Box
    nets: tuple[str, ...]
    numbers: tuple[int, ...]

    def energies_f(self, spacing: Spacing = SPACING) -> Floats:
        """Return the energies in the tile of all pairs of nets in F; known ones are not solved."""
        key = scene_key(self.scene, spacing, self.focus, self.nets)
        found = known(key, len(self.nets))
        if found is None:
            coarse, fine = (
                solve_fields(self.scene, lines, self.nets).energies_f(self.focus)
                for lines in lines_of(self.scene, spacing, self.focus)
            )
            found = extrapolated(coarse, fine)
            remember(key, found)
        return found


def field_capacitance(
    layout: ExtractedLayout, tech: Tech, nets: Iterable[str] | None, progress: Progress | None
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets by net name; see `capacitance.net_capacitance`.

    Without patterns that is every net, the electrodes behind transistors, too.
    """
    places, _ = memristor_places(layout.flat)
    names = net_names(layout.flat, places)
    chosen = chosen_nets(layout, names, nets)
    wanted = {net.number for net in chosen}
    bodies = Bodies(layout, tech)
    total: dict[int, dict[int, float]] = {}
    boxes, tiles = tile_boxes(layout, bodies), Tiles(bodies)
    for done, box in enumerate(boxes):
        if progress:
            progress("capacitance", done, len(boxes))
        tile = tiles.at(box, wanted)
        if tile is not None:
            _add(total, tile)
    return {
        names[net.number]: _net(net.number, total, names, gates_f(layout, tech, net))
        for net in chosen
        if net.number in total
    }


def tile_boxes(layout: ExtractedLayout, bodies: Bodies) -> list[db.Box]:
    """Return the tiles of a layout in dbu; together they cover its bodies."""
    whole = bodies.bbox
    at = np.array([d.at for d in layout.flat.devices if d.kind.is_memristor]).reshape(-1, 2)
    cuts = []
    for axis, (low, high) in enumerate(((whole.left, whole.right), (whole.bottom, whole.top))):
        places = np.unique(np.round(at[:, axis] / layout.dbu).astype(np.int64))
        steps = np.diff(places)
        # tiers and cells that share a line stand closer than cells do
        steps = steps[steps * layout.dbu > 1.0]
        first, step = low, round(_TILE_UM / layout.dbu)
        if len(steps):
            pitch = int(np.median(steps))
            step = pitch * max(1, math.ceil(_LEAST_UM / (pitch * layout.dbu)))
            first = int(places[0]) - pitch // 2
            first -= step * math.ceil((first - low) / step)
        cuts.append(range(first, high + step, step))
    return [db.Box(x1, y1, x2, y2) for y1, y2 in pairwise(cuts[1]) for x1, x2 in pairwise(cuts[0])]


class Tiles:
    """The tiles of a layout; those that hold the same are made once.

    Args:
        bodies: the layout.
    """

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._made: dict[tuple[object, ...], tuple[Tile, list[int]]] = {}

    def at(self, box: db.Box, wanted: set[int] | None = None) -> Tile | None:
        """Return the tile of a box in dbu, None if none of the nets wanted is near it."""
        bodies = self._bodies
        for sight in SIGHTS:
            window = _window(box, bodies, sight.margin_um)
            if bodies.count(window) <= FEW:
                break
        reach = round(sight.reach_um / bodies.dbu)
        close = {net for _, net, _ in bodies.near(box.enlarged(reach, reach))}
        if not close or (wanted is not None and wanted.isdisjoint(close)):
            return None
        focus = _focus(box, bodies, window)
        held, order = bodies.fingerprint(window)
        key = (*held, str(focus.moved(-window.left, -window.bottom)))
        if key not in self._made:
            tile = _tile(bodies, focus, window, close, air_um=sight.margin_um)
            self._made[key] = tile, [order.index(net) for net in tile.numbers]
        tile, places = self._made[key]
        return replace(tile, numbers=tuple(order[k] for k in places))


def _window(box: db.Box, bodies: Bodies, margin_um: float) -> db.Box:
    """Return what is seen around a tile: beyond the edge of the layout there is nothing."""
    margin, beyond = round(margin_um / bodies.dbu), round(BEYOND_UM / bodies.dbu)
    whole = bodies.bbox
    return db.Box(
        box.left - (margin if box.left > whole.left else beyond),
        box.bottom - (margin if box.bottom > whole.bottom else beyond),
        box.right + (margin if box.right < whole.right else beyond),
        box.top + (margin if box.top < whole.top else beyond),
    )


def _focus(box: db.Box, bodies: Bodies, window: db.Box) -> db.Box:
    """Return a tile with what lies beyond it, at the edge of the layout."""
    whole = bodies.bbox
    return db.Box(
        box.left if box.left > whole.left else window.left,
        box.bottom if box.bottom > whole.bottom else window.bottom,
        box.right if box.right < whole.right else window.right,
        box.top if box.top < whole.top else window.top,
    )


def _tile(bodies: Bodies, box: db.Box, window: db.Box, close: set[int], *, air_um: float) -> Tile:
    """Return a tile with its window.

    Nets are called by the order of their bodies, so that equal neighbourhoods are equal scenes.
    """
    scene = bodies.scene(window, air_um)
    called: dict[str, str] = {GROUND: GROUND}
    conductors = sorted(scene.conductors, key=lambda c: (c.low_um, c.high_um, c.polygons))
    for body in conductors:
        called.setdefault(body.net, f"n{len(called)}")
    named = tuple(Conductor(called[b.net], b.low_um, b.high_um, b.polygons) for b in conductors)
    numbers = {net_label(net): net for net in close}
    labels = [label for label in called if label in numbers]
    at = box.moved(-window.left, -window.bottom).to_dtype(bodies.dbu)
    focus = (at.left, at.bottom, at.right, at.top)
    return Tile(
        Scene(scene.window, scene.top_um, named, scene.insulators),
        focus,
        tuple(called[label] for label in labels),
        tuple(numbers[label] for label in labels),
    )


def _add(total: dict[int, dict[int, float]], tile: Tile) -> None:
    """Add the energies of a tile."""
    for i, row in zip(tile.numbers, tile.energies_f().tolist(), strict=True):
        mine = total.setdefault(i, {})
        for j, value in zip(tile.numbers, row, strict=True):
            mine[j] = mine.get(j, 0.0) + value


def _net(
    number: int, total: dict[int, dict[int, float]], names: list[str], gate_f: float
) -> NetCapacitance:
    """Return a net's capacitances from the sums of energies."""
    mine = total.get(number, {})
    own = mine.get(number, 0.0)
    found = NetCapacitance(names[number], gate_f=gate_f)
    rest = own
    for other, value in sorted(mine.items()):
        least = LEAST_SHARE * min(own, total[other].get(other, 0.0))
        if other != number and -value > least:
            found.coupling_f[names[other]] = -value
            rest += value
    # what is shielded on all sides has nothing to ground, but for the last digits
    found.ground_f = max(rest, 0.0)
    return found
