"""Process: layers, films, rules, devices and the frozen `Tech` built from them.

Names are loaded on first use, so that a command which needs no process pays for none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base.lazy import loader

if TYPE_CHECKING:
    from gdsfactory.pdk import Pdk
    from gdsfactory.technology import LayerMap, LayerStack, LayerViews

    from ..base.errors import CrossStackError, FileError, ParameterError, TechError
    from .ask import Ask, NoRuleError
    from .conditions import Conditions
    from .home import DEFAULT, process_key
    from .model import Layer, Module, Process, Profile, Purpose, Roles, Rule
    from .tables import ProcessError
    from .tech import Tech, get_tech, profile_names

    LABEL_OF: dict[str, str]
    LAYERS: tuple[Layer, ...]
    PROFILES: dict[str, Profile]
    PDK: Pdk
    LAYER: type[LayerMap]
    LAYER_STACK: LayerStack
    LAYER_VIEWS: LayerViews

_HOME = {
    "..base.errors": ("CrossStackError", "FileError", "ParameterError", "TechError"),
    ".ask": ("Ask", "NoRuleError"),
    ".conditions": ("Conditions",),
    ".home": ("DEFAULT", "process_key"),
    ".model": ("Layer", "Module", "Process", "Profile", "Purpose", "Roles", "Rule"),
    ".tables": ("ProcessError",),
    ".tech": ("Tech", "get_tech", "profile_names"),
}

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
    from .tech import default_module, default_process

    layers = (*default_process().layers, *default_module().layers)
    return {x.name: x.label for x in layers if x.label}


def _layers() -> tuple[Layer, ...]:
    from .tech import default_module, default_process

    return default_process().layers + default_module().layers


def _profiles() -> dict[str, Profile]:
    from .tech import default_profiles

    return default_profiles()


#: tables of the default process, read when they are asked for
_TABLES: dict[str, Callable[[], Any]] = {
    "LABEL_OF": _labels,
    "LAYERS": _layers,
    "PROFILES": _profiles,
}


_named = loader(__name__, _HOME)


def __getattr__(name: str) -> Any:
    """Load what a name stands for; gdsfactory takes seconds, and only for what is made of it."""
    if name in _TABLES:
        value = globals()[name] = _TABLES[name]()
        return value
    if name in _GDSFACTORY:
        from . import gf

        return gf.get_pdk() if name == "PDK" else getattr(gf, name)
    return _named(name)
