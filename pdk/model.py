"""What a process is made of: typed records, without a number of any foundry.

The numbers are tables in a folder (one of `pdk/`, or a user's own); `load` reads them into
these records and `check` refuses a process that is incomplete.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import ParameterError, TechError
from .home import MODULE_HEAD

if TYPE_CHECKING:
    from ..base.layout import ForeignLayer
    from .devices import TransistorParameters
    from .memristor import MemristorParameters


class Purpose(StrEnum):
    """What a layer is for; decks, masks and viewers group by it."""

    FRONT_END = "front end"
    CUT = "cut"
    METAL = "metal"
    FILM = "film"
    LABEL = "label"
    MARKER = "marker"
    FILL = "fill"
    MODULE_ELECTRODE = "module electrode"
    MODULE_OXIDE = "module oxide"
    MODULE_CUT = "module cut"
    MODULE_MARKER = "module marker"
    MODULE_LABEL = "module label"
    MODULE_FILL = "module fill"


#: purposes of layers that hold texts, not shapes
LABELS = (Purpose.LABEL, Purpose.MODULE_LABEL)
#: purposes of layers that hold fill, which is part of no net
FILLS = (Purpose.FILL, Purpose.MODULE_FILL)


@dataclass(frozen=True)
class Layer:
    """One drawn layer.

    Attributes:
        name: the name used everywhere in this project.
        gds: (layer, datatype).
        purpose: group of the layer.
        text: what it is, in words.
        color: fill colour for viewers, ``#rrggbb``.
        pattern: KLayout stipple index.
        label: layer that carries the pin labels of this conductor; empty if it has none.
    """

    name: str
    gds: tuple[int, int]
    purpose: Purpose
    text: str
    color: str
    pattern: int = 9
    label: str = ""

    @property
    def is_module(self) -> bool:
        """True for layers of a post-processed memristor module, which the foundry does not see."""
        return self.purpose.value.startswith("module")


@dataclass(frozen=True)
class Corner:
    """A process quantity with its corners; `low` or `high` is None where nobody publishes it."""

    typ: float
    low: float | None = None
    high: float | None = None

    def states(self, corner: str) -> bool:
        """Return whether there is a value of ``typ``, ``min`` or ``max`` itself."""
        return {"typ": self.typ, "min": self.low, "max": self.high}[corner] is not None

    def at(self, corner: str) -> float:
        """Return the value at ``typ``, ``min`` or ``max`` (typ where no corner is known)."""
        value = {"typ": self.typ, "min": self.low, "max": self.high}[corner]
        return self.typ if value is None else value


@dataclass(frozen=True)
class Film:
    """One film, bottom to top in the stack.

    Attributes:
        name: drawn layer, or a name of its own for films that no mask draws.
        material: what it is made of.
        thickness_um: deposited thickness in um; 0 for a diffusion, which lies in the silicon.
        sheet_ohm_sq: sheet resistance in ohm/sq at 25 C; None for insulators.
        tcr_per_c: relative change of resistance per degree C.
        permittivity: relative permittivity; None for conductors.
        source: where the figures come from; "assumed" where they are our choice.
        shares_bottom: True if the next film starts at the same height: a metal at the bottom of
            the dielectric that embeds it.
        bottom_um: height of its bottom as a manual states it, um above the silicon under STI;
            None where none is stated. Only compared with the sum of the thicknesses.
    """

    name: str
    material: str
    thickness_um: float
    source: str
    sheet_ohm_sq: Corner | None = None
    tcr_per_c: float = 0.0
    permittivity: float | None = None
    shares_bottom: bool = False
    bottom_um: float | None = None


@dataclass(frozen=True)
class Cut:
    """A contact or via: one exact square, its resistance and what it joins.

    Attributes:
        name: drawn layer, with a suffix where one layer joins different films.
        layer: drawn layer.
        lower, upper: films that it joins.
        ohm: resistance of one cut of `size_um` in ohm at 25 C.
        size_um: drawn side in um, from the rule on its exact size.
        tcr_per_c: relative change of resistance per degree C.
        source: where the figures come from.
    """

    name: str
    layer: str
    lower: str
    upper: str
    ohm: Corner
    size_um: float
    source: str
    tcr_per_c: float = 0.0


@dataclass(frozen=True)
class Rule:
    """One design rule.

    Attributes:
        name: rule name, as in the foundry's manual where it is theirs.
        kind: how it is checked, a key of `kinds.KINDS`; see `crossstack.drc.kinds`.
        layers: drawn layers, ``layer/datatype`` or derived layers, in the order the kind asks for.
        value: limit in um, um2, percent or a ratio; 0 where the rule has no number.
        text: what it says, in words.
        source: where it comes from.
        extra: further limits that the kind asks for, in the same units, in its order.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    value: float
    text: str
    source: str
    extra: tuple[float, ...] = ()


@dataclass(frozen=True)
class Profile:
    """Resolution and overlay of the post-process.

    Attributes:
        name: key of the profile.
        line_um: F, the narrowest line, and width of a default device.
        space_um: S, the narrowest space between two shapes of one film.
        via_um: V, exact side of a module via.
        overlay_um: A, the worst misalignment of one mask to another.
        source: where the figures come from.
    """

    name: str
    line_um: float
    space_um: float
    via_um: float
    overlay_um: float
    source: str

    @property
    def letters(self) -> dict[str, float]:
        """The names that the module's rules give to these lengths."""
        return {"F": self.line_um, "S": self.space_um, "V": self.via_um, "A": self.overlay_um}


@dataclass(frozen=True)
class Limit:
    """Current that a wire or cut may carry for good.

    Attributes:
        name: film or cut.
        per_cut: True for mA per cut, False for mA per um of drawn width.
        one_way, both_ways: mA at each temperature of the process's table.
        source: where the figures come from.
    """

    name: str
    per_cut: bool
    one_way: tuple[float, ...]
    both_ways: tuple[float, ...]
    source: str


@dataclass(frozen=True)
class CurrentTable:
    """Current limits over temperature, and the law that they follow in between.

    Attributes:
        temperatures_c: degrees C of the columns, ascending.
        rows: limits of wires and cuts.
        activation_ev, exponent: Black's law, as the manual states it.
    """

    temperatures_c: tuple[float, ...]
    rows: tuple[Limit, ...]
    activation_ev: float
    exponent: float


#: roles of the routing metals from the bottom; ``X_via`` is the cut above each
LINES = ("local", "select", "bottom_row", "top_row")


@dataclass(frozen=True)
class Roles:
    """What the layers of a process are for: the names that cells and checks use.

    Attributes:
        process: name of the process, for messages.
        metals: routing metals from bottom to top; the last is the land of a module's vias.
        vias: the cut above each metal but the last.
        layers: other roles: role -> drawn or derived layer.
        below: wiring levels between the contact and the first metal, from bottom to top.
        below_vias: the cut above each of them.
    """

    process: str
    metals: tuple[str, ...]
    vias: tuple[str, ...]
    layers: tuple[tuple[str, str], ...]
    below: tuple[str, ...] = ()
    below_vias: tuple[str, ...] = ()

    @property
    def land(self) -> str:
        """The last metal, on which a module stands."""
        return self.metals[-1]

    @property
    def wires(self) -> tuple[str, ...]:
        """Every level that wires are made of, from the bottom."""
        return (*self.below, *self.metals)

    @cached_property
    def names(self) -> dict[str, str]:
        """Every role with its layer, those of metals and vias by number included."""
        found = dict(zip(LINES, self.metals, strict=False))
        found |= {f"{line}_via": via for line, via in zip(LINES, self.vias, strict=False)}
        found |= dict(self.layers)
        found |= {f"metals[{k}]": name for k, name in enumerate(self.metals)}
        found |= {f"vias[{k}]": name for k, name in enumerate(self.vias)}
        if self.vias:
            found["land_via"] = self.vias[-1]
            found["below_land"] = self.metals[-2]
        found.setdefault("bond_pad", found.get("pad", ""))
        return found | {"land": self.land}

    def between(self, low: str, high: str) -> tuple[str, ...]:
        """Return the metals strictly between two, by role or name, from the bottom."""
        first, last = (self.metals.index(self.names.get(end, end)) for end in (low, high))
        return self.metals[first + 1 : last]

    def cuts(self, low: str, high: str) -> tuple[str, ...]:
        """Return the cuts from one metal up to another, by role or name, from the bottom."""
        first, last = (self.metals.index(self.names.get(end, end)) for end in (low, high))
        return self.vias[first:last]

    def all_of(self, role: str) -> tuple[str, ...]:
        """Return the layers of a role; ``metals`` are all routing metals."""
        return self.metals if role == "metals" else (self.layer(role),)

    def layer(self, role: str) -> str:
        """Return the layer of a role.

        Raises:
            TechError: if the process has no layer of this role.
        """
        names = self.names
        if role not in names:
            known = ", ".join(names)
            raise TechError(f"process {self.process} has no role {role!r} (roles: {known})")
        return names[role]


@dataclass(frozen=True)
class Module:
    """A memristor module: what is built over the last metal of a base process, or between two.

    Attributes:
        name, title: key and words.
        folder: where its tables lie.
        layers, films: its own, bottom to top; films continue the stack of the base.
        above: film of the base that its own follow; empty for the last. What lies over it is
            lifted by them.
        profiles: post-process profiles by name; the first is the default.
        electrodes: conducting films from bottom to top.
        roles: role -> drawn or derived layer of its own.
        memristor: electrical device parameters.
        tiers: tiers that it has devices of, bottom first.
        device_um: side of a device where none is asked for; None for 1 um, or the narrowest line
            where that is wider.
    """

    name: str
    title: str
    folder: Path
    layers: tuple[Layer, ...]
    films: tuple[Film, ...]
    profiles: tuple[Profile, ...]
    electrodes: tuple[str, ...]
    roles: tuple[tuple[str, str], ...]
    memristor: MemristorParameters
    tiers: tuple[str, ...]
    above: str = ""
    device_um: float | None = None

    @property
    def memristors_at(self) -> str:
        """Where the figures of its memristors stand, for messages: a key follows."""
        return f"{self.folder / MODULE_HEAD} [memristor] "

    @property
    def stands_within(self) -> bool:
        """True for one between two metals of the base, made by the foundry itself."""
        return bool(self.above)

    def profile(self, name: str) -> Profile:
        """Return a profile by name.

        Raises:
            ParameterError: if there is no such profile.
        """
        for profile in self.profiles:
            if profile.name == name:
                return profile
        allowed = "one of " + ", ".join(sorted(p.name for p in self.profiles))
        raise ParameterError("profile", name, allowed)


@dataclass(frozen=True)
class Process:
    """A foundry base, as its folder states it.

    Attributes:
        name, title: key and words.
        folder: where its tables lie.
        grid_um, dbu_um: manufacturing grid and database unit.
        supply_v: supply of its transistors, V.
        temperatures_c: lowest and highest temperature that its figures hold at, degrees C.
        module: name of the memristor module that stands on it.
        roles: what its layers are for.
        layers, films, diffusions, cuts, rules: its tables.
        limits: currents that wires and cuts may carry.
        transistors: parameters of each kind.
        foreign: further layers of the foundry, and what they change.
    """

    name: str
    title: str
    folder: Path
    grid_um: float
    dbu_um: float
    supply_v: float
    temperatures_c: tuple[float, float]
    module: str
    roles: Roles
    layers: tuple[Layer, ...]
    films: tuple[Film, ...]
    diffusions: tuple[Film, ...]
    cuts: tuple[Cut, ...]
    rules: tuple[Rule, ...]
    limits: CurrentTable
    transistors: tuple[TransistorParameters, ...]
    foreign: tuple[ForeignLayer, ...]

    @property
    def label_of(self) -> dict[str, str]:
        """Conductor -> the layer that carries its pin labels."""
        return {layer.name: layer.label for layer in self.layers if layer.label}
