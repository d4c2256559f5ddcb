"""Which line of an array is which, by its label."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...lvs import FlatNet
from ..nets.labels import labels_of
from .grid import NotRegularError
from .sample import Key


def every(keys: Sequence[Sequence[Key]]) -> list[Key]:
    """Return the terminals of all cells one after the other."""
    return [key for own in keys for key in own]


def leads(lead: dict[str, float], line: str, labels: NDArray[np.int64]) -> list[float]:
    """Return what lies between pin and array of lines, by the numbers of their labels."""
    names = [f"{line}[{n}]" for n in labels]
    missing = next((name for name in names if name not in lead), None)
    if missing:
        raise NotRegularError(f"the pin of {missing} does not lie outside the array")
    return [lead[name] for name in names]


def orders(labels: NDArray[np.int64], what: str) -> bool:
    """Return True for 0, 1, 2, ..., False for the reverse; refuse anything else."""
    up = np.arange(len(labels))
    if np.array_equal(labels, up):
        return True
    if np.array_equal(labels, up[::-1]):
        return False
    raise NotRegularError(f"the labels of the {what} are not numbered 0, 1, 2, ... in place")


def index(name: str, line: str) -> int | None:
    """Return the number of a label of a kind of line, None for another."""
    match = re.fullmatch(re.escape(line) + r"\[(\d+)\]", name, re.ASCII)
    return int(match[1]) if match else None


def pin_of(net: FlatNet, line: str) -> str:
    """Return the label of a kind of line that a net carries."""
    for name in labels_of(net.name):
        if index(name, line) is not None:
            return name
    raise NotRegularError(f"net {net.name or net.number} carries no label {line}[i]")
