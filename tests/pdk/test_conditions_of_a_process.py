"""Supply and temperatures come from the process, not from a constant."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from crossstack.pdk import Conditions, ParameterError, get_tech
from crossstack.pdk.audit import audit
from crossstack.pdk.home import DEFAULT, DEFAULT_MODULE, HOME, MODULES
from crossstack.pdk.ron import FILE


@pytest.fixture(scope="module")
def cold(tmp_path_factory) -> Path:
    """The default process with a supply of 1.8 V, measured from 0 to 100 C."""
    folder = tmp_path_factory.mktemp("foundry") / "cold"
    shutil.copytree(HOME / DEFAULT, folder)
    top = folder / "process.toml"
    text = top.read_text().replace("supply_v = 3.3", "supply_v = 1.8")
    top.write_text(text.replace("temperatures_c = [-40, 125]", "temperatures_c = [0, 100]"))
    table = json.loads((folder / FILE).read_text())
    table["supply_v"] = 1.8
    table["temperature_c"] = [0.0, 25.0, 85.0, 100.0]
    (folder / FILE).write_text(json.dumps(table))
    sweep = folder / "models.toml"
    text = sweep.read_text()
    sweep.write_text(text.replace("[-40.0, 25.0, 85.0, 125.0]", "[0.0, 25.0, 85.0, 100.0]"))
    shutil.copytree(MODULES / DEFAULT_MODULE, folder / DEFAULT_MODULE)
    module = folder / DEFAULT_MODULE / "module.toml"
    module.write_text(module.read_text().replace("set_v = 2.0\n", "set_v = 1.8\n"))
    return folder


def test_they_are_those_of_the_folder(cold):
    assert audit(cold)[1] == ()
    tech = get_tech(process=cold)
    assert tech.conditions.supply_v == 1.8
    assert "supply 1.8 V" in tech.conditions.text
    assert tech.at(Conditions(temperature_c=100.0)).conditions.temperature_c == 100.0
    for wrong, words in (
        (Conditions(temperature_c=-1.0), "0 to 100 C"),
        (Conditions(temperature_c=101.0), "0 to 100 C"),
        (Conditions(supply_v=3.3), r"supply_v = 3\.3 is not allowed: 1\.8 V"),
    ):
        with pytest.raises(ParameterError, match=words):
            tech.at(wrong)
    with pytest.raises(ParameterError, match="temperature_c"):
        tech.nfet.__class__(**{**vars(tech.nfet), "temperature_c": 101.0}).ron_ohm(1.0)


def test_a_network_is_driven_at_the_supply_that_it_was_extracted_at(cold, tmp_path):
    from crossstack.cells import to_layout
    from crossstack.extract import Bsim, extract_network, write_spice
    from crossstack.generators import ArraySpec, build_top
    from crossstack.solve import network_drives, solve_network

    array = build_top(ArraySpec(2, 2, top="macro", process=str(cold)))
    tech = array.tech
    network = extract_network(to_layout(array.cell, tech), tech)
    drives = network_drives(network, "expansion", np.full((2, 2), 0.2))
    assert drives.port_voltages["VDD"] == 1.8
    solved = solve_network(
        network,
        conductances=np.full((2, 2, 2), 1e-4),
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=1e3,
    )
    assert solved.node_voltages.max() == 1.8
    (tmp_path / "sm141064.ngspice").touch()
    path = write_spice(
        network, tech, tmp_path / "a.spice", gates=drives.gates, sources=drives.port_voltages,
        bsim=Bsim(tech, tmp_path),
    )  # fmt: skip
    sources = {line.split()[-1] for line in path.read_text().splitlines() if line[0] == "V"}
    assert sources == {"0", "0.2", "1.8"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[0, 100]", "[0, 90]", "temperature_c does not reach over"),
        ("[0, 100]", "[100, 0]", "temperatures_c is not [lowest, highest]"),
        ("[0, 100]", "[0]", "temperatures_c is not [lowest, highest]"),
        ("[0, 100]", '["0", 100]', "temperatures_c = '0' is not a number"),
        ("[0, 100]", "[30, 100]", "does not hold 25 C"),
        ("supply_v = 1.8", "supply_v = 0", "supply_v = 0, allowed: above 0"),
    ],
)
def test_nonsense_is_refused(cold, tmp_path, old, new, words):
    folder = tmp_path / "lab"
    shutil.copytree(cold, folder)
    top = folder / "process.toml"
    top.write_text(top.read_text().replace(old, new))
    assert any(words in problem for problem in audit(folder)[1])
