"""Work in the hierarchy is done in this thread, not by a worker that is waited for."""

from __future__ import annotations

import re
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.base.serial import net_list, shape_store

ROOT = Path(__file__).resolve().parents[2]


def test_no_worker_is_started() -> None:
    layout = db.Layout()
    cell = layout.create_cell("TOP")
    whole = db.RecursiveShapeIterator(layout, cell, [])
    assert [made.threads for made in (shape_store(), net_list(whole), net_list("flat", 0.001))] == [
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("name", ["DeepShapeStore", "LayoutToNetlist", "LayoutVsSchematic"])
def test_no_room_leaves_it_to_a_worker(name: str) -> None:
    rooms = re.findall(
        r'^"crossstack\.\w+" = "(\w+)"$', (ROOT / "pyproject.toml").read_text(), re.M
    )
    assert "drc" in rooms
    for path in (p for room in (*rooms, "crossstack") for p in (ROOT / room).rglob("*.py")):
        text = path.read_text()
        made = len(re.findall(rf"\w*db\.{name}\(", text))
        assert made <= text.count(".threads = 0"), path
