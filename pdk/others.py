"""What devices are called in the processes that come with CrossStack: whose is a name."""

from __future__ import annotations

from functools import cache

from .home import HOME, process_names
from .tables import read_toml


def processes_with(model: str) -> tuple[str, ...]:
    """Return the processes in whose netlists a device has this name, in any case of letters."""
    return tuple(name for name in process_names() if model.lower() in _called(name))


@cache
def _called(process: str) -> frozenset[str]:
    """Return what the foundry and its tools call the devices of a process, lower case.

    Its tables are read as they are: whoever loads the process checks them.
    """
    folder = HOME / process
    found: set[str] = set()
    for device in read_toml(folder / "devices.toml")["transistor"]:
        found |= {device["name"], device["netlist"], *device["models"]}
    found |= {*read_toml(folder / "models.toml")["subcircuits"].values()}
    return frozenset(name.lower() for name in found)
