"""Hybrid cell 2T2R and its one-tier twin, the planar cell.

Left half: bottom device. Drain of the bottom select NMOS -> via stack -> Metal5 land -> VBE
-> BE, which reaches under the middle electrode. Right half, mirrored: the top device with
VTE and TE. The middle electrode ME runs along y as the column line, with a p-tap strip
below it. From bottom to top the wiring is

* Metal1: source, drain, gate; VSS along y,
* Metal2: select lines TS, BS along y,
* Metal3: row line BR along x,   Metal4: row line TR along x,
* Metal5: lands of the module vias.

All via stacks of a cell stand in one row at its bottom (`pad_y`), so that the row lines can
take the whole rest of the pitch.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..pdk import Tech
from .drawing import Canvas, Cell, Device, Port, Subcircuit, grid_down, grid_up
from .limits import SELECT_W_UM, length, one_of, pitch, switch
from .parts import (
    NmosPlace,
    RuleBook,
    StackedPair,
    StackSize,
    cut_array,
    draw_nmos,
    metal1_over_contacts,
    mirrored,
    oxides,
    tap_strip,
    via_stack,
)
from .strap import StrapRules, draw_strap, half_width
from .strap import least_pitch_y as strap_pitch_y

#: how many vias a stack may have on every level
CUTS = (1, 2, 4)
#: what a select line may be longer than its cells, in dbu: its end in the array, a hop on a chip
LINE_ENDS = 10_000


@dataclass(frozen=True)
class HybridParameters:
    """Parameters of the hybrid and planar cell; lengths in um.

    Attributes:
        select_w_um: channel width of the select transistors.
        select_l_um: channel length of the select transistors.
        device_um: height of the BE and TE strips, and least width of the middle electrode.
        pitch_x_um, pitch_y_um: cell pitch; None for the least that the rules allow.
        strap: a line in the last metal below ME, tied to it in every row.
        cuts: vias on every level of a stack, 1, 2 or 4; module vias as many as find room.
    """

    select_w_um: float = 2.0
    select_l_um: float = 0.28
    device_um: float = 1.0
    pitch_x_um: float | None = None
    pitch_y_um: float | None = None
    strap: bool = False
    cuts: int = 1


class HybridGeometry(StackedPair):
    """Coordinates of the hybrid cell in dbu, derived from the rules.

    Raises:
        ParameterError: for a size or pitch outside its range; the message names the limit.
    """

    def __init__(self, tech: Tech, p: HybridParameters) -> None:
        self.tech, self.rules = tech, RuleBook(tech)
        self.w = length(tech, "select_w_um", p.select_w_um, *SELECT_W_UM)
        self.length = length(tech, "select_l_um", p.select_l_um, self.rules.ask.gate_length(), 10.0)
        self.device = length(tech, "device_um", p.device_um, tech.profile.line_um, 50.0)
        self.strap = switch("strap", p.strap)
        self.cuts = one_of("cuts", p.cuts, CUTS)
        self.stack = StackSize(self.rules, self.cuts)
        #: the gate, which draws no current, has at most two, along its select line
        self.gate_more = (min(self.cuts, 2) - 1) * self.rules.via_step
        self._place_columns()
        self.pitch_x = pitch(tech, "pitch_x_um", p.pitch_x_um, self._least_pitch_x())
        self._place_rows()
        self.pitch_y = pitch(tech, "pitch_y_um", p.pitch_y_um, self._least_pitch_y())
        self._widen_lines()
        self._place_diode()
        self._place_near_tap()

    def _place_columns(self) -> None:
        """Place everything of the left half along x, from the cell's west edge."""
        r = self.rules
        half_via = r.module_via // 2
        #: via to via across the cell boundary: BE pad to the neighbour's VTE, and Metal5 lands
        between = max(
            r.space("top_via", "bottom_electrode") + r.beyond_via,
            r.space("bottom_via"),
            r.space("land") + r.land - r.module_via,
        )
        self.module_x = grid_up(between / 2) + half_via
        s, end = self.stack, r.line_end("land_via", "land")
        reach = max(0, r.land // 2 - s.cuts_w // 2 - end)
        self.stack_x = max(
            grid_up(r.space("select") / 2) + s.pad_w // 2,
            grid_up(r.space("land") / 2) + s.cuts_w // 2 + end,
            self.module_x - reach,
        )
        #: the land covers the module via and the stack's cuts
        half = s.cuts_w // 2 + end
        self.land_x = (
            min(self.module_x - r.land // 2, self.stack_x - half),
            max(self.module_x + r.land // 2, self.stack_x + half),
        )
        self.select_width = max(r.width("select"), r.via + 2 * r.enclosure("select", "local_via"))
        self.select_x = self.stack_x + s.pad_w // 2 + r.space("select") + self.select_width // 2
        nmos = NmosPlace(r, 0, 0, self.w, self.length)
        #: DF.3a and NP.2 to the mirrored neighbour decide how near COMP may come to the edge
        least_x = grid_up(
            max(r.space("diffusion") / 2, r.enclosure("nplus", "n_active") + r.space("nplus") / 2)
        )
        self.comp_x = max(self.select_x - nmos.gate_x, least_x)
        self.select_x = self.comp_x + nmos.gate_x
        past_select = self.select_x + self.select_width // 2 + r.space("select") + s.pad_w // 2
        self.source_x = max(past_select, self.comp_x + nmos.source_x)
        #: ME edge to via edge: the electrode tip ends 2 A behind ME and the via passes it
        self.me_to_via = max(
            r.overhang("bottom_electrode", "bottom_crossing")
            + max(r.space("top_via", "bottom_electrode"), r.beyond_via),
            r.space("top_via", "crossing"),
            r.space("top_via", "middle_electrode"),
        )

    def _least_pitch_x(self) -> int:
        r = self.rules
        cmos = 2 * self._half_cmos(NmosPlace(r, self.comp_x, 0, self.w, self.length))
        me, strap = self.device, 0
        if self.strap:
            least = StrapRules.of(r)
            me = max(me, least.least_electrode)
            strap = 2 * (self.land_x[1] + r.space("land")) + least.least_metal
        module = 2 * (self.module_x + r.module_via // 2 + self.me_to_via) + me
        return grid_up(max(cmos, module, strap), 10)

    def _half_cmos(self, nmos: NmosPlace) -> int:
        """Return how near to the west edge the middle of a tap strip may come."""
        r = self.rules
        metal = r.line
        half_tap = (
            max(
                r.contact + 2 * r.enclosure("diffusion", "diffusion_contact"),
                r.width("pplus") - 2 * r.enclosure("pplus", "p_tap"),
            )
            // 2
        )
        to_tap = max(
            r.space("diffusion"),
            r.enclosure("nplus", "n_active") + r.space("nplus", "p_tap_near_well"),
            r.space("pplus", "n_active") + r.enclosure("pplus", "p_tap"),
        )
        return max(
            self.source_x
            + self.stack.cuts_w // 2
            + r.line_end("local_via", "local")
            + r.space("local")
            + metal // 2,
            self.source_x + self.stack.pad_w // 2 + grid_up(r.space("select") / 2),
            nmos.comp[2] + to_tap + half_tap,
        )

    def _place_rows(self) -> None:
        """Place everything along y, from the cell's south edge."""
        r = self.rules
        s, end = self.stack, r.line_end("land_via", "land")
        self.pad_y = grid_up(r.space("bottom_row") / 2) + s.pad_h // 2
        self.comp_y = grid_up(r.space("poly") / 2) + r.extension("poly", "diffusion")
        #: the gate's landing must clear the pads of the stacks, too
        metal_top = NmosPlace(r, 0, self.comp_y, self.w, self.length).metal_top
        self.comp_y += max(0, self.pad_y + s.pad_h // 2 - metal_top)
        #: the land must hold the uppermost cuts of the stack as well as the module via
        south = self.pad_y - s.cuts_h // 2 - end
        self.module_y = south + r.land // 2
        self.strip_y = (self.module_y - self.device // 2, self.module_y + self.device // 2)
        #: module vias lie along the strip, as many as it has room for
        step = r.module_via + r.space("bottom_via")
        self.module_vias = min(self.cuts, max(1, (self.device - r.land) // step + 1))
        half = (r.land + (self.module_vias - 1) * step) // 2
        north = max(self.module_y + half, self.pad_y + s.cuts_h // 2 + end)
        self.land_y = (self.module_y - half, north)
        self.line_y1 = self.pad_y + s.pad_h // 2 + r.space("bottom_row")

    def _least_pitch_y(self) -> int:
        r = self.rules
        nmos = NmosPlace(r, 0, self.comp_y, self.w, self.length)
        return grid_up(
            max(
                nmos.top + grid_up(r.space("poly") / 2),
                # gate landing to the next row's drain, which reaches below its stack
                nmos.gate_y
                + r.pad // 2
                + self.gate_more
                + r.space("local")
                - (self.pad_y - self.stack.pad_h // 2),
                nmos.comp[3] - nmos.comp[1] + 2 * r.enclosure("nplus", "n_gate") + r.space("nplus"),
                self.line_y1 + self.stack.pad_h + grid_up(r.space("bottom_row") / 2),
                max(self.device, r.land) + r.space("bottom_electrode"),
                self.device
                + 2
                * max(
                    r.enclosure("bottom_oxide", "bottom_crossing"),
                    r.enclosure("bottom_oxide_x", "bottom_crossing"),
                )
                + max(r.space("bottom_oxide"), r.space("bottom_oxide_x")),
                self.land_y[1] - self.land_y[0] + r.space("land"),
                strap_pitch_y(r, self.strip_y) if self.strap else 0,
            ),
            10,
        )

    def _widen_lines(self) -> None:
        """Give ME, strap and row lines all the width that the rules leave at this pitch."""
        r = self.rules
        self.me_x = self.pitch_x // 2
        half = self.me_x - self.module_x - r.module_via // 2 - self.me_to_via
        self.me_half = grid_down(half)
        self.strap_half = half_width(r, self.me_x - self.land_x[1])
        space = r.space("bottom_row")
        if self.pitch_y - self.line_y1 > 10_000:  # wide metal needs more room to the pads
            space = r.wide_space("bottom_row")
        self.line_y1 = self.pad_y + self.stack.pad_h // 2 + space
        # no line is so wide that it needs slots: beyond that width, pitch adds space
        self.line_y2 = min(
            self.pitch_y - grid_up(space / 2) - (space - r.space("bottom_row")),
            self.line_y1 + min(r.max_width("bottom_row"), r.max_width("top_row")),
        )

    def _place_diode(self) -> None:
        """Place an antenna diode at the gate where a select line's charge asks for one.

        A line of many cells charges each of their gates with what one pitch of it collects; with
        a single row, its ends and a hop to a track of a chip come on top.
        """
        r = self.rules
        nmos = NmosPlace(r, self.comp_x, self.comp_y, self.w, self.length)
        side_wall = r.ask.antenna_wall("select") * 2 * (self.pitch_y + LINE_ENDS)
        charge_um2, gate_um2 = side_wall * 1e-3, self.w * self.length * 1e-6
        #: side of the diode; the least area of COMP is ample for the longest pitch
        self.diode = max(
            grid_up(r.area("diffusion") ** 0.5, 10),
            r.contact + 2 * r.enclosure("diffusion", "diffusion_contact"),
        )
        self.diode_y: int | None = None
        if charge_um2 > r.ask.antenna("select") * gate_um2:
            clear = max(
                r.space("poly", "diffusion"),
                r.space("diffusion"),
                r.space("nplus")
                + r.enclosure("nplus", "n_gate")
                + r.enclosure("nplus", "n_active"),
            )
            self.diode_y = grid_up(nmos.top + clear + self.diode // 2, 10)

    def _place_near_tap(self) -> None:
        """Place a tap strip beside the transistor where that below ME is out of reach (DF.14)."""
        r = self.rules
        nmos = NmosPlace(r, self.comp_x, 0, self.w, self.length)
        self.near_tap_x: int | None = None
        half_tap = (r.contact + 2 * r.enclosure("diffusion", "diffusion_contact")) // 2
        if self.me_x - half_tap - nmos.comp[0] > r.reach("n_active", "p_tap"):
            self.near_tap_x = grid_up(self._half_cmos(nmos), 10)


def _half(g: HybridGeometry, electrode: str, row_metal: str) -> Canvas:
    """Draw the left half: select transistor, its stack, land, via and electrode."""
    r, c = g.rules, Canvas(g.tech)
    nmos = NmosPlace(r, g.comp_x, g.comp_y, g.w, g.length)
    span = draw_nmos(c, r, nmos)
    metal1_over_contacts(c, r, nmos.drain_x, span)
    metal1_over_contacts(c, r, nmos.source_x, span)
    # drain: Metal1 from the contacts to the stack, then up to the Metal5 land
    half_m1, size = r.line // 2, g.stack
    half_pad = size.pad_h // 2
    left = min(g.stack_x - size.pad_w // 2, nmos.drain_x - half_m1)
    right = max(g.stack_x + size.cuts_w // 2, nmos.drain_x + half_m1)
    c.rect("local", left, g.pad_y - half_pad, right, g.pad_y + half_pad)
    c.rect("local", nmos.drain_x - half_m1, g.pad_y - half_pad, nmos.drain_x + half_m1, span[1])
    via_stack(c, r, g.stack_x, g.pad_y, "local", "land", g.cuts)
    _land(c, g, electrode)
    tip = g.me_x + g.me_half + r.overhang("bottom_electrode", "bottom_crossing")
    c.rect(electrode, g.module_x - r.land // 2, g.strip_y[0], tip, g.strip_y[1])
    # source: up to Metal2 in the row of the stacks, and from there to the row line
    c.rect(
        "local",
        nmos.source_x - half_m1,
        g.pad_y - half_pad,
        g.source_x + size.cuts_w // 2 + r.line_end("local_via", "local"),
        g.pad_y + half_pad,
    )
    c.rect("local", nmos.source_x - half_m1, g.pad_y - half_pad, nmos.source_x + half_m1, span[1])
    west, east = g.source_x - size.pad_w // 2, g.source_x + size.pad_w // 2
    if row_metal == "top_row":
        via_stack(c, r, g.source_x, g.pad_y, "local", row_metal, g.cuts)
        c.rect("top_row", west, g.pad_y - half_pad, east, g.line_y1)
    else:
        cut_array(c, r, "local_via", g.source_x, g.pad_y, size)
        c.rect("select", west, g.pad_y - half_pad, east, g.line_y1 + size.pad_h)
        cut_array(c, r, "select_via", g.source_x, g.line_y1 + half_pad, size)
    if g.diode_y is not None:
        _gate_diode(c, g, nmos)
    if g.near_tap_x is not None:
        tap_strip(c, r, g.near_tap_x, 0, g.pitch_y)
        half_tap = r.line // 2
        c.rect("local", g.near_tap_x, g.pitch_y // 2 // 10 * 10 - half_tap, g.me_x,
               g.pitch_y // 2 // 10 * 10 + half_tap)  # fmt: skip
    # gate: up to the select line
    for more in range(0, g.gate_more + 1, r.via_step):
        c.box("local_via", nmos.gate_x, nmos.gate_y + more, r.via)
        c.box("local", nmos.gate_x, nmos.gate_y + more, r.pad)
    if g.gate_more:
        half = r.pad // 2
        c.rect("local", nmos.gate_x - half, nmos.gate_y, nmos.gate_x + half,
               nmos.gate_y + g.gate_more)  # fmt: skip
    half_line = g.select_width // 2
    c.rect("select", g.select_x - half_line, 0, g.select_x + half_line, g.pitch_y)
    return c


def _land(c: Canvas, g: HybridGeometry, electrode: str) -> None:
    """Draw the land over the drain's stack, and the module vias from it to the electrode's pad."""
    r = g.rules
    step = r.module_via + r.space("bottom_via")
    low = g.module_y - (g.module_vias - 1) * step // 2
    for k in range(g.module_vias):
        c.box(f"V{electrode}", g.module_x, low + k * step, r.module_via)
    half = (r.land + (g.module_vias - 1) * step) // 2
    x1, x2 = g.module_x - r.land // 2, g.module_x + r.land // 2
    c.rect(electrode, x1, g.module_y - half, x2, g.module_y + half)
    c.rect("land", g.land_x[0], g.land_y[0], g.land_x[1], g.land_y[1])


def _gate_diode(c: Canvas, g: HybridGeometry, nmos: NmosPlace) -> None:
    """Draw an n+ diode north of the gate's landing and join the two in Metal1."""
    r, half, half_m1 = g.rules, g.diode // 2, g.rules.line // 2
    x, y = nmos.gate_x, g.diode_y
    assert y is not None
    beyond = r.enclosure("nplus", "n_active")
    c.box("diffusion", x, y, g.diode)
    c.box("nplus", x, y, g.diode + 2 * beyond)
    c.box("contact", x, y, r.contact)
    c.rect("local", x - half_m1, nmos.gate_y, x + half_m1, y + half)


def hybrid_cell(tech: Tech, parameters: HybridParameters | None = None) -> Cell:
    """Draw the 2T2R hybrid cell (docs/design.md section 4).

    Nets: TR, BR row lines; C column line; TS, BS select lines; VSS substrate.

    Raises:
        ParameterError: for a parameter outside its range.
    """
    return _cell(tech, parameters or HybridParameters(), top=True)


def planar_cell(tech: Tech, parameters: HybridParameters | None = None) -> Cell:
    """Draw the one-tier baseline: the hybrid cell without its top half, same pitch and wires."""
    return _cell(tech, parameters or HybridParameters(), top=False)


def _cell(tech: Tech, parameters: HybridParameters, top: bool) -> Cell:
    g = HybridGeometry(tech, parameters)
    canvas = Canvas(tech)
    canvas.rects += _half(g, "BE", "bottom_row").rects
    oxides(canvas, g.rules, "B", g.crossing)
    canvas.rect("bottom_row", 0, g.line_y1, g.pitch_x, g.line_y2)
    if top:
        canvas.rects += mirrored(_half(g, "TE", "top_row").rects, g.pitch_x)
        oxides(canvas, g.rules, "T", g.crossing)
        canvas.rect("top_row", 0, g.line_y1, g.pitch_x, g.line_y2)
    canvas.rect("ME", g.me_x - g.me_half, 0, g.me_x + g.me_half, g.pitch_y)
    if g.strap:
        draw_strap(canvas, g.rules, g.me_x, (g.me_half, g.strap_half), g.strip_y, g.pitch_y)
    tap_strip(canvas, g.rules, g.me_x, 0, g.pitch_y)
    name = "hybrid_cell" if top else "planar_cell"
    return Cell(
        name=name,
        rects=tuple(canvas.rects),
        ports=tuple(_ports(g, top)),
        width=g.pitch_x,
        height=g.pitch_y,
        netlist=_netlist(name, g, top),
        info=g.info(g.line_y2 - g.line_y1)
        | ({"strap_width_um": round(g.strap_half * 2e-3, 3)} if g.strap else {}),
    )


def _ports(g: HybridGeometry, top: bool) -> list[Port]:
    middle, width = (g.line_y1 + g.line_y2) // 2, g.line_y2 - g.line_y1
    rows = [("BR", "bottom_row")] + ([("TR", "top_row")] if top else [])
    ports = [Port(n, g.rules.layer(m), 0, grid_down(middle), width, 180) for n, m in rows]
    ports += [Port(n, g.rules.layer(m), g.pitch_x, grid_down(middle), width, 0) for n, m in rows]
    selects = [("BS", g.select_x)] + ([("TS", g.pitch_x - g.select_x)] if top else [])
    for y, direction in ((g.pitch_y, 90), (0, 270)):
        ports += [
            Port(n, g.rules.layer("select"), x, y, g.select_width, direction) for n, x in selects
        ]
        ports.append(Port("C", "ME", g.me_x, y, 2 * g.me_half, direction))
        ports.append(
            Port("VSS", g.rules.layer("local"), g.me_x, y, g.rules.width("local"), direction)
        )
    return ports


def _netlist(name: str, g: HybridGeometry, top: bool) -> Subcircuit:
    size = (("W", g.w * 1e-3), ("L", g.length * 1e-3))
    area = (("AREA", g.area_um2),)
    devices = [
        Device("MB", "nfet", ("be", "BS", "BR", "VSS"), size),
        Device("XB", "memristor_bottom", ("be", "C"), area),
    ]
    if not top:
        return Subcircuit(name, ("BR", "C", "BS", "VSS"), tuple(devices))
    devices += [
        Device("MT", "nfet", ("te", "TS", "TR", "VSS"), size),
        Device("XT", "memristor_top", ("te", "C"), area),
    ]
    return Subcircuit(name, ("TR", "BR", "C", "TS", "BS", "VSS"), tuple(devices))
