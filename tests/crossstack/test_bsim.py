"""BSIM transistors in the extracted netlist: what it holds, and what our resistors leave."""

from __future__ import annotations

import re
import runpy
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossstack.analyse import bsim
from crossstack.analyse.analysis import solve_modes, stimulus
from crossstack.analyse.operating import write_law
from crossstack.base.ngspice import ModelsError
from crossstack.cells.drawing import to_layout
from crossstack.console import Console
from crossstack.extract import Bsim, extract, extract_network, write_spice
from crossstack.extract.write.bsim import gate_nodes
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import Conditions, ParameterError, get_tech
from crossstack.signoff.models import foundry_models, run_ngspice
from crossstack.solve import network_drives
from crossstack.solve.modes.modes import POLARITIES
from crossstack.solve.network.builder import NetworkBuilder

from .conftest import NAME

TECH = get_tech()
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def macro():
    spec = ArraySpec(rows=2, cols=2, top="macro", switch_wn_um=4.0, switch_wp_um=4.0)
    return extract_network(to_layout(build_top(spec).cell, TECH), TECH)


def cards(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines() if line.startswith("Xs")]


def test_gates_and_bulks_are_real_nodes(macro, tmp_path):
    path = write_spice(macro, TECH, tmp_path / "m.spice", bsim=Bsim(TECH))
    found = cards(path)
    assert len(found) == len(macro.switch_a)
    text = path.read_text().replace("\n+ ", " ")
    pins = re.search(r"^\.subckt crossstack (.*)", text, re.M)[1].split()
    assert {"VSS", "VDD", "TS[0]", "WSEL[1]"} <= set(pins)
    assert not any(pin.endswith("_N") for pin in pins)
    drawn = set(macro.node_names[macro.switch_a]) | set(macro.node_names[macro.switch_b])
    for k, (_, _, gate, _, bulk, model, *_) in enumerate(found):
        net = macro.nets[macro.switch_gate[k]]
        # a complement's gates sit on what its inverter drives
        assert gate in pins if not net.endswith("_N") else gate.startswith(f"{net}/")
        assert (model, bulk) == (("pmos_3p3", "VDD") if macro.switch_p[k] else ("nmos_3p3", "VSS"))
    assert any(str(node).startswith("WB_N/") for node in drawn)
    # a 2 um NMOS as in pdk/gf180mcuD/SOURCES.md section 6
    assert "w=2u l=0.28u as=0.88p ad=0.88p ps=4.88u pd=4.88u nrs=0.13 nrd=0.13 nf=1" in text


def test_gates_without_wires_become_pins(tmp_path):
    layout = to_layout(build_top(ArraySpec(rows=2, cols=2)).cell, TECH)
    network = extract(layout, TECH, engine="tile").network
    assert "TS[0]" not in network.ports
    path = write_spice(network, TECH, tmp_path / "t.spice", bsim=Bsim(TECH))
    head = path.read_text().split(".subckt crossstack ")[1].split("Rw")[0].split()
    assert {"VSS", "TS[0]", "TS[1]", "BS[0]", "BS[1]"} <= set(head)
    assert "VDD" not in head
    assert {card[2] for card in cards(path)} == {"TS[0]", "TS[1]", "BS[0]", "BS[1]"}


def test_refusals(macro, tmp_path):
    hot = Bsim(TECH.at(Conditions(temperature_c=85.0)))
    for models, word in ((hot, "temperature_c 25 and 85"), (Bsim(TECH, tmp_path), "sm141064")):
        with pytest.raises(ParameterError, match=word):
            write_spice(macro, TECH, tmp_path / "m.spice", bsim=models)
    with pytest.raises(ParameterError, match="switch_ohm"):
        write_spice(macro, TECH, tmp_path / "m.spice", bsim=Bsim(TECH), switch_ohm=np.ones(3))


def test_the_current_of_a_written_column_leaves_a_macro_by_its_write_rail(macro):
    done, _ = solve_modes(macro, TECH, stimulus(macro, TECH), Console(quiet=True), ("deep-net",))
    writes = done["deep-net"].writes
    assert set(writes) == set(POLARITIES)
    for polarity, write in writes.items():
        siemens = np.full(2, 1 / TECH.memristor.r_on_ohm)
        law = write_law(TECH.memristor)
        through = law.current(siemens, write.device_voltages).sum()
        assert write.column_current == pytest.approx(through, rel=1e-3)
        assert (write.column_current > 0) == (polarity == "set")


@pytest.mark.requires_program("ngspice")
def test_complements_come_from_inverters_that_really_invert(macro, tmp_path):
    """Nothing drives WSEL[0]_N but its inverter; gates moved to its input cut the column off."""
    drives = network_drives(macro, "expansion", np.full((2, 2), 0.2))
    gate = macro.switch_gate.copy()
    gate[gate == macro.nets.index("WSEL[0]_N")] = macro.nets.index("WSEL[0]")
    amps = []
    with foundry_models(TECH) as models:
        for network in (macro, replace(macro, switch_gate=gate)):
            deck = write_spice(network, TECH, tmp_path / "m.spice", gates=drives.gates,
                               sources=drives.port_voltages, bsim=Bsim(TECH, models))  # fmt: skip
            printed = run_ngspice(deck)
            amps.append(
                [float(re.search(rf"pin OUT\[{j}\]\ni\d+ = (\S+)", printed)[1]) for j in (0, 1)]
            )
    (inverted, other), (cut, still) = amps
    assert abs(cut) < 1e-3 * abs(inverted)
    assert still == pytest.approx(other, rel=0.1)
    assert inverted == pytest.approx(other, rel=0.01)


def test_ngspice_gets_the_whole_where_less_would_not_do(macro, tmp_path, monkeypatch):
    """A subcircuit may halve a width, so that its bin is missing; a gate may sit on a lone wire."""
    (tmp_path / "sm141064.ngspice").write_text(".model m.0 nmos lmin=0 lmax=1e-9 wmin=0 wmax=1\n")
    seen = []

    def run(deck, timeout_s):
        library = re.search(r"\.lib '(.*)'", deck.read_text())[1]
        seen.append((Path(library).read_text().count(".model"), timeout_s))
        if len(seen) < tries:
            raise ModelsError("could not find a valid modelname")
        return "here = 1"

    monkeypatch.setattr(bsim, "run_ngspice", run)
    what = stimulus(macro, TECH)
    for tries, bins in ((1, [0]), (2, [0, 1]), (3, [0, 1])):
        seen.clear()
        with pytest.raises(ModelsError, match="printed no" if tries < 3 else "valid modelname"):
            bsim.compare_bsim(macro, TECH, what, "expansion", tmp_path, timeout_s=9.0)
        assert [count for count, _ in seen] == bins
        assert all(0 < left <= 9.0 for _, left in seen)


def test_gates_keep_their_place_where_wires_are_joined(macro):
    built = NetworkBuilder()
    pin, middle, end = built.nodes(["A/pin", "B/0", "C/end"])
    built.port("A", pin)
    built.resistor(middle, built.node("B/1"), 5.0, layer="ME", net="B")
    built.resistor(pin, built.node("A/1"), 5.0, layer="ME", net="A")
    built.switch(pin, middle, "A", w_um=1.0, l_um=0.28)
    built.switch(end, pin, "A", w_um=1.0, l_um=0.28)
    alone = built.build()
    assert len(bsim._joined(alone).resistor_ohm) == 0
    built.switch(end, pin, "B", w_um=1.0, l_um=0.28)
    gated = built.build()
    assert bsim._joined(gated) is gated
    small = bsim._joined(macro)
    assert len(small.resistor_ohm) < 0.1 * len(macro.resistor_ohm)
    for net, node in gate_nodes(small).items():
        assert small.node_names[node].split("/")[0] == macro.nets[net]


@pytest.mark.requires_program("ngspice")
def test_the_pages_errors_are_those_of_reads_sets_and_resets():
    page = (DOCS / "extraction.md").read_text(encoding="utf-8")
    script = runpy.run_path(str(DOCS / "make_extraction.py"))
    start = page.index("<!-- transistors: by docs/make_extraction.py -->")
    shown = page[start : page.index("<!-- end of transistors -->")].splitlines()[1:]
    made = list(script["transistors"]())
    assert len(shown) == len(made) == 2 + 5 * 3
    for old, new in zip(shown[2:], made[2:], strict=True):
        assert old.split("|")[1:3] == new.split("|")[1:3]
        numbers = [[float(n) for n in re.findall(r"[-+]\d+\.\d+", row)] for row in (old, new)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.02)
        # the promise in words: columns that are read within 0.1 %, all of a write within 1 %
        assert abs(numbers[1][0]) < 0.1
        assert all(abs(n) < 1 for n in numbers[1][1:])
        assert len(numbers[1]) == (1 if "read of" in new else 3)


@pytest.mark.requires_program("ngspice")
def test_verbs(crossstack, built, tmp_path):
    network = built / "network.npz"
    deck = tmp_path / "deck.spice"
    ran = crossstack("foundry", "solve", network, "--mode", "deep-net", "--deck", deck, "--json")
    assert ran.code == 0
    assert ran.json["columns_read"] == [1]
    assert 0 < ran.json["worst_error"] < 0.01
    alone = subprocess.run(
        ["ngspice", "-b", str(deck)], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    amps = float(re.search(r"pin C\[1\]\ni\d+ = (\S+)", alone)[1])
    assert -amps == pytest.approx(ran.json["column_currents_bsim_A"][1], rel=1e-6)
    assert crossstack("foundry", "solve", built, "--tolerance", "1e-6").code == 1
    crossstack("foundry", "solve", built, "--write-column", 1).fails(2, "deep-net")
    gds = built / f"{NAME}.gds"
    assert crossstack("extract", gds, "--bsim", "-o", tmp_path).code == 0
    text = (tmp_path / f"{NAME}_extracted.spice").read_text()
    assert ".lib 'sm141064.ngspice' typical" in text
    assert len(cards(tmp_path / f"{NAME}_extracted.spice")) == 12
