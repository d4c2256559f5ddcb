"""KLayout's view of the process: layer properties, technology and 2.5-D view, all generated."""

from __future__ import annotations

from ..base.xml import xml_text
from .model import FILLS, Layer, Purpose
from .solids import conductor_joins, solids_um
from .tech import Tech

#: Groups in the viewer's layer list: name, purposes, shown at first, unfolded at first. KLayout
#: paints the list from its top to its end, so the module comes after what it is built on.
_GROUPS: tuple[tuple[str, tuple[Purpose, ...], bool, bool], ...] = (
    ("Front end", (Purpose.FRONT_END,), True, False),
    ("Metals and vias", (Purpose.METAL, Purpose.CUT, Purpose.FILM), True, False),
    (
        "Memristor module",
        (Purpose.MODULE_ELECTRODE, Purpose.MODULE_OXIDE, Purpose.MODULE_CUT),
        True,
        True,
    ),
    ("Pin labels", (Purpose.LABEL, Purpose.MODULE_LABEL), True, False),
    ("Markers", (Purpose.MARKER, *FILLS, Purpose.MODULE_MARKER), False, False),
)


def lyp_text(tech: Tech) -> str:
    """Return a KLayout layer properties file: layers by group, in the order they are made."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<layer-properties>"]
    for name, purposes, visible, expanded in _GROUPS:
        lines.append(" <properties>")
        lines += _style("  ", name, "*/*@*", visible=visible, expanded=expanded)
        for layer in tech.layers:
            if layer.purpose in purposes:
                lines += ["  <group-members>", *_entry(tech, layer), "  </group-members>"]
        lines.append(" </properties>")
    return "\n".join([*lines, "</layer-properties>", ""])


def _entry(tech: Tech, layer: Layer) -> list[str]:
    name = f"{layer.name} - {tech.text_of(layer)}"
    pattern = f"I{layer.pattern}"
    # the electrodes' thick outlines stay visible over five metals
    outline = 3 if layer.purpose is Purpose.MODULE_ELECTRODE else 1
    return _style("   ", name, _source(layer), layer.color, pattern, outline)


def _source(layer: Layer) -> str:
    number, datatype = layer.gds
    return f"{number}/{datatype}@1"


def _style(
    indent: str,
    name: str,
    source: str,
    color: str = "",
    pattern: str = "",
    outline: int = 1,
    *,
    visible: bool = True,
    expanded: bool = False,
) -> list[str]:
    """Return every property that KLayout writes: gdsfactory's reader misses none of them."""
    rows = {
        "frame-color": color,
        "fill-color": color,
        "frame-brightness": "0",
        "fill-brightness": "0",
        "dither-pattern": pattern,
        "line-style": "",
        "valid": "true",
        "visible": str(visible).lower(),
        "transparent": "false",
        "width": str(outline) if color else "",
        "marked": "false",
        "xfill": "false",
        "animation": "0",
        "name": xml_text(name),
        "source": source,
    }
    if not color:
        rows["expanded"] = str(expanded).lower()
    return [
        f"{indent}<{key}>{value}</{key}>" if value else f"{indent}<{key}/>"
        for key, value in rows.items()
    ]


def lyt_text(tech: Tech, lyp: str) -> str:
    """Return a KLayout technology: grid, layer properties and what the net tracer may follow.

    A net runs along metals, electrodes, poly and diffusion and through their cuts. Memristors
    and channels end it.

    Args:
        tech: the process.
        lyp: layer properties file, relative to the technology's folder.
    """
    joins = "\n".join(
        f"   <connection>{','.join(_traced(tech, name) for name in join)}</connection>"
        for join in conductor_joins(tech)
    )
    names = dict.fromkeys(name for join in conductor_joins(tech) for name in join)
    symbols = "\n".join(
        f"   <symbols>{_traced(tech, name)}='{_expression(tech, name)}'</symbols>" for name in names
    )
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<technology>
 <name>{xml_text(tech.name)}</name>
 <description>{xml_text(tech.process.title)} with the CrossStack memristor module</description>
 <group/>
 <dbu>{tech.dbu_um:g}</dbu>
 <default-grids>{tech.grid_um:g}!,0.01,0.05,0.1,0.5,1</default-grids>
 <base-path/>
 <layer-properties_file>{xml_text(lyp)}</layer-properties_file>
 <add-other-layers>true</add-other-layers>
 <writer-options>
  <gds2>
   <write-timestamps>false</write-timestamps>
   <write-cell-properties>false</write-cell-properties>
   <write-file-properties>false</write-file-properties>
  </gds2>
 </writer-options>
 <connectivity>
  <stack>
   <name>{xml_text(tech.name)}</name>
   <description>Metals, module electrodes, poly and diffusion</description>
{joins}
{symbols}
  </stack>
 </connectivity>
</technology>
"""


def _traced(tech: Tech, layer: str) -> str:
    return "Diffusion" if layer == tech.roles.layer("diffusion") else layer


def _expression(tech: Tech, layer: str) -> str:
    """Return what the net tracer takes for a conductor.

    Poly cuts diffusion (no channel), and a film makes a memristor of a via.
    """

    def pair(name: str) -> str:
        return "/".join(map(str, tech.gds(name)))

    roles = tech.roles.names
    cutting = {
        roles["diffusion"]: roles["poly"],
        roles.get("memristor_via"): roles.get("memristor_film"),
    }
    other = cutting.get(layer)
    return f"{pair(layer)}-{pair(other)}" if other else pair(layer)


def d25_text(tech: Tech) -> str:
    """Return the Ruby text of a 2.5-D view: every drawn solid between its heights."""
    solids = solids_um(tech)
    above = solids[tech.module.electrodes[0]][0]
    # a module between two metals has thick ones for electrodes
    stretch = 1.0 if tech.module.stands_within else 5.0
    told = "10 to 100 nm thick, " if stretch > 1 else ""
    lines = [
        f"# CrossStack 2.5-D view of {tech.name}; generated from the film table, do not edit.",
        f"# The module's films are {told}{above:g} um above the silicon;",
        "# stretch their heights to tell them apart (1 is true to scale).",
        f"stretch = {stretch}",
        f"module_z = {above:g}",
        "height = lambda { |z| z <= module_z ? z : module_z + (z - module_z) * stretch }",
        "",
    ]
    for name, (bottom, top) in solids.items():
        layer = tech.layer(name)
        number, datatype = layer.gds
        color, text = int(layer.color[1:], 16), f"{name}: {tech.text_of(layer)}"
        lines.append(
            f"z(input({number}, {datatype}), zstart: height.call({bottom:g}), "
            f'zstop: height.call({top:g}), color: 0x{color:06x}, name: "{text}")'
        )
    return "\n".join([*lines, ""])
