"""Pages that stand alone: one file each, works offline, nothing fetched."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analyse.paper import IR_DROP, SPEED
from ..base.outputs import write_text
from ..base.units import percent, setting
from ..base.xml import broken
from .fields import VIRIDIS

if TYPE_CHECKING:
    import jinja2

#: femto to giga, and what a solve leaves where there is nothing
_PREFIXES, _ROUNDING = ("f", "p", "n", "u", "m", "", "k", "M", "G"), 1e-15


def write_page(target: Path, kind: str, scripts: tuple[str, ...], context: dict[str, Any]) -> Path:
    """Write a page from the template ``<kind>.html.j2`` of this package.

    Args:
        target: HTML file to write.
        kind: stem of the template.
        scripts: names of the scripts that the page needs besides its own frame's.
        context: what the template shows.
    """
    shared = {
        "style": package_text("report.css"),
        "scripts": [package_text(f"{name}.js") for name in ("page", *scripts)],
        "percent": percent,
        "amount": amount,
        "scaled": scaled,
        "paper": {"ir_drop": IR_DROP, "speed": SPEED},
    }
    text = _environment().get_template(f"{kind}.html.j2").render(shared | context)
    write_text(target, text)
    return target


@cache
def _environment() -> jinja2.Environment:
    """Return what reads templates; it keeps those that it has compiled."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(package_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # macros see what is global, not what a page hands to its template
    environment.globals["viridis"] = VIRIDIS
    environment.filters["broken"] = broken
    environment.filters["key"] = _key
    environment.filters["setting"] = setting
    return environment


def _key(text: Any) -> str:
    """Return a dotted key that a narrow column breaks between its parts alone."""
    from markupsafe import Markup, escape

    return Markup(str(escape(text)).replace(".", ".<wbr>"))


def package_text(name: str) -> str:
    """Return a text file of this package."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def script_json(value: Any) -> str:
    """Return JSON that can stand inside a script element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def amount(value: float | None, scale: float = 1.0, digits: int = 4) -> str:
    """Return a number with a few figures, zeros at its end too; a dash for none.

    Powers of ten only from a million on: 3110, not 3.11e+03.
    """
    if not value:
        return "-" if value is None else "0"
    text = f"{value * scale:#.{digits}g}".rstrip(".")
    return f"{float(text):.0f}" if "e+0" in text and abs(float(text)) < 1e6 else text


def scaled(value: float, unit: str, digits: int = 3) -> str:
    """Return a quantity with the prefix that suits it: 10.8 nV; what is rounding only is 0."""
    if abs(value) < _ROUNDING:
        return f"0 {unit}"
    power = math.floor(math.log10(float(f"{abs(value):.{digits - 1}e}")) / 3)
    power = min(max(power, -5), 3)
    return f"{value / 1000.0**power:#.{digits}g}".rstrip(".") + f" {_PREFIXES[power + 5]}{unit}"


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested parameters as lines: dotted name, value."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, "default" if value is None else setting(value)))
    return rows


def file_list(
    folder: Path, sums: Mapping[str, str], kinds: tuple[tuple[str, str], ...]
) -> list[dict[str, str]]:
    """Return what a page lists of the files beside it.

    Args:
        folder: where they are.
        sums: name -> SHA-256; missing files and the page itself are left out.
        kinds: ending of a name -> what the file is; the first that fits counts.
    """
    rows = []
    for name, digest in sums.items():
        path = folder / name
        if name == "report.html" or not path.is_file():
            continue
        kind = next((text for ending, text in kinds if name.endswith(ending)), "")
        size = path.stat().st_size
        text = f"{size / 1e6:.1f} MB" if size > 1e6 else f"{max(size / 1e3, 0.1):.1f} kB"
        rows.append({"name": name, "kind": kind, "size": text, "sha": digest})
    return rows
