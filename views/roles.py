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


#: what a supply is called -> its use
_SUPPLIES = {names.SUPPLY: "POWER", names.GROUND: "GROUND"}


def role_of(extracted: ExtractedLayout, name: str) -> PinRole:
    """Return what a pin is for.

    A net that ends at gates alone is a digital input; one that transistors of both kinds can pull
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
            return PinRole("INOUT", "ANALOG")
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
    return PinRole("INOUT", "ANALOG")
