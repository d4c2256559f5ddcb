"""Everything that can be said of a process folder: its tables, and what other programs need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

from ..base.errors import CrossStackError
from . import foundry, programs
from .check import problems_of, problems_of_module
from .check_grid import problems_of_drawn
from .film_fill import FILE as FILL_FILE
from .film_fill import film_fills
from .leakage import FILE as LEAKAGE_FILE
from .leakage import read_leakage
from .load import load_process
from .memristor import refuse_beyond
from .model import Process
from .module import load_module, stand
from .ron import FILE as RON_FILE
from .shuttle import FILL_WORDS, shuttle
from .tables import ProcessError, table_of
from .tracks import FILE as TRACKS_FILE
from .tracks import read_tracks
from .unread import problems_of_unread
from .whole import module_folder


def audit(folder: Path) -> tuple[Process | None, tuple[str, ...]]:
    """Return the process of a folder, and everything that is wrong with it and its module.

    The process is None where its tables cannot be read at all.
    """
    try:
        base = load_process(folder)
    except ProcessError as error:
        return None, tuple(f"{error.where}: {problem}" for problem in error.problems)
    except CrossStackError as error:
        return None, (str(error),)
    parts = (problems_of(base), problems_of_programs(base), _problems_of_module(base))
    return base, tuple(dict.fromkeys(chain.from_iterable(map(_caught, parts))))


def _caught(problems: Iterator[str]) -> Iterator[str]:
    """Yield problems; a table that cannot be read is one of them."""
    try:
        yield from problems
    except ProcessError as error:
        yield from (f"{error.where}: {problem}" for problem in error.problems)
    except CrossStackError as error:
        yield str(error)


def _problems_of_module(base: Process) -> Iterator[str]:
    folder = module_folder(base)
    yield from problems_of_unread(base.folder, folder)
    module = load_module(folder, base)
    for profile in module.profiles:
        standing = stand(module, base, profile)
        yield from problems_of_module(base, module, standing)
        for fill in film_fills(module.folder, profile):
            yield from problems_of_drawn(fill, base.grid_um, FILL_FILE)
    # not where a process is loaded: a configuration may state other voltages
    refuse_beyond(base.supply_v, asdict(module.memristor), module.memristors_at)


def problems_of_programs(base: Process) -> Iterator[str]:
    """Yield what is missing or wrong in the files that other programs need."""
    for name, read in (
        ("models.toml", foundry.models),
        ("deck.toml", foundry.deck),
        ("shuttle.toml", shuttle),
        ("magic.toml", programs.magic),
    ):
        try:
            read(base.folder)
        except CrossStackError as error:
            yield f"{name}: {error}"
    yield from _lengths(base)
    yield from _canaries(base)
    yield from _models(base)
    yield from _roles_of_shuttle(base)
    yield from _names_of_magic(base)
    yield from _tracks(base)
    yield from _leakage(base)
    if not (base.folder / "SOURCES.md").is_file():
        yield "SOURCES.md is missing: where do the figures come from?"


def _lengths(base: Process) -> Iterator[str]:
    """What a shuttle's table says of pads, fill and ring is drawn, too."""
    try:
        found = shuttle(base.folder)
    except CrossStackError:
        return  # said before
    yield from problems_of_drawn(found, base.grid_um, "shuttle.toml")


def _canaries(base: Process) -> Iterator[str]:
    try:
        canaries = foundry.deck(base.folder).canaries
    except CrossStackError:
        return
    known = {layer.name for layer in base.layers}
    yield from (
        f"deck.toml: layer {c.layer!r} of the canary of {c.rule} is no layer"
        for c in canaries
        if c.layer not in known
    )
    if not canaries:
        yield "deck.toml: no canary; a deck that checks nothing would pass"


def _roles_of_shuttle(base: Process) -> Iterator[str]:
    """What is filled, kept clear of or drawn in a seal ring is a role that the process has."""
    try:
        found = shuttle(base.folder)
    except CrossStackError:
        return
    known = {*base.roles.names, "metals", *FILL_WORDS}
    named = [(f"[[fill]] {k}", fill.role) for k, fill in enumerate(found.fill, 1)]
    for k, fill in enumerate(found.fill, 1):
        named += [(f"[[fill]] {k}", role) for role, _ in (*fill.clear, *fill.wish)]
        if fill.over and fill.over not in {other.role for other in found.fill[: k - 1]}:
            yield f"shuttle.toml [[fill]] {k}: over = {fill.over!r} is no fill before it"
    if found.ring:
        named += [("[ring]", part.role) for part in found.ring.layers]
        named += [("[ring]", cut.role) for cut in found.ring.cuts]
    named += [(f"[[id]] {cell.name}", role) for cell in found.ids for role in cell.keeps_out]
    for where, role in named:
        if role not in known:
            yield f"shuttle.toml {where}: {role!r} is no role (process.toml)"
    seen = [slot.name for slot in found.slots]
    yield from (
        f"shuttle.toml: slot {name!r} is there twice"
        for name in dict.fromkeys(seen)
        if seen.count(name) > 1
    )


def _names_of_magic(base: Process) -> Iterator[str]:
    """Magic's map names layers, conductors and types that there are."""
    try:
        found = programs.magic(base.folder)
    except CrossStackError:
        return
    drawn = {layer.name for layer in base.layers}
    films = {film.name for film in (*base.films, *base.diffusions)}
    for name, text in found.silicon:
        for part in text.split(";"):
            words = part.strip().removeprefix("and-not ").removeprefix("and ").split()
            if len(words) != 1 or words[0] not in drawn:
                yield f"magic.toml [silicon] {name}: {part.strip()!r} is no layer (layers.csv)"
    lands = {*dict(found.silicon), "poly"}
    for name, land in found.contacts:
        if land not in lands:
            yield f"magic.toml [contacts] {name} = {land!r}, allowed: {', '.join(sorted(lands))}"
    silicon = set(programs.nets(base.folder, None).silicon)
    for name, wire in found.conductors:
        if wire not in films | silicon:
            yield f"magic.toml [conductors] {name} = {wire!r} is no conductor"


def _tracks(base: Process) -> Iterator[str]:
    path = base.folder / TRACKS_FILE
    if table_of(path).is_file():
        read_tracks(path, base.roles.wires, base.name)
    yield from ()


def _leakage(base: Process) -> Iterator[str]:
    path = base.folder / LEAKAGE_FILE
    if table_of(path).is_file():
        read_leakage(path, tuple(model.name for model in base.transistors))
    yield from ()


def _models(base: Process) -> Iterator[str]:
    try:
        models = foundry.models(base.folder)
    except CrossStackError:
        return
    for model in base.transistors:
        if model.name not in dict(models.subcircuits):
            yield f"models.toml: {model.name} has no subcircuit"
    if not any(fnmatchcase(models.library, pattern) for pattern in models.files):
        yield f"models.toml: library {models.library!r} is not among its files"
    yield from _sweep(base, models.sweep)


def _sweep(base: Process, sweep: foundry.Sweep) -> Iterator[str]:
    """The table of on resistance must hold what its sweep says."""
    try:
        table = json.loads(table_of(base.folder / RON_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # said before
    for field in fields(sweep):
        if table.get(field.name) != list(getattr(sweep, field.name)):
            yield f"{RON_FILE}: {field.name} is not that of the sweep in models.toml"
