"""The capacitance of a net: to ground, to other nets and to its gates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...lvs import ExtractedLayout, FlatNet
from ...pdk import Tech
from ..nets.patterns import no_net, pattern_matcher

#: silicon counts as ground
GROUND = "0"


@dataclass
class NetCapacitance:
    """Capacitance of one net in F.

    Attributes:
        name: net name.
        ground_f: to the silicon.
        gate_f: gates of transistors on the net, conducting.
        coupling_f: other net -> capacitance.
    """

    name: str
    ground_f: float = 0.0
    gate_f: float = 0.0
    coupling_f: dict[str, float] = field(default_factory=dict)

    @property
    def total_f(self) -> float:
        """Everything, as if the other nets stood still."""
        return self.ground_f + self.gate_f + sum(self.coupling_f.values())

    def add(self, other: str, value_f: float) -> None:
        """Add a capacitance to another net, or to ground."""
        if other == GROUND:
            self.ground_f += value_f
        elif value_f > 0:
            self.coupling_f[other] = self.coupling_f.get(other, 0.0) + value_f


def chosen_nets(
    layout: ExtractedLayout, names: list[str], nets: Iterable[str] | None
) -> list[FlatNet]:
    """Return the nets that patterns name; every net, with a label or not, for None.

    Raises:
        ParameterError: for a pattern that no net matches.
    """
    every = layout.flat.nets
    if nets is None:
        return list(every)
    chosen: dict[int, FlatNet] = {}
    for pattern in nets:
        matcher = pattern_matcher([pattern])
        some = {net.number: net for net in every if matcher.fullmatch(names[net.number])}
        if not some:
            raise no_net(pattern, names)
        chosen |= some
    return [chosen[k] for k in sorted(chosen)]


def gates_f(layout: ExtractedLayout, tech: Tech, net: FlatNet) -> float:
    """Return the capacitance of the transistors' gates on a net in F, conducting."""
    total = 0.0
    for number, position in layout.flat.terminals[net.number]:
        device = layout.flat.devices[number]
        if not device.kind.is_memristor and position == 1:
            model = tech.pfet if device.kind.name == "pfet" else tech.nfet
            total += model.cg_on_f_per_um * device.parameters[0]
    return total
