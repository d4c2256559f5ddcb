"""Sheet and cut resistances at a corner and a temperature."""

from __future__ import annotations

from dataclasses import dataclass

from ...pdk import Conditions, ParameterError, Tech
from ...pdk.conditions import REFERENCE_C


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


def rates(tech: Tech) -> Rates:
    """Return the resistances of a technology at its conditions (`Tech.at`).

    Diffusions are left out: their resistance is part of a transistor's R_on, which is
    measured between its source and drain contacts.

    Raises:
        ParameterError: if a film or cut has no positive resistance (named in the message),
            or a size bias is given for something that is no conductor.
    """
    at = tech.conditions
    sheet = {}
    for film in tech.films:
        if film.sheet_ohm_sq is None:
            continue
        value = film.sheet_ohm_sq.at(at.corner) * warm(film.tcr_per_c, at.temperature_c)
        sheet[film.name] = _positive(f"films.{film.name}.sheet_ohm_sq", value)
    cuts = {}
    for cut in tech.cuts:
        ohm = cut.ohm.at(at.corner) * warm(cut.tcr_per_c, at.temperature_c)
        cuts[cut.name] = _positive(f"cuts.{cut.name}.ohm", ohm) * cut.size_um**2
    for name, bias in at.size_bias_um.items():
        if name not in sheet:
            raise ParameterError(f"size_bias_um.{name}", bias, "one of " + ", ".join(sheet))
    ends = {cut.name: (cut.lower, cut.upper) for cut in tech.cuts}
    return Rates(sheet, cuts, ends, at)


def warm(tcr_per_c: float, temperature_c: float) -> float:
    """Return a resistance at a temperature over that at 25 C."""
    return 1.0 + tcr_per_c * (temperature_c - REFERENCE_C)


def _positive(name: str, value: float) -> float:
    if not value > 0.0:
        raise ParameterError(name, value, "a positive resistance")
    return value
