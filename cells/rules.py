"""The rules of a process in database units, and the lengths that several cells derive from them."""

from __future__ import annotations

from ..pdk import Ask, Tech
from .drawing import grid_up


class RuleBook:
    """The rules of a process by role, as `Ask` answers them, in dbu and dbu2.

    Attributes:
        tech: the process.
        ask: the same rules in um and um2.
        via: side of a foundry via.
        pad: smallest square landing of a foundry via that meets end-of-line and area rules.
        via_step: from one foundry via to the next beside it.
        contact: side of a contact.
        line: width of the lowest metal over a column of contacts.
        module_via: side of a module via.
        land: side of the land or electrode pad around one module via.
        beyond_via: how far the land reaches beyond its via.
        upper: metals between the row lines and the land, which stacks pass in the land's outline.
        land_space: least space of one land to another, on any of these metals.
    """

    def __init__(self, tech: Tech) -> None:
        self.tech, self.ask = tech, Ask(tech)
        self.via = self.size("local_via")
        self.pad = max(
            grid_up(self.area("select") ** 0.5, 10),
            self.via + 2 * self.line_end("select_via", "select"),
            self.width("select"),
        )
        cuts = tech.roles.cuts("local", "land")
        self.via_step = self.via + max(self.space(cut) for cut in cuts)
        self.contact = self.size("contact")
        over = self.contact + 2 * self.enclosure("local", "contact")
        self.line = grid_up(max(self.width("local"), over), 10)
        self.module_via = self.size("bottom_via")
        around = max(
            self.enclosure("bottom_electrode", "bottom_via"), self.enclosure("land", "bottom_via")
        )
        self.upper = tech.roles.between("top_row", "land")
        lands = (*self.upper, "land")
        least = (grid_up(self.area(metal) ** 0.5, 10) for metal in lands)
        self.land = max(self.module_via + 2 * around, *least)
        self.land_space = max(self.space(metal) for metal in lands)
        self.beyond_via = (self.land - self.module_via) // 2

    def _dbu(self, um: float) -> int:
        return self.tech.to_dbu(um)

    @property
    def bond_opening(self) -> int:
        """Side of the opening of a bond pad."""
        return self._dbu(self.tech.shuttle.pads.bond_opening_um)

    @property
    def probe_opening(self) -> int:
        """Side of the opening of a probe pad."""
        return self._dbu(self.tech.shuttle.pads.probe_opening_um)

    @property
    def probe_pitch(self) -> int:
        """From one probe pad to the next."""
        return self._dbu(self.tech.shuttle.pads.probe_pitch_um)

    def landing(self, metal: str) -> int:
        """Return the side of a landing of foundry vias on a metal."""
        return max(self.pad, self.width(metal), grid_up(self.area(metal) ** 0.5, 10))

    def layer(self, role: str) -> str:
        """Return the layer of a role, or of its own name."""
        return self.ask.layer(role)

    def width(self, layer: str) -> int:
        """Return the least width of a layer."""
        return self._dbu(self.ask.width(layer))

    def space(self, layer: str, other: str | None = None) -> int:
        """Return the least space within a layer, or between two."""
        return self._dbu(self.ask.space(layer, other))

    def wide_space(self, layer: str) -> int:
        """Return the least space beside wide metal."""
        return self._dbu(self.ask.wide_space(layer))

    def wide_from(self, layer: str) -> int:
        """Return the width from which on a metal is wide."""
        return self._dbu(self.ask.wide_from(layer))

    def space_beside(self, layer: str, width: int) -> int:
        """Return the least space beside a line that is `width` dbu wide."""
        wide = width > self.wide_from(layer)
        return self.wide_space(layer) if wide else self.space(layer)

    def array_space(self, cut: str, metal: str) -> int:
        """Return the least space of cuts in large arrays under a metal."""
        return self._dbu(self.ask.array_space(cut, metal))

    def size(self, cut: str) -> int:
        """Return the exact side of a cut."""
        return self._dbu(self.ask.size(cut))

    def area(self, layer: str) -> int:
        """Return the least area of a polygon, dbu2."""
        return round(self.ask.area(layer) / self.tech.dbu_um**2)

    def enclosure(self, outer: str, inner: str) -> int:
        """Return how far `outer` must reach beyond `inner` on every side."""
        return self._dbu(self.ask.enclosure(outer, inner))

    def line_end(self, cut: str, metal: str) -> int:
        """Return how far the end of a narrow line must reach beyond a cut."""
        return self._dbu(self.ask.line_end(cut, metal))

    def line_end_width(self, cut: str, metal: str) -> int:
        """Return the width from which on a line has no line end over a cut."""
        return self._dbu(self.ask.line_end_width(cut, metal))

    def extension(self, layer: str, beyond: str) -> int:
        """Return how far a layer must reach beyond another that it crosses."""
        return self._dbu(self.ask.extension(layer, beyond))

    def gate_length(self) -> int:
        """Return the least channel length."""
        return self._dbu(self.ask.gate_length())

    def butt_gate(self, butting: str, gate: str) -> int:
        """Return the distance of a butting edge to a gate parallel to it."""
        return self._dbu(self.ask.butt_gate(butting, gate))

    def overhang(self, line: str, crossing: str) -> int:
        """Return how far the end of an electrode must lie beyond a crossing."""
        return self._dbu(self.ask.overhang(line, crossing))

    def reach(self, layer: str, tap: str) -> int:
        """Return how far a layer may lie from the nearest tap."""
        return self._dbu(self.ask.reach(layer, tap))

    def max_width(self, layer: str) -> int:
        """Return the width above which a metal needs slots."""
        return self._dbu(self.ask.max_width(layer))
