"""Reference netlists in SPICE, ours or another tool's, as KLayout netlists.

The text is read by `deck`, `cards`, `values` and `circuits`, which follow ngspice, and not by
KLayout's reader, which takes another dialect and drops what it does not know. The circuits are
KLayout's, so that its comparer and its netlist browser work on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import klayout.db as db

from ..base.errors import ConfigError
from ..base.names import fold
from ..pdk import FileError, ParameterError
from .cards import Cards, Subckt, read_cards
from .circuits import Builder
from .deck import read_deck, refuse_other
from .devices import OWN_MODELS


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference netlist.

    Attributes:
        netlist: KLayout's netlist.
        top: its top circuit.
        pins: names of the top's pins, upper case, global nets that it is on among them.
        path: the file.
    """

    netlist: db.Netlist
    top: db.Circuit
    pins: tuple[str, ...]
    path: Path
    _cards: Cards = field(repr=False)
    _chosen: Subckt = field(repr=False)

    def read_again(self) -> Reference:
        """Return a second copy, for uses that change the netlist (`Netlist.dup` is slower)."""
        return _built(self._cards, self._chosen)


def read_netlist(
    path: Path | str,
    top: str | None = None,
    prefer: str = "",
    models: Mapping[str, str] = OWN_MODELS,
    *,
    named: bool = False,
) -> Reference:
    """Read a SPICE netlist as ngspice does; what is not understood is an error.

    Names are compared without regard to case, as SPICE does.

    Args:
        path: the file.
        top: subcircuit to compare; by default the only one that no other calls.
        prefer: which to take where several are called by no other: the layout's top cell.
        models: lower-case names of models and subcircuits that are devices -> our name of the
            device; those of a process are its `nets.models`.
        named: take the preferred one, or none.

    Raises:
        FileError: if the file cannot be read, holds a line that is not understood, or elements
            that are no devices of ours. It names file and line.
        ParameterError: if there is no subcircuit `top`, or it must be chosen.
        ConfigError: if none is the preferred one and it must be chosen.
    """
    path = Path(path)
    try:
        cards = read_cards(read_deck(path), path, models)
        return _built(cards, _choose_top(cards, top, prefer, named=named))
    except FileError:
        refuse_other(path)
        raise


def _built(cards: Cards, chosen: Subckt) -> Reference:
    builder = Builder(cards)
    circuit = builder.build(chosen)
    pins = tuple(pin.name() for pin in circuit.each_pin())
    if chosen is cards.top:  # no .subckt at all: every net counts by name
        pins = tuple(net.name for net in circuit.each_net())
    return Reference(builder.netlist, circuit, pins, cards.path, cards, chosen)


def _choose_top(cards: Cards, top: str | None, prefer: str, *, named: bool) -> Subckt:
    circuits = {sub.name: sub for sub in _circuits(cards)}
    if not circuits:
        raise FileError(f"{cards.path}: holds no subcircuit and no device")
    called = {
        one.words[-1] for sub in circuits.values() for one in sub.elements.values()
        if one.words
    }  # fmt: skip
    tops = [sub for name, sub in circuits.items() if name not in called]
    if top is None:
        found = [sub for sub in tops if sub.name == fold(prefer)]
        if named and not found and fold(prefer) in circuits:
            return circuits[fold(prefer)]
        if found and cards.top.elements:
            first = next(iter(cards.top.elements.values()))
            text = f"{first.name} stands outside of any subcircuit, so it is unclear what"
            raise first.line.error(f"{text} is to be compared")
        if found or (len(tops) == 1 and not named):
            return (found or tops)[0]
    elif fold(top) in circuits:
        return circuits[fold(top)]
    names = ", ".join(sorted(sub.name for sub in tops if sub.name)[:6])
    if top is None and prefer:
        raise ConfigError(
            f"{cards.path} has no subcircuit {prefer}, the layout's top cell"
            f"{f'; it has {names}' if names else ''}: name another netlist, or with --top the "
            "cell of the layout that is one of its subcircuits"
        )
    raise ParameterError("top", top, f"a subcircuit of {cards.path.name}, such as {names}")


def _circuits(cards: Cards) -> Iterator[Subckt]:
    """Yield everything that could be compared."""
    if cards.top.elements:
        yield cards.top
    yield from (sub for name, sub in cards.subckts.items() if name.lower() not in cards.models)
