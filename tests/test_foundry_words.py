"""No word of a foundry outside the folder of its process: the words are taken from the tables."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from crossstack.pdk import foundry, programs
from crossstack.pdk.home import HOME, process_names
from crossstack.pdk.load import load_process
from crossstack.pdk.model import LINES

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("base", "pdk", "cells", "generators", "drc", "lvs", "extract", "solve", "analyse",
         "signoff", "views", "crossstack")  # fmt: skip
#: the module's own sources, which compare with foundries
NOT_READ = ("pdk/modules/al_tio2/SOURCES.md",)
#: names that are words of the field or of English, too: no table owns them
PLAIN = {
    "pad", "via", "tap", "diff", "gate", "poly", "text", "typical", "Pad", "Contact", "contact",
    "nwell", "butting", "implant", "circuit", "nmos", "pmos", "Resistor",
}  # fmt: skip


def words_of(name: str) -> set[str]:
    """Layers, rules, models, sections, files and packages of a process."""
    folder = HOME / name
    base, kit, deck = load_process(folder), foundry.models(folder), foundry.deck(folder)
    words = {layer.name for layer in base.layers} | {rule.name for rule in base.rules}
    words |= {layer.name for layer in base.foreign}
    words |= {word for _, word in (*kit.subcircuits, *kit.sections)}
    words |= {word for device in programs.nets(folder, None).devices for word in device.models}
    words |= {kit.library, *kit.files, kit.wheel.name, deck.wheel.name, Path(deck.file).name}
    return {word for word in words if len(word) > 2 and "*" not in word}


@cache
def words() -> frozenset[str]:
    roles = {role for name in process_names() for role, _ in load_process(HOME / name).roles.layers}
    found = {word for name in process_names() for word in words_of(name)}
    return frozenset(found - PLAIN - roles - set(LINES))


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """One that finds any of these words; what it looks behind for is tried once a place."""
    return re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, words))})(?![\w-])")


def files(*folders: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    own = tuple(f"pdk/{name}/" for name in process_names())
    return [ROOT / path for path in listed if not path.startswith((*own, *NOT_READ))]


@cache
def lines() -> list[tuple[str, int, str]]:
    found = []
    for path in files(*ROOMS):
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        found += [(name, number, line) for number, line in enumerate(text.splitlines(), 1)]
    return found


def test_the_words_are_those_of_the_tables():
    known = words()
    assert {"Metal1", "COMP", "M2.2a", "nmos_3p3", "sm141064.ngspice", "gf180mcu"} <= known
    for metal in (pattern(["Metal1"]), pattern(known)):
        assert metal.search('ask.space("Metal1")')
        assert not metal.search("xMetal1 pdk/Metal1 Metal1-")
    assert not pattern(["Metal1"]).search("Metal10")


def test_no_room_names_a_process():
    """`git grep gf180`, and of the others that come along."""
    stems = sorted({re.match(r"[a-z]+\d*", name)[0] for name in process_names()})
    wrong = [
        f"{name}:{number}: {line.strip()}"
        for name, number, line in lines()
        for stem in stems
        if stem in line.lower()
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_speaks_of_a_foundry(room):
    every = pattern(words())
    wrong = [
        f"{name}:{number}: {found[0]}: {line.strip()}"
        for name, number, line in lines()
        if name.startswith(f"{room}/") and (found := every.search(line))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_usual_process_is_named_in_its_own_folder_only() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no checkout")
    own = ("pdk/gf180mcuD/", "tests/", "docs/")
    files = [name for name in listed.stdout.split("\0") if name and not name.startswith(own)]
    assert len(files) > 100
    texts = {name: ROOT / name for name in files if (ROOT / name).is_file()}
    assert [name for name, path in texts.items() if b"gf180" in path.read_bytes()] == []
