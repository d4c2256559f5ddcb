"""Fans and tracks: wires spread in their order, and no two of them meet in one metal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossstack.generators.fan import SPACE, Wire, fan, levels, spread
from crossstack.generators.ways import in_order

METALS = ("Metal2", "Metal3", "Metal4", "Metal5")
#: metals of the three pins of a row, two of which lie over each other
ROW = (("Metal3", 0), ("Metal4", 0), ("Metal4", 2_690))

steps = st.lists(st.integers(120, 600).map(lambda k: 10 * k), min_size=1, max_size=25)
#: rows that follow each other as closely as metal allows
tight = st.lists(st.integers(0, 10).map(lambda k: 10 * k), min_size=1, max_size=25)


def rows_of(gaps: list[int], half: int = 400) -> list[Wire]:
    """Return pins as a macro has them: pairs in two metals at one place, and single ones.

    Large switches have pins that fill their row but for the least space of their metal.
    """
    wires, s, wider = [], 0, 2 * (half - 400)
    for k, gap in enumerate(gaps):
        s += 4_000 + 2 * wider + gap
        for j, (metal, beside) in enumerate(ROW):
            at = s + beside + wider * (beside > 0)
            wires.append(Wire(f"{k}.{j}", at, half, (metal,)))
    return wires


def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


@given(steps, st.sampled_from([2_000, 4_000, 12_000, 16_000]))
def test_places_keep_their_order_pitch_and_middle(gaps, pitch):
    places = [w.s for w in rows_of(gaps)]
    to = spread(places, pitch, -(10**7), 10**7)
    assert all(b - a >= pitch for a, b in pairwise(to))
    apart = [b - a for a, b in zip(places, to, strict=True)]
    assert abs(sum(apart)) <= 10 * len(apart)
    assert spread(places, pitch, 0, (len(places) - 1) * pitch - 1) is None


@given(
    st.one_of(steps, tight),
    st.sampled_from([(12_000, 3_000), (5_000, 1_000), (4_000, 2_000), (3_000, 1_000)]),
    st.sampled_from([140, 400, 1_500, 3_540]),
)
def test_no_two_wires_meet(gaps, widths, half):
    pitch, width = widths
    wires = rows_of(gaps, half)
    places = spread([w.s for w in wires], pitch, -(10**7), 10**7)
    turns = fan(wires, places, METALS, width, pitch - 1_000)
    assert all(a.leg[1] + 1_000 <= b.leg[0] for a, b in pairwise(turns))
    for i, a in enumerate(turns):
        for b in turns[i + 1 :]:
            for metal in METALS:
                along = [{m: (p, q + SPACE) for m, p, q in t.spans} for t in (a, b)]
                if a.level == b.level and metal in along[0] and metal in along[1]:
                    assert not overlap(along[0][metal], along[1][metal]), (a, b, metal)
                for near, far in ((a, b), (b, a)):
                    stub = (far.wire.s - far.wire.half, far.wire.s + far.wire.half)
                    spans = {m: (p, q) for m, p, q in near.spans}
                    # a wire that turns later passes the turn of one before it
                    if far.level > near.level and metal in far.wire.metals and metal in spans:
                        assert not overlap(spans[metal], stub), (near, far, metal)
                    # what has left passes the turns behind it
                    if far.level > near.level and metal in near.leg_metals:
                        later = {m: (p, q) for m, p, q in far.spans}
                        if metal in later:
                            assert not overlap(later[metal], near.leg), (near, far, metal)
    own = [set(t.wire.metals) <= {m for m, _, _ in t.spans} & set(t.leg_metals) for t in turns]
    assert all(own)


def test_a_level_is_shared_where_spans_allow_it():
    assert levels([(0, 10), (20, 30)], [True, True]) == [0, 0]
    assert levels([(0, 25), (20, 30)], [True, True]) == [1, 0]
    assert levels([(0, 25), (20, 30)], [False, False]) == [0, 1]
    # what parts, and what comes close
    assert levels([(0, 25), (20, 30)], [False, True]) == [0, 1]
    assert levels([(0, 25), (20, 30)], [True, False]) == [1, 0]
    assert levels([(0, 25), (5, 24), (20, 30)], [False, True, True]) == [0, 2, 1]


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (1.0, 9.0, 0.1)])
def test_pads_are_those_of_the_least_distance(weights):
    from itertools import combinations

    legs, pads = [100, 110, 120], [0, 60, 105, 130, 300]

    def cost(chosen):
        return sum(w * (a - pads[k]) ** 2 for w, a, k in zip(weights, legs, chosen, strict=True))

    best = min(combinations(range(len(pads)), len(legs)), key=cost)
    assert tuple(in_order(legs, pads, weights)) == best
    assert in_order(legs, pads[:2], weights) is None
