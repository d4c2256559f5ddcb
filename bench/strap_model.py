"""A column with a strap by hand: nodes, resistors and Kirchhoff's law, in numpy and scipy alone.

Two columns. `LUMPED` is one resistor a cell with all of a column's current, as in the table that
`strap.py` compares with. `DRAWN` has what is drawn: ME from crossing to tie to crossing, one via a
tie, the strap below, and at the pin both ways on: over ME and eight vias into the pin's plate, and
over the strap. Cells stand on row lines, every device on; the pins of all columns are at 0 V.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.linalg import spsolve

Floats = NDArray[np.float64]
#: ohm: of a row line a cell; of the top tier's device in stacks and electrodes, and with its
#: transistor
ROW, STACK, CELL = 0.198, 37.0, 870.0
#: conductance of a device in S; read voltage in V; what 1.38 um of Metal5 may carry, A
SIEMENS, READ_V, STRAP_A = 1e-4, 0.2, 1.38 * 4.5e-3


@dataclass(frozen=True)
class Column:
    """A column in ohm.

    Attributes:
        strap: along the strap a cell.
        lead: from the strap's last tie, or the last cell without ME, to the pin.
        me: along ME a cell, half of it on either side of a crossing; 0 for a strap alone.
        tie: of the via between both.
        end: from the first crossing over ME and its vias to the pin.
        plate: from there to the strap's last tie, over the pin's plate.
    """

    strap: float
    lead: float
    me: float = 0.0
    tie: float = 0.0
    end: float = 0.0
    plate: float = 0.0


#: as the table has it: the strap, and a third of an ohm to the pin
LUMPED = Column(0.085, 0.33)
#: the same with ME beside the strap, which is parallel to it
PARALLEL = Column(0.085 * 1.168 / (0.085 + 1.168), 0.16)
#: as drawn: lines of sheets and a via's own ohm; what is around the pin, eight vias and a plate, is
#: the triangle between its three ends that the extraction of a 3 x 2 x 2 array leaves of it
DRAWN = Column(0.0845, 0.1155, 1.168, 1.0755, 0.946, 3.39)

#: part of a column's current that a strap carries beside ME
SHARE = PARALLEL.strap / LUMPED.strap
#: (N, strap, width of ME in um) -> lost in wires, lost in all, load in a read, at the peak of a
#: set, V at the device.
#: The model: one resistor a cell, linear write, R_on of 330 mV, limits 0.38 (ME) and 4.5 mA/um.
MODEL = {
    (10, False, None): (0.0165, 0.091, 0.96, 4.24, 1.61),
    (10, True, None): (0.0061, 0.082, 0.06, 0.25, 1.617),
    (32, False, None): (0.1205, 0.181, 2.89, 13.17, 1.54),
    # its loads (0.76, 3.38) are not compared: where the vias at a wide column's end take current
    # off it, the limit check counts all of that between the first of them: 1.52 and 6.70
    (32, False, 4.0): (0.0502, 0.120, None, None, 1.60),
    (32, True, None): (0.0238, 0.098, 0.18, 0.78, 1.61),
    (128, False, None): (0.728, 0.731, 6.29, 36.30, 0.85),
    (128, True, None): (0.242, 0.287, 0.65, 3.02, 1.52),
}


@dataclass(frozen=True)
class Found:
    """What a model says: losses as parts, loads of the strap as parts of its limit.

    Attributes:
        wires, every: lost voltage of the worst device.
        read, write: most current in the strap.
        read_all, write_all: the same, of all of the column's current.
    """

    wires: float
    every: float
    read: float
    write: float
    read_all: float
    write_all: float


class _Net:
    """Resistors between nodes, the last of which is ground."""

    def __init__(self, nodes: int) -> None:
        self.n = nodes
        self.a: list[Floats] = []
        self.b: list[Floats] = []
        self.g: list[Floats] = []

    def add(self, a: NDArray[np.int64], b: NDArray[np.int64] | int, ohm: float) -> None:
        """Add equal resistors."""
        self.a.append(a.ravel())
        self.b.append(np.broadcast_to(b, a.shape).ravel())
        self.g.append(np.full(a.size, 1.0 / ohm))

    def matrix(self) -> csr_matrix:
        """Return the matrix of all nodes."""
        a, b, g = (np.concatenate(x) for x in (self.a, self.b, self.g))
        i, j = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        return coo_matrix((np.concatenate([g, g, -g, -g]), (i, j)), (self.n, self.n)).tocsr()


def _column(net: _Net, column: Column, me: NDArray[np.int64], more: NDArray[np.int64],
            pin: int) -> None:  # fmt: skip
    """Add columns between their crossings, shape (rows, cols), and the pin.

    `more` holds two further nodes a crossing, shape (2, rows, cols): its tie in ME and in the
    strap, both beyond it as seen from the pin.
    """
    if not column.me:
        net.add(me[1:], me[:-1], column.strap)
        net.add(me[0], pin, column.lead)
        return
    tie, strap = more
    net.add(me, tie, column.me / 2)
    net.add(tie[:-1], me[1:], column.me / 2)
    net.add(tie, strap, column.tie)
    net.add(strap[1:], strap[:-1], column.strap)
    net.add(strap[0], pin, column.lead)
    net.add(me[0], pin, column.end)
    net.add(me[0], strap[0], column.plate)


def _strap_a(
    column: Column, volts: Floats, me: NDArray[np.int64], more: NDArray[np.int64]
) -> float:
    """Return the most current in a strap, A."""
    line = more[1] if column.me else me
    along = np.abs(np.diff(volts[line], axis=0)) / column.strap
    at_pin = np.abs(volts[line[0]]) / column.lead
    if column.me:  # what comes over the plate joins where the strap has ended
        at_pin -= np.abs(volts[me[0]] - volts[line[0]]) / column.plate
    return float(max(along.max(initial=0.0), at_pin.max()))


def read(n: int, column: Column, series: float) -> tuple[float, float, float]:
    """Return the loss of the worst device of n x n x 2, and currents of a read in A.

    Args:
        n: rows and columns.
        column: what every column is.
        series: ohm in series with every device.

    Returns:
        Loss; most current in a strap; most of a column.
    """
    cells = n * n
    rows = np.arange(2 * cells).reshape(2, n, n)
    me = 2 * cells + np.arange(cells).reshape(n, n)
    more = 3 * cells + np.arange(2 * cells).reshape(2, n, n)
    pin, drive = 5 * cells, 5 * cells + 1
    net = _Net(drive + 1)
    net.add(rows[:, :, 1:], rows[:, :, :-1], ROW)
    net.add(rows[:, :, 0], drive, ROW / 2)
    for tier in (0, 1):
        for i in range(n):
            net.add(rows[tier, i], me[i], 1.0 / SIEMENS + series)
    _column(net, column, me, more, pin)
    y = net.matrix()
    free = np.flatnonzero(y.diagonal()[: 5 * cells])
    volts = np.zeros(drive + 1)
    volts[drive] = READ_V
    volts[free] = spsolve(y[free][:, free].tocsc(), -y[free][:, [drive]].toarray()[:, 0] * READ_V)
    amps = (volts[rows] - volts[me]) / (1.0 / SIEMENS + series)
    loss = 1.0 - float(amps.min()) / SIEMENS / READ_V
    return loss, _strap_a(column, volts, me, more), float(amps.sum(axis=(0, 1)).max())


def write(n: int, column: Column, device_v: float) -> float:
    """Return the most current in a strap while all n devices of a tier are written, A."""
    me, more, pin = np.arange(n)[:, None], n + np.arange(2 * n).reshape(2, n, 1), 3 * n
    net = _Net(pin + 1)
    _column(net, column, me, more, pin)
    y = net.matrix()
    free = np.flatnonzero(y.diagonal()[:pin])
    amps, volts = np.zeros(pin + 1), np.zeros(pin + 1)
    amps[me.ravel()] = device_v * SIEMENS
    volts[free] = spsolve(y[free][:, free].tocsc(), amps[free])
    return _strap_a(column, volts, me, more)


def found(n: int, column: Column, device_v: float) -> Found:
    """Return what a model says of n x n x 2 whose devices get a voltage in a write."""
    wires, _, _ = read(n, column, STACK)
    every, strap, whole = read(n, column, CELL)
    return Found(
        wires, every, strap / STRAP_A, write(n, column, device_v) / STRAP_A,
        whole / STRAP_A, n * device_v * SIEMENS / STRAP_A,
    )  # fmt: skip
