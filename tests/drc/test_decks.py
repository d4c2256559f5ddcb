"""The generated KLayout deck and the Python engine flag the same rules at the same places."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as rdb
import patterns_back  # noqa: F401
import patterns_die  # noqa: F401
import patterns_front  # noqa: F401
import patterns_module  # noqa: F401
import pytest
from drawing import GRID, Draw
from patterns import PATTERNS

from crossstack.drc import run_drc
from crossstack.drc.deck import deck_macro
from crossstack.pdk import DEFAULT, Tech, get_tech
from crossstack.pdk.home import HOME

DECKS = {"stepper": "crossstack.lydrc", "aligner": "crossstack_aligner.lydrc"}
needs_klayout = pytest.mark.skipif(not shutil.which("klayout"), reason="no klayout program")


def write_all_patterns(tech: Tech, path: Path) -> None:
    """Every pattern at and below its limit, side by side and out of each other's reach."""
    layout = kdb.Layout()
    layout.dbu = tech.dbu_um
    top = layout.create_cell("ALL")
    for row, d in enumerate((0.0, GRID)):
        for column, rule in enumerate(sorted(PATTERNS)):
            p = Draw(tech, d)
            PATTERNS[rule](p)
            cell = layout.create_cell(f"{rule}_{row}")
            cell.copy_tree(p.top)
            box = cell.bbox()
            x, y = box.left // 1000 * 1000, box.bottom // 1000 * 1000  # offsets stay on the grid
            at = kdb.Trans(column * 250_000 - x, row * 250_000 - y)
            top.insert(kdb.CellInstArray(cell.cell_index(), at))
    layout.write(str(path))


def run_deck(deck: Path, gds: Path, folder: Path, **options: str) -> tuple[dict[str, int], Path]:
    """Run a deck in batch; return markers per rule and the report."""
    report, count = folder / "deck.lyrdb", folder / "deck.txt"
    arguments = {"input": str(gds), "report": str(report), "count": str(count), **options}
    command = ["klayout", "-b", "-r", str(deck)]
    for key, value in arguments.items():
        command += ["-rd", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.rsplit(" ", 1) for line in count.read_text().splitlines()]
    return {name: int(n) for name, n in rows}, report


def places(path: Path, gds: Path) -> dict[str, kdb.Region]:
    """Markers of a report per rule, as regions in the top cell; cells are placed once there."""
    layout = kdb.Layout()
    layout.read(str(gds))
    placed = {inst.cell.name: inst.dcplx_trans for inst in layout.top_cell().each_inst()}
    placed[layout.top_cell().name] = kdb.DCplxTrans()
    database = rdb.ReportDatabase("x")
    database.load(str(path))
    cells = {c.rdb_id(): c.name() for c in database.each_cell()}
    names = {c.rdb_id(): c.name() for c in database.each_category()}
    regions = {name: kdb.Region() for name in names.values()}
    for item in database.each_item():
        for value in item.each_value():
            polygon = kdb.DPolygon(value.box()) if value.is_box() else value.polygon()
            at_top = polygon.transformed(placed[cells[item.cell_id()]])
            regions[names[item.category_id()]].insert(at_top.to_itype(0.001))
    return {name: region.merged() for name, region in regions.items()}


@pytest.mark.parametrize("profile", DECKS)
def test_committed_deck_is_generated(profile: str) -> None:
    stored = HOME / DEFAULT / "decks" / DECKS[profile]
    assert stored.read_text(encoding="utf-8") == deck_macro(get_tech(profile))


@needs_klayout
@pytest.mark.parametrize("profile", DECKS)
def test_both_engines_agree_on_all_patterns(profile: str, tmp_path: Path) -> None:
    tech = get_tech(profile)
    gds = tmp_path / "all.gds"
    write_all_patterns(tech, gds)
    deck = HOME / DEFAULT / "decks" / DECKS[profile]
    counts, report = run_deck(deck, gds, tmp_path)
    ours = run_drc(gds, tech)
    ours.write_lyrdb(tmp_path / "ours.lyrdb")
    assert set(counts) == set(ours.by_rule)
    assert [name for name, n in counts.items() if n == 0] == []  # all those below are found
    here, there = places(tmp_path / "ours.lyrdb", gds), places(report, gds)
    different = [name for name in counts if not (here[name] ^ there[name]).is_empty()]
    assert different == []


@needs_klayout
def test_deck_refuses_a_layout_of_another_process(tmp_path: Path) -> None:
    layout = kdb.Layout()
    layout.create_cell("T").shapes(layout.layer(999, 0)).insert(kdb.Box(0, 0, 10, 10))
    layout.write(str(tmp_path / "x.gds"))
    (tmp_path / "deck.lydrc").write_text(deck_macro(get_tech()), encoding="utf-8")
    with pytest.raises(AssertionError, match="draws nothing"):
        run_deck(tmp_path / "deck.lydrc", tmp_path / "x.gds", tmp_path)
