"""Arrays and macros as gdsfactory components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any

import gdsfactory as gf

from ..cells import parameters_of
from ..cells.gf import bound, cell_function, cell_functions, component
from ..pdk import Tech
from . import build_top
from .array import Array
from .spec import ArraySpec

#: what decides a component otherwise: its profile is an argument of every cell, its name follows
_NOT_ASKED = frozenset({"profile", "name"})


def cells(profile: str) -> dict[str, Callable[..., gf.Component]]:
    """Return the generators as gdsfactory cell functions whose default is `profile`."""
    return {"crossbar_array": bound(_crossbar(), profile)}


@cache
def _crossbar() -> Callable[..., gf.Component]:
    defaults = {f.name: f.default for f in fields(ArraySpec) if f.name not in _NOT_ASKED}
    return cell_function(
        "crossbar_array", _draw, defaults, "Draw an array or a macro (`ArraySpec`)."
    )


def _draw(tech: Tech, component_name: str, **values: Any) -> gf.Component:
    spec = ArraySpec(profile=tech.profile.name, **values)
    array = build_top(spec)
    made = component(array.cell, tech, component_name, {array.unit: _unit(array)})
    made.info["tiers"] = len(spec.tiers)
    return made


def _unit(array: Array) -> gf.Component:
    """Return the unit cell as the component that its parameters ask for."""
    known = parameters_of(array.unit.name)  # a cell without transistors has no select width
    given = {key: value for key, value in array.spec.cell_values().items() if key in known}
    return bound(cell_functions()[array.unit.name], array.spec.profile)(**given)
