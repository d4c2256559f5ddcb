"""PCells for KLayout: the toolkit's own drawings, with nothing but KLayout's Python.

This module also runs inside KLayout, in a copy of the rooms that it needs (`package.py` makes
the copy): so it, and what it imports, may use the standard library and ``klayout.db`` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import klayout.db as db

from ..cells.drawing import Cell, to_layout
from ..cells.marks import masks
from ..cells.pads import RAILS, SIDES
from ..cells.parameters import ARRAY, TOPS, Declared
from ..cells.registry import array_cells_on, draw_cell, offered, parameters_of
from ..generators import build_top
from ..generators.ranges import range_um
from ..generators.spec import ArraySpec, array_defaults, top_fits
from ..pdk import DEFAULT, CrossStackError, Purpose, Tech, get_tech, profile_names
from ..pdk.model import LINES
from . import noted_process

LIBRARY = "CrossStack"

#: what a length that may be left out is called in the dialog; 0 leaves it out
_LEAST = " (0: default)"


def choices(tech: Tech) -> dict[str, tuple[str, ...]]:
    """Return parameter -> the words that it takes in a process."""
    electrodes = (x.name for x in tech.layers if x.purpose is Purpose.MODULE_ELECTRODE)
    metals = (*LINES, "land", *tech.roles.metals)
    return {
        **{key: tuple(declared.words) for key, declared in ARRAY.items() if declared.is_word},
        "profile": profile_names(tech.key),
        "cell": array_cells_on(tech.module),
        "top": tuple(top for top in TOPS if top_fits(top, tech.module)),
        "electrode": tuple(electrodes),
        "mask": masks(tech),
        "side": SIDES,
        "rail": ("", *RAILS),
        "low": metals,
        "high": metals,
    }


class DrawnPCell(db.PCellDeclaration):  # type: ignore[misc]
    """A PCell of one drawing.

    KLayout's helper class would make attributes of the parameters, and one of them is ``cell``.

    Args:
        name: name of the PCell.
        defaults: parameters and their defaults; None stands for a length left out.
        draw: ``draw(tech, **parameters) -> Cell``.
        process: name or folder of the process.
    """

    def __init__(
        self,
        name: str,
        defaults: Mapping[str, Any],
        draw: Callable[..., Cell],
        process: str = DEFAULT,
    ) -> None:
        super().__init__()
        self._name, self._draw, self._process = name, draw, process
        self._defaults = {"profile": profile_names(process)[0], **defaults}

    def get_parameters(self) -> list[Any]:
        """Return the parameters for KLayout's dialog."""
        tech = get_tech(process=self._process)
        words = choices(tech)
        made = []
        for key, default in self._defaults.items():
            made.append(_declaration(key, default, words.get(key, ())))
            if key in ARRAY:
                _say_range(made[-1], ARRAY[key], range_um(tech, key))
        return made

    def get_layers(self, parameters: Sequence[Any]) -> list[Any]:
        """Return no layers: the table decides which are drawn."""
        return []

    def display_text(self, parameters: Sequence[Any]) -> str:
        """Return the name and what differs from the defaults."""
        values = self._values(parameters)
        given = {k: v for k, v in values.items() if v != self._defaults[k]}
        words = ", ".join(
            f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in given.items()
        )
        return f"{self._name}({words})" if words else self._name

    def produce(self, layout: Any, layers: Any, parameters: Sequence[Any], cell: Any) -> None:
        """Draw; a value outside its range becomes KLayout's error text, with the range named."""
        values = self._values(parameters)
        tech = get_tech(values.pop("profile"), self._process)
        if abs(layout.dbu - tech.dbu_um) > 1e-9:
            raise ValueError(f"the database unit must be {tech.dbu_um:g} um")
        try:
            drawn = self._draw(tech, **values)
        except CrossStackError as error:
            # KLayout writes the error with every line of its way into the layout
            raise ValueError(str(error)) from None
        source = to_layout(drawn, tech)  # must outlive the copying
        cell.copy_tree(source.top_cell())

    def _values(self, parameters: Sequence[Any]) -> dict[str, Any]:
        named = zip(self._defaults.items(), parameters, strict=True)
        return {
            key: None if default is None and value == 0 else value
            for (key, default), value in named
        }


def _declaration(key: str, default: Any, words: tuple[str, ...]) -> Any:
    text = key.removesuffix("_um").replace("_", " ")
    made = db.PCellParameterDeclaration
    if isinstance(default, str):
        declaration = made(key, made.TypeString, text, default)
        for word in words:
            declaration.add_choice(word, word)
        return declaration
    if isinstance(default, bool):
        return made(key, made.TypeBoolean, text, default)
    if isinstance(default, int):
        return made(key, made.TypeInt, text, default)
    left_out = default is None
    value = 0.0 if default is None else default
    return made(key, made.TypeDouble, text + _LEAST * left_out, value, "um")


def _say_range(declaration: Any, known: Declared, ends: tuple[float | None, float | None]) -> None:
    """Show in the dialog what a parameter is and what it may be."""
    if hasattr(declaration, "tooltip"):  # KLayout 0.28 and later
        declaration.tooltip = known.sentence(*ends)
    low, high = (
        own if asked is None else asked
        for asked, own in zip(ends, (known.low, known.high), strict=True)
    )
    if known.words and not isinstance(known.words[0], str):
        for word in known.words:
            declaration.add_choice(str(word), word)
    elif isinstance(low, int | float) and high is not None:
        declaration.description += f", {low:g} to {high:g}"
    elif high is not None:
        declaration.description += f", at most {high:g}"


class CrossStackLibrary(db.Library):  # type: ignore[misc]
    """Every registered cell, and arrays of them, for layouts of one technology alone.

    Args:
        process: name or folder of the process.
    """

    def __init__(self, process: str = DEFAULT) -> None:
        super().__init__()
        self._process = process
        tech = get_tech(process=process)
        self.technology = tech.name
        self.description = "CrossStack: memristor stacks, hybrid cells and arrays"
        for name in offered(tech):
            self._add(name, parameters_of(name), _drawing(name))
        defaults = array_defaults(tech)
        for key in ("profile", "process", "name"):
            del defaults[key]
        self._add("crossbar_array", defaults, _array)

    def _add(self, name: str, defaults: Mapping[str, Any], draw: Callable[..., Cell]) -> None:
        self.layout().register_pcell(name, DrawnPCell(name, defaults, draw, self._process))


def _drawing(name: str) -> Callable[..., Cell]:
    return lambda tech, **values: draw_cell(name, tech, **values)


def _array(tech: Tech, **values: Any) -> Cell:
    return build_top(ArraySpec(profile=tech.profile.name, process=tech.key, **values)).cell


def register() -> CrossStackLibrary:
    """Register the library of this package; an earlier one of its name gives way."""
    process, _ = noted_process()
    library = CrossStackLibrary(process)
    library.register(LIBRARY if process == DEFAULT else f"{LIBRARY} {process}")
    return library
