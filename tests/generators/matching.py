"""What LVS says of an array that was drawn."""

from __future__ import annotations

from pathlib import Path

import klayout.db as db

from crossstack.cells import to_layout
from crossstack.generators.array import Array
from crossstack.lvs import compare_layout, extract_layout


def matched(array: Array, folder: Path, layout: db.Layout | None = None) -> dict[str, object]:
    """Compare an array with its netlist; its drawing, or another one."""
    gds, net = folder / "a.gds", folder / "a.spice"
    (layout or to_layout(array.cell, array.tech)).write(str(gds))
    net.write_text("\n".join(array.netlist_lines()) + "\n")
    return compare_layout(extract_layout(gds, array.tech), net, array.tech).to_json()
