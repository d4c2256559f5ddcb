"""SPICE and SPEF of arrays without a node table, beside those of the same array's network."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import klayout.db as db
import numpy as np
import pytest

from crossstack.base import names
from crossstack.extract import write_array_spef, write_array_spice
from crossstack.extract import write_spice as write_network_spice
from crossstack.extract.array.farads import PARTS, ArrayFarads
from crossstack.extract.array.tiled import TiledArray
from crossstack.extract.write.array_cells import kinds, written
from crossstack.pdk import get_tech

TECH = get_tech()
SHAPES = [(2, 3, 4), (1, 4, 3), (2, 1, 5), (2, 5, 1), (1, 1, 1)]


def random_array(seed: int, shape: tuple[int, int, int], *, switch: bool = True) -> TiledArray:
    """Few kinds of cells, with pieces of no resistance, driven from either side."""
    rng = np.random.default_rng(seed)
    tiers, rows, cols = shape
    kind = rng.integers(0, 3, shape[1:])

    def values(low: float, high: float, *, none: bool = False) -> np.ndarray:
        each = rng.uniform(low, high, (tiers, 3))
        each[:, 0] *= not none
        return each[:, kind]

    width = values(1.0, 4.0) if switch else np.full(shape, np.nan)
    farads = ArrayFarads(
        row=rng.uniform(1e-15, 9e-15, (tiers, rows, len(PARTS))),
        column=rng.uniform(1e-12, 9e-12, (cols, len(PARTS))),
        select=rng.uniform(1e-13, 9e-13, (tiers, cols, len(PARTS))) * switch,
        electrode=values(9e-15, 12e-15) * switch,
        device=values(1e-15, 9e-15) * switch,
    )
    return TiledArray(
        row_segment=values(0.1, 9.0), row_tap=values(0.1, 30.0, none=True),
        drain=values(0.1, 30.0, none=True), column_segment=values(0.1, 9.0)[0],
        column_tap=values(0.1, 9.0, none=True), switch_w_um=width, switch_l_um=0 * width + 0.28,
        area_um2=values(1.0, 2.0), row_pin_first=bool(seed % 2),
        column_pin_first=bool(seed // 2 % 2), farads=farads,
    ).validate()  # fmt: skip


def sources(array: TiledArray) -> dict[str, float]:
    tiers, rows, cols = array.shape
    lines = [names.row(t, i) for t in range(tiers) for i in range(rows)]
    volts = np.random.default_rng(0).uniform(-0.3, 0.3, len(lines))
    return dict(zip(lines, volts.tolist(), strict=True)) | {
        names.column(j): 0.0 for j in range(cols)
    }


def pins_of(path: Path, name: str = "crossstack") -> list[str]:
    """Return the pins of a netlist's subcircuit, with its continuation lines."""
    text = path.read_text()
    card = re.search(rf"^\.subckt {name} (.*(?:\n\+.*)*)", text, re.M)[1]
    return card.replace("\n+", " ").split()


def bench(path: Path, volts: dict[str, float]) -> Path:
    """Return a deck that runs a netlist's subcircuit and prints what flows into its pins."""
    pins = pins_of(path)
    lines = ["* deck", f".include {path}", f"Xdut {' '.join(f'p{k}' for k in range(len(pins)))} "
             "crossstack", ".options reltol=1e-9 abstol=1e-18 vntol=1e-12 gmin=1e-18"]  # fmt: skip
    lines += [f"V{k} p{k} 0 {volts[pin]:.9g}" for k, pin in enumerate(pins)]
    lines += [".control", "set numdgt=12", "op"]
    for k, pin in enumerate(pins):
        lines += [f"let i{k} = -i(v{k})", f"echo pin {pin}", f"print i{k}"]
    deck = path.with_suffix(".deck")
    deck.write_text("\n".join([*lines, "quit", ".endc", ".end"]) + "\n")
    return deck


@pytest.mark.requires_program("ngspice")
@pytest.mark.parametrize("switch", [True, False])
@pytest.mark.parametrize(("seed", "shape"), enumerate(SHAPES))
def test_spice_carries_the_currents_of_the_network(seed, shape, switch, ngspice, tmp_path):
    array = random_array(seed, shape, switch=switch)
    volts = sources(array)
    whole = write_network_spice(array.network(), TECH, tmp_path / "n.spice", sources=volts)
    tree = write_array_spice(array, TECH, tmp_path / "t.spice")
    assert pins_of(tree) == [*volts]
    assert ngspice(bench(tree, volts)) == pytest.approx(ngspice(whole), rel=1e-7, abs=1e-15)


def test_cells_and_rows_that_are_alike_are_written_once(tmp_path):
    array = random_array(0, (2, 6, 5))
    same = replace(array, **{
        name: np.ones_like(getattr(array, name))
        for name in ("row_segment", "row_tap", "drain", "column_segment", "column_tap",
                     "switch_w_um", "switch_l_um", "area_um2")
    }, farads=None)  # fmt: skip

    def count(some: TiledArray) -> tuple[int, int]:
        text = write_array_spice(some, TECH, tmp_path / "x.spice").read_text()
        return tuple(len(re.findall(rf"^\.subckt crossstack_{of}", text, re.M))
                     for of in ("cell", "row"))  # fmt: skip

    assert count(same) == (1, 1)
    tap = same.row_tap.copy()
    tap[1, 3, 2] *= 1 + 1e-12  # no difference that is written
    assert count(replace(same, row_tap=tap)) == (1, 1)
    tap[1, 3, 2] *= 1.5
    assert count(replace(same, row_tap=tap)) == (2, 2)


def test_kinds_are_those_of_all_values():
    a = np.array([[1.0, 1.0, np.nan, np.nan]])
    b = np.array([[0.0, 2.0, 2.0, 2.0]])
    (found,) = kinds([a, b]).tolist()
    assert found[2] == found[3]
    assert len({*found}) == 3
    assert written(np.array([0.0, 1.23456789012, np.inf, np.nan, -5e-30]), 3) == pytest.approx(
        [0.0, 1.23, 0.0, np.nan, -5e-30], nan_ok=True
    )


@pytest.mark.parametrize("switch", [True, False])
@pytest.mark.parametrize(("seed", "shape"), enumerate(SHAPES))
def test_spef_carries_the_wires_of_the_network(seed, shape, switch, tmp_path):
    """Our own reader puts the nets together with the devices: currents are the network's."""
    from crossstack.solve import solve_network

    array = random_array(seed, shape, switch=switch)
    nets = parse(write_array_spef(array, TECH, tmp_path / "x.spef").read_text())
    network = array.network()
    edges = [(a, b, float(r)) for net in nets.values() for a, b, r in net["RES"]]
    for t, i, j in np.ndindex(*shape):
        letter = names.TIERS[t]
        ohm = TECH.memristor.r_on_ohm / TECH.memristor.scale(array.area_um2[t, i, j])
        edges.append((f"X{letter}_{i}_{j}:ROW", f"X{letter}_{i}_{j}:ME", ohm))
        if switch:
            edges.append((f"M{letter}_{i}_{j}:S", f"M{letter}_{i}_{j}:D", 800.0))
    volts = sources(array)
    ohm = np.broadcast_to(TECH.memristor.r_on_ohm, shape) / TECH.memristor.scale(array.area_um2)
    want = solve_network(
        network, conductances=1.0 / ohm, port_voltages=volts, switch_ohm=800.0,
        gates=dict.fromkeys(network.gate_nets, True),
    )  # fmt: skip
    got = currents(edges, volts)
    for pin in volts:
        # joints of 1 uohm beside 10 kohm leave ten digits less to the elimination
        assert got[pin] == pytest.approx(want.port_currents[pin], rel=1e-5, abs=1e-10)


def currents(edges: list[tuple[str, str, float]], volts: dict[str, float]) -> dict[str, float]:
    """Return what flows into each pin, by dense elimination."""
    nodes = sorted({node for a, b, _ in edges for node in (a, b)} | {*volts})
    place = {node: k for k, node in enumerate(nodes)}
    matrix = np.zeros((len(nodes), len(nodes)))
    for a, b, ohm in edges:
        k, m = place[a], place[b]
        matrix[[k, m, k, m], [k, m, m, k]] += np.array([1, 1, -1, -1]) / ohm
    fixed = [place[pin] for pin in volts]
    free = np.setdiff1d(np.arange(len(nodes)), fixed)
    found = np.zeros(len(nodes))
    found[fixed] = list(volts.values())
    found[free] = np.linalg.solve(
        matrix[np.ix_(free, free)], -matrix[np.ix_(free, fixed)] @ found[fixed]
    )
    into = matrix @ found
    return {pin: into[place[pin]] for pin in volts}


def parse(text: str) -> dict[str, dict[str, list]]:
    """A strict reader of detailed nets without a name map."""
    head, *blocks = text.split("*D_NET ")
    ports = re.findall(r"^(\S+) B$", head.split("*PORTS")[1], re.M)
    nets: dict[str, dict[str, list]] = {}
    for block in blocks:
        first, *lines, last = block.strip().splitlines()
        assert last == "*END"
        name, total = first.replace("\\", "").split()
        net = nets.setdefault(name, {"CONN": [], "CAP": [], "RES": [], "total": float(total)})
        section = ""
        for line in lines:
            if line.startswith("*") and line[1:] in net:
                section, number = line[1:], 0
                continue
            words = line.split()
            if section != "CONN":
                number += 1
                assert words.pop(0) == str(number)
            net[section].append(words)
    own = [words[1] for net in nets.values() for words in net["CONN"] if words[0] == "*P"]
    assert sorted(own) == sorted(ports)
    assert len({*own}) == len(own)
    return nets


@pytest.mark.parametrize("switch", [True, False])
def test_nets_have_the_capacitance_of_the_array(switch, tmp_path):
    array = random_array(3, (2, 3, 4), switch=switch)
    nets = parse(write_array_spef(array, TECH, tmp_path / "x.spef").read_text())
    totals = {name: 1e15 * farad for name, farad in array.farads.totals().items() if farad}
    for t, i, j in np.ndindex(*array.shape) if switch else ():
        name = f"{names.ELECTRODES[t]}[{i}][{j}]"
        totals[name] = 1e15 * array.farads.electrode[t, i, j]
    assert {name: net["total"] for name, net in nets.items()} == pytest.approx(totals, rel=1e-5)
    both = set()
    for name, net in nets.items():
        assert sum(float(words[-1]) for words in net["CAP"]) == pytest.approx(
            net["total"], rel=1e-4
        )
        both |= {(name, *words) for words in net["CAP"] if len(words) == 3}
    assert len(both) == 2 * np.prod(array.shape)  # each memristor, from either net
    assert {words[1:] for words in both} == {(b, a, farad) for _, a, b, farad in both}
    # SPICE has each coupling once, and the ends of transistors, which are no wires
    ground, across = farads_of(write_array_spice(array, TECH, tmp_path / "x.spice"))
    ends = np.nansum(array.switch_w_um) * 2 * TECH.nfet.end_on_f_per_um if switch else 0.0
    coupling = sum(float(words[-1]) for words in both) / 2
    lines = sum(v for name, v in totals.items() if name[:2] not in names.SELECTS)
    assert 1e15 * across == pytest.approx(coupling, rel=1e-4)
    assert 1e15 * (ground - ends) == pytest.approx(lines - 2 * coupling, rel=1e-4)


def farads_of(path: Path) -> tuple[float, float]:
    """Return the capacitance to ground and between nodes of a netlist, unfolded by KLayout."""
    netlist = db.Netlist()
    netlist.read(str(path), db.NetlistSpiceReader())
    netlist.flatten()
    found = {True: 0.0, False: 0.0}
    for circuit in netlist.top_circuits():
        for device in circuit.each_device():
            if device.device_class().name == "CAP":
                nodes = [device.net_for_terminal(k).expanded_name() for k in (0, 1)]
                # to KLayout each subcircuit has a ground of its own
                found["0" in [node.split(".")[-1] for node in nodes]] += device.parameter("C")
    return found[True], found[False]


@pytest.mark.requires_program("sta")
def test_opensta_finds_every_net_and_pin(tmp_path):
    array = random_array(1, (2, 2, 3))
    spef = write_array_spef(array, TECH, tmp_path / "x.spef", design="x")
    edges = "".join(f"  {of}_threshold_pct_{edge} : 50;\n" for edge in ("rise", "fall")
                    for of in ("input", "output", "slew_lower", "slew_upper"))  # fmt: skip
    pins = {"X": ("ROW", "ME"), "M": ("S", "D", "G")}
    cells = "".join(
        f"  cell ({kind}) {{ "
        + " ".join(f"pin ({pin}) {{ direction : inout; capacitance : 0; }}" for pin in of)
        + " }\n"
        for kind, of in pins.items()
    )
    head = "library (x) {\n  capacitive_load_unit (1,ff);\n  time_unit : 1ps;\n"
    (tmp_path / "x.lib").write_text(head + edges + cells + "}\n")
    (tmp_path / "x.v").write_text(verilog(array))
    (tmp_path / "run.tcl").write_text(
        "read_liberty x.lib\nread_verilog x.v\nlink_design x\nputs read:[read_spef x.spef]\n"
    )

    def said() -> str:
        done = subprocess.run(
            ["sta", "-no_splash", "-exit", "run.tcl"], cwd=tmp_path, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        return (done.stdout + done.stderr).strip()

    assert said() == "read:1"
    text = spef.read_text()
    spef.write_text(text.replace("XT_1_2:ROW", "XT_1_9:ROW"))
    assert "XT_1_9" in said()


def verilog(array: TiledArray) -> str:
    """Return the devices of an array as instances, on the nets that SPEF names."""
    tiers, rows, cols = array.shape
    ports = [(names.ROWS[t], rows) for t in range(tiers)] + [(names.COLUMN, cols)]
    ports += [(names.SELECTS[t], cols) for t in range(tiers)]
    lines = [f"module x ({', '.join(name for name, _ in ports)});"]
    lines += [f"  inout [{count - 1}:0] {name};" for name, count in ports]
    for t, i, j in np.ndindex(tiers, rows, cols):
        letter, inner = names.TIERS[t], f"\\{names.ELECTRODES[t]}[{i}][{j}] "
        lines += [
            f"  wire {inner};",
            f"  M M{letter}_{i}_{j} (.S({names.row(t, i)}), .D({inner}), "
            f".G({names.select(t, j)}));",
            f"  X X{letter}_{i}_{j} (.ROW({inner}), .ME({names.column(j)}));",
        ]
    return "\n".join([*lines, "endmodule"]) + "\n"


@pytest.mark.parametrize("switch", [False, True])
def test_it_says_where_its_transistors_are_not_those_of_solve(switch, tmp_path):
    array = random_array(1, SHAPES[0], switch=switch)
    path = tmp_path / "a.spice"
    write_array_spice(array, TECH, path)
    assert ("each the resistance where it conducts best" in path.read_text()) is switch
