"""Which capacitances are extracted for the settling of a read: as many as take seconds only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .extract import NetCapacitance
    from .lvs import ExtractedLayout
    from .pdk import Tech
    from .progress import Step
    from .solve.network.network import Network

#: memristors up to which the capacitance of every net is extracted, and up to which a build
#: extracts that of a line in the middle of each kind: the time grows with the square
_MAX_CAPACITANCE, _MAX_LINES = 600, 2500


def capacitances(
    extracted: ExtractedLayout, network: Network, tech: Tech, step: Step, engine: str = "formula"
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets; none of an array so large that a build leaves it out.

    From the field it is that of every net at any size: its time hardly grows with the array's.
    """
    if engine == "field":
        from .extract import net_capacitance

        return net_capacitance(extracted, tech, engine=engine, progress=step)
    if len(network.memristor_row) > _MAX_LINES:
        return {}
    return capacitances_of_any(extracted, network, tech, step)


def capacitances_of_any(
    extracted: ExtractedLayout, network: Network, tech: Tech, step: Step | None = None
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets; of a large array, that of a line in the middle of each."""
    from .base import names as line
    from .extract import net_capacitance

    lines = None
    if len(network.memristor_row) > _MAX_CAPACITANCE:
        row, col = network.rows // 2, network.cols // 2
        names = {net.name for net in extracted.flat.nets}
        lines = [n for n in (*(line.row(t, row) for t in (1, 0)), line.column(col)) if n in names]
    return net_capacitance(extracted, tech, nets=lines, progress=step)
