"""Capacitance of nets to ground, to each other and to gates: from the field, or by a formula.

The field is that of three dimensions in every neighbourhood that differs (`tiles`): exact to
about 2 %, and slow where a neighbourhood was not solved before. The formula (`formula`) takes
seconds, and errs by a third on lines among neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import klayout.db as db

from ...base.layout import OpenedLayout
from ...lvs import ExtractedLayout, extract_layout
from ...pdk import CrossStackError, ParameterError, Tech, TechError
from ...pdk.check_bodies import problems_of_stack
from ..nets.report import Progress
from .formula import formula_capacitance
from .netcap import NetCapacitance

CAPACITANCE_ENGINES = ("formula", "field")


def net_capacitance(
    source: Path | str | db.Layout | OpenedLayout | ExtractedLayout,
    tech: Tech,
    *,
    nets: Iterable[str] | None = None,
    engine: str = "formula",
    progress: Progress | None = None,
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets, by net name.

    Gates count with the transistors' measured gate capacitance, when they conduct. Junctions of
    source and drain are left out: the tables of the process have none.

    Args:
        source: GDS or OASIS file, layout in memory, or what `lvs.extract_layout` returned.
        tech: technology.
        nets: patterns of net names, ``*`` for any text; None for every net, with a
            label or not.
        engine: 'formula' (first order) or 'field' (three-dimensional).
        progress: called with (what, done, total).

    Raises:
        ConvergenceError: if a field does not converge.
        CrossStackError: where numba, which the field needs, does not work.
        TechError: for films that lie in each other, whose capacitance would be lost.
        ParameterError: for a pattern that no net matches, or an unknown engine.
        FileError: if the file cannot be read.
    """
    if engine not in CAPACITANCE_ENGINES:
        raise ParameterError("engine", engine, "one of " + ", ".join(CAPACITANCE_ENGINES))
    # a folder of tables was asked before; figures may be changed in memory
    for problem in problems_of_stack(tech.films, tech.module, tech.nets):
        raise TechError(problem)
    layout = source if isinstance(source, ExtractedLayout) else extract_layout(source, tech)
    if engine == "formula":
        return formula_capacitance(layout, tech, nets, progress)
    try:
        # brings a compiler along
        from .tiles import field_capacitance
    except Exception as error:  # a NumPy that numba does not know, no folder for its cache, ...
        why = " ".join(str(error).split())
        raise CrossStackError(f"the field needs numba, which does not work here: {why}") from None
    return field_capacitance(layout, tech, nets, progress)
