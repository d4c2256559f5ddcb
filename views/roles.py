"""What a pin of a block is for, read from the devices on its net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base import names

if TYPE_CHECKING:
    from ..lvs import ExtractedLayout


@dataclass(frozen=True)
class PinRole:
    """Direction and use of a pin.

    Attributes:
        direction: ``INPUT``, ``OUTPUT`` or ``INOUT``.
        use: ``SIGNAL`` for a digital pin, ``ANALOG``, ``POWER`` or ``GROUND``.
    """

    direction: str
    use: str

    @property
    def supply(self) -> bool:
        """True for power and ground."""
        return self.use in ("POWER", "GROUND")

    @property
    def digital(self) -> bool:
        """True for a pin that is high or low."""
        return self.use == "SIGNAL"


_ANALOG = PinRole("INOUT", "ANALOG")
#: what a supply is called -> its use
_SUPPLIES = {names.SUPPLY: "POWER", names.GROUND: "GROUND"}


def role_of(extracted: ExtractedLayout, name: str) -> PinRole:
    """Return what a pin is for.

    A net that ends at gates alone is a digital input, and so is one whose channels lead to nets
    that logic alone is made of, as those of a latch; one that transistors of both kinds can pull
    to either supply is a digital output; memristors and switches make a net analogue.
    """
    if use := _SUPPLIES.get(names.fold(name)):
        return PinRole("INOUT", use)
    flat = extracted.flat
    net = extracted.net(name)
    pulls: set[str] = set()
    driven = False
    for number, terminal in flat.terminals[net.number]:
        device = flat.devices[number]
        if device.kind.is_memristor:
            return _ANALOG
        if device.kind.terminals[terminal] not in ("D", "S"):
            continue
        driven = True
        ends = [
            flat.nets[n].name
            for n, t in zip(device.nets, device.kind.terminals, strict=True)
            if t in ("D", "S") and n != net.number and n >= 0
        ]
        pulls |= {names.fold(end) for end in ends} & set(_SUPPLIES)
    if not driven:
        return PinRole("INPUT", "SIGNAL")
    if pulls == set(_SUPPLIES):
        return PinRole("OUTPUT", "SIGNAL")
    return PinRole("INPUT", "SIGNAL") if _latched(extracted, net.number) else _ANALOG


def _latched(extracted: ExtractedLayout, start: int) -> bool:
    """Tell whether the channels on a net lead to a latch.

    Of the nets that channels join to it, supplies aside, none is on a memristor, and an inverter
    drives one: what holds the level.
    """
    flat = extracted.flat
    reached, waiting = {start}, [start]
    pulls: dict[tuple[int, int], set[str]] = {}
    while waiting:
        here = waiting.pop()
        for number, terminal in flat.terminals[here]:
            device = flat.devices[number]
            if device.kind.is_memristor:
                return False
            ends = dict(zip(device.kind.terminals, device.nets, strict=True))
            if device.kind.terminals[terminal] not in ("D", "S"):
                continue
            for n in {ends["D"], ends["S"]} - reached - {-1}:
                name = names.fold(flat.nets[n].name)
                if name in _SUPPLIES:
                    pulls.setdefault((here, ends["G"]), set()).add(name)
                else:
                    reached.add(n)
                    waiting.append(n)
    return set(_SUPPLIES) in pulls.values()
