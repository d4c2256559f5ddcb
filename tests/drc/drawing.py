"""Draw small patterns in um."""

from __future__ import annotations

import klayout.db as kdb

from crossstack.drc.evaluate import layer_pair
from crossstack.pdk import Tech

GRID = 0.005


class Draw:
    """Shapes of one pattern; `d` is 0 at the limit and one grid step below it."""

    def __init__(self, tech: Tech, d: float) -> None:
        self.tech, self.d = tech, d
        self.layout = kdb.Layout()
        self.layout.dbu = tech.dbu_um
        self.top = self.layout.create_cell("PATTERN")

    def rect(self, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        self.poly(layer, [(x1, y1), (x1, y2), (x2, y2), (x2, y1)])

    def poly(self, layer: str, points: list[tuple[float, float]]) -> None:
        index = self.layout.layer(*layer_pair(layer, self.tech))
        dbu = [kdb.Point(round(x * 1000), round(y * 1000)) for x, y in points]
        self.top.shapes(index).insert(kdb.Polygon(dbu))

    def square(self, layer: str, x: float, y: float, side: float) -> None:
        """A square with its lower left corner at (x, y)."""
        self.rect(layer, x, y, x + side, y + side)

    def around(self, layer: str, box: tuple[float, float, float, float], over: float) -> None:
        """A rectangle that surrounds a box by `over`."""
        x1, y1, x2, y2 = box
        self.rect(layer, x1 - over, y1 - over, x2 + over, y2 + over)

    # the front end's recurring parts

    def ptap(self, x1: float, y1: float, x2: float, y2: float, over: float = 0.16) -> None:
        self.rect("COMP", x1, y1, x2, y2)
        self.around("Pplus", (x1, y1, x2, y2), over)

    def ncomp(self, x1: float, y1: float, x2: float, y2: float, over: float = 0.16) -> None:
        self.rect("COMP", x1, y1, x2, y2)
        self.around("Nplus", (x1, y1, x2, y2), over)

    def far_tap(self) -> None:
        """A p-tap within reach of shapes near the origin, and clear of them."""
        self.ptap(-6, 0, -5, 1)

    def nmos(
        self, width: float = 1.0, length: float = 0.28, side: float = 0.5, over: float = 0.23,
        cap: float = 0.22,
    ) -> tuple[float, float]:  # fmt: skip
        """A bare n-channel transistor with its channel's lower left corner at (0, 0)."""
        self.far_tap()
        self.rect("COMP", -side, 0, length + side, width)
        self.around("Nplus", (-side, 0, length + side, width), over)
        self.rect("Poly2", 0, -cap, length, width + cap)
        return width, length

    def pmos(self, side: float = 0.5, over: float = 0.23) -> None:
        """A bare p-channel transistor, channel at (0, 0)..(0.28, 1), in a tapped Nwell."""
        self.nwell(-3, -2, 4, 3)
        self.rect("COMP", -side, 0, 0.28 + side, 1)
        self.around("Pplus", (-side, 0, 0.28 + side, 1), over)
        self.rect("Poly2", 0, -0.22, 0.28, 1.22)

    def nwell(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """An Nwell with an n-tap in its upper right corner."""
        self.rect("Nwell", x1, y1, x2, y2)
        self.ncomp(x2 - 1.1, y2 - 1.1, x2 - 0.5, y2 - 0.5, over=0.02)

    def cut(self, layer: str, x: float, y: float, side: float, over: float = 0.2) -> None:
        """A cut with wide metal on both sides of it."""
        self.square(layer, x, y, side)
        for metal in JOINS[layer]:
            self.around(metal, (x, y, x + side, y + side), over)

    # the module's recurring parts

    def area(self) -> None:
        """The post-process area around everything drawn."""
        box = self.top.dbbox()
        x1, y1, x2, y2 = (round(v) for v in (box.left, box.bottom, box.right, box.top))
        self.rect("POSTPROC", x1 - 2, y1 - 2, x2 + 2, y2 + 2)

    def crossing(
        self, tier: str, oxide: dict[str, float] | None = None, tip: float | None = None,
        w: float = 1.0,
    ) -> float:  # fmt: skip
        """A device at (0, 0)..(w, w), the row line along x, ME along y; returns w."""
        a = self.tech.profile.overlay_um
        reach = 2 * a if tip is None else tip
        row = {"B": "BE", "T": "TE"}[tier]
        self.rect(row, -reach, 0, w + reach, w)
        self.rect("ME", 0, -2 * a - 1, w, w + 2 * a + 1)
        for film in (f"TIO2_{tier}", f"TIO2X_{tier}"):
            over = a if oxide is None else oxide.get(film, a)
            self.rect(film, -a, -a, w + over, w + a)
        return w


JOINS = {
    "Contact": ("Metal1",),
    "Via1": ("Metal1", "Metal2"),
    "Via2": ("Metal2", "Metal3"),
    "Via3": ("Metal3", "Metal4"),
    "Via4": ("Metal4", "Metal5"),
    "VBE": ("Metal5", "BE"),
    "VME": ("Metal5", "ME"),
    "VTE": ("Metal5", "TE"),
}
