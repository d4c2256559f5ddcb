"""A cross-section through one cell: what a cut along x meets, on the films of the stack.

Heights are stretched film by film, because 10 nm of oxide and 2 um of glass do not fit on one
page at one scale; the numbers beside the films are the true thicknesses.
"""

from __future__ import annotations

import math
from functools import reduce
from html import escape
from itertools import pairwise
from operator import and_
from pathlib import Path

import klayout.db as db

from ..base.layout import read_layout
from ..pdk import Layer, Tech
from ..pdk.nets import Device
from ..pdk.solids import solids_um
from .cut import Cut

_WIDTH, _LEFT, _RIGHT = 540, 250, 210
_SILICON = 46
#: room below the silicon for the axis and the line that says where the cut is
_FOOT = 54
#: piece of a layout in um that is searched for a memristor at least, whatever the cut's width
_SEARCH_UM = 24.0

#: devices of an array are at most this far apart, monitors farther, um
_NEIGHBOUR_UM = 50.0

#: dielectric -> class of its colour
_GLASS = {"SiO2": "oxide", "SiN": "nitride"}

#: where a film lies, where its material alone says too little
_PLACES = {"cap": " over the module"}

#: for a picture that stands alone, light or dark; inside the report, the page's colours rule
STYLE = (
    "<style>svg{background:#fff}"
    "text{font:11.5px sans-serif;fill:#1a2230}.muted,.small{fill:#5a6678}"
    ".leader{stroke:#5a6678;stroke-width:.7}.oxide{fill:#e4eef6;stroke:#fff;stroke-width:.5}"
    ".nitride{fill:#d6d0ea;stroke:#fff;stroke-width:.5}.silicon{fill:#b9b2a6}"
    ".onsilicon{font-weight:600}"
    "@media (prefers-color-scheme:dark){svg{background:#12161d}text{fill:#e6ebf2}"
    ".muted,.small{fill:#9aa7b8}.leader{stroke:#9aa7b8}.oxide{fill:#263544;stroke:#1a2029}"
    ".nitride{fill:#3a3556;stroke:#1a2029}.silicon{fill:#6b655b}}</style>"
)


def section_svg(path: Path, tech: Tech, cut: Cut | None = None) -> str:
    """Return an SVG cut through a layout; empty if a memristor is to be found and there is none.

    Args:
        path: layout file.
        tech: films and their heights.
        cut: where; None for a cut along x where it meets most layers of the first memristor.
    """
    cut = cut or Cut()
    layout = read_layout(path)
    if cut.across == "x":
        # a cut along y is a cut along x through the layout mirrored at its diagonal
        layout.top_cell().transform(db.Trans(db.Trans.M45))
    chosen = _choose_cut(layout, tech, cut)
    if chosen is None:
        return ""
    x1, x2, y = chosen
    zmap = _ZMap(tech)
    drawer = _Section(layout, tech, zmap, x1, x2, y)
    body = drawer.films() + drawer.shapes() + drawer.names() + drawer.axis(cut.along)
    height = zmap.total + _FOOT
    where = (
        f"cut along {cut.along} at {cut.across} = {y * layout.dbu:.3f} um, "
        f"{cut.along} = {x1 * layout.dbu:.3f} .. {x2 * layout.dbu:.3f} um"
    )
    full = _LEFT + _WIDTH + _RIGHT
    return (
        f'<svg class="section" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {full} {height:.0f}" role="img" '
        f'aria-label="Cross-section, {where}">{"".join(body)}'
        f'<text x="{_LEFT}" y="{height - 6:.0f}" class="small">{where}; heights not to scale</text>'
        "</svg>"
    )


def region_of(layout: db.Layout, tech: Tech, name: str, window: db.Box | None = None) -> db.Region:
    """Return a layer's shapes, those that touch a window if one is given."""
    index = layout.find_layer(*tech.gds(name))
    if index is None:
        return db.Region()
    top = layout.top_cell()
    if window is None:
        return db.Region(top.begin_shapes_rec(index))
    return db.Region(db.RecursiveShapeIterator(layout, top, index, window))


def _choose_cut(layout: db.Layout, tech: Tech, cut: Cut) -> tuple[int, int, int] | None:
    """Return (x1, x2, y) of the cut; what was left open goes through a memristor.

    There, it is at the height that meets most layers. Where only the middle was left open, a
    layout without memristors is cut in its own middle.
    """
    half = round(cut.width_um / 2 / layout.dbu)
    first = None
    if cut.at_um is None or cut.centre_um is None:
        first = first_crossing(layout, tech, max(half, round(_SEARCH_UM / 6 / layout.dbu)))
    if cut.at_um is not None:
        middle = (first or layout.top_cell().bbox()).center().x
        if cut.centre_um is not None:
            middle = round(cut.centre_um / layout.dbu)
        return middle - half, middle + half, round(cut.at_um / layout.dbu)
    if first is None:
        return None
    centre = first.center()
    x1, x2 = centre.x - half, centre.x + half
    window = db.Box(x1, first.bottom, x2, first.top)
    heights = {centre.y}
    cuts = ("land_via", "bottom_via", "top_via", "memristor_via", "contact")
    for name in (tech.roles.names[role] for role in cuts if role in tech.roles.names):
        for polygon in region_of(layout, tech, name, window).each():
            y = polygon.bbox().center().y
            if first.bottom < y < first.top:
                heights.add(y)
    conductors = [layer.name for layer in tech.layers if layer.name in solids_um(tech)]

    def met(y: int) -> tuple[int, int]:
        line = db.Box(x1, y, x2, y + 1)
        hit = [n for n in conductors if not region_of(layout, tech, n, line).is_empty()]
        return len(hit), -abs(y - centre.y)

    return x1, x2, max(heights, key=met)


def first_crossing(layout: db.Layout, tech: Tech, half: int) -> db.Box | None:
    """Return the box of a memristor in the south-west of an array, None if there is none.

    A lone device, as process monitors have them, counts only where there is no array.
    """
    box = layout.top_cell().bbox()
    alone: list[db.Box] = []
    for share in (0.1, 0.5, 1.0):  # a corner is enough for a large array
        corner = db.Box(
            box.left,
            box.bottom,
            box.left + max(6 * half, int(box.width() * share)),
            box.bottom + max(6 * half, int(box.height() * share)),
        )
        tiers = (_devices(layout, tech, tier, corner) for tier in tech.nets.memristors)
        alone = [p.bbox() for p in next((r for r in tiers if r.count()), db.Region()).each()]
        boxes = _with_neighbours(alone, round(_NEIGHBOUR_UM / layout.dbu))
        if boxes:
            return _second(boxes)
    return _second(alone) if alone else None


def _devices(layout: db.Layout, tech: Tech, tier: Device, window: db.Box) -> db.Region:
    """Return the memristors of one tier: its electrodes under each other, with its drawn films."""
    films = (name for name in tier.films if name in tech.drawn_insulators)
    parts = (*(wire for _, wire in tier.terminals), *films)
    return reduce(and_, (region_of(layout, tech, name, window) for name in parts)).merged()


def _with_neighbours(boxes: list[db.Box], reach: int) -> list[db.Box]:
    """Return the boxes that have another one beside them in their row or column."""
    found: set[int] = set()
    for along, across in (("left", "bottom"), ("bottom", "left")):
        order = sorted(
            range(len(boxes)),
            key=lambda k: (getattr(boxes[k], across), getattr(boxes[k], along)),
        )
        for a, b in pairwise(order):
            same = getattr(boxes[a], across) == getattr(boxes[b], across)
            if same and getattr(boxes[b], along) - getattr(boxes[a], along) <= reach:
                found |= {a, b}
    return [boxes[k] for k in sorted(found)]


def _second(boxes: list[db.Box]) -> db.Box:
    """Return the box in the second row and column, if there are: the first may be at the edge."""
    rows = sorted({b.bottom for b in boxes})
    bottom = rows[min(1, len(rows) - 1)]
    row = sorted((b for b in boxes if b.bottom == bottom), key=lambda b: b.left)
    return row[min(1, len(row) - 1)]


class _ZMap:
    """Heights in um -> pixels from the top; every film keeps a height that can be read."""

    def __init__(self, tech: Tech) -> None:
        edges = sorted({z for pair in tech.heights_um.values() for z in pair})
        self.at: dict[float, float] = {}
        y = 0.0
        for low, high in pairwise(edges):
            self.at[low] = y
            y += 13 + 22 * (high - low) ** 0.5
        self.at[edges[-1]] = y
        self.top = y
        self.total = y + _SILICON

    def __call__(self, z_um: float) -> float:
        """Return pixels from the top of the picture."""
        return self.top - self.at[z_um] + 2


class _Section:
    def __init__(
        self, layout: db.Layout, tech: Tech, zmap: _ZMap, x1: int, x2: int, y: int
    ) -> None:
        self.layout, self.tech, self.zmap = layout, tech, zmap
        self.x1, self.x2, self.y = x1, x2, y

    def films(self) -> list[str]:
        """Draw the insulators over the whole width, and the silicon below."""
        # the module's films are thin and follow what lies below; oxide fills up between them
        out = [
            f'<rect class="oxide" x="{_LEFT}" y="2" width="{_WIDTH}" '
            f'height="{self.zmap(0.0):.1f}"/>'
        ]
        for film in self.tech.films:
            if film.permittivity is None or film.name in self.tech.drawn_insulators:
                continue
            low, high = self.tech.heights_um[film.name]
            kind = next((c for m, c in _GLASS.items() if film.material.startswith(m)), "oxide")
            out.append(self._rect(self.x1, self.x2, low, high, f'class="{kind}"', film.name))
        y0 = self.zmap(0.0)
        out.append(
            f'<rect class="silicon" x="{_LEFT}" y="{y0:.1f}" width="{_WIDTH}" height="{_SILICON}"/>'
            f'<text x="{_LEFT + 8}" y="{y0 + _SILICON - 10:.1f}" class="onsilicon">'
            "p-substrate</text>"
        )
        return out

    def shapes(self) -> list[str]:
        """Draw what the cut meets."""
        out = []
        line, name = db.Box(self.x1, self.y, self.x2, self.y + 1), self.tech.roles.layer
        for layer in self.tech.layers:
            if layer.name not in solids_um(self.tech):
                continue
            low, high = solids_um(self.tech)[layer.name]
            for a, b in self._spans(layer.name, line):
                style = 'class="silicon"' if layer.name == name("diffusion") else _solid(layer)
                if layer.name == name("contact") and self._over(name("poly"), a, b):
                    low = self.tech.heights_um[name("poly")][1]
                out.append(
                    self._rect(a, b, low, high, style, f"{layer.name}: {self.tech.text_of(layer)}")
                )
        return out

    def _spans(self, name: str, line: db.Box) -> list[tuple[int, int]]:
        region = (region_of(self.layout, self.tech, name, line) & db.Region(line)).merged()
        boxes = [p.bbox() for p in region.each()]
        return [(b.left, b.right) for b in boxes]

    def _over(self, name: str, a: int, b: int) -> bool:
        return not region_of(
            self.layout, self.tech, name, db.Box(a, self.y, b, self.y + 1)
        ).is_empty()

    def _rect(self, a: int, b: int, low: float, high: float, style: str, title: str) -> str:
        scale = _WIDTH / (self.x2 - self.x1)
        x, width = _LEFT + (a - self.x1) * scale, (b - a) * scale
        y, height = self.zmap(high), self.zmap(low) - self.zmap(high)
        text = f"{title}, {(b - a) * self.layout.dbu:.3f} um wide"
        return (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {style}>'
            f"<title>{escape(text)}</title></rect>"
        )

    def axis(self, name: str) -> list[str]:
        """Draw where along the cut things are, in the layout's own coordinates."""
        dbu, y = self.layout.dbu, self.zmap.total + 8
        low, high = self.x1 * dbu, self.x2 * dbu
        step = _tick_um(high - low)
        out = [
            f'<line class="leader" x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + _WIDTH}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT + _WIDTH + 14}" y="{y + 16:.1f}" class="small">{name} in um</text>'
        ]
        for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
            x = _LEFT + (k * step - low) / (high - low) * _WIDTH
            out.append(
                f'<line class="leader" x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{y + 5:.1f}"/>'
                f'<text x="{x:.1f}" y="{y + 16:.1f}" class="small" text-anchor="middle">'
                f"{k * step:.6g}</text>"
            )
        return out

    def names(self) -> list[str]:
        """Write film names and thicknesses: insulators on the left, conductors on the right."""
        out = []
        for film in self.tech.films:
            low, high = self.tech.heights_um[film.name]
            middle = (self.zmap(low) + self.zmap(high)) / 2
            if film.sheet_ohm_sq is not None or film.name in self.tech.drawn_insulators:
                x, anchor, edge, step = _LEFT + _WIDTH + 14, "start", _LEFT + _WIDTH, 12
            else:
                x, anchor, edge, step = _LEFT - 14, "end", _LEFT, -12
            text = f"{film.name} {_thickness(film.thickness_um)}"
            note = film.material.split(",")[0] + _PLACES.get(film.name, "")
            out.append(
                f'<line class="leader" x1="{edge}" y1="{middle:.1f}" x2="{edge + step}" '
                f'y2="{middle:.1f}"/><text x="{x}" y="{middle + 3.5:.1f}" text-anchor="{anchor}">'
                f'{escape(text)}<tspan class="muted"> {escape(note)}</tspan></text>'
            )
        return out


def _solid(layer: Layer) -> str:
    # the class outlines it where its colour is close to that of the glass
    return f'class="solid" fill="{layer.color}"'


def _tick_um(span: float) -> float:
    """Return the distance of ticks, 1, 2 or 5 times a power of ten: at most nine of them."""
    power = 10.0 ** math.floor(math.log10(span / 8))
    return next(m * power for m in (1, 2, 5, 10) if span <= 8 * m * power * (1 + 1e-9))


def _thickness(um: float) -> str:
    return f"{um * 1000:.0f} nm" if um < 0.2 else f"{um:g} um"
