"""What goes along with a package: a page for shuttle, mask shop and lab."""

from __future__ import annotations

from typing import Any

from .leads import away_um, meetings, wires_of

#: what a pad's diodes do, and do not
_PROTECTION = (
    "  Protection, where tapeout.txt says so: at each pad an n+ diode to VSS, a p+ diode to VDD.",
    "  A discharge between two pads runs through a diode, a supply ring and a second diode;",
    "  between the supplies {clamps}.",
    "  Nothing of it has been measured: handle the dies as unprotected.",
)
#: how a die is brought up and what not to do
_ORDER = (
    "  Connect every VSS and VDD pad first, then controls, then inputs; disconnect in reverse.",
    "  Hold outputs at 0 V through the ammeter; leave sense lines to voltmeters of 1 Gohm or more.",
)
#: what goes with monitors
_PROBES = (
    "  probe_plan.csv: steps of the probe card on the process monitors (crossstack measure).",
)
#: how the squares on layers of their own are meant
_FILL = (
    "    Layers after a + hold fill: print them with the same mask. The squares are joined to",
    "    nothing; they keep away from films, openings and marks (fill.csv of the module).",
)


def _protection(count: int) -> list[str]:
    """Return what protects a die with so many supply clamps."""
    clamps = {
        0: "only the junctions of the wells conduct: there is no clamp transistor",
        1: "a clamp transistor conducts while VDD rises fast (its size is assumed)",
    }.get(count, f"{count} clamp transistors conduct while VDD rises fast (sizes assumed)")
    return [line.format(clamps=clamps) for line in _PROTECTION]


def mask_layers_text(mask: dict[str, Any]) -> str:
    """Return the layers that a mask prints: its own, and its fill's."""
    return f"{mask['layer']} + {mask['fill']}" if mask.get("fill") else str(mask["layer"])


def bonding_words(die_um: list[float], pads: list[dict[str, Any]]) -> str:
    """Return what the bonding diagram shows, and whether its wires keep clear of each other."""
    wires = wires_of(die_um, pads)
    longest = max((wire.length_um for wire in wires), default=0.0)
    words = "a wire from each pad to its lead, leads in the order of the pads"
    met = list(dict.fromkeys(one for one, _ in meetings(wires, pads)))
    clear = (
        f"{len(met)} wires cross others or other pads, first that of {met[0]}" if met
        else "no wire crosses another, or another pad"
    )  # fmt: skip
    return (
        f"{words};\n    {clear}; the longest is {longest:.0f} um, with leads "
        f"{away_um(die_um):.0f} um from the edge."
    )


def readme(report: dict[str, Any], pads: list[dict[str, Any]]) -> list[str]:
    """Return the page that goes along: which file is for whom, and what must be agreed."""
    width, height = report["die_um"]
    files = list(report["files"].items())
    listed = ", the masks and the places of the marks" if report["marks"] else " and the masks"
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
                f"{mask['purpose']} ({mask['film']})"
                for mask in report["masks"]
                if mask["used"]
            ),
            *_FILL * any(mask.get("fill") for mask in report["masks"]),
            "    MARK shows the foundry's marks, POSTPROC the area; neither is exposed."
            if report["marks"]
            else "    POSTPROC shows the area; it is not exposed.",
        ]
    if pads:
        lines += [
            "",
            "For whoever bonds and probes it",
            f"  pads.csv: {bonded} bond pads and {len(pads) - bonded} probe pads: net, side, "
            "centre, size, use,",
            "    lowest and highest voltage against VSS (V). Beyond the supplies, diodes conduct.",
            f"  bonding.svg: {bonding_words(report['die_um'], pads)}",
            "  wafer_map.csv, wafer_map.svg: where dies lie on the wafer, and what that rests on.",
            *_PROBES * any(pad["kind"] == "probe" for pad in pads),
            *_ORDER,
            *_protection(report.get("clamps", 0)),
        ]
    lines += [
        "",
        f"tapeout.txt lists every check{listed}; tapeout.json holds the same for programs.",
    ]
    return lines
