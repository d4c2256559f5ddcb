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

from ..base.units import place
from .extraction import Finding

if TYPE_CHECKING:
    from .flat import FlatDevice, FlatNet
    from .graph import Graph

#: what a device or net of a part is called and joins, whichever of several equal parts it is in
_Shape = tuple[object, ...]
#: devices away that tell two parts of a layout apart, and places that a message lists
_HOPS, _MOST_PLACES = 8, 8
#: devices too many that are looked at; a layout of more has nothing to do with its reference
_MOST_EXTRA = 500


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
    if not 0 < len(extra) <= _MOST_EXTRA:
        return [], set()
    many, held = set(extra), _Held(graph)
    whole: dict[int, list[int]] = {}
    for row in extra:
        if row not in whole and many.issuperset(part := held.with_(row, len(many))):
            whole.update(dict.fromkeys(part, part))
    shapes: dict[_Shape, list[list[int]]] = defaultdict(list)
    for row, part in whole.items():
        if row == part[0]:
            shapes[held.shape(part)].append(part)
    findings: list[Finding] = []
    told: set[int] = set()
    for more in shapes.values():
        parts = held.like(more[0])
        if len(parts) > 1:
            findings.append(_surplus(graph, len(more), parts))
            told.update(chain.from_iterable(more))
    return findings, told


class _Held:
    """Parts of a layout: devices that nets without a name hold together."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        rows, columns = np.nonzero((graph.nets >= 0) & (graph.anchors[graph.nets] < 0))
        nets = graph.nets[rows, columns]
        order = np.argsort(nets, kind="stable")
        self._rows = rows[order]
        self._ends = np.searchsorted(nets[order], np.arange(len(graph.anchors) + 1))
        self._colors = graph.device_colors(graph.net_colors(_HOPS))

    def with_(self, row: int, most: int) -> list[int]:
        """Return the part of a device, sorted; of a part of more than `most`, some of it."""
        graph, found, ahead = self._graph, {row}, [row]
        while ahead and len(found) <= most:
            for net in graph.nets[ahead.pop()].tolist():
                if net >= 0 and graph.anchors[net] < 0:
                    near = self._rows[self._ends[net] : self._ends[net + 1]][: most + 1]
                    ahead += [each for each in dict.fromkeys(near.tolist()) if each not in found]
                    found.update(near.tolist())
        return sorted(found)

    def shape(self, part: Iterable[int]) -> _Shape:
        """Return what equal parts have in common: surroundings and sizes."""
        sizes = self._graph.parameters
        return tuple(sorted((int(self._colors[k]), *sizes[k].round(6).tolist()) for k in part))

    def like(self, part: list[int]) -> list[list[int]]:
        """Return the parts that are equal to one, itself among them."""
        shape = self.shape(part)
        alike = np.flatnonzero(self._colors == self._colors[part[0]]).tolist()
        parts = {tuple(self.with_(row, len(part))) for row in alike}
        return [list(each) for each in sorted(parts) if self.shape(each) == shape]


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
