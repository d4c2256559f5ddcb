"""Runs inside KLayout with a window: what a user finds there, as JSON into the file `out`."""

import json
import os
import time
from pathlib import Path

import pya

app = pya.Application.instance()
window = app.main_window()
app.process_events()
view = window.current_view()
shown = view.active_cellview()
found = {
    "technologies": pya.Technology.technology_names(),
    "libraries": pya.Library.library_names(),
    "layout_technology": shown.technology,
    "layers": [p.name for p in view.each_layer()],
    "menus": {
        menu: [window.menu().action(i).title for i in window.menu().items(f"tools_menu.{menu}")]
        for menu in ("drc", "lvs", "d25")
    },
}


def walk(parent):
    for child in parent.children():
        yield child
        yield from walk(child)


# the 2.5-D view: KLayout's own commands read the script and list what it stacks
macro = pya.Macro(next(str(p) for p in Path(folder).glob("salt/*/d25/*.lyd25")))  # noqa: F821
found["d25_code"] = macro.run()
for _ in range(20):
    app.process_events()
app.process_events()
for widget in pya.QApplication.topLevelWidgets():
    if widget.windowTitle == "2.5d View":
        lists = [w for w in walk(widget) if w.objectName == "material_list"]
        found["d25"] = [w.item(k).text for w in lists for k in range(w.count)]
        widget.close()

# the DRC entry, on what the view shows
deck = pya.Macro(next(str(p) for p in Path(folder).glob("salt/*/drc/*_stepper.lydrc")))  # noqa: F821
found["drc_code"] = deck.run()
database = view.rdb(view.num_rdbs() - 1)
found["drc"] = [database.name(), database.num_items(), len(list(database.each_category()))]

# the LVS entry, on the layout as it is and on one with a wire cut
from crossstack_klayout.klayout import lvs_menu  # noqa: E402

messages = []


class Messages:
    """Stands in for the message boxes, which would wait for a click."""

    Ok = pya.MessageBox.Ok

    @classmethod
    def info(cls, title, text, buttons):
        messages.append(["info", title, text])

    @classmethod
    def warning(cls, title, text, buttons):
        messages.append(["warning", title, text])


pya.MessageBox = Messages
lvs_menu.run()
found["databases"] = view.num_rdbs()
layout = shown.layout()
metal4 = layout.layer(*json.loads(cut))  # noqa: F821
layout.cell("row_end").shapes(metal4).clear()
shown.cell.shapes(metal4).clear()
netlist = lvs_menu.choose_netlist(shown.filename())
found["damaged"] = lvs_menu.check_view(view, netlist)
database = view.rdb(view.num_rdbs() - 1)
found["markers"] = [database.name(), database.num_items()]
found["words"] = lvs_menu.summary(found["damaged"], netlist)

# a PCell as it is placed in a new top, turned; then without names of its select lines
window.create_layout(found["layout_technology"], 1)
other = window.current_view()
made = other.active_cellview().layout()
top = made.create_cell("TOP")
cell = made.create_cell("crossbar_array", "CrossStack", {"rows": 2, "cols": 3})
placed = pya.Trans(1, False, 700_000, 0)
top.insert(pya.CellInstArray(cell.cell_index(), placed))
other.active_cellview().cell = top
clicks = []


class Counted(lvs_menu.Waiting):
    """Counts how often the window was let live."""

    def cancelled(self):
        clicks.append(self._dialog.visible)
        return super().cancelled()


usual, lvs_menu.Waiting = lvs_menu.Waiting, Counted
found["placed"] = lvs_menu.check_view(other, netlist)
found["placed_words"] = lvs_menu.summary(found["placed"], netlist)
found["clicks"] = [len(clicks), any(clicks)]
static = made.cell(made.convert_cell_to_static(cell.cell_index()))
top.clear()
top.insert(pya.CellInstArray(static.cell_index(), placed))
static.shapes(made.layer(*json.loads(select_labels))).clear()  # noqa: F821
found["placed_damaged"] = lvs_menu.check_view(other, netlist)
database = other.rdb(other.num_rdbs() - 1)
boxes = [v.box() for item in database.each_item() for v in item.each_value() if v.is_box()]
inside = top.dbbox().enlarged(1, 1)
found["marked_on_top"] = [inside.contains(box.center()) for box in boxes]
two = made.create_cell("TWO")
for k in range(2):
    two.insert(pya.CellInstArray(static.cell_index(), pya.Trans(k * 100_000, 0)))
found["two"] = lvs_menu.subject_of(two).note
found["labelled"] = lvs_menu.subject_of(shown.cell).note


class Cancelling(usual):
    """A user who clicks on Cancel at once."""

    def __init__(self, text):
        super().__init__(text)
        self._dialog.cancel()


lvs_menu.Waiting = Cancelling
started = time.time()
try:
    lvs_menu.run_cancellable(["sleep", "60"], Path(out).parent, "asleep")  # noqa: F821
except lvs_menu.LvsCancelled:
    found["cancelled_after_s"] = time.time() - started
count = len(messages)
window.select_view(0)
lvs_menu.run()
found["silent"] = len(messages) == count
lvs_menu.Waiting = usual

# the program that installed this, whatever is on PATH
fake = Path(out).parent / "bin" / "crossstack"  # noqa: F821
fake.parent.mkdir()
fake.write_text("#!/bin/sh\nexit 2\n")
fake.chmod(0o755)
os.environ["PATH"] = str(fake.parent)
noted = Path(lvs_menu.__file__).parent / "program.txt"
found["program"] = [lvs_menu.find_program(), noted.read_text().strip()]
os.environ["PATH"] = ""
noted.unlink()
lvs_menu.run()
found["messages"] = messages

window.resize(1600, 1000)
for _ in range(10):
    app.process_events()
view.max_hier()
view.zoom_fit()
for _ in range(10):
    app.process_events()
window.grab().save(picture)  # noqa: F821
Path(out).write_text(json.dumps(found))  # noqa: F821
os._exit(0)  # without the questions of a window that closes
