"""Logic on board of a macro: where its blocks stand, and how their lines reach the macro.

One block stands south of the column switches and drives WSEL and the row controls, one north of
the array drives the select lines. Lines along y in the east carry what both need, and supplies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..base import names
from ..cells.drawing import Canvas, Cell, Label, Placement, Port, Subcircuit, grid_down, grid_up
from ..cells.parts import via_stack
from ..cells.rules import RuleBook
from ..pdk.tracks import tracks_of
from .netlist import Instance
from .periphery import CLEAR, TRUNK, Block, Line, join_supply
from .rows import EDGE, Wiring

if TYPE_CHECKING:
    from .array import Core
    from .spec import ArraySpec


@dataclass(frozen=True)
class Around:
    """What the logic stands around, in dbu of the macro.

    Attributes:
        spec: what was asked for.
        core: the array.
        columns: the column switch.
        supplies: (y, net) of the supply lines through the column switches.
        x0, y0: south-west corner of the array.
        rows_top: least height in the west.
        controls: row controls, and the heights of their inverters' inputs.
    """

    spec: ArraySpec
    core: Core
    columns: Cell
    supplies: tuple[tuple[int, str], ...]
    x0: int
    y0: int
    rows_top: int
    controls: dict[str, int]
    wiring: Wiring
    rules: RuleBook


class Board:
    """Logic on board of a macro; what it is made of: `Scan` and `Decoder`.

    Args:
        a: what it stands around.

    Raises:
        ParameterError: for a pitch that leaves no room for it.
    """

    #: blocks, the one in the south first; x from which on the east is free; lines of the supplies
    blocks: Sequence[Block]
    east: int
    supply_x: dict[str, int]

    def __init__(self, a: Around) -> None:
        self.a, self.r = a, a.rules
        self.canvas = Canvas(a.rules.tech)
        self.labels: list[Label] = []
        w = a.wiring
        self.control_x = {
            net: EDGE + w.riser // 2 + k * w.riser_pitch for k, net in enumerate(a.controls)
        }
        self.west = EDGE + len(a.controls) * w.riser_pitch + 2 * self.r.pad

    def south_lines(self) -> tuple[list[Line], list[tuple[int, int]]]:
        """Return the lines of the block in the south, and what the columns' outputs take there."""
        a, half = self.a, self.r.pad // 2
        ports = {q.name: q for q in a.columns.ports if q.orientation == 270}
        out, sel, pitch = ports["OUT"], ports["WSEL"], a.core.unit.cell.width
        half_out, space = grid_up(out.width / 2), self.r.row_space(out.width)
        # beside OUT, which goes straight through, in front of that of the next column
        reach = max(0, grid_down(sel.width / 2) - half)
        x = max(sel.x - reach, out.x + half_out + space + half)
        x = min(x, pitch + out.x - half_out - space - half)
        lines = [Line(names.write_select(j), x, j) for j in range(a.spec.cols)]
        lines += [Line(net) for net in a.controls]
        return lines, [(out.x - half_out, out.x + half_out)]

    @property
    def south_load_um(self) -> float:
        """Width of the gates on the most loaded line of the block in the south."""
        spec = self.a.spec
        return 2 * (spec.switch_wn_um + spec.switch_wp_um) * spec.rows

    def north_lines(self) -> list[Line]:
        """Return the select lines, each column's together; none for an array without."""
        a = self.a
        ports = [q for q in a.core.north.ports if q.name in a.core.unit.selects]
        return [Line(names.numbered(q.name, j), q.x, j) for j in range(a.spec.cols) for q in ports]

    @property
    def select_y(self) -> int:
        """Height at which select lines end in the array."""
        a = self.a
        top = a.y0 + a.spec.rows * a.core.unit.cell.height + a.core.north.height
        return top + self.r.pad // 2 * 2

    def north_y(self, block: Block) -> int:
        """Return the least height of the block in the north."""
        a = self.a
        least = self.select_y + self.r.pad // 2 + CLEAR
        reaches_west = block.east - len(block.groups) * block.width < a.x0
        return grid_up(max(least, a.rows_top + CLEAR if reaches_west else 0), 10)

    def on_track(self, x: int) -> int:
        """Return the next routing track along y that leads to a pin of the lines, or over it."""
        tech = self.r.tech
        wires, tracks = tech.roles.wires, tracks_of(tech)
        own = wires.index(self.r.layer("bottom_row"))
        for metal in (own, own + 1, own - 1):
            if 0 <= metal < len(wires) and tracks[wires[metal]].direction == "vertical":
                track = tracks[wires[metal]]
                pitch, offset = (tech.to_dbu(v) for v in (track.pitch_um, track.offset_um))
                return offset - (offset - x) // pitch * pitch
        return x

    def place_supplies(self, x: int) -> None:
        """Place the supply lines along y, clear of lines that end at an x."""
        wide = max(TRUNK, self.r.pad)
        apart = self.r.row_space(wide) + self.r.pad
        vdd = grid_up(x + apart + wide // 2, 10)
        self.supply_x = {"VDD": vdd, "VSS": grid_up(vdd + wide + apart, 10)}
        self.wide = wide
        self.east = self.supply_x["VSS"] + wide // 2 + apart

    @property
    def bottom(self) -> int:
        """South edge of the macro."""
        return self.blocks[0].y

    @property
    def top(self) -> int:
        """Least height of the macro."""
        return self.blocks[-1].top + EDGE if len(self.blocks) > 1 else 0

    @property
    def logic_top(self) -> int:
        """North edge of the highest row of cells."""
        return self.blocks[-1].top

    @property
    def order(self) -> list[str]:
        """Nets in the order of the chain, from its input on."""
        return [net for block in self.blocks for net in block.order]

    def placements(self) -> list[Placement]:
        """Return the cells of both blocks."""
        return [p for block in self.blocks for p in block.placements()]

    def draw(self) -> list[Port]:
        """Draw everything but the cells; returns the pins in the south."""
        raise NotImplementedError

    def netlists(self) -> list[Subcircuit]:
        """Return the reference netlists of the cells."""
        raise NotImplementedError

    def instances(self) -> Iterator[Instance]:
        """Yield the calls of the cells."""
        raise NotImplementedError

    def _label(self, places: dict[str, tuple[int, int]]) -> None:
        layer = self.r.layer("top_row")
        self.labels += [
            Label(layer, net, x, y) for net, (x, y) in places.items() if net not in self.a.controls
        ]

    def _controls(self, south: Block) -> None:
        """Lead the row controls from their bits to their inverters in the west."""
        c, r, half = self.canvas, self.r, self.r.pad // 2
        group = south.groups[-1]
        west = south.east - len(south.groups) * south.width
        for row, line in enumerate(group):
            if line.x is not None:
                continue
            x, to = self.control_x[line.net], self.a.controls[line.net]
            y = south.rows_y + row * south.bit.height + south.bit.port("Y").y
            c.rect("select", x - half, y - half, west + r.pad, y + half)
            c.box("select_via", x, y, r.size("select_via"))
            c.rect("bottom_row", x - half, y - half, x + half, to + half)
            c.box("bottom_row_via", x, to, r.size("bottom_row_via"))
            self.labels.append(Label(r.layer("select"), line.net, x, y))

    def _selects(self) -> None:
        """Join the select lines to those of their bits, in the metal above the row lines."""
        if len(self.blocks) < 2:
            return
        c, r = self.canvas, self.r
        places = self.blocks[1].draw_lines(self.select_y)
        for x, y in places.values():
            c.box("select", x, y, r.pad)
            c.rect("select", x - r.width("select") // 2, y - r.pad, x + r.width("select") // 2, y)
            via_stack(c, r, x, y, "select", "top_row")
        self._label(places)

    def _supplies(self) -> None:
        c, r, a = self.canvas, self.r, self.a
        for block in self.blocks:
            block.draw_supplies(self.supply_x)
        for x in self.supply_x.values():
            c.rect("bottom_row", x - self.wide // 2, self.bottom + EDGE, x + self.wide // 2,
                   max(self.logic_top, max(y for y, _ in a.supplies) + r.pad))  # fmt: skip
        edge = a.x0 + a.spec.cols * a.core.unit.cell.width
        for y, net in a.supplies:
            join_supply(c, r, edge, self.supply_x[net], y)

    def outer_pins(self, pins: list[Port]) -> list[Port]:
        """Return the macro's own pins that remain, columns led to the south edge."""
        driven, found = set(self.order), []
        for q in pins:
            if q.name in driven:
                continue
            if q.orientation == 270:
                half = grid_down(q.width / 2)
                self.canvas.rect(q.layer, q.x - half, self.bottom, q.x + half, q.y)
                q = replace(q, y=self.bottom)
            found.append(q)
        return found
