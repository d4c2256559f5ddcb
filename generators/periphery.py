"""Addressing on board: blocks of logic that drive a macro's controls, and those of a scan chain.

Bits stand in rows of logic cells, one row above the other in groups of columns: a group is as wide
as a bit, and has a row for every line of its columns. Lines of a group run along y over its cells.
What the rows share comes from the drivers in the east, which lines along y supply. A scan chain
goes up each group and on to the next one in the west.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from ..cells.drawing import Canvas, Cell, Placement, grid_down, grid_up
from ..cells.gates import Tracks
from ..cells.logic import NoTrackError
from ..cells.logic_rules import LogicRules
from ..cells.parts import via_stack
from ..cells.pitches import least_pitch
from ..cells.rules import RuleBook
from ..cells.scan import TRACKS, draw_bit, draw_driver, draw_pass, shared_by
from ..pdk import ParameterError, Tech
from .netlist import Instance

#: between a block of logic and whatever else has wells, in dbu
CLEAR = 3000
#: from the south edge to the chain's first track: room for pins, in dbu
LEAD = 1000
#: width of a supply trunk in dbu
TRUNK = 1000
#: most gates of a buffer, and load of one: width of the gates on a line, in um
MOST_FINGERS, LOAD_UM = 8, 200.0


def least_column_pitch(r: RuleBook) -> int:
    """Return the least pitch of columns between whose outputs a chain passes, in dbu."""
    pitch = least_pitch(r)
    while True:
        low, high = Tracks(r, pitch).high3
        # a line and the chain, and on either side of them what is beside the outputs
        if pitch - (high - low) >= 2 * r.pad + 3 * r.row_space(high - low) + 10:
            return pitch
        pitch += 10


def buffer_fingers(load_um: float) -> int:
    """Return the gates of a buffer that drives gates of a width in um."""
    return max(2, min(MOST_FINGERS, -int(-load_um // LOAD_UM)))


@dataclass(frozen=True)
class Line:
    """A line that a bit drives.

    Attributes:
        net: its name.
        x: where it runs along y, in dbu from its column's west edge; None for one in the west.
        column: its column.
    """

    net: str
    x: int | None = None
    column: int = 0


@dataclass
class Block:
    """One block of logic: its place, its bits in groups, the lines that they drive.

    Lengths in dbu of the macro. `y` is the south edge.

    Attributes:
        lines: of each group, from the east; bottom row first.
        taken: x spans within a column that other lines take in the metal of the chain's.
        x0, pitch, cols: of the columns.
        west: nothing stands west of it.
    """

    tech: Tech
    name: str
    gated: bool
    fingers: int
    lines: list[Line]
    taken: list[tuple[int, int]]
    x0: int
    pitch: int
    cols: int
    y: int
    west: int
    canvas: Canvas
    #: what stands for the block in a refusal
    kind: ClassVar[str]
    r: RuleBook = field(init=False)
    size: int = field(init=False)
    width: int = field(init=False)
    over: int = field(init=False)
    bit: Cell = field(init=False)
    driver: Cell = field(init=False)
    groups: list[list[Line]] = field(init=False)

    def _fill(self) -> None:
        """Give every line to its group."""
        self.groups = [[] for _ in range(-(-(self.cols + self.over) // self.size))]
        for line in self.lines:
            self.groups[self._group(line)].append(line)
        self.groups = [g for g in self.groups if g]

    def _group(self, line: Line) -> int:
        if line.x is None:
            return len(self.groups) - 1
        return (self.cols - 1 - line.column + self.over) // self.size

    @property
    def rows_y(self) -> int:
        """South edge of the lowest row."""
        raise NotImplementedError

    def placements(self) -> Iterator[Placement]:
        """Yield the cells."""
        raise NotImplementedError

    def draw_supplies(self, xs: dict[str, int]) -> None:
        """Lead the rails of every row to supply lines in the east."""
        for row in range(self.rows):
            for net, x in xs.items():
                y = self.rows_y + row * self.bit.height + self.driver.port(net).y
                join_supply(self.canvas, self.r, self.driver_x + self.driver.width, x, y)

    @property
    def east(self) -> int:
        """East edge of the bits."""
        return self.x0 + (self.cols + self.over) * self.pitch

    @property
    def driver_x(self) -> int:
        """West edge of the drivers."""
        return self.east

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return max(map(len, self.groups))

    @property
    def top(self) -> int:
        """North edge."""
        return self.rows_y + self.rows * self.bit.height

    @property
    def order(self) -> list[str]:
        """Nets of the bits, group after group from the east."""
        return [line.net for group in self.groups for line in group]

    def _places(self, most: int) -> list[int]:
        """Return places within a group where a line along y is clear of all others.

        Args:
            most: east edge of the last one, in dbu from the group's west edge.

        Raises:
            ParameterError: if the pitch leaves none.
        """
        r, half = self.r, self.r.pad // 2
        pads = [(line.x - half, line.x + half) for line in self.lines if line.x is not None]
        once = sorted({*self.taken, *pads})
        taken = [(a + k * self.pitch, b + k * self.pitch) for k in range(-1, 4) for a, b in once]
        need = half + r.row_space(0)
        found = [
            grid_down((low + high) / 2)
            for (_, low), (high, _) in pairwise(taken)
            if high - low >= 2 * need
        ]
        found = [x for x in found if need <= x <= most - need]
        if not found:
            widest = max(high - low for (_, low), (high, _) in pairwise(taken))
            least_um = grid_up(self.pitch + 2 * need - widest, 10) * 1e-3
            told = f"about {least_um:g} um or more for periphery: {self.kind}"
            raise ParameterError("pitch_x_um", self.pitch * 1e-3, told)
        return found

    def bits(self, past: Cell) -> Iterator[Placement]:
        """Yield the bits, and what leads the lines of a row past places without one."""
        for k, group in enumerate(self.groups):
            x = self.east - (k + 1) * self.width
            yield Placement(self.bit, x, self.rows_y, 1, len(group), 0, self.bit.height)
            rest = max(map(len, self.groups[k:])) - len(group)
            if rest:  # the lines of rows that go on in the west
                y = self.rows_y + len(group) * self.bit.height
                yield Placement(past, x, y, 1, rest, 0, self.bit.height)

    def _pin_y(self, net: str) -> int:
        return self.bit.port(net).y

    def draw_lines(self, end: int) -> dict[str, tuple[int, int]]:
        """Draw the lines from their bits along y to a height; those in the west are not drawn.

        Returns:
            x and y of a place on each line; of those in the west, of the bit's output.
        """
        c, r, half = self.canvas, self.r, self.r.pad // 2
        found = {}
        for k, group in enumerate(self.groups):
            for row, line in enumerate(group):
                y = self.rows_y + row * self.bit.height + self._pin_y("Y")
                if line.x is None:
                    found[line.net] = (self.east - (k + 1) * self.width, y)
                    continue
                x = self.x0 + line.column * self.pitch + line.x
                via_stack(c, r, x, y, "select", "top_row")
                c.rect("top_row", x - half, min(y, end) - half, x + half, max(y, end) + half)
                found[line.net] = (x, end)
        return found

    def _along(self, x: int, y1: int, y2: int) -> None:
        """Draw a line along y with a cut down at either end."""
        c, half = self.canvas, self.r.pad // 2
        c.rect("bottom_row", x - half, y1 - half, x + half, y2 + half)
        for y in (y1, y2):
            c.box("select_via", x, y, self.r.size("select_via"))


@dataclass
class ScanBlock(Block):
    """One block of a scan chain; `y` begins with two tracks of the chain, then come the rows."""

    kind = "scan"

    def __post_init__(self) -> None:
        self.r = r = RuleBook(self.tech)
        least = draw_bit(self.tech, gated=self.gated, fingers=self.fingers).width
        self.size = -(-least // self.pitch)
        self.width = self.size * self.pitch
        self.step = r.pad + max(r.space("select"), r.row_space(0))
        #: columns by which the groups reach beyond the array in the east, for want of room
        self.over = next(n for n in range(self.size) if self._clear_of_west(n))
        self._fill()
        self.bit = self._least_bit()
        self.stand(self.over, self.gate_um)

    def _clear_of_west(self, over: int) -> bool:
        """Tell whether the last group keeps clear of the west, so many columns beyond the east."""
        beyond = -(self.cols + over) % self.size
        return self.x0 - beyond * self.pitch >= self.west

    @property
    def gate_um(self) -> float:
        """Width of the gates on a line along a row."""
        return 2 * 8 * self.tech.dbu_um * LogicRules(self.r, TRACKS).width * len(self.groups)

    def stand(self, over: int, gate_um: float) -> None:
        """Place and draw the drivers: as in every block, so that their inputs are in one line.

        Args:
            over: columns by which the bits of any block reach beyond the array in the east.
            gate_um: width of the gates on a line along a row, in um.
        """
        self.gap = (over - self.over) * self.pitch
        self.driver = draw_driver(self.tech, gated=self.gated, fingers=buffer_fingers(gate_um),
                                  tracks=self.tracks)  # fmt: skip

    @property
    def driver_x(self) -> int:
        """West edge of the drivers."""
        return self.east + self.gap

    def _least_bit(self) -> Cell:
        """Return the bit with the fewest tracks that hold its nets, and set them."""
        places = self._places(self.width - self.pitch)
        for self.tracks in range(TRACKS, 2 * TRACKS):
            for x in places:
                self.chain_x = (x, x + self.pitch)
                try:
                    return draw_bit(self.tech, gated=self.gated, fingers=self.fingers,
                                    width=self.width, chain_x=self.chain_x,
                                    tracks=self.tracks)  # fmt: skip
                except NoTrackError:
                    continue
        raise NoTrackError(f"no {2 * TRACKS} tracks hold the nets of a bit")

    @property
    def rows_y(self) -> int:
        """South edge of the lowest row."""
        return grid_up(self.y + LEAD + 2 * self.step + self.r.pad, 10)

    # -- drawing -----------------------------------------------------------------------------

    def placements(self) -> Iterator[Placement]:
        """Yield the cells."""
        yield from self.bits(self._past(self.width))
        rows = (1, self.rows, 0, self.bit.height)
        if self.gap:
            past = self._past(self.gap, beside_driver=True)
            yield Placement(past, self.east, self.rows_y, *rows)
        yield Placement(self.driver, self.driver_x, self.rows_y, *rows)

    def _past(self, width: int, *, beside_driver: bool = False) -> Cell:
        """Return what leads the lines of a row past a place without a bit."""
        return draw_pass(
            self.tech, gated=self.gated, width=width, tracks=self.tracks,
            beside_driver=beside_driver,
        )  # fmt: skip

    def draw_chain(self, entry: int, exit_: int) -> tuple[int, int]:
        """Draw the chain between its bits and its tracks out to lines in the east.

        Args:
            entry: x of the line that brings it.
            exit_: x of the line that takes it on.

        Returns:
            y of the tracks at either.
        """
        c, half = self.canvas, self.r.pad // 2
        low = self.y + LEAD + half
        high = low + self.step
        d, q, height = self._pin_y("D"), self._pin_y("Q"), self.bit.height
        from_x = entry
        for k, group in enumerate(self.groups):
            x = self.east - (k + 1) * self.width
            x_back, x_in = (x + at for at in self.chain_x)
            c.rect("select", x_in - half, low - half, from_x + half, low + half)
            self._along(x_in, low, self.rows_y + d)
            for row in range(len(group) - 1):
                at = self.rows_y + row * height
                self._along(x_in, at + q, at + height + d)
            last = k == len(self.groups) - 1
            self._along(x_back, high if last else low, self.rows_y + (len(group) - 1) * height + q)
            from_x = x_back
        c.rect("select", from_x - half, high - half, exit_ + half, high + half)
        return low, high

    def trunk_xs(self) -> dict[str, int]:
        """Return the x of the lines along y that the drivers take their inputs from."""
        return {net: self.driver_x + self.driver.port(f"{net}I").x for net in shared_by(self.gated)}

    # -- netlist -----------------------------------------------------------------------------

    def instances(self, first: str, last: str) -> Iterator[Instance]:
        """Yield the calls of bits and drivers.

        Args:
            first: net that the chain comes from.
            last: net that it goes on to.
        """
        order, shared, before = self.order, tuple(shared_by(self.gated)), first
        k = 0
        for group in self.groups:
            for row, line in enumerate(group):
                after = last if k == len(order) - 1 else f"SC_{self.name}[{k}]"
                lines = (f"{net}_{self.name}[{row}]" for net in shared)
                nets = (before, after, line.net, *lines, "VDD", "VSS")
                yield Instance(f"S{self.name}{k}", self.bit.name, nets)
                before, k = after, k + 1
        for row in range(self.rows):
            lines = (f"{net}_{self.name}[{row}]" for net in shared)
            yield Instance(f"D{self.name}{row}", self.driver.name,
                           (*shared, *lines, "VDD", "VSS"))  # fmt: skip


def join_supply(c: Canvas, r: RuleBook, x: int, trunk_x: int, y: int) -> None:
    """Lead a rail at a height on to a supply line, and up to it."""
    half = r.line // 2
    c.rect("local", x, y - half, trunk_x, y + half)
    c.box("local", trunk_x, y, r.pad)
    via_stack(c, r, trunk_x, y, "local", "bottom_row")
