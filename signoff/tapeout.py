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
from .die import check_die
from .handover import mask_layers_text
from .pads import clamp_count, pad_rows
from .verdicts import NETLIST, RULES, Steps, check_density, differences, judge, quietly

if TYPE_CHECKING:
    import klayout.db as db

    from ..generators.tapeout import Slot
    from ..lvs import ExtractedLayout


#: verdict -> what it means, in words
VERDICTS = {
    "ready": "ready, every check passed",
    "not ready": "NOT READY: a check failed",
    "unknown": "UNKNOWN: not everything was judged",
}

#: steps of `inspect`, in their order
STEPS = ("check files", RULES, NETLIST, "check die")


@dataclass(frozen=True)
class Wafer:
    """Where dies lie on a wafer.

    Attributes:
        pitch_um: step from die to die in x and y; None for the die's own size.
        origin_um: place of the lower-left corner of die (0, 0).
        dies: (column, row) of the dies whose marks are listed.

    Raises:
        ParameterError: for a step that is not positive, or a place that is no number.
    """

    pitch_um: tuple[float, float] | None = None
    origin_um: tuple[float, float] = (0.0, 0.0)
    dies: tuple[tuple[int, int], ...] = ((0, 0),)

    def __post_init__(self) -> None:
        if self.pitch_um is not None and not all(0.0 < p < 1e6 for p in self.pitch_um):
            raise ParameterError("die-pitch-um", self.pitch_um, "two positive lengths below 1 m")
        if not all(abs(v) < 1e6 for v in self.origin_um):
            raise ParameterError("first-die-um", self.origin_um, "two places within 1 m")


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
    if found is None or max(int(found[1]), int(found[2])) > 32767:
        raise ParameterError("keep-layer", text, "layer/datatype such as 99/7, each 0 .. 32767")
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

    Raises:
        FileError: if a file is missing or cannot be read.
    """
    pair = tuple(
        TapeoutFile(folder / f"{source.name}_{kind}.gds", source.tech, kind, slot)
        for kind in kinds(source.tech)
    )
    now = {source.path.name: files.sha256(source.path)}
    with steps(STEPS[0]):
        checks = [check for file in pair for check in check_file(file)]
        # files made just now come from this layout
        changed = [] if fresh else differences(opened, pair, source.tech)
        checks += [check_pair(*pair)] if len(pair) == 2 else []
        checks += [_same_source(now, made_from, changed), _unknown(source, opened)]
    filled = () if fresh else pair
    checks += judge(opened, source.path, source.tech, source.netlist, filled, steps)
    with steps(STEPS[-1]):
        checks.append(check_density(pair, source.tech))
        nets = _nets(opened, source.tech)
        checks += check_die(pair[0], nets)
        checks += [check_openings(*pair), check_strays(*pair)] if len(pair) == 2 else []
    layout = pair[-1].layout
    x1, y1, x2, y2 = pair[0].box
    masks = _masks(layout, source.tech)
    marks = _marks(layout, source.tech, wafer, (x2 - x1, y2 - y1))
    checks.append(_every_mask_marked(pair[0], masks, marks))
    shuttle = source.tech.shuttle
    items = dict(shuttle.items)
    checks = [replace(check, item=items.get(check.name, "")) for check in checks]
    return {
        "name": source.name,
        "source": made_from or now,
        "verdict": verdict(checks),
        "passed": verdict(checks) == "ready",
        "die_um": [(x2 - x1) * layout.dbu, (y2 - y1) * layout.dbu],
        "files": {file.path.name: files.sha256(file.path) for file in pair},
        "checks": [check.to_json() for check in checks],
        "masks": masks,
        "marks": marks,
        "shuttle": shuttle.name,
        "pads": pad_rows(nets) if nets is not None else [],
        "clamps": clamp_count(pair[0]),
        "not_repeated": list(shuttle.unchecked),
        "to_agree": list(shuttle.notes),
    }


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


def _every_mask_marked(
    foundry: TapeoutFile, masks: list[dict[str, Any]], marks: list[dict[str, Any]]
) -> Check:
    """Return whether every mask that is used can be aligned."""
    if not masks:
        return Check("marks", foundry.path.name, "ok", "No mask of a module is to be aligned.")
    marked = {mark["mask"] for mark in marks if mark["kind"] == "mark"}
    missing = [mask["mask"] for mask in masks if mask["used"] and mask["mask"] not in marked]
    if not missing:
        return Check("marks", foundry.path.name, "ok", "Every mask in use has an alignment mark.")
    text = f"no alignment mark for {', '.join(missing)}"
    if has_pads(foundry):
        return Check("marks", foundry.path.name, "failed", text)
    block = "a block without pads; the chip that it is placed on carries them"
    return Check("marks", foundry.path.name, "unknown", f"{text}: {block}")


def _masks(layout: db.Layout, tech: Tech) -> list[dict[str, Any]]:
    from ..generators.tapeout import mask_table

    return [
        {
            "mask": mask.name,
            "layer": f"{mask.gds[0]}/{mask.gds[1]}",
            "fill": f"{mask.fill[0]}/{mask.fill[1]}"
            if mask.fill and _draws(layout, mask.fill)
            else "",
            "polarity": mask.polarity,
            "film": mask.film,
            "purpose": mask.purpose,
            "used": _draws(layout, mask.gds),
        }
        for mask in mask_table(tech)
    ]


def _draws(layout: db.Layout, pair: tuple[int, int]) -> bool:
    """Return whether a layout draws anything on a layer."""
    index = layout.find_layer(*pair)
    return index is not None and any(not cell.bbox(index).empty() for cell in layout.top_cells())


def _marks(
    layout: db.Layout, tech: Tech, wafer: Wafer, die: tuple[int, int]
) -> list[dict[str, Any]]:
    """Return each mark's place on the die, and on the wafer for each die asked for."""
    from ..generators.tapeout import find_marks

    dbu = layout.dbu
    pitch = wafer.pitch_um or (die[0] * dbu, die[1] * dbu)
    rows = []
    for mark in find_marks(layout, tech):
        x, y = round(mark.x * dbu, 4), round(mark.y * dbu, 4)
        on_wafer = [
            {
                "die": list(at),
                "x_um": round(wafer.origin_um[0] + at[0] * pitch[0] + x, 4),
                "y_um": round(wafer.origin_um[1] + at[1] * pitch[1] + y, 4),
            }
            for at in wafer.dies
        ]
        rows.append({"mask": mark.mask, "kind": mark.kind, "x_um": x, "y_um": y, "wafer": on_wafer})
    return rows


def text_lines(report: dict[str, Any], tech: Tech) -> list[str]:
    """Return the package as a text for whoever makes the masks and aligns them."""
    width, height = report["die_um"]
    lines = [
        f"Tapeout package {report['name']}: {VERDICTS[report['verdict']]}",
        f"Die {width:g} x {height:g} um",
        "",
    ]
    lines += ["Files"]
    lines += [f"  {name}  SHA-256 {digest}" for name, digest in report["files"].items()]
    lines += ["", "Checks"]
    lines += [
        f"  {c['status']:<8} {c['name']:<16} {c['file']}: {c['text']}"
        + (f" [{c['item']}]" if c.get("item") else "")
        for c in report["checks"]
    ]
    if report.get("not_repeated"):
        lines += ["", f"Not repeated here, of the checks of {report['shuttle']}"]
        lines += [f"  {text}" for text in report["not_repeated"]]
    if report.get("to_agree"):
        lines += ["", "To be agreed with the shuttle and the mask shop"]
        lines += [f"  {text}" for text in report["to_agree"]]
    lines += ["", "Masks, in the order of the process (polarity for positive resist)"]
    lines += [
        f"  {m['mask']:<8} {mask_layers_text(m):<15} {m['polarity']:<12} {m['film']:<38} "
        + m["purpose"]
        + ("" if m["used"] else "  (not used)")
        for m in report["masks"]
    ]
    against = f"Marks against {tech.roles.land}"
    lines += ["", f"{against}: centre on the die, and on the wafer by die (um)"]
    for m in report["marks"]:
        places = "  ".join(
            f"({w['die'][0]},{w['die'][1]}) {w['x_um']:.3f} {w['y_um']:.3f}" for w in m["wafer"]
        )
        mask = m["mask"] or "none"
        lines.append(f"  {mask:<8} {m['kind']:<8} {m['x_um']:10.3f} {m['y_um']:10.3f}   {places}")
    return lines if report["marks"] else [*lines, "  none drawn"]
