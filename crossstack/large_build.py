"""What a build says of an array that is too large for a network with named nodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .base import files
from .console import Console

if TYPE_CHECKING:
    from .built import Build
    from .extract.array.tiled import TiledArray
    from .pdk import Tech


def analyse_array(
    array: TiledArray, tech: Tech, result: Build, work: Path, console: Console
) -> None:
    """Save the arrays of an extraction and solve every mode that they offer.

    Args:
        array: the wires.
        tech: technology at the conditions of the build.
        result: receives the figures.
        work: folder for the files.
        console: where progress goes.
    """
    from .analyse import analysis, tables
    from .analyse.summary import summary
    from .extract.array.tiled import LARGEST
    from .extract.array.tilefile import save_array

    save_array(array, work / "network.npz")
    what = analysis.stimulus(array, tech)
    done, not_run = analysis.solve_modes(array, tech, what, console)
    result.ir_drop = summary(done, not_run, what, tech.conditions)
    files.write_json(work / "ir_drop.json", result.ir_drop.to_json())
    tables.write_table(work / tables.table_name(done), done)
    result.unjudged = f"judged in arrays of up to {LARGEST}"
    result.extraction["warnings"] = [
        *result.extraction.get("warnings", []),
        f"above {LARGEST} no table of nets, SPICE netlist, currents against limits or settling",
    ]
