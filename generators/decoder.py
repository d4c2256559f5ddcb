"""A macro with a decoder on board: address, mode and enable set its select lines and switches.

Two blocks hold the bits. East of them stands one line of cells over each other: the blocks'
drivers, and between the blocks the latches of address and mode, the delay of the enable, and what
makes levels of the mode. All of their pins are tracks along x as wide as the cells; lines along y
over them are joined to those of their net by a cut each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..base import names
from ..cells import decoder as cells
from ..cells.drawing import Cell, Placement, Port, Subcircuit, grid_up
from ..cells.logic_rules import LogicRules
from ..cells.scan import TRACKS
from ..pdk import ParameterError
from .board import Around, Board
from .decoder_block import (
    OPEN,
    UNADDRESSED,
    WRITE,
    DecoderBlock,
    Seat,
    group_size,
    held,
    inverter_um,
    row_fingers,
)
from .netlist import Instance, gate_area
from .periphery import CLEAR, buffer_fingers, join_supply
from .rows import EDGE

#: load of a gate, in its own widths, that one delay allows on the way to a select line, and how
#: long a wire along x counts as much as one such width
DELAYED, WIRE_UM = 60.0, 400.0


class Decoder(Board):
    """The decoder of a macro."""

    blocks: list[DecoderBlock]

    def __init__(self, a: Around) -> None:
        super().__init__(a)
        self.tech = a.rules.tech
        self.bits = names.address_bits(a.spec.cols)
        self.inputs = [
            *(names.address(k) for k in range(self.bits)),
            *(names.mode_bit(k) for k in range(2)),
        ]
        self.selects = bool(self.north_lines())
        self.fingers = {
            False: buffer_fingers(self.south_load_um),
            True: buffer_fingers(a.spec.select_w_um * a.spec.rows),
        }
        least = cells.write_bit(self.tech, fingers=self.fingers[False]).width
        if self.selects:
            least = max(least, cells.select_bit(self.tech, fingers=self.fingers[True]).width)
        self.columns = group_size(self.tech, a.core.unit.cell.width, a.spec.cols, least)
        self.diodes = 0
        self._place()
        while missing := self._missing_diodes():
            self.diodes += missing
            self._place()

    # -- places ------------------------------------------------------------------------------

    def _place(self) -> None:
        """Place blocks, cells in the east and lines."""
        a = self.a
        self._place_lines()
        self.blocks = [self._block(False)]
        south = self.blocks[0]
        south.y = -(grid_up(south.top, 10) + CLEAR)
        self.control_y = grid_up(max(a.columns.height, max(y for y, _ in a.supplies)) + CLEAR, 10)
        self.control = [*self._control_seats()]
        if self.selects:
            north = self._block(True)
            north.y = grid_up(max(self.north_y(north), self.control_top + CLEAR), 10)
            self.blocks.append(north)
        self.seats = [*(s for b in self.blocks for s in b.seats()), *self.control]
        self.place_supplies(max(s.x + s.cell.width for s in self.seats))

    def _place_lines(self) -> None:
        """Place the lines along y, and with them the width of the cells below."""
        a, r = self.a, self.r
        pitch = a.core.unit.cell.width
        edge = a.x0 + a.spec.cols * pitch
        #: west edge of the drivers, and of what stands beside the array
        self.drivers_x = edge + -a.spec.cols % self.columns * pitch
        self.control_x0 = max(self.drivers_x, grid_up(edge + CLEAR, 10))
        self.nets = [
            *self.inputs, names.ENABLE,
            *(held(name, high) for name in self.inputs for high in (True, False)),
            *self.delayed, OPEN, *(UNADDRESSED if self.selects else ["ON"]),
            *(f"{net}_ON" for net in names.WRITE_TIERS), WRITE,
        ]  # fmt: skip
        step = r.pad + r.row_space(0)
        first = self.control_x0 + grid_up(r.space("select")) + r.pad
        self.line_x, x = {}, first
        for net in self.nets:
            if net in (*self.inputs, names.ENABLE):
                x = self.on_track(x)
            self.line_x[net] = grid_up(x, 10)
            x = self.line_x[net] + step
        most = max(self.line_x.values()) + r.pad + r.space("select") - self.control_x0
        low = min(self.bits, self.columns.bit_length() - 1)
        own = [
            *(cell.width for cell in self._control_cells(None).values()),
            *(draw(self.tech, bits=low, fingers=8).width
              for draw in (cells.select_driver, cells.write_driver)),
        ]  # fmt: skip
        self.wide = grid_up(max(most, *own), 10)

    def _block(self, gated: bool) -> DecoderBlock:
        a = self.a
        lines, taken = (self.north_lines(), []) if gated else self.south_lines()
        return DecoderBlock(
            self.tech, "S" if gated else "M", gated, self.fingers[gated], lines, taken,
            a.x0, a.core.unit.cell.width, a.spec.cols, 0, self.west, self.canvas,
            columns=self.columns, wide=self.control_x0 + self.wide - self.drivers_x,
            like=self.blocks[0] if gated else None,
        )  # fmt: skip

    def _missing_diodes(self) -> int:
        """Return how many more antenna diodes an input asks for, by the charge of its line.

        Every other line is on a drain, which drains the charge.

        Raises:
            ParameterError: names the first line that no number of diodes does for.
        """
        ratio = self.r.ask.antenna("bottom_row", math.inf)
        wall = 2 * self.r.ask.antenna_wall("bottom_row")
        missing = 0
        for net in (*self.inputs, names.ENABLE):
            on = [(s, pin) for s in self.seats for pin, own in s.nets.items() if own == net]
            area_um2 = sum(gate_area(seat.cell, pin) for seat, pin in on)
            area_um2 += self.diodes * self._diode_um2
            high = max(seat.y + seat.cell.port(pin).y for seat, pin in on) + self.r.pad
            length_um = (high - self.bottom) * self.tech.dbu_um
            lack = length_um * wall / ratio - area_um2
            missing = max(missing, -int(-lack // self._diode_um2))
            most = area_um2 + (cells.ALLOWED_DIODES[-1] - self.diodes) * self._diode_um2
            if length_um * wall > ratio * most:
                told = (
                    f"none, or scan, for a macro this high: the line of {net} would be "
                    f"{length_um:.0f} um long, and its gates and diodes take the charge of "
                    f"{ratio * most / wall:.0f} um"
                )
                raise ParameterError("periphery", "decoder", told)
        return missing

    @property
    def _diode_um2(self) -> float:
        """Gate area that one antenna diode is worth, in um2."""
        g = LogicRules(self.r, TRACKS)
        area = 2 * 2 * g.to_gate * g.width * self.tech.dbu_um**2
        return self.tech.nets.diode_factor * area

    @property
    def delayed(self) -> list[str]:
        """Nets of the enable after each delay: select lines are off before the latches open.

        A line turns off the later the more gates hang on it, and on the line along x before it.
        """
        spec = self.a.spec
        groups = -(-spec.cols // self.columns)
        gate_um = inverter_um(self.r)
        line = spec.select_w_um * spec.rows / (self.fingers[True] * gate_um)
        row = 1.5 * groups / row_fingers(gate_um, groups)
        wire_um = spec.cols * self.a.core.unit.cell.width * self.tech.dbu_um
        load = line + row + (wire_um / WIRE_UM) ** 2
        count = max(1, -int(-load // DELAYED))
        return [f"{names.ENABLE}_LATE[{k}]" for k in range(count)]

    def _control_cells(self, width: int | None) -> dict[str, Cell]:
        spec, tech = self.a.spec, self.tech
        groups = -(-spec.cols // self.columns)
        # an address line meets a gate of half the groups of both blocks, or of half the rows
        latch = buffer_fingers(20.0 * max(groups, 2 * self.columns))
        level = buffer_fingers(20.0 * 2 * self.columns)
        return {
            "latch": cells.address_latch(tech, fingers=latch, diodes=self.diodes, width=width),
            "delay": cells.delay(tech, diodes=self.diodes, width=width),
            "enables": cells.enables(tech, selects=self.selects, fingers=level, width=width),
            "modes": cells.modes(tech, gated=not self.selects, fingers=level, width=width),
        }

    def _control_seats(self) -> Iterator[Seat]:
        """Yield the cells between the blocks, from the south."""
        drawn = self._control_cells(self.wide)
        late = self.delayed
        mode = {f"M{k}{end}": held(names.mode_bit(k), not end) for k in range(2)
                for end in ("", "_N")}  # fmt: skip
        on = dict(zip(("SB", "ST"), UNADDRESSED, strict=True)) if self.selects else {"ON": "ON"}
        tiers = {net: f"{net}_ON" for net in names.WRITE_TIERS}
        cells_ = [
            *(("delay", {"A": before, "Y": after})
              for before, after in zip([names.ENABLE, *late], late, strict=False)),
            *(("latch", {"D": net, "OPEN": OPEN, "Q": held(net), "QN": held(net, high=False)})
              for net in self.inputs),
            ("enables", {"E0": names.ENABLE, "E1": late[-1], "OPEN": OPEN, **mode, **on}),
            ("modes", {**mode, **tiers, "WR": WRITE, "ON": "ON"}),
        ]  # fmt: skip
        y = self.control_y
        for k, (kind, nets) in enumerate(cells_):
            cell = drawn[kind]
            assert cell.netlist is not None
            own = {pin: nets[pin] for pin in cell.netlist.pins if pin in nets}
            yield Seat(f"T{k}", cell, self.control_x0, y, own)
            y += cell.height
        self.control_top = y

    @property
    def logic_top(self) -> int:
        """North edge of the highest row of cells."""
        return max(self.blocks[-1].top, self.control_top)

    @property
    def top(self) -> int:
        """Least height of the macro."""
        return self.logic_top + EDGE

    # -- drawing -----------------------------------------------------------------------------

    def placements(self) -> list[Placement]:
        """Return the cells."""
        return [*super().placements(), *(Placement(s.cell, s.x, s.y) for s in self.seats)]

    def draw(self) -> list[Port]:
        """Draw everything but the cells; returns the pins in the south."""
        south = self.blocks[0]
        self._label(south.draw_lines(0))
        self._controls(south)
        self._selects()
        for block in self.blocks:
            block.draw_groups()
        self._lines()
        self._supplies()
        layer = self.r.layer("bottom_row")
        return [
            Port(net, layer, self.line_x[net], self.bottom, self.r.pad, 270)
            for net in (*self.inputs, names.ENABLE)
        ]

    def _lines(self) -> None:
        """Draw the lines along y in the east, with a cut to each pin of their nets."""
        c, half = self.canvas, self.r.pad // 2
        for net, x in self.line_x.items():
            ys = [
                s.y + s.cell.port(pin).y
                for s in self.seats for pin, own in s.nets.items()
                if own == net and pin not in s.own
            ]  # fmt: skip
            low = self.bottom if net in (*self.inputs, names.ENABLE) else min(ys) - half
            c.rect("bottom_row", x - half, low, x + half, max(ys) + half)
            for y in ys:
                c.box("select_via", x, y, self.r.size("select_via"))

    def _supplies(self) -> None:
        super()._supplies()
        for seat in self.control:
            for net, x in self.supply_x.items():
                y = seat.y + seat.cell.port(net).y
                join_supply(self.canvas, self.r, seat.x + seat.cell.width, x, y)

    # -- netlist -----------------------------------------------------------------------------

    def netlists(self) -> list[Subcircuit]:
        """Return the reference netlists of the cells."""
        drawn = [c for b in self.blocks for c in b.netlists()] + [s.cell for s in self.control]
        found = {c.netlist.name: c.netlist for c in drawn if c.netlist is not None}
        return list(found.values())

    def instances(self) -> Iterator[Instance]:
        """Yield the calls of the cells."""
        for block in self.blocks:
            yield from block.instances()
        yield from (i for s in self.seats if (i := s.instance()) is not None)
