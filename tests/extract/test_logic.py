"""A scan chain on board is no part of the network: the same transistors, the same currents."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crossstack.base import names
from crossstack.cells import to_layout
from crossstack.extract import extract_network
from crossstack.extract.nets.logic import logic_devices
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs.flat import flatten
from crossstack.lvs.spice import read_netlist
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


CLAMP = [
    "MN VDD G VSS VSS nfet W=40u L=0.28u",
    "MR0 N1 VDD VSS VSS nfet W=0.6u L=10u",
    "MR1 G VDD N1 VSS nfet W=0.6u L=10u",
    "MC G VDD G VSS nfet W=40u L=5u",
]
INVERTER = [
    "MI WT_N WT VSS VSS nfet W=1u L=0.28u",
    "MJ WT_N WT VDD VDD pfet W=1u L=0.28u",
]


def left_out(lines: list[str], folder: Path, labels: tuple[str, ...] = ()) -> set[str]:
    """Return the gates and channels of the transistors that are no part of a network."""
    labels = ("VDD", "VSS", "WT", *labels)
    path = folder / "a.spice"
    path.write_text("\n".join([f".subckt top {' '.join(labels)}", *lines, ".ends", ""]))
    reference = read_netlist(path)
    flat = flatten(reference.top, lambda net: net.name if net.name in labels else "")
    shown = [net.name or f"${k}" for k, net in enumerate(flat.nets)]
    found = logic_devices(flat, shown, frozenset({"VDD", "VSS"}))
    return {str(flat.devices[k].parameters) for k in found}


def test_a_supply_clamp_is_no_part_of_a_network(tmp_path: Path) -> None:
    assert len(left_out(CLAMP + INVERTER, tmp_path)) == 3  # MN, MC, and both resistors
    assert not left_out(INVERTER, tmp_path)
    # one whose gate is a pin, or that something of the array drives, stays
    assert not left_out(CLAMP[:1] + INVERTER, tmp_path, ("G",))
    driven = "MX G WT VDD VSS nfet W=3u L=0.28u"
    assert not left_out([*CLAMP, driven, *INVERTER], tmp_path)
