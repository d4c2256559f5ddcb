"""Everything that can be said of a process folder: its tables, and what other programs need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

from ..base.errors import CrossStackError
from . import foundry, programs
from .check import problems_of, problems_of_module
from .load import load_process
from .model import Module, Process
from .module import load_module, stand
from .ron import FILE as RON_FILE
from .shuttle import shuttle
from .tables import ProcessError, table_of
from .tech import module_folder


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
    module = load_module(module_folder(base), base)
    for profile in module.profiles:
        standing = stand(module, base, profile)
        yield from problems_of_module(base, module, standing)
    yield from _nets(base, module)


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
    yield from _canaries(base)
    yield from _models(base)
    if not (base.folder / "SOURCES.md").is_file():
        yield "SOURCES.md is missing: where do the figures come from?"


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


def _nets(base: Process, module: Module) -> Iterator[str]:
    """What conducts, joins or is a device must be drawn, derived or a film."""
    found = programs.nets(base.folder, module.folder)
    drawn = {layer.name for layer in (*base.layers, *module.layers)}
    films = {film.name for film in (*base.films, *base.diffusions, *module.films)}
    cuts = {cut.name for cut in base.cuts}
    known = drawn | {name for name, _ in found.derived}
    wires = films | set(found.silicon)
    yield from (
        f"silicon {name!r} is no layer (devices.toml)"
        for name in found.silicon
        if name not in known
    )
    for cut, end in found.links:
        if cut not in known | cuts or end not in wires:
            yield f"link of {cut!r} and {end!r}: one is no layer (devices.toml, module.toml)"
    for device in found.devices:
        if device.body not in known:
            yield f"device {device.name}: body {device.body!r} is no layer (derived.toml)"
        named = (*device.films, device.crossing, device.bare) if device.is_memristor else ()
        yield from (
            f"device {device.name}: {name!r} is no layer (derived.toml)"
            for name in named
            if name and name not in known
        )
        for terminal, wire in device.terminals:
            if wire and wire not in wires:
                yield f"device {device.name}: {terminal} = {wire!r} is no conductor"
    owner = {device.name: device.name for device in found.devices}
    for device in found.devices:
        for name in device.models:
            if owner.setdefault(name, device.name) != device.name:
                yield f"model {name!r} is {owner[name]} and {device.name} (devices.toml)"
    levels = [name for level in found.antenna for name in level if name]
    yield from (
        f"antenna: {name!r} is no layer (devices.toml)" for name in levels if name not in drawn
    )
    missing = [metal for metal in base.roles.wires if metal not in levels]
    yield from (f"{metal} is not in the antenna order (devices.toml)" for metal in missing)
