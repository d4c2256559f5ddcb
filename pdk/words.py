"""Words in tables: names, and texts that name documents and roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .tables import ProcessError, Row, Section

#: what is the short name of a document, and no word
_KEY = re.compile(r"[A-Z][A-Z0-9]*[a-z]?", re.ASCII)


@dataclass(frozen=True)
class Words:
    """Texts that tables may use: short names of documents, and ``{names}`` of roles."""

    sources: Mapping[str, str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, section: Section, names: Mapping[str, str]) -> Words:
        """Return those of a file whose table ``sources`` names documents."""
        sources = dict(section.pairs("sources"))
        if empty := [key for key, text in sources.items() if not text.strip()]:
            what = f"{empty[0]} is empty, allowed: a document"
            raise ProcessError(f"{section.where} [sources]", (what,))
        return cls(sources, names)

    def source(self, row: Row) -> str:
        """Return the documents of a row: keys of `sources`, or words."""
        cell = row.text("source")
        keys = cell.split()
        missing = [key for key in keys if key not in self.sources]
        if not missing:
            return self.fill("; ".join(self.sources[key] for key in keys))
        if all(_KEY.fullmatch(key) for key in keys):
            raise row.wrong(f"source: {missing[0]!r} is no key of [sources]")
        return self.fill(cell)

    def fill(self, text: str, **more: str) -> str:
        """Return a text with its ``{names}`` replaced; unknown ones stay."""
        names = {**self.names, **more}
        return re.sub(r"\{([\w\[\]]+)\}", lambda m: names.get(m[1], m[0]), text)


def name_of(row: Row) -> str:
    """Return the name in a row: a word."""
    name = row.text("name")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", name, re.ASCII):
        raise row.wrong(f"name = {name!r} is not a word of letters, digits and _")
    return name
