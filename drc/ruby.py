"""Write expressions down as Ruby for KLayout's DRC engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..pdk import Tech
from .derived import derived
from .evaluate import layer_pair
from .expr import Node

_EDGE_OPS = frozenset(
    {"edges", "second_edges", "middle", "start", "end", "length", "angle",
     "odd_angles"}
)  # fmt: skip
_PASSING = frozenset({"and", "or", "not", "interacting", "not_interacting"})


def _is_edges(node: Node) -> bool:
    return node.op in _EDGE_OPS or (node.op in _PASSING and _is_edges(node.args[0]))


def _num(value: Any) -> str:
    """Return a number with a decimal point: KLayout takes a bare integer as dbu."""
    if value is None:
        return "nil"
    text = f"{float(value):.6f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def _method(name: str) -> Callable[..., str]:
    """A method whose arguments are other layers, then lengths, then words."""

    def write(node: Node, a: str, *others: str) -> str:
        params = [p if isinstance(p, str) else _num(p) for p in node.params]
        arguments = ", ".join([*others, *params])
        return f"{a}.{name}({arguments})" if arguments else f"{a}.{name}"

    return write


def _fixed(text: str) -> Callable[..., str]:
    return lambda node, a: f"{a}.{text}"


def _infix(symbol: str) -> Callable[..., str]:
    return lambda node, a, b: f"({a} {symbol} {b})"


def _or(node: Node, a: str, b: str) -> str:
    return f"({a} {'+' if _is_edges(node) else '|'} {b})"


def _not_square(node: Node, a: str) -> str:
    d = _num(node.params[0])
    boxes = f"{a}.rectangles"
    parts = [f"{a}.non_rectangles"]
    parts += [f"{boxes}.without_bbox_{side}({d})" for side in ("width", "height")]
    return f"({' + '.join(parts)})"


def _corners(node: Node, a: str) -> str:
    return f"{a}.corners" if node.params[0] is None else f"{a}.corners({_num(node.params[0])})"


OPS: dict[str, Callable[..., str]] = {
    "and": _infix("&"),
    "or": _or,
    "not": _infix("-"),
    "sized": _method("sized"),
    "width": _method("width"),
    "space": _method("space"),
    "separation": _method("separation"),
    "enclosing": _method("enclosing"),
    "pair_marks": _fixed("polygons(0.001)"),
    "edge_marks": _fixed("extended(0, 0, 0.001, 0.001)"),
    "edges": _method("edges"),
    "second_edges": _method("second_edges"),
    "middle": _fixed("centers(0, 0.5)"),
    "start": _fixed("start_segments(0, 0.1)"),
    "end": _fixed("end_segments(0, 0.1)"),
    "outside_strip": _fixed("extended(0.001, 0.001, 0.001, 0)"),
    "length": _method("with_length"),
    "angle": _method("with_angle"),
    "odd_angles": _fixed("without_angle(ortho).without_angle(diagonal)"),
    "corners": _corners,
    "area_below": lambda node, a: f"{a}.with_area(nil, {_num(node.params[0])})",
    "holes": _method("holes"),
    "not_square": _not_square,
    "non_rectangles": _method("non_rectangles"),
    "longer_than": lambda node, a: f"{a}.drc(bbox_aspect_ratio > {_num(node.params[0])})",
    "min_bbox": lambda node, a: f"{a}.with_bbox_min({_num(node.params[0])}, nil)",
    "extents": _method("extents"),
    "interacting": _method("interacting"),
    "not_interacting": _method("not_interacting"),
    "overlapping": _method("overlapping"),
    "not_overlapping": _method("not_overlapping"),
    "inside": _method("inside"),
    "covering": lambda node, a, b: f"{a}.covering({b}, {node.params[0]})",
    "on_grid": _method("ongrid"),
    "space_nets": lambda node, a: f"cs_space_nets({a}, {_num(node.params[0])})",
    "antenna": lambda node: _whole_cell("cs_antenna", node),
    "density": lambda node: _whole_cell("cs_density", node),
    "die": lambda node: "cs_die",
}


def _whole_cell(function: str, node: Node) -> str:
    name, *limits = node.params
    return f"{function}({', '.join([repr(name), *map(_num, limits)])})"


class Writer:
    """Turns nodes into Ruby, naming every layer and every expression used more than once.

    Args:
        roots: the expressions of all rules, to know what they share.
        tech: resolves layer names.
    """

    def __init__(self, roots: Iterable[Node], tech: Tech) -> None:
        self.tech = tech
        self._uses: Counter[Node] = Counter()
        for root in roots:
            self._count(root)
        self._derived = {node: name for name, node in derived(tech).items()}
        self._names: dict[Node, str] = {}

    def _count(self, node: Node) -> None:
        self._uses[node] += 1
        if self._uses[node] == 1:
            for arg in node.args:
                self._count(arg)

    def write(self, node: Node) -> tuple[list[str], str]:
        """Return the assignments that a node needs first, and its expression."""
        if node in self._names:
            return [], self._names[node]
        if node.op == "layer":
            return self._write_layer(node)
        lines: list[str] = []
        operands = []
        for arg in node.args:
            before, text = self.write(arg)
            lines += before
            operands.append(text)
        text = OPS[node.op](node, *operands)
        if self._uses[node] > 1 or node in self._derived:
            name = self._derived.get(node, f"e{len(self._names)}").lower()
            self._names[node] = f"{name}_layers" if name == "module" else name  # a Ruby word
            lines.append(f"{self._names[node]} = {text}")
            text = self._names[node]
        return lines, text

    def _write_layer(self, node: Node) -> tuple[list[str], str]:
        pair = layer_pair(node.params[0], self.tech)
        name = node.params[0].lower() if "/" not in node.params[0] else f"layer_{pair[0]}_{pair[1]}"
        self._names[node] = name
        return [f"{name} = polygons({pair[0]}, {pair[1]})"], name
