"""Readings of the monitors -> the process's own figures, each with its error.

Each film in turn: the sheet resistance from the Greek cross (van der Pauw 1958), then the width as
printed from the line on four terminals, then the via from the chain. The line and the chain are
compared with their own extraction at what was found before, so that taps and links count.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cells.marks import BARS, masks, vernier_step
from ..cells.parameters import ELECTRODES
from ..extract.sheet.rates import warm
from ..pdk import Conditions, ParameterError, Tech
from ..pdk.conditions import CORNERS, REFERENCE_C
from ..pdk.model import Corner
from .instrument import Pads, draw, four_wire_ohm, wires_of
from .readings import Reading
from .scripts import STEPS, names

#: standard errors that a stated error is: 99.7 % of the noise
SIGMAS = 3.0
#: part that the cross reads wrong: its arms end at twice their width (0.2 % in the extraction)
CROSS = 3e-3
#: most that a printed line may differ from the drawn one, as a part of its width
MOST_BIAS = 0.45
#: factor by which a figure may be off what is expected without a remark (assumed)
FAR = 2.0


@dataclass(frozen=True)
class Figure:
    """A figure of the process as measured.

    Attributes:
        name: e.g. ``sheet_resistance_ohm_sq``.
        of: film, cut or mask.
        value, error: measured, and how far the truth may be away: three standard errors of the
            readings (more for few of them) and what `note` says, added up.
        expected: what the process folder says at the same temperature.
        unit: of these.
        note: what the error holds beside noise.
        remark: what makes the figure doubtful; empty for most.
    """

    name: str
    of: str
    value: float
    error: float
    expected: float
    unit: str
    note: str = ""
    remark: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the figure as JSON values."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Ohm:
    """A resistance and its standard error."""

    value: float
    error: float


def _root(*arguments: Any, **options: Any) -> float:
    """Return a root by Brent's method; an installation for checking has the plan, and no SciPy."""
    from scipy.optimize import brentq

    return float(brentq(*arguments, **options))


def _student(freedom: int) -> float:
    """Return how many standard errors of so many degrees of freedom hold what `SIGMAS` hold."""
    from scipy.special import ndtr, stdtrit

    return float(stdtrit(freedom, ndtr(SIGMAS)))


def _far(value: float, expected: float) -> bool:
    """Return whether a figure is off by more than `FAR`; never of one that nobody expects (NaN)."""
    return value < expected / FAR or value > expected * FAR


def _doubt(said: str) -> str:
    return f"{said}, more than a factor of {FAR:g} off: are process, profile and pads right?"


def evaluate(
    readings: list[Reading], tech: Tech, temperature_c: float = REFERENCE_C
) -> list[Figure]:
    """Return what the readings say of the process.

    Args:
        readings: of one die; those of a monitor without a script are refused.
        tech: the process as it was drawn, at its typical conditions.
        temperature_c: of the chuck.

    Raises:
        ParameterError: for readings that no wire can give.
    """
    measured = _resistances(readings)
    found: list[Figure] = []
    for film in ELECTRODES:
        low = film.lower()
        cross = measured.get(f"van_der_pauw_{low}")
        if cross is None:
            if f"kelvin_{low}" in measured or f"via_chain_{low}" in measured:
                text = f"readings of van_der_pauw_{low}, which the other monitors of {film} need"
                raise ParameterError("readings", f"none of {film}'s cross", text)
            continue
        film_figures = _Film(film, tech, temperature_c)
        found.append(film_figures.sheet(cross))
        if line := measured.get(f"kelvin_{low}"):
            found.append(film_figures.bias(next(iter(line.values()))))
        if chain := measured.get(f"via_chain_{low}"):
            found.append(film_figures.via(next(iter(chain.values()))))
    return found


def _resistances(readings: list[Reading]) -> dict[str, dict[tuple[Pads, Pads], _Ohm]]:
    """Return voltage over current of every step: the slope, so that offsets do not count."""
    steps: dict[tuple[str, Pads, Pads], list[Reading]] = defaultdict(list)
    for r in readings:
        steps[r.monitor, (r.force_in, r.force_out), (r.sense_high, r.sense_low)].append(r)
    found: dict[str, dict[tuple[Pads, Pads], _Ohm]] = defaultdict(dict)
    known = list(names())
    for (monitor, force, sense), rows in steps.items():
        if monitor not in known:
            raise ParameterError("readings of monitor", monitor, f"one of {', '.join(known)}")
        allowed = STEPS[monitor.rpartition("_")[0]][1]
        if (force, sense) not in allowed:
            pads = "; ".join(f"{a} {b}" for a, b in allowed)
            raise ParameterError(f"readings of {monitor}", f"pads {force} {sense}", f"only {pads}")
        found[monitor][force, sense] = _slope(monitor, rows)
    for monitor, done in found.items():
        wanted = STEPS[monitor.rpartition("_")[0]][1]
        if len(done) < len(wanted):
            missing = next(step for step in wanted if step not in done)
            raise ParameterError("readings", f"{monitor}", f"also those of pads {missing}")
    return found


def _slope(monitor: str, rows: list[Reading]) -> _Ohm:
    current = np.array([r.current_a for r in rows])
    volts = np.array([r.voltage_v for r in rows])
    if len(rows) < 4 or np.ptp(current) <= 0.5 * np.abs(current).max():
        text = "4 or more of each step, with the current in both directions"
        raise ParameterError("readings", f"{len(rows)} of {monitor}", text)
    design = np.stack([current, np.ones_like(current)], axis=1)
    (ohm, offset), *_ = np.linalg.lstsq(design, volts, rcond=None)
    rest = volts - design @ (ohm, offset)
    spread = math.sqrt(float(rest @ rest) / (len(rows) - 2))
    error = spread / math.sqrt(float(((current - current.mean()) ** 2).sum()))
    error *= _student(len(rows) - 2) / SIGMAS  # the spread of few readings says little
    if not ohm > SIGMAS * error:
        text = f"more than its noise, {SIGMAS * error:.3g} ohm: are the pads in order?"
        raise ParameterError("readings", f"{monitor}: {ohm:.3g} ohm", text)
    return _Ohm(float(ohm), error)


class _Film:
    """The figures of one film, each on top of those before."""

    def __init__(self, film: str, tech: Tech, temperature_c: float) -> None:
        self.film, self.base, self.temperature_c = film, tech, temperature_c
        found = next((f for f in tech.films if f.name == film), None)
        if found is None:
            raise ParameterError("process", tech.process.name, f"one with monitors of film {film}")
        self.typical, self.warm = found.sheet_ohm_sq, warm(found.tcr_per_c, temperature_c)
        self.sheet_ohm = self.sheet_error = self.growth_um = self.growth_error = 0.0
        self._kept: dict[tuple[str, float, int, float | None], float] = {}

    def _tech(self, sheet: float, steps: int, land_ohm: float | None = None) -> Tech:
        """Return the process with this film's figures, at the temperature of the chuck."""
        growth = steps * self.base.dbu_um
        sheets = {self.film: sheet}
        if land_ohm is not None:
            sheets[self.base.roles.land] = land_ohm
        at = Conditions(
            process=self.base.conditions.process, profile=self.base.conditions.profile,
            temperature_c=self.temperature_c,
            sheet_resistance_ohm_sq=sheets, size_bias_um={self.film: growth},
        )  # fmt: skip
        return self.base.at(at)

    def _at(self, kind: str, sheet: float, steps: int, land_ohm: float | None = None) -> float:
        """Return what a monitor has, grown by so many dbu per edge."""
        key = (kind, sheet, steps, land_ohm)
        if key not in self._kept:
            monitor = f"{kind}_{self.film.lower()}"
            force, sense = STEPS[kind][1][0]
            wires = wires_of(monitor, self._tech(sheet, steps, land_ohm))
            self._kept[key] = four_wire_ohm(wires, force, sense)
        return self._kept[key]

    def _model(self, kind: str, sheet: float, growth: float) -> float:
        """Return what a monitor has; between steps of a dbu, which extraction rounds to, a line."""
        low = math.floor(growth / self.base.dbu_um)
        part = growth / self.base.dbu_um - low
        value = self._at(kind, sheet, low)
        return value + part * (self._at(kind, sheet, low + 1) - value) if part else value

    def sheet(self, cross: dict[tuple[Pads, Pads], _Ohm]) -> Figure:
        """Return the sheet resistance at 25 C, by van der Pauw's equation."""
        a, b = (cross[step] for step in STEPS["van_der_pauw"][1])
        if not 0.5 < a.value / b.value < 2.0:
            text = "within a factor of 2: a symmetric cross"
            raise ParameterError("readings", f"{self.film}: {a.value:g} and {b.value:g} ohm", text)
        mean = math.pi / math.log(2) * (a.value + b.value) / 2
        hot = _root(
            lambda s: math.exp(-math.pi * a.value / s) + math.exp(-math.pi * b.value / s) - 1.0,
            mean / 3, mean * 3, xtol=1e-12 * mean,
        )  # fmt: skip
        noise = math.pi / math.log(2) / 2 * math.hypot(a.error, b.error)
        self.sheet_ohm = hot / self.warm
        self.sheet_error = (SIGMAS * noise + CROSS * hot) / self.warm
        expected = self.typical.at("typ") if self.typical is not None else math.nan
        note, said = "noise, and 0.3 % for arms that end", []
        if _far(self.sheet_ohm, expected):
            text = f"sheet resistance of {self.film}: {self.sheet_ohm:.3g} ohm/sq"
            said.append(_doubt(f"{text}, expected {expected:.3g}"))
        # as drawn both pairs are alike; what is less than CROSS the error holds already
        apart = abs(a.value - b.value)
        if apart > SIGMAS * math.hypot(a.error, b.error) + CROSS * (a.value + b.value) / 2:
            pairs = (math.pi / math.log(2) * pair.value / self.warm for pair in (a, b))
            self.sheet_error += max(abs(pair - self.sheet_ohm) for pair in pairs)
            note += ", and what either pair of contacts says alone"
            text = f"van_der_pauw_{self.film.lower()}: {a.value:.4g} and {b.value:.4g} ohm"
            said.append(f"{text} on the two pairs of contacts of a symmetric cross")
        return Figure("sheet_resistance_ohm_sq", self.film, self.sheet_ohm, self.sheet_error,
                      expected, "ohm/sq", note, "; ".join(said))  # fmt: skip

    def bias(self, line: _Ohm) -> Figure:
        """Return by how much a drawn shape grows per edge, from the line's resistance."""
        width = draw(f"kelvin_{self.film.lower()}", self.base).info["width_um"]
        most = MOST_BIAS * width

        def rest(growth: float) -> float:
            # the conductance, for it is nearly a straight line of the growth
            return line.value / self._model("kelvin", self.sheet_ohm, growth) - 1.0

        if rest(-most) > 0.0 or rest(most) < 0.0:
            text = f"that of a line {width:g} um wide, give or take {2 * most:g} um"
            raise ParameterError("readings", f"kelvin_{self.film.lower()}: {line.value:g}", text)
        dbu = self.base.dbu_um
        self.growth_um = _root(rest, -most, most, xtol=dbu / 10)
        slope = (rest(self.growth_um + dbu) - rest(self.growth_um - dbu)) / (2 * dbu)
        parts = SIGMAS * line.error / line.value + self.sheet_error / self.sheet_ohm
        self.growth_error = parts / slope + dbu / 2
        printed, remark = width + 2 * self.growth_um, ""
        if _far(printed, width):
            text = f"kelvin_{self.film.lower()}: a line of {width:g} um is {printed:.3g} um wide"
            remark = _doubt(text)
        return Figure("size_bias_um", self.film, self.growth_um, self.growth_error, 0.0, "um",
                      "noise, the sheet resistance's error, half a dbu", remark)  # fmt: skip

    def via(self, chain: _Ohm) -> Figure:
        """Return the resistance of one via between electrode and land."""
        monitor = f"via_chain_{self.film.lower()}"
        count = draw(monitor, self.base).info["vias"]
        cut = next(c for c in self.base.cuts if c.name == f"V{self.film}")
        expected = cut.ohm.at("typ") * warm(cut.tcr_per_c, self.temperature_c)
        land = self.base.roles.layer("land")
        sheet = next(f.sheet_ohm_sq for f in self.base.films if f.name == land)
        model = self._model("via_chain", self.sheet_ohm, self.growth_um)
        value = expected + (chain.value - model) / count
        more = (self.sheet_ohm + self.sheet_error, self.growth_um + self.growth_error)
        # what is added up is wrong the same way every time: the cross reads low, and the line's
        # width and the links are taken from what it reads
        parts = [
            SIGMAS * chain.error,
            self._model("via_chain", more[0], self.growth_um) - model,
            self._model("via_chain", self.sheet_ohm, more[1]) - model,
            self._by_land(sheet),
        ]
        error = sum(map(abs, parts)) / count
        if not value + error > 0.0:
            links = model - expected * count
            text = f"more than the {links:.3g} ohm of its links alone: are the pads in order?"
            raise ParameterError("readings", f"{monitor}: {chain.value:.3g} ohm", text)
        text = f"via {cut.name}: {value:.3g} ohm, expected {expected:.3g}"
        return Figure("via_ohm", cut.name, value, error, expected, "ohm",
                      "noise, errors of sheet and width, corners of the land",
                      _doubt(text) if _far(value, expected) else "")  # fmt: skip

    def _by_land(self, sheet: Corner | None) -> float:
        """Return by how much the land's corners move the chain, whose other links are of it."""
        if sheet is None:
            return 0.0
        steps = round(self.growth_um / self.base.dbu_um)
        typ, *corners = (
            self._at("via_chain", self.sheet_ohm, steps, sheet.at(at)) for at in CORNERS
        )
        return max(abs(ohm - typ) for ohm in corners)


def beyond_corners(sheets: Mapping[str, float], tech: Tech) -> Iterator[str]:
    """Yield what stated errors do not hold: films that no monitor measures, beyond their corners.

    Args:
        sheets: film -> sheet resistance in ohm/sq at 25 C, as made.
        tech: the process as drawn.
    """
    for film in tech.films:
        corners, made = film.sheet_ohm_sq, sheets.get(film.name)
        if made is None or corners is None or film.name in ELECTRODES:
            continue
        low, high = sorted(corners.at(corner) for corner in ("min", "max"))
        if not low <= made <= high:
            text = f"{film.name}: {made:g} ohm/sq is outside its corners, {low:g} to {high:g}"
            yield f"{text}: stated errors hold no more than these"


def overlay_figures(bars: dict[tuple[str, str], int], tech: Tech) -> Iterator[Figure]:
    """Yield the misalignment of masks from the bars of their verniers that coincide.

    Args:
        bars: (mask, ``x`` or ``y``) -> number of the bar, 0 in the middle, positive towards east
            and north.
        tech: the process.

    Raises:
        ParameterError: for a mask or bar that there is not.
    """
    step, known = vernier_step(tech) * tech.dbu_um, masks(tech)
    for (mask, axis), bar in bars.items():
        if mask not in known or axis not in ("x", "y"):
            raise ParameterError("overlay", f"{mask} {axis}", f"{', '.join(known)}, each x or y")
        if abs(bar) > BARS:
            raise ParameterError(f"overlay of {mask} {axis}", bar, f"-{BARS} to {BARS}")
        yield Figure(f"overlay_{axis}_um", mask, bar * step, step / 2, 0.0, "um", "half a bar")
