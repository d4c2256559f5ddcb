"""Charts of an array's solution: voltage along lines, column currents, writes, the device's I-V."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analyse.operating import write_law
from ..base import names
from ..pdk import Tech
from ..solve.circuit.iv import Linear
from .charts import Axis, Curve, curve_chart, near, padded
from .page import scaled

Floats = NDArray[np.float64]

#: points of a curve of the device's law
_POINTS = 60


def line_charts(maps: Mapping[str, Mapping[str, Floats]], applied_v: float) -> dict[str, str]:
    """Return mode -> the voltage of devices along the lines of the one that loses most.

    Args:
        maps: a table by `tables.write_table`.
        applied_v: read voltage, V.
    """
    found = {}
    for mode, m in maps.items():
        lost = m["error_all_series"]
        if np.isnan(lost).all():
            continue
        _, i, j = np.unravel_index(int(np.nanargmax(lost)), lost.shape)
        curves = []
        for tier in range(len(lost)):
            word, volts = names.TIER_NAMES[tier], np.where(np.isnan(lost), np.nan, m["voltage_V"])
            for where, along, style in (
                (names.row(tier, int(i)), volts[tier, i, :], f"c{tier}"),
                (f"{names.column(int(j))}, {word} tier", volts[tier, :, j], f"c{tier} dashed"),
            ):
                if not np.isnan(along).all():
                    curves.append(Curve(f"along {where}", (1e3 * along).tolist(), style))
        if curves:
            found[mode] = _along(mode, curves, applied_v)
    return found


def _along(mode: str, curves: Sequence[Curve], applied_v: float) -> str:
    longest = max(len(curve.y) for curve in curves)
    return curve_chart(
        f"Voltage of the devices along a row line and a column line, {mode} mode",
        list(range(longest)),
        curves,
        _numbers("column along a row line, row along a column line", longest),
        near(
            [v for curve in curves for v in curve.y if not np.isnan(v)],
            f"device voltage (mV), of {1e3 * applied_v:g} mV",
        ),
    )


def _numbers(text: str, count: int) -> Axis:
    return Axis(text, -0.3, max(count - 1, 1) + 0.3, whole=True)


def column_charts(modes: Mapping[str, Any]) -> dict[str, str]:
    """Return mode -> column currents, ideal and with everything counted.

    Args:
        modes: entries of ir_drop.json.
    """
    found = {}
    for mode, m in modes.items():
        at = [int(j) for j in m.get("columns_counted", [])]
        if not at:
            continue
        pairs = [(m["ideal_column_currents_A"][j], m["column_currents_A"][j]) for j in at]
        if any(value is None for pair in pairs for value in pair):
            continue
        ideal, real = ([1e6 * pair[k] for pair in pairs] for k in (0, 1))
        axis = _numbers("column", at[-1] + 1)
        found[mode] = curve_chart(
            f"Current of every column, ideal and real, {mode} mode",
            at,
            [Curve("ideal", ideal, "c1"), Curve("wires and transistors counted", real, "c0")],
            axis,
            padded([*ideal, *real], "column current (uA), from zero"),
        )
    return found


def write_chart(writes: Mapping[str, Any], tech: Tech) -> str:
    """Return the voltage that each device of a written column gets, in a set and a reset.

    Args:
        writes: polarity -> what ir_drop.json says of the write.
        tech: what its devices need.
    """
    curves, levels = [], []
    needs = {"set": tech.memristor.set_needed_v, "reset": tech.memristor.reset_needed_v}
    for style, (polarity, w) in zip(("c0", "c1"), writes.items(), strict=False):
        found = w["device_voltages_V"]
        if None in found:
            continue
        # of rows that are written in another turn, a device sees next to nothing now
        applied = w.get("applied_V") or found
        volts = [abs(v) if on else math.nan for v, on in zip(found, applied, strict=True)]
        curves.append(Curve(f"{polarity}, column {w['column']}", volts, style))
        if (need := needs.get(polarity)) is not None:
            levels.append((need, f"needed to {polarity}: {need:g} V", f"{style} dashed"))
    if not any(sum(not math.isnan(v) for v in curve.y) > 1 for curve in curves):
        return ""  # of one row that is written at a time there is no course along the column
    rows = max(len(curve.y) for curve in curves)
    now = [k for k, v in enumerate(curves[0].y) if not math.isnan(v)]
    tops = [
        *(v for c in curves for v in c.y if not math.isnan(v)),
        *(level for level, *_ in levels),
    ]
    return curve_chart(
        "Voltage of the devices that are written at once, in their column",
        list(range(rows)),
        curves,
        _numbers("row", rows),
        padded(tops, "voltage over the device (V), from zero"),
        levels=levels,
        dots=None if len(now) == rows else now,
    )


def device_chart(tech: Tech) -> str:
    """Return the current of a memristor over its voltage, on and off, as a write follows it."""
    memristor = tech.memristor
    law = write_law(memristor) or Linear()
    top = max(memristor.v_set_v, memristor.v_reset_v)
    volts = np.linspace(top / _POINTS, top, _POINTS)
    states = (("on", memristor.r_on_ohm, "c0"), ("off", memristor.r_off_ohm, "c1"))
    curves = [
        Curve(f"{word}, {scaled(ohm, 'ohm')}", [1e6 * float(v) for v in np.abs(amps)], style)
        for word, ohm, style in states
        for amps in [law.current(np.full(_POINTS, 1.0 / ohm), volts)]
    ]
    every = [v for curve in curves for v in curve.y]
    marks = dict.fromkeys((memristor.v_read_v, memristor.v_set_v, memristor.v_reset_v))
    both = memristor.v_set_v == memristor.v_reset_v
    words = {memristor.v_set_v: "write" if both else "set", memristor.v_read_v: "read"}
    words.setdefault(memristor.v_reset_v, "reset")
    return curve_chart(
        "Current of a memristor over its voltage",
        [float(v) for v in volts],
        curves,
        Axis("voltage over the device (V)", 0.0, 1.04 * top),
        Axis("current (uA), decades", min(every) / 1.5, max(every) * 1.5, log=True),
        marks=[(v, f"{words[v]} {v:g} V") for v in marks],
        dots=(),
    )
