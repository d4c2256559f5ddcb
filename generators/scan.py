"""A macro with a scan chain on board: where its blocks stand, and what joins them to the macro.

One block stands south of the column switches and drives WSEL and the row controls, one north of
the array drives the select lines. Lines along y in the east carry clock, enables, reset, chain and
supplies from the south edge to both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..base import names
from ..cells.drawing import Canvas, Cell, Label, Placement, Port, Subcircuit, grid_down, grid_up
from ..cells.parts import via_stack
from ..cells.rules import RuleBook
from .netlist import Instance
from .periphery import CLEAR, TRUNK, Line, ScanBlock, buffer_fingers, join_supply
from .rows import EDGE, Wiring

if TYPE_CHECKING:
    from .array import Core
    from .spec import ArraySpec


@dataclass(frozen=True)
class Around:
    """What the chain stands around, in dbu of the macro.

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


class Scan:
    """The scan chain of a macro.

    Args:
        a: what it stands around.

    Raises:
        ParameterError: for a pitch that leaves no room for it.
    """

    def __init__(self, a: Around) -> None:
        self.a, self.r = a, a.rules
        self.canvas = Canvas(a.rules.tech)
        self.labels: list[Label] = []
        w = a.wiring
        self.control_x = {
            net: EDGE + w.riser // 2 + k * w.riser_pitch for k, net in enumerate(a.controls)
        }
        west = EDGE + len(a.controls) * w.riser_pitch + 2 * self.r.pad
        over = 0
        while True:  # both blocks end at one x, that of their drivers
            self.blocks = [b for b in (self._south(west, over), self._north(west, over)) if b]
            most = max(b.over for b in self.blocks)
            if most == over or len(self.blocks) == 1:
                break
            over = most
        self.south = self.blocks[0]
        self.south.y = -(grid_up(self.south.top, 10) + CLEAR)
        self._place_trunks()

    def _south(self, west: int, over: int) -> ScanBlock:
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
        gates_um = 2 * (a.spec.switch_wn_um + a.spec.switch_wp_um) * a.spec.rows
        return ScanBlock(
            self.r.tech, "M", False, buffer_fingers(gates_um), lines,
            [(out.x - half_out, out.x + half_out)], a.x0, pitch, a.spec.cols,
            0, west, self.canvas, over,
        )  # fmt: skip

    def _north(self, west: int, over: int) -> ScanBlock | None:
        a, half = self.a, self.r.pad // 2
        ports = [q for q in a.core.north.ports if q.name in a.core.unit.selects]
        if not ports:
            return None
        lines = [Line(names.numbered(q.name, j), q.x, j) for j in range(a.spec.cols) for q in ports]
        top = a.y0 + a.spec.rows * a.core.unit.cell.height + a.core.north.height
        self.select_y = top + 2 * half
        block = ScanBlock(
            self.r.tech, "S", True, buffer_fingers(a.spec.select_w_um * a.spec.rows), lines, [],
            a.x0, a.core.unit.cell.width, a.spec.cols, 0, west, self.canvas, over,
        )  # fmt: skip
        least = self.select_y + half + CLEAR
        reaches_west = block.east - len(block.groups) * block.width < a.x0
        block.y = grid_up(max(least, a.rows_top + CLEAR if reaches_west else 0), 10)
        return block

    def _place_trunks(self) -> None:
        """Place the lines along y in the east."""
        r = self.r
        east = max(b.east + b.driver.width for b in self.blocks)
        step = r.pad + r.row_space(0)
        self.chain_in = grid_up(east + r.row_space(TRUNK) + r.pad, 10)
        self.chain_out = self.chain_in + step
        wide = max(TRUNK, r.pad)
        apart = r.row_space(wide) + r.pad
        vdd = grid_up(self.chain_out + r.pad // 2 + apart + wide // 2, 10)
        self.supply_x = {"VDD": vdd, "VSS": grid_up(vdd + wide + apart, 10)}
        self.wide = wide
        #: x from which on the east is free
        self.east = self.supply_x["VSS"] + wide // 2 + apart

    @property
    def bottom(self) -> int:
        """South edge of the macro."""
        return self.south.y

    @property
    def top(self) -> int:
        """Least height of the macro."""
        return self.blocks[-1].top + EDGE if len(self.blocks) > 1 else 0

    @property
    def order(self) -> list[str]:
        """Nets in the order of the chain, from its input on."""
        return [net for block in self.blocks for net in block.order]

    def placements(self) -> list[Placement]:
        """Return the cells of both blocks."""
        return [p for block in self.blocks for p in block.placements()]

    def netlists(self) -> list[Subcircuit]:
        """Return the reference netlists of the cells."""
        found = [c.netlist for b in self.blocks for c in (b.bit, b.driver)]
        return [n for n in found if n is not None]

    def instances(self) -> Iterator[Instance]:
        """Yield the calls of the cells."""
        ends = ["SIN", *(f"SC_{b.name}" for b in self.blocks[1:]), "SOUT"]
        for block, first, last in zip(self.blocks, ends, ends[1:], strict=False):
            yield from block.instances(first, last)

    def draw(self) -> list[Port]:
        """Draw everything but the cells; returns the pins in the south."""
        south = self.south
        self._label(south.draw_lines(0))
        self._controls(south)
        self._selects()
        entry, link = south.draw_chain(
            self.chain_in, self.chain_in if len(self.blocks) > 1 else self.chain_out
        )
        self._trunk(self.chain_in, self.bottom, entry, (entry,))
        if len(self.blocks) > 1:
            entry, leave = self.blocks[1].draw_chain(self.chain_in, self.chain_out)
            self._trunk(self.chain_in, link, entry, (link, entry))
        else:
            leave = link
        self._trunk(self.chain_out, self.bottom, leave, (leave,))
        xs = {net: x for block in self.blocks for net, x in block.trunk_xs().items()}
        for x in xs.values():
            self._trunk(x, self.bottom, self.blocks[-1].top, ())
        self._supplies()
        layer = self.r.layer("bottom_row")
        pins = {"SIN": self.chain_in, **xs, "SOUT": self.chain_out}
        return [Port(net, layer, x, self.bottom, self.r.pad, 270) for net, x in pins.items()]

    def _trunk(self, x: int, y1: int, y2: int, cuts: tuple[int, ...]) -> None:
        half = self.r.pad // 2
        low = y1 - half if y1 in cuts else y1
        self.canvas.rect("bottom_row", x - half, low, x + half, y2 + half * (y2 in cuts))
        for y in cuts:
            self.canvas.box("select_via", x, y, self.r.size("select_via"))

    def _label(self, places: dict[str, tuple[int, int]]) -> None:
        layer = self.r.layer("top_row")
        self.labels += [
            Label(layer, net, x, y) for net, (x, y) in places.items() if net not in self.a.controls
        ]

    def _controls(self, south: ScanBlock) -> None:
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
                   max(self.blocks[-1].top, max(y for y, _ in a.supplies) + r.pad))  # fmt: skip
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
