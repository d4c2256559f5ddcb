"""The south-west corner of a macro: control tracks, supply buses, and inverters for complements.

From north to south under the row switches: the control tracks in the metal of TR, the VDD and VSS
buses in that of BR, and the inverters: beside each other where the switches are wide enough for
that, else above each other. A control whose inverter is not the first of its row has its pin on
its track.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..cells.drawing import Canvas, Placement, Port, grid_down
from ..cells.parts import via_stack
from ..cells.row_switch import RowSwitch
from ..cells.rules import RuleBook
from ..cells.switches import ColumnSwitch
from ..pdk import ParameterError
from .array import Core
from .lanes import RowBlock
from .netlist import gate_area
from .rows import EDGE, Wiring
from .spec import ArraySpec

if TYPE_CHECKING:
    from .board import Board
    from .far_end import FarEnd


@dataclass
class Plan:
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


def draw_foot(plan: Plan) -> None:
    """Draw the control tracks and supply buses under the row switches."""
    c, r, w = plan.canvas, plan.rules, plan.wiring
    # narrow switches end before the risers of the complements do
    east = max(
        plan.rows.switch.cell.width, _complement_riser(plan, len(plan.controls) - 1) + w.riser // 2
    )
    y = plan.rows.y - w.below_rows
    for k, control in enumerate(plan.controls):
        ends = [_control_riser(plan, k), *([w.riser // 2] if _on_track(plan, k) else [])]
        west, end = _control_span(plan, control, ends, east)
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


def _on_track(plan: Plan, k: int) -> bool:
    """Return whether the pin of the k-th control is on its track: other inverters stand west."""
    return plan.rows.abreast and k > 0


def _control_span(plan: Plan, net: str, at: list[int], east: int) -> tuple[int, int]:
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
    west, end = min(*at, *xs) - half, max(*at, *xs) + half
    if end - west > most:
        least = plan.spec.switch_wn_um * (end - west) / max(most, 1)
        told = (
            f"about {math.ceil(least)} um or more beside switch_wp_um {plan.spec.switch_wp_um:g}: "
        )
        told += f"the gates of {net} take the charge of a track {(end - west) * 1e-3:.0f} um long"
        raise ParameterError("switch_wn_um", plan.spec.switch_wn_um, told)
    return west, end


def draw_inverters(plan: Plan, inv: RowSwitch) -> list[Placement]:
    """Place one inverter per row control under the buses and wire it to its tracks."""
    c, r, w = plan.canvas, plan.rules, plan.wiring
    n, xs = len(plan.controls), plan.rows.inverters
    above = 1 if plan.rows.abreast else n
    top = plan.vss_y - w.above_inverters
    bottom = top - above * w.inverter_pitch
    for k, (control, x) in enumerate(zip(plan.controls, xs, strict=True)):
        y = bottom + k % above * w.inverter_pitch
        a, out = inv.cell.port("A"), inv.cell.port("Y")
        ya, yo = y + a.y, y + out.y
        half_a, half_out = grid_down(a.width / 2), grid_down(out.width / 2)
        west, track = 0, plan.track_y[control]
        if plan.board is not None:
            west = plan.board.control_x[control] - r.pad // 2
        elif _on_track(plan, k):
            west = _control_riser(plan, k)
            plan.pins.append(Port(control, r.layer("top_row"), 0, track, w.track, 180))
        else:
            plan.pins.append(Port(control, r.layer("top_row"), 0, ya, a.width, 180))
        c.rect("top_row", west, ya - half_a, x, ya + half_a)
        _riser(plan, _control_riser(plan, k), ya, track, a.width)
        at = _complement_riser(plan, k)
        c.rect("top_row", x + out.x, yo - half_out, at + w.riser // 2, yo + half_out)
        _riser(plan, at, yo, plan.track_y[f"{control}_N"], out.width)
    for x in dict.fromkeys(xs):
        _supply_inverters(plan, inv, x, top)
    return [
        Placement(inv.cell, x, bottom, 1, above, 0, w.inverter_pitch) for x in dict.fromkeys(xs)
    ]


def _supply_inverters(plan: Plan, inv: RowSwitch, x0: int, top: int) -> None:
    """Lead the supply lines of inverters at `x0`, which end at `top`, to the buses."""
    c, r, metal = plan.canvas, plan.rules, plan.rules.line // 2
    for dx, net in inv.supplies:
        x = x0 + dx
        if net == "VSS":
            c.rect("local", x - metal, top, x + metal, plan.vss_y)
            c.box("local", x, plan.vss_y, r.pad)
            via_stack(c, r, x, plan.vss_y, "local", "bottom_row")
        else:  # the lowest metal must not meet the VSS lines that come down to the lower bus
            y = top + r.pad // 2 + r.space("local")
            c.rect("local", x - metal, top, x + metal, y)
            c.box("local", x, y, r.pad)
            c.box("local_via", x, y, r.size("local_via"))
            half = r.pad // 2
            c.rect("select", x - half, y - half, x + half, plan.vdd_y + half)
            c.box("select_via", x, plan.vdd_y, r.size("select_via"))


def _control_riser(plan: Plan, k: int) -> int:
    """Return the x of the riser that carries the k-th control."""
    if _on_track(plan, k):
        return _complement_riser(plan, k - 1) + plan.wiring.riser_pitch
    return EDGE + plan.wiring.riser // 2 + k * plan.wiring.riser_pitch


def _complement_riser(plan: Plan, k: int) -> int:
    """Return the x of the riser that carries the k-th complement control."""
    w = plan.wiring
    beside = 0 if plan.rows.abreast else k * w.riser_pitch
    return plan.rows.inverters[k] + plan.inverter_width + w.riser + beside


def _riser(plan: Plan, x: int, y1: int, y2: int, height: int) -> None:
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
