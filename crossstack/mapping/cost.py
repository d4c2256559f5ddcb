"""Area, time and energy of a mapped network, from what a build of its array left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import FileError
from ..base.files import read_json

#: what the figures hold, in words
COUNTED = (
    "area: bounding box of every array, one after the other, without drivers, converters and "
    "digital logic; time: layers, and the vectors and reads of a layer, one after the other, all "
    "tiles of a layer at once, each read settling plus sensing; energy: what devices without "
    "wires would take from the drivers in that time, without converters"
)


@dataclass(frozen=True)
class Reads:
    """What one inference asks of a layer.

    Attributes:
        vectors: multiplied by the layer's matrix.
        reads: of each vector: bits and signs that are applied one after another.
        watt: of all tiles together, mean over the reads.
    """

    vectors: float
    reads: int
    watt: float


def cost(folder: Path | None, tiles: int, layers: Sequence[Reads]) -> dict[str, Any]:
    """Return area, time and energy of an inference; what is not known is said.

    Args:
        folder: of the build; None where there is none.
        tiles: arrays in all.
        layers: what each layer does.
    """
    if folder is None:
        return {"not_known": "area, time and energy, which need a build folder (--wires)"}
    try:
        timing = read_json(folder / "timing.json")
        area = _area_um2(folder)
    except (FileError, OSError) as error:
        return {"not_known": f"area, time and energy: {error}"}
    if (settle := _settle(timing)) is None:
        return {"area_um2": tiles * area, "not_known": "time and energy: the build has no settling"}
    from ..analyse.timing import SENSE_S

    each = settle + SENSE_S
    return {
        "area_um2": tiles * area,
        "time_s": sum(layer.vectors * layer.reads for layer in layers) * each,
        "energy_j": sum(layer.vectors * layer.reads * layer.watt for layer in layers) * each,
        "settle_s": settle,
        "sense_s": SENSE_S,
        "counted": COUNTED,
    }


def _settle(timing: Mapping[str, Any]) -> float | None:
    found = timing.get("settle")
    seconds = found.get("settle_s") if isinstance(found, dict) else None
    return float(seconds) if isinstance(seconds, (int, float)) else None


def _area_um2(folder: Path) -> float:
    """Bounding box of a build's drawing, um2."""
    import klayout.db as kdb

    from ..layouts import layout_in

    layout = kdb.Layout()
    layout.read(str(layout_in(folder)))
    box = layout.top_cell().dbbox()
    return float(box.width() * box.height())
