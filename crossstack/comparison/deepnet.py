"""Deep-net mode slot by slot, and the time it saves.

While one tier computes, the other is written column after column; slot k writes column k and
takes the other columns' sums. The write must not be felt there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis import Stimulus, mode_ohm
from ..pdk import Tech
from ..solve.metrics import ir_drop
from ..solve.network import TIER_NAMES, Network
from ..solve.theory import Parts
from ..solve.timing import Timing, line_delay, pulse_curve, ratio_for, settle_time
from .cases import Floats, Proved
from .table import PAPER_SPEED

if TYPE_CHECKING:
    from ..console import Step

#: pulse times of the table, s: device papers use 10 ns to 1 us (facts/devices.md section 6)
PULSES_S = (10e-9, 20e-9, 40e-9, 50e-9, 100e-9, 200e-9, 500e-9, 1e-6)
#: depth of the networks whose gain is printed; None is the limit of many layers
DEPTHS = (2, 3, 5, 10, 20, None)
#: time the read-out needs per bit after the lines have settled, s: ISAAC's 100 ns cycle
#: (doi 10.1109/isca.2016.12, facts/devices.md section 6); ours settles well within it
SENSE_S = 100e-9
INPUT_BITS = 10


@dataclass(frozen=True)
class Slot:
    """What one slot of a write does.

    Attributes:
        write_tier, column: what is written.
        disturb_a: largest change of another column's current by the write, A.
        disturb: the same, as a fraction of the largest ideal column current.
        leak_bound_a: what the off transistors between the written column's row voltages and
            one other column can carry at most, A.
        loss: largest part of the write voltage that wires and transistors take.
        half_selected_v: largest voltage on another device of the written tier, V.
        same_column_v: largest voltage on the computing tier's devices in that column, V.
    """

    write_tier: str
    column: int
    disturb_a: float
    disturb: float
    leak_bound_a: float
    loss: float
    half_selected_v: float
    same_column_v: float


def off_ohm(tech: Tech, width_um: float) -> float:
    """Return the resistance of a transistor that is off, in ohm, from its leakage per um."""
    return tech.nfet.v_off_v / (tech.nfet.ioff_a_per_um * width_um)


def slots(
    network: Network,
    tech: Tech,
    conductances: Floats,
    inputs: Floats,
    *,
    width_um: float,
    write_voltage: float,
    progress: Step | None = None,
) -> Iterator[Slot]:
    """Write either tier column after column while the other computes.

    Args:
        network: an extracted macro or array with select transistors.
        tech: for the transistors.
        conductances: S, shape (2, rows, cols).
        inputs: V, shape (2, rows).
        width_um: width of the select transistors, which sets the leakage of those that are off.
        write_voltage: V between a written row and the write rail.
        progress: told after every slot.
    """
    r_off = off_ohm(tech, width_um)
    what = Stimulus(conductances, inputs, {})
    ohm: Floats | None = None
    done = 0
    for tier in (1, 0):
        for column in range(network.cols):
            slot: dict[str, Any] = {
                "read_tier": 1 - tier,
                "write_column": column,
                "write_voltage": write_voltage,
            }
            ohm = mode_ohm(network, tech, what, "deep-net", ohm, r_off, **slot)
            found = ir_drop(
                network,
                conductances,
                inputs,
                mode="deep-net",
                switch_ohm=ohm,
                switch_off_ohm=r_off,
                **slot,
            )
            assert found.write is not None
            scale = float(np.nanmax(np.abs(found.ideal_currents)))
            yield Slot(
                TIER_NAMES[tier],
                column,
                found.write.read_disturb * scale,
                found.write.read_disturb,
                network.rows * write_voltage / r_off,
                found.write.worst_loss,
                found.write.half_selected_voltage,
                found.write.same_column_voltage,
            )
            done += 1
            if progress:
                progress(done, 2 * network.cols)


def settle(proved: Proved, tech: Tech, parts: Parts) -> dict[str, float]:
    """Return the settling time of a read from the extracted wires and capacitances.

    Elmore delays of the slowest row line, then of a column through its sense end, to half an
    LSB of the input's bits.

    Args:
        proved: the extracted macro.
        tech: its technology.
        parts: series parts with everything counted, ohm.
    """
    from ..extract import net_capacitance

    n, m = proved.spec.rows, proved.spec.cols
    found = net_capacitance(proved.layout, tech, nets=["TR*", "BR*", "C*"])
    farad = {name: cap.total_f for name, cap in found.items()}
    row = max((c for name, c in farad.items() if name[:2] in ("TR", "BR")), default=0.0)
    col = max((c for name, c in farad.items() if name[:2] == "C["), default=0.0)
    delay = line_delay(parts.row, row / m, m, drive_ohm=parts.drive)
    delay += line_delay(parts.col, col / n, n, drive_ohm=parts.sense)
    return {
        "row_farad": row,
        "column_farad": col,
        "delay_s": delay,
        "settle_s": settle_time(delay, INPUT_BITS),
    }


def timing(proved: Proved, settle_s: float) -> dict[str, Any]:
    """Return both definitions of the gain over pulse time and depth, beside the paper's 29 %."""
    base = Timing(settle=settle_s, sense=SENSE_S, pulse=PULSES_S[0], cols=proved.spec.cols,
                  bits=INPUT_BITS)  # fmt: skip
    ratio = {d: ratio_for(PAPER_SPEED, definition=d) for d in ("time_reduction", "speed_up")}
    return {
        "paper": PAPER_SPEED,
        "counted": (
            f"read = {INPUT_BITS} bits x (settle + sense), write = columns x pulse, many layers"
        ),
        "settle_s": settle_s,
        "sense_s": SENSE_S,
        "over_pulse": [t.to_json() for t in pulse_curve(base, PULSES_S)],
        "over_depth": [replace(base, pulse=40e-9, depth=depth).to_json() for depth in DEPTHS],
        "pulse_for_paper_s": {name: share * base.read / base.cols for name, share in ratio.items()},
    }
