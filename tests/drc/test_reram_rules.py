"""Every rule of SKY130's ReRAM film passes at its limit and alone fails one grid step below it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import klayout.db as kdb
import pytest
from drawing import GRID, Draw

from crossstack.drc import run_drc, write_deck
from crossstack.pdk import get_tech

TECH = get_tech(process="sky130_reram")
BASE = {rule.name for rule in TECH.process.rules}
RULES = {rule.name: rule for rule in TECH.rules if rule.name not in BASE}
#: of the base, what these patterns speak of; they hold no transistors
ALSO = [rule.name for rule in TECH.process.rules if rule.name.startswith(("m1.", "m2.", "via."))]
SIDE, VIA = 0.32, 0.15


def cell(p: Draw, x: float = 0.0, film: tuple[float, float] = (SIDE, SIDE), metal: float = 0.4,
         via_x: float | None = None) -> None:  # fmt: skip
    """A memristor whose film has its lower left corner at (x, 0), under metals on all sides."""
    w, h = film
    left = (w - VIA) / 2 if via_x is None else via_x
    p.square("via", x + round(left / GRID) * GRID, round((h - VIA) / 2 / GRID) * GRID, VIA)
    p.rect("rr1_cell", x, 0, x + w, h)
    for layer in ("met1", "met2"):
        p.rect(layer, x - metal / 4, -metal / 4, x + w + metal / 4, h + metal / 4)


def width(p: Draw) -> None:
    """Too narrow for its via, which asks for more."""
    p.square("via", 0.4, 0.04, VIA)
    p.rect("rr1_cell", 0, 0, 1.0, 0.23 - p.d)
    for layer in ("met1", "met2"):
        p.rect(layer, -0.1, -0.1, 1.1, 0.4)


def space(p: Draw) -> None:
    cell(p)
    p.square("via", SIDE + 0.23 - p.d + 0.085, 0.085, VIA)
    p.rect("rr1_cell", SIDE + 0.23 - p.d, 0, 2 * SIDE + 0.23 - p.d, SIDE)
    for layer in ("met1", "met2"):  # one electrode for both
        p.rect(layer, -0.1, -0.1, 1.2, SIDE + 0.1)


def electrodes(layer: str) -> Callable[[Draw], None]:
    other = {"met1": "met2", "met2": "met1"}[layer]

    def draw(p: Draw) -> None:
        for x in (0.0, 1.0):
            p.square("via", x + 0.085, 0.085, VIA)
            p.rect("rr1_cell", x, 0, x + SIDE, SIDE)
            p.rect(other, x - 0.1, -0.1, x + SIDE + 0.1, SIDE + 0.1)
        p.rect(layer, -0.1, -0.1, SIDE + 0.1, SIDE + 0.1)
        p.rect(layer, SIDE + 0.1 + 0.14 - p.d, -0.1, 1.0 + SIDE + 0.1, SIDE + 0.1)

    return draw


def overlap(p: Draw) -> None:
    cell(p, film=(0.5, 0.5), via_x=0.055 - p.d)


def two_sides(p: Draw) -> None:
    """0.055 on two sides that face each other, and then 0.085 on the others."""
    p.square("via", 0.055, 0.085 - p.d, VIA)
    p.rect("rr1_cell", 0, 0, 0.26, 0.32)
    for layer in ("met1", "met2"):
        p.rect(layer, -0.1, -0.1, 0.36, 0.42)


def other_via(p: Draw) -> None:
    cell(p)
    x = SIDE + 0.14 - p.d
    p.square("via", x, 0.085, VIA)
    for layer in ("met1", "met2"):
        p.rect(layer, -0.1, -0.1, x + VIA + 0.1, SIDE + 0.1)


def aspect(p: Draw) -> None:
    cell(p, film=(20 * SIDE + p.d, SIDE))


def rectangle(p: Draw) -> None:
    cell(p)
    p.rect("rr1_cell", 0, 0, SIDE, 0.6) if not p.d else p.rect("rr1_cell", SIDE, 0, 0.6, 0.25)
    for layer in ("met1", "met2"):
        p.rect(layer, -0.1, -0.1, 0.8, 0.8)


def foreign(layer: str) -> Callable[[Draw], None]:
    """Film that reaches beyond its electrode, near metal of another net."""
    own = {"met1": "met2", "met2": "met1"}[layer]

    def draw(p: Draw) -> None:
        p.square("via", 0.085, 0.085, VIA)
        p.rect("rr1_cell", 0, 0, 0.6, SIDE)
        p.rect(layer, -0.1, -0.1, SIDE, SIDE + 0.1)
        p.rect(own, -0.1, -0.1, 0.7, SIDE + 0.1)
        p.rect(layer, 0.6 + 0.14 - p.d, -0.1, 1.5, SIDE + 0.1)

    return draw


def no_via(p: Draw) -> None:
    cell(p)
    if p.d:
        p.layout.clear_layer(p.layout.layer(*TECH.gds("via")))


def on_grid(p: Draw) -> None:
    cell(p, film=(SIDE, SIDE + p.d / 5))


def angle(p: Draw) -> None:
    p.poly("rr1_cell", [(0, 0), (0, 5), (5 - p.d, 0)])


PATTERNS: dict[str, Callable[[Draw], None]] = {
    "rr1_cell.1": width, "rr1_cell.2": space, "rr1_cell.3": electrodes("met1"),
    "rr1_cell.4": electrodes("met2"), "rr1_cell.5": overlap, "rr1_cell.6": two_sides,
    "rr1_cell.7_10": other_via, "rr1_cell.8": aspect, "rr1_cell.9": rectangle,
    "rr1_cell.11": foreign("met1"), "rr1_cell.12": foreign("met2"), "rr1_cell.v": no_via,
    "x.1b.rr1_cell": on_grid, "x.2.rr1_cell": angle,
}  # fmt: skip
#: what such an error is by other rules, too, and what a pattern cannot help to be
COMPANIONS = {
    "rr1_cell.3": {"m1.2"}, "rr1_cell.4": {"m2.2"},
}  # fmt: skip
ALWAYS = {
    "rr1_cell.1": {"rr1_cell.5", "rr1_cell.6"},
    "x.2.rr1_cell": {"rr1_cell.1", "rr1_cell.9", "rr1_cell.v"},
}


def found(rule: str, d: float) -> set[str]:
    p = Draw(TECH, d)
    PATTERNS[rule](p)
    report = run_drc(p.layout, TECH, rules=[*RULES, *ALSO])
    return {name for name, count in report.by_rule.items() if count} - ALWAYS.get(rule, set())


def test_every_rule_has_a_pattern() -> None:
    assert set(PATTERNS) == set(RULES)


@pytest.mark.parametrize("rule", PATTERNS)
def test_at_the_limit_everything_passes(rule: str) -> None:
    assert found(rule, 0.0) == set()


@pytest.mark.parametrize("rule", PATTERNS)
def test_one_step_below_only_this_rule_fails(rule: str) -> None:
    assert found(rule, GRID) == {rule} | COMPANIONS.get(rule, set())


@pytest.mark.requires_program("klayout")
def test_klayouts_deck_finds_the_same(tmp_path: Path) -> None:
    """Every pattern at its limit and below it, beside each other."""
    layout = kdb.Layout()
    layout.dbu = TECH.dbu_um
    top = layout.create_cell("ALL")
    for row, d in enumerate((0.0, GRID)):
        for column, rule in enumerate(PATTERNS):
            p = Draw(TECH, d)
            PATTERNS[rule](p)
            cell = layout.create_cell(f"{rule}_{row}")
            cell.copy_tree(p.top)
            top.insert(kdb.CellInstArray(cell, kdb.Trans(column * 50_000, row * 50_000)))
    layout.write(str(tmp_path / "all.gds"))
    ours = run_drc(layout, TECH, rules=[*RULES]).by_rule
    write_deck(tmp_path / "deck.drc", TECH)
    command = ["klayout", "-b", "-r", str(tmp_path / "deck.drc")]
    for key, name in (("input", "all.gds"), ("report", "all.lyrdb"), ("count", "count")):
        command += ["-rd", f"{key}={tmp_path / name}"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    counted = dict(line.split() for line in (tmp_path / "count").read_text().splitlines())
    assert {rule: int(counted[rule]) for rule in RULES} == {rule: ours[rule] for rule in RULES}
    assert min(ours[rule] for rule in RULES) > 0
