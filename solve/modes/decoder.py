"""Modes over a decoder: what its pins carry for a mode and a column, and the controls they set.

Mode bit t tells whether tier t is read. With both, every column of both tiers is on. With one, that
tier is read in every column but the addressed one, which is written in the other tier: an address
of no column writes none and reads them all, and where there is one column, none is read. With none
of the bits, everything is off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...base import names
from ...base.errors import ModeError
from ...base.names import BOTTOM, TIER_NAMES, TOP
from .address import Step, Told, check_reached
from .drives import Drives
from .modes import MODES

#: mode bits (bottom, top) with which everything is off
OFF = (False, False)


def mode_code(read_tier: int | None) -> tuple[bool, bool]:
    """Return the mode bits (bottom, top) of a mode that reads a tier, or every one."""
    return read_tier in (None, BOTTOM), read_tier in (None, TOP)


@dataclass(frozen=True)
class Decoder:
    """A decoder on board.

    Attributes:
        cols: columns that it addresses.
        nets: what it drives.

    Raises:
        ModeError: for one that drives no net, a net twice, or what is no control of its columns.
    """

    cols: int
    nets: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.nets or len(set(self.nets)) != len(self.nets):
            raise ModeError("a decoder drives one net or more, and each once")
        if wrong := [net for net in self.nets if not self._controls(net)]:
            raise ModeError(f"{wrong[0]} is no control of a decoder of {self.cols} columns")

    def _controls(self, net: str) -> bool:
        if not names.CONTROL.fullmatch(net):
            return False
        return not names.kind_of(net) or names.number_of(net) < self.cols

    @property
    def address(self) -> tuple[str, ...]:
        """Pins of the address, the lowest bit first."""
        return tuple(names.address(k) for k in range(names.address_bits(self.cols)))

    @property
    def inputs(self) -> tuple[str, ...]:
        """All pins: address, mode bits, enable."""
        return (*self.address, *(names.mode_bit(t) for t in range(len(names.TIERS))), names.ENABLE)

    @property
    def gates_selects(self) -> bool:
        """Whether the enable turns off select lines alone, or all where there are none."""
        return any(names.kind_of(net) in names.SELECTS for net in self.nets)

    @property
    def reads_while_writing(self) -> bool:
        """Whether one tier is read while a column of the other is written.

        That takes two tiers, select lines and a second column; else a write reads nothing.
        """
        tiers = set(names.WRITE_TIERS) <= set(self.nets)
        return tiers and self.gates_selects and self.cols > 1

    def pins(
        self, code: tuple[bool, bool], column: int = 0, *, enabled: bool = True
    ) -> dict[str, bool]:
        """Return what the pins carry.

        Args:
            code: mode bits, of the bottom and of the top tier.
            column: the address.
            enabled: EN is high.

        Raises:
            ModeError: for an address of more bits than there are.
        """
        most = (1 << names.address_bits(self.cols)) - 1
        if not 0 <= column <= most:
            raise ModeError(f"address is {column}, allowed 0..{most}")
        found = {pin: bool(column >> k & 1) for k, pin in enumerate(self.address)}
        found |= {names.mode_bit(t): bool(bit) for t, bit in enumerate(code)}
        return found | {names.ENABLE: bool(enabled)}

    def pins_of(self, drives: Drives) -> dict[str, bool]:
        """Return what the pins carry in a mode; without a write, the address is 0."""
        q = drives.request
        return self.pins(*((mode_code(q.read_tier), q.write_column) if q.writes else
                           (mode_code(None), 0)))  # fmt: skip

    def levels(self, pins: Mapping[str, bool]) -> dict[str, bool]:
        """Return the levels of all nets, as the drawn logic sets them.

        Raises:
            ModeError: naming a pin that has no level.
        """
        if missing := [pin for pin in self.inputs if pin not in pins]:
            raise ModeError(f"no level is known for {missing[0]}")
        on = pins[names.ENABLE]
        reads = [pins[names.mode_bit(t)] for t in range(len(names.TIERS))]
        writes = [reads[1 - t] and not reads[t] for t in range(len(names.TIERS))]
        column = sum(pins[pin] << k for k, pin in enumerate(self.address))
        write_on = on or self.gates_selects
        found = {}
        for net in self.nets:
            kind = names.kind_of(net)
            addressed = bool(kind) and names.number_of(net) == column
            if kind in names.SELECTS:
                tier = names.SELECTS.index(kind)
                found[net] = on and reads[1 - tier if addressed else tier]
            elif kind:
                found[net] = write_on and any(writes) and addressed
            else:
                found[net] = write_on and writes[names.WRITE_TIERS.index(net)]
        return found

    def addressed(self, drives: Drives) -> Drives:
        """Return drives whose controls are what the decoder sets for them.

        Raises:
            ModeError: if the mode drives a control that the decoder does not reach, or asks for
                what no code sets.
        """
        check_reached(self.nets, drives, "decoder")
        levels = self.levels(self.pins_of(drives))
        if wrong := [net for net, on in levels.items() if on != drives.gates[net]]:
            raise ModeError(f"no code of the decoder sets {wrong[0]} as the mode asks for")
        levels |= {names.complement(net): not on for net, on in levels.items()}
        return replace(drives, gates={**drives.gates, **levels})

    def told(self, drives: Drives) -> Told:
        """Return what to put on the pins for a mode."""
        pins = self.pins_of(drives)
        words = []
        for kind in (names.ADDRESS, names.MODE):
            bits = [pins[pin] for pin in reversed(self.inputs) if names.kind_of(pin) == kind]
            if bits:
                range_ = f"[{len(bits) - 1}:0]" if len(bits) > 1 else "[0]"
                words.append(f"{kind}{range_} {''.join('01'[bit] for bit in bits)}")
        text = f"decoder: {', '.join(words)} while {names.ENABLE} is low, then {names.ENABLE} high"
        return Told("decoder", {"pins": {pin: int(on) for pin, on in pins.items()}}, text)

    def sequence(self, before: Mapping[str, bool], pins: Mapping[str, bool]) -> Iterator[Step]:
        """Yield what the pins carry to go from one state to another: break before make.

        Args:
            before: of the state that was set last.
            pins: of the one to set, enabled.
        """
        yield Step("select lines off", {**before, names.ENABLE: False})
        yield Step("address and mode", {**pins, names.ENABLE: False})
        yield Step("select lines on", dict(pins))

    def to_json(self) -> dict[str, Any]:
        """Return plain values: pins, codes of modes and addresses, nets."""
        codes = [{"mode": "off", names.MODE: _binary(OFF)}]
        for mode in MODES.values():
            if mode.reads == "every":
                codes.append({"mode": mode.name, names.MODE: _binary(mode_code(None))})
                continue
            for tier, name in enumerate(TIER_NAMES):
                code = {names.MODE: _binary(mode_code(tier))}
                if self.reads_while_writing:
                    codes.append({"mode": mode.name, "read_tier": name, **code})
                elif names.write_tier(1 - tier) in self.nets:
                    codes.append({"mode": "write", "write_tier": TIER_NAMES[1 - tier], **code})
        bits = names.address_bits(self.cols)
        return {
            "pins": list(self.inputs),
            "columns": self.cols,
            "modes": codes,
            "addresses": [f"{j:0{bits}b}" if bits else "" for j in range(self.cols)],
            "nets": list(self.nets),
        }


def _binary(bits: tuple[bool, ...]) -> str:
    """Return bits as a number is written, the highest first."""
    return "".join("01"[bit] for bit in reversed(bits))
