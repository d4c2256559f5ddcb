"""Text in XML files."""

from __future__ import annotations

from html import escape


def xml_text(text: str) -> str:
    """Return a text as it may stand between tags; `xml.sax.saxutils` would load all of urllib."""
    return escape(text, quote=False)
