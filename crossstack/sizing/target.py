"""A target file: what is fixed, what is free, what must hold and what is to be best."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..base.errors import ConfigError, MissingError, ParameterError, nearest
from ..config import RunConfig, check_keys, config_of, keys, place_of, read_file, set_value
from .metrics import METRICS, Metric

SECTIONS = ("array", "conditions", "targets", "free", "optimise", "search")
RANGE = ("min", "max", "step")
#: keys of an array that no search may choose
FIXED = ("name", "process")
#: values that one free parameter may have, and figures to be best in at once
MOST_VALUES, MOST_GOALS = 10_000, 3
#: key of `search` -> (default, least, most)
SEARCH = {
    "seed": (1, 0, 2**31 - 1),
    "candidates": (400, 1, 100_000),
    "points": (5, 1, 50),
    "minutes": (None, 0.05, 10_080),
}


@dataclass(frozen=True)
class Free:
    """A parameter that the search may choose.

    Attributes:
        key: of the configuration, with dots for sections.
        values: what it may be, the numbers of a range in their order.
        ordered: whether neighbours are alike.
    """

    key: str
    values: tuple[Any, ...]
    ordered: bool


@dataclass(frozen=True)
class Target:
    """What `crossstack size` is asked for.

    Attributes:
        base: what is fixed, as in a configuration file.
        conditions: sections `tech`, at all of which the targets must hold; empty for that of the
            array.
        bounds: metric -> what it must reach.
        free: what may be chosen.
        goals: metrics that are to be as good as can be.
        search: keys of `SEARCH`.
        places: dotted key -> file and line; what is fixed and free under its own key, too.
    """

    base: Mapping[str, Any]
    conditions: tuple[Mapping[str, Any], ...]
    bounds: Mapping[str, float]
    free: tuple[Free, ...]
    goals: tuple[str, ...]
    search: Mapping[str, Any]
    places: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """Number of combinations."""
        return math.prod(len(each.values) for each in self.free)

    @property
    def wanted(self) -> list[Metric]:
        """Metrics that matter here: bounds and goals."""
        return [METRICS[name] for name in dict.fromkeys([*self.bounds, *self.goals])]

    def chosen(self, choice: Iterable[int]) -> dict[str, Any]:
        """Return key -> value of a combination, given by the places in each list of values."""
        return {f.key: f.values[k] for f, k in zip(self.free, choice, strict=True)}

    def configs(self, choice: Iterable[int]) -> list[RunConfig]:
        """Return what a combination stands for, one configuration per condition.

        Raises:
            ParameterError: for a value that its key does not take at all.
        """
        values = copy.deepcopy(dict(self.base))
        for key, value in self.chosen(choice).items():
            set_value(values, key, value)
        if not self.conditions:
            return [config_of(values)]
        found = []
        for k, tech in enumerate(self.conditions):
            with _called("tech", f"conditions[{k}]"):
                found.append(config_of({**values, "tech": dict(tech)}))
        return found

    def place(self, error: Exception) -> str | None:
        """Return file and line of the key that an error is about; None if it is about none."""
        return place_of(getattr(error, "name", ""), self.places)

    def to_json(self) -> dict[str, Any]:
        """Return the target as its file would say it."""
        return {
            "array": dict(self.base),
            "conditions": [dict(tech) for tech in self.conditions],
            "targets": dict(self.bounds),
            "free": {each.key: list(each.values) for each in self.free},
            "optimise": list(self.goals),
            "search": dict(self.search),
        }


def read_target(path: Path) -> Target:
    """Return the target of a file.

    Raises:
        ConfigError: naming file, line, key, value and what is allowed.
        FileError: for a file that cannot be read.
    """
    values, lines = read_file(path)
    places = _places({key: f"{path}, line {line}" for key, line in lines.items()})
    try:
        target = _target(values, places)
        target.configs([0] * len(target.free))
    except (ConfigError, ParameterError) as error:
        place = place_of(error.name, places) or str(path)
        raise ConfigError(f"{place}: {error}") from None
    return target


def _places(found: Mapping[str, str]) -> dict[str, str]:
    """Return the places of a file's keys, those that are fixed or free as a configuration's, too.

    What is missing in a section, such as the other resistance of a device, stands at it.
    """
    known = dict(found)
    for section in ("free", "array"):
        keys_of = {k: v for k, v in found.items() if k.startswith(f"{section}.")}
        for key, place in keys_of.items():
            name = key.removeprefix(f"{section}.")
            known.setdefault(name, place)
            if "." in name:
                known.setdefault(name.partition(".")[0], place)
    return known


@contextmanager
def _called(section: str, name: str) -> Iterator[None]:
    """Let an error about a section of a configuration name it as the target does."""
    try:
        yield
    except ParameterError as error:
        if not error.name.startswith(f"{section}."):
            raise
        named = name + error.name.removeprefix(section)
        raise ParameterError(named, error.value, error.allowed) from None
    except ConfigError as error:
        raise ConfigError(str(error), name + error.name.removeprefix(section)) from None


def _target(values: Mapping[str, Any], places: Mapping[str, str]) -> Target:
    _check_sections(values)
    base = _section(values, "array")
    check_keys(base, _top_keys(), "array.")
    if base.get("top") == "testchip":
        raise ParameterError("array.top", "testchip", "array or macro: a die is not extracted")
    free = tuple(_free(_section(values, "free"), base))
    if not free:
        raise MissingError("free", None, "at least one key with a range or a list of values")
    bounds = _bounds(_section(values, "targets"))
    conditions = _conditions(values.get("conditions", ()), base, free)
    goals = _goals(values.get("optimise", ["area_um2"]))
    search = _search(_section(values, "search"))
    return Target(base, conditions, bounds, free, goals, search, places)


def _check_sections(values: Mapping[str, Any]) -> None:
    """Refuse an unknown section; that of an array's file says where its keys belong.

    Raises:
        ConfigError: naming the key.
    """
    try:
        check_keys(values, SECTIONS, "")
    except ConfigError as error:
        if error.name not in _top_keys():
            raise
        text = f"{error.name} is a key of an array: in a target it belongs under array:"
        raise ConfigError(
            f"{text} (sections of a target: {', '.join(SECTIONS)})", error.name
        ) from None


def _section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ParameterError(name, found, "a section with keys and values")
    return dict(found)


def _top_keys() -> list[str]:
    return [*dict.fromkeys(key.partition(".")[0] for key in keys())]


def _free(values: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[Free]:
    seen: set[str] = set()
    for key, given in _flat(values):
        if key in FIXED:
            raise ConfigError(f"free.{key}: it cannot be free; put it under array", f"free.{key}")
        check_keys([key], [known for known in keys() if known not in FIXED], "free.")
        if key in seen:
            raise ConfigError(f"free.{key} is there twice", f"free.{key}")
        seen.add(key)
        if _given(base, key):
            text = f"free.{key} stands under array, too: it is fixed or free, not both"
            raise ConfigError(text, f"free.{key}")
        yield _one(key, given)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys; a mapping is a range or a section."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and not set(map(str, value)) & set(RANGE):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _given(base: Mapping[str, Any], key: str) -> bool:
    inner: Any = base
    for name in key.split("."):
        if not isinstance(inner, Mapping) or name not in inner:
            return False
        inner = inner[name]
    return True


def _one(key: str, given: Any) -> Free:
    name = f"free.{key}"
    if isinstance(given, Mapping):
        return Free(key, tuple(_range(name, given)), ordered=True)
    if not isinstance(given, list) or not given:
        raise ParameterError(name, given, "a list of values, or {min: , max: , step: }")
    if any(isinstance(v, list | Mapping) for v in given):
        raise ParameterError(name, given, "a list of single values")
    if len({f"{type(v).__name__} {v}" for v in given}) < len(given):
        raise ParameterError(name, given, "every value once")
    _few(name, len(given))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)
    return Free(key, tuple(sorted(given)) if numbers else tuple(given), ordered=numbers)


def _range(name: str, given: Mapping[str, Any]) -> list[Any]:
    check_keys(given, RANGE, f"{name}.")
    for part in RANGE:
        if part not in given:
            raise MissingError(f"{name}.{part}", None, "a range is {min: , max: , step: }")
        if not _is_number(given[part]):
            raise ParameterError(f"{name}.{part}", given[part], "a finite number")
    low, high, step = (given[part] for part in RANGE)
    if not high >= low:
        raise ParameterError(f"{name}.max", high, f"min = {low:g} or more")
    if not step > 0:
        raise ParameterError(f"{name}.step", step, "above 0")
    count = math.floor((high - low) / step + 1e-9) + 1
    _few(name, count)
    if all(isinstance(v, int) for v in (low, high, step)):
        return [low + k * step for k in range(count)]
    return [round(low + k * step, 9) for k in range(count)]


def _few(name: str, count: int) -> None:
    if count > MOST_VALUES:
        raise ParameterError(name, f"{count} values", f"at most {MOST_VALUES}; take a larger step")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bounds(values: Mapping[str, Any]) -> dict[str, float]:
    check_keys(values, METRICS, "targets.")
    if not values:
        raise MissingError("targets", None, "at least one of " + ", ".join(METRICS))
    for name, value in values.items():
        most = METRICS[name].most
        ends = "above 0" + ("" if math.isinf(most) else f", below {most:g} (a part, not per cent)")
        if not _is_number(value) or not 0 < value < most:
            raise ParameterError(f"targets.{name}", value, f"a number {ends}")
    return {name: float(value) for name, value in values.items()}


def _conditions(
    given: Any, base: Mapping[str, Any], free: Iterable[Free]
) -> tuple[Mapping[str, Any], ...]:
    if given is None or given == ():
        return ()
    if not isinstance(given, list) or not given or len(given) > 16:
        raise ParameterError("conditions", given, "a list of 1 to 16 sections as tech of an array")
    if "tech" in base or any(each.key.startswith("tech.") for each in free):
        text = "conditions: take them or tech under array or free, not both"
        raise ConfigError(text, "conditions")
    for k, tech in enumerate(given):
        if not isinstance(tech, Mapping):
            raise ParameterError(f"conditions[{k}]", tech, "a section as tech of an array")
    return tuple(dict(tech) for tech in given)


def _goals(given: Any) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_GOALS:
        raise ParameterError("optimise", given, f"a list of 1 to {MOST_GOALS} figures")
    for k, name in enumerate(names):
        if name not in METRICS:
            known = f"no such figure{nearest(name, METRICS)} (known: {', '.join(METRICS)})"
            raise ParameterError(f"optimise[{k}]", name, known)
    if len(set(names)) < len(names):
        raise ParameterError("optimise", names, "every figure once")
    return tuple(names)


def _search(values: Mapping[str, Any]) -> dict[str, Any]:
    check_keys(values, SEARCH, "search.")
    found = {}
    for key, (default, least, most) in SEARCH.items():
        value = values.get(key, default)
        whole = key != "minutes"
        fits = value is None and default is None
        if not fits and (
            not _is_number(value)
            or (whole and not isinstance(value, int))
            or not least <= value <= most
        ):
            kind = "a whole number" if whole else "a number"
            raise ParameterError(f"search.{key}", value, f"{kind} from {least:g} to {most:g}")
        found[key] = value
    return found


def describe(target: Target) -> str:
    """Return the search space in words."""
    parts = [f"{each.key} ({len(each.values)})" for each in target.free]
    return ", ".join(parts) + f": {target.size} combinations"
