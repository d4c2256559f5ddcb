"""Logic on board of a block: what its pins carry in a state of the model, and how they are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..base import names
from ..base.errors import ConfigError
from ..solve.modes.decoder import Decoder, mode_code

if TYPE_CHECKING:
    from ..solve import Drives, Network

#: ports of a decoder, and of a scan chain
_DECODER = {names.kind_of(pin) or pin for pin in names.DECODER_PINS}


def kind_of_logic(ports: Iterable[str]) -> str:
    """Return ``decoder`` or ``scan`` by the names of ports, '' for a block without logic."""
    have = set(ports)
    if have.issuperset(names.SCAN_PINS):
        return "scan"
    return "decoder" if have >= _DECODER else ""


def latched(pins: Iterable[str]) -> list[str]:
    """Return those of a decoder's pins that it holds while its enable is high."""
    return [pin for pin in pins if names.kind_of(pin) in (names.ADDRESS, names.MODE)]


def pin_levels(drives: Drives, network: Network, pins: Iterable[str]) -> list[dict[str, bool]]:
    """Return what digital pins carry in a state: one, or each address where it does not matter.

    Args:
        drives: what the state drives.
        network: of the block.
        pins: its digital inputs.

    Raises:
        ConfigError: if the state needs a control that no pin reaches.
    """
    own, gates = set(pins), set(network.gate_nets)
    needed = [net for net in drives.gates if names.CONTROL.fullmatch(net) and net in gates]
    if own.issuperset(names.DECODER_PINS):
        decoder = Decoder(network.cols, tuple(needed))
        found = decoder.pins_of(drives)
        if drives.request.writes:
            return [found]
        code = (found[names.mode_bit(names.BOTTOM)], found[names.mode_bit(names.TOP)])
        return [decoder.pins(code, column) for column in range(1 << len(decoder.address))]
    if beyond := sorted(set(needed) - own):
        raise ConfigError(f"no pin sets {beyond[0]}: a scan chain on board does, step by step")
    return [{pin: bool(drives.gates.get(pin, False)) for pin in own}]


#: what the select lines and mode switches are set by -> how, for a read and for a write
_SET = {
    "decoder": (
        [
            "Set EN low: every select line goes off.",
            "Set every bit of M high: both tiers are read.{any}",
            "Set EN high; {held} held from then on.",
        ],
        [
            "Set EN low, and WR and WC to 0 V. Set {to}M[0] high and M[1] low to write the "
            "top tier, or M[0] low and M[1] high to write the bottom one. The other tier of the "
            "other columns is read meanwhile.",
            "When the mode switches stand, set EN high: the select line of column k goes on.",
        ],
        "Return all of them to 0 V, then set EN low. Read back, and repeat as needed.",
    ),
    "scan": (
        [
            "Set EN low: every select line goes off.",
            "Shift in the bits of the mode (SIN, CLK), and set LE high and low again.",
            "Set EN high.",
        ],
        [
            "Set EN low, and WR and WC to 0 V. Shift in the bits of the mode and of column k (SIN, "
            "CLK), and set LE high and low again.",
            "When the mode switches stand, set EN high: the select line of column k goes on.",
        ],
        "Return all of them to 0 V, then set EN low. Read back, and repeat as needed.",
    ),
}
#: the same over time
_WAVES = {
    "decoder": [("EN", "0111"), ("M, A", "====")],
    "scan": [("EN", "0111"), ("SIN, CLK", "=000"), ("LE", "1000")],
}


#: what no figure of a block counts: the time that the logic takes by itself
_LATER = {
    "decoder": (
        "The decoder's own delay comes on top of all times given here. Of a macro of 1 x 2 on "
        "the usual process, in ngspice with the foundry's models, typical and at 25 C, select "
        "lines are on 3.0 ns after EN rises and mode switches stand 4.2 ns after it falls; other "
        "sizes and conditions differ."
    ),
    "scan": (
        "The delay of the logic on board, from EN, LE and CLK to the lines, comes on top of all "
        "times given here."
    ),
}


def settings(ports: Iterable[str]) -> tuple[list[str], list[str], str]:
    """Return how logic on board is set for a read and for a write, and how a write ends."""
    have = set(ports)
    address = names.ADDRESS in have
    words = {
        "any": " A may be any address." if address else "",
        "held": "A and M are" if address else "M is",
        "to": "A to column k, and " if address else "",
    }
    read, write, after = _SET[kind_of_logic(have)]
    return [s.format(**words) for s in read], [s.format(**words) for s in write], after


def waves(ports: Iterable[str]) -> list[tuple[str, str]]:
    """Return name and levels of its pins while it is set, see `drawings.timing_diagram`."""
    have = set(ports)
    found = _WAVES[kind_of_logic(have)]
    return [(n if names.ADDRESS in have else n.removesuffix(", A"), levels) for n, levels in found]


def later(kind: str) -> str:
    """Return what is said of the time that the logic takes, '' for a block without."""
    return _LATER.get(kind, "")


def mode_rows(reads: Mapping[str, int | None]) -> dict[str, dict[str, str]]:
    """Return what a decoder's pins carry, in words: pin -> head -> level.

    Args:
        reads: head of a column of the mode table -> the tier that is read, None for both.
    """
    found = {
        names.numbered(names.ADDRESS, "*"): {
            head: "any" if tier is None else "column k" for head, tier in reads.items()
        },
        names.ENABLE: dict.fromkeys(reads, "low, then high"),
    }
    for k in range(len(names.TIERS)):
        found[names.mode_bit(k)] = {
            head: "high" if mode_code(tier)[k] else "low" for head, tier in reads.items()
        }
    return found
