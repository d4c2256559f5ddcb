"""Parts that a layout lacks, where it has others like them: no place is named that is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossstack.lvs.explain import Explainer
from crossstack.lvs.flat import flatten
from crossstack.lvs.graph import Graph, build_graph
from crossstack.lvs.spice import read_netlist
from crossstack.lvs.tolerances import Tolerances
from crossstack.lvs.wholes import extra_wholes, lost_wholes

CLAMP = (
    ".subckt clamp VDD VSS\nMN VDD g VSS VSS nfet W=9u L=1u\nMC g VDD g VSS nfet W=1u L=1u\n.ends\n"
)
#: three clamps alike, one between other nets, one of another size
TOP = """.subckt wide VDD VSS
MN VDD g VSS VSS nfet W=8u L=1u
MC g VDD g VSS nfet W=1u L=1u
.ends
.subckt top VDD VSS A
Xnorth VDD VSS clamp
Xeast VDD VSS clamp
Xwest VDD VSS clamp
Xin A VSS clamp
Xwide VDD VSS wide
M1 A A VSS VSS nfet W=1u L=1u
.ends
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> Graph:
    path = tmp_path_factory.mktemp("wholes") / "top.spice"
    path.write_text(CLAMP + TOP)
    reference = read_netlist(path)
    named = {*reference.pins}
    return build_graph(flatten(reference.top, lambda n: n.name if n.name in named else ""), 0.005)


def rows(graph: Graph, *parts: str) -> list[int]:
    names = [graph.flat.devices[members[0]].name for members in graph.members]
    return [k for k, name in enumerate(names) if name.partition("/")[0] in parts]


def test_one_of_some_equal_parts_has_no_place(graph):
    findings, told = lost_wholes(graph, rows(graph, "EAST"))
    (finding,) = findings
    assert finding.kind == "missing"
    assert finding.message.startswith("1 of 3 equal parts on VDD, VSS is not in the layout")
    assert "EAST (2 devices) may stand for any of them" in finding.message
    assert told == set(rows(graph, "EAST"))
    (finding,), _ = lost_wholes(graph, rows(graph, "EAST", "NORTH"))
    assert finding.message.startswith("2 of 3 equal parts on VDD, VSS are not")


def test_what_is_alone_or_there_in_part_is_named_device_by_device(graph):
    """A part on other nets or of other sizes has a name, and one that lost a device has a place."""
    assert lost_wholes(graph, rows(graph, "IN", "WIDE")) == ([], set())
    assert lost_wholes(graph, rows(graph, "EAST")[:1]) == ([], set())
    (_,), told = lost_wholes(graph, [*rows(graph, "WEST"), *rows(graph, "EAST")[1:]])
    assert told == set(rows(graph, "WEST"))


@pytest.fixture
def drawn(graph) -> Graph:
    """The same as a layout has it: no instances, a place each, nets known by their labels."""
    flat = graph.flat
    devices = [d._replace(name=f"${k}", at=(float(k), 0.0)) for k, d in enumerate(flat.devices)]
    anchors = np.array([k if net.name else -1 for k, net in enumerate(flat.nets)])
    return replace(graph, flat=replace(flat, devices=devices), anchors=anchors)


def test_which_of_some_equal_parts_is_too_many_nobody_knows(graph, drawn):
    """A fifth clamp was said to be that at the place of one of the four."""
    (finding,), told = extra_wholes(drawn, rows(graph, "EAST"))
    assert finding.kind == "extra"
    assert finding.message.startswith(
        "1 of 3 equal parts of 2 devices on VDD, VSS is not in the reference, and nothing tells "
        "which: they are at ("
    )
    assert told == set(rows(graph, "EAST"))
    firsts = {rows(graph, part)[0] for part in ("NORTH", "EAST", "WEST")}
    assert len(finding.places) == len(firsts) == 3
    (finding,), _ = extra_wholes(drawn, rows(graph, "EAST", "NORTH"))
    assert finding.message.startswith("2 of 3 equal parts of 2 devices on VDD, VSS are not")


def test_a_device_too_many_that_is_alone_or_part_of_more_is_named_itself(graph, drawn):
    assert extra_wholes(drawn, rows(graph, "IN", "WIDE")) == ([], set())
    assert extra_wholes(drawn, rows(graph, "EAST")[:1]) == ([], set())


def test_a_clamp_too_many_is_said_of_no_place(tmp_path):
    """From two netlists to the findings; a wider one was taken for one of the equal ones."""
    graphs, kept = [], []
    for text in (TOP, TOP.replace("Xeast VDD VSS clamp\n", "")):
        path = tmp_path / f"{len(kept)}.spice"
        path.write_text(CLAMP + text)
        kept.append(read_netlist(path))  # the circuits die with it
        pins = {*kept[-1].pins}
        flat = flatten(kept[-1].top, lambda net, pins=pins: net.name if net.name in pins else "")
        graphs.append(build_graph(flat, 0.005))
        names = [net.name for net in flat.nets]
        graphs[-1].anchors[:] = [sorted(pins).index(name) if name else -1 for name in names]
    (finding,) = Explainer(None, *graphs, Tolerances()).explain()
    assert finding.kind == "extra"
    assert "1 of 3 equal parts" in finding.message
