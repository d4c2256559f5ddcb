"""gdsfactory's view of the process: layers, stack, views, cross-sections and the `Pdk`.

Everything here derives from `Tech`. Cells come from the entry points ``crossstack.cells``: this
room may not import those that draw, and a package of a user's own may add cells the same way.
Importing this module imports gdsfactory, which takes seconds: only `crossstack.pdk` names it,
and only when one of its values is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial, wraps
from importlib.metadata import entry_points, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gdsfactory as gf
from gdsfactory.pdk import Pdk
from gdsfactory.routing.factories import routing_strategies
from gdsfactory.technology import LayerLevel, LayerMap, LayerStack, LayerViews, LogicalLayer

from ..base.errors import CrossStackError, ParameterError
from .ask import Ask
from .home import DEFAULT
from .klayout_tech import lyp_text
from .solids import conductor_joins, solids_um
from .tech import Tech, get_tech, profile_names

PACKAGE = "crossstack"
#: entry points that give cells: functions ``cells(profile, process) -> {name: function}``
CELL_GROUP = "crossstack.cells"


def layer_map(tech: Tech) -> type[LayerMap]:
    """Return the layer table as a gdsfactory `LayerMap`."""
    members = {layer.name: layer.gds for layer in tech.layers}
    functional: Any = LayerMap  # an Enum's call with a name and members makes a class
    made: type[LayerMap] = functional("LAYER", {"layout": gf.constant(gf.kcl.layout), **members})
    return made


def layer_stack(tech: Tech, layers: type[LayerMap]) -> LayerStack:
    """Return every drawn layer that stays on the chip, with its height and material."""
    films = {film.name: film for film in (*tech.films, *tech.diffusions)}
    cuts = {cut.layer: cut for cut in tech.cuts}
    levels = {}
    for name, (bottom, top) in solids_um(tech).items():
        film, cut = films.get(name), cuts.get(name)
        info: dict[str, Any] = {"text": tech.layer(name).text}
        if film is not None:
            info |= {"source": film.source, "permittivity": film.permittivity}
            if film.sheet_ohm_sq is not None:
                info["sheet_ohm_sq"] = film.sheet_ohm_sq.typ
        elif cut is not None:
            info |= {"source": cut.source, "ohm": cut.ohm.typ}
        levels[name] = LayerLevel(
            name=name,
            layer=LogicalLayer(layer=getattr(layers, name)),
            thickness=round(top - bottom, 6),
            zmin=bottom,
            material=film.material
            if film
            else "Si"
            if name == tech.roles.layer("diffusion")
            else "plug",
            info=info,
        )
    return LayerStack(layers=levels)


def layer_views(tech: Tech) -> LayerViews:
    """Return colours and groups, read from the same text that KLayout gets."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{tech.name}.lyp"
        path.write_text(lyp_text(tech), encoding="utf-8")
        read = LayerViews(filepath=path)
    # the file's names are for people; in gdsfactory a view has the name of its layer
    names: dict[Any, str] = {layer.gds: layer.name for layer in tech.layers}
    for group in read.layer_views.values():
        views = {names[view.layer]: view for view in group.group_members.values()}
        for name, view in views.items():
            view.name = name
        group.group_members = views
    return read


def cross_sections(tech: Tech, layers: type[LayerMap]) -> dict[str, Callable[..., gf.CrossSection]]:
    """Return one cross-section per routing metal and electrode, as wide as the rules ask for."""
    ask, wires = Ask(tech), (*tech.roles.wires, *tech.module.electrodes)
    return {
        layer.lower(): _cross_section(layer, ask.width(layer), getattr(layers, layer))
        for layer in wires
    }


def _cross_section(layer: str, least_um: float, drawn: LayerMap) -> Callable[..., gf.CrossSection]:
    def wire(width: float = least_um, **settings: Any) -> gf.CrossSection:
        if width < least_um - 1e-9:
            raise ParameterError(f"width of {layer}", width, f"{least_um:g} um or more")
        settings = {"port_names": gf.cross_section.port_names_electrical, "radius": None} | settings
        return gf.cross_section.cross_section(
            width=width,
            layer=drawn,
            port_types=gf.cross_section.port_types_electrical,
            **settings,
        )

    wire.__name__ = layer.lower()
    wire.__doc__ = f"Wire in {layer}, {least_um:g} um wide or more."
    # `gf.xsection` would call it after the layer alone: what gdsfactory keeps of one process
    # would then be taken for another's. Its own name is a sum over width and layer.
    return wire


def cells(profile: str, process: str = DEFAULT) -> dict[str, Callable[..., gf.Component]]:
    """Return every cell that an installed package offers, by name.

    Raises:
        CrossStackError: if two packages offer cells of the same name.
    """
    found: dict[str, Callable[..., gf.Component]] = {}
    for point in sorted(entry_points(group=CELL_GROUP), key=lambda p: (p.name, p.value)):
        for name, function in point.load()(profile, process).items():
            if name in found:
                raise CrossStackError(f"two packages offer a cell named {name!r} ({point.value})")
            found[name] = function
    return found


def wires(
    tech: Tech, sections: Mapping[str, Callable[..., gf.CrossSection]]
) -> dict[str, Callable[..., gf.Component]]:
    """Return the pieces that gdsfactory's routers ask a PDK for, in a routing metal of ours.

    gdsfactory caches by arguments: the name of a cross-section would be that of every process, so
    the pieces get the cross-section itself.
    """
    pieces = (gf.components.straight, gf.components.wire_straight, gf.components.wire_corner)
    metal = tech.roles.land.lower()

    def of_process(piece: Callable[..., gf.Component]) -> Callable[..., gf.Component]:
        @wraps(piece)
        def drawn(*args: Any, cross_section: Any = metal, **settings: Any) -> gf.Component:
            if isinstance(cross_section, str) and cross_section in sections:
                cross_section = sections[cross_section]()
            return piece(*args, cross_section=cross_section, **settings)

        return drawn

    return {piece.__name__: of_process(piece) for piece in pieces}


def transitions(
    tech: Tech, layers: type[LayerMap], drawn: Mapping[str, Callable[..., gf.Component]]
) -> dict[Any, Callable[..., gf.Component]]:
    """Return what joins a port to a wire of another metal or width, for gdsfactory's routers.

    Args:
        tech: the process.
        layers: its layers.
        drawn: cells of the PDK; none of them draws a transition, no transitions.
    """
    draw = drawn.get("transition")
    if draw is None:
        return {}

    def between(low: str, high: str) -> Callable[..., gf.Component]:
        def joined(width1: float, width2: float) -> gf.Component:
            return draw(low=low, high=high, width1_um=width1, width2_um=width2)

        return joined

    found: dict[Any, Callable[..., gf.Component]] = {}
    metals = tech.roles.metals
    for k, low in enumerate(metals):
        found[getattr(layers, low)] = between(low, low)
        for high in metals[k + 1 :]:
            found[getattr(layers, low), getattr(layers, high)] = between(low, high)
    return found


def strategies(tech: Tech) -> dict[str, Callable[..., Any]]:
    """Return gdsfactory's own routing strategies, and one for wires in each metal.

    A wire below the metals, as local interconnect, has no transition to a port of another layer.
    """
    own = {
        f"route_{metal.lower()}": partial(
            gf.routing.route_bundle_electrical, cross_section=metal.lower()
        )
        for metal in tech.roles.metals
    }
    return {**routing_strategies, **own}


def get_pdk(process: str | Path = DEFAULT, profile: str = "") -> Pdk:
    """Return the PDK of a process whose cells default to one post-process profile.

    It is one object per process and profile; cells registered since the last call join it.

    Args:
        process: name of a process that comes with CrossStack, or the folder of another one.
        profile: a profile of it; by default its first.

    Raises:
        ParameterError, ProcessError: as `get_tech`.
    """
    tech = get_tech(profile, process)
    pdk = _pdk(tech.key, tech.profile.name, tech)
    known = cells(tech.profile.name, tech.key)
    later = {name: cell for name, cell in known.items() if name not in pdk.cells}
    if later:
        pdk.register_cells(**later)
    return pdk


@lru_cache(maxsize=8)
def _pdk(process: str, profile: str, tech: Tech) -> Pdk:
    default = profile == profile_names(process)[0]
    layers = LAYER if process == DEFAULT else layer_map(tech)
    sections = cross_sections(tech, layers)
    drawn = wires(tech, sections) | cells(profile, process)
    return Pdk(
        version=version(PACKAGE),
        name=tech.name if default else f"{tech.name}_{profile}",
        cells=drawn,
        cross_sections=sections,
        layers=layers,
        layer_stack=layer_stack(tech, layers),
        layer_views=layer_views(tech),
        connectivity=[*conductor_joins(tech)],
        layer_transitions=transitions(tech, layers, drawn),
        routing_strategies=strategies(tech),
        dbu=tech.dbu_um,
    )


LAYER = layer_map(get_tech())
LAYER_STACK = layer_stack(get_tech(), LAYER)
LAYER_VIEWS = layer_views(get_tech())
