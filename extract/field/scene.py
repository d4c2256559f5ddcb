"""What a field is solved in: conductors and insulators as polygons between two heights.

A scene is all that a field solver needs to know, and nothing of layouts or processes: those who
cut one out of a layout, and those who solve its field, meet here. Lengths in um.

* The silicon is a grounded plane at height 0; above `top_um` and beyond the window the field
  has no normal component (a mirror), so a window must end on a plane of symmetry of an array or
  far enough from what is asked for.
* Insulators are named in order: where two overlap, the later one counts. Conductors count over
  every insulator. Where no insulator is named there is air.
"""

from __future__ import annotations

from dataclasses import dataclass

#: corners of a polygon in um, without holes
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Insulator:
    """An insulator.

    Attributes:
        low_um: its lower face.
        high_um: its upper face.
        permittivity: relative.
        polygons: where it is; None for the whole window.
    """

    low_um: float
    high_um: float
    permittivity: float
    polygons: tuple[Points, ...] | None = None


@dataclass(frozen=True)
class Conductor:
    """A piece of metal, poly, contact or via on a net; pieces of one net may touch.

    Attributes:
        net: its net; "0" is ground.
        low_um: its lower face.
        high_um: its upper face.
        polygons: where it is.
    """

    net: str
    low_um: float
    high_um: float
    polygons: tuple[Points, ...]


@dataclass(frozen=True)
class Scene:
    """Conductors and insulators of a window.

    Attributes:
        window: x1, y1, x2, y2 in um.
        top_um: height where the field ends.
        conductors: in any order; those of different nets do not overlap.
        insulators: a later one counts over an earlier one.
    """

    window: tuple[float, float, float, float]
    top_um: float
    conductors: tuple[Conductor, ...]
    insulators: tuple[Insulator, ...]

    @property
    def nets(self) -> tuple[str, ...]:
        """Nets but ground, sorted."""
        return tuple(sorted({body.net for body in self.conductors} - {"0"}))
