"""A memristor module: its tables, and how it stands on a base process.

It stands on the last metal, or, with ``above`` in its head, between two films: those over it are
lifted by its own. A cut of its own on a layer of the base, between the same films, takes the place
of the base's: there the layer is a via only where the module leaves it one.

Its rules are expressions of the post-process profile: F (narrowest line), S (space), V (via) and
A (overlay). ``land`` in a table is the last metal of the base.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path

from ..base.errors import ParameterError
from .films import stack
from .load import CUTS, FILMS, LAYERS, read_film, read_layer, sizes_of
from .load_rules import read_rules
from .memristor import PARAMETERS, MemristorParameters, device_values
from .model import Corner, Cut, Film, Module, Process, Profile, Rule
from .ranges import ANY, CUT_OHM, LENGTH_UM, TCR_PER_C
from .tables import ProcessError, Section, read_csv
from .words import Words, name_of

_PROFILES = ("name", "line_um", "space_um", "via_um", "overlay_um", "source")


@dataclass(frozen=True)
class Stand:
    """A module as it stands on a base in one profile.

    Attributes:
        cuts, rules: with the profile's lengths and the base's names in them.
        limits: film or cut -> (expression of its current limit, per cut, source).
    """

    cuts: tuple[Cut, ...]
    rules: tuple[Rule, ...]
    limits: tuple[tuple[str, str, bool, str], ...]

    def beside(self, base: tuple[Cut, ...]) -> tuple[Cut, ...]:
        """Return the cuts of the base with the module's: in their place, or after them."""
        own = {_ends(cut): cut for cut in self.cuts}
        kept = tuple(own.get(_ends(cut), cut) for cut in base)
        return kept + tuple(cut for cut in self.cuts if cut not in kept)


def _ends(cut: Cut) -> tuple[str, str, str]:
    return cut.layer, cut.lower, cut.upper


def replaced_by(cut: Cut, base: Process) -> Cut | None:
    """Return the cut of a base whose place one of a module takes."""
    return next((other for other in base.cuts if _ends(other) == _ends(cut)), None)


def placed(base: Process, module: Module) -> tuple[Film, ...]:
    """Return the films of both from bottom to top.

    What manuals state of the height of a film that the module lifts holds without it.
    """
    if not module.above:
        return base.films + module.films
    names = [film.name for film in base.films]
    if module.above not in names:
        what = f"above = {module.above!r} is no film of process {base.name}"
        raise ProcessError(str(module.folder / "module.toml"), (what,))
    k = names.index(module.above) + 1
    lifted = (replace(film, bottom_um=None) for film in base.films[k:])
    return (*base.films[:k], *module.films, *lifted)


_MODULE = ("name", "title", "electrodes", "roles", "vias", "memristor", "device", "nets", "sources")
_OPTIONAL = ("above", "device_um")
#: tiers that a module may have devices of, bottom first
TIERS = ("bottom", "top")


def load_module(folder: Path, base: Process) -> Module:
    """Return the module of a folder as it stands on a base.

    Raises:
        ProcessError: for a table that cannot be understood.
        FileError: for one that is missing.
    """
    top = Section.of(folder / "module.toml", _MODULE, _OPTIONAL)
    words = Words.of(top, base.roles.names)
    devices = {row.text("name") for row in top.sections("device")}
    above = top.text("above", "")
    layers = (
        read_layer(row, words, module=not above) for row in read_csv(folder / "layers.csv", LAYERS)
    )
    return Module(
        name=top.text("name"),
        title=top.text("title"),
        folder=folder,
        layers=tuple(layers),
        films=tuple(read_film(row, words) for row in read_csv(folder / "films.csv", FILMS)),
        profiles=load_profiles(folder),
        electrodes=top.texts("electrodes"),
        roles=top.pairs("roles"),
        memristor=_memristor(top.section("memristor")),
        tiers=tuple(tier for tier in TIERS if f"memristor_{tier}" in devices),
        above=above,
        device_um=top.number("device_um", LENGTH_UM) if "device_um" in top.values else None,
    )


def _memristor(table: Section) -> MemristorParameters:
    """Return a memristor's figures; those that have no usual value must be there."""
    needed = [f.name for f in fields(MemristorParameters) if f.default is MISSING]
    table.checked(tuple(needed), tuple(PARAMETERS))
    try:
        return MemristorParameters(**device_values(table.values))
    except ParameterError as error:
        raise ProcessError(table.where, (str(error),)) from None


def load_profiles(folder: Path) -> tuple[Profile, ...]:
    """Return the post-process profiles of a module's folder."""
    found = []
    for row in read_csv(folder / "profiles.csv", _PROFILES):
        lengths = [row.number(column, LENGTH_UM) for column in _PROFILES[1:5]]
        line, space, via, overlay = lengths
        found.append(Profile(name_of(row), line, space, via, overlay, row.text("source")))
    if not found or len({p.name for p in found}) != len(found):
        raise ProcessError(str(folder / "profiles.csv"), ("one or more profiles, each name once",))
    return tuple(found)


def stand(module: Module, base: Process, profile: Profile) -> Stand:
    """Return cuts, rules and limits of a module on a base, in one profile."""
    folder = module.folder
    top = Section.of(folder / "module.toml", _MODULE, _OPTIONAL)
    names = {**base.roles.names, "profile": profile.name}
    words = Words.of(top, names)
    values = {**profile.letters, "grid": base.grid_um}
    rules = tuple(read_rules(folder, words, module.layers, values, base.roles.names, digits=6))
    limits = tuple(
        (row.text("name"), row.text("limit"), row.text("per") == "cut", words.source(row))
        for row in read_csv(folder / "limits.csv", ("name", "per", "limit", "source"))
    )
    return Stand(tuple(_module_cuts(module, base, top, words, rules)), rules, limits)


def _module_cuts(
    module: Module, base: Process, top: Section, words: Words, rules: tuple[Rule, ...]
) -> Iterator[Cut]:
    heights, sizes = stack(placed(base, module)), sizes_of(base.rules + rules)
    vias = top.section("vias")
    given = {key: vias.number(key, ANY) for key in vias.values}
    for row in read_csv(module.folder / "cuts.csv", CUTS):
        layer, upper = row.text("layer"), row.text("upper")
        lower = base.roles.names.get(row.text("lower"), row.text("lower"))
        ends = [name for name in (lower, upper) if name not in heights]
        if ends or layer not in sizes:
            what = f"{ends[0]} is no film" if ends else f"{layer} has no rule of kind exact_size"
            raise row.wrong(what)
        size = sizes[layer]
        height = heights[upper][0] - heights[lower][1]
        names = {**given, "height": height, "side": size}
        low, ohm, high = (
            round(row.number(key, CUT_OHM, names=names), 4) if row.cells[key] else None
            for key in ("ohm_min", "ohm", "ohm_max")
        )
        if ohm is None or not (low or ohm) <= ohm <= (high or ohm):
            raise row.wrong("ohm: allowed: ohm_min <= ohm <= ohm_max")
        yield Cut(
            name_of(row),
            layer,
            lower,
            upper,
            Corner(ohm, low, high),
            size,
            words.source(row),
            row.number("tcr_per_c", TCR_PER_C, 0.0),
        )
