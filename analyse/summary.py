"""Losses as lines for people."""

from __future__ import annotations

from typing import Any

from ..base.units import percent


def drop_lines(ir_drop: dict[str, Any]) -> list[str]:
    """Return a line per mode: worst device, mean device and worst column, all series parts."""
    lines = []
    for mode, m in ir_drop.get("modes", {}).items():
        worst, wires = m["worst_device_error"], m["worst_column_error"]
        if worst["all_series"] is None:
            lines.append(f"{mode:<10} no device that is read has both an input and a conductance")
        else:
            column = wires["all_series"]
            lines.append(
                f"{mode:<10} worst device {percent(worst['all_series'])} lost "
                f"({percent(worst['wires_only'])} in wires), "
                f"mean {percent(m['mean_device_error']['all_series'])}, "
                + ("every ideal column current is zero" if column is None
                   else f"worst column {percent(column)}")
            )  # fmt: skip
        if m.get("write") is not None:
            lines.append(write_line(m))
    lines += [f"{mode}: not run, {why}" for mode, why in ir_drop.get("not_run", {}).items()]
    return lines


def write_line(drop: dict[str, Any]) -> str:
    """Return what is lost of a write voltage in each polarity, the worse one first."""
    worse = drop["write"]["polarity"]
    every = sorted(drop.get("writes", {worse: drop["write"]}).items(), key=lambda w: w[0] != worse)
    parts = [
        f"{name} loses {percent(w['worst_loss'])} of {max(map(abs, w['applied_V'])):g} V"
        for name, w in every
    ]
    return f"{'write':<10} worst device: {', '.join(parts)}"
