"""Numbers as people write them, in decimal digits.

Python would also read 1_000, 0x10 and the digits of other alphabets, which in a command line or a
table are slips.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE
)
_WHOLE = re.compile(r"[+-]?\d{1,100}", re.ASCII)


def decimal(text: str) -> float:
    """Return the number of a text, which may be infinite or NaN.

    Raises:
        ValueError: if it is none in decimal digits.
    """
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{text[:40]!r} is not a number in decimal digits")
    return float(text)


def whole_decimal(text: str) -> int:
    """Return the whole number of a text.

    Raises:
        ValueError: if it is none in decimal digits, or has more than 100 of them.
    """
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f"{text[:40]!r} is not a whole number in decimal digits")
    return int(text)
