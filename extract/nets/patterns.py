"""Patterns of net names, in which only ``*`` is special: ``TR*``, ``C[3]``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from ...base import names as known
from ...pdk import ParameterError

#: nets that a refusal names
_SHOWN = 6


def pattern_matcher(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return a matcher (use `fullmatch`) for any of some patterns."""
    text = "|".join(re.escape(p).replace(r"\*", ".*") for p in patterns)
    return re.compile(text, re.IGNORECASE | re.ASCII)


def split_patterns(texts: Iterable[str]) -> list[str]:
    """Return the patterns in texts such as ``TR*,C[3]``; blanks do not count."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


class UnknownNetError(ParameterError):
    """A name or pattern that no net of a layout has."""

    def __str__(self) -> str:
        """Return the reason alone, which names the pattern."""
        return self.allowed


def no_net(pattern: str, names: Iterable[str]) -> UnknownNetError:
    """Return the error for a pattern that no net matches: what comes near, and what there is.

    Args:
        pattern: as the user wrote it.
        names: of the nets; one of a kind is shown, lines before wires inside the cells.
    """
    kinds: dict[str, list[str]] = {}
    for name in sorted(filter(None, names)):
        kinds.setdefault(known.kind_of(name) or name, []).append(name)
    wanted = known.fold(pattern)
    near = difflib.get_close_matches(known.kind_of(wanted) or wanted, kinds, n=1, cutoff=0.5)
    hint = ""
    if near:
        closest = difflib.get_close_matches(wanted, kinds[near[0]], n=1, cutoff=0.0)
        hint = f"; did you mean {closest[0]!r}?"
    first = (*reversed(known.ROWS), known.COLUMN, *reversed(known.SELECTS))
    shown = sorted(kinds, key=lambda kind: (_place(kind, first), kind))[:_SHOWN]
    said = "no net matches" if "*" in pattern else "no net is called"
    some = ", ".join(kinds[kind][0] for kind in shown)
    return UnknownNetError("nets", pattern, f"{said} {pattern!r}{hint} (there are: {some}, ...)")


def _place(kind: str, first: Sequence[str]) -> tuple[int, int]:
    """Return where a kind of net stands in a list: lines, other pins, wires inside the cells."""
    if kind in first:
        return 0, first.index(kind)
    return (2 if kind in known.ELECTRODES else 1), 0


def matching(names: Sequence[str], patterns: Iterable[str]) -> list[str]:
    """Return the names that match any pattern, in their order.

    Raises:
        UnknownNetError: for a pattern that no name matches.
    """
    wanted = list(patterns)
    for pattern in wanted:
        single = pattern_matcher([pattern])
        if not any(single.fullmatch(name) for name in names):
            raise no_net(pattern, names)
    matcher = pattern_matcher(wanted)
    return [name for name in names if matcher.fullmatch(name)]
