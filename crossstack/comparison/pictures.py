"""Pictures of the comparison: IR-drop maps on one scale, current paths, timing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analyse.paper import IR_DROP, SPEED
from ..analyse.timing import dense_curve
from ..base import names
from ..base.names import BOTTOM, TOP
from ..base.outputs import one_step
from ..solve.modes.modes import DEEP_NET, EXPANSION
from .cases import Floats, Proved
from .landscape import RATIO, SERIES, Landscape
from .table import Compared, RatioPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..lvs import ExtractedLayout

_BLUE, _ORANGE, _GREEN, _GREY = "#2166ac", "#d6604d", "#1b7837", "#9e9e9e"
#: nets that carry current in each mode, and their colour
_PATHS = {
    EXPANSION: (
        ((*reversed(names.INPUTS), *reversed(names.ROWS)), _BLUE),
        ((names.COLUMN, names.OUTPUT), _GREEN),
    ),
    f"{DEEP_NET}: bottom reads, top column 0 is written": (
        ((names.INPUTS[BOTTOM], names.ROWS[BOTTOM]), _BLUE),
        ((names.COLUMN, names.OUTPUT), _GREEN),
        ((names.WRITE_ROW, names.ROWS[TOP], names.WRITE_RAIL, names.column(0)), _ORANGE),
    ),
}


def drop_maps(path: Path, compared: Compared, pattern: str, view: str) -> None:
    """Draw the stacked tiers and the planar baseline on one colour scale."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    stacked, planar = (v.maps[view] for v in compared.results[pattern])
    panels: list[tuple[str, Floats]] = [
        ("stacked, bottom tier", stacked[0]),
        ("stacked, top tier", stacked[1]),
        ("planar", planar[0]),
    ]
    low = min(float(np.nanmin(m)) for _, m in panels) * 100
    high = max(float(np.nanmax(m)) for _, m in panels) * 100
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, (title, values) in zip(axes, panels, strict=True):
        image = axis.imshow(
            values * 100, origin="lower", vmin=low, vmax=high, cmap="viridis", aspect="auto"
        )
        axis.set(title=title, xlabel="column", ylabel="row (0 is next to the sense end)")
        for one in (axis.xaxis, axis.yaxis):
            one.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, ax=list(axes), label="part of the input lost (%)")
    figure.suptitle(f"IR drop, {pattern}, counted: {view}")
    with one_step(path) as work:
        figure.savefig(work, dpi=110, metadata={"Software": None})


def ratio_curve(path: Path, rows: Sequence[RatioPoint], drawn: float) -> None:
    """Draw the reduction over r_row / r_col with the paper's figure and the drawn ratio."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    x = [r.ratio for r in rows]
    axis.plot(x, [100 * r.reduction for r in rows], "o-", color=_BLUE, label="extracted, solved")
    axis.plot(x, [100 * r.theory for r in rows], "--", color=_GREY, label="first-order theory")
    axis.axhline(100 * IR_DROP, color=_ORANGE, lw=1, label="paper: 22 %")
    axis.axvline(drawn, color=_GREEN, lw=1, label=f"as drawn: {drawn:.2f}")
    axis.set(xscale="log", xlabel="row wire / column wire, per cell", ylabel="less IR drop (%)")
    axis.legend()
    with one_step(path) as work:
        figure.savefig(work, dpi=110, metadata={"Software": None})


def gain_curve(path: Path, timing: Mapping[str, Any]) -> None:
    """Draw both definitions of the deep-net gain over the pulse time."""
    from matplotlib.figure import Figure

    rows = timing["over_pulse"]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    x, dense = [r["pulse"] * 1e9 for r in rows], dense_curve(timing)
    for key, color in (("time_reduction", _BLUE), ("speed_up", _GREEN)):
        axis.plot(x, [100 * r[key] for r in rows], "o", color=color, label=key.replace("_", " "))
        axis.plot([t.pulse * 1e9 for t in dense], [100 * getattr(t, key) for t in dense], c=color)
    axis.axhline(100 * SPEED, color=_ORANGE, lw=1, label="paper: 29 %")
    axis.set(xscale="log", xlabel="write pulse per column (ns)", ylabel="gain by overlap (%)")
    axis.legend()
    with one_step(path) as work:
        figure.savefig(work, dpi=110, metadata={"Software": None})


def timing_diagram(path: Path, row: Mapping[str, Any]) -> None:
    """Draw reading and writing of three layers, one after the other and overlapped."""
    from matplotlib.figure import Figure

    read, write = row["read"] * 1e9, row["write"] * 1e9
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    axis = figure.subplots()
    start = 0.0
    for layer in range(3):
        _bar(axis, 3, start, write, _ORANGE, f"write {layer}")
        _bar(axis, 3, start + write, read, _BLUE, f"read {layer}")
        start += write + read
    step = max(read, write)
    for layer in range(3):
        y = 1 + layer % 2 * 0.8
        begin = 0.0 if layer == 0 else write + (layer - 1) * step
        _bar(axis, y, begin, write, _ORANGE, f"write {layer}")
        _bar(axis, y, write + layer * step, read, _BLUE, f"read {layer}")
    axis.set(
        yticks=[1, 1.8, 3],
        yticklabels=["deep-net, one tier", "deep-net, other tier", "one after the other"],
        xlabel="time (ns)",
        ylim=(0.4, 3.6),
    )
    with one_step(path) as work:
        figure.savefig(work, dpi=110, metadata={"Software": None})


def _bar(axis: Axes, y: float, x: float, width: float, color: str, text: str) -> None:
    axis.barh(y, width, left=x, height=0.6, color=color, alpha=0.8, edgecolor="white")
    axis.text(x + width / 2, y, text, ha="center", va="center", fontsize=8)


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
