"""The rule book asked by role: ``ask.space("metals[1]")`` instead of a manual's rule number.

The kind of a rule and its layers are a key of every rule but the density ones, so cells can say
what they need and any process can answer. A layer is given by role (`Roles`: ``diffusion``,
``metals[0]``, ``land``, ``p_tap``), or by name where a value already holds one.

All lengths are in um, areas in um2.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..base.errors import TechError

if TYPE_CHECKING:
    from .model import Rule
    from .tech import Tech

#: kinds that say how far two layers must stay apart; a pair has at most one of them
_APART = ("separation", "clear", "butt_separation")


class NoRuleError(TechError):
    """A process has no rule of a kind for the layers of some roles.

    Attributes:
        kind: what was asked for.
        roles: as they were asked for.
    """

    def __init__(self, process: str, kind: str, roles: tuple[str, ...], layers: tuple[str, ...]):
        self.kind, self.roles = kind, roles
        shown = ", ".join(
            role if role == name else f"{role} = {name}"
            for role, name in zip(roles, layers, strict=True)
        )
        super().__init__(f"process {process} has no rule {kind}({shown})")


class Ask:
    """Answers questions about the rules of one `Tech`.

    Each method takes `default`: the answer where the process has no such rule; without one,
    `NoRuleError` names kind and roles.

    Args:
        tech: the process.
    """

    def __init__(self, tech: Tech) -> None:
        self.tech = tech
        self._roles = tech.roles.names

    @cached_property
    def _book(self) -> dict[tuple[str, tuple[str, ...]], Rule]:
        return {(r.kind, r.layers): r for r in self.tech.rules if r.kind != "density"}

    @cached_property
    def _implants(self) -> dict[tuple[str, ...], Rule]:
        rules = (rule for (kind, _), rule in self._book.items() if kind == "implant_enclosure")
        return {rule.layers[:2]: rule for rule in rules}

    def layer(self, role: str) -> str:
        """Return the drawn or derived layer of a role, or of a layer's own name.

        Raises:
            TechError: if the process has neither.
        """
        if role in self._roles:
            return self._roles[role]
        if role not in self._known:
            return self.tech.roles.layer(role)  # raises, naming the roles that there are
        return role

    @cached_property
    def _known(self) -> frozenset[str]:
        named = (name for _, layers in self._book for name in layers)
        return frozenset(named) | {layer.name for layer in self.tech.layers}

    def rule(self, kinds: str | tuple[str, ...], *roles: str) -> Rule:
        """Return the rule of a kind (or of the first kind that has one) for layers by role.

        Raises:
            NoRuleError: if there is none.
        """
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        layers = tuple(self.layer(role) for role in roles)
        found = self._found(kinds, layers)
        if found is not None:
            return found
        raise NoRuleError(self.tech.process.name, kinds[0], roles, layers)

    def _found(self, kinds: tuple[str, ...], layers: tuple[str, ...]) -> Rule | None:
        return next((self._book[k, layers] for k in kinds if (k, layers) in self._book), None)

    def _value(self, default: float | None, kinds: str | tuple[str, ...], *roles: str) -> float:
        try:
            return self.rule(kinds, *roles).value
        except NoRuleError:
            if default is None:
                raise
            return default

    def width(self, layer: str, default: float | None = None) -> float:
        """Return the least width of a layer."""
        return self._value(default, "width", layer)

    def space(self, layer: str, other: str | None = None, default: float | None = None) -> float:
        """Return the least space within a layer, or between two (in either order)."""
        one, two = self.layer(layer), self.layer(layer if other is None else other)
        if other is None or one == two:
            return self._value(default, "space", layer)
        for key in ((one, two), (two, one)):
            found = self._found(_APART, key)
            if found is not None:
                return found.value
        return self._value(default, _APART, layer, other)

    def across(self, layer: str, other: str, default: float | None = None) -> float:
        """Return the least space within a layer across another."""
        return self._value(default, "across", layer, other)

    def net_space(self, layer: str, default: float | None = None) -> float:
        """Return the least space between parts of a layer on different nets."""
        return self._value(default, "space_different_net", layer)

    def wide_space(self, layer: str, default: float | None = None) -> float:
        """Return the least space beside wide metal."""
        return self._value(default, "wide_space", layer)

    def wide_from(self, layer: str, default: float | None = None) -> float:
        """Return the width from which on a metal is wide."""
        try:
            return self.rule("wide_space", layer).extra[0]
        except NoRuleError:
            if default is None:
                raise
            return default

    def array_space(self, cut: str, metal: str, default: float | None = None) -> float:
        """Return the least space of cuts in large arrays under a metal."""
        return self._value(default, "array_space", cut, metal)

    def notch(self, layer: str, default: float | None = None) -> float:
        """Return the least space within one polygon; a rule on space covers notches too."""
        return self._value(default, "space", layer)

    def size(self, cut: str, default: float | None = None) -> float:
        """Return the exact side of a cut."""
        return self._value(default, "exact_size", cut)

    def area(self, layer: str, default: float | None = None) -> float:
        """Return the least area of a polygon, um2."""
        return self._value(default, "area", layer)

    def hole_area(self, layer: str, default: float | None = None) -> float:
        """Return the least area of a hole, um2."""
        return self._value(default, "hole_area", layer)

    def enclosure(self, outer: str, inner: str, default: float | None = None) -> float:
        """Return how far `outer` must reach beyond `inner` on every side."""
        layers = (self.layer(inner), self.layer(outer))
        if layers in self._implants:
            return self._implants[layers].value
        return self._value(default, "enclosure", inner, outer)

    def line_end(self, cut: str, metal: str, default: float | None = None) -> float:
        """Return how far the end of a narrow line must reach beyond a cut."""
        return self._value(default, "line_end", cut, metal)

    def line_end_width(self, cut: str, metal: str, default: float | None = None) -> float:
        """Return the width from which on a line has no line end over a cut."""
        try:
            return self.rule("line_end", cut, metal).extra[0]
        except NoRuleError:
            if default is None:
                raise
            return default

    def adjacent(self, cut: str, metal: str, default: float | None = None) -> float:
        """Return the overlap beside a side that a metal overlaps only little."""
        return self._value(default, "adjacent", cut, metal)

    def extension(self, layer: str, beyond: str, default: float | None = None) -> float:
        """Return how far a layer must reach beyond another that it crosses."""
        return self._value(default, ("extension", "butt_extension"), layer, beyond)

    def gate_length(self, poly: str = "poly", diffusion: str = "diffusion") -> float:
        """Return the least channel length."""
        return self._value(None, "gate_length", poly, diffusion)

    def channel_width(self, diffusion: str = "diffusion", poly: str = "poly") -> float:
        """Return the least channel width."""
        return self._value(None, "channel_width", diffusion, poly)

    def butt_gate(self, butting: str, gate: str, default: float | None = None) -> float:
        """Return the distance of a butting edge to a gate parallel to it."""
        return self._value(default, "butt_gate", butting, gate)

    def overhang(self, line: str, crossing: str, default: float | None = None) -> float:
        """Return how far the end of an electrode must lie beyond a crossing."""
        return self._value(default, "end_overhang", line, crossing)

    def overlay(self, low: str, high: str, default: float | None = None) -> float:
        """Return the misalignment that two stacked shapes may have."""
        return self._value(default, "overlay", low, high)

    def reach(self, layer: str, tap: str, default: float | None = None) -> float:
        """Return how far a layer may lie from the nearest tap."""
        return self._value(default, "reach", layer, tap)

    def max_width(self, layer: str, default: float | None = None) -> float:
        """Return the width above which a metal needs slots, or that no line may exceed."""
        name = self.layer(layer)
        for (kind, layers), rule in self._book.items():
            if kind in ("max_width", "max_size", "wide_joint") and layers[0] == name:
                return rule.value
        return self._value(default, "max_width", layer)

    def joint_width(self, layer: str, default: float | None = None) -> float:
        """Return the width above which no narrower line may be joined to a metal."""
        return self._value(default, "wide_joint", layer)

    def antenna(self, conductor: str, default: float | None = None) -> float:
        """Return the largest antenna ratio of a conductor to the gates on its net."""
        return self._value(default, "antenna", "gate", conductor)

    def antenna_wall(self, conductor: str) -> float:
        """Return the thickness of the side wall that collects charge, um; 0 for a cut."""
        return self.rule("antenna", "gate", conductor).extra[1]

    def density(self, layer: str) -> tuple[float, float]:
        """Return the least and largest share of the die in percent; 0 and 100 without a rule."""
        name = self.layer(layer)
        found = [r for r in self.tech.rules if r.kind == "density" and r.layers == (name,)]
        least = [r.value for r in found if r.extra[0] > 0]
        most = [r.value for r in found if r.extra[0] < 0]
        return max(least, default=0.0), min(most, default=100.0)
