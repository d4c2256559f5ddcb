"""Transistors in a netlist as the foundry's BSIM subcircuits, and what they need around them.

A network knows the net of each gate, not the place on it: gates sit on their net's pin, which
for direct current is the same. Bulks are on VSS and VDD, as LVS proves for the layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...pdk import Conditions, ParameterError, Tech
from ...pdk.foundry import Models, models
from ...solve.network.network import Network


@dataclass(frozen=True)
class Bsim:
    """How a netlist holds BSIM transistors.

    Attributes:
        tech: its process says what the subcircuits are called, its conditions are those of the
            transistors: corner, temperature and supply.
        models: folder of the foundry's model files (`crossstack.signoff.models.foundry_models`
            lends one); None leaves the library to whoever includes the netlist.
    """

    tech: Tech
    models: Path | None = None

    @property
    def conditions(self) -> Conditions:
        """Corner, temperature and supply of the transistors."""
        return self.tech.conditions

    @property
    def vdd_v(self) -> float:
        """Level of a gate that is high, V."""
        return self.conditions.supply_v

    @cached_property
    def kit(self) -> Models:
        """What the process says of its models."""
        return models(self.tech.process.folder)

    def bulk(self, kind: str) -> str:
        """Return the supply that the bulk of a kind of transistor is on."""
        return self.tech.nets.device(kind).supply

    def library(self) -> Iterator[str]:
        """Yield the lines that load the library; a remark where the folder is not known.

        Raises:
            ParameterError: for a folder without the library.
        """
        kit, section = self.kit, dict(self.kit.sections)[self.conditions.corner]
        temperature = f".temp {self.conditions.temperature_c:g}"
        if self.models is None:
            lines = (*kit.before, f".lib '{kit.library}' {section}", temperature)
            yield f"* needs, before it: {lines[0]}"
            yield from (f"* and: {line}" for line in lines[1:])
            return
        library = self.models / kit.library
        if not library.is_file():
            raise ParameterError("models", self.models, f"a folder that holds {kit.library}")
        yield from kit.before
        yield f".lib '{library}' {section}"
        yield temperature


def transistor_card(
    kit: Models, name: str, nodes: tuple[str, str, str, str], kind: str, w_um: float, l_um: float
) -> str:
    """Return one transistor; `nodes` are drain, gate, source and bulk.

    Each finger is a transistor of its own, with the diffusion of a lone one: fingers that
    share theirs have less, which no direct current notices.
    """
    return f"X{name} {' '.join(nodes)} {kit.subcircuit(kind)} {kit.parameters(w_um, l_um)}"


def transistors(
    network: Network, names: list[str], pins: Mapping[str, str], bsim: Bsim
) -> Iterator[str]:
    """Yield every transistor of a network.

    Args:
        network: with the transistors.
        names: of its nodes in the netlist.
        pins: pin -> its name in the netlist.
        bsim: how they are written.
    """
    gates = {
        k: pins[network.nets[k]] if node is None else names[node]
        for k, node in gate_nodes(network).items()
    }
    for k, p in enumerate(network.switch_p.tolist()):
        kind = "pfet" if p else "nfet"
        drain, source = names[network.switch_a[k]], names[network.switch_b[k]]
        nodes = (drain, gates[int(network.switch_gate[k])], source, pins[bsim.bulk(kind)])
        size = float(network.switch_w_um[k]), float(network.switch_l_um[k])
        yield transistor_card(bsim.kit, f"s{k}", nodes, kind, *size)


def more_pins(network: Network, bsim: Bsim) -> list[str]:
    """Return pins that BSIM transistors need beyond the network's: bulks, gates without wires."""
    kinds = {"pfet" if p else "nfet" for p in network.switch_p.tolist()}
    wanted = [bsim.bulk(kind) for kind in sorted(kinds)]
    wanted += [network.nets[k] for k, node in gate_nodes(network).items() if node is None]
    return [pin for pin in dict.fromkeys(wanted) if pin not in network.ports]


def pin_volts(
    network: Network, sources: Mapping[str, float], gates: Mapping[str, bool], bsim: Bsim
) -> dict[str, float]:
    """Return V of every driven pin: sources, gates at their level, supplies.

    Complements that an inverter of the layout drives have no pin and are left to it.
    """
    pins = [*network.ports, *more_pins(network, bsim)]
    volts = {"VSS": 0.0, "VDD": bsim.vdd_v}
    volts |= {net: bsim.vdd_v * gates.get(net, True) for net in network.gate_nets}
    volts |= sources
    return {pin: volts[pin] for pin in pins if pin in volts}


def gate_nodes(network: Network) -> dict[int, int | None]:
    """Return net -> node of the gates on it: its pin, any node of it, or None without wires."""
    nets, first = np.unique(network.resistor_net, return_index=True)
    wired = dict(zip(nets.tolist(), network.resistor_a[first].tolist(), strict=True))
    gates = np.unique(network.switch_gate).tolist()
    return {k: network.ports.get(network.nets[k], wired.get(k)) for k in gates}
