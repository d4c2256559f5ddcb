"""Where layouts and networks are and how they were made; `base.layout` opens a layout."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.errors import ConfigError, NetworkFileError
from .base.files import MANIFEST, read_json
from .base.layout import is_layout
from .builds import network_of, replaced_in
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
from .pdk.conditions import device_text, differences
from .pdk.home import process_names
from .pdk.memristor import merged
from .pdk.tech import SUFFIX
from .whose import process_of, refuse_process, same_tables

if TYPE_CHECKING:
    from .extract.array.tiled import TiledArray
    from .signoff.tapeout import Source
    from .solve.network.network import Network


_LOG = logging.getLogger(__name__)
#: um by which a size may differ from a limit without being beyond it
_NEAR = 1e-6


@dataclass(frozen=True)
class Origin:
    """What is known about how a layout was made.

    Attributes:
        profile: post-process profile.
        tech: what wires and transistors are taken at.
        source: where this was read, for people.
        process: foundry base, by name or folder.
        notes: what a reader of a verdict should know of the tables that it rests on.
    """

    profile: str
    tech: Conditions
    source: str
    process: str = DEFAULT
    notes: tuple[str, ...] = ()

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

    def with_device(self, figures: Mapping[str, Any]) -> Wires:
        """Return the same wires with other figures of the memristors, which they do not feel.

        Raises:
            ParameterError: for a figure that does not exist or is outside its range.
        """
        if not figures:
            return self
        at = self.tech.conditions
        tech = self.tech.at(replace(at, device=merged(at.device, figures)))
        found = replace(self.found, conditions=tech.conditions.to_json())
        told = {key: tech.conditions.device.get(key, figures[key]) for key in figures}
        note = f"memristors as --device says: {device_text(told)}"
        return replace(self, found=found, tech=tech, notes=(*self.notes, note))


def wires_in(target: Path, profile: str | None = None, process: str | None = None) -> Wires:
    """Read a network file, or that of the build in a folder; see what is odd about it.

    Args:
        target: the file or folder.
        profile: what the user takes for its profile; None for no opinion.
        process: its process; None for that of the manifest beside it, or the default.

    Raises:
        NetworkFileError: if the file cannot be read, or is of another process.
        ConfigError: for a profile that is not the file's.
    """
    wires = _read_wires(target, profile, process)
    return replace(wires, notes=(*_remarks(target, wires), *wires.notes))


def _read_wires(target: Path, profile: str | None, process: str | None) -> Wires:
    from .extract import load_wires

    path = network_of(target) if target.is_dir() else target
    try:
        found = load_wires(path)
    except NetworkFileError as error:
        if not is_layout(path):
            raise
        raise NetworkFileError(
            f"{error}: it is a layout; run `crossstack extract {path}` first, and name the network "
            "that it leaves"
        ) from None
    at = Conditions.from_json(found.conditions) if found.conditions else Conditions()
    needed = {"process": at.process, "profile": at.profile, "supply_v": at.supply_v}
    if missing := [key for key, value in needed.items() if not value]:
        raise NetworkFileError(
            f"{path} does not say what it was extracted at ({', '.join(missing)}): extract it again"
        )
    if process is not None:
        refuse_process(process, at.process, path.name)
    origin = origin_of(path, profile, process or _process_in(path, at), tables=False)
    if profile not in (None, at.profile):
        raise ConfigError(f"--profile {profile}: {path} was extracted with profile {at.profile}")
    if at.profile not in profile_names(origin.process):
        raise NetworkFileError(f"{path} names profile {at.profile[:40]!r}, which does not exist")
    try:
        tech = get_tech(at.profile, origin.process).at(at)
    except ParameterError as error:
        hint = "; name its process with --process" if error.name == "process" else ""
        raise NetworkFileError(f"{path}: {error}{hint}") from None
    _refuse_layers(found, tech, path)
    if not same_tables(at.process, at.tables, tech):
        name = at.process.removesuffix(SUFFIX)
        raise NetworkFileError(
            f"{path} was extracted with other tables of process {name} than {origin.process} "
            "holds now: extract it again"
        )
    notes: tuple[str, ...] = ()
    if origin.source not in ("default", "--profile", "--process"):
        told = origin.tech.of(replace(tech.allowed, profile=origin.profile))
        if other := "; ".join(differences(at, told)):
            notes = (f"{path.name} and {origin.source} differ, the file's own hold: {other}",)
    return Wires(path, found, tech, notes)


def _refuse_layers(found: Network | TiledArray, tech: Tech, path: Path) -> None:
    """Refuse wires on a layer that has no film and no cut: no limit and no rate is known of it.

    Raises:
        NetworkFileError: naming the layer.
    """
    from .extract.array.tiled import SUMS
    from .extract.sheet.lumps import LAYER

    known = {film.name for film in (*tech.films, *tech.diffusions)} | SUMS | {LAYER}
    known |= {cut.name for cut in tech.cuts}
    if other := [name for name in getattr(found, "layers", ()) if name not in known]:
        raise NetworkFileError(
            f"{path} has wires on layer {other[0][:40]!r}, which {tech.name} does not have "
            f"(known: {', '.join(sorted(known))})"
        )


def _process_in(path: Path, at: Conditions) -> str | None:
    """Return the process that a network file was extracted in, None where nothing says so.

    Raises:
        NetworkFileError: if it lay in a folder that is gone.
    """
    if not at.folder:
        name = at.process.removesuffix(SUFFIX)
        return name if name in process_names() else None
    try:
        key = process_key(at.folder)
    except ParameterError:
        raise NetworkFileError(
            f"{path} was extracted in a process whose folder {at.folder} is gone; name its folder "
            "with --process"
        ) from None
    return key


def _remarks(target: Path, wires: Wires) -> Iterator[str]:
    from .solve.network.network import Network

    if (target / MANIFEST).is_file() and (replaced := replaced_in(target)):
        yield replaced
    if isinstance(wires.found, Network):
        if missing := wires.found.missing:
            yield missing
        yield from wires.found.left_out.lines
        yield from _shorted(wires.found)
        yield from _odd_transistors(wires.found, wires.tech)


def _shorted(network: Network) -> Iterator[str]:
    """Yield a line on memristors whose ends are one node: nothing can drop over them."""
    from .base.names import TIER_NAMES

    both = (network.memristor_a == network.memristor_b).nonzero()[0]
    if len(both):
        k = int(both[0])
        tier, row = TIER_NAMES[int(network.memristor_tier[k])], int(network.memristor_row[k])
        more = f" and {len(both) - 1} more have" if len(both) > 1 else " has"
        place = f"{tier} tier, row {row}, column {int(network.memristor_col[k])}"
        node = network.node_names[int(network.memristor_a[k])]
        yield f"memristor of {place}{more} both ends on one node ({node}): no current through it"


def _odd_transistors(network: Network, tech: Tech) -> Iterator[str]:
    """Yield a line on transistors that no table is of: too small or wide, or of another length."""
    import numpy as np

    from .pdk.ron import widest_um

    w, length = network.switch_w_um, network.switch_l_um
    if not len(w):
        return
    limits = {rule.kind: rule.value for rule in tech.rules}
    least_w, least_l = limits.get("channel_width", 0.0), limits.get("gate_length", 0.0)
    # a limit of the diffusion's size may be one of its narrower side
    most_w = max(limits.get("max_size", np.inf), widest_um(tech.nfet.ron_table))
    own = np.where(network.switch_p, tech.pfet.l_um, tech.nfet.l_um)
    outside = (w < least_w - _NEAR) | (w > most_w + _NEAR) | (length < least_l - _NEAR)
    widths = f"{least_w:g} .. {most_w:g}" if np.isfinite(most_w) else f"from {least_w:g}"
    for odd, why in (
        (outside, f"outside the technology (W {widths}, L from {least_l:g} um)"),
        (~outside & (abs(length - own) > _NEAR), "whose L no table is of"),
    ):
        found = odd.nonzero()[0]
        if len(found):
            k = int(found[0])
            ends = [network.node_names[int(e[k])] for e in (network.switch_a, network.switch_b)]
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield (
                f"transistor between {ends[0]} and {ends[1]} (W = {w[k]:g} um, L = {length[k]:g} "
                f"um){more}, {why}: its resistance is scaled by L / W and may be far off"
            )


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


def _refuse_profile(profile: str, process: str) -> None:
    """Refuse a profile that a process does not have.

    Raises:
        ParameterError: naming those that it has.
    """
    if profile not in (known := profile_names(process)):
        raise ParameterError("--profile", profile, f"one of {', '.join(known)} ({process})")


def origin_of(
    path: Path, profile: str | None, process: str | None = None, *,
    tables: bool = True, mixes: bool = False,
) -> Origin:  # fmt: skip
    """Return process, profile and conditions of a file: as asked for, or of a manifest beside it.

    A build leaves manifest.json, `generate` leaves <name>.json; either counts only if it lists
    the file. One that lists others is remarked: a copy of a layout, or one under another name,
    may well be of other conditions than what is taken for it.

    Args:
        path: the file.
        profile: what the user takes for its profile; None for no opinion.
        process: the same of its process, a name or folder.
        tables: False where the file itself says which tables of a process it was made with.
        mixes: True where results of the earlier tables would go into one with those of today.

    Raises:
        FileError: for a manifest that cannot be read: nobody knows whether it is about the file;
            and for tables that were changed since (`whose.process_of`).
    """
    others = []
    for beside in (path.parent / MANIFEST, path.with_suffix(".json")):
        if not beside.is_file() or beside == path or _is_output(beside):
            continue
        value = _listing(beside, path.name)
        if value is not None:
            parameters = value["parameters"]
            base, notes = process_of(beside, value, process, path.name, tables=tables, mixes=mixes)
            chosen = profile or str(parameters.get("profile"))
            if chosen not in profile_names(base):
                if profile:
                    _refuse_profile(profile, base)
                raise FileError(f"{beside} names profile {chosen!r}, which does not exist")
            at = _stored(beside, parameters, base)
            told = "--profile" if profile not in (None, parameters.get("profile")) else beside.name
            return Origin(chosen, at, told, base, notes)
        others.append(beside)
    base = process_key(process or DEFAULT)
    taken = profile or profile_names(base)[0]
    _refuse_profile(taken, base)
    for beside in others:
        _LOG.warning(
            "%s says nothing of %s: taken at profile %s, typical, 25 C", beside, path.name, taken
        )
    source = "--profile" if profile else "--process" if process else "default"
    return Origin(taken, Conditions(), source, base)


def _is_output(path: Path) -> bool:
    """Return whether what this command prints goes into a file: ``drc a.gds --json > a.json``."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


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
        tech = origin_of(path, profile, process, mixes=True).resolved_tech()
        return Source(path, path.name.split(".")[0], tech, None, pairs, netlist)
    gds = layout_in(path)
    tech = origin_of(gds, profile, process, mixes=True).resolved_tech()
    return Source(gds, gds.stem, tech, path, pairs, netlist)


def _stored(manifest: Path, parameters: Mapping[str, Any], process: str) -> Conditions:
    try:
        return conditions_of(parameters.get("tech"), process, parameters.get("device"))
    except (ConfigError, ParameterError) as error:
        raise FileError(f"{manifest}: {error}") from None


def _listing(manifest: Path, file_name: str) -> dict[str, Any] | None:
    """Return a manifest that lists a file and holds parameters; None if it is about others.

    Raises:
        FileError: if it is damaged.
    """
    try:
        value = read_json(manifest)
    except (FileError, OSError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        raise FileError(f"{manifest} beside {file_name} cannot be read: {reason}") from None
    listed = value.get("files") if isinstance(value, dict) else None
    another = isinstance(value, dict) and not {"name", "parameters"} <= value.keys()
    if listed is None and another and manifest.name != MANIFEST:
        return None  # a result of a command, say, that happens to be called like the file
    if not isinstance(listed, dict):
        raise FileError(f"{manifest} beside {file_name} is no manifest: it lists no files")
    if file_name not in listed:
        return None
    if not isinstance(value.get("parameters"), dict):
        raise FileError(f"{manifest} lists {file_name}, but holds no parameters of it")
    return dict(value)
