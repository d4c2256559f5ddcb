"""What conducts and what joins it, as data built from the technology.

Names of conductors and cuts are those of `Tech`: films (``Metal1``, ``BE``, ``nsd``) and
cuts (``Via1``, ``Contact_poly``), so that whoever asks a net for its polygons finds the
sheet resistance of each layer under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as db

from ..pdk import LABEL_OF, TechError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..pdk import Tech

#: Global net of the p-substrate; it only becomes VSS through a p-tap that is drawn.
SUBSTRATE = "SUBSTRATE"

#: Drawn opening of the foundry's passivation.
OPENING = "Pad"

#: Derived layers in order: a chain of drawn or derived layers, worked off left to right.
#: An electrode crossing that no film covers is metal on metal: it conducts.
DERIVED: tuple[tuple[str, str], ...] = (
    ("gate", "COMP & Poly2"),
    ("ngate", "gate & Nplus - Nwell"),
    ("pgate", "gate & Pplus & Nwell"),
    ("diffusion", "COMP - Poly2"),
    ("nsd", "diffusion & Nplus - Nwell"),
    ("psd", "diffusion & Pplus & Nwell"),
    ("ptap", "diffusion & Pplus - Nwell"),
    ("ntap", "diffusion & Nplus & Nwell"),
    ("n_any", "nsd | ntap"),
    ("p_any", "psd | ptap"),
    ("Contact_nsd", "Contact & n_any"),
    ("Contact_psd", "Contact & p_any"),
    ("Contact_poly", "Contact & Poly2"),
    ("crossing_B", "BE & ME"),
    ("crossing_T", "TE & ME"),
    ("memristor_bottom", "crossing_B & TIO2_B & TIO2X_B"),
    ("memristor_top", "crossing_T & TIO2_T & TIO2X_T"),
    ("bare_B", "crossing_B - TIO2_B - TIO2X_B"),
    ("bare_T", "crossing_T - TIO2_T - TIO2X_T"),
)

#: Joins that are not a cut of `Tech`: taps share the contacts of their diffusion type, and
#: bare crossings short the two electrodes.
EXTRA_LINKS: tuple[tuple[str, str], ...] = (
    ("Contact_nsd", "ntap"),
    ("Contact_psd", "ptap"),
    ("bare_B", "BE"),
    ("bare_B", "ME"),
    ("bare_T", "TE"),
    ("bare_T", "ME"),
)

#: Regions of the silicon that conduct without being films of the stack.
SILICON: tuple[str, ...] = ("nsd", "psd", "ptap", "ntap", "Nwell")


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
    silicon: tuple[str, ...] = SILICON


def connectivity(tech: Tech) -> Connectivity:
    """Return the connectivity of a technology."""
    cuts = tuple(cut.name for cut in tech.cuts)
    ends = [name for cut in tech.cuts for name in (cut.lower, cut.upper)]
    conductors = tuple(dict.fromkeys([*SILICON, *ends, "bare_B", "bare_T"]))
    links = [(cut.name, end) for cut in tech.cuts for end in (cut.lower, cut.upper)]
    labels = tuple((name, label) for name, label in LABEL_OF.items() if name in conductors)
    return Connectivity(conductors, cuts, (*links, *EXTRA_LINKS), labels)


def evaluate(expression: str, regions: Mapping[str, db.Region]) -> db.Region:
    """Return the region of a chain such as ``"COMP & Nplus - Nwell"``, left to right.

    Raises:
        TechError: if a name is not among `regions`.
    """
    first, *rest = expression.split()
    for name in (first, *rest[1::2]):
        if name not in regions:
            raise TechError(f"layer {name!r} in {expression!r} is not drawn nor derived before it")
    result = regions[first]
    for operator, name in zip(rest[::2], rest[1::2], strict=True):
        other = regions[name]
        if operator == "&":
            result = result & other
        elif operator == "-":
            result = result - other
        else:
            result = result | other
    return result


def drawn_layers(tech: Tech) -> tuple[str, ...]:
    """Return the drawn layers that connectivity, devices and checks are built from."""
    derived = {name for name, _ in DERIVED}
    words = {word for _, text in DERIVED for word in text.split()[::2]}
    words |= {cut.layer for cut in tech.cuts} | set(connectivity(tech).conductors) | {OPENING}
    return tuple(layer.name for layer in tech.layers if layer.name in words - derived)
