"""What no array of a kind can do better than, from a few of its cells and first-order theory.

Wires and cells are resistors, so a device that is read carries at least (1 - e) of its ideal
current where e is the worst device's error, and at most its ideal current. First-order theory
(`solve.theory`) takes the ideal current everywhere: of its drops at least (1 - e) are there. That
bounds an error from below without solving the array.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ..config import RunConfig
from ..figures import Study, draw
from ..pdk import CrossStackError

if TYPE_CHECKING:
    from ..generators import ArraySpec
    from ..solve.study.theory import Parts

#: cells up to which an array is solved as fast as its parts are measured
LEAST_CELLS = 200
#: rows and columns whose parts are measured, and what they may be too high by
_SIDE, _MARGIN = 4, 0.9
#: figures of a device that only its writes read
_WRITES = ("v_set_v", "v_reset_v", "set_needed_v", "reset_needed_v", "needed_source", "write_rows",
           "compliance_a")  # fmt: skip
_VIEWS = {"all": "", "wires": "_wires"}


def least_errors(config: RunConfig) -> dict[str, float]:
    """Return error metric -> what it is at least; empty where solving costs no more.

    Args:
        config: the array.
    """
    spec = config.spec
    if spec.rows * spec.cols <= LEAST_CELLS or min(spec.rows, spec.cols) < _SIDE:
        return {}
    # of what drives a write, a read knows nothing
    device = {k: v for k, v in config.tech.device.items() if k not in _WRITES}
    small = replace(
        config,
        spec=replace(spec, rows=_SIDE, cols=_SIDE, row_ends="one", name=None),
        tech=replace(config.tech, device=device),
    )
    siemens = 1.0 / config.resolved_tech().memristor.r_on_ohm
    found = {}
    try:
        parts = dict(_measured(small))
    except CrossStackError:  # nothing is ruled out that cannot be measured
        return {}
    for view, tiers in parts.items():
        for name, value in _bounds(spec, tiers, siemens).items():
            found[f"{name}{_VIEWS[view]}"] = value
    return found


@lru_cache(maxsize=64)
def _measured(config: RunConfig) -> tuple[tuple[str, tuple[Parts, ...]], ...]:
    if not config.spec.strap:
        return tuple(_parts(config).items())
    # at the ends of a ladder, current is on its way into the strap and out: what counts is what
    # rows more add in between
    short, long = (
        _parts(replace(config, spec=replace(config.spec, rows=k * _SIDE))) for k in (2, 3)
    )
    steps = [k * _SIDE - 2 for k in (2, 3)]  # that a column's parts are the mean of
    return tuple(
        (
            view,
            tuple(
                replace(b, col=max(0.0, (b.col * steps[1] - a.col * steps[0]) / _SIDE))
                for a, b in zip(short[view], tiers, strict=True)
            ),
        )
        for view, tiers in long.items()
    )


def _parts(config: RunConfig) -> dict[str, tuple[Parts, ...]]:
    from ..comparison.drops import series_parts

    study = Study(config, draw(config))
    return {
        view: tuple(series_parts(study.network, study.tech, view, t) for t in study.network.tiers)
        for view in _VIEWS
    }


def _bounds(spec: ArraySpec, tiers: tuple[Parts, ...], siemens: float) -> dict[str, float]:
    from ..solve.study.theory import first_order

    both = spec.row_ends == "both"
    drops = [first_order(len(tiers), spec.rows, spec.cols, part, both_ends=both) for part in tiers]
    share = _MARGIN * siemens
    worst = share * max(drop.worst_device for drop in drops)
    kept = 1.0 / (1.0 + worst)  # what the ideal currents are at least, where the worst is least
    mean = share * sum(drop.mean_device for drop in drops) / len(drops)
    column = share * sum(drop.worst_column for drop in drops) / len(drops)
    flow = max(0.0, 1.0 - worst / _MARGIN)
    return {"worst_device": worst * kept, "mean_device": mean * flow, "worst_column": column * flow}
