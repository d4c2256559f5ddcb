"""The columns of an array as they are written, from what is known of how it reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analyse.columns import Chain, Columns, Mesh, Wire
from ..analyse.on_resistance import OnResistance
from ..analyse.volts import check_volts
from ..solve.network.prepared import Prepared
from ..solve.study.guess import Chains

if TYPE_CHECKING:
    from ..pdk import Tech

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Lines:
    """Columns of an array, each of one tier, and which device is where in them.

    Attributes:
        columns: their circuits.
        device: number of every device, shape (columns, rows); -1 for none.
        size: number of devices.
        tech: of the transistors; None without.
    """

    columns: Columns
    device: Ints
    size: int
    tech: Tech | None

    @property
    def there(self) -> Bools:
        """Where there is a device."""
        found: Bools = self.device >= 0
        return found

    def placed(self, values: Floats, nothing: float = 0.0) -> Floats:
        """Values of the devices as (columns, rows)."""
        out: Floats = np.append(values, nothing)[self.device]
        return out

    def taken(self, values: Floats) -> Floats:
        """Values of (columns, rows) in the order of the devices."""
        out = np.zeros(self.size)
        out[self.device[self.there]] = values[self.there]
        return out

    @cached_property
    def table(self) -> OnResistance:
        """The select transistors of all devices, in their order."""
        assert self.tech is not None
        sizes = [
            self.taken(np.broadcast_to(v[:, None], self.device.shape))
            for v in (self.columns.width_um, self.columns.length_um)
        ]
        return OnResistance(self.tech, sizes[0], sizes[1], np.zeros(self.size, dtype=bool))

    def check(self, volts: float) -> None:
        """Refuse a write voltage that transistors do not withstand.

        Raises:
            ConfigError: naming it.
        """
        if self.tech is not None:
            check_volts(self.tech, [0.0, volts])

    @classmethod
    def of(
        cls, prepared: Prepared, tech: Tech | None, width_um: Floats, length_um: Floats
    ) -> Lines:
        """Return the columns of an array.

        Args:
            prepared: its wires, select transistors left out.
            tech: of the transistors; None where devices are selected by nothing that has a
                resistance.
            width_um: of the select transistors, (T, cols).
            length_um: the same.
        """
        tier, row, col = prepared.place
        pairs, column = np.unique(np.stack([tier, col]), axis=1, return_inverse=True)
        column = column.reshape(-1)
        device = np.full((pairs.shape[1], prepared.shape[1]), -1)
        device[column, row] = np.arange(prepared.size)
        chains = prepared.guess if prepared.exact else None
        along, wire = (
            _of_chains(chains, pairs, device)
            if isinstance(chains, Chains)
            else _of_blocks(prepared, device)
        )
        tiers, cols = pairs
        columns = Columns(along, wire, width_um[tiers, cols], length_um[tiers, cols], tech)
        return cls(columns, device, prepared.size, tech)


def _of_chains(chains: Chains, pairs: Ints, device: Ints) -> tuple[Floats, Wire]:
    """Resistance of the rows up to every device, and the columns."""
    lines, (T, n, m) = chains.lines, chains.array.shape
    tiers, cols = pairs
    ohm = 1.0 / np.broadcast_to(lines.row_seg, (T, n, m - 1))
    gap = np.concatenate([np.zeros((T, n, 1)), np.cumsum(ohm, axis=2)], axis=2)
    with np.errstate(divide="ignore"):
        left = 1.0 / lines.left[:, :, None] + gap
        right = 1.0 / lines.right[:, :, None] + gap[:, :, -1:] - gap
    whole = 1.0 / (1.0 / left + 1.0 / right)
    along = whole[tiers, :, cols] + np.append(chains.tap, 0.0)[device]
    between = np.zeros((m, n))
    between[:, :-1] = np.broadcast_to(lines.col_seg, (n - 1, m)).T
    own = between.copy()
    own[:, 1:] += between[:, :-1]
    own[:, 0] += lines.top
    own[:, -1] += lines.bottom
    return along, Chain(own[cols], between[cols])


def _of_blocks(prepared: Prepared, device: Ints) -> tuple[Floats, Wire]:
    """The same from what devices see of each other; few devices, or lines that are no chains."""
    rows, columns = prepared.blocks.sides
    own = np.zeros(prepared.size + 1)
    if rows.ohm.size:
        own[rows.device] = np.diagonal(rows.ohm, axis1=1, axis2=2)
    own[-1] = 0.0
    count, n = device.shape
    ohm = np.zeros((count, n, n))
    line = np.full(prepared.size + 1, -1)
    place = np.zeros(prepared.size + 1, dtype=np.int64)
    if columns.ohm.size:
        line[columns.device] = np.arange(len(columns.device))[:, None]
        place[columns.device] = np.arange(columns.device.shape[1])
    line[-1] = -1
    on = line[device] >= 0
    both = on[:, :, None] & on[:, None, :]
    k = np.broadcast_to(line[device][:, :, None], both.shape)[both]
    p = np.broadcast_to(place[device][:, :, None], both.shape)[both]
    q = np.broadcast_to(place[device][:, None, :], both.shape)[both]
    if columns.ohm.size:
        ohm[both] = columns.ohm[k, p, q]
    return own[device], Mesh(ohm)


def unselected(shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return the arguments of `Lines.of` for devices that ideal switches select."""
    nothing = np.full((shape[0], shape[2]), np.nan)
    return {"tech": None, "width_um": nothing, "length_um": nothing}
