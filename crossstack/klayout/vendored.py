"""The copy of our rooms, and of the tables they read, that runs inside KLayout.

Users' KLayout has its own Python without our package. What the PCells need is plain enough to
go along: the modules that they import, followed from one to the next, with the one line
changed that names KLayout's module there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..pdk import CrossStackError, Process
from ..pdk.home import HOME, MARK
from ..pdk.tables import folders

#: name of the copy; inside it, the rooms keep their names
COPY = "crossstack_klayout"
#: modules that KLayout's macros call, below the package
ROOTS = ("klayout.pcells", "klayout.lvs_menu")
#: modules that others import only inside a function
_LATER = ("pdk.whole", "pdk.shuttle")
_OURS, _THEIRS = "import klayout.db as db", "import pya as db"
#: tables that a room reads
_DATA = ("*.csv", "*.json", "*.toml")
_ALLOWED = frozenset({"pya", "klayout.db"})


def vendored_files(copy: str = COPY, process: Process | None = None) -> dict[str, str]:
    """Return path -> text of the copy, below KLayout's ``python`` folder.

    Args:
        copy: name of the copy.
        process: one of a user's own, whose tables go along; None for those of CrossStack alone.

    Raises:
        CrossStackError: if a module needs more than KLayout's Python has.
    """
    done: dict[str, str] = {}
    waiting = [*ROOTS, *_LATER]
    while waiting:
        name = waiting.pop()
        for part in _with_parents(name):
            if part not in done:
                done[part] = _source(part).read_text(encoding="utf-8")
                waiting += _needed(part, done[part])
    files = {f"{copy}/__init__.py": '"""CrossStack inside KLayout."""\n'}
    for name, text in sorted(done.items()):
        stem = f"{copy}/{name.replace('.', '/')}"
        path = f"{stem}/__init__.py" if _is_package(name) else f"{stem}.py"
        files[path] = text.replace(_OURS, _THEIRS)
        if _is_package(name):
            folder = _source(name).parent
            for data in _tables(folder):
                files[f"{stem}/{data.relative_to(folder)}"] = data.read_text(encoding="utf-8")
    if process is not None:
        # with those that it is like, which lie beside it
        for place in (at for at in folders(process.folder) if at.parent != HOME):
            home = f"{copy}/pdk/{process.name if place == process.folder else place.name}"
            for data in _tables(place, but=MARK):
                files[f"{home}/{data.relative_to(place)}"] = data.read_text(encoding="utf-8")
    return files


def _tables(folder: Path, but: str = "") -> list[Path]:
    return sorted(p for kind in _DATA for p in folder.rglob(kind) if p.name != but)


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: k + 1]) for k in range(len(parts))]


def _package() -> str:
    return __name__.split(".", maxsplit=1)[0]


def _source(name: str) -> Path:
    spec = find_spec(f"{_package()}.{name}")
    if spec is None or spec.origin is None:
        raise CrossStackError(f"module {name} has no source to copy")
    return Path(spec.origin)


def _is_package(name: str) -> bool:
    return _source(name).name == "__init__.py"


def _needed(name: str, text: str) -> Iterator[str]:
    """Yield the modules of ours that a module imports when it is imported."""
    package = name.split(".") if _is_package(name) else name.split(".")[:-1]
    for node in ast.parse(text).body:  # not inside functions or `if TYPE_CHECKING`
        if isinstance(node, ast.Import):
            _check(name, [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom) and not node.level:
            _check(name, [node.module or ""])
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            stem = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                below = f"{stem}.{alias.name}".lstrip(".")
                yield below if _exists(below) else stem
                if not _exists(below):
                    yield from _loaded_for(stem, alias.name)


def _loaded_for(room: str, name: str) -> Iterator[str]:
    """Yield the module that a room loads when a name of its table `_HOME` is asked for."""
    for home, names in _homes(room):
        if name in names:
            above = home.startswith("..")
            yield home.lstrip(".") if above else f"{room}.{home.lstrip('.')}"


@cache  # a room is asked for each of the names that others take from it
def _homes(room: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the table `_HOME` of a room: module, names that it holds."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in ast.parse(_source(room).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOME":
            table = ast.literal_eval(node.value)
            found += [(home, tuple(names)) for home, names in table.items()]
    return tuple(found)


def _check(name: str, imported: list[str]) -> None:
    for module in imported:
        if module not in _ALLOWED and module.split(".")[0] not in sys.stdlib_module_names:
            raise CrossStackError(f"{name} imports {module}, which KLayout's Python lacks")


def _exists(name: str) -> bool:
    try:
        return find_spec(f"{_package()}.{name}") is not None
    except ModuleNotFoundError:  # `name` lies below something that is no package
        return False
