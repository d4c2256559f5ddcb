"""Maps as SVG: cells, lines of equal value, names that do not meet, nets in colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import contourpy
import klayout.db as db
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crossstack.analyse.tables import read_maps, table_in
from crossstack.base.units import percent
from crossstack.report.drop_svg import drop_svg, scale_of
from crossstack.report.fields import VIRIDIS, colour, contour
from crossstack.report.nets_svg import Group, nets_svg
from crossstack.report.points import names_beside
from crossstack.report.reduction_svg import reduction_svgs
from crossstack.report.standalone import embedded, standalone

INSIDE = (56.0, 366.0, 46.0, 346.0)
#: no value of the random fields, nor the mean of four
LEVEL = 0.10137


def rects(text: str) -> list[tuple[dict[str, str], str]]:
    """The cells of a chart: attributes and what each says."""
    found = re.findall(r"<rect ([^>]*)><title>([^<]*)</title></rect>", text)
    return [(dict(re.findall(r'(\w+)="([^"]*)"', tag)), words) for tag, words in found]


@given(
    arrays(float, (5, 6), elements=st.integers(-20, 20).map(lambda k: k / 20 + 0.013)),
    st.booleans(),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_lines_of_equal_value_are_contourpy_s(values, saddles):
    """Against the library that matplotlib draws contours with."""
    x, y = np.array([0.0, 1, 2, 4, 5, 7]), np.array([0.0, 2, 3, 4, 8])
    if saddles:  # every square one, and each way round
        values = np.abs(values) * np.where(np.indices(values.shape).sum(0) % 2, 1, -1)
    ours = contour(x, y, values, LEVEL)
    theirs = contourpy.contour_generator(x, y, values, name="serial").lines(LEVEL)
    assert sum(map(len, ours)) == sum(map(len, theirs))
    assert len(ours) == len(theirs)
    closed = [sum(bool(np.allclose(line[0], line[-1])) for line in lines)
              for lines in (ours, theirs)]  # fmt: skip
    assert closed[0] == closed[1]
    if ours:  # a closed line may begin anywhere, so points are compared, not lines
        a, b = (np.array([p for line in lines for p in line]) for lines in (ours, theirs))
        far = np.abs(a[:, None] - b[None]).max(axis=2)
        assert max(far.min(axis=0).max(), far.min(axis=1).max()) < 1e-9


def test_colours_are_those_of_the_scale():
    assert colour(0.0) == colour(-3) == VIRIDIS[0]
    assert colour(1.0) == colour(9) == VIRIDIS[-1]
    assert [colour(k / 8) for k in range(9)] == list(VIRIDIS)
    light = [int(colour(k / 40)[3:5], 16) for k in range(41)]
    assert light == sorted(light), "the green part, and so the lightness, rises"


def test_a_map_says_what_the_table_holds(built):
    maps = {m: v["error_all_series"] for m, v in read_maps(table_in(built)).items()}
    scale = scale_of(maps)
    for mode, error in maps.items():
        text = (built / f"ir_drop_{mode}.svg").read_text()
        assert text == standalone(drop_svg(mode, error, scale))
        ElementTree.fromstring(text)
        assert "prefers-color-scheme:dark" in text
        found = rects(text)
        assert len(found) == error.size
        _, rows, cols = error.shape
        for (attributes, words), index in zip(found, np.ndindex(error.shape), strict=True):
            lost = float(error[index])
            assert words.startswith(f"row {index[1]}, column {index[2]}: ")
            if np.isnan(lost):
                assert words.endswith("not read")
                assert attributes["class"] == "none"
            else:
                assert words.endswith(f": {percent(lost)} lost")
                share = (lost - scale[0]) / (scale[1] - scale[0])
                assert attributes["fill"] == colour(share)
        # row 0 lies at the bottom, column 0 on the left
        first, last = found[0][0], found[rows * cols - 1][0]
        assert float(first["y"]) > float(last["y"])
        assert float(first["x"]) < float(last["x"])


def test_a_large_map_has_the_worst_of_blocks():
    error = np.zeros((1, 130, 70))
    error[0, 129, 69], error[0, 4, 4] = 0.5, 0.25
    text = drop_svg("m", error, scale_of({"m": error}))
    found = rects(text)
    assert len(found) == 44 * 24
    assert found[-1][1] == "row 129-129, column 69-69: 50.0 % lost"
    assert found[24 + 1][1] == "row 3-5, column 3-5: 25.0 % lost"
    assert "the worst of 3 x 3 devices" in text
    assert scale_of({}) == (0.0, 1.0)
    nothing = drop_svg("m", np.full((2, 2, 2), np.nan), scale_of({}))
    assert nothing.count("(being written)") == 2


def landscape(drawn: list[tuple[float, float, float]]) -> dict:
    """The map of a comparison, with arrays drawn at some places."""
    x, y = np.logspace(-1, 4, 16), np.logspace(-2, 2, 13)
    grid = {"series_over_col": list(x), "row_over_col": list(y)}
    x, y = np.meshgrid(x, y)
    saved = 0.48 / (1 + x / 100 + y / 3)
    point = {"pair": "planar", "view": "array"}
    keys = ("series_over_col", "row_over_col", "reduction")
    points = [{**point, **dict(zip(keys, values, strict=True))} for values in drawn]
    maps = {"planar": {"text": "6 x 6 <1>", "reduction": saved.tolist()}}
    return {**grid, "paper": 0.22, "maps": maps, "drawn": points}


def test_the_map_of_a_reduction():
    found = landscape([(30, 0.2, 0.3), (30, 0.2, -0.02), (1e9, 1e-9, 0.01)])
    text = reduction_svgs(found)["planar"]
    assert embedded(standalone(text)).rstrip() == text
    cells = rects(text)
    assert len(cells) == 13 * 16
    saved = found["maps"]["planar"]["reduction"]
    assert cells[0][1] == f"{percent(saved[0][0])} less at R_series / r_col 0.1, r_row / r_col 0.01"
    assert cells[-1][1].startswith(f"{percent(saved[-1][-1])} less at R_series / r_col 1e+04")
    assert cells[0][0]["fill"] == colour(100 * saved[0][0] / 50)
    assert "6 x 6 &lt;1&gt;" in text
    # two arrays at one place have one mark and one name
    assert text.count("<circle") == 3
    assert ">planar array, array: 30 %, -2 %</text>" in text
    assert ">planar array: 0 %<" in reduction_svgs(landscape([(30, 0.2, -0.003)]))["planar"]
    mark = re.search(r'cx="([\d.]+)" cy="([\d.]+)" r="5"><title>planar, array: 1.00', text)
    x, y = map(float, mark.groups())
    assert (x, y) == (INSIDE[1], INSIDE[3]), "beyond the map, at its edge"
    (line,) = re.findall(r'class="level" d="([^"]*)"', text)
    for px, py in re.findall(r"([\d.]+) ([\d.]+)", line):
        share = [(float(px) - INSIDE[0]) / (INSIDE[1] - INSIDE[0]), (INSIDE[3] - float(py)) / 300]
        a = 10 ** (-1 - 1 / 6 + share[0] * (5 + 1 / 3))
        b = 10 ** (-2 - 1 / 6 + share[1] * (4 + 1 / 3))
        assert 0.48 / (1 + a / 100 + b / 3) == pytest.approx(0.22, abs=0.012)
    assert reduction_svgs({"not_run": "too small"}) == {}


@given(
    st.lists(
        st.tuples(
            st.floats(56, 366), st.floats(46, 346), st.sampled_from(["a", "planar wires: 2 %"])
        ),
        max_size=6,
    )
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_no_name_meets_another_or_leaves_the_map(points):
    taken = [(100.0, 100.0, 180.0, 120.0)]
    boxes = list(taken)
    for text in names_beside(points, INSIDE, taken, farther=True, style="onfield"):
        x, y, anchor, name = re.search(
            r'<text class="onfield" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]*)<', text
        ).groups()
        wide = 6.2 * len(name)
        left = float(x) - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        box = (left, float(y) - 13, left + wide, float(y) + 3)
        assert INSIDE[0] - 0.1 <= box[0]
        assert box[2] <= INSIDE[1] + 0.1
        assert INSIDE[2] - 0.1 <= box[1]
        assert box[3] <= INSIDE[3] + 0.1
        for other in boxes:
            apart = (box[0] - other[2], other[0] - box[2], box[1] - other[3], other[1] - box[3])
            assert max(apart) > -0.2
        boxes.append(box)


def test_arrays_side_by_side_all_get_a_name():
    """Two rows of four, as a comparison's ways of counting put them: each name finds a place."""
    row = [(207.0, "planar array: 30 %"), (260.0, "planar wires: 2 %"),
           (290.0, "planar kelvin: 4 %"), (317.0, "planar all: 0 %")]  # fmt: skip
    points = [(x, y, name) for y in (150.0, 205.0) for x, name in row]
    assert len(names_beside(points, INSIDE, farther=True)) == 8
    assert len(names_beside(points, INSIDE)) < 8


def test_nets_in_colour():
    shapes = {
        "R": db.Region(db.Box(0, 0, 10000, 1000)),
        "C<0>": db.Region(db.Box(0, 0, 1000, 5000)) + db.Region(db.Box(500, 0, 2000, 5000)),
        "VSS": db.Region(db.Box(0, 4000, 10000, 5000)),
    }
    groups = [Group("in: R", frozenset({"R"}), "c0"), Group("out", frozenset({"C<0>", "R"}), "c1")]
    text = nets_svg("currents & nets", shapes, groups, 0.001)
    found = re.findall(r'<path class="net (\w+)" d="([^"]*)"><title>([^<]*)</title>', text)
    assert [(style, words) for style, _, words in found] == [
        ("rest", "VSS: no current"),
        ("c1", "R: out"),
        ("c1", "C&lt;0&gt;: out"),
    ]
    assert found[1][1] == "M0 0v-200h2000v200z", "steps of 5 dbu, the y axis turned down"
    assert found[2][1].count("M") == 1, "what overlaps is one area"
    ElementTree.fromstring(standalone(text))
    # 10 um along x, at one scale
    ticks = [float(t) for t in re.findall(r'text-anchor="middle">(\d+)</text>', text)]
    assert ticks == [0, 2, 4, 6, 8, 10]
    wide, high = (float(v) for v in re.search(r"d=\"M56.0 52.0V([\d.]+)H([\d.]+)", text).groups())
    assert (high - 56) / (wide - 52) == pytest.approx(2.0)


def test_current_paths_of_a_macro_name_every_net(tmp_path):
    """Every labelled net is drawn once a mode, with all of its metal."""
    from types import SimpleNamespace

    from crossstack.cells import to_layout
    from crossstack.comparison.pictures import _metal, current_paths
    from crossstack.generators import ArraySpec, build_top
    from crossstack.lvs import extract_layout
    from crossstack.pdk import get_tech

    tech = get_tech("stepper")
    layout = extract_layout(
        to_layout(build_top(ArraySpec(rows=2, cols=2, top="macro")).cell, tech), tech
    )
    made = current_paths(tmp_path, SimpleNamespace(layout=layout))
    names = {net.name for net in layout.flat.nets if net.name}
    assert {"IN_T[0]", "BR[1]", "C[0]", "OUT[1]", "WC", "VSS"} <= names
    coloured = []
    for path in made:
        words = re.findall(r'<path class="net (\w+)" d="M[^"]*"><title>([^:]*):', path.read_text())
        assert sorted(name for _, name in words) == sorted(_metal(layout))
        coloured.append({name: style for style, name in words})
    assert coloured[0]["IN_T[0]"] == coloured[0]["TR[1]"] == "c0"
    assert coloured[0]["WC"] == coloured[0]["VSS"] == "rest"
    assert coloured[1]["C[0]"] == coloured[1]["WC"] == coloured[1]["TR[1]"] == "c2"
    assert coloured[1]["C[1]"] == coloured[1]["OUT[1]"] == "c1"
    assert coloured[1]["OUT[0]"] == "rest"  # its column is written
    assert "outputs: C, OUT" in made[0].read_text()
