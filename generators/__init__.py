"""Arrays, macros and chips, with a reference netlist beside each layout."""

from .array import Array, build_array
from .lines import drawn_pitches
from .macro import build_macro
from .spec import ArraySpec
from .testchip import build_testchip


def build_top(spec: ArraySpec) -> Array:
    """Draw what a spec asks for: the bare array, the macro or the test chip.

    Raises:
        ParameterError: for a size, pitch or width that the rules do not allow.
    """
    draw = {"array": build_array, "macro": build_macro, "testchip": build_testchip}
    return draw[spec.top](spec)


__all__ = [
    "Array",
    "ArraySpec",
    "build_array",
    "build_macro",
    "build_testchip",
    "build_top",
    "drawn_pitches",
]
