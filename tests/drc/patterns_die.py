"""Patterns of a die's own parts: seal ring, slots, circuit under pads, fill."""

from __future__ import annotations

from drawing import Draw
from patterns import Pattern, register
from patterns_back import pad

METALS = tuple(f"Metal{n}" for n in range(1, 6))
SLOT = {"Metal1": "34/3", "Metal2": "36/3", "Metal3": "42/3", "Metal4": "46/3", "Metal5": "81/3"}


def _ring(
    p: Draw, width: float = 40, *, comp: float = 0, implant: float = 0, opened: bool = True
) -> None:
    """A piece of the seal ring, its COMP and implant wider than the marker by some lengths."""
    p.rect("GUARD_RING_MK", 0, 0, width, 40)
    p.rect("COMP", 0, 0, width + comp, 40)
    p.rect("Pplus", 0, 0, width + implant, 40)
    if opened:
        p.rect("Pad", 2, 30, width - 4, 38)


def _ring_metal(metal: str) -> Pattern:
    def draw(p: Draw) -> None:
        _ring(p)
        p.rect(metal, 5, 2, 17 - p.d, 28)

    return draw


def _ring_vias(n: int) -> Pattern:
    def draw(p: Draw) -> None:
        _ring(p)
        for metal in (f"Metal{n}", f"Metal{n + 1}"):
            p.rect(metal, 5, 5, 20, 25)
        p.square(f"Via{n}", 10, 10, 0.26)
        p.square(f"Via{n}", 10.96 - p.d, 10, 0.26)

    return draw


def _ring_contacts(p: Draw) -> None:
    _ring(p)
    p.rect("Metal1", 5, 5, 20, 25)
    p.square("Contact", 10, 10, 0.22)
    p.square("Contact", 10.92 - p.d, 10, 0.22)


def _ring_fill(layer: str) -> Pattern:
    def draw(p: Draw) -> None:
        _ring(p)
        x = 50 - p.d
        if layer == "Poly2":
            p.rect("COMP_Dummy", x + 0.3, 0.3, x + 5.3, 5.3)
        side = {"COMP": 5, "Poly2": 5.6}.get(layer, 2)
        p.square(f"{layer}_Dummy", x, 0, side)

    return draw


register("GR.1", lambda p: _ring(p, comp=-p.d))
register("GR.1a", lambda p: _ring(p, comp=p.d, implant=p.d))
# COMP outside every implant is a fault of its own
register("GR.3", lambda p: _ring(p, implant=-p.d), "DF.12")
register("GR.6", lambda p: _ring(p, 16 - p.d))
register("GR.7", _ring_contacts)
register("GR.11", lambda p: _ring(p, opened=not p.d))
for _n, _metal in enumerate(METALS, 1):
    register(f"GR.4.{_n}", _ring_metal(_metal))
    if _n < 5:
        register(f"GR.8.{_n}", _ring_vias(_n))
for _layer in ("COMP", "Poly2", *METALS):
    register(f"GR.2.{_layer}", _ring_fill(_layer))


def _slots(n: int) -> dict[str, Pattern]:
    metal, slot = f"Metal{n}", SLOT[f"Metal{n}"]

    def width(p: Draw) -> None:
        p.rect(metal, 0, 0, 24, 40)
        p.rect(slot, 11, 12, 13 - p.d, 25)

    def space(p: Draw) -> None:
        p.rect(metal, 0, 0, 24, 60)
        p.rect(slot, 11, 11, 13, 22)
        p.rect(slot, 11, 32 - p.d, 13, 45)

    def edge(p: Draw) -> None:
        p.rect(metal, 0, 0, 24, 40)
        p.rect(slot, 10 - p.d, 11, 12, 22)

    def cut(via: str, other: str) -> Pattern:
        def draw(p: Draw) -> None:
            p.rect(metal, 0, 0, 26, 40)
            p.rect(slot, 11, 11, 13, 25)
            x = 13.2 - p.d
            if via == "Contact":
                p.ptap(13.05, 14.0, 15, 16)
                p.square(via, x, 15, 0.22)
            else:
                p.square(via, x, 15, 0.26)
                p.around(other, (x, 15, x + 0.26, 15.26), 0.4)

        return draw

    below = "Contact" if n == 1 else f"Via{n - 1}"
    found = {"2": width, "4": space, "5": edge, "8": cut(below, f"Metal{n - 1}")}
    return found | ({"7": cut(f"Via{n}", f"Metal{n + 1}")} if n < 5 else {"9": _slot_at_pad})


def _slot_at_pad(p: Draw) -> None:
    p.rect("Pad", 0, 0, 60, 60)
    p.rect("Metal5", -3, -3, 90, 63)
    p.rect(SLOT["Metal5"], 65 - p.d, 20, 67, 40)


for _n in range(1, 6):
    for _key, _function in _slots(_n).items():
        register(f"MSLOT{_n}.{_key}", _function)


def _cut_at_pad(via: str, metals: tuple[str, ...]) -> Pattern:
    def draw(p: Draw) -> None:
        pad(p, 0, 0)
        x = 60.5 - p.d
        p.square(via, x, 20, 0.26)
        for metal in metals:
            p.around(metal, (x, 20, x + 0.26, 20.26), 0.4)

    return draw


register("CUP.6", _cut_at_pad("Via4", ("Metal4",)))
register("CUP.8a", _cut_at_pad("Via3", ("Metal3", "Metal4")))


def _comp(p: Draw) -> None:
    p.square("COMP_Dummy", 0, 0, 5)


def _comp_to(layer: str, gap: float) -> Pattern:
    def draw(p: Draw) -> None:
        _comp(p)
        x = 5 + gap - p.d
        if layer == "COMP":
            p.ptap(x, 0, x + 2, 2)
        else:
            p.rect(layer, x, 0, x + 3, 3)

    return draw


def _two_comps(p: Draw) -> None:
    _comp(p)
    p.square("COMP_Dummy", 6.9 - p.d, 0, 5)


def _gap(p: Draw) -> None:
    p.ptap(0, 0, 10, 60)
    p.ptap(30 + p.d, 0, 40 + p.d, 60)


register("DCF.1c", lambda p: p.square("COMP_Dummy", 0, 0, 5 - p.d))
register("DCF.2b", _two_comps)
register("DCF.1a", _gap)
for _rule, _layer, _space in (
    ("DCF.4", "COMP", 3.5), ("DCF.5", "Poly2", 1.5), ("DCF.6a", "Nwell", 1.3),
    ("DCF.11a", "NDMY", 3.5),
):  # fmt: skip
    register(_rule, _comp_to(_layer, _space))


def _poly(p: Draw) -> None:
    """Fill of gates, 6 um wide, over a square of COMP fill."""
    p.square("COMP_Dummy", 0.3, 0.3, 5)
    p.rect("Poly2_Dummy", 0, 0, 6.6, 5.6)


def _poly_to(layer: str, gap: float) -> Pattern:
    def draw(p: Draw) -> None:
        _poly(p)
        x = 6.6 + gap - p.d
        if layer == "COMP":
            p.ptap(x, 0, x + 2, 2)
        elif layer == "Pad":
            pad(p, x, 0)
        else:
            p.rect(layer, x, 0, x + 3, 3)

    return draw


def _two_polys(p: Draw) -> None:
    _poly(p)
    p.square("COMP_Dummy", 8, 0.3, 5)
    p.rect("Poly2_Dummy", 7.7 - p.d, 0, 13.3, 5.6)


def _lonely(p: Draw) -> None:
    p.square("Poly2_Dummy", 0, 0, 5.6)
    if not p.d:
        p.square("COMP_Dummy", 0.3, 0.3, 5)


register("DPF.1", _lonely)
register("DPF.2b", _two_polys)
for _rule, _layer, _space in (
    ("DPF.4", "COMP", 3.2), ("DPF.5", "Poly2", 5), ("DPF.6a", "Nwell", 1), ("DPF.9", "Pad", 6.7),
    ("DPF.11", "NDMY", 29.7), ("DPF.19", "PMNDMY", 8),
):  # fmt: skip
    register(_rule, _poly_to(_layer, _space))


def _metal_fill(metal: str, other: str, gap: float) -> Pattern:
    def draw(p: Draw) -> None:
        p.square(f"{metal}_Dummy", 0, 0, 2)
        x = 2 + gap - p.d
        p.rect(other, x, 0, x + 2, 2)

    return draw


for _n, _metal in enumerate(METALS, 1):
    register(f"DM{_n}.2b", _metal_fill(_metal, f"{_metal}_Dummy", 0.98))
    register(f"DM{_n}.3", _metal_fill(_metal, _metal, 2))
    register(f"DM{_n}.8", _metal_fill(_metal, "PMNDMY", 6))
