"""Parts of a reference that the layout lacks as a whole, where it has others like them.

Of equal parts between the same nets, as the supply clamps of a die, the matching pairs any with
any. Which of the netlist's is left over says nothing of the place that is empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from .extraction import Finding

if TYPE_CHECKING:
    from .flat import FlatDevice, FlatNet
    from .graph import Graph

#: what a device or net of a part is called and joins, whichever of several equal parts it is in
_Shape = tuple[object, ...]


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
