"""The list of pads: what whoever bonds, probes and drives a die must know of each."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Pad:
    """An opening in the passivation, not over the seal ring.

    Attributes:
        net: its labels, "" without.
        opening: its shape, dbu.
        plate: side of the square of metal around it, dbu; 0 for none.
        bonded: it is as large as a bond pad, or transistors are on its net.
        shapes: of its net, by conductor.
    """

    net: str
    opening: db.Polygon
    plate: int
    bonded: bool
    shapes: dict[str, db.Region]

    def opening_um(self, dbu: float) -> float:
        """Return its shorter side, um."""
        box = self.opening.bbox()
        return round(min(box.width(), box.height()) * dbu, 3)


def bond_pads(extracted: ExtractedLayout) -> list[Pad]:
    """Return the pads that lead to the circuit, or are as large as if they did."""
    return [pad for pad in _pads(extracted) if pad.bonded]


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
    tech, dbu = extracted.tech, extracted.dbu
    die, found = extracted.layout.cell(extracted.top_name).bbox(), []
    for pad in _pads(extracted):
        at = pad.opening.bbox().center()
        turned = _round(at.x - die.center().x, at.y - die.center().y)
        found.append(
            (
                (not pad.bonded, turned if pad.bonded else (at.y, at.x)),
                {
                    "net": pad.net,
                    "kind": "bond" if pad.bonded else "probe",
                    "side": _side(at, die) if pad.bonded else "",
                    **{key: round(v * dbu, 3) for key, v in (("x_um", at.x), ("y_um", at.y))},
                    "opening_um": pad.opening_um(dbu),
                    "plate_um": round(pad.plate * dbu, 3),
                    **_volts(pad.net, tech, bonded=pad.bonded),
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


def _pads(extracted: ExtractedLayout) -> Iterator[Pad]:
    """Yield every pad, net by net."""
    import klayout.db as db

    tech = extracted.tech
    left = extracted.regions[tech.roles.layer("pad")].dup().flatten().merged()
    if "seal_ring" in tech.roles.names:
        index = extracted.layout.find_layer(*tech.gds(tech.roles.layer("seal_ring")))
        if index is not None:
            top = extracted.layout.cell(extracted.top_name)
            left = left.not_interacting(db.Region(top.begin_shapes_rec(index)))
    least = tech.to_dbu(tech.shuttle.pads.bond_opening_um)

    def wide(opening: db.Polygon) -> bool:
        box = opening.bbox()
        return min(box.width(), box.height()) >= least

    flat = extracted.flat
    for net in flat.nets:
        shapes = extracted.net_shapes(net)
        if tech.roles.land not in shapes:
            continue
        metal = shapes[tech.roles.land].merged()
        own = left.interacting(metal)
        left -= own
        driven = any(not flat.devices[k].kind.is_memristor for k, _ in flat.terminals[net.number])
        for opening in own.each():
            bonded = driven or wide(opening)
            yield Pad(net.name or "", opening, _plate(opening, metal), bonded, shapes)
    for opening in left.each():
        yield Pad("", opening, 0, wide(opening), {})


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
