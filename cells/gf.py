"""Our cells as gdsfactory components: the same frozen drawings, written into its layout.

gdsfactory caches by function name and arguments, not by what a function encloses; so all that
decides a drawing, process and post-process profile included, is an argument here, and the names of
components follow from the arguments.
"""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import gdsfactory as gf
import klayout.db as db
from kfactory.settings import KCellSettings

from ..pdk import DEFAULT, ParameterError, Tech, get_tech, profile_names
from .describe import Parameter, docstring
from .drawing import Cell, Placement, Port
from .registry import CELLS, described, documented, draw_cell, load_installed, offered

ComponentFunction = Callable[..., gf.Component]

PORT_TYPE = "electrical"
_SIDES = {0: "E", 90: "N", 180: "W", 270: "S"}
_LONG_SIDES = {0: "EAST", 90: "NORTH", 180: "WEST", 270: "SOUTH"}
_PROFILE = "post-process profile of the process."
_PROCESS = "foundry base: a name, or the folder of one of your own."
#: longest name of a component; a longer one ends in a hash
_NAME_LENGTH = 64


def cells(profile: str, process: str = DEFAULT) -> dict[str, ComponentFunction]:
    """Return every registered cell as a gdsfactory cell function with these defaults."""
    functions = cell_functions()
    names = offered(get_tech(profile, process))
    return {name: bound(functions[name], profile, process) for name in sorted(names)}


def cell_functions() -> dict[str, ComponentFunction]:
    """Return one cached gdsfactory function per registered cell; profile and process are arguments.

    Cells of installed packages are among them, and those that `register_cell` added so far.
    """
    load_installed()
    return {name: _registered(name, CELLS[name]) for name in sorted(CELLS)}


@dataclass(frozen=True)
class Recipe:
    """How the cells below a component are made again, for netlists that are read back.

    Attributes:
        function: cell function of the PDK; besides the settings it takes ``part``, the cell's name.
        settings: its other settings.
    """

    function: str
    settings: Mapping[str, Any]


@cache
def _registered(name: str, function: Callable[..., Cell]) -> ComponentFunction:
    def draw(tech: Tech, component_name: str, **values: Any) -> gf.Component:
        return component(draw_cell(name, tech, **values), tech, component_name)

    text = documented(function).__doc__ or f"Draw {name}."
    return cell_function(name, draw, described(name), text)


def cell_function(
    name: str,
    draw: ComponentFunction,
    parameters: Sequence[Parameter],
    doc: str,
    *,
    cached: bool = True,
) -> ComponentFunction:
    """Return a gdsfactory cell function; call it once per name.

    Args:
        name: name of the cell.
        draw: ``draw(tech, component_name, **parameters) -> Component``.
        parameters: the parameters that `draw` takes.
        doc: docstring whose text and ``Raises`` are taken over.
        cached: let gdsfactory keep what was drawn; False for a `draw` that names and keeps it.
    """
    defaults = {p.name: p.default for p in parameters}
    rows = (
        Parameter("profile", inspect.Parameter.empty, str, _PROFILE),
        Parameter("process", inspect.Parameter.empty, str, _PROCESS),
        *parameters,
    )

    def function(profile: str, process: str, **values: Any) -> gf.Component:
        given = {k: v for k, v in values.items() if v != defaults[k]}
        tech = get_tech(profile, process)
        return draw(tech, _name(name, tech, given), **{**defaults, **values})

    function.__name__ = function.__qualname__ = name
    function.__doc__ = docstring(doc, rows, "The drawn component, with its ports.")
    kind = inspect.Parameter.KEYWORD_ONLY
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(p.name, kind, default=p.default, annotation=p.annotation) for p in rows],
        return_annotation=gf.Component,
    )
    if not cached:
        return function
    decorate = gf.cell(set_name=False, add_port_layers=False, snap_ports=False, basename=name)
    made: ComponentFunction = decorate(function)
    return made


def bound(
    function: ComponentFunction, profile: str, process: str, **defaults: Any
) -> ComponentFunction:
    """Return `function` with default profile and process, names checked, float noise removed.

    Args:
        function: of any process.
        profile: default profile.
        process: default process.
        defaults: of its other parameters, where the process asks for others than the usual.
    """
    bases = {"profile": profile, "process": process, **defaults}
    signature = inspect.signature(function)
    known = [*signature.parameters]
    name = function.__name__

    def call(**values: Any) -> gf.Component:
        for key in values:
            if key not in known:
                raise ParameterError.unknown(key, values[key], known, f"parameter of {name}")
        given = {**bases, **values}
        return function(**{key: _clean(key, value) for key, value in given.items()})

    call.__name__ = call.__qualname__ = name
    call.__doc__ = function.__doc__
    rows = [
        p.replace(default=bases[p.name]) if p.name in bases else p
        for p in signature.parameters.values()
    ]
    call.__signature__ = signature.replace(parameters=rows)  # type: ignore[attr-defined]
    return call


def _clean(key: str, value: Any) -> Any:
    """Return a length without float noise: 4, 4.0 and 3.9 + 0.1 are one cell, not three.

    Anything further off the grid than noise stays as it is, for the drawing to refuse.
    """
    if not key.endswith("_um") or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    near = round(float(value), 3)
    return near if abs(near - value) < 1e-9 else value


def _name(name: str, tech: Tech, given: Mapping[str, Any]) -> str:
    """Return a name that says what differs from the defaults."""
    parts, profile = [name], tech.profile.name
    if tech.key != DEFAULT:
        own = tech.key != tech.process.name  # a folder: two may hold processes of one name
        digest = hashlib.sha256(tech.key.encode()).hexdigest()[:6]
        parts.append(f"{tech.process.name}_{digest}" if own else tech.process.name)
    parts += [] if profile == profile_names(tech.key)[0] else [profile]
    parts += [f"{k}{v:g}" if isinstance(v, float) else f"{k}{v}" for k, v in given.items()]
    full = "_".join(parts).replace(".", "p").replace("-", "m")
    if len(full) <= _NAME_LENGTH:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{full[: _NAME_LENGTH - 9]}_{digest}"


def component(
    cell: Cell,
    tech: Tech,
    name: str,
    made: Mapping[Cell, gf.Component] | None = None,
    recipe: Recipe | None = None,
) -> gf.Component:
    """Write a drawing into gdsfactory's layout, cell by cell; arrays stay arrays.

    What a cell that holds others draws itself becomes a cell, too (`own_wires`).

    Args:
        cell: what to write.
        tech: layer numbers.
        name: name of the component.
        made: cells below `cell` that exist as components.
        recipe: how the other cells below `cell` are made again.
    """
    known = dict(made or {})
    target = gf.Component(name=name)
    wires = own_wires(cell)
    if wires is not None:
        cell = replace(cell, rects=(), placements=(Placement(wires, 0, 0), *cell.placements))
    for rect in cell.rects:
        shapes = target.kdb_cell.shapes(_index(tech, rect.layer))
        shapes.insert(db.Box(rect.x1, rect.y1, rect.x2, rect.y2))
    for label in cell.labels:
        shapes = target.kdb_cell.shapes(_index(tech, tech.label_of.get(label.layer, label.layer)))
        shapes.insert(db.Text(label.text, label.x, label.y))
    for p in cell.placements:
        if p.cell not in known:
            known[p.cell] = part_of(p.cell, tech, recipe)
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


def own_wires(cell: Cell) -> Cell | None:
    """Return what a cell draws itself around the cells in it, None where that is nothing.

    A netlist of gdsfactory holds placed cells and no shapes. As a cell of their own, the wires are
    in it, and the ports that lie on them belong to something there.
    """
    if not cell.placements or not cell.rects:
        return None
    ports = tuple(p for p in cell.ports if not any(_meets(q, p) for q in cell.placements))
    return Cell(f"{cell.name}_wires", cell.rects, ports=ports)


def _meets(place: Placement, port: Port) -> bool:
    """Return whether a port of a placed cell lies where `port` does."""
    sign = -1 if place.mirror_x else 1
    return any(
        q.width == port.width
        and _is_step(port.x - place.x - sign * q.x, place.dx, place.nx)
        and _is_step(port.y - place.y - q.y, place.dy, place.ny)
        for q in place.cell.ports
    )


def _is_step(distance: int, pitch: int, count: int) -> bool:
    return distance in range(0, pitch * count, pitch) if pitch else distance == 0


def part_of(cell: Cell, tech: Tech, recipe: Recipe | None) -> gf.Component:
    """Return the component of a cell that no one asked for by name, such as an array's edge.

    Two arrays may hold different cells of one name, so the name ends in a hash of the contents,
    and of the process, whose layer numbers may be others;
    equal contents are looked up in the layout itself, which a user may clear at any time.
    """
    contents = repr(cell) if tech.key == DEFAULT else f"{tech.key} {cell!r}"
    name = f"{cell.name}_{hashlib.sha256(contents.encode()).hexdigest()[:8]}"
    existing = gf.kcl.layout_cell(name)
    if existing is not None:
        found: gf.Component = gf.kcl.get_cell(existing.cell_index(), gf.Component)
        return found
    made = component(cell, tech, name, recipe=recipe)
    if recipe is not None:
        made.function_name = recipe.function
        made.settings = KCellSettings(part=cell.name, **recipe.settings)
    return made


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
