"""Factors of the free nodes of a circuit, made for the pattern that it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import LinearOperator, SuperLU, gmres, splu

from .circuit import Circuit

Floats = NDArray[np.float64]

# What steps over weak edges leave over at a time, and how many may be taken.
_STEPPED, STEPS = 1e-9, 60


class OrderedFactor:
    """A factor of a matrix whose rows and columns were put in another order."""

    def __init__(self, lu: SuperLU, order: NDArray[np.intp]) -> None:
        self._lu, self._order = lu, order

    def solve(self, right: Floats) -> Floats:
        """Solve for one right-hand side, or for several side by side."""
        out = np.empty_like(right)
        out[self._order] = self._lu.solve(right[self._order])
        return out


class LineFactor(OrderedFactor):
    """A factor in reverse Cuthill-McKee order."""

    def __init__(self, matrix: csc_matrix) -> None:
        order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
        super().__init__(_regular_factor(matrix[order][:, order].tocsc(), "NATURAL"), order)


class PartsFactor:
    """A factor of the parts of a circuit without its weak edges, which a few steps put back.

    Devices of a large array couple its lines by little: the lines alone are factorised sooner by
    far than all of it. Where steps do not get there, all of it is.
    """

    def __init__(self, matrix: csc_matrix, weak: csc_matrix) -> None:
        """Factor the parts.

        Args:
            matrix: of the circuit; need not be symmetric.
            weak: entries of it off the diagonal, of weak edges.
        """
        self._matrix = matrix
        self._whole: SuperLU | None = None
        # lines are bands: in their order they fill in as little as by the least degree, which
        # takes a hundred times as long to find
        self._parts = LineFactor((matrix - weak).tocsc())

    def about(self, right: Floats) -> Floats:
        """Solve the parts alone: near enough to what a similar matrix does to iterate from."""
        return np.asarray(self._parts.solve(right))

    def solve(self, right: Floats) -> Floats:
        """Solve for one right-hand side."""
        if self._whole is None:
            before = LinearOperator(self._matrix.shape, self._parts.solve)
            found, failed = gmres(
                self._matrix, right, M=before, rtol=_STEPPED, atol=0.0, restart=STEPS, maxiter=2
            )
            if not failed:
                return np.asarray(found)
            self._whole = _regular_factor(self._matrix)
        return np.asarray(self._whole.solve(right))


def factor(circuit: Circuit, *, along_lines: bool = False) -> SuperLU | LineFactor | PartsFactor:
    """Factor of a circuit's free nodes, of which there must be some; see `graph.Factorised`."""
    matrix = _matrix(circuit)
    if along_lines:
        return LineFactor(matrix)
    if circuit.weak is None:
        return _regular_factor(matrix)
    return PartsFactor(matrix, weak_entries(circuit, circuit.g, circuit.g))


def weak_entries(circuit: Circuit, slope_a: Floats, slope_b: Floats) -> csc_matrix:
    """Return the entries off the diagonal that a circuit's weak edges have in its matrix, S.

    Args:
        circuit: with weak edges.
        slope_a: dI/dVa of every edge, S; g where it is a resistor.
        slope_b: -dI/dVb of every edge, S.
    """
    free, weak = circuit.free, circuit.weak
    number = np.full(circuit.n_groups, -1, dtype=np.int64)
    number[free] = np.arange(len(free))
    a, b = number[circuit.a[weak]], number[circuit.b[weak]]
    inner = (a >= 0) & (b >= 0)
    rows, cols = np.concatenate([a[inner], b[inner]]), np.concatenate([b[inner], a[inner]])
    values = np.concatenate([-slope_b[weak][inner], -slope_a[weak][inner]])
    return coo_matrix((values, (rows, cols)), (len(free), len(free))).tocsc()


def _regular_factor(matrix: csc_matrix, order: str = "MMD_AT_PLUS_A") -> SuperLU:
    try:
        return symmetric_factor(matrix, order)
    except RuntimeError:  # a pivot was lost to rounding; what this costs, refining gives back
        return symmetric_factor(matrix + diags(1e-14 * matrix.diagonal()).tocsc(), order)


def _matrix(circuit: Circuit) -> csc_matrix:
    """Conductance matrix of the free nodes."""
    free = circuit.free
    number = np.full(circuit.n_groups, -1, dtype=np.int64)
    number[free] = np.arange(len(free))
    a, b, g = number[circuit.a], number[circuit.b], circuit.g
    diagonal = np.bincount(circuit.a, g, circuit.n_groups)
    diagonal += np.bincount(circuit.b, g, circuit.n_groups)
    inner = (a >= 0) & (b >= 0)
    a, b, g = a[inner], b[inner], g[inner]
    own = np.arange(len(free))
    return csc_matrix(
        (
            np.concatenate([diagonal[free], -g, -g]),
            (np.concatenate([own, a, b]), np.concatenate([own, b, a])),
        ),
        shape=(len(free), len(free)),
    )


def symmetric_factor(matrix: csc_matrix, order: str = "MMD_AT_PLUS_A") -> SuperLU:
    """Factor of a symmetric positive definite matrix: ordered for its pattern, without pivoting.

    Args:
        matrix: what to factor.
        order: `permc_spec` of SuperLU.

    Raises:
        RuntimeError: if a pivot is lost to rounding.
    """
    return splu(matrix, permc_spec=order, diag_pivot_thresh=0.0, options={"SymmetricMode": True})


class SamePattern:
    """Factors of one matrix after the other, mostly of one pattern.

    To find the order of a pattern takes two to three times as long as a factor in it, so that it is
    found once. A matrix of another pattern is factorised as if it were the first.
    """

    def __init__(self) -> None:
        self._order: NDArray[np.intp] | None = None
        self._pattern: tuple[NDArray[np.intp], ...] = ()
        self._numbers = csc_matrix((0, 0))

    def factor(self, matrix: csc_matrix) -> SuperLU | OrderedFactor:
        """Factor of a matrix like those of `symmetric_factor`.

        Raises:
            RuntimeError: if a pivot is lost to rounding.
        """
        if self._order is None or not self._known(matrix):
            first = symmetric_factor(matrix)
            self._keep(matrix, np.argsort(first.perm_c))
            return first
        numbers = self._numbers
        ordered = csc_matrix(
            (matrix.data[numbers.data], numbers.indices, numbers.indptr), matrix.shape
        )
        return OrderedFactor(symmetric_factor(ordered, "NATURAL"), self._order)

    def _known(self, matrix: csc_matrix) -> bool:
        mine = (matrix.indptr, matrix.indices)
        return all(map(np.array_equal, mine, self._pattern))

    def _keep(self, matrix: csc_matrix, order: NDArray[np.intp]) -> None:
        """Keep the order of a pattern, and where each value of its matrices goes in it."""
        self._order, self._pattern = order, (matrix.indptr, matrix.indices)
        place = np.arange(matrix.nnz)
        numbers = csc_matrix((place, matrix.indices, matrix.indptr), matrix.shape)
        self._numbers = numbers[order][:, order].tocsc()
        # SuperLU would sort them where they lie, without the values of the next matrix
        self._numbers.sort_indices()
