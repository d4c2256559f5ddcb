"""A prepared array solved once: the same again after a few of its devices have changed.

One ampere beside each changed device is solved for. By reciprocity its answer at every pin is what
the device sees of it, and its answers at the changed devices say how they see each other; what the
changes make of the effective matrix is then exact, for changes of any size (Woodbury's formula).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import DriveError, InputError
from ..crossbar.lines import numbers
from .prepared import Prepared

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: changes beyond this part of the outputs are solved anew: a lane of either costs about the same
SMALL = 0.25
#: condition of what the changed devices make together above which all is solved anew
WORST = 1e4
#: devices that may be changed one after the other until all is solved anew: errors add up
MOST_CHANGES = 1000


class Solved:
    """Linear devices of one array, with its effective matrix.

    Attributes:
        array: the array.
        matrix: S, shape (outputs, inputs).
        constant: current of every output with all inputs at 0 V, A.
        anew: whether it was solved, and not found from the one before.
        changes: devices that were changed since something was solved.
    """

    def __init__(self, array: Prepared, conductances: ArrayLike) -> None:
        """Solve.

        Args:
            array: the array.
            conductances: S, of the array's `shape`.

        Raises:
            InputError: for anything but a prepared array and real numbers.
            DriveError: for another shape, or a value that is not finite or negative.
        """
        if not isinstance(array, Prepared):
            raise InputError(
                f"array is a {type(array).__name__}, allowed: what prepare_network or "
                "prepare_crossbar returns"
            )
        self.array, self._g = array, array.devices(numbers("conductances", conductances))
        cells = array.spread(self._g)
        self.matrix, self.constant = array.matrix(cells), array.constant(cells)
        self.anew, self.changes = True, 0

    @property
    def conductances(self) -> Floats:
        """Of all places, S, of the array's `shape`; 0 where none carries current."""
        return self.array.spread(self._g).copy()

    def currents(self, voltages: ArrayLike) -> Floats:
        """Return the current out of every output, A, shape (vectors, outputs).

        Args:
            voltages: of every input, V, shape (vectors, inputs); of one vector, (inputs,), the
                outputs are (outputs,).

        Raises:
            InputError: for anything but real numbers.
            DriveError: for another shape, or a value that is not finite.
        """
        v = numbers("voltages", voltages)
        one = v.ndim == 1
        found: Floats = self.array.volts(v[None] if one else v) @ self.matrix.T + self.constant
        return found[0] if one else found

    def changed(
        self, tiers: ArrayLike, rows: ArrayLike, cols: ArrayLike, siemens: ArrayLike
    ) -> Solved:
        """Return the array with other conductances at some places.

        Args:
            tiers: of every place.
            rows: of every place.
            cols: of every place.
            siemens: the new conductances, S, finite and not negative.

        Raises:
            InputError: for places that are not whole numbers, or values that are not real ones.
            DriveError: for a place that there is not, or that is named twice, or a wrong value.
        """
        at, new = self._places(tiers, rows, cols, siemens)
        g = self._g.copy()
        g[at] = new
        moved = at[g[at] != self._g[at]]
        total = self.changes + len(moved)
        if len(moved) <= SMALL * len(self.array.outputs) and total <= MOST_CHANGES:
            found = self._from_here(g, moved)
            if found is not None:
                matrix, constant = found
                return self._with(g, matrix, constant, total)
        return Solved(self.array, self.array.spread(g))

    def _with(self, g: Floats, matrix: Floats, constant: Floats, changes: int) -> Solved:
        made = object.__new__(Solved)
        made.array, made._g, made.matrix, made.constant = self.array, g, matrix, constant
        made.anew, made.changes = changes == self.changes and self.anew, changes
        return made

    def _places(self, *given: Any) -> tuple[Ints, Floats]:
        """Numbers of the devices at some places, and their new conductances."""
        named = zip(("tiers", "rows", "cols"), given[:3], strict=True)
        places = [_whole(name, value) for name, value in named]
        new = numbers("siemens", given[3])
        try:
            t, i, j, s = np.broadcast_arrays(*(v.reshape(-1) for v in (*places, new)))
        except ValueError:
            shapes = ", ".join(str(np.shape(v)) for v in given)
            raise DriveError(f"places and conductances have shapes {shapes}") from None
        shape = self.array.shape
        at = np.stack([t, i, j])
        inside = (at >= 0) & (at < np.array(shape)[:, None])
        if not inside.all():
            raise DriveError(f"places are not all within {shape}")
        values = np.asarray(s, dtype=np.float64)
        if not (np.isfinite(values) & (values >= 0)).all():
            raise DriveError("new conductances hold a value that is not finite, or negative")
        flat = np.ravel_multi_index(tuple(at), shape)
        if len(np.unique(flat)) != len(flat):
            raise DriveError("a place is named twice")
        number = np.full(int(np.prod(shape)), -1)
        number[self.array.flat] = np.arange(self.array.size)
        # a place without a device that carries current changes nothing
        live = number[flat] >= 0
        return number[flat[live]], values[live]

    def _from_here(self, g: Floats, moved: Ints) -> tuple[Floats, Floats] | None:
        """Matrix and constant with some devices changed, or None if that is not exact enough."""
        array, k = self.array, len(moved)
        if not k:
            return self.matrix, self.constant
        beside = array.injected(self._g, moved)
        if beside is None:
            return None
        amps = self._g[:, None] * beside
        amps[moved, np.arange(k)] += 1.0
        change = g[moved] - self._g[moved]
        each = -beside[moved]
        together = np.eye(k) + 0.5 * (each + each.T) * change
        if not np.linalg.cond(together) <= WORST:
            return None
        seen_out = array.collected(amps) - array.rest
        seen_in = np.column_stack([array.returned(amps), array.offset @ amps])
        added = seen_out.T @ (change[:, None] * np.linalg.solve(together, seen_in))
        return self.matrix + added[:, :-1], self.constant + added[:, -1]


def _whole(name: str, value: Any) -> Ints:
    """Return whole numbers as an array; an empty one has no kind.

    Raises:
        InputError: naming what is none.
    """
    found = numbers(name, value)
    kind = np.asarray(value).dtype
    # numpy takes True and False for a choice among all, not for 1 and 0
    if found.size and kind.kind not in "iu":
        raise InputError(f"{name} holds {kind} values, allowed: whole numbers")
    return found.astype(np.int64)
