"""Tables that lie in a process and that nothing reads.

A module's folder under another name, or a slip in a table's name, would leave figures of another
place in force without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from .home import HEAD, HOME, MARK
from .leakage import FILE as LEAKAGE_FILE
from .ron import FILE as RON_FILE
from .tracks import FILE as TRACKS_FILE
from .whole import ALIKE, MODULE_TABLES, like_a_module, listed

_PROCESS_TABLES = ALIKE | {
    HEAD, "foreign.csv", "devices.toml", "models.toml", "deck.toml", "magic.toml", "shuttle.toml",
    LEAKAGE_FILE, TRACKS_FILE, RON_FILE,
}  # fmt: skip
_ENDS = frozenset(Path(name).suffix for name in _PROCESS_TABLES)


def problems_of_unread(process: Path, module: Path) -> Iterator[str]:
    """Yield folders and tables that nothing reads, of a process and the module that it reads.

    Args:
        process: folder of a process.
        module: folder of its module, which may lie elsewhere.
    """
    for folder, known in ((process, _PROCESS_TABLES), (module, MODULE_TABLES)):
        if folder.is_relative_to(HOME):
            continue
        for place in like_a_module(folder):
            if place.resolve() != module.resolve():
                yield f"{place}: nothing reads this folder, {HEAD} names {module.name}"
        for path in listed(folder):
            table = path.is_file() and path.suffix.lower() in _ENDS
            if table and path.name not in known | {MARK}:
                near = get_close_matches(path.name, sorted(known), n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield f"{path}: nothing reads this table{hint}"
