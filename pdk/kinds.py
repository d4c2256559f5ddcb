"""Every kind of design rule that a process may state, and what its figures may be."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.spans import Span
from .ranges import AREA_UM2, COUNT, DISTANCE_UM, FACTOR, LENGTH_UM, PERCENT, RATIO


@dataclass(frozen=True)
class Kind:
    """What a kind of rule asks for.

    Attributes:
        layers: how many.
        extra: names of its further limits, keys of `EXTRA`.
        span: what its value may be.
    """

    layers: int
    extra: tuple[str, ...] = ()
    span: Span = LENGTH_UM


#: of a rule that has no number; of one whose limit may be 0
_NONE, _FROM_0 = Span(0, 0), DISTANCE_UM
#: further limits of rules -> what they may be
EXTRA: dict[str, Span] = {
    "join": LENGTH_UM,
    "bbox": LENGTH_UM,
    "count": COUNT,
    "wider_than": LENGTH_UM,
    "beside": DISTANCE_UM,
    "narrower_than": LENGTH_UM,
    "side": DISTANCE_UM,
    "tighter_than": LENGTH_UM,
    "area": FACTOR,
    "wall": FACTOR,
    "sign": Span(-1, 1, whole=True),
}
#: every kind of rule that a process may state
KINDS: dict[str, Kind] = {
    "width": Kind(1),
    "space": Kind(1),
    "separation": Kind(2),
    "clear": Kind(2),
    "butt_separation": Kind(2),
    "across": Kind(2),
    "enclosure": Kind(2, span=_FROM_0),
    "implant_enclosure": Kind(3),
    "extension": Kind(2),
    "butt_extension": Kind(2),
    "butt_gate": Kind(2),
    "edge_length": Kind(1),
    "channel_width": Kind(2),
    "gate_length": Kind(2),
    "area": Kind(1, span=AREA_UM2),
    "hole_area": Kind(1, span=AREA_UM2),
    "exact_size": Kind(1),
    "aspect": Kind(1, span=RATIO),
    "array_space": Kind(2, ("join", "bbox", "count")),
    "inside": Kind(2, span=_NONE),
    "forbidden": Kind(2, span=_NONE),
    "forbidden_layer": Kind(1, span=_NONE),
    "straddle": Kind(2, span=_NONE),
    "reach": Kind(2),
    "wide_space": Kind(1, ("wider_than",)),
    "wide_joint": Kind(1),
    "max_width": Kind(3, ("beside",)),
    "max_size": Kind(1),
    "line_end": Kind(2, ("narrower_than", "side")),
    "adjacent": Kind(2, ("tighter_than",)),
    "no_bend_over": Kind(2, span=_NONE),
    "end_overhang": Kind(2),
    "overlay": Kind(2, span=_FROM_0),
    "on_grid": Kind(1),
    "angle": Kind(1, span=Span(45, 45, "degrees")),
    "space_different_net": Kind(1),
    "antenna": Kind(2, ("area", "wall"), RATIO),
    "density": Kind(1, ("sign",), PERCENT),
    "max_gap": Kind(2),
}
