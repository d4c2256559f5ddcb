"""One call for both engines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import klayout.db as db

from ..base.layout import OpenedLayout
from ..lvs import ExtractedLayout
from ..pdk import CrossStackError, ParameterError, Tech
from ..solve.network.network import Network
from ..solve.network.wires import Wires
from .array.arraywires import array_wires
from .array.farads import ArrayFarads
from .array.grid import NotRegularError
from .array.periphery import joined
from .array.tile import array_size, extract_tiled
from .array.tiled import MOST_CELLS, TiledArray
from .nets.flat import extract_flat
from .nets.report import ExtractionReport, Progress

Source = Path | str | db.Layout | OpenedLayout | ExtractedLayout
ENGINES = ("auto", "flat", "tile")
#: cells above which `auto` tries the tile engine first
_LARGE = 64 * 64


@dataclass(frozen=True, eq=False)
class Extraction:
    """Wires of a layout.

    Attributes:
        report: what was done and what could not be taken into account.
        array: resistances as arrays, if the tile engine ran.
        rest: with an array: what stands around it, if that holds devices.
        flat_network: the network of the flat engine, if that ran.
    """

    report: ExtractionReport
    array: TiledArray | None = None
    flat_network: Network | None = None
    rest: Network | None = None
    column: str = "ME"

    def with_farads(self, farads: ArrayFarads) -> Extraction:
        """Return the same with the capacitances of its array."""
        assert self.array is not None
        return replace(self, array=replace(self.array, farads=farads))

    @cached_property
    def wires(self) -> tuple[Wires, ...]:
        """Every piece of wire, where these are kept apart from the network; see `extract`."""
        return () if self.array is None else array_wires(self.array, self.network)

    @cached_property
    def network(self) -> Network:
        """The network; of a tiled array, made on first use.

        Raises:
            ParameterError: for arrays too large for a network with named nodes; use `array`.
        """
        if self.flat_network is not None:
            return self.flat_network
        if self.array is None:
            raise CrossStackError("this extraction holds no wires")
        array = self.array.network(self.column)
        return array if self.rest is None else joined(array, self.rest)


def prefers_tiles(
    source: Source,
    tech: Tech,
    *,
    engine: str = "auto",
    nets: Iterable[str] | None = None,
    capacitance: bool = False,
) -> bool:
    """Return True where `extract` tries the tile engine first; it needs no devices for that."""
    if engine == "auto":
        least = MOST_CELLS if capacitance else _LARGE
        return nets is None and array_size(source, tech) > least
    return engine == "tile"


def extract(
    source: Source,
    tech: Tech,
    *,
    nets: Iterable[str] | None = None,
    engine: str = "auto",
    capacitance: bool = False,
    pieces: bool = False,
    progress: Progress | None = None,
) -> Extraction:
    """Extract the wires of a layout; returns network or arrays, and a report.

    Args:
        source: GDS or OASIS file, layout in memory, or what `lvs.extract_layout` returned.
        tech: technology, at the conditions that the network is to have (`Tech.at`).
        nets: patterns of the nets to extract, ``*`` for any text (``TR*``, ``C[3]``); the
            others become ideal wires. None for all nets. Needs the flat engine.
        engine: 'flat' (every net, any layout), 'tile' (regular arrays of any size) or
            'auto': tile for large regular arrays, flat for everything else.
        capacitance: True if the network is to carry capacitances: 'auto' then takes flat for
            every array that fits a network, as select lines are ideal in tile.
        pieces: True to keep, of an array of the tile engine, every piece of wire beside the
            network (`Extraction.wires`), for the currents in them; with devices around it, in the
            network, up to 256 x 256 cells. Not of an array too large for a network.
        progress: called with (what, done, total).

    Raises:
        ParameterError: for an unknown engine or net pattern, a film or
            cut without a positive resistance, or 'tile' for a layout that is no array.
        FileError: if the file cannot be read or holds nothing of this process.
    """
    if engine not in ENGINES:
        raise ParameterError("engine", engine, "one of " + ", ".join(ENGINES))
    if engine == "tile" and nets is not None:
        raise ParameterError("engine", engine, "flat or auto where nets are chosen")
    why_not = ""
    if prefers_tiles(source, tech, engine=engine, nets=nets, capacitance=capacitance):
        try:
            array, rest, report = extract_tiled(source, tech, progress=progress, pieces=pieces)
            _look_at_corner(tech, report)
            column = tech.roles.layer("middle_electrode")
            return Extraction(report, array=array, rest=rest, column=column)
        except NotRegularError as error:
            if engine == "tile":
                raise ParameterError(
                    "engine", engine, f"flat or auto for this layout: {error}"
                ) from None
            why_not = str(error)
    network, report = extract_flat(source, tech, nets=nets, progress=progress)
    if why_not:
        report.warn(f"flat engine used: {why_not}")
    _look_at_corner(tech, report)
    return Extraction(report, flat_network=network)


def _look_at_corner(tech: Tech, report: ExtractionReport) -> None:
    """Say which films the corner of an extraction does not change."""
    at = tech.conditions
    if remark := tech.without_corner(at.corner, at.sheet_resistance_ohm_sq):
        report.warn(remark)


def extract_network(
    source: Source,
    tech: Tech,
    *,
    nets: Iterable[str] | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
) -> Network:
    """Extract the wires of a layout as a network; see `extract`, which also reports."""
    return extract(source, tech, nets=nets, engine=engine, progress=progress).network
