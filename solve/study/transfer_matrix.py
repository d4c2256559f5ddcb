"""The linear map that an extracted network is: from what drives it to the currents it gives.

One factor and one solve per input (or per output, whichever are fewer) give the matrix;
thousands of input vectors are then one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base import names
from ...base.errors import DriveError
from ..modes.drives import gates_for, network_drives
from ..modes.mode import ArrayKind
from ..modes.modes import EXPANSION, mode_named
from ..network.linear import NetworkSolver
from ..network.network import Network

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TransferMatrix:
    """Output currents of a linear network: ``matrix @ voltages + offset``.

    Attributes:
        matrix: S, shape (outputs, inputs).
        offset: A, shape (outputs,): what all other drives give with every input at 0 V.
        inputs: names of the driven pins, in the order of the columns.
        outputs: names of the pins whose current is taken, in the order of the rows.
        kcl_residual: the largest of all solves.
    """

    matrix: Floats
    offset: Floats
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kcl_residual: float

    def currents(self, voltages: ArrayLike) -> Floats:
        """Return the current out of every output, shape (..., outputs), A.

        Args:
            voltages: V, shape (..., inputs): one vector, or as many as fit in memory.

        Raises:
            DriveError: if the last axis is not as long as there are inputs.
        """
        volts = np.asarray(voltages, dtype=np.float64)
        if volts.shape[-1:] != (len(self.inputs),):
            raise DriveError(
                f"voltages have shape {volts.shape}, expected (..., {len(self.inputs)})"
            )
        out: Floats = volts @ self.matrix.T + self.offset
        return out


def port_matrix(
    solver: NetworkSolver,
    inputs: Iterable[str],
    outputs: Iterable[str],
    fixed: Mapping[str, float] | None = None,
) -> TransferMatrix:
    """Return the map from voltages of some driven pins to currents of others.

    Args:
        solver: a factorised network.
        inputs: pins whose voltage varies.
        outputs: pins whose current counts, positive out of the network; held at the voltage
            that `fixed` gives them, 0 V otherwise.
        fixed: voltage of every other driven pin, V; 0 where not named.

    Raises:
        DriveError: naming a pin that is not driven, stands twice, or is input and output.
    """
    driven, volts = tuple(solver.edges.held), dict(fixed or {})
    given, sensed = _pins("inputs", inputs, driven), _pins("outputs", outputs, driven)
    _pins("fixed", volts, driven)
    both = [pin for pin in given if pin in sensed or pin in volts]
    if both:
        raise DriveError(f"port {both[0]!r} is an input; it cannot be fixed or an output too")
    quiet = dict.fromkeys(driven, 0.0)
    residuals = [0.0]

    def into(drive: dict[str, float], pins: tuple[str, ...]) -> list[float]:
        found = solver.solve(quiet | drive)
        residuals.append(found.kcl_residual)
        return [found.port_currents[pin] for pin in pins]

    # reciprocity: one volt on an output sends into the inputs what one volt on each input
    # sends into the output
    if len(sensed) < len(given):
        matrix = -np.array([into({pin: 1.0}, given) for pin in sensed])
    else:
        matrix = -np.array([into({pin: 1.0}, sensed) for pin in given]).T
    offset = np.zeros(len(sensed))
    if any(volts.values()):
        offset = -np.array(into(volts, sensed))
    for array in (matrix, offset):
        array.setflags(write=False)
    return TransferMatrix(matrix, offset, given, sensed, max(residuals))


def network_matrix(
    network: Network,
    conductances: ArrayLike,
    *,
    mode: str = EXPANSION,
    series: Mapping[str, Any] | None = None,
    **options: Any,
) -> TransferMatrix:
    """Return the map from inputs to column currents of an array or macro in one mode.

    Args:
        network: what `extract` found in the layout.
        conductances: memristors in S, shape (T, rows, cols).
        mode: one of `MODES`.
        series: keyword arguments of `solve_network` (switch_ohm, switch_off_ohm, port_ohm,
            wires).
        **options: keyword arguments of `mode_drives` (read_tier, write_column, ...).

    Returns:
        Inputs are the rows of every tier that computes, bottom tier first, so that in
        expansion mode ``currents(inputs.reshape(-1))`` are the column currents; a row with pins
        at both ends is one input, named by the near one, and drives both alike. Outputs are
        the columns, without one that is written, and `offset` is what the write
        does to them.

    Raises:
        ModeError: if the network does not offer the mode.
        DriveError: if a value does not fit the network.
    """
    kind = ArrayKind.of(network)
    shape = (max(kind.tiers, default=0) + 1, network.rows)
    idle = network_drives(network, mode, np.zeros(shape), **options)
    lit = network_drives(network, mode, np.ones(shape), **options)
    fixed = idle.port_voltages
    # the pins that carry an input are those that answer to it
    inputs = [pin for pin, volt in lit.port_voltages.items() if volt != fixed[pin]]
    computing = mode_named(mode).columns(network.cols, idle.request.write_column)
    outputs = [idle.outputs[j] for j in computing]
    solver = NetworkSolver(
        network,
        conductances=conductances,
        driven=fixed,
        gates=gates_for(network, idle),
        **dict(series or {}),
    )
    rest = {pin: volt for pin, volt in fixed.items() if pin not in inputs}
    return _by_row(port_matrix(solver, inputs, outputs, rest))


def _by_row(table: TransferMatrix) -> TransferMatrix:
    """Return the map with one input for both ends of a row, which carry the same voltage."""
    place = {pin: k for k, pin in enumerate(table.inputs)}
    near = {pin: place.get(names.far_end(pin)) for pin in table.inputs}
    rows = tuple(pin for pin in near if place[pin] not in near.values())
    if len(rows) == len(place):
        return table
    matrix = table.matrix[:, [place[pin] for pin in rows]]
    for k, pin in enumerate(rows):
        if (far := near[pin]) is not None:
            matrix[:, k] += table.matrix[:, far]
    matrix.setflags(write=False)
    return replace(table, matrix=matrix, inputs=rows)


def _pins(what: str, pins: Iterable[str], driven: tuple[str, ...]) -> tuple[str, ...]:
    """Return pins as a tuple, or a DriveError that names the wrong one."""
    found = tuple(pins)
    wrong = [pin for pin in found if pin not in driven]
    if wrong:
        raise DriveError(f"{what}: port {wrong[0]!r} is not among the solver's driven ports")
    if len(set(found)) < len(found):
        twice = next(pin for pin in found if found.count(pin) > 1)
        raise DriveError(f"{what}: port {twice!r} stands twice")
    return found
