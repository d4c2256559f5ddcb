"""A macro with a scan chain on board: its blocks, and the lines in the east that join them.

Lines along y in the east carry clock, enables, reset, chain and supplies from the south edge to
both blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..cells.drawing import Port, Subcircuit, grid_up
from .board import Around, Board
from .netlist import Instance
from .periphery import CLEAR, TRUNK, ScanBlock, buffer_fingers


class Scan(Board):
    """The scan chain of a macro."""

    blocks: list[ScanBlock]

    def __init__(self, a: Around) -> None:
        super().__init__(a)
        self.blocks = [b for b in (self._south(), self._north()) if b]
        over = max(b.over for b in self.blocks)
        gate_um = max(b.gate_um for b in self.blocks)
        for block in self.blocks:
            block.stand(over, gate_um)
        self.south = self.blocks[0]
        self.south.y = -(grid_up(self.south.top, 10) + CLEAR)
        self._place_trunks()

    def _south(self) -> ScanBlock:
        a, (lines, taken) = self.a, self.south_lines()
        return ScanBlock(
            self.r.tech, "M", False, buffer_fingers(self.south_load_um), lines, taken,
            a.x0, a.core.unit.cell.width, a.spec.cols, 0, self.west, self.canvas,
        )  # fmt: skip

    def _north(self) -> ScanBlock | None:
        a, lines = self.a, self.north_lines()
        if not lines:
            return None
        block = ScanBlock(
            self.r.tech, "S", True, buffer_fingers(a.spec.select_w_um * a.spec.rows), lines, [],
            a.x0, a.core.unit.cell.width, a.spec.cols, 0, self.west, self.canvas,
        )  # fmt: skip
        block.y = self.north_y(block)
        return block

    def _place_trunks(self) -> None:
        """Place the lines along y in the east."""
        r = self.r
        east = max(b.driver_x + b.driver.width for b in self.blocks)
        step = r.pad + r.row_space(0)
        self.chain_in = grid_up(east + r.row_space(TRUNK) + r.pad, 10)
        self.chain_out = self.on_track(self.chain_in + step)
        self.place_supplies(self.chain_out + r.pad // 2)

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
        xs: dict[str, int] = {}
        for block in self.blocks:
            for net, x in block.trunk_xs().items():
                assert xs.setdefault(net, x) == x, f"the drivers take {net} in two places"
        for x in xs.values():
            self._trunk(x, self.bottom, self.blocks[-1].top, ())
        for x in (self.chain_in, *xs.values()):
            self._reach_track(x)
        self._supplies()
        layer = self.r.layer("bottom_row")
        pins = {"SIN": self.chain_in, **xs, "SOUT": self.chain_out}
        return [Port(net, layer, x, self.bottom, self.r.pad, 270) for net, x in pins.items()]

    def _reach_track(self, x: int) -> None:
        """Widen a line's end at the edge to the west, so that a via on a track stands on it."""
        half, after = self.r.pad // 2, self.on_track(x + 1)
        track = after - (self.on_track(after + 1) - after)
        self.canvas.rect("bottom_row", min(track, x) - half, self.bottom, x + half,
                         self.bottom + self.r.pad)  # fmt: skip

    def _trunk(self, x: int, y1: int, y2: int, cuts: tuple[int, ...]) -> None:
        half = self.r.pad // 2
        low = y1 - half if y1 in cuts else y1
        self.canvas.rect("bottom_row", x - half, low, x + half, y2 + half * (y2 in cuts))
        for y in cuts:
            self.canvas.box("select_via", x, y, self.r.size("select_via"))
