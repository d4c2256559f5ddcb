"""Process: layers, films, rules, devices and the frozen `Tech` built from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import CrossStackError, FileError, ParameterError, TechError
from .conditions import Conditions
from .layers import LABEL_OF, LAYERS, METALS, VIA_ABOVE, Layer, Purpose
from .profiles import PROFILES, Profile, get_profile
from .rules import Rule
from .tech import Tech, get_tech

if TYPE_CHECKING:
    from gdsfactory.pdk import Pdk
    from gdsfactory.technology import LayerMap, LayerStack, LayerViews

    PDK: Pdk
    LAYER: type[LayerMap]
    LAYER_STACK: LayerStack
    LAYER_VIEWS: LayerViews

__all__ = [
    "LABEL_OF",
    "LAYER",
    "LAYERS",
    "LAYER_STACK",
    "LAYER_VIEWS",
    "METALS",
    "PDK",
    "PROFILES",
    "VIA_ABOVE",
    "Conditions",
    "CrossStackError",
    "FileError",
    "Layer",
    "ParameterError",
    "Profile",
    "Purpose",
    "Rule",
    "Tech",
    "TechError",
    "get_profile",
    "get_tech",
]

_GDSFACTORY = frozenset({"PDK", "LAYER", "LAYER_STACK", "LAYER_VIEWS", "get_pdk"})


def __getattr__(name: str) -> Any:
    """Import gdsfactory, which takes seconds, when one of its values is asked for."""
    if name not in _GDSFACTORY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import gf

    return gf.get_pdk() if name == "PDK" else getattr(gf, name)
