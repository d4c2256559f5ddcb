"""Small layouts drawn by hand, without cells or generators, and their netlists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.lvs import ExtractedLayout, LvsReport, compare_layout, extract_layout
from crossstack.pdk import Tech, get_tech

PITCH_X, PITCH_Y = 6.0, 7.0

_4 = range(4)

#: The hand-drawn NMOS of pdk/gf180mcuD/SOURCES.md section 7, W = 2, L = 0.28 um.
NMOS = [
    ("COMP", 0, 0, 1.16, 2.0),
    ("Poly2", 0.44, -0.22, 0.72, 2.10),
    ("Poly2", 0.40, 2.10, 0.76, 2.46),
    ("Nplus", -0.16, -0.23, 1.32, 2.23),
    ("Contact", 0.47, 2.17, 0.69, 2.39),
    ("Metal1", 0.065, 0.01, 0.295, 1.76),
    ("Metal1", 0.865, 0.01, 1.095, 1.76),
    ("Metal1", 0.39, 2.09, 0.77, 2.47),
    *[("Contact", x, 0.07 + 0.47 * i, x + 0.22, 0.29 + 0.47 * i) for x in (0.07, 0.87) for i in _4],
]  # fmt: skip
FILMS = ("TIO2_B", "TIO2X_B", "TIO2_T", "TIO2X_T")

CELL_NETLIST = """\
.subckt hybrid_cell TR BR C TS BS VSS
MT te TS TR VSS nfet W=2u L=0.28u
MB be BS BR VSS nfet W=2u L=0.28u
XT te C memristor_top AREA=0.6
XB be C memristor_bottom AREA=0.6
.ends
"""


@dataclass
class Drawing:
    """A layout with one top cell, drawn in um."""

    tech: Tech = field(default_factory=get_tech)
    layout: db.Layout = field(default_factory=db.Layout)
    name: str = "top"

    def __post_init__(self) -> None:
        self.layout.dbu = 0.001
        self.top = self.layout.create_cell(self.name)

    def layer(self, name: str) -> int:
        return self.layout.layer(*self.tech.gds(name))

    def rect(
        self, name: str, x1: float, y1: float, x2: float, y2: float, cell: db.Cell | None = None
    ) -> None:
        (cell or self.top).shapes(self.layer(name)).insert(db.DBox(x1, y1, x2, y2))

    def rects(
        self, rows: list, dx: float = 0.0, dy: float = 0.0, cell: db.Cell | None = None
    ) -> None:
        for name, x1, y1, x2, y2 in rows:
            self.rect(name, x1 + dx, y1 + dy, x2 + dx, y2 + dy, cell)

    def label(
        self, conductor: str, text: str, x: float, y: float, cell: db.Cell | None = None
    ) -> None:
        shapes = (cell or self.top).shapes(self.layer(f"{conductor}_Label"))
        shapes.insert(db.DText(text, db.DTrans(db.DVector(x, y))))

    def relabel(self, names: dict[str, str | None]) -> None:
        """Change texts of the top cell; None deletes."""
        for info in self.layout.layer_infos():
            for shape in list(self.top.shapes(self.layout.layer(info)).each(db.Shapes.STexts)):
                text = shape.text
                if text.string in names:
                    shape.delete()
                    if (new := names[text.string]) is not None:
                        self.top.shapes(self.layout.layer(info)).insert(db.Text(new, text.trans))

    def cut(self, name: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Remove everything of a layer inside a box; the hierarchy is flattened first."""
        self.top.flatten(-1, True)
        shapes = self.top.shapes(self.layer(name))
        box = db.DBox(x1, y1, x2, y2).to_itype(self.layout.dbu)
        rest = db.Region(self.top.begin_shapes_rec(self.layer(name))).merged() - db.Region(box)
        shapes.clear()
        shapes.insert(rest)

    def extract(self) -> ExtractedLayout:
        return extract_layout(self.layout, self.tech)


def _stack(d: Drawing, x: float, y: float, low: int, high: int, cell: db.Cell) -> None:
    for n in range(low, high):
        d.rect(f"Via{n}", x, y, x + 0.26, y + 0.26, cell)
    for n in range(low, high + 1):
        d.rect(f"Metal{n}", x - 0.1, y - 0.1, x + 0.36, y + 0.36, cell)


def _hybrid_cell(d: Drawing) -> db.Cell:
    """Draw a 2T2R cell: BS west, TS in the middle, ME right of it, the tap in the east."""
    c = d.layout.create_cell("hybrid_cell")
    halves = (("BE", 0.5, 3, (0.3, 1.9)), ("TE", 3.8, 4, (1.35, 4.0)))
    for electrode, y, metal, strap in halves:
        d.rects(NMOS, 1.0, y, c)
        _stack(d, 1.05, y + 0.3, 1, metal, c)
        d.rect(f"Metal{metal}", 0, y + 0.15, PITCH_X, y + 0.75, c)
        _stack(d, 1.85, y + 1.2, 1, 5, c)
        d.rect("Via1", 1.45, y + 2.15, 1.71, y + 2.41, c)
        d.rect("Metal2", strap[0], y + 2.05, strap[1], y + 2.5, c)
        d.rect("Metal5", 1.6, y + 0.9, 2.6, y + 1.7, c)
        d.rect(f"V{electrode}", 1.8, y + 1.05, 2.3, y + 1.55, c)
    d.rect("Metal2", 0.3, 0, 0.7, PITCH_Y, c)
    d.rect("Metal2", 3.6, 0, 4.0, PITCH_Y, c)
    d.rect("BE", 1.6, 1.5, 5.0, 2.1, c)
    d.rect("TE", 1.6, 4.8, 2.6, 5.4, c)
    d.rect("TE", 2.0, 1.5, 2.6, 5.4, c)
    d.rect("TE", 2.0, 1.5, 5.0, 2.1, c)
    d.rect("ME", 3.5, 0, 4.5, PITCH_Y, c)
    for film in FILMS:
        d.rect(film, 3.2, 1.2, 4.8, 2.4, c)
    d.rect("Metal1", 5.4, 0, 5.8, PITCH_Y, c)
    for layer, grow in (("COMP", 0.3), ("Pplus", 0.32), ("Contact", 0.11)):
        d.rect(layer, 5.6 - grow, 3.3 - grow, 5.6 + grow, 3.3 + grow, c)
    return c


def hybrid_array(rows: int, cols: int) -> Drawing:
    """Draw an array of hybrid cells with labelled lines and a VSS bus."""
    d = Drawing(name=f"array_{rows}x{cols}")
    unit = _hybrid_cell(d).cell_index()
    step = (db.DVector(PITCH_X, 0), db.DVector(0, PITCH_Y))
    d.top.insert(db.DCellInstArray(unit, db.DTrans(), *step, cols, rows))
    for i in range(rows):
        d.label("Metal3", f"BR[{i}]", 0.1, i * PITCH_Y + 0.9)
        d.label("Metal4", f"TR[{i}]", 0.1, i * PITCH_Y + 4.2)
    for j in range(cols):
        x = j * PITCH_X
        d.label("Metal2", f"BS[{j}]", x + 0.5, 0.1)
        d.label("Metal2", f"TS[{j}]", x + 3.8, 0.1)
        d.rect("ME", x + 3.5, -2, x + 4.5, 0)
        d.rect("Metal5", x + 3.5, -2, x + 4.5, 0)
        d.rect("VME", x + 3.75, -1.5, x + 4.25, -1)
        d.label("Metal5", f"C[{j}]", x + 4, -1.2)
    d.rect("Metal1", 5.4, -0.4, (cols - 1) * PITCH_X + 5.8, 0)
    d.label("Metal1", "VSS", 5.6, -0.1)
    return d


def hybrid_netlist(rows: int, cols: int) -> str:
    """Return the netlist of `hybrid_array`."""
    counts = {"TR": rows, "BR": rows, "C": cols, "TS": cols, "BS": cols}
    lines = [f"{name}[{k}]" for name, count in counts.items() for k in range(count)]
    calls = [
        f"X{i}_{j} TR[{i}] BR[{i}] C[{j}] TS[{j}] BS[{j}] VSS hybrid_cell"
        for i in range(rows)
        for j in range(cols)
    ]
    top = f".subckt array_{rows}x{cols} {' '.join(lines)} VSS"
    return "\n".join(["* by hand", CELL_NETLIST, top, *calls, ".ends", ".end", ""])


def draw_inverter(n_tap: bool = True, p_tap: bool = True) -> Drawing:
    """Draw an inverter: NMOS at the bottom, PMOS of W = 2 um in an n-well above it."""
    d = Drawing(name="inverter")
    pmos = [("Pplus" if name == "Nplus" else name, *box) for name, *box in NMOS]
    d.rects(NMOS)
    d.rects([(name, x1, 7 - y2, x2, 7 - y1) for name, x1, y1, x2, y2 in pmos])
    d.rect("Nwell", -2.5, 4.0, 1.8, 7.6)
    d.rect("Metal1", 0.39, 2.09, 0.77, 4.91)
    d.rect("Metal1", 0.865, 0.01, 1.095, 6.99)
    for tap, implant, y in ((n_tap, "Nplus", 6.0), (p_tap, "Pplus", 1.0)):
        d.rect("Metal1", -1.5, y - 0.2, 0.295, y + 0.2)
        if tap:
            for layer, grow in (("COMP", 0.3), (implant, 0.32), ("Contact", 0.11)):
                d.rect(layer, -1.3 - grow, y - grow, -1.3 + grow, y + grow)
    for text, x, y in (("A", 0.5, 3.5), ("Y", 0.98, 3.5), ("VDD", -0.5, 6.0), ("VSS", -0.5, 1.0)):
        d.label("Metal1", text, x, y)
    return d


INVERTER_NETLIST = """\
* inverter
.subckt inverter A Y VDD VSS
MN Y A VSS VSS nfet W=2u L=0.28u
MP Y A VDD VDD pfet W=2u L=0.28u
.ends
"""


@pytest.fixture
def tech() -> Tech:
    return get_tech()


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


@pytest.fixture
def array() -> Callable[[int, int], Drawing]:
    return hybrid_array


@pytest.fixture
def inverter() -> Callable[..., Drawing]:
    return draw_inverter


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., LvsReport]:
    """Compare a drawing with a netlist given as text."""

    def run(drawing: Drawing, netlist: str, **options: object) -> LvsReport:
        path = tmp_path / "reference.spice"
        path.write_text(netlist)
        return compare_layout(drawing.extract(), path, **options)

    return run


@pytest.fixture
def netlist() -> Callable[[int, int], str]:
    return hybrid_netlist


@pytest.fixture
def inverter_netlist() -> str:
    return INVERTER_NETLIST
