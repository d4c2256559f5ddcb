"""Pictures of the comparison that its page shows: current paths, and a map of the reduction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..analyse.paper import IR_DROP
from ..base import names
from ..base.names import BOTTOM, TOP
from ..base.outputs import one_step
from ..solve.modes.modes import DEEP_NET, EXPANSION
from .cases import Proved
from .landscape import RATIO, SERIES, Landscape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..lvs import ExtractedLayout

_BLUE, _ORANGE, _GREEN, _GREY = "#2166ac", "#d6604d", "#1b7837", "#9e9e9e"
#: nets that carry current in each mode, and their colour
_PATHS = {
    EXPANSION: (
        ((*reversed(names.ALL_INPUTS), *reversed(names.ROWS)), _BLUE),
        ((names.COLUMN, names.OUTPUT), _GREEN),
    ),
    f"{DEEP_NET}: bottom reads, top column 0 is written": (
        ((names.INPUTS[BOTTOM], names.FAR_INPUTS[BOTTOM], names.ROWS[BOTTOM]), _BLUE),
        ((names.COLUMN, names.OUTPUT), _GREEN),
        ((*names.WRITE_ROWS, names.ROWS[TOP], names.WRITE_RAIL, names.column(0)), _ORANGE),
    ),
}


def current_paths(folder: Path, proved: Proved) -> list[Path]:
    """Draw the macro once per mode with the nets that carry current in colour."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    made = []
    outlines = _net_shapes(proved.layout)
    for number, (mode, groups) in enumerate(_PATHS.items()):
        figure = Figure(figsize=(11, 6), layout="constrained")
        axis = figure.subplots()
        _fill(axis, [b for boxes in outlines.values() for b in boxes], "#e4e4e4")
        handles = []
        for stems, color in groups:
            wanted = [
                box
                for net, boxes in outlines.items()
                if net in stems or names.kind_of(net) in stems
                for box in boxes
            ]
            _fill(axis, wanted, color)
            handles.append(Patch(color=color, label="  ".join(stems)))
        axis.set(title=mode, xlabel="um", ylabel="um", aspect="equal")
        axis.autoscale_view()
        axis.legend(handles=handles, loc="lower left", title="nets that carry current")
        path = folder / f"paths_{number}_{mode.split(':')[0]}.png"
        with one_step(path) as work:
            figure.savefig(work, dpi=110, metadata={"Software": None})
        made.append(path)
    return made


def _net_shapes(layout: ExtractedLayout) -> dict[str, list[tuple[float, float, float, float]]]:
    """Return labelled net -> boxes of its metal, in um."""
    tech = layout.tech
    metals = {*tech.roles.wires, *tech.module.electrodes}
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for net in layout.flat.nets:
        if not net.name:
            continue
        for layer, region in layout.net_shapes(net).items():
            if layer in metals:
                for polygon in region.merged().decompose_trapezoids_to_region().each():
                    box = polygon.bbox().to_dtype(layout.dbu)
                    found.setdefault(net.name, []).append(
                        (box.left, box.bottom, box.width(), box.height())
                    )
    return found


def _fill(axis: Axes, boxes: list[tuple[float, float, float, float]], color: str) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    patches = [Rectangle((x, y), w, h) for x, y, w, h in boxes]
    axis.add_collection(PatchCollection(patches, facecolor=color, edgecolor="none", alpha=0.75))


def reduction_map(path: Path, found: Landscape) -> None:
    """Draw the reduction over series resistance and row wire, the paper's contour, drawn arrays.

    Args:
        path: PNG to write.
        found: what `landscape.landscape` returned.
    """
    from matplotlib.figure import Figure

    maps = found.maps
    figure = Figure(figsize=(5.6 * len(maps) + 0.8, 4.8), layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    x, y = SERIES, RATIO
    for axis, (key, value) in zip(axes, maps.items(), strict=True):
        saved = 100 * np.array(value.reduction)
        filled = axis.contourf(x, y, saved, levels=np.arange(0, 55, 5), cmap="viridis")
        line = axis.contour(x, y, saved, levels=[100 * IR_DROP], colors="white")
        axis.clabel(line, fmt="%g %%", fontsize=9)
        for point in found.drawn:
            if point.pair != key and not (key == "planar" and point.pair == "passive"):
                continue
            at = [
                float(np.clip(place, values[0], values[-1]))
                for place, values in ((point.series_over_col, x), (point.row_over_col, y))
            ]
            axis.plot(*at, "o", color=_ORANGE, mec="white")
            words = f"{point.pair}, {point.view}: {100 * point.reduction:.0f} %"
            axis.annotate(words, at, xytext=(5, 4), textcoords="offset points", fontsize=7,
                          color="white")  # fmt: skip
        axis.set(xscale="log", yscale="log", title=value.text)
        axis.set(xlabel="R_series / r_col", ylabel="r_row / r_col")
    figure.colorbar(filled, ax=list(axes), label="less IR drop, worst device (%)")
    with one_step(path) as work:
        figure.savefig(work, dpi=110, metadata={"Software": None})
