"""Renew the golden drawings of all cells. Look at each cell before you commit the result."""

from pathlib import Path

import klayout.db as db
from update_components import main as update_components

from crossstack.cells import CELLS, draw_cell, to_layout
from crossstack.pdk import PROFILES, get_tech

options = db.SaveLayoutOptions()
options.write_context_info = False
options.gds2_write_timestamps = False
for name in sorted(CELLS):
    for profile in sorted(PROFILES):
        tech = get_tech(profile)
        path = Path(__file__).parent / f"{name}_{profile}.gds"
        to_layout(draw_cell(name, tech), tech).write(str(path), options)
        print(path.name)
update_components()
