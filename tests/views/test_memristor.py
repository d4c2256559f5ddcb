"""The memristor as a subcircuit of ngspice and in Verilog-A: the law and the dynamics stated."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossstack.base.errors import ConfigError, FileError
from crossstack.extract import read_model, write_spice
from crossstack.pdk import get_tech
from crossstack.solve import gates_for, network_drives, solve_network
from crossstack.views import spice_text, veriloga_text
from crossstack.views.memristor import NAME, SWITCHING_S

TECH = get_tech()
POINTS = ((0.5, 5e-5), (1.0, 1.2e-4), (2.0, 4e-4))
LAWS = {
    "linear": {"law": "linear"},
    "sinh": {"law": "sinh"},
    "cubic": {"law": "cubic", "cubic_c_per_v2": 1.5},
    "table": {"law": "table", "table": POINTS},
}


def with_law(name: str):
    return replace(TECH, memristor=replace(TECH.memristor, **LAWS[name]))


def law_of(name: str, volts: float) -> float:
    """I / G in V, by hand."""
    if name == "linear":
        return volts
    if name == "sinh":
        return float(np.sinh(3 * volts) / 3)
    if name == "cubic":
        return volts * (1 + 1.5 * volts**2)
    known = [(-v, -i) for v, i in reversed(POINTS)] + [(0.0, 0.0), *POINTS]
    v, i = np.array(known).T
    return float(np.interp(volts, v, i)) * 1e4


def ngspice(folder: Path, body: str) -> str:
    deck = folder / "deck.cir"
    deck.write_text(f"* bench\n{body}\n.end\n")
    done = subprocess.run(
        ["ngspice", "-b", str(deck)], cwd=folder, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.requires_program("ngspice")
@pytest.mark.parametrize("law", LAWS)
def test_ngspice_follows_the_law(tmp_path, law):
    (tmp_path / "m.lib").write_text(spice_text(with_law(law)))
    volts = (-1.9, -1.2, -0.4, 0.2, 0.9, 1.3, 1.8)  # the state stays beyond the thresholds, too
    lines = [".include m.lib"]
    for k, v in enumerate(volts):
        lines += [f"V{k} a{k} 0 {v}", f"X{k} a{k} 0 {NAME} conductance=3e-5 tier=1 row=2 column=3"]
    lines += [".control", "op", *(f"print i(v{k})" for k in range(len(volts))), "quit", ".endc"]
    found = re.findall(r"i\(v\d+\) = (\S+)", ngspice(tmp_path, "\n".join(lines)))
    assert [-float(i) for i in found] == pytest.approx([3e-5 * law_of(law, v) for v in volts], 1e-5)


@pytest.mark.requires_program("ngspice")
def test_a_sweep_keeps_the_state_without_rates(tmp_path):
    """In a sweep ngspice's time is the swept value: the state moved above 0."""
    (tmp_path / "m.lib").write_text(spice_text(with_law("sinh")))
    body = [
        ".include m.lib", "V1 a 0 0", f"X1 a 0 {NAME} conductance=3e-5 kset=0 kreset=0", ".control",
        "dc V1 -2.4 2.4 0.8", "print i(v1)", "quit", ".endc",
    ]  # fmt: skip
    found = re.findall(r"^\d+\s+(\S+)\s+(\S+)", ngspice(tmp_path, "\n".join(body)), re.MULTILINE)
    assert len(found) == 7
    for volts, amps in found:
        assert -float(amps) == pytest.approx(
            3e-5 * law_of("sinh", float(volts)), rel=1e-5, abs=1e-15
        )


@pytest.mark.requires_program("ngspice")
def test_pulses_set_and_reset_and_reads_do_not(tmp_path):
    m = TECH.memristor
    (tmp_path / "m.lib").write_text(spice_text(TECH))
    t = SWITCHING_S
    pulses = {
        "set": (m.v_set_v, m.r_off_ohm), "reset": (-m.v_reset_v, m.r_on_ohm),
        "read": (m.v_read_v, 3e4), "half": (m.set_needed_v * 0.98, 3e4),
    }  # fmt: skip
    lines = [".include m.lib"]
    for name, (volts, ohm) in pulses.items():
        lines += [
            f"V{name} {name} 0 PULSE(0 {volts} 1n 1p 1p {2 * t} 1)",
            f"X{name} {name} 0 {NAME} conductance={1 / ohm}",
        ]
    # a source that stands from the beginning on: the DC solution before does not switch the device
    lines += [f"Vheld held 0 {m.v_set_v}", f"Xheld held 0 {NAME} conductance={1 / m.r_off_ohm}"]
    meas = [f"meas tran {n} find v(x{n}.s) at={3 * t}" for n in (*pulses, "held")]
    meas += [f"meas tran soon find v(xheld.s) at={t / 50}"]
    lines += [".control", f"tran {t / 500} {3 * t}", *meas, "quit", ".endc"]
    out = ngspice(tmp_path, "\n".join(lines))
    moved = {
        n: float(re.search(rf"^{n}\s+=\s+(\S+)", out, re.MULTILINE)[1])
        for n in (*pulses, "held", "soon")
    }
    assert moved["set"] == pytest.approx(1, abs=0.02)
    assert moved["reset"] == pytest.approx(-1, abs=0.02)
    assert moved["held"] == pytest.approx(1, abs=0.02)
    assert moved["soon"] < 0.2
    assert moved["read"] == pytest.approx(0, abs=1e-9)
    assert moved["half"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_openvaf_compiles_the_verilog_a(tmp_path, package, law):
    """And what it evaluates is the law of the current, and the rate of the state."""
    openvaf = package("openvaf_py", "openvaf-py")
    path = tmp_path / "m.va"
    path.write_text(veriloga_text(with_law(law)))
    (module,) = openvaf.compile_va(str(path))
    assert module.name == NAME
    assert module.num_terminals == 2
    own = {"area", "conductance", "ron", "roff", "vset", "vreset", "kset", "kreset", "window"}
    assert own <= set(module.param_names)
    m = TECH.memristor
    given = {**module.get_param_defaults(), "V(s)": 0.0, "mfactor": 1.0}

    def at(volts: float, siemens: float) -> tuple[float, float]:
        (p, n, s), _ = module.run_init_eval({**given, "V(p,n)": volts, "conductance": siemens})
        assert p[0] == -n[0]
        return p[0], -s[0]

    for volts in (-1.2, -0.4, 0.2, 0.9, 1.3):
        amps, rate = at(volts, 3e-5)
        assert amps == pytest.approx(3e-5 * law_of(law, volts), rel=1e-6)
        assert rate == 0
    # from end to end in the switching time, on a capacitor of 1 nF
    full = 1e-9 / SWITCHING_S
    assert at(m.v_set_v, 1 / m.r_off_ohm)[1] == pytest.approx(full, rel=1e-5)
    assert at(-m.v_reset_v, 1 / m.r_on_ohm)[1] == pytest.approx(-full, rel=1e-5)
    # and the window stops it at its end
    assert at(m.v_set_v, 1 / m.r_on_ohm)[1] == pytest.approx(0, abs=1e-9 * full)


@pytest.mark.requires_program("ngspice")
def test_a_model_of_the_users_drops_into_an_extracted_array(views, tmp_path):
    """A linear one of another's, told its conductance: the currents of a solve."""
    network, tech = views.network, views.block.tech
    library = tmp_path / "sub dir" / "mine.lib"
    library.parent.mkdir()
    library.write_text(
        "* theirs\n.subckt other a b c\nR1 a b 1\n.ends\n.SUBCKT Mine p n\n"
        "+ Tier=0 COLUMN = 7 params: conductance={1 / 5}\n* row is not asked for\n"
        "R1 p n {1/conductance}\n.ends\n"
    )
    model = read_model(library, "mine", tmp_path)
    assert model.parameters == ("tier", "column", "conductance")
    siemens = np.random.default_rng(3).uniform(1e-6, 1e-4, (2, 3, 2))
    drives = network_drives(network, "expansion", views.what.inputs)
    gates = gates_for(network, drives)
    ohm = np.full(len(network.switch_a), 700.0)
    path = write_spice(
        network, tech, tmp_path / "x.spice", memristor_ohm=1 / siemens, switch_ohm=ohm,
        gates=gates, sources=drives.port_voltages, model=model,
    )  # fmt: skip
    text = path.read_text()
    assert text.count(" Mine ") == 12
    assert re.search(r"^Xm_top_2_1 \S+ \S+ Mine tier=1 column=1 conductance=", text, re.MULTILINE)
    done = subprocess.run(
        ["ngspice", "-b", path.name], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    amps = dict(re.findall(r"^pin (\S+)\ni\d+ = (\S+)", done.stdout, re.MULTILINE))
    found = solve_network(
        network, conductances=siemens, port_voltages=drives.port_voltages, gates=gates,
        switch_ohm=ohm,
    )  # fmt: skip
    for pin in drives.outputs:
        assert float(amps[pin]) == pytest.approx(found.port_currents[pin], rel=1e-6), pin


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (".subckt a p n\n.ends\n.subckt b p n\n.ends\n", None, "subcircuits a, b: choose one"),
        (".subckt a p n\n.ends\n", "c", "--subckt c: .* has subcircuits a"),
        (".subckt a p n x y=1\n.ends\n", None, "a .* has 3 nodes \\(p n x\\), allowed: 2"),
        (".subckt a p n\n.ends\n.subckt A p n\n.ends\n", "a", "defines subcircuit A twice"),
        ("R1 a b 1\n", None, "defines no subcircuit"),
        ("", "a", "defines no subcircuit"),
    ],
)
def test_a_library_without_the_subcircuit_is_refused(tmp_path, text, name, why):
    path = tmp_path / "m.lib"
    path.write_text(text)
    with pytest.raises((ConfigError, FileError), match=why):
        read_model(path, name, tmp_path)


@pytest.mark.parametrize(("declared", "told"), [("conductance=1", False), ("g=1", True)])
def test_a_model_that_is_not_told_its_conductance_is_remarked(tmp_path, declared, told):
    library = tmp_path / "a.lib"
    library.write_text(f".subckt mine p n {declared}\nR1 p n 1\n.ends\n")
    assert bool(read_model(library, None, tmp_path).remark) == told


def test_a_library_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_model(tmp_path / "none.lib", None, tmp_path)
    with pytest.raises(FileError, match="cannot include"):
        read_model(tmp_path / 'a"b.lib', None, tmp_path)
    (tmp_path / "b.lib").write_bytes(b"\xff\xfe.subckt")
    with pytest.raises(FileError, match=r"b\.lib"):
        read_model(tmp_path / "b.lib", None, tmp_path)
