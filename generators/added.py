"""The names of what is added to a die.

They stand apart from what draws it, so that KLayout's Python, which has no numpy, can check a name.
"""

from __future__ import annotations

from ..base.names import fold
from ..pdk import Tech
from .die import CELL as FILL_CELL
from .sealring import CELL as RING_CELL

#: cell of what keeps fill out of the marks
MARKERS = "no_fill"


def is_added(name: str, tech: Tech) -> bool:
    """Return whether a cell that finishing adds to a die is called like this, in any case."""
    wanted = fold(name)
    alone = {MARKERS, *(cell.name for cell in tech.shuttle.ids)}
    families = (RING_CELL, FILL_CELL)
    return wanted in map(fold, alone) or any(
        wanted == fold(own) or wanted.startswith(f"{fold(own)}_") for own in families
    )
