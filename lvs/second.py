"""Our nets and devices against Magic's: the same, place by place.

Each net of Magic's names a point on itself; our net at that point must be another one for each of
them, and all of ours must be met. Devices are paired by kind and place, and their terminals and the
top cell's labels must then lie on paired nets. Nothing is joined by name on either side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import klayout.db as db

from ..base.units import place
from .devices import KINDS
from .extraction import ExtractedLayout, Finding
from .flat import FlatDevice
from .magic import MagicDevice, MagicNetlist, labels_of_top, run_magic
from .magic_tech import conductors

#: Magic's substrate where no tap is drawn: no net of the wiring
_NO_SHAPE = "space"


@dataclass(frozen=True)
class SecondOpinion:
    """What a second extractor says.

    Attributes:
        program: it and its version.
        nets: number of nets, ours and theirs.
        devices: kind -> number of devices, ours and theirs.
        islands: pieces of theirs with no device and no label that are no net of ours: metal inside
            a cell that nothing reaches, such as a vernier, which KLayout leaves out.
        labels: labels that were compared.
        differences: everything that is not the same.
        seconds: run time of the program.
    """

    program: str
    nets: tuple[int, int]
    devices: dict[str, tuple[int, int]]
    islands: int
    labels: int
    differences: tuple[Finding, ...]
    seconds: float

    @property
    def agrees(self) -> bool:
        """True if both see the same nets and devices."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {
            "program": self.program,
            "agrees": self.agrees,
            "nets": dict(zip(("ours", "theirs"), self.nets, strict=True)),
            "devices": {
                kind: dict(zip(("ours", "theirs"), pair, strict=True))
                for kind, pair in self.devices.items()
            },
            "islands": self.islands,
            "labels": self.labels,
            "differences": [str(finding) for finding in self.differences],
            "seconds": round(self.seconds, 3),
        }


def ask_magic(
    layout: ExtractedLayout, drawn: db.Layout, *, timeout_s: float = 600.0
) -> SecondOpinion:
    """Compare an extracted layout with what Magic extracts from the same shapes.

    Args:
        layout: our nets and devices.
        drawn: the layout that they come from.
        timeout_s: for Magic.

    Raises:
        MagicError: if Magic is missing or did not read the layout.
    """
    top = layout.top_name
    theirs = run_magic(drawn, layout.tech, top, timeout_s=timeout_s)
    cell = drawn.cell(top)
    return compare_with(layout, theirs, labels_of_top(cell, layout.tech))


def compare_with(
    layout: ExtractedLayout, theirs: MagicNetlist, labels: list[tuple[str, db.Text]]
) -> SecondOpinion:
    """Compare an extracted layout with a netlist of Magic's; `labels` are the ones it was given."""
    compared = _Comparison(layout, theirs)
    differences = [
        *compared.net_differences(),
        *compared.device_differences(),
        *compared.label_differences(labels),
    ]
    ours = Counter(device.kind.name for device in layout.flat.devices)
    others = Counter(device.kind for device in theirs.devices)
    wired = sum(net.kind != _NO_SHAPE for net in theirs.nets) - compared.islands
    return SecondOpinion(
        f"magic {theirs.version}",
        (len(compared.drawn), wired),
        {kind.name: (ours[kind.name], others[kind.name]) for kind in KINDS},
        compared.islands,
        len(labels),
        tuple(differences),
        theirs.seconds,
    )


def with_opinion(value: dict[str, Any], opinion: SecondOpinion) -> dict[str, Any]:
    """Return an LVS report as JSON values with a second opinion: its differences are errors."""
    found = opinion.differences
    return {
        **value,
        "match": value["match"] and opinion.agrees,
        "errors": [*value["errors"], *map(str, found)],
        "findings": [*value["findings"], *(finding.to_json() for finding in found)],
        "second": opinion.to_json(),
    }


def opinion_line(opinion: SecondOpinion) -> str:
    """Return a second opinion as a line for people; its differences are errors of the report."""
    kinds = ", ".join(f"{n} {kind}" for kind, (_, n) in opinion.devices.items() if n)
    count = len(opinion.differences)
    verdict = f"{count} difference{'' if count == 1 else 's'}" if count else "agrees"
    return f"{opinion.program}: {verdict}; {opinion.nets[1]} nets, {kinds or 'no device'}"


class _Comparison:
    """Pairs nets and devices by place."""

    def __init__(self, layout: ExtractedLayout, theirs: MagicNetlist) -> None:
        self.layout, self.flat, self.theirs = layout, layout.flat, theirs
        self.dbu = layout.dbu
        self.index = _Index()
        self.drawn: set[int] = set()
        for net in self.flat.nets:
            for name, region in layout.net_shapes(net).items():
                if name in layout.wiring.conductors:
                    self.index.insert(name, region, net.number)
                    self.drawn.add(net.number)
        for number, device in enumerate(self.flat.devices):
            body = self.flat.terminal_shapes(device)["ROW" if device.kind.is_memristor else "G"]
            self.index.insert(f"device {device.kind.name}", body, number)
        self.pair = self._pairs()
        used = {n for device in theirs.devices for n in device.nets} | set(theirs.labels.values())
        unmet = {
            number
            for number, net in enumerate(theirs.nets)
            if number not in self.pair and net.kind != _NO_SHAPE
        }
        self.strangers = sorted(unmet & used)
        self.islands = len(unmet - used)

    def _pairs(self) -> dict[int, int]:
        """Return number of Magic's net -> number of ours."""
        on = conductors(self.layout.tech)
        found = {}
        for number, net in enumerate(self.theirs.nets):
            # types of stacked contacts are joined names
            kind = net.kind.replace("+", "/").split("/")[0]
            ours = self.index.at(on.get(kind, ""), net.at, self.dbu)
            if ours is not None:
                found[number] = ours
        return found

    def _name(self, number: int) -> str:
        if number < 0:
            return "no net"
        return self.flat.nets[number].name or f"an unlabelled net ({number})"

    def net_differences(self) -> Iterator[Finding]:
        """Yield nets that one side sees and the other does not."""
        met: dict[int, list[int]] = {}
        for number, ours in self.pair.items():
            met.setdefault(ours, []).append(number)
        for number in self.strangers:
            net = self.theirs.nets[number]
            text = f"magic sees a net of {net.kind} at {place(net.at)} where we see none"
            yield Finding("second", text, (net.at,))
        for ours, numbers in met.items():
            if len(numbers) > 1:
                at = tuple(self.theirs.nets[n].at for n in numbers)
                where = " and ".join(place(p) for p in at[:4])
                text = f"{self._name(ours)} is {len(numbers)} nets for magic, at {where}"
                yield Finding("second", text, at)
        for ours in sorted(self.drawn - set(met)):
            text = f"{self._name(ours)} is not a net of its own for magic"
            yield Finding("second", text)

    def device_differences(self) -> Iterator[Finding]:
        """Yield devices without a partner, and those with a terminal on another net."""
        met: set[int] = set()
        for device in self.theirs.devices:
            ours = self.index.at(f"device {device.kind}", device.at, self.dbu)
            what = f"{device.kind} at {place(device.at)}"
            if ours is None or ours in met:
                yield Finding("second", f"magic sees a {what} that we do not", (device.at,))
                continue
            met.add(ours)
            mine, other = self._terminals(self.flat.devices[ours]), self._paired(device)
            if mine != other:
                texts = (" ".join(self._name(n) for n in group) for side in (mine, other)
                         for group in side)  # fmt: skip
                yield Finding("second", f"{what}: terminals differ ({', '.join(texts)})",
                              (device.at,))  # fmt: skip
        for number, one in enumerate(self.flat.devices):
            if number not in met:
                text = f"{one.kind.name} at {place(one.at)} is none for magic"
                yield Finding("second", text, (one.at,))

    def _terminals(self, device: FlatDevice) -> tuple[tuple[int, ...], ...]:
        """Return the nets of our device: (bulk, gate) and the channel's ends in any order."""
        if device.kind.is_memristor:
            return (tuple(sorted(device.nets)),)
        drain, gate, source, bulk = device.nets
        return (bulk if bulk in self.drawn else -1, gate), tuple(sorted((drain, source)))

    def _paired(self, device: MagicDevice) -> tuple[tuple[int, ...], ...]:
        nets = [self.pair.get(n, -1) for n in device.nets]
        if device.kind.startswith("memristor"):
            return (tuple(sorted(nets)),)
        # a channel whose ends are joined has one terminal
        ends = nets[2:4] if len(nets) > 3 else nets[2:3] * 2
        return (nets[0], nets[1]), tuple(sorted(ends))

    def label_differences(self, labels: list[tuple[str, db.Text]]) -> Iterator[Finding]:
        """Yield labels that lie on another net for Magic."""
        ours = {(v.text, v.conductor, v.at): v.net for v in self.layout.labels}
        numbers = {n.net.cluster_id: n.number for n in self.flat.nets if not n.path}
        for number, (conductor, text) in enumerate(labels):
            at = (text.x * self.dbu, text.y * self.dbu)
            net = ours.get((text.string, conductor, at))
            mine = -1 if net is None else numbers.get(net.cluster_id, -1)
            other = self.pair.get(self.theirs.labels.get(number, -1), -1)
            if mine != other:
                text_ = f"label {text.string} at {place(at)} is on {self._name(mine)}"
                yield Finding("second", f"{text_}, for magic on {self._name(other)}", (at,))


class _Index:
    """Finds what lies at a place, by layer."""

    def __init__(self) -> None:
        self.layout = db.Layout()
        self.cell = self.layout.create_cell("INDEX")
        self.layers: dict[str, int] = {}

    def insert(self, name: str, region: db.Region, number: int) -> None:
        if name not in self.layers:
            self.layers[name] = self.layout.layer(len(self.layers) + 1, 0)
        properties = self.layout.properties_id({0: number})
        shapes = self.cell.shapes(self.layers[name])
        for polygon in region.each():
            shapes.insert(polygon, properties)

    def at(self, name: str, corner: tuple[float, float], dbu: float) -> int | None:
        """Return the number at the inside of a lower left corner given in um."""
        if name not in self.layers:
            return None
        point = db.Point(round(corner[0] / dbu) + 2, round(corner[1] / dbu) + 2)
        for shape in self.cell.shapes(self.layers[name]).each_touching(db.Box(point, point)):
            if shape.polygon.inside(point):
                return int(shape.property(0))
        return None
