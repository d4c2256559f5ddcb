"""Labels of nets, and the tier of a memristor; index 0 is the bottom tier."""

from __future__ import annotations

from ...base.names import LINE

#: kind of a memristor, as LVS names it -> tier
TIER_OF = {"memristor_bottom": 0, "memristor_top": 1}


def labels_of(name: str) -> list[str]:
    """Return the labels of a net (a short gives it several)."""
    return name.split(",") if name else []


def line_label(name: str) -> str | None:
    """Return the label of a net that is a row or column line, None for other nets."""
    return next((label for label in labels_of(name) if LINE.fullmatch(label)), None)
