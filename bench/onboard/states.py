"""Which states of the logic on board to set, and the steps of all pins that do it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossstack.base import names
from crossstack.generators.array import Array
from crossstack.solve.modes.address import RESET, Chain, Step
from crossstack.solve.modes.decoder import OFF, Decoder
from crossstack.solve.modes.drives import Drives, mode_drives
from crossstack.solve.modes.mode import ArrayKind
from crossstack.solve.modes.modes import MODES

Levels = dict[str, bool]


@dataclass
class State:
    """A state to set, and which steps of the run do it."""

    text: str
    levels: Levels
    latch: int
    on: int
    end: int


def lines_of(array: Array) -> tuple[str, ...]:
    """Return what the logic on board drives."""
    return array.chain or array.decoded


def mode_states(array: Array) -> Iterator[tuple[str, Drives]]:
    """Yield every mode, reading tier and written column."""
    rows, cols = array.spec.rows, array.spec.cols
    kind = ArrayKind(macro=True)
    for mode in MODES.values():
        ways = [(t, c) for t in names.TIER_NAMES for c in range(cols)] if mode.writes else [("", 0)]
        for tier, column in ways:
            options = {"read_tier": tier, "write_column": column} if tier else {}
            drives = mode_drives(mode.name, rows, cols, np.zeros((2, rows)), kind=kind, **options)
            yield f"{mode.name} {tier} {column}".strip() if tier else mode.name, drives


def codes(array: Array) -> list[tuple[str, Levels, Levels]]:
    """Return every mode code with every address, also those of no column: text, pins, levels.

    In an order that changes address and mode at once. Where a code is a line of the mode table the
    levels are the table's own.
    """
    decoder = Decoder(array.spec.cols, array.decoded)
    found = []
    for code in [(b, t) for b in (False, True) for t in (False, True)]:
        for column in range(1 << len(decoder.address)):
            pins = decoder.pins(code, column)
            text = f"mode {code[1]:d}{code[0]:d} address {column}"
            found.append((text, pins, decoder.levels(pins)))
    for _, drives in mode_states(array):
        pins = decoder.pins_of(drives)
        for k, (text, own, _levels) in enumerate(found):
            if own == pins:
                found[k] = (text, own, {net: drives.gates[net] for net in decoder.nets})
    random.Random(1).shuffle(found)
    return found


def part_of(count: int, part: int, parts: int) -> range:
    """Return which of so many states a part sets: its own, and before them that of the last one.

    After all of them the first one comes again.
    """
    ends = [round(k * count / parts) for k in range(parts + 1)]
    return range(max(0, ends[part] - 1), ends[part + 1] + (part == parts - 1))


def plan(array: Array, part: int = 0, parts: int = 1) -> tuple[list[Step], list[State]]:
    """Return all steps of a part of the run, and which of them belong to which state."""
    return (_plan_of_decoder if array.decoded else _plan_of_chain)(array, part, parts)


def _plan_of_decoder(array: Array, part: int, parts: int) -> tuple[list[Step], list[State]]:
    """Address and mode change with the falling enable, and once it has risen they are others."""
    decoder = Decoder(array.spec.cols, array.decoded)
    low = {names.ENABLE: False}
    rest = Step("power-up", {**decoder.pins(OFF), **low})
    awake = Step("power-up, others high", {**dict.fromkeys(decoder.inputs, True), **low})
    steps, found = [rest, awake, rest], []
    every = codes(array)
    for k in part_of(len(every), part, parts):
        text, pins, levels = every[k % len(every)]
        first = len(steps)
        other = {pin: not high for pin, high in pins.items()} | {names.ENABLE: True}
        steps += [Step("set", {**pins, **low}), Step("on", pins), Step("held", other)]
        found.append(State(text, levels, first, first + 1, len(steps)))
    return steps, found


def _plan_of_chain(array: Array, part: int, parts: int) -> tuple[list[Step], list[State]]:
    chain = Chain(array.chain)
    # at power-up whatever the other pins are
    awake = Step("reset, others high", {**RESET.levels, "EN": True, "LE": True, "CLK": True})
    steps, found = [RESET, awake, RESET], []
    every = list(mode_states(array))
    for k in part_of(len(every), part, parts):
        text, drives = every[k % len(every)]
        first = len(steps)
        levels = {net: drives.gates[net] for net in chain.nets}
        steps += chain.sequence(levels)
        found.append(
            State(text, levels, first + 2 * len(chain.nets) + 2, len(steps) - 1, len(steps))
        )
    return steps, found
