"""Wrong input: one clear line, the right exit code, earlier results whole."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import klayout.db as db
import pytest

from .conftest import NAME


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "array.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows: 0", ["rows = 0", "1 to 1024"]),
        ("rows: 2.5", ["rows = 2.5", "whole number"]),
        ("rows: true", ["rows = True"]),
        ("rows: '3'", ["rows = '3'"]),
        ("cols: 5000", ["cols = 5000", "1024"]),
        ("rwos: 3", ["rwos", "did you mean 'rows'"]),
        ("cell: hibrid", ["cell = 'hibrid'", "hybrid"]),
        ("profile: laser", ["profile = 'laser'", "stepper"]),
        ("pitch_x_um: 2.0", ["pitch_x_um = 2.0", "minimum by the design rules"]),
        ("pitch_y_um: 5.003", ["pitch_y_um = 5.003", "multiple"]),
        ("device_um: wide", ["device_um = 'wide'"]),
        ("select_w_um: .nan", ["array.yaml, line 1: select_w_um = nan"]),
        ("name: ../x", ["name = '../x'"]),
        ("kelvin: true", ["kelvin = True", "needs top: macro or testchip"]),
        ("{top: array, switch_wn_um: 8}", ["switch_wn_um = 8", "needs top: macro or testchip"]),
        ("tech: {corner: fast}", ["tech.corner = 'fast'", "typ, min, max"]),
        ("tech: {temprature_c: 25}", ["tech.temprature_c", "'temperature_c'"]),
        ("tech: {temperature_c: hot}", ["tech.temperature_c = 'hot'"]),
        ("tech: {sheet_resistance_ohm_sq: {MEE: 1}}", ["MEE", "did you mean 'ME'"]),
        ("tech: {sheet_resistance_ohm_sq: {ME: -1}}", ["ME = -1"]),
        ("tech: 5", ["tech = 5"]),
        ("rows: 3\nrows: 4", ["'rows' appears twice"]),
        ("rows: [3", ["line"]),
        ("just words", ["keys and values"]),
    ],
)
@pytest.mark.parametrize("verb", ["build", "generate"])
def test_configuration_is_refused(crossstack, tmp_path, verb, text, words):
    ran = crossstack(verb, config(tmp_path, text), "-o", tmp_path / "out")
    ran.fails(2, *words)
    assert not list(tmp_path.glob("out/*")), "nothing may be left behind"


@pytest.mark.parametrize(
    "text", ["rwos: 3", "tech: {cornr: min}", "tech: {size_bias_um: {MEE: 0.1}}"]
)
@pytest.mark.parametrize("verb", ["build", "sweep"])
def test_an_unknown_key_names_its_file(crossstack, tmp_path, verb, text):
    more = ["--vary", "cols=1,2"] if verb == "sweep" else []
    ran = crossstack(verb, config(tmp_path, text), *more, "-o", tmp_path / "out")
    ran.fails(2, f"{tmp_path / 'array.yaml'}, line 1: no such key", "did you mean")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["biuld"], ["biuld", "did you mean 'build'"]),
        (["build", "--rows", "2.5"], ["--rows", "2.5"]),
        (["build", "--rows", "0"], ["rows = 0"]),
        (["build", "--rwos", "3"], ["--rwos", "--rows"]),
        (["build", "--row", "3"], ["no such option '--row'; did you mean '--rows'? (see"]),
        (["build", "missing.yaml"], ["missing.yaml", "does not exist"]),
        (["drc"], ["crossstack: missing argument 'FILE' (see crossstack drc --help)"]),
        (["sweep"], ["crossstack: missing option '--vary' (see crossstack sweep --help)"]),
        (["drc", "missing.gds"], ["missing.gds", "does not exist"]),
        (["lvs", "missing.gds", "--netlist", "x"], ["does not exist"]),
        (["extract", "missing.gds"], ["does not exist"]),
        (["solve", "missing.npz"], ["does not exist"]),
        (["report", "missing"], ["does not exist"]),
        (["solve"], ["NETWORK"]),
    ],
)
def test_usage_errors(crossstack, args, words):
    crossstack(*args).fails(2, *words)


def test_lvs_needs_a_netlist(crossstack, built):
    crossstack("lvs", built / f"{NAME}.gds").fails(2, "--netlist")


@pytest.fixture
def wrong_files(built, tmp_path):
    """Files that are no layouts of this process."""
    good = (built / f"{NAME}.gds").read_bytes()
    (tmp_path / "noise.gds").write_bytes(b"\x00\x01\x02 this is no layout")
    (tmp_path / "cut.gds").write_bytes(good[: len(good) // 2])
    (tmp_path / "empty.gds").write_bytes(b"")
    foreign = db.Layout()
    cell = foreign.create_cell("chip")
    cell.shapes(foreign.layer(68, 20)).insert(db.Box(0, 0, 1000, 1000))
    foreign.write(str(tmp_path / "foreign.gds"))
    twice = db.Layout()
    twice.read(str(built / f"{NAME}.gds"))
    twice.create_cell("another")
    twice.write(str(tmp_path / "twotops.gds"))
    return tmp_path


@pytest.mark.parametrize("name", ["noise", "cut", "empty", "foreign"])
@pytest.mark.parametrize("verb", ["drc", "lvs", "extract"])
def test_layouts_that_cannot_be_read(crossstack, built, wrong_files, verb, name):
    more = ["--netlist", built / f"{NAME}.spice"] if verb == "lvs" else []
    ran = crossstack(verb, wrong_files / f"{name}.gds", *more, "-o", wrong_files / "out")
    ran.fails(3, f"{name}.gds")
    if name == "foreign":
        assert "process" in ran.err
    assert not [p for p in wrong_files.glob("out/*") if p.stat().st_size == 0]


@pytest.mark.parametrize("verb", ["drc", "lvs", "extract"])
def test_several_tops_need_a_choice(crossstack, built, wrong_files, verb):
    more = ["--netlist", built / f"{NAME}.spice"] if verb == "lvs" else []
    ran = crossstack(verb, wrong_files / "twotops.gds", *more, "-o", wrong_files / "out")
    ran.fails(2, "top", "another")
    again = crossstack(
        verb, wrong_files / "twotops.gds", *more, "--top", NAME, "-o", wrong_files / "out"
    )
    assert again.code == 0, again.err


@pytest.mark.parametrize(
    "asked",
    [*(f"{verb} FILE" for verb in ("drc", "extract", "tapeout")),
     "measure --plan FILE", "foundry drc FILE", "lvs FILE --netlist NETLIST",
     "views FILE --netlist NETLIST"],
)  # fmt: skip
def test_several_tops_are_told_of_an_option_that_the_command_has(
    crossstack, built, wrong_files, asked
):
    at = {"FILE": wrong_files / "twotops.gds", "NETLIST": built / f"{NAME}.spice"}
    ran = crossstack(*(at.get(word, word) for word in asked.split()))
    assert "2 top cells" in ran.err
    verb = asked.partition(" FILE")[0].replace(" --plan", "").split()
    assert ("--top" in ran.err) is ("--top" in crossstack(*verb, "--help").out), ran.err


def test_a_network_of_noise(crossstack, tmp_path):
    (tmp_path / "network.npz").write_bytes(b"no archive")
    crossstack("solve", tmp_path / "network.npz").fails(3, "network.npz")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--mode", "deep-net", "--write-column", "7"], 2, ["write_column is 7", "0..1"]),
        (["--write-column", "0"], 2, ["--write-column", "deep-net"]),
        (["--mode", "sideways"], 2, ["sideways", "expansion"]),
        (["--inputs", "wrong.csv"], 2, ["wrong.csv", "(2, 3)"]),
        (["--weights", "wrong.csv"], 2, ["wrong.csv", "(2, 3, 2)"]),
        (["--weights", "text.csv"], 3, ["text.csv", "numbers"]),
        (["--weights", "big.csv"], 2, ["big.csv", "0 .. 1"]),
    ],
)
def test_solve_refuses(crossstack, built, tmp_path, monkeypatch, args, code, words):
    monkeypatch.chdir(tmp_path)
    Path("wrong.csv").write_text("1,2,3,4\n")
    Path("text.csv").write_text("a,b\n")
    Path("big.csv").write_text("1,2\n" * 6)
    crossstack("solve", built, *args).fails(code, *words)


def test_output_folder_is_a_file(crossstack, tmp_path):
    (tmp_path / "taken").write_text("mine")
    crossstack("build", "--rows", 2, "--cols", 2, "-o", tmp_path / "taken").fails(2, "taken")
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write")
@pytest.mark.parametrize("verb", ["build", "generate"])
def test_output_folder_cannot_be_made(crossstack, verb):
    crossstack(verb, "--rows", 2, "--cols", 2, "-o", "/proc/nowhere/out").fails(3, "/proc/nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_output_folder_is_read_only(crossstack, tmp_path):
    tmp_path.chmod(0o555)
    crossstack("build", "--rows", 2, "--cols", 2, "-o", tmp_path).fails(3, "not writable")
    tmp_path.chmod(0o755)


def test_a_folder_of_someone_else_is_not_replaced(crossstack, tmp_path):
    mine = tmp_path / NAME / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    crossstack("build", "--rows", 3, "--cols", 2, "-o", tmp_path).fails(2, NAME, "manifest.json")
    assert mine.read_text() == "years of work"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture
def earlier(built, tmp_path) -> Path:
    """An output folder that holds an earlier result."""
    shutil.copytree(built, tmp_path / "out" / NAME)
    return tmp_path / "out"


def command(out: Path, *more: str) -> list[str]:
    code = "import sys; from crossstack.cli import main; main()"
    return [
        sys.executable,
        "-c",
        code,
        "build",
        "--rows",
        "3",
        "--cols",
        "2",
        "-o",
        str(out),
        *more,
    ]


def test_a_full_disk_leaves_the_earlier_result(earlier):
    before = snapshot(earlier / NAME)

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))

    ran = subprocess.run(command(earlier), capture_output=True, text=True, preexec_fn=small_files)
    assert ran.returncode == 3, ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1, ran.stderr
    assert snapshot(earlier / NAME) == before
    assert [p.name for p in earlier.iterdir()] == [NAME], "the temporary folder must go"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_the_earlier_result(earlier, sent):
    before = snapshot(earlier / NAME)
    process = subprocess.Popen(command(earlier), stderr=subprocess.PIPE, text=True)
    for _ in range(400):  # as soon as it works in its temporary folder
        if list(earlier.glob(".*.part")):
            break
        time.sleep(0.02)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent], err
    assert err.count("\n") == 1, err
    assert "interrupted" in err
    assert snapshot(earlier / NAME) == before
    assert [p.name for p in earlier.iterdir()] == [NAME]


def test_a_crash_leaves_the_earlier_result(crossstack, earlier, monkeypatch):
    def broken(*_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(crossstack_module("flow"), "draw_pictures", broken)
    before = snapshot(earlier / NAME)
    ran = crossstack("build", "--rows", 3, "--cols", 2, "-o", earlier)
    ran.fails(3, "RuntimeError: out of luck")
    assert snapshot(earlier / NAME) == before


def crossstack_module(name: str):
    import importlib

    return importlib.import_module(f"crossstack.{name}")
