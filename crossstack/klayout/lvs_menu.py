"""LVS from KLayout's Tools menu: calls the `crossstack` program on the layout shown.

Runs inside KLayout only. The program, not this module, extracts and compares, while the window
stays alive and offers to cancel; findings come back as markers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pya  # type: ignore[import-untyped]

from ..pdk import DEFAULT, get_tech
from . import PROGRAM_FILE, noted_process

TITLE = "CrossStack LVS"
#: how often the program is asked whether it has ended, and how long it may take to stop, in s
_POLL_S, _STOP_S = 0.05, 2.0
#: half the side of a marker around a finding, in um
_MARK_UM = 0.5


class LvsError(Exception):
    """LVS could not run; the message says why."""


class LvsCancelled(Exception):  # noqa: N818 - no error: the user asked for it
    """The user has cancelled LVS."""


class Waiting:
    """A dialog that says that LVS runs, with a button to cancel it."""

    def __init__(self, text: str) -> None:
        parent = pya.Application.instance().main_window()
        # without end: nobody knows how long it takes
        self._dialog = pya.QProgressDialog(text, "Cancel", 0, 0, parent)
        self._dialog.windowTitle = TITLE
        self._dialog.windowModality = pya.Qt.WindowModal  # the layout stays as it is meanwhile
        self._dialog.minimumDuration = 0
        self._dialog.show()

    def cancelled(self) -> bool:
        """Let the window live and return whether the user has had enough."""
        pya.Application.instance().process_events()
        return bool(self._dialog.wasCanceled)

    def close(self) -> None:
        """Take the dialog away."""
        self._dialog.close()
        self._dialog._destroy()


@dataclass(frozen=True)
class Subject:
    """The cell that is compared.

    Attributes:
        cell: the cell.
        trans: where it lies in the cell shown.
        note: what the user must know of it, empty for nothing.
    """

    cell: pya.Cell
    trans: pya.DCplxTrans
    note: str = ""


def find_program(beside: Path = Path(__file__).parent) -> str:
    """Return the path of the `crossstack` program: the one that installed this, or that on PATH.

    Raises:
        LvsError: if it is neither where it was at installation nor on PATH.
    """
    found, noted = None, beside / PROGRAM_FILE
    if noted.is_file():
        found = shutil.which(noted.read_text(encoding="utf-8").strip())
    found = found or shutil.which("crossstack")
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
        LvsCancelled: if the user has cancelled it.
    """
    command = [program, "lvs", str(layout), "--netlist", str(netlist), "--top", top]
    command += ["--json", "--out", str(layout.parent)]
    process = noted_process()[1]
    command += ["--process", process] if process != DEFAULT else []
    code, said, complaint = run_cancellable(command, layout.parent, f"Comparing {top} ...")
    if code not in (0, 1):
        raise LvsError(complaint.strip() or f"crossstack lvs ended with {code}")
    result: dict[str, Any] = json.loads(said)
    return result


def run_cancellable(command: list[str], folder: Path, text: str) -> tuple[int, str, str]:
    """Run a program while the window lives; return its exit code and what it wrote.

    Args:
        command: the program and its arguments.
        folder: where its output may be kept meanwhile.
        text: what the dialog says.

    Raises:
        LvsCancelled: if the user has cancelled it; the program has ended then.
        LvsError: if the program cannot be started.
    """
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        try:
            running = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=to_out, stderr=to_err
            )
        except OSError as error:
            raise LvsError(f"{command[0]} cannot be started: {error}") from None
        waiting = Waiting(text)
        try:
            while running.poll() is None:
                if waiting.cancelled():
                    raise LvsCancelled
                time.sleep(_POLL_S)
        finally:
            _stop(running)
            waiting.close()
    said, complaint = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
    return running.returncode, said, complaint


def _stop(running: subprocess.Popen[bytes]) -> None:
    if running.poll() is not None:
        return
    running.terminate()
    try:
        running.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()


def subject_of(cell: pya.Cell) -> Subject:
    """Return what is compared where a cell is shown: the cell, or the only instance in it.

    Pins are named by labels in the top cell. One that just holds an instance, as a PCell is
    placed, has none; the instance has.
    """
    found, trans = cell, pya.DCplxTrans()
    while (instance := _only_instance(found)) is not None:
        trans = trans * instance.dcplx_trans
        found = instance.cell
    if found is not cell:
        note = f"{cell.name} has no pin labels: LVS of a single instance looks through to "
        note += found.name
        if not has_labels(found):
            note += ", which has none either: pins and gates stay without names"
    elif not has_labels(found):
        note = (
            f"{cell.name} has no pin labels: LVS cannot tell which nets are its pins. Put a text "
            "with the net's name over each pin, on the label layer of its metal, or make the cell "
            "that has labels the new top (Show As New Top) and run LVS on that."
        )
    else:
        note = ""
    return Subject(found, trans, note)


def _only_instance(cell: pya.Cell) -> pya.Instance | None:
    """Return the instance of a cell that holds one, no array, and no shapes of its own."""
    layers = cell.layout().layer_indexes()
    if any(not cell.shapes(layer).is_empty() for layer in layers):
        return None
    held = list(cell.each_inst())
    return held[0] if len(held) == 1 and held[0].size() == 1 else None


def has_labels(cell: pya.Cell) -> bool:
    """Return whether a cell itself holds a text on a label layer."""
    tech, layout = get_tech(process=noted_process()[0]), cell.layout()
    for name in set(tech.label_of.values()):
        layer = layout.find_layer(*tech.gds(name))
        if layer is not None and any(s.is_text() for s in cell.shapes(layer).each()):
            return True
    return False


def write_markers(
    database: pya.ReportDatabase, result: dict[str, Any], top: str, trans: pya.DCplxTrans
) -> None:
    """Fill a report database: one category per kind of finding, one item per finding.

    Args:
        database: what to fill.
        result: what the program found.
        top: the cell shown.
        trans: where the cell compared lies in it.
    """
    cell = database.create_cell(top).rdb_id()
    kinds: dict[str, int] = {}
    for finding in result["findings"]:
        kind = finding["kind"]
        if kind not in kinds:
            kinds[kind] = database.create_category(kind).rdb_id()
        item = database.create_item(cell, kinds[kind])
        item.add_value(finding["message"])
        for x, y in finding["places_um"]:
            box = pya.DBox(x - _MARK_UM, y - _MARK_UM, x + _MARK_UM, y + _MARK_UM)
            item.add_value(box.transformed(trans))


def summary(result: dict[str, Any], netlist: Path) -> str:
    """Return the verdict in words; what the user must know of the cell compared comes first."""
    devices = ", ".join(f"{n} {kind}" for kind, n in result["devices"].items() if n)
    verdict = "Match" if result["match"] else f"MISMATCH: {len(result['errors'])} finding(s)"
    lines = [result["note"], ""] if result.get("note") else []
    lines += [f"{verdict} with {netlist.name}", f"Devices: {devices or 'none'}", ""]
    return "\n".join([*lines, *result["errors"][:10]]).strip()


def check_view(view: pya.LayoutView, netlist: Path) -> dict[str, Any]:
    """Compare the current cell of a view with a netlist and show the findings in its browser.

    Raises:
        LvsError: if the comparison did not complete.
        LvsCancelled: if the user has cancelled it.
    """
    shown = view.active_cellview()
    subject = subject_of(shown.cell)
    with tempfile.TemporaryDirectory() as folder:
        # what is on the screen, saved or not
        layout = Path(folder) / "layout.gds"
        options = pya.SaveLayoutOptions()
        options.format = "GDS2"
        options.write_context_info = False
        options.clear_cells()
        options.add_cell(subject.cell.cell_index())
        shown.layout().write(str(layout), options)
        result = run_lvs(find_program(), layout, netlist, subject.cell.name)
    result["note"] = subject.note
    if result["findings"]:
        index = view.create_rdb(TITLE)
        write_markers(view.rdb(index), result, shown.cell.name, subject.trans)
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
    except LvsCancelled:
        return
    except LvsError as error:
        pya.MessageBox.warning(TITLE, str(error), buttons)
        return
    show = pya.MessageBox.info if result["match"] else pya.MessageBox.warning
    show(TITLE, summary(result, netlist), buttons)
