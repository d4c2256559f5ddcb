"""Renew the tables of concepts/paper.md: which drawn array gives the paper's 22 %.

python docs/make_paper.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from make_strap import renewed

from crossstack.comparison.bare import BareStudies, bare_studies
from crossstack.generators import ArraySpec
from crossstack.pdk import Conditions

PAGE = Path(__file__).parent / "concepts" / "paper.md"
SIZE = 10


def table(found: BareStudies) -> Iterator[str]:
    """Yield both tables."""
    assert found.select_w is not None
    yield (
        f"| select transistors | planar {2 * SIZE} x {SIZE} | stacked {SIZE} x {SIZE} x 2 | "
        "everything counted | wires alone |"
    )
    yield "|---|---|---|---|---|"
    for row in found.select_w.rows:
        every, wires = row.losses["all"], row.losses["wires"]
        mark = "**" if row.select_w_um == found.select_w.width_for_paper_um else ""
        yield (
            f"| {row.select_w_um:g} um | {100 * every.planar:.2f} % | {100 * every.stacked:.2f} % "
            f"| {mark}{100 * every.reduction:.1f} %{mark} | {100 * wires.reduction:.1f} % |"
        )
    yield ""
    yield (
        f"| square pair, {2 * SIZE} x {2 * SIZE} and {SIZE} x {2 * SIZE} x 2 | ohm a cell, row and "
        "column | in series, ohm | planar | stacked | wires alone | first-order theory |"
    )
    yield "|---|---|---|---|---|---|---|"
    for cell, pair in found.equal.items():
        if isinstance(pair, str):
            raise SystemExit(f"{cell}: {pair}")
        wires = pair.losses["wires"]
        yield (
            f"| {cell} cells | {pair.row_ohm:.3f} and {pair.col_ohm:.3f} "
            f"| {pair.series_over_col * pair.col_ohm:.0f} | {100 * wires.planar:.2f} % "
            f"| {100 * wires.stacked:.2f} % | {100 * wires.reduction:.1f} % "
            f"| {100 * pair.on_map:.1f} % |"
        )


def main() -> None:
    """Renew the page."""
    found = bare_studies(ArraySpec(SIZE, SIZE), Conditions())
    lines = [*table(found)]
    print(*lines, sep="\n", file=sys.stderr)
    page = renewed(PAGE.read_text(encoding="utf-8"), iter(lines), Path(__file__).name)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
