"""report.html from the files of a build: one page, works offline, nothing fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import read_maps
from ..files import read_json
from ..pdk import FileError, Tech
from ..summary import drc_line, lvs_line, percent
from .layout_svg import layout_svg
from .section_svg import section_svg
from .stack_3d import stack_3d

Floats = NDArray[np.float64]

#: cells per side of a map that a page holds; beyond it each cell shows the worst of a block
_MAX_SIDE = 128
_MAX_NETS = 400

#: file name ending -> what it is
_KINDS = (
    ("_foundry.gds", "layout for the foundry"),
    ("_masks.gds", "masks of the memristor module"),
    (".gds", "layout, every layer"),
    (".lef", "abstract view for place and route"),
    (".lyp", "layer colours for KLayout"),
    ("_extracted.spice", "devices and wires, SPICE"),
    (".spice", "reference netlist"),
    ("drc.lyrdb", "design-rule markers for KLayout"),
    ("drc.json", "design rules, counts"),
    ("lvs.json", "layout against netlist, verdict"),
    (".lvsdb", "layout against netlist, for KLayout"),
    ("network.npz", "extracted network"),
    ("nets.json", "resistance and capacitance of every net"),
    ("ir_drop.json", "IR drop per mode"),
    ("ir_drop.csv", "IR drop per device"),
    (".png", "picture"),
)


def write_report(folder: Path, tech: Tech) -> Path:
    """Write report.html of a build from the other files in its folder.

    Args:
        folder: result of a build, with its manifest.
        tech: technology that it was built with.

    Raises:
        FileError: if a file that the report needs is missing or not readable.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(package_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(_context(folder, tech))
    target = folder / "report.html"
    target.write_text(page, encoding="utf-8")
    return target


def package_text(name: str) -> str:
    """Return a text file of this package."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _context(folder: Path, tech: Tech) -> dict[str, Any]:
    manifest = read_json(folder / "manifest.json")
    name = manifest["name"]
    drc, lvs = _needed(folder, "drc.json"), _needed(folder, "lvs.json")
    drop = read_json(folder / "ir_drop.json") if (folder / "ir_drop.json").is_file() else {}
    maps = read_maps(folder / "ir_drop.csv") if (folder / "ir_drop.csv").is_file() else {}
    nets = _nets(folder)
    cell = manifest.get("cell", {})
    pitch = cell.get("pitch_x_um")
    gds = folder / f"{name}.gds"
    stack = stack_3d(gds, tech, (pitch, cell["pitch_y_um"]) if pitch else None)
    return {
        "name": name,
        "manifest": manifest,
        "parameters": _flat(manifest["parameters"]),
        "cell": cell,
        "checks": _checks(drc, lvs, drop, manifest),
        "broken_rules": _broken(drc, tech),
        "lvs": lvs,
        "drop": drop,
        "maps_json": _script_json({"modes": {mode: _map(m) for mode, m in maps.items()}}),
        "block": max((_block(m["voltage_V"]) for m in maps.values()), default=1),
        "columns": {mode: _columns(m) for mode, m in drop.get("modes", {}).items()},
        "layout": layout_svg(gds, tech),
        "section": section_svg(gds, tech, 1.2 * pitch if pitch else None),
        "stack_json": _script_json(stack),
        "stack": bool(stack["layers"]),
        "nets": nets[:_MAX_NETS],
        "nets_total": len(nets),
        "files": _files(folder, manifest["files"]),
        "percent": percent,
        "tech": tech,
        "style": package_text("report.css"),
        "script": package_text("report.js"),
        "stack_script": package_text("stack.js"),
    }


def _needed(folder: Path, name: str) -> dict[str, Any]:
    if not (folder / name).is_file():
        raise FileError(f"{folder} holds no {name}: not a complete build")
    value = read_json(folder / name)
    if not isinstance(value, dict):
        raise FileError(f"{folder / name} is not a result of crossstack")
    return value


def _script_json(value: Any) -> str:
    """Return JSON that can stand inside a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _nets(folder: Path) -> list[dict[str, Any]]:
    path = folder / "nets.json"
    table = read_json(path) if path.is_file() else []
    if not isinstance(table, list):
        raise FileError(f"{path} is not a table of nets")
    return table


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, "default" if value is None else str(value)))
    return rows


def _checks(
    drc: dict[str, Any], lvs: dict[str, Any], drop: dict[str, Any], manifest: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the verdicts at a glance: title, ok, headline, one line."""
    checks = [
        {
            "title": "Design rules",
            "ok": drc["violations"] == 0,
            "head": "clean" if drc["violations"] == 0 else f"{drc['violations']} violations",
            "line": drc_line(drc),
        },
        {
            "title": "Layout against netlist",
            "ok": bool(lvs["match"]),
            "head": "match" if lvs["match"] else "no match",
            "line": lvs_line(lvs),
        },
    ]
    for step, why in manifest.get("not_done", {}).items():
        checks.append({"title": step, "ok": False, "head": "not done", "line": why})
    for mode, m in drop.get("modes", {}).items():
        checks.append(
            {
                "title": f"IR drop, {mode}",
                "ok": None,
                "head": percent(m["worst_device_error"]["all_series"]),
                "line": "of the voltage lost at the worst device; "
                f"{percent(m['worst_device_error']['wires_only'])} in wires alone. "
                f"Kirchhoff residual {m['kcl_residual']:.1e}",
            }
        )
    return checks


def _broken(drc: dict[str, Any], tech: Tech) -> list[dict[str, Any]]:
    texts = {rule.name: rule for rule in tech.rules}
    return [
        {"rule": rule, "count": n, "text": texts[rule].text if rule in texts else ""}
        for rule, n in drc.get("by_rule", {}).items()
        if n
    ]


def _block(values: Floats) -> int:
    return int(-(-max(values.shape[1:]) // _MAX_SIDE))


def _map(columns: Mapping[str, Floats]) -> dict[str, Any]:
    """Return the arrays of one mode for the page, shortened to four figures."""
    volts = columns["voltage_V"]
    k = _block(volts)
    out: dict[str, Any] = {"shape": list(volts.shape), "block": k}
    for key, name in (("all", "error_all_series"), ("wires", "error_wires_only")):
        out[key] = _short(_worst(columns[name], k))
    if k == 1:
        out["volts"], out["amps"] = _short(volts), _short(columns["current_A"])
    return out


def _worst(values: Floats, k: int) -> Floats:
    """Return the largest value of every block of k x k devices; nan where there is none."""
    if k == 1:
        return values
    tiers, rows, cols = values.shape
    padded = np.full((tiers, -(-rows // k) * k, -(-cols // k) * k), -np.inf)
    padded[:, :rows, :cols] = np.where(np.isnan(values), -np.inf, values)
    blocks = padded.reshape(tiers, padded.shape[1] // k, k, padded.shape[2] // k, k)
    worst: Floats = blocks.max(axis=(2, 4))
    return np.where(np.isinf(worst), np.nan, worst)


def _short(values: Floats) -> list[Any]:
    if values.ndim > 1:
        return [_short(v) for v in values]
    return [None if np.isnan(v) else float(f"{v:.4g}") for v in values]


def _columns(mode: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one bar per counted column: error as fraction of the ideal current."""
    bars = []
    counted = set(mode.get("columns_counted", []))
    pairs = zip(mode["column_currents_A"], mode["ideal_column_currents_A"], strict=True)
    for j, (amps, ideal) in enumerate(pairs):
        if j in counted and ideal:
            bars.append({"column": j, "uA": amps * 1e6, "ideal": ideal * 1e6,
                         "error": abs(ideal - amps) / abs(ideal)})  # fmt: skip
    top = max((bar["error"] for bar in bars), default=0.0) or 1.0
    return [{**bar, "share": bar["error"] / top} for bar in bars]


def _files(folder: Path, sums: Mapping[str, str]) -> list[dict[str, str]]:
    rows = []
    for name, digest in sums.items():
        path = folder / name
        if name == "report.html" or not path.is_file():
            continue
        kind = next((text for ending, text in _KINDS if name.endswith(ending)), "")
        size = path.stat().st_size
        text = f"{size / 1e6:.1f} MB" if size > 1e6 else f"{max(size / 1e3, 0.1):.1f} kB"
        rows.append({"name": name, "kind": kind, "size": text, "sha": digest})
    return rows
