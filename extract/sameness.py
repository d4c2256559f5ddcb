"""Whether a network is that of a layout."""

from __future__ import annotations

import numpy as np

from ..solve import Network

#: relative difference of resistances that are the same
_SAME = 1e-6


def other_wires(network: Network, found: Network) -> str:
    """Return in words what a network does not share with another; empty if they are the same.

    Args:
        network: of all nets, or of some with the others ideal.
        found: what the layout in question gives at the network's conditions.
    """
    for what, one, two in (
        ("memristors", network.memristor_area_um2, found.memristor_area_um2),
        ("transistors", network.switch_w_um, found.switch_w_um),
    ):
        if len(one) != len(two):
            return f"it has {len(two)} {what}, not {len(one)}"
        if not np.allclose(np.sort(one), np.sort(two), rtol=_SAME, atol=0):
            return f"its {what} have other sizes"
    theirs = {name: k for k, name in enumerate(found.nets)}
    for k in np.unique(network.resistor_net):
        name = network.nets[int(k)]
        ohm = np.sort(network.resistor_ohm[network.resistor_net == k])
        other = np.sort(found.resistor_ohm[found.resistor_net == theirs.get(name, -1)])
        if ohm.shape != other.shape or not np.allclose(ohm, other, rtol=_SAME, atol=0):
            return f"net {name} has other wires"
    return ""
