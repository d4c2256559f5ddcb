"""Text in XML and HTML files."""

from __future__ import annotations

import re
from html import escape


def xml_text(text: str) -> str:
    """Return a text as it may stand between tags; `xml.sax.saxutils` would load all of urllib."""
    return escape(text, quote=False)


def broken(text: object) -> str:
    """Return a text that a narrow column breaks after _ and / instead of inside a word."""
    from markupsafe import Markup
    from markupsafe import escape as escaped

    return Markup(re.sub(r"([_/])(?=.)", r"\1<wbr>", str(escaped(text))))
