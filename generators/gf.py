"""Arrays and macros as gdsfactory components."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache, lru_cache
from typing import Any

import gdsfactory as gf

from ..cells import Cell, parameters_of
from ..cells.describe import Parameter, parameters_from
from ..cells.drawing import walk
from ..cells.gf import Recipe, bound, cell_function, cell_functions, component, own_wires, part_of
from ..pdk import DEFAULT, ParameterError, Tech, get_tech
from . import build_top
from .array import Array
from .spec import ArraySpec, array_defaults

ARRAY, PART = "crossbar_array", "crossbar_part"
#: what decides a component otherwise: its profile is an argument of every cell, its name follows
_NOT_ASKED = frozenset({"profile", "process", "name"})
_ARRAY_DOC = """Draw an array, a macro or a test chip, as `crossstack generate` does.

Raises:
    ParameterError: for any value outside its range.
"""
_PART_DOC = """Draw one of the cells that an array, a macro or a test chip is made of.

Netlists name these cells so, and can be read back; the other parameters are those of the array.

Raises:
    ParameterError: for any value outside its range, or a cell that the array does not hold.
"""
_PART_TEXT = "name of the cell, such as row_end, column_switch or the array's own wires."


def cells(profile: str, process: str = DEFAULT) -> dict[str, Callable[..., gf.Component]]:
    """Return the generators as gdsfactory cell functions with these defaults."""
    cell = array_defaults(get_tech(profile, process))["cell"]
    other = {} if cell == ArraySpec.cell else {"cell": cell}
    return {
        name: bound(function, profile, process, **other) for name, function in _functions().items()
    }


@cache
def _functions() -> dict[str, Callable[..., gf.Component]]:
    defaults = {f.name: f.default for f in fields(ArraySpec) if f.name not in _NOT_ASKED}
    known = parameters_from(ArraySpec, defaults)
    which = Parameter("part", "row_end", str, _PART_TEXT)
    return {
        ARRAY: cell_function(ARRAY, _draw, known, _ARRAY_DOC),
        PART: cell_function(PART, _draw_part, (which, *known), _PART_DOC, cached=False),
    }


def _draw(tech: Tech, component_name: str, **values: Any) -> gf.Component:
    spec = _spec(tech, values)
    array = _built(spec)
    made = component(
        array.cell, tech, component_name, {array.unit: _unit(array)}, _recipe(tech, values)
    )
    made.info["tiers"] = len(spec.tiers)
    return made


def _draw_part(tech: Tech, component_name: str, *, part: str, **values: Any) -> gf.Component:
    del component_name  # a part's name follows from its contents, whichever array it is of
    found = {cell.name: cell for cell in _parts(_built(_spec(tech, values)))}
    if part not in found:
        raise ParameterError("part", part, "one of " + ", ".join(sorted(found)))
    return part_of(found[part], tech, _recipe(tech, values))


def _spec(tech: Tech, values: dict[str, Any]) -> ArraySpec:
    return ArraySpec(profile=tech.profile.name, process=tech.key, **values)


@lru_cache(maxsize=8)
def _built(spec: ArraySpec) -> Array:
    """Return what a spec asks for; the parts of one chip are asked for one by one."""
    return build_top(spec)


def _recipe(tech: Tech, values: dict[str, Any]) -> Recipe:
    asked = {f.name: f.default for f in fields(ArraySpec)}
    given = {key: value for key, value in values.items() if value != asked[key]}
    return Recipe(PART, {"profile": tech.profile.name, "process": tech.key, **given})


def _parts(array: Array) -> Iterator[Cell]:
    for cell in walk(array.cell):
        if cell is not array.cell:
            yield cell
        wires = own_wires(cell)
        if wires is not None:
            yield wires


def _unit(array: Array) -> gf.Component:
    """Return the unit cell as the component that its parameters ask for."""
    known = parameters_of(array.unit.name)  # a cell without transistors has no select width
    given = {key: value for key, value in array.spec.cell_values().items() if key in known}
    return bound(cell_functions()[array.unit.name], array.spec.profile, array.spec.process)(**given)
