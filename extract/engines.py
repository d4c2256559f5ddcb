"""One call for both engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import klayout.db as db

from ..lvs import ExtractedLayout
from ..pdk import Tech
from ..solve.network import Network
from .flat import Extraction, extract_flat
from .rates import Conditions
from .report import Progress

Source = Path | str | db.Layout | ExtractedLayout


def extract(
    source: Source,
    tech: Tech,
    *,
    nets: Iterable[str] | None = None,
    corner: str = "typ",
    temperature_c: float = 25.0,
    size_bias_um: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> Extraction:
    """Extract the wires of a layout; returns the network and a report with the warnings.

    Args:
        source: GDS or OASIS file, layout in memory, or what `lvs.extract_layout` returned.
        tech: technology.
        nets: patterns of the nets to extract, ``*`` for any text (``TR*``, ``C[3]``); the
            others become ideal wires. None for all nets.
        corner: 'typ', 'min' or 'max' resistance.
        temperature_c: temperature in degrees C.
        size_bias_um: conductor -> growth of the drawn shape per edge in um.
        progress: called with (what, done, total).

    Raises:
        ParameterError: for an unknown corner, net pattern or conductor, or a film or cut
            without a positive resistance.
        FileError: if the file cannot be read or holds nothing of this process.
    """
    at = Conditions(corner, temperature_c, dict(size_bias_um or {}))
    return extract_flat(source, tech, nets=nets, conditions=at, progress=progress)


def extract_network(
    source: Source,
    tech: Tech,
    *,
    nets: Iterable[str] | None = None,
    corner: str = "typ",
    temperature_c: float = 25.0,
    size_bias_um: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> Network:
    """Extract the wires of a layout; see `extract`, which also returns the report."""
    return extract(
        source,
        tech,
        nets=nets,
        corner=corner,
        temperature_c=temperature_c,
        size_bias_um=size_bias_um,
        progress=progress,
    ).network
