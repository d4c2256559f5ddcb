"""The lines of an array, each kind solved in full and spread over all that are alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...base import names as grammar
from ...base.names import LINE, TIER_NAMES
from ...lvs import ExtractedLayout, FlatNet, Label, missed_devices, touches
from ...pdk import Tech
from ..nets.report import ExtractionReport, Progress
from ..sheet.netres import NetSolver
from ..sheet.rates import Rates
from .chain import EXACT, ROUNDING, Chain, chain, resistance
from .grid import ArrayView, NotRegularError
from .numbering import every, index, leads, orders, pin_of
from .pieces import ArrayNets, Pieces, Stack, reduced_nets
from .sample import Key, Sample, SampleDevice
from .tiled import LARGEST, TiledArray

Floats = NDArray[np.float64]


def look_for_faults(part: ExtractedLayout, report: ExtractionReport) -> None:
    """Warn of lost devices.

    Raises:
        NotRegularError: if shapes only touch: the flat engine refuses them with its reason.
    """
    for finding in touches(part):
        raise NotRegularError(finding.message)
    for finding in missed_devices(part):
        report.warn(str(finding))


class Stitcher:
    """Solves the samples and spreads their lines over the array."""

    def __init__(
        self,
        view: ArrayView,
        tech: Tech,
        process: Rates,
        report: ExtractionReport,
        progress: Progress | None,
        *,
        apart: bool,
        pieces: bool,
        stacks: bool = False,
    ) -> None:
        """Prepare; lines that are `apart` are kept whole, for what stands around the array.

        With `stacks`, so is what stands between transistors and memristors.
        """
        self.view, self.tech, self.process, self.report = view, tech, process, report
        self.solver = NetSolver(process, view.layout.dbu)
        self.progress = progress
        self.inner: dict[tuple[str, int], tuple[float, Stack | None]] = {}
        #: net of a sample -> its pieces
        self.known: dict[tuple[Sample, int], Pieces] = {}
        g = view.grid
        self.line = np.full((2, g.rows, g.cols), np.nan)
        self.names = ("row_tap", "drain", "column_tap", "switch_w_um", "switch_l_um", "area_um2")
        self.device = {name: np.full((2, g.rows, g.cols), np.nan) for name in self.names}
        self.column = np.full((g.rows, g.cols), np.nan)
        self.row_label = np.full((2, g.rows), -1)
        self.col_label = np.full(g.cols, -1)
        self.select_label = np.full((2, g.cols), -1)
        # the line that each one got its resistances from
        self.row_like = np.full((2, g.rows), -1)
        self.col_like = np.full(g.cols, -1)
        self.pin_first: dict[str, bool] = {}
        #: nets that are no lines with taps, or kept whole, by place; and how far from such lines
        self.nets, self.off = ArrayNets(apart=apart), 0.0
        self.stacks = stacks
        #: all nets, if every piece is wanted
        self.every = ArrayNets() if pieces else None

    def run(self) -> None:
        """Solve every line that is unlike the others, and spread it."""
        for rows in (True, False):
            layout, chosen = self.view.sample(rows=rows)
            sample = Sample(
                layout, self.view.top.name, self.tech, self.process, self.view.grid, rows=rows
            )
            for finding in sample.extracted.findings():
                if finding.kind == "short":
                    raise NotRegularError(str(finding))
            look_for_faults(sample.extracted, self.report)
            for done, number in enumerate(chosen):
                if self.progress:
                    self.progress("rows" if rows else "columns", done, len(chosen))
                if rows:
                    self._rows(sample, number)
                else:
                    self._columns(sample, number)
        self.report.pieces = self.solver.wires.pieces
        self.report.distinct_nets = self.solver.distinct
        g = self.view.grid
        lines = int((self.row_label >= 0).any(axis=1).sum()) * g.rows + g.cols
        stacks = int(np.isfinite(self.device["switch_w_um"]).sum())
        self.report.nets = self.report.solved = lines + stacks

    def check_labels(self, labels: Iterable[Label]) -> None:
        """Refuse labels of rows and columns that no device of the array is on.

        Raises:
            NotRegularError: names the first; the flat engine keeps such a line.
        """
        mine = {grammar.column(int(number)) for number in self.col_label}
        mine |= {grammar.row(t, int(n)) for t in (0, 1) for n in self.row_label[t]}
        for label in labels:
            if LINE.fullmatch(label.name) and label.name not in mine:
                raise NotRegularError(f"line {label.name} has no device")

    def check_lines(self) -> None:
        """Forget the pieces of lines of an array that is too large for a network.

        Raises:
            NotRegularError: for nets that are no lines with taps by more than rounding.
        """
        if self.off > ROUNDING or self.nets.stacks:
            raise NotRegularError(f"straps and folded transistors need at most {LARGEST}")
        self.nets = ArrayNets()

    def lines(self) -> dict[str, tuple[Pieces, tuple[int, int]]]:
        """Return each line by name: its net, and how far it lies from the one that was solved."""
        g, found = self.view.grid, {}
        for (t, i), pieces in self.nets.rows.items():
            name = grammar.row(t, int(self.row_label[t, i]))
            found[name] = pieces, (0, int(i - self.row_like[t, i]) * g.dy)
        for j, pieces in self.nets.columns.items():
            name = grammar.column(int(self.col_label[j]))
            found[name] = pieces, (int(j - self.col_like[j]) * g.dx, 0)
        return found

    def cut(self, lead: dict[str, float]) -> None:
        """Take off each line what lies between its pin and the array's edge.

        The lines were solved whole, with the currents spreading at the edge as they do: a
        line cut through there would be forced to one voltage across its width.

        Args:
            lead: ohm from pin to edge, by label.
        """
        first = {side: 0 if low else -1 for side, low in self.pin_first.items()}
        for tier in (0, 1):
            if not np.isnan(self.line[tier]).any():
                like = self.row_label[tier][self.row_like[tier]]
                self.line[tier, :, first["row"]] -= leads(lead, grammar.ROWS[tier], like)
        like = self.col_label[self.col_like]
        self.column[first["column"]] -= leads(lead, grammar.COLUMN, like)
        if np.nanmin(self.line) < 0 or self.column.min() < 0:
            raise NotRegularError("a line ends before it enters the array")

    def _rows(self, sample: Sample, row: int) -> None:
        """Solve the row lines of one representative row and spread them."""
        alike = np.flatnonzero(self.view.row_kind == self.view.row_kind[row])
        for tier in (0, 1):
            devices = sorted(
                (d for d in sample.devices if (d.tier, d.row) == (tier, row)), key=lambda d: d.col
            )
            if not devices:
                continue
            if [d.col for d in devices] != list(range(self.view.grid.cols)):
                raise NotRegularError(f"row {row} has not one memristor of tier {tier} per column")
            if len({d.line_net for d in devices}) != 1:
                raise NotRegularError(f"row {row} of tier {tier} is not one net")
            net = sample.flat.nets[devices[0].line_net]
            line, keys = grammar.ROWS[tier], [d.line_keys for d in devices]
            sample.check_alone(
                net, every(keys), self.view.grid, f"row {row} of the {TIER_NAMES[tier]} tier"
            )
            found = self._line(sample, net, line, keys, along_x=True)
            needed = self.nets.apart or found.off > EXACT or any(len(own) > 1 for own in keys)
            for nets in self._keepers(needed=needed):
                pieces = self._pieces(sample, net, line, keys)
                nets.rows.update({(tier, int(i)): pieces for i in alike})
            self.line[tier, alike] = found.segment
            self.device["row_tap"][tier, alike] = found.tap
            self.device["drain"][tier, alike] = [self._inner(sample, d, alike) for d in devices]
            for name, values in (
                ("switch_w_um", [sum(d.w) if d.w else np.nan for d in devices]),
                ("switch_l_um", [d.l[0] if d.l else np.nan for d in devices]),
                ("area_um2", [d.area for d in devices]),
            ):
                self.device[name][tier, alike] = values
            self.row_like[tier, alike] = row
            self._spread_labels(sample, net, line, row, alike, self.row_label[tier])

    def _columns(self, sample: Sample, col: int) -> None:
        """Solve one representative column line and spread it."""
        alike = np.flatnonzero(self.view.col_kind == self.view.col_kind[col])
        places: list[list[SampleDevice]] = []
        for tier in (0, 1):
            devices = sorted(
                (d for d in sample.devices if (d.tier, d.col) == (tier, col)), key=lambda d: d.row
            )
            if not devices:
                continue
            if [d.row for d in devices] != list(range(self.view.grid.rows)):
                raise NotRegularError(f"column {col} has not one memristor of tier {tier} per row")
            if len({d.me_net for d in [*devices, *(places[0] if places else ())]}) != 1:
                raise NotRegularError(f"column {col} is not one net")
            self._select_line(sample, tier, col, devices, alike)
            places.append(devices)
        net = sample.flat.nets[places[0][0].me_net]
        keys = [[d.me_key for d in devices] for devices in places]
        sample.check_alone(net, every(keys), self.view.grid, f"column {col}")
        lines = [
            self._line(sample, net, grammar.COLUMN, [(k,) for k in own], along_x=False)
            for own in keys
        ]
        apart = not np.allclose(lines[0].segment, lines[-1].segment, rtol=ROUNDING)
        self.off = 1.0 if apart else self.off
        # a tap that both tiers stand on carries the current of both
        shared = len(lines) > 1 and any(found.tap.any() for found in lines)
        off = max(found.off for found in lines)
        for nets in self._keepers(needed=self.nets.apart or apart or shared or off > EXACT):
            pieces = self._pieces(sample, net, grammar.COLUMN, keys)
            nets.columns.update({int(j): pieces for j in alike})
        self.column[:, alike] = lines[0].segment[:, None]
        self.col_like[alike] = col
        for devices, found in zip(places, lines, strict=True):
            self.device["column_tap"][devices[0].tier][:, alike] = found.tap[:, None]
        self._spread_labels(sample, net, grammar.COLUMN, col, alike, self.col_label)

    def _select_line(
        self,
        sample: Sample,
        tier: int,
        col: int,
        devices: list[SampleDevice],
        alike: NDArray[np.int64],
    ) -> None:
        """Read which select line a column's transistors hang on."""
        gates = [sample.gate_net(d, self.view.grid) for d in devices]
        numbers = {None if gate is None else gate.number for gate in gates}
        if len(numbers) > 1:
            raise NotRegularError(f"column {col} has {len(numbers)} select lines of one tier")
        if gates[0] is not None:
            label = self.select_label[tier]
            self._spread_labels(sample, gates[0], grammar.SELECTS[tier], col, alike, label)

    def _keepers(self, *, needed: bool) -> list[ArrayNets]:
        """Return what keeps the pieces of a net; `needed` if no segments say all of it."""
        found = [self.nets] if needed else []
        return found if self.every is None else [*found, self.every]

    def _line(
        self,
        sample: Sample,
        net: FlatNet,
        line: str,
        keys: Sequence[Sequence[Key]],
        *,
        along_x: bool,
    ) -> Chain:
        """Solve a line and return it in the order of `keys`, or as near to it as it comes.

        Args:
            sample: what holds it.
            net: its net.
            line: letters of its label.
            keys: terminals on it, cell by cell, of which the first ones are looked at.
            along_x: whether it is a row line.
        """
        pin = pin_of(net, line)
        axis = 0 if along_x else 1
        labels = (lb for lb in sample.extracted.labels if lb.name == pin and lb.net is not None)
        at = min((lb.at for lb in labels), key=lambda place: place[axis])
        ends = [sample.flat.devices[keys[k][0][0]].at[axis] for k in (0, -1)]
        first = abs(at[axis] - ends[0]) <= abs(at[axis] - ends[1])
        side = "row" if along_x else "column"
        if self.pin_first.setdefault(side, first) != first:
            raise NotRegularError(f"the pins of the {side} lines are not all on one side")
        solved = sample.solve(self.solver, net, self.report)
        each = [own[0] for own in keys]
        found = chain(solved, pin, each if first else each[::-1])
        self.off = max(self.off, found.off)
        if first:
            return found
        return Chain(found.segment[::-1], found.tap[::-1], found.off)

    def _pieces(
        self, sample: Sample, net: FlatNet, line: str, keys: Sequence[Sequence[Key]]
    ) -> Pieces:
        """Return a line's net piece by piece, with what stands around the array if that is apart.

        Raises:
            NotRegularError: for a net that does not reach one of its devices.
        """
        if (sample, net.number) in self.known:
            return self.known[sample, net.number]
        solved = sample.solve(self.solver, net, self.report)
        if lost := sum(key not in solved.terminal_node for key in every(keys)):
            raise NotRegularError(f"net {net.name} does not reach {lost} of its terminals")
        around = sample.around(net, self.view.grid) if self.nets.apart else None
        found = Pieces.of(solved, pin_of(net, line), keys, around)
        self.known[sample, net.number] = found
        return found

    def _inner(self, sample: Sample, device: SampleDevice, alike: NDArray[np.int64]) -> float:
        """Return the resistance from the transistor to its memristor; of a folded one, keep all."""
        if device.inner is None:
            return 0.0
        number, gates, memristor = device.inner
        net = sample.flat.nets[number]
        key = (net.net.circuit().name, net.net.cluster_id)
        # a net that lives in a cell is the same in all its places, a net of the top is not
        if key not in self.inner or not net.path:
            solved = sample.solve(self.solver, net, self.report)
            nodes = solved.terminal_node
            if not all(end in nodes for end in (*gates, memristor)):
                raise NotRegularError(f"the stack of the memristor in row {device.row} is open")
            stack = None
            if self._keepers(needed=self.stacks or len(gates) > 1):
                stack = Stack(Pieces.of(solved, None, [(memristor,), gates]), device.w, device.l)
            self.inner[key] = resistance(solved, nodes[gates[0]], nodes[memristor]), stack
        ohm, stack = self.inner[key]
        for nets in self._keepers(needed=self.stacks or len(gates) > 1):
            assert stack is not None
            nets.stacks.update({(device.tier, int(i), device.col): stack for i in alike})
        return ohm

    def _spread_labels(
        self,
        sample: Sample,
        net: FlatNet,
        line: str,
        number: int,
        alike: NDArray[np.int64],
        into: NDArray[np.int64],
    ) -> None:
        """Read the labels of alike lines where the representative's own label would lie."""
        pin, g = pin_of(net, line), self.view.grid
        places = [key for key, name in sample.labels.items() if name == pin]
        for other in alike:
            shift = (other - number) * (g.dy if line in grammar.ROWS else g.dx)
            for conductor, x, y in places:
                moved = (x, y + shift) if line in grammar.ROWS else (x + shift, y)
                near = sample.labels.get((conductor, int(moved[0]), int(moved[1])), "")
                number_there = index(near, line)
                if number_there is not None:
                    into[other] = number_there
                    break
            else:
                raise NotRegularError(f"line {int(other)} of {line} carries no label like {pin}")

    def array(self) -> TiledArray:
        """Return the lines in the order of their labels."""
        rows = [t for t in (0, 1) if not np.isnan(self.line[t]).any()]
        if not rows or rows[0] != 0:
            raise NotRegularError("no complete bottom tier")
        for t in rows:
            if not np.array_equal(self.row_label[t], self.row_label[rows[0]]):
                raise NotRegularError("the tiers number their rows differently")
        for t in rows:
            wired = self.select_label[t] >= 0
            if (self.select_label[t] != self.col_label)[wired].any():
                raise NotRegularError(
                    f"the {TIER_NAMES[t]} tier's select lines do not follow the columns"
                )
        row_first = orders(self.row_label[0], "rows")
        col_first = orders(self.col_label, "columns")
        by_row, by_col = np.argsort(self.row_label[0]), np.argsort(self.col_label)
        order = np.ix_(np.array(rows), by_row, by_col)
        values = {name: array[order] for name, array in self.device.items()}
        return TiledArray(
            row_segment=self.line[order],
            column_segment=self.column[np.ix_(by_row, by_col)],
            row_pin_first=self.pin_first["row"] == col_first,
            column_pin_first=self.pin_first["column"] == row_first,
            conditions=self.process.conditions.to_json(),
            nets=self._numbered(self.nets) if self.nets else None,
            every=None if self.every is None else self._numbered(self.every),
            **values,
        )

    def _numbered(self, nets: ArrayNets) -> ArrayNets:
        """Return nets by their labels' numbers; of those kept in pieces twice, one is reduced."""
        found = nets.numbered(self.row_label[0], self.col_label)
        return found if self.every is None or nets is self.every else reduced_nets(found)
