"""The whole comparison in one go, and what it leaves on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..analyse.analysis import Stimulus, solve_modes
from ..analyse.electromigration import current_limits_of, em_report
from ..analyse.loads import CurrentVerdict
from ..analyse.needs import WriteVerdict, write_verdict
from ..analyse.paper import IR_DROP
from ..analyse.timing import overlap
from ..base import files
from ..config import RunConfig
from ..console import Console
from ..generators import ArraySpec
from ..pdk import Tech
from ..report.compare import STACKED, write_report
from ..report.maps import panel
from ..whose import noted
from . import deepnet, pictures
from .areas import area_lines, area_study
from .bare import bare_studies
from .cases import Proved, pairs, patterns, prove
from .drops import VIEWS
from .landscape import landscape
from .results import Comparison, DeepNet, Sweep
from .table import (
    VIEW_TEXT,
    Compared,
    bare_wire_ratio,
    compare_pair,
    crossing,
    ratio_sweep,
    table_lines,
)

#: ratios r_row / r_col of the sweep
RATIOS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


#: step -> per cent of the time of a comparison of 4 x 4 cells, for the time that is left
_EACH_SPEC = {"draw": 0.2, "check": 3.0, "extract": 3.0}
_EACH_PAIR = 8.0
_ONCE = {
    "sweep": 7.0, "map": 3.0, "bare arrays": 14.0, "deep-net slots": 8.0, "timing": 4.0,
    "current limits": 2.0, "pictures": 5.0, "report": 0.5,
}  # fmt: skip


def plan_of(base: ArraySpec) -> dict[str, float]:
    """Return the steps of a comparison in their order, with the share of time of each."""
    plan: dict[str, float] = {}
    for pair in pairs(base):
        for spec in (pair.stacked, pair.planar):
            plan |= {f"{step} {spec.top_name}": share for step, share in _EACH_SPEC.items()}
        plan[f"solve {pair.key}"] = _EACH_PAIR
    return plan | _ONCE


def compare(config: RunConfig, out: Path, seed: int, console: Console) -> Comparison:
    """Compare an N x M x 2 macro with its baselines; results go to ``out``.

    Raises:
        CrossStackError: for a request that cannot be drawn, or a folder that cannot be written.
    """
    base, tech = config.spec, config.resolved_tech()
    done: list[Compared] = []
    proved: dict[ArraySpec, Proved] = {}
    with files.replacing(out, "compare.json") as work, console.steps(plan_of(base)):
        for pair in pairs(base):
            for spec in (pair.stacked, pair.planar):
                if spec not in proved:
                    proved[spec] = prove(spec, tech, console)
            with console.step(f"solve {pair.key}"):
                found = patterns(proved[pair.stacked].network, tech, seed)
                both = proved[pair.stacked], proved[pair.planar]
                done.append(compare_pair(pair, *both, found, tech))
        sweep = _sweep(done[0], tech, seed, console)
        with console.step("map"):
            found_map = landscape(done, tech.memristor.r_on_ohm)
        with console.step("areas"):
            areas = area_study(base)
        with console.step("bare arrays"):
            bare = bare_studies(base, config.tech)
        deep_net = _deep_net(done[0], tech, seed, console)
        with console.step("current limits"):
            limits = _limits(done[0], config, tech, seed)
        value = Comparison(
            VIEW_TEXT,
            {p.key: p.text for p in found},
            tuple(done),
            sweep,
            found_map,
            areas,
            bare,
            deep_net,
            limits,
        )
        with console.step("pictures"):
            _pictures(work, value)
        files.write_json(work / "compare.json", value.to_json())
        files.write_json(work / "maps.json", _maps(done[0]))
        files.write_lines(work / "compare.md", (*table_lines(done), *area_lines(areas)))
        stacked = done[0].stacked
        files.write_layout(stacked.drawing, work / STACKED)
        head = {
            "name": out.name,
            "parameters": {**config.to_json(), "seed": seed},
            **noted(tech),
            "cell": stacked.cell,
        }
        with console.step("report"):
            # the report lists the files, so it reads a manifest that does not hold itself yet
            files.write_manifest(work, head)
            write_report(work, tech)
            files.write_manifest(work, head)
    return value


def _maps(compared: Compared) -> dict[str, Any]:
    """Return the IR drop of every device, everything on, for the report's maps."""
    stacked, planar = (found.maps for found in compared.results["all on"])
    names = ("stacked, bottom tier", "stacked, top tier")
    tiers = [{view: stacked[view][t] for view in VIEWS} for t in range(len(names))]
    panels = [panel(name, values) for name, values in zip(names, tiers, strict=True)]
    panels.append(panel("planar", {view: planar[view][0] for view in VIEWS}))
    return {"panels": panels}


def _sweep(compared: Compared, tech: Tech, seed: int, console: Console) -> Sweep:
    """Sweep r_row / r_col in the view nearest to "IR drop of the array"."""
    with console.step("sweep"):
        n, m = compared.pair.stacked.rows, compared.pair.stacked.cols
        all_on = patterns(compared.stacked.network, tech, seed)[0]
        drawn = compared.parts["stacked"]["array, B"]
        rows = ratio_sweep(compared, all_on, tech, "array", RATIOS)
    return Sweep(
        counted=VIEW_TEXT["array"],
        drawn_ratio=drawn["row"] / drawn["col"] if drawn["col"] else None,
        rows=tuple(rows),
        ratio_for_paper=crossing(((row.ratio, row.reduction) for row in rows), IR_DROP),
        theory_ratio=bare_wire_ratio(n, m),
    )


def _deep_net(compared: Compared, tech: Tech, seed: int, console: Console) -> DeepNet:
    stacked = compared.stacked
    m = stacked.spec.cols
    slots: tuple[deepnet.Slot, ...] = ()
    writes: WriteVerdict | None = None
    all_on = patterns(stacked.network, tech, seed)[0]
    if m > 1:
        with console.step("deep-net slots") as step:
            slots = (
                *deepnet.slots(
                    stacked.network,
                    tech,
                    all_on.conductances,
                    all_on.inputs,
                    width_um=stacked.spec.select_w_um,
                    progress=step,
                ),
            )
        lowest = (slot.lowest for slot in slots if slot.lowest)
        writes = write_verdict(tech, lowest, "every column of either tier")
    with console.step("timing"):
        what = Stimulus(all_on.conductances, all_on.inputs, {})
        settling = deepnet.settle(stacked, tech, what)
        gain = overlap(settling.settle_s, m, tech.memristor.turns(stacked.spec.rows))
    return DeepNet(slots, tech.memristor.compliance_a, writes, settling, gain)


def _limits(compared: Compared, config: RunConfig, tech: Tech, seed: int) -> CurrentVerdict:
    """Return the verdict on the stacked macro's currents, everything on."""
    network = compared.stacked.network
    all_on = patterns(network, tech, seed)[0]
    what = Stimulus(all_on.conductances, all_on.inputs, {})
    solved, _ = solve_modes(network, tech, what, Console(quiet=True))
    limits = current_limits_of(tech, config.tech.temperature_c)
    return em_report(network, tech, limits, solved, what).verdict


def _pictures(work: Path, value: Comparison) -> None:
    """Draw what is left as files of its own; the page draws its other charts itself."""
    pictures.reduction_maps(work, value.landscape.to_json())
    pictures.current_paths(work, value.pairs[0].stacked)
