"""The look of drawn diagrams: one set of colours, by class, for a light and for a dark screen."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

#: class -> what it sets, its value on light paper and on dark
_LOOK = (
    ("paper", "fill", "#ffffff", "#12161d"),
    ("face", "fill", "#f0f4f8", "#1d2632"),
    ("ink", "fill", "#22272e", "#e6ebf2"),
    ("edge", "stroke", "#333c46", "#b4c0ce"),
    ("rim", "stroke", "#99a3ad", "#5b6775"),
    ("mark", "stroke", "#b03030", "#f0907c"),
    ("held", "fill", "#dfeadf", "#21402d"),
    ("open", "fill", "#dddddd", "#3a4350"),
    ("chosen", "fill", "#1f618d", "#6fb1ee"),
    ("other", "fill", "#aed6f1", "#2b4a66"),
    ("supply", "color", "#c0392b", "#ff8a7d"),
    ("ground", "color", "#2c3e50", "#c5d0dc"),
    ("sense", "color", "#8e44ad", "#c99be0"),
    ("control", "color", "#9c640c", "#e3b341"),
    ("signal", "color", "#1f618d", "#6fb1ee"),
    ("none", "color", "#777777", "#8b97a5"),
)


def _rules(shade: int) -> str:
    lines = (f"svg.picture .{name}{{{what}:{pair[shade]}}}" for name, what, *pair in _LOOK)
    return "".join(lines)


#: goes with each diagram, and touches nothing else in a page that holds one
STYLE = f"<style>{_rules(0)}@media (prefers-color-scheme:dark){{{_rules(1)}}}</style>"


def picture(
    box: tuple[float, float, float, float],
    body: Iterable[str],
    *,
    width: float,
    label: str,
    letter: float,
) -> str:
    """Return a diagram as SVG, on paper of its own.

    Args:
        box: left, top, width and height of what is shown, in the diagram's own unit.
        body: its elements; their colours are classes of this module, and ``currentColor``.
        width: in pixels, where nothing else rules.
        label: what a reader that sees no pictures is told.
        letter: size of letters in the diagram's unit.
    """
    x, y, wide, high = box
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="{x:g} {y:g} {wide:g} '
        f'{high:g}" width="{width:g}" role="img" aria-label="{escape(label, quote=True)}" '
        f'font-family="system-ui,sans-serif" font-size="{letter:g}">{STYLE}'
    )
    paper = f'<rect class="paper" x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"/>'
    return "\n".join([head, paper, *body, "</svg>"]) + "\n"
