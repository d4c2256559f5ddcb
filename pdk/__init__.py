"""Process: layers, films, rules, devices and the frozen `Tech` built from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base.errors import CrossStackError, FileError, ParameterError, TechError
from .ask import Ask, NoRuleError
from .conditions import Conditions
from .model import Layer, Module, Process, Profile, Purpose, Roles, Rule
from .tables import ProcessError
from .tech import (
    DEFAULT,
    Tech,
    default_module,
    default_process,
    default_profiles,
    get_tech,
    process_key,
    profile_names,
)

if TYPE_CHECKING:
    from gdsfactory.pdk import Pdk
    from gdsfactory.technology import LayerMap, LayerStack, LayerViews

    LABEL_OF: dict[str, str]
    LAYERS: tuple[Layer, ...]
    PROFILES: dict[str, Profile]
    PDK: Pdk
    LAYER: type[LayerMap]
    LAYER_STACK: LayerStack
    LAYER_VIEWS: LayerViews

__all__ = [
    "DEFAULT",
    "LABEL_OF",
    "LAYER",
    "LAYERS",
    "LAYER_STACK",
    "LAYER_VIEWS",
    "PDK",
    "PROFILES",
    "Ask",
    "Conditions",
    "CrossStackError",
    "FileError",
    "Layer",
    "Module",
    "NoRuleError",
    "ParameterError",
    "Process",
    "ProcessError",
    "Profile",
    "Purpose",
    "Roles",
    "Rule",
    "Tech",
    "TechError",
    "get_tech",
    "process_key",
    "profile_names",
]

_GDSFACTORY = frozenset({"PDK", "LAYER", "LAYER_STACK", "LAYER_VIEWS", "get_pdk"})


def _labels() -> dict[str, str]:
    return {
        x.name: x.label for x in (*default_process().layers, *default_module().layers) if x.label
    }


#: tables of the default process, read when they are asked for
_TABLES: dict[str, Callable[[], Any]] = {
    "LABEL_OF": _labels,
    "LAYERS": lambda: default_process().layers + default_module().layers,
    "PROFILES": default_profiles,
}


def __getattr__(name: str) -> Any:
    """Read a table of the default process, or import gdsfactory, which takes seconds."""
    if name in _TABLES:
        value = globals()[name] = _TABLES[name]()
        return value
    if name not in _GDSFACTORY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import gf

    return gf.get_pdk() if name == "PDK" else getattr(gf, name)
