"""What a configuration draws: an array or macro, or a chip as a whole die."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .config import RunConfig
from .console import Console

if TYPE_CHECKING:
    import klayout.db as db

    from .generators import Array


def draw(config: RunConfig, console: Console) -> tuple[Array, db.Layout, list[str]]:
    """Generate the array of a configuration, its layout, and remarks on it.

    A chip becomes a whole die: seal ring, identification cells, fill.

    Raises:
        ParameterError: for a size or pitch that the rules do not allow.
    """
    from .cells.drawing import to_layout
    from .generators import build_top

    with console.step("draw"):
        array = build_top(config.spec)
        layout = to_layout(array.cell, array.tech)
    if config.spec.top != "testchip":
        return array, layout, []
    from .generators.finish import finish

    with console.step("seal ring and fill"):
        return array, layout, finish(layout, array.tech).remarks()
