"""Logic on board of a block: what its pins carry in a state of the model, and how they are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base import names
from ..base.errors import ConfigError
from ..solve.modes.address import Chain
from ..solve.modes.decoder import Decoder, mode_code

if TYPE_CHECKING:
    from ..solve import Drives, Network

#: ports of a decoder, and of a scan chain
_DECODER = {names.kind_of(pin) or pin for pin in names.DECODER_PINS}


def kind_of_logic(ports: Iterable[str]) -> str:
    """Return ``decoder`` or ``scan`` by the names of ports, '' for a block without logic."""
    have = set(ports)
    if have.issuperset(names.SCAN_NEEDED):
        return "scan"
    return "decoder" if have >= _DECODER else ""


def latched(pins: Iterable[str]) -> list[str]:
    """Return those of a decoder's pins that it holds while its enable is high."""
    return [pin for pin in pins if names.kind_of(pin) in (names.ADDRESS, names.MODE)]


def decoder_of(network: Network, pins: Iterable[str]) -> Decoder | None:
    """Return the decoder of a block with these digital pins, None without one."""
    if not set(pins).issuperset(names.DECODER_PINS):
        return None
    return Decoder(network.cols, tuple(n for n in network.gate_nets if names.CONTROL.fullmatch(n)))


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
    if (decoder := decoder_of(network, own)) is not None:
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
            "Set EN low{low}: every select line goes off.",
            "Set every bit of M high: {every} read.{any}",
            "Set EN high{setup}; {held} held from then on{hold}.",
        ],
        [
            "Set EN low{low}, and WR and WC to 0 V. Set {to}{code}. {meanwhile}",
            "When the mode switches stand{setup}, set EN high: the select line of column k goes "
            "on{on}.",
        ],
        "Return all of them to 0 V, then set EN low. Read back, and repeat as needed.",
    ),
    "scan": (
        [
            "Set EN low: every select line goes off{off}.",
            "Shift in the bits of the mode (SIN, CLK){shift}, and set LE high and low "
            "again{latch}.",
            "Set EN high.",
        ],
        [
            "Set EN low, and WR and WC to 0 V. Shift in the bits of the mode and of column k (SIN, "
            "CLK){shift}, and set LE high and low again{latch}.",
            "When the mode switches stand, set EN high: the select line of column k goes on{on}.",
        ],
        "Return all of them to 0 V, then set EN low. Read back, and repeat as needed.",
    ),
    # without select lines an enable turns the mode switches off
    "decoder alone": (
        [
            "Set EN low{low}: the mode switches go off.",
            "Set every bit of M high: {every} read.{any}",
            "Set EN high{setup}; {held} held from then on{hold}.",
        ],
        [
            "Set EN low{low}, and WR and WC to 0 V. Set {to}{code}. {meanwhile}",
            "Set EN high{setup}: rows and column k are on their write rails{on}.",
        ],
        "Return all of them to 0 V, then set EN low. Read back, and repeat as needed.",
    ),
    # a chain without select lines has no enable
    "scan alone": (
        [
            "Shift in the bits of the mode (SIN, CLK){shift}, and set LE high and low "
            "again{latch}.",
        ],
        [
            "Set WR and WC to 0 V. Shift in the bits of the mode and of column k (SIN, "
            "CLK){shift}, and set LE high and low again{latch}: rows and the column are on their "
            "write rails.",
        ],
        "Return all of them to 0 V. Read back, and repeat as needed.",
    ),
}


#: what no figure of a block counts: the time that the logic takes by itself
_LATER = (
    "The delay of the logic on board, from {pins} to the lines, comes on top of all times given "
    "here."
)
_PINS = {"decoder": "EN", "scan": "EN, LE and CLK", "scan alone": "LE and CLK"}


#: mode bits of a decoder that write: of one tier, and of two
_CODES = (
    "M[0] low and M[1] high",
    "M[0] high and M[1] low to write the top tier, or M[0] low and M[1] high to write the bottom "
    "one",
)


def settings(
    ports: Iterable[str], times: Mapping[str, str], cols: int, tiers: int, *, selects: bool = True
) -> tuple[list[str], list[str], str]:
    """Return how logic on board is set for a read and for a write, and how a write ends.

    Args:
        ports: of the block.
        times: key of `delays.LogicDelays`, of a chain of `chain_delays.ChainDelays` -> how long,
            in words; empty if not known.
        cols: number of columns.
        tiers: number of tiers.
        selects: there are select lines.
    """
    have = set(ports)
    address = names.ADDRESS in have
    words = {
        "any": " A may be any address." if address else "",
        "held": "A and M are" if address else "M is",
        "to": "A to column k, and " if address else "",
        "code": _CODES[tiers > 1],
        "every": "both tiers are" if tiers > 1 else "every column is",
        "meanwhile": "The other tier of the other columns is read meanwhile."
        if cols > 1 and tiers > 1 else "Nothing is read meanwhile.",
        "low": "", "setup": "", "hold": "", "on": "", "off": "", "shift": "", "latch": "",
    }  # fmt: skip
    kind = kind_of_logic(have)
    if times and kind == "scan":
        words |= {
            "off": f" within {times['off_s']}",
            "shift": f", CLK high for {times['high_s']} and low for {times['low_s']} or longer",
            "latch": f", high for {times['follow_s']} or longer and low for {times['shut_s']} "
            "before the next CLK",
            "on": f" within {times['on_s']}",
        }
    elif times:
        words |= {
            "low": f" for {times['rest_s']} or longer",
            "setup": f", {times['setup_s']} or longer after the last change",
            "hold": f" if they stay for {times['hold_s']}" if address
            else f" if it stays for {times['hold_s']}",
            "on": f" within {times['on_s']}",
        }  # fmt: skip
    read, write, after = _SET[kind if selects else f"{kind} alone"]
    return [s.format(**words) for s in read], [s.format(**words) for s in write], after


def waves(
    ports: Iterable[str], times: Mapping[str, str], wait: str
) -> tuple[list[tuple[str, str]], dict[float, str]]:
    """Return name and levels of what is set for a read, and marks; see `drawings.timing_diagram`.

    Args:
        ports: of the block.
        times: as in `settings`.
        wait: until columns stand, in words.
    """
    have = set(ports)
    if kind_of_logic(have) == "scan":
        found = [("SIN, CLK", "=000"), ("LE", "1000")]
        last = names.ENABLE if names.ENABLE in have else "LE"
        if last == names.ENABLE:
            found.insert(0, (last, "0111"))
        late = times.get("on_s" if last == names.ENABLE else "follow_s")
        after = f"{late or f'delay of {last}'} + {wait}"
        return found, {1: "inputs step", 2: after}
    code = "M, A" if names.ADDRESS in have else "M"
    lines = [("EN", "10111"), (code, "====="), ("mode switches", "=x===")]
    marks: dict[float, str] = {1: "EN falls", 2: "EN rises", 3: "on", 4: wait}
    if times:
        marks = {
            1: "EN falls", 2: f"{times['rest_s']} later", 3: f"{times['on_s']} later",
            4: f"{wait} later",
        }  # fmt: skip
    return [*lines, ("what EN turns on", "10011")], marks


def write_waves(ports: Iterable[str]) -> list[tuple[str, str]]:
    """Return name and levels of the pins of logic on board over the steps of a write, if any."""
    have = set(ports)
    kind = kind_of_logic(have)
    if kind == "scan":
        return [(names.ENABLE, "101110"), ("SIN, CLK", "0=0000"), ("LE", "010000")]
    code = "M, A" if names.ADDRESS in have else "M"
    return [(names.ENABLE, "101110"), (code, "=x====")] if kind else []


def later(kind: str, known: bool, *, selects: bool = True) -> str:
    """Return what is said of times that the logic takes and no figure holds, '' for none."""
    if not kind or known:
        return ""
    return _LATER.format(pins=_PINS.get(kind if selects else f"{kind} alone", _PINS[kind]))


#: what holds logic on board at power-up
_POWER_UP = {
    "scan": "Hold RSTN low at power-up: every bit is 0, {off}.",
    "decoder": "Hold EN and every bit of M low at power-up, and to turn everything off: {off}.",
}


def power_up(ports: Iterable[str], *, selects: bool = True) -> str:
    """Return how logic on board is held at power-up, '' for a block without."""
    kind = kind_of_logic(ports)
    if not kind:
        return ""
    off = "no row and no column is on its write rail"
    if selects:
        off = f"no select line is on, {off}"
    return _POWER_UP[kind].format(off=off)


def scan_chain(
    nets: Sequence[str], states: Mapping[str, Mapping[str, bool]]
) -> dict[str, Any] | None:
    """Return the bits of a scan chain in the order of time, and what they are in some states.

    Args:
        nets: what the bits drive, the one nearest to the data input first; none without a chain.
        states: what a state is -> level of each net.
    """
    if not nets:
        return None
    chain = Chain(tuple(nets))
    bits = {told: "".join("01"[b] for b in chain.bits(of)) for told, of in states.items()}
    return {"bits": [*reversed(chain.nets)], "states": bits}


def mode_rows(
    reads: Mapping[str, int | None], cols: int, meanwhile: bool
) -> dict[str, dict[str, str]]:
    """Return what a decoder's pins carry, in words: pin -> head -> level.

    Args:
        reads: head of a column of the mode table -> the tier that is read, None for both.
        cols: number of columns.
        meanwhile: columns are read while another one is written.
    """
    last = (1 << names.address_bits(cols)) - 1
    own = "column k"
    if cols <= last:
        span = f"{cols} .. {last}" if cols < last else f"{last}"
        own += f" ({span}: {'every column is read, ' if meanwhile else ''}none is written)"
    found = {
        names.numbered(names.ADDRESS, "*"): {
            head: "any" if tier is None else own for head, tier in reads.items()
        },
        names.ENABLE: dict.fromkeys(reads, "low, then high"),
    }
    for k in range(len(names.TIERS)):
        found[names.mode_bit(k)] = {
            head: "high" if mode_code(tier)[k] else "low" for head, tier in reads.items()
        }
    return found
