"""Planar cell (1T1R) of a module that stands between two metals of the base.

The memristor is a film over a via from the local metal, which the drain leads to it, up to the
column, a line of the module's upper electrode along y. Everything else is as in `hybrid`: select
line over the gate along y, source up to the row line along x, substrate along y. Memristor and the
source's stack stand in one row at the cell's bottom, the transistor above them.
"""

from __future__ import annotations

from ..pdk import ParameterError, Tech, TechError
from .drawing import Canvas, Cell, Device, Port, Subcircuit, grid_down, grid_up
from .limits import gate_length, length, one_of, pitch, select_widths, switch
from .mos import NmosPlace, draw_nmos, local_over_contacts, tap_strip
from .parameters import CUTS, FINGERS
from .parts import StackSize, cut_array, device_mark
from .place import HybridParameters
from .rules import RuleBook

#: what lies below and above the film
_ELECTRODES = ("bottom_electrode", "middle_electrode")
#: largest side of a device, um, where no rule asks for less
MOST_DEVICE_UM = 10.0


def device_range(tech: Tech) -> tuple[float, float]:
    """Return least and greatest side of a device, um."""
    r = RuleBook(tech)
    around = r.line_end("memristor_cut", "memristor_film")
    least = max(r.width("memristor_film"), r.size("memristor_via") + 2 * around)
    # an electrode as large as this is not yet wide metal
    most = min(r.wide_from(metal) for metal in _ELECTRODES) * tech.dbu_um
    return least * tech.dbu_um, min(most, MOST_DEVICE_UM)


class WithinGeometry:
    """Coordinates of the cell in dbu, derived from the rules.

    Raises:
        ParameterError: for a size or pitch outside its range; the message names the limit.
    """

    def __init__(self, tech: Tech, p: HybridParameters) -> None:
        self.tech, self.rules = tech, RuleBook(tech)
        r = self.rules
        ends = tuple(map(r.layer, _ELECTRODES))
        if ends != (r.layer("local"), r.layer("select")):
            metals = f"{r.layer('local')} and {r.layer('select')}"
            raise TechError(
                f"module {tech.module.name} stands between {' and '.join(ends)}; planar_cell draws "
                f"one between {metals}"
            )
        self.w = length(tech, "select_w_um", p.select_w_um, *select_widths(tech))
        self.length = gate_length(tech, "select_l_um", p.select_l_um)
        self.device = length(tech, "device_um", p.device_um, *device_range(tech))
        if one_of("select_fingers", p.select_fingers, FINGERS) != 1:
            told = f"1 on module {tech.module.name}"
            raise ParameterError("select_fingers", p.select_fingers, told)
        if switch("strap", p.strap):
            name = f"module {tech.module.name}, whose columns are foundry metal"
            raise ParameterError("strap", p.strap, f"false on {name}")
        if p.me_width_um is not None:
            name = f"module {tech.module.name}, whose columns are foundry metal"
            raise ParameterError("me_width_um", p.me_width_um, f"none on {name}")
        self.cuts = one_of("cuts", p.cuts, CUTS)
        self.stack = StackSize(r, self.cuts)
        #: either electrode around film and via
        self.pad = max(self.device, *(self._around(metal) for metal in _ELECTRODES))
        self._place_columns()
        self._place_rows()
        least_x = self._least_pitch_x()
        self.pitch_x = pitch(tech, "pitch_x_um", p.pitch_x_um, least_x)
        self.pitch_y = pitch(tech, "pitch_y_um", p.pitch_y_um, self._least_pitch_y())
        self._widen_column(grid_down(self.pitch_x - least_x, 10))
        low = self._line_edge(r.row_space(self.pitch_y))
        #: lower and upper edge of the row line, which takes all the height but its space
        self.line_y = (low, low + min(self.pitch_y - 2 * low, r.max_width("bottom_row")))

    def _around(self, metal: str) -> int:
        r = self.rules
        over = r.size("memristor_via") + 2 * r.line_end("memristor_via", metal)
        return grid_up(max(r.width(metal), over, r.area(metal) ** 0.5), 10)

    def _place_columns(self) -> None:
        """Place everything along x, from the cell's west edge."""
        r, s = self.rules, self.stack
        film, half = "memristor_film", self.pad // 2
        electrodes = max(r.space(metal) for metal in _ELECTRODES)
        beside = max(r.apart(film, f"beside_{metal}") for metal in _ELECTRODES)
        #: from a memristor's middle to the metal of another net, on either side
        clear = max(half + electrodes, self.device // 2 + beside)
        self.memristor_x = grid_up(clear - electrodes / 2)
        over = r.size("local_via") + 2 * r.enclosure("select", "local_via")
        self.select_width = grid_up(max(r.width("select"), over), 10)
        nmos = NmosPlace(r, 0, 0, self.w, self.length)
        least_x = grid_up(
            max(r.space("diffusion") / 2, r.enclosure("nplus", "n_active") + r.space("nplus") / 2)
        )
        select = self.memristor_x + clear + self.select_width // 2
        self.comp_x = max(
            least_x,
            select - nmos.gate_x,
            # the source's metal beside the drain's and the memristor's
            self.memristor_x + clear + r.line // 2 - nmos.source_x,
            grid_up(r.space("local") / 2) + r.line // 2 - nmos.drain_x,
        )
        self.select_x = self.comp_x + nmos.gate_x
        self.source_x = max(
            self.comp_x + nmos.source_x,
            self.select_x + self.select_width // 2 + r.space("select") + s.pad_w // 2,
            self.memristor_x + self.device // 2 + r.apart(film, "beside_via")
            + s.extent("local_via")[0] // 2,
        )  # fmt: skip
        half_tap = max(r.tap_width, r.width("pplus") - 2 * r.enclosure("pplus", "p_tap")) // 2
        self.tap_x = grid_up(
            max(
                self.source_x + s.extent("local_via")[0] // 2
                + r.line_end("local_via", "local") + r.space("local") + r.line // 2,
                self.source_x + s.pad_w // 2 + r.space("local") + r.line // 2,
                self.comp_x + nmos.comp[2] + r.to_tap + half_tap,
            ),
            10,
        )  # fmt: skip
        self._half_tap = half_tap

    def _least_pitch_x(self) -> int:
        """Return where the next cell may begin: its memristor and transistor clear of this tap."""
        r, nmos = self.rules, NmosPlace(self.rules, 0, 0, self.w, self.length)
        return grid_up(
            max(
                self.tap_x + r.line // 2 + max(r.space(metal) for metal in _ELECTRODES) / 2,
                self.tap_x + self._half_tap + r.to_tap - self.comp_x,
                nmos.comp[2] - nmos.comp[0] + r.across("n_active", "p_tap"),
                self.source_x + self.stack.pad_w // 2 + r.space("select") / 2,
            ),
            10,
        )

    def _place_rows(self) -> None:
        """Place everything along y, from the cell's south edge."""
        r, s = self.rules, self.stack
        high = max(self.pad, s.pad_h, s.landing("bottom_row")[1])
        line = self._line_edge(r.wide_space("bottom_row"))
        edge = max(line, grid_up(r.space("local") / 2), grid_up(r.space("select") / 2))
        self.pad_y = edge + grid_up(high / 2)
        self.comp_y = max(
            grid_up(r.space("poly") / 2) + r.extension("poly", "diffusion"),
            grid_up(r.n_implant + r.space("nplus") / 2),
        )
        #: the gate's landing must clear electrode and stack, too
        metal_top = NmosPlace(r, 0, self.comp_y, self.w, self.length).metal_top
        self.comp_y += max(0, self.pad_y + max(self.pad, s.pad_h) // 2 - metal_top)

    def _line_edge(self, space: int) -> int:
        """Return how near to the cell's edge a line may come that asks for a space.

        The tracks of a macro's row switches end nearer to it than a wide line does.
        """
        return space - grid_down(self.rules.row_space(0) / 2)

    def _least_pitch_y(self) -> int:
        r = self.rules
        nmos = NmosPlace(r, 0, self.comp_y, self.w, self.length)
        south = min(self.pad_y - max(self.pad, self.stack.pad_h) // 2, nmos.metal_bottom)
        device = r.apart("memristor_film", "beside_via") + self.device // 2
        return grid_up(
            max(
                nmos.top + grid_up(r.space("poly") / 2),
                # gate landing to the next row's drain, and its cut to the next row's memristor
                nmos.gate_y + r.pad // 2 + r.space("local") - south,
                nmos.gate_y + r.size("local_via") // 2 + device - self.pad_y,
                nmos.comp[3] - nmos.comp[1] + 2 * r.n_implant + r.space("nplus"),
                self.pad + max(r.space(metal) for metal in _ELECTRODES),
                self.pad_y + self.stack.pad_h // 2 + r.row_space(0),
            ),
            10,
        )

    def _widen_column(self, more: int) -> None:
        """Give what a pitch has more than the least to the column, west of the memristor."""
        r, column = self.rules, "middle_electrode"
        # wide metal needs more room to the select line and to the west cell's landing
        back = r.wide_space(column) - r.space(column)
        narrow = min(self.pad + more, r.wide_from(column), r.max_width(column))
        width = min(self.pad + more - 2 * back, r.max_width(column))
        if width <= narrow:
            width, back = max(self.pad, narrow), 0
        self.memristor_x += more - back
        self.comp_x += more
        self.select_x += more
        self.source_x += more
        self.tap_x += more
        east = self.memristor_x + self.pad // 2
        #: west and east edge of the column
        self.column_x = (east - grid_down(width, 10), east)

    @property
    def area_um2(self) -> float:
        """Area of the memristor's film in um2."""
        return round((self.device * self.tech.dbu_um) ** 2, 6)


def planar_cell(tech: Tech, parameters: HybridParameters | None = None) -> Cell:
    """Draw the one-tier cell of a module between two metals (`hybrid.planar_cell` for others).

    Raises:
        ParameterError: for a parameter outside its range.
    """
    g = WithinGeometry(tech, parameters or HybridParameters(device_um=tech.module.device_um or 1.0))
    r, c, s = g.rules, Canvas(tech), g.stack
    nmos = NmosPlace(r, g.comp_x, g.comp_y, g.w, g.length)
    span = draw_nmos(c, r, nmos)
    for x in (nmos.drain_x, nmos.source_x):
        local_over_contacts(c, r, x, span)
    _memristor(c, g, nmos, span)
    # source: beside the contacts to the stack, and up to the row line
    half, half_pad = r.line // 2, s.pad_h // 2
    east = max(g.source_x + s.extent("local_via")[0] // 2 + r.line_end("local_via", "local"),
               nmos.source_x + half)  # fmt: skip
    c.rect("local", nmos.source_x - half, g.pad_y - half_pad, east, g.pad_y + half_pad)
    low = min(g.pad_y - half_pad, span[0])
    c.rect("local", nmos.source_x - half, low, nmos.source_x + half, span[1])
    cut_array(c, r, "local_via", g.source_x, g.pad_y, s)
    c.box("select", g.source_x, g.pad_y, s.pad_w, s.pad_h)
    cut_array(c, r, "select_via", g.source_x, g.pad_y, s)
    c.rect("bottom_row", 0, g.line_y[0], g.pitch_x, g.line_y[1])
    # gate: up to the select line
    c.box("local_via", nmos.gate_x, nmos.gate_y, r.size("local_via"))
    half_line = g.select_width // 2
    c.rect("select", g.select_x - half_line, 0, g.select_x + half_line, g.pitch_y)
    tap_strip(c, r, g.tap_x, 0, g.pitch_y)
    device_mark(c, r, 0, 0, g.pitch_x, g.pitch_y)
    return Cell(
        name="planar_cell",
        rects=tuple(dict.fromkeys(c.rects)),
        ports=tuple(_ports(g)),
        width=g.pitch_x,
        height=g.pitch_y,
        netlist=_netlist(g),
        info={
            "pitch_x_um": round(g.pitch_x * 1e-3, 3),
            "pitch_y_um": round(g.pitch_y * 1e-3, 3),
            "device_area_um2": g.area_um2,
            "me_width_um": round((g.column_x[1] - g.column_x[0]) * 1e-3, 3),
            "row_line_width_um": round((g.line_y[1] - g.line_y[0]) * 1e-3, 3),
        },
    )


def _memristor(c: Canvas, g: WithinGeometry, nmos: NmosPlace, span: tuple[int, int]) -> None:
    """Draw film and via between the drain's metal and the column."""
    r, half = g.rules, g.rules.line // 2
    x, y, pad = g.memristor_x, g.pad_y, g.pad // 2
    c.box("memristor_via", x, y, r.size("memristor_via"))
    c.box("memristor_film", x, y, g.device)
    west, east = min(x - pad, nmos.drain_x - half), max(x + pad, nmos.drain_x + half)
    c.rect("bottom_electrode", west, y - pad, east, y + pad)
    low = min(y - pad, span[0])
    c.rect("local", nmos.drain_x - half, low, nmos.drain_x + half, span[1])
    c.rect("middle_electrode", g.column_x[0], 0, g.column_x[1], g.pitch_y)


def _ports(g: WithinGeometry) -> list[Port]:
    layer, (low, high), (west, east) = g.rules.layer, g.line_y, g.column_x
    middle = grid_down((low + high) / 2)
    ports = [
        Port("BR", layer("bottom_row"), x, middle, high - low, side)
        for x, side in ((0, 180), (g.pitch_x, 0))
    ]
    for y, side in ((g.pitch_y, 90), (0, 270)):
        ports += [
            Port("BS", layer("select"), g.select_x, y, g.select_width, side),
            Port("C", layer("middle_electrode"), (west + east) // 2, y, east - west, side),
            Port("VSS", layer("local"), g.tap_x, y, g.rules.line, side),
        ]
    return ports


def _netlist(g: WithinGeometry) -> Subcircuit:
    size = (("W", g.w * 1e-3), ("L", g.length * 1e-3))
    devices = (
        Device("MB", "nfet", ("be", "BS", "BR", "VSS"), size),
        Device("XB", "memristor_bottom", ("be", "C"), (("AREA", g.area_um2),)),
    )
    return Subcircuit("planar_cell", ("BR", "C", "BS", "VSS"), devices)
