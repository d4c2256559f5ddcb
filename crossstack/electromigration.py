"""The currents of solved modes against what wires and cuts may carry for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .pdk import Tech
from .pdk.electromigration import TEMPERATURES_C, CurrentLimits, current_limits
from .solve.em import ElectromigrationReport, electromigration
from .solve.linear import NetworkSolution

if TYPE_CHECKING:
    from .solve.metrics import IrDrop
    from .solve.network import Network


def current_limits_of(tech: Tech, temperature_c: float) -> CurrentLimits | None:
    """Return the limits at the temperature of the wires, at least 85 C, where the manual begins.

    None above 125 C, where it ends.
    """
    if temperature_c > TEMPERATURES_C[-1]:
        return None
    return current_limits(tech, max(temperature_c, TEMPERATURES_C[0]))


def em_report(
    network: Network, limits: CurrentLimits | None, done: Mapping[str, IrDrop]
) -> dict[str, Any]:
    """Return the content of em.json: per mode the hardest wire and cut, per layer, per net.

    Every current counts as if it flowed all the time in one direction, also that of a write,
    which lasts for a pulse only.

    Args:
        network: extracted network.
        limits: what wires and cuts may carry; None if nobody says.
        done: mode -> solved mode.
    """
    if limits is None:
        return {"not_run": f"the manual's current limits end at {TEMPERATURES_C[-1]:g} C"}
    reports = {
        mode: electromigration(
            network, solution, wire_limits=limits.wire_a_per_um, cut_limits=limits.cut_a
        )
        for mode, result in done.items()
        if isinstance(solution := result.solution, NetworkSolution)
    }
    return {
        "temperature_c": limits.temperature_c,
        "counted": "every current as if it flowed all the time in one direction",
        "limits": _limits(limits),
        "modes": {mode: _mode(report, limits) for mode, report in reports.items()},
        "nets": _nets(network, reports),
    }


def _limits(limits: CurrentLimits) -> dict[str, dict[str, Any]]:
    """Return layer -> its limit, its unit and where it comes from."""
    both = ((limits.wire_a_per_um, "A/um"), (limits.cut_a, "A/cut"))
    return {
        layer: {
            "limit": amps,
            "unit": unit,
            "source": limits.sources[layer],
            "assumed": layer in limits.assumed,
        }
        for table, unit in both
        for layer, amps in table.items()
    }


def _mode(report: ElectromigrationReport, limits: CurrentLimits) -> dict[str, Any]:
    hardest = sorted(report.hardest.values(), key=lambda s: -s.ratio)
    wires = [s for s in hardest if s.layer in limits.wire_a_per_um]
    cuts = [s for s in hardest if s.layer in limits.cut_a]
    return {
        "above_limit": report.violations,
        "worst_wire": wires[0].to_json() if wires else None,
        "worst_cut": cuts[0].to_json() if cuts else None,
        "by_layer": {s.layer: s.to_json() for s in hardest},
        "unchecked_layers": list(report.unchecked),
    }


def _nets(
    network: Network, reports: Mapping[str, ElectromigrationReport]
) -> dict[str, dict[str, Any]]:
    """Return net with a pin -> the mode and layer that load it most, and how much."""
    found: dict[str, dict[str, Any]] = {}
    for mode, report in reports.items():
        used = np.nan_to_num(report.ratio)
        order = np.lexsort((-used, network.resistor_net))
        nets, first = np.unique(network.resistor_net[order], return_index=True)
        for net, k in zip(nets, order[first], strict=True):
            name = network.nets[int(net)]
            load = float(used[k])
            if name in network.ports and load > found.get(name, {}).get("ratio", 0.0):
                layer = network.layers[int(network.resistor_layer[k])]
                found[name] = {"mode": mode, "layer": layer, "ratio": load}
    return found
