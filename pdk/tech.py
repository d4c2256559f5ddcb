"""`Tech`: the one frozen value that says what the process is; passed explicitly everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from ..base.errors import ParameterError, TechError
from ..base.layout import ForeignLayer, ProcessLayers
from . import films as _films
from .conditions import BY_FILM, Conditions
from .devices import NFET, PFET, MemristorParameters, TransistorParameters
from .films import Corner, Cut, Film
from .foreign import foreign_layers
from .layers import LAYERS, Layer, Purpose
from .profiles import Profile, get_profile
from .rules import Rule, foundry_rules, module_rules


@dataclass(frozen=True)
class Tech:
    """The process: layers, films, cuts, rules and devices of one post-process profile.

    Attributes:
        name: process name.
        profile: post-process profile of the memristor module.
        layers: every drawn layer.
        films: stack from bottom to top.
        diffusions: conductors in the silicon.
        cuts: contacts and vias.
        rules: every design rule.
        memristor, nfet, pfet: electrical device parameters.
        grid_um: manufacturing grid.
        dbu_um: database unit.
        conditions: what wires and transistors are taken at; see `at`.
        foreign: layers of the foundry that are not described.
    """

    name: str
    profile: Profile
    layers: tuple[Layer, ...]
    films: tuple[Film, ...]
    diffusions: tuple[Film, ...]
    cuts: tuple[Cut, ...]
    rules: tuple[Rule, ...]
    memristor: MemristorParameters = field(default_factory=MemristorParameters)
    nfet: TransistorParameters = NFET
    pfet: TransistorParameters = PFET
    grid_um: float = 0.005
    dbu_um: float = 0.001
    conditions: Conditions = field(default_factory=Conditions)
    foreign: tuple[ForeignLayer, ...] = field(default_factory=foreign_layers)

    def __post_init__(self) -> None:
        placed = self.conditions.of(self.name, self.profile.name)
        object.__setattr__(self, "conditions", placed)

    @cached_property
    def drawing(self) -> ProcessLayers:
        """What a layout of this process may draw, for whoever opens one.

        Labels do not tell that a layout is of this process, nor does 0/0, which every process
        has for something.
        """
        labels = (Purpose.LABEL, Purpose.MODULE_LABEL)
        ruled = {name for rule in self.rules for name in rule.layers if "/" in name}
        pairs = [tuple(int(part) for part in name.split("/")) for name in ruled]
        return ProcessLayers(
            name=self.name,
            dbu_um=self.dbu_um,
            known={layer.gds: layer.name for layer in self.layers},
            telling=frozenset(
                x.gds for x in self.layers if x.purpose not in labels and x.gds != (0, 0)
            ),
            foreign=self.foreign,
            judged=frozenset((a, b) for a, b in pairs),
        )

    @cached_property
    def _layer_by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _rule_by_name(self) -> dict[str, Rule]:
        return {rule.name: rule for rule in self.rules}

    @cached_property
    def heights_um(self) -> dict[str, tuple[float, float]]:
        """Film name -> (bottom, top) in um above the silicon under STI."""
        return _films.stack(self.films)

    @cached_property
    def conductors(self) -> tuple[str, ...]:
        """Films that wires are made of; diffusions belong to the transistors' R_on."""
        return tuple(film.name for film in self.films if film.sheet_ohm_sq is not None)

    def layer(self, name: str) -> Layer:
        """Return a layer by name; raises TechError if it does not exist."""
        try:
            return self._layer_by_name[name]
        except KeyError:
            raise TechError(f"layer {name!r} is not in {self.name}") from None

    def gds(self, name: str) -> tuple[int, int]:
        """Return (layer, datatype) of a layer."""
        return self.layer(name).gds

    def rule(self, name: str) -> float:
        """Return the value of a rule; raises TechError if it does not exist."""
        try:
            return self._rule_by_name[name].value
        except KeyError:
            raise TechError(f"rule {name!r} is not in {self.name}") from None

    def film(self, name: str) -> Film:
        """Return a film of the stack or a diffusion by name."""
        for film in (*self.films, *self.diffusions):
            if film.name == name:
                return film
        raise TechError(f"film {name!r} is not in {self.name}")

    def cut(self, name: str) -> Cut:
        """Return a contact or via by name."""
        for cut in self.cuts:
            if cut.name == name:
                return cut
        raise TechError(f"cut {name!r} is not in {self.name}")

    def at(self, conditions: Conditions | Mapping[str, Any]) -> Tech:
        """Return a Tech whose wires and transistors stand at conditions.

        Sheet resistances that were set before stay.

        Args:
            conditions: what to take them at, or what a network carries (`Network.conditions`).

        Raises:
            ParameterError: for another process or profile, or a film that is no conductor.
        """
        if not isinstance(conditions, Conditions):
            conditions = Conditions.from_json(conditions)
        sheets = {
            **self.conditions.sheet_resistance_ohm_sq,
            **conditions.sheet_resistance_ohm_sq,
        }
        found = replace(conditions, sheet_resistance_ohm_sq=sheets).of(self.name, self.profile.name)
        for key in BY_FILM:
            for film, value in getattr(found, key).items():
                if film not in self.conductors:
                    name = f"{key}.{film}"
                    raise ParameterError.unknown(name, value, self.conductors, "film")
        films = tuple(
            replace(f, sheet_ohm_sq=Corner(sheets[f.name]), source="set by the user")
            if f.name in sheets
            else f
            for f in self.films
        )
        nfet, pfet = (
            replace(model, corner=found.corner, temperature_c=found.temperature_c)
            for model in (self.nfet, self.pfet)
        )
        return replace(self, films=films, nfet=nfet, pfet=pfet, conditions=found)

    def with_sheet_resistance(self, film: str, ohm_sq: float) -> Tech:
        """Return a Tech whose `film` has another typical sheet resistance, in ohm/sq.

        Raises:
            ParameterError: if the value is outside its range or the film is an insulator.
        """
        return self.at(replace(self.conditions, sheet_resistance_ohm_sq={film: ohm_sq}))

    def check_grid(self, name: str, value_um: float, multiple: int = 1) -> int:
        """Return a length in dbu after checking that it lies on the grid.

        Args:
            name: parameter name for the message.
            value_um: length in um.
            multiple: of how many grid steps it must be a multiple (2 for centred widths).
        """
        dbu = round(value_um / self.dbu_um)
        step = round(self.grid_um / self.dbu_um) * multiple
        if abs(value_um / self.dbu_um - dbu) > 1e-6 or dbu % step:
            raise ParameterError(name, value_um, f"a multiple of {step * self.dbu_um:g} um")
        return dbu


@lru_cache(maxsize=8)
def get_tech(profile: str = "stepper") -> Tech:
    """Return GF180MCU variant D with the memristor module in a post-process profile.

    Raises:
        ParameterError: if the profile does not exist.
    """
    chosen = get_profile(profile)
    return Tech(
        name="gf180mcuD_crossstack",
        profile=chosen,
        layers=LAYERS,
        films=_films.FILMS,
        diffusions=_films.DIFFUSIONS,
        cuts=_films.foundry_cuts() + _films.module_cuts(chosen.via_um),
        rules=foundry_rules() + module_rules(chosen),
    )
