"""Process monitors: test structures on four probe pads in a row, for each film of the module.

Every monitor is four pitches of probe pads wide, so that one probe card serves all: pads are
numbered 1 to 4 from the west. Above the pads lie the structure and its leads, in the land's metal.
"""

from __future__ import annotations

from dataclasses import replace

from ..pdk import ParameterError, Tech
from .basic import memristor_stack
from .cuts import via_array
from .drawing import Canvas, Cell, Device, Subcircuit, bbox, grid_up
from .pads import draw_probe_pads, probe_pad_side
from .parameters import DEVICE_F, ELECTRODES, default
from .parts import module_via
from .rules import RuleBook

#: sides of the single devices, in units of F
DEVICE_SIDES_F = (1, 2, 10)
#: width of these leads in dbu: one lead is far below a thousandth of the resistance it serves
LEAD = 4_000
#: from a pad's plate to the first shape of a structure, in dbu; more than any rule asks
GAP = 10_000


def _electrode(value: str) -> str:
    if value not in ELECTRODES:
        raise ParameterError(
            "electrode", value, " or ".join((", ".join(ELECTRODES[:-1]), ELECTRODES[-1]))
        )
    return value


class _Bench:
    """Four pads, and a y above them at which structures start."""

    def __init__(self, tech: Tech, nets: tuple[str | None, ...]) -> None:
        self.r, self.c = RuleBook(tech), Canvas(tech)
        self.x = draw_probe_pads(self.c, self.r, nets)
        self.pad_top = probe_pad_side(self.r)
        self.y = grid_up(self.pad_top + GAP + self.r.land, 10)

    def lead(self, pad: int, x: int, y: int) -> None:
        """Draw a lead from a pad straight up, then along x, to end over (x, y)."""
        half = LEAD // 2
        at = self.x[pad]
        self.c.rect("land", at - half, self.pad_top - half, at + half, y + half)
        if x != at:
            self.c.rect("land", min(at, x) - half, y - half, max(at, x) + half, y + half)

    def finish(self, name: str, devices: tuple[Device, ...] = (), **info: float) -> Cell:
        """Return the cell; its pins are the nets of the pads."""
        pins = tuple(dict.fromkeys(p.name for p in self.c.ports))
        return Cell(
            name, tuple(self.c.rects), ports=tuple(self.c.ports),
            width=len(self.x) * self.r.probe_pitch, height=grid_up(bbox(self.c.rects)[3], 10),
            netlist=Subcircuit(name, pins, devices), info=info,
        )  # fmt: skip


def kelvin(tech: Tech, *, electrode: str = default("electrode")) -> Cell:
    """Draw a line of width F on four terminals; pads: force, sense, sense, force.

    The resistance between the sense taps over that of a square gives the printed line width.

    Args:
        tech: the process.
        electrode: see `parameters.PIECES`.

    Raises:
        ParameterError: if the electrode is not BE, ME or TE.
    """
    e = _electrode(electrode)
    b = _Bench(tech, ("A",) * 4)
    r, c = b.r, b.c
    half = r.width(e) // 2
    line = b.y + r.land + 2 * GAP
    for pad, x in enumerate(b.x):
        b.lead(pad, x, b.y)
        module_via(c, r, e, x, b.y)
        c.rect(e, x - half, b.y, x + half, line + half)
    c.rect(e, b.x[0] - half, line - half, b.x[3] + half, line + half)
    length = b.x[2] - b.x[1]
    return b.finish(f"kelvin_{e.lower()}", width_um=half * 2e-3, length_um=length * 1e-3,
                    squares=length / (2 * half))  # fmt: skip


def van_der_pauw(tech: Tech, *, electrode: str = default("electrode")) -> Cell:
    """Draw a Greek cross with arms of 10 F; pads: west, south, north, east arm.

    Sheet resistance = pi / ln 2 times the voltage of two neighbours over the current through
    the other two; arms of twice their width keep the error below a thousandth.

    Args:
        tech: the process.
        electrode: see `parameters.PIECES`.

    Raises:
        ParameterError: if the electrode is not BE, ME or TE.
    """
    e = _electrode(electrode)
    b = _Bench(tech, ("A",) * 4)
    r, c = b.r, b.c
    half = 5 * r.width(e)
    reach = half + 4 * half
    x, y = (b.x[1] + b.x[2]) // 2, b.y + reach + 2 * GAP
    thin = max(r.width(e), r.land) // 2
    c.rect(e, x - reach, y - half, x + reach, y + half)
    c.rect(e, x - half, y - reach, x + half, y + reach)
    for pad, at in ((0, b.x[0]), (3, b.x[3])):  # the arms go on as lines, down to their pads
        edge = x - reach if pad == 0 else x + reach
        c.rect(e, min(at, edge) - thin, y - thin, max(at, edge) + thin, y + thin)
        c.rect(e, at - thin, b.y, at + thin, y)
        b.lead(pad, at, b.y)
        module_via(c, r, e, at, b.y)
    low = y - reach
    c.rect(e, b.x[1] - thin, low - thin, x + half, low + thin)
    c.rect(e, b.x[1] - thin, b.y, b.x[1] + thin, low)
    b.lead(1, b.x[1], b.y)
    module_via(c, r, e, b.x[1], b.y)
    # the north arm returns in the land's metal, below the electrode
    high = y + reach
    c.rect(e, x - thin, high, x + thin, high + r.land)
    module_via(c, r, e, x, high + r.land)
    b.lead(2, x, high + r.land)
    return b.finish(f"van_der_pauw_{e.lower()}", arm_um=half * 2e-3)


def via_chain(tech: Tech, *, electrode: str = default("electrode")) -> Cell:
    """Draw a chain of module vias between lands and an electrode, as many as the row holds.

    Pads: force and sense at the west end, sense and force at the east end.

    Args:
        tech: the process.
        electrode: see `parameters.PIECES`.

    Raises:
        ParameterError: if the electrode is not BE, ME or TE.
    """
    e = _electrode(electrode)
    b = _Bench(tech, ("A",) * 4)
    r, c = b.r, b.c
    step = r.land + max(r.space("land"), r.space(e))
    half, wide, y = r.land // 2, LEAD // 2, b.y + LEAD + GAP
    # both ends reach no further over the leads than one land: the leads must not bridge a link
    first = b.x[0] + wide - half
    count = (b.x[3] - wide - first) // step // 2 * 2
    for k in range(count):
        x = first + k * step
        c.box(f"V{e}", x, y, r.module_via)
        metal = e if k % 2 == 0 else "land"  # the link to the next via
        end = b.x[3] if k == count - 1 else x + step + half
        c.rect(metal, x - half, y - half, end, y + half)
    c.box("land", first, y, r.land)
    b.lead(0, b.x[0], y)
    b.lead(1, b.x[0], b.y)
    b.lead(3, b.x[3], y)
    b.lead(2, b.x[3], b.y)
    return b.finish(f"via_chain_{e.lower()}", vias=count)


def device_on_pads(tech: Tech, *, device_f: int = default("device_f")) -> Cell:
    """Draw one stacked pair on pads; pads: BE, ME, ME again to sense it, TE.

    Args:
        tech: the process.
        device_f: see `parameters.PIECES`.

    Raises:
        ParameterError: for a side out of its range.
    """
    least, most = DEVICE_F
    if isinstance(device_f, bool) or not isinstance(device_f, int) or not least <= device_f <= most:
        told = f"a whole number from {least} to {most} (units of F)"
        raise ParameterError("device_f", device_f, told)
    b = _Bench(tech, ("BE", "ME", "ME", "TE"))
    side = device_f * tech.profile.line_um
    stack = memristor_stack(tech, device_um=side)
    assert stack.netlist is not None
    be, me, te = (stack.port(n) for n in ("BE", "ME", "TE"))
    x, y, half = b.x[1], b.y + GAP + 2 * LEAD - me.y, b.r.land // 2
    b.c.rects += [
        replace(q, x1=q.x1 + x, x2=q.x2 + x, y1=q.y1 + y, y2=q.y2 + y) for q in stack.rects
    ]
    # metal joined to pads keeps its own space, so the last piece of each lead is one below
    for pad, port, dx, dy in ((0, be, -GAP, 0), (1, me, 0, -GAP), (3, te, GAP, 0)):
        px, py = x + port.x, y + port.y
        _strap(b, (px, py), (px + dx, py + dy), half)
        b.lead(pad, px + dx, py + dy)
    b.lead(2, x, b.y)
    return b.finish(
        f"device_on_pads_{device_f}f", stack.netlist.devices, side_um=side, **stack.info
    )


def _strap(b: _Bench, port: tuple[int, int], end: tuple[int, int], half: int) -> None:
    """Join a land, whose edge is at `port`, to a lead over `end` by the metal below."""
    (x1, y1), (x2, y2) = port, end
    # the land lies on the far side of its edge
    ux, uy = (x1 > x2) - (x1 < x2), (y1 > y2) - (y1 < y2)
    cx, cy = x1 + ux * half, y1 + uy * half
    land = (cx - half, cy - half, cx + half, cy + half)
    wide = LEAD // 2
    tip = (x2 - wide, y2 - wide, x2 + wide, y2 + wide)
    b.c.rect("below_land", *tip)
    b.c.rect("below_land", min(land[0], x2 - half), min(land[1], y2 - half),
             max(land[2], x2 + half), max(land[3], y2 + half))  # fmt: skip
    via_array(b.c, b.r, land, ("land_via",))
    via_array(b.c, b.r, tip, ("land_via",), b.r.enclosure("pad_metal", "pad_via"))


def monitors(tech: Tech) -> tuple[Cell, ...]:
    """Return the set of monitors that a test chip carries."""
    return (
        *(
            draw(tech, electrode=e)
            for draw in (kelvin, van_der_pauw, via_chain)
            for e in ELECTRODES
        ),
        *(device_on_pads(tech, device_f=n) for n in DEVICE_SIDES_F),
    )
