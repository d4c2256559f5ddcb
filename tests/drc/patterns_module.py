"""Patterns of the memristor module, and of the grid and angle rules of every layer."""

from __future__ import annotations

from drawing import JOINS, Draw
from patterns import PATTERNS, Pattern, register

from crossstack.pdk import get_tech


def _electrode(e: str) -> None:
    v = f"V{e}"

    def width(p: Draw) -> None:
        p.rect(e, 0, 0, p.tech.profile.line_um - p.d, 5)
        p.area()

    def space(p: Draw) -> None:
        p.rect(e, 0, 0, 2, 2)
        p.rect(e, 2 + p.tech.profile.space_um - p.d, 0, 6, 2)
        p.area()

    def size(p: Draw) -> None:
        p.cut(v, 0, 0, p.tech.profile.via_um - p.d, over=1)
        p.area()

    def via_space(p: Draw) -> None:
        side = p.tech.profile.via_um
        p.cut(v, 0, 0, side, over=1)
        p.cut(v, side + p.tech.profile.space_um - p.d, 0, side, over=1)
        p.area()

    def overlap(layer: str) -> Pattern:
        def draw(p: Draw) -> None:
            side, a = p.tech.profile.via_um, p.tech.profile.overlay_um
            p.square(v, 0, 0, side)
            for metal in JOINS[v]:
                p.rect(metal, -(a - p.d) if metal == layer else -1, -1, side + 1, side + 1)
            p.area()

        return draw

    for number, function in (
        (f"{e}.1", width), (f"{e}.2", space), (f"{v}.1", size), (f"{v}.2", via_space),
        (f"{v}.3", overlap(e)), (f"{v}.4", overlap("Metal5")),
    ):  # fmt: skip
        register(number, function)


def _via_to_crossing(e: str) -> Pattern:
    """A via at the end of the line that crosses, at F + A from the crossing."""

    def draw(p: Draw) -> None:
        t = p.tech.profile
        side = t.via_um
        w = p.crossing("B" if e == "BE" else "T", w=3.0)
        away, middle = w + t.line_um + t.overlay_um - p.d, (w - side) / 2
        x, y = (middle, away) if e == "ME" else (away, middle)
        box = (0, w, w, y + side + 1) if e == "ME" else (w, 0, x + side + 1, w)
        p.rect(e, *box)
        p.square(f"V{e}", x, y, side)
        p.around("Metal5", (x, y, x + side, y + side), t.overlay_um + 0.5)
        p.area()

    return draw


def _via_to(e: str, other: str, limit: str) -> Pattern:
    """A via beside oxide or beside an electrode that it passes."""

    def draw(p: Draw) -> None:
        t = p.tech.profile
        side, gap = t.via_um, {"a": t.overlay_um, "s": t.space_um}[limit]
        p.cut(f"V{e}", 0, 0, side, over=t.overlay_um + (0.5 if e == "BE" else 0.0))
        p.around("Metal5", (0, 0, side, side), 1)
        x = side + gap - p.d
        p.rect(other, x, -0.5, x + 2, 2)
        p.area()

    return draw


def _device(tier: str) -> None:
    films = (f"TIO2_{tier}", f"TIO2X_{tier}")

    def oxide(film: str) -> Pattern:
        def draw(p: Draw) -> None:
            p.crossing(tier, oxide={film: p.tech.profile.overlay_um - p.d})
            p.area()

        return draw

    def width(film: str) -> Pattern:
        def draw(p: Draw) -> None:
            p.rect(film, 0, 0, p.tech.profile.line_um - p.d, 5)
            p.area()

        return draw

    def space(film: str) -> Pattern:
        def draw(p: Draw) -> None:
            p.rect(film, 0, 0, 2, 2)
            p.rect(film, 2 + p.tech.profile.space_um - p.d, 0, 6, 2)
            p.area()

        return draw

    def row_tip(p: Draw) -> None:
        p.crossing(tier, tip=2 * p.tech.profile.overlay_um - p.d)
        p.area()

    def column_tip(p: Draw) -> None:
        t = p.tech.profile
        w, a = max(t.line_um, 1.0), t.overlay_um
        p.rect({"B": "BE", "T": "TE"}[tier], -3, 0, w + 3, w)
        p.rect("ME", 0, -2 * a + p.d, w, w + 3)
        for film in films:
            p.rect(film, -a, -a, w + a, w + a)
        p.area()

    for number, film in ((1, films[0]), (2, films[1])):
        register(f"OX{tier}.{number}", oxide(film))
        register(f"OX{tier}.{2 * number + 1}", width(film))
        register(f"OX{tier}.{2 * number + 2}", space(film))
    register(f"OX{tier}.7", row_tip)
    register(f"OX{tier}.8", column_tip)


def _overlay(p: Draw) -> None:
    a = p.tech.profile.overlay_um
    shift, w = 2 * a + p.d, 3.0
    p.rect("ME", 0, -5, w, 5 + w)
    for row, tier, y in (("BE", "B", 0.0), ("TE", "T", shift)):
        p.rect(row, -3, y, w + 3, y + w)
        for film in (f"TIO2_{tier}", f"TIO2X_{tier}"):
            p.rect(film, -a, y - a, w + a, y + w + a)
    p.area()


def _outside(p: Draw) -> None:
    p.rect("POSTPROC", 0, 0, 10, 10)
    p.rect("ME", 2, 2, 10 + p.d, 4)


def _opening(p: Draw) -> None:
    p.rect("Metal5", -2, -2, 42, 42)
    p.rect("Pad", 0, 0, 40, 40)
    p.rect("ME", 40 + p.tech.profile.overlay_um - p.d, 10, 50, 12)
    p.area()


def _reopening(layer: str) -> Pattern:
    """An opening of the passivation, without a pad, beside what it must not lay bare."""

    def draw(p: Draw) -> None:
        p.rect("REOPEN", 0, 0, 5, 5)
        x = 5 + p.tech.profile.overlay_um - p.d
        p.rect(layer, x, 0, x + 3, 3)
        if layer == "COMP":
            p.around("Pplus", (x, 0, x + 3, 3), 0.4)
        p.area()

    return draw


def _side(p: Draw) -> float:
    """Return the side of a square of the electrodes' fill."""
    return 10 * p.tech.profile.line_um


def _fill_size(e: str) -> Pattern:
    def draw(p: Draw) -> None:
        p.square(f"{e}_Dummy", 0, 0, _side(p) - p.d)
        p.area()

    return draw


def _fill_space(e: str) -> Pattern:
    def draw(p: Draw) -> None:
        p.square(f"{e}_Dummy", 0, 0, _side(p))
        p.square(f"{e}_Dummy", _side(p) + p.tech.profile.space_um - p.d, 0, _side(p))
        p.area()

    return draw


def _fills_apart(p: Draw) -> None:
    p.square("TE_Dummy", 0, 0, _side(p))
    p.square("ME_Dummy", _side(p) + 2 * p.tech.profile.overlay_um - p.d, 0, _side(p))
    p.area()


def _fill_to(layer: str, fill: str) -> Pattern:
    """A square of fill beside what it keeps away from."""

    def draw(p: Draw) -> None:
        if layer == "Pad":
            p.rect("Metal5", -2, -2, 42, 42)
        p.rect(layer, 0, 0, 40, 40)
        p.square(fill, 40 + _side(p) - p.d, 10, _side(p))
        p.area()

    return draw


def _fill_outside(p: Draw) -> None:
    p.rect("POSTPROC", 0, 0, 30, 30)
    p.square("BE_Dummy", 30 - _side(p) + p.d, 2, _side(p))


for _e in ("BE", "ME", "TE"):
    _electrode(_e)
    register(f"{_e}F.1", _fill_size(_e))
    register(f"{_e}F.2", _fill_space(_e))
    register(f"V{_e}.5", _via_to_crossing(_e))
    register(f"V{_e}.6", _via_to(_e, "TIO2_B", "a"))
register("VME.7b", _via_to("ME", "BE", "s"))
register("VTE.7b", _via_to("TE", "BE", "s"))
register("VTE.7m", _via_to("TE", "ME", "s"))
_device("B")
_device("T")
register("XO.1", _overlay)
register("PO.1", _outside)
register("PO.2", _opening)
register("PO.3", _reopening("ME"))
register("PO.4", _reopening("COMP"))
register("MF.1", _fills_apart)
for _number, _layer, _fill in ((2, "TE", "BE"), (3, "Pad", "ME"), (4, "REOPEN", "TE"),
                               (5, "MARK", "BE")):  # fmt: skip
    register(f"MF.{_number}", _fill_to(_layer, f"{_fill}_Dummy"))
register("MF.6", _fill_outside)


#: what must lie exactly where a layer lies
WITH = {"GUARD_RING_MK": ("COMP", "Pplus")}
#: squares of one size
FILMS_FILL = {"BE_Dummy": "BEF.1", "ME_Dummy": "MEF.1", "TE_Dummy": "TEF.1"}
SQUARES = {"COMP_Dummy": "DCF.1c", **FILMS_FILL}


def _carrier(p: Draw, layer: str, shift: float, cut: tuple[float, float]) -> None:
    """A clean shape on a layer: moved by `shift` if it is a cut, else one corner cut off."""
    side = {"Pad": 60.0, "GUARD_RING_MK": 40.0}.get(layer, 5.0)
    if layer in JOINS:
        side = (
            {"C": 0.22, "V": 0.26}[layer[0]] if not layer.endswith("E") else p.tech.profile.via_um
        )
        for metal in JOINS[layer]:
            p.around(metal, (0, 0, side, side), 1)
        if layer == "Contact":
            p.around("Poly2", (0, 0, side, side), 1)
    if layer in FILMS_FILL:
        side = _side(p)
    under = {"COMP": "Pplus", "Pad": "Metal5"}.get(layer)
    if under:
        p.around(under, (0, 0, side, side), 5 if layer == "Pad" else 1)
    x, y = cut
    if layer == "PR_bndry":
        p.rect("Metal1", 1, 1, 2, 2)  # 0/0 alone does not tell the process
    right = side + shift
    outline = [(shift, 0), (shift, side), (right - x, side), (right, side - y), (right, 0)]
    for same in (layer, *WITH.get(layer, ())):
        p.poly(same, outline)
    if layer == "GUARD_RING_MK":
        p.rect("Pad", 10, 10, 20, 20)
    if layer == "Poly2_Dummy":
        p.square("COMP_Dummy", 0, 0, 5)
    if p.tech.layer(layer).is_module and layer != "POSTPROC":
        p.area()


def _off_grid(layer: str) -> Pattern:
    return lambda p: _carrier(p, layer, 0.001 if p.d else 0.0, (0.0, 0.0))


def _odd_angle(layer: str) -> Pattern:
    square = layer in JOINS or layer in SQUARES

    def draw(p: Draw) -> None:
        at_limit = (0.0, 0.0) if square else (1.0, 1.0)
        _carrier(
            p, layer, 0.0, (0.05 if square else 1.0, 0.1 if square else 2.0) if p.d else at_limit
        )

    return draw


for _rule in get_tech().rules:
    _with = tuple(
        f"{_rule.name.partition('.')[0]}.{name}" for name in WITH.get(_rule.layers[0], ())
    )
    if _rule.kind == "on_grid":
        register(_rule.name, _off_grid(_rule.layers[0]), *_with)
    elif _rule.kind == "angle":
        _cut = _rule.layers[0]
        # a cut with an odd edge is no square of the exact size
        _size = {"Contact": "CO.1"}.get(_cut, _cut.replace("ia", "") + ".1")
        _sizes = (_size,) if _cut in JOINS else (SQUARES[_cut],) if _cut in SQUARES else ()
        register(_rule.name, _odd_angle(_cut), *_sizes, *_with)

__all__ = ["PATTERNS"]
