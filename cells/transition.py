"""A change of metal or of width in a wire: what routers ask a PDK for between a pin and a wire."""

from __future__ import annotations

from ..pdk import ParameterError, Tech
from .drawing import Canvas, Cell, Port, Subcircuit, grid_up
from .limits import length
from .parts import landing, via_stack
from .rules import RuleBook

NAME, NET = "transition", "A"
#: narrowest port and widest wire, um
LEAST_UM, MOST_UM = 0.1, 200.0


def transition(tech: Tech, *, low: str = "bottom_row", high: str = "top_row",
               width1_um: float | None = None, width2_um: float | None = None) -> Cell:  # fmt: skip
    """Draw where a wire changes its metal, its width or both.

    The wire comes from the west in metal `low`; in the east it goes on in metal `high`. Over each
    other, both metals are as wide as their wires, with as many stacks of vias as the narrower one
    holds.

    Args:
        tech: the process.
        low: metal in the west, by name or role (``local``, ``select``, ...).
        high: metal in the east, above `low` or the same.
        width1_um: width of the wire in `low`, in um; None for the least.
        width2_um: width of the wire in `high`, in um; None for the least.

    Raises:
        ParameterError: if the metals are not in order, or a width is off the grid or too large.
    """
    ends = [tech.roles.names.get(end, end) for end in (low, high)]
    metals = tech.roles.metals
    if not set(ends) <= set(metals) or metals.index(ends[0]) > metals.index(ends[1]):
        raise ParameterError("low, high", f"{low}, {high}", "two metals in rising order, or one")
    r, c = RuleBook(tech), Canvas(tech)
    asked = [
        r.width(metal) if um is None else length(tech, name, um, LEAST_UM, MOST_UM)
        for metal, name, um in zip(
            ends, ("width1_um", "width2_um"), (width1_um, width2_um), strict=True
        )
    ]
    # a port may be narrower than its line, as where gdsfactory shares an edge between two
    widths = [max(width, r.width(metal)) for width, metal in zip(asked, ends, strict=True)]
    reach = _joined(c, r, ends, widths) if ends[0] != ends[1] else 0
    end = reach + grid_up(max(r.width(metal) for metal in ends), 10)
    for metal, wide, x1, x2 in zip(ends, widths, (-end, -reach), (reach, end), strict=True):
        c.rect(metal, x1, -(wide // 2), x2, wide // 2)
    c.ports += [
        Port(NET, metal, x, 0, wide, to)
        for metal, x, wide, to in zip(ends, (-end, end), asked, (180, 0), strict=True)
    ]
    netlist = Subcircuit(NAME, (NET,), ())
    return Cell(NAME, tuple(c.rects), ports=tuple(c.ports), netlist=netlist)


def _joined(c: Canvas, r: RuleBook, ends: list[str], widths: list[int]) -> int:
    """Draw the stacks of vias between two metals; returns how far they reach to either side."""
    lands = [landing(r, metal) for metal in r.tech.roles.metals]
    wide, high = (grid_up(max(size[k] for size in lands), 10) for k in (0, 1))
    # neighbouring stacks as far apart as the widest space of a metal or a cut
    levels = (*r.tech.roles.between(*ends), *r.tech.roles.cuts(*ends))
    step = high + grid_up(max(r.space(level) for level in levels), 10)
    count = 1 + max(0, min(widths) - high) // step
    for k in range(count):
        y = grid_up(k * step - (count - 1) * step / 2, 10)
        via_stack(c, r, 0, y, ends[0], ends[1])
        if count == 1:
            for metal, (w, h) in ((m, landing(r, m)) for m in ends):
                c.rect(metal, -(w // 2), -(h // 2), w - w // 2, h - h // 2)
    return wide // 2
