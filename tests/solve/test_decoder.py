"""Modes over a decoder: its codes set what the mode table says, and nothing is on between two."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossstack.base import names
from crossstack.base.errors import ModeError
from crossstack.solve.modes.address import is_gated
from crossstack.solve.modes.decoder import OFF, Decoder
from crossstack.solve.modes.drives import Drives, mode_drives
from crossstack.solve.modes.mode import ArrayKind
from crossstack.solve.modes.modes import MODES


def decoder_of(cols: int) -> Decoder:
    selects = [names.select(tier, j) for j in range(cols) for tier in (0, 1)]
    switches = [*(names.write_select(j) for j in range(cols)), *names.WRITE_TIERS]
    return Decoder(cols, (*switches, *selects))


def drives_of(mode: str, rows: int, cols: int, **options: object) -> Drives:
    inputs = np.zeros((2, rows))
    return mode_drives(mode, rows, cols, inputs, kind=ArrayKind(macro=True), **options)  # type: ignore[arg-type]


@given(cols=st.integers(2, 70), data=st.data())
def test_codes_set_the_mode_table(cols: int, data: st.DataObject) -> None:
    decoder = decoder_of(cols)
    before = decoder.pins(OFF)
    for mode in sorted(MODES):
        options: dict[str, object] = {}
        if MODES[mode].writes:
            options = {
                "write_column": data.draw(st.integers(0, cols - 1)),
                "read_tier": data.draw(st.sampled_from(names.TIER_NAMES)),
            }
        drives = drives_of(mode, 2, cols, **options)
        addressed = decoder.addressed(drives)
        assert addressed.gates == drives.gates
        assert addressed.port_voltages == drives.port_voltages
        pins = decoder.pins_of(drives)
        *between, last = decoder.sequence(before, pins)
        assert decoder.levels(last.levels) == {net: drives.gates[net] for net in decoder.nets}
        assert not any(
            on for step in between for net, on in decoder.levels(step.levels).items()
            if is_gated(net)
        )  # fmt: skip
        before = pins


@pytest.mark.parametrize("column", [0, 5, 7])
def test_nothing_is_on_in_the_fourth_code(column: int) -> None:
    decoder = decoder_of(6)
    assert not any(decoder.levels(decoder.pins(OFF, column)).values())


def test_an_address_beyond_the_columns_writes_none() -> None:
    decoder = decoder_of(6)
    on = {net for net, high in decoder.levels(decoder.pins((True, False), 7)).items() if high}
    assert on == {"WT", *(names.select(names.BOTTOM, j) for j in range(6))}
    with pytest.raises(ModeError, match=r"address is 8, allowed 0\.\.7"):
        decoder.pins(OFF, 8)


def test_without_select_lines_the_enable_turns_switches_off() -> None:
    decoder = Decoder(2, ("WSEL[0]", "WSEL[1]", "WT", "WB"))
    pins = decoder.pins((False, True), 1)
    assert [net for net, on in decoder.levels(pins).items() if on] == ["WSEL[1]", "WB"]
    assert not any(decoder.levels({**pins, "EN": False}).values())


def test_codes_are_told() -> None:
    drives = drives_of("deep-net", 2, 6, read_tier="top", write_column=4)
    told = decoder_of(6).told(drives)
    assert told.text == "decoder: A[2:0] 100, M[1:0] 10 while EN is low, then EN high"
    assert told.value["pins"] == {"A[0]": 0, "A[1]": 0, "A[2]": 1, "M[0]": 0, "M[1]": 1, "EN": 1}
    value = decoder_of(3).to_json()
    assert value["addresses"] == ["00", "01", "10"]
    assert [mode["M"] for mode in value["modes"]] == ["00", "11", "01", "10"]


def test_codes_that_read_nothing_are_called_writes() -> None:
    """A macro of one column offered deep-net codes, though it has no second column to read."""
    modes = decoder_of(1).to_json()["modes"]
    assert [mode["mode"] for mode in modes] == ["off", "expansion", "write", "write"]
    assert [(m["write_tier"], m["M"]) for m in modes[2:]] == [("top", "01"), ("bottom", "10")]
    planar = Decoder(3, ("BS[0]", "BS[1]", "BS[2]", "WSEL[0]", "WSEL[1]", "WSEL[2]", "WB"))
    assert planar.to_json()["modes"][2:] == [{"mode": "write", "write_tier": "bottom", "M": "10"}]
    on = decoder_of(1).levels(decoder_of(1).pins((True, False)))
    assert [net for net, high in on.items() if high] == ["WSEL[0]", "WT", "TS[0]"]


def test_a_decoder_of_another_macro_is_refused() -> None:
    drives = drives_of("expansion", 2, 3)
    with pytest.raises(ModeError, match=r"\[2\] is not driven by both the decoder and the mode"):
        decoder_of(2).addressed(drives)
    with pytest.raises(ModeError, match=r"TS\[2\] is no control of a decoder of 2 columns"):
        Decoder(2, ("TS[2]",))
    with pytest.raises(ModeError, match="each once"):
        Decoder(2, ("TS[0]", "TS[0]"))
    with pytest.raises(ModeError, match=r"no level is known for M\[1\]"):
        decoder_of(1).levels({"M[0]": True, "EN": True})
