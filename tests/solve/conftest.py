"""Networks built by hand, and ngspice as an independent oracle."""

from __future__ import annotations

import os
import shutil
import subprocess

import numpy as np
import pytest

from crossstack.solve import NetworkBuilder


def build_array(rows, cols, *, tiers=(0, 1), r_row=1.5, r_col=0.7, select=True, macro=False):
    """An array as extract would give it: lines, vias, select transistors, labelled pins."""
    b = NetworkBuilder()
    letter = "BT"

    def switch(a, c, gate, p=False):
        b.switch(a, c, gate, w_um=2.0, l_um=0.28, p=p)

    def gate_pass(a, c, control, inverted=False):
        n, p = (control + "_N", control) if inverted else (control, control + "_N")
        switch(a, c, n)
        switch(a, c, p, p=True)

    for j in range(cols):
        below = b.node(f"C[{j}].pin")
        if macro:
            for name, inverted in ((f"OUT[{j}]", True), ("WC", False)):
                gate_pass(b.node(name), below, f"WSEL[{j}]", inverted)
                b.port(name, b.node(name))
        else:
            b.port(f"C[{j}]", below)
        for i in reversed(range(rows)):
            here = b.node(f"C[{j}].{i}")
            b.resistor(below, here, r_col, layer="ME", net=f"C[{j}]", width_um=0.6)
            below = here
    for t in tiers:
        L = letter[t]
        for j in range(cols):
            if select:
                b.port(f"{L}S[{j}]", b.node(f"{L}S[{j}].pin"))
                b.resistor(
                    b.node(f"{L}S[{j}].pin"),
                    b.node(f"{L}S[{j}].gate"),
                    8.0,
                    layer="Poly2",
                    net=f"{L}S[{j}]",
                    width_um=0.28,
                )
        for i in range(rows):
            left = b.node(f"{L}R[{i}].pin")
            if macro:
                for name, inverted in ((f"IN_{L}[{i}]", True), (f"WR[{i}]", False)):
                    gate_pass(b.node(name), left, f"W{L}", inverted)
                    b.port(name, b.node(name))
            else:
                b.port(f"{L}R[{i}]", left)
            for j in range(cols):
                here = b.node(f"{L}R[{i}].{j}")
                b.resistor(left, here, r_row, layer="Metal3", net=f"{L}R[{i}]", width_um=0.5)
                left = here
                end = b.node(f"{L}E[{i}].{j}") if select else here
                if select:
                    low = b.node(f"{L}D[{i}].{j}")
                    switch(here, low, f"{L}S[{j}]")
                    b.resistor(low, end, 4.5, layer="Via4", net=f"{L}x{i}.{j}", cuts=1)
                b.memristor(t, i, j, end, b.node(f"C[{j}].{i}"), area_um2=0.25)
    return b.build()


@pytest.fixture(scope="session")
def make_array():
    return build_array


def ngspice_nodes(elements, fixed, n_nodes):
    """Node voltages by ngspice.

    elements: lines without the final line break that use nodes n<k>; fixed: node -> V.
    """
    if shutil.which("ngspice") is None:
        if os.environ.get("CI"):
            pytest.fail("ngspice is missing; CI installs it")
        pytest.skip("ngspice is not installed")
    lines = ["* oracle", *elements]
    lines += [f"v{k} n{k} 0 dc {float(v)!r}" for k, v in fixed.items()]
    lines += [".options reltol=1e-13 abstol=1e-18 vntol=1e-15 gmin=1e-18 itl1=500"]
    lines += [".control", "set numdgt=16", "set width=200", "op"]
    lines += [f"print v(n{k})" for k in range(n_nodes)]
    lines += [".endc", ".end"]
    run = subprocess.run(
        ["ngspice", "-b"], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    found = {}
    for line in run.stdout.splitlines():
        name, _, value = line.partition(" = ")
        if name.startswith("v(n") and value:
            found[int(name[3:-1])] = float(value)
    assert len(found) == n_nodes, run.stdout[-2000:] + run.stderr[-2000:]
    return np.array([found[k] for k in range(n_nodes)])


@pytest.fixture(scope="session")
def ngspice():
    return ngspice_nodes


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)
