"""The parameters of an array as options, each with the help that its declaration gives."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click

from .base.errors import CrossStackError
from .cells.parameters import ARRAY, Declared
from .named import CELL_KINDS, EXISTING, PROFILE_NAMES
from .options import F, said
from .pdk.home import DEFAULT
from .pdk.ranges import MAX_LINES
from .typed import NUMBER, WHOLE, NearChoice

_TYPES: dict[str, Any] = {
    **{key: NearChoice(declared.words) for key, declared in ARRAY.items() if declared.is_word},
    "cell": CELL_KINDS, "profile": PROFILE_NAMES, "process": str, "name": str,
}  # fmt: skip
#: what is declared of an array, where only macros are drawn
_OF_MACROS: dict[str, dict[str, Any]] = {
    "rows": {"high": MAX_LINES // 2, "more": "as the planar baseline has twice as many"},
    "cell": {"text": "hybrid; the cells beside it are drawn anyway", "default": ""},
    "top": {"text": "macro; nothing else is compared", "default": ""},
    "kelvin": {"default": True, "only": ""},
    "read_switch": {"only": ""},
    "periphery": {"only": ""},
    "switch_wn_um": {"only": ""},
    "switch_wp_um": {"only": ""},
}


class ArrayOption(click.Option):
    """A parameter of an array, whose help gives the least value of the process that is named.

    Without ``--process`` it says what decides that value: no table is read for a help text.

    Args:
        names: the key of `ARRAY` alone.
        declared: what is declared of it.
    """

    def __init__(self, names: Sequence[str], *, declared: Declared) -> None:
        name = names[0]
        flag = f"--{name.replace('_', '-')}"
        kind: Any = _TYPES.get(name, WHOLE if isinstance(declared.default, int) else NUMBER)
        if isinstance(declared.default, bool):
            flag, kind = f"{flag}/--no-{flag[2:]}", None
        super().__init__([flag], type=kind, default=None, help=declared.sentence())
        self._key, self._declared = name, declared

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return flag and help, with the figure of the process on the command line."""
        text, process = self.help, said(ctx, "--process")
        if process and isinstance(self._declared.low, str):
            from .generators.ranges import range_um
            from .pdk import get_tech

            with suppress(CrossStackError):
                tech = get_tech(said(ctx, "--profile"), process)
                self.help = self._declared.sentence(*range_um(tech, self._key))
        record = super().get_help_record(ctx)
        self.help = text
        return record


def array_options(function: F) -> F:
    """Add a configuration file and the array's parameters to a command."""
    return _add_options(function, {})


def macro_options(function: F) -> F:
    """Add the same to a command that draws macros only."""
    return _add_options(function, _OF_MACROS)


def _add_options(function: F, other: dict[str, dict[str, Any]]) -> F:
    for name, declared in reversed(ARRAY.items()):
        if name == "process":
            declared = replace(declared, default=DEFAULT)
        known = replace(declared, **other.get(name, {}))
        function = click.option(name, cls=ArrayOption, declared=known)(function)
    return click.argument("config", required=False, type=EXISTING)(function)
