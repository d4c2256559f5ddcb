"""Configuration: a YAML file and command-line options become one checked `RunConfig`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.errors import ConfigError
from .pdk import Conditions, ParameterError, Tech, get_tech
from .pdk.conditions import BY_FILM, CHOSEN

if TYPE_CHECKING:
    from .generators import ArraySpec


@dataclass(frozen=True)
class RunConfig:
    """Everything a build needs to know.

    Attributes:
        spec: what is drawn.
        tech: what its wires and transistors are taken at; the layout does not depend on it.
    """

    spec: ArraySpec
    tech: Conditions

    def resolved_tech(self) -> Tech:
        """Return the technology at the user's conditions."""
        return self.spec.tech().at(self.tech)

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as they would stand in a configuration file."""
        spec = {f.name: getattr(self.spec, f.name) for f in fields(self.spec)}
        return {**spec, "name": self.spec.top_name, "tech": self.tech.chosen()}


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
    return config_of(read_values(path, options))


def read_values(path: Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a file with command-line options on top, not checked yet."""
    values = {} if path is None else read_yaml(path)
    if path is not None:
        _check_file(path, values)
    return values | {key: value for key, value in options.items() if value is not None}


def _check_file(path: Path, values: Mapping[str, Any]) -> None:
    """Refuse a key that does not exist, naming the file; values are checked with the options.

    Raises:
        ConfigError: naming file and key.
    """
    from .generators.spec import ArraySpec

    tech = values.get("tech")
    try:
        check_keys(values, [*_names(ArraySpec), "tech"], "")
        if isinstance(tech, Mapping):
            _check_tech_keys(tech)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def keys() -> list[str]:
    """Return every key that a configuration file may hold, with dots for sections."""
    from .generators.spec import ArraySpec

    found = _names(ArraySpec)
    for key in CHOSEN:
        films = get_tech().conductors if key in BY_FILM else ()
        found += [f"tech.{key}.{film}" for film in films] or [f"tech.{key}"]
    return found


def conditions_of(values: Any) -> Conditions:
    """Return the conditions that the section `tech` of a configuration file asks for.

    Raises:
        ConfigError: for an unknown key or film.
        ParameterError: for a value outside its range.
    """
    if values is None:
        return Conditions()
    if not isinstance(values, Mapping):
        raise ParameterError("tech", values, "a section with keys " + ", ".join(CHOSEN))
    _check_tech_keys(values)
    # an empty section (`sheet_resistance_ohm_sq:`) means no changes
    filled: dict[str, Any] = {key: {} for key in BY_FILM if key in values and values[key] is None}
    try:
        return Conditions(**{**values, **filled})
    except ParameterError as error:
        raise ParameterError(f"tech.{error.name}", error.value, error.allowed) from None


def _check_tech_keys(values: Mapping[str, Any]) -> None:
    check_keys(values, CHOSEN, "tech.")
    for key in BY_FILM:
        if isinstance(films := values.get(key), Mapping):
            # films are the same for every profile
            check_keys(films, get_tech().conductors, f"tech.{key}.")


def config_of(values: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that values, as in a file, describe.

    Raises:
        ConfigError: for an unknown key.
        ParameterError: for a value outside its range.
    """
    from .generators import ArraySpec

    check_keys(values, [*_names(ArraySpec), "tech"], "")
    spec = {key: value for key, value in values.items() if key != "tech"}
    return RunConfig(ArraySpec.from_mapping(spec), conditions_of(values.get("tech")))


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; a key that appears twice is an error."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        keys = [loader.construct_object(key) for key, _ in node.value]  # type: ignore[no-untyped-call]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise ConfigError(f"{path}: {twice[0]!r} appears twice")
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file") from None
    try:
        values = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{path}{where}: {problem}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path} does not hold keys and values (rows: 10, cols: 10, ...)")
    return values


def check_keys(values: Iterable[Any], known: Iterable[str], prefix: str) -> None:
    """Refuse a key that does not exist; the nearest one is named.

    Raises:
        ConfigError: naming the key.
    """
    names = list(known)
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"no such key {prefix}{key}{hint} (known: {', '.join(names)})")


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
