"""Capacitance of cross-sections: ours against finite elements (scikit-fem, not ours).

A section is uniform along its length. Ours is taken from a layout of it at two lengths, so that
ends drop out; the field is solved on the same rectangles, between the films of the stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ...pdk import Ask, CrossStackError, Tech
from .capacitance import net_capacitance
from .dielectric import EPSILON_0_F_UM, FILL_K, Dielectrics

Floats = NDArray[np.float64]
#: what lies above the last film
_AIR_K = 1.0
#: distance from the outermost conductor to the edge of the field, um
_MARGIN_UM = 60.0
#: first grid step at an edge as a share of the gap, and growth away from it: steps a third as
#: long, growing half as fast, move no result by more than 0.3 %
_FIRST, _GROWTH = 0.15, 3.0
_LENGTHS_UM = (40.0, 80.0)


@dataclass(frozen=True)
class Line:
    """One conductor of a section: its net, film and both edges in um."""

    net: str
    film: str
    x1: float
    x2: float


@dataclass(frozen=True)
class Section:
    """A cross-section and the capacitance that it is about.

    Attributes:
        name: what it is.
        lines: conductors.
        pair: two nets, or one net and "" for everything that it sees.
        films: drawn films as (name, edge, edge) in um.
    """

    name: str
    lines: tuple[Line, ...]
    pair: tuple[str, str]
    films: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True)
class SectionRow:
    """One line of the study, in F per um of length."""

    name: str
    ours: float
    field: float

    @property
    def error(self) -> float:
        """Ours over the field's minus 1."""
        return self.ours / self.field - 1.0


def sections(tech: Tech) -> list[Section]:
    """Return the sections of the study; widths and spaces are the process's least."""
    m2, m3, m4 = tech.roles.metals[1:4]
    w, s = Ask(tech).width(m3), Ask(tech).space(m3)
    f, gap, over = tech.profile.line_um, tech.profile.space_um, 0.3
    bottom = (("TIO2_B", -f / 2 - over, f / 2 + over), ("TIO2X_B", -f / 2 - over, f / 2 + over))
    top = (("TIO2_T", -f / 2 - over, f / 2 + over), ("TIO2X_T", -f / 2 - over, f / 2 + over))
    middle = Line("A", m3, -w / 2, w / 2)
    left = Line("B", m3, -1.5 * w - s, -w / 2 - s)
    right = Line("C", m3, w / 2 + s, 1.5 * w + s)
    column = Line("A", "ME", -f, f)
    return [
        Section(f"row line, {m4} 1.98 um, over silicon", (Line("A", m4, -0.99, 0.99),),
                ("A", "")),
        Section(f"narrowest {m3} line over silicon", (middle,), ("A", "")),
        Section(f"two {m3} lines at the least space: between them", (middle, right), ("A", "C")),
        Section("the same: one of them in all", (middle, right), ("A", "")),
        Section("the middle one of three: in all", (left, middle, right), ("A", "")),
        Section(f"two {m3} lines 1 um apart: between them",
                (middle, Line("C", m3, w / 2 + 1, 1.5 * w + 1)), ("A", "C")),
        Section(f"{m3} line under and over lines of its width: in all",
                (middle, Line("D", m2, -w / 2, w / 2), Line("U", m4, -w / 2, w / 2)),
                ("A", "")),
        Section(f"{m3} line between wide {m2} and {m4}: in all",
                (middle, Line("D", m2, -8, 8), Line("U", m4, -8, 8)), ("A", "")),
        Section("crossing BE under ME: between them",
                (Line("B", "BE", -f / 2, f / 2), Line("A", "ME", -8, 8)), ("A", "B"), bottom),
        Section("crossing TE over ME: between them",
                (Line("T", "TE", -f / 2, f / 2), Line("A", "ME", -8, 8)), ("A", "T"), top),
        Section("column line, ME, over silicon", (column,), ("A", "")),
        Section("two column lines at the least space: between them",
                (column, Line("C", "ME", f + gap, 3 * f + gap)), ("A", "C")),
    ]  # fmt: skip


def section_table(tech: Tech) -> list[SectionRow]:
    """Return ours and the field's for every section."""
    return [SectionRow(s.name, by_us(s, tech), by_field(s, tech)) for s in sections(tech)]


def by_us(section: Section, tech: Tech) -> float:
    """Return our capacitance in F per um."""
    found = []
    for length in _LENGTHS_UM:
        layout = db.Layout()
        layout.dbu = tech.dbu_um
        top = layout.create_cell("SECTION")
        for line in section.lines:
            box = db.DBox(line.x1, 0.0, line.x2, length)
            top.shapes(layout.layer(*tech.gds(line.film))).insert(box)
            label = layout.layer(*tech.gds(tech.label_of[line.film]))
            at = db.DVector((line.x1 + line.x2) / 2, length / 2)
            top.shapes(label).insert(db.DText(line.net, db.DTrans(at)))
        for film, x1, x2 in section.films:
            box = db.DBox(x1, -1.0, x2, length + 1.0)
            top.shapes(layout.layer(*tech.gds(film))).insert(box)
        net, other = section.pair
        one = net_capacitance(layout, tech)[net]
        found.append(one.coupling_f.get(other, 0.0) if other else one.total_f)
    return (found[1] - found[0]) / (_LENGTHS_UM[1] - _LENGTHS_UM[0])


def by_field(section: Section, tech: Tech) -> float:
    """Return the capacitance in F per um by finite elements of second order.

    The charge on a conductor is the reaction of the stiffness matrix to the potentials, which is
    the derivative of the field's energy. Sides and top are open (no flux), silicon is at 0 V.

    Raises:
        CrossStackError: if scikit-fem is not installed.
    """
    try:
        from skfem import Basis, BilinearForm, ElementQuad0, ElementQuad2, MeshQuad, condense, solve
        from skfem.helpers import dot, grad
    except ImportError:
        raise CrossStackError("scikit-fem is not installed (pip install scikit-fem)") from None
    stack = Dielectrics.of(tech)
    x, z = _grid(section, stack)
    mesh = MeshQuad.init_tensor(x, z)
    basis = Basis(mesh, ElementQuad2(), intorder=4)  # exact on rectangles; skfem takes 8
    centre = mesh.p[:, mesh.t].mean(axis=1)
    constant = basis.with_element(ElementQuad0())
    k = constant.zeros()
    k[constant.element_dofs[0]] = _permittivity(section, stack, tech.drawn_insulators, centre)

    @BilinearForm
    def energy(u, v, w):  # type: ignore[no-untyped-def]
        return w.k * dot(grad(u), grad(v))

    stiffness = energy.assemble(basis, k=constant.interpolate(k))
    at, eps = basis.doflocs, 1e-9
    nets: dict[str, NDArray[np.bool_]] = {}
    for line in section.lines:
        low, high = stack.spans[line.film]
        inside = (at[0] >= line.x1 - eps) & (at[0] <= line.x2 + eps)
        inside &= (at[1] >= low - eps) & (at[1] <= high + eps)
        nets[line.net] = nets.get(line.net, np.zeros(at.shape[1], dtype=bool)) | inside
    held = at[1] < eps
    for inside in nets.values():
        held = held | inside
    net, other = section.pair
    volts = nets[net].astype(np.float64)
    volts = solve(*condense(stiffness, x=volts, D=np.flatnonzero(held)))
    charge = stiffness @ volts
    total = charge[nets[net]].sum() if not other else -charge[nets[other]].sum()
    return float(total * EPSILON_0_F_UM)


def _permittivity(
    section: Section, stack: Dielectrics, drawn_films: tuple[str, ...], at: Floats
) -> Floats:
    """Return the relative permittivity at places; drawn films count where they are drawn."""
    x, z = at
    top = max(high for _, high, _ in stack.insulators)
    k = np.where(z > top, _AIR_K, FILL_K)
    for low, high, value in stack.insulators:
        k[(z > low) & (z < high)] = value
    for name in drawn_films:
        low, high = stack.films[name]
        inside = (z > low) & (z < high)
        drawn = [(x > x1) & (x < x2) for film, x1, x2 in section.films if film == name]
        k[inside & ~np.any(drawn, axis=0)] = FILL_K
    return k


def _grid(section: Section, stack: Dielectrics) -> tuple[Floats, Floats]:
    """Return grid lines through all edges, graded towards them."""
    edges = {edge for line in section.lines for edge in (line.x1, line.x2)}
    edges |= {edge for _, x1, x2 in section.films for edge in (x1, x2)}
    x = [min(edges) - _MARGIN_UM, *sorted(edges), max(edges) + _MARGIN_UM]
    heights = {0.0} | {h for low, high, _ in stack.insulators for h in (low, high)}
    heights |= {h for line in section.lines for h in stack.spans[line.film]}
    z = [*sorted(heights), max(heights) + _MARGIN_UM]
    sizes = [line.x2 - line.x1 for line in section.lines]
    sizes += [high - low for low, high in (stack.spans[line.film] for line in section.lines)]
    return _graded(x, min(sizes)), _graded(z, min(sizes))


def _graded(marks: list[float], size: float) -> Floats:
    lines: list[float] = []
    for a, b in pairwise(marks):
        step, half = _FIRST * min(size, b - a), (b - a) / 2
        steps = [step]
        while sum(steps) < half:
            steps.append(steps[-1] * _GROWTH)
        way = np.cumsum(steps) * (half / sum(steps))
        lines += [a, *(a + way), *(b - way[-2::-1])]
    return np.array([*lines, marks[-1]])
