"""A sum over the contents of folders, by which copies are known to be the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
        for path in sorted(root.rglob("*")):
            if path.suffix in KINDS and path.is_file():
                seen.update(f"{name}/{path.relative_to(root).as_posix()}\n".encode())
                seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()
