"""Which candidates share a drawing: it is extracted, and read, once for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..config import RunConfig

#: figures of a device that only its writes depend on
WRITES = ("v_set_v", "v_reset_v", "set_needed_v", "reset_needed_v", "needed_source", "write_rows",
          "compliance_a")  # fmt: skip


def without_writes(config: RunConfig) -> RunConfig:
    """Return a configuration without what drives a write, of which a read knows nothing."""
    device = {key: value for key, value in config.tech.device.items() if key not in WRITES}
    return replace(config, tech=replace(config.tech, device=device))


def groups(candidates: Iterable[tuple[int, Sequence[RunConfig]]]) -> list[list[int]]:
    """Return the numbers of candidates, those of one drawing and its conditions together.

    Args:
        candidates: number and array, once per condition.
    """
    found: dict[str, list[int]] = {}
    for number, configs in candidates:
        found.setdefault(drawing(configs), []).append(number)
    return [*found.values()]


def drawing(configs: Sequence[RunConfig]) -> str:
    """Return what tells a drawing and its conditions from others."""
    every = [without_writes(config) for config in configs]
    values = [[config.to_json(), config.tech.to_json()] for config in every]
    return json.dumps(values, sort_keys=True, allow_nan=False)
