"""What conducts and what joins it, as data built from the technology.

Names of conductors and cuts are those of `Tech`: films (a metal, ``BE``, ``nsd``) and
cuts (a via, ``Contact_poly``), so that whoever asks a net for its polygons finds the
sheet resistance of each layer under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import klayout.db as db

from ..pdk import TechError
from ..pdk.regions import build, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..pdk import Tech

#: Global net of the p-substrate; it only becomes VSS through a p-tap that is drawn.
SUBSTRATE = "SUBSTRATE"


@dataclass(frozen=True)
class Connectivity:
    """Conductors, cuts and their joins.

    Attributes:
        conductors: names of the layers that carry current along themselves.
        cuts: names of contacts and vias, as in `Tech.cuts`.
        links: pairs of layers that are joined where they overlap or touch.
        labels: conductor -> drawn layer of its pin labels.
        silicon: conductors in the silicon, which join wires only badly.
    """

    conductors: tuple[str, ...]
    cuts: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    silicon: tuple[str, ...]


def connectivity(tech: Tech) -> Connectivity:
    """Return the connectivity of a technology."""
    cuts = tuple(cut.name for cut in tech.cuts)
    ends = [name for cut in tech.cuts for name in (cut.lower, cut.upper)]
    silicon, joins = tech.nets.silicon, tech.nets.links
    joining = [name for name, _ in joins if name not in cuts]
    conductors = tuple(dict.fromkeys([*silicon, *ends, *joining]))
    links = [(cut.name, end) for cut in tech.cuts for end in (cut.lower, cut.upper)]
    joins = (*joins, *combinations(tech.nets.salicided, 2))
    labels = tuple((name, label) for name, label in tech.label_of.items() if name in conductors)
    return Connectivity(conductors, cuts, (*links, *joins), labels, silicon)


def layer_regions(tech: Tech, drawn: Mapping[str, db.Region]) -> dict[str, db.Region]:
    """Return the drawn layers, and those that the process derives from them for its nets.

    Raises:
        TechError: if a text names a layer that is neither drawn nor derived before it.
    """
    regions = dict(drawn)

    def known(name: str) -> db.Region:
        if name not in regions:
            raise TechError(f"layer {name!r} of {tech.name} is not drawn nor derived before it")
        return regions[name]

    for name, text in tech.nets.derived:
        regions[name] = build(text, known, lambda um: round(um / tech.dbu_um))
    return regions


def drawn_layers(tech: Tech) -> tuple[str, ...]:
    """Return the drawn layers that connectivity, devices and checks are built from."""
    derived = {name for name, _ in tech.nets.derived}
    words = {word for _, text in tech.nets.derived for word in names_in(text)}
    words |= {cut.layer for cut in tech.cuts} | set(connectivity(tech).conductors)
    words |= {tech.roles.layer("pad")}
    return tuple(layer.name for layer in tech.layers if layer.name in words - derived)
