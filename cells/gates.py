"""Transmission-gate pieces drawn in "row frame": current along y, fingers and lines along x.

A `Body` is one MOS array of `fingers` gates that lie along x within the height of one line
pitch. Sources and drains are rows of the local metal, alternately net A and net B; vertical
straps of the select metal tie the rows of a net and lead to its track. Over every body run the
tracks of a line pitch in the two metals of the row lines, in this order from south to north:

* ``low``  both metals, southern part,
* ``mid``  landings of cuts from the straps up to the upper of them, on its northern track,
* ``high`` both metals, northern part (the upper one's reaches down over ``mid``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..pdk import ParameterError
from .drawing import Canvas, Device, grid_down, grid_up
from .mos import Mos, draw_contacts, draw_gates, draw_implant, gate_contact, tap_strip
from .pitches import (
    MOST_PITCH,
    around_row,
    beside_rows,
    finger_step,
    head_gap,
    least_pitch,
    row_height,
)
from .rules import RuleBook

TrackName = Literal["low", "mid", "high"]


def strap_inset(r: RuleBook, tracks: Tracks | None = None) -> int:
    """Return the distance from the active area to the first strap, clear of a head beside it.

    Beside wide tracks it is farther.
    """
    # both may have a landing in the metal above, on the same track
    highest = 0 if tracks is None else max(b - a for a, b in (tracks.low, tracks.high3))
    apart = max(r.space("select"), r.space_beside("bottom_row", highest))
    return max(0, r.pad // 2 + apart - head_gap(r))


def least_finger(r: RuleBook, pitch: int | None = None) -> int:
    """Return the shortest finger that holds a strap of either net, in lines of a pitch."""
    tracks = None if pitch is None else Tracks(r, pitch)
    return 2 * (r.pad + strap_inset(r, tracks)) + r.space("select")


class Tracks:
    """Heights of the tracks in one line pitch, in dbu.

    Raises:
        ParameterError: if the pitch is too small for the tracks or a single finger.
    """

    def __init__(self, rules: RuleBook, pitch: int, kelvin: bool = False) -> None:
        r = self.rules = rules
        least = least_pitch(rules, kelvin)
        if not least <= pitch <= MOST_PITCH:
            allowed = f"{least * 1e-3:g} .. {MOST_PITCH * 1e-3:g} um"
            raise ParameterError("pitch_um", round(pitch * 1e-3, 6), allowed)
        self.pitch = pitch
        half = r.pad // 2
        self.mid = grid_down(pitch / 2)
        #: the northern track of the upper metal is the widest
        widest = pitch - self.mid + half - grid_up(r.row_space(0) / 2)
        space = self.space = r.row_space(widest)
        self.edge = grid_up(max(space, r.space("select")) / 2)
        #: no track is wide metal, which some decks refuse to see joined to a narrower piece
        most = min(r.wide_from("bottom_row"), r.wide_from("top_row")) - 10
        low, high = self.mid - half - space, self.mid + half + space
        self.low = (max(self.edge, low - most), low)
        self.high3 = (high, min(pitch - self.edge, high + most))
        self.high4 = (self.mid - half, min(pitch - self.edge, self.mid - half + most))

    def metal(self, canvas: Canvas, layer: str, track: TrackName, x1: int, x2: int) -> None:
        """Draw a piece of a track in a metal of the row lines."""
        span = self.low if track == "low" else self.high4 if layer == "top_row" else self.high3
        canvas.rect(layer, x1, span[0], x2, span[1])

    def centre(self, track: TrackName) -> int:
        """Return the height at which cuts from the straps meet a track."""
        if track == "mid":
            return self.mid
        low, high = self.low if track == "low" else self.high3
        return grid_down((low + high) / 2)

    def fingers(self, length: int) -> int:
        """Return how many fingers fit into the pitch."""
        r = self.rules
        room = self.pitch - beside_rows(r, self.edge)
        room = min(room, r.max_width("diffusion") - around_row(r))
        return room // finger_step(r, length)


@dataclass(frozen=True)
class Body:
    """One MOS array; see the module docstring. Lengths in dbu.

    Attributes:
        name: device name in netlists.
        model: ``nfet`` or ``pfet``.
        x: west end of the active area.
        finger: channel width of one finger (along x).
        fingers: number of gates.
        a, b, gate, bulk: nets.
    """

    name: str
    model: str
    x: int
    finger: int
    fingers: int
    a: str
    b: str
    gate: str
    bulk: str

    @property
    def x2(self) -> int:
        """East end of the active area."""
        return self.x + self.finger

    def devices(self, length_um: float) -> list[Device]:
        """Return the netlist devices, one per finger."""
        size = (("W", round(self.finger * 1e-3, 6)), ("L", length_um))
        nets = (self.a, self.gate, self.b, self.bulk)
        return [Device(f"M{self.name}_{k}", self.model, nets, size) for k in range(self.fingers)]


class BodyDrawer:
    """Draws bodies, their gate heads and taps into one canvas."""

    def __init__(self, canvas: Canvas, tracks: Tracks, length: int) -> None:
        self.c, self.t, self.r, self.length = canvas, tracks, tracks.rules, length
        self.row = row_height(self.r)
        self.step = finger_step(self.r, length)

    # distances along x, centre of one thing to the edge of another
    @property
    def head_gap(self) -> int:
        """Edge of the active area to the centre of a gate head."""
        return head_gap(self.r)

    @property
    def tap_gap(self) -> int:
        """Active area of a body to its own tap.

        The tap's implant also keeps its distance from the gate ends of the other polarity, which
        it must not cover: the same as a butting edge's.
        """
        r = self.r
        own = (
            r.enclosure("nplus", "n_gate")
            + max(r.space("nplus", "p_tap_near_well"), r.space("pplus", "n_active"))
            + r.tap_beyond("p")
        )
        in_well = max(
            self.implant_beyond("pfet") + r.space("pplus", "n_tap_at_well_edge"),
            r.tap_beyond("n") + r.space("nplus", "p_active"),
        )
        butted = r.butt_gate("butting", "p_gate") + r.enclosure("nplus", "n_tap_at_well_edge")
        apart = max(
            r.space("diffusion", "tap"), r.apart("n_active", "p_tap"), r.apart("p_active", "n_tap")
        )
        wires = (
            r.space("local") + (r.line - r.tap_width) // 2,
            *(r.space(m) + r.below_end(m) - r.contact_inset + (r.below_line(m) - r.tap_width) // 2
              for m in r.below),
            *(r.space(cut) for cut in r.chain),
        )  # fmt: skip
        return grid_up(max(own, in_well, butted, apart, *wires), 10)

    @property
    def strap_inset(self) -> int:
        """Edge of the active area to the first strap."""
        return strap_inset(self.r, self.t)

    @property
    def least_finger(self) -> int:
        """Shortest finger that holds a strap of either net."""
        return 2 * (self.r.pad + self.strap_inset) + self.r.space("select")

    def strap_xs(self, body: Body) -> list[tuple[int, bool]]:
        """Return (centre, is of net B) of every strap.

        The strap nearest to the tap is of net B in either polarity, so that the straps of an
        N and a P body that face each other across their taps can be joined.
        """
        step = self.r.pad + self.r.space("select")
        count = (body.finger - 2 * self.strap_inset + self.r.space("select")) // step
        first = body.x + self.strap_inset + self.r.pad // 2
        odd = (count - 1) % 2 if body.model == "nfet" else 0
        return [(first + k * step, k % 2 == odd) for k in range(count)]

    def rows(self, body: Body) -> list[int]:
        """Return the heights of the rows of local metal, A first."""
        around = around_row(self.r)
        height = body.fingers * self.step + around
        first = grid_down((self.t.pitch - height) / 2) + around // 2
        return [first + k * self.step for k in range(body.fingers + 1)]

    def body(self, body: Body, bus_b: bool = False, track_a: TrackName | None = None,
             track_b: TrackName | None = None) -> None:  # fmt: skip
        """Draw a body with its rows and straps.

        Args:
            body: what to draw.
            bus_b: straps of B run through the whole pitch and join the neighbours'.
            track_a: track to which the straps of net A lead; None for none.
            track_b: the same for net B.
        """
        rows = self.rows(body)
        m = self.mos(body, rows)
        self.c.rect("diffusion", *m.active)
        draw_implant(self.c, m)
        draw_gates(self.c, self.r, m)
        for y in rows:
            self.c.rect("local", body.x, y - self.row // 2, body.x2, y + self.row // 2)
        # the rows of local metal end with the channel
        end = self.r.line_end(self.r.chain[-1], "local")
        draw_contacts(self.c, self.r, m, centred=True, end=end)
        self._straps(body, rows, bus_b, track_a, track_b)

    @property
    def well_beyond(self) -> int:
        """How far wells run on beyond a pitch: those of neighbouring pitches are one."""
        return max(self.r.enclosure("nwell", inner) for inner in ("p_active", "n_tap"))

    @property
    def tap_well(self) -> int:
        """How far the well of an n-tap reaches beside it: to that of its body, at the least."""
        reach = self.tap_gap - self.r.enclosure("nwell", "p_active")
        return max(self.r.enclosure("nwell", "n_tap"), reach)

    def implant_beyond(self, model: str) -> int:
        """How far a body's implant reaches beyond the ends of its channel."""
        implant, kind = ("nplus", "n") if model == "nfet" else ("pplus", "p")
        return max(self.r.enclosure(implant, f"{kind}_{part}") for part in ("gate", "active"))

    def mos(self, body: Body, rows: list[int]) -> Mos:
        """Return the transistor of a body; implant and well run on into the next pitch."""
        r, beyond = self.r, around_row(self.r) // 2
        n = body.model == "nfet"
        along = max(r.enclosure("nplus", "n_active"), r.enclosure("pplus", "p_active"))
        in_well, beyond_well = r.enclosure("nwell", "p_active"), self.well_beyond
        well = (body.x - in_well, -beyond_well, body.x2 + in_well, self.t.pitch + beyond_well)
        across = self.implant_beyond(body.model)
        return Mos(
            body.model,
            (body.x, rows[0] - beyond, body.x2, rows[-1] + beyond),
            gates=tuple(self.gates(rows)),
            lines=tuple(rows),
            length=self.length,
            implant=(body.x - across, -along, body.x2 + across, self.t.pitch + along),
            well=None if n else well,
            along_y=True,
        )

    def gates(self, rows: list[int]) -> list[int]:
        """Return the heights of the gates between the rows."""
        return [y + self.step // 2 for y in rows[:-1]]

    def _straps(self, body: Body, rows: list[int], bus_b: bool, track_a: TrackName | None,
                track_b: TrackName | None) -> None:  # fmt: skip
        r, t = self.r, self.t
        for x, is_b in self.strap_xs(body):
            low, high = (0, t.pitch) if is_b and bus_b else (t.edge, t.pitch - t.edge)
            self.c.rect("select", x - r.pad // 2, low, x + r.pad // 2, high)
            for y in rows[1::2] if is_b else rows[::2]:
                self.c.box("local_via", x, y, r.size("local_via"))
            track = track_b if is_b else track_a
            if track is not None:
                self.to_track(x, track)

    def to_track(self, x: int, track: TrackName, metal4: bool = False) -> None:
        """Draw cuts from a strap at `x` to a track: the lower metal's, the upper's for ``mid``."""
        r, y = self.r, self.t.centre(track)
        self.c.box("select_via", x, y, r.size("select_via"))
        if track == "mid":
            self.c.box("bottom_row", x, y, r.pad)
        elif metal4:
            low, high = self.t.low
            wide = max(r.pad, grid_up(r.area("bottom_row") / (high - low), 10))
            west = x - r.pad // 2  # what the least area asks for goes east: a track may end here
            self.t.metal(self.c, "bottom_row", track, west, west + wide)
        if track == "mid" or metal4:
            self.c.box("bottom_row_via", x, y, r.size("bottom_row_via"))

    def head(self, x: int, rows: list[int], reach: tuple[int, int], track: TrackName) -> None:
        """Join the gates at `x` by a poly bar, and bring them up to the straps' metal.

        Args:
            x: centre of the bar.
            rows: rows of the body (they give the gates' heights).
            reach: x span over which the gates run on to the bar.
            track: track in whose height the contact lies.
        """
        c, r = self.c, self.r
        bar = r.head // 2
        y = max(self.t.centre(track), self.t.edge + r.pad // 2, bar + grid_up(r.space("poly") / 2))
        self.to_bar(x, rows, reach, (y - bar, y + bar))
        gate_contact(c, r, x, y)
        c.box("local_via", x, y, r.size("local_via"))
        c.box("select", x, y, r.pad)
        # the cut to the track lies at its middle, which may be lower
        over = r.size("select_via") // 2 + r.enclosure("select", "select_via")
        if self.t.centre(track) - over < y - r.pad // 2:
            half_pad = r.pad // 2
            c.rect("select", x - half_pad, self.t.centre(track) - over, x + half_pad, y)

    def to_bar(
        self, x: int, rows: list[int], reach: tuple[int, int], span: tuple[int, int]
    ) -> None:
        """Lead gates to a poly bar at `x` that takes at least a `span` of heights."""
        gates, half, bar = self.gates(rows), self.length // 2, self.r.head // 2
        low, high = min(gates[0] - half, span[0]), max(gates[-1] + half, span[1])
        self.c.rect("poly", x - bar, low, x + bar, high)
        for g in gates:
            self.c.rect("poly", reach[0], g - half, reach[1], g + half)

    def tap(self, x: int, kind: str) -> None:
        """Draw a tap strip centred at `x` through the whole pitch; its metal is VSS or VDD."""
        r = self.r
        well = None
        if kind == "n":
            half = r.tap_width // 2 + self.tap_well
            # as high as the bodies' wells, so that wells of neighbouring pitches are one
            beyond = self.well_beyond
            well = (x - half, -beyond, x + half, self.t.pitch + beyond)
        tap_strip(self.c, r, x, 0, self.t.pitch, kind, centred=True, well=well)
