"""A scan chain on board is no part of the network: the same transistors, the same currents."""

from __future__ import annotations

import numpy as np

from crossstack.base import names
from crossstack.cells import to_layout
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import ir_drop
from crossstack.solve.modes.address import Chain

TECH = get_tech()


def test_by_address_is_by_pins() -> None:
    array = build_top(ArraySpec(1, 2, top="macro", periphery="scan"))
    network = extract_network(to_layout(array.cell, TECH), TECH)
    controls = {net for net in network.gate_nets if names.CONTROL.fullmatch(net)}
    assert controls == set(array.chain)
    # 4 select transistors, the switches with their inverters, none of the chain
    drawn = [c for c in array.subcircuits if not c.name.startswith("scan_")]
    calls = [i.subcircuit for i in array.instances()]
    wanted = sum(
        calls.count(c.name) * sum(d.model in ("nfet", "pfet") for d in c.devices) for c in drawn
    )
    assert len(network.switch_a) == wanted
    chain, siemens = Chain(array.chain), np.full((2, 1, 2), 1e-4)
    for mode, options in (
        ("expansion", {}),
        ("deep-net", {"read_tier": "top", "write_column": 1}),
    ):
        inputs = np.full((2, 1), 0.2)
        by_pins = ir_drop(network, siemens, inputs, mode=mode, **options)
        by_address = ir_drop(network, siemens, inputs, mode=mode, chain=chain, **options)
        np.testing.assert_allclose(
            by_address.column_currents, by_pins.column_currents, rtol=1e-12, atol=0
        )
