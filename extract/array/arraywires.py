"""The wires of an array piece by piece, once for all nets that are alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...base import names as grammar
from ...solve.network.network import Network
from ...solve.network.wires import FIRST, SECOND, Stands, Wires, network_of
from .pieces import ArrayNets, Pieces
from .tiled import TiledArray

Ints = NDArray[np.int64]
Place = TypeVar("Place", bound=Hashable)


def array_wires(array: TiledArray, network: Network) -> tuple[Wires, ...]:
    """Return every piece of wire of an array; none if it was extracted without.

    Args:
        array: an extracted array.
        network: what `TiledArray.network` makes of it.
    """
    if array.every is None:
        return ()
    return tuple(_Nets(array, network, array.every).wires())


class _Nets:
    """Tells what stands where on the nets of an array."""

    def __init__(self, array: TiledArray, network: Network, nets: ArrayNets) -> None:
        self.network, self.nets = network, nets
        self.memristor = np.arange(int(np.prod(array.shape))).reshape(array.shape)
        places = array.switch_places()
        self.switch = np.full((*array.shape, int(places[3].max(initial=-1)) + 1), -1)
        self.switch[tuple(places)] = np.arange(places.shape[1])

    def wires(self) -> Iterator[Wires]:
        """Yield the columns, the row lines, and what is between transistors and memristors."""
        for pieces, columns in _alike(self.nets.columns):
            number = self.memristor[:, :, columns].reshape(-1, len(columns)).T
            yield self._wires(
                [grammar.column(j) for j in columns], pieces,
                memristors=Stands(number, np.concatenate(pieces.ends).astype(np.int64), SECOND),
            )  # fmt: skip
        for pieces, rows in _alike(self.nets.rows):
            yield self._rows(pieces, rows)
        alike = {at: stack.pieces for at, stack in self.nets.stacks.items()}
        for pieces, cells in _alike(alike):
            at = tuple(np.array(cells).T)
            device, gates = (np.array(own, dtype=np.int64) for own in pieces.ends)
            yield self._wires(
                [f"{grammar.ELECTRODES[t]}[{i}][{j}]" for t, i, j in cells], pieces,
                memristors=Stands(self.memristor[at][:, None], device, FIRST),
                switches=Stands(self.switch[at][:, : len(gates)], gates, SECOND),
            )  # fmt: skip

    def _rows(self, pieces: Pieces, rows: list[tuple[int, int]]) -> Wires:
        """Return row lines, on which transistors stand, or memristors."""
        at = tuple(np.array(rows).T)
        nets = [grammar.row(t, i) for t, i in rows]
        node = np.array([n for own in pieces.ends for n in own], dtype=np.int64)
        if (*rows[0], 0) not in self.nets.stacks:
            return self._wires(nets, pieces, memristors=Stands(self.memristor[at], node, FIRST))
        counts = [len(own) for own in pieces.ends]
        column = np.repeat(np.arange(len(counts)), counts)
        gate = np.concatenate([np.arange(count) for count in counts])
        number = self.switch[at][:, column, gate]
        return self._wires(nets, pieces, switches=Stands(number, node, FIRST), column=column)

    def _wires(
        self,
        nets: list[str],
        pieces: Pieces,
        memristors: Stands | None = None,
        switches: Stands | None = None,
        column: Ints | None = None,
    ) -> Wires:
        nothing = Stands(np.zeros((len(nets), 0), np.int64), np.zeros(0, np.int64), FIRST)
        return Wires(
            self.network,
            _one(pieces),
            tuple(nets),
            pieces.pin,
            memristors or nothing,
            switches or nothing,
            np.zeros(0, np.int64) if column is None else column,
        )


def _one(pieces: Pieces) -> Network:
    """Return a net alone."""
    columns, (layers, layer) = pieces.columns, pieces.layers
    own = ("" if k == pieces.pin else f"/n{k}" for k in range(pieces.n_nodes))
    names = np.array([*own], dtype=np.str_)
    arrays: dict[str, Any] = {f"resistor_{name}": values for name, values in columns.items()}
    return network_of(
        [names], layers, ["net"], resistor_layer=layer, resistor_net=0 * layer, **arrays
    )


def _alike(nets: Mapping[Place, Pieces]) -> Iterator[tuple[Pieces, list[Place]]]:
    """Yield pieces, and the places of all nets that they are."""
    found: dict[int, list[Place]] = {}
    for place, pieces in nets.items():
        found.setdefault(id(pieces), []).append(place)
    for places in found.values():
        yield nets[places[0]], places
