"""The currents of writes, and what written devices get.

Every tier, both polarities, the first and the last column stand for all of them. Of rows that are
written in turns every turn is solved, of more than `MOST_TURNS` those of `operating.write_turns`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..solve.modes.drives import gates_for, network_drives
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import POLARITIES, read_tiers, writing_mode
from ..solve.network.linear import NetworkSolution
from .duty import SHARED, column_of_nets, row_of_nets
from .needs import Lowest, lowest_of
from .operating import Laws, at_work, last_is_short, write_turns, write_way
from .parts import AllOf, Part

if TYPE_CHECKING:
    from ..pdk import Tech
    from ..solve.network.network import Network
    from .analysis import Stimulus

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: column -> the solves of its turns, of one tier and polarity
Slots = dict[int, list[NetworkSolution]]
#: turns up to which each is solved
MOST_TURNS = 16


@dataclass(frozen=True, eq=False)
class WriteAmps:
    """The currents of writes in the narrow places of some wires, A.

    Attributes:
        average: over a slot, and at most that where not every turn was solved: of the wires of a
            column, which row's turn they carry is not known, and each counts as the hardest.
        sure: the same without these doubts, the turns that were not solved as the least.
        peak: the most at any time.
    """

    average: Floats
    sure: Floats
    peak: Floats


def write_currents(
    network: Network, tech: Tech, what: Stimulus, laws: Laws
) -> tuple[WriteAmps, list[Lowest]]:
    """Return the currents of writes in every resistor's narrow place.

    Returns:
        (currents, the device of each slot that gets least voltage).
    """
    lowest: list[Lowest] = []
    mode = writing_mode(ArrayKind.of(network)).name
    slots = written(network, tech, what, laws, mode, lowest, whole=True)
    return write_amps(AllOf(network), network, tech, slots), lowest


def written(
    network: Network,
    tech: Tech,
    what: Stimulus,
    laws: Laws,
    mode: str,
    lowest: list[Lowest],
    *,
    whole: bool,
) -> Iterator[Slots]:
    """Solve and yield the writes of either tier and polarity.

    Args:
        network: extracted network.
        tech: the transistors' models.
        what: devices and inputs.
        laws: what memristors follow.
        mode: one of `MODES`.
        lowest: receives the device of each slot that gets least voltage.
        whole: solve the wires, too.
    """
    for ways in _slots(network, tech, sorted({0, network.cols - 1})):
        ohm: Floats | None = None
        slots: Slots = {}
        for column, several in ways.items():
            slots[column] = []
            for way in several:
                solved, ohm = _solve(network, tech, what, laws, mode, way, ohm, whole=whole)
                slots[column].append(solved)
                lowest += _lowest(network, what, mode, way, solved)
        yield slots


def write_amps(part: Part, network: Network, tech: Tech, writes: Iterable[Slots]) -> WriteAmps:
    """Return the currents of writes in some wires.

    Args:
        part: the wires.
        network: the whole of which they are.
        tech: how many rows are written at a time.
        writes: of either tier and polarity.
    """
    mine = part.network
    columns = column_of_nets(mine)
    own = columns[mine.resistor_net]
    # of a column's wires nobody knows which turns they carry; what leads to one device carries one
    whole_column = (own != SHARED) & (row_of_nets(mine)[mine.resistor_net] == SHARED)
    duty = part.duty(columns)
    turns, short = tech.memristor.turns(network.rows), last_is_short(tech, network.rows)
    average, sure, peak = np.zeros((3, len(mine.resistor_ohm)))
    for slots in writes:
        most, means, bounds = {}, {}, {}
        for column, several in slots.items():
            found = np.array([part.passing(solved) for solved in several])
            most[column], least = found.max(axis=0), found.min(axis=0)
            if len(found) == turns:
                means[column] = bounds[column] = found.mean(axis=0)
                continue
            # a line of one row carries its own turn, one of all rows every turn
            means[column] = (most[column] + (turns - 1) * least) / turns
            every = most[column]
            if short:
                every = ((turns - 1) * found[:-1].max(axis=0) + found[-1]) / turns
            bounds[column] = np.where(whole_column, every, means[column])
        average = np.maximum(average, _over_columns(bounds, own, duty, network.cols))
        sure = np.maximum(sure, _over_columns(means, own, duty, network.cols))
        peak = np.maximum(peak, np.max([*most.values()], axis=0))
    return WriteAmps(average, sure, peak)


def _over_columns(means: Mapping[int, Floats], own: Ints, duty: Floats, cols: int) -> Floats:
    """Return the average over the slots of all columns, of which two were solved.

    Args:
        means: column -> average over its slot, A.
        own: column that each piece belongs to, or `SHARED`.
        duty: of shared pieces (`duty.shared_duty`).
        cols: number of columns.
    """
    found: Floats = np.max([*means.values()], axis=0) * duty
    first, last = min(means), max(means)
    for column, mean in means.items():
        other = means[first if column != first else last]
        at = own == column
        found[at] = ((mean + (cols - 1) * other) / cols)[at]
    return found


def far_writes(network: Network, tech: Tech, what: Stimulus, laws: Laws) -> Iterator[Lowest]:
    """Yield the device that gets least in the writes of the last column's last turn.

    No device of the whole verdict gets more than the worst of these.
    """
    column, mode = network.cols - 1, writing_mode(ArrayKind.of(network)).name
    for ways in _slots(network, tech, [column]):
        way = ways[column][-1]
        solved, _ = _solve(network, tech, what, laws, mode, way, None, whole=False)
        yield from _lowest(network, what, mode, way, solved)


def _lowest(
    network: Network, what: Stimulus, mode: str, way: dict[str, Any], solved: NetworkSolution
) -> list[Lowest]:
    """Return the device that gets least in a slot; nothing where no device is written."""
    request = network_drives(network, mode, what.inputs, **way).request
    tier, column = request.write_tier, request.write_column
    over = np.where(request.written, solved.device_voltages[tier, :, column], np.nan)
    polarity = POLARITIES[int(way["write_voltage"] < 0)]
    found = lowest_of(over, polarity, tier, column)
    return [] if found is None else [found]


def _slots(
    network: Network, tech: Tech, columns: list[int]
) -> Iterator[dict[int, list[dict[str, Any]]]]:
    """Yield, for every tier and polarity, the options that write each of some columns.

    Several of a column are turns of its rows.
    """
    for read in read_tiers(ArrayKind.of(network)):
        for polarity in POLARITIES:
            way = {"read_tier": read, **write_way(tech, polarity)}
            yield {
                column: [
                    {**way, "write_column": column, **turn} for turn in _turns(tech, network.rows)
                ]
                for column in columns
            }


def _turns(tech: Tech, rows: int) -> list[dict[str, int]]:
    """Return the options of the turns that are solved, in order."""
    at_a_time, count = tech.memristor.write_rows, tech.memristor.turns(rows)
    if at_a_time is None or count > MOST_TURNS:
        return write_turns(tech, rows)
    return [{"write_rows": at_a_time, "write_turn": turn} for turn in range(count)]


def _solve(
    network: Network,
    tech: Tech,
    what: Stimulus,
    laws: Laws,
    mode: str,
    way: dict[str, Any],
    start: Floats | None,
    *,
    whole: bool = True,
) -> tuple[NetworkSolution, Floats]:
    """Solve one slot, its wires too if `whole`; returns the transistors' resistances, too."""
    from ..solve.network.whole import solve_devices, solve_whole
    from ..solve.study.metrics import law_in

    found = at_work(network, tech, what, mode, start, **laws.options, **way)
    drives = network_drives(network, mode, what.inputs, **way)
    law = law_in(network, drives.request, laws.every, laws.write)
    arguments: dict[str, Any] = {
        "conductances": what.conductances,
        "port_voltages": drives.port_voltages,
        "gates": gates_for(network, drives),
        "switch_ohm": found.ohm,
    }
    solve = solve_whole if whole else solve_devices
    return solve(network, device=law, start=found.device_v, **arguments), found.ohm
