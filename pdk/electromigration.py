"""Currents that wires and cuts may carry for good (electromigration).

The foundry's metals, contacts and vias come from its design manual; poly has a plain limit
there. Nobody publishes limits for the films of the post-process module: those are assumed,
from the current density of Metal1, and marked as such in `sources`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from .conditions import TEMPERATURES_C as ALLOWED_C
from .conditions import number
from .tech import Tech

#: degrees C of the columns of the tables below
TEMPERATURES_C = (85.0, 110.0, 125.0)
#: 0.1 % fails in 100 000 h; the manual's law between temperatures is Ea = 0.7 eV, n = 2
ACTIVATION_EV, EXPONENT = 0.7, 2.0

_LINES = "GF180MCU design manual, table 54 Electro-migration1 (facts/gf180mcu.yaml)"
_CUTS = "GF180MCU design manual, table 54 Electro-migration2 (facts/gf180mcu.yaml)"
_POLY = "GF180MCU design manual, rule PL.10 (facts/gf180mcu.yaml); no temperature given"
_FILM = "assumed: the current density of Metal1, in a film of the module's thickness"
_PLUG = "assumed: what the module's film carries at one edge of the cut"

#: heat that silicon dioxide conducts, W / (um K)
_OXIDE_W_UM_K = 1.4e-6
#: what the edges of a line add to its width, as parts of its height over the silicon
_SPREAD = 0.88
HEATING_SOURCE = (
    "a lone line at a steady current over oxide (1.4 W/m/K) on silicon that stays cold: Bilotti, "
    "IEEE Trans. Electron Devices 21, 217 (1974), effective width w + 0.88 h; vias and "
    "neighbours, which cool it, left out"
)

_Row = tuple[float, float, float]
#: mA per um of width: (one direction only, both directions)
_METAL: tuple[_Row, _Row] = ((2.09, 1.0, 0.67), (3.14, 1.5, 1.0))
_TOP_METAL: tuple[_Row, _Row] = ((4.5, 2.2, 1.5), (7.0, 3.0, 2.2))
_WIRES: dict[str, tuple[_Row, _Row]] = {
    **{f"Metal{n}": _METAL for n in range(1, 5)},
    "Metal5": _TOP_METAL,
}
#: mA per cut
_COMP_OR_VIA: tuple[_Row, _Row] = ((0.58, 0.28, 0.18), (0.87, 0.42, 0.28))
_ON_POLY: tuple[_Row, _Row] = ((0.43, 0.21, 0.14), (0.65, 0.30, 0.21))
_CUT_ROWS: dict[str, tuple[_Row, _Row]] = {
    "Contact_nsd": _COMP_OR_VIA,
    "Contact_psd": _COMP_OR_VIA,
    "Contact_poly": _ON_POLY,
    **{f"Via{n}": _COMP_OR_VIA for n in range(1, 5)},
}
_POLY_MA_PER_UM = 1.0
_MODULE_FILMS = ("BE", "ME", "TE")


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
        temperature_c: temperature of the wires; below 85 C the value at 85 C holds.
        bidirectional: True for currents that flow both ways, which may be larger.

    Raises:
        ParameterError: above 125 C, where the manual ends.
    """
    number(temperature_c, "temperature_c", ALLOWED_C[0], TEMPERATURES_C[-1], "C")
    column = int(bidirectional)

    def amps(rows: tuple[_Row, _Row]) -> float:
        return 1e-3 * _between(rows[column], temperature_c)

    films = {film.name: film for film in tech.films}
    wires = {name: amps(rows) for name, rows in _WIRES.items() if name in films}
    sources = dict.fromkeys(wires, _LINES)
    wires["Poly2"], sources["Poly2"] = 1e-3 * _POLY_MA_PER_UM, _POLY
    density = amps(_METAL) / films["Metal1"].thickness_um
    for name in _MODULE_FILMS:
        wires[name], sources[name] = density * films[name].thickness_um, _FILM
    cuts = {}
    for cut in tech.cuts:
        if cut.name in _CUT_ROWS:
            cuts[cut.name], sources[cut.name] = amps(_CUT_ROWS[cut.name]), _CUTS
        else:
            cuts[cut.name], sources[cut.name] = wires[cut.upper] * cut.size_um, _PLUG
    return CurrentLimits(temperature_c, bidirectional, wires, cuts, sources)


def _between(row: _Row, temperature_c: float) -> float:
    """Interpolate the logarithm of a limit over 1 / T, as in the manual's law."""
    if temperature_c <= TEMPERATURES_C[0]:
        return row[0]
    k = min(bisect_right(TEMPERATURES_C, temperature_c), len(row) - 1) - 1
    low, high, here = (
        1.0 / (t + 273.15) for t in (TEMPERATURES_C[k], TEMPERATURES_C[k + 1], temperature_c)
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
    return power_w_um * height / (_OXIDE_W_UM_K * (width_um + _SPREAD * height))
