"""How long a read takes, and what writing meanwhile saves.

The read settles with the extracted resistances and capacitances; the rest of the model is
`solve.timing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from .analysis import refusal
from .paper import SPEED
from .solve.network import Network
from .solve.theory import Parts
from .solve.timing import Timing, line_delay, pulse_curve, ratio_for, settle_time

#: pulse times of the table, s: device papers use 10 ns to 1 us
#: (pdk/modules/al_tio2/SOURCES.md section 6)
PULSES_S = (10e-9, 20e-9, 40e-9, 50e-9, 100e-9, 200e-9, 500e-9, 1e-6)
#: pulse time of the table over depth and of the diagram, s
PULSE_S = 40e-9
#: depth of the networks whose gain is printed; None is the limit of many layers
DEPTHS = (2, 3, 5, 10, 20, None)
#: time the read-out needs per bit after the lines have settled, s: ISAAC's 100 ns cycle
#: (doi 10.1109/isca.2016.12, pdk/modules/al_tio2/SOURCES.md section 6); ours settles well within it
SENSE_S = 100e-9
INPUT_BITS = 10
#: nets whose capacitance the settling needs
LINES = ("TR*", "BR*", "C[*")


def read_and_write(network: Network, parts: Parts, farad: Mapping[str, float]) -> dict[str, Any]:
    """Return the content of timing.json: how a read settles, what writing meanwhile saves.

    Args:
        network: the extracted network.
        parts: series parts of one tier with everything counted, ohm.
        farad: total capacitance of its lines, by net, F; empty if not extracted.
    """
    out: dict[str, Any] = {"paper": SPEED}
    if not farad:
        return {**out, "not_run": "the array is too large to extract capacitances in a build"}
    out["settle"] = read_settle(network, parts, farad)
    if (reason := refusal(network, "deep-net")) is not None:
        return {**out, "not_run": reason}
    return {**out, "overlap": overlap(out["settle"]["settle_s"], network.cols)}


def read_settle(network: Network, parts: Parts, farad: Mapping[str, float]) -> dict[str, float]:
    """Return the settling time of a read from the extracted wires and capacitances.

    Elmore delays of the slowest row line, then of a column through its sense end, to half an
    LSB of the input's bits.

    Args:
        network: the extracted network.
        parts: its series parts with everything counted, ohm.
        farad: total capacitance of its lines, by net, F.
    """
    n, m = network.rows, network.cols
    row = max((c for name, c in farad.items() if name[:3] in ("TR[", "BR[")), default=0.0)
    col = max((c for name, c in farad.items() if name[:2] == "C["), default=0.0)
    delay = line_delay(parts.row, row / m, m, drive_ohm=parts.drive)
    delay += line_delay(parts.col, col / n, n, drive_ohm=parts.sense)
    return {
        "row_farad": row,
        "column_farad": col,
        "delay_s": delay,
        "settle_s": settle_time(delay, INPUT_BITS),
    }


def overlap(settle_s: float, cols: int) -> dict[str, Any]:
    """Return both definitions of the gain over pulse time and depth, beside the paper's 29 %.

    Args:
        settle_s: settling time of a read per input bit, s.
        cols: columns written one after the other.
    """
    base = Timing(settle=settle_s, sense=SENSE_S, pulse=PULSE_S, cols=cols, bits=INPUT_BITS)
    return {
        "paper": SPEED,
        "counted": (
            f"read = {INPUT_BITS} bits x (settle + sense), write = columns x pulse, many layers"
        ),
        "settle_s": settle_s,
        "sense_s": SENSE_S,
        "over_pulse": [t.to_json() for t in pulse_curve(base, PULSES_S)],
        "over_depth": [replace(base, depth=depth).to_json() for depth in DEPTHS],
        "pulse_for_paper_s": pulses_for_paper(base),
    }


def pulses_for_paper(timing: Timing) -> dict[str, list[float]]:
    """Return the pulse times at which overlapping gains the paper's 29 %, s: definition -> both.

    The gain peaks where writing takes as long as reading, so a shorter and a longer pulse give it.
    """
    found = {}
    for definition in ("time_reduction", "speed_up"):
        ratio = ratio_for(SPEED, definition=definition)
        peak = timing.read / (timing.cols * timing.pulses)
        found[definition] = [ratio * peak, peak / ratio]
    return found


def base_of(overlap: Mapping[str, Any]) -> Timing:
    """Return the times behind the first line of the table over pulse time."""
    row = overlap["over_pulse"][0]
    return Timing(**{each.name: row[each.name] for each in fields(Timing)})


def dense_curve(overlap: Mapping[str, Any], steps: int = 80) -> list[Timing]:
    """Return the gain over the table's range of pulse times as a curve, with its peak.

    Straight lines between the few pulse times of the table would cut the peak off.
    """
    base, drawn = base_of(overlap), {row["pulse"] for row in overlap["over_pulse"]}
    low, high = min(drawn), max(drawn)
    peak = base.read / (base.cols * base.pulses) - base.verify
    many = {low * (high / low) ** (k / steps) for k in range(1, steps)}
    return pulse_curve(base, sorted(drawn | many | ({peak} if low < peak < high else set())))
