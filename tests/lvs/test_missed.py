"""Devices that are drawn and that KLayout makes none of: each is a finding, by place."""

from __future__ import annotations

import random
from types import SimpleNamespace

import klayout.db as db
import pytest

from crossstack.lvs import check_layout, devices, missed_devices

#: poly over a square of diffusion of 4 x 4 um, and the areas of source and drain it leaves
SHAPES = {
    "bar": ([(1, -1, 1.4, 5)], 2),
    "bent": ([(1, -1, 1.4, 2), (1, 1.8, 5, 2.2)], 2),
    "ring": ([(1, 1, 3, 1.3), (1, 2.7, 3, 3), (1, 1, 1.3, 3), (2.7, 1, 3, 3)], 2),
    "branched": ([(1, -1, 1.4, 5), (1.4, 1.8, 5, 2.2)], 3),
    "crossed": ([(1, -1, 1.4, 5), (-1, 1.8, 5, 2.2)], 4),
    "ends inside": ([(1, -1, 1.4, 3)], 1),
    "inside": ([(1, 1, 1.4, 3)], 1),
    "covers all": ([(-1, -1, 5, 5)], 0),
    "covers one side": ([(2, -1, 5, 5)], 1),
}


def draw_gate(d, boxes, *, kind="nfet", at=(0.0, 0.0), cell=None):
    x, y = at
    d.rect("COMP", x, y, x + 4, y + 4, cell)
    d.rect("Nplus" if kind == "nfet" else "Pplus", x - 0.4, y - 0.4, x + 4.4, y + 4.4, cell)
    if kind == "pfet":
        d.rect("Nwell", x - 1, y - 1, x + 5, y + 5, cell)
    for box in boxes:
        d.rect("Poly2", x + box[0], y + box[1], x + box[2], y + box[3], cell)


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_gate_between_other_than_two_areas(drawing, shape, kind):
    boxes, areas = SHAPES[shape]
    draw_gate(drawing, boxes, kind=kind)
    x = drawing.extract()
    found = [f.message for f in missed_devices(x)]
    if areas == 2:
        assert len(x.flat.devices) == 1
        assert found == []
        return
    assert x.flat.devices == []
    (message,) = found
    assert message.startswith(f"{kind} gate at (")
    word = "area" if areas == 1 else "areas"
    diffusion = "nsd" if kind == "nfet" else "psd"
    assert f"became no device: it touches {areas} {word} of {diffusion}, not 2" in message
    assert str(missed_devices(x)[0]) in map(str, check_layout(x))


def test_a_notch_in_the_diffusion(drawing):
    """Straight poly, as the rules want it: a slit in the diffusion makes the third area."""
    draw_gate(drawing, [(1, -1, 1.5, 5)])
    drawing.cut("COMP", 1.28, 1.7, 4, 2.3)
    (finding,) = missed_devices(drawing.extract())
    assert finding.places == ((1.25, 2.0),)


def test_every_gate_is_a_device_or_a_finding(drawing):
    """Random poly over diffusion: the numbers of gates drawn and accounted for agree."""
    rng = random.Random(8)
    for k in range(60):
        x, y = rng.uniform(-0.6, 3), rng.uniform(-0.6, 3)
        boxes = [
            (x, -0.8, x + 0.4, rng.choice([2.0, 4.8])),
            (rng.choice([-0.8, 1.5]), y, rng.choice([2.5, 4.8]), y + 0.4),
        ]
        at = (12.0 * (k % 8), 12.0 * (k // 8))
        draw_gate(drawing, boxes[: rng.choice([1, 2])], kind=rng.choice(["nfet", "pfet"]), at=at)
    x = drawing.extract()
    gates = x.regions["gate"].merged().count()
    lost = [f for f in missed_devices(x) if f.kind == "device"]
    assert 10 < len(x.flat.devices) < gates
    assert 0 < len(lost) <= 40  # at most 20 of a kind are named
    assert gates - len(x.flat.devices) >= len(lost)
    named = {f.places[0] for f in lost}
    assert not named & {device.at for device in x.flat.devices}


def test_a_lost_gate_is_named_where_its_cell_stands(drawing):
    cell = drawing.layout.create_cell("lost")
    draw_gate(drawing, SHAPES["branched"][0], cell=cell)
    for trans in (db.Trans(100_000, 0), db.Trans(db.Trans.R90, 0, 200_000)):
        drawing.top.insert(db.CellInstArray(cell.cell_index(), trans))
    found = {f.places[0] for f in missed_devices(drawing.extract())}
    assert found == {(102.5, 2.0), (-2.0, 202.5)}


def test_no_match_with_a_lost_transistor(array, netlist, compare):
    d = array(1, 2)
    assert compare(d, netlist(1, 2)).match
    draw_gate(d, SHAPES["branched"][0], at=(-20, 0))
    report = compare(d, netlist(1, 2))
    assert not report.match
    assert [f.kind for f in report.findings] == ["device"]


def test_a_crossing_that_became_no_memristor(array, monkeypatch):
    whole = devices.MemristorExtractor.extract_devices

    def deaf(self, geometry):
        if self.name != "memristor_top":
            whole(self, geometry)

    monkeypatch.setattr(devices.MemristorExtractor, "extract_devices", deaf)
    found = [str(f) for f in missed_devices(array(1, 1).extract())]
    assert found == ["device: memristor_top crossing at (4.000, 1.800) became no device"]


@pytest.mark.parametrize(
    ("severity", "said"),
    [
        (db.LogEntryData.Info, False),
        (db.LogEntryData.NoSeverity, False),
        (db.LogEntryData.Warning, True),
        (db.LogEntryData.Error, True),
    ],
)
def test_what_klayout_warns_of_is_a_finding(inverter, severity, said):
    x = inverter().extract()
    assert x.flat.devices
    entry = db.LogEntryData()
    entry.severity, entry.message, entry.cell_name = severity, "something odd", "inverter"
    x.l2n = SimpleNamespace(each_log_entry=lambda: iter([entry]))
    wanted = ["extraction: KLayout in cell inverter: something odd"] if said else []
    assert [str(f) for f in missed_devices(x)] == wanted
