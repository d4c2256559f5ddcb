"""Arithmetic in tables: ``F + A``, ``2 * A``, ``4 * size + 3 * space``; nothing else is run."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

from ..base.errors import TechError

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_MAX_LENGTH = 200
#: numbers that Python would read: 1_000, 0x10
_ODD = re.compile(r"(?<![\w.])(\d+_|0[xob])", re.ASCII | re.IGNORECASE)


def evaluate(text: str, names: Mapping[str, float]) -> float:
    """Return the value of an arithmetic expression.

    Args:
        text: numbers, `names`, ``+ - * / **`` and parentheses.
        names: what may stand in it, with its value.

    Raises:
        TechError: for anything else, an unknown name, or a result that is not finite.
    """
    if _ODD.search(text) or not text.isascii():
        raise TechError(f"{text[:40]!r} holds a number that is not in decimal digits")
    try:
        number = float(text)
    except ValueError:
        return _finite(_calculated(text, names), text)
    return _finite(number, text)


def _calculated(text: str, names: Mapping[str, float]) -> float:
    if len(text) > _MAX_LENGTH:
        raise TechError(f"{text[:40]!r}... is longer than {_MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        return float(_value(tree, names))
    except TechError as error:
        raise TechError(f"{text!r}: {error}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise TechError(f"{text!r} is neither a number nor an expression") from None
    except (ArithmeticError, TypeError):
        raise TechError(f"{text!r} has no finite value") from None


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise TechError(f"{text!r} is not a finite number")
    return value


def _value(node: ast.expr, names: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value  # type: ignore[return-value]
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise TechError(f"no such name {node.id!r} (known: {', '.join(names) or 'none'})")
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, names)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _value(node.left, names), _value(node.right, names)
        if isinstance(node.op, ast.Pow) and not abs(right) <= 8:
            raise TechError("exponents are -8 .. 8")
        return _BINARY[type(node.op)](left, right)
    raise TechError("only numbers, names and + - * / ** may stand here")
