"""The table of nets: ohm from a pin to its nearest and farthest device."""

from __future__ import annotations

import warnings

import pytest

from crossstack.analyse.nets import net_table
from crossstack.pdk import get_tech
from crossstack.solve import NetworkBuilder


@pytest.mark.parametrize("island", [False, True])
def test_wires_of_a_net_that_hang_on_nothing_change_no_ohm(island):
    build = NetworkBuilder()
    pin, near, far, column = build.nodes(["pin", "near", "far", "column"])
    for a, b, ohm in ((pin, near, 3.0), (near, far, 5.0), (near, far, 5.0)):
        build.resistor(a, b, ohm, layer="ME", net="C[0]")
    if island:
        build.resistor(*build.nodes(["lost", "lonely"]), 7.0, layer="ME", net="C[0]")
    for row, node in enumerate((near, far)):
        build.memristor(0, row, 0, column, node)
    build.port("C[0]", pin)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (row,) = net_table(build.build(), get_tech())
    assert (row["nearest_ohm"], row["farthest_ohm"]) == pytest.approx((3.0, 5.5))
    assert row["pieces"] == 3 + island
