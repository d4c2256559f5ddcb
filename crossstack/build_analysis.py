"""What a build says of an array that fits a network with named nodes: wires, nets, modes, times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .base import files
from .block_views import Analysed
from .built import Build
from .capacitances import MOST_SETTLED, capacitances
from .config import RunConfig
from .console import Console
from .large_build import analyse_array
from .pdk import CrossStackError, Tech

if TYPE_CHECKING:
    from .analyse.analysis import Stimulus
    from .extract import Extraction, NetCapacitance
    from .lvs import ExtractedLayout
    from .pdk.electromigration import CurrentLimits
    from .solve.network.network import Network
    from .solve.study.metrics import IrDrop


def analyse_build(
    extracted: ExtractedLayout,
    config: RunConfig,
    tech: Tech,
    result: Build,
    work: Path,
    console: Console,
) -> Analysed | None:
    """Extract the wires and solve; a layout that failed LVS may not allow it.

    Args:
        extracted: nets and devices of the layout.
        config: what is built.
        tech: technology at its conditions.
        result: receives the figures, or why there are none.
        work: folder for the files.
        console: where progress goes.

    Returns:
        What views are written from; None where there is no network with named nodes.
    """
    from .analyse import analysis, tables
    from .analyse.electromigration import current_limits_of
    from .extract import extract

    try:
        with console.step("extract wires") as step:
            found = extract(extracted, tech, pieces=True, progress=step)
            result.extraction = {k: v for k, v in found.report.to_json().items() if k != "seconds"}
        if found.array is not None and not found.array.fits_network and found.rest is None:
            analyse_array(found.array, tech, result, work, console)
            return None
        limits = current_limits_of(tech, config.tech.temperature_c)
        farads = _nets(extracted, found.network, tech, limits, result, work, console)
        what = analysis.stimulus(found.network, tech)
        _write_driven(found.network, tech, what, result.name, work)
        done = _solve(found, tech, limits, what, farads, result, console)
    except CrossStackError as error:
        if result.lvs is not None and result.lvs.match:
            raise
        # by its name alone: the folder that it was found in is gone when somebody reads this
        result.not_done["extract"] = str(error).replace(f"{work}/", "")
        return None
    for name in ("ir_drop", "em", "timing"):
        files.write_json(work / f"{name}.json", getattr(result, name).to_json())
    tables.write_table(work / tables.table_name(done), done)
    return Analysed(found.network, farads, what)


def _nets(
    extracted: ExtractedLayout,
    network: Network,
    tech: Tech,
    limits: CurrentLimits | None,
    result: Build,
    work: Path,
    console: Console,
) -> dict[str, NetCapacitance]:
    """Find capacitances, and write the network and the table of its nets."""
    from .analyse.nets import net_table
    from .extract.field.lumps import lines_of, with_capacitors
    from .solve import save_network

    with console.step("nets") as step:
        farads = capacitances(extracted, network, tech, step, result.capacitance_engine)
        if result.capacitance_engine != "formula":
            result.extraction["capacitance"] = result.capacitance_engine
        # a network for times: of a large array only lines in the middle may have some
        whole = _settles(network) and lines_of(network) <= farads.keys()
        kept = with_capacitors(network, farads) if whole else network
        save_network(kept, work / "network.npz")
        table = net_table(network, tech, {n: net.total_f for n, net in farads.items()}, limits)
        files.write_json(work / "nets.json", {"nets": table})
    return farads


def _settles(network: Network) -> bool:
    """Return whether the settling of all lines is computed."""
    return len(network.memristor_row) <= MOST_SETTLED


def _write_driven(network: Network, tech: Tech, what: Stimulus, name: str, work: Path) -> None:
    """Write the netlist of devices and wires, driven as in expansion mode."""
    from .analyse import analysis
    from .analyse.operating import mode_ohm
    from .extract import write_spice
    from .solve.modes.modes import EXPANSION

    drives = analysis.expansion_drives(network, what)
    write_spice(
        network,
        tech,
        work / f"{name}_extracted.spice",
        switch_ohm=mode_ohm(network, tech, what, EXPANSION),
        sources=drives.port_voltages,
        gates=drives.gates,
        name=name,
        title=f"{name}: devices and wires as extracted, driven in expansion mode",
    )


def _solve(
    found: Extraction,
    tech: Tech,
    limits: CurrentLimits | None,
    what: Stimulus,
    farads: dict[str, NetCapacitance],
    result: Build,
    console: Console,
) -> dict[str, IrDrop]:
    """Solve every mode; leave IR drop, currents and times in the result, and return the modes."""
    from .analyse import analysis
    from .analyse.electromigration import em_report
    from .analyse.summary import summary
    from .analyse.timing import read_and_write
    from .comparison.estimate import estimate, measure_parts

    network = found.network
    done, not_run = analysis.solve_modes(network, tech, what, console)
    with console.step("beside the paper"):
        stacking = estimate(network, measure_parts(network, tech))
        ir_drop = summary(done, not_run, what, tech.conditions, stacking)
        judged = {**done, **analysis.unread_writes(network)}
        em = em_report(network, tech, limits, judged, what, wires=found.wires)
    with console.step("settling"):
        timing = read_and_write(network, tech, what, farads if _settles(network) else {})
    # all or none: what one of them refuses is said once, in place of all
    result.ir_drop, result.em, result.timing = ir_drop, em, timing
    return done
