"""Collects a network element by element, as `extract` finds its wires and devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...base.errors import NetworkError
from .left_out import LeftOut
from .network import ARRAY_TYPES, PARTING_TYPES, Array, Ints, Network, exact

#: every array that is added to
_TYPES = ARRAY_TYPES | PARTING_TYPES


class NetworkBuilder:
    """Collects a network element by element or array by array.

    Nodes, layers and nets are named; equal names are the same thing. Every `*s` method
    takes arrays (scalars broadcast) and is the one to use for large layouts.
    """

    def __init__(self, conditions: Mapping[str, Any] | None = None) -> None:
        """Start an empty network, to be extracted at `conditions` (see `Network`)."""
        self._conditions = dict(conditions or {})
        #: what the layout has besides
        self.left_out = LeftOut()
        #: pins that are pads of a die
        self.pads: set[str] = set()
        self._clear()

    def _clear(self) -> None:
        self._nodes: dict[str, int] = {}
        self._layers: dict[str, int] = {}
        self._nets: dict[str, int] = {}
        self._ports: dict[str, int] = {}
        self._chunks: dict[str, list[Array]] = {name: [] for name in _TYPES}

    def node(self, name: str) -> int:
        """Index of the node called `name`; a new name makes a new node."""
        return self._nodes.setdefault(name, len(self._nodes))

    def nodes(self, names: Iterable[str]) -> Ints:
        """Indices of many nodes, shape (len(names),)."""
        table = self._nodes
        return np.array([table.setdefault(str(n), len(table)) for n in names], dtype=np.int32)

    def net(self, name: str) -> int:
        """Index of the net called `name`; a new name makes a new net."""
        return self._nets.setdefault(name, len(self._nets))

    def layer(self, name: str) -> int:
        """Index of the layer called `name`; a new name makes a new layer."""
        return self._layers.setdefault(name, len(self._layers))

    def resistor(
        self,
        a: int,
        b: int,
        ohm: float,
        *,
        layer: str,
        net: str,
        width_um: float = np.nan,
        cuts: float = np.nan,
    ) -> None:
        """Add one wire piece (`width_um`) or one group of cuts (`cuts`) between two nodes."""
        self.resistors(a, b, ohm, layer=layer, net=net, width_um=width_um, cuts=cuts)

    def resistors(
        self,
        a: ArrayLike,
        b: ArrayLike,
        ohm: ArrayLike,
        *,
        layer: str | Sequence[str] | ArrayLike,
        net: str | Sequence[str] | ArrayLike,
        width_um: ArrayLike = np.nan,
        cuts: ArrayLike = np.nan,
        parting: ArrayLike = -1,
        crosses: ArrayLike = 0,
    ) -> None:
        """Add many resistors; `layer` and `net` are names or indices from `layer`/`net`."""
        self._extend(
            "resistor",
            a=a,
            b=b,
            ohm=ohm,
            layer=_indices(layer, self.layer),
            net=_indices(net, self.net),
            width_um=width_um,
            cuts=cuts,
            parting=parting,
            crosses=crosses,
        )

    def memristor(
        self, tier: int, row: int, col: int, a: int, b: int, *, area_um2: float = 1.0
    ) -> None:
        """Add one device between row-side node `a` and column-side node `b`."""
        self.memristors(tier, row, col, a, b, area_um2=area_um2)

    def memristors(
        self,
        tier: ArrayLike,
        row: ArrayLike,
        col: ArrayLike,
        a: ArrayLike,
        b: ArrayLike,
        *,
        area_um2: ArrayLike = 1.0,
    ) -> None:
        """Add many devices (see `memristor`)."""
        self._extend("memristor", tier=tier, row=row, col=col, a=a, b=b, area_um2=area_um2)

    def switch(
        self, a: int, b: int, gate: str, *, w_um: float, l_um: float, p: bool = False
    ) -> None:
        """Add one transistor between nodes `a` and `b` whose gate is on net `gate`."""
        self.switches(a, b, gate, w_um=w_um, l_um=l_um, p=p)

    def switches(
        self,
        a: ArrayLike,
        b: ArrayLike,
        gate: str | Sequence[str] | ArrayLike,
        *,
        w_um: ArrayLike,
        l_um: ArrayLike,
        p: ArrayLike = False,
    ) -> None:
        """Add many transistors; `gate` holds net names or indices from `net`."""
        self._extend("switch", a=a, b=b, gate=_indices(gate, self.net), w_um=w_um, l_um=l_um, p=p)

    def port(self, name: str, node: int) -> None:
        """Label a node as pin `name`.

        Raises:
            NetworkError: if the pin is already on another node.
        """
        if self._ports.setdefault(name, int(node)) != int(node):
            raise NetworkError(f"port {name!r} is on node {self._ports[name]} and on node {node}")

    def build(self) -> Network:
        """The validated network of everything added so far."""
        return Network(**self._parts()).validate()

    def finish(self) -> Network:
        """As `build`, but forget everything first: of a large network it is as much again."""
        parts = self._parts()
        self._clear()
        found = Network(**parts)
        del parts
        return found.validate()

    def _parts(self) -> dict[str, Any]:
        for name, chunks in self._chunks.items():
            self._chunks[name] = [np.concatenate(chunks)] if chunks else []
        arrays = {
            name: chunks[0] if chunks else np.empty(0, _TYPES[name])
            for name, chunks in self._chunks.items()
        }
        return {
            "node_names": np.array(list(self._nodes), dtype=np.str_),
            "layers": tuple(self._layers),
            "nets": tuple(self._nets),
            "ports": dict(self._ports),
            "conditions": self._conditions,
            "left_out": self.left_out,
            "pads": tuple(pin for pin in self._ports if pin in self.pads),
            **arrays,
        }

    def _extend(self, kind: str, **columns: ArrayLike) -> None:
        """Broadcast the columns against each other and append them to the `kind` arrays."""
        arrays: dict[str, Array] = {
            k: exact(f"{kind}_{k}", v, _TYPES[f"{kind}_{k}"]) for k, v in columns.items()
        }
        try:
            size = np.broadcast_shapes(*(v.shape for v in arrays.values()), (1,))
        except ValueError:
            sizes = {k: v.shape for k, v in arrays.items()}
            raise NetworkError(f"{kind} columns do not broadcast: {sizes}") from None
        for k, v in arrays.items():
            self._chunks[f"{kind}_{k}"].append(np.broadcast_to(v, size).reshape(-1))


def _indices(names: str | Sequence[str] | ArrayLike, lookup: Callable[[str], int]) -> ArrayLike:
    """Turn names into indices; what already is an index passes through."""
    if isinstance(names, str):
        return lookup(names)
    array = np.asarray(names)
    if array.dtype.kind not in "US":
        return array
    return np.array([lookup(str(n)) for n in array.reshape(-1)], dtype=np.int64)
