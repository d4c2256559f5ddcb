"""Texts that are filled in: models, benches and the datasheet."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from ..base.xml import broken


def filled(template: str, values: Mapping[str, Any], *, html: bool = False) -> str:
    """Return a template of this room with its values; a missing one is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["broken"] = broken
    return environment.get_template(template).render(**values)


def _text(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")
