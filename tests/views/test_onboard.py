"""Logic on board in the views: what its pins carry, and how a datasheet says to set them."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from crossstack.base import names
from crossstack.extract import extract_network, net_capacitance
from crossstack.lvs import compare_layout
from crossstack.views.corners import corner_figures, transistor_count
from crossstack.views.datasheet import steps
from crossstack.views.liberty import liberty_lines
from crossstack.views.onboard import kind_of_logic, latched
from crossstack.views.pintable import modes_table
from crossstack.views.ports import port_groups

DEVICE = {
    "v_read_V": 0.2, "v_set_V": 2.0, "v_reset_V": 2.0, "write_rows": None, "compliance_A": None,
}  # fmt: skip
ROWS = ("IN_B", "IN_T", "WR", "OUT", "WC", "VDD", "VSS")


@pytest.mark.parametrize(
    ("ports", "kind"),
    [
        (("A", "EN", "M", *ROWS), "decoder"),
        (("EN", "M", *ROWS), "decoder"),
        ((*names.SCAN_PINS, *ROWS), "scan"),
        (("TS", "BS", "WSEL", "WT", "WB", *ROWS), ""),
    ],
)
def test_a_datasheet_names_pins_that_there_are(ports, kind):
    """Select lines that no pin reaches were to be set high, under no name."""
    assert kind_of_logic(ports) == kind
    sheet = {"device": DEVICE, "rows": 3, "corners": []}
    found = steps([SimpleNamespace(name=name) for name in ports], sheet)
    text = "\n".join((*found["read"], *found["write"]))
    assert "  " not in text
    assert "()" not in text
    words = {"decoder": "M[0]", "scan": "SIN", "": "WSEL"}
    assert [key for key, word in words.items() if word in text] == [kind]
    assert (re.search(r"\bA\b", text) is not None) == ("A" in ports)
    # what the logic takes by itself is in no figure
    assert ("comes on top" in text) == bool(kind)


def test_address_and_mode_are_held():
    assert latched(["A[0]", "EN", "M[0]", "M[1]"]) == ["A[0]", "M[0]", "M[1]"]


@pytest.mark.parametrize("cols", [1, 3])
def test_the_modes_of_a_decoder_are_those_of_its_pins(draw, cols):
    """Lines inside were listed, and address, mode and enable were not."""
    block = draw(rows=1, cols=cols, periphery="decoder")
    network = extract_network(block.extracted, block.tech)
    table = {row.pop("pin"): row for row in modes_table(network, block.tech, block.pins)}
    starred = {re.sub(r"\[\d+\]", "[*]", pin) for pin in block.pins}
    assert {re.sub(r"\[\d+\]", "[*]", pin) for pin in table} == starred
    heads = [*table["EN"]]
    # docs/howto/decoder.md: 11 reads both, 01 the bottom tier, 10 the top one
    codes = ["".join("01"[table[f"M[{k}]"][head] == "high"] for k in (1, 0)) for head in heads]
    told = {"expansion": "11", "bottom reads": "01", "top reads": "10"}
    assert codes == [next(told[w] for w in told if w in head) for head in heads]
    assert len(codes) == (1 if cols == 1 else 3)


@pytest.mark.parametrize("periphery", ["none", "decoder"])
def test_every_transistor_counts_and_no_delay_is_made_up(draw, periphery):
    """The datasheet counted the array's own; EN was said to switch after 0 s."""
    block = draw(rows=1, cols=1, periphery=periphery)
    counted = compare_layout(block.extracted, block.reference, block.tech).devices
    assert transistor_count(block.extracted) == counted["nfet"] + counted["pfet"]
    network = extract_network(block.extracted, block.tech)
    pin = "EN" if periphery == "decoder" else "WB"
    farad = net_capacitance(block.extracted, block.tech, nets=[pin])
    at = corner_figures(block.extracted, block.tech, block.abstract, farad, network, 1e-9)
    assert (pin in at.control_s) == (periphery == "none")
    text = "\n".join(liberty_lines(block.abstract, port_groups(block.abstract.pins), at))
    assert ("no delay of the logic" in text) == (periphery == "decoder")
