"""The macro: an array with its mode switches, controls and supplies, ready to be placed.

Row switches stand in the west, column switches in the south, and what they share in the corner
between them: see `corner`. Pins:

* west: IN_T, IN_B, WR (and TR, BR with `kelvin`), WT, WB, VDD, VSS,
* south: OUT, WSEL (and C with `kelvin`),   north: TS, BS,   east: WC.

Rows that are driven from both ends have switches in the east, too: see `far_end`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..cells.drawing import Cell, Label, Placement, Port, grid_down, label_at
from ..cells.ends import BUS
from ..cells.gates import least_finger
from ..cells.pen import SwitchParameters
from ..cells.row_switch import RowSwitch
from ..cells.rules import RuleBook
from ..cells.switches import column_switch, inverter
from .array import Array, build_core, cell_instances, frame, numbered_ports
from .corner import Plan, draw_foot, draw_inverters
from .lanes import RowBlock, draw_fan
from .lines import with_line_pitches
from .netlist import Instance
from .rows import Wiring, row_blocks
from .spec import ArraySpec

if TYPE_CHECKING:
    from .board import Board
    from .far_end import FarEnd


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
    plan = Plan(spec, core, rows, columns, x0, y0, inv.cell.width, rules, wiring)
    placements = [
        *core.placements(spec, x0, y0),
        Placement(rows.switch.cell, 0, rows.y, 1, spec.rows, 0, rows.pitch),
        Placement(columns.cell, x0, 0, spec.cols, 1, pitch_x, 0),
    ]
    draw_fan(plan.canvas, rules, rows, core, y0, spec.rows)
    if there is not None:
        plan.far = _far_end(plan, there)
        placements += plan.far.placements()
    draw_foot(plan)
    if spec.periphery != "none":
        plan.board = _board(plan, inv)
    placements += draw_inverters(plan, inv)
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


def _far_end(plan: Plan, rows: RowBlock) -> FarEnd:
    """Place the switches at the rows' other ends and lead the rows there."""
    from .far_end import FarEnd

    found = FarEnd.of(plan.spec, plan.core, plan.rows, rows, plan.x0, plan.y0, plan.wiring)
    found.draw_fan(plan.canvas)
    return found


def _board(plan: Plan, inv: RowSwitch) -> Board:
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


def _trunks(plan: Plan) -> None:
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


def _write_rail(plan: Plan) -> int:
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


def _line_pins(plan: Plan, placements: list[Placement], height: int) -> list[Port]:
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


def _names(plan: Plan, placements: list[Placement]) -> Iterator[Label]:
    """Yield names for the row lines and columns inside, where no Kelvin pin names them."""
    if plan.spec.kelvin:
        return
    _, west, south = placements[:3]
    for place, net in ((west, "TR"), (west, "BR"), (south, "C")):
        for port in numbered_ports(place, (net,)):
            dx, dy = (100, 0) if port.orientation == 180 else (0, 100)
            yield Label(port.layer, port.name, port.x + dx, port.y + dy)


def _instances(plan: Plan) -> Iterator[Instance]:
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
