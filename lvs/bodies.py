"""Bodies of the subcircuits that stand for a device: they must be exactly that device.

A call such as ``X1 d g s b nfet w=2u l=0.28u`` is compared as one transistor with these pins
and sizes, while a simulator runs the body. Both mean the same circuit only if the body passes pins
and sizes on as they come.
"""

from __future__ import annotations

import re

from .cards import Cards, Element, Subckt
from .deck import Line, shortened
from .devices import BESIDES, DeviceKind
from .values import RESERVED, names_in

#: Of a transistor in a body: statistics that the foundry's models bring along.
_STATISTICS = frozenset(("delvto", "mulu0"))
#: Two-terminal elements that a memristor's body may be: resistor, source, model, subcircuit.
_TWO_ENDS = "RBNX"
#: Of an element's line: a multiplier, expressions in braces or quotes or bare, a node or current.
_TIMES = re.compile(r"(?<![^\s])m\s*=\s*(\S+)", re.IGNORECASE)
_ONE = re.compile(r"['{]?\s*1(?:\.0*)?\s*['}]?", re.ASCII)
_BRACED = re.compile(r"\{([^{}]*)\}|'([^']*)'|=\s*([A-Za-z_(][^\s{}']*)")
_QUANTITY = re.compile(r"\b[vi]\s*\([^()]*\)", re.IGNORECASE)
#: A parameter handed on as it is.
_NAME = re.compile(r"\s*(?:'\s*(\w+)\s*'|\{\s*(\w+)\s*\}|(\w+))\s*")


def the_device(body: Subckt) -> Element | None:
    """Return the only element of a device's subcircuit, None if that is a declaration."""
    return next(iter(body.elements.values()), None)


def hands_on(one: Element | None, name: str) -> bool:
    """True if an element is given a parameter by its own name alone, as `w={w}`."""
    text = one.given[name][0] if one is not None and name in one.given else ""
    found = _NAME.fullmatch(text)
    return found is not None and (found[1] or found[2] or found[3]).lower() == name


def check_body(body: Subckt, kind: DeviceKind, cards: Cards) -> None:
    """Refuse a device's subcircuit that is another device than its name says.

    Args:
        body: the subcircuit; an empty one is only a declaration.
        kind: the device that its calls are compared as.
        cards: the whole netlist.

    Raises:
        FileError: names file, line and what is wrong.
    """
    seen: set[str] = set()
    while True:
        seen.add(body.name)
        _check_pins(body, kind)
        parts = list(body.elements.values())
        if len(parts) > 1:
            text = f".subckt {body.name} is one device of this process, not several"
            raise parts[1].line.error(f"{text}: {parts[1].name} beside {parts[0].name}")
        if not parts:
            return
        if kind.is_memristor:
            _check_two_ends(body, parts[0])
            _check_model(body, parts[0], cards)
            return
        _check_transistor(body, parts[0], kind, cards)
        inner = cards.subckts.get(parts[0].words[-1]) if parts[0].name[0] == "X" else None
        if inner is None:
            return
        if inner.name in seen:
            raise parts[0].line.error(f"subcircuit {inner.name} calls itself")
        body = inner


def _check_pins(body: Subckt, kind: DeviceKind) -> None:
    """Pins may have any names, but those of the device's own must stand at their places."""
    order = list(kind.terminals)
    wrong = len(body.pins) != len(order) or any(
        pin in order and pin != own for pin, own in zip(body.pins, order, strict=True)
    )
    if wrong and body.line is not None:
        pins = shortened(" ".join(body.pins))
        raise body.line.error(f".subckt {body.name}: {pins}, not {' '.join(order)}")


def _check_two_ends(body: Subckt, one: Element) -> None:
    words = one.line.text.upper().split()
    if one.name[0] not in _TWO_ENDS:
        raise one.line.error(f"{one.name} is no device between the pins of .subckt {body.name}")
    _check_nets(body, tuple(words[1:3]), one.line, one.name)


def _check_model(body: Subckt, one: Element, cards: Cards) -> None:
    """A memristor's model may be a subcircuit of its own, without devices of this process."""
    stack, seen = [one], set[str]()
    while stack:
        one = stack.pop()
        model = one.words[-1] if one.words else ""
        if one.name[0] == "M" or model.lower() in cards.models:
            what = f"{one.name}, a {shortened(model.lower())}, is none of its parts"
            raise one.line.error(f".subckt {body.name} is one memristor: {what}")
        times = _TIMES.search(one.line.text)
        if times is not None and not _ONE.fullmatch(times[1]):
            what = f"{one.name} has m = {shortened(times[1])}"
            raise one.line.error(f".subckt {body.name} is one memristor: {what}")
        _check_apart(body, one, cards)
        if one.name[0] == "X" and model in cards.subckts and model not in seen:
            seen.add(model)
            stack += cards.subckts[model].elements.values()


def _check_apart(body: Subckt, one: Element, cards: Cards) -> None:
    """Refuse a memristor's model on a net that .global joins to that of all the others."""
    words = [*one.words, *one.line.text.split("=")[0].upper().split()[1:]]
    for found in _QUANTITY.finditer(one.line.text):
        words += re.split(r"[(),\s]+", found[0].upper())
    pins = {*body.pins, *(() if body.line is None else body.line.rest.upper().split())}
    for word in words:
        if word in cards.globals - pins:
            what = f"{one.name} is on {word}, which .global joins to that of others"
            raise one.line.error(f".subckt {body.name} is one memristor: {what}")


def free_names(body: Subckt, cards: Cards, _above: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the parameters that a memristor's body names and does not define.

    Args:
        body: the subcircuit.
        cards: the whole netlist.
    """
    above = _above | {body.name}
    found: set[str] = set()
    for one in body.elements.values():
        line = _QUANTITY.sub(" ", one.line.text)
        for texts in _BRACED.findall(line):
            text = "".join(texts)
            bare = bool(texts[2])
            if not bare or one.name[0] in "RX":
                found |= names_in(text)
        callee = cards.subckts.get(one.words[-1]) if one.name[0] == "X" and one.words else None
        if callee is not None and callee.name not in above:
            found |= free_names(callee, cards, above)
    return frozenset(found - body.header.keys() - body.texts.keys() - RESERVED)


def _check_nets(body: Subckt, nets: tuple[str, ...], line: Line, name: str) -> None:
    if nets != body.pins:
        found, wanted = shortened(" ".join(nets)), " ".join(body.pins)
        raise line.error(f"{name} in .subckt {body.name} is on {found}, not on its pins {wanted}")


def _check_transistor(body: Subckt, one: Element, kind: DeviceKind, cards: Cards) -> None:
    model = one.words[-1].lower() if one.words else ""
    if one.name[0] not in "MX" or cards.models.get(model) != kind.name:
        what = model or one.line.text.split()[0]
        text = f"{one.name} in .subckt {body.name}: {shortened(what)}"
        raise one.line.error(f"{text}, not the {kind.name} that it stands for")
    _check_nets(body, one.words[:-1], one.line, one.name)
    for name in one.given:
        if name not in {"w", "l", "m", *BESIDES["MOS"], *_STATISTICS}:
            raise one.line.error(f"{one.name}: parameter {name} is not known here")
    for size in ("w", "l"):
        if size not in one.given:
            raise one.line.error(f"{one.name} in .subckt {body.name}: {size.upper()} is missing")
    for name in (n for n in ("w", "l", "m") if n in one.given):
        text, line = one.given[name]
        handed = name in body.header and hands_on(one, name)
        if not handed and (name, text) != ("m", "1"):
            what = f"{one.name} in .subckt {body.name}: {name} = {text[:40]}"
            raise line.error(f"{what} is not the {name} that it is called with")
