"""The bench of capacitance: its oracle against exact cases, its stored answers, its table."""

from __future__ import annotations

import math
import runpy
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crossstack.extract.field.maxwell import maxwell
from crossstack.pdk import get_tech

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from field_oracle import store  # noqa: E402
from field_oracle.cells import cells  # noqa: E402
from field_oracle.exact import cases  # noqa: E402
from field_oracle.shapes import shapes  # noqa: E402
from field_oracle.table import Row, published, rows  # noqa: E402

TECH = get_tech()
needs_ngsolve = pytest.mark.skipif(
    find_spec("ngsolve") is None, reason="NGSolve, an optional extra (field), is not installed"
)


@pytest.fixture(scope="module")
def every():
    return {s.name: s for s in (*shapes(TECH), *cells(TECH))}


@pytest.fixture(scope="module")
def stored():
    return store.read()


def test_every_answer_is_to_a_scene_as_it_is_drawn_now(every, stored):
    assert len(every) == len([*shapes(TECH), *cells(TECH)])
    # what is not solved yet is named by the bench; what is stored must not be of another scene
    assert set(stored) <= set(every)
    moved = [n for n, one in stored.items() if one.scene != store.fingerprint(every[n].scene(TECH))]
    assert not moved


def test_answers_are_converged_symmetric_and_passive(stored):
    for name, one in stored.items():
        assert one.difference < 0.003, name
        assert one.unknowns[-1] > 1.8 * one.unknowns[0], name
        assert one.asymmetry < 0.001, name
        own = np.diag(one.matrix)
        assert (own > 0).all(), name
        assert np.allclose(one.matrix, one.matrix.T, rtol=1e-5, atol=0), name
        beside = one.matrix - np.diag(own)
        assert (beside <= 1e-3 * own.min()).all(), name
        # to ground: what the couplings leave
        assert (one.matrix.sum(axis=1) >= -0.003 * own).all(), name


def test_a_scene_is_known_by_all_that_moves_its_field(every):
    scene = every["via Metal1 x1"].scene(TECH)
    first, *rest = scene.conductors
    film = scene.insulators[0]
    others = [
        replace(scene, top_um=scene.top_um + 1),
        replace(scene, window=(*scene.window[:3], scene.window[3] + 1)),
        replace(scene, conductors=(replace(first, net="B"), *rest)),
        replace(scene, conductors=(replace(first, high_um=first.high_um + 1e-3), *rest)),
        replace(scene, insulators=(replace(film, permittivity=3.91), *scene.insulators[1:])),
        replace(scene, insulators=scene.insulators[::-1]),
    ]
    prints = {store.fingerprint(s) for s in (scene, *others)}
    assert len(prints) == len(others) + 1
    turned = replace(scene, conductors=(*rest, first))
    assert store.fingerprint(turned) == store.fingerprint(scene)


def test_stored_answers_come_back(tmp_path, stored):
    store.write(stored, tmp_path / "a.json")
    again = store.read(tmp_path / "a.json")
    assert again.keys() == stored.keys()
    for name, one in again.items():
        assert np.array_equal(one.matrix, stored[name].matrix), name
        assert one.unknowns == stored[name].unknowns


@needs_ngsolve
@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_the_oracle_meets_what_is_exact(case):
    from field_oracle import oracle

    answer = oracle.solve(case.scene)
    assert answer.matrix[0, 0] == pytest.approx(case.exact, rel=0.0035, abs=0)


@needs_ngsolve
def test_the_cheapest_answers_are_found_again(every, stored):
    from field_oracle import oracle

    for one in sorted(stored.values(), key=lambda s: s.unknowns[-1] * len(s.nets))[:2]:
        answer = oracle.solve(every[one.name].scene(TECH))
        assert answer.asymmetry < 0.001
        assert np.diag(answer.matrix) == pytest.approx(np.diag(one.matrix), rel=0.005, abs=0)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_the_engine_meets_what_is_exact(case):
    assert maxwell(case.scene)[1][0, 0] == pytest.approx(case.exact, rel=0.003, abs=0)


def test_others_figures_are_of_shapes_that_there_are(every):
    for (name, net, other), values in published().items():
        nets = {part.net for part in every[name].parts}
        assert {net, other} - {""} <= nets
        assert values["magic"] > 0


def test_what_counts_of_a_matrix():
    matrix = np.array([[10.0, -4.0, -0.1], [-4.0, 10.0, -0.1], [-0.1, -0.1, 30.0]])
    found = list(rows("S", ("A", "B", "C"), matrix))
    # B sees what A sees, by symmetry; 0.1 is 1 % of A
    assert [(r.what, r.oracle) for r in found] == [("A", 10.0), ("C", 30.0), ("A-B", 4.0)]


@pytest.mark.parametrize(
    ("other", "found", "fails"),
    [
        ("", {"ours": 1.049}, False),
        ("", {"ours": 1.051}, True),
        ("B", {"ours": 0.901}, False),
        ("B", {"ours": 0.899}, True),
        ("", {}, True),
        ("", {"ours": math.nan}, True),
        ("", {"ours": 1.02, "magic": 1.01}, True),
        ("", {"ours": 1.02, "magic": 0.97, "kpex": 1.03}, False),
    ],
)
def test_what_passes(other, found, fails):
    assert bool(Row("S", "A", other, 1.0, found).faults()) == fails


def test_the_page_shows_the_stored_answers(every, stored):
    page = (ROOT / "docs" / "field.md").read_text(encoding="utf-8")
    script = runpy.run_path(str(ROOT / "docs" / "make_field.py"))
    shown: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in script["shown"](page):
        shape, what, value = (cell.strip() for cell in line.split("|")[1:4])
        name = shape or name
        shown.setdefault(name, []).append((what, value))
    assert len(shown) > 10
    for name, values in shown.items():
        one, copies = stored[name], every[name].copies
        wanted = rows(name, one.nets, copies * one.matrix)
        assert values == [(r.what, f"{1e15 * r.oracle:.4g}") for r in wanted], name
