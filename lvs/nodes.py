"""Nets that ngspice takes for other ones: global nets, ground, and names of nets below."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from .cards import Element, Subckt
from .deck import shortened

#: Nets that SPICE joins everywhere.
GROUNDS = frozenset(("0", "GND"))


def check_joined(one: Element, nets: tuple[str, ...], sub: Subckt, joined: frozenset[str]) -> None:
    """Refuse a call whose net meets a pin that ngspice does not replace by it.

    Args:
        one: the call.
        nets: its nets.
        sub: what is called, a device's own subcircuit also.
        joined: the nets that `.global` names.

    Raises:
        FileError: names file, line, net and pin.
    """
    for net, pin in zip(nets, sub.pins, strict=False):
        if pin in joined and net != pin:
            text = f"{net} on pin {pin} of {sub.name}, which .global joins to {pin}"
            raise one.line.error(f"{one.name}: {text}")
        if pin in GROUNDS and net not in GROUNDS:
            text = f"{net} on pin {pin} of {sub.name}, which ngspice takes for ground"
            raise one.line.error(f"{one.name}: {text}")


def check_names(sub: Subckt, joined: Iterable[str]) -> None:
    """Refuse names that are also those of nets or devices below, where ngspice has no levels.

    It calls net BE of instance X1 X1.BE and device M2 in it M.X1.M2, so that what has such a
    name of its own would be the same net.

    Args:
        sub: the subcircuit.
        joined: global nets that it is on.

    Raises:
        FileError: names file, line and the name.
    """
    calls = {name for name in sub.elements if name[0] == "X"}
    apart = {*sub.pins, *joined}
    for one in sub.elements.values():
        for net in one.words[:-1]:
            if "." in net and net not in apart:
                _refuse(one, f"net {net}", net, calls)
        if "." in one.name:
            short = one.name[2:] if one.name[1] == "." else ""
            for name in (one.name, short):
                _refuse(one, one.name, name, calls)


def _refuse(one: Element, what: str, name: str, calls: set[str]) -> None:
    """Refuse a name that starts with an instance's name and a dot."""
    for above in list(accumulate(name.split("."), "{}.{}".format))[:-1]:
        if above in calls:
            text = f"{shortened(what)} is also what ngspice calls a part of instance {above}"
            raise one.line.error(text)
