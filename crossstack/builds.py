"""What a build judged, and whether its folder still holds that."""

from __future__ import annotations

from pathlib import Path

from .base.files import MANIFEST, read_json, sha256


def replaced_in(folder: Path) -> str:
    """Return which files of a build are not those that it judged, in words; empty if none.

    Only what verdicts and figures rest on counts: layout, netlist and network.
    """
    manifest = read_json(folder / MANIFEST)
    name, sums = manifest.get("name"), manifest.get("files", {})
    judged = [file for file in (f"{name}.gds", f"{name}.spice", "network.npz") if file in sums]
    other = [f for f in judged if not _is(folder / f, sums[f])]
    if not other:
        return ""
    verb = "are not the ones" if len(other) > 1 else "is not the one"
    return f"{' and '.join(other)} {verb} that the build judged: build again, or check each file"


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
