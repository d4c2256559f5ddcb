"""Numbers and words on the command line: decimal, finite, in their range; one of a list."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from .base.decimals import decimal, whole_decimal
from .base.errors import nearest
from .base.spans import Span


def _read(
    kind: Any,
    value: Any,
    read: Callable[[str], float],
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> Any:
    """Return the number of a text; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return read(value)
    except ValueError as error:
        kind.fail(f"{error}.", param, ctx)


class Number(click.FloatRange):
    """A finite number, in a range if one is given: NaN passes every comparison of a range.

    Args:
        span: the range; None for any number.
    """

    name = "float"

    def __init__(self, span: Span | None = None) -> None:
        self.span = span
        if span is None:
            super().__init__()
        else:
            super().__init__(span.low, _end(span), min_open=span.above)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or refuse it."""
        found = super().convert(_read(self, value, decimal, param, ctx), param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return found

    def _describe_range(self) -> str:
        """Return the range for the help and for a refusal; none to show without an end."""
        return "" if self.span is None else self.span.ends


#: in place of a voltage that devices need: what they declare
DECLARED = "device"


class Need(Number):
    """A voltage that devices need, or `device` for what they declare."""

    name = "need"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number or the word, or refuse it."""
        return value if value == DECLARED else super().convert(value, param, ctx)


class Whole(click.IntRange):
    """A whole number, in a range if one is given.

    Args:
        span: the range; None for any whole number.
    """

    def __init__(self, span: Span | None = None) -> None:
        self.span = span
        if span is None:
            super().__init__()
        else:
            super().__init__(int(span.low), None if _end(span) is None else int(span.high))
        self.name = "integer" if span is None else "integer range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or refuse it."""
        return super().convert(_read(self, value, whole_decimal, param, ctx), param, ctx)

    def _describe_range(self) -> str:
        """Return the range for the help and for a refusal; none to show without an end."""
        return "" if self.span is None else self.span.ends


def _end(span: Span) -> float | None:
    return None if math.isinf(span.high) else span.high


NUMBER, WHOLE = Number(), Whole()


class NearChoice(click.Choice):  # type: ignore[type-arg]
    """Words to choose from; another one is refused with the nearest, as a mistyped key is."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is said of a word that is none of them."""
        near = nearest(value, self.choices)
        return super().get_invalid_choice_message(value, ctx).rstrip(".") + near
