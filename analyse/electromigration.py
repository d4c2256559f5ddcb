"""The currents of solved modes against what wires and cuts may carry for good.

The limits are those of a direct current. A read flows all the time and is judged as it is. A write
is judged by its average: columns are written one after the other, so that what belongs to one
column carries its write for one slot of as many as there are columns, and its read in the others;
what several columns share carries theirs by turns (`duty`). The peak of a
write is told beside it, as part of the same limit and as the heating of a line, without a verdict:
nobody gives a limit for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

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
from ..solve.modes.modes import MODES, mode_named
from ..solve.network.linear import NetworkSolution
from ..solve.study.em import ElectromigrationReport, Stress, electromigration
from .current_verdict import Sure, open_questions, verdict_of
from .loads import CurrentReport, CurrentVerdict, Heating, Limit, Loads, ModeLoads, NetLoad
from .needs import Lowest, write_verdict
from .operating import Laws
from .parts import Part, parts_of
from .writing import MOST_TURNS, Slots, write_amps, written

if TYPE_CHECKING:
    from ..solve.network.network import Network
    from ..solve.network.wires import Wires
    from ..solve.study.metrics import IrDrop
    from .analysis import Stimulus

Floats = NDArray[np.float64]

#: slots that stand for all of a write, by how many tiers there are
_OF_TIERS = {1: "the first and the last column", 2: "the first and the last column of either tier"}


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
    done: Mapping[str, IrDrop | None],
    what: Stimulus,
    laws: Laws | None = None,
    wires: Sequence[Wires] = (),
) -> CurrentReport:
    """Return per mode the hardest wire and cut, per layer, per net.

    Args:
        network: extracted network.
        tech: its films and transistors.
        limits: what wires and cuts may carry; None if nobody says.
        done: mode -> solved mode; of one that writes, nothing is read.
        what: devices and inputs, for the writes of all columns.
        laws: what memristors follow; None for the technology's.
        wires: every piece of wire, where the network holds no more of them than devices see.
    """
    if limits is None:
        end = tech.process.limits.temperatures_c[-1]
        why = f"the manual's current limits end at {end:g} C"
        return CurrentReport(CurrentVerdict.unjudged(why), not_run=why)
    found: dict[str, _Found] = {}
    sure: dict[str, _Found] = {}
    peaks: dict[str, _Found] = {}
    lowest: dict[str, list[Lowest]] = {}
    writes: dict[str, Iterable[Slots]] = {}
    for mode in done:
        if mode_named(mode).writes:
            law, lowest[mode] = Laws.of(tech) if laws is None else laws, []
            slots = written(network, tech, what, law, mode, lowest[mode], whole=not wires)
            # wires that are kept apart are looked at net by net, all of the network once
            writes[mode] = [*slots] if wires else slots
    for part in parts_of(network, wires):
        for mode, result in done.items():
            if mode not in writes:
                assert result is not None
                assert isinstance(result.solution, NetworkSolution)
                _judge(found, mode, part, part.passing(result.solution), limits)
                continue
            amps = write_amps(part, network, tech, writes[mode])
            _judge(found, mode, part, amps.average, limits)
            _judge(sure, mode, part, amps.sure, limits)
            _judge(peaks, mode, part, amps.peak, limits)
    turns = tech.memristor.turns(network.rows)
    modes: dict[str, ModeLoads] = {}
    for mode, result in done.items():
        loads = _loads(found[mode], limits)
        if mode in writes:
            modes[mode] = _of_write(
                mode, network, tech, limits, replace(loads, above_limit=sure[mode].violations),
                peaks[mode], lowest[mode],
            )  # fmt: skip
            continue
        assert result is not None
        assert isinstance(result.solution, NetworkSolution)
        loads = _with_own_vias(loads, network, tech, limits, result.solution)
        modes[mode] = ModeLoads(loads, "the direct current of a read")
    return CurrentReport(
        verdict_of(
            limits,
            modes,
            Sure({mode: [*f.hardest.values()] for mode, f in sure.items()}, turns),
            open_questions(network, done),
            network.left_out.lines,
        ),
        temperature_c=limits.temperature_c,
        counted="a read as direct current; a write by its average over one slot of "
        f"{network.cols} (one column at a time, both polarities, "
        f"{_OF_TIERS.get(len(network.tiers), '')}{_at_most(turns)}); the peak of a write "
        "without a verdict",
        limits=_limits(limits),
        modes=modes,
        nets=_hardest_nets(found, network.cols),
    )


def _of_write(
    mode: str,
    network: Network,
    tech: Tech,
    limits: CurrentLimits,
    loads: Loads,
    peaks: _Found,
    lowest: list[Lowest],
) -> ModeLoads:
    """Return what a mode that writes loads: its average, the peak beside it, what devices get."""
    absent = ["some are left out"] if network.left_out.devices else []
    between = ", a read between them" if mode in MODES else ""
    return ModeLoads(
        loads,
        f"the average of a write over the slots of its columns{between}",
        1.0 / network.cols,
        _loads(peaks, limits),
        _heating(peaks, limits, tech),
        write_verdict(
            tech,
            lowest,
            f"{_OF_TIERS[len(network.tiers)]}, devices in the state of the solve",
            absent,
        ),
    )


def _at_most(turns: int) -> str:
    """Return in words what is counted where not every turn of a column's rows is solved."""
    if turns <= MOST_TURNS:
        return ""
    return f"; of {turns} turns of rows the first and last, a column's wires at most as in these"


def _limits(limits: CurrentLimits) -> dict[str, Limit]:
    """Return layer -> its limit, its unit and where it comes from."""
    both = ((limits.wire_a_per_um, "A/um"), (limits.cut_a, "A/cut"))
    return {
        layer: Limit(amps, unit, limits.sources[layer], layer in limits.assumed)
        for table, unit in both
        for layer, amps in table.items()
    }


def _loads(report: _Found, limits: CurrentLimits) -> Loads:
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


def _heating(report: _Found, limits: CurrentLimits, tech: Tech) -> Heating | None:
    """Return the piece that the peak of a write heats most; None where no current flows."""

    def kelvin(stress: Stress) -> float:
        """Return how much hotter than the silicon a lone line of a piece's width would get."""
        width_um = stress.limit / limits.wire_a_per_um[stress.layer]
        return line_heating_k(tech, stress.layer, width_um, stress.current)

    wires = [s for s in report.hardest.values() if s.layer in limits.wire_a_per_um]
    hottest = max(wires, key=kelvin, default=None)
    return None if hottest is None else Heating(hottest, kelvin(hottest), HEATING_SOURCE)


@dataclass
class _Found:
    """What currents do to all wires, part by part.

    Attributes:
        hardest: layer -> its hardest load.
        nets: net with a pin -> layer and load of its hardest piece.
        violations: pieces above their limit.
        unchecked: layers that carry current and have no limit.
    """

    hardest: dict[str, Stress] = field(default_factory=dict)
    nets: dict[str, tuple[str, float]] = field(default_factory=dict)
    violations: int = 0
    unchecked: tuple[str, ...] = ()

    def add(self, network: Network, report: ElectromigrationReport) -> None:
        """Take in one part."""
        for layer, stress in report.hardest.items():
            if layer not in self.hardest or stress.ratio > self.hardest[layer].ratio:
                self.hardest[layer] = stress
        self.violations += report.violations
        self.unchecked = tuple(dict.fromkeys((*self.unchecked, *report.unchecked)))
        used = np.nan_to_num(report.ratio)
        order = np.lexsort((-used, network.resistor_net))
        nets, first = np.unique(network.resistor_net[order], return_index=True)
        for net, k in zip(nets, order[first], strict=True):
            name, load = network.nets[int(net)], float(used[k])
            if name in network.ports and load > self.nets.get(name, ("", 0.0))[1]:
                self.nets[name] = network.layers[int(network.resistor_layer[k])], load


def _judge(
    found: dict[str, _Found], mode: str, part: Part, amps: Floats, limits: CurrentLimits
) -> None:
    """Hold currents in the narrow places of some wires against their limits."""
    report = electromigration(
        part.network, [amps], wire_limits=limits.wire_a_per_um, cut_limits=limits.cut_a
    )
    found.setdefault(mode, _Found()).add(part.network, report)


def _hardest_nets(found: Mapping[str, _Found], cols: int) -> dict[str, NetLoad]:
    """Return net with a pin -> the mode and layer that load it most, and how much.

    Of columns the first and the last are written, and stand for those between.
    """
    hardest: dict[str, NetLoad] = {}

    def take(net: str, load: NetLoad) -> None:
        if net not in hardest or load.ratio > hardest[net].ratio:
            hardest[net] = load

    for mode, loads in found.items():
        for net, (layer, load) in loads.nets.items():
            take(net, NetLoad(mode, layer, load))
    for kind in (names.COLUMN, names.OUTPUT):
        ends = [hardest.get(names.numbered(kind, k)) for k in (0, cols - 1)]
        written = [load for load in ends if load is not None and mode_named(load.mode).writes]
        for net in [*hardest]:
            if written and names.kind_of(net) == kind:
                take(net, max(written, key=lambda load: load.ratio))
    return hardest
