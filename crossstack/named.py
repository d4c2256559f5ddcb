"""Files, cells and profiles on the command line, as click reads and completes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base.errors import CrossStackError
from .base.inputs import regular_file
from .cells.parameters import CELL_NAMES
from .pdk.home import DEFAULT, usual_profiles
from .typed import NearChoice

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _Text = click.ParamType[str]
else:  # click before 8.3 has no type of a type
    _Text = click.ParamType


class InputPath(click.Path):
    """What a command reads: a file, or also a folder; a missing one is a usage error.

    A pipe or device, which may have no end, is refused before anything opens it.
    """

    def __init__(self, *, folder: bool = False) -> None:
        super().__init__(exists=True, dir_okay=folder, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises:
            FileError: for a pipe or device, or a file that may not be read.
        """
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        return path if path.is_dir() else regular_file(path)


EXISTING = InputPath()
EXISTING_OR_FOLDER = InputPath(folder=True)
FOLDER = click.Path(file_okay=True, path_type=Path)


class CellKind(NearChoice):
    """A cell of ours, or an array cell of an installed package (asked for only if needed)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name, or refuse it with every name that there is."""
        if value in self.choices:
            return value
        from .cells import array_cell_names

        return NearChoice(array_cell_names()).convert(value, param, ctx)


CELL_KINDS = CellKind(CELL_NAMES)


class ProfileName(_Text):
    """A profile of whatever process is meant, which is checked where that is known."""

    name = "profile"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Show the profiles of the default process, as an example."""
        return f"[{'|'.join(usual_profiles())}|...]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the profiles of the process on the command line."""
        from click.shell_completion import CompletionItem  # takes a while, and is seldom needed

        from .pdk import profile_names

        try:
            known = profile_names(ctx.params.get("process") or DEFAULT)
        except CrossStackError:
            return []
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


PROFILE_NAMES = ProfileName()
