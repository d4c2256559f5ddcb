"""The other end of a macro's rows: a second bank of row switches in the east, mirrored.

Its inputs and write drivers are pins of their own (``IN_T_E``, ``IN_B_E``, ``WR_E``), to be driven
as those in the west. Controls and supplies are the same nets: they cross to it over the array, on
tracks in the north of both banks. The write rail then leaves in the south.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..base import names
from ..cells.drawing import Canvas, Cell, Placement, Port, grid_up
from ..cells.ends import row_end_east
from ..cells.parts import mirrored, via_stack
from ..cells.rules import RuleBook
from .array import Core, numbered_ports
from .lanes import RowBlock, draw_fan
from .netlist import Instance, gate_area
from .rows import EDGE, FarCorner, Wiring
from .spec import ArraySpec

#: what the bank's switch is called: the one in the west may stand farther from its edge
SWITCH = "row_switch_east"


@dataclass(frozen=True)
class FarEnd:
    """The bank in the east, in dbu of the macro.

    Attributes:
        spec: what was asked for.
        core: the array.
        near, rows: the bank in the west, and this one as if it stood there.
        x0, y0: south-west corner of the array.
        switch: the switch of one row.
        axis: x of the macro's east edge, at which the bank's own x is 0.
    """

    spec: ArraySpec
    core: Core
    near: RowBlock
    rows: RowBlock
    x0: int
    y0: int
    wiring: Wiring
    rules: RuleBook
    switch: Cell
    axis: int

    @classmethod
    def of(
        cls, spec: ArraySpec, core: Core, near: RowBlock, rows: RowBlock, x0: int, y0: int,
        w: Wiring,
    ) -> FarEnd:  # fmt: skip
        """Place a bank that `FarCorner` laid out."""
        rules, drawn = RuleBook(spec.tech()), rows.switch.cell
        assert drawn.netlist is not None
        switch = replace(drawn, name=SWITCH, netlist=replace(drawn.netlist, name=SWITCH))
        far = FarCorner.seen_from_west(core, rules)
        axis = x0 + spec.cols * core.unit.cell.width + far.west.width + rows.width
        return cls(spec, core, near, rows, x0, y0, w, rules, switch, axis)

    @property
    def _x1(self) -> int:
        return self.x0 + self.spec.cols * self.core.unit.cell.width

    def placements(self) -> tuple[Placement, Placement]:
        """Return the row ends and the switches."""
        n, end = self.spec.rows, row_end_east(self.core.unit, self.rules)
        return (
            Placement(end, self._x1, self.y0, 1, n, 0, self.core.unit.cell.height),
            Placement(self.switch, self.axis, self.rows.y, 1, n, 0, self.rows.pitch, mirror_x=True),
        )

    def pins(self) -> Iterator[Port]:
        """Yield the pins of the rows in the east."""
        _, switches = self.placements()
        for net in (*reversed(names.INPUTS), names.WRITE_ROW):
            for port in numbered_ports(switches, (net,)):
                yield replace(port, name=names.far_end(port.name))

    def net(self, pin: str, row: int) -> str:
        """Return the net on a numbered pin of the switch of a row."""
        name = names.numbered(pin, row)
        return name if names.is_row(name) else names.far_end(name)

    def instances(self) -> Iterator[Instance]:
        """Yield the calls of the switches."""
        assert self.switch.netlist is not None
        controls = {*self._lines("controls"), *self._lines("supplies")}
        for k in range(self.spec.rows):
            nets = tuple(p if p in controls else self.net(p, k) for p in self.switch.netlist.pins)
            yield Instance(f"RE{k}", SWITCH, nets)

    def gate_area(self, net: str) -> float:
        """Return the area of the bank's gates on a control, in um2."""
        return self.spec.rows * gate_area(self.switch, net)

    def draw_fan(self, canvas: Canvas) -> None:
        """Draw the row lines from the array to the switches."""
        own = Canvas(self.spec.tech())
        core = FarCorner.seen_from_west(self.core, self.rules)
        draw_fan(own, self.rules, self.rows, core, self.y0, self.spec.rows)
        canvas.rects += mirrored(own.rects, self.axis)

    # -- what both banks share -----------------------------------------------------------------

    def _lines(self, kind: str) -> dict[str, list[int]]:
        """Return x of the controls' lines, or of the supplies', in both banks by net."""
        found: dict[str, list[int]] = {}
        for x, net in sorted(getattr(self.near.switch, kind), key=lambda line: line[1]):
            found.setdefault(net, []).append(x)
        for x, net in getattr(self.rows.switch, kind):
            found.setdefault(net, []).append(self.axis - x)
        return found

    def track_length(self, net: str) -> int:
        """Return how long a control's track in the north is."""
        xs = self._lines("controls")[net]
        return max(xs) - min(xs)

    def draw_north(self, c: Canvas) -> int:
        """Draw the tracks in the north; returns the height of the macro."""
        r, w, n = self.rules, self.wiring, self.spec.rows
        begin = self.rows.y + n * self.rows.pitch
        y = max(begin, self.y0 + n * self.core.unit.cell.height) + w.below_rows
        half, line = r.pad // 2, r.line // 2
        for xs in self._lines("controls").values():
            at = y + w.track // 2
            c.rect("top_row", min(xs) - half, y, max(xs) + half, y + w.track)
            for x in xs:
                c.rect("select", x - half, begin, x + half, at + half)
                c.box("select_via", x, at, r.size("select_via"))
                c.box("bottom_row", x, at, r.pad)
                c.box("bottom_row_via", x, at, r.size("bottom_row_via"))
            y += w.track_pitch
        y += w.supply_pitch // 2
        for xs in self._lines("supplies").values():
            c.rect("bottom_row", min(xs) - half, y - w.supply // 2, max(xs) + half,
                   y + w.supply // 2)  # fmt: skip
            for x in xs:
                c.rect("local", x - line, begin, x + line, y)
                c.box("local", x, y, r.pad)
                via_stack(c, r, x, y, "local", "bottom_row")
            y += w.supply_pitch
        return grid_up(y - w.supply_pitch // 2 + EDGE, 10)

    def select_pins(self, c: Canvas, north: Placement, height: int) -> Iterator[Port]:
        """Lead the select lines below the tracks to the north edge, and yield their pins."""
        for net in reversed(self.core.unit.selects):
            for port in numbered_ports(north, (net,)):
                half = port.width // 2
                c.rect(port.layer, port.x - half, port.y, port.x + half, height)
                yield replace(port, y=height)
