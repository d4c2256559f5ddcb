"""Layer properties for KLayout (.lyp), generated from the one layer table."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .layers import Layer, Purpose
from .tech import Tech

#: groups in the viewer's layer list, and whether they are shown at first
_GROUPS: tuple[tuple[str, tuple[Purpose, ...], bool], ...] = (
    (
        "Memristor module",
        (Purpose.MODULE_ELECTRODE, Purpose.MODULE_OXIDE, Purpose.MODULE_CUT, Purpose.MODULE_LABEL),
        True,
    ),
    ("Metals", (Purpose.METAL,), True),
    ("Contacts and vias", (Purpose.CUT,), True),
    ("Front end", (Purpose.FRONT_END,), True),
    ("Pin labels", (Purpose.LABEL,), True),
    ("Markers", (Purpose.MARKER, Purpose.MODULE_MARKER), False),
)


def lyp_text(tech: Tech) -> str:
    """Return a KLayout layer properties file: layers by group, top of the stack first."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<layer-properties>"]
    for name, purposes, visible in _GROUPS:
        members = [layer for layer in tech.layers if layer.purpose in purposes]
        lines += [" <properties>", f"  <name>{name}</name>", "  <source>*/*@*</source>"]
        lines += [f"  <visible>{str(visible).lower()}</visible>", "  <expanded>false</expanded>"]
        for layer in reversed(members):
            lines += _entry(layer)
        lines.append(" </properties>")
    return "\n".join([*lines, "</layer-properties>", ""])


def _entry(layer: Layer) -> list[str]:
    number, datatype = layer.gds
    return [
        "  <group-members>",
        f"   <frame-color>{layer.color}</frame-color>",
        f"   <fill-color>{layer.color}</fill-color>",
        f"   <dither-pattern>I{layer.pattern}</dither-pattern>",
        "   <visible>true</visible>",
        "   <width>1</width>",
        f"   <name>{escape(f'{layer.name} - {layer.text}')}</name>",
        f"   <source>{number}/{datatype}@1</source>",
        "  </group-members>",
    ]
