"""report.html of a search, from the other files in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..base.files import MANIFEST, read_json
from ..pdk import FileError
from ..report.page import file_list, flat, write_page
from ..report.standalone import embedded
from .metrics import METRICS
from .words import best_words, looked_at, nearest_words

#: what a result of this kind always has
MARKER = "size.json"
_KINDS = (
    (MARKER, "every figure of the points, and what was asked"),
    ("size.csv", "the points, as a table"),
    ("candidates.csv", "everything that was looked at"),
    ("pareto.svg", "picture of the search"),
    (".yaml", "a point: crossstack build takes it"),
)


def write_report(folder: Path) -> Path:
    """Write report.html of a search.

    Raises:
        FileError: if a file that the report needs is missing or not readable.
    """
    return write_page(folder / "report.html", "size", (), _context(folder))


def _context(folder: Path) -> dict[str, Any]:
    for name in (MANIFEST, MARKER):
        if not (folder / name).is_file():
            raise FileError(f"{folder} holds no {name}: not a complete search")
    manifest, value = read_json(folder / MANIFEST), read_json(folder / MARKER)
    picture = folder / "pareto.svg"
    top = {name: digest for name, digest in manifest["files"].items() if "/" not in name}
    target = value["target"]
    return {
        "name": manifest["name"],
        "met": value["met"],
        "verdict": value["verdict"],
        "points": value["points"],
        "keys": list(target["free"]),
        "metrics": METRICS,
        "asked": target["targets"],
        "goals": target["optimise"],
        "search": value["search"],
        "looked_at": looked_at(value["search"]),
        "conflict": value["conflict"],
        "best": {name: best_words(value, name) for name in target["targets"]},
        "nearest": nearest_words(value) if value["points"] else "",
        "counted": value["counted"],
        "conditions": target["conditions"],
        "picture": embedded(picture.read_text(encoding="utf-8")) if picture.is_file() else "",
        "parameters": flat(_short(manifest["parameters"])),
        "versions": manifest["versions"],
        "files": file_list(folder, top, _KINDS),
    }


def _short(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with a long list of values as its ends."""
    free = {
        key: f"{values[0]} .. {values[-1]}, {len(values)} values" if len(values) > 6 else values
        for key, values in parameters["free"].items()
    }
    return {**parameters, "free": free}
