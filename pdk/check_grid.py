"""Whether the lengths of a process and its module lie on its manufacturing grid; see `check`.

Everything is drawn by these lengths: one off the grid would be one off the grid in every cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from .conditions import REFERENCE_C
from .kinds import EXTRA, KINDS
from .model import Module, Process, Rule
from .ranges import DRAWN_DBU_UM, DRAWN_GRID_UM, LENGTH_UM

#: manufacturing grids on which every drawing lies
GRIDS_UM = (DRAWN_DBU_UM, DRAWN_GRID_UM)
#: what a length may lie off the grid, in steps
_STEPS = 1e-6


def problems_of_grid(base: Process) -> Iterator[str]:
    """Yield what is wrong with the grid of a base, its temperatures, and lengths off the grid."""
    if not any(math.isclose(base.grid_um, allowed) for allowed in GRIDS_UM):
        shown = " or ".join(f"{allowed:g}" for allowed in GRIDS_UM)
        yield (
            f"grid_um = {base.grid_um:g}, allowed: {shown} um; all is drawn on "
            f"{DRAWN_GRID_UM:g} um (process.toml)"
        )
        return
    yield from problems_of_lengths(base.rules, base.grid_um)
    low, high = base.temperatures_c
    if not low <= REFERENCE_C <= high:
        yield (
            f"temperatures_c: {low:g} to {high:g} C does not hold {REFERENCE_C:g} C, where all "
            "figures are given (process.toml)"
        )
    if (last := base.limits.temperatures_c[-1]) < high:
        yield f"limits.csv ends at {last:g} C, below the {high:g} C of temperatures_c"


def problems_of_lengths(rules: tuple[Rule, ...], grid_um: float) -> Iterator[str]:
    """Yield rules whose length, or a further limit that is a length, lies off the grid."""
    for rule in rules:
        kind = KINDS[rule.kind]
        figures = [(rule.value, "", kind.span)]
        figures += [
            (value, f"{name} = ", EXTRA[name])
            for name, value in zip(kind.extra, rule.extra, strict=True)
        ]
        for value, name, span in figures:
            if span.unit == LENGTH_UM.unit:
                yield from _off(f"rule {rule.name}: {name}", value, grid_um, "rules.csv")


def problems_of_profiles(module: Module, grid_um: float) -> Iterator[str]:
    """Yield lengths of a module's profiles, and its usual device, that lie off the grid."""
    for profile in module.profiles:
        for name, value in _lengths(profile):
            yield from _off(f"profile {profile.name}: {name} = ", value, grid_um, "profiles.csv")
    if module.device_um is not None:
        yield from _off("device_um = ", module.device_um, grid_um, "module.toml")


def problems_of_drawn(record: Any, grid_um: float, file: str) -> Iterator[str]:
    """Yield lengths of a record that lie off the grid: fields in um, and distances by role."""
    for name, value in _lengths(record):
        yield from _off(f"{name} = ", value, grid_um, file)


def _lengths(record: Any, where: str = "") -> Iterator[tuple[str, float]]:
    for field in fields(record):
        value, name = getattr(record, field.name), f"{where}{field.name}"
        for k, each in enumerate(value if isinstance(value, tuple) else (value,), 1):
            place = f"{name}[{k}]" if isinstance(value, tuple) else name
            if is_dataclass(each):
                yield from _lengths(each, f"{place}.")
            elif isinstance(each, float) and field.name.endswith("_um"):
                yield place, each
            elif isinstance(each, tuple) and isinstance(each[-1], float):  # a role's distance
                yield f"{name}.{each[0]}", each[-1]


def _off(what: str, um: float, grid_um: float, file: str) -> Iterator[str]:
    steps = um / grid_um
    # a length that is there, and would be drawn as none, is no multiple either
    if abs(steps - round(steps)) > _STEPS or (um and not round(steps)):
        beside = (math.floor(steps), math.ceil(steps))
        allowed = " or ".join(f"{n * grid_um:g}" for n in beside if n)
        yield (
            f"{what}{um:g} um is no multiple of grid_um = {grid_um:g}, allowed: {allowed} ({file})"
        )
