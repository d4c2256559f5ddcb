"""Where everything of the hybrid and planar cell lies, derived from the rules."""

from __future__ import annotations

from dataclasses import dataclass

from ..pdk import ParameterError, Tech
from .drawing import grid_down, grid_up
from .limits import electrode_width, gate_length, length, one_of, pitch, select_widths, switch
from .mos import NmosPlace
from .parameters import CUTS, FINGERS, MAX_DEVICE_UM, default
from .parts import StackedPair, StackSize
from .rules import RuleBook
from .strap import StrapRules, half_width
from .strap import least_pitch_y as strap_pitch_y

#: what a select line may be longer than its cells, in dbu: its end in the array, a hop on a chip
LINE_ENDS = 10_000


@dataclass(frozen=True)
class HybridParameters:
    """Parameters of the hybrid and planar cell; lengths in um.

    Attributes:
        select_l_um: channel length of the select transistors; None for the least.
        select_w_um, select_fingers, device_um, me_width_um: see `parameters.ARRAY`.
        pitch_x_um, pitch_y_um, strap, cuts: see `parameters.ARRAY`.
    """

    select_w_um: float = default("select_w_um")
    select_l_um: float | None = None
    device_um: float = 1.0
    pitch_x_um: float | None = default("pitch_x_um")
    pitch_y_um: float | None = default("pitch_y_um")
    strap: bool = default("strap")
    cuts: int = default("cuts")
    select_fingers: int = default("select_fingers")
    me_width_um: float | None = default("me_width_um")


class HybridGeometry(StackedPair):
    """Coordinates of the hybrid cell in dbu, derived from the rules.

    Raises:
        ParameterError: for a size or pitch outside its range; the message names the limit.
    """

    def __init__(self, tech: Tech, p: HybridParameters, top: bool = True) -> None:
        self.tech, self.rules = tech, RuleBook(tech)
        self.w = length(tech, "select_w_um", p.select_w_um, *select_widths(tech))
        self.fingers = one_of("select_fingers", p.select_fingers, FINGERS)
        self.w = self._one_gate(p.select_w_um)
        self.length = gate_length(tech, "select_l_um", p.select_l_um)
        self.device = length(tech, "device_um", p.device_um, tech.profile.line_um, MAX_DEVICE_UM)
        self.strap = switch("strap", p.strap)
        self.me_width = electrode_width(tech, p.me_width_um, strap=self.strap)
        self.cuts = one_of("cuts", p.cuts, CUTS)
        self.stack = StackSize(self.rules, self.cuts)
        self._place_columns()
        both = self._least_pitch_x()
        own = both if top else min(both, self._own_pitch_x())
        self.pitch_x = pitch(tech, "pitch_x_um", p.pitch_x_um, own)
        #: one tier alone, nearer than two could stand: no room is kept for a right half
        self.narrow = self.pitch_x < both
        self._place_rows()
        self.pitch_y = pitch(tech, "pitch_y_um", p.pitch_y_um, self._least_pitch_y())
        self._widen_lines()
        #: a gate, which draws no current, has a second via only where the pitch has room for it
        #: and no wire joins several gates there
        step = self.rules.step("local_via")
        room = self.fingers == 1 and self.pitch_y >= self._gate_room() + step
        self.gate_more = step if self.cuts > 1 and room else 0
        self._place_diode()
        self._place_near_tap()

    def _one_gate(self, total_um: float) -> int:
        """Return the channel width of one gate.

        Raises:
            ParameterError: for more gates than a width has room for, or can be shared by.
        """
        least = self.tech.to_dbu(select_widths(self.tech)[0])
        width, rest = divmod(self.w, self.fingers)
        if width < least or rest or width % 10:
            fit = [k for k in FINGERS if self.w % (10 * k) == 0 and self.w // k >= least]
            told = f"{' or '.join(map(str, fit or [1]))} with select_w_um = {total_um:g}"
            raise ParameterError("select_fingers", self.fingers, told)
        return width

    def _place_columns(self) -> None:
        """Place everything of the left half along x, from the cell's west edge."""
        r = self.rules
        half_via = r.module_via // 2
        #: via to via across the cell boundary: BE pad to the neighbour's VTE, and the lands
        between = max(
            r.space("top_via", "bottom_electrode") + r.beyond_via,
            r.space("bottom_via"),
            r.land_space + r.land - r.module_via,
        )
        self.module_x = grid_up(between / 2) + half_via
        s, top = self.stack, self.stack.landing("top_row")[0]
        #: the land covers the module via and the stack's cuts
        half = s.extent("land_via")[0] // 2 + r.line_end("land_via", "land")
        space = max(r.space("local"), r.space("select"), r.row_space(0))
        self.stack_x = max(
            grid_up(space / 2) + max(s.pad_w, top) // 2,
            grid_up(r.land_space / 2) + half,
            self.module_x - max(0, r.land // 2 - half),
        )
        self.land_x = (
            min(self.module_x - r.land // 2, self.stack_x - half),
            max(self.module_x + r.land // 2, self.stack_x + half),
        )
        over = r.size("local_via") + 2 * r.enclosure("select", "local_via")
        self.select_width = grid_up(max(r.width("select"), over), 10)
        self.select_x = self.stack_x + s.pad_w // 2 + r.space("select") + self.select_width // 2
        nmos = NmosPlace(r, 0, 0, self.w, self.length, self.fingers)
        #: active area and implant keep their space to those of the mirrored neighbour
        least_x = grid_up(
            max(r.space("diffusion") / 2, r.enclosure("nplus", "n_active") + r.space("nplus") / 2)
        )
        #: the source's column keeps clear of the drain's stack, the drain's of the neighbour's
        drain = self.stack_x + s.extent("local_via")[0] // 2 + r.enclosure("local", "local_via")
        clear = drain + r.space("local") + r.line // 2 - nmos.source_x
        edge = grid_up(r.space("local") / 2) + r.line // 2 - nmos.drain_x
        self.comp_x = max(self.select_x - nmos.gate_x, least_x, grid_up(clear), edge)
        self.select_x = self.comp_x + nmos.gate_x
        past_select = self.select_x + self.select_width // 2 + r.space("select") + s.pad_w // 2
        past_stack = self.stack_x + max(top, s.pad_w) // 2 + r.row_space(0) + s.pad_w // 2
        self.source_x = max(past_select, past_stack, self.comp_x + nmos.source_x)
        #: ME edge to via edge: the electrode tip ends 2 A behind ME and the via passes it
        self.me_to_via = max(
            r.overhang("bottom_electrode", "bottom_crossing")
            + max(r.space("top_via", "bottom_electrode"), r.beyond_via),
            r.space("top_via", "crossing"),
            r.space("top_via", "middle_electrode"),
        )

    def _least_pitch_x(self) -> int:
        r = self.rules
        cmos = 2 * self._half_cmos(NmosPlace(r, self.comp_x, 0, self.w, self.length, self.fingers))
        me, strap = self.me_width or self.device, 0
        if self.strap:
            least = StrapRules.of(r)
            me = max(me, least.least_electrode)
            strap = 2 * (self.land_x[1] + r.space("land")) + least.least_metal
        module = 2 * (self.module_x + r.module_via // 2 + self.me_to_via) + me
        lands = 2 * self.land_x[1] + r.land_space
        return grid_up(max(cmos, module, strap, lands), 10)

    def _own_pitch_x(self) -> int:
        """Return the least pitch of the left half alone, and place its ME and its tap."""
        r = self.rules
        nmos = NmosPlace(r, self.comp_x, 0, self.w, self.length, self.fingers)
        oxides = [
            r.enclosure(film, "bottom_crossing") + r.space("bottom_via", "oxide")
            for film in ("bottom_oxide", "bottom_oxide_x")
        ]
        overhang = r.overhang("bottom_electrode", "bottom_crossing")
        to_via = max(r.space("bottom_via", "crossing"), *oxides, overhang + r.beyond_via)
        half, strap = (self.me_width or self.device) // 2, 0
        self.own_me_x = self.module_x + r.module_via // 2 + to_via + half
        if self.strap:
            least = StrapRules.of(r)
            half = max(half, least.least_electrode // 2)
            strap = r.space("land") + least.least_metal // 2
            self.own_me_x = max(
                self.module_x + r.module_via // 2 + to_via + half, self.land_x[1] + strap
            )
            strap += self.own_me_x - self.land_x[0]
        self.own_me_x, self.own_me_half = grid_up(self.own_me_x, 10), half
        self.own_tap_x = grid_up(self._half_cmos(nmos), 10)
        half_tap = max(r.tap_width, r.width("pplus") - 2 * r.enclosure("pplus", "p_tap")) // 2
        metal = min(self.stack_x - self.stack.pad_w // 2, nmos.drain_x - r.line // 2)
        to_next = max(
            half_tap + r.to_tap - self.comp_x,
            r.line // 2 + r.space("local") - metal,
            *(r.below_line(m) + r.space(m) - nmos.drain_x for m in r.below),
        )
        pad = self.module_x - r.land // 2
        return grid_up(
            max(
                self.own_tap_x + to_next,
                # the lines' ends are as wide as the cell, and join its VSS
                self.own_tap_x + r.line // 2,
                nmos.comp[2] - nmos.comp[0] + r.across("n_active", "p_tap"),
                self.source_x + self.stack.pad_w // 2
                + grid_up(max(r.space("select"), r.row_space(0)) / 2),
                self.own_me_x + half + max(
                    overhang + r.space("bottom_electrode") - pad, r.space("middle_electrode")
                    + half - self.own_me_x
                ),
                self.land_x[1] - self.land_x[0] + r.land_space,
                strap,
            ),
            10,
        )  # fmt: skip

    def _half_cmos(self, nmos: NmosPlace) -> int:
        """Return how near to the west edge the middle of a tap strip may come."""
        r = self.rules
        half_tap = max(r.tap_width, r.width("pplus") - 2 * r.enclosure("pplus", "p_tap")) // 2
        return max(
            self.source_x
            + self.stack.extent("local_via")[0] // 2
            + r.line_end("local_via", "local")
            + r.space("local")
            + r.line // 2,
            self.source_x
            + self.stack.pad_w // 2
            + grid_up(max(r.space("select"), r.row_space(0)) / 2),
            nmos.comp[2] + max(r.to_tap + half_tap, grid_up(r.across("n_active", "p_tap") / 2)),
        )

    def _place_rows(self) -> None:
        """Place everything along y, from the cell's south edge."""
        r = self.rules
        s, top = self.stack, self.stack.landing("top_row")[1]
        beyond = s.extent("land_via")[1] // 2 + r.line_end("land_via", "land")
        self.pad_y = grid_up(r.row_space(0) / 2) + max(s.pad_h, top) // 2
        self.comp_y = grid_up(r.space("poly") / 2) + r.extension("poly", "diffusion")
        #: the gate's landing must clear the pads of the stacks, too
        metal_top = NmosPlace(r, 0, self.comp_y, self.w, self.length, self.fingers).metal_top
        self.comp_y += max(0, self.pad_y + s.pad_h // 2 - metal_top)
        if self.fingers > 1:  # the row that joins the sources passes below the drains
            nmos = NmosPlace(r, 0, self.comp_y, self.w, self.length, self.fingers)
            sources = self.pad_y + s.pad_h // 2 + r.space("local")
            self.comp_y += max(0, grid_up(sources - nmos.metal_bottom, 10))
        #: the land must hold the uppermost cuts of the stack as well as the module via
        south = self.pad_y - beyond
        self.module_y = south + r.land // 2
        self.strip_y = (self.module_y - self.device // 2, self.module_y + self.device // 2)
        #: module vias lie along the strip, as many as it has room for
        step = r.module_via + r.space("bottom_via")
        self.module_vias = min(self.cuts, max(1, (self.device - r.land) // step + 1))
        half = (r.land + (self.module_vias - 1) * step) // 2
        north = max(self.module_y + half, self.pad_y + beyond)
        self.land_y = (self.module_y - half, north)
        self.land = (self.land_x[0], self.land_y[0], self.land_x[1], self.land_y[1])
        #: upper edge of the stacks in either metal of the row lines
        self.stacks_y = self.pad_y + max(s.pad_h, top) // 2
        self.line_y1 = self.stacks_y + r.row_space(0)

    def _least_pitch_y(self) -> int:
        r = self.rules
        nmos = NmosPlace(r, 0, self.comp_y, self.w, self.length, self.fingers)
        return grid_up(
            max(
                nmos.top + grid_up(r.space("poly") / 2),
                # gate landing to the next row's drain, which reaches below its stack
                self._gate_room(),
                nmos.comp[3] - nmos.comp[1] + 2 * r.n_implant + r.space("nplus"),
                self.line_y1 + self.stack.pad_h + grid_up(r.row_space(0) / 2),
                max(self.device, r.land) + r.space("bottom_electrode"),
                self.device
                + 2
                * max(
                    r.enclosure("bottom_oxide", "bottom_crossing"),
                    r.enclosure("bottom_oxide_x", "bottom_crossing"),
                )
                + max(r.space("bottom_oxide"), r.space("bottom_oxide_x")),
                self.land_y[1] - self.land_y[0] + r.land_space,
                strap_pitch_y(r, self.strip_y) if self.strap else 0,
            ),
            10,
        )

    def _gate_room(self) -> int:
        """Return the row pitch at which a gate's landing clears the pads of the next row."""
        r = self.rules
        nmos = NmosPlace(r, 0, self.comp_y, self.w, self.length, self.fingers)
        south = min(self.pad_y - self.stack.pad_h // 2, nmos.metal_bottom)
        return nmos.metal_end + r.space("local") - south

    def _widen_lines(self) -> None:
        """Give ME, strap and row lines all the width that the rules leave at this pitch."""
        r = self.rules
        self.me_x = self.tap_x = self.pitch_x // 2
        half = self.me_x - self.module_x - r.module_via // 2 - self.me_to_via
        self.me_half = grid_down(half) if self.me_width is None else self.me_width // 2
        if self.narrow:
            self.me_x, self.me_half, self.tap_x = self.own_me_x, self.own_me_half, self.own_tap_x
        to_land = min(self.me_x - self.land_x[1], self.pitch_x + self.land_x[0] - self.me_x)
        self.strap_half = half_width(r, to_land)
        # wide metal needs more room to the pads
        space = r.row_space(self.pitch_y - self.line_y1)
        self.line_y1 = self.stacks_y + space
        # no line is so wide that it needs slots: beyond that width, pitch adds space
        self.line_y2 = min(
            self.pitch_y - grid_up(space / 2) - (space - r.row_space(0)),
            self.line_y1 + min(r.max_width("bottom_row"), r.max_width("top_row")),
        )

    def _place_diode(self) -> None:
        """Place an antenna diode at the gate where a select line's charge asks for one.

        A line of many cells charges each of their gates with what one pitch of it collects; with
        a single row, its ends and a hop to a track of a chip come on top.
        """
        r = self.rules
        nmos = NmosPlace(r, self.comp_x, self.comp_y, self.w, self.length, self.fingers)
        side_wall = r.ask.antenna_wall("select") * 2 * (self.pitch_y + LINE_ENDS)
        charge_um2, gate_um2 = side_wall * 1e-3, self.w * self.fingers * self.length * 1e-6
        #: side of the diode; the least active area is ample for the longest pitch
        self.diode = max(
            grid_up(r.area("diffusion") ** 0.5, 10),
            grid_up(r.area("nplus") ** 0.5, 10) - 2 * r.enclosure("nplus", "n_active"),
            r.contact + 2 * r.contact_inset,
        )
        self.diode_y: int | None = None
        if charge_um2 > r.ask.antenna("select") * gate_um2:
            if self.fingers > 1:
                told = "1 where a gate needs a diode, whose place the drains' line takes"
                raise ParameterError("select_fingers", self.fingers, told)
            clear = max(
                r.space("poly", "diffusion"),
                r.space("diffusion"),
                r.space("nplus") + r.n_implant + r.enclosure("nplus", "n_active"),
            )
            # the diode's contact beside the gate's
            apart = (r.contact_step, *(2 * r.below_reach(m) + r.space(m) for m in r.below))
            self.diode_y = grid_up(
                max(nmos.top + clear + self.diode // 2, nmos.gate_y + max(apart)), 10
            )

    def _place_near_tap(self) -> None:
        """Place a tap strip beside the transistor where that below ME is out of reach."""
        r = self.rules
        nmos = NmosPlace(r, self.comp_x, 0, self.w, self.length, self.fingers)
        self.near_tap_x: int | None = None
        if self.tap_x - r.tap_width // 2 - nmos.comp[0] > r.reach("n_active", "p_tap"):
            self.near_tap_x = grid_up(self._half_cmos(nmos), 10)
