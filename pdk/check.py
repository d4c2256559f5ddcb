"""Whether the tables of a process agree: nothing missing, nothing dangling, nothing twice.

A process that is not complete is refused by name of what is missing, before anything is drawn;
otherwise a metal without a film would be left out of the resistances without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from .check_bodies import problems_of_bodies, problems_of_stack
from .check_grid import problems_of_grid, problems_of_lengths, problems_of_profiles
from .check_layers import (
    derived_layers,
    problems_of_labels,
    problems_of_module_roles,
    problems_of_names,
    problems_of_regions,
    problems_of_roles,
    problems_of_rule_layers,
)
from .check_nets import problems_of_kinds, problems_of_nets
from .check_ron import problems_of_ron
from .check_stack import (
    METAL_RULES,
    problems_of_conductors,
    problems_of_cut_limits,
    problems_of_cuts,
    problems_of_electrodes,
    problems_of_heights,
    problems_of_limit_expressions,
    problems_of_module_limits,
    problems_of_warmth,
)
from .model import Module, Process, Purpose
from .module import TIERS, Stand, placed
from .programs import nets
from .tables import ProcessError


def refuse_incomplete(base: Process, *, measured: bool = True) -> None:
    """Raise unless a base process is complete.

    Args:
        base: the process.
        measured: False for one whose table of on resistance is to be made only now.

    Raises:
        ProcessError: naming everything that is missing or contradictory.
    """
    found = chain(problems_of_tables(base), problems_of_ron(base) if measured else ())
    problems = tuple(dict.fromkeys(found))
    if problems:
        raise ProcessError(f"process {base.name}", problems)


def refuse_module(base: Process, module: Module, standing: Stand) -> None:
    """Raise unless a module is complete on a base; raises as `refuse_incomplete`."""
    problems = tuple(dict.fromkeys(problems_of_module(base, module, standing)))
    if problems:
        raise ProcessError(f"module {module.name} on {base.name}", problems)


def problems_of(base: Process) -> Iterator[str]:
    """Yield what is missing or contradictory in a base process."""
    yield from problems_of_tables(base)
    yield from problems_of_ron(base)


def problems_of_tables(base: Process) -> Iterator[str]:
    """Yield what is missing or contradictory in the tables of a base process."""
    known = {layer.name for layer in base.layers}
    made = derived_layers(base.folder, "rules")
    films = (*base.films, *base.diffusions)
    yield from problems_of_names(base.layers, films, base.cuts, base.rules)
    yield from problems_of_grid(base)
    yield from problems_of_warmth(base, films, base.cuts)
    yield from _metals(base)
    yield from problems_of_roles(base, known | set(made))
    yield from problems_of_labels(base.layers)
    yield from problems_of_rule_layers(base.rules, known | set(made), base.layers)
    yield from problems_of_regions(base.folder, known, set())
    yield from problems_of_cuts(base.cuts, films, known)
    yield from problems_of_heights(base.films)
    yield from problems_of_bodies(base.films)
    yield from problems_of_conductors(films, {row.name for row in base.limits.rows})
    yield from problems_of_cut_limits(base.cuts, {r.name for r in base.limits.rows if r.per_cut})
    ends = {film.name for film in films} | {cut.name for cut in base.cuts}
    yield from (
        f"limits.csv: {r.name} is no film or cut" for r in base.limits.rows if r.name not in ends
    )
    yield from _transistors(base)


def problems_of_module(base: Process, module: Module, standing: Stand) -> Iterator[str]:
    """Yield what is missing or contradictory in a module on a base, in one profile."""
    stacked = placed(base, module)
    films = (*stacked, *base.diffusions)
    layers, cuts = base.layers + module.layers, standing.beside(base.cuts)
    known = {layer.name for layer in layers}
    made = derived_layers(base.folder, "rules") | derived_layers(module.folder, "rules")
    yield from problems_of_names(layers, films, cuts, base.rules + standing.rules)
    yield from problems_of_warmth(base, module.films, standing.cuts)
    yield from problems_of_profiles(module, base.grid_um)
    yield from problems_of_lengths(standing.rules, base.grid_um)
    # of a marker, another datatype of its number may be free
    numbers = {x.gds[0]: x.name for x in reversed(base.layers) if x.purpose is not Purpose.MARKER}
    for layer in module.layers:
        if layer.gds[0] in numbers:
            number = f"{layer.gds[0]}/{layer.gds[1]}"
            yield f"{layer.name} {number}: taken by {numbers[layer.gds[0]]} (layers.csv)"
    yield from problems_of_labels(module.layers)
    yield from problems_of_rule_layers(standing.rules, known | set(made), layers)
    yield from problems_of_regions(module.folder, known, set(derived_layers(base.folder, "rules")))
    yield from problems_of_cuts(cuts, films, known)
    yield from problems_of_heights(stacked)
    limits = {name for name, *_ in standing.limits}
    yield from problems_of_conductors(module.films, limits)
    yield from problems_of_cut_limits(
        standing.cuts, {name for name, _, per_cut, _ in standing.limits if per_cut}
    )
    yield from problems_of_limit_expressions(base, standing)
    sheets = {film.name: film.sheet_ohm_sq for film in stacked}
    yield from problems_of_module_limits(base, module, standing)
    yield from problems_of_electrodes(module, standing)
    if module.tiers[:1] != TIERS[:1]:
        yield f"no device memristor_{TIERS[0]}, and no array without it (module.toml)"
    for name in module.electrodes:
        if sheets.get(name) is None:
            yield f"electrode {name} has no film with a sheet resistance (films.csv)"
    yield from problems_of_module_roles(module, known | set(made))
    yield from _nets(base, module, standing)


def _nets(base: Process, module: Module, standing: Stand) -> Iterator[str]:
    """What is wrong with nets, devices and films; a table that cannot be read is one thing more."""
    rules = (*base.rules, *standing.rules)
    described = ((rule.name, " ".join((rule.kind, *rule.layers))) for rule in rules)
    try:
        yield from problems_of_nets(base, module, standing.beside(base.cuts))
        yield from problems_of_kinds(base, module, tuple(described))
        yield from problems_of_stack(placed(base, module), module, nets(base.folder, module.folder))
    except ProcessError as error:
        yield from (f"{error.where}: {problem}" for problem in error.problems)


def _metals(base: Process) -> Iterator[str]:
    """A wiring level has a layer, film, limit, label layer, rules, and a cut on either side."""
    metals = base.roles.wires
    vias = (*base.roles.below_vias, *base.roles.vias)
    layers = {layer.name: layer for layer in base.layers}
    films = {film.name for film in base.films if film.sheet_ohm_sq is not None}
    limits = {row.name for row in base.limits.rows if not row.per_cut}
    rules = {(rule.kind, rule.layers) for rule in base.rules}
    for name in metals:
        if name not in layers or layers[name].purpose is not Purpose.METAL:
            yield f"{name} is no layer of purpose metal (layers.csv)"
        elif not layers[name].label:
            yield f"{name} has no label layer (layers.csv)"
        if name not in films:
            yield f"{name} has no film with a thickness and a sheet resistance (films.csv)"
        if name not in limits:
            yield f"{name} has no current limit (limits.csv)"
        for kind in METAL_RULES:
            if (kind, (name,)) not in rules:
                yield f"{name} has no rule of kind {kind} (rules.csv)"
    for layer in base.layers:
        if layer.purpose is Purpose.METAL and layer.name not in metals:
            yield f"{layer.name} is a metal but not among the metals of process.toml"
    for (low, high), via in zip(pairwise(metals), vias, strict=False):
        if not via:
            yield f"{low} and {high} are joined by no cut (cuts.csv)"
    if metals and not any(cut.upper == metals[0] for cut in base.cuts):
        yield f"no contact ends on {metals[0]} (cuts.csv)"
    poly = dict(base.roles.layers).get("poly")
    if poly in layers and poly not in films:
        yield (
            f"role poly = {poly!r} has no film with a thickness and a sheet resistance (films.csv)"
        )
    if len(set(metals)) != len(metals):
        yield "a metal is there twice (process.toml)"


def _transistors(base: Process) -> Iterator[str]:
    names = {model.name for model in base.transistors}
    yield from (
        f"transistor {n} is missing (devices.toml)" for n in ("nfet", "pfet") if n not in names
    )
