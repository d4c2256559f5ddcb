"""Arrays and read-out as the command line names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError
from ..base.spans import TILE
from ..solve.modes.modes import EXPANSION
from .arrays import Array

if TYPE_CHECKING:
    from ..pdk.memristor import MemristorParameters
    from ..torch.readout import Readout
    from .writing import Programming

_OHMS = ("row_ohm", "column_ohm", "drive_ohm", "sense_ohm")
#: what lines have without being asked, ohm: those of the drawn array, a cell
DEFAULT_OHM = {"row_ohm": 0.2, "column_ohm": 1.2}
_DEFAULT_TILE = "32x32"
#: options of `Programming`, and what it calls them
_WRITES = {
    "tolerance": "tolerance", "pulses": "pulses", "pulse_s": "pulse_s", "step_v": "step_v",
    "write_v": "write_v", "rows_at_once": "rows", "threshold_sigma": "threshold_sigma",
    "pulse_sigma": "pulse_sigma",
}  # fmt: skip
_READ = ("pairs", "levels", "dac_bits", "bit_serial", "adc_bits", "read_noise")


def arrays(
    wires: Iterable[Path], mode: str, process: str | None, options: Mapping[str, Any]
) -> dict[str, Array]:
    """Return name -> array: those of files, or ideal ones, stacked and planar.

    Args:
        wires: network files and build folders.
        mode: one of `MODES`.
        process: of the files.
        options: of the command.

    Raises:
        ConfigError: for options of the one kind with the other.
    """
    files = list(wires)
    ohms = {name: options[name] for name in _OHMS if options[name] is not None}
    if files:
        if ohms or options["tile"] is not None:
            given = "tile" if options["tile"] is not None else next(iter(ohms))
            raise ConfigError(f"--{given.replace('_', '-')} and --wires exclude each other")
        way = {} if options["read_tier"] is None else {"read_tier": options["read_tier"]}
        found = {}
        for path in files:
            name = path.name if path.name not in found else str(path)
            found[name] = Array.extracted(path, mode=mode, process=process, **way)
        return found
    if mode != EXPANSION or options["read_tier"] is not None:
        raise ConfigError("--mode and --read-tier belong to --wires: ideal arrays read all tiers")
    rows, cols = _tile(options["tile"] or _DEFAULT_TILE)
    ohms = {**DEFAULT_OHM, **ohms}
    found = {f"stacked {rows} x {cols} x 2": Array.ideal(rows, cols, **ohms)}
    if options["pairs"] == "columns":
        found[f"planar {2 * rows} x {cols}"] = Array.ideal(2 * rows, cols, tiers=1, **ohms)
    return found


def _tile(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip(), re.ASCII)
    sizes = tuple(int(n) for n in found.groups()) if found else (0, 0)
    if not all(n in TILE for n in sizes):
        told = f"write it as RxC, each {TILE.ends}, e.g. 32x32"
        raise ConfigError(f"--tile {text[:40]!r}: {told}")
    return sizes[0], sizes[1]


def readout(memristor: MemristorParameters, samples: int, options: Mapping[str, Any]) -> Readout:
    """Return the read-out that is asked for; spread is that of the samples.

    Raises:
        ConfigError: for a spread without samples.
        ParameterError: for a value outside its range.
    """
    from ..torch.readout import Readout

    if options["sigma"] is not None and not samples:
        raise ConfigError("--sigma belongs to --samples")
    sigma = memristor.sigma_ln_g if options["sigma"] is None else options["sigma"]
    return Readout(sigma=sigma if samples else 0.0, **{name: options[name] for name in _READ})


def programming(options: Mapping[str, Any]) -> Programming | None:
    """Return how devices are written, or None if they are not.

    Raises:
        ConfigError: for its options without --program.
        ParameterError: for a value outside its range.
    """
    from .writing import Programming

    given = {name: options[key] for key, name in _WRITES.items() if options[key] is not None}
    if not options["program"]:
        for key in _WRITES:
            if options[key] is not None:
                raise ConfigError(f"--{key.replace('_', '-')} belongs to --program")
        return None
    return Programming(**given, read_noise=options["read_noise"])
