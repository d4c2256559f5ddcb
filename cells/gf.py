"""Our cells as gdsfactory components: the same frozen drawings, written into its layout.

gdsfactory caches by function name and arguments, not by what a function encloses; so all that
decides a drawing, the post-process profile included, is an argument here, and the names of
components follow from the arguments.
"""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import gdsfactory as gf
import klayout.db as db

from ..pdk import CrossStackError, ParameterError, Tech, get_tech
from .drawing import Cell, Port
from .registry import CELLS, draw_cell, parameters_of

ComponentFunction = Callable[..., gf.Component]

PORT_TYPE = "electrical"
_SIDES = {0: "E", 90: "N", 180: "W", 270: "S"}
#: longest name of a component; a longer one ends in a hash
_NAME_LENGTH = 64


def cells(profile: str) -> dict[str, ComponentFunction]:
    """Return every registered cell as a gdsfactory cell function whose default is `profile`."""
    return {name: bound(function, profile) for name, function in cell_functions().items()}


@lru_cache(maxsize=1)
def cell_functions() -> dict[str, ComponentFunction]:
    """Return one cached gdsfactory function per registered cell; `profile` is an argument."""
    return {name: _registered(name) for name in sorted(CELLS)}


def _registered(name: str) -> ComponentFunction:
    def draw(tech: Tech, component_name: str, **values: Any) -> gf.Component:
        return component(draw_cell(name, tech, **values), tech, component_name)

    function = CELLS[name]
    # what a `partial` draws is its second argument; its own docstring is that of `partial`
    documented = function.args[1] if isinstance(function, partial) else function
    return cell_function(name, draw, parameters_of(name), documented.__doc__)


def cell_function(
    name: str, draw: ComponentFunction, defaults: Mapping[str, Any], doc: str | None
) -> ComponentFunction:
    """Return a gdsfactory cell function; call it once per name.

    Args:
        name: name of the cell.
        draw: ``draw(tech, component_name, **parameters) -> Component``.
        defaults: the parameters that `draw` takes, and their defaults.
        doc: description.
    """

    def function(profile: str, **values: Any) -> gf.Component:
        given = {k: v for k, v in values.items() if v != defaults[k]}
        return draw(get_tech(profile), _name(name, profile, given), **values)

    _describe(function, name, doc, {"profile": inspect.Parameter.empty, **defaults})
    decorate = gf.cell(set_name=False, add_port_layers=False, snap_ports=False, basename=name)
    made: ComponentFunction = decorate(function)
    return made


def bound(function: ComponentFunction, profile: str) -> ComponentFunction:
    """Return `function` with a default profile, names checked and float noise removed."""
    known = [*inspect.signature(function).parameters]
    name = function.__name__

    def call(**values: Any) -> gf.Component:
        for key in values:
            if key not in known:
                raise ParameterError(key, values[key], f"{name} takes {', '.join(known)}")
        return function(**{key: _clean(v) for key, v in {"profile": profile, **values}.items()})

    rows = inspect.signature(function).parameters.values()
    _describe(call, name, function.__doc__, {p.name: p.default for p in rows} | {"profile": profile})
    return call


def _describe(
    function: ComponentFunction, name: str, doc: str | None, defaults: Mapping[str, Any]
) -> None:
    kind = inspect.Parameter.KEYWORD_ONLY
    rows = [inspect.Parameter(key, kind, default=value) for key, value in defaults.items()]
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    function.__signature__ = inspect.Signature(rows, return_annotation=gf.Component)  # type: ignore[attr-defined]


def _clean(value: Any) -> Any:
    """Return a length without float noise, so that 0.1 + 0.2 is the same cell as 0.3.

    Anything further off the grid than noise stays as it is, for the drawing to refuse.
    """
    if not isinstance(value, float):
        return value
    near = round(value, 3)
    return near if abs(near - value) < 1e-9 else value


def _name(name: str, profile: str, given: Mapping[str, Any]) -> str:
    """Return a name that says what differs from the defaults."""
    parts = [name, *([] if profile == get_tech().profile.name else [profile])]
    parts += [f"{key}{value}" for key, value in given.items()]
    full = "_".join(parts).replace(".", "p").replace("-", "m")
    if len(full) <= _NAME_LENGTH:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{full[: _NAME_LENGTH - 9]}_{digest}"


def component(
    cell: Cell, tech: Tech, name: str, made: Mapping[Cell, gf.Component] | None = None
) -> gf.Component:
    """Write a drawing into gdsfactory's layout, cell by cell; arrays stay arrays.

    Args:
        cell: what to write.
        tech: layer numbers.
        name: name of the component.
        made: cells below `cell` that exist as components.
    """
    known = dict(made or {})
    target = gf.Component(name=name)
    for rect in cell.rects:
        shapes = target.kdb_cell.shapes(_index(tech, rect.layer))
        shapes.insert(db.Box(rect.x1, rect.y1, rect.x2, rect.y2))
    for label in cell.labels:
        shapes = target.kdb_cell.shapes(_index(tech, label.layer))
        shapes.insert(db.Text(label.text, label.x, label.y))
    for p in cell.placements:
        if p.cell not in known:
            known[p.cell] = _child(p.cell, tech)
        trans = db.Trans(db.Trans.M90 if p.mirror_x else db.Trans.R0, db.Vector(p.x, p.y))
        repeat = {}
        if p.nx * p.ny > 1:
            repeat = {"a": db.Vector(p.dx, 0), "b": db.Vector(0, p.dy), "na": p.nx, "nb": p.ny}
        target.to_itype().create_inst(known[p.cell], trans, **repeat)
    _add_ports(target, cell.ports, tech)
    target.info.update(cell.info)
    if cell.netlist is not None:
        target.info["pins"] = list(cell.netlist.pins)
        target.info["devices"] = dict(Counter(d.model for d in cell.netlist.devices))
    return target


def _index(tech: Tech, layer: str) -> int:
    index: int = gf.kcl.layout.layer(*tech.gds(layer))
    return index


@lru_cache(maxsize=None)
def _child(cell: Cell, tech: Tech) -> gf.Component:
    """Return the component of a cell that no one asked for by name, such as an array's edge.

    Two arrays may hold different cells of one name, so the name ends in a hash of the contents.
    """
    made = component(cell, tech, f"{cell.name}_{hashlib.sha256(repr(cell).encode()).hexdigest()[:8]}")
    made.base.lock()
    return made


def _add_ports(target: gf.Component, ports: tuple[Port, ...], tech: Tech) -> None:
    """Add the ports; where a net has several, their sides are added to its name."""
    count = Counter(p.name for p in ports)
    for p in ports:
        name = p.name if count[p.name] == 1 else f"{p.name}_{_SIDES[p.orientation]}"
        # gdsfactory takes even widths only; an odd line's centre lies half a step low already
        width = p.width - p.width % 10 if p.width % 2 else p.width
        if width <= 0:
            raise CrossStackError(f"port {p.name}: width {p.width} dbu is too small for a port")
        target.add_port(
            name=name,
            center=(p.x * tech.dbu_um, p.y * tech.dbu_um),
            width=width * tech.dbu_um,
            orientation=p.orientation,
            layer=tech.gds(p.layer),
            port_type=PORT_TYPE,
        )
