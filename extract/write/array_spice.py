"""A regular array of any size as SPICE: a subcircuit for each kind of cell, and of row.

Cells that are alike are one subcircuit, rows of the same cells are one, and the array is its rows.
So the netlist of a million cells is a list of a thousand rows with the nodes of their columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...base import names as grammar
from ...base.outputs import one_step
from ...pdk import Conditions, ParameterError, Tech
from ...pdk.conditions import agree
from ..array.tiled import TiledArray
from .array_cells import DIGITS, FARAD_DIGITS, Cells, Floats, kinds, written
from .bsim import Bsim, transistor_card
from .model import PARAMETERS, MemristorModel
from .wires import AT_BEST, SHORT_OHM, wrapped

#: values of a cell in each tier, by name
_Values = dict[str, Floats]


def write_array_spice(
    array: TiledArray,
    tech: Tech,
    path: str | Path,
    *,
    bsim: Bsim | None = None,
    model: MemristorModel | None = None,
    name: str = "crossstack",
) -> Path:
    """Write a regular array as a hierarchical SPICE netlist.

    Pins are those of the layout: row lines, columns and, with `bsim`, select lines and VSS. Row i
    is the instance `Xr<i>`, in it the cell of column j is `Xc<j>`, with `Rx_bottom` and `Rx_top`
    for its memristors. Row lines and columns have every segment; their capacitance is spread evenly
    over the cells. What is between a memristor's two sides is across it; any other coupling counts
    as ground, so that every net has its total.

    Args:
        array: extracted array, with capacitances or without.
        tech: R_on of memristors and transistors, at the conditions of the array.
        path: target file.
        bsim: transistors as the foundry's BSIM subcircuits; None for resistors, all of them on.
        model: subcircuit that memristors call; None for resistors of R_on.
        name: of the subcircuit, and first part of the name of those that it calls.

    Raises:
        ParameterError: for an array whose nets are kept in pieces (straps, folded transistors), or
            conditions other than the array's.
        FileError: if the file cannot be written.
    """
    if array.nets is not None:
        raise ParameterError("nets", "in pieces", "single lines; write its network")
    for at in (tech.conditions, *([bsim.conditions] if bsim else [])):
        agree(array.conditions, at)
    writer = _Writer(array, tech, bsim, model, grammar.cell_name(name))
    with one_step(Path(path)) as work, work.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line in writer.lines())
    return Path(path)


class _Writer:
    def __init__(
        self,
        array: TiledArray,
        tech: Tech,
        bsim: Bsim | None,
        model: MemristorModel | None,
        name: str,
    ) -> None:
        self.array, self.tech, self.bsim, self.model, self.name = array, tech, bsim, model, name
        self.tiers, self.rows, self.cols = array.shape
        self.cells = Cells(array, tech, gates=bsim is None)
        self.selects = bsim is not None and array.selects
        self.values = self._values()
        #: kind of each cell, shape (rows, cols), and of each row
        self.kind = kinds([v[t] for v in self.values.values() for t in range(len(v))])
        _, self.row_kind = np.unique(self.kind, axis=0, return_inverse=True)
        #: a model that wants to know where each device is gets it as parameters of the cell
        told = () if model is None else model.parameters
        self.places = [word for word in ("row", "column") if word in told]

    def _values(self) -> _Values:
        """Return what a cell is made of, each of shape (tiers or 1, rows, cols)."""
        array, cells, shape = self.array, self.cells, self.array.shape
        scale = self.tech.memristor.scale(array.area_um2)
        found = {
            "row": array.row_segment,
            "tap": array.row_tap,
            "series": array.drain + array.column_tap,
            "column": array.column_segment[None],
            "on": self._on_ohm(),
            "ohm": self.tech.memristor.r_on_ohm / scale,
            "area": array.area_um2,
            "w": array.switch_w_um,
            "l": array.switch_l_um,
            "row_f": np.broadcast_to(cells.row_f[:, :, None] / self.cols, shape),
            "column_f": np.broadcast_to(cells.column_f / self.rows, (1, *shape[1:])),
            "device_f": cells.device_f,
            "electrode_f": cells.electrode_f,
            "end_f": cells.end_f,
        }
        digits = {True: FARAD_DIGITS, False: DIGITS}
        return {key: written(values, digits[key.endswith("_f")]) for key, values in found.items()}

    def _on_ohm(self) -> Floats:
        """Return R_on of each select transistor, nan without."""
        w, length = self.array.switch_w_um, self.array.switch_l_um
        found = np.full(w.shape, np.nan)
        there = np.isfinite(w)
        sizes, which = np.unique(np.stack([w[there], length[there]]), axis=1, return_inverse=True)
        ohm = np.array([self.tech.nfet.sized_ohm(float(a), float(b)) for a, b in sizes.T])
        if len(ohm):
            found[there] = ohm[which.ravel()]
        return found

    def lines(self) -> Iterator[str]:
        """Yield the netlist."""
        yield "* CrossStack: devices and wires as extracted from the layout"
        if self.array.conditions:
            yield f"* conditions: {Conditions.from_json(self.array.conditions).text}"
        if self.bsim is not None:
            yield from self.bsim.library()
        elif np.isfinite(self.array.switch_w_um).any():
            yield AT_BEST
        if self.model is not None:
            yield self.model.include
        _, first = np.unique(self.kind, return_index=True)
        for at in first.tolist():
            yield from self._cell(*divmod(at, self.cols))
        _, first = np.unique(self.row_kind, return_index=True)
        for at in first.tolist():
            yield from self._row(at)
        yield from self._whole()
        yield ".end"

    def _bulk(self) -> list[str]:
        """Return the supply that transistors stand in, where they are transistors."""
        return [self.bsim.bulk("nfet")] if self.bsim is not None and self.selects else []

    def _cell(self, i: int, j: int) -> Iterator[str]:
        """Yield the subcircuit of a kind of cell.

        Nodes of a tier's row line: `p` from the pin's side, `t` the tap; of the column: `cp`, `c`.
        """
        one = {key: [float(v[t, i, j]) for t in range(len(v))] for key, v in self.values.items()}
        tiers = range(self.tiers)
        ports = [f"{end}{t}" for t in tiers for end in "pt"] + ["cp", "c"]
        ports += [f"g{t}" for t in tiers if self.selects] + self._bulk()
        words = [f".subckt {self.name}_cell{self.kind[i, j]}", *ports]
        yield from wrapped(words + [f"{word}=0" for word in self.places])
        yield _resistor("c", "cp", "c", one["column"][0])
        yield from _capacitor("c", "c", "0", one["column_f"][0])
        for t in tiers:
            yield from self._device(t, {key: v[t] for key, v in one.items() if len(v) > t})
        yield f".ends {self.name}_cell{self.kind[i, j]}"

    def _device(self, t: int, one: dict[str, float]) -> Iterator[str]:
        """Yield what lies between a row line and the column in one tier of a cell."""
        yield _resistor(f"r{t}", f"p{t}", f"t{t}", one["row"])
        yield from _capacitor(f"r{t}", f"t{t}", "0", one["row_f"])
        node = f"t{t}"
        if one["tap"] > SHORT_OHM:
            yield _resistor(f"t{t}", node, f"s{t}", one["tap"])
            node = f"s{t}"
        if np.isfinite(one["w"]):
            yield from _capacitor(f"s{t}", node, "0", one["end_f"])
            yield self._transistor(t, node, one)
            node = f"d{t}"
            yield from _capacitor(f"d{t}", node, "0", one["end_f"])
        if one["series"] > SHORT_OHM:
            yield _resistor(f"e{t}", node, f"e{t}", one["series"])
            node = f"e{t}"
        yield from _capacitor(f"e{t}", node, "0", one["electrode_f"])
        yield from _capacitor(f"x{t}", node, "c", one["device_f"])
        tier = f"x_{grammar.TIER_NAMES[t]}"
        if self.model is None:
            yield _resistor(tier, node, "c", one["ohm"])
            return
        known = {"tier": t, "area": one["area"], "conductance": 1.0 / one["ohm"]}
        told = [f"{word}={{{word}}}" if word in self.places else f"{word}={known[word]:.9g}"
                for word in PARAMETERS if word in self.model.parameters]  # fmt: skip
        yield " ".join([f"X{tier}", node, "c", self.model.name, *told])

    def _transistor(self, t: int, node: str, one: dict[str, float]) -> str:
        if self.bsim is None:
            return _resistor(f"m{t}", node, f"d{t}", one["on"])
        ends = (node, f"g{t}", f"d{t}", self.bsim.bulk("nfet"))
        return transistor_card(self.bsim.kit, f"m{t}", ends, "nfet", one["w"], one["l"])

    def _row(self, i: int) -> Iterator[str]:
        """Yield the subcircuit of a kind of row, from the side of its pins."""
        subckt = f"{self.name}_row{self.row_kind[i]}"
        gates = self._gates("g{tier}_{column}")
        ports = [*(f"r{t}" for t in range(self.tiers)), *self._column_nodes("p{}", "c{}"), *gates]
        words = [f".subckt {subckt}", *ports, *self._bulk()]
        yield from wrapped(words + [f"{word}=0" for word in self.places if word == "row"])
        order = range(self.cols) if self.array.row_pin_first else range(self.cols - 1, -1, -1)
        before = [f"r{t}" for t in range(self.tiers)]
        for j in order:
            here = [f"t{t}_{j}" for t in range(self.tiers)]
            pairs = [node for pair in zip(before, here, strict=True) for node in pair]
            own = [f"g{t}_{j}" for t in range(self.tiers) if self.selects]
            cell = f"{self.name}_cell{self.kind[i, j]}"
            told = {"row": "row={row}", "column": f"column={j}"}
            nodes = [*pairs, f"p{j}", f"c{j}", *own, *self._bulk()]
            words = [f"Xc{j}", *nodes, cell, *(told[word] for word in self.places)]
            yield from wrapped(words, per_line=16)
            before = here
        yield f".ends {subckt}"

    def _gates(self, pattern: str) -> list[str]:
        """Return a name for each select line, in the order of the pins."""
        if not self.selects:
            return []
        return [
            pattern.format(tier=t, column=j) for t in range(self.tiers) for j in range(self.cols)
        ]

    def _column_nodes(self, before: str, here: str) -> list[str]:
        return [text.format(j) for j in range(self.cols) for text in (before, here)]

    def _whole(self) -> Iterator[str]:
        """Yield the array's subcircuit."""
        lines = [grammar.row(t, i) for t in range(self.tiers) for i in range(self.rows)]
        columns = [grammar.column(j) for j in range(self.cols)]
        gates = [grammar.select(t, j) for t in range(self.tiers) for j in range(self.cols)]
        gates = gates if self.selects else []
        yield from wrapped([f".subckt {self.name}", *lines, *columns, *gates, *self._bulk()])
        down = self.array.column_pin_first
        order = range(self.rows) if down else range(self.rows - 1, -1, -1)
        before = columns
        for i in order:
            here = [f"{column}/n{i}" for column in columns]
            pairs = [node for pair in zip(before, here, strict=True) for node in pair]
            rows = [grammar.row(t, i) for t in range(self.tiers)]
            told = [f"row={i}" for word in self.places if word == "row"]
            subckt = f"{self.name}_row{self.row_kind[i]}"
            words = [f"Xr{i}", *rows, *pairs, *gates, *self._bulk(), subckt, *told]
            yield from wrapped(words, per_line=64)
            before = here
        if self.selects:
            farads = self.cells.select_f.ravel().tolist()
            for k, (gate, farad) in enumerate(zip(gates, farads, strict=True)):
                yield from _capacitor(f"g{k}", gate, "0", farad)
        yield f".ends {self.name}"


def _resistor(name: str, a: str, b: str, ohm: float) -> str:
    return f"R{name} {a} {b} {max(ohm, SHORT_OHM):.{DIGITS}g}"


def _capacitor(name: str, a: str, b: str, farad: float) -> Iterator[str]:
    if farad > 0:
        yield f"C{name} {a} {b} {farad:.{FARAD_DIGITS}g}"
