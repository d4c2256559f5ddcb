"""Parts that one side has as a whole and the other lacks, where there are others like them.

Of equal parts between the same nets, as the supply clamps of a die, the matching pairs any with
any. Which of the netlist's is left over says nothing of the place that is empty, and which of the
layout's nothing of the one that is too many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..base.units import place
from .extraction import Finding

if TYPE_CHECKING:
    from .flat import FlatDevice, FlatNet
    from .graph import Graph

#: what a device or net of a part is called and joins, whichever of several equal parts it is in
_Shape = tuple[object, ...]
#: devices away that tell two parts of a layout apart, and places that a message lists
_HOPS, _MOST_PLACES = 8, 8


def lost_wholes(graph: Graph, missing: Collection[int]) -> tuple[list[Finding], set[int]]:
    """Return the parts that are missing as a whole, one finding for equal ones, and their devices.

    A part is an instance in the top circuit of the reference. One that has no equal is left to
    whoever names devices one by one.

    Args:
        graph: the reference.
        missing: its devices that the layout lacks.
    """
    lost, rows_of = set(missing), _parts(graph)
    whole = {part for part, rows in rows_of.items() if lost.issuperset(rows)}
    if not whole:
        return [], set()
    # as many devices: what has others cannot be equal
    sizes = {len(rows_of[part]) for part in whole}
    alike: dict[_Shape, list[str]] = defaultdict(list)
    for part, rows in rows_of.items():
        if len(rows) in sizes:
            alike[_shape(graph, part, rows)].append(part)
    findings: list[Finding] = []
    told: set[int] = set()
    for parts in alike.values():
        gone = [part for part in parts if part in whole]
        if gone and len(parts) > 1:
            findings.append(_finding(graph, gone, len(parts), rows_of))
            told.update(row for part in gone for row in rows_of[part])
    return findings, told


def _parts(graph: Graph) -> dict[str, list[int]]:
    """Return the devices of every instance in the top circuit."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in range(len(graph.members)):
        part, inside, _ = _device(graph, row).name.partition("/")
        if inside:
            found[part].append(row)
    return found


def _device(graph: Graph, row: int) -> FlatDevice:
    return graph.flat.devices[graph.members[row][0]]


def _shape(graph: Graph, part: str, rows: Iterable[int]) -> _Shape:
    nets = graph.flat.nets
    return tuple(
        sorted(
            (
                _device(graph, row).kind.name,
                _device(graph, row).name.partition("/")[2],
                tuple(graph.parameters[row].tolist()),
                tuple("" if n < 0 else _net(nets[n], part) for n in graph.nets[row].tolist()),
            )
            for row in rows
        )
    )


def _net(net: FlatNet, part: str) -> str:
    """Return what tells a net: inside a part its name there, outside which one it is."""
    first, inside, rest = net.path.partition("/")
    return f"{rest}{net.net.expanded_name()}" if inside and first == part else f"/{net.number}"


def _finding(
    graph: Graph, gone: list[str], count: int, rows_of: Mapping[str, list[int]]
) -> Finding:
    rows, nets = rows_of[gone[0]], graph.flat.nets
    numbers = dict.fromkeys(n for row in rows for n in graph.nets[row].tolist() if n >= 0)
    outside = (nets[n].name for n in numbers if _net(nets[n], gone[0]).startswith("/"))
    joins = ", ".join(name for name in outside if name)
    verb = "is" if len(gone) == 1 else "are"
    devices = f"{len(rows)} devices" if len(rows) > 1 else "1 device"
    which = f"{len(gone)} of {count} equal parts{joins and f' on {joins}'}"
    text = (
        f"{which} {verb} not in the layout, and "
        f"nothing tells which: in the netlist {gone[0]} ({devices}) may stand for any of them"
    )
    return Finding("missing", text)


def extra_wholes(graph: Graph, extra: Collection[int]) -> tuple[list[Finding], set[int]]:
    """Return the parts that are too many as a whole, one finding for equal ones, and their devices.

    A part of a layout, which has no instances, is what its nets without a name hold together. One
    that has no equal is left to whoever names devices one by one.

    Args:
        graph: the layout, with anchors only for what is known by name.
        extra: its devices that the reference lacks.
    """
    many, rows_of = set(extra), _held_together(graph, extra)
    whole = [k for k, rows in enumerate(rows_of) if many.issuperset(rows)]
    if not whole:
        return [], set()
    colors = graph.device_colors(graph.net_colors(_HOPS)).tolist()
    alike: dict[_Shape, list[int]] = defaultdict(list)
    for k, rows in enumerate(rows_of):
        seen = ((colors[row], tuple(graph.parameters[row].round(6).tolist())) for row in rows)
        alike[tuple(sorted(seen))].append(k)
    findings: list[Finding] = []
    told: set[int] = set()
    for parts in alike.values():
        more = [k for k in parts if k in set(whole)]
        if more and len(parts) > 1:
            findings.append(_surplus(graph, len(more), [rows_of[k] for k in parts]))
            told.update(chain.from_iterable(rows_of[k] for k in more))
    return findings, told


def _held_together(graph: Graph, extra: Collection[int]) -> list[list[int]]:
    """Return the devices of each part that has as many as one with a device of `extra`."""
    count = len(graph.kinds)
    rows, columns = np.nonzero((graph.nets >= 0) & (graph.anchors[graph.nets] < 0))
    ends = count + graph.nets[rows, columns]
    size = count + len(graph.anchors)
    links = coo_matrix((np.ones(len(rows)), (rows, ends)), shape=(size, size))
    part = connected_components(links, directed=False)[1][:count]
    sizes = np.bincount(part)
    wanted = np.unique(sizes[part[list(extra)]])
    near = np.flatnonzero(np.isin(sizes[part], wanted))
    found: dict[int, list[int]] = defaultdict(list)
    for row in near.tolist():
        found[int(part[row])].append(row)
    return list(found.values())


def _surplus(graph: Graph, more: int, parts: list[list[int]]) -> Finding:
    nets, rows = graph.flat.nets, parts[0]
    numbers = dict.fromkeys(n for row in rows for n in graph.nets[row].tolist() if n >= 0)
    joins = ", ".join(sorted(nets[n].name for n in numbers if graph.anchors[n] >= 0))
    spots = tuple(sorted(_device(graph, each[0]).at for each in parts))
    shown = ", ".join(place(at) for at in spots[:_MOST_PLACES])
    rest = f" and {len(spots) - _MOST_PLACES} more" if len(spots) > _MOST_PLACES else ""
    devices = f" of {len(rows)} devices" if len(rows) > 1 else ""
    which = f"{more} of {len(parts)} equal parts{devices}{joins and f' on {joins}'}"
    text = (
        f"{which} {'is' if more == 1 else 'are'} not in the reference, and nothing tells which: "
        f"they are at {shown}{rest}"
    )
    return Finding("extra", text, spots)
