"""Which capacitances are extracted for the settling of a read: as many as take seconds only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .extract import NetCapacitance
    from .lvs import ExtractedLayout
    from .pdk import Tech
    from .progress import Step
    from .solve.network.network import Network

#: memristors up to which the capacitance of every net is extracted: the time grows with the square
_MAX_CAPACITANCE = 600
#: memristors up to which a build follows a read over time
MOST_SETTLED = 2500


def capacitances(
    extracted: ExtractedLayout, network: Network, tech: Tech, step: Step, engine: str = "formula"
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets; none of a large layout that is no regular array.

    From the field it is that of every net at any size: its time hardly grows with the array's.
    """
    if engine == "field":
        from .extract import net_capacitance

        return net_capacitance(extracted, tech, engine=engine, progress=step)
    if len(network.memristor_row) > MOST_SETTLED:
        return _of_array(extracted, network, tech, step) or {}
    return capacitances_of_any(extracted, network, tech, step)


def _of_array(
    extracted: ExtractedLayout, network: Network, tech: Tech, step: Step | None
) -> dict[str, NetCapacitance] | None:
    """Return the capacitance of every line of a regular array; None for any other layout."""
    from .extract.array.grid import NotRegularError
    from .extract.field.array import array_capacitance, net_capacitances

    try:
        farads = array_capacitance(extracted.layout, extracted.cell, tech, progress=step)
    except NotRegularError:
        return None
    return net_capacitances(farads, devices=len(network.memristor_row) <= MOST_SETTLED)


def capacitances_of_any(
    extracted: ExtractedLayout, network: Network, tech: Tech, step: Step | None = None
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets; of a large array that of its lines.

    Those of a regular one follow from small ones; of any other, such as a macro, a line in the
    middle of each kind is extracted.
    """
    from .base import names as line
    from .extract import net_capacitance

    lines = None
    if len(network.memristor_row) > _MAX_CAPACITANCE:
        if (found := _of_array(extracted, network, tech, step)) is not None:
            return found
        row, col = network.rows // 2, network.cols // 2
        names = {net.name for net in extracted.flat.nets}
        lines = [n for n in (*(line.row(t, row) for t in (1, 0)), line.column(col)) if n in names]
    return net_capacitance(extracted, tech, nets=lines, progress=step)
