"""The examples as modules; they are scripts, and no package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from crossstack.cells import ARRAY_CELLS, CELLS

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def example() -> Callable[[str], ModuleType]:
    """Return a function that loads a script by name."""

    def load(name: str) -> ModuleType:
        if name not in sys.modules:
            spec = spec_from_file_location(name, FOLDER / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            sys.modules[name] = module_from_spec(spec)  # dataclasses look their module up
            spec.loader.exec_module(sys.modules[name])
        return sys.modules[name]

    return load


@pytest.fixture(autouse=True)
def _cells_as_before() -> Iterator[None]:
    """Forget the cells that an example registered."""
    before = dict(CELLS), dict(ARRAY_CELLS)
    yield
    for table, kept in zip((CELLS, ARRAY_CELLS), before, strict=True):
        table.clear()
        table.update(kept)
