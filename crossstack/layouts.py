"""Where layouts and networks are and how they were made; `base.layout` opens a layout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.errors import ConfigError, NetworkFileError
from .base.files import MANIFEST, read_json
from .config import conditions_of
from .pdk import (
    DEFAULT,
    Conditions,
    FileError,
    ParameterError,
    Tech,
    get_tech,
    process_key,
    profile_names,
)
from .pdk.conditions import differences

if TYPE_CHECKING:
    from .extract.tiled import TiledArray
    from .signoff.tapeout import Source
    from .solve.network import Network


@dataclass(frozen=True)
class Origin:
    """What is known about how a layout was made.

    Attributes:
        profile: post-process profile.
        tech: what wires and transistors are taken at.
        source: where this was read, for people.
        process: foundry base, by name or folder.
    """

    profile: str
    tech: Conditions
    source: str
    process: str = DEFAULT

    def resolved_tech(self) -> Tech:
        """Return the technology at these conditions."""
        return get_tech(self.profile, self.process).at(self.tech)


@dataclass(frozen=True, eq=False)
class Wires:
    """What a network file holds, and the technology at the file's own conditions.

    Attributes:
        path: the file.
        found: a network, or the arrays of a large one.
        tech: wires and transistors at the conditions of the extraction.
        notes: what a reader should know of these conditions.
    """

    path: Path
    found: Network | TiledArray
    tech: Tech
    notes: tuple[str, ...] = ()


def wires_in(target: Path, profile: str | None = None, process: str | None = None) -> Wires:
    """Read a network file, or that of the build in a folder.

    Args:
        target: the file or folder.
        profile: what the user takes for its profile; None for no opinion.
        process: its process; None for that of the manifest beside it, or the default.

    Raises:
        NetworkFileError: if the file cannot be read, or is of another process.
        ConfigError: for a profile that is not the file's.
    """
    from .extract import load_wires

    path = target / "network.npz" if target.is_dir() else target
    found = load_wires(path)
    remarks = _remarks(target, found)
    origin = origin_of(path, profile, process)
    if not found.conditions:
        made = origin.resolved_tech()
        at = made.conditions
        note = f"{path.name} does not say what it was extracted at; assumed: {at.text}"
        return Wires(path, found, made, (*remarks, note))
    at = Conditions.from_json(found.conditions)
    if profile not in (None, at.profile):
        raise ConfigError(f"--profile {profile}: {path} was extracted with profile {at.profile}")
    if at.profile not in profile_names(origin.process):
        raise NetworkFileError(f"{path} names profile {at.profile[:40]!r}, which does not exist")
    try:
        tech = get_tech(at.profile, origin.process).at(at)
    except ParameterError as error:
        hint = "; name its process with --process" if error.name == "process" else ""
        raise NetworkFileError(f"{path}: {error}{hint}") from None
    notes = remarks
    if origin.source not in ("default", "--profile", "--process"):
        told = origin.tech.of(tech.name, origin.profile)
        if other := "; ".join(differences(at, told)):
            told_apart = f"{path.name} and {origin.source} differ, the file's own hold: {other}"
            notes = (*notes, told_apart)
    return Wires(path, found, tech, notes)


def _remarks(target: Path, found: Network | TiledArray) -> tuple[str, ...]:
    from .solve.network import Network

    missing = found.missing if isinstance(found, Network) else ""
    replaced = replaced_in(target) if (target / MANIFEST).is_file() else ""
    return tuple(text for text in (replaced, missing) if text)


def replaced_in(folder: Path) -> str:
    """Return which files of a build are not those that it judged, in words; empty if none.

    Only what verdicts and figures rest on counts: layout, netlist and network.
    """
    from .flow import load_manifest

    manifest = load_manifest(folder)
    name, sums = manifest["name"], manifest["files"]
    judged = [file for file in (f"{name}.gds", f"{name}.spice", "network.npz") if file in sums]
    other = [f for f in judged if not _is(folder / f, sums[f])]
    if not other:
        return ""
    verb = "are not the ones" if len(other) > 1 else "is not the one"
    return f"{' and '.join(other)} {verb} that the build judged: build again, or check each file"


def _is(path: Path, digest: str) -> bool:
    from .base.files import sha256

    return path.is_file() and sha256(path) == digest


def layout_in(target: Path) -> Path:
    """Return a layout file: the one that is named, or that of the build in a folder.

    Raises:
        FileError: if the folder is not a build, or its layout is gone.
    """
    from .flow import load_manifest

    if not target.is_dir():
        return target
    file = target / f"{load_manifest(target)['name']}.gds"
    if not file.is_file():
        raise FileError(f"{target} holds no {file.name}: not a complete build")
    return file


def origin_of(path: Path, profile: str | None, process: str | None = None) -> Origin:
    """Return process, profile and conditions of a file: as asked for, or of a manifest beside it.

    A build leaves manifest.json, `generate` leaves <name>.json; either counts only if it lists
    the file.
    """
    for beside in (path.parent / MANIFEST, path.with_suffix(".json")):
        if not beside.is_file():
            continue
        parameters = _parameters(beside, path.name)
        if parameters is not None:
            base = _process_of(beside, process, parameters.get("process", DEFAULT))
            chosen = profile or str(parameters.get("profile"))
            if chosen not in profile_names(base):
                raise FileError(f"{beside} names profile {chosen!r}, which does not exist")
            at = _stored(beside, parameters.get("tech"), base)
            return Origin(chosen, at, beside.name, base)
    base = process_key(process or DEFAULT)
    source = "--profile" if profile else "--process" if process else "default"
    return Origin(profile or profile_names(base)[0], Conditions(), source, base)


def _process_of(manifest: Path, asked: str | None, stored: Any) -> str:
    if asked is not None:
        return process_key(asked)
    try:
        return process_key(stored)
    except ParameterError as error:
        raise FileError(f"{manifest}: {error}; name its folder with --process") from None


def tapeout_source(
    path: Path,
    profile: str | None,
    keep: Iterable[str] = (),
    netlist: Path | None = None,
    process: str | None = None,
) -> Source:
    """Return the layout of a build folder, or a file, as it is to be taped out.

    Args:
        path: file or folder.
        profile: post-process profile, None for that of the build.
        keep: layers of nobody that are written all the same, as ``99/7``.
        netlist: reference netlist, None for the one beside the layout.
        process: foundry base, None for that of the build.

    Raises:
        FileError: if the folder is no build or its layout is gone.
        ParameterError: for a name that no structure of a GDS file may have, or no layer.
    """
    from .signoff.tapeout import Source, layer_pair

    pairs = frozenset(layer_pair(text) for text in keep)
    if not path.is_dir():
        tech = origin_of(path, profile, process).resolved_tech()
        return Source(path, path.name.split(".")[0], tech, None, pairs, netlist)
    gds = layout_in(path)
    tech = origin_of(gds, profile, process).resolved_tech()
    return Source(gds, gds.stem, tech, path, pairs, netlist)


def _stored(manifest: Path, section: Any, process: str) -> Conditions:
    try:
        return conditions_of(section, process)
    except (ConfigError, ParameterError) as error:
        raise FileError(f"{manifest}: {error}") from None


def _parameters(manifest: Path, file_name: str) -> dict[str, Any] | None:
    try:
        value = read_json(manifest)
    except (FileError, OSError):
        return None
    if not isinstance(value, dict) or file_name not in value.get("files", {}):
        return None
    parameters = value.get("parameters")
    return parameters if isinstance(parameters, dict) else None
