"""A thinned-out layout of an array, extracted: what the tile engine reads its lines from."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

import klayout.db as db

from ...base import names as grammar
from ...lvs import ExtractedLayout, FlatDevice, FlatNet, extract_layout, silicon_joins
from ...pdk import Tech
from ..nets.geometry import NetGeometry
from ..nets.labels import TIER_OF, labels_of
from ..nets.report import ExtractionReport
from ..sheet.netres import NetSolver
from ..sheet.rates import Rates
from ..sheet.tidy import NetResistors
from .grid import Grid, NotRegularError
from .pieces import Spot

#: number of a device and position of one of its terminals
Key = tuple[int, int]


@dataclass(frozen=True)
class SampleDevice:
    """A memristor of a sample with what connects it to its row line.

    Attributes:
        tier, row, col, area: which one, and its area in um2.
        me_net, me_key: its column's net, and its own terminal there.
        line_net, line_keys: the row line's net, and the terminals there: of every gate of its
            select transistor, or its own without one.
        inner: the net between, the gates' terminals there, and its own; None without transistor.
        w, l: of every gate in um; empty without.
    """

    tier: int
    row: int
    col: int
    area: float
    me_net: int
    me_key: Key
    line_net: int
    line_keys: tuple[Key, ...]
    inner: tuple[int, tuple[Key, ...], Key] | None = None
    w: tuple[float, ...] = ()
    l: tuple[float, ...] = ()


class Sample:
    """One thinned-out layout, extracted."""

    def __init__(
        self, layout: db.Layout, top: str, tech: Tech, process: Rates, grid: Grid, *, rows: bool
    ) -> None:
        self.extracted = extract_layout(layout, tech, top)
        self.flat = self.extracted.flat
        self.geometry = NetGeometry(self.extracted, process)
        self.joined = {net.number: found.message for net, found in silicon_joins(self.extracted)}
        self.dbu = self.extracted.dbu
        self.labels = {
            (
                label.conductor,
                round(label.at[0] / self.dbu),
                round(label.at[1] / self.dbu),
            ): label.name
            for label in self.extracted.labels
        }
        self.devices = [
            d for n in range(len(self.flat.devices)) if (d := self._read(n, grid, rows))
        ]

    def place(self, device: FlatDevice, grid: Grid) -> tuple[int, int]:
        """Return grid row and column of a device, -1 outside."""
        x, y = device.at[0] / self.dbu, device.at[1] / self.dbu
        return grid.row_at(y), grid.col_at(x)

    def _read(self, number: int, grid: Grid, rows: bool) -> SampleDevice | None:
        device = self.flat.devices[number]
        tier = TIER_OF.get(device.kind.name)
        if tier is None:
            return None
        row, col = self.place(device, grid)
        if row < 0 or col < 0:
            raise NotRegularError(f"memristor at {device.at} lies outside the array")
        outer, column = device.nets
        base = (tier, row, col, device.parameters[0], column, (number, 1))
        direct = SampleDevice(*base, outer, ((number, 0),))
        if not rows:  # row lines are cut up in a sample of columns
            return direct
        labels = labels_of(self.flat.nets[outer].name)
        if any(grammar.kind_of(name) == grammar.ROWS[tier] for name in labels):
            return direct
        gates = [
            (other, position)
            for other, position in self.flat.terminals[outer]
            if self.flat.devices[other].kind.name == "nfet" and position in (0, 2)
        ]
        gates.sort(key=lambda key: self.flat.devices[key[0]].at)  # in every cell in one order
        lines = {self.flat.devices[other].nets[2 - position] for other, position in gates}
        if len(lines) != 1:
            raise NotRegularError(
                f"memristor at {device.at} has {len(gates)} select transistors on {len(lines)} nets"
            )
        w, l = zip(*(self.flat.devices[other].parameters for other, _ in gates), strict=True)
        far = tuple((other, 2 - position) for other, position in gates)
        return SampleDevice(*base, lines.pop(), far, (outer, tuple(gates), (number, 0)), w, l)

    def gate_net(self, device: SampleDevice, grid: Grid) -> FlatNet | None:
        """Return the net of the gate that selects a memristor, None for one without transistor.

        Works in a sample of columns, where row lines are cut up and their labels are gone.
        """
        gates = {
            self.flat.devices[other].nets[1]
            for other, position in self.flat.terminals[device.line_net]
            if position in (0, 2)
            and self.flat.devices[other].kind.name == "nfet"
            and min(self.place(self.flat.devices[other], grid)) >= 0
        }
        if not gates:
            return None
        if len(gates) > 1 or min(gates) < 0:
            raise NotRegularError(f"the memristor in row {device.row} has {len(gates)} gates")
        return self.flat.nets[gates.pop()]

    def check_alone(self, net: FlatNet, keys: Iterable[Key], grid: Grid, what: str) -> None:
        """Refuse a line that reaches anything in the array but its own devices.

        Raises:
            NotRegularError: naming the first such device.
        """
        own = set(keys)
        for number, position in self.flat.terminals[net.number]:
            device = self.flat.devices[number]
            if (number, position) not in own and min(self.place(device, grid)) >= 0:
                at = f"({device.at[0]:.3f}, {device.at[1]:.3f})"
                raise NotRegularError(f"{what} also reaches the {device.kind.name} at {at}")

    def around(self, net: FlatNet, grid: Grid) -> dict[Spot, Key]:
        """Return the terminals on a net of the devices around the array, by where they stand."""
        return {
            spot: key
            for spot, key in zip(
                spots(self.extracted, net), self.flat.terminals[net.number], strict=True
            )
            if min(self.place(self.flat.devices[key[0]], grid)) < 0
        }

    def solve(self, solver: NetSolver, net: FlatNet, report: ExtractionReport) -> NetResistors:
        """Return the resistors of a net; its terminals are keyed (device, terminal).

        Raises:
            NotRegularError: if only silicon joins its wires.
        """
        if net.number in self.joined:
            raise NotRegularError(self.joined[net.number])
        shapes, warnings = self.geometry.shapes(net, net.name or f"net${net.number}")
        result = solver.solve(shapes)
        for text in [*warnings, *result.warnings]:
            report.warn(text)
        table = self.flat.terminals[net.number]
        nodes: dict[Hashable, int] = {
            table[int(str(key))]: node for key, node in result.terminal_node.items()
        }
        return replace(result, terminal_node=nodes)


def spots(layout: ExtractedLayout, net: FlatNet) -> list[Spot]:
    """Return the terminals on a net by where their devices stand, in the order of their keys."""
    flat, found = layout.flat, []
    for number, position in flat.terminals[net.number]:
        device = flat.devices[number]
        x, y = (round(c / layout.dbu) for c in device.at)
        found.append((device.kind.name, position, x, y))
    return found
