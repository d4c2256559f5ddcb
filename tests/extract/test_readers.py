"""What we write, read unedited by KLayout's own SPICE reader, by netgen and by ngspice."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import klayout.db as db
import numpy as np
import pytest

from crossstack.extract import extract_network, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import read_netlist
from crossstack.lvs.flat import flatten
from crossstack.pdk import get_tech
from crossstack.solve import NetworkBuilder, network_drives

TECH = get_tech()
TOPS = ["array", "macro", "testchip"]


@pytest.fixture(scope="session")
def references(tmp_path_factory):
    """Return a function that gives the reference netlist of a top."""
    folder = tmp_path_factory.mktemp("references")

    def make(top: str) -> Path:
        path = folder / f"{top}.spice"
        if not path.exists():
            built = build_top(ArraySpec(rows=2, cols=3, top=top, name=f"x_{top}"))
            path.write_text("\n".join(built.netlist_lines()) + "\n")
        return path

    return make


def stock(path: Path) -> db.Netlist:
    """Return KLayout's reading, without a delegate of ours."""
    netlist = db.Netlist()
    netlist.read(str(path), db.NetlistSpiceReader())
    return netlist


@pytest.mark.parametrize("top", TOPS)
def test_klayouts_own_reader_reads_our_reference(references, top, capfd):
    netlist = stock(references(top))
    assert "warning" not in "".join(capfd.readouterr()).lower()
    circuit = netlist.circuit_by_name(f"X_{top.upper()}")
    pins = [pin.name() for pin in circuit.each_pin()]
    reference = read_netlist(references(top), top=f"x_{top}", models=TECH.nets.models)
    assert pins == list(reference.pins)
    # every device, on nets of the same number of terminals and with the same size
    netlist.flatten()
    theirs = next(iter(netlist.top_circuits()))
    flat = flatten(reference.top, lambda net: net.name)
    assert Counter(sizes(theirs)) == Counter(
        (d.kind.name.upper(), *(f"{v:.6g}" for v in d.parameters))
        if not d.kind.is_memristor
        else ("RES", f"{TECH.memristor.r_on_ohm:.6g}")
        for d in flat.devices
    )
    on = {
        net.name: Counter(terminal.device().device_class().name for terminal in net.each_terminal())
        for net in theirs.each_net()
        if net.name in pins
    }
    names = {"memristor_top": "RES", "memristor_bottom": "RES"}
    for number, terminals in enumerate(flat.terminals):
        if flat.nets[number].name in pins:
            kinds = [flat.devices[d].kind.name for d, _ in terminals]
            assert on[flat.nets[number].name] == Counter(names.get(k, k.upper()) for k in kinds)


def sizes(circuit: db.Circuit):
    for device in circuit.each_device():
        kind = device.device_class().name
        names = ("R",) if kind == "RES" else ("W", "L")
        yield kind, *(f"{device.parameter(name):.6g}" for name in names)


@pytest.mark.parametrize("hierarchical", [False, True])
@pytest.mark.parametrize("top", ["array", "macro"])
def test_klayouts_own_reader_reads_the_extracted_netlist(draw, tmp_path, top, hierarchical, capfd):
    network = extract_network(draw(2, 3, "hybrid", top), TECH)
    path = write_spice(network, TECH, tmp_path / "x.spice", hierarchical=hierarchical, name="blk")
    netlist = stock(path)
    assert "warning" not in "".join(capfd.readouterr()).lower()
    circuit = netlist.circuit_by_name("BLK")
    assert [pin.name() for pin in circuit.each_pin()] == [*network.ports]
    netlist.flatten()
    (circuit,) = netlist.top_circuits()
    values = np.sort([device.parameter("R") for device in circuit.each_device()])
    cards = re.findall(r"^R\S+ \S+ \S+ (\S+)", path.read_text(), re.MULTILINE)
    if not hierarchical:
        assert values == pytest.approx(np.sort(np.array(cards, dtype=float)))
    # with all gates high only n-channel transistors conduct
    parts = len(network.memristor_row) + int(np.sum(~network.switch_p.astype(bool)))
    assert len(values) == parts + np.count_nonzero(network.resistor_ohm > 1e-6)


@pytest.mark.skipif(not shutil.which("netgen-lvs"), reason="netgen-lvs is not installed")
@pytest.mark.parametrize("top", TOPS)
def test_netgen_reads_our_reference(references, tmp_path, top):
    right = references(top)
    same = tmp_path / "same.spice"  # of one file netgen wants no comparison
    same.write_text(right.read_text())
    wrong = tmp_path / "wrong.spice"
    text = right.read_text()
    wrong.write_text(re.sub(r"^(MB? ?\S* .*)W=2u", r"\1W=3u", text, count=1, flags=re.MULTILINE))
    assert wrong.read_text() != text
    cut = tmp_path / "cut.spice"
    cut.write_text(text.replace("MB be BS BR VSS", "MB be TS BR VSS"))
    setup = tmp_path / "setup.tcl"
    setup.write_text("permute default\nproperty default\n")

    def verdict(other: Path) -> str:
        done = subprocess.run(
            ["netgen-lvs", "-batch", "lvs", f"{right} x_{top}", f"{other} x_{top}", str(setup),
             str(tmp_path / "out.txt")],
            capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert "not valid" not in done.stdout + done.stderr, done.stdout
        return done.stdout

    assert "Result: Circuits match uniquely" in verdict(same)
    assert "roperty errors" not in verdict(same)
    assert "roperty errors" in verdict(wrong)
    assert "Result: Circuits match" not in verdict(cut)


def test_ngspice_reads_our_reference_with_models_of_the_users(references, tmp_path, ngspice_text):
    """All selects on: the resistance from a row to a column, as the array has it."""
    (tmp_path / "deck.spice").write_text(
        f"* deck\n.include {references('array')}\n.model nfet nmos level=1 vto=0 kp=1e3\n"
        "Vr r 0 0.1\nVg g 0 3\n"
        "Xdut r 0 0 0 c0 c1 c2 g g g 0 0 0 0 x_array\nR0 c0 0 1u\nR1 c1 0 1u\nR2 c2 0 1u\n"
        ".control\nop\nlet i = -i(vr)\nprint i\nquit\n.endc\n.end\n"
    )
    current = float(re.search(r"^i = (\S+)", ngspice_text(tmp_path / "deck.spice"), re.M)[1])
    assert current == pytest.approx(3 * 0.1 / TECH.memristor.r_on_ohm, rel=1e-3)


@pytest.fixture(scope="session")
def ngspice_text():
    if not shutil.which("ngspice"):
        pytest.skip("ngspice is not installed")

    def run(path: Path) -> str:
        done = subprocess.run(
            ["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout

    return run


@pytest.mark.parametrize("hierarchical", [False, True])
def test_two_blocks_in_one_deck_keep_to_themselves(draw, ngspice, tmp_path, hierarchical):
    """Each draws in the deck of both what it draws alone."""
    alone, blocks, benches = {}, [], []
    for name, rows in (("one", 1), ("two", 3)):
        network = extract_network(draw(rows, 2), TECH)
        drives = network_drives(network, "expansion", np.full((2, rows), 0.2))
        path = write_spice(
            network, TECH, tmp_path / f"{name}.spice", gates=drives.gates,
            sources=drives.port_voltages, hierarchical=hierarchical, name=name,
        )  # fmt: skip
        alone |= {f"{name} {pin}": value for pin, value in ngspice(path).items()}
        block, bench = path.read_text().split("\nXdut ")
        blocks.append(block)
        head, control = f"Xdut {bench}".split("\n.control\n")
        cards = re.sub(r"(?m)\bp(\d+)\b", rf"{name}\1", head.replace("Xdut", f"X{name}"))
        benches.append(re.sub(r"(?m)^V", f"V{name}", cards))
        control = re.sub(r"i\(v(\d+)\)", rf"i(v{name}\1)", control.split("quit")[0])
        control = re.sub(r"echo pin ", f"echo pin {name} ", control)
        benches.append(f".control\n{control}\n.endc")
    deck = tmp_path / "both.spice"
    deck.write_text("\n".join([*blocks, *benches, ".control\nquit\n.endc", ".end", ""]))
    assert ngspice(deck) == pytest.approx(alone, rel=1e-6, abs=1e-15)


def test_names_that_spice_would_misread(ngspice, tmp_path):
    """Labels with blanks and signs, of equal letters, and called like the ground."""
    names = ["a b", "a_b", "A_B", "GND", "0", "x;y", "p$ q", "{z}", "k=1"]
    builder = NetworkBuilder()
    ends = builder.nodes([*names, "hub"])
    for number, (name, node) in enumerate(zip(names, ends, strict=False)):
        builder.resistor(node, ends[-1], 10.0 * (number + 1), layer="ME", net=name)
        builder.port(name, node)
    path = write_spice(
        builder.build(),
        TECH,
        tmp_path / "x.spice",
        sources=dict.fromkeys(names, 1.0) | {"0": 0},
    )
    currents = [float(v) for v in re.findall(r"^i\d+ = (\S+)", _run(path), re.MULTILINE)]
    ohm = 10.0 * np.arange(1, len(names) + 1)
    hub = (sum(1 / ohm) - 1 / ohm[4]) / sum(1 / ohm)
    assert currents == pytest.approx([(v - hub) / r for v, r in zip(
        [0.0 if name == "0" else 1.0 for name in names], ohm, strict=True)], rel=1e-6)  # fmt: skip
    circuit = stock(path.with_name(_cut(path)))
    assert len({pin.name() for pin in next(circuit.each_circuit()).each_pin()}) == len(names)


def _run(path: Path) -> str:
    if not shutil.which("ngspice"):
        pytest.skip("ngspice is not installed")
    return subprocess.run(
        ["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=60, check=False
    ).stdout


def _cut(path: Path) -> str:
    """Write the block without its bench; returns the file's name."""
    text = path.read_text().split("\nXdut ")[0]
    path.with_name("cut.spice").write_text(text + "\n.end\n")
    return "cut.spice"
