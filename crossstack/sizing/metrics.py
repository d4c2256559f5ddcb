"""What a target may ask of an array: each figure once, with its sense and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: how a figure comes to be, the cheapest first
STAGES = ("draw", "read", "write", "limits", "settle")


@dataclass(frozen=True)
class Metric:
    """One figure of an array.

    Attributes:
        name: key in a target, a table and a result.
        text: what it is.
        unit: its unit; empty for a fraction.
        stage: what finds it, one of `STAGES`.
        higher: whether more is better.
        most: largest value that a target may give; fractions end below 1.
        scale: factor for people, with `shown` as the unit.
        shown: unit for people.
    """

    name: str
    text: str
    unit: str
    stage: str
    higher: bool = False
    most: float = float("inf")
    scale: float = 1.0
    shown: str = ""

    def misses(self, value: float | None, bound: float) -> bool:
        """Return whether a value misses a bound; nobody knows is a miss."""
        if value is None:
            return True
        return not (value >= bound if self.higher else value <= bound)

    def excess(self, value: float | None, bound: float) -> float:
        """Return by what part of the bound a value misses it; below 0 what is to spare."""
        if value is None:
            return UNKNOWN
        return (bound - value) / bound if self.higher else (value - bound) / bound

    def worse(self, values: Iterable[float | None]) -> float | None:
        """Return the worst of several; None if one is not known."""
        found = [*values]
        if not found or any(value is None for value in found):
            return None
        known = [float(value) for value in found if value is not None]
        return min(known) if self.higher else max(known)

    def words(self, value: float | None) -> str:
        """Return a value with its unit, for people."""
        if value is None:
            return "not known"
        unit = self.shown or self.unit
        return f"{value * self.scale:.4g}" + (f" {unit}" if unit else "")

    def bound_words(self, bound: float) -> str:
        """Return a target in words."""
        return f"{self.name} at {'least' if self.higher else 'most'} {self.words(bound)}"


#: excess of a figure that cannot be found
UNKNOWN = 10.0
_PERCENT: dict[str, Any] = {"unit": "", "most": 1.0, "scale": 100.0, "shown": "%"}


def _errors() -> Iterable[Metric]:
    whole = {"worst_device": "voltage of the worst device", "mean_device": "voltage, on average",
             "worst_column": "current of the worst column"}  # fmt: skip
    for short, counted in (("", "everything counted"), ("_wires", "wires alone")):
        for name, text in whole.items():
            yield Metric(f"{name}{short}", f"lost {text}, {counted}", stage="read", **_PERCENT)


#: every figure, by its name
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *_errors(),
        Metric("write_loss", "largest part of the write voltage lost, either polarity",
               stage="write", **_PERCENT),
        Metric("write_v_set", "lowest voltage at a written device, set", "V", "write", True),
        Metric("write_v_reset", "lowest voltage at a written device, reset", "V", "write", True),
        Metric("limit_used", "highest current as part of its limit, reads and writes",
               stage="limits", unit="", scale=100.0, shown="%"),
        Metric("write_share", "lowest voltage at a written device as part of what it needs",
               stage="limits", unit="", higher=True, scale=100.0, shown="%"),
        Metric("settle_s", "settling of a read", "s", "settle", scale=1e9, shown="ns"),
        Metric("energy_per_mac_j", "energy of one product in a read", "J", "settle", scale=1e15,
               shown="fJ"),
        Metric("area_um2", "whole drawing, switches included", "um2", "draw"),
        Metric("array_um2", "cells alone", "um2", "draw"),
    )
}  # fmt: skip


def flat_figures(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return name -> value of the figures that a row of `figures.figures` holds.

    Errors are the worst over the modes that were solved. Currents that nobody could judge are
    not known.

    Args:
        row: any of ``modes``, ``limits``, ``write_voltages``, ``writes``, ``area`` and ``read``.
    """
    found: dict[str, float | None] = {}
    modes = row.get("modes", {})
    for name in METRICS:
        if METRICS[name].stage == "read" and modes:
            key = name if name.endswith("_wires") else f"{name}_all"
            found[name] = METRICS[name].worse(m[key] for m in modes.values())
        elif METRICS[name].stage == "write" and modes:
            writing = [m[name] for m in modes.values() if name in m]
            found[name] = METRICS[name].worse(writing)
    if (limits := row.get("limits")) is not None:
        found["limit_used"] = limits.get("ratio") if limits["judged"] else None
    if "write_voltages" in row:
        found["write_share"] = _share(row["write_voltages"])
    whole = row.get("area", {}) | row.get("read", {}) | row.get("writes", {})
    return found | {name: value for name, value in whole.items() if name in METRICS}


def _share(verdict: Mapping[str, Any] | None) -> float | None:
    """Return the lowest write voltage over what is needed; None unless both ways are known."""
    if verdict is None or not verdict["judged"]:
        return None
    return min(float(verdict[p]["volts"] / verdict[p]["needed_V"]) for p in ("set", "reset"))
