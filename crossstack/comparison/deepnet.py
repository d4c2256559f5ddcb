"""Deep-net mode slot by slot, and how fast a read settles.

While one tier computes, the other is written column after column; slot k writes column k and
takes the other columns' sums. The write must not be felt there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analyse.analysis import Stimulus
from ..analyse.needs import Lowest, lowest_of
from ..analyse.operating import Laws, mode_ohm, write_turns, write_way
from ..analyse.timing import Settling, read_settle, settling_nets
from ..base import names
from ..base.names import TIER_NAMES, WRITE_RAIL
from ..pdk import Tech
from ..solve.modes.modes import DEEP_NET, POLARITIES
from ..solve.network.network import Network
from ..solve.network.reduced import reduced
from ..solve.study.metrics import ir_drop
from .cases import Floats, Proved

if TYPE_CHECKING:
    from ..progress import Step


@dataclass(frozen=True)
class Slot:
    """What one slot of a write does.

    Attributes:
        write_tier, column, polarity: what is written, and which way.
        disturb_a: largest change of another column's current by the write, A.
        disturb: the same, as a fraction of the largest ideal column current.
        leak_bound_a: what transistors that are off can bring into one other column at most, A:
            its select transistors to the written rows, those of the written column and the mode
            switches to the rows that are read, and in a reset its switches to the write rail.
        loss: largest part of the write voltage that wires and transistors take.
        half_selected_v: largest voltage on another device of the written tier, V.
        same_column_v: largest voltage on the computing tier's devices in that column, V.
        lowest: the written device that gets least voltage.
    """

    write_tier: str
    column: int
    polarity: str
    disturb_a: float
    disturb: float
    leak_bound_a: float
    loss: float
    half_selected_v: float
    same_column_v: float
    lowest: Lowest | None


def off_ohm(tech: Tech, width_um: float) -> float:
    """Return the resistance of a transistor that is off, in ohm, from its leakage per um."""
    return tech.nfet.v_off_v / (tech.nfet.ioff_a_per_um * width_um)


def _leaks(network: Network) -> tuple[int, int]:
    """Return how many transistors may leak into one column that computes.

    Returns:
        (those whose other end is a row line or leads to one, those to the write rail, which is at
        a voltage in a reset only; of the column that has most).
    """
    tier_of = {names.row(t, i): t for t in network.tiers for i in range(network.rows)}
    read = {names.numbered(k, i) for k in names.ALL_INPUTS for i in range(network.rows)}
    nets = np.array([name.split("/")[0] for name in network.node_names.tolist()])
    a, b = nets[network.switch_a].tolist(), nets[network.switch_b].tolist()
    select, write, rail = Counter[int](), Counter[int](), Counter[str]()
    for line, other, gate in zip(a + b, b + a, [*network.switch_gate.tolist()] * 2, strict=True):
        if line == WRITE_RAIL:
            rail[other] += 1
        elif line in tier_of and other not in network.ports:
            select[gate] += 1
        elif line in tier_of and other not in read:
            write[tier_of[line]] += 1
    # one column's own, the written column's to the rows that are read, and these rows' drivers'
    leaks = 2 * max(select.values(), default=0) + max(write.values(), default=0)
    return leaks, max(rail.values(), default=0)


def slots(
    network: Network,
    tech: Tech,
    conductances: Floats,
    inputs: Floats,
    *,
    width_um: float,
    progress: Step | None = None,
) -> Iterator[Slot]:
    """Write either tier column after column, in both polarities, while the other computes.

    If rows are written in turns, those of `write_turns` stand for all of them.

    Args:
        network: an extracted macro or array with select transistors.
        tech: for the transistors.
        conductances: S, shape (2, rows, cols).
        inputs: V, shape (2, rows).
        width_um: width of the select transistors, which sets the leakage of those that are off.
        progress: told after every slot.
    """
    laws, turns = Laws.of(tech), write_turns(tech, network.rows)
    r_off = off_ohm(tech, width_um)
    rows, rail = _leaks(network)
    network = reduced(network).network  # of which only pins and devices are read
    what = Stimulus(conductances, inputs, {})
    ohm: Floats | None = None
    done = 0
    for tier in (1, 0):
        for polarity, column, turn in product(POLARITIES, range(network.cols), turns):
            way = {**write_way(tech, polarity), **turn}
            volts = abs(way["write_voltage"])
            slot: dict[str, Any] = {"read_tier": 1 - tier, "write_column": column, **way}
            ohm = mode_ohm(network, tech, what, DEEP_NET, ohm, r_off, **laws.options, **slot)
            found = ir_drop(
                network,
                conductances,
                inputs,
                mode=DEEP_NET,
                switch_ohm=ohm,
                switch_off_ohm=r_off,
                **laws.options,
                **slot,
            )
            assert found.write is not None
            scale = float(np.nanmax(np.abs(found.ideal_currents)))
            yield Slot(
                TIER_NAMES[tier],
                column,
                polarity,
                found.write.read_disturb * scale,
                found.write.read_disturb,
                (rows + (rail if polarity == "reset" else 0)) * volts / r_off,
                found.write.worst_loss,
                found.write.half_selected_voltage,
                found.write.same_column_voltage,
                lowest_of(found.write.written_voltages, polarity, tier, column),
            )
            done += 1
            if progress:
                progress(done, 2 * len(POLARITIES) * network.cols * len(turns))


def settle(proved: Proved, tech: Tech, what: Stimulus) -> Settling:
    """Return how a read of a macro settles; see `timing.read_settle`.

    Args:
        proved: the extracted macro.
        tech: its technology.
        what: devices and inputs.
    """
    from ..extract import net_capacitance

    found = net_capacitance(proved.layout, tech, nets=settling_nets(proved.network))
    return read_settle(proved.network, tech, what, found)
