"""Transistors in a netlist as the foundry's BSIM subcircuits, and what they need around them.

A network knows the net of each gate, not the place on it: gates sit on their net's pin, which
for direct current is the same. Bulks are on VSS and VDD, as LVS proves for the layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..pdk import Conditions, ParameterError
from ..solve.network import Network

#: our device class -> subcircuit of the foundry's library
MODELS = {"nfet": "nmos_3p3", "pfet": "pmos_3p3"}
#: our corner of the wires -> section of the library: low resistance is fast
SECTIONS = {"typ": "typical", "min": "ff", "max": "ss"}
LIBRARY = "sm141064.ngspice"
SUPPLIES = {"nfet": "VSS", "pfet": "VDD"}
#: switches of the library that its subcircuits ask for (pdk/gf180mcuD/SOURCES.md section 6)
PARAMETERS = (
    ".param sw_stat_global=0 sw_stat_mismatch=0 mc_skew=3 res_mc_skew=3 cap_mc_skew=3 fnoicor=0"
)
#: reach of source and drain beyond the gate, um, and squares per um of width between contact
#: and channel, as in the foundry's one-finger NMOS (pdk/gf180mcuD/SOURCES.md section 7)
_REACH_UM, _SQUARES_UM = 0.44, 0.26


@dataclass(frozen=True)
class Bsim:
    """How a netlist holds BSIM transistors.

    Attributes:
        models: folder of the foundry's model files (`crossstack.signoff.models.foundry_models`
            lends one); None leaves the library to whoever includes the netlist.
        conditions: corner, temperature and supply of the transistors.
    """

    models: Path | None = None
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def vdd_v(self) -> float:
        """Level of a gate that is high, V."""
        return self.conditions.supply_v

    def library(self) -> Iterator[str]:
        """Yield the lines that load the library; a remark where the folder is not known.

        Raises:
            ParameterError: for a folder without the library.
        """
        section = SECTIONS[self.conditions.corner]
        temperature = f".temp {self.conditions.temperature_c:g}"
        if self.models is None:
            yield f"* needs, before it: {PARAMETERS}"
            yield f"* and: .lib '{LIBRARY}' {section}"
            yield f"* and: {temperature}"
            return
        library = self.models / LIBRARY
        if not library.is_file():
            raise ParameterError("models", self.models, f"a folder that holds {LIBRARY}")
        yield PARAMETERS
        yield f".lib '{library}' {section}"
        yield temperature


def transistor_card(
    name: str, nodes: tuple[str, str, str, str], kind: str, w_um: float, l_um: float
) -> str:
    """Return one transistor; `nodes` are drain, gate, source and bulk.

    Each finger is a transistor of its own (nf=1), with the diffusion of a lone one: fingers that
    share theirs have less, which no direct current notices.
    """
    side = f"{w_um * _REACH_UM:.6g}p", f"{2 * (w_um + _REACH_UM):.6g}u", f"{_SQUARES_UM / w_um:.6g}"
    return (
        f"X{name} {' '.join(nodes)} {MODELS[kind]} w={w_um:.6g}u l={l_um:.6g}u as={side[0]} "
        f"ad={side[0]} ps={side[1]} pd={side[1]} nrs={side[2]} nrd={side[2]} nf=1"
    )


def transistors(network: Network, names: list[str], pins: Mapping[str, str]) -> Iterator[str]:
    """Yield every transistor of a network.

    Args:
        network: with the transistors.
        names: of its nodes in the netlist.
        pins: pin -> its name in the netlist.
    """
    gates = {
        k: pins[network.nets[k]] if node is None else names[node]
        for k, node in gate_nodes(network).items()
    }
    for k, p in enumerate(network.switch_p.tolist()):
        kind = "pfet" if p else "nfet"
        drain, source = names[network.switch_a[k]], names[network.switch_b[k]]
        nodes = (drain, gates[int(network.switch_gate[k])], source, pins[SUPPLIES[kind]])
        yield transistor_card(
            f"s{k}", nodes, kind, float(network.switch_w_um[k]), float(network.switch_l_um[k])
        )


def more_pins(network: Network) -> list[str]:
    """Return pins that BSIM transistors need beyond the network's: bulks, gates without wires."""
    kinds = {"pfet" if p else "nfet" for p in network.switch_p.tolist()}
    wanted = [SUPPLIES[kind] for kind in sorted(kinds)]
    wanted += [network.nets[k] for k, node in gate_nodes(network).items() if node is None]
    return [pin for pin in dict.fromkeys(wanted) if pin not in network.ports]


def pin_volts(
    network: Network, sources: Mapping[str, float], gates: Mapping[str, bool], bsim: Bsim
) -> dict[str, float]:
    """Return V of every driven pin: sources, gates at their level, supplies.

    Complements that an inverter of the layout drives have no pin and are left to it.
    """
    pins = [*network.ports, *more_pins(network)]
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
