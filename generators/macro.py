"""The macro: an array with its mode switches, controls and supplies, ready to be placed.

Row switches stand in the west, column switches in the south. The south-west corner between
them holds, from north to south: the control tracks (in the metal of TR) under the row switches,
the VDD and VSS buses (in that of BR), and the inverters that make the complement controls. Pins:

* west: IN_T, IN_B, WR (and TR, BR with `kelvin`), WT, WB, VDD, VSS,
* south: OUT, WSEL (and C with `kelvin`),   north: TS, BS,   east: WC.

Rows that are driven from both ends have switches in the east, too: see `far_end`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..cells.drawing import Canvas, Cell, Label, Placement, Port, grid_down, label_at
from ..cells.ends import BUS
from ..cells.gates import least_finger
from ..cells.parts import via_stack
from ..cells.pen import SwitchParameters
from ..cells.row_switch import RowSwitch
from ..cells.rules import RuleBook
from ..cells.switches import ColumnSwitch, column_switch, inverter
from ..pdk import ParameterError
from .array import Array, Core, build_core, cell_instances, frame, numbered_ports
from .lines import with_line_pitches
from .netlist import Instance, gate_area
from .rows import EDGE, RowBlock, Wiring, draw_fan, row_blocks
from .spec import ArraySpec

if TYPE_CHECKING:
    from .board import Board
    from .far_end import FarEnd


@dataclass
class _Plan:
    """Everything placed so far and where things lie, in dbu of the macro."""

    spec: ArraySpec
    core: Core
    rows: RowBlock
    columns: ColumnSwitch
    x0: int
    y0: int
    inverter_width: int
    rules: RuleBook
    wiring: Wiring
    canvas: Canvas = field(init=False)
    board: Board | None = None
    far: FarEnd | None = None
    pins: list[Port] = field(default_factory=list)
    track_y: dict[str, int] = field(default_factory=dict)
    vdd_y: int = 0
    vss_y: int = 0

    def __post_init__(self) -> None:
        self.canvas = Canvas(self.rules.tech)

    @property
    def controls(self) -> tuple[str, ...]:
        """Row controls that the macro has."""
        return ("WT", "WB") if "TR" in self.core.unit.rows else ("WB",)


def build_macro(spec: ArraySpec) -> Array:
    """Draw the macro of a spec.

    Raises:
        ParameterError: for a size, pitch or switch width that the rules do not allow.
    """
    tech = spec.tech()
    rules = RuleBook(tech)
    wiring = Wiring(rules)
    core = build_core(with_line_pitches(spec, tech), tech)
    pitch_x, pitch_y = core.unit.cell.width, core.unit.cell.height
    p = _switches(spec, rules, (wiring.inverter_pitch, pitch_x))
    inv = inverter(tech, p, wiring.inverter_pitch)
    columns = column_switch(tech, p, pitch_x)
    rows, there = row_blocks(core, spec, p, inv, wiring, columns.cell)
    x0 = rows.width + core.west.width
    y0 = columns.cell.height + core.south.height
    plan = _Plan(spec, core, rows, columns, x0, y0, inv.cell.width, rules, wiring)
    placements = [
        *core.placements(spec, x0, y0),
        Placement(rows.switch.cell, 0, rows.y, 1, spec.rows, 0, rows.pitch),
        Placement(columns.cell, x0, 0, spec.cols, 1, pitch_x, 0),
    ]
    draw_fan(plan.canvas, rules, rows, core, y0, spec.rows)
    if there is not None:
        plan.far = _far_end(plan, there)
        placements += plan.far.placements()
    _foot(plan)
    if spec.periphery != "none":
        plan.board = _board(plan, inv)
    placements += _inverters(plan, inv)
    _trunks(plan)
    width = _write_rail(plan)
    height = max(y0 + spec.rows * pitch_y + core.north.height, rows.top)
    if plan.far is not None:
        height = plan.far.draw_north(plan.canvas)
    plan.pins += _line_pins(plan, placements, height)
    names = [*_names(plan, placements)]
    parts = [core.unit.cell, rows.switch.cell, columns.cell, inv.cell]
    parts += [plan.far.switch] if plan.far is not None else []
    netlists = tuple(c.netlist for c in parts if c.netlist is not None)
    drawn, up = plan.canvas.rects, 0
    if plan.board is not None:
        plan.pins = [*plan.board.outer_pins(plan.pins), *plan.board.draw()]
        placements += plan.board.placements()
        names += plan.board.labels
        netlists += tuple(plan.board.netlists())
        drawn, up = [*drawn, *plan.board.canvas.rects], -plan.board.bottom
        height = max(height, plan.board.top)
    plan.pins = [replace(q, y=q.y + up) for q in plan.pins]
    cell = Cell(
        spec.top_name,
        rects=(*frame(tech, width, height + up), *(q.moved(0, up) for q in drawn)),
        labels=(*(label_at(q) for q in plan.pins), *(replace(n, y=n.y + up) for n in names)),
        ports=tuple(plan.pins),
        placements=tuple(replace(q, y=q.y + up) for q in placements),
        width=width,
        height=height + up,
        info=core.unit.cell.info,
    )
    driven = tuple(plan.board.order) if plan.board is not None else ()
    by = {"scan": {"chain": driven}, "decoder": {"decoded": driven}}.get(spec.periphery, {})
    return Array(
        spec, cell, core.unit.cell, tuple(plan.pins), netlists, lambda: _instances(plan), **by
    )


def _far_end(plan: _Plan, rows: RowBlock) -> FarEnd:
    """Place the switches at the rows' other ends and lead the rows there."""
    from .far_end import FarEnd

    found = FarEnd.of(plan.spec, plan.core, plan.rows, rows, plan.x0, plan.y0, plan.wiring)
    found.draw_fan(plan.canvas)
    return found


def _board(plan: _Plan, inv: RowSwitch) -> Board:
    """Place the logic on board around everything else."""
    # what few macros have is loaded where one has it
    from .board import Around
    from .decoder import Decoder
    from .scan import Scan

    top = plan.vss_y - plan.wiring.above_inverters
    bottom = top - len(plan.controls) * plan.wiring.inverter_pitch
    inputs = {
        control: bottom + k * plan.wiring.inverter_pitch + inv.cell.port("A").y
        for k, control in enumerate(plan.controls)
    }
    around = Around(
        plan.spec, plan.core, plan.columns.cell, plan.columns.supplies, plan.x0, plan.y0,
        plan.rows.top, inputs, plan.wiring, plan.rules,
    )  # fmt: skip
    boards: dict[str, type[Board]] = {"scan": Scan, "decoder": Decoder}
    return boards[plan.spec.periphery](around)


def _switches(spec: ArraySpec, r: RuleBook, pitches: tuple[int, ...]) -> SwitchParameters:
    """Return the widths of the switches; inverters are as wide as their straps ask for."""
    least = max(least_finger(r, pitch) for pitch in pitches) * 1e-3
    own = SwitchParameters()
    return SwitchParameters(
        spec.switch_wn_um,
        spec.switch_wp_um,
        max(own.inverter_wn_um, least),
        max(own.inverter_wp_um, least),
        spec.kelvin,
        spec.read_switch,
    )


def _foot(plan: _Plan) -> None:
    """Draw the control tracks and supply buses under the row switches."""
    c, r, w = plan.canvas, plan.rules, plan.wiring
    # narrow switches end before the risers of the complements do
    east = max(
        plan.rows.switch.cell.width, _complement_riser(plan, len(plan.controls) - 1) + w.riser // 2
    )
    y = plan.rows.y - w.below_rows
    for k, control in enumerate(plan.controls):
        west, end = _control_span(plan, control, _control_riser(plan, k), east)
        for net in (control, f"{control}_N"):
            plan.track_y[net] = y - w.track // 2
            span = (west, end) if net == control else (0, east)
            c.rect("top_row", span[0], y - w.track, span[1], y)
            y -= w.track_pitch
    half = r.pad // 2
    for x, net in plan.rows.switch.controls:
        at = plan.track_y[net]
        c.rect("select", x - half, at - half, x + half, plan.rows.y)
        c.box("select_via", x, at, r.size("select_via"))
        c.box("bottom_row", x, at, r.pad)
        c.box("bottom_row_via", x, at, r.size("bottom_row_via"))
    plan.vdd_y = y - w.supply_pitch // 2
    plan.vss_y = plan.vdd_y - w.supply_pitch
    metal, half = r.line // 2, w.supply // 2
    for net, at in (("VDD", plan.vdd_y), ("VSS", plan.vss_y)):
        c.rect("bottom_row", 0, at - half, plan.x0 - w.trunk_edge, at + half)
        plan.pins.append(Port(net, r.layer("bottom_row"), 0, at, w.supply, 180))
        for x, supply in plan.rows.switch.supplies:
            if supply == net:
                c.rect("local", x - metal, at, x + metal, plan.rows.y)
                c.box("local", x, at, r.pad)
                via_stack(c, r, x, at, "local", "bottom_row")


def _control_span(plan: _Plan, net: str, riser: int, east: int) -> tuple[int, int]:
    """Return the ends of a control's track: the whole width, or less where its gates ask for that.

    Until the riser's metal joins it to the inverter, the track charges the gates of the row
    switches alone. Those of a complement are on the inverter's drains, which drain the charge.

    Raises:
        ParameterError: for transistors too narrow for the shortest track.
    """
    r = plan.rules
    ratio = r.ask.antenna("top_row", math.inf)
    if math.isinf(ratio):
        return 0, east
    gates_um2 = plan.spec.rows * gate_area(plan.rows.switch.cell, net)
    beside = plan.wiring.track
    if plan.far is not None:
        gates_um2 += plan.far.gate_area(net)
        beside += plan.far.track_length(net) + plan.wiring.track
    most = int(ratio * gates_um2 / (2 * r.ask.antenna_wall("top_row")) * 1e3) - beside
    if east <= most:
        return 0, east
    half = plan.wiring.riser // 2
    xs = [x for x, name in plan.rows.switch.controls if name == net]
    west, end = min(riser, *xs) - half, max(riser, *xs) + half
    if end - west > most:
        least = plan.spec.switch_wn_um * (end - west) / max(most, 1)
        told = (
            f"about {math.ceil(least)} um or more beside switch_wp_um {plan.spec.switch_wp_um:g}: "
        )
        told += f"the gates of {net} take the charge of a track {(end - west) * 1e-3:.0f} um long"
        raise ParameterError("switch_wn_um", plan.spec.switch_wn_um, told)
    return west, end


def _inverters(plan: _Plan, inv: RowSwitch) -> list[Placement]:
    """Place one inverter per row control under the buses and wire it to its tracks."""
    c, r, w = plan.canvas, plan.rules, plan.wiring
    n, x = len(plan.controls), plan.rows.inverter_x
    top = plan.vss_y - w.above_inverters
    bottom = top - n * w.inverter_pitch
    for k, control in enumerate(plan.controls):
        y = bottom + k * w.inverter_pitch
        a, out = inv.cell.port("A"), inv.cell.port("Y")
        ya, yo = y + a.y, y + out.y
        half_a, half_out = grid_down(a.width / 2), grid_down(out.width / 2)
        west = 0 if plan.board is None else plan.board.control_x[control] - r.pad // 2
        c.rect("top_row", west, ya - half_a, x, ya + half_a)
        if plan.board is None:
            plan.pins.append(Port(control, r.layer("top_row"), 0, ya, a.width, 180))
        _riser(plan, _control_riser(plan, k), ya, plan.track_y[control], a.width)
        at = _complement_riser(plan, k)
        c.rect("top_row", x + out.x, yo - half_out, at + w.riser // 2, yo + half_out)
        _riser(plan, at, yo, plan.track_y[f"{control}_N"], out.width)
    metal = r.line // 2
    for dx, net in inv.supplies:
        if net == "VSS":
            c.rect("local", x + dx - metal, top, x + dx + metal, plan.vss_y)
            c.box("local", x + dx, plan.vss_y, r.pad)
            via_stack(c, r, x + dx, plan.vss_y, "local", "bottom_row")
        else:  # the lowest metal must not meet the VSS lines that come down to the lower bus
            y = top + r.pad // 2 + r.space("local")
            c.rect("local", x + dx - metal, top, x + dx + metal, y)
            c.box("local", x + dx, y, r.pad)
            c.box("local_via", x + dx, y, r.size("local_via"))
            half = r.pad // 2
            c.rect("select", x + dx - half, y - half, x + dx + half, plan.vdd_y + half)
            c.box("select_via", x + dx, plan.vdd_y, r.size("select_via"))
    return [Placement(inv.cell, x, bottom, 1, n, 0, w.inverter_pitch)]


def _control_riser(plan: _Plan, k: int) -> int:
    """Return the x of the riser that carries the k-th control."""
    return EDGE + plan.wiring.riser // 2 + k * plan.wiring.riser_pitch


def _complement_riser(plan: _Plan, k: int) -> int:
    """Return the x of the riser that carries the k-th complement control."""
    w = plan.wiring
    return plan.rows.inverter_x + plan.inverter_width + w.riser + k * w.riser_pitch


def _riser(plan: _Plan, x: int, y1: int, y2: int, height: int) -> None:
    """Join two lines of the upper row metal at `y1` and `y2` by one of the last metal at `x`.

    The line at `y1` is `height` high, the other one is a control track.
    """
    c, r = plan.canvas, plan.rules
    if height < r.landing("top_row"):
        c.box("top_row", x, y1, r.landing("top_row"))
    end = plan.wiring.riser // 2
    c.rect("land", x - end, min(y1, y2) - end, x + end, max(y1, y2) + end)
    for y in (y1, y2):
        via_stack(c, r, x, y, "top_row", "land")


def _trunks(plan: _Plan) -> None:
    """Join the supply lines of the column switches and the array's VSS bus to the buses."""
    c, r, w = plan.canvas, plan.rules, plan.wiring
    metal, half = r.line // 2, w.trunk // 2
    east = plan.x0 - w.trunk_edge - half
    y_bus = plan.y0 - plan.core.south.height + BUS // 2
    for net, x, bus in (
        ("VSS", east, plan.vss_y),
        ("VDD", east - w.trunk_pitch, plan.vdd_y),
    ):
        heights = [y for y, supply in plan.columns.supplies if supply == net]
        for y in heights:
            c.rect("local", x - half, y - metal, plan.x0, y + metal)
            c.rect("local", x - half, y - r.pad // 2, x + half, y + r.pad // 2)
            c.box("local_via", x, y, r.size("local_via"))
        low, top = min(*heights, bus), max(*heights, bus)
        if net == "VSS" and plan.core.unit.has_substrate:
            c.rect("local", x - half, y_bus - BUS // 2, plan.x0, y_bus + BUS // 2)
            c.box("local_via", x, y_bus, r.size("local_via"))
            top = max(top, y_bus)
        c.rect("select", x - half, low - r.pad // 2, x + half, top + r.pad // 2)
        c.box("select_via", x, bus, r.size("select_via"))


def _write_rail(plan: _Plan) -> int:
    """Join the lines of WC in the east and bring them to a pin; returns the width."""
    c, r = plan.canvas, plan.rules
    x = plan.x0 + plan.spec.cols * plan.core.unit.cell.width
    bar = x + plan.wiring.rail_edge
    if plan.board is not None:
        bar = max(bar, plan.board.east)
    half = r.pad // 2
    for y in plan.columns.rails:
        c.rect("select", x, y - half, bar, y + half)
    low, high = min(plan.columns.rails) - half, max(plan.columns.rails) + half
    width = bar + plan.wiring.rail
    if plan.far is not None:  # more switches stand in the east
        c.rect("select", bar, 0, width, high)
        middle = grid_down((bar + width) / 2)
        plan.pins.append(Port("WC", r.layer("select"), middle, 0, width - bar, 270))
        return plan.far.axis
    c.rect("select", bar, low, width, high)
    plan.pins.append(
        Port("WC", r.layer("select"), width, grid_down((low + high) / 2), high - low, 0)
    )
    return width


def _line_pins(plan: _Plan, placements: list[Placement], height: int) -> list[Port]:
    """Return the pins that come in numbers; with `kelvin` the lines themselves are among them."""
    _, _, _, north, west, south = placements[:6]
    pins: list[Port] = []
    for net in ("IN_T", "IN_B", "WR"):
        pins += numbered_ports(west, (net,))
    pins += [*numbered_ports(south, ("OUT",)), *numbered_ports(south, ("WSEL",))]
    if plan.far is not None:
        pins += [*plan.far.pins(), *plan.far.select_pins(plan.canvas, north, height)]
    else:
        for net in reversed(plan.core.unit.selects):
            pins += numbered_ports(north, (net,))
    for place, net, line in ((west, "KT", "TR"), (west, "KB", "BR"), (south, "KC", "C")):
        pins += [replace(q, name=q.name.replace(net, line)) for q in numbered_ports(place, (net,))]
    return pins


def _names(plan: _Plan, placements: list[Placement]) -> Iterator[Label]:
    """Yield names for the row lines and columns inside, where no Kelvin pin names them."""
    if plan.spec.kelvin:
        return
    _, west, south = placements[:3]
    for place, net in ((west, "TR"), (west, "BR"), (south, "C")):
        for port in numbered_ports(place, (net,)):
            dx, dy = (100, 0) if port.orientation == 180 else (0, 100)
            yield Label(port.layer, port.name, port.x + dx, port.y + dy)


def _instances(plan: _Plan) -> Iterator[Instance]:
    """Yield the calls of the top cell: unit cells, row and column switches, inverters."""
    yield from cell_instances(plan.spec, plan.core.unit.cell)
    for cell, count, prefix in (
        (plan.rows.switch.cell, plan.spec.rows, "R"),
        (plan.columns.cell, plan.spec.cols, "C"),
    ):
        assert cell.netlist is not None
        for k in range(count):
            nets = tuple(
                p if p in ("VDD", "VSS", "WC") or p.startswith(("WT", "WB")) else f"{p}[{k}]"
                for p in cell.netlist.pins
            )
            yield Instance(f"{prefix}{k}", cell.name, nets)
    if plan.far is not None:
        yield from plan.far.instances()
    if plan.board is not None:
        yield from plan.board.instances()
    for control in plan.controls:
        yield Instance(control, "inverter", (control, f"{control}_N", "VDD", "VSS"))
