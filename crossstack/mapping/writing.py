"""Tiles programmed by pulses: write, verify, write again, with the wires' loss in the loop.

Columns are written one after the other, their devices together, first those that are to rise and
then those that are to fall. After every pulse each of these devices is read. The next pulse is a
step higher, up to the write voltage; where a device has gone too far, it begins low again in the
other direction, so that it closes in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analyse.columns import State
from ..analyse.operating import write_law
from ..analyse.timing import SENSE_S
from ..base.errors import ParameterError
from ..base.spans import PULSES
from ..pdk.memristor import POLARITIES, MemristorParameters
from ..solve.circuit.dynamics import Vteam
from ..solve.circuit.iv import Linear
from .written_lines import Lines

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: thresholds lie by no more than so many standard deviations off
_MOST_OFF = 3.0
#: pulses at the largest voltage that may pass without a device moving by so much of the tolerance
_STALLED, _PROGRESS = 10, 0.1
#: a pulse is followed in so many parts that the rates at its start move no state by more; most of
#: them, and the steepest fall of a rate within one
_MOVE, _MOST_PARTS, _STEEPEST = 0.15, 16, 50.0


@dataclass(frozen=True)
class Programming:
    """How devices are written.

    Attributes:
        tolerance: of a conductance, as a share of the span from `g_off` to `g_on`. 2 % is what
            about 50 pulses reach (Fahimi et al., Sci. Rep. 2021, TiO2-x).
        pulses: most for one device; assumed. One that ten pulses at the largest voltage do not
            move by a tenth of the tolerance is given up before.
        pulse_s: length of one, s; assumed: a fifth of what switches a device from end to end.
        step_v: by which a pulse is higher than the last, V: 0.5 to 2 V in about 50 pulses (the
            same source).
        write_v: largest voltage at the driver in either polarity, V; None for the device's.
        rows: written at a time; None for what the device's `write_rows` says.
        threshold_sigma: standard deviation of the devices' thresholds, as a share; assumed.
            26 % is published for one 64 x 64 array (Kim et al., arXiv 1906.12045).
        pulse_sigma: of ln of what a pulse moves; assumed.
        read_noise: standard deviation of a verifying read, as a share of `g_on`.
    """

    tolerance: float = 0.02
    pulses: int = 100
    pulse_s: float = 10e-9
    step_v: float = 0.03
    write_v: float | None = None
    rows: int | None = None
    threshold_sigma: float = 0.05
    pulse_sigma: float = 0.1
    read_noise: float = 0.0

    def __post_init__(self) -> None:
        for name, span in PULSES.items():
            if (value := getattr(self, name)) is not None and value not in span:
                raise ParameterError(name, value, str(span))


@dataclass(frozen=True, eq=False)
class Written:
    """What became of one tile.

    Attributes:
        siemens: of the devices in the array's order, S.
        pulses: that each of them took.
        reached: which are within the tolerance.
        write_j: energy that the drivers gave, J.
        verify_j: energy of the reads in between, J.
        seconds: pulses and reads of all columns one after the other.
    """

    siemens: Floats
    pulses: Floats
    reached: Bools
    write_j: float
    verify_j: float
    seconds: float

    def packed(self) -> Floats:
        """Return all of it as one row of numbers."""
        rest = [self.write_j, self.verify_j, self.seconds]
        return np.concatenate([self.siemens, self.pulses, self.reached.astype(float), rest])

    @classmethod
    def unpacked(cls, row: Floats) -> Written:
        """Return what `packed` packed."""
        siemens, pulses, reached = np.split(row[:-3], 3)
        return cls(siemens, pulses, reached > 0, *row[-3:].tolist())


class Writer:
    """One array's columns, for any number of tiles."""

    def __init__(self, lines: Lines, memristor: MemristorParameters, how: Programming) -> None:
        """Take the device's law, dynamics and voltages.

        Raises:
            ConfigError: for a write voltage that the transistors do not withstand.
        """
        self.lines, self.how, self.m = lines, how, memristor
        self.law = write_law(memristor) or Linear()
        needed = {p: memristor.needed_v(p) for p in POLARITIES}
        self.most = {p: how.write_v or memristor.write_v(p) for p in POLARITIES}
        low = 1.0 - _MOST_OFF * how.threshold_sigma
        self.first = {p: min(low * needed[p] + how.step_v, self.most[p]) for p in POLARITIES}
        set_v, reset_v = (memristor.write_v(p) for p in POLARITIES)
        self.moves = Vteam.fitted((needed["set"], needed["reset"]), (set_v, reset_v))
        lines.check(max(self.most.values()))

    def write(self, wanted: Floats, scale: Floats, span: float, seed: list[int]) -> Written:
        """Program one tile whose devices are off.

        Args:
            wanted: conductances, S, in the array's order.
            scale: of every device's conductances, as it deviates.
            span: g_on - g_off that the tolerance is a share of, S.
            seed: of thresholds, pulses and reads.
        """
        return _Tile(self, wanted, scale, span, seed).write()


class _Tile:
    """One tile while it is programmed; arrays have the shape (columns, rows)."""

    def __init__(
        self, writer: Writer, wanted: Floats, scale: Floats, span: float, seed: list[int]
    ) -> None:
        self.of, how, lines = writer, writer.how, writer.lines
        self.rng = np.random.default_rng(np.random.SeedSequence(seed))
        self.wanted, self.there = lines.placed(wanted), lines.there
        m = writer.m
        self.scale = lines.placed(scale)
        self.low, self.span = 1.0 / m.r_off_ohm, 1.0 / m.r_on_ohm - 1.0 / m.r_off_ohm
        off = self.rng.standard_normal(len(wanted)).clip(-_MOST_OFF, _MOST_OFF)
        self.threshold = lines.placed(1.0 + how.threshold_sigma * off, 1.0)
        self.allowed = how.tolerance * span
        shape = self.wanted.shape
        self.x, self.pulses = np.zeros(shape), np.zeros(shape)
        self.volts, self.last = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        self.write_j = self.verify_j = self.seconds = 0.0
        # pulses at the largest voltage, and what the device was at the first of them
        self.waited, self.since = np.zeros(shape), np.zeros(shape)
        self.starts: dict[str, State] = {}

    def write(self) -> Written:
        """Write and verify until nothing is left to do."""
        seen = self._verified(self.there)
        while True:
            error = np.where(self.there, self.wanted - seen, 0.0)
            left = self.there & (self.pulses < self.of.how.pulses) & ~self._stalled(seen)
            up, down = left & (error > self.allowed), left & (error < -self.allowed)
            if not (up | down).any():
                break
            for polarity, which in (("set", up), ("reset", down)):
                for turn in self._turns(which):
                    self._pulse(polarity, turn)
            seen = np.where(up | down, self._verified(up | down), seen)
        reached = np.abs(self.wanted - self.siemens(self.x)) <= self.allowed
        back = self.of.lines.taken
        return Written(
            back(self.siemens(self.x)), back(self.pulses), back(reached.astype(float)) > 0,
            self.write_j, self.verify_j, self.seconds,
        )  # fmt: skip

    def _stalled(self, seen: Floats) -> Bools:
        """Which devices the largest voltage moves no more."""
        moved = np.abs(seen - self.since) > _PROGRESS * self.allowed
        top = np.where(self.last > 0, self.of.most["set"], self.of.most["reset"])
        anew = (self.volts < top) | moved
        self.since = np.where(anew, seen, self.since)
        self.waited = np.where(anew, 0, self.waited)
        found: Bools = self.waited >= _STALLED
        return found

    def siemens(self, x: Floats) -> Floats:
        """Conductance of devices of a state; 0 where there is none."""
        return np.where(self.there, self.scale * (self.low + x * self.span), 0.0)

    def _turns(self, which: Bools) -> list[Bools]:
        """Rows that are written together, as `MemristorParameters.write_rows` has it."""
        rows = which.shape[1]
        each = self.of.how.rows or self.of.m.write_rows or rows
        turn = np.arange(rows) // each
        cut = [which & (turn == k) for k in range(-(-rows // each))]
        return [part for part in cut if part.any()]

    def _verified(self, which: Bools) -> Floats:
        """Read devices, each alone; what wires and transistor take is known and taken off."""
        g, m = self.siemens(self.x), self.of.m
        self.verify_j += float(g[which].sum()) * m.v_read_v**2 * SENSE_S
        self.seconds += int(which.sum()) * SENSE_S
        noise = self.of.how.read_noise
        if noise:
            g = g + noise / m.r_on_ohm * self._drawn()
        return g

    def _drawn(self) -> Floats:
        """Normal numbers, one for every device, whichever of them are in use."""
        return self.of.lines.placed(self.rng.standard_normal(int(self.there.sum())))

    def _pulse(self, polarity: str, which: Bools) -> None:
        """Apply one pulse to some devices."""
        how, of = self.of.how, self.of
        way = 1 if polarity == "set" else -1
        again = self.last == way
        raised = np.where(again, self.volts + how.step_v, of.first[polarity])
        self.volts = np.where(which, np.minimum(raised, of.most[polarity]), self.volts)
        self.last = np.where(which, way, self.last)
        self.pulses += which
        self.waited += which
        cols = np.flatnonzero(which.any(axis=1))
        most = of.most[polarity]
        rail = np.full(len(cols), 0.0 if way > 0 else most)
        rows = rail[:, None] + np.where(which[cols], way * self.volts[cols], 0.0)
        noise = np.exp(how.pulse_sigma * self._drawn()) if how.pulse_sigma else np.ones_like(self.x)
        begun = self.x[cols]
        end = self._moved(polarity, cols, rows, rail)
        self.seconds += len(cols) * how.pulse_s
        self.x[cols] = np.clip(begun + noise[cols] * (end - begun), 0.0, 1.0)

    def _moved(self, polarity: str, cols: Ints, rows: Floats, rail: Floats) -> Floats:
        """States after a pulse.

        While a device moves, so does the voltage that it gets: what half a step changes of its
        rate is taken for a slope, at which the rate falls or rises exponentially.
        """
        at, whole = self.x[cols], self.of.how.pulse_s
        rate, watt = self._rates(polarity, cols, rows, rail, at)
        most = float(np.abs(rate).max(initial=0.0)) * whole
        parts = int(np.clip(np.ceil(most / _MOVE), 1, _MOST_PARTS))
        step = whole / parts
        for part in range(parts):
            if part:
                rate, _ = self._rates(polarity, cols, rows, rail, at)
            half = np.clip(at + 0.5 * step * rate, 0.0, 1.0)
            later, watt = self._rates(polarity, cols, rows, rail, half)
            self.write_j += watt * step
            way = np.where(half != at, half - at, 1.0)
            bend = np.clip(step * (later - rate) / way, -_STEEPEST, 1.0)
            grown = np.where(bend != 0.0, np.expm1(bend) / np.where(bend != 0.0, bend, 1.0), 1.0)
            at = np.clip(at + step * rate * grown, 0.0, 1.0)
        return at

    def _rates(
        self, polarity: str, cols: Ints, rows: Floats, rail: Floats, at: Floats
    ) -> tuple[Floats, float]:
        """Rates of columns whose devices have states `at`, 1/s, and the drivers' power, W."""
        x = self.x.copy()
        x[cols] = at
        siemens = self.siemens(x)[cols]
        if polarity not in self.starts:
            level = np.full(len(self.x), rail[0])
            still = np.tile(level[:, None], self.wanted.shape[1])
            self.starts[polarity] = self.of.lines.columns.start(still, level)
        kept = self.starts[polarity]
        columns = self.of.lines.columns.take(cols)
        over, state = columns.solve(siemens, self.of.law, rows, rail, kept.take(cols))
        kept.put(cols, state)
        own = self.of.law.own_volts(siemens, over)
        rate = np.where(siemens > 0, self.of.moves.rate(at, own, self.threshold[cols]), 0.0)
        return rate, float(((rows - rail[:, None]) * state.amps).sum())
