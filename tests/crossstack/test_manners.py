"""Manners of the command line: help, shell completion, progress, colours, silence."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from crossstack.array_options import ArrayOption
from crossstack.cells import ARRAY_CELLS, parameters_of
from crossstack.cells.describe import parameters_from
from crossstack.cells.parameters import ARRAY
from crossstack.cells.registry import array_cells_on
from crossstack.cli import COMMANDS
from crossstack.commands.build import command
from crossstack.console import Console
from crossstack.generators import ArraySpec, build_top
from crossstack.generators.ranges import range_um
from crossstack.pdk import DEFAULT, ParameterError, get_tech, profile_names
from crossstack.pdk.home import process_names

from .conftest import NAME

RUN = [sys.executable, "-c", "from crossstack.cli import main; main()"]


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_explains_itself(crossstack, verb):
    ran = crossstack(verb, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: crossstack {verb}")
    assert "\\b" not in ran.out, "the mark for lines that stay as they are, in a raw text"
    assert max(map(len, ran.out.splitlines())) <= 100
    if verb not in ("foundry", "pdk", "tech"):
        assert "--json" in ran.out
        assert "--quiet" in ran.out


@pytest.mark.parametrize(
    ("process", "profile"), [(p, profile) for p in process_names() for profile in profile_names(p)]
)
def test_help_gives_ranges_of_the_process_that_hold(crossstack, process, profile):
    """The figures that a process decides, wherever it is named, are where the drawing refuses."""
    tech = get_tech(profile, process)
    before = crossstack("build", "--profile", profile, "--process", process, "--help").out
    behind = crossstack("build", "--profile", profile, "--help", f"--process={process}").out
    assert before == behind
    text = " ".join(before.split())
    for key, declared in ARRAY.items():
        low, high = range_um(tech, key)
        shown = declared if key != "process" else replace(declared, default=DEFAULT)
        assert shown.sentence(low, high) in text, key
        if not isinstance(declared.low, str) or low is None:  # none on this module
            continue
        assert f": {low:g} to {high:g}" in shown.sentence(low, high)
        top = "macro" if key.startswith("switch") else "array"
        cell = array_cells_on(tech.module)[0]
        base = {"rows": 1, "cols": 1, "top": top, "cell": cell, "process": process}
        base["profile"] = profile
        build_top(ArraySpec(**base | {key: low}))
        for beyond in (low - 0.02, high + 0.02):
            with pytest.raises(ParameterError, match=f"{key} = "):
                build_top(ArraySpec(**base | {key: round(beyond, 3)}))


def test_help_without_a_process_gives_no_figure_of_one(crossstack):
    text = " ".join(crossstack("build", "--help").out.split())
    for key, declared in ARRAY.items():
        shown = declared if key != "process" else replace(declared, default=DEFAULT)
        assert shown.sentence() in text, key
    assert crossstack("build", "--help", "--process", "nonsense").code == 0


def test_a_parameter_is_declared_once(crossstack):
    """Class, configuration keys, flags, PCell and gdsfactory function have the same parameters."""
    spec = {f.name: f.default for f in fields(ArraySpec)}
    assert spec == {key: declared.default for key, declared in ARRAY.items()} | {"process": DEFAULT}
    flags = {option.name for option in command.params if isinstance(option, ArrayOption)}
    assert flags == set(ARRAY)
    assert list(parameters_from(ArraySpec, spec)) != []
    for p in parameters_from(ArraySpec, spec):
        assert p.text.startswith(ARRAY[p.name].text.rstrip("."))
    for name in ARRAY_CELLS.values():
        for key, value in parameters_of(name.cell).items():
            if key in ARRAY and key != "device_um":
                assert value == ARRAY[key].default, (name, key)


@pytest.mark.parametrize("group", ["foundry", "tech"])
def test_a_group_alone_prints_its_help(crossstack, group):
    assert crossstack(group).out == crossstack(group, "--help").out
    assert crossstack(group).code == 0
    crossstack(group, "nonsense").fails(2, "nonsense")


@pytest.mark.parametrize("group", ["foundry", "tech", "pdk"])
def test_a_group_tells_its_commands_in_full(crossstack, group):
    """``Run the foundry's DRC deck on the foundry layers of FILE; 0...`` was cut off."""
    told = " ".join(crossstack(group, "--help").out.partition("Commands:")[2].split())
    assert "..." not in told
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["ex"], {"extract"}),
        (["foundry", ""], {"fetch", "drc", "models", "solve"}),
        (["build", "--cell", ""], {"hybrid", "passive", "planar", "passive_planar"}),
        (["solve", "--mo"], {"--mode", "--monte-carlo"}),
        (["drc", "--rules", "M1.2"], {"M1.2a", "M1.2b"}),
        (["sweep", "--vary", "sw"], {"switch_wn_um=", "switch_wp_um="}),
        (
            ["sweep", "--vary", "tech.sheet_resistance_ohm_sq.M"],
            {
                f"tech.sheet_resistance_ohm_sq.{film}="
                for film in ("ME", "Metal1", "Metal2", "Metal3", "Metal4", "Metal5")
            },
        ),
    ],
)
def test_the_shell_completes(words, found):
    words = ["crossstack", *words]
    env = {
        **os.environ,
        "_CROSSSTACK_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    ran = subprocess.run(RUN, env=env, capture_output=True, text=True, check=False)
    assert {line.split(",")[1] for line in ran.stdout.split()} == found


def on_a_terminal(*args: object, **env: str) -> str:
    """Run a command with stderr on a terminal; return what came there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*RUN, *map(str, args)],
        env={**os.environ, "TERM": "xterm-256color", **env},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        shown += more
    assert process.wait(60) == 0, shown
    os.close(ours)
    return shown.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9]*m")


def test_progress_with_and_without_colours_and_not_at_all(built: Path, tmp_path: Path):
    run = ("drc", built / f"{NAME}.gds", "--rules", "M1.*", "-o", tmp_path)
    plain = {"NO_COLOR": "", "TERM": "xterm-256color"}
    coloured = on_a_terminal(*run, **plain)
    assert "design rules" in coloured
    assert COLOUR.search(coloured)
    bare = on_a_terminal(*run, NO_COLOR="1")
    assert "design rules" in bare
    assert not COLOUR.search(bare)
    assert on_a_terminal(*run, "--quiet") == ""
    assert on_a_terminal(*run, TERM="dumb") == ""


def test_a_closed_output_is_no_verdict(built, tmp_path):
    """`>&-` with a report asked for: nobody would read it, so the run has not completed."""
    layout = next(built.glob("crossstack_?x?x?.gds"))
    for more, code in ((("--json",), 3), (("--format", "sarif"), 3), ((), 0)):
        command = [*RUN, "drc", layout, "-o", tmp_path, *more]
        ran = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *map(str, command)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == code, ran.stderr
        assert ("standard output is closed" in ran.stderr) == (code == 3)


def test_what_is_printed_may_go_into_a_file_called_like_the_layout(built, tmp_path):
    """`drc a.gds --json > a.json`: the shell has made a.json before the command looks for one."""
    layout = shutil.copy(next(built.glob("crossstack_?x?x?.gds")), tmp_path / "a.gds")
    command = [*RUN, "drc", layout, "--rules", "CO.*", "--json"]
    with (tmp_path / "a.json").open("wb") as stream:
        ran = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "a.json").read_text())["violations"] == 0
    (tmp_path / "a.json").write_text("")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    assert "is not a JSON file" in ran.stderr


def test_results_are_not_written_beside_a_device(built, crossstack):
    layout = next(built.glob("crossstack_?x?x?.gds"))
    with layout.open("rb") as stream:
        for place in ("/dev/fd", "/proc/self/fd"):
            path = f"{place}/{stream.fileno()}"
            crossstack("drc", path).fails(2, path, "name a folder with -o")


def test_what_is_printed_cannot_steer_a_terminal(capsys):
    console = Console()
    console.note("label A\n\x1b[2J\x9b1m" + "x" * 5000)
    console.say("  C[0]\x1b[31m\r 1 uA\n  second line")
    out, err = capsys.readouterr()
    assert err.startswith("crossstack: label A \\x1b[2J\\x9b1mxxx")
    assert err.count("\n") == 1
    assert len(err) < 2000
    assert out == "  C[0]\\x1b[31m\\r 1 uA\n  second line\n"


def test_numbers_in_messages_are_as_they_were_meant():
    assert "5.36 is" in str(ParameterError("pitch", 5.360000000000001, "larger"))
    assert "= 0.1 is" in str(ParameterError("x", np.float64(0.1), "larger"))
