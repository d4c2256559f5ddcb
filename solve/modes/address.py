"""Modes over a scan chain: the bits that set a macro's controls, and the controls that bits set.

A chain is told by the nets that its bits drive, in the order in which data pass them. The mode
table says the level of each; what the pins of the chain carry over time follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...base import names
from ...base.errors import ModeError
from .drives import Drives

#: pins of a chain that carry a level, in the order of a step
INPUTS = names.SCAN_PINS[:-1]


@dataclass(frozen=True)
class Step:
    """What the pins of a chain carry until the next step.

    Attributes:
        text: what happens.
        levels: pin -> high.
    """

    text: str
    levels: Mapping[str, bool]


@dataclass(frozen=True)
class Told:
    """What to put on the pins of logic on board for a mode.

    Attributes:
        key: what the logic is.
        value: plain values.
        text: the same in words.
    """

    key: str
    value: dict[str, Any]
    text: str


@dataclass(frozen=True)
class Chain:
    """A scan chain.

    Attributes:
        nets: what its bits drive, the bit nearest to the data input first.

    Raises:
        ModeError: for a chain without bits, or that drives a net twice.
    """

    nets: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.nets or len(set(self.nets)) != len(self.nets):
            raise ModeError("a chain drives one net or more, and each once")

    @property
    def enabled(self) -> bool:
        """Whether an enable turns select lines off: without any there is none."""
        return any(map(is_gated, self.nets))

    @property
    def pins(self) -> tuple[str, ...]:
        """Pins that carry a level, in the order of a step."""
        return tuple(pin for pin in INPUTS if self.enabled or pin != names.ENABLE)

    def bits(self, levels: Mapping[str, bool]) -> tuple[bool, ...]:
        """Return the bits to shift in, in the order of time.

        Raises:
            ModeError: naming a net that has no level.
        """
        missing = [net for net in self.nets if net not in levels]
        if missing:
            raise ModeError(f"no level is known for {missing[0]}, which the chain drives")
        return tuple(levels[net] for net in reversed(self.nets))

    def levels(self, bits: Sequence[bool], *, enabled: bool = True) -> dict[str, bool]:
        """Return the levels of all nets after bits were shifted in and latched.

        Args:
            bits: in the order of time; as many as the chain has.
            enabled: EN is high; else no select line is on.

        Raises:
            ModeError: for another number of bits.
        """
        if len(bits) != len(self.nets):
            raise ModeError(f"{len(bits)} bits for a chain of {len(self.nets)}")
        state = [False] * len(self.nets)
        for bit in bits:
            state = [bool(bit), *state[:-1]]
        held = dict(zip(self.nets, state, strict=True))
        return {net: on and (enabled or not is_gated(net)) for net, on in held.items()}

    def addressed(self, drives: Drives) -> Drives:
        """Return drives whose controls are what the chain sets for them.

        Raises:
            ModeError: if the mode drives a control that the chain does not reach.
        """
        check_reached(self.nets, drives, "chain")
        levels = self.levels(self.bits(drives.gates))
        levels |= {names.complement(net): not on for net, on in levels.items()}
        return replace(drives, gates={**drives.gates, **levels})

    def told(self, drives: Drives) -> Told:
        """Return what to shift in for a mode."""
        bits = "".join("01"[bit] for bit in self.bits(drives.gates))
        after = "LE, then EN" if self.enabled else "LE"
        text = f"scan chain: {bits} (first bit first), then {after}"
        return Told("scan", {"bits": bits}, text)

    def sequence(self, levels: Mapping[str, bool]) -> Iterator[Step]:
        """Yield what the pins carry to set levels: break before make.

        Select lines go off first; bits are shifted in while latches hold; the latches follow
        while no select line is on; then the new ones go on.
        """
        off = dict.fromkeys(self.pins, False) | {"RSTN": True}
        yield Step("select lines off" if self.enabled else "latches hold", off)
        for number, bit in enumerate(self.bits(levels)):
            yield Step(f"bit {number}", {**off, "SIN": bit})
            yield Step(f"bit {number} shifted", {**off, "SIN": bit, "CLK": True})
        yield Step("clock low", off)
        yield Step("latched", {**off, "LE": True})
        yield Step("held", off)
        if self.enabled:
            yield Step("select lines on", {**off, names.ENABLE: True})


#: reset: the chain cleared, no select line on; the state at power-up
RESET = Step("reset", dict.fromkeys(INPUTS, False))


def check_reached(nets: Sequence[str], drives: Drives, what: str) -> None:
    """Refuse drives of other controls than logic on board reaches.

    Raises:
        ModeError: naming one that only one of the two has.
    """
    own = {net for net in drives.gates if names.CONTROL.fullmatch(net)}
    if foreign := sorted(own.symmetric_difference(nets)):
        raise ModeError(f"{foreign[0]} is not driven by both the {what} and the mode")


def is_gated(net: str) -> bool:
    """Tell whether a net of a chain is off while EN is low."""
    return names.kind_of(net) in names.SELECTS
