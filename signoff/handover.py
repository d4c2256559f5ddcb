"""What goes along with a package: a page for shuttle and mask shop, and the list of pads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from math import atan2, pi
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..lvs import ExtractedLayout

#: what a pad's diodes do, and do not
_PROTECTION = (
    "  Protection, where tapeout.txt says so: at each pad an n+ diode to VSS, a p+ diode to VDD.",
    "  A discharge between two pads runs through a diode, a supply ring and a second diode;",
    "  between the supplies only the junctions of the wells conduct: there is no clamp transistor.",
    "  Nothing of it has been measured: handle the dies as unprotected.",
)
#: how the squares on layers of their own are meant
_FILL = (
    "    Layers after a + hold fill: print them with the same mask. The squares are joined to",
    "    nothing; they keep away from films, openings and marks (fill.csv of the module).",
)
#: columns of the list of pads
COLUMNS = ("number", "net", "kind", "x_um", "y_um", "opening_um")


def pad_rows(extracted: ExtractedLayout) -> list[dict[str, Any]]:
    """Return every pad with its net and the centre of its opening, um.

    Bond pads come first, counterclockwise from the die's south-west corner, then probe pads by
    row. Openings over the seal ring are none.
    """
    import klayout.db as db

    tech, dbu = extracted.tech, extracted.dbu
    pads = extracted.regions[tech.roles.layer("pad")].dup().flatten().merged()
    top = extracted.layout.cell(extracted.top_name)
    if "seal_ring" in tech.roles.names:
        index = extracted.layout.find_layer(*tech.gds(tech.roles.layer("seal_ring")))
        if index is not None:
            pads = pads.not_interacting(db.Region(top.begin_shapes_rec(index)))
    least = tech.to_dbu(tech.shuttle.pads.bond_opening_um)
    centre = top.bbox().center()
    found = []
    for name, net_pads in _by_net(extracted, pads):
        for polygon in net_pads.each():
            box = polygon.bbox()
            bonded = min(box.width(), box.height()) >= least
            at, place = box.center(), box.center().to_dtype(dbu)
            order = _round(at.x - centre.x, at.y - centre.y) if bonded else (at.y, at.x)
            found.append(
                (
                    (not bonded, order),
                    {
                        "net": name,
                        "kind": "bond" if bonded else "probe",
                        "x_um": round(place.x, 3),
                        "y_um": round(place.y, 3),
                        "opening_um": round(min(box.width(), box.height()) * dbu, 3),
                    },
                )
            )
    rows = [row for _, row in sorted(found, key=lambda item: item[0])]
    return [{"number": number, **row} for number, row in enumerate(rows, 1)]


def pad_lines(pads: list[dict[str, Any]]) -> list[str]:
    """Return the list of pads as lines of CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(pads)
    return text.getvalue().splitlines()


def _by_net(extracted: ExtractedLayout, pads: Any) -> Iterator[tuple[str, Any]]:
    land = extracted.tech.roles.land
    left = pads.dup()
    for net in extracted.flat.nets:
        shapes = extracted.net_shapes(net).get(land)
        if shapes is None:
            continue
        own = pads.interacting(shapes.merged())
        if not own.is_empty():
            left -= own
            yield net.name or "", own
    if not left.is_empty():
        yield "", left


def _round(x: int, y: int) -> tuple[float, float]:
    """Return how far a place lies counterclockwise from the south-west."""
    return ((atan2(y, x) + 3 * pi / 4) % (2 * pi), 0.0)


def mask_layers_text(mask: dict[str, Any]) -> str:
    """Return the layers that a mask prints: its own, and its fill's."""
    return f"{mask['layer']} + {mask['fill']}" if mask.get("fill") else str(mask["layer"])


def readme(report: dict[str, Any], pads: list[dict[str, Any]]) -> list[str]:
    """Return the page that goes along: which file is for whom, and what must be agreed."""
    width, height = report["die_um"]
    files = list(report["files"].items())
    bonded = sum(pad["kind"] == "bond" for pad in pads)
    lines = [
        f"{report['name']}: {width:g} x {height:g} um; verdict of crossstack tapeout: "
        f"{report['verdict']}",
        "",
        f"For {report['shuttle']}",
        f"  {files[0][0]}",
        f"    SHA-256 {files[0][1]}",
        "    Everything that the foundry makes. It holds no layer of the post-process.",
        *(f"    Agree: {text}" for text in report["to_agree"]),
    ]
    if len(files) > 1:
        lines += [
            "",
            "For the mask shop",
            f"  {files[1][0]}",
            f"    SHA-256 {files[1][1]}",
            "    Masks of the post-process, one a layer, aligned to the foundry's last metal:",
            *(
                f"    {mask['mask']} {mask_layers_text(mask)}, {mask['polarity']}: "
                f"{mask['purpose']}"
                for mask in report["masks"]
                if mask["used"]
            ),
            *_FILL * any(mask.get("fill") for mask in report["masks"]),
            "    MARK shows the foundry's marks, POSTPROC the area; neither is exposed.",
        ]
    lines += [
        "",
        "For whoever bonds and probes it",
        f"  pads.csv: {bonded} bond pads and {len(pads) - bonded} probe pads with net and centre.",
        *_PROTECTION,
        "",
        "tapeout.txt lists every check, the masks and the places of the marks; tapeout.json holds "
        "the same for programs.",
    ]
    return lines
