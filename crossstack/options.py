"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .pdk import PROFILES

F = TypeVar("F", bound=Callable[..., Any])

#: a file that must exist; a missing one is a usage error
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=True, path_type=Path)


class CellKind(click.Choice):  # type: ignore[type-arg]
    """A cell of ours, or an array cell of an installed package (asked for only if needed)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name, or refuse it with every name that there is."""
        if value in self.choices:
            return value
        from .cells import array_cell_names

        return click.Choice(array_cell_names()).convert(value, param, ctx)


CELL_KINDS = CellKind(["hybrid", "passive", "planar", "passive_planar"])
TOPS = click.Choice(["array", "macro", "testchip"])
PROFILE_NAMES = click.Choice(list(PROFILES))

_ARRAY_OPTIONS = (
    click.option("--rows", type=int, help="Row pairs, 1 to 1024 (default 10)."),
    click.option("--cols", type=int, help="Columns, 1 to 1024 (default 10)."),
    click.option("--cell", type=CELL_KINDS, help="2T2R, plain stacked lines, or one tier."),
    click.option("--top", type=TOPS, help="Bare array, macro with switches, or test chip."),
    click.option("--switch-wn-um", type=float, help="Width of the mode switches' NMOS in um."),
    click.option("--switch-wp-um", type=float, help="Width of the mode switches' PMOS in um."),
    click.option("--kelvin/--no-kelvin", default=None, help="Sense pin on every line (macro)."),
    click.option("--profile", type=PROFILE_NAMES, help="What the post-process lab resolves."),
    click.option("--device-um", type=float, help="Side of the smallest device in um."),
    click.option("--select-w-um", type=float, help="Width of the select transistors in um."),
    click.option("--pitch-x-um", type=float, help="Cell pitch along x (default: the least)."),
    click.option("--pitch-y-um", type=float, help="Cell pitch along y (default: the least)."),
    click.option("--name", help="Name of the top cell and of the files."),
)


def array_options(function: F) -> F:
    """Add a configuration file and the array's parameters to a command."""
    for option in reversed(_ARRAY_OPTIONS):
        function = option(function)
    return click.argument("config", required=False, type=EXISTING)(function)


def layout_options(function: F) -> F:
    """Add a layout file, its top cell and its profile to a command."""
    function = click.option(
        "--profile",
        type=PROFILE_NAMES,
        help="Post-process profile (default: from the manifest beside FILE, else stepper).",
    )(function)
    function = click.option("--top", help="Top cell, if FILE has several.")(function)
    return click.argument("file", type=EXISTING)(function)


def out_option(text: str, default: Path | None = None) -> Callable[[F], F]:
    """Add -o/--out."""
    return click.option("-o", "--out", type=FOLDER, default=default, help=text)


def is_folder(out: Path) -> bool:
    """Return whether -o names a folder: one that exists, or a name without an ending."""
    return out.is_dir() or not out.suffix


def check_table(out: Path | None) -> None:
    """Refuse a table that is no .csv or has no folder to stand in, before hours of work.

    Raises:
        ConfigError: naming the file.
    """
    from .errors import ConfigError

    if out is None or is_folder(out):
        return
    if out.suffix != ".csv":
        raise ConfigError(f"-o {out}: a table ends in .csv; a name without an ending is a folder")
    if not out.parent.is_dir():
        raise ConfigError(f"-o {out}: there is no folder {out.parent}")


def check_results_folder(out: Path | None) -> None:
    """Refuse a folder whose manifest would no longer be true of its files.

    Raises:
        ConfigError: naming the folder.
    """
    from .errors import ConfigError
    from .files import MANIFEST

    if out is not None and (out / MANIFEST).is_file():
        raise ConfigError(f"{out} holds a build or comparison; choose another folder")
