"""A network with an open wire is told from one that is too large."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import NAME


def cut(built, target, *nets, at_port=True):
    """Leave out the wires that end on the ports of nets."""
    (source,) = built.glob("*network.npz")
    arrays = dict(np.load(source))
    names, ports = (bytes(arrays[k]).decode().split("\n") for k in ("nets", "port_names"))
    keep = np.ones(len(arrays["resistor_a"]), dtype=bool)
    for net in nets:
        pin = arrays["port_nodes"][ports.index(net)]
        ends = (arrays["resistor_a"] == pin) | (arrays["resistor_b"] == pin)
        keep &= ~(ends & (arrays["resistor_net"] == names.index(net)))
    assert not keep.all()
    arrays = {k: v[keep] if k.startswith("resistor_") else v for k, v in arrays.items()}
    np.savez(target, **arrays)
    return target


@pytest.mark.parametrize(
    ("nets", "said"),
    [
        (["TR[0]"], "any device of TR[0]:"),
        (["TR[0]", "BR[2]"], "any device of BR[2], any device of TR[0]:"),
        (["TR[0]", "TR[1]", "TR[2]"], "any device of TR[2]:"),
    ],
)
def test_a_cut_row_is_named(built, tmp_path, crossstack, nets, said):
    ran = crossstack("solve", cut(built, tmp_path / f"{NAME}_network.npz", *nets))
    assert ran.code == 0
    assert said in ran.err
    assert "size" not in ran.err
    assert "-" not in "".join(word for word in ran.err.split() if "%" in word)


def test_whole_wires_get_no_remark(built, crossstack):
    assert crossstack("solve", next(built.glob("*network.npz"))).err == ""
