"""Arrays, macros and chips, with a reference netlist beside each layout."""

from .array import Array, build_array
from .spec import ArraySpec

__all__ = ["Array", "ArraySpec", "build_array"]
