"""The gain of overlapping as charts, for the reports of `build` and `compare`."""

from __future__ import annotations

from typing import Any

from ..analyse.timing import PULSE_S, base_of, dense_curve, pulses_for_paper, slot_words
from .charts import Axis, Curve, curve_chart, padded, timing_diagram


def at_pulse(timing: dict[str, Any], pulse_s: float) -> dict[str, Any]:
    """Return the line of the table over pulse time at one of its pulse times; empty if none."""
    rows = timing.get("overlap", {}).get("over_pulse", [])
    return next((row for row in rows if row["pulse"] == pulse_s), {})


def for_paper(timing: dict[str, Any]) -> dict[str, str]:
    """Return the two pulse times of each definition that give the paper's gain, in words."""
    return {
        name: f"{pulses[0] * 1e9:.1f} or {pulses[1] * 1e9:.1f} ns"
        for name, pulses in pulses_for_paper(base_of(timing["overlap"])).items()
    }


def charts(timing: dict[str, Any]) -> dict[str, Any]:
    """Return the charts ``gain`` (over pulse time) and ``diagram``, `for_paper` and ``slot``.

    Empty without an overlap.
    """
    if "overlap" not in timing:
        return {}
    rows = timing["overlap"]["over_pulse"]
    dots = [row["pulse"] * 1e9 for row in rows]
    dense = dense_curve(timing["overlap"])
    x = [t.pulse * 1e9 for t in dense]
    curves = [
        Curve("time saved", [100 * t.time_reduction for t in dense], "c0"),
        Curve("speed gained", [100 * t.speed_up for t in dense], "c1"),
    ]
    paper = 100 * timing["overlap"]["paper"]
    middle, slot = at_pulse(timing, PULSE_S), slot_words(timing["overlap"])
    return {
        "for_paper": for_paper(timing),
        "slot": slot,
        "gain": curve_chart(
            "Gain by overlapping write and read over the write pulse",
            x,
            curves,
            Axis(f"write pulse per {slot} (ns)", x[0], x[-1], log=True),
            padded([*curves[0].y, *curves[1].y, paper], "gain (%)"),
            levels=[(paper, f"paper: {paper:g} %", "c2")],
            dots=dots,
        ),
        "diagram": timing_diagram(
            f"Writing and reading of three layers with pulses of {PULSE_S * 1e9:g} ns",
            middle["read"],
            middle["write"],
        ),
    }
