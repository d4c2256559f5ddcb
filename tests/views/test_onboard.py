"""Logic on board in the views: what its pins carry, and how a datasheet says to set them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from crossstack.base import names
from crossstack.views.datasheet import steps
from crossstack.views.onboard import kind_of_logic, latched

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


def test_address_and_mode_are_held():
    assert latched(["A[0]", "EN", "M[0]", "M[1]"]) == ["A[0]", "M[0]", "M[1]"]
