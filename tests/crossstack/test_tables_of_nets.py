"""The table of nets: ohm from a pin to its nearest and farthest device."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from crossstack.analyse.nets import net_table
from crossstack.extract import inspect_net, net_summary
from crossstack.extract.reach import ARRAY_EDGE
from crossstack.pdk import get_tech
from crossstack.solve import NetworkBuilder, load_network


@pytest.mark.parametrize("island", [False, True])
def test_wires_of_a_net_that_hang_on_nothing_change_no_ohm(island):
    build = NetworkBuilder()
    pin, near, far, column = build.nodes(["pin", "near", "far", "column"])
    for a, b, ohm in ((pin, near, 3.0), (near, far, 5.0), (near, far, 5.0)):
        build.resistor(a, b, ohm, layer="ME", net="C[0]")
    if island:
        build.resistor(*build.nodes(["lost", "lonely"]), 7.0, layer="ME", net="C[0]")
    for row, node in enumerate((near, far)):
        build.memristor(0, row, 0, column, node)
    build.port("C[0]", pin)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (row,) = net_table(build.build(), get_tech())
    assert (row["nearest_ohm"], row["farthest_ohm"]) == pytest.approx((3.0, 5.5))
    assert row["pieces"] == 3 + island


def mesh(rng, n, terminals):
    """A random mesh with a pin at its first node and memristors on some, and its Laplacian."""
    pairs = {(k, int(rng.integers(k))) for k in range(1, n)}
    pairs |= {(max(p), min(p)) for p in rng.integers(n, size=(n, 2)).tolist() if p[0] != p[1]}
    build, laplace = NetworkBuilder(), np.zeros((n, n))
    nodes = build.nodes([f"n{k}" for k in range(n)])
    out = build.node("column")
    for a, b in sorted(pairs):
        ohm = float(np.exp(rng.uniform(-3, 3)))
        build.resistor(
            nodes[a], nodes[b], ohm, layer="ME", net="C[0]", width_um=rng.uniform(0.3, 3)
        )
        laplace[[a, b], [a, b]] += 1 / ohm
        laplace[[a, b], [b, a]] -= 1 / ohm
    for row, k in enumerate(terminals):
        build.memristor(0, row, 0, nodes[k], out)
    build.port("C[0]", nodes[0])
    return build.build(), laplace


@pytest.mark.parametrize("seed", range(12))
def test_nearest_and_farthest_are_those_of_the_laplacian(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 90))
    terminals = 1 + rng.choice(n - 1, size=min(n - 1, 70), replace=False)
    network, laplace = mesh(rng, n, terminals)
    inverse = np.zeros((n, n))
    inverse[1:, 1:] = np.linalg.inv(laplace[1:, 1:])
    ohm = np.diag(inverse)[terminals]
    limits = {"ME": 2e-3}
    (row,) = net_table(network, get_tech())
    assert (row["nearest_ohm"], row["farthest_ohm"]) == pytest.approx((ohm.min(), ohm.max()))
    (line,) = net_summary(network, get_tech(), wire_limits=limits)
    assert line.ohm == pytest.approx(ohm.max())
    # the least of what every terminal allows, each by its own path
    each = [
        min(
            s.width_um * limits["ME"] / s.through
            for s in inspect_net(network, "C[0]", to=f"n{k}")
            if s.through > 0
        )
        for k in terminals
    ]
    assert line.em_limit_a == pytest.approx(min(each))
    assert each[list(terminals).index(int(line.em_end[1:]))] == pytest.approx(min(each))


def test_what_is_measured_from_is_said(crossstack, tmp_path):
    size = ["--rows", "1", "--cols", "2", "--top", "macro", "--kelvin", "--name", "k"]
    assert crossstack("generate", *size, "-o", tmp_path, "-q").code == 0
    assert crossstack("extract", tmp_path / "k.gds", "-o", tmp_path, "-q").code == 0
    network = tmp_path / "k_network.npz"
    ran = crossstack("inspect", network, "--net", "TR*,IN*", "--json")
    origins = {row["net"]: row["origin"] for row in ran.json["nets"]}
    assert origins == {"TR[0]": ARRAY_EDGE, "IN_T[0]": "", "IN_B[0]": ""}
    assert f"measured from {ARRAY_EDGE}: " in crossstack("inspect", network).out
    inner = next(iter(n for n in load_network(network).nets if n.startswith("TE[")))
    assert ", as it has no pin: " in crossstack("inspect", network, "--net", inner).out
