"""--fail-on: conditions on the figures of a build, such as ``worst_column>3%``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .base.errors import ConfigError, shortened
from .base.outcome import FAILED, PASSED, UNKNOWN, Case, Outcome
from .sizing.metrics import METRICS, Metric, flat_figures

if TYPE_CHECKING:
    from .built import Build

_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_WORDS = re.compile(
    r"\s*([\w.-]*)\s*(>=|<=|>|<)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(\S*)\s*", re.ASCII
)
#: unit of a figure -> unit as it may be written -> factor
_UNITS: dict[str, dict[str, float]] = {
    "": {"%": 0.01},
    "V": {"V": 1.0, "mV": 1e-3},
    "s": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12},
    "J": {"J": 1.0, "nJ": 1e-9, "pJ": 1e-12, "fJ": 1e-15, "aJ": 1e-18},
    "um2": {"um2": 1.0, "mm2": 1e6},
}
_HOW = "write it as NAME>VALUE or NAME<VALUE, e.g. worst_column>3% or settle_s>20ns"


@dataclass(frozen=True)
class Condition:
    """A condition that fails a build.

    Attributes:
        text: as it was given.
        metric: the figure.
        sign: how it is compared.
        bound: with what, in the figure's unit.
    """

    text: str
    metric: Metric
    sign: str
    bound: float

    def met(self, value: float | None) -> bool:
        """Return whether a value fails the build; one that nobody knows does."""
        if value is None or not math.isfinite(value):
            return True
        return bool(_COMPARE[self.sign](value, self.bound))

    def to_json(self, value: float | None) -> dict[str, Any]:
        """Return the condition and what became of it."""
        known = value is not None and math.isfinite(value)
        return {
            "condition": self.text,
            "name": self.metric.name,
            "sign": self.sign,
            "bound": self.bound,
            "unit": self.metric.unit,
            "value": value if known else None,
            "fails": self.met(value),
        }


def conditions_of(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Return the conditions of a command line; a comma separates several.

    Raises:
        ConfigError: naming the text, and the figures or units that there are.
    """
    return tuple(_condition(part) for text in texts for part in text.split(","))


def _condition(text: str) -> Condition:
    found = _WORDS.fullmatch(text)
    if found is None:
        raise ConfigError(f"--fail-on {shortened(text)}: {_HOW} (names: {', '.join(METRICS)})")
    name, sign, number, unit = found.groups()
    if name not in METRICS:
        known = ", ".join(METRICS)
        raise ConfigError(f"--fail-on {shortened(text)}: unknown name {name!r}; known: {known}")
    metric, text = METRICS[name], text.strip()
    units = _UNITS[metric.unit]
    if unit and unit not in units:
        known = ", ".join(units)
        raise ConfigError(f"--fail-on {shortened(text)}: {name} is given in {known}, not {unit}")
    try:
        bound = float(number) * units.get(unit, 1.0)
    except ValueError:
        raise ConfigError(f"--fail-on {shortened(text)}: {number!r} is not a number") from None
    if not 0 <= bound < metric.most or not math.isfinite(bound):
        ends = "0 or more" if math.isinf(metric.most) else "from 0 to below 1 (3 % is 3% or 0.03)"
        raise ConfigError(f"--fail-on {shortened(text)}: {bound:g} is not allowed: {ends}")
    return Condition(text, metric, sign, bound)


def judged(conditions: Iterable[Condition], result: Build) -> list[dict[str, Any]]:
    """Return what became of each condition in a build."""
    values = flat_figures(figures_of(result))
    return [each.to_json(values.get(each.metric.name)) for each in conditions]


def figures_of(result: Build) -> Mapping[str, Any]:
    """Return the figures of a build as `figures.figures` would have them."""
    from .built import json_of
    from .figures import mode_figures, read_energy
    from .solve.modes.modes import EXPANSION

    modes = {} if result.ir_drop is None else result.ir_drop.modes
    row: dict[str, Any] = {
        "modes": {mode: mode_figures(drop.to_json()) for mode, drop in modes.items()},
        "limits": result.limits.to_json(),
        "write_voltages": json_of(result.write_voltages),
        "area": result.area,
    }
    settle = result.timing.settle_s if result.timing else None
    if EXPANSION in modes and settle is not None and result.lvs is not None and result.tech:
        counts = result.lvs.devices.items()
        devices = sum(n for kind, n in counts if kind.startswith("memristor"))
        currents = modes[EXPANSION].column_currents
        row["read"] = read_energy(settle, currents, result.tech, devices)
    return row


def words(row: Mapping[str, Any]) -> str:
    """Return what became of a condition, for people."""
    metric = METRICS[row["name"]]
    state = "fails the build" if row["fails"] else "fine"
    return f"--fail-on {row['condition']}: {metric.words(row['value'])}, {state}"


def outcome_of(rows: Iterable[Mapping[str, Any]], source: str, top: str) -> Outcome:
    """Return a case per condition."""
    cases = []
    for row in rows:
        status = UNKNOWN if row["value"] is None else FAILED if row["fails"] else PASSED
        text = f"not {row['condition']}: {METRICS[row['name']].text}"
        message = words(row) if row["fails"] else ""
        cases.append(Case(row["condition"], text, status, message))
    return Outcome("fail-on", source, top, tuple(cases))
