"""What stands around an array: mode switches and their wires, extracted as drawn.

The tile engine describes the array's cells. Everything else of the layout is small, and goes
through the flat engine without the array's cells; each line is cut where it enters the
array, and joined there again.
"""

from __future__ import annotations

import re

import klayout.db as db
import numpy as np

from ..lvs import ExtractedLayout
from ..pdk import Tech
from ..solve.network import ARRAY_TYPES, Network
from .flat import extract_flat
from .grid import Grid, NotRegularError
from .naming import labels_of
from .rates import Conditions
from .report import ExtractionReport
from .shapes import NetShapes, Pin

_LINE = re.compile(r"(TR|BR|C)\[\d+\]")
#: what marks the node at which a line enters the array
EDGE = "/edge"


def line_label(name: str) -> str | None:
    """Return the label of a net that is a line of the array, None for other nets."""
    return next((label for label in labels_of(name) if _LINE.fullmatch(label)), None)


def edge_pin(shapes: NetShapes, grid: Grid, label: str, *, low: bool) -> Pin:
    """Return a pin where a line enters the array.

    Args:
        shapes: the line's net.
        grid: where the array is.
        label: the line's label.
        low: True if the line's outer end is on the side of low x (or y).

    Raises:
        NotRegularError: if not exactly one conductor crosses the edge there.
    """
    along_x = not label.startswith("C")
    at = grid.edge(along_x=along_x, low=low)
    far = grid.rows * grid.dy + grid.cols * grid.dx
    cut = (
        db.Edge(at, grid.y0 - far, at, grid.y0 + far)
        if along_x
        else db.Edge(grid.x0 - far, at, grid.x0 + far, at)
    )
    found = [
        Pin(label + EDGE, layer, *_middle(part))
        for layer, polygons in shapes.conductors.items()
        for part in (db.Edges([cut]) & db.Region(polygons)).each()
    ]
    if len(found) != 1:
        raise NotRegularError(f"{label} enters the array by {len(found)} conductors")
    return found[0]


def _middle(edge: db.Edge) -> tuple[int, int]:
    return (edge.x1 + edge.x2) // 2, (edge.y1 + edge.y2) // 2


def extract_periphery(
    layout: ExtractedLayout, tech: Tech, grid: Grid, conditions: Conditions, low: dict[str, bool]
) -> tuple[Network, ExtractionReport]:
    """Extract what stands around an array.

    Args:
        layout: the layout without the array's cells.
        tech: technology.
        grid: where the array is.
        conditions: corner, temperature and size bias.
        low: for 'row' and 'column', whether these lines end on the side of low x or y.

    Returns:
        The network, whose lines end in ports called after them with `EDGE`, and a report.
    """

    def pins(name: str, shapes: NetShapes) -> list[Pin]:
        label = line_label(name)
        if label is None:
            return []
        side = "column" if label.startswith("C") else "row"
        return [edge_pin(shapes, grid, label, low=low[side])]

    return extract_flat(layout, tech, conditions=conditions, part_pins=pins)


def joined(array: Network, rest: Network) -> Network:
    """Return an array and what stands around it as one network.

    Args:
        array: with one port per line, where the line enters the array.
        rest: with ports of the same names and `EDGE`.
    """
    lines = [name for name in array.ports if name + EDGE in rest.ports]
    names = array.node_names.astype(object)
    names[[array.ports[name] for name in lines]] = [name + EDGE for name in lines]
    # nodes of the same name inside both parts of a line are different nodes
    known = set(names.tolist())
    own = [str(n) for n in rest.node_names]
    others = [f"{n}/rest" if n in known else n for n in own]
    node = np.arange(rest.n_nodes) + array.n_nodes
    at_edge = [rest.ports[name + EDGE] for name in lines]
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
        for name in ARRAY_TYPES
    }
    return Network(
        node_names=np.array([*names, *np.array(others, dtype=object)[kept]], dtype=np.str_),
        layers=_union(array.layers, rest.layers),
        nets=_union(array.nets, rest.nets),
        ports={name: int(node[n]) for name, n in rest.ports.items() if not name.endswith(EDGE)},
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
