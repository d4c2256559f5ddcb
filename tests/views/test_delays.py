"""How long logic on board takes: by hand for a few transistors, and for a drawn decoder."""

from __future__ import annotations

import math

import pytest

from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import Conditions, get_tech
from crossstack.solve.modes.decoder import Decoder
from crossstack.views.delays import (
    Circuit,
    FollowedDecoder,
    chain_of,
    control_lines,
    decoder_delays,
)
from crossstack.views.pull import BY_SLOPE, Pull
from crossstack.views.switching import Fet, Switching

LOW, HIGH, A, X, Y, Z = range(6)
SUPPLIES = {LOW: False, HIGH: True}


class Hand:
    """Resistances that a hand computes with: 1 kohm, of a P transistor 2 kohm."""

    slope = 2.0

    def ohm(self, kind: str, w_um: float, depth: int, high: bool) -> float:
        return {"nfet": 1e3, "pfet": 2e3}[kind] / w_um


def inverter(a: int, y: int, w_um: float = 1.0) -> list[Fet]:
    return [Fet("nfet", w_um, y, a, LOW), Fet("pfet", w_um, y, a, HIGH)]


def test_two_inverters_take_what_a_hand_computes():
    fets = [*inverter(A, X), *inverter(X, Y, 2.0)]
    chain = Switching(fets, {X: 1e-12, Y: 3e-12}, Hand(), SUPPLIES, [A])
    chain.run({A: False})
    assert (chain.level[X], chain.level[Y]) == (1, 0)
    _, x, y = chain.run({A: True}, slope_s=1e-9)
    first = BY_SLOPE * 1e-9 + math.log(2) * 1e-9
    assert (x.net, x.high, x.at_s) == (X, False, pytest.approx(first))
    assert x.slope_s == pytest.approx(2 * math.log(2) * 1e-9)
    assert y.at_s == pytest.approx(first + BY_SLOPE * x.slope_s + math.log(2) * 3e-9)


def test_a_way_of_two_transistors_has_its_elmore_delay():
    """A NAND whose inner net was charged: (R1 (C1 + C2) + R2 C2)."""
    b = 6
    fets = [Fet("nfet", 1.0, X, A, LOW), Fet("nfet", 1.0, Y, b, X),
            Fet("pfet", 1.0, Y, A, HIGH), Fet("pfet", 1.0, Y, b, HIGH)]  # fmt: skip
    nand = Switching(fets, {X: 1e-12, Y: 2e-12}, Hand(), SUPPLIES, [A, b])
    nand.run({A: False, b: True})
    assert (nand.level[X], nand.level[Y]) == (1, 1)
    events = {e.net: e.at_s for e in nand.run({A: True})}
    assert events[Y] == pytest.approx(math.log(2) * (1e3 * 3e-12 + 1e3 * 2e-12))


def test_a_latch_holds_and_a_pulse_that_is_too_short_is_none():
    open_, shut = 6, 7
    fets = [
        Fet("nfet", 1.0, A, open_, X), Fet("pfet", 1.0, A, shut, X),
        Fet("nfet", 1.0, X, shut, Z), Fet("pfet", 1.0, X, open_, Z),
        *inverter(X, Y), *inverter(Y, Z),
    ]  # fmt: skip
    farad = {X: 1e-12, Y: 1e-12, Z: 1e-12}
    latch = Switching(fets, farad, Hand(), SUPPLIES, [A, open_, shut])
    latch.run({A: True, open_: True, shut: False})
    latch.run({open_: False, shut: True})
    assert not [e for e in latch.run({A: False}) if e.net != A]
    assert (latch.level[X], latch.level[Y], latch.level[Z]) == (1, 0, 1)


def test_transistors_in_series_share_their_drop():
    """By the process's table: eight in series pull less than one, and more than an eighth of it."""
    pull = Pull(get_tech("stepper"))
    for kind, high in (("nfet", False), ("pfet", True)):
        one, eight = (pull.ohm(kind, 1.0, n, high) for n in (1, 8))
        small = getattr(get_tech("stepper"), kind).ron_ohm(1.0)
        # at the supply's voltage a transistor saturates; with an eighth of it, it does not
        assert small < eight < one < 4 * small
        assert pull.ohm(kind, 1.0, 1, not high) > one


def test_what_is_followed_is_what_the_codes_set(decoder):
    """Levels of every code, address and step against the table of codes."""
    block, network, _, circuit = decoder
    logic = Decoder(3, control_lines(network))
    followed = FollowedDecoder(circuit, block.tech, logic, {})
    codes = [(b, t) for b in (False, True) for t in (False, True)]
    for pins in (logic.pins(code, column) for column in (0, 3, 1, 2) for code in codes):
        for levels in (
            {**pins, "EN": False},
            pins,
            {p: not v for p, v in pins.items()} | {"EN": True},
        ):
            followed.run(levels)
            wanted = logic.levels(pins if levels["EN"] else levels)
            assert followed.levels() == wanted, (pins, levels)


def test_a_decoder_is_slower_where_transistors_are(decoder):
    block, network, known, circuit = decoder
    at = [Conditions(corner="min", temperature_c=-40.0), Conditions(),
          Conditions(corner="max", temperature_c=125.0)]  # fmt: skip
    found = [decoder_delays(circuit, block.tech.at(c), network, known) for c in at]
    for key in ("on_s", "first_s", "off_s", "switch_s", "rest_s", "setup_s", "hold_s"):
        fast, typical, slow = (getattr(f, key) for f in found)
        assert 0 < fast < typical < slow, key
    typical = found[1]
    # break before make: off and latches shut long before, mode switches stand after all that
    assert typical.off_s < typical.first_s < typical.on_s < typical.switch_s <= typical.rest_s
    assert typical.hold_s < typical.first_s


def test_the_order_of_a_chain_is_read_from_its_transistors(draw):
    block = draw(rows=1, cols=2, periphery="scan")
    chain = build_top(ArraySpec(1, 2, top="macro", periphery="scan")).chain
    circuit = Circuit(block.extracted, block.abstract, None)
    assert chain_of(circuit, block.tech, sorted(chain)) == chain
