"""What is wrong with a target, said before anything is computed."""

from __future__ import annotations

from ..base.errors import ConfigError
from ..pdk import CrossStackError
from ..sweep import refusal
from .target import Target

#: places in every other list of values that an end is tried with
_OTHERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def check(target: Target) -> None:
    """Refuse a free parameter one end of which no array can have, and conditions that cannot be.

    Raises:
        ConfigError: naming the file's line, the key, its value and what is allowed.
    """
    sizes = [len(each.values) for each in target.free]
    for place, free in enumerate(target.free):
        ends = (0, sizes[place] - 1) if free.ordered else range(sizes[place])
        for end in dict.fromkeys(ends):
            error = _refused(target, sizes, place, end)
            if error is not None:
                where = target.places.get(f"free.{free.key}", "free")
                # what is fixed, or free beside it, may be what is wrong
                named = target.place(error) or where
                about = f"free.{free.key}: " if named == where else ""
                raise ConfigError(f"{named}: {about}{error}")


def _refused(target: Target, sizes: list[int], place: int, value: int) -> CrossStackError | None:
    """Return why a value cannot be had; None if it can with some others."""
    error: CrossStackError | None = None
    for share in _OTHERS:
        choice = [round(share * (size - 1)) for size in sizes]
        choice[place] = value
        try:
            configs = target.configs(choice)
        except CrossStackError as refused:
            error = error or refused
            continue
        wrong = [why for config in configs if (why := refusal(config)) is not None]
        if not wrong:
            return None
        error = error or wrong[0]
    return error
