"""Diffusions and taps that touch under one silicide are one conductor."""

from __future__ import annotations

import pytest

from crossstack.extract.nets.flat import extract_flat
from crossstack.lvs import extract_layout, second
from crossstack.lvs.connectivity import connectivity
from crossstack.pdk import get_tech

#: what butts: a p-tap on the source (west) or the drain (east) of the NMOS, an n-tap of the PMOS
BUTTS = {
    "source": [("COMP", -0.6, 0, 0, 2), ("Pplus", -0.7, -0.1, -0.16, 2.1)],
    "drain": [("COMP", 1.16, 0, 1.8, 2), ("Pplus", 1.32, -0.1, 1.9, 2.1)],
    "well": [("COMP", 1.16, 5, 1.5, 7), ("Nplus", 1.32, 4.9, 1.6, 7.1)],
    # n+ and p+ meet at the edge of the well: nsd on psd
    "across": [("COMP", 0.85, 2, 1.15, 5), ("Pplus", 0.75, 4.1, 1.25, 4.8),
               ("Nplus", 0.75, 2.2, 1.25, 4.0)],
}  # fmt: skip


@pytest.fixture
def butted(inverter):
    def draw(*names: str, **taps: bool):
        drawing = inverter(**taps)
        for name in names:
            drawing.rects(BUTTS[name])
        return drawing

    return draw


@pytest.mark.parametrize(
    ("name", "nets"), [("drain", {"VSS", "Y"}), ("well", {"VDD", "Y"}), ("across", set())]
)
def test_a_tap_on_a_drain_is_a_short(butted, inverter_netlist, compare, name, nets):
    report = compare(butted(name), inverter_netlist)
    if not nets:  # both drains are Y by metal, too
        assert report.match
        return
    assert not report.match
    assert any(nets <= set(line.replace(",", " ").split()) for line in report.errors)


def test_contacts_on_the_tap_alone_feed_the_source(butted, inverter_netlist, compare):
    """The current passes from tap to source, with no contact on the source itself."""
    drawing = butted("source", p_tap=False)
    drawing.cut("Contact", 0.05, 0, 0.3, 2)
    drawing.rect("Contact", -0.5, 0.89, -0.28, 1.11)
    assert compare(drawing, inverter_netlist).match
    network, report = extract_flat(drawing.extract(), drawing.tech)
    assert not [text for text in report.warnings if "end in nothing" in text]
    (source,) = (n for n in range(2) if not network.switch_p[n])
    wired = {*network.resistor_a, *network.resistor_b}
    assert {network.switch_a[source], network.switch_b[source]} <= wired


def test_without_silicide_they_stay_apart():
    def butts(tech):
        return {frozenset(pair) for pair in connectivity(tech).links} & {frozenset(("nsd", "ptap"))}

    assert butts(get_tech())
    assert not butts(get_tech(process="sky130"))


@pytest.mark.requires_program("magic")
@pytest.mark.parametrize("name", ["source", "drain", "well"])
def test_magic_says_the_same(butted, name):
    drawing = butted(name)
    opinion = second.ask_magic(extract_layout(drawing.layout, drawing.tech), drawing.layout)
    assert opinion.differences == ()
