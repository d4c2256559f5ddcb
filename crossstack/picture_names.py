"""The names of pins in a picture of a layout: no two over each other, none over the edge.

KLayout's text starts at its point and has one size, so that pads side by side cover each other's
names and the last ones leave the picture. Here each is centred on its point, lies or stands as in
the report, and is left out where it would be too small to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import klayout.db as db
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .report.names_svg import LARGE, STEP, fonts_of, merged

#: font in pixels: at most, and what is still read
_MOST, _LEAST = 12, 8
_INK, _HALO = (0, 0, 0, 255), (255, 255, 255, 255)


@dataclass(frozen=True)
class Drawn:
    """A name as it is drawn.

    Attributes:
        x, y: its middle in um.
        text: the name.
        font: pixels.
        stands: whether it is turned, to be read from below upwards.
    """

    x: float
    y: float
    text: str
    font: int
    stands: bool

    def tile(self) -> Image.Image:
        """Return its picture, black in a white halo, without room around."""
        font = _font(self.font)
        left, top, right, bottom = font.getbbox(self.text, stroke_width=1)
        tile = Image.new("RGBA", (round(right - left), round(bottom - top)))
        ImageDraw.Draw(tile).text(
            (-left, -top), self.text, _INK, font, stroke_width=1, stroke_fill=_HALO
        )
        return tile.transpose(Image.Transpose.ROTATE_90) if self.stands else tile


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def names_of(layout: db.Layout, top: db.Cell, um_per_pixel: float) -> list[Drawn]:
    """Return the names that can be read in a picture of a layout.

    Those of the top cell; if it has none, as one that just holds another, all below it.

    Args:
        layout: where they are.
        top: its top cell.
        um_per_pixel: scale of the picture.
    """
    texts = [
        (shape.bbox().p1, shape.text_string)
        for index in layout.layer_indexes()
        for shape in top.shapes(index).each(db.Shapes.STexts)
    ]
    names = merged(texts or _below(layout, top))
    box = top.bbox()
    fonts, stands = fonts_of(names, max(box.width(), box.height()) / STEP * LARGE)
    step = STEP * layout.dbu
    room = max(box.width(), box.height()) * layout.dbu / um_per_pixel
    pixels = np.minimum(fonts * step / um_per_pixel, _MOST).astype(int)
    found = [
        Drawn(name.x * step, -name.y * step, name.text, int(size), bool(up))
        for name, size, up in zip(names, pixels, stands, strict=True)
        if size >= _LEAST
    ]
    # one longer than the picture would shrink the layout, and be cut all the same
    return [name for name in found if _font(name.font).getlength(name.text) <= room]


def _below(layout: db.Layout, top: db.Cell) -> list[tuple[db.Point, str]]:
    found = []
    for index in layout.layer_indexes():
        each = db.RecursiveShapeIterator(layout, top, index)
        each.shape_flags = db.Shapes.STexts
        for one in each.each():
            text = one.shape().text.transformed(one.trans())
            found.append((text.bbox().p1, text.string))
    return found


def cover(box: db.DBox, names: list[Drawn], um_per_pixel: float) -> db.DBox:
    """Return a box, in um, enlarged to all of its names."""
    for name in names:
        wide, high = (side * um_per_pixel / 2 for side in name.tile().size)
        box += db.DBox(name.x - wide, name.y - high, name.x + wide, name.y + high)
    return box


def write_names(picture: Image.Image, names: list[Drawn], box: db.DBox) -> Image.Image:
    """Write names over a picture of a box of the layout, which lies in its middle.

    Args:
        picture: what KLayout drew.
        names: what is written.
        box: what the picture shows at least, in um.
    """
    scale = min(picture.width / box.width(), picture.height / box.height())
    over = picture.convert("RGBA")
    for name in names:
        tile = name.tile()
        x = picture.width / 2 + (name.x - box.center().x) * scale - tile.width / 2
        y = picture.height / 2 - (name.y - box.center().y) * scale - tile.height / 2
        over.alpha_composite(tile, (max(round(x), 0), max(round(y), 0)))
    return over.convert("RGB")
