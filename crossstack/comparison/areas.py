"""Areas of macros of rising size: stacked, and planar at its own least pitch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..generators import ArraySpec, build_top
from ..pdk import ParameterError
from .cases import own_pitch

#: rows and columns of the square stacked arrays, beside the one that is asked for
SIZES = (4, 8, 16, 32, 64, 128)


def area_study(base: ArraySpec) -> dict[str, Any]:
    """Return the areas of the stacked macro and of the planar one with as many inputs.

    Both have switches of the same widths and no sense lines; each is as small as the generator
    can draw it. A size that cannot be drawn is left out, and said so.
    """
    plain = replace(base, cell="hybrid", top="macro", kelvin=False, name=None)
    rows = [_row(replace(plain, rows=n, cols=n)) for n in SIZES]
    return {"asked": _row(plain), "rows": rows}


def _row(spec: ArraySpec) -> dict[str, Any]:
    row: dict[str, Any] = {"rows": spec.rows, "cols": spec.cols}
    try:
        both = {"stacked": _areas(spec), "planar": _areas(own_pitch(spec))}
    except ParameterError as error:
        return row | {"not_run": str(error)}
    a, b = both["stacked"], both["planar"]
    return row | both | {
        "ratio": a["macro_um2"] / b["macro_um2"],
        "array_ratio": a["array_um2"] / b["array_um2"],
        "switches_over_array": a["macro_um2"] / a["array_um2"] - 1.0,
    }  # fmt: skip


def _areas(spec: ArraySpec) -> dict[str, float]:
    array = build_top(spec)
    um2 = array.tech.dbu_um**2
    unit = array.unit.width * array.unit.height * spec.rows * spec.cols
    return {
        "macro_um2": round(array.cell.width * array.cell.height * um2, 3),
        "array_um2": round(unit * um2, 3),
    }


def area_lines(study: dict[str, Any]) -> Iterator[str]:
    """Yield the areas as a Markdown table."""
    yield "### Area with mode switches, against the planar cell at its own least pitch"
    yield ""
    yield "| stacked | um2 | planar um2 | ratio | arrays alone | around the array, of its area |"
    yield "|---|---|---|---|---|---|"
    for row in (study["asked"], *study["rows"]):
        size = f"{row['rows']} x {row['cols']} x 2"
        if "not_run" in row:
            yield f"| {size} | not drawn: {row['not_run']} | | | | |"
            continue
        yield (
            f"| {size} | {row['stacked']['macro_um2']:.0f} | {row['planar']['macro_um2']:.0f} "
            f"| {row['ratio']:.3f} | {row['array_ratio']:.3f} | {row['switches_over_array']:.2f} |"
        )
    yield ""
