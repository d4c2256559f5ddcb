"""Renew the table of field.md: `python docs/make_field.py [--no-tiles]`; takes minutes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE / "field.md"
BEGIN, END = "<!-- field: by docs/make_field.py -->\n", "\n<!-- end of field -->"
sys.path.insert(0, str(HERE.parent / "bench"))


def shown(page: str) -> list[str]:
    """Return the rows of the page's table."""
    text = page[page.index(BEGIN) + len(BEGIN) : page.index(END)]
    return [line for line in text.splitlines() if line.startswith("|")][2:]


def made(*, tiles: bool) -> str:
    """Return the table, and how each way does."""
    import field
    from field_oracle.table import markdown, summary

    from crossstack.pdk import get_tech

    tech = get_tech()
    some = field.chosen(tech)
    table = field.whole_table(
        some, tech, lambda line: print(line, file=sys.stderr, flush=True), tiles=tiles
    )
    listed = [f"- {line}" if not line.startswith(" ") else f"    - {line.strip()}"
              for line in summary(table)]  # fmt: skip
    return "\n".join([*markdown(table), "", *listed, *unsolved(field.missing(some, tech))])


def unsolved(some: list[Any]) -> list[str]:
    """Say which shapes the oracle has not solved."""
    names = ", ".join(shape.name for shape in some)
    return [f"- not solved by the oracle yet: {names}"] if some else []


def main() -> None:
    """Renew the page."""
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), flags=re.S)
    if (count := len(pattern.findall(page))) != 1:
        raise SystemExit(f"{PAGE.name} holds {count} places for the table, allowed: 1")
    text = made(tiles="--no-tiles" not in sys.argv[1:])
    PAGE.write_text(pattern.sub(lambda _: BEGIN + text + END, page), encoding="utf-8")


if __name__ == "__main__":
    main()
