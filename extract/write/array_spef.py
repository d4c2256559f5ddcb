"""A regular array of any size as SPEF: the lines of each kind of row and of column, once.

SPEF has no hierarchy, and of a million cells it is most of a gigabyte. Rows that are alike, and
columns, differ in nothing but their number: their text is made once, with a mark for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base import names as grammar
from ...base.outputs import one_step
from ...pdk import ParameterError, Tech
from ..array.tiled import TiledArray
from .array_cells import DIGITS, FARAD_DIGITS, Cells, Floats, Ints, kinds, written
from .spef import FF, escaped, header
from .wires import SHORT_OHM

#: stands for the number of a row, or of a column, in the text of its kind
_MARK = "_N_"


def write_array_spef(
    array: TiledArray,
    tech: Tech,
    path: str | Path,
    *,
    design: str = "crossstack",
    date: str = "1970-01-01T00:00:00",
) -> Path:
    """Write a regular array as SPEF with ohm and fF, nets named as the layout labels them.

    Instance pins are those of `XB_i_j` and `XT_i_j` (memristors; pins ROW and ME) and of `MB_i_j`
    and `MT_i_j` (their transistors; pins S and D). Select lines have pins and capacitance and no
    wires. Capacitances are spread evenly over a line's cells; what is between a memristor's two
    sides couples them, anything else counts as ground, so that every net has its total.

    Args:
        array: extracted array, with capacitances or without.
        tech: of the array.
        path: target file.
        design: name of the design.
        date: written into the header; a fixed one, so that equal arrays give equal files.

    Raises:
        ParameterError: for an array whose nets are kept in pieces (straps, folded transistors).
        FileError: if the file cannot be written.
    """
    if array.nets is not None:
        raise ParameterError("nets", "in pieces", "single lines; write its network")
    writer = _Writer(array, tech)
    with one_step(Path(path)) as work, work.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line in header(design, date, array.conditions))
        out.writelines(writer.texts())
    return Path(path)


class _Writer:
    def __init__(self, array: TiledArray, tech: Tech) -> None:
        self.array, self.cells = array, Cells(array, tech)
        self.tiers, self.rows, self.cols = array.shape
        self.ohm = {
            name: written(np.maximum(getattr(array, name), SHORT_OHM))
            for name in ("row_segment", "row_tap", "drain", "column_segment", "column_tap")
        }
        self.farad = {
            name: written(FF * getattr(self.cells, name), FARAD_DIGITS)
            for name in ("device_f", "electrode_f", "row_f", "column_f", "select_f")
        }

    def texts(self) -> Iterator[str]:
        """Yield what follows the header, net by net."""
        yield _text(["*PORTS", *(f"{pin} B" for pin in self._pins()), ""])
        for t in range(self.tiers):
            rows = [values[t] for values in self._along_rows()]
            yield from _alike(kinds(rows), partial(self._row, t))
        yield from _alike(kinds(self._along_columns()).T, self._column)
        for t in range(self.tiers if self.array.selects else 0):
            for j in range(self.cols):
                yield _text(self._select(t, j))

    def _pins(self) -> Iterator[str]:
        tiers, selects = range(self.tiers), self.array.selects
        yield from (grammar.row(t, i) for t in tiers for i in range(self.rows))
        yield from (grammar.column(j) for j in range(self.cols))
        yield from (grammar.select(t, j) for t in tiers for j in range(self.cols) if selects)

    def _along_rows(self) -> list[NDArray[Any]]:
        """Return all that a row's nets are made of, each of shape (tiers, rows, cols)."""
        ohm, farad = self.ohm, self.farad
        line = np.broadcast_to(farad["row_f"][:, :, None], self.array.shape)
        parts = [ohm["row_segment"], ohm["row_tap"], ohm["drain"]]
        return [*parts, farad["device_f"], farad["electrode_f"], line, self.cells.switched]

    def _along_columns(self) -> list[Floats]:
        """Return all that a column's net is made of, each of shape (rows, cols)."""
        ohm, farad = self.ohm, self.farad
        line = np.broadcast_to(farad["column_f"], (self.rows, self.cols))
        return [ohm["column_segment"], *ohm["column_tap"], *farad["device_f"], line]

    def _row(self, t: int, i: int) -> Iterator[str]:
        """Yield a row line of a tier and the electrodes behind its transistors, marked."""
        letter, line = grammar.TIERS[t], grammar.row(t, _MARK)
        pins, caps, wires = [f"*P {line} B"], [], []
        own = float(self.farad["row_f"][t, i])
        total, before = own, line
        for j in self._from_pin(self.cols, self.array.row_pin_first):
            here, device = f"{line}:{j}", f"X{letter}_{_MARK}_{j}"
            across = float(self.farad["device_f"][t, i, j])
            tap = self.ohm["row_tap"][t, i, j]
            wires.append(f"{before} {here} {self.ohm['row_segment'][t, i, j]:.{DIGITS}g}")
            caps.append(_lump(here, own / self.cols))
            if self.cells.switched[t, i, j]:
                end = f"M{letter}_{_MARK}_{j}:S"
            else:
                end, tap = f"{device}:ROW", tap + self.ohm["drain"][t, i, j]
                caps.append(_lump(f"{end} {device}:ME", across))
                total += across
            pins.append(f"*I {end} B")
            wires.append(f"{here} {end} {tap:.{DIGITS}g}")
            before = here
        yield from _net(line, total, pins, caps, wires)
        for j in np.flatnonzero(self.cells.switched[t, i]).tolist():
            yield from self._electrode(t, i, j)

    def _electrode(self, t: int, i: int, j: int) -> Iterator[str]:
        letter = grammar.TIERS[t]
        device, drain = f"X{letter}_{_MARK}_{j}", f"M{letter}_{_MARK}_{j}:D"
        own, across = (float(self.farad[name][t, i, j]) for name in ("electrode_f", "device_f"))
        yield from _net(
            escaped(f"{grammar.ELECTRODES[t]}[{_MARK}][{j}]"),
            own + across,
            [f"*I {drain} B", f"*I {device}:ROW B"],
            [_lump(f"{device}:ROW", own), _lump(f"{device}:ROW {device}:ME", across)],
            [f"{drain} {device}:ROW {self.ohm['drain'][t, i, j]:.{DIGITS}g}"],
        )

    def _column(self, j: int) -> Iterator[str]:
        """Yield a column, marked."""
        line = grammar.column(_MARK)
        pins, caps, wires = [f"*P {line} B"], [], []
        own, before = float(self.farad["column_f"][j]), line
        total = own
        for i in self._from_pin(self.rows, self.array.column_pin_first):
            here = f"{line}:{i}"
            wires.append(f"{before} {here} {self.ohm['column_segment'][i, j]:.{DIGITS}g}")
            caps.append(_lump(here, own / self.rows))
            for t in range(self.tiers):
                device, across = f"X{grammar.TIERS[t]}_{i}_{_MARK}", self.farad["device_f"][t, i, j]
                pins.append(f"*I {device}:ME B")
                wires.append(f"{here} {device}:ME {self.ohm['column_tap'][t, i, j]:.{DIGITS}g}")
                caps.append(_lump(f"{device}:ME {device}:ROW", across))
                total += float(across)
            before = here
        yield from _net(line, total, pins, caps, wires)

    def _select(self, t: int, j: int) -> Iterator[str]:
        line, own = grammar.select(t, j), float(self.farad["select_f"][t, j])
        yield from _net(line, own, [f"*P {line} B"], [_lump(line, own)], [])

    @staticmethod
    def _from_pin(count: int, first: bool) -> range:
        """Return the numbers of what is on a line, from its pin on."""
        return range(count) if first else range(count - 1, -1, -1)


def _lump(nodes: str, farad: float) -> str:
    """Return a capacitor, empty for none."""
    return f"{nodes} {farad:.{FARAD_DIGITS}g}" if farad > 0 else ""


def _net(
    name: str, total: float, pins: list[str], caps: list[str], wires: list[str]
) -> Iterator[str]:
    yield f"*D_NET {name} {total:.{FARAD_DIGITS}g}"
    yield "*CONN"
    yield from pins
    for title, lines in (("*CAP", [cap for cap in caps if cap]), ("*RES", wires)):
        if lines:
            yield title
            yield from (f"{k} {text}" for k, text in enumerate(lines, 1))
    yield "*END"
    yield ""


def _alike(kind: Ints, lines: Callable[[int], Iterator[str]]) -> Iterator[str]:
    """Yield the text of each line of the array; `kind` has its cells in its first axis."""
    _, which = np.unique(kind, axis=0, return_inverse=True)
    made: dict[int, str] = {}
    for number, own in enumerate(which.ravel().tolist()):
        if own not in made:
            made[own] = _text(lines(number))
        yield made[own].replace(_MARK, str(number))


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
