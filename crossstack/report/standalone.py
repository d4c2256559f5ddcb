"""A chart as a file of its own: the page's colours go with it, light and dark."""

from __future__ import annotations

import re

from .page import package_text

_STYLE = re.compile(r"<style>.*?</style><rect class=\"paper\"[^>]*/>", re.DOTALL)
_NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
_FONT = (
    '.chart text{font-family:system-ui,"Liberation Sans",sans-serif}.chart .paper{fill:var(--bg)}'
    # a window that is wide shows all of it, and no white around it
    "svg.chart{background:var(--bg);max-height:100vh}"
)


def standalone(chart: str) -> str:
    """Return a chart as the content of an SVG file."""
    lines = package_text("report.css").splitlines()
    kept = (":root{", "@media (prefers-color-scheme:dark)", ".chart{", ".chart ")
    style = "\n".join(line for line in lines if line.startswith(kept))
    box = re.search(r'viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)"', chart)
    assert box is not None, "a chart of ours has a view box"
    x, y, width, height = box.groups()
    paper = f'<rect class="paper" x="{x}" y="{y}" width="{width}" height="{height}"/>'
    head, body = chart.split(">", 1)
    head = head.replace("<svg", f"<svg{_NAMESPACE}", 1)
    return f"{head}><style>{style}\n{_FONT}</style>{paper}{body}\n"


def embedded(text: str) -> str:
    """Return the chart of such a file, to stand in a page that has the style already."""
    return _STYLE.sub("", text).replace(_NAMESPACE, "", 1)
