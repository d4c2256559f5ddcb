"""What the foundry's deck found: its report, without what is no fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as rdb

from ..base.errors import CrossStackError
from ..pdk import Tech
from ..pdk.foundry import Known


class FoundryError(CrossStackError):
    """The foundry's deck could not be fetched or run; never to be taken for a clean result."""


@dataclass(frozen=True)
class FoundryItem:
    """One marker of the foundry's deck: rule, its words, cell and outline in um."""

    rule: str
    text: str
    cell: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class FoundryReport:
    """Result of the foundry's deck on the foundry layers of a layout.

    Attributes:
        source, top: what was checked.
        items: markers.
        by_rule: number of markers of every rule that ran, zeros included.
        shapes: shapes that the deck says it read; None for one that does not say.
        seconds: run time.
        deck_sha256: digest of the wheel that the deck came from.
        known: why a deck is wrong in what it found beside the items -> number of markers.
    """

    source: str
    top: str
    items: tuple[FoundryItem, ...]
    by_rule: dict[str, int]
    shapes: int | None
    seconds: float
    deck_sha256: str
    known: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """True if the deck found nothing."""
        return not self.items


def parse(path: Path) -> tuple[list[FoundryItem], list[str]]:
    """Return the markers of a deck's report, and the names of all rules that ran."""
    if not path.exists():
        raise FoundryError("the foundry's deck wrote no report")
    database = rdb.ReportDatabase("foundry")
    try:
        database.load(str(path))
    except RuntimeError as error:
        raise FoundryError(f"the foundry deck's report cannot be read: {error}") from error
    texts = {c.rdb_id(): (c.name(), c.description) for c in database.each_category()}
    cells = {c.rdb_id(): c.name() for c in database.each_cell()}
    items = []
    for item in database.each_item():
        rule, text = texts[item.category_id()]
        items.append(FoundryItem(rule, text, cells[item.cell_id()], _points(item)))
    return items, [name for name, _ in texts.values()]


def _points(item: rdb.RdbItem) -> tuple[tuple[float, float], ...]:
    for value in item.each_value():
        if value.is_polygon():
            return tuple((p.x, p.y) for p in value.polygon().each_point_hull())
        if value.is_box():
            box = value.box()
            return ((box.left, box.bottom), (box.right, box.top))
        if value.is_edge_pair():
            pair = value.edge_pair()
            ends = (pair.first.p1, pair.first.p2, pair.second.p1, pair.second.p2)
            return tuple((p.x, p.y) for p in ends)
        if value.is_edge():
            edge = value.edge()
            return ((edge.x1, edge.y1), (edge.x2, edge.y2))
    return ()


def without_canaries(
    items: list[FoundryItem], canaries: dict[str, kdb.DBox]
) -> tuple[FoundryItem, ...]:
    """Return the items that are not canaries.

    Raises:
        FoundryError: if a canary was not found, so the deck did not look.
    """

    def at(item: FoundryItem) -> str | None:
        points = [kdb.DPoint(x, y) for x, y in item.points]
        for rule, box in canaries.items():
            if points and all(box.contains(p) for p in points):
                return rule
        return None

    for rule in canaries:
        if not any(at(item) == rule and item.rule == rule for item in items):
            raise FoundryError(f"the foundry's deck missed a known violation of {rule}")
    return tuple(item for item in items if at(item) is None)


def without_known(
    items: tuple[FoundryItem, ...], known: tuple[Known, ...], layout: kdb.Layout, tech: Tech
) -> tuple[tuple[FoundryItem, ...], dict[str, int]]:
    """Return the items without those of which is known that they are no faults, and these."""
    kept, found = [], Counter[str]()
    for item in items:
        why = next(
            (k for k in known if k.rule == item.rule and _below(item, k, layout, tech)), None
        )
        if why is None:
            kept.append(item)
        else:
            found[f"{why.rule} on {why.layer}: {why.why}"] += 1
    return tuple(kept), dict(found)


def _below(item: FoundryItem, known: Known, layout: kdb.Layout, tech: Tech) -> bool:
    """True if the outline of a marker runs along a layer, as its cell has it."""
    cell, index = layout.cell(item.cell), layout.find_layer(*tech.gds(known.layer))
    if cell is None or index is None or len(item.points) < 3:
        return False
    marker = kdb.DPolygon([kdb.DPoint(x, y) for x, y in item.points]).to_itype(layout.dbu)
    under = kdb.Region(cell.begin_shapes_rec(index)).merged().sized(1)
    return kdb.Region(marker).edges().outside_part(under).is_empty()
