"""The bonding diagram of a die: its pads, and a wire from each to its lead, as SVG.

Where leads stand, `leads` says. Which lead of a package each of them is, is for the assembly to
say; the numbers are those of pads.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from math import dist, inf
from typing import Any

from ..base.picture import picture
from .leads import Point, Wire, away_um, wires_of

#: how the words at a lead are turned, and which of their ends is at it
_TURNS = {"south": (90, "start"), "north": (90, "end"), "east": (0, "start"), "west": (0, "end")}

#: what a pad is for, which is its class in the diagram, and the words of the legend
_USES = {
    "supply": "supply",
    "ground": "ground",
    "sense": "sense line",
    "control": "control, scan chain",
    "signal": "input, output, write",
    "none": "not bonded: probe pad, no net",
}
#: height of a letter and room beyond the leads, as shares of the die's longer side
_LETTER, _ROOM = 0.012, 0.11
#: width of a letter as a share of its height, a little more than the widest words take
_WIDE = 0.6
#: height of the smallest letters, and the least width of the picture, pixels
_LETTER_PX, _LEAST_PX = 9, 1000


def bonding_svg(name: str, die_um: list[float], pads: list[dict[str, Any]]) -> str:
    """Return the diagram; lengths in um, y upwards as in the layout.

    Args:
        name: of the die.
        die_um: its width and height.
        pads: rows of `pads.pad_rows`.
    """
    width, height = die_um
    long, wires = max(width, height), wires_of(die_um, pads)
    letter, room = _LETTER * long, _ROOM * long
    edge = away_um(die_um) + room
    total_w = width + 2 * edge
    legend, rows = _legend(pads, total_w - edge, letter)
    total_h = height + 2 * edge + (2 + 1.8 * rows) * letter
    title = f"{name}: {width:g} x {height:g} um, seen from above; marked corner: (0, 0)"
    size = min(2 * letter, (total_w - edge) / (_WIDE * len(title)))
    small = min(letter, 0.9 * _apart(wires))
    body = [
        f'<rect width="{width:g}" height="{height:g}" class="face edge" '
        f'stroke-width="{letter / 5:g}"/>',
        f'<text x="{-edge / 2:g}" y="{-edge + letter:g}" class="ink" font-size="{size:g}">'
        f"{escape(title)}</text>",
        # which corner is which, whichever way the die is turned in the cavity
        f'<polygon points="0,{height:g} {3 * letter:g},{height:g} 0,{height - 3 * letter:g}" '
        'class="ink"><title>corner (0, 0)</title></polygon>',
        *_pads(pads, height),
        *_wires(wires, height, small),
        f'<g transform="translate({-edge / 2:g} {height + edge:g})">',
        *legend,
        "</g>",
    ]
    box = (-edge, -edge - 2 * letter, total_w, total_h)
    pixels = max(_LEAST_PX, round(_LETTER_PX * total_w / small))
    return picture(box, body, width=pixels, label=f"bonding diagram of {name}", letter=letter)


def _apart(wires: list[Wire]) -> float:
    """Return how close the two nearest leads of a side stand, um."""
    ends: dict[str, list[Point]] = {}
    for wire in wires:
        ends.setdefault(wire.pad["side"], []).append(wire.end)
    gaps = [dist(a, b) for side in ends.values() for a, b in pairwise(side)]
    return min(gaps, default=inf)


def _use(pad: dict[str, Any]) -> str:
    """Return which colour a pad has."""
    if pad["kind"] != "bond" or not pad["net"]:
        return "none"
    use = str(pad["use"])
    for kind in ("supply", "ground", "sense", "control"):
        if use.startswith(kind):
            return kind
    return "control" if _is_scan(pad) else "signal"


def _is_scan(pad: dict[str, Any]) -> bool:
    """Return whether a pad is one of a scan chain."""
    return str(pad["use"]).startswith("scan")


def _pads(pads: list[dict[str, Any]], height: float) -> Iterator[str]:
    """Yield a square for each pad, with its row of pads.csv as a tooltip."""
    for pad in pads:
        side = pad["plate_um"] or pad["opening_um"]
        x, y = pad["x_um"] - side / 2, height - pad["y_um"] - side / 2
        volts = "" if pad["v_max"] is None else f", {pad['v_min']:g} to {pad['v_max']:g} V"
        tip = f"{pad['number']} {pad['name']}: {pad['use'] or 'signal'}{volts}"
        yield (
            f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" '
            f'class="{_use(pad)}" fill="currentColor"><title>{escape(tip)}</title></rect>'
        )


def _wires(wires: list[Wire], height: float, letter: float) -> Iterator[str]:
    """Yield each wire, and its lead's number and name."""
    for wire in wires:
        pad, (x1, y1), (x, y) = wire.pad, wire.start, wire.end
        turn, anchor = _TURNS[pad["side"]]
        yield (
            f'<path d="M{x1:g} {height - y1:g}L{x:g} {height - y:g}" fill="none" '
            f'class="{_use(pad)}" stroke="currentColor" stroke-width="{letter / 6:g}"/>'
        )
        gap = letter / 2 if anchor == "start" else -letter / 2
        yield (
            f'<text transform="translate({x:g} {height - y:g}) rotate({turn})" x="{gap:g}" '
            f'dy="0.35em" text-anchor="{anchor}" class="ink" font-size="{letter:g}">'
            f"{pad['number']} {escape(pad['name'])}</text>"
        )


def _legend(pads: list[dict[str, Any]], width: float, letter: float) -> tuple[list[str], int]:
    """Return what the colours stand for, of those that are there, and how many lines that takes."""
    used = [kind for kind in _USES if any(_use(pad) == kind for pad in pads)]
    words = dict(_USES)
    if not any(_is_scan(pad) for pad in pads):
        words["control"] = "control"
    body, x, row = [], 0.0, 0
    for kind in used:
        long = (1.5 + _WIDE * len(words[kind])) * letter
        if x and x + long > width:
            x, row = 0.0, row + 1
        y = 1.8 * row * letter
        body.append(
            f'<rect x="{x:g}" y="{y:g}" width="{letter:g}" height="{letter:g}" class="{kind}" '
            f'fill="currentColor"/><text x="{x + 1.5 * letter:g}" y="{y + 0.85 * letter:g}" '
            f'class="ink">{words[kind]}</text>'
        )
        x += long + 2 * letter
    return body, row + 1


__all__ = ["bonding_svg"]
