"""A die that is being filled: what is drawn on it, and what became of each layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import klayout.db as db

from ..pdk import Purpose, Tech

#: metal and gate fill to transistors and films of the module, um: ten times what lies between two
#: levels, where a square adds less than a thousandth to a wire's capacitance
TO_ARRAY_UM = 10.0
#: gaps of that circuit up to twice this are part of it, um
CLOSED_UM = 10.0
#: gaps within one mark up to twice this are part of it, um
MARK_CLOSED_UM = 9.0
#: what fill aims at beyond the least density, percent of the die
MARGIN = 0.5
CELL = "fill"
_FILMS = (Purpose.MODULE_ELECTRODE, Purpose.MODULE_OXIDE, Purpose.MODULE_CUT)


@dataclass(frozen=True)
class Filled:
    """What became of a layer.

    Attributes:
        layer: name.
        before, after: share of the die that it covers, percent.
        least: what is asked for.
        squares: how many were drawn.
        given_up: wishes of the shuttle that were not kept, in words.
    """

    layer: str
    before: float
    after: float
    least: float
    squares: int
    given_up: str = ""

    @property
    def reached(self) -> bool:
        """Return whether the density is reached."""
        return self.after >= self.least


class Die:
    """The drawn layers of a die, flat, by role or name."""

    def __init__(self, layout: db.Layout, top: db.Cell, tech: Tech) -> None:
        self.layout, self.top, self.tech = layout, top, tech
        self.box = top.bbox()
        self._known: dict[tuple[int, int], db.Region] = {}

    def drawn(self, gds: tuple[int, int]) -> db.Region:
        """Return what a layer draws, merged."""
        if gds not in self._known:
            index = self.layout.find_layer(*gds)
            region = db.Region()
            if index is not None:
                region += db.Region(self.top.begin_shapes_rec(index))
            self._known[gds] = region.merged()
        return self._known[gds]

    def layer(self, role: str) -> db.Region:
        """Return what the layer of a role, or of a name, draws."""
        return self.drawn(self.tech.gds(self.tech.roles.names.get(role, role)))

    @cached_property
    def array(self) -> db.Region:
        """What holds transistors, or films of the module."""
        shapes = self.layer("poly") + self.films
        gap = self.um(CLOSED_UM)
        return shapes.merged().extents().sized(gap).merged().sized(-gap)

    @cached_property
    def films(self) -> db.Region:
        """Films and vias of the module."""
        module = (x for x in self.tech.layers if x.purpose in _FILMS)
        return sum((self.drawn(x.gds) for x in module), db.Region()).merged()

    @cached_property
    def marks(self) -> db.Region:
        """What alignment marks and verniers cover, gaps between their pieces included."""
        if "marks" not in self.tech.roles.names:
            return db.Region()
        gap = self.um(MARK_CLOSED_UM)
        return self.layer("marks").sized(gap).merged().sized(-gap).hulls()

    def um(self, value: float) -> int:
        """Return a length in dbu."""
        return round(value / self.layout.dbu)

    def percent(self, region: db.Region) -> float:
        """Return the share of the die that a region covers."""
        return 100.0 * region.area() / self.box.area()


__all__ = ["CELL", "MARGIN", "MARK_CLOSED_UM", "TO_ARRAY_UM", "Die", "Filled"]
