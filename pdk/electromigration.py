"""Currents that wires and cuts may carry for good (electromigration).

Those of a base process come from its manual (``limits.csv``). Nobody publishes limits for the
films of a post-process module: those are assumed, as expressions of the current density of the
first metal, and marked as such in `sources`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from ..base.errors import ParameterError
from .arithmetic import evaluate
from .module import replaced_by
from .ranges import ZERO_C, number
from .tech import Tech

#: heat that silicon dioxide conducts, W / (um K): the usual bulk value, assumed for its films
_OXIDE_W_UM_K = 1.4e-6
#: from here on a strip's edges do not see one another, to 1e-15
_WIDE = 20.0
_AGM_END = 1e-14
HEATING_SOURCE = (
    "assumed: a lone flat line at a steady current on oxide of 1.4 W/m/K and height h, on silicon "
    "that stays cold, nothing leaves upwards; conducts 2 K(k) / K'(k), k = tanh(pi w / 4 h), by "
    "conformal mapping (w / h + 0.88 for wide lines); vias and neighbours, which cool it, left out"
)


@dataclass(frozen=True)
class CurrentLimits:
    """Limits at one temperature.

    Attributes:
        temperature_c: temperature of the wires, degrees C.
        bidirectional: True if the current flows both ways.
        wire_a_per_um: conductor -> A per um of drawn width.
        cut_a: contact or via -> A per cut.
        sources: where each limit comes from; starts with "assumed" for what is our choice.
    """

    temperature_c: float
    bidirectional: bool
    wire_a_per_um: dict[str, float]
    cut_a: dict[str, float]
    sources: dict[str, str]

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names whose limit nobody publishes."""
        return tuple(n for n, text in self.sources.items() if text.startswith("assumed"))


def current_limits(
    tech: Tech, temperature_c: float = 85.0, *, bidirectional: bool = False
) -> CurrentLimits:
    """Return what wires and cuts may carry.

    Args:
        tech: films and cuts; limits exist for those that it has.
        temperature_c: temperature of the wires; below the table its first value holds.
        bidirectional: True for currents that flow both ways, which may be larger.

    Raises:
        ParameterError: above the table's last temperature.
    """
    table, lowest = tech.process.limits, tech.process.temperatures_c[0]
    number(temperature_c, "temperature_c", lowest, table.temperatures_c[-1], "C")
    films = {film.name: film for film in tech.films}
    sides = {cut.name: cut for cut in tech.cuts}
    amps, sources = {}, {}
    for row in table.rows:
        values = row.both_ways if bidirectional else row.one_way
        amps[row.name] = 1e-3 * _between(table.temperatures_c, values, temperature_c)
        sources[row.name] = row.source
    first = tech.process.roles.metals[0]
    names = {"density": amps[first] / films[first].thickness_um}
    # a cut's limit may be said by that of the film that it ends on: films come first
    for name, expression, per_cut, source in sorted(tech.module_limits, key=lambda row: row[2]):
        if per_cut:
            here = {"wire": amps[sides[name].upper], "side": sides[name].size_um}
            if base := replaced_by(sides[name], tech.process):
                here["replaced"] = amps[base.name]
        else:
            here = {"thickness": films[name].thickness_um}
        amps[name], sources[name] = evaluate(expression, {**names, **here}), source
    wires = {name: value for name, value in amps.items() if name in films}
    cuts = {name: amps[name] for name in sides}
    order = (*wires, *cuts)
    told = {name: sources[name] for name in order}
    return CurrentLimits(temperature_c, bidirectional, wires, cuts, told)


def _between(
    temperatures_c: tuple[float, ...], row: tuple[float, ...], temperature_c: float
) -> float:
    """Interpolate the logarithm of a limit over 1 / T, as in the manual's law."""
    if temperature_c <= temperatures_c[0]:
        return row[0]
    k = min(bisect_right(temperatures_c, temperature_c), len(row) - 1) - 1
    low, high, here = (
        1.0 / (t - ZERO_C) for t in (temperatures_c[k], temperatures_c[k + 1], temperature_c)
    )
    share = (here - low) / (high - low)
    return row[k] * math.exp(share * math.log(row[k + 1] / row[k]))


def line_heating_k(tech: Tech, layer: str, width_um: float, current_a: float) -> float:
    """Return how much hotter than the silicon a lone line gets by a steady current, K.

    Args:
        tech: thickness, height and typical sheet resistance of the line's film.
        layer: conductor.
        width_um: width of the line.
        current_a: what flows in it.

    Raises:
        ParameterError: for a layer that is no conductor.
    """
    films = {film.name: film for film in tech.films}
    film = films.get(layer)
    if film is None or film.sheet_ohm_sq is None:
        raise ParameterError("layer", layer, "a conductor of the stack")
    height = tech.heights_um[layer][0]
    power_w_um = current_a**2 * film.sheet_ohm_sq.typ / width_um
    return power_w_um / (_OXIDE_W_UM_K * _strip_over_slab(width_um / height))


def _strip_over_slab(ratio: float) -> float:
    """Return 2 K(k) / K'(k), k = tanh(pi ratio / 4): what a flat strip on a slab conducts.

    Per length and conductivity; the slab's other side is cold, nothing leaves the strip upwards.

    Args:
        ratio: width of the strip over thickness of the slab.
    """
    x = math.pi * ratio / 4
    if x > _WIDE:
        return ratio + 4 * math.log(2) / math.pi
    return 2 * _agm(1.0, math.tanh(x)) / _agm(1.0, 1.0 / math.cosh(x))


def _agm(a: float, b: float) -> float:
    """Return the arithmetic-geometric mean, by which complete elliptic integrals are found."""
    while abs(a - b) > _AGM_END * a:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a
