"""What a bond pad has between its lead and the supplies: diodes in stripes, and ways to the rings.

Stripes lie between taps of what they conduct into, so that no current goes far through silicon.
"""

from __future__ import annotations

from .cuts import cut_array, via_array
from .drawing import Canvas, grid_up
from .mos import tap_strip
from .pad_plan import WELL, PadPlan
from .rules import RuleBook

#: width of a stripe of a diode, from one to the next, and width of the line over a tap between, in
#: dbu: assumed
STRIPE, STEP, TAP = 5_000, 7_600, 1_000
#: width of the bands of cuts on a stripe, on a line beside the lead, and on the lead, and from one
#: cut to the next, in dbu; of contacts each second that fits: rules look at every cut of every pad,
#: and these bear what `bench/clamp.py` prints
NARROW, BAND, WIDE, CUTS, EVERY = 1_000, 3_000, 5_000, 1_000, 2
#: from the side of a plate to what leads to the rings; clear of the lead, in dbu: leads of a row
#: behind pass beside it
BESIDE, _ROOM = 4_000, 2_000


def stripes(plan: PadPlan) -> list[int]:
    """Return the middles of a diode's stripes along the side of a pad, in dbu."""
    count = (plan.side - 2 * BESIDE - TAP) // STEP
    first = (plan.side - (count - 1) * STEP) // 2
    return [first + k * STEP for k in range(count)]


def middle(box: tuple[int, int, int, int], width: int) -> tuple[int, int, int, int]:
    """Return the band of a width in the middle of a box, along x."""
    x1, y1, x2, y2 = box
    low = y1 + (y2 - y1 - width) // 2
    return x1, low, x2, low + width


def draw_protection(c: Canvas, r: RuleBook, plan: PadPlan, feed: tuple[int, int]) -> None:
    """Draw the diodes of a pad to both supplies, and the ways from their taps to the rings.

    Args:
        c: where to draw.
        r: rules.
        plan: where the parts lie.
        feed: x span of the lead over them.
    """
    at = stripes(plan)
    taps = [x - STEP // 2 for x in (*at, at[-1] + STEP)]
    for span, kind in ((plan.diode, "n"), (plan.upper, "p")):
        for x in at:
            _stripe(c, r, (x - STRIPE // 2, span[0], x + STRIPE // 2, span[1]), kind)
        c.rect("select", at[0] - STRIPE // 2, span[0], at[-1] + STRIPE // 2, span[1])
        over = middle((feed[0], span[0], feed[1], span[1]), WIDE)
        via_array(c, r, over, ("select_via",), step=CUTS)
        implant = ("pplus", "p_tap") if kind == "n" else ("nplus", "n_tap_at_well_edge")
        beyond = r.enclosure(*implant)
        for x in taps:
            ends = span[0] + beyond, span[1] - beyond
            tap_strip(c, r, x, *ends, "p" if kind == "n" else "n", every=EVERY)
    for x in taps:
        c.rect("local", x - TAP // 2, plan.diode[0], x + TAP // 2, plan.low[0])
        c.rect("local", x - TAP // 2, plan.high[1], x + TAP // 2, plan.upper[1])
    low, high = plan.upper
    c.rect("nwell", taps[0] - WELL, low - WELL, taps[-1] + WELL, high + WELL)
    for line in (plan.low, plan.high):
        c.rect("local", BESIDE, line[0], plan.side - BESIDE, line[1])
        for x1, x2 in ((BESIDE, feed[0] - _ROOM), (feed[1] + _ROOM, plan.side - BESIDE)):
            for metal in r.tech.roles.between("local", "land"):
                c.rect(metal, x1, line[0], x2, line[1])
            box = middle((x1, line[0], x2, line[1]), BAND)
            via_array(c, r, box, r.tech.roles.cuts("local", "land"), step=CUTS)


def _stripe(c: Canvas, r: RuleBook, box: tuple[int, int, int, int], kind: str) -> None:
    """Draw a stripe of a diode, joined to the metal over all of them by arrays of cuts."""
    x1, y1, x2, y2 = box
    beyond = r.enclosure(f"{kind}plus", f"{kind}_active")
    c.rect("diffusion", *box)
    c.rect(f"{kind}plus", x1 - beyond, y1 - beyond, x2 + beyond, y2 + beyond)
    inside = max(r.enclosure("diffusion", "diffusion_contact"), r.line_end("contact", "local"))
    space = max(r.array_space("contact", "local"), CUTS - r.contact)
    band = (x1 + x2 - NARROW) // 2, y1, (x1 + x2 + NARROW) // 2, y2
    cut_array(c, "contact", band, r.contact, space, grid_up(inside))
    c.rect("local", *box)
    via_array(c, r, band, ("local_via",), step=CUTS)


__all__ = ["CUTS", "EVERY", "draw_protection", "middle", "stripes"]
