"""Bits of a scan chain, or codes of a decoder, are those of the macro that was built, or none."""

from __future__ import annotations

import json
import shutil

import pytest

NAME, DECODED = "chained", "decoded"


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    return folder_of(tmp_path_factory, NAME, "scan")


@pytest.fixture(scope="module")
def decoded(tmp_path_factory):
    return folder_of(tmp_path_factory, DECODED, "decoder")


def folder_of(tmp_path_factory, name, periphery):
    """Return a folder as a build leaves it, as far as --address needs it."""
    from crossstack import addresses
    from crossstack.base.files import write_json, write_manifest
    from crossstack.cells.drawing import to_layout
    from crossstack.extract import extract_network
    from crossstack.generators import ArraySpec, build_top
    from crossstack.solve import save_network

    folder = tmp_path_factory.mktemp(name)
    spec = {"rows": 2, "cols": 2, "top": "macro", "periphery": periphery, "name": name}
    array = build_top(ArraySpec.from_mapping(spec))
    network = extract_network(to_layout(array.cell, array.tech), array.tech)
    save_network(network, folder / "network.npz")
    for file, value in addresses.values_of(array):
        write_json(folder / file, value)
    parameters = {"profile": array.tech.profile.name, "process": array.tech.key}
    write_manifest(folder, {"name": name, "parameters": parameters})
    return folder


@pytest.fixture
def copied(chained, tmp_path):
    return shutil.copytree(chained, tmp_path / NAME)


def bits(ran):
    (line,) = [line for line in ran.out.splitlines() if line.startswith("scan chain:")]
    return line.split()[2]


def test_an_address_is_told(crossstack, copied):
    ran = crossstack("solve", copied, "--address", 1)
    assert ran.code == 0
    assert bits(ran)
    assert "no manifest lists it" not in ran.err
    (copied / "manifest.json").unlink()
    ran = crossstack("solve", copied / "network.npz", "--address", 1)
    assert ran.code == 0
    assert "no manifest lists it" in ran.err


@pytest.mark.parametrize(
    ("change", "listed", "words"),
    [
        (lambda chain: chain.reverse(), True, "not the one that the build left"),
        (lambda chain: chain.append(chain[0]), True, "not the one that the build left"),
        (lambda chain: chain.append(chain[0]), False, "each once"),
        (lambda chain: chain.clear(), False, "a list of names of nets"),
        (lambda chain: chain.insert(0, 3), False, "a list of names of nets"),
    ],
)
def test_a_chain_of_another_order_is_refused(crossstack, copied, change, listed, words):
    """The bits of an edited file were printed without a word: another address."""
    path = copied / "scan.json"
    value = json.loads(path.read_text())
    change(value["chain"])
    path.write_text(json.dumps(value))
    if not listed:
        (copied / "manifest.json").unlink()
    ran = crossstack("solve", copied, "--address", 1)
    ran.fails(3, "scan.json", words)


@pytest.mark.parametrize("text", ["[]", "3", "{", '{"chain": "WT"}'])
def test_a_file_that_holds_no_chain(crossstack, copied, text):
    (copied / "scan.json").write_text(text)
    crossstack("solve", copied, "--address", 1).fails(3, "scan.json")


def codes(folder, change):
    """Change the file of a decoder that no manifest lists."""
    path = folder / "decoder.json"
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    (folder / "manifest.json").unlink()


def test_a_decoder_gives_the_currents_of_the_pins(crossstack, decoded):
    words = ("solve", decoded, "--mode", "deep-net", "--read-tier", "top", "--json")
    by_pins = json.loads(crossstack(*words, "--write-column", 1).out)
    by_address = json.loads(crossstack(*words, "--address", 1).out)
    told = by_address.pop("decoder")
    assert told == {
        "address": 1,
        "pins": {"A[0]": 1, "M[0]": 0, "M[1]": 1, "EN": 1},
    }
    assert by_address == by_pins
    assert "decoder: A[0] 1, M[1:0] 10" in crossstack(*words[:-1], "--address", 1).out


def test_an_address_of_no_column_is_refused_with_what_it_would_do():
    from crossstack.addresses import check_address
    from crossstack.base.errors import ConfigError
    from crossstack.solve.modes.decoder import Decoder

    decoder = Decoder(3, ("WSEL[2]", "WT", "WB", "TS[0]"))
    assert check_address(2, 3, decoder) == 2
    with pytest.raises(ConfigError, match=r"is 3, allowed 0\.\.2: .* read them all and write none"):
        check_address(3, 3, decoder)
    with pytest.raises(ConfigError, match=r"is 4, allowed 0\.\.2$"):
        check_address(4, 3, decoder)
    with pytest.raises(ConfigError, match=r"is 3, allowed 0\.\.2$"):
        check_address(3, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value["modes"].reverse(), "its codes are not those"),
        (lambda value: value.update(columns=3), "its codes are not those"),
        (lambda value: value.update(columns=0), "columns is 0"),
        (lambda value: value.update(columns=True), "columns is True"),
        (lambda value: value.update(nets=["VDD"]), "VDD is no control"),
        (lambda value: value.update(nets=[]), "a list of names of nets"),
    ],
)
def test_other_codes_are_refused(crossstack, decoded, tmp_path, change, words):
    folder = shutil.copytree(decoded, tmp_path / DECODED)
    codes(folder, change)
    crossstack("solve", folder, "--address", 1).fails(3, "decoder.json", words)


def test_a_folder_of_two_builds_is_refused(crossstack, copied, decoded):
    shutil.copy(decoded / "decoder.json", copied)
    crossstack("solve", copied, "--address", 1).fails(3, "scan.json", "decoder.json", "two builds")
