"""Rooms whose names are loaded on first use, so that a command pays for what it needs alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def loader(room: str, home: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return a room's ``__getattr__``.

    Args:
        room: dotted name of the package.
        home: module, with its dots, as the package would import it -> names that it gives.
    """
    module_of = {name: module for module, names in home.items() for name in names}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(import_module(module_of[name], room), name)
        setattr(sys.modules[room], name, value)
        return value

    return get
