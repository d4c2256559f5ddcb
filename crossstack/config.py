"""Configuration: a YAML file and command-line options become one checked `RunConfig`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.documents import read_yaml
from .base.errors import ConfigError, nearest, shortened
from .pdk import DEFAULT, Conditions, ParameterError, Tech, get_tech, profile_names
from .pdk.conditions import BY_FILM, CHOSEN
from .pdk.home import process_names
from .pdk.memristor import PARAMETERS

if TYPE_CHECKING:
    from .generators import ArraySpec


#: sections of a file, beside the keys of the array
_SECTIONS = ("tech", "device")


@dataclass(frozen=True)
class RunConfig:
    """Everything a build needs to know.

    Attributes:
        spec: what is drawn.
        tech: what its wires, transistors and memristors are taken at; the layout does not depend
            on it.
    """

    spec: ArraySpec
    tech: Conditions

    def resolved_tech(self) -> Tech:
        """Return the technology at the user's conditions."""
        return self.spec.tech().at(self.tech)

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as they would stand in a configuration file."""
        spec = {f.name: getattr(self.spec, f.name) for f in fields(self.spec)}
        found = {**spec, "name": self.spec.top_name, "tech": self.tech.chosen()}
        return found | {"device": self.tech.to_json()["device"]}


class Values(dict[str, Any]):
    """Values of a configuration that know where they stand.

    Attributes:
        places: dotted key -> file and line, or the option, that it came from; not of others.
    """

    def __init__(self, values: Mapping[str, Any], places: Mapping[str, str]) -> None:
        super().__init__(values)
        self.places = places

    def varied(self, keys: Collection[str], option: str) -> Values:
        """Return them with an option as the place of some keys, whose values it replaces."""
        sections = [key.rpartition(".")[0] for key in keys if "." in key]
        return Values(self, {**self.places, **dict.fromkeys([*sections, *keys], option)})

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let an error about one of these values name its file and line, or its option.

        Raises:
            ConfigError: naming it.
        """
        try:
            yield
        except (ConfigError, ParameterError) as error:
            if (place := place_of(error.name, self.places)) is None:
                raise
            raise ConfigError(f"{place}: {error}") from None


def place_of(name: str, places: Mapping[str, str]) -> str | None:
    """Return where a key stands; of one that does not, where the section around it does.

    Args:
        name: the key, as ``device.table[2]``.
        places: dotted key -> file and line, or option.
    """
    while name and name not in places:
        name = name[: max(name.rfind("."), name.rfind("["), 0)]
    return places.get(name)


def load_config(path: Path | None, options: Mapping[str, Any]) -> RunConfig:
    """Return the configuration of a file with command-line options on top.

    Args:
        path: YAML file, or None for options alone.
        options: ArraySpec keys; None means not given.

    Raises:
        ConfigError: for a file that is not YAML or not a mapping.
        ParameterError: for an unknown key or a value outside its range.
        FileError: for a file that cannot be read.
    """
    values = read_values(path, options)
    with values.named():
        config = config_of(values)
        config.resolved_tech()  # names a film or resistance that cannot be
        return config


def read_values(path: Path | None, options: Mapping[str, Any]) -> Values:
    """Return the values of a file with command-line options on top, not checked yet."""
    found, lines = ({}, {}) if path is None else read_file(path)
    given = {key: value for key, value in options.items() if value is not None}
    places = {key: f"{path}, line {line}" for key, line in lines.items() if key not in given}
    values = Values(found | given, places)
    if path is not None:
        _refuse_conditions(values)
        _check_file(path, found, lines)
    return values


def _refuse_conditions(values: Values) -> None:
    """Refuse conditions that no table reaches, before anything that draws is even loaded.

    Raises:
        ConfigError: naming file, line and key.
    """
    with values.named():
        try:
            conditions_of(values.get("tech"), values.get("process"))
        except ConfigError:  # an unknown key; its line is named later
            return


def _check_file(path: Path, values: Mapping[str, Any], lines: Mapping[str, int]) -> None:
    """Refuse a key that does not exist, naming the file; values are checked with the options.

    Raises:
        ConfigError: naming file, line and key.
    """
    from .generators.spec import ArraySpec

    def check(keys: Iterable[str], known: Iterable[str], prefix: str) -> None:
        for key in keys:
            try:
                check_keys([key], known, prefix)
            except ConfigError as error:
                raise ConfigError(f"{path}, line {lines.get(error.name, 1)}: {error}") from None

    tech = values.get("tech")
    check(values, [*_names(ArraySpec), *_SECTIONS], "")
    if isinstance(device := values.get("device"), Mapping):
        check(device, PARAMETERS, "device.")
    if isinstance(tech, Mapping):
        check(tech, CHOSEN, "tech.")
        for key in BY_FILM:
            if isinstance(films := tech.get(key), Mapping):
                check(films, _conductors(values.get("process")), f"tech.{key}.")


def set_value(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a key of a configuration in place; a dot leads into a section."""
    *sections, last = key.split(".")
    for name in sections:
        inner = values.get(name)
        values[name] = dict(inner) if isinstance(inner, Mapping) else {}
        values = values[name]
    values[last] = value


def keys() -> list[str]:
    """Return every key that a configuration file may hold, with dots for sections."""
    from .generators.spec import ArraySpec

    found = _names(ArraySpec)
    for key in CHOSEN:
        films = get_tech().conductors if key in BY_FILM else ()
        found += [f"tech.{key}.{film}" for film in films] or [f"tech.{key}"]
    return found + [f"device.{key}" for key in PARAMETERS]


def _any_tech(process: Any) -> Tech:
    """Return a process in its first profile, for what is the same in every profile."""
    given = DEFAULT if process is None else process
    return get_tech(profile_names(given)[0], given)


def _conductors(process: Any) -> tuple[str, ...]:
    """Return the films that a process conducts in."""
    return _any_tech(process).conductors


def conditions_of(values: Any, process: Any = None, device: Any = None) -> Conditions:
    """Return the conditions that two sections of a configuration file ask for.

    Args:
        values: the section `tech`.
        process: whose films they may name; None for the default.
        device: the section `device`.

    Raises:
        ConfigError: for an unknown key or film.
        ParameterError: for a value outside its range.
    """
    memristor = Conditions(device={} if device is None else device)
    if values is None:
        return memristor
    if not isinstance(values, Mapping):
        raise ParameterError("tech", values, "a section with keys " + ", ".join(CHOSEN))
    allowed = _any_tech(process).allowed
    _check_tech_keys(values, process)
    # an empty section (`sheet_resistance_ohm_sq:`) means no changes
    filled: dict[str, Any] = {key: {} for key in BY_FILM if key in values and values[key] is None}
    try:
        made = replace(memristor, **{**values, **filled})
        made.check(allowed)
        return made
    except ParameterError as error:
        raise ParameterError(f"tech.{error.name}", error.value, error.allowed) from None


def _check_tech_keys(values: Mapping[str, Any], process: Any) -> None:
    check_keys(values, CHOSEN, "tech.")
    for key in BY_FILM:
        if isinstance(films := values.get(key), Mapping):
            check_keys(films, _conductors(process), f"tech.{key}.")


def config_of(values: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that values, as in a file, describe.

    Raises:
        ConfigError: for an unknown key.
        ParameterError: for a value outside its range.
    """
    from .generators import ArraySpec

    check_keys(values, [*_names(ArraySpec), *_SECTIONS], "")
    spec = {key: value for key, value in values.items() if key not in _SECTIONS}
    at = conditions_of(values.get("tech"), values.get("process"), values.get("device"))
    return RunConfig(ArraySpec.from_mapping(spec), at)


def read_file(path: Path) -> tuple[dict[str, Any], Mapping[str, int]]:
    """Return the mapping in a YAML file, and dotted key -> line.

    Raises:
        ConfigError: if it is no YAML, or holds no mapping.
        FileError: if it cannot be read.
    """
    found = read_yaml(path)
    if not found.values and isinstance(found.values, dict | None):
        raise ConfigError(f"{path} is empty: a configuration holds keys and values (rows: 10, ...)")
    if not isinstance(found.values, dict):
        raise ConfigError(f"{path} does not hold keys and values (rows: 10, cols: 10, ...)")
    if isinstance(process := found.values.get("process"), str):
        found.values["process"] = _beside(path, process)
    return found.values, found.lines


def _beside(path: Path, process: str) -> str:
    """Return the process that a file names: a folder is meant from where the file lies."""
    if not process or process in process_names() or process.startswith("~"):
        return process
    return str(path.parent / process)


def check_keys(values: Iterable[Any], known: Iterable[str], prefix: str) -> None:
    """Refuse a key that does not exist; the nearest one is named.

    Raises:
        ConfigError: naming the key.
    """
    names = list(known)
    for key in values:
        if key not in names:
            hint = nearest(key, names, 0.5)
            shown = shortened(str(key))[1:-1]
            known_ones = ", ".join(names)
            raise ConfigError(
                f"no such key {prefix}{shown}{hint} (known: {known_ones})", f"{prefix}{key}"
            )


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return ``key old -> new`` for the parameters that two results do not share.

    Args:
        old: parameters as a manifest holds them.
        new: the same of another result. A key that only `new` knows is of a later version and
            says nothing.
        prefix: section that they stand in, with its dot.
    """
    found = []
    for key in [key for key in new if key in old or prefix]:
        before, after = old.get(key), new[key]
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            found += differences(before or {}, after or {}, f"{prefix}{key}.")
        elif before != after:
            found.append(f"{prefix}{key} {_shown(before)} -> {_shown(after)}")
    gone = [key for key in old if key not in new] if prefix else []
    return found + [f"{prefix}{key} {_shown(old[key])} -> default" for key in gone]


def _shown(value: Any) -> str:
    return "default" if value is None else str(value)


def _names(cls: type) -> list[str]:
    return [f.name for f in fields(cls)]
