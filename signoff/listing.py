"""What a tapeout package lists for whoever makes the masks and aligns them: masks, marks, text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..pdk import Tech
from .checks import Check, TapeoutFile, has_pads
from .handover import mask_layers_text
from .wafer import step_of

if TYPE_CHECKING:
    import klayout.db as db

    from .wafer import Wafer

#: verdict -> what it means, in words
VERDICTS = {
    "ready": "ready, every check passed",
    "not ready": "NOT READY: a check failed",
    "unknown": "UNKNOWN: not everything was judged",
}


def every_mask_marked(
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


def masks_of(layout: db.Layout, tech: Tech) -> list[dict[str, Any]]:
    """Return each mask of the module: layer, fill, polarity, film, and whether it is used."""
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


def marks_of(
    layout: db.Layout, tech: Tech, wafer: Wafer, die: tuple[int, int]
) -> list[dict[str, Any]]:
    """Return each mark's place on the die, and on the wafer for each die asked for."""
    from ..generators.tapeout import find_marks

    dbu = layout.dbu
    pitch = step_of(wafer, [die[0] * dbu, die[1] * dbu])
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
    lines += _in_full(report["checks"])
    lines += ["", "Not judged here"]
    lines += [f"  {text}" for text in report["not_judged"]]
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
    lines += [] if report["marks"] else ["  none drawn"]
    lines += ["", "Remarks"] if report["remarks"] else []
    return [*lines, *(f"  {text}" for text in report["remarks"])]


def _in_full(checks: list[dict[str, Any]]) -> list[str]:
    """Return every finding of checks whose line names only some."""
    lines = []
    for check in checks:
        found = check["findings"]
        if not any(sign.join(found) in check["text"] for sign in (", ", "; ")):
            lines += ["", f"Every finding of {check['name']}", *(f"  {text}" for text in found)]
    return lines
