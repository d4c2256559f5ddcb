import math

import pytest

from crossstack.solve import InputError
from crossstack.solve.study.timing import Timing, line_delay, pulse_curve, ratio_for, settle_time

NS = 1e-9


def test_the_observation_of_the_facts():
    """pdk/modules/al_tio2/SOURCES.md section 6: 10 x 100 ns reads, 10 x 40 ns writes."""
    t = Timing(settle=60 * NS, sense=40 * NS, pulse=40 * NS, cols=10)
    assert t.sequential == pytest.approx(1400 * NS)
    assert t.overlapped == pytest.approx(1000 * NS)
    assert t.time_reduction == pytest.approx(0.2857, abs=1e-4)
    assert t.speed_up == pytest.approx(0.40)
    fifty, twenty = pulse_curve(t, [50 * NS, 20 * NS])
    assert (fifty.time_reduction, fifty.speed_up) == pytest.approx((1 / 3, 0.5))
    assert (twenty.time_reduction, twenty.speed_up) == pytest.approx((1 / 6, 0.2))


@pytest.mark.parametrize(
    ("definition", "depth", "ratio"),
    [
        ("time_reduction", None, 0.4085),
        ("speed_up", None, 0.29),
        ("time_reduction", 3, 0.770),
        ("time_reduction", 5, 0.569),
        ("time_reduction", 10, 0.475),
        ("time_reduction", 20, 0.439),
    ],
)
def test_ratios_for_29_percent(definition, depth, ratio):
    found = ratio_for(0.29, definition=definition, depth=depth)
    assert found == pytest.approx(ratio, abs=6e-4)
    t = Timing(settle=100 * NS, sense=0.0, pulse=found * 100 * NS, cols=10, depth=depth)
    assert getattr(t, definition) == pytest.approx(0.29)
    slow = Timing(settle=found * 100 * NS, sense=0.0, pulse=100 * NS, cols=10, depth=depth)
    assert getattr(slow, definition) == pytest.approx(0.29)


def test_limits():
    assert math.isnan(ratio_for(0.29, definition="time_reduction", depth=2))
    one = Timing(settle=1, sense=0, pulse=1, cols=10, depth=1)
    assert one.time_reduction == 0
    best = Timing(settle=1, sense=0, pulse=1, cols=10)
    assert (best.time_reduction, best.speed_up) == pytest.approx((0.5, 1.0))
    assert best.to_json()["time_reduction"] == best.time_reduction


def test_settling():
    # one lumped cell: tau = R C
    assert line_delay(2.0, 3.0, 1) == 6.0
    # a ladder of two: 1 ohm sees both capacitors, the next one the last
    assert line_delay(1.0, 1.0, 2) == 3.0
    assert line_delay(1.0, 1.0, 2, drive_ohm=10.0, load_farad=4.0) == 3 + 10 * 6 + 2 * 4
    assert settle_time(1.0, 10) == pytest.approx(11 * math.log(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pulse": -1.0}, "pulse is -1.0 s"),
        ({"cols": 0}, "cols is 0"),
        ({"depth": 0}, "depth is 0"),
        ({"settle": 0.0, "pulse": 0.0}, "nothing to compare"),
    ],
)
def test_refusals(change, message):
    with pytest.raises(InputError, match=message):
        Timing(**({"settle": 1.0, "sense": 0.0, "pulse": 1.0, "cols": 4} | change))
    with pytest.raises(InputError, match="definition is 'fast'"):
        ratio_for(0.2, definition="fast")
    with pytest.raises(InputError, match="gain is 2"):
        ratio_for(2, definition="speed_up")
    with pytest.raises(InputError, match="bits is 0"):
        settle_time(1.0, 0)
