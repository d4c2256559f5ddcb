"""The gain of overlapping as charts, for the reports of `build` and `compare`."""

from __future__ import annotations

from typing import Any

from ..timing import PULSE_S
from .charts import Axis, Curve, curve_chart, padded, timing_diagram


def at_pulse(timing: dict[str, Any], pulse_s: float) -> dict[str, Any]:
    """Return the line of the table over pulse time at one of its pulse times; empty if none."""
    rows = timing.get("overlap", {}).get("over_pulse", [])
    return next((row for row in rows if row["pulse"] == pulse_s), {})


def charts(timing: dict[str, Any]) -> dict[str, str]:
    """Return the charts ``gain`` (over pulse time) and ``diagram``; empty without an overlap."""
    if "overlap" not in timing:
        return {}
    rows = timing["overlap"]["over_pulse"]
    x = [row["pulse"] * 1e9 for row in rows]
    curves = [
        Curve("time saved", [100 * row["time_reduction"] for row in rows], "c0"),
        Curve("speed gained", [100 * row["speed_up"] for row in rows], "c1"),
    ]
    paper = 100 * timing["overlap"]["paper"]
    middle = at_pulse(timing, PULSE_S)
    return {
        "gain": curve_chart(
            "Gain by overlapping write and read over the write pulse",
            x,
            curves,
            Axis("write pulse per column (ns)", x[0], x[-1], log=True),
            padded([*curves[0].y, *curves[1].y, paper], "gain (%)"),
            level=(paper, f"paper: {paper:g} %"),
        ),
        "diagram": timing_diagram(
            f"Writing and reading of three layers with pulses of {PULSE_S * 1e9:g} ns",
            middle["read"],
            middle["write"],
        ),
    }
