"""Arrays prepared once for many devices and inputs, with all derivatives.

What the wires of a network are to its memristors is found once (`blocks`: a Schur complement onto
the devices' ends, sources and sense pins). After that any conductances and inputs are solved by
matrix products: exactly, with the gradients by conductances, inputs and the law's parameters that
training needs. One adjoint solve gives them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConvergenceError
from ..circuit.iv import DeviceLaw
from ..circuit.newton import MAX_MOVE, MAX_STEPS, held_back
from .blocks import Blocks, Ints
from .ends import Ends

Floats = NDArray[np.float64]

#: change of a voltage by Newton's last step, relative to the largest
_SETTLED = 1e-13
#: bytes that the lanes of one solve may take in one array
_LANE_BYTES = 64 * 2**20


class Guess(Protocol):
    """A fast solver of nearly the same lines, which gives a start."""

    def __call__(self, g: Floats, inputs: Floats | None, outputs: Floats | None) -> Floats | None:
        """Device voltages, (devices, lanes), for inputs or outputs, (lanes, pins), or None.

        Conductances may be of one set, (devices,), or one a lane.
        """

    def pins(self, g: Floats, inputs: Floats | None, outputs: Floats | None) -> Floats | None:
        """Currents of linear devices, A, or None.

        Returns:
            Those out of the outputs, (lanes, outputs), if the inputs are driven; else those into
            the inputs, (lanes, inputs).
        """

    def bent(self, g: Floats, law: DeviceLaw, inputs: Floats) -> Floats | None:
        """Device voltages, (devices, lanes), of devices that follow a law, or None."""

    def injected(self, g: Floats, which: Ints) -> Floats | None:
        """Device voltages, (devices, lanes), for 1 A beside each of some devices, or None."""


@dataclass(frozen=True, eq=False)
class Prepared(Ends):
    """An array whose wires are known once and for all.

    Attributes:
        wires: gives what the devices see of each other through the wires, when that is needed.
        seconds: time that preparing took.
        guess: a fast solver of the same lines as chains, or None.
        exact: True if the lines are chains, so that `guess` needs no correction.
    """

    wires: Callable[[], Blocks]
    seconds: float = 0.0
    guess: Guess | None = None
    exact: bool = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Prepared:
        return self  # nothing of it changes: copies of a layer share it

    @cached_property
    def blocks(self) -> Blocks:
        """What the devices see of each other through the wires."""
        return self.wires()

    def matrix(self, conductances: ArrayLike) -> Floats:
        """Return the effective matrix of linear devices, S, shape (outputs, inputs).

        Currents are ``voltages @ matrix.T``, plus `constant` where pins besides the inputs carry
        a voltage, as those of a write do.
        """
        g = self.devices(conductances)
        if len(self.inputs) < len(self.outputs):
            found = self.through(g, inputs=np.eye(len(self.inputs)))
            found = None if found is None else np.ascontiguousarray(found.T)
        else:
            found = self.through(g, outputs=np.eye(len(self.outputs)))
        return Linear(self, g, len(self.outputs)).matrix if found is None else found

    def constant(self, conductances: ArrayLike) -> Floats:
        """Return the current of every output with all inputs at 0 V, A, shape (outputs,)."""
        g = self.devices(conductances)
        if not self.offset.any():
            return self.rest.copy()
        return Linear(self, g, len(self.outputs)).constant

    def currents(
        self, conductances: ArrayLike, voltages: ArrayLike, law: DeviceLaw | None = None
    ) -> Floats:
        """Return the current out of every output, A, shape (vectors, outputs).

        Args:
            conductances: S, `shape`.
            voltages: V, shape (vectors, inputs).
            law: of the devices; None is linear.
        """
        g, v = self.devices(conductances), self.volts(voltages)
        if law is None:
            if len(v) >= len(self.outputs):
                return v @ self.matrix(conductances).T + self.constant(conductances)
            found = self.through(g, inputs=v)
            return Linear(self, g, len(v)).currents(v) if found is None else found + self.rest
        return np.concatenate([Bent(self, g, law, some).amps for some in self.pieces(v)])

    def pieces(self, voltages: Floats) -> Iterator[Floats]:
        """Cut many vectors into as many as fit into memory."""
        most = max(1, _LANE_BYTES // (8 * max(1, len(self.source))))
        for at in range(0, max(1, len(voltages)), most):
            yield voltages[at : at + most]

    def solved(
        self, g: Floats, inputs: Floats | None = None, outputs: Floats | None = None
    ) -> Floats:
        """Device voltages with the inputs, or in their place the outputs, driven."""
        start = None
        if self.guess is not None and not (inputs is not None and self.offset.any()):
            start = self.guess(g, inputs, outputs)
            if start is not None and self.exact:
                return start
        if inputs is not None:
            what = self.driven(inputs)
        else:
            assert outputs is not None
            what = self.sensed(outputs)
        return self.blocks.solve(g, what, start)

    def injected(self, g: Floats, which: Ints) -> Floats | None:
        """Voltages of linear devices, (devices, lanes), for 1 A beside each of some of them.

        The ampere flows as the device's own current does, all pins are held at 0 V. None for an
        array whose blocks are too large and some of whose devices do not conduct.
        """
        if self.guess is not None and self.exact:
            return self.guess.injected(g, which)
        beside = np.zeros((self.size, len(which)))
        beside[which, np.arange(len(which))] = 1.0
        return self.blocks.solve(g, -self.blocks.drops(beside))

    def through(
        self, g: Floats, inputs: Floats | None = None, outputs: Floats | None = None
    ) -> Floats | None:
        """Currents at the other pins by the fast way, (lanes, pins), or None where there is none.

        They take less memory than the voltages of all devices, which derivatives need besides.
        """
        if self.guess is None or not self.exact or not self.direct:
            return None
        return self.guess.pins(g, inputs, outputs)

    def bent(self, g: Floats, law: DeviceLaw, inputs: Floats) -> Floats | None:
        """Voltages of devices of a law by the fast way, or None where there is none."""
        if self.guess is None or not self.exact or self.offset.any():
            return None
        return self.guess.bent(g, law, inputs)


class Linear:
    """Linear devices of one array: the forward pass, and by one more solve its derivatives."""

    def __init__(self, array: Prepared, g: Floats, vectors: int) -> None:
        """Choose what is solved: vectors where they are few, else one volt on every output.

        Args:
            array: the array.
            g: conductance of its devices, S.
            vectors: how many there will be.
        """
        self.array, self.g = array, g
        self.few = vectors < len(array.outputs)
        self._seen: Floats | None = None
        if not self.few:
            self._seen = array.solved(g, outputs=np.eye(len(array.outputs)))

    @cached_property
    def matrix(self) -> Floats:
        """The effective matrix, S, shape (outputs, inputs)."""
        seen = self._seen
        assert seen is not None
        return self.array.returned(self.g[:, None] * seen)

    @property
    def constant(self) -> Floats:
        """Current of every output with all inputs at 0 V, A."""
        assert self._seen is not None
        out: Floats = (self.array.offset * self.g) @ self._seen + self.array.rest
        return out

    def currents(self, voltages: Floats) -> Floats:
        """Current out of every output, A, (vectors, outputs)."""
        a = self.array
        if self.few:
            self._seen = a.solved(self.g, inputs=voltages)
            return a.collected(self.g[:, None] * self._seen)
        out: Floats = voltages @ self.matrix.T + self.constant
        return out

    def gradients(self, voltages: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Derivatives of a sum of weighted currents.

        Args:
            voltages: V, those of `currents`.
            weights: of every current, (vectors, outputs).

        Returns:
            (by the devices' conductances, shape (devices,); by the voltages).
        """
        a, seen = self.array, self._seen
        assert seen is not None
        if self.few:
            adjoint = a.solved(self.g, outputs=weights)
            by_volts = a.returned(self.g[:, None] * adjoint)
            return np.einsum("ij,ij->i", seen, adjoint), by_volts
        both = weights.T @ voltages
        if a.offset.any():
            source = a.driven(both) + a.offset[:, None] * (weights.sum(axis=0) - 1.0)
            forward = a.blocks.solve(self.g, source)
        else:
            forward = a.solved(self.g, inputs=both)
        return np.einsum("ij,ij->i", seen, forward), weights @ self.matrix


class Bent:
    """Devices of a law: every vector by Newton's method, derivatives by its last tangents.

    Attributes:
        amps: current out of every output, A, (vectors, outputs).
    """

    def __init__(self, array: Prepared, g: Floats, law: DeviceLaw, voltages: Floats) -> None:
        """Solve.

        Raises:
            ConvergenceError: if the steps do not end.
        """
        self.array, self.law, self.g = array, law, g[:, None]
        found = array.bent(g, law, voltages)
        self.drops = self._by_blocks(voltages) if found is None else found
        self.amps = array.collected(law.current(self.g, self.drops))

    def _by_blocks(self, voltages: Floats) -> Floats:
        """Voltages of the devices by Newton's method on all vectors at once.

        Raises:
            ConvergenceError: if the steps do not end.
        """
        array, law, g = self.array, self.law, self.g[:, 0]
        source = array.driven(voltages)
        u = array.blocks.solve(g, source)
        u = held_back(law, self.g, np.zeros_like(u), u)
        for _ in range(MAX_STEPS):
            missing = source - array.blocks.drops(law.current(self.g, u)) - u
            move = array.blocks.solve(law.slope(self.g, u), missing)
            u = u + np.clip(held_back(law, self.g, u, u + move) - u, -MAX_MOVE, MAX_MOVE)
            moved, most = np.abs(move).max(initial=0.0), np.abs(u).max(initial=0.0)
            if moved <= _SETTLED * most:
                return u
        raise ConvergenceError(
            f"Newton's method did not settle in {MAX_STEPS} steps (last: {moved:.1e} V)"
        )

    def gradients(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Derivatives of a sum of weighted currents.

        Args:
            weights: of every current, (vectors, outputs).

        Returns:
            (by the devices' conductances; by the voltages; what a change of each device's current
            at its voltage is worth, (devices, vectors), for derivatives by the law's parameters).
        """
        slope = self.law.slope(self.g, self.drops)
        adjoint = self.array.solved(slope, outputs=weights)
        # laws are proportional to the conductance
        one = self.law.current(np.ones_like(self.g), self.drops)
        by_g = np.einsum("ij,ij->i", one, adjoint)
        return by_g, self.array.returned(slope * adjoint), adjoint
