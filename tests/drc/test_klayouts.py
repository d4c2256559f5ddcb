"""The oldest KLayout that we support and the one of this Python: same engine, same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import klayout.db as kdb
import klayout.rdb as rdb
import pytest
from test_damage import DAMAGES, Damage

import crossstack.base
import crossstack.drc
import crossstack.pdk
from crossstack.base.files import write_layout
from crossstack.cells.drawing import to_layout
from crossstack.drc import run_drc
from crossstack.generators import Array, ArraySpec, build_array
from crossstack.lvs import compare_layout, extract_layout

#: the engine inside a KLayout: its rooms, and one module where pip's package has two
ENGINE = """
import json, sys, types
import pya
package = types.ModuleType("klayout")
package.db = package.rdb = pya
sys.modules.update({"klayout": package, "klayout.db": pya, "klayout.rdb": pya})
sys.path.insert(0, rooms)
from crossstack.drc import run_drc
from crossstack.pdk import get_tech
report = run_drc(source, get_tech())
report.write_lyrdb(target)
print("FOUND", json.dumps({k: n for k, n in report.by_rule.items() if n}))
"""
OPEN = """
import json, sys
import pya
found = {}
for path in paths.split(":"):
    if path.endswith(".lyrdb"):
        report = pya.ReportDatabase("r")
        report.load(path)
        found[path] = [report.num_items(), sum(1 for _ in report.each_category())]
    elif path.endswith(".lvsdb"):
        lvs = pya.LayoutVsSchematic()
        lvs.read(path)
        pairs = [p.status().to_s() for p in lvs.xref().each_circuit_pair()]
        names = sorted(c.name for c in lvs.netlist().each_circuit())
        found[path] = [names, sorted(pairs)]
    else:
        layout = pya.Layout()
        layout.read(path)
        shapes = {}
        for index in layout.layer_indexes():
            region = pya.Region(layout.top_cell().begin_shapes_rec(index)).merged()
            shapes[layout.get_info(index).to_s()] = [region.area(), region.size()]
        found[path] = [layout.top_cell().name, layout.cells(), shapes]
print("FOUND", json.dumps(found, sort_keys=True))
"""


def in_klayout(program: str, folder: Path, code: str, **variables: str) -> Any:
    """Run code in the KLayout application; return the JSON that it prints."""
    script = folder / "script.py"
    script.write_text(code)
    command = [program, "-b", "-r", str(script)]
    for key, value in variables.items():
        command += ["-rd", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean())
    return answer(done)


def clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    lines = [x for x in done.stdout.splitlines() if x.startswith("FOUND ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[-1].removeprefix("FOUND "))


def markers(path: Path) -> dict[str, kdb.Region]:
    """Every marker by rule; KLayouts differ in the order in which they find them."""
    found: dict[str, kdb.Region] = {}
    database = rdb.ReportDatabase("r")
    database.load(str(path))
    names = {c.rdb_id(): c.name() for c in database.each_category()}
    for item in database.each_item():
        for value in item.each_value():
            polygon = kdb.DPolygon(value.box()) if value.is_box() else value.polygon()
            region = found.setdefault(names[item.category_id()], kdb.Region())
            region.insert(polygon.to_itype(0.001))
    return {name: region.merged() for name, region in found.items()}


@pytest.fixture(scope="module")
def array() -> Array:
    return build_array(ArraySpec(rows=2, cols=3))


def damaged(array: Array) -> kdb.Layout:
    layout = to_layout(array.cell, array.tech)
    layout.top_cell().flatten(True)
    for change in DAMAGES.values():
        change(Damage(layout, array.tech))
    return layout


def test_the_python_engine_runs_in_the_application(
    requires_program: Any, array: Array, tmp_path: Path
) -> None:
    rooms = tmp_path / "rooms"
    (rooms / "crossstack").mkdir(parents=True)
    (rooms / "crossstack" / "__init__.py").touch()
    for room in (crossstack.base, crossstack.drc, crossstack.pdk):
        folder = Path(str(room.__file__)).parent
        (rooms / "crossstack" / room.__name__.rsplit(".", 1)[1]).symlink_to(folder)
    gds, marks = tmp_path / "damaged.gds", tmp_path / "there.lyrdb"
    write_layout(damaged(array), gds)
    found = in_klayout(
        requires_program("klayout"), tmp_path, ENGINE,
        rooms=str(rooms), source=str(gds), target=str(marks),
    )  # fmt: skip
    here = run_drc(gds, array.tech)
    assert found == {name: n for name, n in here.by_rule.items() if n}
    assert set(DAMAGES) <= set(found)
    here.write_lyrdb(tmp_path / "here.lyrdb")
    ours, theirs = markers(tmp_path / "here.lyrdb"), markers(marks)
    assert ours.keys() == theirs.keys()
    assert [rule for rule, region in ours.items() if not (region ^ theirs[rule]).is_empty()] == []


def test_both_open_every_file_alike(requires_program: Any, array: Array, tmp_path: Path) -> None:
    good, bad = to_layout(array.cell, array.tech), damaged(array)
    files = [tmp_path / name for name in ("a.gds", "a.oas", "bad.gds", "a.lyrdb", "a.lvsdb")]
    for path, layout in zip(files, (good, good, bad), strict=False):
        write_layout(layout, path)
    run_drc(bad, array.tech).write_lyrdb(files[3])
    netlist = tmp_path / "a.spice"
    netlist.write_text("\n".join(array.netlist_lines()) + "\n")
    compare_layout(extract_layout(good, array.tech), netlist, array.tech).write(files[4])
    paths = ":".join(map(str, files))
    there = in_klayout(requires_program("klayout"), tmp_path, OPEN, paths=paths)
    code = f"paths = {paths!r}\n{OPEN}"
    here = answer(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True))
    assert there == here
    name, _, shapes = here[str(files[0])]
    assert name == array.cell.name
    assert here[str(files[1])] == here[str(files[0])]
    assert len(shapes) > 20
    assert here[str(files[3])][0] > 0
    circuits, pairs = here[str(files[4])]
    assert array.cell.name.upper() in [c.upper() for c in circuits]
    assert set(pairs) <= {"Match", "MatchWithWarning"}
