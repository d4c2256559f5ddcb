"""Layers that rules name: drawn ones, ``layer/datatype`` pairs, and those derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..pdk import Tech, TechError
from ..pdk.regions import build
from .expr import Node, layer


def derived(tech: Tech) -> Mapping[str, Node]:
    """Return the derived layers of a process by name: gates, taps, wells' contents, crossings."""
    return _built(tech.nets.ruled)


@lru_cache(maxsize=8)
def _built(texts: tuple[tuple[str, str], ...]) -> Mapping[str, Node]:
    found: dict[str, Node] = {}
    for name, text in texts:
        found[name] = build(text, lambda word: found[word] if word in found else layer(word))
    return found


def resolve(name: str, tech: Tech) -> Node:
    """Return the node of a drawn layer, a ``layer/datatype`` pair or a derived layer.

    Raises:
        TechError: if the name is none of these.
    """
    known = derived(tech)
    if name in known:
        return known[name]
    if "/" not in name:
        tech.layer(name)
    elif not all(part.isascii() and part.isdecimal() for part in name.split("/", 1)):
        raise TechError(f"layer {name!r} is not layer/datatype")
    return layer(name)
