"""Lines of a tiled array: resistance from the pin, segment by segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base import names as grammar
from .tiled import Floats, TiledArray


@dataclass(frozen=True, eq=False)
class ArrayLine:
    """A row or column line.

    Attributes:
        net: its name.
        segments: ohm, from the pin outwards.
        cells: index of the cell at the far end of each segment: columns for a row line,
            rows for a column line.
    """

    net: str
    segments: Floats
    cells: list[int]

    def to_json(self) -> dict[str, Any]:
        """Return the line in figures: end to end, typical and largest segment."""
        largest = int(np.argmax(self.segments))
        return {
            "net": self.net,
            "ohm": float(self.segments.sum()),
            "median_ohm": float(np.median(self.segments)),
            "largest_ohm": float(self.segments[largest]),
            "largest_cell": self.cells[largest],
        }


def array_lines(array: TiledArray) -> Iterator[ArrayLine]:
    """Yield the row lines of each tier, then the column lines."""
    tiers, rows, cols = array.shape
    along = list(range(cols)) if array.row_pin_first else list(range(cols))[::-1]
    for tier in range(tiers):
        if not np.isfinite(array.row_segment[tier]).all():
            continue  # a tier that the layout does not have
        for i in range(rows):
            yield ArrayLine(grammar.row(tier, i), array.row_segment[tier, i, along], along)
    across = list(range(rows)) if array.column_pin_first else list(range(rows))[::-1]
    for j in range(cols):
        yield ArrayLine(grammar.column(j), array.column_segment[across, j], across)
