"""The points of a final front: each built in full, with its own YAML, and judged by that build."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

from ..base import leftovers
from ..base.outputs import write_text
from ..built import Build, json_of
from ..config import RunConfig, load_config
from ..console import Console
from ..figures import (
    MOST_SETTLING,
    Study,
    draw,
    figures,
    mode_figures,
    read_energy,
    writes_of,
)
from ..pdk import Conditions, CrossStackError
from .metrics import METRICS, flat_figures


@dataclass(frozen=True)
class Proof:
    """A point to be built.

    Attributes:
        configs: the array, once per condition; the first one is built.
        folder: that receives the build's folder.
    """

    configs: tuple[RunConfig, ...]
    folder: Path


def prove(task: Proof) -> dict[str, Any]:
    """Build a point and return its figures.

    Returns:
        ``name``, ``passed``, ``verdict``, ``drc_violations``, ``lvs_match``, ``figures`` (metric
        -> value of the built condition), ``worst`` (the same over all conditions) and ``not_done``.
    """
    from ..flow import build

    config = task.configs[0]
    result = build(config, task.folder, Console(quiet=True))
    own = flat_figures(_row(config, result))
    others = [_figures(each) for each in task.configs[1:]]
    worst = {
        name: METRICS[name].worse([own.get(name), *(each.get(name) for each in others)])
        for name in METRICS
    }
    return {
        "name": result.name,
        "passed": result.passed,
        # the figures beside it are the worst of all conditions
        "verdict": f"built at the first condition: {result.verdict}" if others else result.verdict,
        "drc_violations": None if result.drc is None else result.drc.to_json()["violations"],
        "lvs_match": None if result.lvs is None else result.lvs.match,
        "not_done": result.not_done,
        "figures": {name: own.get(name) for name in METRICS},
        "worst": worst,
    }


def _row(config: RunConfig, result: Build) -> dict[str, Any]:
    """Return the figures of a build in the shape of `figures.figures`."""
    from ..extract import prefers_tiles
    from ..solve.modes.modes import EXPANSION

    drawn = draw(config)
    modes = {} if result.ir_drop is None else result.ir_drop.modes
    row: dict[str, Any] = {
        "modes": {mode: mode_figures(drop.to_json()) for mode, drop in modes.items()},
        "area": drawn.area,
        "limits": result.limits.to_json(),
        "write_voltages": json_of(result.write_voltages),
        "writes": {} if result.em is None else writes_of(result.em, config.resolved_tech()),
    }
    if not row["limits"]["judged"] and prefers_tiles(drawn.layout, config.resolved_tech()):
        # a build does not take a large array apart so far
        row["limits"] = Study(config, drawn).limits().to_json()
    settle = result.timing.settle_s if result.timing else None
    spec = config.spec
    devices = spec.rows * spec.cols * len(spec.tiers)
    if settle is None and devices <= MOST_SETTLING:  # a build leaves it out of a large array
        row["read"] = Study(config, drawn).read()
    elif settle is not None and EXPANSION in modes:
        amps = modes[EXPANSION].column_currents
        row["read"] = read_energy(settle, amps, config.resolved_tech(), devices)
    return row


def _figures(config: RunConfig) -> dict[str, float | None]:
    """Return every figure at another condition; the layout is the same and proved already."""
    return flat_figures(figures(config, draw(config)))


def named(config: RunConfig, name: str) -> RunConfig:
    """Return a configuration whose top cell and files have a name."""
    return replace(config, spec=replace(config.spec, name=name))


def write_yaml(config: RunConfig, path: Path, remark: str) -> None:
    """Write a configuration that `crossstack build` takes; what is default is left out.

    Raises:
        CrossStackError: if it would not be read back as it is.
    """
    values = _chosen(config)
    text = f"# {remark}\n# crossstack build {path.name}\n"
    write_text(path, text + yaml.safe_dump(values, sort_keys=False))
    if load_config(path, {}) != config:
        raise CrossStackError(f"{path.name} does not say what was built; please report it")


def _chosen(config: RunConfig) -> dict[str, Any]:
    spec = config.spec
    values = {
        f.name: getattr(spec, f.name)
        for f in fields(spec)
        if f.name in ("rows", "cols", "name") or getattr(spec, f.name) != f.default
    }
    default = Conditions().chosen()
    tech = {key: v for key, v in config.tech.chosen().items() if v != default[key]}
    sections = {"tech": tech, "device": config.tech.to_json()["device"]}
    return {**values, **{name: section for name, section in sections.items() if section}}


def take(result: Mapping[str, Any], kept: Path, work: Path) -> None:
    """Copy the folder of a build to where the results are written."""
    shutil.copytree(
        kept / result["name"],
        work / result["name"],
        ignore=lambda _, names: [name for name in names if name.endswith(leftovers.SUFFIX)],
    )
