"""What the functions of cells take, for the signatures and docstrings of what is made of them.

Names, types and texts stand once, beside the code that reads the parameter: in the docstring's
``Args`` of a drawing function, or in the ``Attributes`` of a class of parameters. Those of an array
stand in `parameters.ARRAY`, those of several cells in `parameters.PIECES`.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from .parameters import ARRAY, PIECES

_SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:", "Yields:", "Example:", "Examples:")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a cell.

    Attributes:
        name: name, with the unit at its end.
        default: value where none is given.
        annotation: type.
        text: what it is, with its unit; empty where no docstring says it.
    """

    name: str
    default: Any
    annotation: Any
    text: str


def parameters_from(source: Callable[..., Any], defaults: dict[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters whose types and texts a function or a class of parameters gives.

    Args:
        source: drawing function, or dataclass of parameters.
        defaults: the parameters wanted, with their defaults.
    """
    try:
        hints = get_type_hints(source)
    except NameError:  # a cell of a user's own may name types that it imports for a checker only
        hints = {}
    told = {key: known.text for key, known in (ARRAY | PIECES).items()} | texts(source)
    return tuple(
        Parameter(key, value, hints.get(key, Any), _with_unit(key, told.get(key, "")))
        for key, value in defaults.items()
    )


def texts(source: Callable[..., Any]) -> dict[str, str]:
    """Return what ``Args`` or ``Attributes`` of a docstring says of each name."""
    parts = sections(inspect.getdoc(source) or "")
    found: dict[str, str] = {}
    current: list[str] = []
    for line in parts.get("Args:", parts.get("Attributes:", "")).splitlines():
        if line.startswith(" "):
            for name in current:
                found[name] += " " + line.strip()
            continue
        names, _, text = line.partition(": ")
        current = [name.strip() for name in names.split(",")]
        if text.startswith("see `"):  # said where that is
            current = []
        found |= dict.fromkeys(current, text)
    return found


def sections(doc: str) -> dict[str, str]:
    """Return the sections of a Google docstring by title, the text before them under ``""``."""
    found: dict[str, list[str]] = {"": []}
    title = ""
    for line in doc.splitlines():
        if line in _SECTIONS:
            title = line
            found[title] = []
        else:
            found[title].append(line)
    return {key: textwrap.dedent("\n".join(lines)).strip("\n") for key, lines in found.items()}


def docstring(doc: str, parameters: Sequence[Parameter], returns: str) -> str:
    """Return a Google docstring: the text of another one, with the ``Args`` of these parameters."""
    parts = sections(inspect.cleandoc(doc))
    entries: dict[str, list[str]] = {}  # what is said of several at once is said once
    for p in parameters:
        entries.setdefault(p.text or "see the cell.", []).append(p.name)
    lines = [parts[""].strip(), "", "Args:"]
    for text, names in entries.items():
        lines += textwrap.wrap(
            f"{', '.join(names)}: {text}", 96, initial_indent="    ", subsequent_indent="        "
        )
    lines += ["", "Returns:", f"    {returns}"]
    if raises := parts.get("Raises:"):
        lines += ["", "Raises:", textwrap.indent(raises, "    ")]
    return "\n".join([*lines, ""])


def _with_unit(name: str, text: str) -> str:
    """Return a text that names the unit of a length, whose name ends in it."""
    if not text or not name.endswith("_um") or " um" in text:
        return text
    return f"{text.rstrip('.')}; in um."
