"""The list of pads: what whoever bonds, probes and drives a die must know of each."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from math import atan2, pi
from typing import TYPE_CHECKING, Any

from ..base import names

if TYPE_CHECKING:
    import klayout.db as db

    from ..lvs import ExtractedLayout
    from ..pdk import Tech
    from .checks import TapeoutFile

#: columns of the list
COLUMNS = (
    "number", "name", "net", "kind", "side", "x_um", "y_um", "opening_um", "plate_um",
    "use", "v_min", "v_max",
)  # fmt: skip
#: what each kind of pin is for; {name} stands for a voltage of the memristors
_USES = {
    names.SUPPLY: "supply",
    names.GROUND: "ground",
    names.WRITE_RAIL: "write rail, {write:g} V from its rows in a write",
    names.WRITE_ROW: "write data of a row, {write:g} V from the rail in a write",
    names.OUTPUT: "output of a column, held at 0 V and its current measured",
    names.COLUMN: "sense line of a column, carries no current",
    **dict.fromkeys(names.INPUTS, "read input of a row, 0 to {read:g} V"),
    **dict.fromkeys(names.ROWS, "sense line of a row, carries no current"),
    **dict.fromkeys((*names.SELECTS, names.WRITE_SELECT, *names.WRITE_TIERS), "control"),
    **dict.fromkeys(names.SCAN_PINS, "scan chain"),
    names.ENABLE: "control: select lines are on while it is high",
    names.ADDRESS: "control: bit of the column address",
    names.MODE: "control: mode bit",
}


def pad_rows(extracted: ExtractedLayout) -> list[dict[str, Any]]:
    """Return every pad with its net, place, size and voltages.

    Bond pads come first, counterclockwise from the die's south-west corner, then probe pads by
    row. Openings over the seal ring are none.

    Args:
        extracted: the nets of a die.

    Returns:
        A row for each pad with the `COLUMNS`: lengths in um, voltages in V against VSS. Voltages
        are None for probe pads, whose monitors have neither supply nor diodes.
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
    die, found = top.bbox(), []
    for net, opening, plate in _by_net(extracted, pads):
        box = opening.bbox()
        bonded = min(box.width(), box.height()) >= least
        at = box.center()
        turned = _round(at.x - die.center().x, at.y - die.center().y)
        found.append(
            (
                (not bonded, turned if bonded else (at.y, at.x)),
                {
                    "net": net,
                    "kind": "bond" if bonded else "probe",
                    "side": _side(at, die) if bonded else "",
                    **{key: round(v * dbu, 3) for key, v in (("x_um", at.x), ("y_um", at.y))},
                    "opening_um": round(min(box.width(), box.height()) * dbu, 3),
                    "plate_um": round(plate * dbu, 3),
                    **_volts(net, tech, bonded=bonded),
                },
            )
        )
    rows = [row for _, row in sorted(found, key=lambda item: item[0])]
    named = zip(_names(rows), rows, strict=True)
    return [{"number": k, "name": name, **row} for k, (name, row) in enumerate(named, 1)]


def clamp_count(foundry: TapeoutFile) -> int:
    """Return how many supply clamps are placed, by the name of their cells."""
    placed = (e for e in foundry.stream.elements if (e.called or "").startswith(names.CLAMP))
    return sum(e.columns * e.rows for e in placed)


def pad_lines(pads: list[dict[str, Any]]) -> list[str]:
    """Return the list of pads as lines of CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(pads)
    return text.getvalue().splitlines()


def _by_net(extracted: ExtractedLayout, pads: db.Region) -> Iterator[tuple[str, db.Polygon, int]]:
    """Yield the net, the opening and the side of the plate of each pad, dbu."""
    land = extracted.tech.roles.land
    left = pads.dup()
    for net in extracted.flat.nets:
        shapes = extracted.net_shapes(net).get(land)
        if shapes is None:
            continue
        metal = shapes.merged()
        own = pads.interacting(metal)
        left -= own
        for opening in own.each():
            yield net.name or "", opening, _plate(opening, metal)
    for opening in left.each():
        yield "", opening, 0


def _plate(opening: db.Polygon, metal: db.Region) -> int:
    """Return the side of the square of metal around an opening, dbu."""
    import klayout.db as db

    box = opening.bbox()
    low, high = 0, max(box.width(), box.height())
    while low < high:  # the farthest that metal reaches on all sides
        middle = (low + high + 1) // 2
        inside = (db.Region(box.enlarged(middle)) - metal).is_empty()
        low, high = (middle, high) if inside else (low, middle - 1)
    return min(box.width(), box.height()) + 2 * low


def _round(x: int, y: int) -> tuple[float, float]:
    """Return how far a place lies counterclockwise from the south-west."""
    return ((atan2(y, x) + 3 * pi / 4) % (2 * pi), 0.0)


def _side(at: db.Point, die: db.Box) -> str:
    """Return the side of the die that a place is nearest to."""
    far = {
        "south": at.y - die.bottom, "east": die.right - at.x,
        "north": die.top - at.y, "west": at.x - die.left,
    }  # fmt: skip
    return min(far, key=lambda side: far[side])


def _names(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a name for each pad: its net, with a number from the second pad on."""
    used: Counter[str] = Counter()
    for row in rows:
        net = row["net"] or "unconnected"
        used[net] += 1
        yield net if used[net] == 1 else f"{net}.{used[net]}"


def _volts(net: str, tech: Tech, *, bonded: bool) -> dict[str, Any]:
    """Return what a pad is for, and the voltages that it may have, V against VSS."""
    if not bonded:
        return {"use": "process monitor", "v_min": None, "v_max": None}
    labels = net.split(",") if net else []
    kinds = [names.kind_of(label) or label for label in labels]
    use = next((_USES[kind] for kind in kinds if kind in _USES), "")
    write = max(tech.memristor.v_set_v, tech.memristor.v_reset_v)
    supply = tech.conditions.supply_v
    low, high = (supply, supply) if names.SUPPLY in labels else (0.0, supply)
    return {
        "use": use.format(read=tech.memristor.v_read_v, write=write),
        "v_min": low,
        "v_max": 0.0 if names.GROUND in labels else high,
    }


__all__ = ["COLUMNS", "clamp_count", "pad_lines", "pad_rows"]
