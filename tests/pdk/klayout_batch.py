"""Runs inside KLayout without a window: PCells to a file, nets traced, as JSON into `out`."""

import json
from pathlib import Path

import pya

jobs = json.loads(Path(jobs_file).read_text())  # noqa: F821
made = pya.Layout()
made.dbu = 0.001
made.technology_name = jobs["technology"]  # the library is offered to no other
titles = []
for k, (name, parameters) in enumerate(jobs["pcells"]):
    cell = made.create_cell(name, "CrossStack", parameters)
    titles.append(cell.display_title())
    top = made.create_cell(f"job_{k}")
    top.insert(pya.CellInstArray(cell.cell_index(), pya.Trans()))
made.create_cell("hybrid_cell", "CrossStack", {"pitch_x_um": 1.0})  # too small: an error text
options = pya.SaveLayoutOptions()
options.write_context_info = False
made.write(jobs["target"], options)

offered = {}
for technology in "", jobs["technology"]:
    other = pya.Layout()
    other.technology_name = technology
    offered[technology] = other.create_cell("hybrid_cell", "CrossStack", {}) is not None

traced = {}
array = pya.Layout()
array.read(jobs["array"])
for label, (number, datatype) in jobs["labels"]:
    layer = array.layer(number, datatype)
    places = {}
    for shape in array.top_cell().shapes(array.layer(number, datatype + 10)).each():
        places[shape.text_string] = shape.bbox().center()
    tracer = pya.NetTracer()
    tracer.trace(jobs["technology"], array, array.top_cell(), places[label], layer)
    layers = {}
    for element in tracer.each_element():
        index = element.layer()
        key = "derived"  # diffusion, which no drawn layer is
        if array.is_valid_layer(index):
            info = array.get_info(index)
            key = f"{info.layer}/{info.datatype}"
        layers[key] = layers.get(key, 0) + 1
    traced[label] = layers
Path(out).write_text(json.dumps({"offered": offered, "titles": titles, "traced": traced}))  # noqa: F821
