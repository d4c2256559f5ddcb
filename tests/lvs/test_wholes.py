"""Parts that a layout lacks, where it has others like them: no place is named that is not known."""

from __future__ import annotations

import pytest

from crossstack.lvs.flat import flatten
from crossstack.lvs.graph import Graph, build_graph
from crossstack.lvs.spice import read_netlist
from crossstack.lvs.wholes import lost_wholes

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
