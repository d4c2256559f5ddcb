"""`Tech`: the one frozen value that says what the process is; passed explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ParameterError
from ..base.layout import ForeignLayer, ProcessLayers
from .conditions import BY_FILM, Allowed, Conditions
from .described import Described
from .devices import TransistorParameters
from .film_fill import FilmFill, film_fills
from .home import DEFAULT, DEFAULT_MODULE, HOME, MODULES, process_folder, process_key, process_names
from .known import known_of, now_of
from .memristor import MemristorParameters, refuse_beyond
from .model import (
    FILLS,
    LABELS,
    Corner,
    Module,
    Process,
    Profile,
    Purpose,
    Roles,
)

if TYPE_CHECKING:
    from .module import Stand
    from .nets import Nets
    from .shuttle import Shuttle

#: what a process is called together with its module
SUFFIX = "_crossstack"


@dataclass(frozen=True)
class Tech(Described):
    """The process: layers, films, cuts, rules and devices of one post-process profile.

    Attributes:
        profile: post-process profile of the memristor module.
        memristor, nfet, pfet: electrical device parameters.
        grid_um: manufacturing grid.
        dbu_um: database unit.
        nets: what conducts, what joins it and what is a device, beside films and cuts.
        process, module: the tables that all this comes from.
        conditions: what wires and transistors are taken at; see `at`.
        module_limits: of the module's films and cuts: (name, expression, per cut, source).
    """

    profile: Profile
    memristor: MemristorParameters
    nfet: TransistorParameters
    pfet: TransistorParameters
    grid_um: float
    dbu_um: float
    nets: Nets = field(repr=False, compare=False)
    process: Process = field(repr=False, compare=False)
    module: Module = field(repr=False, compare=False)
    module_limits: tuple[tuple[str, str, bool, str], ...] = field(repr=False, compare=False)
    conditions: Conditions = field(default_factory=Conditions)

    def __post_init__(self) -> None:
        placed = self.conditions.of(self.allowed)
        object.__setattr__(self, "conditions", placed)

    @cached_property
    def allowed(self) -> Allowed:
        """What conditions this process holds at."""
        base = self.process
        own = "" if self.key == base.name else self.key
        sums = ""
        if own:
            from .tables import table_sum

            sums = table_sum(base.folder)
        return Allowed(self.name, self.profile.name, base.supply_v, base.temperatures_c, own, sums)

    @cached_property
    def drawing(self) -> ProcessLayers:
        """What a layout of this process may draw, for whoever opens one.

        Labels do not tell that a layout is of this process, nor does 0/0, which every process
        has for something.
        """
        ruled = {name for rule in self.rules for name in rule.layers if "/" in name}
        pairs = [tuple(int(part) for part in name.split("/")) for name in ruled]
        return ProcessLayers(
            name=self.name,
            dbu_um=self.dbu_um,
            known={layer.gds: layer.name for layer in self.layers},
            telling=frozenset(
                x.gds for x in self.layers if x.purpose not in LABELS and x.gds != (0, 0)
            ),
            foreign=self.foreign,
            judged=frozenset((a, b) for a, b in pairs),
            fill=frozenset(x.gds for x in self.layers if x.purpose in FILLS),
            shared=frozenset(layer.gds for layer in self.module.layers),
            others=_described,
        )

    @cached_property
    def roles(self) -> Roles:
        """What the layers are for, those of the module included."""
        own = self.process.roles
        return replace(own, layers=own.layers + self.module.roles)

    @property
    def key(self) -> str:
        """What names the process for good: the name of one of ours, or the path of its folder."""
        return process_key(self.process.folder)

    @property
    def foreign(self) -> tuple[ForeignLayer, ...]:
        """Layers of the foundry that are not described."""
        own = {layer.gds for layer in self.module.layers}
        kept = tuple(layer for layer in self.process.foreign if layer.gds not in own)
        return kept + self._film_fill_layers

    @cached_property
    def _film_fill_layers(self) -> tuple[ForeignLayer, ...]:
        """Fill of the module's electrodes, which must touch none of its films and vias."""
        live = (Purpose.MODULE_ELECTRODE, Purpose.MODULE_OXIDE, Purpose.MODULE_CUT)
        films = tuple(layer.gds for layer in self.layers if layer.purpose in live)
        text = "fill joins or crosses the films that it touches"
        return tuple(
            ForeignLayer(fill.layer, self.gds(fill.layer), text, films, joins=True)
            for fill in self.film_fill
        )

    @cached_property
    def film_fill(self) -> tuple[FilmFill, ...]:
        """Fill of the module's electrodes; none where its folder has no table of it."""
        return film_fills(self.module.folder, self.profile)

    @property
    def shuttle(self) -> Shuttle:
        """The run that takes the dies; raises FileError if the process knows of none."""
        from .shuttle import shuttle

        return shuttle(self.process.folder)

    @cached_property
    def fill_of(self) -> dict[str, tuple[int, int]]:
        """Layer -> (layer, datatype) of its fill; none where the process knows of no shuttle."""
        found = {fill.name: self.gds(fill.layer) for fill in self.film_fill}
        if not (self.process.folder / "shuttle.toml").is_file():
            return found
        for fill in self.shuttle.fill:
            for name in self.roles.all_of(fill.role):
                found[name] = (self.gds(name)[0], fill.datatype)
        return found

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
        found = replace(conditions, sheet_resistance_ohm_sq=sheets).of(self.allowed)
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
        return replace(
            self,
            films=films,
            nfet=nfet,
            pfet=pfet,
            memristor=self._memristor(found),
            conditions=found,
        )

    def _memristor(self, conditions: Conditions) -> MemristorParameters:
        """Return the memristor with what the conditions say instead of the module."""
        # one that was put into this Tech by hand stays; what earlier conditions said does not
        own = self.module.memristor if self.conditions.device else self.memristor
        refuse_beyond(conditions.supply_v, conditions.device, "device.")
        if own == self.module.memristor:
            kept = {k: v for k, v in asdict(own).items() if k not in conditions.device}
            refuse_beyond(conditions.supply_v, kept, self.module.memristors_at)
        try:
            return own.changed(conditions.device)
        except ParameterError as error:
            raise ParameterError(f"device.{error.name}", error.value, error.allowed) from None

    def with_sheet_resistance(self, film: str, ohm_sq: float) -> Tech:
        """Return a Tech whose `film` has another typical sheet resistance, in ohm/sq.

        Raises:
            ParameterError: if the value is outside its range or the film is an insulator.
        """
        return self.at(replace(self.conditions, sheet_resistance_ohm_sq={film: ohm_sq}))

    def to_dbu(self, value_um: float) -> int:
        """Return a length of the process's tables in dbu."""
        return round(value_um / self.dbu_um)

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


@lru_cache(maxsize=1)
def _described() -> dict[str, frozenset[tuple[int, int]]]:
    """Return the processes that come with CrossStack, and the layers that each describes."""
    techs = {name: get_tech(process=name) for name in process_names()}
    return {name: frozenset(layer.gds for layer in tech.layers) for name, tech in techs.items()}


def profile_names(process: str | Path = DEFAULT) -> tuple[str, ...]:
    """Return the post-process profiles that a process has, the default first.

    Raises:
        ParameterError, ProcessError: as `get_tech`.
    """
    if str(process) == DEFAULT:
        return tuple(default_profiles())
    folder = process_folder(process)
    module = known_of(folder, now_of(folder)).module
    known = default_profiles() if module.folder == MODULES / DEFAULT_MODULE else {}
    return tuple(known) or tuple(profile.name for profile in module.profiles)


def unmeasured_tech(process: str | Path) -> Tech:
    """Return a process whose table of on resistance is to be measured and need not be there.

    Raises:
        ParameterError, ProcessError: as `get_tech`.
    """
    from .module import stand
    from .whole import read

    base, module = read(process_folder(process), measured=False)
    profile = module.profiles[0]
    return _assembled(base, module, profile, stand(module, base, profile))


@lru_cache(maxsize=16)
def _tech(folder: Path, now: object, profile: Profile) -> Tech:
    known = known_of(folder, now)
    found = known.made.get(profile)
    if isinstance(found, Tech):
        return found
    from .whole import standing

    base, module = known.base, known.module
    made = _assembled(base, module, profile, standing(base, module, profile))
    known.keep(profile, replace(made))  # without what is worked out later
    return made


def _assembled(base: Process, module: Module, profile: Profile, standing: Stand) -> Tech:
    from .module import placed
    from .programs import nets

    transistors = {model.name: model for model in base.transistors}
    return Tech(
        name=base.name + SUFFIX,
        profile=profile,
        layers=base.layers + module.layers,
        films=placed(base, module),
        diffusions=base.diffusions,
        cuts=standing.beside(base.cuts),
        rules=base.rules + standing.rules,
        memristor=module.memristor,
        nfet=transistors["nfet"],
        pfet=transistors["pfet"],
        grid_um=base.grid_um,
        dbu_um=base.dbu_um,
        nets=nets(base.folder, module.folder),
        process=base,
        module=module,
        module_limits=standing.limits,
    )


def get_tech(profile: str = "", process: str | Path = DEFAULT) -> Tech:
    """Return a process with its memristor module in a post-process profile.

    Args:
        profile: a profile of the module; by default its first.
        process: name of a process that comes with CrossStack, or the folder of another one.

    Raises:
        ParameterError: if the profile or the process does not exist.
        ProcessError: if the process is incomplete or contradicts itself.
    """
    folder = process_folder(process)
    now = now_of(folder)
    module = known_of(folder, now).module
    # a program may add profiles of its own to those of the default module
    own = default_profiles() if module.folder == MODULES / DEFAULT_MODULE else {}
    name = profile or next(iter(own), module.profiles[0].name)
    return _tech(folder, now, own.get(name) or module.profile(name))


def default_process() -> Process:
    """Return the process that is meant where none is named."""
    return known_of(HOME / DEFAULT, ()).base


def default_module() -> Module:
    """Return the module of the process that is meant where none is named."""
    return known_of(HOME / DEFAULT, ()).module


@lru_cache(maxsize=1)
def default_profiles() -> dict[str, Profile]:
    """Return the profiles of the default module by name; a program may add its own."""
    return {profile.name: profile for profile in default_module().profiles}
