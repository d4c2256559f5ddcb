"""What a die must have beside its circuit: seal ring, identification cells, local density, pads.

Judged on the files as they are written, whoever drew them. A block without pads has none of this:
it is the chip's that it is placed on, and unknown here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..base import names
from .checks import Check, TapeoutFile, has_pads
from .pads import bond_pads

if TYPE_CHECKING:
    import klayout.db as db

    from ..lvs import ExtractedLayout
    from ..pdk import Tech
    from ..pdk.shuttle import IdCell

#: faults that are spelled out
MOST = 5


def check_die(foundry: TapeoutFile, extracted: ExtractedLayout | None) -> list[Check]:
    """Return the checks of a die's own parts.

    Args:
        foundry: the foundry's file.
        extracted: its nets; None where they could not be extracted.
    """
    block = "a block without pads; it is part of the chip that it is placed on"
    found = []
    for name, check, good in (
        ("seal ring", _ring, "The seal ring is closed on every layer."),
        ("id cells", _ids, _ids_there(foundry)),
        ("local density", _windows, "Every window of the die is covered as it must be."),
        ("fill", _gaps, "No area is left without fill that must have it."),
    ):
        file = foundry.path.name
        unknown = _undescribed(foundry.tech).get(name, "") if has_pads(foundry) else block
        if unknown:
            found.append(Check(name, file, "unknown", unknown))
            continue
        found.append(_judged(name, file, list(check(foundry)), good))
    return [*found, _protection(foundry, extracted, block)]


def _judged(name: str, file: str, wrong: list[str], good: str) -> Check:
    """Return a check that fails where something is wrong."""
    if not wrong:
        return Check(name, file, "ok", good)
    more = f" and {len(wrong) - MOST} more" if len(wrong) > MOST else ""
    text = "; ".join(wrong[:MOST]) + more
    return Check(name, file, "failed", text, findings=tuple(wrong))


def _undescribed(tech: Tech) -> dict[str, str]:
    """Return the checks that a process describes nothing for, with the reason."""
    shuttle = f"shuttle.toml of process {tech.process.name} describes no"
    found = {
        "seal ring": "" if tech.shuttle.ring else f"{shuttle} seal ring",
        "local density": "" if tech.shuttle.window else f"{shuttle} window of local density",
        "fill": ""
        if _gap_rules(tech)
        else f"rules.csv of process {tech.process.name} has no rule of the largest gap",
    }
    return {name: f"{why}: not judged" for name, why in found.items() if why}


def _gap_rules(tech: Tech) -> list[str]:
    return [rule.name for rule in tech.rules if rule.kind == "max_gap"]


def _drawn(f: TapeoutFile, name: str) -> db.Region:
    import klayout.db as db

    index = f.layout.find_layer(*f.tech.gds(name))
    region = db.Region()
    if index is not None:
        for top in f.layout.top_cells():
            region += db.Region(top.begin_shapes_rec(index))
    return region


def _box(f: TapeoutFile) -> db.Box:
    import klayout.db as db

    return db.Box(*f.box)


def _place(f: TapeoutFile, x: float, y: float) -> str:
    return f"({x * f.stream.dbu_um:.3f}, {y * f.stream.dbu_um:.3f})"


def _ring(f: TapeoutFile) -> Iterator[str]:
    """Yield the layers of the seal ring that are missing or open.

    A band is closed if it goes round the die once; a row of cuts if it does so when its spaces are
    filled, the corners excepted, where two sides of the ring meet.
    """
    import klayout.db as db

    tech, ring = f.tech, f.tech.shuttle.ring
    if ring is None:
        return
    die = _box(f)
    room = tech.to_dbu(tech.shuttle.seal_ring_um)
    frame = db.Region(die) - db.Region(die.enlarged(-room, -room))
    width = tech.to_dbu(ring.width_um)
    for role, gap, corner in (
        *((band.role, 0, 0) for band in ring.layers),
        *((row.role, tech.to_dbu(row.space_um), width + 2 * tech.to_dbu(row.pitch_um))
          for row in ring.cuts),
    ):  # fmt: skip
        name = tech.roles.layer(role)
        region = _drawn(f, name) & frame
        if region.is_empty():
            yield f"{name} is not drawn along the die's edge"
            continue
        if gap:
            region = (region.sized(gap // 2 + 1) + _corner_boxes(die, corner)).merged()
        if not _goes_round(region, die, room):
            yield f"{name} is open{_where(f, region, die, room)}"


def _corner_boxes(die: db.Box, side: int) -> db.Region:
    import klayout.db as db

    corners = db.Region()
    for x in (die.left, die.right - side):
        for y in (die.bottom, die.top - side):
            corners.insert(db.Box(x, y, x + side, y + side))
    return corners


def _goes_round(region: db.Region, die: db.Box, room: int) -> bool:
    """Return whether a hole of one polygon holds the whole inside of the die."""
    import klayout.db as db

    inside = die.enlarged(-room, -room)
    holes = (db.Region(hole) for hole in region.holes().each())
    return any(inside.inside(hole.bbox()) for hole in holes)


def _where(f: TapeoutFile, region: db.Region, die: db.Box, room: int) -> str:
    """Say where a band is cut, if one place can be told: where no shape crosses a side."""
    import klayout.db as db

    inner = die.enlarged(-room, -room)
    sides = (
        db.Box(inner.left, die.bottom, inner.right, inner.bottom),
        db.Box(inner.left, inner.top, inner.right, die.top),
        db.Box(die.left, inner.bottom, inner.left, inner.top),
        db.Box(inner.right, inner.bottom, die.right, inner.top),
    )
    for k, side in enumerate(sides):
        # what is left of a side when whatever lies in it is stretched across it
        across = (0, room) if k < 2 else (room, 0)
        part = region & db.Region(side)
        gap = db.Region(side) - part.sized(*across, 2)
        if not gap.is_empty():
            at = next(gap.each()).bbox().center()
            return f" at {_place(f, at.x, at.y)}"
    return ""


def _ids(f: TapeoutFile) -> Iterator[str]:
    """Yield identification cells that the run would not accept; having none is allowed."""
    import klayout.db as db

    from ..generators.finish import id_box

    die = _box(f)
    for wanted in f.tech.shuttle.ids:
        placed = [e for e in f.stream.elements if e.called == wanted.name]
        cell = f.layout.cell(wanted.name)
        if not placed or cell is None:
            continue
        many = sum(e.columns * e.rows for e in placed)
        if many != 1:
            yield f"{wanted.name} is placed {many} times"
            continue
        inst = next(i.child_inst() for i in cell.each_parent_inst())
        box = id_box(f.tech, wanted, die)
        if inst.bbox() != box:
            yield f"{wanted.name} lies elsewhere than {_shown(f, wanted, die)}"
        own, size = cell.bbox(), (box.width(), box.height())
        if own != db.Box(0, 0, *(size[::-1] if wanted.turned else size)):
            yield (
                f"{wanted.name} is drawn from {_place(f, own.left, own.bottom)} to "
                f"{_place(f, own.right, own.top)} of its own; the run asks for (0, 0) and its size"
            )


def missing_ids(f: TapeoutFile) -> list[str]:
    """Return the identification cells of the run that a die is without, which is allowed."""
    called = {e.called for e in f.stream.elements}
    return [each.name for each in f.tech.shuttle.ids if each.name not in called]


def id_remarks(f: TapeoutFile) -> list[str]:
    """Return what somebody should know of identification cells; nothing where all are there."""
    from ..generators.finish import IDS_FOR

    missing = missing_ids(f) if has_pads(f) else []
    return [f"no identification cell {', '.join(missing)}: {IDS_FOR}"] if missing else []


def _ids_there(f: TapeoutFile) -> str:
    """Return which identification cells a die has; it may have none."""
    from ..generators.finish import IDS_FOR

    wanted, missing = [each.name for each in f.tech.shuttle.ids], missing_ids(f)
    if not wanted:
        return "The run asks for no identification cells."
    if not missing:
        return "Identification cells lie where the run looks for them."
    if missing == wanted:
        return f"There are no identification cells: {IDS_FOR}."
    there = f"{len(wanted) - len(missing)} of {len(wanted)} identification cells"
    return f"{there} lie where the run looks for them; no {', '.join(missing)}: {IDS_FOR}."


def _shown(f: TapeoutFile, wanted: IdCell, die: db.Box) -> str:
    from ..generators.finish import id_box

    box = id_box(f.tech, wanted, die)
    return f"{_place(f, box.left, box.bottom)} to {_place(f, box.right, box.top)}"


def _windows(f: TapeoutFile) -> Iterator[str]:
    """Yield the windows of the die in which a metal covers too little."""
    import klayout.db as db

    window = f.tech.shuttle.window
    if window is None:
        return
    die = _box(f)
    side = f.tech.to_dbu(window.side_um)
    for name in f.tech.roles.metals:
        region = _drawn(f, name)
        fill = f.tech.fill_of.get(name)
        if fill is not None:
            index = f.layout.find_layer(*fill)
            for top in f.layout.top_cells() if index is not None else ():
                region += db.Region(top.begin_shapes_rec(index))
        for box, percent in _cover(region, die, side):
            if percent < window.least_percent:
                at = box.center()
                yield (
                    f"{name} covers {percent:.1f} % of the {window.side_um:g} um around "
                    f"{_place(f, at.x, at.y)}, at least {window.least_percent:g} % are asked for"
                )


def _cover(region: db.Region, die: db.Box, side: int) -> Iterator[tuple[db.Box, float]]:
    """Yield windows that overlap by half, and the share of each that a region covers."""
    import klayout.db as db

    half = max(1, side // 2)
    nx, ny = (max(1, -(-length // half)) for length in (die.width(), die.height()))
    tiles = db.TilingProcessor()
    tiles.frame = db.DBox(die)  # type: ignore[misc,assignment]
    areas: dict[tuple[int, int], float] = {}

    class _Sum(db.TileOutputReceiver):
        def put(self, ix, iy, tile, obj, dbu, clip):  # type: ignore[no-untyped-def]
            areas[ix, iy] = float(obj)

    tiles.input("cover", region)
    tiles.tile_size(half, half)
    tiles.tile_origin(die.left, die.bottom)
    tiles.dbu = 1.0
    tiles.scale_to_dbu = False
    receiver = _Sum()
    tiles.output("out", receiver)
    tiles.queue("_output(out, cover.area(_tile.bbox))")
    tiles.execute("cover")
    for ix in range(nx - 1 if nx > 1 else 1):
        for iy in range(ny - 1 if ny > 1 else 1):
            box = db.Box(
                die.left + ix * half, die.bottom + iy * half,
                die.left + (ix + 2) * half, die.bottom + (iy + 2) * half,
            ) & die  # fmt: skip
            total = sum(areas.get((ix + i, iy + j), 0.0) for i in (0, 1) for j in (0, 1))
            yield box, 100.0 * total / max(1, box.area())


def _gaps(f: TapeoutFile) -> Iterator[str]:
    """Yield areas that a rule on gaps wants filled."""
    from ..base.layout import OpenedLayout
    from ..drc import run_drc

    rules, tops = _gap_rules(f.tech), f.layout.top_cells()
    if not rules or len(tops) != 1:
        return
    opened = OpenedLayout(f.layout, tops[0], f.path.name, ())
    for found in run_drc(opened, f.tech, rules=rules).warnings:
        xs, ys = zip(*found.points, strict=True)
        yield f"{found.rule}: {found.text} at ({min(xs):.3f}, {min(ys):.3f})"


def _protection(f: TapeoutFile, extracted: ExtractedLayout | None, block: str) -> Check:
    """Return whether every bond pad's net has a diode to either supply."""
    name, file = "pad protection", f.path.name
    if not has_pads(f):
        return Check(name, file, "unknown", block)
    if extracted is None:
        return Check(name, file, "unknown", "nets could not be extracted")
    least = f.tech.shuttle.pads.diode_um2
    size = f" of {least:g} um2 or more" if least else ""
    good = f"Every bond pad has a diode{size} to either supply."
    return _judged(name, file, list(_bare_pads(extracted)), good)


def _bare_pads(extracted: ExtractedLayout) -> Iterator[str]:
    """Yield what bond pads lack; supplies and the probe pads of monitors need no diodes.

    A diode is diffusion on a pad's net that no gate touches: n+ outside a well, p+ in one on VDD.
    """
    import klayout.db as db

    pads = bond_pads(extracted)
    tech, regions = extracted.tech, extracted.regions
    gates = regions["gate"].dup().flatten().merged()
    wells = db.Region()
    for net in extracted.flat.nets:
        if names.SUPPLY in (net.name or "").split(","):
            wells += extracted.net_shapes(net).get(tech.roles.layer("nwell"), db.Region())
    rails = {
        names.GROUND: ("nsd", regions["nsd"].dup().flatten().merged().not_interacting(gates)),
        names.SUPPLY: ("psd", regions["psd"].dup().flatten().merged().not_interacting(gates)),
    }
    least, opening = tech.shuttle.pads.diode_um2, tech.shuttle.pads.bond_opening_um
    for pad in pads:
        if {names.GROUND, names.SUPPLY} & set(pad.net.split(",")):
            continue
        at = pad.opening.bbox().center().to_dtype(extracted.dbu)
        told = f"pad {pad.net or 'without a label'} at ({at.x:.3f}, {at.y:.3f})"
        if pad.opening_um(extracted.dbu) < opening:
            yield f"{told} has an opening of {pad.opening_um(extracted.dbu):g} um and leads to " \
                f"transistors: a bond pad's is {opening:g} um or more"  # fmt: skip
        for rail, (layer, diodes) in rails.items():
            mine = pad.shapes.get(layer, db.Region()) & diodes
            if rail == names.SUPPLY and not mine.is_empty():
                mine &= wells
                if mine.is_empty():
                    yield f"{told} has a diode whose well is not on {rail}"
                    continue
            area = mine.merged().area() * extracted.dbu**2
            if not area:
                yield f"{told} has no diode to {rail}"
            elif area < least * (1 - 1e-6):
                yield f"{told} has a diode of {area:.1f} um2 to {rail}, at least {least:g} um2 " \
                    "are asked for"  # fmt: skip
