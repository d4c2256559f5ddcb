"""`crossstack extract`: chosen nets, engines, conditions, arrays too large for a network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from crossstack import lvs
from crossstack.extract import engines, extract, load_array, net_summary
from crossstack.extract.array import tiled
from crossstack.extract.field.tiles import Tile
from crossstack.pdk import get_tech
from crossstack.solve import load_network

from .conftest import COLS, NAME, ROWS


def test_nets_in_one_option_or_several(crossstack, built, tmp_path):
    gds = built / f"{NAME}.gds"
    one = crossstack("extract", gds, "--nets", "TR*,C[1]", "-o", tmp_path / "a", "--json")
    two = crossstack("extract", gds, "--net", "TR*", "--nets", "C[1]", "-o", tmp_path / "b")
    assert (one.code, two.code) == (0, 0)
    files = [tmp_path / where / f"{NAME}_network.npz" for where in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
    wired = {row["net"] for row in one.json["nets"]}
    assert wired == {*(f"TR[{i}]" for i in range(ROWS)), "C[1]"}
    crossstack("extract", gds, "--nets", "TR*,Q*", "-o", tmp_path / "c").fails(2, "Q*")
    crossstack("extract", gds, "--nets", "C*", "--engine", "tile", "-o", tmp_path / "d").fails(
        2, "engine", "nets"
    )


def test_temperature_and_corner(crossstack, built, tmp_path):
    def column(name: str, *more: object) -> float:
        ran = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path / name, "-q", *more)
        assert ran.code == 0
        network = load_network(tmp_path / name / f"{NAME}_network.npz")
        keep = [network.layers[k] == "ME" for k in network.resistor_layer]
        return float(network.resistor_ohm[keep].sum())

    typ = column("typ")
    assert column("warm", "--temperature", 85) == pytest.approx(typ * (1 + 60 * 0.0039), rel=1e-9)
    assert column("max", "--corner", "max") == pytest.approx(typ * 0.42 / 0.40, rel=1e-9)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small array count as one that is too large for a network."""
    monkeypatch.setattr(engines, "_LARGE", ROWS * COLS - 1)
    monkeypatch.setattr(engines, "MOST_CELLS", ROWS * COLS - 1)
    monkeypatch.setattr(tiled, "MOST_CELLS", ROWS * COLS - 1)


@pytest.mark.usefixtures("large")
def test_a_large_array_is_kept_as_arrays(crossstack, built, tmp_path, monkeypatch):
    # the devices of the whole layout are never extracted
    monkeypatch.setattr(lvs, "extract_layout", None)
    ran = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path)
    assert ran.code == 0
    assert "too many for a network" in ran.out
    assert {p.name for p in tmp_path.iterdir()} == {
        f"{NAME}_array.npz", f"{NAME}_extracted.spice"
    }  # fmt: skip
    array = load_array(tmp_path / f"{NAME}_array.npz")
    assert array.shape == (2, ROWS, COLS)
    found = extract(built / f"{NAME}.gds", get_tech(), engine="flat").network
    far = next(row for row in net_summary(found, get_tech()) if row.net == "C[0]")
    assert array.column_segment[:, 0].sum() == pytest.approx(far.ohm, rel=1e-6)


@pytest.mark.usefixtures("large")
def test_netlists_of_a_large_array(crossstack, built, tmp_path):
    gds, model = built / f"{NAME}.gds", tmp_path / "cell.lib"
    model.write_text(
        ".subckt mine p n row=0 column=0 conductance=1\nR1 p n {1/conductance}\n.ends\n"
    )
    crossstack("extract", gds, "-o", tmp_path / "n", "--rc", "--least-coupling", 0).fails(
        2, "--least-coupling is 0", "counts as ground"
    )
    told = crossstack(
        "extract", gds, "-o", tmp_path, "--json", "--rc", "--spef", "--bsim", "--memristor", model
    ).json
    assert (told["tiers"], told["rows"], told["cols"]) == (2, ROWS, COLS)
    assert told["extraction"]["engine"] == "tile"
    assert {each["net"].partition("[")[0] for each in told["capacitance"]} == {
        "TR", "BR", "C", "TS", "BS"
    }  # fmt: skip
    for each in told["capacitance"]:
        parts = [value for key, value in each.items() if key not in ("net", "total_F")]
        assert each["total_F"] == pytest.approx(sum(parts))
    text = Path(told["spice"]).read_text()
    assert " d1 VSS nmos_3p3 w=2u " in text
    assert re.search(
        r"^Xx_top \S+ c mine row=\{row\} column=\{column\} conductance=0.0001$", text, re.M
    )
    assert re.search(r"^Xr1 .*(?:\n\+.*)* row=1$", text, re.M)
    assert "*D_NET TE\\[1\\]\\[0\\] " in Path(told["spef"]).read_text()


def test_every_file_is_named(crossstack, built, tmp_path):
    ran = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path, "--spef")
    named = [line.strip() for line in ran.out.splitlines() if line.startswith("  ")]
    assert sorted(named) == sorted(str(path) for path in tmp_path.iterdir())
    told = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path, "--spef", "--json").json
    assert told["spef"] in named


def test_capacitance_takes_the_flat_engine(crossstack, built, tmp_path, monkeypatch):
    """Select lines are ideal in a tiled array, and have capacitances."""
    monkeypatch.setattr(engines, "_LARGE", ROWS * COLS - 1)
    for option, engine in (("--r-only", "tile"), ("--rc", "flat")):
        told = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path, option, "--json").json
        assert told["extraction"]["engine"] == engine


def test_capacitance_from_the_field_is_that_of_every_net(crossstack, built, tmp_path, monkeypatch):
    """Electrodes behind transistors too; the energies themselves have tests of their own."""
    monkeypatch.setattr(Tile, "energies_f", lambda tile, *_: 1e-15 * np.eye(len(tile.nets)))

    def electrode_ff(option: str, value: str = "") -> float:
        out = tmp_path / option
        more = [option, value] if value else [option]
        ran = crossstack("extract", built / f"{NAME}.gds", "-o", out, "--spef", *more)
        assert ran.code == 0, ran.err
        text = (out / f"{NAME}.spef").read_text()
        [index] = re.findall(r"^\*(\d+) BE\\\[0\\\]\\\[0\\\]$", text, re.MULTILINE)
        [total] = re.findall(rf"^\*D_NET \*{index} (\S+)$", text, re.MULTILINE)
        return float(total)

    coupling = electrode_ff("--rc")
    assert electrode_ff("--capacitance-engine", "field") >= 1.0 != coupling
    ran = crossstack("extract", built / f"{NAME}.gds", "--capacitance-engine", "guess")
    ran.fails(2, "formula", "field")
    gds, both = built / f"{NAME}.gds", ("--r-only", "--capacitance-engine", "field")
    crossstack("extract", gds, *both).fails(2, "--r-only", "--capacitance-engine")


def test_tile_engine_by_name_agrees_with_flat(crossstack, built, tmp_path):
    ohm = {}
    for engine in ("flat", "tile"):
        out = tmp_path / engine
        ran = crossstack("extract", built / f"{NAME}.gds", "--engine", engine, "-o", out, "--json")
        assert ran.json["extraction"]["engine"] == engine
        ohm[engine] = {row["net"]: row["farthest_ohm"] for row in ran.json["nets"]}
    for net in ("C[0]", f"C[{COLS - 1}]"):
        assert ohm["tile"][net] == pytest.approx(ohm["flat"][net], rel=0.1)


def test_size_bias_and_kinds_of_netlist(crossstack, built, tmp_path):
    def resistance(name: str, *more: object) -> float:
        ran = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path / name, "-q", *more)
        assert ran.code == 0, ran.err
        network = load_network(tmp_path / name / f"{NAME}_network.npz")
        return next(row for row in net_summary(network, get_tech()) if row.net == "C[0]").ohm

    def netlist(name: str) -> list[str]:
        return (tmp_path / name / f"{NAME}_extracted.spice").read_text().splitlines()

    drawn = resistance("drawn")
    assert resistance("thin", "--bias", "ME=-0.1") > 1.1 * drawn
    assert resistance("wide", "--bias", "ME=0.1") < 0.95 * drawn
    resistance("r", "--r-only", "--hierarchical")
    assert any(line.startswith(f".subckt {NAME}_wires0") for line in netlist("r"))
    assert len(netlist("r")) < 0.7 * len(netlist("drawn"))
    resistance("rc", "--rc")
    assert any(line.startswith("Cw") for line in netlist("rc"))
    assert not any(line.startswith("Cw") for line in netlist("drawn"))
    gds = built / f"{NAME}.gds"
    crossstack("extract", gds, "--bias", "ME").fails(2, "--bias ME", "FILM=NUMBER")
    crossstack("extract", gds, "--bias", "MEE=0.1").fails(2, "size_bias_um.MEE", "'ME'")
    crossstack("extract", gds, "--nets", " , ").fails(2, "--nets ' , '", "names no net")
    crossstack("extract", gds, "--bias", "ME=nan").fails(2, "size_bias_um.ME", "-1 to 1")


def test_a_netlist_can_be_left_out(crossstack, built, tmp_path):
    gds, without = built / f"{NAME}.gds", ("--no-spice", "--spef", "-o", tmp_path)
    ran = crossstack("extract", gds, *without, "--json")
    assert ran.code == 0, ran.err
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [f"{NAME}.spef", f"{NAME}_network.npz"]
    assert "spice" not in ran.json
    assert ran.json["network"].endswith(files[1])
    for option in ("--hierarchical", "--bsim"):
        crossstack("extract", gds, *without, option).fails(2, option, "--no-spice")
    least = ("--rc", "--least-coupling", 0)
    crossstack("extract", gds, *without, *least).fails(2, "--least-coupling", "--no-spice")


def test_size_bias_of_a_configuration(crossstack, tmp_path):
    config = tmp_path / "array.yaml"
    lost = {}
    for bias in (0.0, -0.1):
        config.write_text(f"rows: 2\ncols: 2\ntech: {{size_bias_um: {{ME: {bias}}}}}\n")
        ran = crossstack("build", config, "-o", tmp_path / str(bias), "--json")
        assert ran.code == 0, ran.err
        lost[bias] = ran.json["ir_drop"]["modes"]["expansion"]["worst_column_error"]["wires_only"]
    assert lost[-0.1] > 1.001 * lost[0.0]
