"""What other programs need of a process is data that is read strictly."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from crossstack.base.errors import FileError, TechError
from crossstack.drc import antenna
from crossstack.generators import tapeout
from crossstack.lvs import devices, magic_tech
from crossstack.pdk import ProcessError, foundry, get_tech, programs, shuttle
from crossstack.pdk.home import HOME

GF180 = HOME / "gf180mcuD"


def test_a_transistor_is_written_as_its_library_asks():
    kit = foundry.models(GF180)
    shown = "w=2u l=0.28u as=0.88p ad=0.88p ps=4.88u pd=4.88u nrs=0.13 nrd=0.13 nf=1"
    assert kit.parameters(2.0, 0.28) == shown
    bare = replace(kit, instance="w={w_um} l={l_um}", reach_um=0.0, squares_um=0.0)
    assert bare.parameters(0.42, 0.15) == "w=0.42 l=0.15"
    with pytest.raises(TechError, match="diode has no subcircuit"):
        kit.subcircuit("diode")


BARE_DECK = """\
file = "kit/other.lydrc"
variables = { input = "{input}", report = "{report}" }
[wheel]
name = "other"
version = "0.2.0"
sha256 = "17de27253badd2dd8f26c60b686b77c660227a7085732b9d71bfe1c98443c3d9"
[[edit]]
find = "FEOL    = false"
replace = "FEOL    = true"
[[edit]]
find = "threads(4)"
replace = "threads({threads})"
[[canary]]
rule = "m1.1"
layer = "met1"
width_um = 0.1
"""
BARE_MODELS = """\
library = "lib.spice"
folder = "src/models"
files = ["*.spice"]
instance = "w={w_um} l={l_um}"
[wheel]
name = "other"
version = "0.15.3"
sha256 = "636fbe9dcb0e7291a16e1356ce4931edd374b1340c48e076b0140146e407d63d"
[subcircuits]
nfet = "n"
pfet = "p"
[sections]
typ = "tt"
min = "ff"
max = "ss"
[sweep]
w_um = [0.42, 5]
source_v = [0, 1.8]
drop_v = [0.01, 1.8]
temperature_c = [-40, 125]
"""


def test_a_deck_and_models_that_ask_for_little(tmp_path):
    (tmp_path / "deck.toml").write_text(BARE_DECK)
    (tmp_path / "models.toml").write_text(BARE_MODELS)
    deck, kit = foundry.deck(tmp_path), foundry.models(tmp_path)
    assert [edit.find for edit in deck.edits] == ["FEOL    = false", "threads(4)"]
    assert foundry.fill(deck.edits[1].replace, {"threads": "2"}) == "threads(2)"
    assert (deck.shapes_read, deck.wheel.pip_options, kit.before) == ("", (), ())
    assert kit.parameters(1, 0.15) == "w=1 l=0.15"


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("deck.toml", '"{input}"', '"{layout}"', r"{layout} is none of {input}, {top}"),
        ("deck.toml", '"{report}"', '"r.lyrdb"', "no variable of the deck holds {report}"),
        ("deck.toml", 'find = "threads(4)"', 'find = ""', "find is empty"),
        ("deck.toml", "[[edit]]", 'shapes_read = "("\n[[edit]]', "'shapes_read' is unknown"),
        ("deck.toml", "file =", 'shapes_read = "("\nfile =', "shapes_read is no pattern"),
        ("deck.toml", "file =", 'shapes_read = "x"\nfile =', "has not one (group)"),
        ("deck.toml", 'name = "other"', 'name = "--pre"', "name = '--pre' is none"),
        ("models.toml", "{l_um}", "{L}", "{L} is none of {w_um}"),
        ("models.toml", "{l_um}", "{area_um2}", "reach_um"),
        ("models.toml", '"src/models"', '"../models"', "leads out of the wheel"),
        ("models.toml", "typ =", "typical =", "sections are not those of typ, min, max"),
        ("models.toml", "[0.42, 5]", "[5, 0.42]", "w_um is not two or more ascending numbers"),
        ("models.toml", "[0.42, 5]", "[0, 5]", "w_um and drop_v are above 0"),
        ("models.toml", "[0.42, 5]", '["0.42", 5]', "w_um = '0.42' is not a number"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, file, old, new, words):
    text = {"deck.toml": BARE_DECK, "models.toml": BARE_MODELS}[file]
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    with pytest.raises(ProcessError) as found:
        getattr(foundry, file.removesuffix(".toml"))(tmp_path)
    assert words in str(found.value)


def test_shuttle():
    tech = get_tech()
    slots = [(s.name, s.width, s.height) for s in tapeout.slots(tech)]
    assert slots[0] == ("1x1", 3_932_000, 5_122_000)
    assert tapeout.seal_ring(tech) == 26_000
    assert tapeout.forbidden_layers(tech) == {(82, 0): "Via5 82/0", (53, 0): "MetalTop 53/0"}
    assert tech.shuttle.pads.bond_opening_um == 60


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
        ("deck.toml", 'feol = "true"', "feol = true", "variables is not a table of texts"),
        ("shuttle.toml", "[30, 200]", "[30]", "is not a list of 2 numbers"),
        ("shuttle.toml", '"82/0"', '"82"', "forbidden: '82' is not layer/datatype"),
        ("shuttle.toml", "probe_pitch_um = 80", "", "'probe_pitch_um' is missing"),
        ("shuttle.toml", "width_um = 3932", "width_um = nan", "width_um = nan, allowed: above 0"),
        ("shuttle.toml", "row_um = [8, 1.6]", "row_um = [8]", "row_um is not a list of 2"),
        ("shuttle.toml", "column_um = [1.6, 8]", "column_um = [16, 3.2]", "are parallel"),
        ("shuttle.toml", "side_um = 5\n", "side_um = 0\n", "side_um = 0, allowed: above 0"),
        ("shuttle.toml", "end_um = 16", "end_um = 17", "not between 0 and 16"),
        ("shuttle.toml", "pitch_um = 1.6", "pitch = 1.6", "'pitch_um' is missing"),
        ("shuttle.toml", '"south-west"', '"south"', "'south' is no known corner"),
        ("shuttle.toml", "turned = true", "turned = 1", "neither true nor false"),
        ("magic.toml", "[contacts]", "[contact]", "'contacts' is missing"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, file, old, new, words):
    folder = tmp_path / "lab"
    shutil.copytree(GF180, folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    name = file.removesuffix(".toml")
    home = {"deck": foundry, "models": foundry, "shuttle": shuttle}.get(name, programs)
    read = getattr(home, name)
    with pytest.raises(ProcessError) as found:
        read(folder)
    assert words in str(found.value)
    (folder / file).unlink()
    with pytest.raises(FileError, match=file):
        read(tmp_path / "none")
