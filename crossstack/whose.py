"""Whose tables a layout was made with: noted in manifests, held against the folder of today.

Conditions name a process and carry a sum over the tables of one that is a user's own, so that
networks know theirs; a layout has only the manifest beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .base.errors import FileError
from .pdk import DEFAULT, ParameterError, Tech, get_tech, process_key
from .pdk.home import HOME, process_names
from .pdk.tech import SUFFIX

#: key of a manifest, and what it holds
KEY = "process"
_NOTED = ("name", "tables")


def noted(tech: Tech) -> dict[str, dict[str, str]]:
    """Return what a manifest says of the process that a layout was made in.

    The sum over the tables is that of a user's own folder; those that come with CrossStack are
    told by its version.
    """
    return {KEY: {"name": tech.name, "tables": tech.allowed.tables}}


def process_of(
    manifest: Path,
    value: Mapping[str, Any],
    asked: str | None,
    file: str,
    *,
    tables: bool = True,
    mixes: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """Return the process of a file by its manifest, and remarks on the tables of today.

    Args:
        manifest: where the manifest is.
        value: what it holds.
        asked: what the user takes for the process, a name or folder; None for no opinion.
        file: the file's name, for messages.
        tables: False where the file itself says which tables it was made with.
        mixes: True where results of the earlier tables would go into one with those of today,
            which no option allows.

    Raises:
        ParameterError: if another process is asked for.
        FileError: if the process is another one today, or is gone and nobody says where it is;
            and if its tables were changed, unless the user names their folder on purpose.
    """
    stored = value["parameters"].get("process", DEFAULT)
    key, made = _key(manifest, stored, asked), _made(manifest, value, stored)
    if key in process_names() and key == stored:
        return key, ()
    now = get_tech(process=key)
    name = made[0] if made else _name_in(stored)
    if name and name != now.name:
        if asked is not None:
            refuse_process(asked, name, file, manifest.name)
        raise FileError(
            f"{manifest}: {file} was made in process {_plain(name)}, and {key} holds "
            f"{_plain(now.name)} now; name the folder of {_plain(name)} with --process"
        )
    if not tables:
        return key, ()
    if made is None:
        return key, (f"{manifest.name} does not say with which tables of {key} {file} was made",)
    if same_tables(*made, now):
        return key, ()
    others = f"{file} was made with other tables of process {_plain(name)} than {key} holds now"
    if asked is not None and not mixes:
        return key, (f"{others}; taken by those of today, as --process says",)
    way = "" if mixes else f", or name them with --process {key} to have it judged by them"
    raise FileError(f"{manifest}: {others}: make it again{way}")


def _key(manifest: Path, stored: Any, asked: str | None) -> str:
    """Return the process that is asked for, else the one that a manifest names."""
    try:
        found = process_key(stored)
    except ParameterError as error:
        if asked is None:
            raise FileError(f"{manifest}: {error}; name its folder with --process") from None
        if (key := process_key(asked)) in process_names():
            allowed = f"the folder of the process that {manifest.name} names, {str(stored)[:200]}"
            raise ParameterError("--process", asked, allowed) from None
        return key
    return found if asked is None else process_key(asked)


def _made(manifest: Path, value: Mapping[str, Any], stored: Any) -> tuple[str, str] | None:
    """Return name and sum of tables that a manifest notes; None of one of an earlier version."""
    if KEY not in value:
        return (f"{stored}{SUFFIX}", "") if stored in process_names() else None
    said = value[KEY]
    if not isinstance(said, dict) or not all(isinstance(said.get(k), str) for k in _NOTED):
        raise FileError(f"{manifest}: {KEY} does not hold the texts {' and '.join(_NOTED)}")
    return said["name"], said["tables"]


def _name_in(stored: Any) -> str:
    """Return the name of the process in a folder; empty if it is gone."""
    try:
        return get_tech(process=stored).name
    except ParameterError:
        return ""


def _plain(name: str) -> str:
    return name.removesuffix(SUFFIX)


def same_tables(name: str, sums: str, tech: Tech) -> bool:
    """Return whether a process that a file names, with its sum, is a technology's of today.

    Args:
        name: of the process, with or without its module.
        sums: over the tables of a user's own folder; empty for one that comes with CrossStack.
        tech: the technology, whose folder may be a copy.
    """
    if sums == tech.allowed.tables:
        return True
    from .pdk.tables import table_sum  # who has one process alone reads no table here

    name = _plain(name)
    theirs = sums or (table_sum(HOME / name) if name in process_names() else "")
    return theirs == (tech.allowed.tables or table_sum(tech.process.folder))


def refuse_process(asked: str, name: str, file: str, said_by: str = "") -> None:
    """Refuse a process that a file is not of; a copy of its folder is the same process.

    Args:
        asked: what the user takes for its process, a name or folder.
        name: of its process, module included.
        file: the file's name.
        said_by: what says so, if not the file itself.

    Raises:
        ParameterError: naming the file's own process.
    """
    theirs = get_tech(process=asked).name
    if name and theirs != name:
        source = f"as {said_by} says" if said_by else "as it says itself"
        raise ParameterError("--process", asked, f"{_plain(name)} for {file}, {source}")
