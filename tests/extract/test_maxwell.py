"""Fields in three dimensions against exact answers and against finite elements."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossstack.extract.field.dielectric import EPSILON_0_F_UM, FILL_K, Dielectrics
from crossstack.extract.field.maxwell import maxwell
from crossstack.extract.field.scene import Conductor, Insulator, Points, Scene
from crossstack.extract.field.sections import Section, by_field, sections
from crossstack.pdk import ParameterError, get_tech

TECH = get_tech()


def box(x1: float, y1: float, x2: float, y2: float) -> Points:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def conductor(net: str, low: float, high: float, *polygons: Points) -> Conductor:
    return Conductor(net, low, high, polygons)


def test_plates_and_layers_are_exact() -> None:
    """Plates as large as the window: the layers between them in series."""
    whole = box(0, 0, 3, 2)
    films = (Insulator(0, 1, 4.0), Insulator(1, 1.04, 40.0), Insulator(2, 3, 7.0, (whole,)))
    plates = (conductor("A", 1.04, 1.14, whole), conductor("B", 3.5, 4, whole))
    nets, found = maxwell(Scene((0, 0, 3, 2), 6.0, plates, films))
    to_ground, between = 6 / (1 / 4 + 0.04 / 40), 6 / (2.36 - 1 + 1 / 7)
    exact = np.array([[to_ground + between, -between], [-between, between]]) * EPSILON_0_F_UM
    assert nets == ("A", "B")
    assert found == pytest.approx(exact, rel=1e-5, abs=1e-6 * exact[0, 0])


@pytest.mark.parametrize("thick", [0.04, 0.4, 1.4])
def test_edge_of_a_plate_between_planes_is_cohns(thick: float) -> None:
    """Fringe of a thick half plane midway between two planes (Cohn, IRE Trans. MTT-3, 1955)."""
    gap, width, length = 2.0, 3.0, 1.0
    low = (gap - thick) / 2
    scene = Scene(
        (0, 0, 10, length),
        gap + 0.5,
        (
            conductor("A", low, low + thick, box(0, 0, width, length)),
            conductor("0", gap, gap + 0.5, box(0, 0, 10, length)),
        ),
        (),
    )
    u = 1 / (1 - thick / gap)
    fringe = (2 * u * math.log(u + 1) - (u - 1) * math.log(u * u - 1)) / math.pi
    exact = EPSILON_0_F_UM * (4 * width / (gap - thick) + 2 * fringe)
    assert maxwell(scene)[1][0, 0] == pytest.approx(exact, rel=5e-3, abs=0)


def test_a_square_turned_by_45_degrees_is_the_square() -> None:
    a, half = 1.0, math.sqrt(0.5)
    squares = [
        box(-a / 2, -a / 2, a / 2, a / 2),
        ((-half, 0.0), (0.0, -half), (half, 0.0), (0.0, half)),
    ]
    found = [
        maxwell(Scene((-9, -9, 9, 9), 9.0, (conductor("A", 0.5, 0.8, square),), ()))[1][0, 0]
        for square in squares
    ]
    assert found[1] == pytest.approx(found[0], rel=0.01, abs=0)


@pytest.mark.parametrize("number", [3, 6, 8])
def test_lines_are_as_in_finite_elements(number: int) -> None:
    section = sections(TECH)[number]
    nets, found = maxwell(scene(section))
    net, other = section.pair
    mine = -found[nets.index(net), nets.index(other)] if other else found[0, 0]
    assert mine == pytest.approx(by_field(section, TECH), rel=0.01, abs=0)


def scene(section: Section) -> Scene:
    """A section as a slice of 1 um."""
    stack = Dielectrics.of(TECH)
    far = 60.0
    low = min(line.x1 for line in section.lines) - far
    high = max(line.x2 for line in section.lines) + far
    top = max(high for _, high, _ in stack.insulators)
    films = [Insulator(0.0, top, FILL_K)]
    drawn = {stack.films[name] for name in TECH.drawn_insulators}
    films += [Insulator(*f) for f in stack.insulators if f[:2] not in drawn]
    for low_um, high_um, k in stack.insulators:
        here = [f for f in section.films if stack.films[f[0]] == (low_um, high_um)]
        if here:
            films.append(Insulator(low_um, high_um, k, tuple(box(a, 0, b, 1) for _, a, b in here)))
    lines = [
        conductor(line.net, *stack.spans[line.film], box(line.x1, 0, line.x2, 1))
        for line in section.lines
    ]
    return Scene((low, 0, high, 1), top + far, tuple(lines), tuple(films))


def test_a_scene_without_nets_has_an_empty_matrix() -> None:
    nets, found = maxwell(Scene((0, 0, 5, 5), 4.0, (), (Insulator(0, 1, 4.0),)))
    assert (nets, found.shape) == ((), (0, 0))


def test_heights_may_differ_in_their_last_digits() -> None:
    whole = box(0, 0, 3, 2)
    films = (Insulator(0, 1, 4.0), Insulator(1 + 2e-16, 2 - 1e-12, 7.0))
    plate = (conductor("A", 2, 2.5, whole),)
    found = maxwell(Scene((0, 0, 3, 2), 6.0, plate, films))[1]
    assert found[0, 0] == pytest.approx(6 * EPSILON_0_F_UM / (1 / 4 + 1 / 7), rel=1e-4, abs=0)


def test_what_the_grid_cannot_hold_is_refused() -> None:
    bodies = (conductor("A", 1, 2, box(1, 1, 1.001, 2)), conductor("B", 1, 2, box(3, 1, 4, 2)))
    with pytest.raises(ParameterError, match="net = 'A'"):
        maxwell(Scene((0, 0, 5, 5), 4.0, bodies, ()))


def test_matrix_is_symmetric_and_neighbours_take_no_more_than_there_is() -> None:
    bodies = tuple(
        conductor(f"N{k}", 0.6 + 0.5 * (k % 2), 0.9 + 0.5 * (k % 2), box(k, 0.3 * k, k + 0.7, 4))
        for k in range(10)
    )
    _, found = maxwell(Scene((-2, -2, 12, 6), 6.0, bodies, (Insulator(0, 2, 4.0),)))
    assert found == pytest.approx(found.T, rel=1e-9, abs=0)
    assert np.all(found.sum(axis=1) > 0)
    assert np.all(found - np.diag(np.diag(found)) <= 0)
