"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from .base import claims
from .base.errors import ConfigError, CrossStackError
from .base.outputs import check_folder
from .base.spans import Span
from .named import EXISTING_OR_FOLDER, FOLDER, PROFILE_NAMES
from .pdk.home import DEFAULT
from .typed import NUMBER, NearChoice, Whole

F = TypeVar("F", bound=Callable[..., Any])


class ModeName(NearChoice):
    """A mode that the solver knows, those that a program of the user's registered included."""

    def __init__(self) -> None:
        super().__init__(())

    @property
    def choices(self) -> tuple[str, ...]:
        """Names of the modes, as they are now."""
        from .solve.modes.modes import MODES

        return tuple(MODES)

    @choices.setter
    def choices(self, value: object) -> None:
        """Take nothing: the table decides."""


class ModeOption(click.Option):
    """--mode, whose help says what each mode does."""

    @property
    def help(self) -> str:
        """The modes in words."""
        from .solve.modes.modes import MODES

        return "; ".join(f"{mode.name}: {mode.text}" for mode in MODES.values()) + "."

    @help.setter  # noqa: A003
    def help(self, value: object) -> None:
        """Take nothing: the table decides."""


def _usual_mode() -> str:
    from .solve.modes.modes import MODES

    return next(iter(MODES))


def mode_option(function: F) -> F:
    """Add --mode to a command that solves."""
    return click.option("--mode", type=ModeName(), default=_usual_mode, cls=ModeOption)(function)


def options_of_mode(
    mode: str, options: Mapping[str, Any], *, anyway: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the options of a mode that were given; refuse those that mean nothing in it.

    Args:
        mode: one of `solve.MODES`.
        options: by name; None for those that were not given.
        anyway: options that are taken elsewhere, too, and so are not refused.

    Raises:
        ConfigError: naming an option and the modes that it belongs to.
    """
    from .solve.modes.modes import MODES, belongs

    given = {key: value for key, value in options.items() if value is not None}
    foreign = MODES[mode].foreign(given)
    if alien := [key for key in foreign if key not in anyway]:
        raise ConfigError(f"--{alien[0].replace('_', '-')} belongs to {belongs(alien[0])}")
    return {key: value for key, value in given.items() if key not in foreign}


class Temperature(click.Option):
    """A temperature, whose help names the range of the process on the command line.

    Args:
        names: as of any option.
        limits: True for the range of the current limits, False for that of the transistors.
    """

    def __init__(self, names: Sequence[str], *, limits: bool = False, **more: Any) -> None:
        super().__init__(names, type=NUMBER, **more)
        self._limits = limits

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return flag and help, with the range."""
        text, self.help = self.help, self.told(ctx)
        record = super().get_help_record(ctx)
        self.help = text
        return record

    def told(self, ctx: click.Context) -> str:
        """Return the help with the range; without, if the process cannot be read."""
        from .pdk import get_tech

        text, name = self.help or "", said(ctx, "--process") or DEFAULT
        with suppress(CrossStackError):
            base = get_tech(process=name).process
            high = (base.limits if self._limits else base).temperatures_c[-1]
            return f"{text} Range on {name}: {base.temperatures_c[0]:g} to {high:g}."
        return text


def said(ctx: click.Context, option: str) -> str:
    """Return what an option says anywhere on the command line, also behind ``--help``."""
    words: list[str] = ctx.find_root().obj or []
    for word, after in zip(words, [*words, ""][1:], strict=True):
        flag, _, value = word.partition("=")
        if flag == option:
            return value or after
    return ""


def process_option(function: F) -> F:
    """Add the process of a layout or network to a command."""
    text = f"Foundry base, by name or folder (default: from the manifest beside it, or {DEFAULT})."
    return click.option("--process", metavar="NAME|FOLDER", help=text)(function)


def process_choice(function: F) -> F:
    """Add the process to a command that reads no layout."""
    return click.option(
        "--process", default=DEFAULT, show_default=True, metavar="NAME|FOLDER",
        help="Foundry base, by name or folder.",
    )(function)  # fmt: skip


def device_option(function: F) -> F:
    """Add figures of the memristors to a command."""
    text = (
        "Figure of the memristors, as in the section device of a configuration file, e.g. "
        "r_on_ohm=20000 or law=cubic."
    )
    return click.option("--device", multiple=True, metavar="KEY=VALUE", help=text)(function)


def device_figures(texts: Sequence[str]) -> dict[str, Any]:
    """Return what --device says, not checked yet.

    Raises:
        ConfigError: for a text that is written otherwise, or a key that is named twice.
    """
    from .base.documents import plain_value

    found: dict[str, Any] = {}
    for text in texts:
        key, equals, word = text.partition("=")
        if not key.strip() or not equals or not word.strip():
            raise ConfigError(f"--device {text}: write it as KEY=VALUE, e.g. r_on_ohm=20000")
        if key.strip() in found:
            raise ConfigError(f"--device names {key.strip()} twice")
        try:
            found[key.strip()] = plain_value(word)
        except ConfigError:
            raise ConfigError(
                f"--device {text}: one word or decimal number; a table stands in a configuration "
                "file"
            ) from None
    return found


def layout_options(function: F) -> F:
    """Add a layout file or the folder of a build, top cell, process and profile to a command."""
    return click.argument("file", type=EXISTING_OR_FOLDER)(layout_flags(function))


def layout_flags(function: F) -> F:
    """Add top cell, process and profile of a layout to a command."""
    function = click.option(
        "--profile",
        type=PROFILE_NAMES,
        help="Post-process profile (default: from the manifest beside FILE, else the first).",
    )(function)
    function = process_option(function)
    return click.option("--top", help="Top cell, if FILE has several.")(function)


def folder_beside(given: Path, out: Path | None) -> Path:
    """Return the folder for what was found in a layout: -o, else the layout's own.

    What was found in a build named by its folder goes here: inside, it could take the place of
    a file that the build's manifest lists.
    """
    if out is not None:
        return out
    if given.is_dir():
        return Path()

    folder = given.parent.resolve()
    if folder.is_relative_to("/proc") or folder in (Path("/dev"), Path("/dev/fd")):
        raise ConfigError(f"{given}: results would be written beside it; name a folder with -o")
    return given.parent


def check_results(folder: Path | None, *names: str) -> None:
    """Refuse a place for results, and to replace what this run reads by them, before any work.

    Args:
        folder: where the results go; None if nothing is written.
        names: of the files.

    Raises:
        ConfigError: naming the file that is read.
        FileError: if the folder is none, or cannot be made or written.
    """
    if folder is not None:
        check_folder(folder)
        claims.check_outputs(*(folder / name for name in names))


def out_option(text: str, default: Path | None = None) -> Callable[[F], F]:
    """Add -o/--out."""
    return click.option("-o", "--out", type=FOLDER, default=default, help=text)


def limits_option(function: F) -> F:
    """Add --limits to a command that judges currents and write voltages."""
    return click.option(
        "--limits",
        type=NearChoice(["report", "fail"]),
        default="report",
        show_default=True,
        help="Currents above their limits, written devices that get less than they need, or either "
        "not judged: report it, or exit with 1.",
    )(function)


def capacitance_engine_option(function: F) -> F:
    """Add --capacitance-engine."""
    text = "Capacitance by a formula (default), or from the field in three dimensions (minutes)."
    kinds = NearChoice(["formula", "field"])
    return click.option("--capacitance-engine", "c_engine", type=kinds, help=text)(function)


def jobs_options(function: F) -> F:
    """Add --jobs and --scheduler to a command that solves many arrays."""
    function = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Run on the Dask cluster with this scheduler, e.g. tcp://host:8786.",
    )(function)
    return click.option(
        "--jobs",
        type=Whole(Span(1, 1024, whole=True)),
        help="Processes on this machine (default: one a core).",
    )(function)


def within(limits: str, verdict: Mapping[str, Any], writes: Mapping[str, Any] | None) -> bool:
    """Return whether what was judged lets a command that was given --limits pass.

    Args:
        limits: 'report' or 'fail'.
        verdict: on the currents.
        writes: on the voltages of written devices; None where the array has no write.
    """
    if limits != "fail":
        return True
    currents = bool(verdict["judged"] and not verdict["exceeded"])
    return currents and (writes is None or bool(writes["judged"] and writes["met"]))


def limits_line(fit: bool, what: str) -> str:
    """Return what --limits fail did to a command, for people."""
    return f"--limits fail: {'fine' if fit else f'fails the {what}'}"


def is_folder(out: Path) -> bool:
    """Return whether -o names a folder: one that exists, or a name without an ending."""
    return out.is_dir() or not out.suffix


def check_table(out: Path | None) -> None:
    """Refuse a table that is no .csv or .npz or has no folder to stand in, before hours of work.

    Raises:
        ConfigError: naming the file.
    """
    if out is None or is_folder(out):
        return
    if out.suffix not in (".csv", ".npz"):
        raise ConfigError(
            f"-o {out}: a table ends in .csv or .npz; a name without an ending is a folder"
        )
    if not out.parent.is_dir():
        raise ConfigError(f"-o {out}: there is no folder {out.parent}")


def check_results_folder(out: Path | None) -> None:
    """Refuse a folder whose manifest would no longer be true of its files.

    Raises:
        ConfigError: naming the folder.
    """
    from .base.files import MANIFEST

    if out is not None and (out / MANIFEST).is_file():
        raise ConfigError(f"{out} holds a build or comparison; choose another folder")
