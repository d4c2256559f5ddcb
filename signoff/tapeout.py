"""The tapeout package: foundry file, mask file, every sign-off item, masks and marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base import claims, files
from ..base.errors import ConfigError, CrossStackError, ParameterError
from ..base.layout import OpenedLayout, unknown_layers
from ..base.spans import LAYER
from ..pdk import Tech
from .checks import (
    NAMES,
    Check,
    TapeoutFile,
    check_file,
    check_openings,
    check_pair,
    check_strays,
    has_pads,
)
from .die import check_die, id_remarks
from .listing import every_mask_marked, marks_of, masks_of
from .pads import clamp_count, pad_rows
from .verdicts import NETLIST, RULES, Steps, check_density, differences, judge, quietly
from .wafer import Wafer, remarks, step_of

if TYPE_CHECKING:
    from ..generators.tapeout import Slot
    from ..lvs import ExtractedLayout


#: what no check of a package looks at, and which command does
NOT_JUDGED = (
    "whether the circuit works: current limits and write voltages (crossstack build, limits), "
    "IR drop and settling (crossstack solve)",
)
#: steps of `inspect`, in their order
STEPS = ("check files", RULES, NETLIST, "check die")


@dataclass(frozen=True)
class Source:
    """A layout to be taped out.

    Attributes:
        path: layout file.
        name: stem of the files to be written.
        tech: its technology.
        folder: build folder, None for a file alone.
        keep: (layer, datatype) pairs of no layer of the process that are written all the same.
        netlist: reference netlist, None for the one beside the layout.
    """

    path: Path
    name: str
    tech: Tech
    folder: Path | None
    keep: frozenset[tuple[int, int]] = frozenset()
    netlist: Path | None = None

    def __post_init__(self) -> None:
        if not NAMES.fullmatch(self.name):
            allowed = "letters, digits, _ $ ? only: it becomes the name of a GDS structure"
            raise ParameterError("name", self.name, allowed)


def layer_pair(text: str) -> tuple[int, int]:
    """Return a layer that is named as ``99/7``.

    Raises:
        ParameterError: if the text names none.
    """
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text, re.ASCII)
    if found is None or not all(int(number) in LAYER for number in found.groups()):
        allowed = f"layer/datatype such as 99/7, each {LAYER.ends}"
        raise ParameterError("keep-layer", text, allowed)
    return int(found[1]), int(found[2])


def slot_named(tech: Tech, name: str | None) -> Slot | None:
    """Return a slot by name, None for None.

    Raises:
        ConfigError: if there is no such slot.
    """
    from ..generators.tapeout import slots

    if name is None:
        return None
    for slot in slots(tech):
        if slot.name == name:
            return slot
    known = ", ".join(slot.name for slot in slots(tech))
    raise ConfigError(f"no such slot {name!r} (known: {known})")


def package_folder(source: Source, out: Path | None) -> Path:
    """Return the folder of the package.

    Raises:
        ConfigError: if it is the build's own folder, whose manifest would no longer be true.
    """
    folder = out or source.path.parent / "tapeout"
    if source.folder is not None and folder.resolve() == source.folder.resolve():
        raise ConfigError(f"{folder} is the build itself; choose another folder for the package")
    return folder


def write_parts(
    opened: OpenedLayout,
    name: str,
    tech: Tech,
    folder: Path,
    also: Iterable[tuple[int, int]] = (),
) -> None:
    """Write <name>_foundry.gds and, for masks of the module, <name>_masks.gds; repair nothing.

    Build and package both write from the file that they are about, so that equal layouts give
    equal bytes.

    Args:
        opened: the layout.
        name: stem of the files.
        tech: its technology.
        folder: where they go.
        also: (layer, datatype) pairs of no layer of the process that go to the foundry.

    Raises:
        FileError: if a file cannot be written.
    """
    from ..generators.tapeout import foundry_layers, mask_layers

    layout, top = opened.layout, opened.top
    before = top.name
    layers = {"foundry": [*foundry_layers(layout, tech), *also], "masks": mask_layers(tech)}
    for kind in kinds(tech):
        stem = f"{name}_{kind}"
        # the precheck wants the top cell named as its file
        layout.rename_cell(top.cell_index(), stem)
        files.write_layout(layout, folder / f"{stem}.gds", layers[kind])
    layout.rename_cell(top.cell_index(), before)


def kinds(tech: Tech) -> tuple[str, ...]:
    """Return the kinds of files of a package: a module of the foundry's own has no masks apart."""
    from ..generators.tapeout import mask_layers

    return ("foundry", "masks") if mask_layers(tech) else ("foundry",)


def recorded_source(folder: Path) -> dict[str, str] | None:
    """Return name and SHA-256 of the layout that a package was made from, if it says so."""
    path = folder / "tapeout.json"
    with claims.own_records():
        report = files.read_json(path) if path.is_file() else None
    found = report.get("source") if isinstance(report, dict) else None
    return found if isinstance(found, dict) else None


def inspect(
    source: Source,
    opened: OpenedLayout,
    folder: Path,
    slot: Slot | None,
    wafer: Wafer,
    made_from: dict[str, str] | None = None,
    *,
    fresh: bool = True,
    steps: Steps = quietly,
    also: Iterable[Check] = (),
) -> dict[str, Any]:
    """Return the checks of a package's two files, its mask list and its marks.

    Args:
        source: the layout and how it is asked for.
        opened: the layout itself.
        folder: where the two files are.
        slot: slot that the die must fill, if one was asked for.
        wafer: where dies lie.
        made_from: name and SHA-256 of the layout that existing files were made from; None for
            files that do not say so.
        fresh: True for files made just now, False for some that were there.
        steps: enters a step of a name (`STEPS`), and gives what takes news of it.
        also: checks that were made elsewhere.

    Raises:
        FileError: if a file is missing or cannot be read.
        ParameterError: for a step of the wafer at which dies overlap.
    """
    pair = tuple(
        TapeoutFile(folder / f"{source.name}_{kind}.gds", source.tech, kind, slot)
        for kind in kinds(source.tech)
    )
    now = {source.path.name: files.sha256(source.path)}
    x1, y1, x2, y2 = pair[0].box
    die_um = [(x2 - x1) * pair[0].layout.dbu, (y2 - y1) * pair[0].layout.dbu]
    step_of(wafer, die_um)  # a step that no wafer can have is refused before all is judged
    with steps(STEPS[0]):
        # files made just now come from this layout
        changed = [] if fresh else differences(opened, pair, source.tech)
        checks = _of_files(pair)
        checks += [_same_source(now, made_from, changed), _unknown(source, opened)]
    filled = () if fresh else pair
    checks += judge(opened, source.path, source.tech, source.netlist, filled, steps)
    with steps(STEPS[-1]):
        nets = _nets(opened, source.tech)
        checks += _of_die(pair, nets, source.tech)
    layout = pair[-1].layout
    masks = masks_of(layout, source.tech)
    marks = marks_of(layout, source.tech, wafer, (x2 - x1, y2 - y1))
    checks += [every_mask_marked(pair[0], masks, marks), *also]
    said = id_remarks(pair[0])
    if nets is not None and has_pads(pair[0]):
        said += remarks(wafer, die_um)
    shuttle = source.tech.shuttle
    items = dict(shuttle.items)
    checks = [replace(check, item=items.get(check.name, "")) for check in checks]
    return {
        "name": source.name,
        "source": made_from or now,
        "verdict": verdict(checks),
        "passed": verdict(checks) == "ready",
        "die_um": die_um,
        "files": {file.path.name: files.sha256(file.path) for file in pair},
        "checks": [check.to_json() for check in checks],
        "masks": masks,
        "marks": marks,
        "remarks": said,
        "shuttle": shuttle.name,
        "pads": pad_rows(nets) if nets is not None else [],
        "clamps": clamp_count(pair[0]),
        "not_judged": list(NOT_JUDGED),
        "not_repeated": list(shuttle.unchecked),
        "to_agree": [*shuttle.notes, *(shuttle.chip_notes if has_pads(pair[0]) else ())],
    }


def _of_files(pair: tuple[TapeoutFile, ...]) -> list[Check]:
    """Return what is wrong with files as such; masks apart are compared with the foundry's."""
    found = [check for file in pair for check in check_file(file)]
    return [*found, *([check_pair(*pair)] if len(pair) == 2 else [])]


def _of_die(pair: tuple[TapeoutFile, ...], nets: ExtractedLayout | None, tech: Tech) -> list[Check]:
    """Return what is wrong with the die: density, pads, and openings over them."""
    found = [check_density(pair, tech), *check_die(pair[0], nets)]
    return [*found, *([check_openings(*pair), check_strays(*pair)] if len(pair) == 2 else [])]


def _nets(opened: OpenedLayout, tech: Tech) -> ExtractedLayout | None:
    """Return the nets of a layout; None where they cannot be extracted."""
    from ..lvs import extract_layout

    try:
        return extract_layout(opened, tech)
    except CrossStackError:
        return None


def verdict(checks: Iterable[Check]) -> str:
    """Return ``ready``, ``not ready`` or, if nothing failed but not all was judged, ``unknown``."""
    found = {check.status for check in checks}
    return "not ready" if "failed" in found else "ready" if found == {"ok"} else "unknown"


def _unknown(source: Source, opened: OpenedLayout) -> Check:
    """Return what becomes of layers that nobody checks."""
    name, file = "unknown layers", source.path.name
    unknown = unknown_layers(opened.top, source.tech.drawing)
    nobodys = set(unknown) - {layer.gds for layer in source.tech.foreign}
    left = [unknown[pair] for pair in sorted(nobodys - source.keep)]
    judged_by_none = [text for pair, text in unknown.items() if pair not in nobodys - source.keep]
    texts = []
    if left:
        again = " ".join(f"--keep-layer {text}" for text in left)
        texts.append(f"on no layer of the process, left out: {', '.join(left)} ({again} keeps)")
    if judged_by_none:
        texts.append(f"written, checked by nothing here: {', '.join(judged_by_none)}")
    status = "unknown" if judged_by_none else "ok"
    return Check(name, file, status, "; ".join(texts) or "Every layer drawn is described.")


def _same_source(
    now: dict[str, str], made_from: dict[str, str] | None, differences: list[str]
) -> Check:
    """Return whether the package is that of the layout whose rules and netlist are judged."""
    (name,) = now
    if made_from is not None and made_from != now:
        return Check("source", name, "failed", f"{name} is not what the package was made from")
    if differences:
        text = f"the package draws something else than {name}: {'; '.join(differences)}"
        return Check("source", name, "failed", text)
    return Check("source", name, "ok", "The package was made from this layout.")
