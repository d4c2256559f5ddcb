"""Capacitances of a regular array as plain arrays: lines by what they are to, and electrodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base import names as grammar
from ...pdk import ParameterError

Floats = NDArray[np.float64]
#: what a line's capacitance is to; to the silicon, gates and anything else counts as ground
PARTS = ("ground", "rows", "columns", "selects", "electrodes")


@dataclass(frozen=True, eq=False)
class ArrayFarads:
    """Capacitance of every line and electrode of an array, F.

    Attributes:
        row: of row lines, shape (tiers, rows, parts), parts as in `PARTS`.
        column: of columns, shape (cols, parts).
        select: of select lines, shape (tiers, cols, parts); 0 without.
        electrode: of each electrode behind a transistor, shape (tiers, rows, cols).
        device: across each memristor, of that, same shape.
    """

    row: Floats
    column: Floats
    select: Floats
    electrode: Floats
    device: Floats

    def validate(self, shape: tuple[int, int, int]) -> ArrayFarads:
        """Check the arrays against the array's (tiers, rows, cols); returns them.

        Raises:
            ParameterError: naming what does not fit.
        """
        tiers, rows, cols = shape
        parts = len(PARTS)
        wanted = {
            "row": (tiers, rows, parts),
            "column": (cols, parts),
            "select": (tiers, cols, parts),
            "electrode": shape,
            "device": shape,
        }
        for name, each in wanted.items():
            values = getattr(self, name)
            if values.shape != each:
                raise ParameterError(f"farad_{name}", f"shape {values.shape}", f"shape {each}")
            if not (np.isfinite(values) & (values >= -1e-18) & (values <= 1.0)).all():
                raise ParameterError(f"farad_{name}", "a value out of range", "0 .. 1 F")
        return self

    def totals(self) -> dict[str, float]:
        """Return line -> its whole capacitance, F."""
        return {name: float(values.sum()) for name, values in self._lines()}

    def _lines(self) -> Iterator[tuple[str, Floats]]:
        for tier, lines in enumerate(self.row):
            yield from ((grammar.row(tier, i), values) for i, values in enumerate(lines))
        yield from ((grammar.column(j), values) for j, values in enumerate(self.column))
        for tier, lines in enumerate(self.select):
            yield from ((grammar.select(tier, j), values) for j, values in enumerate(lines))

    def lines(self) -> Iterator[str]:
        """Yield the largest line of each kind, in words."""
        for row in self.summary():
            parts = ", ".join(
                f"{row[f'{part}_F'] * 1e15:.4g} to {part}" for part in PARTS if row[f"{part}_F"]
            )
            yield f"  {row['net']}: {row['total_F'] * 1e15:.5g} fF ({parts})"

    def summary(self) -> list[dict[str, Any]]:
        """Return the largest line of each kind with its parts, for people and JSON."""
        found: dict[str, tuple[str, Floats]] = {}
        for name, values in self._lines():
            kind = grammar.kind_of(name)
            if values.sum() > 0 and (kind not in found or values.sum() > found[kind][1].sum()):
                found[kind] = name, values
        return [
            {"net": name, "total_F": float(values.sum()),
             **{f"{part}_F": float(v) for part, v in zip(PARTS, values, strict=True)}}
            for name, values in found.values()
        ]  # fmt: skip
