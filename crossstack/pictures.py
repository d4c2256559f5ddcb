"""Pictures of layouts, by KLayout without a display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .base.inputs import regular_file
from .base.outputs import one_step
from .pdk import FileError

LIGHT = "#ffffff"


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

    view = lay.LayoutView()
    view.set_config("background-color", LIGHT)
    view.set_config("grid-visible", "false")
    view.set_config("text-visible", "true")
    view.set_config("text-color", "#000000")  # in its layer's colour, a name drowns in its line
    try:
        view.load_layout(str(layout), False)
    except RuntimeError:
        raise FileError(f"{layout} is not a readable GDS or OASIS file") from None
    view.load_layer_props(str(lyp))
    view.max_hier()
    view.zoom_fit()
    kept = _draw_markers(view, markers) if markers is not None else []
    box = view.active_cellview().cell.bbox()
    wide = box.width() >= box.height()
    ratio = min(box.width(), box.height()) / max(box.width(), box.height(), 1)
    short = max(round(size * ratio * 1.02), size // 6)
    width, height = (size, short) if wide else (short, size)
    with one_step(target) as work:
        try:
            view.save_image(str(work), width, height)
        except RuntimeError as error:
            raise FileError(f"cannot write {target}: {error}") from None
    del kept


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
