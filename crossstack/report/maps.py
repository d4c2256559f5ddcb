"""Arrays for a page: IR-drop maps as panels on one scale, column errors as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.names import TIER_NAMES

Floats = NDArray[np.float64]

#: cells per side of a map that a page holds; beyond it each cell shows the worst of a block
_MAX_SIDE = 128

#: what the maps of a build or a solve can count: key in the page -> words
SERIES = {"all": "wires and transistors", "wires": "wires only"}


def mode_panels(
    maps: Mapping[str, Mapping[str, Floats]], modes: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return one panel per mode and tier.

    Args:
        maps: a table by `tables.write_table`.
        modes: entries of ir_drop.json, which say what is written.
    """
    return [
        panel(
            f"{mode}, {TIER_NAMES[tier]} tier",
            {"all": m["error_all_series"][tier], "wires": m["error_wires_only"][tier]},
            m["voltage_V"][tier],
            m["current_A"][tier],
        )
        | _written(modes.get(mode, {}).get("write"), tier)
        for mode, m in maps.items()
        for tier in range(len(m["voltage_V"]))
    ]


def _written(write: Mapping[str, Any] | None, tier: int) -> dict[str, Any]:
    """Return what a map says of the column that is written meanwhile; empty without one.

    ``column``, whether it is this tier's own (``here``), and then for each row the voltage and
    the part of the applied one that is lost.
    """
    if write is None:
        return {}
    found: dict[str, Any] = {"column": write["column"], "here": write["tier"] == TIER_NAMES[tier]}
    if found["here"]:
        volts = np.array(write["device_voltages_V"])
        # results of earlier versions do not hold what was applied
        applied = np.array(write.get("applied_V", np.full(volts.shape, np.nan)))
        with np.errstate(invalid="ignore", divide="ignore"):
            lost = np.where(applied != 0, np.abs(applied - volts) / np.abs(applied), np.nan)
        found |= {"volts": _short(volts), "lost": _short(lost)}
    return {"written": found}


def panel(
    title: str, values: Mapping[str, Floats], volts: Floats | None = None,
    amps: Floats | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return one map for a page, shortened to four figures.

    Args:
        title: what it shows.
        values: series -> part of the voltage lost, shape (rows, cols); nan for none.
        volts: voltage over the devices, same shape; left out of large maps.
        amps: their currents, the same.
    """
    shape = next(iter(values.values())).shape
    k = -(-max(shape) // _MAX_SIDE)
    out: dict[str, Any] = {"title": title, "shape": list(shape), "block": k}
    out["values"] = {key: _short(worst_of_blocks(v, k)) for key, v in values.items()}
    if k == 1 and volts is not None and amps is not None:
        out |= {"volts": _short(volts), "amps": _short(amps)}
    return out


def worst_of_blocks(values: Floats, k: int) -> Floats:
    """Return the largest value of every block of k x k devices; nan where there is none."""
    if k == 1:
        return values
    rows, cols = values.shape
    padded = np.full((-(-rows // k) * k, -(-cols // k) * k), -np.inf)
    padded[:rows, :cols] = np.where(np.isnan(values), -np.inf, values)
    blocks = padded.reshape(padded.shape[0] // k, k, padded.shape[1] // k, k)
    worst: Floats = blocks.max(axis=(1, 3))
    return np.where(np.isinf(worst), np.nan, worst)


def _short(values: Floats) -> list[Any]:
    if values.ndim > 1:
        return [_short(v) for v in values]
    return [None if np.isnan(v) else float(f"{v:.4g}") for v in values]
