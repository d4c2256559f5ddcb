"""Whether the tables of a process agree: nothing missing, nothing dangling, nothing twice.

A process that is not complete is refused by name of what is missing, before anything is drawn;
otherwise a metal without a film would be left out of the resistances without a word.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from ..base.errors import CrossStackError, TechError
from .arithmetic import evaluate
from .conditions import CORNERS, REFERENCE_C
from .films import stack
from .model import Cut, Film, Layer, Module, Process, Purpose, Rule
from .module import Stand, placed, replaced_by
from .regions import names_in
from .ron import FILE as RON_FILE
from .ron import read_table
from .tables import ProcessError, Section, table_of

#: roles without which nothing can be drawn
ROLES = ("nwell", "diffusion", "tap", "poly", "nplus", "pplus", "contact", "pad", "boundary")
#: rules that every routing metal must have
METAL_RULES = ("width", "space")
#: grids of the table of on resistance, outermost first
_RON_GRIDS = ("temperature_c", "w_um", "source_v", "drop_v")
#: what the heights of a manual may differ from the sum of the thicknesses by, um
_HEIGHT_UM = 1e-6
#: largest supply that anything could have, V
_MOST_SUPPLY_V = 100.0


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
    derived = _derived(base.folder, "rules")
    films = (*base.films, *base.diffusions)
    yield from _twice(base.layers, films, base.cuts, base.rules)
    yield from _grid(base)
    yield from _metals(base)
    yield from _roles(base, known | set(derived))
    yield from _labels(base.layers)
    yield from _rules(base.rules, known | set(derived))
    yield from _regions(base.folder, known, set())
    yield from _cuts(base.cuts, films, known)
    yield from _heights(base.films)
    yield from _conductors(films, {row.name for row in base.limits.rows})
    yield from _cut_limits(base.cuts, {r.name for r in base.limits.rows if r.per_cut})
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
    derived = _derived(base.folder, "rules") | _derived(module.folder, "rules")
    yield from _twice(layers, films, cuts, base.rules + standing.rules)
    # of a marker, another datatype of its number may be free
    numbers = {x.gds[0]: x.name for x in base.layers if x.purpose is not Purpose.MARKER}
    for layer in module.layers:
        if layer.gds[0] in numbers:
            yield f"{layer.name} {layer.gds[0]}/{layer.gds[1]}: number of {numbers[layer.gds[0]]}"
    yield from _labels(module.layers)
    yield from _rules(standing.rules, known | set(derived))
    yield from _regions(module.folder, known, set(_derived(base.folder, "rules")))
    yield from _cuts(cuts, films, known)
    yield from _heights(stacked)
    limits = {name for name, *_ in standing.limits}
    yield from _conductors(module.films, limits)
    yield from _cut_limits(
        standing.cuts, {name for name, _, per_cut, _ in standing.limits if per_cut}
    )
    yield from _limit_expressions(base, standing)
    sheets = {film.name: film.sheet_ohm_sq for film in stacked}
    if not module.tiers:
        yield "no device of a tier (module.toml)"
    for name in module.electrodes:
        if sheets.get(name) is None:
            yield f"electrode {name} has no film with a sheet resistance (films.csv)"
    for role, name in module.roles:
        if name not in known | set(derived):
            yield f"role {role} = {name!r} is no layer (module.toml)"


def _limit_expressions(base: Process, standing: Stand) -> Iterator[str]:
    """What a limit of the module is made of; see `electromigration`."""
    in_place = {cut.name for cut in standing.cuts if replaced_by(cut, base)}
    for name, expression, per_cut, _ in standing.limits:
        known = ["density", *(("wire", "side") if per_cut else ("thickness",))]
        known += ["replaced"] if name in in_place else []
        try:
            evaluate(expression, dict.fromkeys(known, 1.0))
        except CrossStackError as error:
            yield f"limit of {name}: {error} (limits.csv)"


def _derived(folder: Path, table: str) -> dict[str, str]:
    return dict(Section.of(folder / "derived.toml", ("rules", "nets")).pairs(table))


def _twice(
    layers: tuple[Layer, ...],
    films: tuple[Film, ...],
    cuts: tuple[Cut, ...],
    rules: tuple[Rule, ...],
) -> Iterator[str]:
    for what, names in (
        ("layer", [x.name for x in layers]),
        ("film", [x.name for x in films]),
        ("cut", [x.name for x in cuts]),
        ("rule", [x.name for x in rules]),
    ):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        yield from (f"{what} {name} is there twice" for name in repeated)
    owner: dict[tuple[int, int], str] = {}
    for layer in layers:
        if layer.gds in owner:
            yield f"{layer.name} and {owner[layer.gds]} are both {layer.gds[0]}/{layer.gds[1]}"
        owner.setdefault(layer.gds, layer.name)
    first: dict[tuple[str, tuple[str, ...]], str] = {}
    for rule in rules:
        key = (rule.kind, rule.layers)
        if rule.kind != "density" and key in first:
            both = f"rules {first[key]} and {rule.name}"
            yield f"{both} are both {rule.kind} of {' '.join(rule.layers)}"
        first.setdefault(key, rule.name)


def _grid(base: Process) -> Iterator[str]:
    if not 0 < base.dbu_um <= base.grid_um:
        yield f"dbu_um = {base.dbu_um:g} is not between 0 and grid_um = {base.grid_um:g}"
    elif abs(base.grid_um / base.dbu_um - round(base.grid_um / base.dbu_um)) > 1e-9:
        yield f"grid_um = {base.grid_um:g} is no multiple of dbu_um = {base.dbu_um:g}"
    if not 0 < base.supply_v < _MOST_SUPPLY_V:
        yield f"supply_v = {base.supply_v:g} is not between 0 and {_MOST_SUPPLY_V:g} V"
    low, high = base.temperatures_c
    if not low <= REFERENCE_C <= high:
        yield f"temperatures_c: {low:g} to {high:g} C does not hold {REFERENCE_C:g} C"


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
            yield f"{name} has no film with a sheet resistance (films.csv)"
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
    if len(set(metals)) != len(metals):
        yield "a metal is there twice (process.toml)"


def _roles(base: Process, known: set[str]) -> Iterator[str]:
    given = dict(base.roles.layers)
    yield from (f"role {role!r} is missing (process.toml)" for role in ROLES if role not in given)
    for role, layer in given.items():
        if layer not in known:
            yield f"role {role} = {layer!r} is no layer (layers.csv, derived.toml)"


def _labels(layers: tuple[Layer, ...]) -> Iterator[str]:
    purposes = {layer.name: layer.purpose for layer in layers}
    for layer in layers:
        if layer.label and purposes.get(layer.label) not in (Purpose.LABEL, Purpose.MODULE_LABEL):
            yield f"label layer {layer.label!r} of {layer.name} is no layer of purpose label"
    used = {layer.label for layer in layers}
    for layer in layers:
        if layer.purpose in (Purpose.LABEL, Purpose.MODULE_LABEL) and layer.name not in used:
            yield f"label layer {layer.name} belongs to no conductor (column label)"


def _rules(rules: tuple[Rule, ...], known: set[str]) -> Iterator[str]:
    for rule in rules:
        for name in rule.layers:
            pair = name.split("/")
            if name not in known and not (len(pair) == 2 and all(p.isdecimal() for p in pair)):
                yield f"rule {rule.name}: {name!r} is no layer (layers.csv, derived.toml)"


def _regions(folder: Path, drawn: set[str], below: set[str]) -> Iterator[str]:
    """Derived layers read only what is drawn or defined before them."""
    for table in ("rules", "nets"):
        known = drawn | (below if table == "rules" else set())
        for name, text in _derived(folder, table).items():
            if name in known:
                yield f"derived layer {name} is there already (derived.toml)"
            try:
                missing = [part for part in names_in(text) if part not in known]
            except CrossStackError as error:
                yield f"derived layer {name}: {error}"
                continue
            yield from (
                f"derived layer {name} reads {part!r}, which is no layer" for part in missing
            )
            known.add(name)


def _cuts(cuts: tuple[Cut, ...], films: tuple[Film, ...], layers: set[str]) -> Iterator[str]:
    conductors = {film.name for film in films if film.sheet_ohm_sq is not None}
    heights = stack(film for film in films if film.thickness_um)
    heights |= {film.name: (0.0, 0.0) for film in films if not film.thickness_um}
    for cut in cuts:
        if cut.layer not in layers:
            yield f"cut {cut.name}: {cut.layer!r} is no layer (layers.csv)"
        ends = [end for end in (cut.lower, cut.upper) if end not in conductors]
        yield from (
            f"cut {cut.name} ends on {end!r}, which is no conductor (films.csv)" for end in ends
        )
        if not ends and heights[cut.upper][0] <= heights[cut.lower][1]:
            yield f"cut {cut.name}: {cut.upper} does not lie above {cut.lower} (order of films.csv)"


def _heights(films: tuple[Film, ...]) -> Iterator[str]:
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


def _conductors(films: tuple[Film, ...], limits: set[str]) -> Iterator[str]:
    for film in films:
        if film.sheet_ohm_sq is None and film.permittivity is None:
            yield f"film {film.name} has neither sheet resistance nor permittivity (films.csv)"
        if film.sheet_ohm_sq is not None and film.thickness_um and film.name not in limits:
            yield f"{film.name} has no current limit (limits.csv)"
        if not film.thickness_um and film.sheet_ohm_sq is None:
            yield f"film {film.name} has no thickness and no sheet resistance (films.csv)"


def _cut_limits(cuts: tuple[Cut, ...], limits: set[str]) -> Iterator[str]:
    yield from (
        f"{c.name} has no current limit per cut (limits.csv)" for c in cuts if c.name not in limits
    )


def _transistors(base: Process) -> Iterator[str]:
    names = {model.name for model in base.transistors}
    yield from (
        f"transistor {n} is missing (devices.toml)" for n in ("nfet", "pfet") if n not in names
    )


def problems_of_ron(base: Process) -> Iterator[str]:
    """Yield what is missing or wrong in the measured table of on resistance."""
    names = {model.name for model in base.transistors}
    try:
        table = read_table(table_of(base.folder / RON_FILE))
        yield from _on_resistance(table, names)
        if [table["temperature_c"][0], table["temperature_c"][-1]] != [*base.temperatures_c]:
            yield f"{RON_FILE}: temperature_c does not reach over temperatures_c of process.toml"
    except TechError as error:
        yield str(error)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        yield f"{RON_FILE} cannot be read, or lacks one of its tables"


def _leaves(rows: Any, shape: list[int]) -> tuple[list[Any], bool]:
    """Return the values of nested lists, and True if they have just this shape."""
    level = [rows]
    for count in shape:
        if not all(isinstance(row, list) and len(row) == count for row in level):
            return [], False
        level = [value for row in level for value in row]
    return level, not any(isinstance(value, list) for value in level)


def _on_resistance(table: dict[str, Any], names: set[str]) -> Iterator[str]:
    """The table of on resistance is a full grid of positive numbers."""
    grids = [[float(x) for x in table[key]] for key in _RON_GRIDS]
    for grid in grids:
        if len(grid) < 2 or grid != sorted(set(grid)) or not all(map(math.isfinite, grid)):
            yield f"{RON_FILE}: a grid is not two or more numbers, ascending"
    shape = [len(grid) for grid in grids]
    for name in sorted(names):
        if name not in table["ohm"]:
            yield f"{name} has no on resistance ({RON_FILE})"
            continue
        for corner in CORNERS:
            rows = table["ohm"][name].get(corner, [])
            values, even = _leaves(rows, shape)
            if not even:
                yield f"{RON_FILE}: {name}, {corner} is not {' x '.join(map(str, shape))} numbers"
            elif not all(0.0 < float(ohm) < math.inf for ohm in values):
                yield f"{RON_FILE}: {name}, {corner} holds a value that is not a positive number"
