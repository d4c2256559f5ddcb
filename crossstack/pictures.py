"""Pictures: layouts by KLayout without a display, IR-drop maps by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .base.inputs import regular_file
from .base.outputs import one_step
from .pdk import FileError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

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


def drop_png(target: Path, mode: str, error: Floats, scale: tuple[float, float]) -> None:
    """Draw the IR drop of one mode, one map per tier.

    Args:
        target: PNG to write.
        mode: title.
        error: fraction of the ideal voltage lost, shape (tiers, rows, cols); nan outside.
        scale: ends of the scale, the same for every mode of a run.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = ("bottom tier", "top tier")
    tiers = len(error)
    figure = Figure(figsize=(4.2 * tiers + 0.8, 4.0), dpi=110)
    FigureCanvasAgg(figure)
    # a layout that matplotlib finds takes as long as the drawing
    margins, bar = _places(tiers)
    axes = figure.subplots(1, tiers, squeeze=False, gridspec_kw=margins)[0]
    image = None
    for t, ax in enumerate(axes):
        image = _one_map(ax, error[t], scale, names[t])
    if image is not None:
        figure.colorbar(image, cax=figure.add_axes(bar), label="voltage lost, % of ideal")
    figure.suptitle(f"IR drop, {mode} mode, wires and transistors")
    # matplotlib's version would make the bytes depend on more than the numbers
    with one_step(target) as work:
        figure.savefig(work, metadata={"Software": None})


def _places(tiers: int) -> tuple[dict[str, float], tuple[float, float, float, float]]:
    """Return the margins of the maps, and where their scale stands, in parts of the figure."""
    width, height = 4.2 * tiers + 0.8, 4.0
    left, right = 0.75 / width, 1.0 - 1.4 / width
    bottom, top = 0.55 / height, 1.0 - 0.65 / height
    margins = {"left": left, "right": right, "bottom": bottom, "top": top, "wspace": 0.26}
    return margins, (right + 0.15 / width, bottom, 0.16 / width, top - bottom)


def _one_map(ax: Axes, error: Floats, scale: tuple[float, float], title: str) -> Any:
    image = ax.imshow(
        error * 100,
        origin="lower",
        cmap="viridis",
        vmin=scale[0] * 100,
        vmax=scale[1] * 100,
        aspect="auto",
    )
    ax.set_facecolor("#dddddd")
    ax.set_title(title if np.isfinite(error).any() else f"{title} (being written)", fontsize=10)
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    return image


def scale_of(maps: Mapping[str, Floats]) -> tuple[float, float]:
    """Return one scale for all maps: from the least to the largest value."""
    seen = [m[np.isfinite(m)] for m in maps.values() if np.isfinite(m).any()]
    if not seen:
        return 0.0, 1.0
    values = np.concatenate(seen)
    return float(values.min()), max(float(values.max()), float(values.min()) + 1e-12)
