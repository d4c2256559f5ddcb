"""Currents beside what wires and cuts may carry, as values: the content of em.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..solve.study.em import Stress
from .needs import WriteVerdict


@dataclass(frozen=True)
class Limit:
    """What a layer may carry for good.

    Attributes:
        limit: A per `unit`.
        unit: "A/um" of drawn width, or "A/cut".
        source: where it comes from.
        assumed: whether nobody published it.
    """

    limit: float
    unit: str
    source: str
    assumed: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Heating:
    """How much hotter than the silicon a lone line would get.

    Attributes:
        stress: the piece that gets hottest, and its load.
        kelvin: how much, K.
        source: of the formula.
    """

    stress: Stress
    kelvin: float
    source: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.stress.to_json(), "kelvin": self.kelvin, "source": self.source}


@dataclass(frozen=True)
class Loads:
    """The hardest loads of one set of currents.

    Attributes:
        above_limit: pieces and cuts above their limit.
        worst_wire, worst_cut: the hardest of each; None where no current flows.
        by_layer: layer -> its hardest load, the hardest layer first.
        unchecked_layers: that carry current and have no limit.
    """

    above_limit: int
    worst_wire: Stress | None
    worst_cut: Stress | None
    by_layer: Mapping[str, Stress]
    unchecked_layers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "above_limit": self.above_limit,
            "worst_wire": None if self.worst_wire is None else self.worst_wire.to_json(),
            "worst_cut": None if self.worst_cut is None else self.worst_cut.to_json(),
            "by_layer": {layer: load.to_json() for layer, load in self.by_layer.items()},
            "unchecked_layers": list(self.unchecked_layers),
        }


@dataclass(frozen=True)
class ModeLoads:
    """What one mode loads.

    Attributes:
        loads: what is judged.
        judged: which current that is, in words.
        duty: part of the time that a column is written; None of a read.
        peak: loads of the peak of a write, which nobody gives a limit for.
        heating: by that peak.
        write_voltages: what written devices get.
    """

    loads: Loads
    judged: str
    duty: float | None = None
    peak: Loads | None = None
    heating: Heating | None = None
    write_voltages: WriteVerdict | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the mode's part of em.json."""
        value = {**self.loads.to_json(), "judged": self.judged}
        if self.peak is not None:
            peak = self.peak.to_json()
            del peak["above_limit"]  # there is no limit to be above
            if self.heating is not None:
                peak["heating"] = self.heating.to_json()
            value |= {"duty": self.duty, "peak": peak}
        if self.write_voltages is not None:
            value["write_voltages"] = self.write_voltages.to_json()
        return value


@dataclass(frozen=True)
class NetLoad:
    """The hardest load of a net: in which mode, on which layer, as a fraction of the limit."""

    mode: str
    layer: str
    ratio: float


@dataclass(frozen=True)
class Hardest:
    """The hardest load of all, and what the verdict speaks of.

    Attributes:
        judged_for: "reading", "writing" or both.
        mode: in which it stands.
        stress: the load.
        assumed: whether its limit is assumed.
        above_limit: pieces and cuts above their limit, in all modes.
    """

    judged_for: tuple[str, ...]
    mode: str
    stress: Stress
    assumed: bool
    above_limit: int


@dataclass(frozen=True)
class CurrentVerdict:
    """Whether every current is within its limit.

    Attributes:
        judged: whether everything that the array can do was held against a limit.
        exceeded: whether a limit is exceeded.
        text: the verdict in one phrase.
        hardest: the hardest load; None if nothing was judged.
    """

    judged: bool
    exceeded: bool
    text: str
    hardest: Hardest | None = None

    @classmethod
    def unjudged(cls, why: str) -> CurrentVerdict:
        """Return that nobody judged, and why."""
        return cls(False, False, f"current limits not judged: {why}")

    @property
    def ratio(self) -> float | None:
        """The hardest load as a fraction of its limit; None if nothing was judged."""
        return None if self.hardest is None else self.hardest.stress.ratio

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as every JSON file has them."""
        if self.hardest is None:
            return {"judged": self.judged, "exceeded": self.exceeded, "text": self.text}
        stress = self.hardest.stress
        return {
            "judged": self.judged,
            "judged_for": list(self.hardest.judged_for),
            "exceeded": self.exceeded,
            "ratio": stress.ratio,
            "mode": self.hardest.mode,
            "layer": stress.layer,
            "net": stress.net,
            "assumed": self.hardest.assumed,
            "above_limit": self.hardest.above_limit,
            "text": self.text,
        }


@dataclass(frozen=True)
class CurrentReport:
    """Currents of solved modes against what wires and cuts may carry for good.

    Attributes:
        verdict: whether all are within their limits.
        not_run: why nothing was compared; empty if it was.
        temperature_c: of the limits, C.
        counted: what counts as a current, in words.
        limits: layer -> its limit.
        modes: mode -> what it loads.
        nets: net with a pin -> its hardest load.
    """

    verdict: CurrentVerdict
    not_run: str = ""
    temperature_c: float = float("nan")
    counted: str = ""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    modes: Mapping[str, ModeLoads] = field(default_factory=dict)
    nets: Mapping[str, NetLoad] = field(default_factory=dict)

    @property
    def write_voltages(self) -> WriteVerdict | None:
        """Whether written devices get what they need; None if nothing was written."""
        found = (mode.write_voltages for mode in self.modes.values())
        return next((verdict for verdict in found if verdict is not None), None)

    def to_json(self) -> dict[str, Any]:
        """Return the content of em.json."""
        if self.not_run:
            return {"not_run": self.not_run, "verdict": self.verdict.to_json()}
        return {
            "temperature_c": self.temperature_c,
            "counted": self.counted,
            "limits": {layer: limit.to_json() for layer, limit in self.limits.items()},
            "modes": {mode: loads.to_json() for mode, loads in self.modes.items()},
            "nets": {net: dict(vars(load)) for net, load in self.nets.items()},
            "verdict": self.verdict.to_json(),
        }
