"""What a layout has and its network lacks, so that no later step takes a part for the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...base.errors import NetworkError

#: nets and devices that a line names
_NAMED = 6


@dataclass(frozen=True)
class LeftOut:
    """What the extraction of a network did not take into account.

    Attributes:
        ideal_nets: nets that carry current and are wires without resistance, as they were not
            among the nets that were asked for.
        devices: one line for each device, or group of devices, that is on no wire or in no place
            of the array, and why.
    """

    ideal_nets: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ideal_nets or self.devices)

    @property
    def lines(self) -> tuple[str, ...]:
        """What was left out and what that means for every figure, for people."""
        return (*self._ideal(), *self._missing())

    def _ideal(self) -> Iterator[str]:
        if self.ideal_nets:
            count = len(self.ideal_nets)
            nets = "net was" if count == 1 else "nets were"
            yield (
                f"{count} {nets} extracted without resistance ({_some(self.ideal_nets)}): wires "
                "that lose nothing, whose currents nobody compares with a limit"
            )

    def _missing(self) -> Iterator[str]:
        if self.devices:
            yield (
                f"the extraction left devices out, all figures are without them: "
                f"{_some(self.devices, '; ')}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {key: list(value) for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LeftOut:
        """Return what `to_json` gave.

        Raises:
            NetworkError: for another value.
        """
        known = cls().to_json()
        if value.keys() != known.keys():
            raise NetworkError(f"left_out holds {sorted(value)[:4]}, allowed: {sorted(known)}")
        for key, lines in value.items():
            if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
                raise NetworkError(f"left_out holds {key} that are no list of texts")
        return cls(**{key: tuple(lines) for key, lines in value.items()})


def _some(names: tuple[str, ...], between: str = ", ") -> str:
    more = len(names) - _NAMED
    shown = between.join(names[:_NAMED])
    return f"{shown}{between}and {more} more" if more > 0 else shown
