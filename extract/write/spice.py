"""The network as SPICE: devices and wires in one subcircuit, and a bench to run it.

Memristors are resistors, or follow a law where asked. Transistors are resistors by
their gate's level, R_on(W) when they conduct, left out when they do not; or the foundry's BSIM
subcircuits with real gates and bulks (`bsim`). Node names are those of the network, so `TR[3]` in
the netlist is the pin TR[3] of the layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.names import TIER_NAMES, cell_name
from ...base.outputs import write_text
from ...pdk import Conditions, ParameterError, Tech
from ...pdk.conditions import agree
from ...solve.network.network import Network
from ..field.lumps import lumps, transistor_ends, without_small
from .bsim import Bsim, gate_nodes, more_pins, pin_volts, transistors
from .model import PARAMETERS as MODEL_PARAMETERS
from .model import MemristorModel
from .wires import AT_BEST, Capacitors, Nodes, flat_wires, shared_wires, wrapped

if TYPE_CHECKING:
    from ...solve.circuit.iv import SpiceLaw
    from ..field.netcap import NetCapacitance

Floats = NDArray[np.float64]
#: off-state nodes hang free: rshunt pins them without a measurable current
_RESISTOR_OPTIONS = "reltol=1e-9 abstol=1e-18 vntol=1e-12 gmin=1e-18 rshunt=1e18"
#: what a BSIM transistor that is off leaks matters more; Newton need not go as far
_BSIM_OPTIONS = "reltol=1e-7 abstol=1e-15 vntol=1e-10 gmin=1e-14 rshunt=1e14"


def write_spice(
    network: Network,
    tech: Tech,
    path: str | Path,
    *,
    memristor_ohm: ArrayLike | None = None,
    laws: Sequence[SpiceLaw | None] | None = None,
    switch_ohm: ArrayLike | None = None,
    gates: Mapping[str, bool] | None = None,
    sources: Mapping[str, float] | None = None,
    capacitance: Mapping[str, NetCapacitance] | None = None,
    least_coupling: float = 0.0,
    hierarchical: bool = False,
    bsim: Bsim | None = None,
    model: MemristorModel | None = None,
    title: str | None = None,
    name: str = "crossstack",
) -> Path:
    """Write a network as a SPICE netlist.

    Args:
        network: extracted network.
        tech: device parameters (R_on of memristors and transistors), at the conditions of the
            network.
        path: target file.
        memristor_ohm: resistance of the memristors in ohm, a number or shape
            (tiers, rows, cols); None for the technology's R_on. One that is infinite is left
            out.
        laws: what the memristors of each tier follow, with G = 1 / memristor_ohm; None is linear.
        switch_ohm: on resistance of every transistor in ohm, in the network's order; None for
            the least of its width.
        gates: level of each gate net, True for high; None for all high. A net that is not
            named counts as high.
        sources: pin -> voltage in V. With sources the file is a complete bench: it runs `op`
            and prints for each source a line `pin NAME` and a line `iN = current into the network`.
            With `bsim` it also prints for each memristor a line `device TIER ROW COL` and the
            voltages of its row-side and its column-side node.
        capacitance: by net, from `net_capacitance`; None for resistors only. Transistors that are
            resistors get that of their sources and drains beside; with `bsim` neither these nor
            the gates are written, which are the transistors' own.
        least_coupling: share of both nets' capacitance below which a coupling counts as ground, as
            simulators take their time by couplings.
        hierarchical: True writes the wires of each distinct net once, as a subcircuit.
        bsim: transistors as BSIM subcircuits, on and off by `gates` in the bench; None for
            resistors.
        model: subcircuit that memristors call, with tier, row, column, area in um2 and
            conductance in S; None for resistors, or the laws.
        title: first line; a standard one if None.
        name: of the subcircuit, and first part of the name of those that it calls: two blocks
            of other names can stand in one deck.

    Returns:
        The path written.

    Raises:
        ParameterError: for a pin that does not exist, a resistance that is not positive, a
            folder without the foundry's models, or conditions other than the network's.
        FileError: if the file cannot be written.
    """
    _refuse(network, tech, laws, switch_ohm, bsim, model, least_coupling)
    path, gates, name = Path(path), gates or {}, cell_name(name)
    nodes = Nodes(network)
    if bsim is not None:
        nodes = Nodes(network, gate_nodes(network).values(), more_pins(network, bsim))
    # a BSIM transistor brings the capacitance of its gate along
    farad = without_small(capacitance or {}, least_coupling)
    if bsim is not None:
        farad = {net: replace(found, gate_f=0.0) for net, found in farad.items()}
    capacitors = Capacitors(nodes, lumps(network, farad))
    if hierarchical:
        definitions, wires = shared_wires(network, nodes, capacitors, name)
    else:
        definitions, wires = [], flat_wires(network, nodes)
    ohm, laws = _ohms(network, tech, memristor_ohm), laws or [None] * len(TIER_NAMES)
    lines = [
        f"* {title or 'CrossStack: devices and wires as extracted from the layout'}",
        *_made_at(network),
        *([AT_BEST] if len(network.switch_a) and bsim is None and switch_ohm is None else ()),
        *_lumped_at(least_coupling if farad else 0.0),
        *(bsim.library() if bsim else ()),
        *([model.include] if model else ()),
        *definitions,
        *wrapped([f".subckt {name}", *nodes.pin_names.values()]),
        *wires,
        *nodes.ties(),
        *_memristors(network, nodes.names, ohm, laws, model),
    ]
    if bsim is not None:
        lines += transistors(network, nodes.names, nodes.pin_names, bsim)
    else:
        lines += _switches(network, nodes.names, _switch_ohms(network, tech, switch_ohm), gates)
        lines += _ends(network, nodes, tech, gates) if capacitance else ()
    lines += [*capacitors.cards(), f".ends {name}"]
    if sources is not None:
        lines += _bench_of(network, nodes, name, sources, gates, bsim)
    write_text(path, "\n".join([*lines, ".end"]) + "\n")
    return path


def _refuse(
    network: Network,
    tech: Tech,
    laws: Sequence[SpiceLaw | None] | None,
    switch_ohm: ArrayLike | None,
    bsim: Bsim | None,
    model: MemristorModel | None,
    least_coupling: float,
) -> None:
    """Raise ParameterError for arguments that exclude each other, or are of other conditions."""
    if model is not None and any(laws or ()):
        raise ParameterError("laws", laws, "None: a model of the user's has its own")
    if bsim is not None and switch_ohm is not None:
        raise ParameterError("switch_ohm", switch_ohm, "None: BSIM transistors have their own")
    for at in (tech.conditions, *([bsim.conditions] if bsim else [])):
        agree(network.conditions, at)
    if not 0 <= least_coupling <= 1:
        raise ParameterError("least_coupling", least_coupling, "0 .. 1")


def _made_at(network: Network) -> Iterator[str]:
    """Yield the remark that says at which conditions the wires were extracted."""
    if network.conditions:
        yield f"* conditions: {Conditions.from_json(network.conditions).text}"


def _lumped_at(share: float) -> Iterator[str]:
    """Yield the remark that says which couplings count as ground."""
    if share:
        yield f"* couplings below {share:.4g} of both nets' capacitance count as ground"


def _per_device(network: Network, name: str, value: ArrayLike) -> Floats:
    shape = (max(network.tiers, default=0) + 1, network.rows, network.cols)
    given = np.asarray(value, dtype=np.float64)
    if given.shape not in {(), shape}:
        raise ParameterError(name, given.shape, f"one number or the shape {shape}")
    return np.broadcast_to(given, shape)


def _ohms(network: Network, tech: Tech, value: ArrayLike | None) -> Floats:
    if value is None:
        ohm = np.full(network.present.shape, tech.memristor.r_on_ohm)
        ohm[network.memristor_tier, network.memristor_row, network.memristor_col] /= (
            tech.memristor.scale(network.memristor_area_um2)
        )
        return ohm
    ohm = _per_device(network, "memristor_ohm", value)
    if not (ohm > 0).all():
        raise ParameterError("memristor_ohm", float(ohm.min()), "positive")
    return ohm


def _memristors(
    network: Network,
    names: list[str],
    ohm: Floats,
    laws: Sequence[SpiceLaw | None],
    model: MemristorModel | None,
) -> Iterator[str]:
    for k in range(len(network.memristor_row)):
        at = (network.memristor_tier[k], network.memristor_row[k], network.memristor_col[k])
        if np.isinf(ohm[at]):
            continue
        a, b = names[network.memristor_a[k]], names[network.memristor_b[k]]
        if model is not None:
            values = (*at, network.memristor_area_um2[k], 1.0 / float(ohm[at]))
            told = dict(zip(MODEL_PARAMETERS, map(float, values), strict=True))
            yield model.call(f"m_{TIER_NAMES[at[0]]}_{at[1]}_{at[2]}", (a, b), told)
            continue
        name = f"x_{TIER_NAMES[at[0]]}_{at[1]}_{at[2]} {a} {b}"
        law = laws[at[0]]
        if law is None:
            yield f"R{name} {ohm[at]:.9g}"
        else:
            yield f"B{name} I={law.spice(1.0 / float(ohm[at]), f'V({a},{b})')}"


def _switch_ohms(network: Network, tech: Tech, value: ArrayLike | None) -> Floats:
    if value is None:
        rows = zip(network.switch_w_um, network.switch_l_um, network.switch_p, strict=True)
        kinds = ((tech.pfet if p else tech.nfet, float(w), float(length)) for w, length, p in rows)
        return np.array([k.sized_ohm(w, length) for k, w, length in kinds])
    given = np.asarray(value, dtype=np.float64)
    if given.shape != network.switch_a.shape or not (given > 0).all():
        allowed = f"positive, shape {network.switch_a.shape}"
        raise ParameterError("switch_ohm", given.shape, allowed)
    return given


def _switches(
    network: Network, names: list[str], ohms: Floats, gates: Mapping[str, bool]
) -> Iterator[str]:
    last = ""
    for k in range(len(network.switch_a)):
        gate = network.nets[network.switch_gate[k]]
        if gates.get(gate, True) == bool(network.switch_p[k]):
            continue
        a, b = names[network.switch_a[k]], names[network.switch_b[k]]
        if gate != last:
            yield f"* gate {gate}"
            last = gate
        yield f"Rs{k} {a} {b} {ohms[k]:.9g}"


def _ends(network: Network, nodes: Nodes, tech: Tech, gates: Mapping[str, bool]) -> Iterator[str]:
    """Yield the capacitance of sources and drains, which resistors do not bring along."""
    total: dict[str, float] = {}
    for node, _, farad in transistor_ends(network, tech, gates):
        name = nodes.names[node]
        total[name] = total.get(name, 0.0) + farad
    for k, (name, farad) in enumerate(total.items()):
        yield f"Ce{k} {name} 0 {farad:.6g}"


def _check_pins(network: Network, sources: Mapping[str, float]) -> None:
    unknown = [pin for pin in sources if pin not in network.ports]
    if unknown:
        some = ", ".join(list(network.ports)[:6])
        raise ParameterError("sources", unknown[0], f"a pin of the network such as {some}")


def _bench_of(
    network: Network,
    nodes: Nodes,
    name: str,
    sources: Mapping[str, float],
    gates: Mapping[str, bool],
    bsim: Bsim | None,
) -> Iterator[str]:
    """Yield what makes the netlist a bench: with BSIM transistors, that prints devices, too."""
    _check_pins(network, sources)
    pins = nodes.pin_names
    if bsim is None:
        yield from _bench(name, list(pins), sources, _RESISTOR_OPTIONS, ())
        return
    volts = pin_volts(network, sources, gates, bsim)
    prints = _device_prints(network, nodes.names, list(pins.values()))
    yield from _bench(name, list(pins), volts, _BSIM_OPTIONS, prints)


def _bench(
    name: str, pins: list[str], volts: Mapping[str, float], options: str, more: Iterable[str]
) -> Iterator[str]:
    """Return the instance, the sources and a control block that prints their currents."""
    order = {pin: k for k, pin in enumerate(pins)}
    yield from wrapped(["Xdut", *(f"p{order[pin]}" for pin in pins), name])
    for pin, value in volts.items():
        yield f"V{order[pin]} p{order[pin]} 0 {value:.9g}"
    yield f".options {options} numdgt=12"
    yield ".control"
    yield "set numdgt=12"
    yield "op"
    for pin in volts:
        yield f"let i{order[pin]} = -i(v{order[pin]})"
        yield f"echo pin {pin}"
        yield f"print i{order[pin]}"
    yield from more
    yield "quit"
    yield ".endc"


def _device_prints(network: Network, names: list[str], pins: list[str]) -> Iterator[str]:
    """Yield what prints the voltages at each memristor's ends."""
    order = {pin: f"p{k}" for k, pin in enumerate(pins)}
    for k in range(len(network.memristor_row)):
        tier = TIER_NAMES[network.memristor_tier[k]]
        yield f"echo device {tier} {network.memristor_row[k]} {network.memristor_col[k]}"
        for node in (network.memristor_a[k], network.memristor_b[k]):
            name = names[node]
            yield f'print "v({order.get(name, f"xdut.{name}".lower())})"'
