"""Hybrid cell 2T2R and its one-tier twin, the planar cell.

Left half: bottom device. Drain of the bottom select NMOS -> via stack -> land -> VBE -> BE, which
reaches under the middle electrode. Right half, mirrored: the top device with VTE and TE. The
middle electrode ME runs along y as the column line, with a p-tap strip below it. From bottom to
top the wiring is

* the local metal: source, drain, gate; VSS along y,
* the select metal: select lines TS, BS along y,
* the bottom row's metal: BR along x, and the top row's: TR along x,
* the last metal: lands of the module vias.

All via stacks of a cell stand in one row at its bottom (`pad_y`), so that the row lines can
take the whole rest of the pitch.
"""

from __future__ import annotations

from ..pdk import Tech
from . import within
from .drawing import Canvas, Cell, Device, Port, Subcircuit, grid_down
from .mos import NmosPlace, draw_nmos, local_over_contacts, single_contact, tap_strip
from .parts import cut_array, device_mark, mirrored, oxides, via_stack
from .place import HybridGeometry, HybridParameters
from .strap import draw_strap


def _half(g: HybridGeometry, electrode: str, row_metal: str) -> Canvas:
    """Draw the left half: select transistor, its stack, land, via and electrode."""
    r, c = g.rules, Canvas(g.tech)
    nmos = NmosPlace(r, g.comp_x, g.comp_y, g.w, g.length, g.fingers)
    span = draw_nmos(c, r, nmos)
    for x in nmos.columns:
        local_over_contacts(c, r, x, span)
    # drain: the local metal from the contacts to the stack, then up to the land
    half_m1, size = r.line // 2, g.stack
    half_pad, half_cuts = size.pad_h // 2, size.extent("local_via")[0] // 2
    left = min(g.stack_x - size.pad_w // 2, nmos.drain_x - half_m1)
    right = max(g.stack_x + half_cuts + r.enclosure("local", "local_via"), nmos.drain_x + half_m1)
    c.rect("local", left, g.pad_y - half_pad, right, g.pad_y + half_pad)
    c.rect("local", nmos.drain_x - half_m1, g.pad_y - half_pad, nmos.drain_x + half_m1, span[1])
    via_stack(c, r, g.stack_x, g.pad_y, "local", "land", g.land, g.cuts)
    _land(c, g, electrode)
    tip = g.me_x + g.me_half + r.overhang("bottom_electrode", "bottom_crossing")
    c.rect(electrode, g.module_x - r.land // 2, g.strip_y[0], tip, g.strip_y[1])
    # source: up to the select metal in the row of the stacks, and from there to the row line
    c.rect(
        "local",
        nmos.source_x - half_m1,
        g.pad_y - half_pad,
        g.source_x + half_cuts + r.line_end("local_via", "local"),
        g.pad_y + half_pad,
    )
    for x in nmos.columns[1::2]:
        c.rect("local", x - half_m1, g.pad_y - half_pad, x + half_m1, span[1])
    if g.fingers > 1:
        _fold(c, g, nmos, span)
    west, east = g.source_x - size.pad_w // 2, g.source_x + size.pad_w // 2
    if row_metal == "top_row":
        via_stack(c, r, g.source_x, g.pad_y, "local", row_metal, cuts=g.cuts)
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
        c.rect("local", g.near_tap_x, g.pitch_y // 2 // 10 * 10 - half_tap, g.tap_x,
               g.pitch_y // 2 // 10 * 10 + half_tap)  # fmt: skip
    # gate: up to the select line
    for more in range(0, g.gate_more + 1, r.step("local_via")):
        c.box("local_via", nmos.gate_x, nmos.gate_y + more, r.size("local_via"))
        c.box("local", nmos.gate_x, nmos.gate_y + more, r.pad)
    if g.gate_more:
        half = r.pad // 2
        c.rect("local", nmos.gate_x - half, nmos.gate_y, nmos.gate_x + half,
               nmos.gate_y + g.gate_more)  # fmt: skip
    half_line = g.select_width // 2
    c.rect("select", g.select_x - half_line, 0, g.select_x + half_line, g.pitch_y)
    return c


def _fold(c: Canvas, g: HybridGeometry, nmos: NmosPlace, span: tuple[int, int]) -> None:
    """Join the sources of a folded transistor in the south and its drains in the north."""
    half, half_pad = g.rules.line // 2, g.stack.pad_h // 2
    drains, sources = nmos.columns[::2], nmos.columns[1::2]
    east = max(g.source_x, sources[-1] + half)
    c.rect("local", sources[0] - half, g.pad_y - half_pad, east, g.pad_y + half_pad)
    for x in drains:
        c.rect("local", x - half, span[0], x + half, nmos.join[1])
    c.rect("local", drains[0] - half, nmos.join[0], drains[-1] + half, nmos.join[1])


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
    c.rect("land", *g.land)


def _gate_diode(c: Canvas, g: HybridGeometry, nmos: NmosPlace) -> None:
    """Draw an n+ diode north of the gate's landing and join the two in the local metal."""
    r, half, half_m1 = g.rules, g.diode // 2, g.rules.line // 2
    x, y = nmos.gate_x, g.diode_y
    assert y is not None
    beyond = r.enclosure("nplus", "n_active")
    c.box("diffusion", x, y, g.diode)
    c.box("nplus", x, y, g.diode + 2 * beyond)
    single_contact(c, r, x, y)
    c.rect("local", x - half_m1, nmos.gate_y, x + half_m1, y + half)


def hybrid_cell(tech: Tech, parameters: HybridParameters | None = None) -> Cell:
    """Draw the 2T2R hybrid cell (docs/design.md section 4).

    Nets: TR, BR row lines; C column line; TS, BS select lines; VSS substrate.

    Raises:
        ParameterError: for a parameter outside its range.
    """
    return _cell(tech, parameters or HybridParameters(), top=True)


def planar_cell(tech: Tech, parameters: HybridParameters | None = None) -> Cell:
    """Draw the one-tier baseline: the hybrid cell without its top half.

    Its least pitch is its own; at a pitch of the hybrid cell it has that cell's wires. Of a module
    that stands between two metals it is a cell of its own (`within`).
    """
    if tech.module.stands_within:
        return within.planar_cell(tech, parameters)
    return _cell(tech, parameters or HybridParameters(), top=False)


def _cell(tech: Tech, parameters: HybridParameters, top: bool) -> Cell:
    g = HybridGeometry(tech, parameters, top)
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
    _middle_line(canvas, g)
    device_mark(canvas, g.rules, 0, 0, g.pitch_x, g.pitch_y)
    name = "hybrid_cell" if top else "planar_cell"
    return Cell(
        name=name,
        rects=tuple(dict.fromkeys(canvas.rects)),  # a landing may be that of the gate's head
        ports=tuple(_ports(g, top)),
        width=g.pitch_x,
        height=g.pitch_y,
        netlist=_netlist(name, g, top),
        info=g.info(g.line_y2 - g.line_y1)
        | ({"strap_width_um": round(g.strap_half * 2e-3, 3)} if g.strap else {}),
    )


def _middle_line(c: Canvas, g: HybridGeometry) -> None:
    """Draw VSS below ME: over a tap strip, or alone where near taps have taken its place.

    The foundry's deck refuses a tap with no transistor within reach, too.
    """
    if g.near_tap_x is None:
        tap_strip(c, g.rules, g.tap_x, 0, g.pitch_y)
    else:
        half = g.rules.line // 2
        c.rect("local", g.tap_x - half, 0, g.tap_x + half, g.pitch_y)


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
            Port("VSS", g.rules.layer("local"), g.tap_x, y, g.rules.width("local"), direction)
        )
    return ports


def _netlist(name: str, g: HybridGeometry, top: bool) -> Subcircuit:
    size = (("W", g.w * 1e-3), ("L", g.length * 1e-3))
    area = (("AREA", g.area_um2),)
    devices: list[Device] = [
        *_gates("MB", g.fingers, ("be", "BS", "BR", "VSS"), size),
        Device("XB", "memristor_bottom", ("be", "C"), area),
    ]
    if not top:
        return Subcircuit(name, ("BR", "C", "BS", "VSS"), tuple(devices))
    devices += [
        *_gates("MT", g.fingers, ("te", "TS", "TR", "VSS"), size),
        Device("XT", "memristor_top", ("te", "C"), area),
    ]
    return Subcircuit(name, ("TR", "BR", "C", "TS", "BS", "VSS"), tuple(devices))


def _gates(
    name: str, fingers: int, nets: tuple[str, ...], size: tuple[tuple[str, float], ...]
) -> list[Device]:
    """Return one device a gate of a select transistor."""
    names = [name] if fingers == 1 else [f"{name}_{k}" for k in range(fingers)]
    return [Device(one, "nfet", nets, size) for one in names]
