"""Two macros and pads by gdsfactory's routers: every pin is on the net of its pad, and no other."""

from __future__ import annotations

import klayout.db as db
import pytest

pytest.importorskip("gdsfactory")

from crossstack.pdk import PDK, get_tech


def test_every_pin_reaches_its_pad_through_vias(example, tmp_path):
    PDK.activate()
    module = example("two_macros")
    chip, joined = module.draw()
    path = chip.write_gds(tmp_path / "chip.gds", with_metadata=False)
    assert module.reached(path, joined) == (18, True)
    layout = db.Layout()
    layout.read(str(path))
    top = layout.top_cell()
    for inst in [i for i in top.each_inst() if i.cell.name.startswith("transition")]:
        inst.cell.shapes(layout.layer(*get_tech().gds("Via3"))).clear()
    layout.write(str(path))
    assert module.reached(path, joined) == (10, True)  # the eight rows change from Metal4 to Metal3
