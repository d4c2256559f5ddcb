"""What is compared with what, and how each layout comes to be: drawn, proved, extracted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..generators import ArraySpec
from ..pdk import ParameterError, Tech
from ..pdk.ranges import MAX_LINES

if TYPE_CHECKING:
    import klayout.db as db

    from ..console import Console
    from ..lvs import ExtractedLayout
    from ..solve.network.network import Network

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A stacked layout and the planar baseline with the same number of inputs.

    Attributes:
        key: short name.
        text: what the pair shows.
        stacked, planar: the two layouts.
    """

    key: str
    text: str
    stacked: ArraySpec
    planar: ArraySpec


def pairs(base: ArraySpec) -> list[Pair]:
    """Return the comparisons for an N x M x 2 array.

    The baselines are drawn by the same generator with the same cell, wires, pitches and
    switches: one tier only, with all 2N inputs as rows. One more stands at the planar cell's own
    least pitch, where its rows are shorter.

    Raises:
        ParameterError: if the baselines would be larger than the largest array.
    """
    n, m = base.rows, base.cols
    if 2 * n > MAX_LINES:
        allowed = f"1 .. {MAX_LINES // 2}, since the planar baseline has twice as many"
        raise ParameterError("rows", n, allowed)
    stacked = replace(base, cell="hybrid", top="macro", name=None)
    planar = one_tier(stacked)
    plain = replace(
        base, cell="passive", top="macro", kelvin=False, strap=False, cuts=1, name=None,
        select_w_um=ArraySpec.select_w_um, select_fingers=1,  # there are none
    )  # fmt: skip
    if plain.pitch_x_um is not None or plain.pitch_y_um is not None:
        plain = replace(plain, pitch_x_um=None, pitch_y_um=None)  # pitches of the hybrid cell
    found = [
        Pair("planar", f"{2 * n} x {m} x 1, same cell", stacked, planar),
        Pair(
            "own pitch",
            f"{2 * n} x {m} x 1, the planar cell at its own least pitch",
            stacked,
            own_pitch(stacked),
        ),
        Pair(
            "passive",
            f"passive, {2 * n} x {m} x 1",
            plain,
            replace(plain, cell="passive_planar", rows=2 * n),
        ),
    ]
    if 2 * n <= 512:
        found.insert(
            1,
            Pair(
                "square",
                f"{2 * n} x {2 * n} x 1, against {n} x {2 * n} x 2",
                replace(stacked, cols=2 * n),
                replace(planar, cols=2 * n),
            ),
        )
    return found


def one_tier(stacked: ArraySpec) -> ArraySpec:
    """Return the planar baseline with the same inputs, wires and pitches.

    Raises:
        ParameterError: for a stacked array that cannot be drawn.
    """
    from ..generators import drawn_pitches

    x, y = drawn_pitches(stacked)
    return replace(
        stacked, cell="planar", rows=2 * stacked.rows, pitch_x_um=x, pitch_y_um=y, name=None
    )


def own_pitch(stacked: ArraySpec) -> ArraySpec:
    """Return the planar baseline with the same inputs at its own least pitch."""
    rows = 2 * stacked.rows
    return replace(
        stacked, cell="planar", rows=rows, pitch_x_um=None, pitch_y_um=None,
        name=f"own_pitch_{rows}x{stacked.cols}x1",
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Proved:
    """A layout that was drawn, proved and extracted.

    Attributes:
        spec: what was asked for.
        network: wires and devices from the polygons.
        layout: nets and devices, for capacitances.
        drawing: every layer.
        cell: what its cell measures, for people.
        drc_violations, lvs_match: verdicts.
        area_um2: of the whole macro.
        array_um2: of the cells alone.
        cell_um2: of one cell.
    """

    spec: ArraySpec
    network: Network
    layout: ExtractedLayout
    drawing: db.Layout
    cell: dict[str, float]
    drc_violations: int
    lvs_match: bool
    area_um2: float
    array_um2: float
    cell_um2: float

    @property
    def inputs(self) -> int:
        """Number of inputs that compute at once."""
        return self.spec.rows * len(self.spec.tiers)

    def to_json(self) -> dict[str, Any]:
        """Return the layout's facts."""
        return {
            "name": self.spec.top_name,
            "rows": self.spec.rows,
            "cols": self.spec.cols,
            "tiers": len(self.spec.tiers),
            "inputs": self.inputs,
            "drc_violations": self.drc_violations,
            "lvs_match": self.lvs_match,
            "macro_area_um2": round(self.area_um2, 3),
            "array_area_um2": round(self.array_um2, 3),
            "inputs_per_1000_um2_of_array": round(1e3 * self.inputs / self.array_um2, 3),
        }


def prove(spec: ArraySpec, tech: Tech, console: Console) -> Proved:
    """Draw, check, compare and extract one layout, at the conditions of `tech`.

    Raises:
        ParameterError: for a size, pitch or width that the rules do not allow.
    """
    from ..base.files import scratch_netlist
    from ..cells import to_layout
    from ..drc import run_drc
    from ..extract import extract
    from ..generators import build_top
    from ..lvs import compare_layout, extract_layout

    name = spec.top_name
    with console.step(f"draw {name}"):
        array = build_top(spec)
        drawing = to_layout(array.cell, tech)
    with console.step(f"check {name}") as step:
        drc = run_drc(drawing, tech, progress=step)
        layout = extract_layout(drawing, tech)
        with scratch_netlist(array.netlist_lines()) as netlist:
            lvs = compare_layout(layout, netlist, tech)
    with console.step(f"extract {name}") as step:
        network = extract(layout, tech, progress=step).network
    dbu = tech.dbu_um
    cell = array.unit.width * array.unit.height * dbu * dbu
    return Proved(
        spec=spec,
        network=network,
        layout=layout,
        drawing=drawing,
        cell=array.unit.info,
        drc_violations=int(drc.to_json()["violations"]),
        lvs_match=bool(lvs.to_json()["match"]),
        area_um2=array.cell.width * array.cell.height * dbu * dbu,
        array_um2=cell * spec.rows * spec.cols,
        cell_um2=cell,
    )


@dataclass(frozen=True, eq=False)
class Pattern:
    """Devices and inputs for the stacked array; `planar` rearranges them for the baseline.

    Attributes:
        key: short name.
        text: what it is.
        conductances: S, shape (2, N, M).
        inputs: V, shape (2, N).
    """

    key: str
    text: str
    conductances: Floats
    inputs: Floats

    def planar(self) -> tuple[Floats, Floats]:
        """Return the same devices and inputs as one tier of 2N rows: bottom rows first."""
        t, n, m = self.conductances.shape
        return self.conductances.reshape(1, t * n, m), self.inputs.reshape(1, t * n)


def patterns(network: Network, tech: Tech, seed: int) -> list[Pattern]:
    """Return the two default patterns: everything on (the worst case), and seeded random.

    Args:
        network: of the stacked layout, whose devices are all of one area.
        tech: what the devices are.
        seed: equal seeds, equal patterns.
    """
    m, rows, cols = tech.memristor, network.rows, network.cols
    area = float(m.scale(network.memristor_area_um2).mean())
    g_on, g_off = area / m.r_on_ohm, area / m.r_off_ohm
    shape = (2, rows, cols)
    rng = np.random.default_rng(seed)
    share = rng.random(shape)
    return [
        Pattern(
            "all on",
            f"every device at R_on = {1.0 / g_on:g} ohm, every input at {m.v_read_v:g} V",
            np.full(shape, g_on),
            np.full(shape[:2], m.v_read_v),
        ),
        Pattern(
            "random",
            "conductances uniform from 1/R_off to 1/R_on, inputs uniform from 10 to 100 % of "
            f"{m.v_read_v:g} V (seed {seed})",
            g_off + share * (g_on - g_off),
            m.v_read_v * rng.uniform(0.1, 1.0, shape[:2]),
        ),
    ]
