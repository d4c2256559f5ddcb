"""Sheet and cut resistances at a corner and a temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..pdk import ParameterError, Tech

CORNERS = ("typ", "min", "max")
#: temperature of the values in `Tech`, and the range over which a straight line holds
_REFERENCE_C, _COLDEST_C, _HOTTEST_C = 25.0, -60.0, 200.0


@dataclass(frozen=True)
class Conditions:
    """What the resistances are taken at.

    Attributes:
        corner: 'typ', 'min' or 'max' resistance; typ where the source gives no corner.
        temperature_c: temperature in degrees C.
        size_bias_um: conductor -> growth of the drawn shape per edge in um (negative for
            lines that come out narrower than drawn); 0 for what is not named.
    """

    corner: str = "typ"
    temperature_c: float = 25.0
    size_bias_um: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.corner not in CORNERS:
            raise ParameterError("corner", self.corner, "one of " + ", ".join(CORNERS))
        if not _COLDEST_C <= self.temperature_c <= _HOTTEST_C:
            raise ParameterError(
                "temperature_c", self.temperature_c, f"{_COLDEST_C:g} .. {_HOTTEST_C:g} C"
            )


@dataclass(frozen=True)
class Rates:
    """Resistances of a process under given conditions.

    Attributes:
        sheet_ohm_sq: conductor -> ohm/sq.
        cut_ohm_um2: contact or via -> specific resistance in ohm um2.
        cut_ends: contact or via -> (lower, upper) conductor.
        conditions: what they were taken at.
    """

    sheet_ohm_sq: dict[str, float]
    cut_ohm_um2: dict[str, float]
    cut_ends: dict[str, tuple[str, str]]
    conditions: Conditions


def rates(tech: Tech, conditions: Conditions | None = None) -> Rates:
    """Return the resistances of a technology.

    Diffusions are left out: their resistance is part of a transistor's R_on, which is
    measured between its source and drain contacts.

    Raises:
        ParameterError: if a film or cut has no positive resistance (named in the message),
            or a size bias is given for something that is no conductor.
    """
    at = conditions or Conditions()
    sheet = {}
    for film in tech.films:
        if film.sheet_ohm_sq is None:
            continue
        value = film.sheet_ohm_sq.at(at.corner) * _warm(film.tcr_per_c, at.temperature_c)
        sheet[film.name] = _positive(f"films.{film.name}.sheet_ohm_sq", value)
    cuts = {}
    for cut in tech.cuts:
        ohm = cut.ohm.at(at.corner) * _warm(cut.tcr_per_c, at.temperature_c)
        cuts[cut.name] = _positive(f"cuts.{cut.name}.ohm", ohm) * cut.size_um**2
    for name, bias in at.size_bias_um.items():
        if name not in sheet:
            raise ParameterError(f"size_bias_um.{name}", bias, "one of " + ", ".join(sheet))
    ends = {cut.name: (cut.lower, cut.upper) for cut in tech.cuts}
    return Rates(sheet, cuts, ends, at)


def _warm(tcr_per_c: float, temperature_c: float) -> float:
    return 1.0 + tcr_per_c * (temperature_c - _REFERENCE_C)


def _positive(name: str, value: float) -> float:
    if not value > 0.0:
        raise ParameterError(name, value, "a positive resistance")
    return value
