"""Where a cross-section lies, and how the command line writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base.decimals import decimal
from ..base.errors import ConfigError
from ..base.spans import CUT_UM

if TYPE_CHECKING:
    import klayout.db as db

_WRITTEN = (
    "allowed: 'auto', 'y=3.5' or 'y=3.5,x=12' (um; x and y may be swapped), optionally ',width=20'"
)


@dataclass(frozen=True)
class Cut:
    """A vertical cut through a layout.

    Attributes:
        across: axis that the plane stands across: ``y`` for a cut along x, ``x`` for one along y.
        at_um: place of the plane on that axis; None to go through a memristor.
        centre_um: middle of the cut on the other axis; None for a memristor's.
        width_um: length of the cut.
    """

    across: str = "y"
    at_um: float | None = None
    centre_um: float | None = None
    width_um: float = 8.0

    @property
    def along(self) -> str:
        """Axis that the cut runs along."""
        return "x" if self.across == "y" else "y"


def parse_cut(text: str) -> Cut:
    """Return the cut of a text such as ``y=3.5,x=12,width=20`` or ``auto``.

    Raises:
        ConfigError: if it is written otherwise, or the width is out of range.
    """
    wrong = ConfigError(f"--cross-section {text}: {_WRITTEN}")
    first, *more = text.split(",")
    pairs = [part.partition("=")[::2] for part in (more if first == "auto" else [first, *more])]
    try:
        values = {key.strip(): decimal(value) for key, value in pairs}
    except ValueError:
        raise wrong from None
    allowed = {"width"} if first == "auto" else {"x", "y", "width"}
    if len(values) < len(pairs) or not values.keys() <= allowed:
        raise wrong
    width = values.pop("width", Cut.width_um)
    if width not in CUT_UM:
        raise ConfigError(f"--cross-section {text}: width is {CUT_UM}")
    if first == "auto":
        return Cut(width_um=width)
    if not values:
        raise wrong
    across, at = next(iter(values.items()))
    centre = values.get("x" if across == "y" else "y")
    return Cut(across, at, centre, width)


def check_inside(cut: Cut, box: db.DBox) -> None:
    """Refuse a cut beside a layout.

    Raises:
        ConfigError: naming where the layout lies.
    """
    ends = {"x": (box.left, box.right), "y": (box.bottom, box.top)}
    for axis, place in ((cut.across, cut.at_um), (cut.along, cut.centre_um)):
        low, high = ends[axis]
        if place is not None and not low <= place <= high:
            lies = f"the layout lies at {axis} = {low:g} .. {high:g}"
            raise ConfigError(f"--cross-section {axis}={place:g}: {lies}")
