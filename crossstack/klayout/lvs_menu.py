"""LVS from KLayout's Tools menu: calls the `crossstack` program on the layout shown.

Runs inside KLayout only. The program, not this module, extracts and compares; findings come
back as markers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pya  # type: ignore[import-untyped]

from . import PROGRAM_FILE

TITLE = "CrossStack LVS"
#: half the side of a marker around a finding, in um
_MARK_UM = 0.5


class LvsError(Exception):
    """LVS could not run; the message says why."""


def find_program(beside: Path = Path(__file__).parent) -> str:
    """Return the path of the `crossstack` program.

    Raises:
        LvsError: if it is neither on PATH nor where it was at installation.
    """
    found = shutil.which("crossstack")
    noted = beside / PROGRAM_FILE
    if found is None and noted.is_file():
        found = shutil.which(noted.read_text(encoding="utf-8").strip())
    if found is None:
        raise LvsError(
            "The program 'crossstack' is not on PATH.\n\nInstall it (pip install crossstack), or "
            "start KLayout from a shell in which 'crossstack --version' works."
        )
    return found


def run_lvs(program: str, layout: Path, netlist: Path, top: str) -> dict[str, Any]:
    """Compare a layout file with a netlist and return the program's JSON.

    Raises:
        LvsError: if the comparison did not complete.
    """
    command = [program, "lvs", str(layout), "--netlist", str(netlist), "--top", top]
    command += ["--json", "--out", str(layout.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise LvsError(done.stderr.strip() or f"crossstack lvs ended with {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def write_markers(database: pya.ReportDatabase, result: dict[str, Any], top: str) -> None:
    """Fill a report database: one category per kind of finding, one item per finding."""
    cell = database.create_cell(top).rdb_id()
    kinds: dict[str, int] = {}
    for finding in result["findings"]:
        kind = finding["kind"]
        if kind not in kinds:
            kinds[kind] = database.create_category(kind).rdb_id()
        item = database.create_item(cell, kinds[kind])
        item.add_value(finding["message"])
        for x, y in finding["places_um"]:
            item.add_value(pya.DBox(x - _MARK_UM, y - _MARK_UM, x + _MARK_UM, y + _MARK_UM))


def summary(result: dict[str, Any], netlist: Path) -> str:
    """Return the verdict in words."""
    devices = ", ".join(f"{n} {kind}" for kind, n in result["devices"].items() if n)
    verdict = "Match" if result["match"] else f"MISMATCH: {len(result['errors'])} finding(s)"
    lines = [f"{verdict} with {netlist.name}", f"Devices: {devices or 'none'}", ""]
    return "\n".join([*lines, *result["errors"][:10]]).strip()


def check_view(view: pya.LayoutView, netlist: Path) -> dict[str, Any]:
    """Compare the current cell of a view with a netlist and show the findings in its browser.

    Raises:
        LvsError: if the comparison did not complete.
    """
    shown = view.active_cellview()
    top = shown.cell.name
    with tempfile.TemporaryDirectory() as folder:
        # what is on the screen, saved or not
        layout = Path(folder) / "layout.gds"
        options = pya.SaveLayoutOptions()
        options.format = "GDS2"
        options.write_context_info = False
        options.clear_cells()
        options.add_cell(shown.cell_index)
        shown.layout().write(str(layout), options)
        result = run_lvs(find_program(), layout, netlist, top)
    if result["findings"]:
        index = view.create_rdb(TITLE)
        write_markers(view.rdb(index), result, top)
        view.show_rdb(index, view.active_cellview_index())
    return result


def choose_netlist(layout_file: str) -> Path | None:
    """Return the netlist beside the layout, or the one that the user chooses."""
    if layout_file:
        beside = Path(layout_file).with_suffix(".spice")
        if beside.is_file():
            return beside
    folder = str(Path(layout_file).parent) if layout_file else ""
    kinds = "SPICE netlists (*.spice *.sp *.cir *.cdl *.net);;All files (*)"
    chosen = pya.FileDialog.ask_open_file_name("Reference netlist", folder, kinds)
    return Path(chosen) if chosen else None


def run() -> None:
    """Menu entry: ask for the netlist where none lies beside the layout, compare, report."""
    view = pya.Application.instance().main_window().current_view()
    buttons = pya.MessageBox.Ok
    if view is None or not view.active_cellview().is_valid():
        pya.MessageBox.warning(TITLE, "Open a layout first.", buttons)
        return
    try:
        find_program()
        netlist = choose_netlist(view.active_cellview().filename())
        if netlist is None:
            return
        result = check_view(view, netlist)
    except LvsError as error:
        pya.MessageBox.warning(TITLE, str(error), buttons)
        return
    show = pya.MessageBox.info if result["match"] else pya.MessageBox.warning
    show(TITLE, summary(result, netlist), buttons)
