"""Pictures of layouts, by KLayout without a display."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import klayout.db as db
from PIL import Image

from .base.inputs import regular_file
from .base.outputs import one_step
from .pdk import FileError

LIGHT = "#ffffff"
#: white around a layout and its names, part of their longer side
_MARGIN = 0.01


def layout_png(
    layout: Path, lyp: Path, target: Path, size: int = 1400, markers: Path | None = None
) -> None:
    """Draw a layout, with DRC markers if a .lyrdb is given.

    Args:
        layout: GDS or OASIS file.
        lyp: layer properties.
        target: PNG to write.
        size: longer side in pixels.
        markers: report database whose markers are drawn on top.
    """
    import klayout.lay as lay

    from .picture_names import cover, names_of, write_names

    view = lay.LayoutView()
    view.set_config("background-color", LIGHT)
    view.set_config("grid-visible", "false")
    view.set_config("text-visible", "false")
    try:
        view.load_layout(str(layout), False)
    except RuntimeError:
        raise FileError(f"{layout} is not a readable GDS or OASIS file") from None
    view.load_layer_props(str(lyp))
    view.max_hier()
    kept = _draw_markers(view, markers) if markers is not None else []
    cell, drawn = view.active_cellview().cell, view.active_cellview().layout()
    box = cell.dbbox()
    if box.width() + box.height() <= 0:  # nothing is drawn: a white picture
        box = db.DBox(0, 0, 1, 1)
    scale = max(box.width(), box.height()) / size
    names = names_of(drawn, cell, scale)
    seen = cover(box, names, scale)
    margin = max(seen.width(), seen.height()) * _MARGIN
    seen = seen.enlarged(margin, margin)
    ratio = seen.width() / seen.height()
    width, height = (
        max(round(side), size // 6) for side in (size * min(ratio, 1), size / max(ratio, 1))
    )
    view.zoom_box(seen)
    pixels = view.get_pixels_with_options(width, height)
    del kept
    with Image.open(BytesIO(pixels.to_png_data())) as plain, one_step(target) as work:
        try:
            write_names(plain, names, seen).save(work, format="PNG", optimize=True)
        except OSError as error:
            raise FileError(f"cannot write {target}: {error}") from None


def check_markers(markers: Path) -> None:
    """Refuse a file that is no marker database, before KLayout or a picture starts on it.

    Raises:
        FileError: naming the file.
    """
    with regular_file(markers).open("rb") as stream:
        if b"<report-database>" not in stream.read(1000):
            raise _no_markers(markers)


def _no_markers(markers: Path) -> FileError:
    return FileError(f"{markers.name} is not a marker database (.lyrdb)")


def _draw_markers(view: Any, markers: Path) -> list[Any]:
    """Draw a box for every marker; the returned markers live as long as the picture needs."""
    import klayout.db  # noqa: F401  (klayout.rdb needs it loaded)
    import klayout.lay as lay
    import klayout.rdb as rdb

    database = rdb.ReportDatabase("drc")
    try:
        database.load(str(markers))
    except RuntimeError:
        raise _no_markers(markers) from None
    kept = []
    for item in database.each_item():
        for value in item.each_value():
            shape = value.box() if value.is_box() else _bbox(value)
            if shape is None:
                continue
            marker = lay.Marker(view)
            marker.set(shape.enlarged(0.2, 0.2))
            marker.color, marker.line_width = 0xE00000, 2
            kept.append(marker)
    return kept


def _bbox(value: Any) -> Any:
    for kind in ("polygon", "edge_pair", "edge", "path"):
        if getattr(value, f"is_{kind}")():
            return getattr(value, kind)().bbox()
    return None
