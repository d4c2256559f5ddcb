"""Which device of an array lies where, and what its pins are to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import DriveError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: of a share that is 1
_ROUNDING = 1e-12
#: lanes that are summed one by one: sorting takes longer
_FEW = 8


@dataclass(frozen=True, eq=False)
class Ends:
    """The devices of an array, and the pins that drive and sense them.

    Attributes:
        shape: of the conductances: (T, rows, cols).
        place: tier, row and column of every device that carries current, shape (3, devices).
        inputs: names of the driven pins that vary; of shape (T, rows) flattened where each row of
            each tier has one.
        outputs: names of the pins whose current is taken, positive out of the network.
        source: input of every device.
        sink: output of every device, -1 where its current goes elsewhere.
        gain: share of its input's voltage that a device sees where none conducts.
        part: share of a device's current that leaves by its output.
        offset: voltage over every device by what is fixed, V.
        rest: current out of every output without devices, A.
    """

    shape: tuple[int, int, int]
    place: Ints
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    source: Ints
    sink: Ints
    gain: Floats
    part: Floats
    offset: Floats
    rest: Floats

    @property
    def size(self) -> int:
        """Number of devices that carry current."""
        return len(self.source)

    def devices(self, conductances: ArrayLike) -> Floats:
        """Conductances of the devices that carry current, in their order.

        Raises:
            DriveError: for another shape, or a value that is not finite or negative.
        """
        G = np.asarray(conductances, dtype=np.float64)
        if G.shape != self.shape:
            raise DriveError(f"conductances have shape {G.shape}, the array needs {self.shape}")
        if not (G.min(initial=0.0) >= 0 and G.max(initial=0.0) < np.inf):
            bad = np.argwhere(~(np.isfinite(G) & (G >= 0)))
            at = tuple(int(v) for v in bad[0])
            raise DriveError(f"conductance at {at} is {G[at]} S, allowed: finite, >= 0")
        # never a view of what the caller may change
        return G.reshape(-1).copy() if self.whole else G.reshape(-1)[self.flat]

    def spread(self, values: Floats) -> Floats:
        """Values of the devices as an array of `shape`; 0 where none carries current.

        It may share their memory.
        """
        if self.whole:
            return values.reshape(self.shape)
        out = np.zeros(self.shape)
        out.reshape(-1)[self.flat] = values
        return out

    @cached_property
    def flat(self) -> Ints:
        """Place of every device among those of `shape`, flattened."""
        out: Ints = np.ravel_multi_index(tuple(self.place), self.shape).astype(np.int64)
        return out

    @cached_property
    def whole(self) -> bool:
        """Whether every place has a device that carries current, and they stand in order."""
        return self.size == int(np.prod(self.shape)) and bool(
            (self.flat == np.arange(self.size)).all()
        )

    def volts(self, voltages: ArrayLike) -> Floats:
        """Check input voltages: V, shape (vectors, inputs); tiers and rows may be two axes.

        Raises:
            DriveError: for another shape, or a value that is not finite.
        """
        v = np.asarray(voltages, dtype=np.float64)
        found = v.reshape(len(v), -1) if v.ndim == 3 else v
        if found.ndim != 2 or found.shape[1] != len(self.inputs):
            raise DriveError(
                f"voltages have shape {v.shape}, expected (vectors, {len(self.inputs)})"
            )
        if not np.isfinite(found).all():
            raise DriveError("voltages hold a value that is not finite")
        return found

    def driven(self, voltages: Floats) -> Floats:
        """Voltages over the devices where none conducts, (devices, vectors)."""
        out: Floats = self.gain[:, None] * voltages.T[self.source] + self.offset[:, None]
        return out

    def sensed(self, weights: Floats) -> Floats:
        """Voltages over the devices with the outputs driven instead, (devices, vectors)."""
        padded = np.concatenate([weights, np.zeros((len(weights), 1))], axis=1)
        out: Floats = self.part[:, None] * padded.T[self.sink]
        return out

    def collected(self, amps: Floats) -> Floats:
        """Currents out of the outputs for device currents (devices, vectors)."""
        return _summed(self.part[:, None] * amps, self.sink, len(self.outputs)) + self.rest

    def returned(self, amps: Floats) -> Floats:
        """Derivatives by the inputs, (vectors, inputs), for adjoint currents of the devices."""
        return _summed(self.gain[:, None] * amps, self.source, len(self.inputs))

    @cached_property
    def direct(self) -> bool:
        """Whether what devices carry enters by their input and leaves by their output, whole."""
        shares = np.abs(self.gain - 1).max() <= _ROUNDING, np.abs(self.part - 1).max() <= _ROUNDING
        return all(shares) and not self.offset.any() and bool((self.sink >= 0).all())


def _summed(values: Floats, pin: Ints, count: int) -> Floats:
    """Sum values of devices by their pin; (vectors, count)."""
    if values.shape[1] <= _FEW:
        place = pin + 1
        few = np.zeros((values.shape[1], count))
        for k, lane in enumerate(values.T):
            few[k] = np.bincount(place, lane, count + 1)[1:]
        return few
    out = np.zeros((count + 1, values.shape[1]))
    pin = np.where(pin < 0, count, pin)
    order = np.argsort(pin, kind="stable")
    pins, first = np.unique(pin[order], return_index=True)
    if len(pins):
        out[pins] = np.add.reduceat(values[order], first, axis=0)
    return np.ascontiguousarray(out[:count].T)
