"""A network whose names contradict each other is not solved: each single change is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crossstack.base.errors import NetworkError, NetworkFileError
from crossstack.cells.drawing import to_layout
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.solve import load_network, save_network
from crossstack.solve.network import netfile
from crossstack.solve.network.sense import check_sense

SPECS = [
    {"top": "array", "row_ends": "both"},
    {"top": "macro"},
    {"top": "macro", "read_switch": "both"},
    {"top": "macro", "periphery": "scan", "process": "sky130_reram"},
]


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: "-".join(spec.values()))
def network(request):
    array = build_top(ArraySpec.from_mapping({"rows": 2, "cols": 2, **request.param}))
    return extract_network(to_layout(array.cell, array.tech), array.tech)


def test_what_is_extracted_makes_sense(network):
    check_sense(network)


def test_no_transistor_may_be_of_the_other_kind(network):
    for k in range(len(network.switch_p)):
        kinds = network.switch_p.copy()
        kinds[k] = ~kinds[k]
        with pytest.raises(NetworkError, match="switch_p"):
            check_sense(replace(network, switch_p=kinds))
    with pytest.raises(NetworkError, match="switch_p"):
        check_sense(replace(network, switch_p=~network.switch_p))


def test_no_memristor_may_be_turned_round(network):
    for k in (0, -1, slice(None)):
        a, b = network.memristor_a.copy(), network.memristor_b.copy()
        a[k], b[k] = network.memristor_b[k], network.memristor_a[k]
        with pytest.raises(NetworkError, match="memristor_a"):
            check_sense(replace(network, memristor_a=a, memristor_b=b))


def test_no_pin_may_lie_on_another_net(network):
    nets = {}
    for node, net in zip(network.resistor_a.tolist(), network.resistor_net.tolist(), strict=True):
        nets[node] = network.nets[net]
    for pin in network.ports:
        other = next(node for node, net in nets.items() if net != pin)
        with pytest.raises(NetworkError, match="port"):
            check_sense(replace(network, ports={**network.ports, pin: other}))


def test_files_are_held_to_it(network, tmp_path, monkeypatch):
    first, second = [*network.ports][:2]
    swapped = {**network.ports, first: network.ports[second], second: network.ports[first]}
    wrong = replace(network, ports=swapped)
    with pytest.raises(NetworkError, match="port"):
        save_network(wrong, tmp_path / "a.npz")
    with monkeypatch.context() as patch:
        patch.setattr(netfile, "check_sense", lambda _: None)
        save_network(wrong, tmp_path / "a.npz")
    with pytest.raises(NetworkFileError, match=r"a\.npz: port"):
        load_network(tmp_path / "a.npz")


def test_no_memristor_may_be_at_another_place_than_its_lines(network):
    for field in ("memristor_tier", "memristor_row", "memristor_col"):
        value = getattr(network, field)
        if set(value.tolist()) != {0, 1}:
            continue  # of one tier
        for k in (0, -1, slice(None)):
            other = value.copy()
            other[k] = 1 - other[k]
            with pytest.raises(NetworkError, match=r"memristor \d+ is (tier|row|col) .* on net "):
                check_sense(replace(network, **{field: other}))


def test_no_device_may_be_selected_as_another(network):
    mine = [k for k, g in enumerate(network.switch_gate) if network.nets[g][:2] in ("BS", "TS")]
    gates = sorted({int(network.switch_gate[k]) for k in mine})
    for k in (mine[0], mine[-1]):
        for gate in set(gates) - {int(network.switch_gate[k])}:
            other = network.switch_gate.copy()
            other[k] = gate
            with pytest.raises(
                NetworkError, match=rf"transistor {k} is that of .* on .S.*, not .S"
            ):
                check_sense(replace(network, switch_gate=other))


def test_no_select_may_lead_to_another_row(network):
    nets = {}
    for ends in (network.resistor_a, network.resistor_b):
        nets.update(
            zip(ends.tolist(), (network.nets[n] for n in network.resistor_net), strict=True)
        )
    rows = {name: node for node, name in nets.items() if name[:3] in ("BR[", "TR[")}
    for field in ("switch_a", "switch_b"):
        ends = getattr(network, field)
        for k, gate in enumerate(network.switch_gate):
            here = nets.get(int(ends[k]))
            if network.nets[gate][:2] not in ("BS", "TS") or here not in rows:
                continue
            other = ends.copy()
            other[k] = next(node for name, node in rows.items() if name != here)
            with pytest.raises(NetworkError, match=rf"transistor {k} leads from "):
                check_sense(replace(network, **{field: other}))
