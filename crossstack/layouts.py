"""Where a layout is and how it was made; `base.layout` opens it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import TechOptions
from .files import MANIFEST, read_json
from .pdk import PROFILES, FileError, Tech, get_tech


@dataclass(frozen=True)
class Origin:
    """What is known about how a layout was made.

    Attributes:
        profile: post-process profile.
        tech: the user's changes of the process.
        source: where this was read, for people.
    """

    profile: str
    tech: TechOptions
    source: str

    def resolved_tech(self) -> Tech:
        """Return the technology with the user's changes."""
        return self.tech.apply(get_tech(self.profile))


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


def origin_of(path: Path, profile: str | None) -> Origin:
    """Return profile and process options for a file: --profile, or a manifest beside the file.

    A build leaves manifest.json, `generate` leaves <name>.json; either counts only if it lists
    the file.
    """
    for beside in (path.parent / MANIFEST, path.with_suffix(".json")):
        if not beside.is_file():
            continue
        parameters = _parameters(beside, path.name)
        if parameters is not None:
            chosen = profile or str(parameters.get("profile"))
            if chosen not in PROFILES:
                raise FileError(f"{beside} names profile {chosen!r}, which does not exist")
            return Origin(chosen, TechOptions.from_mapping(parameters.get("tech")), beside.name)
    return Origin(profile or "stepper", TechOptions(), "--profile" if profile else "default")


def _parameters(manifest: Path, file_name: str) -> dict[str, Any] | None:
    try:
        value = read_json(manifest)
    except (FileError, OSError):
        return None
    if not isinstance(value, dict) or file_name not in value.get("files", {}):
        return None
    parameters = value.get("parameters")
    return parameters if isinstance(parameters, dict) else None
