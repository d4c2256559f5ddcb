"""What decides a figure beside its parameters: our own code and tables, and the libraries."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from .base.versions import versions

_KINDS = (".py", ".json", ".csv", ".yaml", ".toml")


@cache
def identity() -> dict[str, str]:
    """Return the versions of libraries, and a sum over the contents of our own files.

    Two places with the same identity find the same figures for the same parameters, wherever the
    package is installed.
    """
    return {**versions(), "code": _code()}


def difference(mine: dict[str, str], other: dict[str, str]) -> str:
    """Return in words what two identities do not share; empty if they are the same."""
    found = []
    for key in sorted({*mine, *other}):
        a, b = mine.get(key, "none"), other.get(key, "none")
        if a != b:
            found.append("other code of crossstack" if key == "code" else f"{key} {b}, not {a}")
    return "; ".join(found)


def process_sum(process: str) -> str:
    """Return a sum over the files of a user's own process folder; empty for one of ours."""
    root = Path(process)
    if not root.is_dir():
        return ""
    from .pdk.tables import folders

    return _sum_of({f"process{k or ''}": place for k, place in enumerate(folders(root))})


def _code() -> str:
    from . import analyse, base, drc, extract, generators, lab, lvs, pdk, signoff, solve, views
    from . import cells as cells_room

    rooms = (
        base,
        pdk,
        cells_room,
        generators,
        drc,
        lvs,
        extract,
        solve,
        analyse,
        signoff,
        views,
        lab,
    )
    roots = {room.__name__: Path(str(room.__file__)).parent for room in rooms}
    return _sum_of({"crossstack": Path(__file__).parent, **roots})


def _sum_of(roots: dict[str, Path]) -> str:
    seen = hashlib.sha256()
    for name, root in sorted(roots.items()):
        for path in sorted(root.rglob("*")):
            if path.suffix in _KINDS and path.is_file():
                seen.update(f"{name}/{path.relative_to(root).as_posix()}\n".encode())
                seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()
