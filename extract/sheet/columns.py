"""The resistors of a net by column, while it is put together.

The supplies of a chip have ten million resistors before the via arrays of their pads are lumped: as
objects they would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...solve.network.network import PARTINGS
from .tidy import Resistor

#: what is known of a resistor (`Resistor`), and how it is held
_TYPES = {
    "a": np.int32,
    "b": np.int32,
    "ohm": np.float64,
    "layer": np.int16,
    "width_um": np.float64,
    "cuts": np.float32,
    "parting": np.int32,
    "crosses": np.int64,
}


def by_column(some: Iterable[Any], types: Mapping[str, type]) -> dict[str, NDArray[Any]]:
    """Return the attributes of things by name, each as an array of its type."""
    rows = list(some)
    return {name: np.array([getattr(r, name) for r in rows], kind) for name, kind in types.items()}


@dataclass(frozen=True)
class Columns:
    """Resistors.

    Attributes:
        names: name of each layer number.
        a, b, ohm, layer, width_um, cuts, parting, crosses: of each resistor, shape (resistors), as
            in `Resistor`; layers by number.
    """

    names: tuple[str, ...]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    ohm: NDArray[np.float64]
    layer: NDArray[np.int16]
    width_um: NDArray[np.float64]
    cuts: NDArray[np.float32]
    parting: NDArray[np.int32]
    crosses: NDArray[np.int64]

    def resistors(self, which: NDArray[np.bool_] | None = None) -> list[Resistor]:
        """Return those that are asked for, or all of them, one by one."""
        some = slice(None) if which is None else which
        rows = zip(*(getattr(self, name)[some].tolist() for name in _TYPES), strict=True)
        names = self.names
        return [Resistor(a, b, ohm, names[layer], *rest) for a, b, ohm, layer, *rest in rows]


class Collected:
    """Resistors as they come."""

    def __init__(self) -> None:
        self._layers: dict[str, int] = {}
        self._single: list[Resistor] = []
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._held = 0

    def __len__(self) -> int:
        return self._held + len(self._single)

    def add(self, resistor: Resistor) -> None:
        """Take one resistor."""
        self._single.append(resistor)

    def add_wire(
        self,
        of: Mapping[str, NDArray[Any]],
        base: int,
        layer: str,
        ohm_sq: float,
        dbu_um: float,
        pieces: int,
    ) -> None:
        """Take the resistors of a wire.

        Args:
            of: what is known of them by name, in squares and dbu (`Wire.columns`).
            base: number of its first node.
            layer: of the polygon.
            ohm_sq: of the layer, ohm per square.
            dbu_um: unit of the wire's widths.
            pieces: how many pieces of the layer have cuts that are told apart so far.
        """
        self._flush()
        parting = of["parting"]
        self._take(
            a=of["a"] + base,
            b=of["b"] + base,
            ohm=of["squares"] * ohm_sq,
            layer=np.full(len(parting), self._number(layer)),
            width_um=of["width"] * dbu_um,
            cuts=np.full(len(parting), np.nan),
            parting=np.where(parting >= 0, parting + PARTINGS * pieces, -1),
            crosses=of["crosses"],
        )

    def columns(self) -> Columns:
        """Return all of them."""
        self._flush()
        if not self._parts:
            return Columns((), **{name: np.zeros(0, kind) for name, kind in _TYPES.items()})
        # each part is given up once it is copied: together they are a tenth of a gigabyte
        held = {name: np.concatenate([p.pop(name) for p in self._parts]) for name in _TYPES}
        self._parts = [held]
        return Columns(tuple(self._layers), **held)

    def _number(self, layer: str) -> int:
        return self._layers.setdefault(layer, len(self._layers))

    def _flush(self) -> None:
        """Bring those that came one by one into columns."""
        if not self._single:
            return
        some, self._single = self._single, []
        held = {name: kind for name, kind in _TYPES.items() if name != "layer"}
        layer = np.array([self._number(r.layer) for r in some])
        self._take(**by_column(some, held), layer=layer)

    def _take(self, **part: NDArray[Any]) -> None:
        self._parts.append({name: part[name].astype(kind) for name, kind in _TYPES.items()})
        self._held += len(part["a"])
