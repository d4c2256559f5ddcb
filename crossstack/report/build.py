"""report.html of a build, from the other files in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analyse.needs import write_voltages
from ..analyse.tables import read_maps, table_in
from ..analyse.timing import PULSE_S
from ..base.files import read_json
from ..builds import replaced_in
from ..extract.array.tiled import LARGEST
from ..pdk import FileError, Tech
from . import timing_charts
from .cards import check_cards, drop_card, limits_card, verdict_badges, write_card
from .drawn import SCRIPTS, drawn
from .electrical import column_charts, device_chart, line_charts, write_chart
from .judges import judged, package_badge
from .maps import SERIES, mode_panels
from .page import file_list, flat, script_json, write_page
from .violations import broken_rules, differences, markers

_MAX_NETS = 400

#: file name ending -> what it is
_KINDS = (
    ("_foundry.gds", "layout for the foundry"),
    ("_masks.gds", "masks of the memristor module"),
    (".gds", "layout, every layer"),
    (".lef", "abstract for place and route"),
    ("_memristor.lib", "memristor for ngspice"),
    (".va", "memristor in Verilog-A"),
    (".lib", "Liberty: pin capacitance, leakage and delays at a corner"),
    (".cdl", "netlist for a chip's LVS"),
    ("_model.sv", "behavioural model"),
    ("_bench.sv", "self-checking bench of the model"),
    (".hex", "numbers of the model and its bench"),
    (".v", "black box in Verilog"),
    ("_pins.csv", "pin list"),
    ("_datasheet.html", "datasheet"),
    ("_datasheet.md", "datasheet, Markdown"),
    ("_datasheet.json", "datasheet, its values"),
    (".svg", "picture"),
    (".lyp", "layer colours for KLayout"),
    ("_extracted.spice", "devices and wires, SPICE"),
    (".spice", "reference netlist"),
    ("drc.lyrdb", "design-rule markers for KLayout"),
    ("drc.json", "design rules, counts"),
    ("lvs.json", "layout against netlist, verdict"),
    (".lvsdb", "layout against netlist, for KLayout"),
    ("network.npz", "extracted network"),
    ("nets.json", "resistance, capacitance and current limit of every net"),
    ("ir_drop.json", "IR drop per mode"),
    ("ir_drop.csv", "IR drop per device"),
    ("ir_drop.npz", "IR drop per device, as arrays"),
    ("em.json", "currents against electromigration limits"),
    ("scan.json", "scan chain: its bits from the data input on"),
    ("decoder.json", "decoder: its pins and codes"),
    ("manifest.json", "parameters, versions, sums of the files"),
    ("timing.json", "settling of a read, and what writing meanwhile saves"),
    (".png", "picture"),
)


def write_report(folder: Path, tech: Tech) -> Path:
    """Write report.html of a build.

    Args:
        folder: result of a build, with its manifest.
        tech: technology that it was built with.

    Raises:
        FileError: if a file that the report needs is missing or not readable.
    """
    return write_page(folder / "report.html", "build", SCRIPTS, _context(folder, tech))


def _context(folder: Path, tech: Tech) -> dict[str, Any]:
    manifest = read_json(folder / "manifest.json")
    name = manifest["name"]
    found = verdicts(folder, manifest)
    drc, lvs, em = found.drc, found.lvs, found.em
    drop, timing = (_optional(folder, f"{n}.json") for n in ("ir_drop", "timing"))
    table = table_in(folder)
    maps = read_maps(table) if table is not None else {}
    panels = mode_panels(maps, drop.get("modes", {}))
    nets = _nets(folder)
    cell = manifest.get("cell", {})
    broken = broken_rules(drc, {rule.name: rule.text for rule in tech.rules})
    differs = differences(lvs)
    judges = judged(folder, manifest["files"])
    passed = found.passed and not replaced_in(folder)
    gds = folder / f"{name}.gds"
    return {
        **drawn(gds, tech, cell, markers([*broken, *differs]), em.get("nets")),
        "name": name,
        "manifest": manifest,
        "parameters": flat(manifest["parameters"]),
        "cell": cell,
        "cell_rows": [(key, f"{value:g}") for key, value in cell.items()],
        "badges": [*_badges(passed, found.limits, found.writes), *package_badge(judges)],
        "checks": [
            *_replaced(folder),
            *check_cards(drc, lvs, manifest.get("not_done", {})),
            *judges,
            *_figures(drop, found),
        ],
        "findings": {j["title"]: j["findings"] for j in judges if j["findings"]},
        "broken_rules": broken,
        "differences": differs,
        "lvs": lvs,
        "drop": drop,
        "series": SERIES,
        "maps_json": script_json({"panels": panels}),
        "block": max((p["block"] for p in panels), default=1),
        "line_charts": line_charts(maps, tech.memristor.v_read_v),
        "column_charts": column_charts(drop.get("modes", {})),
        "write_chart": write_chart(_writes(drop), tech),
        "device_chart": device_chart(tech) if drop else "",
        "stacking": drop.get("stacking", {}),
        "too_large": f"above {LARGEST}",
        "timing": timing,
        "gain": timing_charts.at_pulse(timing, PULSE_S),
        "charts": timing_charts.charts(timing),
        "em": em,
        # the table of layers shows those that carry current in some mode
        "em_layers": {layer for m in em.get("modes", {}).values() for layer in m["by_layer"]},
        "use": em.get("nets", {}),
        "nets": nets[:_MAX_NETS],
        "nets_total": len(nets),
        "files": file_list(folder, manifest["files"], _KINDS),
        "tech": tech,
    }


@dataclass(frozen=True)
class Verdicts:
    """What the files of a build say of it, each the only source of its verdict.

    Attributes:
        drc, lvs, em: contents of drc.json, lvs.json and em.json; the last may be empty.
        not_done: step -> why it was not done.
        no_em: what is said of the currents without em.json.
    """

    drc: dict[str, Any]
    lvs: dict[str, Any]
    em: dict[str, Any]
    not_done: dict[str, str]
    no_em: str

    @property
    def passed(self) -> bool:
        """True if the rules hold, the netlist matches and everything was done."""
        return self.drc["violations"] == 0 and self.lvs["match"] is True and not self.not_done

    @property
    def limits(self) -> dict[str, Any]:
        """The verdict on the currents, for the head of the page."""
        verdict: dict[str, Any] = self.em.get("verdict") or {
            "judged": False, "exceeded": False,
            "text": self.no_em,
        }  # fmt: skip
        return verdict

    @property
    def writes(self) -> dict[str, Any] | None:
        """The verdict on the voltages of writes; None where the array has none.

        Where currents were not looked at, neither were they.
        """
        if self.em:
            return write_voltages(self.em)
        why = self.no_em.removeprefix("current limits not judged: ")
        text = f"write voltages not judged: {why}"
        return {"judged": False, "met": False, "text": text, "source": None}


def verdicts(folder: Path, manifest: Mapping[str, Any]) -> Verdicts:
    """Read what a build's files say of rules, netlist and currents.

    Raises:
        FileError: naming file and key, if a file is missing or does not say it.
    """
    drc, lvs = _needed(folder, "drc.json"), _needed(folder, "lvs.json")
    em = _optional(folder, "em.json")
    _hold(folder / "drc.json", drc, {"violations": int, "rules_run": int, "by_rule": dict})
    _hold(folder / "lvs.json", lvs, {"match": bool, "devices": dict, "errors": list})
    if drc["violations"] < 0 or (drc["violations"] == 0) is not (not any(drc["by_rule"].values())):
        raise FileError(f"{folder / 'drc.json'}: violations and by_rule contradict each other")
    if lvs["match"] and lvs["errors"]:
        raise FileError(f"{folder / 'lvs.json'}: match and errors contradict each other")
    if (folder / "em.json").is_file():
        _hold(folder / "em.json", em, {"verdict": dict})
        _hold(folder / "em.json", em["verdict"],
              {"judged": bool, "exceeded": bool, "text": str}, "verdict.")  # fmt: skip
    # of a chip, whose wires nobody extracts, the manifest says why there is none
    told = manifest.get("limits") or {}
    why = told.get("text") if told.get("judged") is False and "ratio" not in told else None
    why = why or "current limits not judged: there is no em.json"
    return Verdicts(drc, lvs, em, dict(manifest.get("not_done", {})), str(why))


def _hold(path: Path, value: Mapping[str, Any], keys: Mapping[str, type], inside: str = "") -> None:
    """Refuse a file that lacks a key, or holds something else under it."""
    for key, kind in keys.items():
        if type(value.get(key)) is not kind:
            what = "holds no" if key not in value else "holds a strange"
            raise FileError(f"{path} {what} {inside}{key}: not a result of crossstack build")


def _needed(folder: Path, name: str) -> dict[str, Any]:
    if not (folder / name).is_file():
        raise FileError(f"{folder} holds no {name}: not a complete build")
    return _optional(folder, name)


def _optional(folder: Path, name: str) -> dict[str, Any]:
    """Return the content of a JSON file; empty if there is none."""
    if not (folder / name).is_file():
        return {}
    value = read_json(folder / name)
    if not isinstance(value, dict):
        raise FileError(f"{folder / name} is not a result of crossstack")
    return value


def _nets(folder: Path) -> list[dict[str, Any]]:
    path = folder / "nets.json"
    if not path.is_file():
        return []
    value = read_json(path)
    # a list: of a build from before files had a schema
    table = value.get("nets") if isinstance(value, dict) else value
    if not isinstance(table, list):
        raise FileError(f"{path} is not a table of nets")
    return table


def _writes(drop: Mapping[str, Any]) -> dict[str, Any]:
    """Return polarity -> what was written, of the first mode that writes; empty without one."""
    found = (m.get("writes") for m in drop.get("modes", {}).values())
    return next((value for value in found if value), {})


def _replaced(folder: Path) -> list[dict[str, Any]]:
    """Return a failed check if files are not those that the build judged."""
    line = replaced_in(folder)
    return [{"title": "Files", "ok": False, "head": "replaced", "line": line}] if line else []


def _badges(
    passed: bool, limits: Mapping[str, Any], writes: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Return the verdicts in a few words, for the head of the page; the cards say the rest."""
    badges = [{"ok": passed, "text": "passed: rules, netlist" if passed else "failed"}]
    return [*badges, *verdict_badges(limits, writes)]


def _figures(drop: Mapping[str, Any], found: Verdicts) -> list[dict[str, Any]]:
    """Return current limits, write voltages and the IR drop of each mode at a glance."""
    cards = [limits_card(found.limits, found.em)]
    if (writes := found.writes) is not None:
        cards.append(write_card(writes))
    return [*cards, *(drop_card(mode, m) for mode, m in drop.get("modes", {}).items())]
