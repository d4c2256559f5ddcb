"""Patterns of the back end: metals, vias, pads, markers, slots, antennas, density."""

from __future__ import annotations

from drawing import Draw
from patterns import Pattern, register


def _metal(metal: str, width: float, space: float, wide: float, area: float) -> dict[str, Pattern]:
    side = round(area**0.5, 6)

    def draw_width(p: Draw) -> None:
        p.rect(metal, 0, 0, width - p.d, 4)

    def draw_space(p: Draw) -> None:
        p.rect(metal, 0, 0, 1, 1)
        p.rect(metal, 1 + space - p.d, 0, 3, 1)

    def draw_wide(p: Draw) -> None:
        p.rect(metal, 0, 0, 10.005, 11)
        p.rect(metal, 10.005 + wide - p.d, 0, 12, 11)

    def draw_area(p: Draw) -> None:
        p.rect(metal, 0, 0, side, side - p.d)

    return {"1": draw_width, "2a": draw_space, "2b": draw_wide, "3": draw_area}


def _slot(metal: str) -> Pattern:
    def draw(p: Draw) -> None:
        p.rect(metal, 0, 0, 30 + p.d, 40)

    return draw


for _n in range(1, 5):
    _w = 0.23 if _n == 1 else 0.28
    for _key, _function in _metal(f"Metal{_n}", _w, _w, 0.3, 0.1444).items():
        register(f"M{_n}.{_key}", _function)
for _key, _function in _metal("Metal5", 0.44, 0.46, 0.6, 0.5625).items():
    register("MT." + _key.replace("3", "4"), _function)
for _n in range(1, 6):
    register(f"MSLOT{_n}.1", _slot(f"Metal{_n}"))


def _forbidden(layer: str) -> Pattern:
    def draw(p: Draw) -> None:
        p.rect("Metal5", 0, 0, 1, 1)
        if p.d:
            p.square(layer, 0.3, 0.3, 0.3)

    return draw


register("MT.5LM", _forbidden("82/0"))
register("MT.5LMt", _forbidden("53/0"))


def _via(n: int) -> dict[str, Pattern]:
    via, low, high = f"Via{n}", f"Metal{n}", f"Metal{n + 1}"

    def size(p: Draw) -> None:
        p.cut(via, 0, 0, 0.26 - p.d, over=0.4)

    def space(p: Draw) -> None:
        p.cut(via, 0, 0, 0.26, over=0.4)
        p.cut(via, 0.52 - p.d, 0, 0.26, over=0.4)

    def array(p: Draw) -> None:
        for metal in (low, high):
            p.rect(metal, -1, -1, 4, 4)
        for i in range(4):
            for j in range(4):
                p.square(via, i * (0.62 - p.d), j * 0.62, 0.26)

    def both(p: Draw, metal: str, box: tuple[float, float, float, float]) -> None:
        p.square(via, 0, 0, 0.26)
        p.rect(metal, *box)
        p.around(high if metal == low else low, (0, 0, 0.26, 0.26), 0.4)

    def overlap(metal: str, value: float) -> Pattern:
        return lambda p: both(p, metal, (-value + p.d, -0.4, 0.8, 0.66))

    def end(metal: str) -> Pattern:
        def draw(p: Draw) -> None:
            top = 0.295 if metal != "Metal5" or p.d else 0.8
            both(p, metal, (-0.06 + p.d, -0.035, 3, top))

        return draw

    def beside(metal: str) -> Pattern:
        return lambda p: both(p, metal, (-0.035, -0.06 + p.d, 1, 1))

    return {
        "1": size, "2a": space, "2b": array,
        "3": overlap(low, 0.0 if n == 1 else 0.01), "4": overlap(high, 0.01),
        "3eol": end(low), "4eol": end(high), "3adj": beside(low), "4adj": beside(high),
    }  # fmt: skip


# A line below 0.34 overlaps a 0.26 via by less than 0.04 on one side at least, so a short
# overlap at its end is one beside a tight side, too. Metal5 that narrow breaks its own width.
for _n in range(1, 5):
    for _key, _function in _via(_n).items():
        _breaks = (f"V{_n}.{_key[0]}adj",) if _key.endswith("eol") else ()
        if _key == "4eol" and _n == 4:
            _breaks = (*_breaks, "MT.1")
        register(f"V{_n}.{_key}", _function, *_breaks)


def pad(p: Draw, x: float, y: float, over: float = 3.0, width: float = 60.0) -> None:
    """A pad opening with its metal."""
    box = (x, y, x + width, y + 60)
    p.rect("Pad", *box)
    p.around("Metal5", box, over)


def _pad_via(p: Draw) -> None:
    pad(p, 0, 0, over=4)
    p.square("Via4", -3.5 - p.d, 10, 0.26)
    p.rect("Metal4", -3.9 - p.d, 9.6, -2.8, 10.7)


def _pad_to(layer: str, gap: float) -> Pattern:
    def draw(p: Draw) -> None:
        pad(p, 0, 0)
        box = (60 + gap - p.d, 0, 62 + gap, 2)
        if layer == "COMP":
            p.ptap(*box)
        else:
            p.rect(layer, *box)

    return draw


def _two_pads(gap: float, over: float) -> Pattern:
    def draw(p: Draw) -> None:
        pad(p, 0, 0, over)
        pad(p, 60 + gap - p.d, 0, over)

    return draw


register("PAD.1", lambda p: pad(p, 0, 0, width=40 - p.d))
register("PAD.2", _two_pads(9, over=4.6))
register("PAD.4", lambda p: pad(p, 0, 0, over=2 - p.d))
register("PAD.5", _pad_via)
register("PAD.17", _pad_to("COMP", 15))
register("PAD.18", _pad_to("Poly2", 15))
register("PAD.19b", _pad_to("Metal5", 6))
register("PAD.20", _two_pads(11, over=3))


def _seal(p: Draw) -> None:
    for layer in ("GUARD_RING_MK", "COMP", "Pplus"):
        p.rect(layer, 0, 0, 26, 100)
    p.rect("Pad", 4, 0, 20, 50)
    p.rect("Metal2", 36 - p.d, 0, 40, 4)


def _strip(layer: str, width: float) -> Pattern:
    return lambda p: p.rect(layer, 0, 0, width - p.d, 4)


def _gap(layer: str, space: float) -> Pattern:
    def draw(p: Draw) -> None:
        p.rect(layer, 0, 0, 4, 4)
        p.rect(layer, 4 + space - p.d, 0, 30, 4)

    return draw


register("GR.2", _seal)
register("DE.2", _strip("NDMY", 0.8))
register("DE.2p", _strip("PMNDMY", 0.8))
register("DE.4", _gap("NDMY", 20))


# Antennas. The gate is length x width at (0, 0); its poly goes up to a contact, and cuts
# stacked on that reach the conductor under test, whose wall or area is exactly the limit.


def _antenna_poly(p: Draw) -> None:
    p.far_tap()
    p.ncomp(-0.5, 0, 0.8, 0.36, over=0.23)
    p.rect("Poly2", 0, -0.3, 0.3, 53.4 + p.d)  # (0.3 + 53.7) * 2 * 0.2 = 200 * 0.3 * 0.36


def _stack(p: Draw, top: int, y: float) -> None:
    """Contact and vias from poly at (0, y) up to Metal<top>; lands too large for line ends."""
    p.rect("Poly2", 0, -0.3, 0.3, y)
    p.rect("Poly2", -0.2, y, 0.6, y + 0.8)
    p.square("Contact", 0.1, y + 0.3, 0.22)
    for n in range(1, top + 1):
        p.rect(f"Metal{n}", -0.3, y, 0.7, y + 0.8)
        if n < top:
            p.square(f"Via{n}", 0.1, y + 0.3, 0.26)


def _antenna_metal(n: int) -> Pattern:
    def draw(p: Draw) -> None:
        p.far_tap()
        p.ncomp(-0.5, 0, 0.8, 0.36, over=0.23)
        _stack(p, n, 1)
        # the whole conductor is one rectangle 0.8 high that covers its land
        wall = {5: 1.19}.get(n, 0.54)
        half = 400 * 0.3 * 0.36 / wall / 2
        length = int(half / 0.005 + 1e-6) * 0.005 - 0.8
        p.rect(f"Metal{n}", -0.3, 1, -0.3 + length + p.d, 1.8)

    return draw


def _antenna_cut(cut: str, lower: str, upper: str | None, side: float, pitch: float) -> Pattern:
    """20 contacts at ratio 10, or 40 vias at ratio 20, are the limit; one more breaks it."""

    def draw(p: Draw) -> None:
        p.far_tap()
        length, width, count, columns = (
            (0.44, 0.22, 20, 5) if cut == "Contact" else (0.52, 0.26, 40, 7)
        )
        p.ncomp(-0.5, 0, length + 0.5, width, over=0.23)
        p.rect("Poly2", 0, -0.3, length, 1)
        y = 1.0
        if cut == "Contact":
            p.rect("Poly2", 0, y, 4, y + 4)
            p.rect("Metal1", 0, y, 4, y + 4)
        else:
            _stack(p, int(lower[-1]), y)
            for metal in (lower, upper):
                assert metal is not None
                p.rect(metal, -0.3, y, 5, y + 6)
        for k in range(count + (1 if p.d else 0)):
            p.square(cut, 0.4 + pitch * (k % columns), y + 1 + pitch * (k // columns), side)

    return draw


register("ANT.Poly2", _antenna_poly)
register("ANT.Contact", _antenna_cut("Contact", "Poly2", "Metal1", 0.22, 0.5))
for _n in range(1, 6):
    register(f"ANT.Metal{_n}", _antenna_metal(_n))
    if _n < 5:
        register(
            f"ANT.Via{_n}",
            _antenna_cut(f"Via{_n}", f"Metal{_n}", f"Metal{_n + 1}", 0.26, 0.62),
        )


def _density(layer: str, percent: float, sign: int) -> Pattern:
    """A cell of 20 x 20 um of which `percent` is drawn."""

    def draw(p: Draw) -> None:
        p.rect("PR_bndry", 0, 0, 20, 20)
        if layer in {"BE", "ME", "TE"}:
            p.rect("POSTPROC", 0, 0, 20, 20)
        if layer == "COMP":
            p.rect("Pplus", 0, 0, 20, 20)
        x1, x2 = (2, 18) if layer == "COMP" else (0, 20)
        height = 400 * percent / 100 / (x2 - x1) - sign * p.d
        p.rect(layer, x1, 1, x2, 1 + height)

    return draw


for _rule, _layer, _percent, _sign in (
    ("DCF.1b", "COMP", 25, 1), ("DCF.1d", "COMP", 70, -1), ("PL.8", "Poly2", 14, 1),
    ("M1.4", "Metal1", 30, 1), ("M2.4", "Metal2", 30, 1), ("M3.4", "Metal3", 30, 1),
    ("M4.4", "Metal4", 30, 1), ("MT.3", "Metal5", 30, 1),
    ("BE.D", "BE", 20, 1), ("ME.D", "ME", 20, 1), ("TE.D", "TE", 20, 1),
    ("BE.Dx", "BE", 80, -1), ("ME.Dx", "ME", 80, -1), ("TE.Dx", "TE", 80, -1),
):  # fmt: skip
    register(_rule, _density(_layer, _percent, _sign))
