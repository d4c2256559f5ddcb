"""One block of a decoder: rows of bits over a row of cells that tell which group is addressed.

Columns stand in groups of a power of two, from the west. The high address bits run along x past the
group cells; a line along y leads the level of each to its bits. Each row of bits is of one column
of every group, and its driver in the east knows which by the low address bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..base import names
from ..cells import decoder as cells
from ..cells.drawing import Cell, Placement, grid_up
from ..cells.logic import NoTrackError
from ..cells.logic_rules import LogicRules
from ..cells.rules import RuleBook
from ..cells.scan import TRACKS
from ..pdk import Tech
from .netlist import Instance
from .periphery import LEAD, Block, Line, buffer_fingers, join_supply

#: nets of the decoder along y in the east: select lines that are on in columns that are not
#: addressed, by tier; write switches of the addressed column; latches are open
UNADDRESSED, WRITE, OPEN = ("SEL_B", "SEL_T"), "WRITE", "OPEN"


@dataclass(frozen=True)
class Seat:
    """A cell in the east, which lines along y pass over: each meets the pins of its net.

    Attributes:
        name: of the call; '' for a cell without devices.
        cell: the cell.
        x, y: its place in dbu.
        nets: pin -> net.
        own: pins that lines along y do not reach.
    """

    name: str
    cell: Cell
    x: int
    y: int
    nets: Mapping[str, str]
    own: tuple[str, ...] = ()

    def instance(self) -> Instance | None:
        """Return the call of the cell."""
        if self.cell.netlist is None:
            return None
        nets = {**self.nets, "VDD": "VDD", "VSS": "VSS"}
        return Instance(self.name, self.cell.name, tuple(nets[p] for p in self.cell.netlist.pins))


def held(name: str, high: bool = True) -> str:
    """Return the net of a latched bit, or of its complement."""
    kind = f"{names.kind_of(name)}L" + ("" if high else "_N")
    return names.numbered(kind, names.number_of(name))


def group_size(tech: Tech, pitch: int, cols: int, least: int) -> int:
    """Return the columns of a group: the least power of two as wide as its cells.

    Args:
        tech: the process.
        pitch: of the columns, in dbu.
        cols: number of columns.
        least: width of its bits, in dbu.
    """
    low = 0
    while True:
        high = max(1, names.address_bits(cols) - low)
        own = cells.group_cell(tech, [True] * high, fingers=GROUP_FINGERS).width
        if pitch << low >= max(least, own):
            return 1 << low
        low += 1


def inverter_um(r: RuleBook) -> float:
    """Return the width of the gates of an inverter, in um."""
    return 2 * r.tech.dbu_um * LogicRules(r, TRACKS).width


def row_fingers(gate_um: float, groups: int) -> int:
    """Return the gates of the buffers that drive a row of bits."""
    return buffer_fingers(2 * gate_um * groups)


#: gates of the buffer of a group's line
GROUP_FINGERS = 4


@dataclass
class DecoderBlock(Block):
    """One block of a decoder; `y` begins with the row of group cells.

    Attributes:
        columns: of a group.
        wide: of the cells in the east, in dbu.
        like: a block with the same groups, whose cells it takes: no two are called the same.
    """

    columns: int = 1
    wide: int = 0
    like: DecoderBlock | None = None
    group_row: list[Cell] = field(init=False)
    group_end: Cell = field(init=False)
    kind = "decoder"

    def __post_init__(self) -> None:
        self.r = RuleBook(self.tech)
        self.size = self.columns
        self.width = self.size * self.pitch
        self.over = -self.cols % self.size
        self._fill()
        self.group_x = self._places(self.width)[0]
        bits = names.address_bits(self.cols)
        self.low = min(self.size.bit_length() - 1, bits)
        self.high = bits - self.low
        self._draw_row()
        if self.like is None:
            self._draw_groups()
        else:
            self.group_row, self.group_end = self.like.group_row, self.like.group_end

    def _draw_row(self) -> None:
        """Draw a row's bit and driver with as many tracks as both ask for."""
        draw_bit, draw_driver = (
            (cells.select_bit, cells.select_driver)
            if self.gated
            else (cells.write_bit, cells.write_driver)
        )
        fingers = row_fingers(inverter_um(self.r), len(self.groups))
        for self.tracks in range(TRACKS, 4 * TRACKS):
            try:
                self.bit = draw_bit(
                    self.tech, fingers=self.fingers, tracks=self.tracks, width=self.width
                )
                self.driver = draw_driver(
                    self.tech, bits=self.low, fingers=fingers, tracks=self.tracks,
                    width=self.wide or None,
                )  # fmt: skip
                return
            except NoTrackError:
                continue
        raise NoTrackError(f"no {4 * TRACKS} tracks hold the nets of a bit")

    def _draw_groups(self) -> None:
        """Draw the cell of every group, from the west, all with the same tracks."""
        codes = [
            [bool(number >> k & 1) for k in range(self.high)] or [True]
            for number in range(len(self.groups))
        ]
        for tracks in range(TRACKS, 8 * TRACKS):
            try:
                self.group_row = [
                    cells.group_cell(self.tech, code, fingers=GROUP_FINGERS,
                                     tracks=tracks, width=self.width)
                    for code in codes
                ]  # fmt: skip
                self.group_end = cells.row_pass(
                    self.tech, "group_end", self.high_lines, tracks, self.driver.width
                )
                return
            except NoTrackError:
                continue
        raise NoTrackError(f"no {8 * TRACKS} tracks hold the nets of a group")

    @property
    def high_lines(self) -> dict[str, int]:
        """Lines along x past the group cells, and the sides of their tracks."""
        return cells.high_lines(max(1, self.high))

    def high_net(self, line: str) -> str:
        """Return the net of one of them; a single group is addressed whenever one writes."""
        if not self.high:
            return WRITE
        number, _, complement = line[1:].partition("_")
        return held(names.address(self.low + int(number)), not complement)

    @property
    def group_y(self) -> int:
        """South edge of the row of group cells."""
        return grid_up(self.y + LEAD, 10)

    @property
    def rows_y(self) -> int:
        """South edge of the lowest row of bits."""
        return self.group_y + self.group_row[0].height

    def _rows_of(self, group: list[Line]) -> int:
        """Return how many of a group's rows are of its columns."""
        return sum(line.x is not None for line in group)

    @property
    def _row_lines(self) -> list[Line]:
        """A line of each row, from the south: those of the group in the west."""
        return max(self.groups, key=len)

    # -- drawing -----------------------------------------------------------------------------

    def seats(self) -> Iterator[Seat]:
        """Yield the cells in the east: the end of the row of group cells, and a driver a row."""
        nets = {line: self.high_net(line) for line in self.high_lines}
        if not self.high:  # one line does
            del nets["H0_N"]
        yield Seat("", self.group_end, self.east, self.group_y, nets)
        for row, line in enumerate(self._row_lines):
            y = self.rows_y + row * self.bit.height
            own = {"X": self._row_net("X", row), "Z": self._row_net("Z", row)} if self.gated else {
                "W": self._row_net("W", row)
            }  # fmt: skip
            nets = {**self._driven(line), **own}
            yield Seat(f"D{self.name}{row}", self.driver, self.east, y, nets, tuple(own))

    def _driven(self, line: Line) -> dict[str, str]:
        """Return the nets of the inputs of a row's driver, by one of its lines."""
        low = cells.low_pins(self.low)
        if line.x is None:  # a control of the rows: all inputs are its own level
            return dict.fromkeys(("S", *low), f"{line.net}_ON")
        offset = line.column % self.size
        ends = {pin: held(names.address(k), bool(offset >> k & 1)) for k, pin in enumerate(low)}
        if not self.gated:
            return {"S": WRITE, **ends}
        tier = names.SELECTS.index(names.kind_of(line.net))
        return {"S": UNADDRESSED[1 - tier], "U": UNADDRESSED[tier], **ends}

    def _row_net(self, pin: str, row: int) -> str:
        return f"{pin}_{self.name}[{row}]"

    def placements(self) -> Iterator[Placement]:
        """Yield the cells but those in the east."""
        kind, lines = ("select", cells.SELECT_LINES) if self.gated else ("write", cells.WRITE_LINES)
        yield from self.bits(cells.row_pass(self.tech, kind, lines, self.tracks, self.width))
        for k, cell in enumerate(self.group_row):
            yield Placement(cell, self.x0 + k * self.width, self.group_y)

    def draw_groups(self) -> None:
        """Draw the line along y from each group's cell to its bits."""
        g, height = self._pin_y("G"), self.bit.height
        for k, group in enumerate(reversed(self.groups)):
            x = self.x0 + k * self.width + self.group_x
            rows = self._rows_of(group)
            ys = [self.group_y + self.group_row[k].port("G").y]
            ys += [self.rows_y + row * height + g for row in range(rows)]
            self._along(x, ys[0], ys[-1])
            for y in ys[1:-1]:
                self.canvas.box("select_via", x, y, self.r.size("select_via"))
            for row in range(rows, len(group)):  # on whenever their row is
                at = self.rows_y + row * height
                self._along(x, *sorted((at + g, at + self._pin_y("W"))))

    def draw_supplies(self, xs: dict[str, int]) -> None:
        """Lead the rails of every row to supply lines in the east, those of the groups, too."""
        super().draw_supplies(xs)
        for net, x in xs.items():
            y = self.group_y + self.group_row[0].port(net).y
            join_supply(self.canvas, self.r, self.east + self.driver.width, x, y)

    # -- netlist -----------------------------------------------------------------------------

    def netlists(self) -> Iterator[Cell]:
        """Yield the cells that have a netlist."""
        yield from (self.bit, self.driver, *self.group_row)

    def instances(self) -> Iterator[Instance]:
        """Yield the calls of the cells but those in the east."""
        for k, cell in enumerate(self.group_row):
            high = tuple(
                self.high_net(line) if self.high or line == "H0" else f"NC_{self.name}"
                for line in self.high_lines
            )
            yield Instance(f"G{self.name}{k}", cell.name, (*high, self._group_net(k), "VDD", "VSS"))
        for k, group in enumerate(reversed(self.groups)):
            for row, line in enumerate(group):
                own = [self._row_net(pin, row) for pin in ("XZ" if self.gated else "W")]
                group_net = own[0] if line.x is None else self._group_net(k)
                nets = (group_net, *own, line.net, "VDD", "VSS")
                yield Instance(f"B{self.name}{k}_{row}", self.bit.name, nets)

    def _group_net(self, number: int) -> str:
        return f"G_{self.name}[{number}]"
