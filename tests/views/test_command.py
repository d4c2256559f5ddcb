"""`crossstack views`, and the views of a build: whole, and with the figures of its other files."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from crossstack import block_views, cli, extract

BUILT = ["build", "--rows", "2", "--cols", "2", "--top", "macro", "--name", "blk", "-q"]


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(n) for n in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str]]:
    """Run the command line in this process; returns its exit code and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.run([*arguments])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    assert cli.run([*BUILT, "-o", str(folder)]) == 0
    return folder / "blk"


def test_a_build_of_a_macro_leaves_its_views(build):
    manifest = json.loads((build / "manifest.json").read_text())
    for name in ("blk.lef", "blk.v", "blk.cdl", "blk__tt_025C_3v30.lib", "blk_model.sv",
                 "blk_bench.sv", "blk_pins.csv", "blk_datasheet.html", "blk_datasheet.md",
                 "crossstack_memristor.va", "crossstack_memristor.lib"):  # fmt: skip
        assert name in manifest["files"], name
        assert f"{name}" in (build / "report.html").read_text(), name


def test_the_datasheet_shows_the_figures_of_the_other_files(build):
    sheet = json.loads((build / "blk_datasheet.json").read_text())
    nets = {n["net"]: n for n in json.loads((build / "nets.json").read_text())["nets"]}
    drop = json.loads((build / "ir_drop.json").read_text())["modes"]
    timing = json.loads((build / "timing.json").read_text())
    em = json.loads((build / "em.json").read_text())
    for mode in sheet["ir_drop"]:
        for key in ("worst_device_error", "mean_device_error", "worst_column_error"):
            assert mode[key] == drop[mode["mode"]][key]
    assert sheet["corners"][0]["settle_s"] == timing["settle"]["settle_s"]
    assert sheet["limits"]["text"] == em["verdict"]["text"]
    with (build / "blk_pins.csv").open() as stream:
        rows = {row["name"]: row for row in csv.DictReader(stream)}
    for pin in sheet["pins"]:
        row = rows[pin["name"]]
        if pin["use"] not in ("power", "ground"):
            assert pin["farad"] == nets[pin["name"]]["farad"]
            assert float(row["farad"]) == pytest.approx(pin["farad"], rel=1e-5)
            assert pin["limit_A"] == nets[pin["name"]]["em_limit_a"]
        if pin["use"] == "signal":
            assert (pin["low_V"], pin["high_V"]) == (0.0, sheet["supply_V"])
    text = (build / "blk_datasheet.md").read_text()
    for pin in sheet["pins"]:
        assert f"| {pin['name']} |" in text
    rows_v = {p["name"]: p["high_V"] for p in sheet["pins"]}
    assert rows_v["IN_T[0]"] == sheet["device"]["v_read_V"]
    assert rows_v["WR[0]"] == sheet["device"]["v_set_V"]
    assert rows_v["WC"] == sheet["device"]["v_reset_V"]


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def test_page_and_text_say_the_same(build):
    page = _Words()
    page.feed((build / "blk_datasheet.html").read_text())
    figure = re.compile(r"^-?\d+\.?\d*$")
    text = re.sub(r"[|*#]", " ", (build / "blk_datasheet.md").read_text())
    numbers = [w for w in text.split() if figure.match(w)]
    there = [w for w in page.words if figure.match(w)]
    assert set(numbers) - set(there) <= {f"{k}." for k in range(1, 10)}
    assert len(numbers) > 100
    # it works offline
    assert not re.search(r'(?:src|href)="http', (build / "blk_datasheet.html").read_text())


def test_labels_below_a_waveform_stand_clear_of_each_other(build):
    """`pulse ends` ran into `reads again`; neighbours stand at two heights."""
    for kind in ("read", "write"):
        text = (build / f"blk_{kind}.svg").read_text()
        found = re.findall(
            r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle"[^>]*>([^<]+)', text
        )
        assert len(found) > 1
        rows: dict[str, list[tuple[float, str]]] = {}
        for x, y, words in found:
            rows.setdefault(y, []).append((float(x), words))
        for marks in rows.values():
            for (x0, first), (x1, second) in itertools.pairwise(sorted(marks)):
                # letters of 12 px are about 7 px wide
                assert x1 - x0 > 7 * (len(first) + len(second)) / 2, (first, second)


def test_the_datasheet_speaks_the_words_of_the_field(build):
    for end in ("md", "html"):
        text = (build / f"blk_datasheet.{end}").read_text()
        assert "half an LSB of a 10-bit converter" in text
        for word in ("Read settling time", "Control line delay"):
            assert word in text
        for word in ("half a bit", "Control to switch", "Columns stand", "Select line delay"):
            assert word not in text


def test_whose_files_a_source_names_is_said(build):
    sheet = json.loads((build / "blk_datasheet.json").read_text())
    assert "docs/design.md" in sheet["device"]["source"]
    for end in ("md", "html"):
        text = (build / f"blk_datasheet.{end}").read_text().replace("<wbr>", "")
        assert f"{sheet['device']['source']}; these files are in the source tree of Cross" in text


def test_a_narrow_page_breaks_paths_between_their_parts(build):
    """A path was broken inside a word: al_tio2/S, OURCES.md."""
    text = (build / "blk_datasheet.html").read_text()
    assert "docs/<wbr>design.md" in text
    assert not re.search(r"td[^{}]*\{[^}]*anywhere", text)


def test_diagrams_fit_a_phone_in_letters_that_can_be_read(build):
    """Cut off at the right they looked whole; shrunk from 610 px, letters were 5 px high."""
    text = (build / "blk_datasheet.html").read_text()
    assert text.count('<div class="wide"><svg ') == text.count("<svg ") == 3
    assert "svg{max-width:100%;height:auto}" in text
    assert "max-width:none" not in text
    for width in re.findall(r'<svg [^>]*width="(\d+)"', text):
        assert 12 * 358 / int(width) > 7.5, "letters of 12 px in 390 px without margins"


def test_views_of_a_build_are_those_that_it_left(build, tmp_path, run):
    code, out = run("views", str(build), "-o", str(tmp_path), "--json")
    assert code == 0, out
    value = json.loads(out)
    assert set(value["files"]) <= {p.name for p in tmp_path.iterdir()}
    for name in value["files"]:
        assert (tmp_path / name).read_bytes() == (build / name).read_bytes(), name


def test_weights_change_the_model_and_nothing_else(build, tmp_path, run):
    weights = tmp_path / "w.npy"
    np.save(weights, np.random.default_rng(1).random((2, 2, 2)))
    out = tmp_path / "v"
    shutil.copytree(build, out, ignore=lambda _, names: {n for n in names if ".lib" not in n})
    assert len([*out.glob("blk__*.lib")]) == 3
    (out / "blk__mine.lib").write_text("library(mine) {}")
    code, text = run(
        "views", str(build), "-o", str(out), "--weights", str(weights), "--no-corners", "--r-only"
    )
    assert code == 0, text
    assert "no capacitance was extracted" in text
    # those of earlier corners go, another's stays
    libraries = sorted(path.name for path in out.glob("blk__*.lib"))
    assert libraries == ["blk__mine.lib", "blk__tt_025C_3v30.lib"]
    assert (out / "blk_matrix.hex").read_bytes() != (build / "blk_matrix.hex").read_bytes()
    assert (out / "blk.lef").read_bytes() == (build / "blk.lef").read_bytes()
    assert "timing ()" not in (out / "blk__tt_025C_3v30.lib").read_text()
    # what the build found is still of the build's devices
    mine, before = (json.loads((d / "blk_datasheet.json").read_text()) for d in (out, build))
    assert mine["ir_drop"] == before["ir_drop"]
    assert mine["stimulus"] == before["stimulus"]
    assert "w.npy" in mine["model"]
    assert "Devices of the behavioural model: " in (out / "blk_datasheet.md").read_text()
    assert "Devices of the behavioural model: " not in (build / "blk_datasheet.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--netlist", "none.spice"], 2, "none.spice"),
        (["-o", "."], 2, "another folder"),
        (["--last-metal", "half"], 2, "half"),
        (["--weights", "bad.csv"], 2, "bad.csv"),
    ],
)
def test_what_cannot_be_asked_is_refused(run, build, tmp_path, monkeypatch, arguments, code, why):
    monkeypatch.chdir(build if arguments == ["-o", "."] else tmp_path)
    (tmp_path / "bad.csv").write_text("1,2,nan\n")
    extra = [] if "-o" in arguments else ["-o", str(tmp_path / "v")]
    got, out = run("views", str(build), *arguments, *extra)
    assert got == code, out
    assert why in out
    assert "Traceback" not in out


@pytest.mark.parametrize("cell", ["hybrid", "passive", "planar"])
def test_a_bare_array_has_no_views(tmp_path, run, cell):
    """Its datasheet told to set WSEL and WC, which it does not have, and led rows to nothing."""
    drawn = ["generate", "--rows", "2", "--cols", "2", "--name", "arr", "--cell", cell]
    assert run(*drawn, "-o", str(tmp_path))[0] == 0
    code, out = run("views", str(tmp_path / "arr.gds"), "-o", str(tmp_path / "v"))
    assert code == 2, out
    told = out.splitlines()[-1]
    assert "arr has no row inputs (IN_B[0] or IN_T[0]): views are of a macro" in told
    assert "`crossstack generate --top macro`" in told
    assert not (tmp_path / "v").exists()


def test_views_take_the_engine_of_a_build_and_say_which(build, tmp_path, run, monkeypatch):
    """The page promised the field, libraries held the formula's numbers."""
    out = tmp_path / "v"
    formula = extract.net_capacitance

    def double(*source, engine="formula", **options):
        """Stand for the field, which takes minutes."""
        found = formula(*source, **options)
        more = 2.0 if engine == "field" else 1.0
        return {name: replace(net, ground_f=more * net.ground_f) for name, net in found.items()}

    monkeypatch.setattr(extract, "net_capacitance", double)
    field = ["--capacitance-engine", "field", "--no-corners"]
    code, said = run("views", str(build), "-o", str(out), *field)
    assert code == 0, said
    farads, told = [], []
    for folder, words in ((build, "by the formula"), (out, "from the field")):
        sheet = json.loads((folder / "blk_datasheet.json").read_text())
        farads.append({pin["name"]: pin["farad"] for pin in sheet["pins"]}["WR[0]"])
        told.append(sheet["corners"][0]["settle_s"])
        assert words in sheet["capacitance"]
        for name in ("blk_datasheet.md", "blk_datasheet.html", "blk__tt_025C_3v30.lib"):
            assert words in (folder / name).read_text(), name
    assert farads[1] > farads[0]
    assert told[1] != told[0], "a settling time of the build is of the formula"
    code, said = run("views", str(build), "-o", str(tmp_path / "w"), "--r-only", *field)
    assert (code, "leave out --capacitance-engine field" in said) == (2, True)


def test_a_netlist_of_another_block_is_named(build, tmp_path, run):
    other = tmp_path / "a53.spice"
    other.write_text((build / "blk.spice").read_text().replace("blk", "a53"))
    code, out = run("views", str(build), "--netlist", str(other), "-o", str(tmp_path / "v"))
    assert code == 2, out
    assert "a53.spice has no subcircuit blk, the layout's top cell; it has A53" in out


def test_extract_needs_a_file_for_a_subcircuit(build, tmp_path, run):
    code, out = run("extract", str(build), "-o", str(tmp_path), "--subckt", "mine")
    assert (code, "needs --memristor" in out) == (2, True)


def test_a_large_macro_leaves_what_takes_seconds(views, tmp_path, monkeypatch):
    monkeypatch.setattr(block_views, "MOST_DEVICES", 11)
    shutil.copy(views.block.reference, tmp_path / "blk.spice")
    analysed = block_views.Analysed(views.network, views.farad, views.what)
    found = block_views.build_views(tmp_path, views.block.extracted, views.block.tech, analysed)
    there = {path.name for path in tmp_path.iterdir()} - {"blk.spice"}
    assert set(found["files"]) == there
    assert {"blk.lef", "blk.v", "blk.cdl", "blk_pins.csv", "blk_datasheet.html"} <= there
    assert not any("__" in name or "model" in name for name in there)
    assert "more than 11 memristors" in " ".join(found["warnings"])
    page = (tmp_path / "blk_datasheet.html").read_text()
    assert "Settling over corners" not in page


def test_a_layout_that_does_not_match_has_no_views(views, tmp_path):
    found = block_views.build_views(tmp_path, views.block.extracted, views.block.tech, None)
    assert found["not_done"] == {"views": "the layout does not match its netlist"}
    assert not list(tmp_path.iterdir())


def test_a_die_is_refused_before_anything_is_extracted(build, tmp_path, run, monkeypatch):
    """It has every pin of the macro inside it, and took 50 minutes; only its pads tell."""
    import klayout.db as db

    from crossstack import lvs
    from crossstack.pdk import get_tech

    def extracted(*_: object) -> None:
        raise AssertionError("extracted")

    layout = db.Layout()
    layout.read(str(build / "blk.gds"))
    pad = layout.layer(*get_tech().gds("Pad"))
    layout.top_cell().shapes(pad).insert(db.Box(0, 0, 60_000, 60_000))
    layout.write(str(tmp_path / "blk.gds"))
    shutil.copy(build / "blk.spice", tmp_path)
    monkeypatch.setattr(lvs, "extract_layout", extracted)
    code, said = run("views", str(tmp_path / "blk.gds"), "-o", str(tmp_path / "views"))
    assert code == 2
    assert "blk.gds has pads (Pad is drawn): views are of a macro, not of a die" in said
    assert not (tmp_path / "views").exists()


def test_a_datasheet_without_a_build_says_what_is_not_judged(run, build, tmp_path):
    """Sections were missing, and a write was promised at voltages that nobody had looked at."""
    for name in ("blk.gds", "blk.spice"):
        shutil.copy(build / name, tmp_path)
    code, out = run("views", str(tmp_path / "blk.gds"), "--r-only", "--no-corners")
    assert code == 0, out
    told = "ot judged: run `crossstack build`, whose views state it."
    for name in ("blk_datasheet.md", "blk_datasheet.html"):
        page, whole = ((folder / name).read_text() for folder in (tmp_path, build))
        assert page.count(f"N{told}") == 3
        assert f"Whether these voltages switch the devices is n{told}" in page
        assert f"Currents are n{told}" in page
        assert "ot judged" not in whole
        for head in ("IR drop", "Limits", "Lines"):
            assert f"## {head}" in page or f"<h2>{head}</h2>" in page


def test_what_a_write_gives_stands_where_it_is_told_to_be_made(build):
    """Default voltages give written devices too little; the step that gives them says so."""
    sheet = json.loads((build / "blk_datasheet.json").read_text())
    page = (build / "blk_datasheet.md").read_text()
    (step,) = re.findall(r"^4\. Set: put .*$", page, re.M)
    assert step.endswith(f"Judged: {sheet['write']['text']}.")


def test_tables_of_the_markdown_stand_apart_from_sentences(build):
    """Without a blank line before it a table is part of the paragraph."""
    lines = (build / "blk_datasheet.md").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        assert not line.startswith("|") or before.startswith("|") or not before, before


def test_a_read_is_counted_from_when_control_lines_stand(build):
    """Sentence and picture: the picture raised them at the instant at which inputs step."""
    page = (build / "blk_datasheet.md").read_text()
    settle = json.loads((build / "blk_datasheet.json").read_text())["corners"][0]["control_s"]
    assert "counted from when inputs and control lines stand (these take up to" in page
    assert settle[1] > settle[0]
    picture = (build / "blk_read.svg").read_text()
    marks = re.findall(r'x="([\d.]+)" y="[\d.]+"[^>]*>(select|inputs step)<', picture)
    at = {word: float(x) for x, word in marks}
    assert at["select"] < at["inputs step"]
