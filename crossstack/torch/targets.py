"""What every device of a mapped model is to be, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..mapping.arrays import Array
from .convert import crossbar_layers
from .core import Tiled

Place = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Devices:
    """What the devices of a model's tiles are to be.

    Attributes:
        siemens: of every tile (matrix, input tile, output tile), in its array's order, S.
        matrices: array of every matrix, and its input and output tiles.
        spans: g_on - g_off of every matrix, S.
    """

    siemens: dict[Place, Any]
    matrices: list[tuple[Array, int, int]]
    spans: list[float]

    def copy(self) -> Devices:
        """Return the same, whose conductances may be changed."""
        return Devices(dict(self.siemens), self.matrices, self.spans)

    def scales(self, chip: nn.Module) -> dict[Place, Any]:
        """By what the devices of a chip deviate from these."""
        other = wanted(chip).siemens
        return {place: other[place] / own for place, own in self.siemens.items()}


def weights_of(model: nn.Module) -> list[tuple[Tiled, torch.Tensor]]:
    """Return every matrix of a model that is on tiles, and its weights."""
    return [pair for _, layer in crossbar_layers(model) for pair in layer.tiled]


def wanted(model: nn.Module) -> Devices:
    """Return what the devices of a model's tiles are to be."""
    found = Devices({}, [], [])
    for n, (part, weight) in enumerate(weights_of(model)):
        found.matrices.append((part.array, part.in_tiles, part.out_tiles))
        found.spans.append(part.g_on - part.g_off)
        for r, row in enumerate(part.cells(weight.detach())):
            for c, cells in enumerate(row):
                found.siemens[n, r, c] = part.devices(cells).numpy()
    return found


def by_array(models: list[Devices]) -> list[tuple[Array, list[Place]]]:
    """Every array, and the places (model, matrix, input tile, output tile) that are on it."""
    jobs: dict[int, tuple[Array, list[Place]]] = {}
    for k, model in enumerate(models):
        for n, r, c in model.siemens:
            array = model.matrices[n][0]
            jobs.setdefault(id(array), (array, []))[1].append((k, n, r, c))
    return list(jobs.values())
