"""Passive cell: two plain stacked lines and the middle electrode between them, no transistor."""

from __future__ import annotations

from dataclasses import dataclass

from ..pdk import Tech
from .drawing import Canvas, Cell, Device, Port, Subcircuit, grid_down, grid_up
from .limits import electrode_width, length, pitch
from .parameters import MAX_DEVICE_UM, default
from .parts import StackedPair, oxides
from .rules import RuleBook


@dataclass(frozen=True)
class PassiveParameters:
    """Parameters of the passive cell; lengths in um.

    Attributes:
        device_um: least width of the BE and TE lines and of the middle electrode.
        me_width_um: see `parameters.ARRAY`.
        pitch_x_um, pitch_y_um: cell pitch; None for the least that the rules allow.
    """

    device_um: float = 1.0
    pitch_x_um: float | None = default("pitch_x_um")
    pitch_y_um: float | None = default("pitch_y_um")
    me_width_um: float | None = default("me_width_um")


class PassiveGeometry(StackedPair):
    """Coordinates of the passive cell in dbu, derived from the rules.

    Raises:
        ParameterError: for a size or pitch outside its range.
    """

    def __init__(self, tech: Tech, p: PassiveParameters) -> None:
        self.tech, self.rules = tech, RuleBook(tech)
        r = self.rules
        self.device = length(tech, "device_um", p.device_um, tech.profile.line_um, MAX_DEVICE_UM)
        beyond = max(
            r.enclosure("bottom_oxide", "bottom_crossing"),
            r.enclosure("bottom_oxide_x", "bottom_crossing"),
        )
        #: between two crossings: oxide on either side and its space, or two electrode ends
        gap = max(
            2 * beyond + max(r.space("bottom_oxide"), r.space("bottom_oxide_x")),
            r.space("bottom_electrode"),
            2 * r.overhang("bottom_electrode", "bottom_crossing"),
        )
        #: the column ends on a via of the module
        around = max(
            r.enclosure("middle_electrode", "middle_via"), r.enclosure("land", "middle_via")
        )
        end = max(r.module_via + 2 * around, r.width("land")) + max(
            r.space("land"), r.space("middle_electrode")
        )
        width = electrode_width(tech, p.me_width_um)
        least_x = grid_up(max((width or self.device) + gap, end), 10)
        self.pitch_x = pitch(tech, "pitch_x_um", p.pitch_x_um, least_x)
        least_y = max(
            self.device + gap, r.land + r.land_space, r.land + r.space("bottom_electrode")
        )
        self.pitch_y = pitch(tech, "pitch_y_um", p.pitch_y_um, grid_up(least_y, 10))
        self.me_x, self.module_y = self.pitch_x // 2, grid_down(self.pitch_y // 2)
        self.me_half = width // 2 if width else grid_down((self.pitch_x - gap) / 2)
        half = grid_down((self.pitch_y - gap) / 2)
        self.strip_y = (self.module_y - half, self.module_y + half)


def passive_cell(tech: Tech, parameters: PassiveParameters | None = None) -> Cell:
    """Draw the passive cell. Nets: TR (TE line), BR (BE line), C (ME, the column line).

    Raises:
        ParameterError: for a parameter outside its range.
    """
    return _cell(tech, parameters, "passive_cell", (("BR", "BE", "B"), ("TR", "TE", "T")))


def passive_planar_cell(tech: Tech, parameters: PassiveParameters | None = None) -> Cell:
    """Draw the one-tier passive baseline: the passive cell without its top line."""
    return _cell(tech, parameters, "passive_planar_cell", (("BR", "BE", "B"),))


def _cell(tech: Tech, parameters: PassiveParameters | None, name: str,
          lines: tuple[tuple[str, str, str], ...]) -> Cell:  # fmt: skip
    g = PassiveGeometry(tech, parameters or PassiveParameters())
    c = Canvas(tech)
    y1, y2 = g.strip_y
    for _, electrode, tier in lines:
        c.rect(electrode, 0, y1, g.pitch_x, y2)
        oxides(c, g.rules, tier, g.crossing)
    c.rect("ME", g.me_x - g.me_half, 0, g.me_x + g.me_half, g.pitch_y)
    ports = [
        Port(net, layer, x, g.module_y, y2 - y1, direction)
        for x, direction in ((0, 180), (g.pitch_x, 0))
        for net, layer, _ in lines
    ]
    ports += [
        Port("C", "ME", g.me_x, y, 2 * g.me_half, direction)
        for y, direction in ((g.pitch_y, 90), (0, 270))
    ]
    area = (("AREA", g.area_um2),)
    models = {"B": "memristor_bottom", "T": "memristor_top"}
    netlist = Subcircuit(
        name,
        (*(net for net, _, _ in reversed(lines)), "C"),
        tuple(Device(f"X{tier}", models[tier], (net, "C"), area) for net, _, tier in lines),
    )
    return Cell(
        name,
        rects=tuple(c.rects),
        ports=tuple(ports),
        width=g.pitch_x,
        height=g.pitch_y,
        netlist=netlist,
        info=g.info(y2 - y1),
    )
