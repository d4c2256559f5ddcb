"""A size bias that breaks a net or joins two is never silent."""

from __future__ import annotations

import klayout.db as db
import pytest

from crossstack.extract import extract
from crossstack.extract.sheet.netres import NetSolver
from crossstack.extract.sheet.rates import rates
from crossstack.extract.sheet.shapes import NetShapes, Pin, Terminal
from crossstack.pdk import Conditions, ParameterError, Tech, get_tech

TECH = get_tech()


def biased(film: str, um: float) -> Tech:
    return TECH.at(Conditions(size_bias_um={film: um}))


def test_a_line_that_a_bias_erases_is_an_error(draw) -> None:
    """Lines of 1 um lose 0.6 um per edge; the wide pads at their ends would survive."""
    with pytest.raises(ParameterError, match=r"size_bias_um.ME = -0.6 .* net C\[0\] .* no ME is"):
        extract(draw(3, 2), biased("ME", -0.6), engine="flat")


@pytest.mark.parametrize("what", ["device", "Via3", "label"])
def test_a_tab_that_a_bias_erases_is_an_error(what: str) -> None:
    """A wide line with a narrow tab, and something on the tab."""
    region = db.Region([db.Box(0, 0, 20_000, 2000), db.Box(5000, 2000, 5400, 6000)]).merged()
    net = NetShapes("N", {"Metal3": list(region.each())})
    on_tab = (5100, 5000, 5300, 5200)
    net.pins.append(Pin("N", "Metal3", 0, 1000))
    if what == "device":
        net.terminals.append(Terminal("t", "Metal3", on_tab))
    elif what == "label":
        net.pins.append(Pin("far", "Metal3", 5200, 6000))
    else:
        net.cuts["Via3"] = [db.Box(*on_tab)]

    def solve(bias: float):
        return NetSolver(rates(biased("Metal3", bias)), 0.001).solve(net)

    assert len(solve(-0.15).pin_node) >= 1
    with pytest.raises(ParameterError, match=f"net N stays whole; no Metal3 is left at its {what}"):
        solve(-0.25)


def test_nets_that_a_bias_joins_are_named(draw) -> None:
    """Row lines lie 0.94 um apart."""
    apart = extract(draw(2, 2), biased("Metal4", 0.05), engine="flat").report
    assert apart.warnings == []
    joined = extract(draw(2, 2), biased("Metal4", 0.5), engine="flat").report
    touching = [w for w in joined.warnings if w.startswith("size_bias_um.Metal4 = 0.5: nets")]
    assert any("TR[0] and TR[1] touch from (" in w for w in touching)
