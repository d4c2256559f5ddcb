"""What pages show of a drawn layout: all of it, a cut through a cell, and a cell's stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..pdk import Tech
from .cut import Cut
from .layout_svg import layout_svg
from .limits_svg import limits_svg
from .page import script_json
from .section_svg import section_svg
from .stack_3d import stack_3d

#: scripts of a page with a layout
SCRIPTS = ("layout", "maps", "stack")


def drawn(
    gds: Path,
    tech: Tech,
    cell: Mapping[str, float],
    markers: str = "",
    nets: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return what `drawn.html.j2` and `stack.html.j2` show; nothing of a file that is missing.

    Args:
        gds: layout file.
        tech: its technology.
        cell: what the manifest says of the cell; may be empty.
        markers: SVG that goes over the layout.
        nets: net -> its hardest load as em.json tells, drawn over the layout as well.
    """
    if not gds.is_file():
        none: dict[str, Any] = {"layout": None, "section": "", "stack": False, "load_svg": ""}
        return {**none, "markers": "", "stack_json": script_json({"layers": []})}
    pitch = cell.get("pitch_x_um")
    stack = stack_3d(gds, tech, (pitch, cell["pitch_y_um"]) if pitch else None)
    return {
        "layout": layout_svg(gds, tech),
        "markers": markers,
        "load_svg": limits_svg(gds, tech, nets or {}),
        "section": section_svg(gds, tech, Cut(width_um=1.2 * pitch) if pitch else None),
        "stack": bool(stack["layers"]),
        "stack_json": script_json(stack),
    }
