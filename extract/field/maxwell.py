"""Capacitance of the conductors of a scene from its field in three dimensions.

Laplace's equation div(k grad u) = 0 on a graded grid (finite integration, Weiland 1977:
potentials at the corners of cells, permittivity in the cells), once for each net at 1 V and the
others at 0 V. The capacitances are energies, C_ij = integral of k grad u_i . grad u_j: their
error is of the second order in that of the potentials, and the matrix is symmetric as it stands.

At an edge of a conductor (outer angle 270 degrees) the potential goes with the distance to the
power of 2/3, so the energy's error goes with the step to the power of 4/3; elsewhere it goes with
its square. Two grids, the finer with a line in the middle of every step of the coarser, tell how
large it is, and it is taken away (Richardson's extrapolation) with a power between both.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError, ParameterError
from . import stencil
from .cells import Cells, fill
from .dielectric import EPSILON_0_F_UM
from .lines import Lines, Spacing, lines_of
from .multigrid import Multigrid
from .scene import Scene

Floats = NDArray[np.float64]
#: energy of the error that iterations leave, as a share: far below that of the grid
_TOLERANCE = 1e-6
#: problems that are solved side by side
_BATCH = 8
#: the energy's error goes with this power of the step
_ORDER = 1.5


@dataclass(frozen=True)
class Fields:
    """Potentials of a scene.

    Attributes:
        lines: the grid.
        cells: what fills it.
        solved: nets that were put to 1 V, in order.
        volts: of each, at all corners.
        iterations: most iterations of a batch.
        seconds: what it took.
    """

    lines: Lines
    cells: Cells
    solved: tuple[str, ...]
    volts: tuple[Floats, ...]
    iterations: int
    seconds: float

    def energies_f(self, permittivity: Floats | None = None) -> Floats:
        """Return the energies of all pairs of potentials in F, that is at 1 V.

        Args:
            permittivity: of the cells that count; None for all.
        """
        k = self.cells.permittivity if permittivity is None else permittivity
        g = stencil.links(k, self.lines.x, self.lines.y, self.lines.z)
        count = len(self.solved)
        found, flux = np.empty((count, count)), np.empty(self.lines.shape)
        for i in range(count):
            stencil.apply_links(*g, self.volts[i], flux)
            for j in range(count):
                found[i, j] = np.vdot(flux, self.volts[j])
        energies: Floats = EPSILON_0_F_UM * (found + found.T) / 2
        return energies


def maxwell(scene: Scene, spacing: Spacing | None = None) -> tuple[tuple[str, ...], Floats]:
    """Return the nets of a scene, sorted, and their Maxwell matrix in F.

    Diagonal: what a net sees in all, ground included; beside it the negative couplings.

    Args:
        scene: conductors and insulators.
        spacing: of the coarser of the two grids.

    Raises:
        ConvergenceError: if the iterations do not end.
        ParameterError: for a net that is thinner than the grid can hold.
    """
    lines = lines_of(scene, spacing or Spacing())
    coarse = solve_fields(scene, lines).energies_f()
    return scene.nets, extrapolated(coarse, solve_fields(scene, lines.halved()).energies_f())


def extrapolated(coarse: Floats, fine: Floats) -> Floats:
    """Return energies at a step of zero from those at a step and at half of it."""
    return fine + (fine - coarse) / (2**_ORDER - 1)


def solve_fields(scene: Scene, lines: Lines, nets: tuple[str, ...] | None = None) -> Fields:
    """Return the potentials of a scene, one net after the other at 1 V.

    Args:
        scene: conductors and insulators.
        lines: the grid.
        nets: which are asked for; None for all.

    Raises:
        ConvergenceError: if the iterations do not end.
        ParameterError: for a net asked for that is thinner than the grid can hold.
    """
    start = perf_counter()
    cells = fill(scene, lines)
    solved = cells.nets if nets is None else nets
    g = stencil.links(cells.permittivity, lines.x, lines.y, lines.z)
    # corners that no link leaves lie within conductors, or in what conducts no field
    free = (cells.owner < 0) & (_sums(*g) > 0)
    count = int(free.sum())
    number = np.full(lines.shape, -1, dtype=np.int32)
    number[free] = np.arange(count, dtype=np.int32)
    grids = Multigrid(stencil.assemble(*g, number, count), lines, free)
    volts = [_held(cells, net) for net in solved]
    most, flux = 0, np.empty(lines.shape)
    for first in range(0, len(solved), _BATCH):
        batch = volts[first : first + _BATCH]
        b = np.empty((count, len(batch)))
        for k, potential in enumerate(batch):
            stencil.apply_links(*g, potential, flux)
            b[:, k] = -flux[free]
        u, iterations = grids.solve(b, _TOLERANCE)
        if iterations < 0:
            raise ConvergenceError(f"the field of {', '.join(solved)} did not converge")
        most = max(most, iterations)
        for k, potential in enumerate(batch):
            potential[free] = u[:, k]
    return Fields(lines, cells, solved, tuple(volts), most, perf_counter() - start)


def _held(cells: Cells, net: str) -> Floats:
    """Return the potentials of the corners on conductors, one net at 1 V."""
    mine = cells.owner == cells.nets.index(net) + 1
    if not mine.any():
        raise ParameterError("net", net, "a conductor as large as a step of the grid")
    return mine.astype(np.float64)


def _sums(gx: Floats, gy: Floats, gz: Floats) -> Floats:
    """Return the sum of the links at each corner."""
    found = np.zeros((gy.shape[0], gx.shape[1], gx.shape[2]))
    found[:-1] += gx
    found[1:] += gx
    found[:, :-1] += gy
    found[:, 1:] += gy
    found[:, :, :-1] += gz
    found[:, :, 1:] += gz
    return found
