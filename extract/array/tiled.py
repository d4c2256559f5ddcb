"""An extracted array as plain arrays: what a million cells need instead of a node table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base import names as grammar
from ...pdk import ParameterError
from ...solve.network.builder import NetworkBuilder
from ...solve.network.network import Network
from .farads import ArrayFarads
from .pieces import COLUMN_LINE, ELECTRODE, ROW_LINE, ROW_STACK, ArrayNets, Stack

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_SIDE = 600
#: cells above which a network with named nodes is refused, also in words
MOST_CELLS, LARGEST = _SIDE * _SIDE, f"{_SIDE} x {_SIDE} cells"
_SIZES = ("switch_w_um", "switch_l_um", "area_um2")
_FLOATS = ("row_segment", "row_tap", "drain", "column_segment", "column_tap", *_SIZES)
#: layers of resistances that are of several films: what a tile measures is a sum
SUMS = frozenset((COLUMN_LINE, ROW_LINE, ROW_STACK, ELECTRODE))


@dataclass(frozen=True, eq=False)
class TiledArray:
    """Resistances of an array of T tiers, all in ohm, indexed by the lines' labels.

    Attributes:
        row_segment: along row line i from the tap before, or from the pin, to the tap of
            column j, shape (T, rows, cols).
        row_tap: from there to the transistor's terminal, or to the memristor where there is
            no transistor, same shape.
        drain: from the transistor's other terminal to the memristor, same shape; 0 without.
        column_segment: along column j from the crossing before, or from the pin, to
            crossing i, shape (rows, cols).
        column_tap: from the column line to the memristor, shape (T, rows, cols).
        switch_w_um, switch_l_um: transistor sizes, same shape; nan without.
        area_um2: memristor areas, same shape.
        row_pin_first: True if the row pins are on the side of column 0.
        column_pin_first: True if the column pins are on the side of row 0.
        conditions: what they were extracted at, as of a `Network`.
        nets: nets that are no lines with taps; what the arrays say of them is as near as such a
            line comes. None without.
        every: all nets with every piece of wire, if these were asked for; `nets` then holds no
            more of its own than what devices see.
        farads: capacitances; None where they were not extracted.
    """

    row_segment: Floats
    row_tap: Floats
    drain: Floats
    column_segment: Floats
    column_tap: Floats
    switch_w_um: Floats
    switch_l_um: Floats
    area_um2: Floats
    row_pin_first: bool = True
    column_pin_first: bool = True
    conditions: Mapping[str, Any] = field(default_factory=dict)
    nets: ArrayNets | None = None
    every: ArrayNets | None = None
    farads: ArrayFarads | None = None

    def validate(self) -> TiledArray:
        """Check the arrays against each other; returns them.

        Raises:
            ParameterError: naming the array, the element, its value and what is allowed.
        """
        shape = self.row_segment.shape
        if len(shape) != 3 or shape[0] not in (1, 2) or 0 in shape:
            raise ParameterError("row_segment", f"shape {shape}", "1 or 2 tiers, rows, columns")
        for name in _FLOATS:
            values = getattr(self, name)
            wanted = shape[1:] if name == "column_segment" else shape
            if values.shape != wanted:
                raise ParameterError(name, f"shape {values.shape}", f"shape {wanted}")
            if name in _SIZES:
                switch = np.isnan(self.switch_w_um) & np.isnan(self.switch_l_um)
                absent = switch if name != "area_um2" else False
                wrong = ~absent & ~(np.isfinite(values) & (values > 0))
                allowed = "finite, > 0" + ("" if absent is False else ", or nan without transistor")
            else:
                wrong, allowed = ~(np.isfinite(values) & (values >= 0)), "finite, >= 0"
            if wrong.any():
                at = tuple(map(int, np.argwhere(wrong)[0]))
                raise ParameterError(f"{name}{list(at)}", float(values[at]), allowed)
        if self.farads is not None:
            self.farads.validate(self.shape)
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """(tiers, rows, cols)."""
        t, n, m = self.row_segment.shape
        return t, n, m

    @property
    def selects(self) -> bool:
        """True if the devices have select transistors."""
        return bool(np.isfinite(self.switch_w_um).any())

    @property
    def fits_network(self) -> bool:
        """True if `network` can make a network with named nodes of it."""
        _, rows, cols = self.shape
        return rows * cols <= MOST_CELLS

    @property
    def nbytes(self) -> int:
        """Memory of all arrays in bytes."""
        values = (getattr(self, f.name) for f in fields(self))
        return sum(v.nbytes for v in values if isinstance(v, np.ndarray))

    def series_ohm(self, switch_ohm: Callable[[Floats, Floats], Floats] | None = None) -> Floats:
        """Return what is in series with each memristor between row and column line.

        Args:
            switch_ohm: R_on of transistors of given widths and lengths in um; None leaves
                the transistors out.
        """
        series: Floats = self.row_tap + self.drain + self.column_tap
        if switch_ohm is not None:
            on = switch_ohm(self.switch_w_um, self.switch_l_um)
            series = series + np.where(np.isnan(self.switch_w_um), 0.0, on)
        return series

    def crossbar_arguments(self, conductances: Floats, series_ohm: Floats) -> dict[str, Any]:
        """Return the arguments of `solve.crossbar.solve_crossbar` for this array.

        Args:
            conductances: memristors in S, shape (T, rows, cols).
            series_ohm: what is in series with each, see `series_ohm`.

        Returns:
            `conductances` with the series parts taken in, segments and the driven ends.
        """
        with np.errstate(divide="ignore"):
            device = np.where(conductances > 0, 1.0 / (1.0 / conductances + series_ohm), 0.0)
        # each segment stands at the cell on its far side from the driver or the sense end
        return {
            "conductances": device,
            "row_segments": self.row_segment,
            "column_segments": self.column_segment,
            "row_drive": "left" if self.row_pin_first else "right",
            "column_sense": "top" if self.column_pin_first else "bottom",
        }

    def network(self, column: str = "ME") -> Network:
        """Return the array as a network with one resistor per segment, tap and drain.

        Args:
            column: film of the columns, by which a network names their segments.

        Raises:
            ParameterError: for arrays whose node table would not fit in memory.
        """
        tiers, rows, cols = self.shape
        if not self.fits_network:
            raise ParameterError(
                "rows x cols", f"{rows} x {cols}",
                f"at most {LARGEST} as a network; use the arrays themselves",
            )  # fmt: skip
        builder = NetworkBuilder(self.conditions)
        crossing = self._add_columns(builder, column)
        # lines before the many electrodes, so that a search for one by name is short
        for tier in range(tiers):
            for i in range(rows):
                builder.net(grammar.row(tier, i))
        for tier in range(tiers):
            self._add_tier(builder, tier, crossing)
        return builder.finish()

    def _add_columns(self, builder: NetworkBuilder, column: str) -> NDArray[np.int32]:
        """Add the column lines; returns the node of each device, shape (T, rows, cols)."""
        tiers, rows, cols = self.shape
        nets = {} if self.nets is None else self.nets.columns
        crossing = np.empty((tiers, rows, cols), dtype=np.int32)
        plain = np.array([j for j in range(cols) if j not in nets], dtype=np.int64)
        for j in plain:
            crossing[:, :, j] = builder.nodes(f"{grammar.column(j)}/n{i}" for i in range(rows))
        pins = np.full(cols, -1, dtype=np.int32)
        for j in range(cols):
            if self.nets is not None and j in nets:
                crossing[:, :, j] = self.nets.line(builder, grammar.column(j), nets[j])
            else:
                pins[j] = builder.node(grammar.column(j))
                builder.port(grammar.column(j), int(pins[j]))
        if len(plain):
            here, number = crossing[0][:, plain], [builder.net(grammar.column(j)) for j in plain]
            if self.column_pin_first:
                before = np.vstack([pins[plain], here[:-1]])
            else:
                before = np.vstack([here[1:], pins[plain]])
            builder.resistors(
                before.ravel(),
                here.ravel(),
                self.column_segment[:, plain].ravel(),
                layer=builder.layer(column),
                net=np.tile(number, rows),
            )
        return crossing

    def _add_tier(self, builder: NetworkBuilder, tier: int, crossing: NDArray[np.int32]) -> None:
        """Add the row lines of a tier, and what hangs on them."""
        _, rows, cols = self.shape
        line = grammar.ROWS[tier]
        nets = {} if self.nets is None else self.nets.rows
        plain = np.array([i for i in range(rows) if (tier, i) not in nets], dtype=np.int64)
        tap = np.empty((rows, cols), dtype=np.int32)
        source, inner = tap.copy(), tap.copy()
        for i in range(rows):
            if (tier, i) not in nets:
                tap[i] = builder.nodes(f"{line}[{i}]/n{j}" for j in range(cols))
                source[i] = builder.nodes(f"{line}[{i}]/s{j}" for j in range(cols))
            inner[i] = builder.nodes(f"{grammar.ELECTRODES[tier]}[{i}][{j}]" for j in range(cols))
        pins = np.full(rows, -1, dtype=np.int32)
        ends: dict[int, list[NDArray[np.int32]]] = {}
        for i in range(rows):
            name = grammar.row(tier, i)
            if self.nets is not None and (tier, i) in nets:
                ends[i] = self.nets.line(builder, name, nets[tier, i])
                source[i] = [cell[0] for cell in ends[i]]
            else:
                pins[i] = builder.node(name)
                builder.port(name, int(pins[i]))
        if len(plain):
            here = tap[plain]
            if self.row_pin_first:
                before = np.hstack([pins[plain, None], here[:, :-1]])
            else:
                before = np.hstack([here[:, 1:], pins[plain, None]])
            number = np.repeat([builder.net(f"{line}[{i}]") for i in plain], cols)
            add = builder.resistors
            add(before.ravel(), here.ravel(), self.row_segment[tier, plain].ravel(),
                layer=builder.layer(ROW_LINE), net=number)  # fmt: skip
            add(here.ravel(), source[plain].ravel(), self.row_tap[tier, plain].ravel(),
                layer=builder.layer(ROW_STACK), net=number)  # fmt: skip
        self._add_devices(builder, tier, source, inner, crossing[tier])
        self._add_folded(builder, tier, ends, inner)

    def switch_places(self) -> NDArray[np.int64]:
        """Return tier, row, column and gate of each transistor of `network`, shape (4, switches).

        In its order: of each tier the single ones, then the gates of the folded ones.
        """
        found = []
        for tier in range(self.shape[0]):
            folded, _ = self._in_pieces(tier)
            i, j = np.nonzero(~np.isnan(self.switch_w_um[tier]) & ~folded)
            found.append(np.stack([np.full(len(i), tier), i, j, np.zeros_like(i)]))
            for stack, cells in self._stacks(tier):
                gates = range(len(stack.w_um))
                found.append(np.array([(tier, *cell, k) for cell in cells for k in gates]).T)
        return np.concatenate(found, axis=1).astype(np.int64)

    def _in_pieces(self, tier: int) -> tuple[Bools, Bools]:
        """Return which stacks of a tier, and which of its columns' ends, are kept as pieces."""
        _, rows, cols = self.shape
        stacks, columns = np.zeros((rows, cols), dtype=bool), np.zeros((rows, cols), dtype=bool)
        if self.nets is not None:
            columns[:, list(self.nets.columns)] = True
            for t, i, j in self.nets.stacks:
                stacks[i, j] |= t == tier
        return stacks, columns

    def _add_folded(
        self,
        builder: NetworkBuilder,
        tier: int,
        ends: dict[int, list[NDArray[np.int32]]],
        inner: NDArray[np.int32],
    ) -> None:
        """Add folded transistors, and the nets between them and their memristors.

        Args:
            builder: the network.
            tier: which one.
            ends: row -> column -> node on the row line of every gate.
            inner: node of each memristor.
        """
        for stack, cells in self._stacks(tier):
            i, j = np.array(cells).T
            pieces = replace(stack.pieces, pin=stack.pieces.ends[0][0])
            names = [f"{grammar.ELECTRODES[tier]}[{r}][{c}]" for r, c in cells]
            nodes = pieces.add_many(builder, names, inner[i, j])
            gates = np.array([builder.net(grammar.select(tier, c)) for _, c in cells])
            count = len(stack.w_um)
            builder.switches(
                np.array([ends[r][c] for r, c in cells]).ravel(),
                nodes[:, list(pieces.ends[1])].ravel(),
                np.repeat(gates, count),
                w_um=np.tile(stack.w_um, len(cells)),
                l_um=np.tile(stack.l_um, len(cells)),
            )

    def _stacks(self, tier: int) -> Iterator[tuple[Stack, list[tuple[int, int]]]]:
        """Yield the folded transistors of a tier that are alike, and their cells."""
        found: dict[int, tuple[Stack, list[tuple[int, int]]]] = {}
        for (t, i, j), stack in ({} if self.nets is None else self.nets.stacks).items():
            if t == tier:
                found.setdefault(id(stack), (stack, []))[1].append((i, j))
        yield from found.values()

    def _add_devices(
        self,
        builder: NetworkBuilder,
        tier: int,
        source: NDArray[np.int32],
        inner: NDArray[np.int32],
        crossing: NDArray[np.int32],
    ) -> None:
        """Add single transistors, their drain stacks, and the memristors of one tier."""
        _, rows, cols = self.shape
        i, j = np.divmod(np.arange(rows * cols), cols)
        folded, laddered = (there.ravel() for there in self._in_pieces(tier))
        switched = ~np.isnan(self.switch_w_um[tier]).ravel() & ~folded
        start = source.ravel().copy()
        if switched.any():
            kept = np.flatnonzero(switched)
            drains = builder.nodes(f"{grammar.ELECTRODES[tier]}[{i[k]}][{j[k]}]/d" for k in kept)
            gates = np.array([builder.net(grammar.select(tier, c)) for c in range(cols)])
            builder.switches(
                start[kept], drains, gates[j[kept]],
                w_um=self.switch_w_um[tier].ravel()[kept],
                l_um=self.switch_l_um[tier].ravel()[kept],
            )  # fmt: skip
            start[kept] = drains
        column = np.where(laddered, 0.0, self.column_tap[tier].ravel())
        ends = inner.ravel().copy()
        if (away := folded & (column > 0)).any():  # the tap stands behind the electrode's net
            at = np.flatnonzero(away)
            ends[at] = builder.nodes(f"{grammar.ELECTRODES[tier]}[{i[k]}][{j[k]}]/t" for k in at)
            builder.resistors(
                inner.ravel()[at], ends[at], column[at], layer=builder.layer(ELECTRODE),
                net=np.array([builder.net(grammar.column(c)) for c in j[at]]),
            )  # fmt: skip
        # behind a transistor an electrode is a net of its own, otherwise part of the row line
        nets = [
            builder.net(f"{grammar.ELECTRODES[tier]}[{r}][{c}]" if apart else grammar.row(tier, r))
            for r, c, apart in zip(i.tolist(), j.tolist(), switched.tolist(), strict=True)
        ]
        series, single = self.drain[tier].ravel() + column, ~folded
        builder.resistors(
            start[single], ends[single], series[single], layer=builder.layer(ELECTRODE),
            net=np.array(nets)[single],
        )  # fmt: skip
        builder.memristors(tier, i, j, ends, crossing.ravel(), area_um2=self.area_um2[tier].ravel())
