"""What decides a figure beside its parameters: our own code and tables, and the libraries."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .base.sums import sum_of
from .base.versions import versions


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
    from .pdk.tables import table_sum

    root = Path(process)
    return table_sum(root) if root.is_dir() else ""


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
    return sum_of({"crossstack": Path(__file__).parent, **roots})
