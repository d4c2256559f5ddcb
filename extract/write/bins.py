"""A foundry's model library with the size bins alone that a netlist's transistors can fall in.

A library cuts each transistor into bins of width and length, each a model of some hundred
numbers: fifty and more, and where they stand inside the subcircuit, ngspice copies all of them
for every transistor, and its time grows with the square of their number. A transistor takes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

Size = tuple[float, float]

#: a bin reaches this share beyond its limits, within which ngspice calls a size equal to them
SLACK = 1e-6
_BIN = re.compile(r"\s*\.model\s+\S+\.\d+\s", re.IGNORECASE)
_LIMIT = re.compile(r"\b([lw])(min|max)\s*=\s*(\S+)", re.IGNORECASE)


def few_bins(models: Path, folder: Path, sizes: set[Size]) -> Path:
    """Copy a folder of model files without the bins that no size falls in.

    Everything else stays as it is, and so does a bin whose limits are not plain numbers.

    Args:
        models: folder of the foundry's model files.
        folder: where the copies go; made.
        sizes: width and length of every transistor, um.
    """
    for path in (each for each in models.rglob("*") if each.is_file()):
        copy = folder / path.relative_to(models)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # libraries are not all UTF-8, and what is not read is not changed
        lines = path.read_text(encoding="latin-1").splitlines(keepends=True)
        copy.write_text("".join(_kept(lines, sizes)), encoding="latin-1")
    return folder


def _kept(lines: list[str], sizes: set[Size]) -> Iterator[str]:
    """Yield what is left of a file."""
    at = 0
    while at < len(lines):
        end = at + 1
        if _BIN.match(lines[at]):
            while end < len(lines) and lines[end].lstrip()[:1] == "+":
                end += 1
            if not _holds("".join(lines[at:end]), sizes):
                at = end
                continue
        yield from lines[at:end]
        at = end


def _holds(model: str, sizes: set[Size]) -> bool:
    """Return whether a size may fall in a bin."""
    try:
        limit = {(of + end).lower(): float(value) for of, end, value in _LIMIT.findall(model)}
        w, l = ((limit[f"{of}min"], limit[f"{of}max"]) for of in "wl")
    except (KeyError, ValueError):
        return True
    return any(_within(1e-6 * width, *w) and _within(1e-6 * length, *l) for width, length in sizes)


def _within(size: float, least: float, most: float) -> bool:
    return least * (1.0 - SLACK) <= size <= most * (1.0 + SLACK)
