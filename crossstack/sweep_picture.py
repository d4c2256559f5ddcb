"""The picture of a sweep: worst device over the first parameter, one panel per mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.outputs import one_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: what is drawn: figure -> (words, line style, filled or hollow points)
_SHOWN = {
    "worst_device_all": ("all series parts", "-", "full"),
    "worst_device_wires": ("wires", "--", "none"),
}


def draw(path: Path, vary: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw the worst device's loss; lines for the other parameters' values.

    Args:
        path: PNG to write.
        vary: key -> values; the first key with several values is the x axis.
        rows: what `sweep.run` returned.
    """
    from matplotlib.figure import Figure

    modes = list(dict.fromkeys(mode for row in rows for mode in row.get("modes", {})))
    figure = Figure(figsize=(6.2 * max(len(modes), 1), 4.4), layout="constrained", dpi=110)
    panels = figure.subplots(1, max(len(modes), 1), squeeze=False, sharey=True)[0]
    key = next((k for k, values in vary.items() if len(values) > 1), next(iter(vary)))
    for mode, axis in zip(modes, panels, strict=False):
        _panel(axis, key, vary[key], mode, rows)
    if not modes:
        panels[0].text(0.5, 0.5, "no case could be solved", ha="center")
    # matplotlib's version would make the bytes depend on more than the numbers
    with one_step(path) as work:
        figure.savefig(work, metadata={"Software": None})


def _panel(
    axis: Axes, key: str, values: Sequence[Any], mode: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    place = {str(v): float(v) if numbers else k for k, v in enumerate(values)}
    lines: dict[str, list[tuple[float, Mapping[str, float]]]] = {}
    for row in rows:
        if mode not in row.get("modes", {}):
            continue
        rest = ", ".join(f"{k}={v}" for k, v in row["case"].items() if k != key)
        point = (place[str(row["case"][key])], row["modes"][mode])
        lines.setdefault(rest, []).append(point)
    for number, (rest, points) in enumerate(lines.items()):
        points.sort(key=lambda p: p[0])
        for name, (words, style, fill) in _SHOWN.items():
            axis.plot(
                [x for x, _ in points],
                [100 * m[name] for _, m in points],
                linestyle=style if numbers else "",  # between words lies nothing
                marker="o",
                fillstyle=fill,
                color=f"C{number % 10}",
                label=f"{words}, {rest}" if rest else words,
            )
    if not numbers:
        axis.set_xticks(range(len(values)), [str(v) for v in values])
        axis.set_xlim(-0.5, len(values) - 0.5)
    axis.set(title=f"{mode} mode", xlabel=key, ylabel="worst device, voltage lost (%)")
    axis.set_ylim(bottom=0)
    axis.label_outer()
    if len(lines) <= 6:
        axis.legend(fontsize=8)
