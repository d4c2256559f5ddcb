"""The oracle's answers as committed data: solving all of them takes an hour."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossstack.extract.field.scene import Scene

Floats = NDArray[np.float64]
PATH = Path(__file__).with_name("answers.json")
#: digits of lengths in um that count for whether a scene is the same
_DIGITS = 6


@dataclass(frozen=True)
class Stored:
    """What the oracle found for a scene, once.

    Attributes:
        name: of the shape.
        scene: fingerprint of what was solved.
        nets: order of the matrix.
        matrix: Maxwell matrix of the scene in F.
        order: of the elements.
        unknowns: of the meshes, coarse to fine.
        difference: largest relative change of a self capacitance between the last two that count.
        asymmetry: of the charges, relative.
        seconds: time taken.
        version: of NGSolve.
    """

    name: str
    scene: str
    nets: tuple[str, ...]
    matrix: Floats
    order: int
    unknowns: tuple[int, ...]
    difference: float
    asymmetry: float
    seconds: float
    version: str


def fingerprint(scene: Scene) -> str:
    """Return what changes with anything that moves a scene's field."""

    def number(value: float) -> float:
        return round(float(value), _DIGITS) + 0.0

    def figures(polygons: Any) -> Any:
        if polygons is None:
            return None
        return sorted([[number(x), number(y)] for x, y in points] for points in polygons)

    bodies = sorted(
        [c.net, number(c.low_um), number(c.high_um), figures(c.polygons)] for c in scene.conductors
    )
    films = [
        [number(i.low_um), number(i.high_um), number(i.permittivity), figures(i.polygons)]
        for i in scene.insulators
    ]
    whole = [[number(v) for v in scene.window], number(scene.top_um), bodies, films]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]


def read(path: Path = PATH) -> dict[str, Stored]:
    """Return what is stored, by name."""
    if not path.is_file():
        return {}
    found = {}
    for row in json.loads(path.read_text(encoding="utf-8")):
        matrix = 1e-15 * np.array(row.pop("matrix_ff"), dtype=np.float64)
        nets, unknowns = tuple(row.pop("nets")), tuple(row.pop("unknowns"))
        one = Stored(nets=nets, matrix=matrix, unknowns=unknowns, **row)
        found[one.name] = one
    return found


def write(stored: dict[str, Stored], path: Path = PATH) -> None:
    """Store answers, one a line, by name; whole or not at all."""
    lines = []
    for name in sorted(stored):
        one = stored[name]
        matrix = [[float(f"{1e15 * v:.6g}") for v in line] for line in one.matrix]
        row = {
            "name": one.name, "scene": one.scene, "nets": one.nets, "matrix_ff": matrix,
            "order": one.order, "unknowns": one.unknowns,
            "difference": float(f"{one.difference:.3g}"),
            "asymmetry": float(f"{one.asymmetry:.2g}"),
            "seconds": round(one.seconds, 1), "version": one.version,
        }  # fmt: skip
        lines.append(json.dumps(row))
    new = path.with_suffix(".new")
    new.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    new.replace(path)
