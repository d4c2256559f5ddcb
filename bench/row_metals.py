"""Which metal is free over a row's whole path, for a second line beside or above the row lines.

python bench/row_metals.py [PROCESS]    default the usual; of each cell and metal: its cover, the
                                        highest band along the row that holds nothing, and how
                                        many lines of the least width it takes with their spaces
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import klayout.db as db

from crossstack.cells.registry import draw_unit
from crossstack.cells.rules import RuleBook
from crossstack.cells.unit import Unit
from crossstack.generators import ArraySpec
from crossstack.pdk import profile_names
from crossstack.pdk.home import DEFAULT

CELLS: tuple[dict[str, Any], ...] = (
    {"cell": "hybrid"},
    {"cell": "hybrid", "strap": True},
    {"cell": "hybrid", "select_w_um": 12.0, "select_fingers": 4, "strap": True},
    {"cell": "planar"},
)


def band(u: Unit, layer: str) -> tuple[float, int]:
    """Return a metal's cover, and the height in dbu of the highest band that is free along x."""
    width, height = u.cell.width, u.cell.height
    one = db.Region([db.Box(q.x1, q.y1, q.x2, q.y2) for q in u.rects if q.layer == layer])
    near = db.Region()
    for dx in (-width, 0, width):
        for dy in (-height, 0, height, 2 * height):
            near += one.moved(dx, dy)
    cell, two = db.Box(0, 0, width, height), db.Box(0, 0, width, 2 * height)
    spans = sorted((p.bbox().bottom, p.bbox().top) for p in (near.merged() & db.Region(two)).each())
    most, top = (0, spans[0][1]) if spans else (height, height)
    for low, high in spans:
        most, top = max(most, low - top), max(top, high)
    return (near.merged() & db.Region(cell)).area() / cell.area(), most


def lines(process: str) -> Iterator[str]:
    """Yield what is found, cell by cell."""
    for values in CELLS:
        for profile in profile_names(process):
            spec = ArraySpec(2, 2, profile=profile, process=process, **values)
            tech = spec.tech()
            r, unit = RuleBook(tech), draw_unit(spec.cell, tech, **spec.cell_values())
            yield f"{values}, {profile}: {unit.cell.width} x {unit.cell.height} dbu"
            for role in ("local", "select", "bottom_row", "top_row", "land"):
                cover, free = band(unit, r.layer(role))
                room = max(0, (free - r.space(role)) // (r.width(role) + r.space(role)))
                yield f"  {r.layer(role)}: cover {100 * cover:.0f} %, free {free}, lines {room}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("process", nargs="?", default=DEFAULT)
    print("\n".join(lines(parser.parse_args().process)))


if __name__ == "__main__":
    main()
