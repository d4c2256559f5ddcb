"""Numbers and expressions of SPICE, as ngspice computes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

#: Limits of one expression: brackets in brackets, words.
MOST_BRACKETS = 50
MOST_WORDS = 2000

#: ngspice knows no `a` (atto) and takes `x` for nothing.
_SUFFIX = {"t": 1e12, "g": 1e9, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WORD = re.compile(
    rf"\s*(?:({_NUMBER})([A-Za-z]*)(?![\w.])|([A-Za-z_]\w*)|(\*\*|&&|\|\||[<>=!]=|[-+*/^%<>!?:(),]))"
)
_PLAIN = re.compile(rf"([+-]?{_NUMBER})([A-Za-z]*)")
#: A name of a parameter, not of a function.
_PARAMETER = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?![\w.]|\s*\()")

_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    **{n: (1, getattr(math, n)) for n in ("sqrt", "exp", "sin", "cos", "tan", "atan", "sinh",
                                         "cosh", "tanh", "asin", "acos", "floor", "ceil")},
    "abs": (1, abs), "int": (1, math.trunc), "log": (1, math.log), "ln": (1, math.log),
    "log10": (1, math.log10), "min": (2, min), "max": (2, max), "pow": (2, math.pow),
}  # fmt: skip
#: Operators by rank, from the weakest; all group from the left, as do powers.
_RANKS: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"||": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b))},
    {"==": lambda a, b: float(a == b), "!=": lambda a, b: float(a != b)},
    {"<": lambda a, b: float(a < b), ">": lambda a, b: float(a > b),
     "<=": lambda a, b: float(a <= b), ">=": lambda a, b: float(a >= b)},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b, "%": math.fmod},
)  # fmt: skip


class NoValueError(Exception):
    """A value that cannot be computed; the message says why."""


def scaled(digits: str, unit: str, in_expression: bool = True) -> float:
    """Return a number with its unit suffix; letters after the suffix are ignored.

    Raises:
        NoValueError: if it is not finite, or its suffix means two things to ngspice.
    """
    letters = unit.lower()
    if letters.startswith("mil") and in_expression:
        raise NoValueError(f"{digits}{unit}: ngspice reads mil in an expression as milli")
    if letters.startswith("meg"):
        factor = 1e6
    elif letters.startswith("mil"):
        factor = 25.4e-6
    elif letters[:1] in ("a", "x", "d", "e"):
        raise NoValueError(f"{digits}{unit}: no suffix that ngspice scales by")
    else:
        factor = _SUFFIX.get(letters[:1], 1.0)
    # one rounding, as if the exponent had been written
    exponent = f"e{round(math.log10(factor))}"
    exact = "e" not in digits.lower() and factor != 25.4e-6
    return finite(float(digits + exponent) if exact else float(digits) * factor, digits + unit)


def finite(value: float, text: str) -> float:
    """Return a value that is a finite number.

    Raises:
        NoValueError: otherwise.
    """
    if not math.isfinite(value):
        raise NoValueError(f"{text[:40]} = {value} is not a finite number")
    return value


def names_in(text: str) -> set[str]:
    """Return the names of parameters in an expression, lower case."""
    return {name.lower() for name in _PARAMETER.findall(text)}


def evaluate(text: str, lookup: Callable[[str], float]) -> float:
    """Return the value of a number or an expression, in quotes, braces or bare.

    Args:
        text: the value as written.
        lookup: gives a parameter by its name in lower case.

    Raises:
        NoValueError: if it cannot be computed or is not finite.
    """
    if (plain := _PLAIN.fullmatch(text)) is not None:
        return scaled(plain[1], plain[2], in_expression=False)
    inner = text.strip()
    if inner[:1] + inner[-1:] in ("''", "{}"):
        inner = inner[1:-1]
    try:
        return finite(_Parser(inner, lookup).value(), inner)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise NoValueError(f"{inner[:40]!r} has no value ({error})") from None


class _Parser:
    """Recursive descent over the words of one expression."""

    def __init__(self, text: str, lookup: Callable[[str], float]) -> None:
        self.text, self.lookup = text, lookup
        self.words: list[tuple[str, str, str, str]] = []
        self.at = self.depth = end = 0
        text = text.rstrip()
        while end < len(text):
            found = _WORD.match(text, end)
            if found is None or len(self.words) >= MOST_WORDS:
                why = f"more than {MOST_WORDS} words" if found else f"{text[end : end + 20]!r}"
                raise NoValueError(f"{text[:40]!r} is not an expression ({why})")
            self.words.append(tuple(word or "" for word in found.groups()))  # type: ignore[arg-type]
            end = found.end()

    def value(self) -> float:
        value = self._choice()
        if self.at < len(self.words):
            raise self._wrong()
        return value

    def _wrong(self) -> NoValueError:
        left = "".join("".join(word) for word in self.words[self.at :])[:20]
        return NoValueError(f"{self.text[:40]!r} is not an expression (at {left or 'its end'!r})")

    def _next(self, *operators: str) -> str:
        """Return the operator at hand, and pass it, if it is one of these."""
        if self.at < len(self.words) and self.words[self.at][3] in operators:
            self.at += 1
            return self.words[self.at - 1][3]
        return ""

    def _need(self, operator: str) -> None:
        if not self._next(operator):
            raise self._wrong()

    def _choice(self) -> float:
        self.depth += 1
        if self.depth > MOST_BRACKETS:
            raise NoValueError(f"{self.text[:40]!r}: more than {MOST_BRACKETS} brackets deep")
        value = self._binary(0)
        if self._next("?"):
            first = self._choice()
            self._need(":")
            second = self._choice()
            value = first if value else second
        self.depth -= 1
        return value

    def _binary(self, rank: int) -> float:
        if rank == len(_RANKS):
            return self._signed()
        value = self._binary(rank + 1)
        while operator := self._next(*_RANKS[rank]):
            value = _RANKS[rank][operator](value, self._binary(rank + 1))
        return value

    def _signed(self) -> float:
        """Return a power with its sign, which binds less: -2**2 is -4."""
        sign = self._sign()
        value = self._atom()
        while self._next("**", "^"):
            if value < 0:
                raise NoValueError(f"{self.text[:40]!r}: the power of a negative number")
            value = math.pow(value, self._sign() * self._atom())
        return sign * value

    def _sign(self) -> float:
        sign = 1.0
        while operator := self._next("-", "+"):
            sign = -sign if operator == "-" else sign
        return sign

    def _atom(self) -> float:
        if self._next("("):
            value = self._choice()
            self._need(")")
            return value
        if self._next("!"):
            return float(not self._factor_of_not())
        if self.at >= len(self.words) or self.words[self.at][3]:
            raise self._wrong()
        digits, unit, name, _ = self.words[self.at]
        self.at += 1
        if digits:
            return scaled(digits, unit)
        if self._next("("):
            return self._call(name.lower())
        return self.lookup(name.lower())

    def _factor_of_not(self) -> float:
        """Return what `!` stands before: one number, name or bracket."""
        if self.at < len(self.words) and self.words[self.at][3] == "!":
            raise self._wrong()
        return self._atom()

    def _call(self, name: str) -> float:
        if name not in _FUNCTIONS:
            raise NoValueError(f"{self.text[:40]!r}: no function {name} is known")
        count, function = _FUNCTIONS[name]
        given = [self._choice()]
        while self._next(","):
            given.append(self._choice())
        self._need(")")
        if len(given) != count:
            raise NoValueError(f"{self.text[:40]!r}: {name} takes {count} values")
        return float(function(*given))
