"""Whether films, cuts and current limits of a process and its module agree; see `check`."""

from __future__ import annotations

from collections.abc import Iterator

from ..base.errors import CrossStackError
from .arithmetic import evaluate
from .conditions import REFERENCE_C
from .films import stack
from .model import Cut, Film, Module, Process
from .module import Stand, replaced_by

#: what the heights of a manual may differ from the sum of the thicknesses by, um
_HEIGHT_UM = 1e-6
#: rules that every routing metal must have
METAL_RULES = ("width", "space")


def problems_of_warmth(
    base: Process, films: tuple[Film, ...], cuts: tuple[Cut, ...]
) -> Iterator[str]:
    """A resistance is positive wherever the process is said to hold."""
    for what, table in (("film", films), ("cut", cuts)):
        for each in table:
            for degrees in base.temperatures_c:
                if 1 + each.tcr_per_c * (degrees - REFERENCE_C) <= 0:
                    yield (
                        f"{what} {each.name}: tcr_per_c = {each.tcr_per_c:g} makes its resistance "
                        f"negative at {degrees:g} C, within temperatures_c ({what}s.csv)"
                    )


def problems_of_cuts(
    cuts: tuple[Cut, ...], films: tuple[Film, ...], layers: set[str]
) -> Iterator[str]:
    """Yield cuts whose layer or ends are not there, or in the wrong order."""
    conductors = {film.name for film in films if film.sheet_ohm_sq is not None}
    # how high they lie is told of the films; those without a thickness are in the silicon
    order = {film.name: k * (film.thickness_um > 0) for k, film in enumerate(films, 1)}
    for cut in cuts:
        if cut.layer not in layers:
            yield f"cut {cut.name}: {cut.layer!r} is no layer (layers.csv)"
        ends = [end for end in (cut.lower, cut.upper) if end not in conductors]
        yield from (
            f"cut {cut.name} ends on {end!r}, which is no conductor (films.csv)" for end in ends
        )
        if not ends and order[cut.upper] <= order[cut.lower]:
            yield f"cut {cut.name}: {cut.upper} does not lie above {cut.lower} (order of films.csv)"


def problems_of_heights(films: tuple[Film, ...]) -> Iterator[str]:
    """Yield films that do not lie where a manual says."""
    found = stack(films)
    for film in films:
        bottom = found[film.name][0]
        if film.bottom_um is not None and abs(bottom - film.bottom_um) > _HEIGHT_UM:
            yield (
                f"{film.name} lies at {bottom:g} um by the films below it, at "
                f"{film.bottom_um:g} um by its bottom_um (films.csv): heights are not contiguous"
            )
    if films and films[-1].shares_bottom:
        yield f"{films[-1].name} shares its bottom with the next film, but is the last (films.csv)"


def problems_of_conductors(films: tuple[Film, ...], limits: set[str]) -> Iterator[str]:
    """Yield films that are neither conductors nor insulators, or both, or have no limit."""
    for film in films:
        if film.sheet_ohm_sq is None and film.permittivity is None:
            yield f"film {film.name} has neither sheet resistance nor permittivity (films.csv)"
        if film.sheet_ohm_sq is not None and film.permittivity is not None:
            yield f"film {film.name} has a sheet resistance and a permittivity (films.csv)"
        if film.sheet_ohm_sq is not None and film.thickness_um and film.name not in limits:
            yield f"{film.name} has no current limit (limits.csv)"
        if not film.thickness_um and film.sheet_ohm_sq is None:
            yield f"film {film.name} has no thickness and no sheet resistance (films.csv)"


def problems_of_cut_limits(cuts: tuple[Cut, ...], limits: set[str]) -> Iterator[str]:
    """Yield cuts without a current limit."""
    yield from (
        f"{c.name} has no current limit per cut (limits.csv)" for c in cuts if c.name not in limits
    )


def problems_of_limit_expressions(base: Process, standing: Stand) -> Iterator[str]:
    """What a limit of the module is made of; see `electromigration`."""
    in_place = {cut.name for cut in standing.cuts if replaced_by(cut, base)}
    for name, expression, per_cut, _ in standing.limits:
        known = ["density", *(("wire", "side") if per_cut else ("thickness",))]
        known += ["replaced"] if name in in_place else []
        try:
            if not evaluate(expression, dict.fromkeys(known, 1.0)) > 0:
                yield f"limit of {name}: {expression} is not above 0 (limits.csv)"
        except CrossStackError as error:
            yield f"limit of {name}: {error} (limits.csv)"


def problems_of_module_limits(base: Process, module: Module, standing: Stand) -> Iterator[str]:
    """A limit of the module is one of its own films or cuts, once, per what it is."""
    films = {film.name for film in module.films if film.sheet_ohm_sq is not None}
    cuts, seen = {cut.name for cut in standing.cuts}, set()
    for name, _, per_cut, _ in standing.limits:
        if name not in films | cuts:
            yield f"limit of {name}: no conductor or cut of the module (limits.csv)"
        elif per_cut != (name in cuts):
            allowed = "cut" if name in cuts else "um"
            yield f"limit of {name}: per, allowed: {allowed} (limits.csv)"
        if name in seen:
            yield f"limit of {name} is there twice (limits.csv)"
        seen.add(name)


def problems_of_electrodes(module: Module, standing: Stand) -> Iterator[str]:
    """An electrode of the module's own is reached by a cut, and has a rule on width and space."""
    own = {film.name for film in module.films}
    reached = {end for cut in standing.cuts for end in (cut.lower, cut.upper)}
    rules = {(rule.kind, rule.layers) for rule in standing.rules}
    for name in module.electrodes:
        if name not in own:
            continue
        if name not in reached:
            yield f"electrode {name} is reached by no cut (cuts.csv)"
        for kind in METAL_RULES:
            if (kind, (name,)) not in rules:
                yield f"{name} has no rule of kind {kind} (rules.csv)"
    names = {layer.name: layer for layer in module.layers}
    for name in module.electrodes:
        if name in names and not names[name].label:
            yield f"{name} has no label layer (layers.csv)"
