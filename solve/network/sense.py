"""What a network file says twice, and has to say alike: pins and nets, transistors and rails.

A network that a program made by hand may name things as it likes; these rules hold where our own
names appear.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from ...base.errors import NetworkError
from ...base.names import (
    COLUMN,
    ELECTRODES,
    GROUND,
    ROWS,
    SELECTS,
    SUPPLY,
    TIER_NAMES,
    complement,
    kind_of,
    select,
)
from .network import Network

Ints = NDArray[np.int64]


def check_sense(network: Network) -> None:
    """Refuse a network whose names contradict each other.

    Raises:
        NetworkError: naming pin or transistor, and what it contradicts.
    """
    _check_ports(network)
    _check_devices(network)
    said = _said(network)
    _check_places(network, said)
    _check_access(network, said)
    _check_selects(network)
    _check_inverters(network)
    _check_pairs(network)


def _check_ports(network: Network) -> None:
    """Refuse a pin on the wires of another net."""
    nets_at: dict[int, set[str]] = {}
    ends = np.concatenate([network.resistor_a, network.resistor_b])
    is_pin = np.zeros(network.n_nodes, dtype=bool)
    is_pin[[*network.ports.values()]] = True
    mine = is_pin[ends]
    nets = np.tile(network.resistor_net, 2)[mine]
    for node, net in zip(ends[mine].tolist(), nets.tolist(), strict=True):
        nets_at.setdefault(node, set()).add(network.nets[net])
    of_wires = {*network.nets}
    named = of_wires | {*network.ports}
    for pin, node in network.ports.items():
        found = nets_at.get(node, {pin})
        others = (found - {pin}) & named
        if pin not in of_wires:  # probes of any name may share a wire, lines may not
            others = {net for net in others & {*network.ports} if kind_of(net) and kind_of(pin)}
        if others and pin not in found:
            raise NetworkError(
                f"port {pin!r} is node {str(network.node_names[node])!r}, a wire of net "
                f"{sorted(others)[0]!r}; allowed: a node of net {pin!r}"
            )


def _check_devices(network: Network) -> None:
    """Refuse a memristor that is the wrong way round: its second end is the column's."""
    net_of = _net_of(network)
    is_column = np.array([*(kind_of(net) == COLUMN for net in network.nets), False], dtype=bool)
    first, second = net_of[network.memristor_a], net_of[network.memristor_b]
    wrong = np.flatnonzero(is_column[first] & ~is_column[second])
    if len(wrong):
        k = int(wrong[0])
        raise NetworkError(
            f"memristor_a[{k}] is on column line {network.nets[int(first[k])]}, memristor_b[{k}] "
            f"is not; allowed: the other way round ({len(wrong)} of {len(first)} are wrong)"
        )


#: net of a row or column line, or of a device's electrode: letters and one or two numbers
_NAMED = re.compile(
    rf"({'|'.join((COLUMN, *ROWS))})\[(\d+)\]|({'|'.join(ELECTRODES)})\[(\d+)\]\[(\d+)\]", re.ASCII
)
_PLACE = ("tier", "row", "col")


def _said(network: Network) -> Ints:
    """Return tier, row and column that each net's name says, -1 where it does not.

    Shape (n + 1, 3); the last line is for nodes without a net.
    """
    # without lines of the top tier, both tiers are on those of the bottom one
    both = not any(kind_of(net) == ROWS[1] for net in network.nets)
    found = np.full((len(network.nets) + 1, 3), -1, dtype=np.int64)
    for k, net in enumerate(network.nets):
        match = _NAMED.fullmatch(net)
        if not match:
            continue
        line, number, electrode, row, col = match.groups()
        if electrode:
            found[k] = ELECTRODES.index(electrode), int(row), int(col)
        elif line == COLUMN:
            found[k, 2] = int(number)
        else:
            found[k, :2] = -1 if both else ROWS.index(line), int(number)
    return found


def _check_places(network: Network, said: Ints) -> None:
    """Refuse a memristor at another place than its lines and its electrode are named for."""
    net_of = _net_of(network)
    are = np.stack([network.memristor_tier, network.memristor_row, network.memristor_col], axis=1)
    for ends in (network.memristor_a, network.memristor_b):
        named = said[net_of[ends]]
        wrong = np.argwhere((named >= 0) & (named != are))
        if len(wrong):
            k, which = wrong[0].tolist()
            shown = [TIER_NAMES[n] if which == 0 else n for n in (are[k, which], named[k, which])]
            raise NetworkError(
                f"memristor {k} is {_PLACE[which]} {shown[0]}, but on net "
                f"{network.nets[net_of[ends[k]]]}, which makes it {shown[1]}: shorted lines, "
                f"exchanged labels, or a changed file ({len(wrong)} such devices)"
            )


def _check_access(network: Network, said: Ints) -> None:
    """Refuse a transistor of a device that leads to another row, or whose select is another's."""
    net_of, number = _net_of(network), {name: k for k, name in enumerate(network.nets)}
    ends = np.stack([net_of[network.switch_a], net_of[network.switch_b]], axis=1)
    whole = said.min(axis=1) >= 0
    of_select = np.array([kind_of(net) in SELECTS for net in network.nets], dtype=bool)
    for own, far in ((0, 1), (1, 0)):
        mine = np.flatnonzero(whole[ends[:, own]])
        electrode, other = ends[mine, own], ends[mine, far]
        named = said[other][:, :2]
        differ = (named >= 0) & (named != said[electrode][:, :2])
        for k in np.flatnonzero(
            (said[other, 1] >= 0) & ~whole[other] & differ.any(axis=1)
        ).tolist():
            raise NetworkError(
                f"transistor {mine[k]} leads from {network.nets[electrode[k]]} to "
                f"{network.nets[other[k]]}, which is not the row of that device: exchanged labels, "
                "or a changed file"
            )
        gates = network.switch_gate[mine]
        for k in np.flatnonzero(of_select[gates]).tolist():
            tier, _, col = said[electrode[k]].tolist()
            wanted, gate = select(tier, col), network.nets[gates[k]]
            if wanted in number and wanted != gate:
                raise NetworkError(
                    f"transistor {mine[k]} is that of {network.nets[electrode[k]]}, but its gate "
                    f"is on {gate}, not {wanted}: exchanged labels, or a changed file"
                )


def _check_selects(network: Network) -> None:
    """Refuse a pfet on a select line: a high line selects."""
    of_select = np.array([kind_of(net) in SELECTS for net in network.nets], dtype=bool)
    wrong = np.flatnonzero(network.switch_p & of_select[network.switch_gate])
    if len(wrong):
        k = int(wrong[0])
        raise NetworkError(
            f"switch_p[{k}] says pfet, but its gate is select line "
            f"{network.nets[int(network.switch_gate[k])]}; allowed: nfet ({len(wrong)} of "
            f"{len(network.switch_p)} elements are wrong)"
        )


def _check_inverters(network: Network) -> None:
    """Refuse an inverter whose pfet is on the ground's side, or whose nfet on the supply's."""
    net_of = _net_of(network)
    rails = {network.nets.index(n): n for n in (GROUND, SUPPLY) if n in network.nets}
    pulls: dict[tuple[int, int, str], dict[bool, int]] = {}
    ends = np.stack([net_of[network.switch_a], net_of[network.switch_b]], axis=1)
    for k in np.flatnonzero(np.isin(ends, list(rails)).any(axis=1)).tolist():
        a, b = ends[k].tolist()
        for end, out in ((a, b), (b, a)):
            if end in rails and out not in rails:
                pulled = pulls.setdefault((int(network.switch_gate[k]), out, rails[end]), {})
                pulled[bool(network.switch_p[k])] = k
    for gate, out in {key[:2] for key in pulls}:
        sides = [pulls.get((gate, out, rail), {}) for rail in (GROUND, SUPPLY)]
        for rail, side, wrong, right in (
            (GROUND, sides[0], True, "nfet"),
            (SUPPLY, sides[1], False, "pfet"),
        ):
            if all(sides) and side.keys() == {wrong}:
                raise NetworkError(
                    f"switch_p[{side[wrong]}] is {wrong} between {rail} and {network.nets[out]}, "
                    f"in an inverter of {network.nets[gate]}; allowed: {not wrong}, {right}"
                )


def _check_pairs(network: Network) -> None:
    """Refuse transistors side by side of which one would conduct at any level of a control.

    That is two of one kind on the control and its complement, and two kinds on one of these.
    """
    net_of = _net_of(network)
    first, second = net_of[network.switch_a], net_of[network.switch_b]
    number = {name: k for k, name in enumerate(network.nets)}
    other = np.array([number.get(complement(name), -1) for name in network.nets], dtype=np.int64)
    low, high = np.minimum(first, second), np.maximum(first, second)
    keys = np.stack([low, high, network.switch_gate, network.switch_p], axis=1)
    # a transistor that stands alone between two nets has nothing beside it
    pair, times = np.unique(keys[:, :2], axis=0, return_inverse=True, return_counts=True)[1:]
    beside = np.flatnonzero((times[pair.ravel()] > 1) & (low >= 0))
    known = {tuple(keys[k].tolist()): k for k in beside.tolist()}
    for (a, b, gate, p), k in known.items():
        for gates, kind, are in (
            ((gate, int(other[gate])), p, "one kind; allowed: one of either kind"),
            ((gate, gate), 1 - p, "two kinds; allowed: one kind"),
        ):
            twin = known.get((a, b, gates[1], kind))
            if twin is not None:
                raise NetworkError(
                    f"switch_p[{k}] and [{twin}] say that transistors between {network.nets[a]} "
                    f"and {network.nets[b]}, with gates {network.nets[gates[0]]} and "
                    f"{network.nets[gates[1]]}, are of {are}"
                )


def _net_of(network: Network) -> Ints:
    """Return the net of each node by its wires; -1 of one without."""
    found = np.full(network.n_nodes, -1, dtype=np.int64)
    for ends in (network.resistor_a, network.resistor_b):
        found[ends] = network.resistor_net
    return found
