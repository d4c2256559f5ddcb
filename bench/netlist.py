"""Direct current of a SPICE netlist of resistors and sources, by a reader and a solve of its own.

A second opinion on large netlists: it reads the text that ngspice would read, shares no code with
the package, and solves the nodes' equations by SciPy's sparse LU, with one step of refinement.

Understood are R and V cards, X cards of subcircuits without parameters, and lines that go on with
`+`; anything else but comments and directives is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

GROUND = "0"


def cards(text: str) -> Iterator[list[str]]:
    """Yield the words of each card, continued lines joined, up to a control block."""
    whole: list[str] = []
    for line in text.splitlines()[1:]:  # the first is a title
        if line.startswith("+"):
            whole += line[1:].split()
            continue
        if whole:
            yield whole
        whole = []
        if line.lower().startswith(".control"):
            return
        if line.strip() and not line.startswith("*"):
            whole = line.split()
    if whole:
        yield whole


class Flat:
    """The resistors and sources of a netlist, its subcircuits opened.

    Attributes:
        resistors: (node, node, ohm) of each.
        sources: name -> (node above, node below, V).
    """

    def __init__(self, path: Path) -> None:
        inside: list[list[str]] | None = None
        self._subcircuits: dict[str, tuple[list[str], list[list[str]]]] = {}
        self.resistors: list[tuple[str, str, float]] = []
        self.sources: dict[str, tuple[str, str, float]] = {}
        top = []
        for words in cards(path.read_text(encoding="utf-8")):
            kind = words[0].lower()
            if kind == ".subckt":
                inside = []
                self._subcircuits[words[1].lower()] = ([w.lower() for w in words[2:]], inside)
            elif kind == ".ends":
                inside = None
            elif not kind.startswith("."):
                (top if inside is None else inside).append([word.lower() for word in words])
        self._open(top, "", {})

    def _open(self, some: Iterable[list[str]], prefix: str, outer: dict[str, str]) -> None:
        for name, *rest in some:
            nodes = [outer.get(node, node if node == GROUND else prefix + node) for node in rest]
            if name[0] == "r":
                self.resistors.append((nodes[0], nodes[1], float(rest[2])))
            elif name[0] == "v":
                self.sources[prefix + name] = (nodes[0], nodes[1], float(rest[2]))
            elif name[0] == "x":
                pins, body = self._subcircuits[rest[-1]]
                if len(pins) != len(rest) - 1:
                    raise ValueError(f"{name}: {len(rest) - 1} nodes for {len(pins)} pins")
                self._open(body, f"{prefix}{name}.", dict(zip(pins, nodes[:-1], strict=True)))
            else:
                raise ValueError(f"not a resistor, source or subcircuit: {name}")


def source_currents(path: Path) -> dict[str, float]:
    """Return what each source drives out of its upper node, A; all must stand on ground."""
    flat = Flat(path)
    held = {GROUND: 0.0}
    for above, below, volts in flat.sources.values():
        if below != GROUND:
            raise ValueError(f"a source stands on {below}, not on ground")
        held[above] = volts
    number: dict[str, int] = {node: k for k, node in enumerate(held)}
    ends = np.array(
        [[number.setdefault(n, len(number)) for n in pair] for *pair, _ in flat.resistors]
    )
    siemens = 1.0 / np.array([ohm for *_, ohm in flat.resistors])
    a, b, count, fixed = ends[:, 0], ends[:, 1], len(number), len(held)
    matrix = coo_matrix(
        (np.concatenate([siemens, siemens, -siemens, -siemens]),
         (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))), (count, count),
    ).tocsr()  # fmt: skip
    volts = np.zeros(count)
    volts[:fixed] = [*held.values()]
    free = _reached(matrix, fixed)
    inner = matrix[free][:, free].tocsc()
    solve = splu(inner, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0).solve
    right = -(matrix[free][:, :fixed] @ volts[:fixed])
    volts[free] = solve(right)
    volts[free] += solve(right - inner @ volts[free])
    # by differences across resistors: node by node the digits of large conductances would cancel
    amps = siemens * (volts[a] - volts[b])
    out = np.bincount(a, amps, count) - np.bincount(b, amps, count)
    return {name: float(out[number[above]]) for name, (above, _, _) in flat.sources.items()}


def _reached(matrix: coo_matrix, fixed: int) -> np.ndarray:
    """Return the free nodes that resistors join to a held one; the others have no voltage."""
    from scipy.sparse.csgraph import connected_components

    label = connected_components(matrix, directed=False)[1]
    on = np.isin(label, np.unique(label[:fixed]))
    on[:fixed] = False
    return np.flatnonzero(on)


__all__ = ["source_currents"]
