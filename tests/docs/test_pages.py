"""The pages: generated ones are current, and what they tell a user to type exists."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from crossstack.base.files import write_layout
from crossstack.cells import alone, draw_cell, to_layout
from crossstack.cli import cli
from crossstack.extract import extract, net_capacitance, save_array
from crossstack.extract.field.lumps import with_capacitors
from crossstack.generators import ArraySpec, build_array
from crossstack.pdk import DEFAULT, PROFILES, get_tech
from crossstack.pdk.home import DEFAULT_MODULE, HOME, MODULES
from crossstack.solve import save_network

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^(?P<fence>```+)(?P<head>[^\n`]*)\n(?P<body>.*?)^(?P=fence)$", re.M | re.S)
INLINE = re.compile(r"(?<!`)`(crossstack [^`\n]+)`(?!`)")
MAX_PICTURE = 150_000


# ------------------------------------------------------------------ generated pages


def test_the_command_line_page_is_the_commands(load, docs):
    shown = (docs / "reference" / "cli.md").read_text(encoding="utf-8")
    assert shown == load("make_cli").text(), "run python docs/make_cli.py"


@pytest.mark.parametrize(
    "name", ["process.md", "rules.md", "modes.md", "configuration.md", "networks.md"]
)
def test_the_tables_are_the_pdks(load, docs, name):
    script = load("make_reference")
    assert name in script.PAGES
    shown = (docs / "reference" / name).read_text(encoding="utf-8")
    assert shown == script.text(name), "run python docs/make_reference.py"


def test_the_page_of_network_files_names_every_entry(docs, tmp_path, capsys, monkeypatch):
    page = (docs / "reference" / "networks.md").read_text(encoding="utf-8")
    network, array = page.split("## `<stem>_array.npz`")
    array, _ = array.split("## `conditions`")
    tech = get_tech()
    layout = to_layout(build_array(ArraySpec(rows=2, cols=2)).cell, tech)
    save_array(extract(layout, tech, engine="tile").array, tmp_path / "array.npz")
    found = with_capacitors(extract(layout, tech).network, net_capacitance(layout, tech))
    save_network(found, tmp_path / "network.npz")
    for name, part in (("network.npz", network), ("array.npz", array)):
        rows = [line.split("|")[1].strip(" `") for line in part.splitlines() if line[:3] == "| `"]
        with np.load(tmp_path / name) as file:
            assert sorted(rows) == sorted(file.files)
    monkeypatch.chdir(tmp_path)
    exec(network.split("```python\n")[1].split("```")[0], {})  # our own page
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert all(line.split()[2].startswith(("Via", "Contact", "V")) for line in printed)


def test_the_python_pages_show_every_public_name(load, docs):
    folder = docs / "reference" / "python"
    made = load("make_python").pages()
    assert {path.name for path in folder.glob("*.md")} == set(made)
    for name, text in made.items():
        shown = (folder / name).read_text(encoding="utf-8")
        assert shown == text, f"{name}: run python docs/make_python.py"


def test_the_cells_page_is_the_registry(load, docs):
    made = "\n".join(load("make_cells").page()).rstrip() + "\n"
    shown = (docs / "cells.md").read_text(encoding="utf-8")
    assert shown == made, "run python docs/make_cells.py"
    pictures = {path.stem for path in (docs / "cells").iterdir()}
    assert pictures == set(re.findall(r"^## (\w+)$", shown, re.MULTILINE))


def test_every_rule_and_layer_is_in_the_tables(docs):
    tech = get_tech()
    rules = (docs / "reference" / "rules.md").read_text(encoding="utf-8")
    layers = (docs / "reference" / "process.md").read_text(encoding="utf-8")
    assert [r.name for r in tech.rules if f"| `{r.name}` |" not in rules] == []
    assert [x.name for x in tech.layers if f"| `{x.name}` |" not in layers] == []


# ---------------------------------------------------------------------- commands


def in_blocks(text: str) -> Iterator[str]:
    """Commands of console and shell blocks, without what was printed."""
    for block in FENCE.finditer(text):
        kind = block["head"].split()[:1]
        lines = block["body"].replace("\\\n", " ").splitlines()
        if kind == ["console"]:
            yield from (line[2:] for line in lines if line.startswith("$ "))
        elif kind in (["sh"], ["bash"], []):
            yield from lines
        elif kind == ["yaml"]:
            yield from (line.partition("run: ")[2] for line in lines if "run: " in line)


def calls(line: str) -> Iterator[list[str]]:
    """Every call of `crossstack` in a line of shell, as its arguments."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    call: list[str] | None = None
    for word in words:
        if set(word) <= set("();<>|&"):
            if call is not None:
                yield call
            call = None
        elif call is not None:
            call.append(word)
        elif word == "crossstack":
            call = []
    if call is not None:
        yield call


def complaint(arguments: list[str], whole: bool = True) -> str:
    """What the command line would say of a call, files left aside; empty if it is right."""
    command: click.Command = cli
    path, rest = "crossstack", list(arguments)
    try:
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            name = rest.pop(0)
            below = command.get_command(click.Context(command), name)
            if below is None:
                return f"{path} has no verb {name}"
            command, path = below, f"{path} {name}"
        ctx = click.Context(command, info_name=path)
        values, left, _ = command.make_parser(ctx).parse_args(rest)
        if left and not isinstance(command, click.Group):
            return f"{path} takes no {left[0]!r}"
        for param in command.get_params(ctx):
            value = values.get(param.name or "")
            if value is None and whole and param.required:
                return f"{path} needs {param.name}"
            flag = isinstance(param, click.Option) and param.is_flag
            stands_for = isinstance(value, str) and value.isupper()  # NAME, FILE
            if not (value is None or flag or stands_for or isinstance(param.type, click.Path)):
                param.type_cast_value(ctx, value)
    except click.ClickException as error:
        return f"{path}: {error.format_message()}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_exist_with_these_options(page):
    text = page.read_text(encoding="utf-8")
    wrong = []
    for line in in_blocks(text):
        if "crossstack" in line:
            wrong += [(line, said) for call in calls(line) if (said := complaint(call))]
    for line in INLINE.findall(FENCE.sub("", text)):
        wrong += [(line, said) for call in calls(line) if (said := complaint(call, whole=False))]
    assert not wrong


def test_the_tutorial_goes_all_the_way():
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    verbs = [call[0] for line in in_blocks(text) for call in calls(line) if call]
    wanted = ["build", "generate", "drc", "lvs", "extract", "inspect", "solve", "compare"]
    assert [verb for verb in [*wanted, "view", "tapeout", "foundry"] if verb not in verbs] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("crossstack biuld", "has no verb biuld"),
        ("crossstack drc FILE --rule M1.4", "No such option"),
        ("crossstack drc a.gds b.gds", "takes no"),
        ("crossstack build --cell hybird", "hybird"),
        ("crossstack build --rows many", "whole number"),
        ("crossstack sweep --rows 4", "needs vary"),
        ("ls | crossstack foundry run FILE", "has no verb run"),
    ],
)
def test_a_wrong_command_would_be_seen(line, said):
    assert any(said in complaint(call) for call in calls(line))


def test_scripts_that_pages_name_exist():
    wrong = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        names = re.findall(r"python ((?:docs|bench|tests|examples)/[\w/]+\.py)", text)
        wrong += [f"{page.name}: {name}" for name in names if not (ROOT / name).is_file()]
    assert not wrong


# ------------------------------------------------------------------- run for real


def masked(text: str) -> str:
    """A page without what differs from run to run: seconds, and rounding left over."""
    return re.sub(r"\d+\.\d+ s\b|\b\d+e-\d+", "#", text)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_python_page_prints_what_it_shows(load):
    page = (DOCS / "howto" / "python.md").read_text(encoding="utf-8")
    assert masked(load("make_consoles").renewed(page)) == masked(page)


def test_the_cell_page_draws_a_clean_cell(tmp_path, monkeypatch, capsys):
    page = (DOCS / "howto" / "cell.md").read_text(encoding="utf-8")
    for block in FENCE.finditer(page):
        if title := re.search(r'title="([^"]+)"', block["head"]):
            (tmp_path / title[1]).write_text(block["body"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    runpy.run_path("verify.py")
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(PROFILES)
    for line in printed:
        assert line.endswith("0 violations, LVS match: True")
        assert line in page


def test_a_page_whose_shell_ends_early_is_refused(load, tmp_path):
    with pytest.raises(RuntimeError, match="1 of 2 commands ran"):
        load("make_consoles").run("```console\n$ echo one\n$ exit 3\n```\n", tmp_path)


def test_consoles_are_one_shell_and_keep_exit_codes(load, tmp_path):
    consoles = load("make_consoles")
    text = '```sh title="a.txt"\nwords\n```\n\n```console\n$ cat a.txt; mkdir b; cd b\nold\n' \
           "$ false \\\n  || false\n$ echo $?; basename $PWD\n```\n"  # fmt: skip
    assert consoles.run(text, tmp_path) == ["words\n\n", "\n", "1\nb\n\n"]
    assert consoles.commands("$ a \\\n  b\nprinted\n$ c\n") == ["a \\\n  b", "c"]


@pytest.mark.skipif(not shutil.which("git"), reason="git applies them")
def test_patches_of_the_process_page_apply(tmp_path):
    page = (DOCS / "howto" / "process.md").read_text(encoding="utf-8")
    patches = [b["body"] for b in FENCE.finditer(page) if b["head"].startswith("diff")]
    assert len(patches) == 2
    # as `crossstack pdk new mine` and `crossstack pdk new mylab --module` do
    shutil.copytree(HOME / DEFAULT, tmp_path / "mine")
    shutil.copytree(MODULES / DEFAULT_MODULE, tmp_path / "mylab" / DEFAULT_MODULE)
    for patch in patches:
        ran = subprocess.run(
            ["git", "apply", "--check", "-"],
            cwd=tmp_path,
            input=patch,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr


# ----------------------------------------------------------------------- pictures


def test_pictures_are_small_and_used():
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for path in (DOCS / "pictures").iterdir():
        assert path.stat().st_size < MAX_PICTURE, path.name
        assert f"pictures/{path.name}" in shown, path.name


def test_the_nearer_box_hides_the_farther_one(load):
    np = pytest.importorskip("numpy")
    view = load("make_pictures").View(np.zeros(3), np.array([4.0, 4.0, 3.0]), 120)
    near, far = (255, 0, 0), (0, 0, 255)
    view.box(np.array([[0.0, 0, 2], [4, 4, 3]]), near)
    view.box(np.array([[1.0, 1, 1.9], [3, 3, 2]]), far)  # right below the other
    colors = {tuple(c) for c in view.image.reshape(-1, 3).tolist()}
    assert near in colors
    assert far not in colors


def test_a_stack_is_drawn_from_a_layout(load, tmp_path):
    script, tech = load("make_pictures"), get_tech()
    layout = tmp_path / "cell.gds"
    write_layout(to_layout(alone(draw_cell("memristor_stack", tech), tech), tech), layout)
    script.stack_picture(layout, tmp_path / "cell.png", 120)
    with script.Image.open(tmp_path / "cell.png") as picture:
        found = {color for _, color in picture.convert("RGB").getcolors(100_000)}
    for name in ("TE", "ME", "BE"):
        wanted = tuple(int(tech.layer(name).color[k : k + 2], 16) for k in (1, 3, 5))
        assert any(max(abs(a - b) for a, b in zip(wanted, c, strict=True)) < 4 for c in found), name
