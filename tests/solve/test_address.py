"""Modes over a scan chain: bits and levels are inverse, and select lines break before they make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossstack.base import names
from crossstack.base.errors import ModeError
from crossstack.solve.modes.address import RESET, Chain, Step, is_gated
from crossstack.solve.modes.drives import Drives, mode_drives
from crossstack.solve.modes.mode import ArrayKind
from crossstack.solve.modes.modes import MODES


def chain_of(cols: int) -> Chain:
    selects = [names.select(tier, j) for j in range(cols) for tier in (0, 1)]
    held = [*(names.write_select(j) for j in range(cols)), *names.WRITE_TIERS]
    return Chain((*held, *selects))


def drives_of(mode: str, rows: int, cols: int, **options: object) -> Drives:
    inputs = np.zeros((2, rows))
    return mode_drives(mode, rows, cols, inputs, kind=ArrayKind(macro=True), **options)  # type: ignore[arg-type]


class Hardware:
    """Flip-flops, latches and gates as they are drawn."""

    def __init__(self, nets: Sequence[str]) -> None:
        self.nets, self.clock = nets, False
        self.shifted = [True] * len(nets)  # whatever it is at power-up
        self.held = [True] * len(nets)

    def take(self, step: Step) -> dict[str, bool]:
        pins = step.levels
        if pins["CLK"] and not self.clock:
            self.shifted = [pins["SIN"], *self.shifted[:-1]]
        self.clock = pins["CLK"]
        if not pins["RSTN"]:
            self.shifted = [False] * len(self.nets)
        if pins["LE"] or not pins["RSTN"]:
            self.held = list(self.shifted)
        enabled = pins["EN"] and pins["RSTN"]
        lines = zip(self.nets, self.held, strict=True)
        return {net: on and (enabled or not is_gated(net)) for net, on in lines}


@given(cols=st.integers(2, 9), data=st.data())
def test_hardware_ends_in_the_mode_table_and_breaks_before_it_makes(
    cols: int, data: st.DataObject
) -> None:
    chain = chain_of(cols)
    hardware = Hardware(chain.nets)
    before = hardware.take(RESET)
    assert not any(before.values())
    for _ in range(3):
        mode = data.draw(st.sampled_from(sorted(MODES)))
        options: dict[str, object] = {}
        if MODES[mode].writes:
            options = {
                "write_column": data.draw(st.integers(0, cols - 1)),
                "read_tier": data.draw(st.sampled_from(names.TIER_NAMES)),
            }
        wanted = {net: drives_of(mode, 3, cols, **options).gates[net] for net in chain.nets}
        lines = before
        for step in chain.sequence(wanted):
            now = hardware.take(step)
            moved = {net for net in chain.nets if now[net] != lines[net]}
            on = [net for net in chain.nets if is_gated(net) and (now[net] or lines[net])]
            # mode switches move only while no select line is on
            assert not on or all(map(is_gated, moved))
            # a select line that is on belongs to the old state or to the new one, never to both
            assert all(now[net] <= before[net] or now == wanted for net in chain.nets
                       if is_gated(net))  # fmt: skip
            lines = now
        assert lines == wanted
        before = lines


@given(bits=st.lists(st.booleans(), min_size=12, max_size=12))
def test_bits_and_levels_are_inverse(bits: list[bool]) -> None:
    chain = chain_of(2)
    bits = bits[: len(chain.nets)]
    assert list(chain.bits(chain.levels(bits))) == bits
    off = chain.levels(bits, enabled=False)
    assert not any(on for net, on in off.items() if is_gated(net))


@pytest.mark.parametrize("mode", sorted(MODES))
def test_addressed_drives_are_those_by_pins(mode: str) -> None:
    drives = drives_of(mode, 4, 3)
    addressed = chain_of(3).addressed(drives)
    assert addressed.gates == drives.gates
    assert addressed.port_voltages == drives.port_voltages


def test_a_chain_of_another_macro_is_refused() -> None:
    drives = drives_of("expansion", 2, 3)
    with pytest.raises(ModeError, match=r"\[2\] is not driven by both"):
        chain_of(2).addressed(drives)
    with pytest.raises(ModeError, match="no level is known"):
        chain_of(4).bits(drives.gates)
    with pytest.raises(ModeError, match="3 bits for a chain of 8"):
        chain_of(2).levels([True] * 3)
    with pytest.raises(ModeError, match="each once"):
        Chain(("TS[0]", "TS[0]"))
    with pytest.raises(ModeError, match="each once"):
        Chain(())
