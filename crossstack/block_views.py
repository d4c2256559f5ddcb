"""Views of a macro: of a build while it runs, or of a layout that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .base import files

if TYPE_CHECKING:
    from .analyse import Stimulus
    from .extract import NetCapacitance
    from .lvs import ExtractedLayout
    from .pdk import Tech
    from .solve import Network
    from .views import Found

#: memristors up to which a build writes all of a macro's views: those of larger ones take minutes
MOST_DEVICES = 100


class Analysed(NamedTuple):
    """What a build found of its layout."""

    network: Network
    capacitance: dict[str, NetCapacitance]
    what: Stimulus


def build_views(
    folder: Path,
    extracted: ExtractedLayout,
    tech: Tech,
    analysed: Analysed | None,
    engine: str = "formula",
) -> dict[str, Any]:
    """Write the views of a build's macro into its folder; returns what was written.

    A layout that is another circuit than its netlist has none: they would mislead.

    Args:
        folder: of the build, with its netlist and its figures.
        extracted: the layout.
        tech: at the build's conditions.
        analysed: what was found of it; None if it does not match its netlist.
        engine: how its capacitances were found.
    """
    from .views import Known, write_views

    if analysed is None:
        why = {"views": "the layout does not match its netlist"}
        return {"files": [], "warnings": [], "not_done": why}
    small = len(analysed.network.memristor_row) <= MOST_DEVICES
    network, farad, what = analysed
    known = Known(network, farad, what, figures_in(folder), engine)
    reference = folder / f"{extracted.top_name}.spice"
    views = write_views(folder, extracted, tech, reference, known, quick=not small)
    if not small:
        views.warnings.append(
            f"more than {MOST_DEVICES} memristors: no libraries and no behavioural model; "
            "`crossstack views` writes them"
        )
    return views.to_json()


def figures_in(folder: Path) -> Found:
    """Return what the JSON files of a build say; nothing of those that are not there."""
    from .views import Found

    def content(name: str) -> dict[str, Any] | None:
        path = folder / f"{name}.json"
        return files.read_json(path) if path.is_file() else None

    nets = (content("nets") or {}).get("nets", ())
    chain = (content("scan") or {}).get("chain", ())
    return Found(nets, content("ir_drop"), content("em"), content("timing"), tuple(chain))
