"""report.html of a sweep, from the other files in its folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.files import MANIFEST, read_json
from ..base.units import setting
from ..pdk import FileError
from .charts import Axis, Curve, curve_chart, near, padded
from .page import file_list, flat, write_page
from .points import Point, point_chart

_KINDS = (
    ("sweep.json", "every figure of every case"),
    ("sweep.csv", "the same as a table"),
    ("sweep.svg", "loss over area"),
)
#: what is drawn over the first parameter: figure -> words, class of its line
_SHOWN = {
    "worst_device_all": ("wires and transistors", ""),
    "worst_device_wires": ("wires", " dashed"),
}
_COLOURS = ("c0", "c1", "c2", "c3")
#: lines of one chart that can be told apart
_MOST_LINES = 4


def write_report(folder: Path) -> Path:
    """Write report.html of a sweep.

    Raises:
        FileError: if a file that the report needs is missing or not readable.
    """
    for name in (MANIFEST, "sweep.json"):
        if not (folder / name).is_file():
            raise FileError(f"{folder} holds no {name}: not a complete sweep")
    manifest, value = read_json(folder / MANIFEST), read_json(folder / "sweep.json")
    rows, vary = value["rows"], value["vary"]
    context = {
        "name": manifest["name"],
        "checks": _cards(rows),
        "failed": sum("failed" in row for row in rows),
        "keys": list(vary),
        "rows": rows,
        "modes": _modes(rows),
        "tradeoffs": tradeoffs(vary, rows),
        "curves": curves(vary, rows),
        "counted": value.get("counted", {}),
        "parameters": flat(manifest["parameters"]),
        "versions": manifest["versions"],
        "files": file_list(folder, manifest["files"], _KINDS),
    }
    return write_page(folder / "report.html", "sweep", (), context)


def _modes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(mode for row in rows for mode in row.get("modes", {})))


def tradeoffs(
    vary: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return mode -> the worst device's loss over the area, each case by its values.

    A case that no other one beats in both is on the front and has its name.
    """
    found = {}
    for mode in _modes(rows):
        known = [
            (row, row["area"]["area_um2"], 100 * row["modes"][mode]["worst_device_all"])
            for row in rows
            if row.get("modes", {}).get(mode, {}).get("worst_device_all") is not None
        ]
        points = [
            Point(
                x,
                y,
                name if front else "",
                "c0" if front else "c3",
                f"{words}: {x:.0f} um2, {y:.3g} %",
            )
            for row, x, y in known
            for front in [not any(a <= x and b <= y and (a, b) != (x, y) for _, a, b in known)]
            for name in [", ".join(map(setting, row["case"].values()))]
            for words in [_case(row)]
        ]
        if not points:
            continue
        found[mode] = point_chart(
            f"IR drop over area, {mode} mode",
            sorted(points, key=lambda p: bool(p.name)),
            near([p.x for p in points], f"area (um2); names: {', '.join(vary)}"),
            near([p.y for p in points], "IR drop, worst device (%)"),
            [("no other case is better in both", "c0"), ("another case is better in both", "c3")],
        )
    return found


def _case(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {setting(value)}" for key, value in row["case"].items())


def curves(vary: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return mode -> the worst device's loss over the first parameter of several numbers.

    Empty where that is no number, or if there are too many lines to be told apart.
    """
    numbers = {
        key: values
        for key, values in vary.items()
        if len(values) > 1 and all(type(v) in (int, float) for v in values)
    }
    if not numbers:
        return {}
    key, values = next(iter(numbers.items()))
    found = {}
    for mode in _modes(rows):
        lines: dict[str, dict[float, Mapping[str, Any]]] = {}
        for row in rows:
            if mode in row.get("modes", {}):
                rest = ", ".join(f"{k} = {setting(v)}" for k, v in row["case"].items() if k != key)
                lines.setdefault(rest, {})[float(row["case"][key])] = row["modes"][mode]
        if not lines or len(lines) > _MOST_LINES:
            continue
        x = sorted(float(v) for v in values)
        drawn = [
            Curve(
                f"{words}, {rest}" if rest else words,
                [
                    100 * at[v][name] if at.get(v, {}).get(name) is not None else float("nan")
                    for v in x
                ],
                colour + dashed,
            )
            for colour, (rest, at) in zip(_COLOURS, lines.items(), strict=False)
            for name, (words, dashed) in _SHOWN.items()
        ]
        every = [v for curve in drawn for v in curve.y if not math.isnan(v)]
        if not every:
            continue
        room = 0.03 * (x[-1] - x[0])
        found[mode] = curve_chart(
            f"IR drop of the worst device over {key}, {mode} mode",
            x,
            drawn,
            Axis(key, x[0] - room, x[-1] + room, at=tuple(x)),
            padded(every, "IR drop, worst device (%), from zero"),
        )
    return found


def _cards(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    solved = [row for row in rows if "failed" not in row]
    judged = [row["limits"] for row in solved]
    within = sum(v["judged"] and not v["exceeded"] for v in judged)
    writes = [row["write_voltages"] for row in solved if row["write_voltages"] is not None]
    met = sum(bool(w["judged"] and w["met"]) for w in writes)
    count = len(rows)
    cards = [
        {
            "title": "Cases",
            "ok": len(solved) == count,
            "head": f"{len(solved)} of {count} solved",
            "line": "drawn, extracted and solved; rules and netlist are checked by a build",
        },
        {
            "title": "Current limits",
            "ok": within == len(judged) if judged else None,
            "head": f"within in {within} of {len(judged)}",
            "line": "reads and writes, against electromigration limits",
        },
    ]
    if writes:
        cards.append(
            {
                "title": "Write voltages",
                "ok": met == len(writes),
                "head": f"met in {met} of {len(writes)}",
                "line": "every written device gets the voltage that it needs",
            }
        )
    return cards
