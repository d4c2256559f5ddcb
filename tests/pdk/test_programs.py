"""What other programs need of a process is data: the same that the callers still hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crossstack.base.errors import FileError
from crossstack.drc import antenna, foundry
from crossstack.drc.expr import layer
from crossstack.extract import bsim
from crossstack.generators import tapeout
from crossstack.lvs import devices, magic_tech
from crossstack.lvs.connectivity import DERIVED, EXTRA_LINKS, SILICON, evaluate
from crossstack.pdk import ProcessError, get_tech, programs
from crossstack.pdk.regions import build
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


def test_magic():
    found = programs.magic(GF180)
    assert dict(found.silicon) == magic_tech.SILICON
    assert dict(found.contacts) == magic_tech._LANDS
    assert (found.lambda_nm, found.scalegrid) == (magic_tech.LAMBDA_NM, magic_tech.STEPS)
    known = magic_tech.conductors(get_tech())
    assert all(known[name] == conductor for name, conductor in found.conductors)


def test_nets_and_devices():
    found = get_tech().nets
    assert found.silicon == SILICON
    assert set(found.links) == set(EXTRA_LINKS)
    order = antenna.Order.of(get_tech())
    assert (order.poly, order.contact, order.diffusion) == ("Poly2", "Contact", "COMP")
    assert order.layers_of(1) == ["COMP", "Poly2", "Contact", "Metal1", "Via1"]
    assert order.stack[-2:] == ("Via4", "Metal5")
    assert order.diode_factor == 2
    kinds = [(k.name, k.terminals, k.body, k.is_memristor) for k in devices.KINDS]
    assert [(d.name, d.terminals, d.body, d.is_memristor) for d in found.devices] == kinds


def test_derived_layers_are_those_of_lvs():
    nodes, ours = {}, {}
    for name in ("COMP", "Poly2", "Nplus", "Pplus", "Nwell", "Contact", "BE", "ME", "TE",
                 "TIO2_B", "TIO2X_B", "TIO2_T", "TIO2X_T"):  # fmt: skip
        nodes[name] = ours[name] = layer(name)
    for name, text in DERIVED:
        nodes[name] = evaluate(text, nodes)
    for name, text in get_tech().nets.derived:
        ours[name] = build(text, ours.__getitem__)
    assert list(ours) == list(nodes)
    # equal expressions are one object
    assert {name for name in nodes if nodes[name] is not ours[name]} == set()


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
