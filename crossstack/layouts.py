"""Layouts that a command reads: opened once, refused with a clear word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.errors import ConfigError
from .config import TechOptions
from .files import MANIFEST, read_json
from .pdk import PROFILES, FileError, Tech, get_tech

if TYPE_CHECKING:
    import klayout.db as db


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


def open_layout(path: Path, tech: Tech, top: str | None = None) -> db.Layout:
    """Read a GDS or OASIS file and make sure that it is one of this process.

    Raises:
        FileError: if the file is no layout, of another process, or of another database unit.
        ConfigError: if `top` is needed or does not exist.
    """
    import klayout.db as db

    layout = db.Layout()
    try:
        layout.read(str(path))
    except RuntimeError:
        raise FileError(f"{path} is not a readable GDS or OASIS file") from None
    if not layout.cells():
        raise FileError(f"{path} holds no cell")
    if abs(layout.dbu - tech.dbu_um) > 1e-9:
        raise FileError(
            f"{path} has a database unit of {layout.dbu:g} um; {tech.name} uses {tech.dbu_um:g} um"
        )
    _check_process(layout, path, tech)
    _check_top(layout, path, top)
    return layout


def _check_process(layout: db.Layout, path: Path, tech: Tech) -> None:
    known = {layer.gds for layer in tech.layers}
    drawn = [(info.layer, info.datatype) for info in layout.layer_infos()]
    if known.isdisjoint(drawn):
        shown = ", ".join(f"{a}/{b}" for a, b in drawn[:5]) + (", ..." if len(drawn) > 5 else "")
        raise FileError(
            f"{path} draws no layer of {tech.name} (it has {shown or 'no shapes'}); "
            "is it of another process?"
        )


def _check_top(layout: db.Layout, path: Path, top: str | None) -> None:
    if top is not None:
        if not layout.has_cell(top):
            raise ConfigError(f"{path} has no cell {top!r}")
        return
    tops = [cell.name for cell in layout.top_cells()]
    if len(tops) > 1:
        raise ConfigError(
            f"{path} has {len(tops)} top cells ({', '.join(tops[:5])}); choose with --top"
        )
