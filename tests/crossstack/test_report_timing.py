"""What the pages say about the gain of overlapping."""

from __future__ import annotations

import pytest

from crossstack.analyse.timing import base_of, dense_curve, overlap
from crossstack.commands.compare import _timing_lines
from crossstack.report.timing_charts import charts
from crossstack.solve.study.timing import pulse_curve

#: ten columns: the gain peaks between two pulse times of the table, at 100.3 ns
FOUND = overlap(0.263e-9, 10)


def test_the_curve_reaches_the_peak_of_the_gain():
    curve = dense_curve(FOUND)
    best = max(curve, key=lambda t: t.time_reduction)
    assert best.time_reduction == pytest.approx(0.5)
    assert best.pulse == pytest.approx(100.263e-9)
    shown = charts({"overlap": overlap(0.263e-9, 6)})["gain"]
    # six columns: the peak at 167 ns is far from every dot, the path must go there
    assert shown.count("<circle") == 2 * len(FOUND["over_pulse"])
    path = shown.split('class="c1" d="M')[1].split('"')[0]
    assert min(float(point.split()[1]) for point in path.split("L")) < 50


def test_both_pulse_times_of_the_papers_gain_are_named():
    base = base_of(FOUND)
    for definition, pulses in FOUND["pulse_for_paper_s"].items():
        assert pulses[0] < pulses[1]
        for timing in pulse_curve(base, pulses):
            assert getattr(timing, definition) == pytest.approx(0.29)
    words = charts({"overlap": FOUND})["for_paper"]
    assert words["time_reduction"] == "41.0 or 245.5 ns"
    assert "41.0 or 245.5 ns per column" in _timing_lines(FOUND)[-1]


@pytest.mark.parametrize(("turns", "slot"), [(1, "column"), (10, "turn of rows")])
def test_a_pulse_time_is_of_what_one_pulse_writes(turns, slot):
    """With ten turns, `per column` was a factor of ten off for who reads the axis."""
    found = overlap(0.263e-9, 10, turns)
    assert f">write pulse per {slot} (ns)<" in charts({"overlap": found})["gain"]
    assert charts({"overlap": found})["slot"] == slot
    assert f"ns per {slot}; 29 % higher" in _timing_lines(found)[-1]
    shortest = base_of(found)
    assert shortest.write == pytest.approx(10 * turns * shortest.pulse)
