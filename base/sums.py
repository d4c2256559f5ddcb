"""A sum over the contents of folders, by which copies are known to be the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

#: endings of the files that count
KINDS = (".csv", ".json", ".py", ".toml", ".yaml")


def sum_of(roots: Mapping[str, Path]) -> str:
    """Return a SHA-256 sum over code and tables below folders, wherever these lie.

    Args:
        roots: name -> folder; the names count, the places do not.
    """
    seen = hashlib.sha256()
    for name, root in sorted(roots.items()):
        for parts in sorted(_files(root)):
            seen.update(f"{name}/{'/'.join(parts)}\n".encode())
            with open(os.path.join(root, *parts), "rb") as stream:
                seen.update(hashlib.sha256(stream.read()).digest())
    return seen.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, ...]]:
    """Yield the names of folders and file that lead to each file that counts."""
    start = len(root.parts)
    for folder, _, names in os.walk(root):
        counted = [name for name in names if os.path.splitext(name)[1] in KINDS]
        above = Path(folder).parts[start:] if counted else ()
        for name in counted:
            if os.path.isfile(os.path.join(folder, name)):
                yield (*above, name)
