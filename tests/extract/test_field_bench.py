"""The bench of capacitance: its oracle against exact cases, its stored answers, its table."""

from __future__ import annotations

import math
import runpy
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from crossstack.extract.field.dielectric import EPSILON_0_F_UM
from crossstack.extract.field.lines import Spacing
from crossstack.extract.field.maxwell import maxwell
from crossstack.extract.field.scene import Conductor, Insulator, Scene
from crossstack.pdk import get_tech

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from field_oracle import store  # noqa: E402
from field_oracle.cells import cells  # noqa: E402
from field_oracle.exact import cases  # noqa: E402
from field_oracle.shapes import shapes  # noqa: E402
from field_oracle.solids import slabs  # noqa: E402
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


def touching(scene: Scene) -> set[tuple[str, str]]:
    """Pairs of nets that touch where there is field: its energy would have no bounds."""
    pile = slabs(scene)
    found = set()

    def field_at(slab, rim):
        return any(k > 0 and shape.intersects(rim) for k, shape in slab.insulators.items())

    def field_along(slab, rim):
        films = (shape for k, shape in slab.insulators.items() if k > 0)
        return any(shape.intersection(rim).length > 1e-6 for shape in films)

    for slab in pile:
        for a, b in permutations(slab.nets, 2):
            meet = slab.nets[a].intersection(slab.nets[b])
            if not meet.is_empty and field_at(slab, meet):
                found.add((a, b))
    for below, above in pairwise(pile):
        for a in below.nets:
            for b in set(above.nets) - {a}:
                rim = below.nets[a].intersection(above.nets[b]).boundary
                if field_along(below, rim) or field_along(above, rim):
                    found.add((a, b))
    return found


def test_no_nets_touch_where_there_is_field(every):
    # a channel and its source and drain do, and a contact stands on its tap
    found = {name: touching(shape.scene(TECH)) for name, shape in every.items()}
    assert {name: pairs for name, pairs in found.items() if pairs} == {}


BESIDE = tuple(
    Conductor(net, 1.0, 2.0, (((x, 0.0), (x + 1, 0.0), (x + 1, 1.0), (x, 1.0)),))
    for net, x in (("A", 0.5), ("B", 1.5))
)


def test_nets_that_touch_are_seen():
    bare = Scene((0.0, 0.0, 3.0, 1.0), 3.0, BESIDE, ())
    assert touching(replace(bare, window=(0.0, 0.0, 3.0, 2.0))) == {("A", "B"), ("B", "A")}
    over = replace(BESIDE[1], low_um=2.0, high_um=2.5)
    assert touching(replace(bare, conductors=(BESIDE[0], over))) == set()
    over = replace(over, polygons=BESIDE[0].polygons)
    assert touching(replace(bare, conductors=(BESIDE[0], over))) == {("A", "B")}


@needs_ngsolve
def test_the_oracle_refuses_nets_that_touch():
    from field_oracle import oracle

    scene = Scene((0.0, 0.0, 3.0, 2.0), 3.0, BESIDE, (Insulator(0.0, 3.0, 4.0),))
    with pytest.raises(oracle.TouchingError, match=r"[AB] and [AB] touch at \(1\.5000, "):
        oracle.solve(scene)


@needs_ngsolve
def test_an_oracle_that_does_not_converge_says_so(monkeypatch):
    from field_oracle import oracle

    monkeypatch.setattr(oracle, "ITERATIONS", 3)
    with pytest.raises(oracle.NotReachedError, match="net:A: no field after 3 iterations"):
        oracle.solve(next(cases()).scene)
    # a residual that is left is seen by charges, whatever the solver says
    monkeypatch.setattr(oracle, "ITERATIONS", 5000)
    monkeypatch.setattr(oracle, "RESIDUAL", 0.1)
    over = replace(BESIDE[1], low_um=2.2, high_um=2.5)
    scene = Scene((0.0, 0.0, 3.0, 2.0), 3.0, (BESIDE[0], over), ())
    with pytest.raises(oracle.NotReachedError, match=r"charges are not symmetric by \d+\.\d+ %"):
        oracle.solve(scene, tolerance=10.0)


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


def test_edges_10_nm_apart_stay_apart():
    # gaps of 40 and of 60 nm over each other: neither may take the other's width
    def pair(left: str, right: str, z: float, x1: float, x2: float) -> list[Conductor]:
        def plate(a: float, b: float):
            return (((a, 0.0), (b, 0.0), (b, 1.0), (a, 1.0)),)

        return [Conductor(left, z, z + 1, plate(0, x1)), Conductor(right, z, z + 1, plate(x2, 2))]

    bodies = (*pair("A", "B", 1.0, 0.92, 0.96), *pair("C", "D", 3.0, 0.91, 0.97))
    scene = Scene((0.0, 0.0, 2.0, 1.0), 6.0, bodies, (Insulator(0.0, 6.0, 4.0),))
    _, found = maxwell(scene)
    assert np.diag(found) == pytest.approx(
        np.diag(maxwell(scene, Spacing(merge_um=1e-6))[1]), rel=0.001, abs=0
    )
    # two plates of 1 um2 and their fringes
    assert -found[0, 1] == pytest.approx(4.0 * EPSILON_0_F_UM / 0.04, rel=0.12, abs=0)
    assert -found[2, 3] == pytest.approx(4.0 * EPSILON_0_F_UM / 0.06, rel=0.18, abs=0)


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
        shown.setdefault(name, []).append((what.strip("`"), value))
    assert len(shown) > 10
    for name, values in shown.items():
        one, copies = stored[name], every[name].copies
        wanted = rows(name, one.nets, copies * one.matrix)
        assert values == [(r.what, f"{1e15 * r.oracle:.4g}") for r in wanted], name
