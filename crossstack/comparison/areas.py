"""Areas of macros of rising size: stacked, and planar at its own least pitch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..generators import ArraySpec, build_top
from ..pdk import ParameterError
from .cases import own_pitch

#: rows and columns of the square stacked arrays, beside the one that is asked for
SIZES = (4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Area:
    """Areas of one macro, um2: the whole, and its array of cells alone."""

    macro_um2: float
    array_um2: float


@dataclass(frozen=True)
class AreaRow:
    """A stacked macro beside the planar one with as many inputs.

    Attributes:
        rows, cols: of the stacked array.
        stacked, planar: their areas; None where one cannot be drawn.
        not_run: why it cannot; empty if both were drawn.
    """

    rows: int
    cols: int
    stacked: Area | None = None
    planar: Area | None = None
    not_run: str = ""

    @property
    def ratio(self) -> float:
        """Stacked over planar, whole macros; nan where nothing was drawn."""
        if self.stacked is None or self.planar is None:
            return math.nan
        return self.stacked.macro_um2 / self.planar.macro_um2

    @property
    def array_ratio(self) -> float:
        """Stacked over planar, arrays of cells alone; nan where nothing was drawn."""
        if self.stacked is None or self.planar is None:
            return math.nan
        return self.stacked.array_um2 / self.planar.array_um2

    @property
    def switches_over_array(self) -> float:
        """What stands around the stacked array, as a fraction of its area; nan if not drawn."""
        if self.stacked is None:
            return math.nan
        return self.stacked.macro_um2 / self.stacked.array_um2 - 1.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        size = {"rows": self.rows, "cols": self.cols}
        if self.stacked is None or self.planar is None:
            return size | {"not_run": self.not_run}
        names = ("ratio", "array_ratio", "switches_over_array")
        return {
            **size,
            "stacked": asdict(self.stacked),
            "planar": asdict(self.planar),
            **{name: getattr(self, name) for name in names},
        }


@dataclass(frozen=True)
class AreaStudy:
    """Areas of the macro that was asked for, and of square ones of rising size."""

    asked: AreaRow
    rows: tuple[AreaRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"asked": self.asked.to_json(), "rows": [row.to_json() for row in self.rows]}


def area_study(base: ArraySpec) -> AreaStudy:
    """Return the areas of the stacked macro and of the planar one with as many inputs.

    Both have switches of the same widths and no sense lines; each is as small as the generator
    can draw it. A size that cannot be drawn is left out, and said so.
    """
    plain = replace(base, cell="hybrid", top="macro", kelvin=False, name=None)
    others = (n for n in SIZES if (n, n) != (plain.rows, plain.cols))
    rows = tuple(_row(replace(plain, rows=n, cols=n)) for n in others)
    return AreaStudy(_row(plain), rows)


def _row(spec: ArraySpec) -> AreaRow:
    try:
        return AreaRow(spec.rows, spec.cols, _areas(spec), _areas(own_pitch(spec)))
    except ParameterError as error:
        return AreaRow(spec.rows, spec.cols, not_run=str(error))


def _areas(spec: ArraySpec) -> Area:
    array = build_top(spec)
    um2 = array.tech.dbu_um**2
    unit = array.unit.width * array.unit.height * spec.rows * spec.cols
    macro = array.cell.width * array.cell.height
    return Area(round(macro * um2, 3), round(unit * um2, 3))


def area_lines(study: AreaStudy) -> Iterator[str]:
    """Yield the areas as a Markdown table."""
    yield (
        "### Area with mode switches, without sense lines, against the planar cell at its own "
        "least pitch"
    )
    yield ""
    yield "| stacked | um2 | planar um2 | ratio | arrays alone | around the array, of its area |"
    yield "|---|---|---|---|---|---|"
    for row in (study.asked, *study.rows):
        size = f"{row.rows} x {row.cols} x 2"
        if row.stacked is None or row.planar is None:
            yield f"| {size} | not drawn: {row.not_run} | | | | |"
            continue
        yield (
            f"| {size} | {row.stacked.macro_um2:.0f} | {row.planar.macro_um2:.0f} "
            f"| {row.ratio:.3f} | {row.array_ratio:.3f} | {row.switches_over_array:.2f} |"
        )
    yield ""
