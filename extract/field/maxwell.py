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

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError, ParameterError
from ...base.processes import cores
from . import stencil
from .cells import Cells, fill
from .dielectric import EPSILON_0_F_UM
from .lines import Box, Lines, Spacing, lines_of
from .multigrid import Multigrid
from .scene import Scene

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
#: energy of the error that iterations leave, as a share: far below that of the grid
_TOLERANCE = 1e-5
#: problems that are solved side by side
_BATCH = 8
#: layers of cells whose energy is taken at a time
_SLAB = 16
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
    volts: tuple[Singles, ...]
    iterations: int
    seconds: float

    def energies_f(self, within: Box | None = None) -> Floats:
        """Return the energies of all pairs of potentials in F, that is at 1 V.

        Args:
            within: x1, y1, x2, y2 in um of what counts, on grid lines; None for all.
        """
        x, y, z = self.lines.x, self.lines.y, self.lines.z
        i1, j1, i2, j2 = 0, 0, len(x) - 1, len(y) - 1
        if within is not None:
            i1, i2 = (int(np.abs(x - within[k]).argmin()) for k in (0, 2))
            j1, j2 = (int(np.abs(y - within[k]).argmin()) for k in (1, 3))
        count = len(self.solved)
        found = np.zeros((count, count))
        if not count:
            return found
        for first in range(i1, i2, _SLAB):
            last = min(first + _SLAB, i2)
            k = self.cells.permittivity[first:last, j1:j2]
            g = stencil.links(np.ascontiguousarray(k), x[first : last + 1], y[j1 : j2 + 1], z)
            volts = np.stack([v[first : last + 1, j1 : j2 + 1] for v in self.volts])
            volts = volts.astype(np.float64)
            flux = np.empty_like(volts)
            for one, out in zip(volts, flux, strict=True):
                stencil.apply_links(*g, one, out)
            found += volts.reshape(count, -1) @ flux.reshape(count, -1).T
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
    coarse, fine = (
        solve_fields(scene, lines).energies_f() for lines in lines_of(scene, spacing or Spacing())
    )
    lost = [net for net, own in zip(scene.nets, np.diag(fine), strict=True) if not own > 0]
    if lost:
        raise ParameterError("net", lost[0], "a conductor as large as a step of the grid")
    return scene.nets, extrapolated(coarse, fine)


def extrapolated(coarse: Floats, fine: Floats) -> Floats:
    """Return energies at a step of zero from those at a step and at half of it."""
    return fine + (fine - coarse) / (2**_ORDER - 1)


def solve_fields(scene: Scene, lines: Lines, nets: tuple[str, ...] | None = None) -> Fields:
    """Return the potentials of a scene, one net after the other at 1 V.

    Args:
        scene: conductors and insulators.
        lines: the grid.
        nets: which are asked for; None for all. One that is thinner than the grid can hold has
            no field.

    Raises:
        ConvergenceError: if the iterations do not end.
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

    def run(first: int) -> int:
        batch, flux = volts[first : first + _BATCH], np.empty(lines.shape)
        b = np.empty((count, len(batch)), dtype=np.float32)
        for k, potential in enumerate(batch):
            stencil.apply_links(*g, potential, flux)
            b[:, k] = -flux[free]
        u, iterations = grids.solve(b, _TOLERANCE)
        for k, potential in enumerate(batch):
            potential[free] = u[:, k]
        return iterations

    with ThreadPoolExecutor(max(1, cores())) as pool:
        counts = list(pool.map(run, range(0, len(solved), _BATCH)))
    if any(n < 0 for n in counts):
        raise ConvergenceError(f"the field of {len(solved)} nets did not converge")
    most = max(counts, default=0)
    return Fields(lines, cells, solved, tuple(volts), most, perf_counter() - start)


def _held(cells: Cells, net: str) -> Singles:
    """Return the potentials of the corners on conductors, one net at 1 V."""
    held: Singles = (cells.owner == cells.nets.index(net) + 1).astype(np.float32)
    return held


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
