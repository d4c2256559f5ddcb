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
from ..extract.array.tiled import SUMS
from ..pdk import Tech
from ..pdk.electromigration import (
    HEATING_SOURCE,
    CurrentLimits,
    current_limits,
    line_heating_k,
)
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import MODES, mode_named, writing_mode
from ..solve.network.linear import NetworkSolution
from ..solve.study.em import ElectromigrationReport, Stress, electromigration
from .loads import CurrentReport, CurrentVerdict, Hardest, Heating, Limit, Loads, ModeLoads, NetLoad
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
    absent = ["some are left out"] if network.left_out.devices else []
    modes: dict[str, ModeLoads] = {}
    for mode, result in done.items():
        loads = _loads(found[mode], limits)
        if mode in sure:
            loads = replace(loads, above_limit=sure[mode].violations)
        if mode not in writes:
            assert result is not None
            assert isinstance(result.solution, NetworkSolution)
            loads = _with_own_vias(loads, network, tech, limits, result.solution)
            modes[mode] = ModeLoads(loads, "the direct current of a read")
            continue
        modes[mode] = ModeLoads(
            loads,
            "the average of a write over the slots of its columns"
            + (", a read between them" if mode in MODES else ""),
            1.0 / network.cols,
            _loads(peaks[mode], limits),
            _heating(peaks[mode], limits, tech),
            write_verdict(
                tech,
                lowest[mode],
                f"{_OF_TIERS[len(network.tiers)]}, devices in the state of the solve",
                absent,
            ),
        )
    return CurrentReport(
        _verdict(
            limits,
            modes,
            _Sure(sure, tech.memristor.turns(network.rows)),
            _open_questions(network, done),
            network.left_out.lines,
        ),
        temperature_c=limits.temperature_c,
        counted="a read as direct current; a write by its average over one slot of "
        f"{network.cols} (one column at a time, both polarities, "
        f"{_OF_TIERS.get(len(network.tiers), '')}{_at_most(tech, network)}); the peak of a write "
        "without a verdict",
        limits=_limits(limits),
        modes=modes,
        nets=_hardest_nets(found, network.cols),
    )


def _at_most(tech: Tech, network: Network) -> str:
    """Return in words what is counted where not every turn of a column's rows is solved."""
    turns = tech.memristor.turns(network.rows)
    if turns <= MOST_TURNS:
        return ""
    return f"; of {turns} turns of rows the first and last, a column's wires at most as in these"


@dataclass(frozen=True)
class _Sure:
    """What is certain of the average of writes, where they are counted as a bound.

    Attributes:
        found: mode -> what it loads for certain.
        turns: of the rows of a column.
    """

    found: Mapping[str, _Found]
    turns: int

    @property
    def hardest(self) -> list[tuple[str, Stress]]:
        """Mode and load of each layer."""
        return [(mode, load) for mode, f in self.found.items() for load in f.hardest.values()]


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
    reading = [mode for mode in MODES.values() if not mode.writes]
    for what, modes in (("reading", reading), ("writing", [writing_mode(kind)])):
        if not modes or solved & {mode.name for mode in modes}:
            continue
        reasons = [mode.refusal(kind, network.cols) or f"{mode.name} was not run" for mode in modes]
        found.append(_Open(what, "; ".join(reasons)))
    return found


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


def _verdict(
    limits: CurrentLimits,
    modes: Mapping[str, ModeLoads],
    sure: _Sure,
    missing: list[_Open],
    left_out: Iterable[str],
) -> CurrentVerdict:
    """Return whether every current is within its limit, and the words for it.

    Judged is only what every layer has a limit for, and only if reads and writes were solved with
    every wire and device that the layout has. A bound above a limit exceeds nothing.
    """
    found = [
        (mode, load)
        for mode, m in modes.items()
        for load in (m.loads.worst_wire, m.loads.worst_cut)
        if load is not None
    ]
    unknown = [f"not judged: {line}" for line in left_out]
    loose = sorted({layer for m in modes.values() for layer in m.loads.unchecked_layers})
    summed = [layer for layer in loose if layer in SUMS]
    pieces = f"{', '.join(summed)}, which the network holds without the pieces of wire"
    if not found:
        bare = "no piece of wire in the network has a width; --engine flat of extract keeps them"
        return CurrentVerdict.unjudged(pieces if summed else bare if modes else "no mode")
    mode, worst = max(found, key=_ratio)
    if doubt := sure.turns > MOST_TURNS and not worst.ratio <= 1:
        certain = [each for each in found if each[0] not in sure.found] + sure.hardest
        known_mode, known_worst = max(certain, key=_ratio)
        if not known_worst.ratio <= 1:
            mode, worst, doubt = known_mode, known_worst, False
    left = {gap.what for gap in missing}
    known = [layer for layer in loose if layer not in SUMS]
    hardest = Hardest(
        tuple(what for what in ("reading", "writing") if what not in left),
        mode,
        worst,
        worst.layer in limits.assumed,
        sum(m.loads.above_limit for m in modes.values()),
    )
    return CurrentVerdict(
        judged=not (loose or missing or unknown or doubt),
        exceeded=not (worst.ratio <= 1 or doubt),
        text="; ".join(
            (_words(hardest, missing, whole=not (loose or unknown)) if not doubt else
             _doubtful(hardest, sure.turns),
             *([f"no limit is known for {', '.join(known)}"] if known else []),
             *([f"not judged: {pieces}"] if summed else []),
             *(f"{gap.what} not judged: {gap.why}" for gap in missing),
             *unknown)
        ),
        hardest=hardest,
    )  # fmt: skip


def _ratio(load: tuple[str, Stress]) -> float:
    return load[1].ratio


def _doubtful(hardest: Hardest, turns: int) -> str:
    """Say in one phrase that a bound is above a limit, and nothing else is."""
    return (
        f"current limits not judged: at most {_load_words(hardest)}, a bound: of {turns} turns of "
        "rows the first and last are solved"
    )


def _load_words(hardest: Hardest) -> str:
    """Return a load, its place and what kind of limit it is part of."""
    from ..base.units import percent

    worst = hardest.stress
    shown = percent(worst.ratio)
    if worst.ratio > 1 and shown == percent(1.0):
        shown = f"{worst.ratio * 100:.6g} %"  # a limit that is exceeded by little reads as more
    limit = "assumed" if hardest.assumed else "published"
    return f"{shown} in {worst.layer} of {worst.net}, {hardest.mode} mode ({limit} limit)"


def _words(hardest: Hardest, missing: list[_Open], *, whole: bool) -> str:
    """Say in one phrase what was found, and of what if not of everything.

    Args:
        hardest: the hardest load.
        missing: what nothing solved speaks of.
        whole: whether every wire was judged.
    """
    worst = hardest.stress
    done = "writing" if [gap.what for gap in missing] == ["reading"] else "reading"
    state = "within the current limits: at most" if worst.ratio <= 1 else "current limits exceeded:"
    if worst.ratio <= 1 and not whole:
        state = "current limits not judged, of what is known at most"
    return f"{f'{done} ' if missing and worst.ratio <= 1 else ''}{state} {_load_words(hardest)}"


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
