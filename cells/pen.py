"""What mode switches are drawn with: their parameters, and a cursor that moves east."""

from __future__ import annotations

from dataclasses import dataclass

from ..pdk import ParameterError, Tech
from .drawing import Canvas, Cell, Device, Port, Subcircuit, grid_down, grid_up
from .gates import Body, BodyDrawer, Tracks
from .limits import length
from .parameters import MAX_SWITCH_UM, READ_SWITCHES, default
from .parts import device_mark
from .rules import RuleBook

#: room between the outer edge and the first shape, in dbu
MARGIN = 500


@dataclass(frozen=True)
class SwitchParameters:
    """Parameters of the mode switches; lengths in um.

    Attributes:
        switch_wn_um, switch_wp_um: total channel width of each NMOS and PMOS.
        inverter_wn_um, inverter_wp_um: channel widths of the inverters.
        kelvin: bring one sense line per row line and column to the boundary.
        read_switch: transistors of a read switch, `nmos` or `both`.
    """

    switch_wn_um: float = default("switch_wn_um")
    switch_wp_um: float = default("switch_wp_um")
    inverter_wn_um: float = default("inverter_wn_um")
    inverter_wp_um: float = default("inverter_wp_um")
    kelvin: bool = default("kelvin")
    read_switch: str = default("read_switch")


class Pen:
    """A canvas, the drawer and a cursor that moves east."""

    def __init__(
        self, tech: Tech, p: SwitchParameters, pitch: int, west: int = MARGIN, sense: bool = False
    ) -> None:
        self.tech, self.p = tech, p
        if p.read_switch not in READ_SWITCHES:
            raise ParameterError("read_switch", p.read_switch, "one of " + ", ".join(READ_SWITCHES))
        self.rules = RuleBook(tech)
        self.canvas = Canvas(tech)
        self.tracks = Tracks(self.rules, pitch, sense)
        self.length = self.rules.gate_length()
        self.drawer = BodyDrawer(self.canvas, self.tracks, self.length)
        least = self.drawer.least_finger * 1e-3
        #: widths in dbu by name
        self.widths = {
            name: length(tech, name, getattr(p, name), least, MAX_SWITCH_UM, multiple=1)
            for name in ("switch_wn_um", "switch_wp_um", "inverter_wn_um", "inverter_wp_um")
        }
        self.devices: list[Device] = []
        self.controls: list[tuple[int, str]] = []
        self.taps: list[tuple[int, str]] = []
        self.x = west

    def fingers(self, width: str) -> int:
        """Return the most fingers that fit between the tracks, each wide enough for its straps."""
        total = self.widths[width]
        return max(1, min(self.tracks.fingers(self.length), total // self.drawer.least_finger))

    def make(self, name: str, model: str, x: int, a: str, b: str, gate: str, width: str,
             fingers: int | None = None) -> Body:  # fmt: skip
        """Return a body whose total width is that of a parameter, in as many fingers as fit."""
        total = self.widths[width]
        n = fingers or self.fingers(width)
        bulk = "VSS" if model == "nfet" else "VDD"
        body = Body(name, model, x, grid_down(total / n, 10), n, a, b, gate, bulk)
        self.devices += body.devices(self.length * 1e-3)
        return body

    def tap(self, kind: str) -> None:
        """Draw a tap strip that starts at the cursor, and move past it."""
        half = self.rules.tap_width // 2
        self.drawer.tap(self.x + half, kind)
        self.taps.append((self.x + half, "VSS" if kind == "p" else "VDD"))
        self.x += 2 * half

    @property
    def tap_to_tap(self) -> int:
        """p-tap to n-tap: so far from the well that a thin implant will do."""
        r = self.rules
        far = max(r.enclosure("nwell", "p_active"), r.space("nwell", "p_tap"))
        implants = max(
            r.tap_beyond("n") + r.space("nplus", "p_tap"),
            r.tap_beyond("p") + r.space("pplus", "n_tap"),
            r.tap_beyond("p") + r.space("pplus", "n_tap_at_well_edge"),
        )
        wires = (
            r.contact_step - r.tap_width,
            *(width + r.space(m) - r.tap_width
              for m, width in (("local", r.line), *((m, r.below_line(m)) for m in r.below))),
        )  # fmt: skip
        silicon = (far + self.drawer.tap_well, r.space("tap"), implants)
        return grid_up(max(*silicon, *wires), 10)

    def through(self, lines: list[tuple[int, str]], metal: str, width: int) -> list[Port]:
        """Return the ports of lines along y: they run through the cell, from pitch to pitch."""
        return [
            Port(net, self.rules.layer(metal), x, y, width, orientation)
            for x, net in lines
            for y, orientation in ((0, 270), (self.tracks.pitch, 90))
        ]

    def _mark(self, width: int) -> None:
        """Draw the mark of the transistors.

        Strips of tap run on into the next cell, and so does the mark. Across them it ends with
        the cell where nothing stands near its ends: a block begins with such a cell.
        """
        r = self.rules
        if not r.has("device_mark"):
            return
        silicon = {r.layer(role) for role in ("diffusion", "tap")}
        places = [rect for rect in self.canvas.rects if rect.layer in silicon]
        first, last = min(q.x1 for q in places), max(q.x2 for q in places)
        beyond = r.mark_beyond
        low, high = min(beyond, first), max(width - beyond, last)
        device_mark(self.canvas, r, low, 0, high, self.tracks.pitch)

    def finish(self, name: str, pins: tuple[str, ...], ports: list[Port], width: int) -> Cell:
        """Return the drawn cell; its supply lines are ports, too."""
        self._mark(width)
        ports = [*ports, *self.through(self.taps, "local", self.rules.line)]
        return Cell(
            name,
            rects=tuple(self.canvas.rects),
            ports=tuple(ports),
            width=width,
            height=self.tracks.pitch,
            netlist=Subcircuit(name, pins, tuple(self.devices)),
        )
