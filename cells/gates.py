"""Transmission-gate pieces drawn in "row frame": current along y, fingers and lines along x.

A `Body` is one MOS array of `fingers` gates that lie along x within the height of one line
pitch. Sources and drains are Metal1 rows, alternately net A and net B; vertical Metal2
straps tie the rows of a net and lead to its track. Over every body run the tracks of a line
pitch, in this order from south to north:

* ``low``  Metal3 and Metal4, southern part,
* ``mid``  landings of cuts between Metal2 and Metal4, on the northern Metal4 track,
* ``high`` Metal3 and Metal4, northern part (Metal4's reaches down over ``mid``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..pdk import ParameterError
from .drawing import Canvas, Device, grid_down, grid_up
from .rules import RuleBook

TrackName = Literal["low", "mid", "high"]


#: largest line pitch in dbu: beyond it the tracks themselves are wide metal, on every level
MOST_PITCH = 20_000


def least_pitch(r: RuleBook, kelvin: bool = False) -> int:
    """Return the least line pitch of mode switches in dbu.

    Tracks with the landing of cuts between them, or a single finger, decide; with `kelvin` also
    two sense lines in Metal5, of which the lower meets its cut on the track below the landing.
    """
    landing = r.pad + 2 * r.space("bottom_row")
    tracks = landing + 2 * (r.width("bottom_row") + grid_up(r.space("bottom_row") / 2))
    finger = (
        r.contact * 2
        + 2 * (r.enclosure("diffusion", "diffusion_contact") + r.space("diffusion_contact", "gate"))
        + r.gate_length()
        + r.space("diffusion")
    )
    least = [grid_up(tracks, 10), grid_up(finger, 10)]
    if kelvin:
        least.append(
            grid_up(2 * (max(r.width(metal) for metal in (*r.upper, "land")) + r.land_space), 20)
        )
        below = (
            grid_up(r.land_space / 2)
            + r.enclosure("land", "land_via")
            + r.via
            + r.enclosure("top_row", "top_row_via")
        )
        least.append(grid_up(2 * below + landing, 10))
    return max(least)


def head_gap(r: RuleBook) -> int:
    """Return the distance from a COMP edge to the centre of a gate head.

    Two of them fit a well edge between bodies. The head's Metal1 keeps clear of the rows'.
    """
    half = (r.contact + 2 * r.enclosure("poly", "poly_contact")) // 2
    metal = r.pad // 2 + r.space("local")
    return max(
        r.enclosure("nwell", "p_active"),
        r.extension("poly", "diffusion") + half,
        r.space("poly_contact", "diffusion") + r.contact // 2,
        metal,
    )


def strap_inset(r: RuleBook) -> int:
    """Return COMP edge to the first strap, so that Metal2 keeps its space to a head beside it."""
    return max(0, r.pad // 2 + r.space("select") - head_gap(r))


def least_finger(r: RuleBook) -> int:
    """Return the shortest finger that holds a strap of either net."""
    return 2 * (r.pad + strap_inset(r)) + r.space("select")


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
        #: the northern track of Metal4 is the widest
        space = self.space = r.space_beside(
            "top_row", pitch - self.mid + half - grid_up(r.space("top_row") / 2)
        )
        self.edge = grid_up(space / 2)
        self.low = (self.edge, self.mid - half - space)
        self.high3 = (self.mid + half + space, pitch - self.edge)
        self.high4 = (self.mid - half, pitch - self.edge)

    def metal(self, canvas: Canvas, layer: str, track: TrackName, x1: int, x2: int) -> None:
        """Draw a piece of a track in Metal3 or Metal4."""
        span = self.low if track == "low" else self.high4 if layer == "top_row" else self.high3
        canvas.rect(layer, x1, span[0], x2, span[1])

    def centre(self, track: TrackName) -> int:
        """Return the height at which cuts from Metal2 meet a track."""
        if track == "mid":
            return self.mid
        low, high = self.low if track == "low" else self.high3
        return grid_down((low + high) / 2)

    def fingers(self, length: int) -> int:
        """Return how many fingers fit into the pitch."""
        r = self.rules
        step = length + 2 * r.space("diffusion_contact", "gate") + r.contact
        ends = 2 * r.enclosure("diffusion", "diffusion_contact") + r.contact
        return (self.pitch - r.space("diffusion") - ends) // step


@dataclass(frozen=True)
class Body:
    """One MOS array; see the module docstring. Lengths in dbu.

    Attributes:
        name: device name in netlists.
        model: ``nfet`` or ``pfet``.
        x: west end of COMP.
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
        """East end of COMP."""
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
        r = self.r
        #: so wide that no end of it is a line end
        self.row = max(grid_up(r.line_end_width("contact", "local"), 10), r.line)
        self.step = length + 2 * r.space("diffusion_contact", "gate") + r.contact

    # distances along x, centre of one thing to the edge of another
    @property
    def head_gap(self) -> int:
        """COMP edge to the centre of a gate head."""
        return head_gap(self.r)

    @property
    def tap_gap(self) -> int:
        """COMP edge of a body to the COMP edge of its own tap.

        The tap's implant also keeps 0.32 um from the gate ends of the other polarity, which
        the manual forbids to cover (NP.12, PP.12; same value as NP.4a).
        """
        r = self.r
        own = (
            r.enclosure("nplus", "n_gate")
            + max(r.space("nplus", "p_tap_near_well"), r.space("pplus", "n_active"))
            + r.enclosure("pplus", "p_tap")
        )
        return grid_up(
            max(own, r.butt_gate("butting", "p_gate") + r.enclosure("nplus", "n_tap_at_well_edge")),
            10,
        )

    @property
    def tap_width(self) -> int:
        """Width of a tap strip's COMP."""
        return self.r.contact + 2 * self.r.enclosure("diffusion", "diffusion_contact")

    @property
    def tap_metal(self) -> int:
        """Width of a tap strip's Metal1."""
        return self.r.line

    @property
    def strap_inset(self) -> int:
        """COMP edge to the first strap."""
        return strap_inset(self.r)

    @property
    def least_finger(self) -> int:
        """Shortest finger that holds a strap of either net."""
        return least_finger(self.r)

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
        """Return the heights of the Metal1 rows, A first."""
        r = self.r
        height = (
            body.fingers * self.step + r.contact + 2 * r.enclosure("diffusion", "diffusion_contact")
        )
        first = (
            grid_down((self.t.pitch - height) / 2)
            + r.enclosure("diffusion", "diffusion_contact")
            + r.contact // 2
        )
        return [first + k * self.step for k in range(body.fingers + 1)]

    def body(self, body: Body, bus_b: bool = False, track_a: TrackName | None = None,
             track_b: TrackName | None = None) -> None:  # fmt: skip
        """Draw COMP, gates, implants, rows and straps of a body.

        Args:
            body: what to draw.
            bus_b: straps of B run through the whole pitch and join the neighbours'.
            track_a: track to which the straps of net A lead; None for none.
            track_b: the same for net B.
        """
        c, r, rows = self.c, self.r, self.rows(body)
        below = r.enclosure("diffusion", "diffusion_contact") + r.contact // 2
        c.rect("diffusion", body.x, rows[0] - below, body.x2, rows[-1] + below)
        implant, across = (
            ("nplus", r.enclosure("nplus", "n_gate"))
            if body.model == "nfet"
            else ("pplus", r.enclosure("pplus", "p_gate"))
        )
        along = max(r.enclosure("nplus", "n_active"), r.enclosure("pplus", "p_active"))
        c.rect(implant, body.x - across, -along, body.x2 + across, self.t.pitch + along)
        if body.model == "pfet":
            self.well(
                body.x - r.enclosure("nwell", "p_active"),
                body.x2 + r.enclosure("nwell", "p_active"),
            )
        half = self.length // 2
        for y in self.gates(rows):
            c.rect(
                "poly",
                body.x - r.extension("poly", "diffusion"),
                y - half,
                body.x2 + r.extension("poly", "diffusion"),
                y + half,
            )
        for y in rows:
            c.rect("local", body.x, y - self.row // 2, body.x2, y + self.row // 2)
            self._contacts(body.x, body.x2, y)
        self._straps(body, rows, bus_b, track_a, track_b)

    def gates(self, rows: list[int]) -> list[int]:
        """Return the heights of the gates between the rows."""
        return [y + self.step // 2 for y in rows[:-1]]

    def well(self, x1: int, x2: int) -> None:
        """Draw Nwell over the whole pitch and so far beyond that the outermost row is enclosed."""
        beyond = self.r.enclosure("nwell", "p_active")
        self.c.rect("nwell", x1, -beyond, x2, self.t.pitch + beyond)

    def _contacts(self, x1: int, x2: int, y: int) -> None:
        r, step = self.r, self.r.contact + self.r.space("contact")
        room = x2 - x1 - 2 * r.enclosure("diffusion", "diffusion_contact") - r.contact
        start = (
            x1
            + r.enclosure("diffusion", "diffusion_contact")
            + grid_down((room % step) / 2)
            + r.contact // 2
        )
        for k in range(room // step + 1):
            self.c.box("contact", start + k * step, y, r.contact)

    def _straps(self, body: Body, rows: list[int], bus_b: bool, track_a: TrackName | None,
                track_b: TrackName | None) -> None:  # fmt: skip
        r, t = self.r, self.t
        for x, is_b in self.strap_xs(body):
            low, high = (0, t.pitch) if is_b and bus_b else (t.edge, t.pitch - t.edge)
            self.c.rect("select", x - r.pad // 2, low, x + r.pad // 2, high)
            for y in rows[1::2] if is_b else rows[::2]:
                self.c.box("local_via", x, y, r.via)
            track = track_b if is_b else track_a
            if track is not None:
                self.to_track(x, track)

    def to_track(self, x: int, track: TrackName, metal4: bool = False) -> None:
        """Draw cuts from Metal2 at `x` to a track: Metal3's, or Metal4's for ``mid``."""
        r, y = self.r, self.t.centre(track)
        self.c.box("select_via", x, y, r.via)
        if track == "mid":
            self.c.box("bottom_row", x, y, r.pad)
        elif metal4:
            low, high = self.t.low
            wide = max(r.pad, grid_up(r.area("bottom_row") / (high - low), 10))
            west = x - r.pad // 2  # what the least area asks for goes east: a track may end here
            self.t.metal(self.c, "bottom_row", track, west, west + wide)
        if track == "mid" or metal4:
            self.c.box("bottom_row_via", x, y, r.via)

    def head(self, x: int, rows: list[int], reach: tuple[int, int], track: TrackName) -> None:
        """Join the gates at `x` by a poly bar, and bring them up to Metal2 near a track.

        Args:
            x: centre of the bar.
            rows: Metal1 rows of the body (they give the gates' heights).
            reach: x span over which the gates run on to the bar.
            track: track in whose height the contact lies.
        """
        c, r = self.c, self.r
        gates, half = self.gates(rows), self.length // 2
        bar = (r.contact + 2 * r.enclosure("poly", "poly_contact")) // 2
        y = max(self.t.centre(track), self.t.edge + r.pad // 2)
        low, high = min(gates[0] - half, y - bar), max(gates[-1] + half, y + bar)
        c.rect("poly", x - bar, low, x + bar, high)
        for g in gates:
            c.rect("poly", reach[0], g - half, reach[1], g + half)
        c.box("contact", x, y, r.contact)
        c.box("local", x, y, r.pad)
        c.box("local_via", x, y, r.via)
        c.box("select", x, y, r.pad)

    def tap(self, x: int, kind: str) -> None:
        """Draw a tap strip centred at `x` through the whole pitch; its Metal1 is VSS or VDD."""
        c, r = self.c, self.r
        half, metal = self.tap_width // 2, self.tap_metal // 2
        # n-taps lie so near the well's edge that NP.5d's near-edge value applies
        beyond = (
            r.enclosure("pplus", "p_tap")
            if kind == "p"
            else r.enclosure("nplus", "n_tap_at_well_edge")
        )
        implant = max(self.tap_width + 2 * beyond, r.width("pplus")) // 2
        c.rect("diffusion", x - half, 0, x + half, self.t.pitch)
        c.rect("pplus" if kind == "p" else "nplus", x - implant, -beyond, x + implant,
               self.t.pitch + beyond)  # fmt: skip
        if kind == "n":
            self.well(
                x - half - r.enclosure("nwell", "n_tap"), x + half + r.enclosure("nwell", "n_tap")
            )
        c.rect("local", x - metal, 0, x + metal, self.t.pitch)
        margin, step = (
            grid_up(max(r.space("contact") / 2, r.line_end("contact", "local"))),
            r.contact + r.space("contact"),
        )
        room = self.t.pitch - 2 * margin - r.contact
        start = margin + grid_down((room % step) / 2) + r.contact // 2
        for k in range(room // step + 1):
            c.box("contact", x, start + k * step, r.contact)
