"""The `crossstack` command: a table of commands, and one line and one exit code per error.

Commands are imported when they are used, so `crossstack --help` costs next to nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from . import __version__, remarks, supervise
from .base import claims, leftovers, memory
from .base.errors import (
    CODES_TOLD,
    INCOMPLETE,
    INTERRUPTED,
    MOST_TEXT,
    OK,
    USAGE,
    exit_code,
    nearest,
    one_line,
    printable,
)

#: command -> (group in the help, one line); the module is `commands.<name>`
COMMANDS: dict[str, tuple[str, str]] = {
    "build": ("All at once", "Generate, verify, extract and solve an array, into one folder."),
    "generate": ("Step by step", "Generate an array: GDS or OASIS, and its reference netlist."),
    "drc": ("Step by step", "Check the design rules of a layout."),
    "lvs": ("Step by step", "Compare a layout with a netlist."),
    "extract": ("Step by step", "Extract the resistance of every wire in a layout."),
    "inspect": ("Step by step", "List the resistance of nets segment by segment."),
    "solve": ("Step by step", "Solve an extracted network in one of the modes."),
    "limits": ("Step by step", "Compare currents and write voltages with their limits."),
    "compare": (
        "All at once",
        "Compare stacked, planar and passive macros with the paper's figures.",
    ),
    "sweep": ("All at once", "Solve an array over values of its parameters."),
    "size": ("All at once", "Find the parameters of an array that meet a target."),
    "map": ("All at once", "Map a trained network to arrays: what of its accuracy is left."),
    "tapeout": ("Results", "Write the files for foundry and mask shop; check each item."),
    "views": ("Results", "Write LEF, Liberty, Verilog, models and datasheet of a macro."),
    "measure": ("Results", "Find a process's own figures from the monitors of a test chip."),
    "report": (
        "Results",
        "Write the report of a build, comparison, sweep, search or solve again.",
    ),
    "view": ("Results", "Open a layout in KLayout, or draw a picture of it."),
    "foundry": (
        "Other programs",
        "Run the foundry's DRC deck and SPICE models as an independent check.",
    ),
    "tech": ("Other programs", "Install this process in KLayout: layers, DRC, LVS and PCells."),
    "pdk": ("Other programs", "Check the folder of a process, or start one of your own."),
}

_HELP = f"""Generate, verify and analyse 3-D memristor crossbars.

\b
Start here:
  crossstack build --rows 10 --cols 10      everything, into gds_out/crossstack_10x10x2/
  crossstack build array.yaml               the same from a file
\b
Then, one by one, on any layout of this process:
  crossstack drc FILE.gds                   0 clean, 1 violations
  crossstack lvs FILE.gds --netlist F.spice
  crossstack extract FILE.gds
  crossstack solve network.npz --mode deep-net --write-column 3

\b
Each command has --help, and prints JSON with --json.
Exit codes: {CODES_TOLD[0]}
{CODES_TOLD[1]}
"""
_EPILOG = (
    'Shell completion: eval "$(_CROSSSTACK_COMPLETE=bash_source crossstack)" '
    "(or zsh_source, fish_source)."
)


class HelpGroup(click.Group):
    """A group that prints its help when no command is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Print the help and stop if there is nothing to parse."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(OK)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error in its words says which command they belong to.

        click's parser of words does not know its command, so some of its errors name none.
        """
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if error.ctx is None and (name := ctx.invoked_subcommand) is not None:
                command = self.get_command(ctx, name)
                assert command is not None
                error.ctx = click.Context(command, ctx, name)
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or a usage error that names the nearest command."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            hint, known = nearest(args[0], names), ", ".join(names)
            raise click.UsageError(f"no such command {args[0]!r}{hint} (known: {known})", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the first paragraph of each, which click would cut off."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        texts = {name: (each.help or "").split("\n\n")[0] for name, each in found.items() if each}
        with formatter.section("Commands"):
            formatter.write_dl([(name, " ".join(text.split())) for name, text in texts.items()])


class Commands(HelpGroup):
    """A group that loads a command's module when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return it."""
        if cmd_name not in COMMANDS:
            return None
        memory.prepare(cmd_name)
        command = import_module(f".commands.{cmd_name}", __package__).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by group, without importing them."""
        for group in dict.fromkeys(group for group, _ in COMMANDS.values()):
            with formatter.section(group):
                formatter.write_dl([(v, text) for v, (g, text) in COMMANDS.items() if g == group])


@click.group(
    cls=Commands,
    help=_HELP,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="crossstack")
def cli() -> None:
    """Entry group; prints the help when no command is given."""


def main() -> None:
    """Run the command line and exit with its code."""
    supervise.fill_descriptors()
    args = sys.argv[1:]
    if os.environ.get("CROSSSTACK_DEBUG") or not hasattr(os, "fork"):
        sys.exit(run(args))
    code = supervise.supervised(lambda: run(args))
    # nothing of ours is left to do, and an exit must not print what was printed
    os._exit(code)


def run(args: list[str]) -> int:
    """Run the command line on `args` and return the exit code."""
    supervise.catch_stops()
    remarks.hold()
    leftovers.forget_made()
    _show_remarks()
    warnings.showwarning = _remark
    try:
        # standalone_mode=False hands exceptions to us and returns what the command returned
        with claims.watched():
            result = cli.main(args=args, prog_name="crossstack", standalone_mode=False, obj=args)
        sys.stdout.flush()
    except supervise.Stopped as stopped:
        return _fail(supervise.stopped(), stopped.code)
    except (KeyboardInterrupt, click.Abort):
        return _fail(supervise.stopped(), INTERRUPTED)
    except click.ClickException as error:
        return _usage(error)
    except SystemExit as error:  # of click's completion of words
        remarks.release()
        return error.code if isinstance(error.code, int) else INCOMPLETE
    except Exception as error:
        if supervise.asked:
            return _fail(supervise.stopped(), supervise.asked[0])
        return _explain(error)
    remarks.release()
    return result if isinstance(result, int) else OK


def _show_remarks() -> None:
    """Print what the solver has to say of itself, as remarks on stderr."""
    logger = logging.getLogger("crossstack")
    if not logger.handlers:
        handler = remarks.Handler()
        handler.setFormatter(logging.Formatter("crossstack: %(message)s"))
        logger.addHandler(handler)


def _remark(message: Warning | str, *_: object, **__: object) -> None:
    """Print a library's warning as a remark: without the path and the line of its source."""
    logging.getLogger("crossstack").warning("%s", printable(str(message), MOST_TEXT))


def _usage(error: click.ClickException) -> int:
    ctx = getattr(error, "ctx", None)
    text = error.format_message()
    if text[1:2].islower():  # as the lines of our own begin and end
        text = text[0].lower() + text[1:].removesuffix(".")
    if isinstance(error, click.NoSuchOption):
        text = f"no such option {error.option_name!r}{_near_option(error)}"
    return _fail(f"{text} (see {ctx.command_path if ctx else 'crossstack'} --help)", USAGE)


def _near_option(error: click.NoSuchOption) -> str:
    """Return the nearest option of the command; dashes, which all begin with, bring none near."""
    if error.ctx is None or not error.option_name.startswith("--"):
        return ""
    flags = [flag for each in error.ctx.command.get_params(error.ctx) for flag in each.opts]
    long = {flag.removeprefix("--"): flag for flag in flags if flag.startswith("--")}
    return nearest(error.option_name.removeprefix("--"), long).replace("'", "'--", 1)


def _explain(error: Exception) -> int:
    """Print one line for an exception and return its exit code."""
    if os.environ.get("CROSSSTACK_DEBUG"):
        remarks.release()
        raise error
    return _fail(one_line(error), exit_code(error))


def _fail(text: str, code: int) -> int:
    remarks.drop()
    leftovers.remove_empty()
    line = printable(leftovers.without(text), MOST_TEXT)
    click.echo(f"crossstack: {line}", err=True)
    return code
