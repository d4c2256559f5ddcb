"""Which rules of a large layout are tried in its hierarchy: in each cell once, not in each copy.

What is found there is enough to tell that there is nothing to find. That pays where what decides
about a marker lies near it: distances of wires, and wires about cuts. Rules that ask for the shapes
of a whole die, as how wide metal is or what a pad is joined to, are faster on the flat layout.
"""

from __future__ import annotations

from ..pdk import Tech
from ..pdk.model import Purpose
from .expr import Node

#: how far such a rule looks, um
_REACH_UM = 2.0
#: operations on what lies near
_LOCAL = frozenset(("layer", "and", "or", "not", "sized", "width", "space", "separation"))
_LOCAL |= {"enclosing", "pair_marks", "edge_marks", "edges", "second_edges", "angle", "length"}
_LOCAL |= {"start", "end", "middle", "outside_strip"}
#: operations that choose shapes by what they meet, for shapes that are small
_CHOICES = frozenset(("interacting", "not_interacting", "overlapping", "not_overlapping", "inside"))
#: operations whose shapes are no larger than the first ones that they take
_NO_LARGER = _CHOICES | {"not", "and", "edges", "angle", "length", "start", "end", "outside_strip"}


def in_hierarchy(node: Node, tech: Tech) -> bool:
    """Return whether a rule's expression is one that the hierarchy makes faster."""
    return node.range_um <= _REACH_UM and _local(node, tech)


def _local(node: Node, tech: Tech) -> bool:
    if node.op in _CHOICES:
        if not _small(node.args[0], tech):
            return False
    elif node.op not in _LOCAL:
        return False
    return all(_local(arg, tech) for arg in node.args)


def _small(node: Node, tech: Tech) -> bool:
    """Return whether the shapes of a node are cuts, edges of these, or short edges."""
    if node.op == "layer":
        return any(x.name == node.params[0] and x.purpose is Purpose.CUT for x in tech.layers)
    if node.op == "length" and node.params[1] is not None:
        return True
    if node.op == "or":
        return all(_small(arg, tech) for arg in node.args)
    return node.op in _NO_LARGER and _small(node.args[0], tech)
