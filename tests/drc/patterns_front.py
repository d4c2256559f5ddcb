"""Patterns of the front end: wells, active area, poly, implants, contacts."""

from __future__ import annotations

from drawing import Draw
from patterns import pattern, register


@pattern("DF.1a")
def _(p: Draw) -> None:
    p.ptap(0, 0, 0.22 - p.d, 2)


# the channel is as wide as the COMP it lies in
@pattern("DF.2a", breaks=("DF.1a",))
def _(p: Draw) -> None:
    p.nmos(width=0.22 - p.d, side=1.0)


@pattern("DF.2b")
def _(p: Draw) -> None:
    p.ptap(0, 0, 100 + p.d, 100 + p.d)


@pattern("DF.3a")
def _(p: Draw) -> None:
    p.rect("COMP", 0, 0, 1, 1)
    p.rect("COMP", 1.28 - p.d, 0, 3, 1)
    p.around("Pplus", (0, 0, 3, 1), 0.2)


@pattern("DF.4c")
def _(p: Draw) -> None:
    p.nwell(0, 0, 6, 6)
    box = (0.43 - p.d, 1, 2, 2)
    p.rect("COMP", *box)
    p.around("Pplus", box, 0.16)


@pattern("DF.4d")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 6, 6)
    p.ncomp(0.12 - p.d, 1, 2, 2)


@pattern("DF.6")
def _(p: Draw) -> None:
    p.nmos(side=0.24 - p.d)


@pattern("DF.9")
def _(p: Draw) -> None:
    p.ptap(0, 0, 0.45 - p.d, 0.45)


@pattern("DF.10")
def _(p: Draw) -> None:
    for box in ((0, 0, 3, 1), (0, 1.52 - p.d, 3, 3), (0, 0, 1, 3), (1.5, 0, 3, 3)):
        p.rect("COMP", *box)
    p.around("Pplus", (0, 0, 3, 3), 0.2)


def butted(p: Draw, n: float = 1.0, height: float = 0.6) -> None:
    """N+ area left of x = 0 butted to P+ area on the right of it, outside wells."""
    p.rect("COMP", -n, 0, 1, height)
    p.rect("Nplus", -n - 0.2, -0.2, 0, height + 0.2)
    p.rect("Pplus", 0, -0.2, 1.2, height + 0.2)


@pattern("DF.11")
def _(p: Draw) -> None:
    butted(p, height=0.3 - p.d)


@pattern("DF.12")
def _(p: Draw) -> None:
    p.rect("COMP", 0, 0, 1 + (p.d + 0.02 if p.d else 0), 1)
    p.rect("Pplus", -0.2, -0.2, 1.02, 1.2)


@pattern("DF.13")
def _(p: Draw) -> None:
    p.nwell(0, 0, 30, 4)
    tap = 30 - 1.1
    p.rect("COMP", tap - 21 - p.d, 2.9, tap - 20 - p.d, 3.5)
    p.around("Pplus", (tap - 21 - p.d, 2.9, tap - 20 - p.d, 3.5), 0.16)


# one transistor and one tap too far apart break the rule both ways
@pattern("DF.13_tap", breaks=("DF.13",))
def _(p: Draw) -> None:
    p.nwell(0, 0, 30, 4)
    tap = 30 - 1.1
    p.rect("COMP", tap - 21 - p.d, 2.9, tap - 20 - p.d, 3.5)
    p.around("Pplus", (tap - 21 - p.d, 2.9, tap - 20 - p.d, 3.5), 0.16)


@pattern("DF.14")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.ncomp(21 + p.d, 0, 22, 1)


@pattern("DF.14_tap", breaks=("DF.14",))
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.ncomp(21 + p.d, 0, 22, 1)


@pattern("DF.16")
def _(p: Draw) -> None:
    p.far_tap()
    p.ncomp(0, 0, 1, 1)
    p.rect("Nwell", 1.43 - p.d, 0, 3, 3)


@pattern("DF.17")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.rect("Nwell", 1.12 - p.d, 0, 3, 3)


@pattern("NW.1a")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 0.86 - p.d, 4)


@pattern("NW.2a")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 1, 4)
    p.rect("Nwell", 1.6 - p.d, 0, 3, 4)
    p.rect("Nwell", 0, 0, 3, 1)  # one net: a notch


@pattern("NW.2b")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 1, 4)
    p.rect("Nwell", 2.4 - p.d, 0, 4, 4)


@pattern("PL.1")
def _(p: Draw) -> None:
    p.rect("Poly2", 0, 0, 0.18 - p.d, 2)


@pattern("PL.2")
def _(p: Draw) -> None:
    p.nmos(length=0.28 - p.d)


@pattern("PL.3a")
def _(p: Draw) -> None:
    p.rect("Poly2", 0, 0, 1, 1)
    p.rect("Poly2", 1.24 - p.d, 0, 2, 1)


@pattern("PL.4")
def _(p: Draw) -> None:
    p.nmos(cap=0.22 - p.d)


@pattern("PL.5")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.rect("Poly2", 1.1 - p.d, 0, 2, 1)


@pattern("PL.6")
def _(p: Draw) -> None:
    p.far_tap()
    p.ncomp(-1, 0, 2, 2, over=0.23)
    bend = 0.3 if p.d else 0.0
    p.rect("Poly2", 0, -0.3, 0.7, 1)
    p.rect("Poly2", bend, 1, 0.7 + bend, 2.3)


def _implant(name: str, mark: str) -> None:
    def width(p: Draw) -> None:
        p.rect(name, 0, 0, 0.4 - p.d, 2)

    def space(p: Draw) -> None:
        p.rect(name, 0, 0, 1, 1)
        p.rect(name, 1.4 - p.d, 0, 2, 1)

    def area(p: Draw) -> None:
        p.rect(name, 0, 0, 0.5, 0.7 - p.d)

    def hole(p: Draw) -> None:
        for box in ((0, 0, 3, 1), (0, 1.7 - p.d, 3, 3), (0, 0, 1, 3), (1.5, 0, 3, 3)):
            p.rect(name, *box)

    for number, function in (("1", width), ("2", space), ("8a", area), ("8b", hole)):
        register(f"{mark}.{number}", function)


_implant("Nplus", "NP")
_implant("Pplus", "PP")


@pattern("NP.3a")
def _(p: Draw) -> None:
    p.nwell(0, 0, 6, 6)
    p.rect("COMP", 1, 1, 2, 2)
    p.around("Pplus", (1, 1, 2, 2), 0.16)
    p.rect("Nplus", 2.16 - p.d, 1, 3, 2)


@pattern("NP.3c")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.rect("Nwell", -3, 0, -0.2, 3)
    p.rect("Nplus", 1.16 - p.d, 0, 2, 1)


@pattern("NP.3cii")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.rect("Nplus", 1.08 - p.d, 0, 2, 1)


@pattern("NP.3d")
def _(p: Draw) -> None:
    butted(p)
    p.rect("Nplus", -0.5, -0.2, p.d, 0.8)


@pattern("NP.4a")
def _(p: Draw) -> None:
    p.pmos(side=0.32 - p.d)
    x = -0.32 + p.d
    p.rect("COMP", x - 1, 0, x, 1)
    p.rect("Nplus", x - 1.2, -0.2, x, 1.2)
    # the implants meet at the butting edge
    p.layout.clear_layer(p.layout.layer(*p.tech.gds("Pplus")))
    p.rect("Pplus", x, -0.23, 1.1, 1.23)


@pattern("PP.4a")
def _(p: Draw) -> None:
    p.nmos(side=0.32 - p.d)
    x = -0.32 + p.d
    p.rect("COMP", x - 1, 0, x, 1)
    p.layout.clear_layer(p.layout.layer(*p.tech.gds("Nplus")))
    p.rect("Nplus", x, -0.23, 1.1, 1.23)
    p.rect("Pplus", x - 1.2, -0.2, x, 1.2)


@pattern("NP.5a")
def _(p: Draw) -> None:
    p.nmos(over=0.23 - p.d)


@pattern("NP.5b")
def _(p: Draw) -> None:
    p.far_tap()
    p.ncomp(0, 0, 1, 1, over=0.16 - p.d)


@pattern("NP.5d")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 4, 4)
    p.ncomp(1, 1, 2, 2, over=0.02 - p.d)


@pattern("NP.5di")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 4, 4)
    p.ncomp(0.425, 1, 2, 2, over=0.16 - p.d)


@pattern("NP.6")
def _(p: Draw) -> None:
    butted(p, n=0.22 - p.d)


@pattern("PP.6")
def _(p: Draw) -> None:
    p.rect("COMP", -1, 0, 0.22 - p.d, 0.6)
    p.rect("Nplus", -1.2, -0.2, 0, 0.8)
    p.rect("Pplus", 0, -0.2, 0.5, 0.8)


@pattern("PP.3a")
def _(p: Draw) -> None:
    p.far_tap()
    p.ncomp(0, 0, 1, 1)
    p.rect("Pplus", 1.16 - p.d, 0, 2, 1)


@pattern("PP.3c")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 4, 4)
    p.ncomp(1, 1, 2, 2)
    p.rect("Pplus", 2.08 - p.d, 1, 3, 2)


@pattern("PP.3cii")
def _(p: Draw) -> None:
    p.rect("Nwell", 0, 0, 4, 4)
    p.ncomp(0.3, 1, 2, 2)
    p.rect("Pplus", 2.16 - p.d, 1, 3, 2)


@pattern("PP.5a")
def _(p: Draw) -> None:
    p.pmos(over=0.23 - p.d)


@pattern("PP.5b")
def _(p: Draw) -> None:
    p.nwell(0, 0, 6, 6)
    p.rect("COMP", 1, 1, 2, 2)
    p.around("Pplus", (1, 1, 2, 2), 0.16 - p.d)


@pattern("PP.5d")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1, over=0.02 - p.d)


@pattern("PP.5di")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1, over=0.16 - p.d)
    p.rect("Nwell", 1.425, 0, 4, 4)


@pattern("CO.1")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.cut("Contact", 0.4, 0.4, 0.22 - p.d)


@pattern("CO.2a")
def _(p: Draw) -> None:
    p.ptap(0, 0, 2, 1)
    p.cut("Contact", 0.4, 0.4, 0.22)
    p.cut("Contact", 0.87 - p.d, 0.4, 0.22)


@pattern("CO.2b")
def _(p: Draw) -> None:
    p.ptap(0, 0, 3, 3)
    p.rect("Metal1", 0, 0, 3, 3)
    for i in range(4):
        for j in range(4):
            p.square("Contact", 0.4 + i * (0.5 - p.d), 0.4 + j * 0.5, 0.22)


@pattern("CO.3")
def _(p: Draw) -> None:
    p.rect("Poly2", 0, 0, 1, 1)
    p.cut("Contact", 0.07 - p.d, 0.4, 0.22)


@pattern("CO.4")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.cut("Contact", 0.07 - p.d, 0.4, 0.22)


@pattern("CO.5a")
def _(p: Draw) -> None:
    butted(p)
    p.cut("Contact", -0.32 + p.d, 0.2, 0.22)


@pattern("CO.5b")
def _(p: Draw) -> None:
    butted(p)
    p.cut("Contact", 0.1 - p.d, 0.2, 0.22)


@pattern("CO.6")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.square("Contact", 0.4, 0.4, 0.22)
    p.rect("Metal1", 0.395 + p.d, 0.2, 0.9, 0.9)


# 0.06 at the end, 0.04 at the sides
@pattern("CO.6a")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.square("Contact", 0.4, 0.4, 0.22)
    p.rect("Metal1", 0.34 + p.d, 0.36, 2, 0.66)


@pattern("CO.6b")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.square("Contact", 0.4, 0.4, 0.22)
    p.rect("Metal1", 0.365, 0.34 + p.d, 0.9, 0.9)


@pattern("CO.7")
def _(p: Draw) -> None:
    p.nmos(side=1)
    p.cut("Contact", 0.28 + 0.15 - p.d, 0.4, 0.22)


@pattern("CO.8")
def _(p: Draw) -> None:
    p.nmos(length=0.4, cap=0.6)
    p.cut("Contact", 0.09, 1.17 - p.d, 0.22)


# a contact on the butting edge is too close to it on both sides
@pattern("CO.9", breaks=("CO.5a", "CO.5b"))
def _(p: Draw) -> None:
    butted(p)
    p.cut("Contact", -0.11 if p.d else -0.4, 0.2, 0.22)


@pattern("CO.10")
def _(p: Draw) -> None:
    p.nmos(width=1, length=1, cap=1)
    p.cut("Contact", 0.4, 0.4 if p.d else 1.4, 0.22)


@pattern("CO.11")
def _(p: Draw) -> None:
    p.ptap(0, 0, 1, 1)
    p.cut("Contact", 2 if p.d else 0.4, 0.4, 0.22)
