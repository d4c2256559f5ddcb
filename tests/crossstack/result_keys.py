"""The keys of our JSON files, in their order: what somebody's script reads stays where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: tables whose keys are names of layers or nets
TABLES = ("/nets", "/by_layer", "/limits")
KNOWN = Path(__file__).parents[1] / "golden" / "result_keys.json"


def keys_of(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value; entries of a list are one path."""
    if isinstance(value, dict):
        for key, each in value.items():
            table = path.endswith(TABLES) and isinstance(each, dict)
            yield from keys_of(each, f"{path}/{'*' if table else key}")
    elif isinstance(value, list) and value:
        for each in value:
            yield from keys_of(each, f"{path}[]")
    else:
        yield path


def found_keys(path: Path) -> list[str]:
    """Return the keys of a file; versions are those of the machine."""
    keys = dict.fromkeys(keys_of(json.loads(path.read_text())))
    return [key for key in keys if not key.startswith("/versions/")]


def changed_keys(path: Path) -> str:
    """Return which keys of a file are gone or new against the known ones; empty if none is."""
    known, found = json.loads(KNOWN.read_text())[path.name], found_keys(path)
    if found == known:
        return ""
    gone, new = (sorted({*a} - {*b}) for a, b in ((known, found), (found, known)))
    return f"gone {gone}, new {new}" if gone or new else "another order"
