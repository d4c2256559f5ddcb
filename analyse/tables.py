"""Tables of every device of a solve: CSV for people, and an archive where that takes too long."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import NetworkFileError
from ..base.names import TIER_NAMES
from ..base.outputs import one_step
from ..pdk import FileError
from ..solve.modes.modes import MODES
from ..solve.network.archive import Entry, archive_entries, read_archive, write_archive

if TYPE_CHECKING:
    from ..solve.study.metrics import IrDrop

Floats = NDArray[np.float64]
#: name of a table in a folder, without its ending
STEM = "ir_drop"
CSV, NPZ = ".csv", ".npz"
#: Devices, all modes together, above which a table is an archive: a CSV of 2 million is 160 MB.
MOST_LINES = 200_000
FORMAT, VERSION = "crossstack-device-table", 1

COLUMNS = ("voltage_V", "current_A", "error_wires_only", "error_all_series")
CSV_HEAD = ("mode", "tier", "row", "col", *COLUMNS)


def table_name(done: Mapping[str, IrDrop]) -> str:
    """Return the file that a table of all devices is written to."""
    size = sum(r.device_error.size for r in done.values())
    return STEM + (NPZ if size > MOST_LINES else CSV)


def table_in(folder: Path) -> Path | None:
    """Return the table of a folder, None without one."""
    found = (folder / f"{STEM}{ending}" for ending in (CSV, NPZ))
    return next((path for path in found if path.is_file()), None)


def write_table(path: Path, done: Mapping[str, IrDrop]) -> None:
    """Write voltages (V), currents (A) and losses of every device in every mode.

    Args:
        path: `.csv` gets one line per device and mode, with empty cells where a device does not
            take part; `.npz` an array (tiers, rows, cols) per mode and column, ``mode/column``,
            in single precision, with nan there.
        done: mode -> result.

    Raises:
        FileError: if it cannot be written.
    """
    maps = {mode: _columns(r) for mode, r in done.items()}
    if path.suffix == NPZ:
        head: dict[str, Any] = {"format": np.array(FORMAT), "version": np.array(VERSION)}
        arrays = {
            f"{mode}/{name}": values.astype(np.float32)
            for mode, columns in maps.items()
            for name, values in columns.items()
        }
        write_archive(path, head | arrays)
        return
    with one_step(path) as work, work.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CSV_HEAD)
        for mode, columns in maps.items():
            shape = columns[COLUMNS[0]].shape
            values = zip(*(columns[name].ravel().tolist() for name in COLUMNS), strict=True)
            for (t, i, j), numbers in zip(np.ndindex(shape), values, strict=True):
                # nan alone is not itself
                cells = [f"{v:.9g}" if v == v else "" for v in numbers]
                writer.writerow([mode, TIER_NAMES[t], i, j, *cells])


def _columns(r: IrDrop) -> dict[str, Floats]:
    values = (
        r.solution.device_voltages,
        r.solution.device_currents,
        r.device_error_wires,
        r.device_error,
    )
    return dict(zip(COLUMNS, values, strict=True))


def read_maps(path: Path) -> dict[str, dict[str, Floats]]:
    """Return mode -> column name -> array (tiers, rows, cols) of a file by `write_table`.

    Raises:
        FileError: if the file is not one of ours.
    """
    try:
        return _of_archive(path) if path.suffix == NPZ else _of_csv(path)
    except (KeyError, ValueError, TypeError, csv.Error):
        raise FileError(f"{path} is not a table by crossstack build") from None
    except NetworkFileError as error:
        raise FileError(str(error)) from None


def _of_archive(path: Path) -> dict[str, dict[str, Floats]]:
    single = Entry(np.dtype(np.float32), 3)
    there = archive_entries(path)
    modes = [mode for mode in MODES if f"{mode}/{COLUMNS[0]}" in there]
    entries = {f"{mode}/{name}": single for mode in modes for name in COLUMNS}
    found = read_archive(path, FORMAT, VERSION, entries, "solve again")
    return {
        mode: {name: found[f"{mode}/{name}"].astype(np.float64) for name in COLUMNS}
        for mode in modes
    }


def _of_csv(path: Path) -> dict[str, dict[str, Floats]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise ValueError("no device")
    maps: dict[str, dict[str, Floats]] = {}
    for mode in dict.fromkeys(row["mode"] for row in rows):
        mine = [row for row in rows if row["mode"] == mode]
        place = [(TIER_NAMES.index(r["tier"]), int(r["row"]), int(r["col"])) for r in mine]
        size = [max(p[k] for p in place) + 1 for k in range(3)]
        index = tuple(np.array(place).T)
        maps[mode] = {}
        for name in COLUMNS:
            maps[mode][name] = np.full(size, np.nan)
            maps[mode][name][index] = [float(r[name] or "nan") for r in mine]
    return maps
