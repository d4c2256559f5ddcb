"""Derived layers that rules name: gates, taps, wells' contents, crossings."""

from __future__ import annotations

from collections.abc import Callable

from ..pdk import Tech, TechError
from .expr import Node, layer


def _all(*names: str) -> Node:
    node = layer(names[0])
    for name in names[1:]:
        node = node | layer(name)
    return node


def _ncomp() -> Node:
    return layer("COMP") & layer("Nplus")


def _pcomp() -> Node:
    return layer("COMP") & layer("Pplus")


def _gate() -> Node:
    return layer("Poly2") & layer("COMP")


def _only_n() -> Node:
    return _ncomp() - layer("Pplus")


def _only_p() -> Node:
    return _pcomp() - layer("Nplus")


_NWELL_NEAR_UM = 0.43 - 0.001  # a tap at 0.43 from the well is not near it

_MODULE = ("VBE", "BE", "TIO2_B", "TIO2X_B", "VME", "ME", "TIO2_T", "TIO2X_T", "VTE", "TE")
_CIRCUIT = ("Nwell", "COMP", "Poly2", "Metal1", "Metal2", "Metal3", "Metal4", "Metal5")

DERIVED: dict[str, Callable[[], Node]] = {
    "ncomp": _ncomp,
    "pcomp": _pcomp,
    "gate": _gate,
    "ngate": lambda: layer("Nplus") & _gate(),
    "pgate": lambda: layer("Pplus") & _gate(),
    "ntap": lambda: _ncomp().overlapping(layer("Nwell")),
    "ntap_near_edge": lambda: (
        _ncomp().overlapping(layer("Nwell"))
        - _ncomp().inside(layer("Nwell").sized(-_NWELL_NEAR_UM))
    ),
    "ptap": lambda: _pcomp().not_overlapping(layer("Nwell")),
    "ptap_near_nwell": lambda: (
        _pcomp().not_overlapping(layer("Nwell")).interacting(layer("Nwell").sized(_NWELL_NEAR_UM))
    ),
    "ncomp_outside": lambda: _ncomp().not_overlapping(layer("Nwell")),
    "pcomp_in_nwell": lambda: _pcomp().overlapping(layer("Nwell")),
    "butting": lambda: _only_n().edges() & _only_p().edges(),
    "pcomp_butting": lambda: _only_p().edges() & _only_n().edges(),
    "ncomp_butted": lambda: _ncomp().interacting(_pcomp()),
    "pcomp_butted": lambda: _pcomp().interacting(_ncomp()),
    "implant": lambda: _all("Nplus", "Pplus"),
    "comp_or_poly": lambda: _all("COMP", "Poly2"),
    "contact_poly": lambda: layer("Contact").overlapping(layer("Poly2")),
    "contact_comp": lambda: layer("Contact").overlapping(layer("COMP")),
    "contact_ncomp_butted": lambda: layer("Contact").overlapping(_ncomp().interacting(_pcomp())),
    "contact_pcomp_butted": lambda: layer("Contact").overlapping(_pcomp().interacting(_ncomp())),
    "circuit_inside": lambda: _all(*_CIRCUIT).not_overlapping(layer("GUARD_RING_MK")),
    "pad_metal": lambda: layer("Metal5").interacting(layer("Pad")),
    "other_metal": lambda: layer("Metal5").not_interacting(layer("Pad")),
    "pad_via": lambda: layer("Via4").interacting(layer("Metal5").interacting(layer("Pad"))),
    "crossing_B": lambda: layer("BE") & layer("ME"),
    "crossing_T": lambda: layer("ME") & layer("TE"),
    "crossing": lambda: (layer("BE") & layer("ME")) | (layer("ME") & layer("TE")),
    "oxide": lambda: _all("TIO2_B", "TIO2X_B", "TIO2_T", "TIO2X_T"),
    "module": lambda: _all(*_MODULE),
}


def resolve(name: str, tech: Tech) -> Node:
    """Return the node of a drawn layer, a ``layer/datatype`` pair or a derived layer.

    Raises:
        TechError: if the name is none of these.
    """
    if name in DERIVED:
        return DERIVED[name]()
    if "/" not in name:
        tech.layer(name)
    elif not all(part.isdigit() for part in name.split("/", 1)):
        raise TechError(f"layer {name!r} is not layer/datatype")
    return layer(name)
