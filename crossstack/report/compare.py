"""report.html of a comparison, from the other files in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..analyse.paper import IR_DROP
from ..analyse.timing import PULSE_S
from ..base.files import MANIFEST, read_json
from ..base.units import percent
from ..pdk import FileError, Tech
from . import timing_charts
from .cards import verdict_badges, write_card
from .charts import Axis, Curve, curve_chart, padded
from .drawn import SCRIPTS, drawn
from .page import file_list, flat, script_json, write_page
from .points import bar_chart
from .reduction_svg import reduction_svgs
from .standalone import embedded

#: the stacked array's layout
STACKED = "stacked.gds"

_KINDS = (
    (STACKED, "layout of the stacked array, every layer"),
    ("compare.json", "every figure of the comparison"),
    ("compare.md", "its tables, as text"),
    ("maps.json", "IR drop of every device, for the maps"),
    (".svg", "picture"),
)
_METRICS = {
    "worst_device": "worst device",
    "mean_device": "mean device",
    "worst_column": "worst column",
}
#: pictures that need the layouts' nets, which the page has not: name -> what it shows
_PATHS = {
    "paths_0_expansion.svg": "Expansion mode: every row feeds, every column collects.",
    "paths_1_deep-net.svg": "Deep-net mode: the bottom tier is read while column 0 of the top "
    "tier is written.",
}


def write_report(folder: Path, tech: Tech) -> Path:
    """Write report.html of a comparison.

    Args:
        folder: result of a comparison, with its manifest.
        tech: technology that it was made with.

    Raises:
        FileError: if a file that the report needs is missing or not readable.
    """
    return write_page(folder / "report.html", "compare", SCRIPTS, _context(folder, tech))


def proved(value: dict[str, Any]) -> bool:
    """Return whether every layout of a comparison is clean and matches its netlist."""
    return all(s["drc_violations"] == 0 and s["lvs_match"] for s in _layouts(value))


def _context(folder: Path, tech: Tech) -> dict[str, Any]:
    for name in (MANIFEST, "compare.json", "maps.json"):
        if not (folder / name).is_file():
            raise FileError(f"{folder} holds no {name}: not a complete comparison")
    manifest, value = read_json(folder / MANIFEST), read_json(folder / "compare.json")
    deep = value["deep_net"]
    timing = {"settle": deep["settle"], "overlap": deep["timing"]}
    first = value["pairs"][0]
    return {
        **drawn(folder / STACKED, tech, manifest.get("cell", {})),
        "name": manifest["name"],
        "badges": _badges(value),
        "checks": _checks(value, timing),
        "layouts": _layouts(value),
        "areas": _areas(value),
        "pairs": value["pairs"],
        "lead": _lead(value),
        "patterns": value["patterns"],
        "counted": value["counted"],
        "metrics": _METRICS,
        "series": {view: value["counted"][view].split(":")[0] for view in value["counted"]},
        "maps_json": script_json(read_json(folder / "maps.json")),
        "parts_ohm": first["series_parts_ohm"],
        "first": first,
        "sweep": value["sweep"],
        "ratio_chart": _ratio_chart(value["sweep"]),
        "map": value.get("map", {}),
        "bare": value.get("bare", {}),
        "map_charts": reduction_svgs(value.get("map", {})),
        "slots": deep["slots"],
        "timing": timing,
        "charts": timing_charts.charts(timing),
        "paths": {
            text: embedded((folder / name).read_text(encoding="utf-8"))
            for name, text in _PATHS.items()
            if (folder / name).is_file()
        },
        "parameters": flat(manifest["parameters"]),
        "versions": manifest["versions"],
        "files": file_list(folder, manifest["files"], _KINDS),
    }


def _areas(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the areas of the macro that was asked for, and of those of rising size."""
    found = value.get("areas")
    return [found["asked"], *found["rows"]] if found else []


def _layouts(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layouts of all pairs, each once."""
    sides = [pair[side] for pair in value["pairs"] for side in ("stacked", "planar")]
    return list({side["name"]: side for side in sides}.values())


def _checks(value: dict[str, Any], timing: dict[str, Any]) -> list[dict[str, Any]]:
    layouts = _layouts(value)
    clean = sum(s["drc_violations"] == 0 for s in layouts)
    match = sum(bool(s["lvs_match"]) for s in layouts)
    checks = [
        {
            "title": "Layouts",
            "ok": proved(value),
            "head": f"{len(layouts)} drawn",
            "line": f"{clean} without violations, {match} match their netlists",
        }
    ]
    if (limits := value.get("limits")) is not None:
        checks.append(
            {
                "title": "Current limits, stacked macro",
                "ok": not limits["exceeded"] if limits["judged"] else None,
                "warn": not limits["judged"],
                "head": percent(limits["ratio"]) if "ratio" in limits else "not judged",
                "line": limits["text"],
            }
        )
    if (writes := value["deep_net"].get("write_voltages")) is not None:
        checks.append(write_card(writes))
    rows = {
        (r["view"], r["metric"]): r for r in value["pairs"][0]["rows"] if r["pattern"] == "all on"
    }
    for view in ("array", "all"):
        row = rows[view, "worst_device"]
        checks.append(
            {
                "title": f"Stacked IR drop, counted: {view}",
                "ok": None,
                "head": _change(row["reduction"]),
                "line": f"at the worst device, {percent(row['planar'])} to "
                f"{percent(row['stacked'])}; theory {_change(row['theory'])}, "
                f"the paper's figure {_change(row['paper'])}",
            }
        )
    gain = timing_charts.at_pulse(timing, PULSE_S)
    checks.append(
        {
            "title": "Deep-net, time saved",
            "ok": None,
            "head": percent(gain["time_reduction"]),
            "line": f"or {percent(gain['speed_up'])} more speed, with pulses of "
            f"{PULSE_S * 1e9:g} ns; the paper's figure "
            f"{percent(timing['overlap']['paper'])}",
        }
    )
    return checks


def _change(reduction: float | None) -> str:
    """Return a reduction in words: a negative one is more; None where theory has no answer."""
    if reduction is None:
        return percent(None)
    return f"{percent(abs(reduction))} {'less' if reduction >= 0 else 'more'}"


def _badges(value: dict[str, Any]) -> list[dict[str, Any]]:
    passed = proved(value)
    drawn = {"ok": passed, "text": "layouts verified" if passed else "a layout failed"}
    writes = value["deep_net"].get("write_voltages")
    return [drawn, *verdict_badges(value.get("limits"), writes)]


def _lead(value: dict[str, Any]) -> list[dict[str, str]]:
    """Return a chart for each way of counting: what planar, stacked and the paper's array lose."""
    pair = value["pairs"][0]
    found = []
    for row in pair["rows"]:
        if (row["pattern"], row["metric"]) != ("all on", "worst_device"):
            continue
        paper = row["planar"] * (1 - row["paper"])
        less = _change(row["reduction"])
        bars = [
            ("planar", row["planar"], "c3", percent(row["planar"])),
            ("stacked", row["stacked"], "c0", f"{percent(row['stacked'])}, {less}"),
            ("paper", paper, "c2", f"{percent(paper)}, {percent(row['paper'])} less"),
        ]
        label = f"IR drop of the worst device, planar, stacked and by the paper; {row['view']}"
        words = value["counted"][row["view"]]
        found.append({"view": row["view"], "words": words, "chart": bar_chart(label, bars)})
    return found


def _ratio_chart(sweep: dict[str, Any]) -> str:
    if not sweep["drawn_ratio"]:
        return ""
    rows = sweep["rows"]
    x = [row["ratio"] for row in rows]
    curves = [
        Curve("extracted and solved", [100 * row["reduction"] for row in rows], "c0"),
        Curve("theory", [100 * row["theory"] for row in rows], "c1 dashed"),
    ]
    drawn = float(sweep["drawn_ratio"])
    return curve_chart(
        "Less IR drop over the ratio of row wire to column wire",
        x,
        curves,
        Axis("row wire / column wire, per cell", min(x[0], drawn), max(x[-1], drawn), log=True),
        padded([*curves[0].y, *curves[1].y, 100 * IR_DROP], "less IR drop (%)"),
        levels=[(100 * IR_DROP, f"paper: {100 * IR_DROP:g} %", "c2")],
        marks=[(drawn, f"drawn: {drawn:.2f}")],
    )
