"""report.html of a solve, from ir_drop.json and the table of devices in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..analyse.batch import batch_lines
from ..analyse.studies import programming_lines, sensitivity_rows
from ..analyse.tables import CSV, NPZ, STEM, read_maps, table_in
from ..base.files import read_json, sha256
from ..base.units import percent
from ..pdk import FileError
from .cards import drop_card, write_card
from .charts import histogram
from .electrical import column_charts
from .maps import SERIES, mode_panels
from .page import file_list, flat, script_json, write_page

_TABLE = "voltage, current and IR drop of every device"
_KINDS = (
    ("ir_drop.json", "figures of the solve"),
    (f"{STEM}{CSV}", _TABLE),
    (f"{STEM}{NPZ}", f"{_TABLE}, as arrays"),
    ("column_currents.csv", "column currents of every input vector"),
)


def write_report(folder: Path) -> Path:
    """Write report.html of a solve.

    Raises:
        FileError: if a file that the report needs is missing or not readable.
    """
    return write_page(folder / "report.html", "solve", ("maps",), _context(folder))


def _context(folder: Path) -> dict[str, Any]:
    table = table_in(folder)
    if table is None or not (folder / "ir_drop.json").is_file():
        missing = f"{STEM}{CSV}" if table is None else "ir_drop.json"
        raise FileError(f"{folder} holds no {missing}: not a result of crossstack solve")
    value = read_json(folder / "ir_drop.json")
    if not isinstance(value, dict) or not value.get("modes"):
        raise FileError(f"{folder / 'ir_drop.json'} is not a result of crossstack solve")
    panels = mode_panels(read_maps(table), value["modes"])
    many = value.get("monte_carlo")
    return {
        "name": value.get("network", folder.name),
        "drop": value,
        "checks": [
            *(drop_card(mode, m) for mode, m in value["modes"].items()),
            *(write_card(writes) for writes in [value.get("write_voltages")] if writes),
        ],
        "laws": _laws(value.get("laws", {})),
        "series": SERIES,
        "block": max((p["block"] for p in panels), default=1),
        "maps_json": script_json({"panels": panels}),
        "column_charts": column_charts(value["modes"]),
        "many": many,
        "spread": _spread(many),
        "parameters": flat(value.get("parameters", {})),
        "source": value.get("source", {}),
        "versions": value.get("versions", {}),
        "notes": [
            *value.get("notes", []),
            *batch_lines(value.get("batch")),
            *programming_lines(value.get("programming", [])),
        ],
        "layers": sensitivity_rows(value.get("sensitivity", {})),
        "spread_chart": _spread_chart(many),
        "files": file_list(
            folder,
            {name: sha256(folder / name) for name, _ in _KINDS if (folder / name).is_file()},
            _KINDS,
        ),
    }


def _laws(laws: dict[str, Any]) -> str:
    """Return which law the memristors follow, as one sentence; empty if it was not recorded."""
    text = str(laws.get("text", ""))
    bent = laws.get("read", {}).get("law", "linear") != "linear"
    ideal = "; those of the ideal array follow it, too" if bent else ""
    return f"{text[:1].upper()}{text[1:]}{ideal}"


def _spread(many: dict[str, Any] | None) -> str:
    """Return how the versions vary, as one sentence; empty if that was not recorded."""
    if not many or "sigma" not in many:
        return ""
    return (
        f"ln G of a device varies with a deviation of {many['sigma']:g}; "
        f"{percent(many['stuck_on'])} of the devices are stuck on and "
        f"{percent(many['stuck_off'])} stuck off, "
        f"a wire piece is open with a chance of {percent(many['open_wire'])}."
    )


def _spread_chart(many: dict[str, Any] | None) -> str:
    """Return the distribution of the column currents; empty without one."""
    if not many or not many.get("distribution"):
        return ""
    found = many["distribution"]
    return histogram(
        "Column currents of random versions of the array, against the nominal one",
        [100 * edge for edge in found["edges"]],
        found["counts"],
        "column current against the nominal (%)",
    )
