"""Process: layers, films, rules, devices and the frozen `Tech` built from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import CrossStackError, FileError, ParameterError, TechError
from .layers import LABEL_OF, LAYERS, METALS, VIA_ABOVE, Layer, Purpose
from .profiles import PROFILES, Profile, get_profile
from .rules import Rule
from .tech import Tech, get_tech

if TYPE_CHECKING:
    from gdsfactory.pdk import Pdk

__all__ = [
    "LABEL_OF",
    "LAYERS",
    "METALS",
    "PROFILES",
    "VIA_ABOVE",
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
