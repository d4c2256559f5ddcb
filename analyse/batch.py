"""Many input vectors through one extracted network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import names
from ..base.names import BOTTOM
from ..base.outputs import one_step
from ..base.units import percent
from ..solve.modes.drives import tier_index
from ..solve.modes.modes import mode_named
from ..solve.study.metrics import total_current
from . import analysis
from .operating import Laws, mode_ohm, write_options

if TYPE_CHECKING:
    from ..pdk import Tech
    from ..solve.circuit.iv import DeviceLaw
    from ..solve.network.network import Network
    from .progress import Step

Floats = NDArray[np.float64]

#: vectors that are solved on their own, to show what one transistor resistance for all leaves:
#: those farthest from the mean, for which the transistors were taken
CHECKED = 3


@dataclass(frozen=True, eq=False)
class Batch:
    """Column currents of many input vectors.

    Attributes:
        columns: number of each column in `currents`.
        currents: A, shape (vectors, columns).
        ideal: the same without any drop.
        matrix_error: largest difference between the linear map, with one resistance of each
            transistor for all vectors, and the vectors farthest from the mean solved on their
            own, as a fraction of the largest ideal current; None if every one was.
        checked: how many were solved on their own for that.
        kcl_residual: the largest.
    """

    columns: tuple[int, ...]
    currents: Floats
    ideal: Floats
    matrix_error: float | None
    kcl_residual: float
    checked: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what is said of the batch as a whole."""
        scale = float(np.abs(self.ideal).max())
        off = np.abs(self.currents - self.ideal)
        return {
            "vectors": len(self.currents),
            "columns": list(self.columns),
            "lost": 1.0 - float(np.abs(self.currents).sum() / np.abs(self.ideal).sum())
            if scale
            else None,
            "worst_error": float(off.max()) / scale if scale else None,
            "matrix_error": self.matrix_error,
            "checked": self.checked,
            "kcl_residual": self.kcl_residual,
        }

    def write_csv(self, path: Path) -> None:
        """Write a line per vector: the current out of every column, then the ideal ones, A."""
        lines = [names.column(j) for j in self.columns]
        head = [f"{line}_A" for line in lines] + [f"{line}_ideal_A" for line in lines]
        rows = np.concatenate([self.currents, self.ideal], axis=1)
        with one_step(path) as work:
            np.savetxt(work, rows, delimiter=",", header=",".join(head), comments="", fmt="%.9g")


def batch_lines(value: Mapping[str, Any] | None) -> list[str]:
    """Return what is said of a batch, given as JSON values, for people."""
    if value is None:
        return []
    if value["lost"] is None:
        return [f"{value['vectors']} vectors whose every ideal column current is zero"]
    lines = [
        f"{value['vectors']} vectors: {percent(value['lost'])} of the current lost, largest "
        f"error {percent(value['worst_error'])} of the largest ideal current"
    ]
    if value["matrix_error"] is not None:
        lines.append(
            "As one linear map, transistors at work for the mean of the magnitudes; the "
            f"{value['checked']} vectors farthest from it, solved on their own, differ by "
            f"{percent(value['matrix_error'])} of the largest current"
        )
    return lines


def solve_batch(
    network: Network,
    tech: Tech,
    conductances: Floats,
    vectors: Floats,
    mode: str,
    *,
    laws: Laws | None = None,
    step: Step | None = None,
    **options: Any,
) -> Batch:
    """Return column currents for many input vectors.

    Linear devices make the array a linear map, so that one solve per column serves any number
    of vectors; transistors then have the resistance at which they work for the mean vector.
    Nonlinear devices are solved vector by vector.

    Args:
        network: an extracted network.
        tech: the transistors' models.
        conductances: memristors in S, shape (T, rows, cols).
        vectors: V, shape (vectors, T, rows).
        mode: one of `MODES`.
        laws: what memristors follow; None for the technology's.
        step: told of progress.
        **options: of `mode_drives`.
    """
    laws = Laws.of(tech) if laws is None else laws
    device = laws.every
    # either polarity of a write leaves the columns that are read the same
    options = next(write_options(tech, mode, options))
    mean = np.abs(vectors).mean(axis=0)
    ohm = mode_ohm(
        network, tech, analysis.Stimulus(conductances, mean, {}), mode, **laws.options, **options
    )
    alone = _Alone(network, tech, conductances, mode, ohm, laws, options)
    kind, read_tier = mode_named(mode), tier_index(options.get("read_tier", BOTTOM))
    tiers = kind.reading(len(conductances), read_tier)
    columns = kind.columns(network.cols, options.get("write_column", 0))
    ideal = _ideal(device, conductances[tiers], vectors[:, tiers])[:, columns]
    if device is None:
        far = np.abs(np.abs(vectors) - mean).sum(axis=(1, 2))
        chosen = np.argsort(-far, kind="stable")[:CHECKED]
        currents, off = _by_matrix(alone, vectors, tiers, ideal, chosen)
        return Batch(tuple(columns), currents, ideal, off, alone.residual, len(chosen))
    found = []
    for done, volts in enumerate(vectors):
        if step is not None:
            step("vectors", done, len(vectors))
        found.append(alone.currents(volts)[columns])
    return Batch(tuple(columns), np.array(found), ideal, None, alone.residual)


def _by_matrix(
    alone: _Alone, vectors: Floats, tiers: list[int], ideal: Floats, chosen: NDArray[np.intp]
) -> tuple[Floats, float]:
    """Return the currents of all vectors, and how far the chosen ones are off on their own."""
    from ..solve.study.transfer_matrix import network_matrix

    table = network_matrix(
        alone.network,
        alone.conductances,
        mode=alone.mode,
        series={"switch_ohm": alone.ohm},
        **alone.options,
    )
    alone.residual = table.kcl_residual
    columns = [names.number_of(pin) for pin in table.outputs]
    # tiers that share their row lines have one input for both
    lines = tiers if len(table.inputs) > alone.network.rows else tiers[:1]
    currents = table.currents(vectors[:, lines].reshape(len(vectors), -1))
    scale = float(np.abs(ideal).max()) or float(np.abs(currents).max()) or 1.0
    off = [
        float(np.abs(alone.currents(vectors[k])[columns] - currents[k]).max()) / scale
        for k in chosen
    ]
    return currents, max(off)


def _ideal(device: DeviceLaw | None, conductances: Floats, vectors: Floats) -> Floats:
    """Return column currents without any drop, shape (vectors, cols), A."""
    if device is None:
        total: Floats = np.einsum("btr,trc->bc", vectors, conductances)
        every = np.einsum("btr,trc->bc", np.abs(vectors), conductances)
        noise = conductances[..., 0].size * np.finfo(np.float64).eps * every
        return np.where(np.abs(total) <= noise, 0.0, total)
    shape = conductances.shape
    return np.array(
        [
            total_current(
                device.current(conductances, np.broadcast_to(v[:, :, None], shape)), (0, 1)
            )
            for v in vectors
        ]
    )


class _Alone:
    """Solves one vector with every transistor where it works for it."""

    def __init__(
        self,
        network: Network,
        tech: Tech,
        conductances: Floats,
        mode: str,
        ohm: Floats,
        laws: Laws,
        options: dict[str, Any],
    ) -> None:
        self.network, self.tech, self.conductances, self.mode = network, tech, conductances, mode
        self.ohm, self.laws, self.options = ohm, laws, options
        self.residual = 0.0

    def currents(self, volts: Floats) -> Floats:
        """Return the current out of every column, A."""
        from ..solve.modes.drives import gates_for, network_drives
        from ..solve.network.linear import solve_network
        from ..solve.network.nonlinear import solve_network_nonlinear
        from ..solve.study.metrics import law_in

        what = analysis.Stimulus(self.conductances, volts, {})
        ohm = mode_ohm(
            self.network, self.tech, what, self.mode, start=self.ohm,
            **self.laws.options, **self.options,
        )  # fmt: skip
        drives = network_drives(self.network, self.mode, volts, **self.options)
        arguments: dict[str, Any] = {
            "conductances": self.conductances,
            "port_voltages": drives.port_voltages,
            "gates": gates_for(self.network, drives),
            "switch_ohm": ohm,
        }
        law = law_in(self.network, drives.request, self.laws.every, self.laws.write)
        if law is None:
            solved = solve_network(self.network, **arguments)
        else:
            solved = solve_network_nonlinear(self.network, device=law, **arguments)
        self.residual = max(self.residual, solved.kcl_residual)
        return np.array([-solved.port_currents[pin] for pin in drives.outputs])
