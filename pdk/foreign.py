"""Layers of the foundry that this description of the process leaves out, and what they change.

Numbers and purposes: GF180MCU design manual, table 06_Drawn_layer10 (google-gf180mcu-pdk,
docs/physical_verification/design_manual/tables_clear/06_Drawn_layer10.csv). Over a shape of the
layers in ``changes`` such a layer makes another device, another resistance or another connection
of it than ours is described to be; the others leave the chip's electrical side as it is.
"""

from __future__ import annotations

from ..base.layout import ForeignLayer
from .layers import LAYERS, METALS

_GDS = {layer.name: layer.gds for layer in LAYERS}
_GATE = ("COMP", "Poly2")
_WELL = ("COMP", "Nwell")
_FRONT = ("COMP", "Poly2", "Nwell")

#: name, (layer, datatype), what it makes, layers of ours that it changes
_ROWS: tuple[tuple[str, tuple[int, int], str, tuple[str, ...]], ...] = (
    ("DNWELL", (12, 0), "it isolates the wells from the substrate", _FRONT),
    ("LVPWELL", (204, 0), "it makes a p-well", _WELL),
    ("Dualgate", (55, 0), "it makes 5/6 V transistors with thick gate oxide", _GATE),
    ("SAB", (49, 0), "it blocks the salicide: 9 to 50 times the sheet resistance", _GATE),
    ("ESD", (24, 0), "it adds an ESD implant", _GATE),
    ("Resistor", (62, 0), "it makes high-resistance poly", _GATE),
    ("FHRES", (227, 0), "it makes high-resistance poly", _GATE),
    ("FuseTop", (75, 0), "it makes a MIM capacitor", ("Metal4", "Via4", "Metal5")),
    ("FuseWindow_D", (96, 1), "it opens a metal fuse", METALS),
    ("POLYFUSE", (220, 0), "it makes a poly fuse", _GATE),
    ("MVSD", (210, 0), "it makes an LDMOS drain", _FRONT),
    ("MVPSD", (11, 39), "it makes an LDMOS drain", _FRONT),
    ("NAT", (5, 0), "it makes native transistors of another threshold", _GATE),
    ("COMP_Dummy", (22, 4), "it joins or crosses the drawn layer", (*_GATE, "Contact")),
    ("Poly2_Dummy", (30, 4), "it joins or crosses the drawn layer", (*_GATE, "Contact")),
    ("MetalTop_Dummy", (53, 4), "fill of a metal that variant D does not have", ()),
    ("COMP_Label", (22, 10), "text", ()),
    ("MetalTop_Label", (53, 10), "text", ()),
    ("MetalTop_Slot", (53, 3), "slots of a metal that variant D does not have", ()),
    ("UBMPPeri", (183, 0), "bumps", ()),
    ("UBMPArray", (184, 0), "bumps", ()),
    ("UBMEPlate", (185, 0), "bumps", ()),
    ("Schottky_diode", (241, 0), "it makes a Schottky diode", _FRONT),
    ("ZENER", (178, 0), "it makes a Zener diode", _FRONT),
    ("RES_MK", (110, 5), "it makes resistors", _FRONT),
    ("OPC_drc", (124, 5), "marker", ()),
    ("V5_XTOR", (112, 1), "it makes 5 V transistors", _GATE),
    ("CAP_MK", (117, 5), "it makes MIM capacitors", ("Metal4", "Via4", "Metal5")),
    ("MIM_L_MK", (117, 10), "it makes MIM capacitors", ("Metal4", "Via4", "Metal5")),
    ("MOS_CAP_MK", (166, 5), "it makes MOS capacitors", _GATE),
    ("IND_MK", (151, 5), "it makes inductors", METALS),
    ("DIODE_MK", (115, 5), "it makes diodes", _FRONT),
    ("MDIODE", (116, 5), "it makes diodes", _FRONT),
    ("WELL_DIODE_MK", (153, 51), "it makes diodes", _FRONT),
    ("DRC_BJT", (127, 5), "it makes bipolar transistors", _FRONT),
    ("LVS_BJT", (118, 5), "it makes bipolar transistors", _FRONT),
    ("Latchup_MK", (137, 5), "marker", ()),
    ("OTP_MK", (173, 5), "it makes memory cells", _GATE),
    ("MTPMARK", (122, 5), "it makes memory cells", _GATE),
    ("NEO_EE_MK", (88, 17), "it makes memory cells", _GATE),
    ("MCELL_FEOL_MK", (11, 17), "it makes memory cells of other implants", _GATE),
    ("YMTP_MK", (86, 17), "it takes the drain extension away", _GATE),
    ("SramCore", (108, 5), "it makes memory cells", _GATE),
    ("LVS_RF", (100, 5), "it makes RF transistors", _GATE),
    ("LVS_Drain", (100, 7), "it makes RF transistors", _GATE),
    ("LVS_Source", (100, 8), "it makes RF transistors", _GATE),
    ("HVPOLYRS", (123, 5), "it makes resistors", _GATE),
    ("LVS_IO", (119, 5), "marker", ()),
    ("PROBE_MK", (13, 17), "marker", ()),
    ("ESD_MK", (24, 5), "it makes ESD devices", _GATE),
    ("LDMOS_XTOR", (226, 0), "it makes LDMOS transistors", _GATE),
    ("PLFUSE", (125, 5), "it makes a poly fuse", _GATE),
    ("EFUSE_MK", (80, 5), "it makes a poly fuse", _GATE),
    ("DEV_WF_MK", (128, 17), "marker", ()),
    ("MetalT_BLK", (53, 5), "blockage", ()),
    ("Metal6_Res", (110, 16), "marker of a metal that variant D does not have", ()),
    ("Border", (63, 0), "border", ()),
)


def _of_metals() -> list[tuple[str, tuple[int, int], str, tuple[str, ...]]]:
    """Return what the foundry offers beside each routing metal."""
    rows = []
    for number, metal in enumerate(METALS, 1):
        layer = _GDS[metal][0]
        cuts = {1: ("Contact", "Via1"), 5: ("Via4",)}.get(
            number, (f"Via{number - 1}", f"Via{number}")
        )
        rows += [
            (f"{metal}_Dummy", (layer, 4), "fill joins the wires that it touches", (metal, *cuts)),
            (f"{metal}_Slot", (layer, 3), "it takes metal out of the wire", (metal,)),
            (f"{metal}_BLK", (layer, 5), "blockage", ()),
            (f"{metal}_Res", (110, 10 + number), "it makes metal resistors", (metal,)),
        ]
    return rows


def foreign_layers() -> tuple[ForeignLayer, ...]:
    """Return the foundry's layers that `LAYERS` does not hold."""
    known = set(_GDS.values())
    return tuple(
        ForeignLayer(name, gds, text, tuple(_GDS[each] for each in changes))
        for name, gds, text, changes in (*_ROWS, *_of_metals())
        if gds not in known
    )
