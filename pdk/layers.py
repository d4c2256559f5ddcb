"""The one layer table: foundry layers as used, and the memristor module's own.

Foundry numbers: GF180MCU design manual, table 06_Drawn_layer10 (facts/gf180mcu.yaml);
in variant D the top metal is Metal5 81/0. Module layers use numbers that the foundry
does not use (230..242), so that one GDS can hold both and be split for tapeout.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What a layer is for; decks, masks and viewers group by it."""

    FRONT_END = "front end"
    CUT = "cut"
    METAL = "metal"
    LABEL = "label"
    MARKER = "marker"
    MODULE_ELECTRODE = "module electrode"
    MODULE_OXIDE = "module oxide"
    MODULE_CUT = "module cut"
    MODULE_MARKER = "module marker"
    MODULE_LABEL = "module label"


@dataclass(frozen=True)
class Layer:
    """One drawn layer.

    Attributes:
        name: the name used everywhere in this project.
        gds: (layer, datatype).
        purpose: group of the layer.
        text: what it is, in words.
        color: fill colour for viewers, ``#rrggbb``.
        pattern: KLayout stipple index.
    """

    name: str
    gds: tuple[int, int]
    purpose: Purpose
    text: str
    color: str
    pattern: int = 9

    @property
    def is_module(self) -> bool:
        """True for layers of the post-processed memristor module."""
        return self.purpose.value.startswith("module")


_F, _C, _M, _L, _K = Purpose.FRONT_END, Purpose.CUT, Purpose.METAL, Purpose.LABEL, Purpose.MARKER

LAYERS: tuple[Layer, ...] = (
    Layer("Nwell", (21, 0), _F, "n-well", "#b8860b", 3),
    Layer("COMP", (22, 0), _F, "active area", "#2e8b57", 5),
    Layer("Poly2", (30, 0), _F, "gate and poly wiring", "#cc2222", 5),
    Layer("Nplus", (32, 0), _F, "n+ implant", "#99cc66", 2),
    Layer("Pplus", (31, 0), _F, "p+ implant", "#ffaa66", 2),
    Layer("Contact", (33, 0), _C, "Metal1 to COMP or Poly2", "#444444", 0),
    Layer("Metal1", (34, 0), _M, "metal 1", "#4169e1", 4),
    Layer("Via1", (35, 0), _C, "Metal1 to Metal2", "#333366", 0),
    Layer("Metal2", (36, 0), _M, "metal 2", "#c71585", 6),
    Layer("Via2", (38, 0), _C, "Metal2 to Metal3", "#663333", 0),
    Layer("Metal3", (42, 0), _M, "metal 3", "#20b2aa", 7),
    Layer("Via3", (40, 0), _C, "Metal3 to Metal4", "#336633", 0),
    Layer("Metal4", (46, 0), _M, "metal 4", "#daa520", 8),
    Layer("Via4", (41, 0), _C, "Metal4 to Metal5", "#666633", 0),
    Layer("Metal5", (81, 0), _M, "metal 5, 11 kA top metal of variant D", "#8a8a8a", 9),
    Layer("Pad", (37, 0), _F, "foundry passivation opening", "#00bfff", 1),
    Layer("Poly2_Label", (30, 10), _L, "text on Poly2", "#cc2222", 1),
    Layer("Metal1_Label", (34, 10), _L, "text on Metal1", "#4169e1", 1),
    Layer("Metal2_Label", (36, 10), _L, "text on Metal2", "#c71585", 1),
    Layer("Metal3_Label", (42, 10), _L, "text on Metal3", "#20b2aa", 1),
    Layer("Metal4_Label", (46, 10), _L, "text on Metal4", "#daa520", 1),
    Layer("Metal5_Label", (81, 10), _L, "text on Metal5", "#8a8a8a", 1),
    Layer("PR_bndry", (0, 0), _K, "cell, block or chip boundary", "#808080", 1),
    Layer("NDMY", (111, 5), _K, "keeps COMP fill out", "#a0a0a0", 1),
    Layer("PMNDMY", (152, 5), _K, "keeps poly and metal fill out", "#b0b0b0", 1),
    Layer("GUARD_RING_MK", (167, 5), _K, "seal ring marker", "#c0c0c0", 1),
    Layer("VBE", (230, 0), Purpose.MODULE_CUT, "via Metal5 to bottom electrode", "#1f3a5f", 0),
    Layer("BE", (231, 0), Purpose.MODULE_ELECTRODE, "bottom electrode, Al", "#3b6ea5", 2),
    Layer("TIO2_B", (232, 0), Purpose.MODULE_OXIDE, "TiO2 of the bottom tier", "#7fbf7f", 3),
    Layer("TIO2X_B", (233, 0), Purpose.MODULE_OXIDE, "TiO2-x of the bottom tier", "#4f9f4f", 11),
    Layer("VME", (234, 0), Purpose.MODULE_CUT, "via Metal5 to middle electrode", "#7a2e00", 0),
    Layer("ME", (235, 0), Purpose.MODULE_ELECTRODE, "shared middle electrode, Al", "#e0701a", 6),
    Layer("TIO2_T", (236, 0), Purpose.MODULE_OXIDE, "TiO2 of the top tier", "#bfbf6f", 3),
    Layer("TIO2X_T", (237, 0), Purpose.MODULE_OXIDE, "TiO2-x of the top tier", "#9f9f3f", 11),
    Layer("VTE", (238, 0), Purpose.MODULE_CUT, "via Metal5 to top electrode", "#4b1248", 0),
    Layer("TE", (239, 0), Purpose.MODULE_ELECTRODE, "top electrode, Al", "#a23b8f", 7),
    Layer(
        "REOPEN", (240, 0), Purpose.MODULE_MARKER, "module passivation, pad reopening", "#00ced1", 1
    ),
    Layer("MARK", (241, 0), Purpose.MODULE_MARKER, "alignment marks and verniers", "#ff1493", 1),
    Layer("POSTPROC", (242, 0), Purpose.MODULE_MARKER, "post-process area", "#708090", 1),
    Layer("BE_Label", (231, 10), Purpose.MODULE_LABEL, "text on BE", "#3b6ea5", 1),
    Layer("ME_Label", (235, 10), Purpose.MODULE_LABEL, "text on ME", "#e0701a", 1),
    Layer("TE_Label", (239, 10), Purpose.MODULE_LABEL, "text on TE", "#a23b8f", 1),
)

#: conductor -> the layer that carries its pin labels
LABEL_OF: dict[str, str] = {
    name: f"{name}_Label"
    for name in ("Poly2", "Metal1", "Metal2", "Metal3", "Metal4", "Metal5", "BE", "ME", "TE")
}

#: foundry routing metals from bottom to top, and the cut above each of them
METALS: tuple[str, ...] = ("Metal1", "Metal2", "Metal3", "Metal4", "Metal5")
VIA_ABOVE: dict[str, str] = {f"Metal{n}": f"Via{n}" for n in range(1, 5)}
