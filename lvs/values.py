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
    rf"\s*(?:({_NUMBER})([A-Za-z]*)(?![\w.])|([A-Za-z_]\w*)|(\*\*|&&|\|\||[<>=!]=|[-+*/^%<>!?:(),]))",
    re.ASCII,  # digits of other alphabets are letters to ngspice
)
_PLAIN = re.compile(rf"([+-]?{_NUMBER})([A-Za-z]*)", re.ASCII)
#: A number, or what starts as one.
_NUMERIC = re.compile(r"[+-]?\.?\d", re.ASCII)
#: A name of a parameter, not of a function.
_PARAMETER = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?![\w.]|\s*\()", re.ASCII)

_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    **{n: (1, getattr(math, n)) for n in ("sqrt", "exp", "sin", "cos", "tan", "atan", "sinh",
                                         "cosh", "tanh", "asin", "acos", "floor", "ceil")},
    "abs": (1, abs), "int": (1, math.trunc), "log": (1, math.log), "ln": (1, math.log),
    "log10": (1, math.log10), "min": (2, min), "max": (2, max), "pow": (2, math.pow),
}  # fmt: skip
#: What ngspice takes for a function, or for a quantity of its own, wherever it stands.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        "sqr sqrt sin cos exp ln arctan abs pow pwr max min int log log10 sinh cosh tanh "
        "ternary_fcn agauss sgn gauss unif aunif limit ceil floor asin acos atan asinh acosh "
        "atanh tan nint vec var temper time hertz",
    )
)
#: Operators by rank, from the weakest; all group from the left, as do powers.
_RANKS: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"||": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b))},
    {"==": lambda a, b: float(a == b), "!=": lambda a, b: float(a != b),
     "<": lambda a, b: float(a < b), ">": lambda a, b: float(a > b),
     "<=": lambda a, b: float(a <= b), ">=": lambda a, b: float(a >= b)},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b,
     # as ngspice computes it: `fmod(3, 2m)` is 2m, this is 0
     "%": lambda a, b: a - b * math.trunc(a / b)},
)  # fmt: skip


class NoValueError(Exception):
    """A value that cannot be computed; the message says why."""


def scaled(digits: str, unit: str, on_device: bool = False) -> float:
    """Return a number with its unit suffix; letters after the suffix are ignored.

    Args:
        digits: the number.
        unit: the letters behind it.
        on_device: it stands alone on a device's own line or an option, where mil is 25.4 um.

    Raises:
        NoValueError: if it is not finite, or its suffix means two things to ngspice.
    """
    letters = unit.lower()
    if letters.startswith("mil") and not on_device:
        raise NoValueError(f"{digits}{unit}: ngspice reads mil in a parameter as milli")
    if letters.startswith("meg"):
        factor = 1e6
    elif letters.startswith("mil"):
        factor = 25.4e-6
    elif letters[:1] in ("a", "x", "d", "e"):
        raise NoValueError(f"{digits}{unit}: no suffix that ngspice scales by")
    else:
        factor = _SUFFIX.get(letters[:1], 1.0)
    # as ngspice rounds it: `2000n == 2u` is false there
    return finite(float(digits) * factor, digits + unit)


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


def is_cut(text: str) -> bool:
    """True for a bare expression that starts with a number: `1u+1u`.

    On a device's own line ngspice takes only the number of it, and chokes on the rest.
    """
    return _NUMERIC.match(text) is not None and _PLAIN.fullmatch(text) is None


def evaluate(text: str, lookup: Callable[[str], float], on_device: bool = False) -> float:
    """Return the value of a number or an expression, in quotes, braces or bare.

    Args:
        text: the value as written.
        lookup: gives a parameter by its name in lower case.
        on_device: it stands on a device's own line or is an option, not a parameter.

    Raises:
        NoValueError: if it cannot be computed or is not finite.
    """
    if (plain := _PLAIN.fullmatch(text)) is not None:
        return scaled(plain[1], plain[2], on_device)
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

    def _choice(self, after_operator: bool = False) -> float:
        self.depth += 1
        if self.depth > MOST_BRACKETS:
            raise NoValueError(f"{self.text[:40]!r}: more than {MOST_BRACKETS} brackets deep")
        value = self._binary(0, after_operator)
        if self._next("?"):
            first = self._binary(0, after_operator=True)  # a choice in there needs brackets
            self._need(":")
            second = self._choice(after_operator=True)
            value = first if value else second
        self.depth -= 1
        return value

    def _binary(self, rank: int, after_operator: bool) -> float:
        if rank == len(_RANKS):
            return self._signed(after_operator)
        value = self._binary(rank + 1, after_operator)
        while operator := self._next(*_RANKS[rank]):
            value = _RANKS[rank][operator](value, self._binary(rank + 1, after_operator=True))
        return value

    def _signed(self, after_operator: bool) -> float:
        """Return a power; a sign that starts an expression binds less: -2**2 is -4."""
        sign = "" if after_operator else self._next("-", "+")
        value = self._operand()
        while self._next("**", "^"):
            if value < 0:
                raise NoValueError(f"{self.text[:40]!r}: the power of a negative number")
            exponent = self._operand()
            if value == exponent == 0:
                raise NoValueError(f"{self.text[:40]!r}: the power 0 of 0")
            value = math.pow(value, exponent)
        return -value if sign == "-" else value

    def _operand(self) -> float:
        """Return what follows an operator.

        A minus there belongs to the digits behind it, for ngspice: `2*-3**2` is 18 and `2*-k` is
        `2*k`, so that it may stand before nothing but a number alone.
        """
        if not self._next("-"):
            return self._atom()
        digits, unit, *_ = self.words[self.at] if self.at < len(self.words) else ("", "")
        self.at += 1
        if not digits or self._next("**", "^"):
            raise NoValueError(f"{self.text[:40]!r}: - after an operator needs brackets here")
        return -scaled(digits, unit)

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
