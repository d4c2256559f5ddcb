"""Drawn answers to the question which array gives the paper's 22 %: bare arrays, no switches.

* the width of the select transistors is swept until the reduction, with everything counted, passes
  the paper's figure;
* a square pair (N x 2N x 2 against 2N x 2N) is drawn at the pitch at which row and column wire have
  the same resistance per cell, with and without transistors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..analyse.paper import IR_DROP
from ..config import RunConfig
from ..figures import Study, draw
from ..generators import ArraySpec, drawn_pitches
from ..pdk import Conditions, CrossStackError
from ..solve.modes.modes import EXPANSION
from .cases import one_tier
from .drops import series_parts
from .landscape import worst_loss
from .table import crossing

if TYPE_CHECKING:
    from ..solve.study.theory import Parts

#: widths of select transistors that are drawn, um
WIDTHS_UM = (1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0)
#: cells of the stacked array up to which these are drawn: more takes minutes
MOST_CELLS = 400
#: row and column wire count as equal within this part, which is reached in a few steps
_EQUAL, _STEPS, _MOST_PITCH_UM, _GRID_UM = 0.02, 12, 40.0, 0.02
_KEYS = ("pitch_x_um", "pitch_y_um")
COUNTED = "bare arrays, every device on: worst device, with wires alone and with everything counted"


@dataclass(frozen=True)
class PairLoss:
    """What the worst device of either array loses in one way of counting, as fractions."""

    stacked: float
    planar: float

    @property
    def reduction(self) -> float:
        """1 - stacked / planar."""
        return 1.0 - self.stacked / self.planar

    def to_json(self) -> dict[str, float]:
        """Return plain values."""
        return {"stacked": self.stacked, "planar": self.planar, "reduction": self.reduction}


@dataclass(frozen=True)
class WidthPoint:
    """A pair at one width of its select transistors.

    Attributes:
        select_w_um: the width, um.
        losses: way of counting ("wires", "all") -> what is lost.
    """

    select_w_um: float
    losses: Mapping[str, PairLoss]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        losses = {view: loss.to_json() for view, loss in self.losses.items()}
        return {"select_w_um": self.select_w_um, **losses}


@dataclass(frozen=True)
class Widths:
    """The sweep over the select transistors' width.

    Attributes:
        rows: its points.
        width_for_paper_um: the width that gives the paper's figure, um; None if none does.
    """

    rows: tuple[WidthPoint, ...]
    width_for_paper_um: float | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [row.to_json() for row in self.rows]
        return {"rows": rows, "paper": IR_DROP, "width_for_paper_um": self.width_for_paper_um}


@dataclass(frozen=True)
class EqualWires:
    """A square pair whose row and column wires have the same resistance per cell.

    Attributes:
        pitch_x_um, pitch_y_um: of the stacked array, um; None where it is the least.
        row_ohm, col_ohm: of its wires, per cell, ohm.
        series_over_col: what a device has in series, over column wire.
        on_map: the reduction that equal wires of that kind give.
        stacked, planar: rows and columns of either array.
        losses: way of counting ("wires", "all") -> what is lost.
    """

    pitch_x_um: float | None
    pitch_y_um: float | None
    row_ohm: float
    col_ohm: float
    series_over_col: float
    on_map: float
    stacked: tuple[int, int]
    planar: tuple[int, int]
    losses: Mapping[str, PairLoss]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        own = {key: value for key, value in vars(self).items() if key != "losses"}
        own |= {"stacked": list(self.stacked), "planar": list(self.planar)}
        return own | {view: loss.to_json() for view, loss in self.losses.items()}


@dataclass(frozen=True)
class BareStudies:
    """Arrays without switches that answer which one gives the paper's figure.

    Attributes:
        select_w: the sweep over the select transistors' width; None if not drawn.
        equal: cell -> the square pair with equal wires, or why there is none.
        not_run: why nothing was drawn; empty if it was.
    """

    select_w: Widths | None = None
    equal: Mapping[str, EqualWires | str] = field(default_factory=dict)
    not_run: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        if self.select_w is None:
            return {"not_run": self.not_run}
        return {
            "counted": COUNTED,
            "select_w": self.select_w.to_json(),
            "equal": [
                {"cell": cell, **({"not_run": it} if isinstance(it, str) else it.to_json())}
                for cell, it in self.equal.items()
            ],
        }


def bare_studies(base: ArraySpec, conditions: Conditions) -> BareStudies:
    """Return both studies.

    Args:
        base: whose rows, columns, profile, process, ME, strap and cuts are taken.
        conditions: what wires and transistors are taken at.
    """
    if base.rows * base.cols > MOST_CELLS:
        return BareStudies(not_run=f"drawn for up to {MOST_CELLS} cells")
    plain = _bare(base)
    passive = replace(plain, cell="passive", strap=False, cuts=1, select_w_um=ArraySpec.select_w_um)
    equal = {spec.cell: _equal(spec, conditions) for spec in (plain, passive)}
    return BareStudies(_widths(plain, conditions), equal)


def _bare(base: ArraySpec) -> ArraySpec:
    """Return the hybrid array of a macro, at its least pitches."""
    size: dict[str, Any] = {"rows": base.rows, "cols": base.cols, "device_um": base.device_um}
    kept = ("profile", "process", "strap", "cuts", "me_width_um")
    return ArraySpec(**size, **{key: getattr(base, key) for key in kept})


def _losses(spec: ArraySpec, conditions: Conditions) -> dict[str, float]:
    """Return what the worst device loses, in either way of counting."""
    config = RunConfig(spec, conditions)
    drop = Study(config, draw(config)).modes([EXPANSION])[0][EXPANSION]
    return {"wires": drop.wires_only.worst_device, "all": drop.all_series.worst_device}


def _both(stacked: ArraySpec, planar: ArraySpec, conditions: Conditions) -> dict[str, PairLoss]:
    """Return losses and reduction of a pair."""
    ours, theirs = _losses(stacked, conditions), _losses(planar, conditions)
    return {view: PairLoss(ours[view], theirs[view]) for view in ours}


def _planar(spec: ArraySpec, rows: int) -> ArraySpec:
    if spec.cell == "hybrid":
        return replace(one_tier(spec), rows=rows)
    return replace(spec, cell="passive_planar", rows=rows, strap=False, cuts=1)


def _widths(plain: ArraySpec, conditions: Conditions) -> Widths:
    """Sweep the width of the select transistors; N x M x 2 against 2N x M."""

    def at(width: float) -> WidthPoint:
        spec = replace(plain, select_w_um=width)
        return WidthPoint(width, _both(spec, _planar(spec, 2 * spec.rows), conditions))

    rows = [at(width) for width in WIDTHS_UM]
    found = crossing(((r.select_w_um, r.losses["all"].reduction) for r in rows), IR_DROP)
    if found is not None:  # drawn, too: the page shows an array that gives the paper's figure
        found = round(round(found / _GRID_UM) * _GRID_UM, 3)
        rows = sorted([*rows, at(found)], key=lambda row: row.select_w_um)
    return Widths(tuple(rows), found)


def _equal(plain: ArraySpec, conditions: Conditions) -> EqualWires | str:
    """Draw the square pair with equal wires; says why where it cannot be."""
    spec = replace(plain, cols=2 * plain.rows)
    try:
        spec, parts = _equalised(spec, conditions)
    except CrossStackError as error:
        return str(error)
    ends = spec.cols * parts.drive + 2 * spec.rows * parts.sense + parts.cell
    equal = (parts.row, parts.col, ends)
    r_on = RunConfig(spec, conditions).resolved_tech().memristor.r_on_ohm
    on_map = 1.0 - worst_loss(2, spec.rows, spec.cols, r_on, equal) / worst_loss(
        1, 2 * spec.rows, spec.cols, r_on, equal
    )
    return EqualWires(
        pitch_x_um=spec.pitch_x_um,
        pitch_y_um=spec.pitch_y_um,
        row_ohm=parts.row,
        col_ohm=parts.col,
        series_over_col=ends / parts.col,
        on_map=on_map,
        stacked=(spec.rows, spec.cols),
        planar=(2 * spec.rows, spec.cols),
        losses=_both(spec, _planar(spec, 2 * spec.rows), conditions),
    )


def _equalised(spec: ArraySpec, conditions: Conditions) -> tuple[ArraySpec, Parts]:
    """Return an array with the pitch at which its wires are equal, and its parts.

    The pitch along the lines that resist less grows, until both are equal; the other one is the
    least by the rules.

    Raises:
        CrossStackError: if no pitch makes them equal.
    """
    pitch: dict[str, Any] = dict(zip(_KEYS, drawn_pitches(spec), strict=True))
    parts = _parts(replace(spec, **pitch), conditions)
    key, sign = (_KEYS[0], 1) if parts.col > parts.row else (_KEYS[1], -1)
    low, high = pitch[key], _MOST_PITCH_UM
    for _ in range(_STEPS):
        if abs(parts.col / parts.row - 1.0) <= _EQUAL:
            return replace(spec, **pitch), parts
        pitch[key] = round(round((low * high) ** 0.5 / _GRID_UM) * _GRID_UM, 3)
        parts = _parts(replace(spec, **pitch), conditions)
        if sign * (parts.col - parts.row) > 0:
            low = pitch[key]
        else:
            high = pitch[key]
    raise CrossStackError(f"{spec.cell}: no pitch gives rows and columns the same wire resistance")


def _parts(spec: ArraySpec, conditions: Conditions) -> Parts:
    """Return the series parts of a few cells of an array, wires alone."""
    small = RunConfig(replace(spec, rows=4, cols=4), conditions)
    study = Study(small, draw(small))
    return series_parts(study.network, study.tech, "wires")
