"""Routing tracks of a process: what its standard cells' technology LEF says, or what fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .ask import Ask
from .ranges import DISTANCE_UM, LENGTH_UM
from .tables import ProcessError, read_csv, table_of
from .tech import Tech

FILE, _COLUMNS = "tracks.csv", ("name", "direction", "pitch_um", "offset_um", "source")
DIRECTIONS = ("horizontal", "vertical")


@dataclass(frozen=True)
class Track:
    """Where wires of a metal run in a routed chip.

    Attributes:
        direction: ``horizontal`` or ``vertical``: which way most wires run.
        pitch_um: from the middle of one track to that of the next.
        offset_um: of the first track from the chip's corner.
        source: where this comes from.
    """

    direction: str
    pitch_um: float
    offset_um: float
    source: str


def tracks_of(tech: Tech) -> dict[str, Track]:
    """Return metal -> its tracks, of the process's ``tracks.csv`` or by its rules without one.

    Raises:
        ProcessError: for a table that lacks a metal, or has a value that no track can have.
    """
    path = tech.process.folder / FILE
    if not table_of(path).is_file():
        return _by_rules(tech)
    return read_tracks(path, tech.roles.wires, tech.name)


def read_tracks(path: Path, wires: tuple[str, ...], process: str) -> dict[str, Track]:
    """Return metal -> its tracks, as a table states them; raises as `tracks_of`."""
    found: dict[str, Track] = {}
    for row in read_csv(path, _COLUMNS):
        name, direction = row.text("name"), row.text("direction")
        pitch, offset = row.number("pitch_um", LENGTH_UM), row.number("offset_um", DISTANCE_UM)
        if name not in wires:
            raise row.wrong(f"{name} is no metal of {process}: {', '.join(wires)}")
        if name in found:
            raise row.wrong(f"{name} stands twice")
        if direction not in DIRECTIONS:
            raise row.wrong(f"direction = {direction!r}, allowed: {' or '.join(DIRECTIONS)}")
        if offset > pitch:
            raise row.wrong(f"offset_um = {offset:g}, allowed: 0 to pitch_um = {pitch:g} um")
        found[name] = Track(direction, pitch, offset, row.text("source"))
    if missing := [metal for metal in wires if metal not in found]:
        raise ProcessError(str(path), (f"no row for {', '.join(missing)}",))
    return found


def _by_rules(tech: Tech) -> dict[str, Track]:
    """Return tracks on which a via beside a wire keeps its space, directions taking turns."""
    ask, found = Ask(tech), {}
    cuts = (*tech.roles.below_vias, *tech.roles.vias)
    for k, metal in enumerate(tech.roles.wires):
        width = ask.width(metal)
        land = [width]
        for cut in cuts[max(0, k - 1) : k + 1]:
            end = max(ask.enclosure(metal, cut, 0.0), ask.line_end(cut, metal, 0.0))
            land.append(ask.size(cut) + 2 * end)
        pitch = round((max(land) + width) / 2 + ask.space(metal), 3)
        found[metal] = Track(DIRECTIONS[k % 2], pitch, round(pitch / 2, 3), "by the design rules")
    return found
