"""Heights and steps of logic cells, by the rules of a process."""

from __future__ import annotations

from .drawing import Canvas, grid_up
from .gates import BodyDrawer, Tracks
from .pitches import head_gap, least_pitch
from .rules import RuleBook


class LogicRules:
    """Heights and steps of logic cells by the rules of a process, in dbu.

    Attributes:
        tracks: heights of the tracks of the N and of the P side, from the south.
        height: from one row of cells to the next.
    """

    def __init__(self, r: RuleBook, tracks: int) -> None:
        self.r = r
        drawer = BodyDrawer(Canvas(r.tech), Tracks(r, least_pitch(r)), r.gate_length())
        self.length = r.gate_length()
        self.track_pitch = grid_up(r.pad + max(r.space("select"), r.space("local")), 10)
        half_tap, beside = r.tap_width // 2, drawer.tap_gap
        self.well_beyond = drawer.tap_well
        self.drawer = drawer
        #: from the outer edge to the middle of the rails
        edge = max(r.tap_beyond("p") + half_tap, r.tap_beyond("n") + half_tap + r.space("pplus"))
        apart = half_tap + max(
            r.enclosure("nwell", "n_tap") + r.space("nwell", "p_tap") + half_tap,
            r.tap_beyond("n") + r.space("nplus", "p_tap") + half_tap,
            r.tap_beyond("p") + r.space("pplus", "n_tap_at_well_edge") + half_tap,
            r.net_space("nwell") // 2,
            r.line + r.space("local"),
        )
        self.edge = grid_up(max(edge, apart / 2), 10)
        gap = grid_up(head_gap(r), 10)
        first = r.line // 2 + r.space("local") + r.pad // 2
        room = first + (tracks - 1) * self.track_pitch
        #: channel width: what the tracks ask for
        self.width = max(
            grid_up(room - half_tap - beside - gap, 10),
            2 * r.contact_inset + r.contact_step + r.contact,
            grid_up(r.area("diffusion") / (2 * r.contact_side + 2 * r.contact), 10),
        )
        self.vss = self.edge
        self.n_low = self.vss + half_tap + beside
        self.n_high = self.n_low + self.width
        self.n_head = self.n_high + gap
        heads = max(r.head + r.space("poly"), self.track_pitch, r.contact_step,
                    *(2 * r.below_reach(m) + r.space(m) for m in r.below))  # fmt: skip
        if r.has("poly_mark"):
            heads = max(heads, r.mark + r.space("poly_mark"))
        self.p_head = self.n_head + grid_up(heads, 10)
        self.p_low = self.p_head + gap
        self.p_high = self.p_low + self.width
        self.vdd = self.p_high + beside + half_tap
        self.height = grid_up(self.vdd + self.edge, 10)
        self.tracks = (
            tuple(self.vss + first + k * self.track_pitch for k in range(tracks)),
            tuple(self.vdd - first - k * self.track_pitch for k in range(tracks)),
        )
        #: from a line of contacts to the gate beside it
        self.to_gate = grid_up(
            max(
                r.contact // 2 + r.space("diffusion_contact", "gate") + self.length // 2,
                r.pad + r.space("local"),
                grid_up((r.head + r.space("poly")) / 2),
                *(grid_up((r.below_line(m) + r.space(m)) / 2) for m in r.below),
            ),
            10,
        )
        side = r.contact // 2 + r.contact_side
        self.side = side
        #: from one line of contacts to the next, between active areas
        self.apart = grid_up(
            max(2 * side + r.space("diffusion"), r.pad + r.space("local"),
                *(r.below_line(m) + r.space(m) for m in r.below)),
            10,
        )  # fmt: skip
