"""Alignment marks and verniers: one of each per mask of the module, against the land's metal.

The land's metal is the reference of every mask: it is the last thing that the foundry prints,
and can be seen through the passivation. What is drawn of a mark in it is drawn again on MARK, so
that the mask file alone shows where the references lie; MARK itself is not exposed.

Via masks can only print squares of one size inside an electrode and a land, so their crosses
and bars are rows of such squares on plates.
"""

from __future__ import annotations

from ..base import spans
from ..pdk import ParameterError, Purpose, Tech
from .drawing import Canvas, Cell, Subcircuit, grid_down, grid_up
from .parameters import default
from .rules import RuleBook

#: outer side of the frame in the land's metal, its width, and length of the cross in it, in dbu
FRAME, FRAME_WIDTH, CROSS = 60_000, 8_000, 30_000
#: bars on either side of a vernier's centre; together they span 2 A each way
BARS = int(spans.BAR.high)
#: length of a vernier's bars, dbu
BAR_LENGTH = 10_000


def masks(tech: Tech) -> tuple[str, ...]:
    """Return the layers of the module that become masks, in the order of the process."""
    if tech.module.stands_within:
        return ()  # the foundry's own
    markers = [tech.roles.layer(role) for role in ("marks", "module_area")]
    return tuple(
        layer.name
        for layer in tech.layers
        if layer.is_module and layer.purpose not in (Purpose.MODULE_LABEL, Purpose.MODULE_FILL)
        and layer.name not in markers
    )  # fmt: skip


def _check_mask(tech: Tech, mask: str) -> None:
    if mask not in masks(tech):
        raise ParameterError("mask", mask, "one of " + ", ".join(masks(tech)))


def vernier_step(tech: Tech) -> int:
    """Return what one bar of a vernier reads, in dbu: a fifth of the overlay A."""
    return grid_down(tech.profile.overlay_um * 1e3 / 5)


def _electrode(mask: str) -> str | None:
    """Return the electrode of a via mask, None for the other masks."""
    return mask[1:] if mask in ("VBE", "VME", "VTE") else None


def _reference(c: Canvas, x1: int, y1: int, x2: int, y2: int) -> None:
    for layer in ("land", "marks"):
        c.rect(layer, x1, y1, x2, y2)


def alignment_mark(tech: Tech, *, mask: str = default("mask")) -> Cell:
    """Draw a frame in the land's metal with the cross of a mask at its centre.

    Args:
        tech: the process.
        mask: see `parameters.PIECES`.

    Raises:
        ParameterError: if the module has no such mask.
    """
    _check_mask(tech, mask)
    r, c = RuleBook(tech), Canvas(tech)
    w, s = FRAME_WIDTH, FRAME
    for box in ((0, 0, s, w), (0, s - w, s, s), (0, w, w, s - w), (s - w, w, s, s - w)):
        _reference(c, *box)
    centre, half = s // 2, CROSS // 2
    electrode = _electrode(mask)
    if electrode is None:
        arm = r.width("bottom_electrode")  # 2 F wide, whatever film it is
        c.rect(mask, centre - half, centre - arm, centre + half, centre + arm)
        c.rect(mask, centre - arm, centre - half, centre + arm, centre + half)
    else:
        step = r.module_via + r.space(mask)
        n = (half - r.land) // step
        for k in range(-n, n + 1):
            c.box(mask, centre + k * step, centre, r.module_via)
            if k:
                c.box(mask, centre, centre + k * step, r.module_via)
        plate = 2 * n * step + r.land
        c.box("land", centre, centre, plate)
        c.box(electrode, centre, centre, plate)
    name = f"mark_{mask.lower()}"
    return Cell(name, tuple(c.rects), width=s, height=s, netlist=Subcircuit(name, (), ()))


def vernier(tech: Tech, *, mask: str = default("mask")) -> Cell:
    """Draw verniers along x and y: teeth in the land's metal, on them a mask's at a larger pitch.

    The bar that sits centred on its tooth reads the misalignment: its number from the middle
    times `vernier_step`, positive towards east and north.

    Args:
        tech: the process.
        mask: see `parameters.PIECES`.

    Raises:
        ParameterError: if the module has no such mask.
    """
    _check_mask(tech, mask)
    r, c = RuleBook(tech), Canvas(tech)
    delta, electrode = vernier_step(tech), _electrode(mask)
    bar = r.module_via if electrode else r.width("bottom_electrode")
    reach = BARS * delta
    tooth = max(bar + 2 * r.enclosure("land", "bottom_via") + 2 * reach, r.width("land"))
    pitch = grid_up(tooth + max(r.space("land"), r.space("bottom_electrode")), 10)
    corner = 2 * BAR_LENGTH
    middle = corner + BARS * pitch + grid_up(tooth / 2, 5)
    for k in range(-BARS, BARS + 1):
        at = middle + k * pitch
        low, high = at - tooth // 2, at + tooth // 2
        _reference(c, low, 0, high, BAR_LENGTH)
        _reference(c, 0, low, BAR_LENGTH, high)
        # bars are closer than teeth: a mask that lies k steps to the east centres bar k
        shifted = at - k * delta
        for lengthwise in _bars(r, mask, bar):
            y1, y2 = lengthwise
            c.rect(mask, shifted - bar // 2, y1, shifted + bar // 2, y2)
            c.rect(mask, y1, shifted - bar // 2, y2, shifted + bar // 2)
    size = middle + BARS * pitch + tooth // 2
    if electrode:
        c.rect(electrode, corner, 0, size, BAR_LENGTH)
        c.rect(electrode, 0, corner, BAR_LENGTH, size)
    name = f"vernier_{mask.lower()}"
    return Cell(name, tuple(c.rects), width=size, height=size, netlist=Subcircuit(name, (), ()),
                info={"step_um": delta * 1e-3, "range_um": reach * 1e-3})  # fmt: skip


def _bars(r: RuleBook, mask: str, bar: int) -> list[tuple[int, int]]:
    """Return the pieces of a vernier's bar along its length: one, or squares of a via mask."""
    margin = r.enclosure("land", "bottom_via")
    if _electrode(mask) is None:
        return [(margin, BAR_LENGTH - margin)]
    step = bar + r.space(mask)
    count = (BAR_LENGTH - 2 * margin + r.space(mask)) // step
    return [(margin + k * step, margin + k * step + bar) for k in range(count)]


def mark_cells(tech: Tech) -> tuple[Cell, ...]:
    """Return a mark and a vernier for every mask."""
    names = masks(tech)
    return (
        *(alignment_mark(tech, mask=m) for m in names),
        *(vernier(tech, mask=m) for m in names),
    )
