"""Netlists whose parts look alike: told apart, and a proof only where they are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossstack.lvs.flat import flatten
from crossstack.lvs.graph import MOST_ALIKE, Graph, build_graph, equal_colors, told_apart
from crossstack.lvs.names import anchor_by_name
from crossstack.lvs.spice import read_netlist


def ring(*sizes: int) -> list[str]:
    """Return transistors in rings: each drives the gate of the next."""
    lines, first = [], 0
    for size in sizes:
        for k in range(size):
            gate, to = f"n{first + k}", f"n{first + (k + 1) % size}"
            lines.append(f"M{first + k} {to} {gate} VSS VSS nfet W=1u L=1u")
        first += size
    return lines


def pair(first: list[str], second: list[str], folder: Path) -> tuple[Graph, Graph]:
    graphs, pins = [], ()
    for k, lines in enumerate((first, second)):
        path = folder / f"{k}.spice"
        path.write_text("\n".join([".subckt top VSS", *lines, ".ends", ""]))
        reference = read_netlist(path)
        pins = reference.pins
        # as in a layout whose inner nets have no labels
        flat = flatten(reference.top, lambda net: net.name if net.name == "VSS" else "")
        graphs.append(build_graph(flat, 0.005))
    anchor_by_name(*graphs, pins)
    return graphs[0], graphs[1]


@pytest.mark.parametrize("sizes", [(2, 2), (3, 3), (6,), (2, 2, 2)])
def test_equal_rings_are_proved_equal(sizes, tmp_path):
    lines = ring(*sizes)
    a, b = pair(lines, lines[::-1], tmp_path)
    same, proven, _ = equal_colors(a, b)
    assert (same, proven) == (True, False)
    hops = told_apart(a, b)
    colors = np.sort(a.net_colors(hops)[a.used_nets])
    assert len(np.unique(colors)) == len(colors)
    assert np.array_equal(colors, np.sort(b.net_colors(hops)[b.used_nets]))


def test_rings_of_other_sizes_look_alike_and_are_not_proved_equal(tmp_path):
    a, b = pair(ring(3, 3), ring(6), tmp_path)
    assert equal_colors(a, b)[:2] == (True, False)
    before = a.anchors.copy(), b.anchors.copy()
    assert told_apart(a, b) is None
    assert np.array_equal(a.anchors, before[0])
    assert np.array_equal(b.anchors, before[1])


def test_many_parts_that_have_nothing_to_do_with_each_other_are_proved_equal(tmp_path):
    """As the supply clamps of a die: more of them than nets are taken for each other in turn."""
    parts = [
        f"M{k}{end} {nets} VSS VSS nfet W=1u L=1u"
        for k in range(3 * MOST_ALIKE)
        for end, nets in enumerate((f"VSS g{k}", f"g{k} n{k}", f"n{k} VSS"))
    ]
    a, b = pair(parts, parts[::-1], tmp_path)
    assert equal_colors(a, b)[:2] == (True, False)
    assert told_apart(a, b) is not None
    assert len(np.unique(a.anchors[a.used_nets])) > 2 * MOST_ALIKE
