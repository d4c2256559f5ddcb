"""What a build judged, and whether its folder still holds that."""

from __future__ import annotations

from pathlib import Path

from .addresses import FILES as ADDRESSES
from .base.files import MANIFEST, read_json, sha256

_JUDGED = {".gds", ".npz", ".spef", ".spice"}


def replaced_in(folder: Path) -> str:
    """Return which files of a build are not those that it judged, in words; empty if none.

    What verdicts and figures rest on counts, and what else simulates or draws the same: layouts,
    netlists and networks.
    """
    manifest = read_json(folder / MANIFEST)
    sums = manifest.get("files", {})
    judged = [file for file in sums if Path(file).suffix in _JUDGED or file in ADDRESSES]
    other = [f for f in judged if not _is(folder / f, sums[f])]
    if not other:
        return ""
    verb = "are not the ones" if len(other) > 1 else "is not the one"
    return f"{' and '.join(other)} {verb} that the build judged: build again, or check each file"


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
