"""The bits of a scan chain are those of the macro that was built, or nothing is printed."""

from __future__ import annotations

import json
import shutil

import pytest

NAME = "chained"


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    """Return a folder as a build leaves it, as far as --address needs it."""
    from crossstack import addresses
    from crossstack.base.files import write_json, write_manifest
    from crossstack.cells.drawing import to_layout
    from crossstack.extract import extract_network
    from crossstack.generators import ArraySpec, build_top
    from crossstack.solve import save_network

    folder = tmp_path_factory.mktemp(NAME)
    spec = {"rows": 2, "cols": 2, "top": "macro", "periphery": "scan", "name": NAME}
    array = build_top(ArraySpec.from_mapping(spec))
    network = extract_network(to_layout(array.cell, array.tech), array.tech)
    save_network(network, folder / "network.npz")
    write_json(folder / addresses.FILE, addresses.chain_value(array.chain))
    parameters = {"profile": array.tech.profile.name, "process": array.tech.key}
    write_manifest(folder, {"name": NAME, "parameters": parameters})
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
