"""What a comparison found, as one value: the content of compare.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..analyse.loads import CurrentVerdict
from ..analyse.needs import WriteVerdict
from ..analyse.paper import IR_DROP, SPEED
from ..analyse.timing import Settling
from .areas import AreaStudy
from .bare import BareStudies
from .deepnet import Slot
from .landscape import Landscape
from .table import Compared, RatioPoint


@dataclass(frozen=True)
class Sweep:
    """The reduction of the worst device over r_row / r_col.

    Attributes:
        counted: what the view holds, in words.
        drawn_ratio: of the drawn array; None where it is too small to tell wires from ends.
        rows: the points.
        ratio_for_paper: at which the sweep passes the paper's figure; None if it never does.
        theory_ratio: the same for bare wires, by first-order theory.
    """

    counted: str
    drawn_ratio: float | None
    rows: tuple[RatioPoint, ...]
    ratio_for_paper: float | None
    theory_ratio: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "counted": self.counted,
            "drawn_ratio": self.drawn_ratio,
            "rows": [asdict(row) for row in self.rows],
            "ratio_for_paper": self.ratio_for_paper,
            "ratio_for_paper_bare_wires_theory": self.theory_ratio,
        }


@dataclass(frozen=True)
class DeepNet:
    """Deep-net mode slot by slot, and how fast a read settles.

    Attributes:
        slots: what each slot of a write does; empty of an array with one column.
        compliance_a: current at which the write drivers limit, A; None if they do not.
        write_voltages: what written devices get; None of an array with one column.
        settle: how a read settles.
        overlap: what `analyse.timing.overlap` returns.
    """

    slots: tuple[Slot, ...]
    compliance_a: float | None
    write_voltages: WriteVerdict | None
    settle: Settling
    overlap: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        value: dict[str, Any] = {"slots": [asdict(slot) for slot in self.slots]}
        if self.write_voltages is not None:
            value["compliance_a"] = self.compliance_a
            value["write_voltages"] = self.write_voltages.to_json()
        return value | {"settle": self.settle.to_json(), "timing": dict(self.overlap)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """A stacked macro beside its baselines and the paper's figures.

    Attributes:
        counted: view -> what it counts, in words.
        patterns: pattern -> what it is, in words.
        pairs: every pair, solved.
        sweep: over the wires' resistances.
        landscape: over series resistance and row wire.
        areas: of macros of rising size.
        bare: arrays without switches.
        deep_net: slot by slot.
        limits: the verdict on the stacked macro's currents, everything on.
    """

    counted: Mapping[str, str]
    patterns: Mapping[str, str]
    pairs: tuple[Compared, ...]
    sweep: Sweep
    landscape: Landscape
    areas: AreaStudy
    bare: BareStudies
    deep_net: DeepNet
    limits: CurrentVerdict

    @property
    def proved(self) -> bool:
        """True if every layout is clean and matches its netlist."""
        layouts = [side for pair in self.pairs for side in (pair.stacked, pair.planar)]
        return all(each.drc_violations == 0 and each.lvs_match for each in layouts)

    @property
    def write_voltages(self) -> WriteVerdict | None:
        """Whether written devices get what they need; None if nothing was written."""
        return self.deep_net.write_voltages

    def to_json(self) -> dict[str, Any]:
        """Return the content of compare.json."""
        return {
            "paper": {"ir_drop_reduction": IR_DROP, "speed": SPEED},
            "counted": dict(self.counted),
            "patterns": dict(self.patterns),
            "pairs": [pair.to_json() for pair in self.pairs],
            "sweep": self.sweep.to_json(),
            "map": self.landscape.to_json(),
            "areas": self.areas.to_json(),
            "bare": self.bare.to_json(),
            "deep_net": self.deep_net.to_json(),
            "limits": self.limits.to_json(),
        }
