"""Our cells as gdsfactory components: the same frozen drawings, written into its layout.

gdsfactory caches by function name and arguments, not by what a function encloses; so all that
decides a drawing, the post-process profile included, is an argument here, and the names of
components follow from the arguments.
"""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import gdsfactory as gf
import klayout.db as db

from ..pdk import ParameterError, Tech, get_tech
from .drawing import Cell, Port
from .registry import CELLS, documented, draw_cell, load_installed, parameters_of

ComponentFunction = Callable[..., gf.Component]

PORT_TYPE = "electrical"
_SIDES = {0: "E", 90: "N", 180: "W", 270: "S"}
_LONG_SIDES = {0: "EAST", 90: "NORTH", 180: "WEST", 270: "SOUTH"}
#: longest name of a component; a longer one ends in a hash
_NAME_LENGTH = 64


def cells(profile: str) -> dict[str, ComponentFunction]:
    """Return every registered cell as a gdsfactory cell function whose default is `profile`."""
    return {name: bound(function, profile) for name, function in cell_functions().items()}


def cell_functions() -> dict[str, ComponentFunction]:
    """Return one cached gdsfactory function per registered cell; `profile` is an argument.

    Cells of installed packages are among them, and those that `register_cell` added so far.
    """
    load_installed()
    return {name: _registered(name, CELLS[name]) for name in sorted(CELLS)}


@cache
def _registered(name: str, function: Callable[..., Cell]) -> ComponentFunction:
    def draw(tech: Tech, component_name: str, **values: Any) -> gf.Component:
        return component(draw_cell(name, tech, **values), tech, component_name)

    text = documented(function).__doc__ or f"Draw {name}."
    return cell_function(name, draw, parameters_of(name), text)


def cell_function(
    name: str, draw: ComponentFunction, defaults: Mapping[str, Any], doc: str
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
        given = {"profile": profile, **values}
        return function(**{key: _clean(key, value) for key, value in given.items()})

    rows = inspect.signature(function).parameters.values()
    _describe(
        call, name, function.__doc__, {p.name: p.default for p in rows} | {"profile": profile}
    )
    return call


def _describe(
    function: ComponentFunction, name: str, doc: str | None, defaults: Mapping[str, Any]
) -> None:
    kind = inspect.Parameter.KEYWORD_ONLY
    rows = [inspect.Parameter(key, kind, default=value) for key, value in defaults.items()]
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    function.__signature__ = inspect.Signature(rows, return_annotation=gf.Component)  # type: ignore[attr-defined]


def _clean(key: str, value: Any) -> Any:
    """Return a length without float noise: 4, 4.0 and 3.9 + 0.1 are one cell, not three.

    Anything further off the grid than noise stays as it is, for the drawing to refuse.
    """
    if not key.endswith("_um") or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    near = round(float(value), 3)
    return near if abs(near - value) < 1e-9 else value


def _name(name: str, profile: str, given: Mapping[str, Any]) -> str:
    """Return a name that says what differs from the defaults."""
    parts = [name, *([] if profile == get_tech().profile.name else [profile])]
    parts += [f"{k}{v:g}" if isinstance(v, float) else f"{k}{v}" for k, v in given.items()]
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
        repeat: dict[str, Any] = {}
        if p.nx * p.ny > 1:
            repeat = {"a": db.Vector(p.dx, 0), "b": db.Vector(0, p.dy), "na": p.nx, "nb": p.ny}
        target.to_itype().create_inst(known[p.cell], trans, **repeat)
    _add_ports(target, cell.ports, tech)
    target.info.update({**cell.info})
    if cell.netlist is not None:
        target.info["pins"] = " ".join(cell.netlist.pins)
        target.info["devices"] = dict(Counter(d.model for d in cell.netlist.devices))
    return target


def _index(tech: Tech, layer: str) -> int:
    index: int = gf.kcl.layout.layer(*tech.gds(layer))
    return index


def _child(cell: Cell, tech: Tech) -> gf.Component:
    """Return the component of a cell that no one asked for by name, such as an array's edge.

    Two arrays may hold different cells of one name, so the name ends in a hash of the contents;
    equal contents are looked up in the layout itself, which a user may clear at any time.
    """
    name = f"{cell.name}_{hashlib.sha256(repr(cell).encode()).hexdigest()[:8]}"
    existing = gf.kcl.layout_cell(name)
    if existing is not None:
        found: gf.Component = gf.kcl.get_cell(existing.cell_index(), gf.Component)
        return found
    return component(cell, tech, name)


def _add_ports(target: gf.Component, ports: tuple[Port, ...], tech: Tech) -> None:
    """Add the ports; where a net has several, their sides are added to its name, then numbers.

    The side is written out where a letter would make another net's name: WT and WT_N are two nets.
    """
    of_net = Counter(p.name for p in ports)
    of_side = Counter((p.name, p.orientation) for p in ports)
    seen: Counter[tuple[str, int]] = Counter()
    for p in _apart(ports):
        key = (p.name, p.orientation)
        seen[key] += 1
        sides = _LONG_SIDES if any(f"{p.name}_{s}" in of_net for s in _SIDES.values()) else _SIDES
        side = f"_{sides[p.orientation]}" if of_net[p.name] > 1 else ""
        number = str(seen[key]) if of_side[key] > 1 else ""
        target.add_port(
            name=f"{p.name}{side}{number}",
            center=(p.x * tech.dbu_um, p.y * tech.dbu_um),
            width=p.width * tech.dbu_um,
            orientation=p.orientation,
            layer=tech.gds(p.layer),
            port_type=PORT_TYPE,
        )


def _apart(ports: tuple[Port, ...]) -> Iterator[Port]:
    """Yield ports as gdsfactory can tell them apart: no two on one place, widths even in dbu.

    It joins ports by place and width whatever their layers, so lines above each other, such as
    TR over BR, get a share of the edge each: the first the southern or western one.
    """
    places: dict[tuple[int, int, int, int], list[Port]] = defaultdict(list)
    for p in ports:
        places[p.x, p.y, p.width, p.orientation].append(p)
    for (x, y, width, orientation), group in places.items():
        share = width // len(group)
        for k, p in enumerate(group):
            along = round((k - (len(group) - 1) / 2) * share / 5) * 5
            dx, dy = (0, along) if orientation in (0, 180) else (along, 0)
            yield replace(p, x=x + dx, y=y + dy, width=share - share % 10)
