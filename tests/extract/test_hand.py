"""Patterns whose resistance a hand computes."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest

from crossstack.extract.sheet.netres import NetSolver
from crossstack.extract.sheet.rates import rates
from crossstack.extract.sheet.shapes import NetShapes, Pin, Terminal
from crossstack.extract.sheet.tidy import NetResistors
from crossstack.pdk import Conditions, ParameterError, get_tech

TECH = get_tech()
#: squares of a 90 degree corner, by conformal mapping (Hall, Thin Solid Films 1, 1967)
CORNER = 0.5587


def shape(*boxes: tuple[int, int, int, int]) -> list[db.Polygon]:
    region = db.Region([db.Box(*b) for b in boxes])
    return list(region.merged().each())


def solve(net: NetShapes, tech=TECH, **conditions) -> NetResistors:
    result = NetSolver(rates(tech.at(Conditions(**conditions))), tech.dbu_um).solve(net)
    assert result.warnings == []
    return result


def between(result: NetResistors, a: str, b: str) -> float:
    """Resistance between two pins or terminals by nodal analysis."""
    nodes = {**result.terminal_node, **result.pin_node}
    n = result.n_nodes
    matrix = np.zeros((n, n))
    for r in result.resistors:
        matrix[[r.a, r.b], [r.a, r.b]] += 1 / r.ohm
        matrix[[r.a, r.b], [r.b, r.a]] -= 1 / r.ohm
    current = np.zeros(n)
    current[nodes[a]], current[nodes[b]] = 1.0, -1.0
    volts = np.linalg.lstsq(matrix, current, rcond=None)[0]
    return float(volts[nodes[a]] - volts[nodes[b]])


def ends(up: str, down: str, box: tuple[int, int, int, int]) -> list[Terminal]:
    return [Terminal("up", up, box), Terminal("down", down, box)]


def line(width: int = 500, length: int = 50_000) -> NetShapes:
    return NetShapes(
        "N",
        {"Metal3": shape((0, 0, length, width))},
        pins=[Pin("west", "Metal3", 0, width // 2), Pin("east", "Metal3", length, width // 2)],
    )


def test_straight_line_is_length_over_width() -> None:
    assert between(solve(line()), "west", "east") == pytest.approx(100 * 0.09, rel=1e-12)


def test_doubled_sheet_resistance_doubles_the_line() -> None:
    doubled = TECH.with_sheet_resistance("Metal3", 0.18)
    assert between(solve(line(), doubled), "west", "east") == pytest.approx(200 * 0.09, rel=1e-12)


def test_corners_temperature_and_size_bias() -> None:
    assert between(solve(line(), corner="max"), "west", "east") == pytest.approx(100 * 0.104)
    hot = between(solve(line(), temperature_c=125.0), "west", "east")
    assert hot == pytest.approx(9.0 * (1 + 0.0033 * 100))
    thin = between(solve(line(), size_bias_um={"Metal3": -0.05}), "west", "east")
    assert thin == pytest.approx(0.09 * 49.9 / 0.4, rel=1e-6)


def test_wide_via_chain() -> None:
    """Ten lines of ten squares between eleven vias as wide as half the line or more."""
    lower, upper, cuts = [], [], []
    for k in range(10):
        x = k * 4000
        (lower if k % 2 else upper).append((x - 200, -200, x + 4200, 200))
    cuts = [db.Box(x - 130, -130, x + 130, 130) for x in range(4000, 40_000, 4000)]
    net = NetShapes(
        "N",
        {"Metal2": shape(*lower), "Metal3": shape(*upper)},
        {"Via2": cuts},
        [Terminal("first", "Metal3", (-130, -130, 130, 130))],
        [Pin("last", "Metal2", 40_000, 0)],
    )
    assert between(solve(net), "first", "last") == pytest.approx(9 * 4.5 + 100 * 0.09, rel=1e-9)


def test_l_bend_is_its_arms_and_a_corner() -> None:
    net = NetShapes(
        "N",
        {"ME": shape((0, 0, 1000, 10_000), (0, 9000, 10_000, 10_000))},
        pins=[Pin("south", "ME", 500, 0), Pin("east", "ME", 10_000, 9500)],
    )
    assert between(solve(net), "south", "east") == pytest.approx((18 + CORNER) * 0.4, rel=5e-4)


def test_parallel_vias_share_the_current() -> None:
    boxes = [db.Box(x, y, x + 260, y + 260) for x in (0, 520) for y in (0, 520)]
    net = NetShapes(
        "N",
        {"Metal4": shape((-100, -100, 880, 880)), "Metal5": shape((-100, -100, 880, 880))},
        {"Via4": boxes},
        [
            Terminal("up", "Metal5", (-100, -100, 880, 880)),
            Terminal("down", "Metal4", (-100, -100, 880, 880)),
        ],
    )
    spreading = between(solve(net), "up", "down") - 4.5 / 4
    # from a small patch to four around it: some tenths of a square in each metal
    assert 0.1 < spreading / (0.09 + 0.04) < 0.5


def test_module_via_has_the_stack_height() -> None:
    net = NetShapes(
        "N",
        {"Metal5": shape((0, 0, 800, 800)), "BE": shape((0, 0, 800, 800))},
        {"VBE": [db.Box(150, 150, 650, 650)]},
        [
            Terminal("up", "BE", (150, 150, 650, 650)),
            Terminal("down", "Metal5", (150, 150, 650, 650)),
        ],
    )
    bottom, top = TECH.heights_um["BE"][0], TECH.heights_um["Metal5"][1]
    assert between(solve(net), "up", "down") == pytest.approx(
        (0.042 * (bottom - top) + 0.2) / 0.25, rel=1e-4
    )


def test_crossing_on_a_wide_line_does_not_short_it() -> None:
    """The device takes its current evenly: the line keeps its squares, half on either side."""
    net = NetShapes(
        "N",
        {"ME": shape((0, 0, 1000, 20_000))},
        terminals=[Terminal("device", "ME", (0, 4000, 1000, 6000))],
        pins=[Pin("south", "ME", 500, 0), Pin("north", "ME", 500, 20_000)],
    )
    result = solve(net)
    assert between(result, "south", "north") == pytest.approx(20 * 0.4)
    assert between(result, "south", "device") == pytest.approx(5 * 0.4)


def test_tab_on_a_row_line_leaves_the_line_nearly_alone() -> None:
    net = NetShapes(
        "N",
        {"Metal4": shape((0, 0, 20_000, 2000), (9810, -800, 10_190, 0))},
        terminals=[Terminal("via", "Metal4", (9870, -740, 10_130, -480))],
        pins=[Pin("west", "Metal4", 0, 1000), Pin("east", "Metal4", 20_000, 1000)],
    )
    result = solve(net)
    through = between(result, "west", "east")
    assert 0.99 < through / (10 * 0.09) < 1.0
    to_tab = between(result, "west", "via")
    assert to_tab == pytest.approx(0.09 * (5 + 0.61 / 0.38 + 0.5), rel=0.1)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_no_resistance_is_refused_by_name(value: float) -> None:
    with pytest.raises(ParameterError, match=r"sheet_resistance_ohm_sq\.ME"):
        TECH.with_sheet_resistance("ME", value)


def test_zero_in_the_film_table_is_refused_by_name() -> None:
    from dataclasses import replace

    from crossstack.pdk.films import Corner

    films = tuple(replace(f, sheet_ohm_sq=Corner(0.0)) if f.name == "TE" else f for f in TECH.films)
    with pytest.raises(ParameterError, match=r"films\.TE\.sheet_ohm_sq = 0\.0"):
        rates(replace(TECH, films=films))


@pytest.mark.parametrize(
    ("conditions", "name"),
    [({"corner": "fast"}, "corner"), ({"temperature_c": 126.0}, "temperature_c")],
)
def test_unknown_conditions_are_refused_by_name(conditions: dict, name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        TECH.at(Conditions(**conditions))


def test_a_narrow_tab_does_not_make_the_line_narrow() -> None:
    net = NetShapes(
        "N",
        {"Metal3": shape((0, 0, 20_000, 2000), (9000, 2000, 9400, 6000))},
        pins=[
            Pin("west", "Metal3", 0, 1000),
            Pin("east", "Metal3", 20_000, 1000),
            Pin("tab", "Metal3", 9200, 6000),
        ],
    )
    result = solve(net)
    ohm = dict.fromkeys((0.4, 2.0), 0.0)
    for r in result.resistors:
        ohm[round(r.width_um, 3)] += r.ohm
    # ten squares of line and ten of tab; what is wide must not be called narrow
    assert ohm[2.0] == pytest.approx(10 * 0.09, rel=0.03)
    assert ohm[0.4] == pytest.approx(10 * 0.09, rel=0.1)
