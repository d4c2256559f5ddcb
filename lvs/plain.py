"""Large netlists in their plainest form: one subcircuit that only calls others, line by line.

What repeats in such a netlist can be told from names alone, and left out before the rest is read
as any netlist is (`spice`). A text of any other form is none of this module's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base import regular_file
from ..base.names import fold
from .deck import MOST_BYTES

Numbers = NDArray[np.int32]
#: Calls that are cut into words at a time.
_AT_ONCE = 100_000
#: Slabs of one stretch have numbers below this.
_MOST = 1 << 20
#: All that a plain call holds: names, brackets and blanks.
_PLAIN = bytes(sorted({*range(48, 58), *range(65, 91), *range(97, 123), *b"_[] \n"}))
#: What would give a name another meaning than its own.
_ELSEWHERE = re.compile(rb"^\s*\.(?:global|inc|include|lib|if|option|options)\b", re.I | re.M)
_GROUNDS = frozenset(("0", "GND"))


@dataclass(frozen=True)
class Slabs:
    """Names of a stretch of equal slabs.

    Attributes:
        first: names of the slab that stays and stands for the others.
        others: for each of the others its names -> those of the first that they correspond to.
    """

    first: frozenset[str]
    others: Sequence[Mapping[str, str]]


@dataclass(frozen=True, eq=False)
class PlainNetlist:
    """A netlist of calls.

    Attributes:
        head: the text before the subcircuit.
        name: of the subcircuit, as written.
        pins: its pins, upper case.
        calls: its lines.
        nets: number of the net at each word of each call, shape (calls, most pins), -1 for none.
        cells: number of the cell of each call.
        numbers: pin -> its number.
    """

    head: str
    name: str
    pins: tuple[str, ...]
    calls: list[str] = field(repr=False)
    nets: Numbers = field(repr=False)
    cells: Numbers = field(repr=False)
    numbers: dict[str, int] = field(repr=False)

    def without(self, stretches: Sequence[Slabs]) -> tuple[PlainNetlist, list[set[int]]]:
        """Leave the other slabs of each stretch out.

        Returns:
            The rest, and for each stretch the slabs (1, 2, ... for the others, 0 for the first)
            that do not call the same as most of them do. Only where there are none, it is all
            that the rest stands for.
        """
        slab = np.full(len(self.pins) + 1, -1, dtype=np.int64)  # the last for no net at all
        base = np.arange(len(self.pins) + 1, dtype=np.int64)
        base[-1] = -1
        for number, stretch in enumerate(stretches):
            for name in stretch.first:
                slab[self.numbers[name]] = number * _MOST
            for k, names in enumerate(stretch.others, 1):
                for name, counterpart in names.items():
                    slab[self.numbers[name]] = number * _MOST + k
                    base[self.numbers[name]] = self.numbers[counterpart]
        on = slab[self.nets]
        of = on.max(axis=1, initial=-1)
        odd = [_odd(self, number, s, on, of, base) for number, s in enumerate(stretches)]
        kept = (of < 0) | (of % _MOST == 0)
        gone = {name for s in stretches for names in s.others for name in names}
        return self._rest(kept, gone), odd

    def _rest(self, kept: NDArray[np.bool_], gone: set[str]) -> PlainNetlist:
        rows = np.flatnonzero(kept)
        pins = tuple(pin for pin in self.pins if pin not in gone)
        numbers = {pin: number for number, pin in enumerate(pins)}
        new = np.array([numbers.get(pin, -1) for pin in self.pins] + [-1], dtype=np.int32)
        calls = [self.calls[row] for row in rows.tolist()]
        return PlainNetlist(
            self.head, self.name, pins, calls, new[self.nets[rows]], self.cells[rows], numbers
        )

    def write(self, path: Path) -> None:
        """Write the netlist."""
        pins = "\n+ ".join([self.name, *self.pins])
        calls = "\n".join(self.calls)
        path.write_text(f"{self.head}.subckt {pins}\n{calls}\n.ends\n")


def _odd(
    plain: PlainNetlist,
    number: int,
    stretch: Slabs,
    on: NDArray[np.int64],
    of: NDArray[np.int64],
    base: NDArray[np.int64],
) -> set[int]:
    """Return the slabs of a stretch whose calls differ from those of most of them."""
    rows = np.flatnonzero((of >= number * _MOST) & (of < (number + 1) * _MOST))
    slabs = of[rows] - number * _MOST
    # a call on lines of two slabs, or of two stretches, is part of none
    mixed = ((on[rows] >= 0) & (on[rows] != of[rows, None])).any(axis=1)
    found = set(slabs[mixed].tolist())
    at, line = np.nonzero(mixed[:, None] & (on[rows] // _MOST == number))
    found |= set((on[rows][at, line] - number * _MOST).tolist())
    keys = np.column_stack([slabs, plain.cells[rows], base[plain.nets[rows]]])
    keys = keys[np.lexsort(keys.T[::-1])]
    starts = np.searchsorted(keys[:, 0], np.arange(len(stretch.others) + 2))
    texts = [keys[low:high, 1:].tobytes() for low, high in pairwise(starts)]
    usual = Counter(texts).most_common(1)[0][0]
    return found | {slab for slab, text in enumerate(texts) if text != usual}


def read_plain(path: Path, top: str) -> PlainNetlist | None:
    """Read a netlist whose last subcircuit is `top` and only calls others; None for any other."""
    regular_file(path, MOST_BYTES)
    data = path.read_bytes()
    at = data.rfind(b"\n.subckt ")
    head, rest = data[: at + 1], data[at + 1 :]
    if at < 0 or b"\r" in data or not data.isascii() or _ELSEWHERE.search(head):
        return None
    start, end = rest.find(b"\nX"), rest.rfind(b"\n.ends\n")
    header, calls = rest[:start], rest[start + 1 : end + 1]
    if start < 0 or end < start or rest[end + 7 :].strip():
        return None
    if (header + calls).translate(None, _PLAIN + b".+"):
        return None
    lines = header.decode().split("\n")
    if calls.translate(None, _PLAIN) or any(line[:2] != "+ " for line in lines[1:]):
        return None
    words = " ".join([lines[0], *(line[2:] for line in lines[1:])]).split(" ")
    pins = tuple(map(fold, words[2:]))
    if words[0] != ".subckt" or fold(words[1]) != fold(top) or len(set(pins)) < len(pins):
        return None
    if "" in pins or _GROUNDS & set(pins):
        return None
    return _cut(head.decode(), words[1], pins, calls.decode().split("\n")[:-1])


def _cut(head: str, name: str, pins: tuple[str, ...], calls: list[str]) -> PlainNetlist | None:
    """Cut the calls into words; None if one is not on pins only, or is there twice."""
    numbers = {pin: number for number, pin in enumerate(pins)}
    cells: dict[str, int] = {}
    width = max(line.count(" ") for line in calls) - 1
    nets = np.full((len(calls), max(width, 1)), -1, dtype=np.int32)
    cell = np.empty(len(calls), dtype=np.int32)
    names: set[str] = set()
    try:
        for low in range(0, len(calls), _AT_ONCE):
            lines = calls[low : low + _AT_ONCE]
            counts = np.array([line.count(" ") + 1 for line in lines])
            for count in np.unique(counts).tolist():
                rows = np.flatnonzero(counts == count)
                words = fold(" ".join([lines[row] for row in rows.tolist()])).split(" ")
                names.update(words[::count])
                cell[rows + low] = [
                    cells.setdefault(word, len(cells)) for word in words[count - 1 :: count]
                ]
                for column in range(1, count - 1):
                    nets[rows + low, column - 1] = [numbers[w] for w in words[column::count]]
    except (KeyError, ValueError):
        return None
    if len(names) < len(calls) or any(line[0] != "X" for line in calls) or "" in cells:
        return None
    return PlainNetlist(head, name, pins, calls, nets, cell, numbers)
