"""Derived layers as text: ``active & nplus``, ``n_active.overlapping(nwell)``.

One small language for everything that is not drawn. `names_in` tells which layers a text reads;
`build` makes of it whatever has KLayout's operators and methods: the design rules' expressions,
or regions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from ..base.errors import TechError
from .arithmetic import evaluate

#: methods that a text may call, and what they take: layers, or one length in um
METHODS = {
    "edges": (),
    "holes": (),
    "inside": ("layer",),
    "interacting": ("layer",),
    "non_rectangles": (),
    "not_interacting": ("layer",),
    "overlapping": ("layer",),
    "not_overlapping": ("layer",),
    "sized": ("length",),
}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.Sub: lambda a, b: a - b,
}
_MAX_LENGTH = 500
#: what a text stands for
POLYGONS, EDGES = "polygons", "edges"
#: methods that edges have, too
_OF_EDGES = frozenset(("inside", "interacting", "not_interacting"))


@lru_cache(maxsize=1024)
def _tree(text: str) -> ast.expr:
    """Return the checked syntax tree of a text."""
    if len(text) > _MAX_LENGTH:
        raise TechError(f"{text[:40]!r}... is longer than {_MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise TechError(f"{text!r} is no expression of layers") from None
    _check(tree, text)
    return tree


def _check(node: ast.expr, text: str) -> None:
    if isinstance(node, ast.Name):
        return
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        # Python binds - before &, so a chain such as `a & b - c` would not mean what it says
        for side in (node.left, node.right):
            mixed = isinstance(side, ast.BinOp) and type(side.op) is not type(node.op)
            if mixed and not _in_brackets(side, text):
                raise TechError(f"{text!r}: write brackets where & - | follow each other")
            _check(side, text)
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.keywords:
        method = node.func.attr
        if method not in METHODS:
            known = ", ".join(METHODS)
            raise TechError(f"{text!r}: no such method {method!r} (known: {known})")
        if len(node.args) != len(METHODS[method]):
            raise TechError(f"{text!r}: {method} takes {len(METHODS[method])} arguments")
        _check(node.func.value, text)
        for what, argument in zip(METHODS[method], node.args, strict=True):
            if what == "layer":
                _check(argument, text)
            else:
                evaluate(ast.unparse(argument), {})
        return
    raise TechError(f"{text!r}: only layers, & - | and methods may stand in it")


def _in_brackets(node: ast.expr, text: str) -> bool:
    text = text.strip()
    before, after = text[: node.col_offset].rstrip(), text[node.end_col_offset or 0 :].lstrip()
    return before.endswith("(") and after.startswith(")")


def names_in(text: str) -> tuple[str, ...]:
    """Return the layers that a text reads, in its order.

    Raises:
        TechError: for anything but layers, ``& - |`` and the methods of `METHODS`.
    """
    return tuple(dict.fromkeys(_names(_tree(text))))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


def kind_of(text: str, known: Mapping[str, str]) -> str:
    """Return whether a text stands for `POLYGONS` or `EDGES`.

    Args:
        text: the expression.
        known: the same of the layers that it may read; others are polygons.

    Raises:
        TechError: as `names_in`, or where edges stand for polygons.
    """

    def kind(node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return known.get(node.id, POLYGONS)
        if isinstance(node, ast.BinOp):
            left, right = kind(node.left), kind(node.right)
            if left != right and (left == POLYGONS or isinstance(node.op, ast.BitOr)):
                raise TechError(f"{ast.unparse(node)!r} mixes polygons and edges")
            return left
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Attribute)
        method, of = node.func.attr, kind(node.func.value)
        if of == EDGES and method not in _OF_EDGES:
            raise TechError(f"{ast.unparse(node)!r}: edges have no method {method!r}")
        for what, argument in zip(METHODS[method], node.args, strict=True):
            if what == "layer" and kind(argument) == EDGES and method not in _OF_EDGES:
                raise TechError(f"{ast.unparse(node)!r}: {method} takes polygons, not edges")
        return EDGES if method == "edges" else of

    return kind(_tree(text))


def build(
    text: str,
    layer: Callable[[str], Any],
    length: Callable[[float], Any] = lambda um: um,
) -> Any:
    """Return what a text stands for.

    Args:
        text: the expression.
        layer: gives the object of a layer by name; it has the operators and methods.
        length: what a method gets for a length in um (dbu, for regions).

    Raises:
        TechError: as `names_in`.
    """

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return layer(node.id)
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Attribute)
        takes = METHODS[node.func.attr]
        arguments = (
            value(a) if what == "layer" else length(evaluate(ast.unparse(a), {}))
            for what, a in zip(takes, node.args, strict=True)
        )
        return getattr(value(node.func.value), node.func.attr)(*arguments)

    return value(_tree(text))
