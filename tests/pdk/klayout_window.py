"""Runs inside KLayout with a window: what a user finds there, as JSON into the file `out`."""

import json
import os
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
os.environ["PATH"] = ""
(Path(lvs_menu.__file__).parent / "program.txt").unlink()
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
