"""What stands around an array: mode switches and their wires, extracted as drawn.

The tile engine describes the array's cells. Everything else of the layout is small, and goes
through the flat engine without the array's cells; each line is cut where it enters the
array, and joined there again.
"""

from __future__ import annotations

from collections.abc import Mapping

import klayout.db as db
import numpy as np

from ...base import names as grammar
from ...lvs import ExtractedLayout, FlatNet
from ...pdk import Tech
from ...solve.circuit.circuit import prepare
from ...solve.circuit.graph import Factorised
from ...solve.network.network import ARRAY_TYPES, PARTING_TYPES, PARTINGS, Network
from ..nets.flat import extract_flat
from ..nets.labels import line_label
from ..nets.report import ExtractionReport
from ..sheet.shapes import NetShapes, Pin
from ..sheet.tidy import NetResistors
from .grid import Grid, NotRegularError
from .pieces import EDGE, Pieces
from .sample import spots
from .tiled import LARGEST


def end_at_edge(shapes: NetShapes, grid: Grid, label: str, *, low: bool) -> Pin:
    """Let a line run on into the array for a while, and return a pin across it there.

    A pin forces a conductor to one voltage across its width. Right at the array's edge that
    would turn the current of a via beside it; further in, it flows straight.

    Args:
        shapes: the line's net, which is changed.
        grid: where the array is.
        label: the line's label.
        low: True if the line's outer end is on the side of low x (or y).

    Raises:
        NotRegularError: if not exactly one conductor crosses the edge there.
    """
    along_x = not grammar.is_column(label)
    at = grid.edge(along_x=along_x, low=low)
    far = grid.rows * grid.dy + grid.cols * grid.dx
    cut = (
        db.Edge(at, grid.y0 - far, at, grid.y0 + far)
        if along_x
        else db.Edge(grid.x0 - far, at, grid.x0 + far, at)
    )
    found = [
        (layer, part)
        for layer, polygons in shapes.conductors.items()
        for part in (db.Edges([cut]) & db.Region(polygons)).each()
    ]
    if len(found) != 1:
        raise NotRegularError(f"{label} enters the array by {len(found)} conductors")
    layer, part = found[0]
    inward = 1 if low else -1
    # no farther than a device may stand from the edge of its cell
    run = inward * min(part.length(), (grid.dx if along_x else grid.dy) // 8)
    # twice as long as wide, and a pin finds the way across, not along
    end = _shifted(part, inward * 2 * part.length(), along_x)
    line = db.Region([*shapes.conductors[layer], db.Polygon(part.bbox() + end.bbox())])
    shapes.conductors[layer] = list(line.merged().each())
    across = _shifted(part, run, along_x)
    return Pin(label + EDGE, layer, (across.x1 + across.x2) // 2, (across.y1 + across.y2) // 2)


def _shifted(edge: db.Edge, by: int, along_x: bool) -> db.Edge:
    return edge.moved(by, 0) if along_x else edge.moved(0, by)


def extract_periphery(
    layout: ExtractedLayout, tech: Tech, grid: Grid, low: dict[str, bool]
) -> tuple[Network, ExtractionReport]:
    """Extract what stands around an array, its lines cut where they enter it.

    Args:
        layout: the layout without the array's cells.
        tech: technology.
        grid: where the array is.
        low: for 'row' and 'column', whether these lines end on the side of low x or y.

    Returns:
        The network, whose lines end in ports called after them with `EDGE`, and a report.

    Raises:
        NotRegularError: for lines that are not driven from one end alone.
    """

    def pins(name: str, shapes: NetShapes) -> list[Pin]:
        label = line_label(name)
        if label is None:
            return []
        side = "column" if grammar.is_column(label) else "row"
        return [end_at_edge(shapes, grid, label, low=low[side])]

    network, report = extract_flat(layout, tech, part_pins=pins)
    if not {grammar.kind_of(pin) for pin in network.ports}.isdisjoint(grammar.FAR_INPUTS):
        raise NotRegularError(f"rows with switches at both ends need at most {LARGEST}")
    return network, report


def extract_around(
    layout: ExtractedLayout, tech: Tech, lines: Mapping[str, tuple[Pieces, tuple[int, int]]]
) -> tuple[Network, ExtractionReport]:
    """Extract what stands around an array, with the whole nets of its lines.

    Args:
        layout: the layout without the array's cells.
        tech: technology.
        lines: name of a line -> its net, and how far it lies from the one that was solved, in dbu.

    Returns:
        The network, in which each terminal of the array's devices on a line is a port called after
        the line with `EDGE`, and a report.

    Raises:
        NotRegularError: for a line that reaches other devices than the one it is like.
    """
    # the far end of a line bears no label: it is known by what stands on it
    line_at = {spot: name for name, (pieces, by) in lines.items() for spot in pieces.around(by)}
    labelled: set[str] = set()

    def whole(net: FlatNet) -> NetResistors | None:
        name = line_label(net.name)
        if name is not None:
            labelled.add(name)
        elif not net.name:
            found = {line_at.get(spot) for spot in spots(layout, net)}
            name = found.pop() if len(found) == 1 else None
        if name is None or name not in lines:
            return None
        pieces, shift = lines[name]
        try:
            return pieces.whole(name, spots(layout, net), shift)
        except KeyError:
            raise NotRegularError(f"{name} differs from lines like it around the array") from None

    found = extract_flat(layout, tech, part_pins=lambda name, shapes: [], part_nets=whole)
    there = labelled & found[0].ports.keys()
    missing = next((name for name in lines if name not in there), None)
    if missing:
        raise NotRegularError(f"the pin of {missing} does not lie outside the array")
    return found


def lead_ohm(rest: Network) -> dict[str, float]:
    """Return the resistance of each line in ohm from its pin to where it enters the array.

    Lines without a pin in `rest` are left out.
    """
    ports = rest.ports
    lines = [name for name in ports if name + EDGE in ports]
    with np.errstate(divide="ignore"):
        circuit = prepare(
            rest.n_nodes,
            rest.resistor_a.astype(np.int64),
            rest.resistor_b.astype(np.int64),
            1.0 / rest.resistor_ohm,
            np.array([ports[name] for name in lines], dtype=np.int64),
        )
    # lines are nets of their own: each carries its ampere back to its own pin
    ends = circuit.group[[ports[name + EDGE] for name in lines]]
    inject = np.zeros(circuit.n_groups)
    inject[ends] = 1.0
    volts = Factorised(circuit).response(inject)
    return dict(zip(lines, volts[ends].tolist(), strict=True))


def joined(array: Network, rest: Network) -> Network:
    """Return an array and what stands around it as one network.

    Args:
        array: with a port where a line enters the array, or at each of its devices.
        rest: with ports of the same names, in the first case and `EDGE`.
    """
    end = {name: name + EDGE if name + EDGE in rest.ports else name for name in array.ports}
    lines = [name for name in array.ports if end[name] in rest.ports]
    names = array.node_names.astype(object)
    names[[array.ports[name] for name in lines]] = [end[name] for name in lines]
    # nodes of the same name inside both parts of a line are different nodes
    known = set(names.tolist())
    own = [str(n) for n in rest.node_names]
    others = [f"{n}/rest" if n in known else n for n in own]
    node = np.arange(rest.n_nodes) + array.n_nodes
    at_edge = [rest.ports[end[name]] for name in lines]
    node[at_edge] = [array.ports[name] for name in lines]
    # the numbers of edge nodes close up
    kept = np.ones(rest.n_nodes, dtype=bool)
    kept[at_edge] = False
    node[kept] = array.n_nodes + np.arange(int(kept.sum()))
    maps = {
        **dict.fromkeys(("resistor_a", "resistor_b", "memristor_a", "memristor_b"), node),
        **dict.fromkeys(("switch_a", "switch_b"), node),
        "resistor_layer": _places(array.layers, rest.layers),
        "resistor_net": (nets := _places(array.nets, rest.nets)),
        "switch_gate": nets,
    }
    arrays = {
        name: np.concatenate([getattr(array, name), _moved(getattr(rest, name), maps.get(name))])
        for name in ARRAY_TYPES | PARTING_TYPES
    }
    # pieces of both keep numbers of their own
    held = PARTINGS * (int(array.resistor_parting.max(initial=-1)) // PARTINGS + 1)
    theirs = arrays["resistor_parting"][len(array.resistor_parting) :]
    theirs[theirs >= 0] += held
    return Network(
        node_names=np.array([*names, *np.array(others, dtype=object)[kept]], dtype=np.str_),
        layers=_union(array.layers, rest.layers),
        nets=_union(array.nets, rest.nets),
        ports={name: int(node[n]) for name, n in rest.ports.items() if EDGE not in name},
        conditions=array.conditions,
        left_out=rest.left_out,
        pads=tuple(name for name in rest.pads if EDGE not in name),
        **arrays,
    ).validate()


def _moved(values: np.ndarray, table: np.ndarray | None) -> np.ndarray:
    return values if table is None else table[values]


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _places(first: tuple[str, ...], second: tuple[str, ...]) -> np.ndarray:
    """Return the number in the union of each name of `second`."""
    number = {name: k for k, name in enumerate(_union(first, second))}
    return np.array([number[name] for name in second], dtype=np.int64)
