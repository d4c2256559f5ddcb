"""Pins as ports of a module: numbered ones are buses, in one order for Verilog and Liberty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base import names
from ..base.errors import ConfigError
from .abstract import Pin

if TYPE_CHECKING:
    from ..base.layout import OpenedLayout
    from ..pdk import Tech


@dataclass(frozen=True)
class PortGroup:
    """A port: one pin, or the bits of a bus from 0 on.

    Attributes:
        name: of the port.
        pins: its pins by number; one for a port that is no bus.
        bus: True for numbered pins.
    """

    name: str
    pins: tuple[Pin, ...]
    bus: bool

    @property
    def direction(self) -> str:
        """Direction in lower case, as Verilog and Liberty write it."""
        return self.pins[0].role.direction.lower()

    @property
    def range(self) -> str:
        """``[5:0] `` for a bus of six, else nothing."""
        return f"[{len(self.pins) - 1}:0] " if self.bus else ""


def check_macro(pins: Iterable[str], name: str) -> None:
    """Refuse what has no row inputs: a bare array, which no chip could read or write.

    Args:
        pins: of the netlist.
        name: of its top cell.

    Raises:
        ConfigError: naming the pins that are missing, and what draws them.
    """
    if not any(names.kind_of(names.fold(pin)) in names.ALL_INPUTS for pin in pins):
        wanted = " or ".join(names.numbered(kind, 0) for kind in names.INPUTS)
        raise ConfigError(
            f"{name} has no row inputs ({wanted}): views are of a macro, not of a bare array; "
            "draw one with `crossstack generate --top macro`"
        )


def check_block(opened: OpenedLayout, tech: Tech) -> None:
    """Refuse a die, before anything is extracted of it: it has bond pads, and is in no other chip.

    Args:
        opened: the layout.
        tech: its technology.

    Raises:
        ConfigError: naming the layer that openings over pads are drawn on.
    """
    pad = tech.roles.layer("pad")
    index = opened.layout.find_layer(*tech.gds(pad))
    if index is not None and not opened.top.bbox_per_layer(index).empty():
        raise ConfigError(
            f"{opened.name} has pads ({pad} is drawn): views are of a macro, not of a die; draw "
            "the macro with `crossstack generate --top macro`"
        )


def port_groups(pins: Iterable[Pin]) -> tuple[PortGroup, ...]:
    """Return the ports of a block; pins whose numbers leave a gap, or start above 0, stand alone.

    Supplies come first.
    """
    kinds: dict[str, list[Pin]] = {}
    for pin in pins:
        kinds.setdefault(names.kind_of(pin.name) or pin.name, []).append(pin)
    found = []
    for kind, mine in kinds.items():
        numbers = [p.name == names.numbered(kind, k) for k, p in enumerate(mine)]
        if all(numbers):
            found.append(PortGroup(kind, tuple(mine), True))
        else:
            found += [PortGroup(pin.name, (pin,), False) for pin in mine]
    return tuple(sorted(found, key=lambda g: not g.pins[0].role.supply))
