"""Devices that are drawn but that no device came of, and what KLayout says of it in its log."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import klayout.db as db

from ..base.units import place
from .devices import kinds_of
from .extraction import ExtractedLayout, Finding
from .marks import MOST, centers, flat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .devices import DeviceKind

#: severities of KLayout's log that leave the result as it is
_HARMLESS = (db.LogEntryData.Info, db.LogEntryData.NoSeverity)
#: category of the log's entries about devices
_DEVICES = "device-extract"


def missed_devices(extracted: ExtractedLayout) -> list[Finding]:
    """Return gates and film crossings that became no device, and all that KLayout warned of.

    KLayout ignores a gate that does not part two areas of source and drain, such as one whose
    poly is branched, and only writes so into its log. The layout is then another circuit than
    its netlist, which no comparison can see.
    """
    found = [
        finding for kind in kinds_of(extracted.tech.nets) for finding in _missed(extracted, kind)
    ]
    for entry in extracted.l2n.each_log_entry():
        known = entry.category_name == _DEVICES and found
        if entry.severity in _HARMLESS or known or len(found) >= MOST:
            continue
        where = f" in cell {entry.cell_name}" if entry.cell_name else ""
        found.append(Finding("extraction", f"KLayout{where}: {entry.message}"))
    return found


def _missed(extracted: ExtractedLayout, kind: DeviceKind) -> Iterator[Finding]:
    """Yield the bodies of one kind that no device came of, by shape and by number."""
    made_of = extracted.tech.nets.device(kind.name)
    body = flat(extracted.regions[made_of.body]).merged()
    layer = kind.terminal_layer("ROW" if kind.is_memristor else "G")
    left = body - flat(extracted.regions[layer])
    for at in centers(left, extracted.dbu):
        what = "crossing" if kind.is_memristor else "gate"
        why = "" if kind.is_memristor else _why(extracted, made_of.conductor("S"), left, at)
        text = f"{kind.name} {what} at {place(at)} became no device{why}"
        yield Finding("device", text, (at,))
    devices = Counter(device.kind.name for device in extracted.flat.devices)[kind.name]
    if left.is_empty() and devices != body.count():
        text = f"{body.count()} of {kind.name} are drawn, and {devices} became a device"
        yield Finding("device", text)


def _why(
    extracted: ExtractedLayout, diffusion: str, left: db.Region, at: tuple[float, float]
) -> str:
    """Return how many areas of source and drain a gate touches, in words."""
    here = db.DPoint(*at)
    boxes = ((p, p.bbox().to_dtype(extracted.dbu)) for p in left.merged().each())
    gate = db.Region([p for p, box in boxes if box.center() == here])
    areas = flat(extracted.regions[diffusion]).interacting(gate).count()
    return f": it touches {areas} area{'' if areas == 1 else 's'} of {diffusion}, not 2"
