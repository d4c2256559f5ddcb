"""Arrays, macros and chips, with a reference netlist beside each layout."""

from .array import Array, build_array
from .lef import lef_lines
from .macro import build_macro
from .spec import ArraySpec


def build_top(spec: ArraySpec) -> Array:
    """Draw what a spec asks for: the bare array or the macro.

    Raises:
        ParameterError: for a size, pitch or width that the rules do not allow.
    """
    return build_macro(spec) if spec.top == "macro" else build_array(spec)


__all__ = ["Array", "ArraySpec", "build_array", "build_macro", "build_top", "lef_lines"]
