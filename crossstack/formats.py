"""--format and --output: a verdict in formats for CI systems, several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .base.errors import ConfigError, shortened
from .console import Console
from .typed import NearChoice

if TYPE_CHECKING:
    from .base.outcome import Outcome

F = TypeVar("F", bound=Callable[..., Any])

#: names of the formats; the writers of the last three are `base.formats`
NAMES = ("text", "json", "junit", "github", "sarif")
#: ending of a file -> its format, where none is given
ENDINGS = {".txt": "text", ".json": "json", ".xml": "junit", ".sarif": "sarif"}
_PRINTED = "-"


@dataclass(frozen=True)
class Formats:
    """Where a verdict goes.

    Attributes:
        files: (format, file) to be written, in the order given.
        printed: format that goes to standard output; None for what people read.
    """

    files: tuple[tuple[str, Path], ...] = ()
    printed: str | None = None

    def check(self, as_json: bool, *read: Path | None) -> None:
        """Refuse what cannot be written, before any work.

        Args:
            as_json: whether --json is given, too.
            read: files that the command reads.

        Raises:
            ConfigError: for two results on standard output, or a file that is read.
            FileError: for a file that cannot be written.
        """
        from .base import claims
        from .base.files import MANIFEST
        from .base.outputs import check_target

        if as_json and self.printed is not None:
            raise ConfigError(f"--json and --format {self.printed} both print: add --output FILE")
        inputs = {path.resolve() for path in read if path is not None}
        seen: set[Path] = set()
        for _, path in self.files:
            if path.resolve() in inputs:
                raise ConfigError(f"--output {path} is a file that is read; choose another one")
            if path.resolve() in seen:
                raise ConfigError(f"--output {path} is there twice")
            seen.add(path.resolve())
            if path.is_file() and (path.parent / MANIFEST).is_file():
                raise ConfigError(f"--output {path} is a file of a build; choose another one")
            check_target(path)
            claims.reserve(path)

    def console(self, as_json: bool, quiet: bool, *read: Path | None) -> Console:
        """Return the console of a command, after `check`: silent if a format is printed."""
        self.check(as_json, *read)
        return Console(as_json, quiet, printed=self.printed is not None)

    def write(
        self,
        outcomes: Sequence[Outcome],
        value: Mapping[str, Any],
        own: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        """Write the files; then print what is to be printed.

        Args:
            outcomes: what the checks found.
            value: the JSON result.
            own: format -> text of a command's own.
        """
        from .base import claims
        from .base.outputs import write_text

        for name, path in self.files:
            claims.release(path)
            write_text(path, _text(name, outcomes, value, own or {}))
        if self.printed is not None:
            click.echo(_text(self.printed, outcomes, value, own or {}), nl=False)


def _text(
    name: str,
    outcomes: Sequence[Outcome],
    value: Mapping[str, Any],
    own: Mapping[str, Callable[[], str]],
) -> str:
    from .base import formats
    from .base.documents import json_text

    if name in own:
        return own[name]()
    if name == "json":
        return json_text(value)
    return formats.to_text(outcomes) if name == "text" else formats.FORMATS[name](outcomes)


class FormatCommand(click.Command):
    """A command whose --output belongs to the --format before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put --format and --output together, in the order in which they were given."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        given = [*args]
        rest = super().parse_args(ctx, args)
        _, _, order = self.make_parser(ctx).parse_args(args=given)
        names, files = ctx.params.pop("form"), ctx.params.pop("output")
        ctx.params["formats"] = _paired(names, files, [param.name for param in order])
        return rest


def _paired(names: Sequence[str], files: Sequence[str], order: Sequence[str | None]) -> Formats:
    """Return which format goes where.

    Raises:
        UsageError: if two would be printed, or the format of a file is not known.
    """
    left, paths = iter(names), iter(files)
    pairs: list[tuple[str, str]] = []
    open_: str | None = None
    for option in order:
        if option == "form":
            if open_ is not None:
                pairs.append((open_, _PRINTED))
            open_ = next(left)
        elif option == "output":
            path = next(paths)
            pairs.append((open_ or _by_ending(path), path))
            open_ = None
    if open_ is not None:
        pairs.append((open_, _PRINTED))
    printed = [name for name, path in pairs if path == _PRINTED]
    if len(printed) > 1:
        raise click.UsageError(
            f"--format {printed[0]} and --format {printed[1]} would both be printed: "
            "give --output FILE after one of them"
        )
    written = tuple((name, Path(path)) for name, path in pairs if path != _PRINTED)
    return Formats(written, printed[0] if printed else None)


def _by_ending(path: str) -> str:
    found = ENDINGS.get(Path(path).suffix.lower())
    if found is None:
        known = ", ".join(f"{ending} ({name})" for ending, name in ENDINGS.items())
        raise click.UsageError(
            f"--output {shortened(path)}: give --format before it, or one of the endings {known}"
        )
    return found


def format_options(function: F) -> F:
    """Add --format and --output to a command; it takes them as `formats`."""
    function = click.option(
        "--output",
        "output",
        multiple=True,
        metavar="FILE",
        help="Write the --format before it into FILE; without one, the ending says which.",
    )(function)
    return click.option(
        "--format",
        "form",
        multiple=True,
        type=NearChoice(NAMES),
        help="Print the verdict in this format; with --output, write it; may be repeated.",
    )(function)
