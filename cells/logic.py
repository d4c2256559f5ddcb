"""Logic cells: rows of N and P transistors between two rails, wired by tracks above them.

A cell is a line of columns. A column holds one gate of each kind, or of one; columns whose nets
meet share their contacts. From south to north: the rail VSS over its tap, the N transistors, the
contacts of their gates, those of the P gates, the P transistors, the rail VDD. Local metal runs
along y, one line a contact; tracks of the select metal run along x over everything, some for the
N and some for the P transistors. Cells abut along x: rails, wells, implants and the lines that
every cell of a row shares are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..pdk import CrossStackError, Tech
from .columns import SUPPLIES, Column, N, P
from .drawing import Canvas, Cell, Device, Port, Rect, Subcircuit, grid_up
from .logic_rules import LogicRules
from .mos import contact_line, gate_contact, tap_strip
from .parts import device_mark
from .rules import RuleBook


class NoTrackError(CrossStackError):
    """A cell's nets do not find room on its tracks."""


@dataclass
class _Wire:
    """What one net touches: x of the lines on either side, and of those on both."""

    sides: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    both: set[int] = field(default_factory=set)


class LogicCell:
    """Draws one cell of columns.

    Args:
        tech: the process.
        name: of the cell.
        columns: from west to east.
        pins: nets that can be reached on a track, supplies aside.
        through: those of them that run through the cell from edge to edge, and their side; on
            either side they take the tracks nearest to the rail, in this order.
        sides: side of others that touch both, where it matters.
        trunks: pins that are reached by a line along y, through the whole cell in the metal above.
        tracks: on either side.
        width: of the cell; None for the least.
        reach: pins whose track is to reach between two x at the least; None for all over the
            whole cell.

    Raises:
        NoTrackError: if the tracks do not do.
    """

    def __init__(
        self,
        tech: Tech,
        name: str,
        columns: Sequence[Column],
        pins: Sequence[str],
        *,
        through: Mapping[str, int] | None = None,
        sides: Mapping[str, int] | None = None,
        trunks: Sequence[str] = (),
        tracks: int = 6,
        width: int | None = None,
        reach: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.tech, self.name, self.columns, self.pins = tech, name, columns, tuple(pins)
        self.through = dict(through or {})
        self.sides, self.trunks = dict(sides or {}), tuple(trunks)
        self.r = RuleBook(tech)
        self.g = LogicRules(self.r, tracks)
        self.c = Canvas(tech)
        self._place(width)
        whole = self.inset, self.width - self.inset
        self.reach = dict.fromkeys(self.pins, whole) if reach is None else dict(reach)

    @property
    def inset(self) -> int:
        """From the edge to a track that ends short of the neighbour's."""
        return grid_up(self.r.space("select") / 2)

    def _place(self, width: int | None) -> None:
        """Place contacts and gates along x."""
        g, r = self.g, self.r
        #: from the edge to the first active area's line of contacts
        margin = grid_up(max(g.apart / 2, r.pad // 2 + self.inset), 10)
        self.lines: list[tuple[int, tuple[str, str]]] = []
        self.gates: list[int] = []
        #: first and last line of each active area
        self.areas: list[tuple[int, int]] = []
        x = margin
        for k, column in enumerate(self.columns):
            joined = k > 0 and self.columns[k - 1].east == column.west
            if not joined:
                if k:
                    x += g.apart
                self.lines.append((x, column.west))
                self.areas.append((x, x))
            self.gates.append(x + g.to_gate)
            x += 2 * g.to_gate
            self.lines.append((x, column.east))
            self.areas[-1] = (self.areas[-1][0], x)
        least = x + margin
        self.width = least if width is None else width
        if self.width < least:
            raise CrossStackError(f"{self.name}: {width} dbu wide, at least {least}")

    def draw(self) -> Cell:
        """Return the cell."""
        self._silicon()
        self._rails()
        self._wires()
        device_mark(self.c, self.r, 0, 0, self.width, self.g.height)
        ports = [*self._pin_ports(), *self._rail_ports()]
        devices = tuple(self._devices())
        netlist = Subcircuit(self.name, (*self.pins, "VDD", "VSS"), devices) if devices else None
        return Cell(
            self.name,
            rects=tuple(self.c.rects),
            ports=tuple(ports),
            width=self.width,
            height=self.g.height,
            netlist=netlist,
        )

    def _spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        g = self.g
        return (g.n_low, g.n_high), (g.p_low, g.p_high)

    def _silicon(self) -> None:
        """Draw active areas, implants, well, contacts and gates."""
        c, g, r = self.c, self.g, self.r
        half = g.length // 2
        for west, east in self.areas:
            for low, high in self._spans():
                c.rect("diffusion", west - g.side, low, east + g.side, high)
        across = max(r.enclosure("nplus", "n_active"), r.enclosure("pplus", "p_active"))
        for (low, high), implant, kind in zip(self._spans(), ("nplus", "pplus"), "np", strict=True):
            beyond = max(r.enclosure(implant, f"{kind}_{part}") for part in ("gate", "active"))
            c.rect(implant, -across, low - beyond, self.width + across, high + beyond)
        in_well = r.enclosure("nwell", "p_active")
        north = g.vdd + r.tap_width // 2 + r.enclosure("nwell", "n_tap")
        c.rect("nwell", -in_well, g.p_low - in_well, self.width + in_well, north)
        cap = r.extension("poly", "diffusion")
        for x, column in zip(self.gates, self.columns, strict=True):
            n, p = column.gates
            if n is not None and n == p:
                c.rect("poly", x - half, g.n_low - cap, x + half, g.p_high + cap)
                self._head(x, g.n_head)
                continue
            if n is not None:
                c.rect("poly", x - half, g.n_low - cap, x + half, g.n_head)
                self._head(x, g.n_head)
            if p is not None:
                c.rect("poly", x - half, g.p_head, x + half, g.p_high + cap)
                self._head(x, g.p_head)

    def _head(self, x: int, y: int) -> None:
        self.c.box("poly", x, y, self.r.head)
        gate_contact(self.c, self.r, x, y)

    def _rails(self) -> None:
        """Draw the taps and the rails over them."""
        g, r = self.g, self.r
        drawn = Canvas(self.tech)
        tap_strip(drawn, r, g.vss, 0, self.width, "p", centred=True)
        tap_strip(drawn, r, g.vdd, 0, self.width, "n", centred=True)
        self.c.rects += [Rect(q.layer, q.y1, q.x1, q.y2, q.x2) for q in drawn.rects]

    # -- wiring ------------------------------------------------------------------------------

    @cached_property
    def wires(self) -> dict[str, _Wire]:
        """What every net but the supplies touches."""
        found: dict[str, _Wire] = {}

        def touch(net: str, x: int, side: int | None) -> None:
            if net not in SUPPLIES:
                wire = found.setdefault(net, _Wire())
                (wire.both if side is None else wire.sides[side]).add(x)

        for x, (n, p) in self.lines:
            if n == p:
                touch(n, x, None)
            else:
                touch(n, x, N)
                touch(p, x, P)
        for x, column in zip(self.gates, self.columns, strict=True):
            n_gate, p_gate = column.gates
            if n_gate is not None and n_gate == p_gate:
                touch(n_gate, x, None)
                continue
            if n_gate is not None:
                touch(n_gate, x, N)
            if p_gate is not None:
                touch(p_gate, x, P)
        return found

    def _lengths(self) -> list[tuple[str, int, int, int]]:
        """Return (net, side, west, east) of every track that is needed."""
        asked = [(net, side, 0, self.width) for net, side in self.through.items()
                 if net not in self.wires]  # fmt: skip
        pending: list[str] = []
        half = self.r.pad // 2
        for net, wire in self.wires.items():
            touched = [side for side in (N, P) if wire.sides[side]]
            if not touched:
                pending.append(net)
                continue
            if len(touched) == 1 and len(wire.sides[touched[0]]) == 1 and not wire.both:
                if net in self.pins:
                    raise CrossStackError(f"{self.name}: pin {net} has no line")
                continue  # between two gates in series
            if len(touched) == 2 and not wire.both:
                raise CrossStackError(f"{self.name}: nothing joins both sides of {net}")
            for k, side in enumerate(touched):
                xs = set(wire.sides[side])
                xs |= wire.both if k == 0 else {_nearest(wire.both, xs)}
                ends_here = min(xs) - half, max(xs) + half
                asked.append((net, side, *(ends_here if k else self._led(net, *ends_here))))
        # pins first, then the longest; each where the fewest tracks lie beside it
        ends = {net: self._led(net, min(xs) - half, max(xs) + half)
                for net in pending if (xs := self.wires[net].both)}  # fmt: skip
        pinned = {**self.sides, **self.through}
        pending.sort(key=lambda net: (net not in pinned, ends[net][0] - ends[net][1]))
        for net in pending:
            if len(self.wires[net].both) < 2 and net not in self.pins:
                continue
            side = pinned.get(net, min((N, P), key=lambda q: _depth(asked, q, *ends[net])))
            asked.append((net, side, *ends[net]))
        return asked

    def _led(self, net: str, west: int, east: int) -> tuple[int, int]:
        """Return the ends of a pin's track, led as far as it is to be reached."""
        if net in self.through:
            return 0, self.width
        low, high = self.reach.get(net, (west, east))
        return min(west, low), max(east, high)

    @cached_property
    def tracks(self) -> list[tuple[str, int, int, int]]:
        """Tracks: (net, y, west, east); those that run through lie nearest to the rails."""
        space = self.r.space("select")
        ends: tuple[list[int], list[int]] = ([], [])
        placed = []

        first = list(self.through)

        def order(item: tuple[str, int, int, int]) -> tuple[int, int]:
            net, side, west, _ = item
            if self.through.get(net) == side:
                return first.index(net), west
            return len(first) + (net not in self.reach), west

        for net, side, west, east in sorted(self._lengths(), key=order):
            row = next((k for k, end in enumerate(ends[side]) if end + space <= west), None)
            if row is None:
                row = len(ends[side])
                ends[side].append(0)
            ends[side][row] = east
            if row >= len(self.g.tracks[side]):
                have = len(self.g.tracks[side])
                raise NoTrackError(f"{self.name}: more than {have} tracks on side {'NP'[side]}")
            placed.append((net, self.g.tracks[side][row], west, east))
        return placed

    def _wires(self) -> None:
        """Draw the lines of local metal and the tracks that join them."""
        c, g, r = self.c, self.g, self.r
        half = r.pad // 2
        middle = (g.n_head + g.p_head) // 2
        met: dict[tuple[int, str], list[int]] = {}
        for net, y, west, east in self.tracks:
            c.rect("select", west, y - half, east, y + half)
            if net not in self.wires:
                continue
            wire = self.wires[net]
            side = N if y < middle else P
            main = next((q for q in (N, P) if wire.sides[q]), side)
            for x in sorted(wire.sides[side] | wire.both):
                own = x in wire.sides[side]
                inside = west <= x - half and x + half <= east
                if own or (inside and (side == main or self._joins(net, side, x))):
                    met.setdefault((x, net), []).append(y)
                    c.box("local_via", x, y, r.size("local_via"))
                    c.box("local", x, y, r.pad)
        self._lines(met)
        for net, x in self.trunk_xs.items():
            y = next(at for n, at, _, _ in self.tracks if n == net)
            c.box("select_via", x, y, r.size("select_via"))
            c.rect("bottom_row", x - half, 0, x + half, g.height)
        for x, column in zip(self.gates, self.columns, strict=True):
            for gate, head in zip(column.gates, (g.n_head, g.p_head), strict=True):
                if gate is None or (gate == column.gates[0] and head == g.p_head):
                    continue
                self._line(x, (head, *met.get((x, gate), ())))

    @cached_property
    def trunk_xs(self) -> dict[str, int]:
        """Middles of the lines along y: each over a line of local metal of its net."""
        return {net: min(self.wires[net].both) for net in self.trunks}

    def _joins(self, net: str, side: int, x: int) -> bool:
        """Tell whether a line is the one that joins the two sides of a net."""
        wire = self.wires[net]
        return x == _nearest(wire.both, set(wire.sides[side]))

    def _lines(self, met: dict[tuple[int, str], list[int]]) -> None:
        """Draw contacts of active areas and their local metal as far as tracks and rails."""
        g, r = self.g, self.r
        end = r.line_end(r.chain[-1], "local")
        inset = max(end + r.cut_more(r.chain[-1]), r.contact_inset)
        rails = (g.vss, g.vdd)
        for x, nets in self.lines:
            spans = []
            for net, (low, high), rail in zip(nets, self._spans(), rails, strict=True):
                cuts = contact_line(self.c, r, x, (low + inset, high - inset), centred=True)
                ys = [cuts[0] - end, cuts[1] + end]
                ys += [rail] if net in SUPPLIES else []
                spans.append((ys, net))
            if nets[0] == nets[1]:
                spans = [(spans[0][0] + spans[1][0], nets[0])]
            for ys, net in spans:
                self._line(x, (*ys, *met.get((x, net), ())), ends=True)

    def _line(self, x: int, ys: Iterable[int], ends: bool = False) -> None:
        low, high = min(ys), max(ys)
        half = self.r.line // 2
        if high > low:
            self.c.rect("local", x - half, low, x + half, high)

    # -- what is told ------------------------------------------------------------------------

    def _devices(self) -> list[Device]:
        size = (("W", self.g.width * 1e-3), ("L", self.g.length * 1e-3))
        found = []
        for k, column in enumerate(self.columns):
            for side, (kind, bulk) in enumerate((("nfet", "VSS"), ("pfet", "VDD"))):
                gate = column.gates[side]
                if gate is not None:
                    nets = (column.west[side], gate, column.east[side], bulk)
                    found.append(Device(f"M{'NP'[side]}{k}", kind, nets, size))
        return found

    def _pin_ports(self) -> list[Port]:
        """Return ports: at the ends from which a track can be led on to an edge."""
        found = []
        layer = self.r.layer("select")
        named = set(self.trunks)
        above = self.r.layer("bottom_row")
        for net, x in self.trunk_xs.items():
            found.append(Port(net, above, x, 0, self.r.pad, 270))
            found.append(Port(net, above, x, self.g.height, self.r.pad, 90))
        for net, y, west, east in self.tracks:
            if net not in self.pins or net in named:
                continue
            named.add(net)
            others = [(w, e) for n, at, w, e in self.tracks if at == y and (w, e) != (west, east)]
            if all(w > east for w, _ in others):
                found.append(Port(net, layer, west, y, self.r.pad, 180))
            if all(e < west for _, e in others):
                found.append(Port(net, layer, east, y, self.r.pad, 0))
            if found[-1:] == [] or found[-1].name != net:  # between others: from above only
                found.append(Port(net, layer, west, y, self.r.pad, 180))
        return found

    def _rail_ports(self) -> list[Port]:
        layer, line = self.r.layer("local"), self.r.line
        return [
            Port(net, layer, x, y, line, orientation)
            for net, y in (("VDD", self.g.vdd), ("VSS", self.g.vss))
            for x, orientation in ((0, 180), (self.width, 0))
        ]


def _nearest(xs: set[int], others: set[int]) -> int:
    """Return that of some places which is nearest to others."""
    return min(sorted(xs), key=lambda x: min(abs(x - o) for o in others))


def _depth(asked: list[tuple[str, int, int, int]], side: int, west: int, east: int) -> int:
    """Return how many tracks of a side lie above each other somewhere between two x."""
    spans = [(w, e) for _, q, w, e in asked if q == side and w < east and west < e]
    return max((sum(w <= at <= e for w, e in spans) for at, _ in spans), default=0)
