"""Where the parts of a bond pad lie: diodes, clamp and rings behind its plate."""

from __future__ import annotations

from ..pdk import Tech
from .drawing import grid_up
from .rules import RuleBook

#: width of what leads a pad to its diodes, and on to the circuit, in dbu: ample, not rules
FEED, LEAD = 24_000, 8_000
#: width of the VSS and VDD rings, in dbu: 2 um below where metal must be slotted
RING = 28_000
#: depth of a row of diodes, of the lines beside it, and of the room for a clamp between, in dbu:
#: assumed (what they bear in the models: `bench/clamp.py`)
DIODE, LINE, CLAMP = 12_000, 5_000, 17_000
#: from what lies in a pad's well to the well's edge, in dbu: ample, not a rule
WELL = 1_500
_ROOM = 2_000


def metal_overlap(r: RuleBook) -> int:
    """Return how far the land's metal reaches beyond a pad's opening."""
    return r.enclosure("land", "bond_pad")


def ring_metals(tech: Tech) -> tuple[str, ...]:
    """Return the metals of the supply rings: all above the one that leads a pad inwards."""
    return (*tech.roles.between("bottom_row", "land"), tech.roles.land)


class PadPlan:
    """Where the parts of a bond pad lie, south side, in dbu from the plate's corner.

    The rings lie over the diodes and the clamp, in metals above the lead.

    Attributes:
        side: side of the plate.
        tongue: y span of the vias from the plate to the lead.
        diode: y span of the diodes to VSS, away from the opening.
        low, high: y spans of the lines of VSS and VDD in the lowest metal; the clamp is between.
        upper: y span of the diodes to VDD.
        ring: y span of the VSS ring.
        supply: y span of the VDD ring.
        depth: end of the lead.
        pitch: from pad to pad, by the spaces of openings and of metal joined to pads.
    """

    def __init__(self, r: RuleBook) -> None:
        m = metal_overlap(r)
        self.side = r.bond_opening + 2 * m
        self.tongue = (self.side, self.side + LEAD)
        far = r.space("bond_pad", "diffusion")
        low = max(self.tongue[1] + _ROOM, m + r.bond_opening + far)
        self.diode = (low, low + DIODE)
        self.low = _next(self.diode, LINE)
        self.high = (self.low[1] + CLAMP, self.low[1] + CLAMP + LINE)
        low = self.high[1] + _ROOM + WELL
        self.upper = (low, low + DIODE)
        low = self.tongue[1] + r.space("pad_metal")
        self.ring = (low, low + RING)
        self.supply = _next(self.ring, RING)
        # the pads of a row behind keep away from this diffusion, too
        self.depth = max(self.supply[1], self.upper[1] + WELL) + _ROOM
        least = max(self.side + r.space("pad_metal"), r.bond_opening + r.space("bond_pad"))
        self.pitch = grid_up(least, 10_000)  # a round figure for whoever bonds it


def _next(span: tuple[int, int], width: int) -> tuple[int, int]:
    return span[1] + _ROOM, span[1] + _ROOM + width


__all__ = [
    "CLAMP", "DIODE", "FEED", "LEAD", "LINE", "RING", "WELL", "PadPlan", "metal_overlap",
    "ring_metals",
]  # fmt: skip
