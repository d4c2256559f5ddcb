"""Arrays, macros and chips, with a reference netlist beside each layout."""

from ..base.names import MEMRISTOR_MODEL, fold
from ..cells.drawing import walk
from ..pdk import NoRuleError, ParameterError
from .added import is_added
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
    try:
        array = draw[spec.top](spec)
    except NoRuleError as error:
        if spec.top != "testchip":
            raise
        allowed = f"array or macro: {error}, which a chip's pads and monitors are drawn by"
        raise ParameterError("top", spec.top, allowed) from None
    _check_name(array)
    return array


def _check_name(array: Array) -> None:
    """Refuse a top cell that is called like one of its parts: netlists know no difference.

    Raises:
        ParameterError: for such a name.
    """
    taken = {circuit.name for circuit in array.subcircuits}
    taken |= {*array.tech.nets.models, MEMRISTOR_MODEL}
    taken |= {cell.name for cell in walk(array.cell) if cell is not array.cell}
    added = array.spec.top == "testchip" and is_added(array.cell.name, array.tech)
    if added or fold(array.cell.name) in map(fold, taken):
        allowed = "any name but those of its cells, subcircuits and devices"
        raise ParameterError("name", array.cell.name, allowed)


__all__ = [
    "Array",
    "ArraySpec",
    "build_array",
    "build_macro",
    "build_testchip",
    "build_top",
    "drawn_pitches",
]
