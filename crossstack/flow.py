"""`build`: every step once, into one folder that appears in one step."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import addresses
from .base import claims, files, outputs
from .base.versions import versions
from .block_views import build_views
from .build_analysis import analyse_build
from .builds import no_result, replaced_in
from .built import Build, json_of, lasting
from .config import RunConfig
from .console import Console
from .drawn import draw
from .pdk import FileError, Tech
from .pdk.klayout_tech import lyp_text
from .plans import plan_of
from .whose import noted, process_of

if TYPE_CHECKING:
    import klayout.db as db

    from .generators import Array
    from .lvs import ExtractedLayout


#: what the other results that have a report are told by
_OTHERS = ("compare.json", "sweep.json", "size.json", "ir_drop.json")


def build(
    config: RunConfig, out: Path, console: Console, *, capacitance_engine: str = "formula"
) -> Build:
    """Run everything for one array.

    Args:
        config: what to build.
        out: folder that receives ``<name>/``.
        console: where progress goes.
        capacitance_engine: where capacitances come from, see `extract.net_capacitance`.

    Returns:
        The verdicts; a failed check still leaves its results.

    Raises:
        CrossStackError: for what the user asked wrongly, or a folder that cannot be written.
    """
    from .figures import area_of

    name = config.spec.top_name
    tech = config.resolved_tech()
    earlier = files.parameters_in(out / name / files.MANIFEST)
    with files.replacing(out / name, "drc.json") as work, console.steps(plan_of(config)):
        result = Build(out / name, name, tech=tech, capacitance_engine=capacitance_engine)
        array, layout, remarks = draw(config, console)
        result.area = area_of(array)
        gds = write_drawing(array, layout, tech, work, console)
        _check_rules(gds, tech, result, work, console)
        extracted = _compare(gds, tech, result, work, console)
        if config.spec.top == "testchip":
            why = (
                "a build does not solve a whole die: run crossstack extract on its folder, then "
                "crossstack solve on the network that it writes, from pad to pad"
            )
            result.extraction = {"warnings": [why]}
        else:
            analysed = analyse_build(extracted, config, tech, result, work, console)
            if config.spec.top == "macro":  # a block to be placed in a chip
                match = result.lvs is not None and result.lvs.match
                with console.step("views"):
                    result.views = build_views(
                        work, extracted, tech, analysed if match else None, capacitance_engine
                    )
                result.warnings += result.views["warnings"]
                result.not_done |= result.views.pop("not_done", {})
        finish(config, result, array.unit.info, work, console)
    result.seconds = console.seconds
    result.warnings += other_parameters(earlier, config, f"{out / name} replaces a build")
    result.warnings += remarks
    return result


def other_parameters(earlier: dict[str, Any], config: RunConfig, what: str) -> list[str]:
    """Return a remark if what was there had been made with other parameters, else nothing."""
    from .config import differences

    # through JSON, as they were written
    changed = differences(earlier, json.loads(json.dumps(config.to_json(), allow_nan=False)))
    return [f"{what} with other parameters: {', '.join(changed)}"] if changed else []


def write_drawing(
    array: Array, layout: db.Layout, tech: Tech, folder: Path, console: Console
) -> Path:
    """Write the layout files, the layer properties and the reference netlist."""
    from .base.layout import open_layout
    from .signoff.tapeout import write_parts

    stem = folder / array.cell.name
    with console.step("write layout"):
        gds = Path(f"{stem}.gds")
        files.write_layout(layout, gds)
        write_parts(open_layout(gds, tech.drawing), array.cell.name, tech, folder)
        outputs.write_text(Path(f"{stem}.lyp"), lyp_text(tech))
        files.write_lines(Path(f"{stem}.spice"), array.netlist_lines())
        for name, value in addresses.values_of(array):
            files.write_json(folder / name, value)
    return gds


def _check_rules(gds: Path, tech: Tech, result: Build, work: Path, console: Console) -> None:
    from .drc import run_drc

    with console.step("design rules") as step:
        # by its name alone: where and how fast it ran would make two builds differ
        report = replace(run_drc(gds, tech, progress=step), source=gds.name)
        report.write_lyrdb(work / "drc.lyrdb")
        result.drc = report
        files.write_json(work / "drc.json", lasting(report))


def _compare(gds: Path, tech: Tech, result: Build, work: Path, console: Console) -> ExtractedLayout:
    from .lvs import compare_layout, extract_layout

    with console.step("layout vs netlist"):
        extracted = extract_layout(gds, tech)
        report = compare_layout(extracted, gds.with_suffix(".spice"), tech)
        report.write(work / f"{result.name}.lvsdb")
        result.lvs = report
        files.write_json(work / "lvs.json", report.to_json())
    return extracted


def finish(
    config: RunConfig, result: Build, cell: dict[str, float], work: Path, console: Console
) -> None:
    """Draw the pictures, write the report and the manifest."""
    from .report.build import write_report

    with console.step("pictures"):
        draw_pictures(work, result.name)
    head = {
        "name": result.name,
        "parameters": config.to_json(),
        **noted(config.spec.tech()),
        "cell": cell,
        "passed": result.passed,
        "verdict": result.verdict,
        "limits": result.limits.to_json(),
        "write_voltages": json_of(result.write_voltages),
        "not_done": result.not_done,
        "extraction": result.extraction,
    }
    with console.step("report"):
        # the report lists the files, so it reads a manifest that does not hold itself yet
        files.write_manifest(work, head)
        write_report(work, config.resolved_tech())
        files.write_manifest(work, head)


def draw_pictures(folder: Path, name: str) -> None:
    """Draw the layout and one IR-drop picture per mode, all on one scale."""
    from .analyse import tables
    from .pictures import layout_png
    from .report.drop_svg import drop_svg, scale_of
    from .report.standalone import standalone

    layout_png(folder / f"{name}.gds", folder / f"{name}.lyp", folder / "layout.png")
    table = tables.table_in(folder)
    if table is None:
        return
    maps = {mode: m["error_all_series"] for mode, m in tables.read_maps(table).items()}
    scale = scale_of(maps)
    for mode, error in maps.items():
        outputs.write_text(folder / f"ir_drop_{mode}.svg", standalone(drop_svg(mode, error, scale)))


def generate(config: RunConfig, out: Path, kind: str, console: Console) -> dict[str, Any]:
    """Write layout, reference netlist and a sidecar with the parameters; returns what was made.

    Args:
        config: what to draw.
        out: folder for the files.
        kind: ``gds`` or ``oas``.
        console: where progress goes.

    Raises:
        ParameterError: for what cannot be drawn, and for figures that contradict each other.
    """
    config.resolved_tech()  # conditions and devices are written beside what is drawn
    name = config.spec.top_name
    outputs.check_folder(out)
    claims.check_outputs(*(out / f"{name}.{ending}" for ending in (kind, "spice", "json")))
    earlier = files.parameters_in(out / f"{name}.json")
    replaced = other_parameters(earlier, config, f"{out / name} replaces a layout")
    # the same array in the other format is kept
    stale = files.unchanged_in(out / f"{name}.json") if replaced else []
    with console.steps():
        array, layout, remarks = draw(config, console)
        with console.step("write layout"), files.together(out, map(escape, stale)) as work:
            files.write_layout(layout, work / f"{name}.{kind}")
            files.write_lines(work / f"{name}.spice", array.netlist_lines())
            made = [f"{name}.{kind}", f"{name}.spice"]
            sidecar = {
                "name": name,
                "parameters": config.to_json(),
                **noted(array.tech),
                "versions": versions(),
                "files": {each: files.sha256(work / each) for each in made},
            }
            files.write_json(work / f"{name}.json", sidecar)
    return {
        "name": name,
        "files": [str(out / each) for each in (*made, f"{name}.json")],
        "cell": array.unit.info,
        "warnings": [*replaced, *remarks],
        "seconds": console.seconds,
    }


def redo_report(folder: Path, console: Console) -> bool:
    """Write the report of a run again; say whether that had passed.

    A build whose files were replaced since has not.

    Raises:
        FileError: if the folder is not of a build, comparison, sweep, search or solve.
    """
    from .report import compare as comparison
    from .report import solve as solved
    from .report import sweep as swept
    from .sizing import page as sized

    if (folder / "compare.json").is_file():
        with console.step("report"):
            comparison.write_report(folder, _tech_of(folder, load_manifest(folder)))
        _renew_sums(folder, ["report.html"])
        return comparison.proved(files.read_json(folder / "compare.json"))
    if (folder / sized.MARKER).is_file():
        with console.step("report"):
            sized.write_report(folder)
        _renew_sums(folder, ["report.html"])
        return bool(files.read_json(folder / sized.MARKER)["met"])
    if (folder / "sweep.json").is_file():
        with console.step("report"):
            swept.write_report(folder)
        _renew_sums(folder, ["report.html"])
        return not any("failed" in row for row in files.read_json(folder / "sweep.json")["rows"])
    if (folder / "ir_drop.json").is_file() and not (folder / files.MANIFEST).is_file():
        with console.step("report"):
            solved.write_report(folder)
        return True
    if not (folder / files.MANIFEST).is_file():
        others = f"; compare, sweep, size and solve -o one with {', '.join(_OTHERS)}"
        raise FileError(no_result(folder, others))
    return _redo_build(folder, console)


def _tech_of(folder: Path, manifest: dict[str, Any]) -> Tech:
    """Return the technology of a result; its tables must be those that its figures rest on."""
    from .config import conditions_of
    from .pdk import get_tech

    parameters, path = manifest["parameters"], folder / files.MANIFEST
    process, _ = process_of(path, manifest, None, manifest["name"], mixes=True)
    tech = get_tech(parameters["profile"], process)
    chosen = (parameters.get(key) for key in ("tech", "process", "device"))
    return tech.at(conditions_of(*chosen))


def _redo_build(folder: Path, console: Console) -> bool:
    from .report.build import verdicts, write_report

    manifest = load_manifest(folder)
    passed = verdicts(folder, manifest).passed
    tech = _tech_of(folder, manifest)
    with console.step("pictures"):
        draw_pictures(folder, manifest["name"])
    with console.step("report"):
        write_report(folder, tech)
    pictures = sorted(p.name for p in folder.glob("ir_drop_*.svg"))
    _renew_sums(folder, ["report.html", "layout.png", *pictures])
    if replaced := replaced_in(folder):
        console.note(replaced)
    return passed and not replaced


def _renew_sums(folder: Path, fresh: Iterable[str]) -> None:
    """Note new sums of what was written anew; a file changed by hand must still show."""
    manifest = load_manifest(folder)
    sums = {name: files.sha256(folder / name) for name in fresh if (folder / name).is_file()}
    manifest["files"] = dict(sorted((manifest["files"] | sums).items()))
    files.write_json(folder / files.MANIFEST, manifest)


def load_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a build.

    Raises:
        FileError: if the folder is not one.
    """
    path = folder / files.MANIFEST
    if not path.is_file():
        raise FileError(no_result(folder))
    manifest = files.read_json(path)
    if not isinstance(manifest, dict) or not {"name", "parameters", "files"} <= set(manifest):
        raise FileError(f"{path} is not a manifest: {json.dumps(manifest, allow_nan=False)[:60]}")
    return manifest
