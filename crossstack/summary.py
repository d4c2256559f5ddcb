"""Verdicts as lines for people."""

from __future__ import annotations

from typing import Any


def drc_line(drc: dict[str, Any]) -> str:
    """Return e.g. ``0 violations, 187 rules``; with the rules that are broken."""
    count = drc["violations"]
    text = f"{count} violation{'' if count == 1 else 's'}, {drc['rules_run']} rules run"
    broken = {rule: n for rule, n in drc.get("by_rule", {}).items() if n}
    if broken:
        worst = sorted(broken.items(), key=lambda item: -item[1])
        text += ": " + ", ".join(f"{rule} x{n}" for rule, n in worst[:6])
        text += f" and {len(worst) - 6} more rules" if len(worst) > 6 else ""
    return text


def lvs_line(lvs: dict[str, Any]) -> str:
    """Return e.g. ``match: 100 memristor_bottom, ...``; with the first error otherwise."""
    devices = ", ".join(f"{n} {kind}" for kind, n in lvs["devices"].items() if n)
    if lvs["match"]:
        return f"match: {devices or 'no devices'}"
    errors = lvs.get("errors", [])
    first = f": {errors[0]}" if errors else ""
    return f"NO match, {len(errors)} error{'' if len(errors) == 1 else 's'}{first}"


def drop_lines(ir_drop: dict[str, Any]) -> list[str]:
    """Return a line per mode: worst device, mean device and worst column, all series parts."""
    lines = []
    for mode, m in ir_drop.get("modes", {}).items():
        worst, wires = m["worst_device_error"], m["worst_column_error"]
        lines.append(
            f"{mode:<10} worst device {percent(worst['all_series'])} lost "
            f"({percent(worst['wires_only'])} in wires), "
            f"mean {percent(m['mean_device_error']['all_series'])}, "
            f"worst column {percent(wires['all_series'])}"
        )
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


def percent(fraction: float) -> str:
    """Return a fraction as percent with three figures, more if they stand before the point."""
    if abs(fraction) < 1e-12:  # rounding of the solver
        return "0 %"
    if abs(fraction) >= 9.995:
        return f"{fraction * 100:.0f} %"
    return f"{fraction * 100:#.3g}".rstrip(".") + " %"
