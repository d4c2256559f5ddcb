"""The rules of a process in database units, and the lengths that several cells derive from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..pdk import Ask, NoRuleError, Tech, TechError
from ..pdk.model import LINES
from .drawing import grid_up

#: what stands for a length that no rule limits: more than any die
NO_LIMIT_UM = 1e5
#: answer where there is no rule
_NONE = -1.0


class _Kept(Protocol):
    kept: dict[tuple[object, ...], int]


Book = TypeVar("Book", bound=_Kept)
Asked = ParamSpec("Asked")


def _kept(
    question: Callable[Concatenate[Book, Asked], int],
) -> Callable[Concatenate[Book, Asked], int]:
    """Keep the answers of a question: each is asked many times while a cell is drawn."""

    @wraps(question)
    def answer(self: Book, *args: Asked.args, **kwargs: Asked.kwargs) -> int:
        key = (question, *args, *kwargs.items())
        if key not in self.kept:
            self.kept[key] = question(self, *args, **kwargs)
        return self.kept[key]

    return answer  # type: ignore[return-value]  # wraps hides that self is by position


class RuleBook:
    """The rules of a process by role, as `Ask` answers them, in dbu and dbu2.

    What a process need not have a rule for is no limit there: areas, wide metal, arrays of cuts.

    Attributes:
        tech: the process.
        ask: the same rules in um and um2.
        below: wiring levels between the contact and the local metal, from the bottom.
        chain: cuts from silicon up to the local metal: the contact, and one on each of `below`.
        contact: side of a contact.
        contact_step: from one contact to the next beside it, with the cuts above it.
        line: width of the local metal over a column of contacts.
        head: side of the poly around a contact.
        tap_width: width of a strip of tap.
        pad: smallest square landing that holds a cut on any metal up to the top row line's.
        module_via: side of a module via; 0 where the module has none.
        land: side of the land or electrode pad around one module via.
        beyond_via: how far the land reaches beyond its via.
        upper: metals between the row lines and the land, which stacks pass in the land's outline.
        land_space: least space of one land to another, on any of these metals.
    """

    def __init__(self, tech: Tech) -> None:
        self.tech, self.ask = tech, Ask(tech)
        self.kept: dict[tuple[object, ...], int] = {}
        roles = tech.roles
        self.below, self.chain = roles.below, ("contact", *roles.below_vias)
        self.contact = self.size("contact")
        self.contact_step = max(self.step(cut) for cut in self.chain)
        self.line = self._line("local", self.chain[-1:])
        head = self.contact + 2 * self.line_end("poly_contact", "poly")
        self.head = grid_up(max(head, self.width("poly")), 10)
        tap = self.contact + 2 * self.enclosure("tap", "tap_contact")
        self.tap_width = grid_up(max(tap, self.width("tap")), 10)
        lower = roles.cuts("local", "top_row")
        gate = self.size(self.chain[-1]) + 2 * self.line_end(self.chain[-1], "local")
        self.pad = max(gate, *(self._landing(metal, lower) for metal in LINES))
        self.module_via, around = 0, 0
        if self.has("bottom_via"):
            self.module_via = self.size("bottom_via")
            around = max(
                self.enclosure(outer, "bottom_via") for outer in ("bottom_electrode", "land")
            )
        self.upper = roles.between("top_row", "land")
        lands = (*self.upper, "land")
        least = (self.landing(metal) for metal in lands)
        self.land = max(grid_up(self.module_via + 2 * around, 10), *least)
        self.land_space = max(self.space(metal) for metal in lands)
        self.beyond_via = (self.land - self.module_via) // 2

    def _line(self, metal: str, cuts: tuple[str, ...]) -> int:
        """Return the width of a metal over a column of cuts."""
        over = (self.size(cut) + 2 * self.enclosure(metal, cut) for cut in cuts)
        return grid_up(max(self.width(metal), *over), 10)

    def _landing(self, metal: str, cuts: tuple[str, ...]) -> int:
        """Return the side of a landing on a metal for whichever of some cuts end on it."""
        over = (self.size(cut) + 2 * self.line_end(cut, metal) for cut in self.on(metal, cuts))
        return grid_up(max(self.width(metal), self.area(metal) ** 0.5, *over), 10)

    def on(self, metal: str, cuts: tuple[str, ...]) -> list[str]:
        """Return those of some cuts that end on a routing metal."""
        roles = self.tech.roles
        k = roles.metals.index(self.layer(metal))
        return [cut for cut in cuts if cut in roles.vias[max(0, k - 1) : k + 1]]

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
        """Return the side of a landing on a metal that holds the cuts on either side of it."""
        return self._landing(metal, self.tech.roles.vias)

    def below_line(self, metal: str) -> int:
        """Return the width of one of `below` over a column of contacts."""
        k = self.below.index(metal)
        return self._line(metal, self.chain[k : k + 2])

    def below_end(self, metal: str) -> int:
        """Return how far one of `below` reaches beyond the contacts of a column."""
        k = self.below.index(metal)
        ends = (
            (self.size(cut) - self.contact) // 2 + self.line_end(cut, metal)
            for cut in self.chain[k : k + 2]
        )
        return grid_up(max(ends))

    def below_reach(self, metal: str, contacts: int | None = None) -> int:
        """Return how far one of `below` reaches from the middle of a line of contacts.

        Args:
            metal: one of `below`.
            contacts: length of the line from its first contact to its last; None for one.
        """
        length = self.contact if contacts is None else contacts
        half = self.below_line(metal) // 2
        missing = self.area(metal) / (2 * half) - (length + 2 * self.below_end(metal))
        return length // 2 + self.below_end(metal) + max(0, grid_up(missing / 2))

    def layer(self, role: str) -> str:
        """Return the layer of a role, or of its own name."""
        return self.ask.layer(role)

    def has(self, role: str) -> bool:
        """Tell whether the process has a layer of a role."""
        return role in self.tech.roles.names

    def apart(self, one: str, other: str) -> int:
        """Return the least space between two layers, 0 where no rule binds the two."""
        return self._dbu(self.ask.space(one, other, 0.0))

    def across(self, layer: str, other: str) -> int:
        """Return the least space within a layer across another, 0 where no rule binds the two."""
        return self._dbu(self.ask.across(layer, other, 0.0))

    @property
    def mark_beyond(self) -> int:
        """How far the mark of a transistor reaches beyond the cell that holds it."""
        beyond = (self.enclosure("device_mark", "diffusion"), self.extension("device_mark", "tap"))
        return grid_up(max(beyond), 10)

    @property
    def n_implant(self) -> int:
        """How far the implant of an NMOS reaches beyond the ends of its channel."""
        return max(self.enclosure("nplus", part) for part in ("n_gate", "n_active"))

    @property
    def finger_step(self) -> int:
        """From one contact line of a transistor to the next, without the channel's length."""
        return 2 * self.space("diffusion_contact", "gate") + self.contact

    @property
    def contact_side(self) -> int:
        """From the edge of the active area beside a line of contacts to these."""
        beyond_gate = self.extension("diffusion", "poly")
        reached = self.contact + self.space("diffusion_contact", "gate")
        return max(self.enclosure("diffusion", "diffusion_contact"), beyond_gate - reached)

    @property
    def contact_inset(self) -> int:
        """From an end of the active area to the first contact of a line along it."""
        return self.line_end("diffusion_contact", "diffusion")

    @property
    def mark(self) -> int:
        """Side of the mark around a contact on poly."""
        over = self.contact + 2 * self.enclosure("poly_mark", "poly_contact")
        return grid_up(max(over, self.width("poly_mark")), 10)

    @property
    def head_clear(self) -> int:
        """From the edge of the active area to the middle of a poly contact beside it."""
        half = self.contact // 2
        clear = [
            self.head // 2 + self.space("poly", "diffusion"),
            half + self.space("poly_contact", "diffusion"),
        ]
        if self.has("poly_mark"):
            mark = self.mark // 2
            clear += [
                mark + self.space("poly_mark", "gate"),
                mark + self.space("poly_mark", "diffusion_contact") - self.contact_inset,
            ]
        return max(clear)

    @property
    def head_to_p(self) -> int:
        """From a p-active area to the middle of a poly contact outside its implant."""
        apart = self.apart("poly_contact", "pplus")
        implant = max(self.enclosure("pplus", "p_active"), self.enclosure("pplus", "p_gate"))
        return apart + self.contact // 2 + implant if apart else 0

    @property
    def head_to_tap(self) -> int:
        """From a p-tap to the middle of a poly contact outside its implant."""
        half = self.contact // 2
        apart = self.apart("poly_contact", "pplus")
        mark = self.mark // 2 if self.has("poly_mark") else 0
        return max(
            self.head // 2 + self.space("poly", "tap"),
            half + self.space("poly_contact", "tap"),
            mark + self.space("poly_mark", "tap_contact") if mark else 0,
            half + apart + self.tap_beyond("p") if apart else 0,
            self.contact_step - self.tap_width // 2,
            *(self.below_line(m) + self.space(m) - self.tap_width // 2 for m in self.below),
        )

    def tap_beyond(self, kind: str) -> int:
        """Return how far the implant of a strip of tap reaches beyond it, beside it."""
        implant, tap = ("pplus", "p_tap") if kind == "p" else ("nplus", "n_tap_at_well_edge")
        least = grid_up((self.width(implant) - self.tap_width) / 2)
        return max(self.enclosure(implant, tap), least)

    def cut_more(self, cut: str) -> int:
        """Return how far a cut reaches beyond the contact below it; negative for a smaller one."""
        return (self.size(cut) - self.contact) // 2

    @property
    def to_tap(self) -> int:
        """From an n-active area in the substrate to a p-tap beside it."""
        return max(
            self.space("diffusion", "tap"),
            self.apart("n_active", "p_tap"),
            self.enclosure("nplus", "n_active") + self.space("nplus", "p_tap_near_well"),
            self.space("pplus", "n_active") + self.tap_beyond("p"),
        )

    @_kept
    def width(self, layer: str) -> int:
        """Return the least width of a layer."""
        return self._dbu(self.ask.width(layer))

    @_kept
    def space(self, layer: str, other: str | None = None) -> int:
        """Return the least space within a layer, or between two."""
        return self._dbu(self.ask.space(layer, other))

    def net_space(self, layer: str) -> int:
        """Return the least space within a layer, on whichever nets its parts are."""
        return max(self._dbu(self.ask.net_space(layer, 0.0)), self.space(layer))

    def wide_space(self, layer: str) -> int:
        """Return the least space beside wide metal; never less than beside any."""
        return max(self._dbu(self.ask.wide_space(layer, 0.0)), self.space(layer))

    def wide_from(self, layer: str) -> int:
        """Return the width from which on a metal is wide."""
        return self._dbu(self.ask.wide_from(layer, NO_LIMIT_UM))

    def space_beside(self, layer: str, width: int) -> int:
        """Return the least space beside a line that is `width` dbu wide."""
        wide = width > self.wide_from(layer)
        return self.wide_space(layer) if wide else self.space(layer)

    def row_space(self, width: int) -> int:
        """Return the least space beside lines `width` dbu wide in either metal of the row lines."""
        return max(self.space_beside(metal, width) for metal in ("bottom_row", "top_row"))

    def array_space(self, cut: str, metal: str) -> int:
        """Return the least space of cuts in large arrays under a metal."""
        return self._dbu(self.ask.array_space(cut, metal, self.ask.space(cut)))

    @_kept
    def size(self, cut: str) -> int:
        """Return the exact side of a cut.

        Raises:
            TechError: if it has no middle on the grid, where everything drawn here has one.
        """
        side = self._dbu(self.ask.size(cut))
        if side % (2 * self._dbu(self.tech.grid_um)):
            name = f"{self.layer(cut)} of process {self.tech.process.name}"
            raise TechError(f"{name}: a side of {side * self.tech.dbu_um:g} um is no even multiple "
                            f"of the grid, {self.tech.grid_um:g} um")  # fmt: skip
        return side

    @_kept
    def step(self, cut: str) -> int:
        """Return the distance from one cut to the next beside it."""
        return grid_up(self.size(cut) + self.space(cut), 10)

    @_kept
    def area(self, layer: str) -> int:
        """Return the least area of a polygon, dbu2."""
        return round(self.ask.area(layer, 0.0) / self.tech.dbu_um**2)

    @_kept
    def enclosure(self, outer: str, inner: str) -> int:
        """Return how far `outer` must reach beyond `inner` on every side."""
        return self._dbu(self.ask.enclosure(outer, inner))

    @_kept
    def line_end(self, cut: str, metal: str) -> int:
        """Return how far a layer must reach beyond a cut where nothing is known of its sides.

        The most that any rule asks for: on every side, at a line's end, beside a scant side.

        Raises:
            NoRuleError: if no rule binds the two.
        """
        asked = (
            self.ask.enclosure(metal, cut, _NONE),
            self.ask.line_end(cut, metal, _NONE),
            self.ask.adjacent(cut, metal, _NONE),
        )
        if max(asked) == _NONE:
            layers = (self.layer(cut), self.layer(metal))
            raise NoRuleError(self.tech.process.name, "enclosure", (cut, metal), layers)
        return self._dbu(max(asked))

    def around(self, cut: str, ends: bool = False) -> int:
        """Return how far both metals of a foundry via reach beyond it.

        Args:
            cut: the via.
            ends: on every side, as at the ends of lines; else along the side of a column.
        """
        roles = self.tech.roles
        k = roles.vias.index(self.layer(cut))
        asked = self.line_end if ends else lambda cut, metal: self.enclosure(metal, cut)
        return max(asked(cut, metal) for metal in roles.metals[k : k + 2])

    def line_end_width(self, cut: str, metal: str) -> int:
        """Return the width from which on a line has no line end over a cut."""
        return self._dbu(self.ask.line_end_width(cut, metal, 0.0))

    @_kept
    def extension(self, layer: str, beyond: str) -> int:
        """Return how far a layer must reach beyond another that it crosses."""
        return self._dbu(self.ask.extension(layer, beyond))

    def gate_length(self) -> int:
        """Return the least channel length, which is a line of poly, too."""
        return max(self._dbu(self.ask.gate_length()), self.width("poly"))

    def butt_gate(self, butting: str, gate: str) -> int:
        """Return the distance of a butting edge to a gate parallel to it."""
        if not (self.has(butting) and self.has(gate)):
            return 0
        return self._dbu(self.ask.butt_gate(butting, gate, 0.0))

    def overhang(self, line: str, crossing: str) -> int:
        """Return how far the end of an electrode must lie beyond a crossing."""
        return self._dbu(self.ask.overhang(line, crossing))

    def reach(self, layer: str, tap: str) -> int:
        """Return how far a layer may lie from the nearest tap."""
        return self._dbu(self.ask.reach(layer, tap))

    def max_width(self, layer: str) -> int:
        """Return the width above which a metal needs slots, or that no line may exceed."""
        return self._dbu(self.ask.max_width(layer, NO_LIMIT_UM))

    def joint_width(self, layer: str) -> int:
        """Return the width above which no narrower line may be joined to a metal."""
        return self._dbu(self.ask.joint_width(layer, NO_LIMIT_UM))
