"""The pin list: what each pin is, where, what it carries in each mode and what it may carry."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analyse import write_options
from ..base import names
from ..solve import ArrayKind, network_drives
from ..solve.modes.modes import mode_named, read_tiers
from .access import on_tracks
from .modes import macro_modes, reads_meanwhile
from .onboard import kind_of_logic, mode_rows

if TYPE_CHECKING:
    from ..analyse import Stimulus
    from ..pdk import Tech
    from ..solve import Drives, Mode, Network
    from .abstract import Abstract, Pin

COLUMNS = (
    "name", "direction", "use", "layer", "side", "x_um", "y_um", "low_V", "high_V",
    "limit_A", "farad", "on_track",
)  # fmt: skip


def pin_table(
    block: Abstract,
    tech: Tech,
    network: Network,
    what: Stimulus,
    farad: Mapping[str, float],
    nets: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return an entry per pin, keys as in `COLUMNS`.

    Voltages are those of the modes; a digital pin goes from ground to the supply.

    Args:
        block: the pins.
        tech: for the supply and the write voltages.
        network: extracted.
        what: inputs of a read.
        farad: pin -> capacitance; empty if not extracted.
        nets: entries of nets.json, for the largest continuous current into a pin.
    """
    limits = {row["net"]: row["em_limit_a"] for row in nets}
    volts = voltages(network, tech, what)
    volts = _sensed(block, volts) | volts
    tracks = on_tracks(block)
    table = []
    for pin in block.pins:
        low, high = _range(pin, volts, tech.conditions.supply_v)
        shape = pin.shapes[0]
        centre = shape.box.center()
        row = (
            pin.name, pin.role.direction.lower(), pin.role.use.lower(), shape.layer,
            shape.side or "inside", round(centre.x * tech.dbu_um, 3),
            round(centre.y * tech.dbu_um, 3), low, high, limits.get(pin.name),
            farad.get(pin.name), tracks[pin.name],
        )  # fmt: skip
        table.append(dict(zip(COLUMNS, row, strict=True)))
    return table


def _range(
    pin: Pin, volts: Mapping[str, tuple[float, float]], supply: float
) -> tuple[float | None, float | None]:
    if pin.role.use == "GROUND":
        return 0.0, 0.0
    if pin.role.use == "POWER":
        return supply, supply
    if pin.role.digital:
        return 0.0, supply
    return volts.get(pin.name, (None, None))


def _sensed(
    block: Abstract, volts: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the range of pins that carry no current: nothing lies beyond what others drive."""
    lows, highs = zip(*(volts[p.name] for p in block.pins
                        if p.name in volts and p.role.use == "ANALOG"), strict=True)  # fmt: skip
    kinds = (*names.ROWS, names.COLUMN)
    return {p.name: (min(lows), max(highs)) for p in block.pins if names.kind_of(p.name) in kinds}


def voltages(network: Network, tech: Tech, what: Stimulus) -> dict[str, tuple[float, float]]:
    """Return pin -> lowest and highest voltage that the modes drive it with, V."""
    found: dict[str, tuple[float, float]] = {}
    for _, drives in _every_way(network, tech, what):
        for pin, volt in drives.port_voltages.items():
            low, high = found.get(pin, (volt, volt))
            found[pin] = (min(low, volt), max(high, volt))
    return found


def _every_way(network: Network, tech: Tech, what: Stimulus) -> Iterator[tuple[str, Drives]]:
    """Yield what every mode drives: inputs at 0 and at their values, each tier, each polarity."""
    ends = {0, network.cols - 1}
    for mode in macro_modes(network):
        for inputs in (np.zeros_like(what.inputs), what.inputs):
            tiers = read_tiers(ArrayKind.of(network))
            own = [{"read_tier": t, "write_column": c} for t in tiers for c in ends]
            for options in own if mode.writes else [{}]:
                for way in write_options(tech, mode.name, dict(options), network.rows):
                    yield mode.name, network_drives(network, mode.name, inputs, **way)


def modes_table(network: Network, pins: Iterable[str]) -> list[dict[str, str]]:
    """Return what every kind of pin carries in every mode, in words of the mode table.

    Of a scan chain there are the lines that it sets, too, whose levels are shifted in: they are
    no pins, and the table says so.

    Args:
        network: extracted.
        pins: of the block.
    """
    kind = ArrayKind.of(network)
    rows: dict[str, dict[str, str]] = {}
    heads: dict[str, int | None] = {}
    for mode in macro_modes(network):
        for tier in read_tiers(kind) if mode.writes else (None,):
            head = mode.name if tier is None else _head(mode, network, tier)
            letters = {"R": "", "W": ""}
            if tier is not None:
                letters = {"R": names.TIERS[tier], "W": names.TIERS[1 - tier]}
            heads[head] = tier
            for rule in mode.rules(kind):
                name = rule.pins.format(i="*", **letters)
                rows.setdefault(name, {})[head] = rule.carries.replace("_", " ")
    own = set(pins)
    logic = kind_of_logic(names.kind_of(pin) or pin for pin in own)
    if logic == "decoder":
        rows |= mode_rows(heads, network.cols, reads_meanwhile(network))
    kinds, inside = _starred(own), set[str]()
    if logic == "scan":
        inside = _starred(set(network.gate_nets)) - kinds
    column = "pin or line" if inside & rows.keys() else "pin"
    return [
        {
            column: name if name in kinds else f"{name} (line inside, set by bits)",
            **{head: told.get(head, "-") for head in heads},
        }
        for name, told in sorted(rows.items())
        if name in kinds | inside
    ]


def _starred(lines: set[str]) -> set[str]:
    """Return names of lines, and those of their kinds with a star for the number."""
    kinds = {names.kind_of(line) for line in lines}
    return lines | {names.numbered(kind, "*") for kind in kinds if kind}


def chain_states(
    network: Network, tech: Tech, what: Stimulus, chain: Sequence[str]
) -> dict[str, dict[str, bool]]:
    """Return what the lines of a scan chain carry in each mode, with column 0 written.

    Args:
        network: extracted.
        tech: of the write voltages.
        what: inputs of a read.
        chain: its lines; none without one.
    """
    found: dict[str, dict[str, bool]] = {}
    for name, drives in _every_way(network, tech, what) if chain else ():
        asked = drives.request
        if asked.writes and asked.write_column:
            continue
        told = name if not asked.writes else _head(mode_named(name), network, asked.read_tier)
        levels = {net: bool(drives.gates[net]) for net in chain}
        found.setdefault(told.replace("column k", "column 0"), levels)
    return found


def _head(mode: Mode, network: Network, tier: int) -> str:
    """Return what a mode does that writes the tier beside one, in words."""
    read, write = names.TIER_NAMES[tier], names.TIER_NAMES[1 - tier]
    if reads_meanwhile(network):
        return f"{mode.name}, {read} reads, column k of {write} is written"
    column = "column k" if network.cols > 1 else "the column"
    return f"{column} of {write} is written, none is read"


def csv_text(table: Sequence[Mapping[str, Any]]) -> str:
    """Return the pin list as CSV; empty where a figure was not extracted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in table:
        writer.writerow([_cell(row[key]) for key in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
