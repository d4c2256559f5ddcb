"""Block diagram and timing diagram as SVG, from the pins and the mode table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..base.picture import picture

if TYPE_CHECKING:
    from .ports import PortGroup

#: how much lower every second label under a waveform stands
_LABEL = 16
#: width of a letter, a little more than that of most
_WIDE = 7
_LINE = 'class="edge" fill="none" stroke-width="1.2"'


def _svg(label: str, width: int, height: int, body: Iterator[str]) -> str:
    return picture((0, 0, width, height), body, width=width, label=label, letter=12)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="ink">{escape(text)}</text>'


def block_diagram(name: str, groups: Sequence[PortGroup], words: Sequence[str]) -> str:
    """Return the block with its ports on the sides where its pins are.

    Args:
        name: of the block.
        groups: its ports.
        words: lines inside the block.
    """
    sides: dict[str, list[PortGroup]] = {s: [] for s in ("west", "east", "north", "south")}
    for group in groups:
        sides[group.pins[0].shapes[0].side or "west"].append(group)
    high = max(200, 34 * (1 + max(len(sides["west"]), len(sides["east"]))))
    # no wider than its words ask for, so that they can be read on a phone, too
    across = 84 * (1 + max(len(sides["north"]), len(sides["south"])))
    wide = max(220, across, *(20 + _WIDE * len(line) for line in (name, *words)))
    beside = [len(g.name + g.range.strip()) for s in ("west", "east") for g in sides[s]]
    left, top = 50 + _WIDE * max(beside, default=0), 90

    def body() -> Iterator[str]:
        size = f'width="{wide}" height="{high}"'
        yield f'<rect x="{left}" y="{top}" {size} class="face edge"/>'
        middle = top + high / 2 - 9 * len(words)
        for k, line in enumerate((name, *words)):
            yield _text(left + wide / 2, middle + 18 * k, line, "middle")
        for side, mine in sides.items():
            for k, group in enumerate(mine):
                yield from _port(side, (k + 1) / (len(mine) + 1), group)

    def _port(side: str, share: float, group: PortGroup) -> Iterator[str]:
        label = f"{group.name}{group.range.strip()}"
        if side in ("west", "east"):
            y = top + share * high
            x1, x2 = (left - 40, left) if side == "west" else (left + wide, left + wide + 40)
            yield f'<path d="M{x1} {y:g}H{x2}" {_LINE}/>'
            yield _text(
                *((x1 - 5, y + 4, label, "end") if side == "west" else (x2 + 5, y + 4, label))
            )
        else:
            x = left + share * wide
            y1, y2 = (top - 30, top) if side == "north" else (top + high, top + high + 30)
            yield f'<path d="M{x:g} {y1}V{y2}" {_LINE}/>'
            yield _text(x, y1 - 6 if side == "north" else y2 + 16, label, "middle")

    return _svg(f"ports of {name}", left * 2 + wide, top * 2 + high, body())


def timing_diagram(title: str, waves: Sequence[tuple[str, str]], marks: Mapping[float, str]) -> str:
    """Return levels over time.

    Args:
        title: first line.
        waves: name and levels: ``0``, ``1``, ``=`` a value, ``x`` not defined, one a step.
        marks: step -> text under a dashed line.
    """
    # labels of every second mark stand beside each other
    step, row, top = max(50, 4 * max(map(len, marks.values()), default=0)), 34, 40
    left = 20 + _WIDE * max(len(name) for name, _ in waves)
    steps = max(len(levels) for _, levels in waves)

    def body() -> Iterator[str]:
        yield _text(10, 20, title)
        bottom = top + row * len(waves)
        for k, (name, levels) in enumerate(waves):
            y = top + row * k
            yield _text(left - 10, y + 20, name, "end")
            yield from _wave(levels, left, y + 6, step, row - 14)
        # neighbours stand at two heights, so that no two run into each other
        for k, (at, text) in enumerate(marks.items()):
            x = left + at * step
            yield f'<path d="M{x:g} {top - 6}V{bottom + 4}" class="mark" stroke-dasharray="3 3"/>'
            yield _text(x, bottom + 18 + _LABEL * (k % 2), text, "middle")

    return _svg(title, left + step * steps + 50, top + row * len(waves) + 40 + _LABEL, body())


def _wave(levels: str, x0: float, y: float, step: float, high: float) -> Iterator[str]:
    last = ""
    for k, level in enumerate(levels):
        x = x0 + k * step
        if level in "01":
            at = y if level == "1" else y + high
            if last in ("0", "1") and last != level:
                yield f'<path d="M{x:g} {y:g}V{y + high:g}" {_LINE}/>'
            yield f'<path d="M{x:g} {at:g}h{step:g}" {_LINE}/>'
        else:
            kind = "open" if level == "x" else "held"
            yield (
                f'<path d="M{x:g} {y + high / 2:g}l6 {-high / 2:g}h{step - 12:g}l6 {high / 2:g}'
                f'l-6 {high / 2:g}h{12 - step:g}z" class="edge {kind}"/>'
            )
        last = level
