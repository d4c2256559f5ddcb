"""`crossstack pdk`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..base.errors import FOUND, OK, FileError, ParameterError, PlaceError
from ..base.units import counted
from ..cli import HelpGroup
from ..console import Console, output_options
from ..named import FOLDER
from ..pdk.home import DEFAULT

if TYPE_CHECKING:
    from ..pdk import Tech


@click.group("pdk", cls=HelpGroup)
def command() -> None:
    """Check the folder of a process, or start one of your own from another."""


@command.command("check")
@click.argument("process", metavar="PROCESS|FOLDER")
@output_options
def check(process: str, as_json: bool, quiet: bool) -> int:
    """Say what is missing or contradictory in a process: its tables, module, decks and models.

    Tables that agree are then put to use: arrays of 2 x 2 and a macro are drawn, judged by the
    folder's own rules, compared with their netlists and extracted.

    A corner that a film has no sheet resistance of is remarked on.

    Exit code 0: complete, 1: something is missing, 2: no such process.
    """
    from ..pdk import get_tech, profile_names
    from ..pdk.audit import audit
    from ..pdk.conditions import CORNERS
    from ..pdk.home import process_folder

    console = Console(as_json, quiet)
    folder = process_folder(process)
    base, problems = audit(folder)
    remarks: list[str] = []
    if base and not problems:
        from ..trial import problems_of_drawing

        problems = tuple(problems_of_drawing(folder))
    name = base.name if base else folder.name
    for problem in problems:
        console.say(problem)
    if name != folder.name:
        console.note(
            f"{folder} is called {folder.name}, the process in it {name} (name = in process.toml), "
            "as results will"
        )
    if base and not problems:
        counts = f"{len(base.layers)} layers, {len(base.films)} films, {len(base.rules)} rules"
        tech = get_tech(profile_names(folder)[0], folder)
        remarks = [text for corner in CORNERS if (text := tech.without_corner(corner))]
        console.say(f"{name}: complete ({counts}; {_all_rules(tech)})")
    else:
        console.say(f"{name}: {counted(len(problems), 'problem')} found")
    for remark in remarks:
        console.note(remark)
    console.result(
        {"process": name, "folder": str(folder), "problems": list(problems), "remarks": remarks}
    )
    return FOUND if problems else OK


def _all_rules(tech: Tech) -> str:
    """Return how many rules a process has with its module, and how many `drc` runs unasked."""
    from ..drc.engine import WHOLE_DIE

    die = sum(rule.kind in WHOLE_DIE for rule in tech.rules)
    count = len(tech.rules)
    return (
        f"with those of module {tech.module.name} {count}, of which `drc` runs {count - die} and, "
        f"where they are named, the {die} of a whole die"
    )


def _still_like(head: str, source: Path) -> str:
    """Return the head of a copy that is like what its origin is, wherever the copy lies."""
    from ..pdk.home import HOME
    from ..pdk.tables import folders

    like = folders(source)[1:]
    if not like or like[0].parent == HOME:
        return head
    line = f"like = {json.dumps(str(like[0].resolve()), allow_nan=False)}"
    return re.sub(r"(?m)^like\s*=.*$", lambda _: line, head)


def _still_own_module(head: str, source: Path, own: Path, copied: bool) -> str:
    """Return the head of a copy that stands on its origin's module, or on the copy of it."""
    from ..pdk.home import MODULES

    if copied:
        module = own.name
    elif own.is_relative_to(MODULES) or own.resolve().is_relative_to(source):
        return head
    else:
        module = str(own.resolve())
    line = f"module = {json.dumps(module, allow_nan=False)}"
    return re.sub(r"(?m)^module\s*=.*$", lambda _: line, head)


@command.command("new")
@click.argument("name")
@click.option("--from", "origin", default=DEFAULT, show_default=True, help="Process to copy.")
@click.option("--module", is_flag=True, help="Copy its memristor module, too, to be changed.")
@click.option("-o", "--output", type=FOLDER, default=Path(), help="Where to make the folder NAME.")
@output_options
def new(name: str, origin: str, module: bool, output: Path, as_json: bool, quiet: bool) -> int:
    """Start a process of your own in the folder NAME: the tables of another one, renamed.

    Replace the numbers, then: crossstack pdk check NAME.
    """
    import shutil

    from ..base.files import replacing
    from ..pdk.home import MARK, process_folder, process_names
    from ..pdk.load import load_process
    from ..pdk.whole import module_folder

    console = Console(as_json, quiet)
    if not re.fullmatch(r"[A-Za-z]\w{0,63}", name, re.ASCII):
        raise ParameterError("NAME", name, "a letter, then letters, digits and _ (64 at most)")
    if name in process_names():
        raise ParameterError("NAME", name, "another name than that of a process of CrossStack")
    target, source = output / name, process_folder(origin)
    if target.exists() or target.is_symlink():
        raise PlaceError(f"{target} is there already; choose another name")
    if target.absolute().is_relative_to(source):
        raise ParameterError("--output", str(output), f"a folder outside {source}")
    base = load_process(source)
    with replacing(target) as work:
        shutil.copytree(
            source, work, ignore=shutil.ignore_patterns(MARK, "decks"), dirs_exist_ok=True
        )
        head = work / "process.toml"
        text = head.read_text(encoding="utf-8")
        renamed, count = re.subn(r"(?m)^name\s*=.*$", f'name = "{name}"', text, count=1)
        if count != 1:
            raise FileError(f"{source / 'process.toml'} has no line with a name")
        own = module_folder(base)
        renamed = _still_own_module(_still_like(renamed, source), source, own, module)
        head.write_text(renamed, encoding="utf-8", newline="\n")
        if module:
            marks = shutil.ignore_patterns(MARK)
            shutil.copytree(own, work / own.name, ignore=marks, dirs_exist_ok=True)
        files = sorted(str(p.relative_to(work)) for p in work.rglob("*") if p.is_file())
    console.say(f"{target}: {len(files)} files from {base.name}")
    console.result({"process": name, "folder": str(target), "from": base.name, "files": files})
    return OK
