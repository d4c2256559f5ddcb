"""How near lines and rows of contacts may lie in mode switches, by the rules; see `gates`."""

from __future__ import annotations

from .drawing import grid_up
from .rules import RuleBook

#: largest line pitch in dbu: beyond it the tracks themselves are wide metal, on every level
MOST_PITCH = 20_000


def least_pitch(r: RuleBook, kelvin: bool = False) -> int:
    """Return the least line pitch of mode switches in dbu.

    Tracks with the landing of cuts between them, or a single finger, decide; with `kelvin` also
    two sense lines in the last metal, of which the lower meets its cut on the track below the
    landing.
    """
    space = r.row_space(0)
    edge, landing = grid_up(max(space, r.space("select")) / 2), r.pad + 2 * space
    tracks = landing + 2 * (_least_track(r) + edge)
    finger = finger_step(r, r.gate_length()) + beside_rows(r, edge)
    # a column ends in a land that holds its cuts
    land = r.size("land_via") + 2 * r.line_end("land_via", "land")
    land = max(land, r.width("land")) + r.land_space
    # cuts in the middle of the high track, and of the low one of the next pitch
    cuts = 2 * (r.step("select_via") + r.pad // 2 + space - edge)
    least = [grid_up(least, 10) for least in (tracks, finger, land, cuts)]
    if kelvin:
        widths = [r.width(metal) for metal in (*r.upper, "land")]
        widths.append(r.size("land_via") + 2 * r.line_end("land_via", "land"))
        least.append(grid_up(2 * (max(widths) + r.land_space), 20))
        below = grid_up(r.land_space / 2) + sum(sense_cut(r))
        least.append(grid_up(2 * below + landing, 10))
    return max(least)


def _least_track(r: RuleBook) -> int:
    """Return the narrowest track in which a cut lies between the metals of the row lines."""
    over = (
        r.size(cut) + 2 * r.enclosure(metal, cut)
        for metal in ("bottom_row", "top_row")
        for cut in r.on(metal, r.tech.roles.cuts("select", "top_row"))
    )
    return max(r.width("bottom_row"), r.width("top_row"), *over)


def sense_cut(r: RuleBook) -> tuple[int, int]:
    """Return what the lower sense line's cuts take above its edge, and what the track asks for.

    The cuts from the row lines' tracks up to the sense line lie upon each other, at the highest
    place that the track allows.
    """
    cuts = r.tech.roles.cuts("bottom_row", "land")
    size = max(r.size(cut) for cut in cuts)
    return r.enclosure("land", "land_via") + size, max(
        r.enclosure("top_row", cut) for cut in cuts[:2]
    )


def finger_step(r: RuleBook, length: int) -> int:
    """Return the distance from one row of contacts to the next, across a gate."""
    # the gate lies in the middle, on the grid
    return grid_up(max(length + r.finger_step, length + r.space("poly"), row_step(r)), 10)


def row_step(r: RuleBook) -> int:
    """Return the least distance of two rows of contacts, whatever lies between them."""
    levels = (("local", row_height(r)), *((metal, r.below_line(metal)) for metal in r.below))
    cuts = max(r.contact_step, r.step("local_via"))
    return max(cuts, *(grid_up(height + r.space(metal)) for metal, height in levels))


def row_height(r: RuleBook) -> int:
    """Return the height of a row in the local metal: so wide that no end of it is a line end."""
    return max(
        grid_up(r.line_end_width(r.chain[-1], "local"), 10),
        r.line,
        grid_up(r.size("local_via") + 2 * r.enclosure("local", "local_via"), 10),
    )


def around_row(r: RuleBook) -> int:
    """Return the height of active area around one row of contacts."""
    return r.contact + 2 * r.contact_side


def beside_rows(r: RuleBook, edge: int) -> int:
    """Return what the outermost two rows leave free at a pitch's ends, from their middles.

    Active areas keep their space to the next pitch's; straps, which end `edge` from the pitch's
    end, reach beyond their cuts.
    """
    strap = edge + r.size("local_via") // 2 + r.enclosure("select", "local_via")
    return max(r.space("diffusion") + around_row(r), 2 * strap, row_step(r))


def head_gap(r: RuleBook) -> int:
    """Return the distance from the edge of an active area to the centre of a gate head.

    Two of them fit a well edge between bodies. The head's metal keeps clear of the rows', on
    every level.
    """
    well = r.enclosure("nwell", "p_active") + r.space("nwell", "n_active")
    return max(
        grid_up(well / 2),
        r.extension("poly", "diffusion") + r.head // 2,
        r.head_clear,
        r.head_to_p,
        r.pad // 2 + r.space("local"),
        r.contact_step - r.contact_inset - r.contact // 2,
        *(r.below_line(m) // 2 + r.below_end(m) - r.contact_inset + r.space(m) for m in r.below),
    )
