"""Files that a run leaves: written the same way twice, moved into place in one step."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import claims, leftovers, outputs
from .documents import json_text, read_json
from .errors import ConfigError, FileError, PlaceError
from .versions import versions

if TYPE_CHECKING:
    import klayout.db as db

MANIFEST = claims.MANIFEST
#: `renameat2` flag of Linux: swap two names in one step
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100
#: endings of names that other programs give, too, and bytes in which one of ours names us
_SHARED = {".spef"}
_HEAD = 4096

__all__ = [
    "MANIFEST",
    "check_replaceable",
    "make_folder",
    "parameters_in",
    "read_json",
    "replacing",
    "scratch_netlist",
    "sha256",
    "together",
    "unchanged_in",
    "versions",
    "write_json",
    "write_layout",
    "write_lines",
    "write_manifest",
]


def write_layout(
    layout: db.Layout, path: Path, keep: Iterable[tuple[int, int]] | None = None
) -> None:
    """Write GDS or OASIS (by suffix) without timestamps or KLayout's own annotations.

    Args:
        layout: what to write.
        path: target.
        keep: (layer, datatype) pairs to write; None for all.
    """
    import klayout.db as db

    options = db.SaveLayoutOptions()
    options.set_format_from_filename(str(path))
    options.write_context_info = False
    options.gds2_write_timestamps = False
    if keep is not None:
        wanted = set(keep)
        options.deselect_all_layers()
        options.no_empty_cells = True
        for index in layout.layer_indexes():
            info = layout.get_info(index)
            if (info.layer, info.datatype) in wanted:
                options.add_layer(index, info)
    try:
        # KLayout writes a file to its end without looking whether the disk took the last piece
        data = layout.write_bytes(options)
    except RuntimeError as error:
        reason = str(error).split(" in Layout.write")[0]
        raise FileError(f"cannot write {path}: {reason}") from None
    with outputs.one_step(path) as work:
        work.write_bytes(data)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write text lines with Unix line ends."""
    outputs.write_text(path, "".join(f"{line}\n" for line in lines))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that people can read, with the version of its schema."""
    outputs.write_text(path, json_text(value))


def parameters_in(path: Path) -> dict[str, Any]:
    """Return the parameters that a manifest holds; none, if it is missing or broken."""
    try:
        with claims.own_records():
            value = read_json(path)
    except (FileError, OSError):
        return {}
    found = value.get("parameters") if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def unchanged_in(sidecar: Path) -> list[str]:
    """Return the files beside a sidecar that it lists and that are still as it says."""
    try:
        with claims.own_records():
            listed = read_json(sidecar).get("files")
    except (AttributeError, OSError):
        return []
    names = listed if isinstance(listed, dict) else {}
    places = {name: sidecar.parent / name for name in names if Path(name).name == name}
    return [n for n, at in places.items() if at.is_file() and sha256(at) == names[n]]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(folder: Path, head: dict[str, Any]) -> dict[str, Any]:
    """Write manifest.json over everything in a folder and return it."""
    files = {
        str(path.relative_to(folder)): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    manifest = {**head, "versions": versions(), "files": files}
    write_json(folder / MANIFEST, manifest)
    return manifest


def make_folder(path: Path) -> Path:
    """Create a folder for results.

    Raises:
        PlaceError: if there is a file of this name, or of that of a folder above.
        FileError: if it is impossible otherwise; the message says why.
    """
    outputs.check_folder(path)
    try:
        leftovers.make(path)
    except OSError as error:
        raise FileError(f"cannot create folder {path}: {error.strerror}") from None
    return path


def _make(work: Path) -> None:
    try:
        work.mkdir()
    except OSError as error:
        raise FileError(f"cannot write into {work.parent}: {error.strerror}") from None


@contextmanager
def _named_if_full(target: Path) -> Iterator[None]:
    """Let the error of a full disk, which names no file, say what could not be written."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in outputs.NO_ROOM:
            raise FileError(f"cannot write {target}: {error.strerror}") from None
        raise


@contextmanager
def together(folder: Path, instead: Iterable[str] = ()) -> Iterator[Path]:
    """Give a temporary folder inside `folder`; on success its files move up, one by one.

    If the block fails or is interrupted, every earlier file stays as it was, and a folder that was
    made for them goes. What one run leaves is one set: a file that this run could have written and
    did not is of an earlier one, belongs to none of the new files, and goes.

    Args:
        folder: where the files go.
        instead: names, or patterns of names, that such a run may leave.

    Raises:
        FileError: if the folder cannot be made or written.
        ConfigError: if this run reads what would be replaced or removed.
    """
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    leftovers.sweep(folder)
    work = leftovers.temporary(folder, "crossstack")
    try:
        _make(work)
        with _named_if_full(folder):
            yield work
        done = sorted(work.iterdir())
        for path in done:  # all, before the first one moves
            outputs.check_target(folder / path.name)
        gone = _left_behind(folder, instead, {path.name for path in done})
        claims.check_outputs(*gone)
        for path in done:
            outputs.put(path, folder / path.name)
        for path in gone:
            outputs.remove(path)
    finally:
        leftovers.remove(work)
        with suppress(OSError):  # one that holds something stays
            for each in new:
                each.rmdir()


def _left_behind(folder: Path, patterns: Iterable[str], new: Collection[str]) -> list[Path]:
    """Return the files of an earlier run of the same kind that the new ones do not replace."""
    listed = [*patterns]
    found = (path for path in sorted(folder.iterdir()) if listed and path.name not in new)
    return [p for p in found if any(fnmatchcase(p.name, each) for each in listed) and _ours(p)]


def _ours(path: Path) -> bool:
    """Return whether a file may be one of ours; one that other programs write, too, must say so."""
    if not path.is_file():
        return False
    if path.suffix not in _SHARED:
        return True
    try:
        with path.open("rb") as stream:
            return b"crossstack" in stream.read(_HEAD).lower()
    except OSError:  # what may not be read is not known
        return False


@contextmanager
def replacing(target: Path, marker: str = "") -> Iterator[Path]:
    """Give a temporary folder beside `target`; on success it takes the target's place.

    If the block fails or is interrupted, the target stays as it was. Files in the old target
    that no manifest lists (a user's own) are kept.

    Args:
        target: the folder to replace.
        marker: file that every result of this kind has; a target without it holds another kind.

    Raises:
        FileError: if the parent folder is not writable, or the target is not ours to replace.
    """
    check_replaceable(target, marker)
    work = leftovers.temporary(target.parent, target.name)
    try:
        _make(work)
        with _named_if_full(target):
            yield work
        _refuse_read(target, work)
        if target.exists():  # before the swap: a kill at any moment must not lose them
            _keep_foreign(target, work)
        _swap(work, target)
    finally:
        leftovers.remove(work)


def check_replaceable(target: Path, marker: str = "") -> None:
    """Refuse a target that `replacing` would refuse, before hours of work; leave nothing there.

    Raises:
        FileError: if the parent folder is not writable, or the target is not ours to replace.
    """
    parent = make_folder(target.parent)
    _refuse_foreign(target, marker)
    _refuse_read(target)
    leftovers.sweep(parent)


def _refuse_read(target: Path, new: Path | None = None) -> None:
    """Refuse to replace a folder that holds a file which this run reads, unless it is kept.

    Args:
        target: the folder.
        new: what takes its place; None before it is made.

    Raises:
        ConfigError: naming the file.
    """
    read = claims.read_below(target)
    if not read:
        return
    try:
        listed = set(read_json(target / MANIFEST).get("files", {}))
    except (FileError, AttributeError):
        listed = set()
    for name, path in read:
        if str(name) in listed or (new is not None and (new / name).exists()):
            raise ConfigError(
                f"{path} is read and lies in {target}, which would be replaced: choose another "
                "place with -o"
            )


def _refuse_foreign(target: Path, marker: str) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise PlaceError(f"{target} exists and is not a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise PlaceError(
            f"{target} holds files but no {MANIFEST}: not a result of crossstack, not replaced"
        )
    if marker and (target / MANIFEST).is_file() and not (target / marker).exists():
        raise PlaceError(
            f"{target} holds another kind of result (no {marker} in it): choose another folder"
        )


def _swap(work: Path, target: Path) -> None:
    """Put `work` in the place of `target`; afterwards `work` is the old target, if any."""
    if not target.exists():
        work.rename(target)
        return
    if _exchange(work, target):
        return
    aside = work.with_suffix(".old")
    target.rename(aside)
    try:
        work.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    aside.rename(work)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two folders in one step where the system can; False where it cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(a), os.fsencode(b)
    return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


def _keep_foreign(old: Path, new: Path) -> None:
    """Let the new result hold what the old manifest does not list: a user's own files."""
    try:
        listed = set(read_json(old / MANIFEST).get("files", {}))
    except (FileError, AttributeError):  # nobody knows what is whose
        listed = set()
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old)
        kept = path.is_symlink() or path.is_file()
        if not kept or str(name) in listed | {MANIFEST} or (new / name).exists():
            continue
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, new / name, follow_symlinks=False)
        except OSError:  # no such links on this disk
            shutil.copy2(path, new / name, follow_symlinks=False)


@contextmanager
def scratch_netlist(lines: Iterable[str]) -> Iterator[Path]:
    """Lend a netlist as a file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crossstack_") as folder:
        path = Path(folder) / "reference.spice"
        write_lines(path, lines)
        yield path
