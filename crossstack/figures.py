"""What one array can do, in figures: drawn, extracted and solved in memory.

`sweep` and `size` report the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .config import RunConfig
from .console import Console

if TYPE_CHECKING:
    from .analyse.analysis import Stimulus
    from .lvs import ExtractedLayout
    from .pdk import Tech
    from .solve.metrics import IrDrop
    from .solve.network import Network

#: figure of a mode -> (metric, what is counted)
ERRORS = {
    f"{metric}_{short}": (f"{metric}_error", counted)
    for counted, short in (("all_series", "all"), ("wires_only", "wires"))
    for metric in ("worst_device", "mean_device", "worst_column")
}
#: memristors above which the settling of a read is not computed
MOST_SETTLING = 20_000
#: what the figures count, in words
COUNTED = {
    "errors": "every device at R_on, every row at the read voltage; parts of the ideal voltage",
    "write": "the written column's devices follow the device law; the largest part of the write "
    "voltage that is lost, and the lowest voltage at a device, in each polarity",
    "limits": "a read as direct current, a write by its average over the slots of its columns",
    "area": "bounding box of the whole drawing, switches included; and rows x columns of cells",
    "settle": "all inputs step at once, to half an LSB at 10 bits; the capacitances of the lines "
    "in the middle stand for all",
    "energy": "power of all drivers in expansion mode x (settling + sensing), over the devices "
    "that compute: one product of a one-bit input",
}


@dataclass(frozen=True)
class Drawn:
    """A layout in memory.

    Attributes:
        layout: its nets and devices.
        area_um2: of the whole drawing.
        array_um2: of its cells alone.
    """

    layout: ExtractedLayout
    area_um2: float
    array_um2: float


def draw(config: RunConfig) -> Drawn:
    """Draw an array and find its nets and devices.

    Raises:
        ParameterError: for a size or pitch that the rules do not allow.
    """
    from .cells import to_layout
    from .generators import build_top
    from .lvs import extract_layout

    array = build_top(config.spec)
    dbu = array.tech.dbu_um
    return Drawn(
        extract_layout(to_layout(array.cell, array.tech), array.tech),
        round(array.cell.width * array.cell.height * dbu**2, 6),
        round(
            array.unit.width * array.unit.height * dbu**2 * config.spec.rows * config.spec.cols, 6
        ),
    )


def figures(config: RunConfig, drawn: Drawn) -> dict[str, Any]:
    """Return the figures of a drawn array at its conditions.

    Args:
        config: what was drawn.
        drawn: its layout.

    Returns:
        ``modes`` (errors, write), ``not_run``, ``limits`` (the verdict), ``area`` and ``read``.
    """
    from .analyse import analysis
    from .analyse.electromigration import current_limits_of, em_report
    from .extract import extract

    tech = config.resolved_tech()
    network = extract(drawn.layout, tech).network
    what = analysis.stimulus(network, tech)
    solved, not_run = analysis.solve_modes(network, tech, what, Console(quiet=True))
    limits = current_limits_of(tech, tech.conditions.temperature_c)
    return {
        "modes": {mode: mode_figures(result) for mode, result in solved.items()},
        "not_run": not_run,
        "limits": em_report(network, tech, limits, solved, what)["verdict"],
        "area": {"area_um2": drawn.area_um2, "array_um2": drawn.array_um2},
        "read": read_figures(drawn.layout, network, tech, what, solved),
    }


def mode_figures(result: IrDrop) -> dict[str, Any]:
    """Return the figures of one solved mode."""
    value = result.to_json()
    found = {name: value[metric][counted] for name, (metric, counted) in ERRORS.items()}
    found["kcl_residual"] = value["kcl_residual"]
    if result.write is None:
        return found
    found["write_loss"] = result.write.worst_loss
    found["write_polarity"] = result.write.polarity
    for polarity, write in result.writes.items():
        found[f"write_loss_{polarity}"] = write.worst_loss
        found[f"write_v_{polarity}"] = float(abs(write.device_voltages).min())
    return found


def read_figures(
    layout: ExtractedLayout,
    network: Network,
    tech: Tech,
    what: Stimulus,
    solved: dict[str, IrDrop],
) -> dict[str, Any]:
    """Return settling and energy of a read; what was not computed is missing.

    Args:
        layout: nets and devices, for capacitances.
        network: its wires.
        tech: its transistors.
        what: devices and inputs.
        solved: mode -> result.
    """
    from .analyse.timing import SENSE_S, read_settle
    from .base import names as line
    from .extract import net_capacitance
    from .solve.modes import EXPANSION, network_drives

    if EXPANSION not in solved or len(network.memristor_row) > MOST_SETTLING:
        return {}
    row, col = network.rows // 2, network.cols // 2
    known = {net.name for net in layout.flat.nets}
    lines = [n for n in (*(line.row(t, row) for t in (1, 0)), line.column(col)) if n in known]
    farad = net_capacitance(layout, tech, nets=lines)
    settle = read_settle(network, tech, what, farad)["settle_s"]
    volts = network_drives(network, EXPANSION, what.inputs).port_voltages
    amps = solved[EXPANSION].solution.port_currents
    watt = sum(volts[pin] * current for pin, current in amps.items() if pin in volts)
    joule = watt * (settle + SENSE_S) / len(network.memristor_row)
    return {"settle_s": settle, "read_w": watt, "energy_per_mac_j": joule}
