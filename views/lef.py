"""LEF 5.8 of a block, and a technology LEF of its process for readers that ask for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import klayout.db as db

from ..pdk import Ask, Tech
from ..pdk.tracks import Track, tracks_of
from .abstract import Abstract, Pin

#: thickness of the gate oxide that areas of gates are given for
_MODEL = "OXIDE1"


def lef_lines(block: Abstract) -> Iterator[str]:
    """Yield the LEF of a block; lengths in um, areas in um2."""
    dbu = block.tech.dbu_um
    x, y = (value * dbu for value in block.origin)
    yield from _head(block.tech)
    yield f"MACRO {block.name}"
    yield "  CLASS BLOCK ;"
    yield f"  FOREIGN {block.name} {x:.3f} {y:.3f} ;"
    yield "  ORIGIN 0.000 0.000 ;"
    yield f"  SIZE {block.width * dbu:.3f} BY {block.height * dbu:.3f} ;"
    # mirrored, yes; turned, its lines would run against the chip's preferred directions
    yield "  SYMMETRY X Y ;"
    for pin in block.pins:
        yield from _pin(pin, dbu)
    yield "  OBS"
    for layer, boxes in block.obstructions.items():
        yield from _rects(layer, boxes, dbu, "    ")
    yield "  END"
    yield f"END {block.name}"
    yield "END LIBRARY"


def _head(tech: Tech) -> Iterator[str]:
    yield "VERSION 5.8 ;"
    yield 'BUSBITCHARS "[]" ;'
    yield 'DIVIDERCHAR "/" ;'
    yield "UNITS"
    yield f"  DATABASE MICRONS {round(1 / tech.dbu_um)} ;"
    yield "END UNITS"


def _pin(pin: Pin, dbu: float) -> Iterator[str]:
    yield f"  PIN {pin.name}"
    yield f"    DIRECTION {pin.role.direction} ;"
    yield f"    USE {pin.role.use} ;"
    if pin.role.supply:
        yield (
            "    SHAPE ABUTMENT ;"
            if not any(not s.side for s in pin.shapes)
            else "    SHAPE FEEDTHRU ;"
        )
    # a port is what is joined inside: every rectangle of a pin is
    yield "    PORT"
    for layer in dict.fromkeys(shape.layer for shape in pin.shapes):
        boxes = [shape.box for shape in pin.shapes if shape.layer == layer]
        yield from _rects(layer, boxes, dbu, "      ")
    yield "    END"
    yield from _antenna(pin)
    yield f"  END {pin.name}"


def _antenna(pin: Pin) -> Iterator[str]:
    """Yield the antenna areas of a pin; supplies have taps enough for any charge."""
    if pin.role.supply:
        return
    layer = pin.shapes[0].layer
    for metal, um2 in pin.metal_um2.items():
        yield f"    ANTENNAPARTIALMETALAREA {um2:.6f} LAYER {metal} ;"
    if pin.diffusion_um2:
        yield f"    ANTENNADIFFAREA {pin.diffusion_um2:.6f} LAYER {layer} ;"
    if pin.gate_um2:
        yield f"    ANTENNAMODEL {_MODEL} ;"
        yield f"    ANTENNAGATEAREA {pin.gate_um2:.6f} LAYER {layer} ;"


def _rects(layer: str, boxes: Iterable[db.Box], dbu: float, indent: str) -> Iterator[str]:
    yield f"{indent}LAYER {layer} ;"
    for box in boxes:
        corners = (box.left, box.bottom, box.right, box.top)
        yield f"{indent}  RECT " + " ".join(f"{value * dbu:.3f}" for value in corners) + " ;"


def technology_lines(tech: Tech) -> Iterator[str]:
    """Yield a technology LEF with the routing levels of a process.

    It names levels, widths, spaces, tracks and one via per cut, which readers of a block's LEF
    want to know. To route a chip, take the foundry's.
    """
    ask = Ask(tech)
    yield from _head(tech)
    yield f"MANUFACTURINGGRID {tech.grid_um:g} ;"
    wires, cuts = tech.roles.wires, (*tech.roles.below_vias, *tech.roles.vias)
    tracks = tracks_of(tech)
    for k, metal in enumerate(wires):
        yield from _routing(metal, tracks[metal], ask)
        if k < len(cuts):
            yield f"LAYER {cuts[k]}"
            yield "  TYPE CUT ;"
            yield f"  SPACING {ask.space(cuts[k]):g} ;"
            yield f"  WIDTH {ask.size(cuts[k]):g} ;"
            yield f"END {cuts[k]}"
    for below, cut, above in zip(wires, cuts, wires[1:], strict=False):
        yield from _via(below, cut, above, ask)
    yield "END LIBRARY"


def _routing(metal: str, track: Track, ask: Ask) -> Iterator[str]:
    yield f"LAYER {metal}"
    yield "  TYPE ROUTING ;"
    yield f"  DIRECTION {track.direction.upper()} ;"
    yield f"  PITCH {track.pitch_um:g} {track.pitch_um:g} ;"
    yield f"  OFFSET {track.offset_um:g} {track.offset_um:g} ;"
    yield f"  WIDTH {ask.width(metal):g} ;"
    yield f"  SPACING {ask.space(metal):g} ;"
    yield f"  AREA {ask.area(metal):g} ;"
    yield f"END {metal}"


def _via(below: str, cut: str, above: str, ask: Ask) -> Iterator[str]:
    half = ask.size(cut) / 2
    yield f"VIA {cut}_square DEFAULT"
    for layer in (below, cut, above):
        reach = half
        if layer != cut:
            reach += max(ask.enclosure(layer, cut, 0.0), ask.line_end(cut, layer, 0.0))
        yield f"  LAYER {layer} ;"
        yield f"    RECT {-reach:.3f} {-reach:.3f} {reach:.3f} {reach:.3f} ;"
    yield f"END {cut}_square"
