"""Rows of a macro between their switches and the array: how far apart switches stand, and lanes.

Switches as near to each other as the rows are short, and the corner south of them, beside the
column switches, stays empty. Farther apart, they are shorter along the rows and fill it; each row
line then changes its height in a lane of its own between switches and array. What takes the
least area is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..cells.chains import ChainRules
from ..cells.drawing import Cell, grid_down, grid_up
from ..cells.ends import row_end
from ..cells.gates import Tracks
from ..cells.pen import SwitchParameters
from ..cells.pitches import MOST_PITCH, least_pitch
from ..cells.row_switch import RowSwitch, row_switch
from ..cells.rules import RuleBook
from ..pdk.model import LINES
from .array import Core
from .lanes import RowBlock, line_heights
from .spec import ArraySpec

#: distance of the corner's wiring from the macro's edge and from the row switches, in dbu
EDGE = 500
#: step in which the inverters look for a place, in dbu
PLACE_STEP = 500
#: width of a supply bus, and of a row line in the longest lane, in dbu
SUPPLY, LANE = 600, 500
#: what a lane is wide at least, in dbu, and in dbu a column: 0.7 mA where metals take 2 mA/um, more
#: than a device draws in a write at 2 V; and 20 uA of a device of 10 kohm read at 0.2 V
LEAST_LANE, LANE_PER_COLUMN = 350, 20
#: most pitches of row switches that are tried
MOST_TRIED = 12


class Wiring:
    """Widths and pitches of the corner's wiring in dbu.

    Attributes:
        track, track_pitch: control tracks in the upper of the row lines' metals, with
            landings of cuts below.
        supply, supply_pitch: supply buses in the lower one.
        riser, riser_pitch: risers in the last metal.
        below_rows: from the row switches to the first control track.
        land_space: from a riser to whatever else is in that metal.
        trunk, trunk_edge: supply trunks in the select metal beside the column switches, and the
            distance from these.
        trunk_pitch: from the middle of one trunk to that of the other.
        inverter_pitch: height of an inverter.
        clear: from the middle of one supply line to that of another of another net.
        rail, rail_edge: width of the write rail's line in the east, and from the columns to it.
    """

    def __init__(self, r: RuleBook) -> None:
        space = max(r.space(line) for line in LINES)
        self.track = max(r.pad, r.landing("top_row"))
        self.track_pitch = self.track + space
        self.supply = max(SUPPLY, r.pad)
        self.supply_pitch = grid_up(self.supply + space, 10)
        #: from the middle of the lower bus to the inverters below it
        self.above_inverters = self.supply // 2 + space
        self.riser = max(
            600,
            r.width("land"),
            r.size("land_via") + 2 * r.line_end("land_via", "land"),
            *(r.landing(metal) for metal in r.upper),
        )
        self.riser_pitch = max(1200, self.riser + r.land_space)
        self.land_space = r.land_space
        # a sense line may lie half a space from the row switches' edge
        over = (self.riser - self.track) // 2
        self.below_rows = max(space, over + r.land_space - grid_down(r.land_space / 2))
        self.trunk = grid_up(max(800, r.pad, r.width("select")), 10)
        self.trunk_edge = max(600, space)
        self.trunk_pitch = max(2 * self.trunk, self.trunk + space)
        self.inverter_pitch = max(
            least_pitch(r), grid_up(r.landing("top_row") + r.space("top_row"), 20)
        )
        self.clear = max(1000, r.pad + space)
        self.rail = grid_up(max(1000, r.pad + space), 10)
        # clear of the last column's own straps, which end short of its edge
        self.rail_edge = max(300, r.space("select"))

    @property
    def trunks(self) -> int:
        """From the column switches to whatever else is in the trunks' metals."""
        return self.trunk_edge + self.trunk_pitch + 2 * self.trunk

    def foot(self, controls: int, above: int) -> int:
        """Return the height of what lies below the row switches.

        Args:
            controls: their number.
            above: inverters above each other.
        """
        lines = 2 * controls * self.track_pitch + above * self.inverter_pitch
        buses = grid_up(1.5 * self.supply_pitch) + self.above_inverters
        return self.below_rows + lines + buses + EDGE


class _Corner:
    """What a block of row switches is placed by."""

    def __init__(
        self, core: Core, spec: ArraySpec, p: SwitchParameters, inv: RowSwitch, w: Wiring,
        columns: Cell,
    ) -> None:  # fmt: skip
        self.core, self.spec, self.p, self.inv, self.w = core, spec, p, inv, w
        self.tech = spec.tech()
        self.rules = RuleBook(self.tech)
        self.tiers = ("bottom", "top")[: len(core.unit.rows)]
        self.row_pitch = core.unit.cell.height
        self.columns = columns
        self.array_y = columns.height + core.south.height
        self.array_top = self.array_y + spec.rows * self.row_pitch + core.north.height
        self.foot = w.foot(len(self.tiers), len(self.tiers))

    def blocks(self, pitch: int) -> Iterator[RowBlock]:
        """Yield the row switches at a pitch, over inverters in one place and beside each other."""
        for abreast in (False, True):
            # logic on board comes to them from the west
            if not abreast or (len(self.tiers) > 1 and self.spec.periphery == "none"):
                found = self.block(pitch, abreast=abreast)
                yield from [] if found is None else [found]

    def block(self, pitch: int, *, abreast: bool) -> RowBlock | None:
        """Return the row switches at a pitch; None where inverters have no room as asked for."""
        n = self.spec.rows
        foot = self.w.foot(len(self.tiers), 1 if abreast else len(self.tiers))
        faced = pitch == self.row_pitch and self.array_y >= foot
        y = self.array_y if faced else max(foot, self.array_top - EDGE - n * pitch)
        lane = max(LANE, self.rules.pad)
        lanes = [] if faced else self._lanes(y, pitch, lane)
        # lines of other rows keep their space across it, even where no line turns
        space = self.rules.row_space(pitch)
        between = 0 if faced else space - min([0, *(x[0] for x in lanes if x)])
        room = self._fit(pitch, between, faced, abreast)
        if room is None:
            return None
        shift, inverters, more = room
        switch = row_switch(
            self.tech, self.p, pitch, self.tiers, EDGE + shift, more if faced else 0,
            short=not faced,
        )  # fmt: skip
        begin = switch.cell.width if faced else switch.lines_x
        width = begin + between + (0 if faced else more)
        top = y + n * pitch + EDGE
        fan = tuple(found and (width + found[0], found[1]) for found in lanes)
        return RowBlock(switch, y, pitch, width, inverters, abreast, fan, lane, top, begin)

    def _lanes(self, y: int, pitch: int, lane: int) -> list[tuple[int, int] | None]:
        """Return each row's lane: its west edge as seen from the line ends, and its width.

        Args:
            y: where the first switch stands.
            pitch: from one to the next.
            lane: width of the longest one; none has more ohm.
        """
        n, space = self.spec.rows, self.rules.row_space(pitch)
        widths = (self.rules.width("top_row"), self.rules.width("bottom_row"))
        least = min(lane, grid_up(max(*widths, LEAST_LANE, LANE_PER_COLUMN * self.spec.cols), 10))
        turns = [self._turn(i, y + i * pitch, pitch, lane) for i in range(n)]
        long = [abs(self.array_y - y + i * (self.row_pitch - pitch)) for i in range(n)]
        most = max(max(long), 1)
        found: list[tuple[int, int] | None] = [None] * n
        # the southernmost of those that rise turns last, as does the northernmost that falls
        for turn, rows in ((1, range(n)), (-1, range(n - 1, -1, -1))):
            east = 0
            for i in (i for i in rows if turns[i] == turn):
                wide = min(lane, max(least, grid_up(lane * long[i] / most, 10)))
                if i == rows[0] and not self.core.unit.rows_are_electrodes:
                    # no other line passes the outermost row's end on that side
                    east = min(wide, self.core.west.width - space)
                found[i] = east - wide, wide
                east = min(east - wide, 0) - space
        return found

    def _turn(self, row: int, y: int, pitch: int, lane: int) -> int:
        """Return whether a row's lines rise (1) or fall (-1) to the array, or go straight (0)."""
        to = self.array_y + row * self.row_pitch
        pairs = [
            ((y + a, y + b), (to + c, to + d))
            for (a, b), (c, d) in line_heights(self.core, self.rules, pitch).values()
        ]
        if all(min(a[1], b[1]) - max(a[0], b[0]) >= lane for a, b in pairs):
            return 0
        (a, b), *_ = pairs
        return 1 if sum(b) > sum(a) else -1

    def _fit(
        self, pitch: int, between: int, faced: bool, abreast: bool
    ) -> tuple[int, tuple[int, ...], int] | None:
        """Return how far switches stand from the west edge, x of the inverters, and room to add.

        Narrow switches move away from the west edge until the corner holds inverters and risers;
        what of theirs comes down ends before the trunks. Inverters beside each other move nothing.
        """
        w, n, inv = self.w, len(self.tiers), self.inv
        rows = row_switch(self.tech, self.p, pitch, self.tiers, EDGE)
        begin = rows.cell.width if faced else rows.lines_x
        end = begin + between + self.core.west.width
        half = max(self.rules.pad, self.rules.line) // 2
        down = max(x for x, _ in (*rows.supplies, *rows.controls)) + half
        if not faced:  # trunks stand beside the switches, too
            metals = [self.rules.layer(metal) for metal in ("local", "select")]
            down = max(down, *(q.x2 for q in rows.cell.rects if q.layer in metals))
        wells = self._east_of_wells(rows.cell) + self.rules.net_space("nwell")
        apart = rows.cell.width + self.core.west.width
        more = max(0, grid_up(max(down + w.trunks, wells, apart) - end, 10))
        east = end + more - max(w.trunks, w.land_space)
        supplies = [x for x, _ in rows.supplies]
        if abreast:
            found = self._abreast(supplies)
            fits = found[-1] + inv.cell.width + w.riser + w.riser_pitch <= east
            return (0, found, more) if fits else None
        need = inv.cell.width + w.riser + n * w.riser_pitch
        shift = 0
        while True:
            taken = [x + shift for x in supplies]
            x = _free_place(taken, inv, w, EDGE + n * w.riser_pitch)
            if x + need <= east + shift:
                return shift, (x,) * n, more
            shift += PLACE_STEP

    def _abreast(self, taken: list[int]) -> tuple[int, ...]:
        """Return x of inverters beside each other, two risers between them."""
        w, found, west = self.w, list[int](), EDGE + self.w.riser_pitch
        for _ in self.tiers:
            found.append(_free_place(taken, self.inv, w, west))
            west = found[-1] + self.inv.cell.width + 2 * w.riser_pitch + w.riser - w.riser // 2
        return tuple(found)

    def _east_of_wells(self, rows: Cell) -> int:
        """Return how far the wells of row switches reach, and of column switches towards them."""
        well = self.rules.layer("nwell")
        own = max((q.x2 for q in rows.rects if q.layer == well), default=0)
        return own - min((q.x1 for q in self.columns.rects if q.layer == well), default=0)

    def pitches(self) -> Iterator[int]:
        """Yield pitches at which switches take one gate less than at any smaller one."""
        yield self.row_pitch
        if self.p.kelvin:  # sense lines tap the rows at their switches: at the array's edge
            return
        tracks = Tracks(self.rules, self.row_pitch, self.p.kelvin)
        g = ChainRules(self.rules, tracks, self.rules.gate_length())
        beside = self.row_pitch - g.most_finger
        room = max(self.array_top, self.foot + self.spec.rows * self.row_pitch)
        r = self.rules
        # tracks so tall that they are wide metal would ask for more than they save
        wide = min(r.wide_from(metal) for metal in ("bottom_row", "top_row"))
        narrow = 2 * (wide + tracks.edge - r.pad // 2)
        most = min(MOST_PITCH, narrow, int(1.4 * room / self.spec.rows))
        totals = [self.tech.to_dbu(w) for w in (self.p.switch_wn_um, self.p.switch_wp_um)]
        found = {
            grid_up(grid_up(total / k, 10) + beside, 20)
            for total in totals
            for k in range(max(1, total // most), g.fingers(total))
        }
        allowed = sorted(p for p in found if self.row_pitch < p <= most)
        yield from allowed[:: -(-len(allowed) // MOST_TRIED) or 1]

    def area(self, block: RowBlock, more: int = 0) -> int:
        """Return the area of the macro's part that depends on the block, and is so much wider."""
        across = self.spec.cols * self.core.unit.cell.width + more
        return (block.width + across) * max(self.array_top, block.top)


class FarCorner(_Corner):
    """The same of a block in the east, as if it stood in the west.

    Nothing of its comes down in the south, where the write rail's line takes the trunks' place.
    """

    @staticmethod
    def seen_from_west(core: Core, r: RuleBook) -> Core:
        """Return an array whose row ends in the east stand in the west."""
        return replace(core, west=row_end(core.unit.mirrored(), r))

    def _fit(
        self, pitch: int, between: int, faced: bool, abreast: bool
    ) -> tuple[int, tuple[int, ...], int]:
        r, rows = self.rules, row_switch(self.tech, self.p, pitch, self.tiers, EDGE)
        begin = rows.cell.width if faced else rows.lines_x
        end = begin + between + self.core.west.width
        least = rows.cell.width + self.core.west.width
        least = max(least, self._east_of_wells(rows.cell) + r.net_space("nwell"))
        if not faced:
            metals = [r.layer(metal) for metal in ("local", "select")]
            reach = max(q.x2 for q in rows.cell.rects if q.layer in metals)
            least = max(least, reach + r.space("select") + self.w.rail_edge + self.w.rail)
        return 0, (), max(0, grid_up(least - end, 10))

    def _east_of_wells(self, rows: Cell) -> int:
        well = self.rules.layer("nwell")
        own = max((q.x2 for q in rows.rects if q.layer == well), default=0)
        theirs = max((q.x2 for q in self.columns.rects if q.layer == well), default=0)
        return own + max(0, theirs - self.columns.width)


def row_blocks(
    core: Core, spec: ArraySpec, p: SwitchParameters, inv: RowSwitch, w: Wiring, columns: Cell
) -> tuple[RowBlock, RowBlock | None]:
    """Return the row switches that take the least area, and those of the rows' other ends if any.

    Args:
        core: the array.
        spec: what was asked for.
        p: parameters of the switches.
        inv: the inverter that stands below them.
        w: wiring of the corner.
        columns: the switch of a column.

    Raises:
        ParameterError: for a pitch or width that the switches do not allow.
    """
    corner = _Corner(core, spec, p, inv, w, columns)
    if spec.row_ends == "one":
        return min((b for p in corner.pitches() for b in corner.blocks(p)), key=corner.area), None
    # lines are sensed in the west alone
    seen = FarCorner.seen_from_west(core, corner.rules)
    far = FarCorner(seen, spec, replace(p, kelvin=False), inv, w, columns)
    pairs = [
        (near, there)
        for pitch in corner.pitches()
        for near in corner.blocks(pitch)
        if (there := far.block(pitch, abreast=near.abreast))
    ]
    return min(pairs, key=lambda pair: corner.area(pair[0], pair[1].width))


def _free_place(taken: list[int], inv: RowSwitch, w: Wiring, west: int) -> int:
    """Return an x for the inverters at which their supplies keep clear of those that come down."""
    x = west
    while any(abs(x + dx - t) < w.clear for dx, _ in inv.supplies for t in taken):
        x += PLACE_STEP
    return x
