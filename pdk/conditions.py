"""What wires and transistors are taken at: one value, checked once, from a command to every file.

`Tech.at(conditions)` returns a technology whose wires and transistors stand at them. A network
that is extracted with it carries them, and so does its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..base.errors import ParameterError
from ..base.spans import Span
from .memristor import device_values
from .ranges import BIAS_UM, SHEET_OHM_SQ, finite, number

CORNERS = ("typ", "min", "max")
#: degree C at which films and devices are given
REFERENCE_C = 25.0
#: what a user may choose, in the order of a configuration file's section `tech`
CHOSEN = ("sheet_resistance_ohm_sq", "corner", "temperature_c", "size_bias_um")
#: of these, what is given film by film, and how it is written
BY_FILM = {"sheet_resistance_ohm_sq": "film: ohm per square", "size_bias_um": "film: um per edge"}
_LONGEST_NAME, _LONGEST_PATH = 100, 4096


@dataclass(frozen=True)
class Allowed:
    """What a process allows, and what conditions that do not say so belong to.

    Attributes:
        process, profile: names.
        supply_v: at which the on resistances of the transistors were measured, V.
        temperatures_c: where the transistors were measured and the wires' straight lines hold.
        folder: of a process of a user's own; empty for one that comes with CrossStack.
        tables: sum over the tables of such a process.
    """

    process: str
    profile: str
    supply_v: float
    temperatures_c: tuple[float, float]
    folder: str = ""
    tables: str = ""


@dataclass(frozen=True)
class Conditions:
    """What resistances of wires and transistors are taken at.

    Attributes:
        process: name of the process; empty for that of the technology.
        profile: post-process profile; empty for that of the technology.
        sheet_resistance_ohm_sq: film name -> typical sheet resistance in ohm/sq.
        corner: ``typ``, ``min`` or ``max`` of every resistance; typ where nobody gives a corner.
        temperature_c: temperature of wires and transistors in degree C, in the range of the
            process (`temperatures_c`).
        size_bias_um: film name -> growth of what is drawn per edge in um, negative for lines
            that come out narrower.
        supply_v: level of a gate that is on, V; 0 stands for that of the technology.
        device: figures of the memristors that replace the module's (`memristor.PARAMETERS`).
        folder: where a process of a user's own was; it may have been moved since.
        tables: sum over its tables, which may have been changed since.

    Raises:
        ParameterError: for a value outside its range. What the process allows is checked by
            `of`.
    """

    process: str = ""
    profile: str = ""
    sheet_resistance_ohm_sq: Mapping[str, float] = field(default_factory=dict, hash=False)
    corner: str = "typ"
    temperature_c: float = REFERENCE_C
    size_bias_um: Mapping[str, float] = field(default_factory=dict, hash=False)
    supply_v: float = 0.0
    device: Mapping[str, Any] = field(default_factory=dict, hash=False)
    folder: str = field(default="", compare=False)
    tables: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in ("process", "profile", "folder", "tables"):
            value, most = getattr(self, name), _LONGEST_PATH if name == "folder" else _LONGEST_NAME
            if not isinstance(value, str) or len(value) > most:
                raise ParameterError(name, value, f"a text of at most {most} characters")
        if not isinstance(self.corner, str) or self.corner not in CORNERS:
            raise ParameterError("corner", self.corner, "one of " + ", ".join(CORNERS))
        clean: dict[str, Any] = {
            # their ranges are the process's: see `check`
            "temperature_c": finite(self.temperature_c, "temperature_c", "C"),
            "supply_v": finite(self.supply_v, "supply_v", "V"),
            "sheet_resistance_ohm_sq": self._films("sheet_resistance_ohm_sq", SHEET_OHM_SQ),
            "size_bias_um": self._films("size_bias_um", BIAS_UM),
            "device": _device(self.device),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    def _films(self, key: str, span: Span) -> dict[str, float]:
        values = getattr(self, key)
        if not isinstance(values, Mapping):
            raise ParameterError(key, values, BY_FILM[key])
        unit = BY_FILM[key].partition(": ")[2]
        found = {
            str(film): number(values[film], f"{key}.{film}", span.low, span.high, unit)
            for film in sorted(values, key=str)
        }
        # a film that is not named has no growth: both ways to say so are equal
        return {film: value for film, value in found.items() if value}

    @classmethod
    def from_json(cls, value: Any) -> Conditions:
        """Return the conditions that `to_json` wrote.

        Raises:
            ParameterError: if something is missing, unknown or outside its range.
        """
        names = [f.name for f in fields(cls)]
        if isinstance(value, Mapping):
            # files from before there was a choice; and of a process that has no folder of its own
            value = {"device": {}, "folder": "", "tables": "", **value}
        if not isinstance(value, Mapping) or sorted(map(str, value)) != sorted(names):
            found = sorted(map(str, value)) if isinstance(value, Mapping) else value
            raise ParameterError("conditions", found, "the keys " + ", ".join(names))
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        for key in ("folder", "tables"):
            if not found[key]:
                del found[key]
        found |= {key: dict(found[key]) for key in (*BY_FILM, "device")}
        if "table" in found["device"]:
            found["device"]["table"] = [list(point) for point in found["device"]["table"]]
        return found

    def chosen(self) -> dict[str, Any]:
        """Return what a user may choose, as in the section `tech` of a configuration file."""
        return {key: value for key, value in self.to_json().items() if key in CHOSEN}

    def check(self, allowed: Allowed) -> None:
        """Refuse what a process does not allow.

        Raises:
            ParameterError: for a temperature or supply that it was not measured at.
        """
        number(self.temperature_c, "temperature_c", *allowed.temperatures_c, "C")
        if self.supply_v:
            number(self.supply_v, "supply_v", allowed.supply_v, allowed.supply_v, "V")

    def of(self, allowed: Allowed) -> Conditions:
        """Return the conditions with what they leave to the process filled in.

        Raises:
            ParameterError: if they name another process or profile, or as `check`.
        """
        for name, mine, theirs in (
            ("process", self.process, allowed.process),
            ("profile", self.profile, allowed.profile),
        ):
            if mine not in ("", theirs):
                raise ParameterError(name, mine, f"{theirs}, that of the technology")
        self.check(allowed)
        return replace(
            self, process=allowed.process, profile=allowed.profile, supply_v=allowed.supply_v,
            folder=allowed.folder, tables=allowed.tables,
        )  # fmt: skip

    @property
    def text(self) -> str:
        """The conditions for people, in one line."""
        parts = [f"profile {self.profile}"] if self.profile else []
        parts += [f"corner {self.corner}", f"{self.temperature_c:g} C"]
        parts += [f"{f} {v:g} ohm/sq" for f, v in self.sheet_resistance_ohm_sq.items()]
        parts += [f"{f} grown by {v:g} um an edge" for f, v in self.size_bias_um.items()]
        parts += [f"device {device_text(self.device)}"] if self.device else []
        parts += [f"supply {self.supply_v:g} V"] if self.supply_v else []
        return ", ".join(parts)


def _device(values: Any) -> dict[str, Any]:
    try:
        return device_values(values)
    except ParameterError as error:
        name = error.name if error.name == "device" else f"device.{error.name}"
        raise ParameterError(name, error.value, error.allowed) from None


def device_text(values: Mapping[str, Any]) -> str:
    """Return figures of a memristor for people, e.g. ``r_on_ohm 20000, law cubic``."""
    shown = []
    for key, value in values.items():
        if key == "table":
            shown.append(f"table of {len(value)} points")
        elif not key.endswith("source"):
            shown.append(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}")
    return ", ".join(shown)


def differences(a: Conditions, b: Conditions) -> Iterator[str]:
    """Yield ``temperature_c 85 and 25`` for each value that two conditions do not share."""
    for f in (f for f in fields(Conditions) if f.compare):
        ours, theirs = getattr(a, f.name), getattr(b, f.name)
        if ours != theirs:
            yield f"{f.name} {_shown(ours)} and {_shown(theirs)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={_shown(v)}" for k, v in value.items()) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def agree(stored: Mapping[str, Any], here: Conditions) -> None:
    """Refuse to work on a network with a technology at other conditions than the network's.

    Args:
        stored: what the network carries; empty, if it was made by hand, goes with any.
        here: of the technology.

    Raises:
        ParameterError: naming what differs.
    """
    if stored and (found := list(differences(Conditions.from_json(stored), here))):
        raise ParameterError(
            "conditions", "; ".join(found),
            "those that the network was extracted at: tech.at(network.conditions)",
        )  # fmt: skip
