"""The oracle: Maxwell matrix of a scene by finite elements of NGSolve, refined until it stands.

Independent of the product: tetrahedra instead of a grid, fields of third order, meshes that are
refined where an estimate of the error is large (the energy of what a field holds beyond its values
at corners, times its share of the energy there).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossstack.extract.field.dielectric import EPSILON_0_F_UM
from crossstack.extract.field.scene import Scene

from .axes import Axis, Lengths, axes_of
from .solids import FILM, NET, levels, tetrahedra

Floats = NDArray[np.float64]
#: of the elements
ORDER = 3
#: what two meshes may differ by, of every self capacitance, and how much finer the second must be
TOLERANCE, FINER = 0.003, 1.8
#: share of the estimated error that is refined at once
SHARE = 0.6
#: lengths in which meshes are made, and the largest tetrahedron of the first
LENGTHS, LARGEST_UM = Lengths(least=0.15, near=1.5, middle=1.0), 10.0
#: unknowns at which it gives up
MOST = 6_000_000
#: what is left of a residual, and iterations that must do
RESIDUAL, ITERATIONS = 1e-6, 5000
#: what the matrix by charges may lack in symmetry: a residual that is left shows there
ASYMMETRY = 0.001


@dataclass(frozen=True)
class Answer:
    """What the oracle found.

    Attributes:
        nets: order of the matrix.
        matrix: Maxwell matrix in F, ground left out.
        unknowns: of every mesh, coarse to fine.
        difference: largest relative change of a self capacitance between the last two that count.
        asymmetry: of the matrix by charges, relative to the smaller self capacitance.
        seconds: time taken.
        version: of NGSolve.
    """

    nets: tuple[str, ...]
    matrix: Floats
    unknowns: tuple[int, ...]
    difference: float
    asymmetry: float
    seconds: float
    version: str


class NotReachedError(Exception):
    """The meshes do not agree before the largest that is allowed, or a field does not converge."""


class TouchingError(Exception):
    """Two nets touch where there is field, whose energy then has no bounds."""


def solve(
    scene: Scene,
    *,
    order: int = ORDER,
    tolerance: float = TOLERANCE,
    most: int = MOST,
    lengths: Lengths = LENGTHS,
    largest_um: float = LARGEST_UM,
    log: Any = None,
) -> Answer:
    """Return the Maxwell matrix of a scene.

    Args:
        scene: what to solve.
        order: of the elements.
        tolerance: what the last two meshes may differ by.
        most: unknowns at which to give up.
        lengths: in which the mesh is made.
        largest_um: largest tetrahedron of the first mesh.
        log: called with a line for each mesh.

    Raises:
        NotReachedError: if `most` unknowns do not do.
        TouchingError: for two nets that touch.
    """
    import ngsolve as ng

    start = time.perf_counter()
    axes = axes_of(scene, levels(scene), lengths)
    mesh = ng.Mesh(tetrahedra(scene, axes, largest_um=largest_um))
    _apart(mesh)
    unknowns: list[int] = []
    found: list[tuple[Floats, Floats]] = []
    difference, worst = np.inf, ""
    while True:
        _move(mesh, axes)
        matrix, charges, fields, size = _field(mesh, scene.nets, order)
        unknowns.append(size)
        found.append((matrix, charges))
        # the last mesh that was at least so much coarser
        before = [k for k, n in enumerate(unknowns) if n * FINER <= size]
        if before:
            changes = _changes(found[before[-1]][0], matrix)
            difference, worst = float(changes.max()), scene.nets[int(changes.argmax())]
        if log:
            seconds = time.perf_counter() - start
            log(f"{mesh.ne:>9} {size:>9} {difference:9.5f} {seconds:7.1f} s {worst}")
        if difference < tolerance:
            break
        if size > most / 2:
            raise NotReachedError(f"{size} unknowns: {worst} moves by {100 * difference:.2f} %")
        _refine(mesh, fields)
    asymmetry = _asymmetry(charges)
    if not asymmetry < ASYMMETRY:
        raise NotReachedError(f"charges are not symmetric by {100 * asymmetry:.2f} %")
    return Answer(
        scene.nets, matrix, tuple(unknowns), difference, asymmetry,
        time.perf_counter() - start, ng.__version__,
    )  # fmt: skip


def _apart(mesh: Any) -> None:
    """Make sure that no two nets touch where there is field."""
    import ngsolve as ng

    owner: dict[int, str] = {}
    for element in mesh.Elements(ng.BND):
        if element.mat.startswith(NET):
            for vertex in element.vertices:
                other = owner.setdefault(vertex.nr, element.mat)
                if other != element.mat:
                    at = ", ".join(f"{x:.4f}" for x in mesh.vertices[vertex.nr].point)
                    names = " and ".join(n.removeprefix(NET) for n in (other, element.mat))
                    raise TouchingError(f"{names} touch at ({at})")


def _changes(coarse: Floats, fine: Floats) -> Floats:
    """Return the relative change of each self capacitance."""
    changes: Floats = np.abs(np.diag(coarse) / np.diag(fine) - 1)
    return changes


def _asymmetry(charges: Floats) -> float:
    own = np.diag(charges)
    return float((np.abs(charges - charges.T) / np.minimum.outer(own, own)).max())


def _move(mesh: Any, axes: tuple[Axis, ...]) -> None:
    """Let a mesh that is drawn in x and y have its true lengths."""
    import ngsolve as ng

    mesh.UnsetDeformation()
    at = mesh.ngmesh.Coordinates()
    shift = ng.GridFunction(ng.VectorH1(mesh, order=1))
    for k, axis in enumerate(axes[:2]):
        shift.components[k].vec.FV().NumPy()[:] = axis.back(at[:, k]) - at[:, k]
    mesh.SetDeformation(shift)


def _permittivity(mesh: Any) -> Any:
    return mesh.MaterialCF({n: float(n.removeprefix(FILM)) for n in mesh.GetMaterials()})


def _field(mesh: Any, nets: tuple[str, ...], order: int) -> tuple[Floats, Floats, list[Any], int]:
    """Return the matrix by energy, by charges, the potentials and the number of unknowns."""
    import ngsolve as ng

    faces = [NET + net for net in nets]
    fixed = "|".join(_quoted(name) for name in (NET + "0", *faces))
    space = ng.H1(mesh, order=order, dirichlet=fixed)
    u, v = space.TnT()
    form = ng.BilinearForm(space, symmetric=True)
    form += _permittivity(mesh) * ng.grad(u) * ng.grad(v) * ng.dx
    before = ng.Preconditioner(form, "local")
    form.Assemble()
    solver = ng.solvers.CGSolver(form.mat, before.mat, maxiter=ITERATIONS, tol=RESIDUAL)
    fields = []
    for face in faces:
        field = ng.GridFunction(space)
        field.Set(1.0, definedon=mesh.Boundaries(_quoted(face)))
        rest = field.vec.CreateVector()
        rest.data = -form.mat * field.vec
        field.vec.data += solver * rest
        if solver.iterations >= ITERATIONS:
            raise NotReachedError(f"{face}: no field after {ITERATIONS} iterations")
        fields.append(field)
    matrix, charges = _matrices(mesh, form, faces, fields)
    return matrix, charges, fields, space.ndof


def _matrices(mesh: Any, form: Any, faces: list[str], fields: list[Any]) -> tuple[Floats, Floats]:
    """Return the matrix by energy and, apart from it, by charges: the reaction at the nets."""
    import ngsolve as ng

    on = []
    for face in faces:
        on.append(ng.GridFunction(form.space))
        on[-1].Set(1.0, definedon=mesh.Boundaries(_quoted(face)))
    count = len(faces)
    matrix, charges = np.zeros((count, count)), np.zeros((count, count))
    for k, field in enumerate(fields):
        flux = field.vec.CreateVector()
        flux.data = form.mat * field.vec
        for m in range(count):
            matrix[m, k] = ng.InnerProduct(flux, fields[m].vec)
            charges[m, k] = ng.InnerProduct(flux, on[m].vec)
    matrix = (matrix + matrix.T) / 2
    return matrix * EPSILON_0_F_UM, charges * EPSILON_0_F_UM


def _refine(mesh: Any, fields: list[Any]) -> None:
    """Refine where most of the error is."""
    import ngsolve as ng

    k = _permittivity(mesh)
    error = np.zeros(mesh.ne)
    for field in fields:
        straight = ng.GridFunction(field.space)
        straight.vec.data = field.vec
        straight.vec[mesh.nv :] = 0
        bent, flux = ng.grad(field) - ng.grad(straight), ng.grad(field)
        degree = 2 * (field.space.globalorder - 1)
        first = _by_element(k * bent * bent, mesh, degree)
        whole = _by_element(k * flux * flux, mesh, degree)
        # of each net alike, whatever its capacitance
        share = np.minimum(1.0, first / np.maximum(whole, 1e-12 * whole.sum()))
        error += first * share / whole.sum()
    worst = np.argsort(error)[::-1]
    count = np.searchsorted(np.cumsum(error[worst]), SHARE * error.sum()) + 1
    marked = np.zeros(mesh.ne, dtype=bool)
    marked[worst[:count]] = True
    mesh.SetRefinementFlags(marked.tolist())
    mesh.Refine()


def _by_element(value: Any, mesh: Any, degree: int) -> Floats:
    import ngsolve as ng

    return np.array(ng.Integrate(value, mesh, ng.VOL, order=degree, element_wise=True).NumPy())


def _quoted(name: str) -> str:
    """Return a pattern of NGSolve that is this name."""
    return "".join(c if c.isalnum() or c == ":" else "\\" + c for c in name)
