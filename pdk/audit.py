"""Everything that can be said of a process folder: its tables, and what other programs need."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ..base.errors import CrossStackError
from . import programs
from .check import problems_of, problems_of_module
from .load import load_process
from .model import Process
from .module import load_module, stand
from .tables import ProcessError
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
        yield from problems_of_module(base, module, stand(module, base, profile))


def problems_of_programs(base: Process) -> Iterator[str]:
    """Yield what is missing or wrong in the files that other programs need."""
    for name, read in (
        ("models.toml", programs.models),
        ("deck.toml", programs.deck),
        ("shuttle.toml", programs.shuttle),
        ("magic.toml", programs.magic),
    ):
        try:
            read(base.folder)
        except CrossStackError as error:
            yield f"{name}: {error}"
    yield from _canaries(base)
    if not (base.folder / "SOURCES.md").is_file():
        yield "SOURCES.md is missing: where do the figures come from?"


def _canaries(base: Process) -> Iterator[str]:
    try:
        canaries = programs.deck(base.folder).canaries
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
