"""Patterns of net names, in which only ``*`` is special: ``TR*``, ``C[3]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...pdk import ParameterError


def pattern_matcher(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return a matcher (use `fullmatch`) for any of some patterns."""
    text = "|".join(re.escape(p).replace(r"\*", ".*") for p in patterns)
    return re.compile(text, re.IGNORECASE | re.ASCII)


def split_patterns(texts: Iterable[str]) -> list[str]:
    """Return the patterns in texts such as ``TR*,C[3]``; blanks do not count."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def matching(names: Sequence[str], patterns: Iterable[str]) -> list[str]:
    """Return the names that match any pattern, in their order.

    Raises:
        ParameterError: for a pattern that no name matches.
    """
    wanted = list(patterns)
    for pattern in wanted:
        single = pattern_matcher([pattern])
        if not any(single.fullmatch(name) for name in names):
            some = ", ".join(sorted(names)[:6])
            raise ParameterError("nets", pattern, f"a pattern of net names such as {some}")
    matcher = pattern_matcher(wanted)
    return [name for name in names if matcher.fullmatch(name)]
