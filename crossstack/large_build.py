"""What a build says of an array that is too large for a network with named nodes."""

from __future__ import annotations

from dataclasses import replace
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
    """Save the arrays of an extraction and solve expansion mode.

    Args:
        array: the wires.
        tech: technology at the conditions of the build.
        result: receives the figures.
        work: folder for the files.
        console: where progress goes.
    """
    from .analyse import analysis, tables
    from .analyse.summary import cause_of_loss, remarks, summary
    from .base.layout import open_layout
    from .extract.array.tiled import LARGEST
    from .extract.array.tilefile import save_array
    from .extract.field.array import array_capacitance
    from .solve.modes.modes import EXPANSION, MODES

    with console.step("nets") as step:
        opened = open_layout(work / f"{result.name}.gds", tech.drawing)
        farads = array_capacitance(
            opened.layout, opened.top, tech, engine=result.capacitance_engine, progress=step
        )
        array = replace(array, farads=farads)
        files.write_json(work / "capacitance.json", {"lines": farads.totals()})
    save_array(array, work / "network.npz")
    what = analysis.stimulus(array, tech)
    done, not_run = analysis.solve_modes(array, tech, what, console, (EXPANSION,))
    # a write bends its column, which takes hundreds of solves of the whole array
    not_run |= {
        mode: f"not part of a build above {LARGEST}: crossstack solve {result.name} --mode {mode}"
        for mode in MODES
        if mode != EXPANSION
    }
    result.ir_drop = summary(done, not_run, what, tech.conditions)
    result.warnings += remarks(result.ir_drop, cause_of_loss(0.0, 1.0, ours=True))
    files.write_json(work / "ir_drop.json", result.ir_drop.to_json())
    tables.write_table(work / tables.table_name(done), done)
    result.unjudged = f"judged in arrays of up to {LARGEST}"
    result.extraction["warnings"] = [
        *result.extraction.get("warnings", []),
        f"above {LARGEST} no SPICE netlist, currents against limits or settling; of the nets their "
        "capacitance alone (capacitance.json)",
    ]
