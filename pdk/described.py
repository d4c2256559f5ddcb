"""Layers, films, cuts and rules of a process, and each of them by its name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from ..base.errors import TechError
from . import films as _films
from .model import Cut, Film, Layer, Rule


@dataclass(frozen=True)
class Described:
    """What the tables of a process and its module describe.

    Attributes:
        name: process name.
        layers: every drawn layer.
        films: stack from bottom to top.
        diffusions: conductors in the silicon.
        cuts: contacts and vias.
        rules: every design rule.
    """

    name: str
    layers: tuple[Layer, ...]
    films: tuple[Film, ...]
    diffusions: tuple[Film, ...]
    cuts: tuple[Cut, ...]
    rules: tuple[Rule, ...]

    @cached_property
    def _layer_by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _rule_by_name(self) -> dict[str, Rule]:
        return {rule.name: rule for rule in self.rules}

    @cached_property
    def label_of(self) -> dict[str, str]:
        """Conductor -> the layer that carries its pin labels."""
        return {layer.name: layer.label for layer in self.layers if layer.label}

    @cached_property
    def heights_um(self) -> dict[str, tuple[float, float]]:
        """Film name -> (bottom, top) in um above the silicon under STI."""
        return _films.stack(self.films)

    @cached_property
    def conductors(self) -> tuple[str, ...]:
        """Films that wires are made of; diffusions belong to the transistors' R_on."""
        return tuple(film.name for film in self.films if film.sheet_ohm_sq is not None)

    def without_corner(self, corner: str, but: Collection[str] = ()) -> str:
        """Return a remark on films that a corner leaves at typ; empty if it has a value of each.

        Args:
            corner: ``typ``, ``min`` or ``max``.
            but: films whose resistance a user states, which is meant as it is.
        """
        sheets = {film.name: film.sheet_ohm_sq for film in self.films if film.name not in but}
        names = [name for name, sheet in sheets.items() if sheet and not sheet.states(corner)]
        told = f"corner {corner}: no ohm_sq_{corner} in films.csv, so typ is taken, of"
        return f"{told} {', '.join(names)}" if names else ""

    @cached_property
    def drawn_insulators(self) -> tuple[str, ...]:
        """Insulating films that lie only where a mask draws them: those of memristors."""
        drawn = self._layer_by_name
        return tuple(f.name for f in self.films if f.permittivity is not None and f.name in drawn)

    def layer(self, name: str) -> Layer:
        """Return a layer by name; raises TechError if it does not exist."""
        try:
            return self._layer_by_name[name]
        except KeyError:
            raise TechError(f"layer {name!r} is not in {self.name}") from None

    def text_of(self, layer: Layer) -> str:
        """Return what a layer is, in words; of a module's film with what it is made of.

        The material stands in the table of films alone, which a lab changes.
        """
        film = next((f for f in self.films if f.name == layer.name), None)
        return f"{layer.text}, {film.material}" if film and layer.is_module else layer.text

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
