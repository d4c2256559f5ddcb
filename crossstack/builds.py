"""What a build judged, and whether its folder still holds that."""

from __future__ import annotations

from pathlib import Path

from .addresses import FILES as ADDRESSES
from .base.errors import FileError
from .base.files import MANIFEST, read_json, sha256

#: the network of a build; a whole die has none
NETWORK = "network.npz"
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


def no_result(folder: Path, others: str = "") -> str:
    """Return that a folder is none of a build, what one holds and, if it stands inside, which is.

    Args:
        folder: the folder.
        others: files of other results that would do, in words.
    """
    inside = next(iter(sorted(folder.glob(f"*/{MANIFEST}"))), None)
    hint = "" if inside is None else f"; did you mean {inside.parent}?"
    return (
        f"{folder} holds no result: `crossstack build` leaves a folder with {MANIFEST}"
        f"{others}{hint}"
    )


def network_of(folder: Path) -> Path:
    """Return the network in the folder of a build.

    Raises:
        FileError: if there is none; the message says what makes one.
    """
    path = folder / NETWORK
    if path.is_file():
        return path
    if not (folder / MANIFEST).is_file():
        raise FileError(no_result(folder))
    raise FileError(
        f"{folder} holds no {NETWORK}, which `build` leaves of arrays and macros: run "
        f"`crossstack extract {folder}`, and name the network that it leaves"
    )


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
