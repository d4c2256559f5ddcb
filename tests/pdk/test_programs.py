"""What other programs need of a process is data: the same that the callers still hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crossstack.base.errors import FileError
from crossstack.drc import antenna, foundry
from crossstack.extract import bsim
from crossstack.generators import tapeout
from crossstack.lvs import devices, magic_tech
from crossstack.pdk import ProcessError, get_tech, programs
from crossstack.pdk.tech import HOME

GF180 = HOME / "gf180mcuD"


def test_models():
    found = programs.models(GF180)
    assert dict(found.subcircuits) == bsim.MODELS
    assert dict(found.sections) == bsim.SECTIONS
    assert (found.library, found.parameters) == (bsim.LIBRARY, bsim.PARAMETERS)
    assert (found.reach_um, found.squares_um) == (bsim._REACH_UM, bsim._SQUARES_UM)
    assert found.files == foundry.MODEL_PATHS
    assert vars(found.wheel) == vars(foundry.MODELS)


def test_deck():
    found = programs.deck(GF180)
    assert dict(found.switches) == foundry.SWITCHES
    assert {c.rule: (c.layer, c.width_um) for c in found.canaries} == foundry.CANARIES
    assert found.file == foundry.DECK_PATH
    assert vars(found.wheel) == vars(foundry.DECK)
    assert found.wheel.file == foundry.DECK.file


def test_shuttle():
    found = programs.shuttle(GF180)
    slots = [(s.name, round(s.width_um * 1e3), round(s.height_um * 1e3)) for s in found.slots]
    assert slots == [(s.name, s.width, s.height) for s in tapeout.SLOTS]
    assert round(found.seal_ring_um * 1e3) == tapeout.SEAL_RING
    forbidden = [tuple(map(int, pair.split("/"))) for pair in found.forbidden]
    assert forbidden == list(tapeout.forbidden_layers(get_tech()))


def test_magic_knows_the_conductors_of_its_map():
    found = programs.magic(GF180)
    known = magic_tech.conductors(get_tech())
    assert all(known[name] == conductor for name, conductor in found.conductors)
    assert {land for _, land in found.contacts} <= {*dict(found.silicon), "poly"}


def test_nets_and_devices():
    tech = get_tech()
    found = tech.nets
    order = antenna.Order.of(tech)
    assert (order.poly, order.contact, order.diffusion) == ("Poly2", "Contact", "COMP")
    assert order.layers_of(1) == ["COMP", "Poly2", "Contact", "Metal1", "Via1"]
    assert order.stack[-2:] == ("Via4", "Metal5")
    for kind in devices.KINDS:
        device = found.device(kind.name)
        assert tuple(dict(device.terminals)) == kind.terminals
        assert device.is_memristor == kind.is_memristor
        assert device.body in dict(found.derived)
    assert {kind.name for kind in devices.KINDS} == {device.name for device in found.devices}


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("models.toml", "[wheel]", "[wheels]", "'wheel' is missing"),
        ("models.toml", 'sha256 = "55', 'sha256 = "5', "64 hexadecimal digits"),
        (
            "models.toml",
            "reach_um = 0.44",
            'reach_um = "0.44"',
            "reach_um = '0.44' is not a number",
        ),
        ("deck.toml", "width_um = 0.15", "widht_um = 0.15", "'width_um' is missing"),
        ("deck.toml", 'feol = "true"', "feol = true", "switches is not a table of texts"),
        ("shuttle.toml", "[30, 200]", "[30]", "is not [least, most]"),
        ("shuttle.toml", "width_um = 3932", "width_um = nan", "width_um = nan is not"),
        ("magic.toml", "[contacts]", "[contact]", "'contacts' is missing"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, file, old, new, words):
    folder = tmp_path / "lab"
    shutil.copytree(GF180, folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    read = getattr(programs, file.removesuffix(".toml"))
    with pytest.raises(ProcessError) as found:
        read(folder)
    assert words in str(found.value)
    (folder / file).unlink()
    with pytest.raises(FileError, match=file):
        read(tmp_path / "none")
