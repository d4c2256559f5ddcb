"""The currents of solved modes against what wires and cuts may carry for good.

The limits are those of a direct current. A read flows all the time and is judged as it is. A write
is judged by its average: columns are written one after the other, so that what belongs to one
column carries its write for one slot of as many as there are columns, and its read in the others;
what several columns share carries theirs by turns (`duty`). The peak of a
write is told beside it, as part of the same limit and as the heating of a line, without a verdict:
nobody gives a limit for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import names
from ..pdk import Tech
from ..pdk.electromigration import (
    HEATING_SOURCE,
    CurrentLimits,
    current_limits,
    line_heating_k,
)
from ..solve.modes.drives import gates_for, network_drives
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import DEEP_NET, MODES, POLARITIES, mode_named
from ..solve.network.linear import NetworkSolution
from ..solve.study.em import ElectromigrationReport, Stress, electromigration, passing, throughs_of
from .duty import SHARED, column_of_nets, row_of_nets, shared_duty
from .loads import CurrentReport, CurrentVerdict, Hardest, Heating, Limit, Loads, ModeLoads, NetLoad
from .needs import Lowest, lowest_of, write_verdict
from .operating import Laws, at_work, write_turns, write_way

if TYPE_CHECKING:
    from ..solve.network.network import Network
    from ..solve.study.metrics import IrDrop
    from .analysis import Stimulus

Floats = NDArray[np.float64]

#: slots that stand for all of a write
COLUMNS_WRITTEN = "the first and the last column of either tier, devices in the state of the solve"


def current_limits_of(tech: Tech, temperature_c: float) -> CurrentLimits | None:
    """Return the limits at the temperature of the wires, at least that where the manual begins.

    None above the temperature where it ends.
    """
    known = tech.process.limits.temperatures_c
    if temperature_c > known[-1]:
        return None
    return current_limits(tech, max(temperature_c, known[0]))


def em_report(
    network: Network,
    tech: Tech,
    limits: CurrentLimits | None,
    done: Mapping[str, IrDrop],
    what: Stimulus,
    laws: Laws | None = None,
) -> CurrentReport:
    """Return per mode the hardest wire and cut, per layer, per net.

    Args:
        network: extracted network.
        tech: its films and transistors.
        limits: what wires and cuts may carry; None if nobody says.
        done: mode -> solved mode.
        what: devices and inputs, for the writes of other columns.
        laws: what memristors follow; None for the technology's.
    """
    if limits is None:
        end = tech.process.limits.temperatures_c[-1]
        why = f"the manual's current limits end at {end:g} C"
        return CurrentReport(CurrentVerdict.unjudged(why), not_run=why)
    reports: dict[str, ElectromigrationReport] = {}
    modes: dict[str, ModeLoads] = {}

    def judge(current: Floats | NetworkSolution) -> ElectromigrationReport:
        return electromigration(
            network, [current], wire_limits=limits.wire_a_per_um, cut_limits=limits.cut_a
        )

    absent = ["some are left out"] if network.left_out.devices else []
    for mode, result in done.items():
        if not mode_named(mode).writes:
            assert isinstance(result.solution, NetworkSolution)
            reports[mode] = judge(result.solution)
            loads = _loads(reports[mode], limits)
            loads = _with_own_vias(loads, network, tech, limits, result.solution)
            modes[mode] = ModeLoads(loads, "the direct current of a read")
            continue
        law = Laws.of(tech) if laws is None else laws
        average, peak, lowest = write_currents(network, tech, what, law, mode)
        reports[mode], top = judge(average), judge(peak)
        modes[mode] = ModeLoads(
            _loads(reports[mode], limits),
            "the average of a write over the slots of its columns, a read between them",
            1.0 / network.cols,
            _loads(top, limits),
            _heating(top, limits, tech),
            write_verdict(tech, lowest, COLUMNS_WRITTEN, absent),
        )
    return CurrentReport(
        _verdict(limits, modes, _open_questions(network, done), network.left_out.lines),
        temperature_c=limits.temperature_c,
        counted="a read as direct current; a write by its average over one slot of "
        f"{network.cols} (one column at a time, both polarities, either tier, the first and the "
        "last column); the peak of a write without a verdict",
        limits=_limits(limits),
        modes=modes,
        nets=_nets(network, reports),
    )


@dataclass(frozen=True)
class _Open:
    """What no solved mode does: reading or writing.

    Attributes:
        what: that, in one word.
        why: why no mode was solved that does it.
    """

    what: str
    why: str


def _open_questions(network: Network, done: Iterable[str]) -> list[_Open]:
    """Return what nothing solved speaks of: a verdict on reads says nothing of a write."""
    kind, solved, found = ArrayKind.of(network), set(done), []
    for what, writes in (("reading", False), ("writing", True)):
        modes = [mode for mode in MODES.values() if mode.writes == writes]
        if not modes or solved & {mode.name for mode in modes}:
            continue
        reasons = [mode.refusal(kind, network.cols) or f"{mode.name} was not run" for mode in modes]
        found.append(_Open(what, "; ".join(reasons)))
    return found


def write_currents(
    network: Network, tech: Tech, what: Stimulus, laws: Laws, mode: str = DEEP_NET
) -> tuple[Floats, Floats, list[Lowest]]:
    """Return the average and the peak of writes in every resistor's narrow place, A.

    Either tier, both polarities, the first and the last column, and of rows that are written in
    turns the first and the last turn, stand for all of them. The wires of a column count every
    turn as the harder of these two.

    Returns:
        (average, peak, the device of each slot that gets least voltage).
    """
    own, throughs = column_of_nets(network), throughs_of(network)
    duty = shared_duty(network, throughs, own)
    own = own[network.resistor_net]
    # of a column's wires nobody knows which turns they carry; what leads to one device carries one
    whole_column = (own != SHARED) & (row_of_nets(network)[network.resistor_net] == SHARED)
    columns = sorted({0, network.cols - 1})
    average = np.zeros(len(network.resistor_ohm))
    peak, lowest = average.copy(), []
    turns = tech.memristor.turns(network.rows)
    for ways in _slots(tech, columns):
        slots: dict[int, Floats] = {}
        means: dict[int, Floats] = {}
        ohm: Floats | None = None
        for column, several in ways.items():
            found = []
            for way in several:
                solved, ohm = _solve(network, tech, what, laws, mode, way, ohm)
                found.append(passing(network, throughs, solved.resistor_currents))
                lowest += _lowest(network, what, mode, way, solved)
            slots[column], least = np.max(found, axis=0), np.min(found, axis=0)
            # a line of one row carries its own turn, one of all rows every turn
            mean = (slots[column] + (turns - 1) * least) / turns
            means[column] = np.where(whole_column, slots[column], mean)
        most = np.max([*slots.values()], axis=0)
        mean = np.max([*means.values()], axis=0) * duty
        for column in columns:
            other = means[columns[0] if column != columns[0] else columns[-1]]
            mine = own == column
            mean[mine] = ((means[column] + (network.cols - 1) * other) / network.cols)[mine]
        average, peak = np.maximum(average, mean), np.maximum(peak, most)
    return average, peak, lowest


def far_writes(
    network: Network, tech: Tech, what: Stimulus, laws: Laws, mode: str = DEEP_NET
) -> Iterator[Lowest]:
    """Yield the device that gets least in the writes of the last column's last turn.

    No device of the whole verdict gets more than the worst of these.
    """
    column = network.cols - 1
    for ways in _slots(tech, [column]):
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


def _slots(tech: Tech, columns: list[int]) -> Iterator[dict[int, list[dict[str, Any]]]]:
    """Yield, for either tier and polarity, the options that write each of some columns.

    Several of a column are turns of its rows.
    """
    for read in (0, 1):
        for polarity in POLARITIES:
            way = {"read_tier": read, **write_way(tech, polarity)}
            yield {
                column: [{**way, "write_column": column, **turn} for turn in write_turns(tech)]
                for column in columns
            }


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


def _limits(limits: CurrentLimits) -> dict[str, Limit]:
    """Return layer -> its limit, its unit and where it comes from."""
    both = ((limits.wire_a_per_um, "A/um"), (limits.cut_a, "A/cut"))
    return {
        layer: Limit(amps, unit, limits.sources[layer], layer in limits.assumed)
        for table, unit in both
        for layer, amps in table.items()
    }


def _loads(report: ElectromigrationReport, limits: CurrentLimits) -> Loads:
    hardest = sorted(report.hardest.values(), key=lambda s: -s.ratio)
    wires = [s for s in hardest if s.layer in limits.wire_a_per_um]
    cuts = [s for s in hardest if s.layer in limits.cut_a]
    return Loads(
        report.violations,
        wires[0] if wires else None,
        cuts[0] if cuts else None,
        {s.layer: s for s in hardest},
        report.unchecked,
    )


def _with_own_vias(
    loads: Loads, network: Network, tech: Tech, limits: CurrentLimits, solved: NetworkSolution
) -> Loads:
    """Count the via under the film of each memristor, which is no resistor of the network.

    One via carries all of a memristor's current, also where a layout draws several.
    """
    via = tech.roles.names.get("memristor_via")
    cut = next((cut.name for cut in tech.cuts if cut.layer == via), None)
    amps = np.abs(solved.device_currents)
    if cut is None or not np.isfinite(amps).any():
        return loads
    limit = limits.cut_a[cut]
    place = np.unravel_index(int(np.nanargmax(amps)), amps.shape)
    found = float(amps[place])
    worst = loads.worst_cut
    if worst is None or found / limit > worst.ratio:
        rows = (network.memristor_tier, network.memristor_row, network.memristor_col)
        k = int(np.flatnonzero(np.all(np.transpose(rows) == np.array(place), axis=1))[0])
        ends = (network.memristor_a[k], network.memristor_b[k])
        nodes = (str(network.node_names[ends[0]]), str(network.node_names[ends[1]]))
        worst = Stress(cut, names.column(int(place[2])), nodes, found, limit, found / limit)
    above = loads.above_limit + int(np.count_nonzero(amps > limit))
    return replace(loads, above_limit=above, worst_cut=worst)


def _heating(report: ElectromigrationReport, limits: CurrentLimits, tech: Tech) -> Heating | None:
    """Return the piece that the peak of a write heats most; None where no current flows."""

    def kelvin(stress: Stress) -> float:
        """Return how much hotter than the silicon a lone line of a piece's width would get."""
        width_um = stress.limit / limits.wire_a_per_um[stress.layer]
        return line_heating_k(tech, stress.layer, width_um, stress.current)

    wires = [s for s in report.hardest.values() if s.layer in limits.wire_a_per_um]
    hottest = max(wires, key=kelvin, default=None)
    return None if hottest is None else Heating(hottest, kelvin(hottest), HEATING_SOURCE)


def _verdict(
    limits: CurrentLimits,
    modes: Mapping[str, ModeLoads],
    missing: list[_Open],
    left_out: Iterable[str],
) -> CurrentVerdict:
    """Return whether every current is within its limit, and the words for it.

    Judged is only what every layer has a limit for, and only if reads and writes were solved with
    every wire and device that the layout has.
    """
    found = [
        (mode, load)
        for mode, m in modes.items()
        for load in (m.loads.worst_wire, m.loads.worst_cut)
        if load is not None
    ]
    unknown = [f"not judged: {line}" for line in left_out]
    loose = sorted({layer for m in modes.values() for layer in m.loads.unchecked_layers})
    if not found:
        return CurrentVerdict.unjudged("no mode")
    mode, worst = max(found, key=lambda load: load[1].ratio)
    left = {gap.what for gap in missing}
    hardest = Hardest(
        tuple(what for what in ("reading", "writing") if what not in left),
        mode,
        worst,
        worst.layer in limits.assumed,
        sum(m.loads.above_limit for m in modes.values()),
    )
    return CurrentVerdict(
        judged=not (loose or missing or unknown),
        exceeded=not worst.ratio <= 1,
        text="; ".join(
            (_words(hardest, missing),
             *([f"no limit is known for {', '.join(loose)}"] if loose else []),
             *(f"{gap.what} not judged: {gap.why}" for gap in missing),
             *unknown)
        ),
        hardest=hardest,
    )  # fmt: skip


def _words(hardest: Hardest, missing: list[_Open]) -> str:
    """Say in one phrase what was found, and of what if not of everything."""
    from ..base.units import percent

    worst = hardest.stress
    done = "writing" if [gap.what for gap in missing] == ["reading"] else "reading"
    state = "within the current limits: at most" if worst.ratio <= 1 else "current limits exceeded:"
    return (
        f"{f'{done} ' if missing and worst.ratio <= 1 else ''}{state} {percent(worst.ratio)} in "
        f"{worst.layer} of {worst.net}, {hardest.mode} mode "
        f"({'assumed' if hardest.assumed else 'published'} limit)"
    )


def _nets(network: Network, reports: Mapping[str, ElectromigrationReport]) -> dict[str, NetLoad]:
    """Return net with a pin -> the mode and layer that load it most, and how much."""
    found: dict[str, NetLoad] = {}
    for mode, report in reports.items():
        used = np.nan_to_num(report.ratio)
        order = np.lexsort((-used, network.resistor_net))
        nets, first = np.unique(network.resistor_net[order], return_index=True)
        for net, k in zip(nets, order[first], strict=True):
            name = network.nets[int(net)]
            load = float(used[k])
            if name in network.ports and load > (found[name].ratio if name in found else 0.0):
                layer = network.layers[int(network.resistor_layer[k])]
                found[name] = NetLoad(mode, layer, load)
    return found
