"""The bonding diagram of a die: its pads, and a wire from each to a lead of its own, as SVG.

Leads stand around the die in the order of the pads, so that no wire crosses another. Which lead of
a package each of them is, is for the assembly to say; the numbers are those of pads.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from ..base.picture import picture

#: what a pad is for, which is its class in the diagram, and the words of the legend
_USES = {
    "supply": "supply",
    "ground": "ground",
    "sense": "sense line",
    "control": "control, scan chain",
    "signal": "input, output, write",
    "none": "not bonded: probe pad, no net",
}
#: height of a letter and room around the leads, as shares of the die's longer side
_LETTER, _AWAY, _ROOM = 0.012, 0.07, 0.11


def bonding_svg(name: str, die_um: list[float], pads: list[dict[str, Any]]) -> str:
    """Return the diagram; lengths in um, y upwards as in the layout.

    Args:
        name: of the die.
        die_um: its width and height.
        pads: rows of `pads.pad_rows`.
    """
    width, height = die_um
    long = max(width, height)
    letter, away, room = (share * long for share in (_LETTER, _AWAY, _ROOM))
    edge = away + room
    total_w, total_h = width + 2 * edge, height + 2 * edge + 4 * letter
    title = f"{name}: {width:g} x {height:g} um, seen from above; marked corner: (0, 0)"
    # letters are about 0.6 as wide as high
    size = min(2 * letter, (total_w - edge) / (0.6 * len(title)))
    body = [
        f'<rect width="{width:g}" height="{height:g}" class="face edge" '
        f'stroke-width="{letter / 5:g}"/>',
        f'<text x="{-edge / 2:g}" y="{-edge + letter:g}" class="ink" font-size="{size:g}">'
        f"{escape(title)}</text>",
        # which corner is which, whichever way the die is turned in the cavity
        f'<polygon points="0,{height:g} {3 * letter:g},{height:g} 0,{height - 3 * letter:g}" '
        'class="ink"><title>corner (0, 0)</title></polygon>',
        *_pads(pads, height),
        *_wires(pads, width, height, away, letter),
        *_legend(pads, width, height + edge, letter),
    ]
    box = (-edge, -edge - 2 * letter, total_w, total_h)
    return picture(box, body, width=1000, label=f"bonding diagram of {name}", letter=letter)


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


def _wires(
    pads: list[dict[str, Any]], width: float, height: float, away: float, letter: float
) -> Iterator[str]:
    """Yield a wire from each bond pad to a lead, and the lead's number and net."""
    for side in ("south", "east", "north", "west"):
        mine = [pad for pad in pads if pad["kind"] == "bond" and pad["side"] == side]
        along = "x_um" if side in ("south", "north") else "y_um"
        mine.sort(key=lambda pad: pad[along])
        long = width if along == "x_um" else height
        pitch = long / max(1, len(mine))
        for k, pad in enumerate(mine):
            s = pitch * (k + 0.5)
            x, y, turn, anchor = {
                "south": (s, height + away, 90, "start"),
                "north": (s, -away, 90, "end"),
                "east": (width + away, height - s, 0, "start"),
                "west": (-away, height - s, 0, "end"),
            }[side]
            yield (
                f'<path d="M{pad["x_um"]:g} {height - pad["y_um"]:g}L{x:g} {y:g}" fill="none" '
                f'class="{_use(pad)}" stroke="currentColor" stroke-width="{letter / 6:g}"/>'
            )
            gap = letter / 2 if anchor == "start" else -letter / 2
            yield (
                f'<text transform="translate({x:g} {y:g}) rotate({turn})" x="{gap:g}" '
                f'dy="0.35em" text-anchor="{anchor}" class="ink">'
                f"{pad['number']} {escape(pad['name'])}</text>"
            )


def _legend(pads: list[dict[str, Any]], width: float, y: float, letter: float) -> Iterator[str]:
    """Yield what the colours stand for, of those that are there."""
    used = [kind for kind in _USES if any(_use(pad) == kind for pad in pads)]
    words = dict(_USES)
    if not any(_is_scan(pad) for pad in pads):
        words["control"] = "control"
    for k, kind in enumerate(used):
        x = width * k / max(1, len(used))
        yield (
            f'<rect x="{x:g}" y="{y:g}" width="{letter:g}" height="{letter:g}" class="{kind}" '
            f'fill="currentColor"/><text x="{x + 1.5 * letter:g}" y="{y + 0.85 * letter:g}" '
            f'class="ink">{words[kind]}</text>'
        )


__all__ = ["bonding_svg"]
