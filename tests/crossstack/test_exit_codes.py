"""One rule for bad input: what a user wrote is 2; a file that is damaged, or is not one, is 3."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from crossstack.base.errors import FOUND, INCOMPLETE, OK, USAGE
from crossstack.console import Console
from crossstack.supervise import STOPS

from .conftest import NAME

LAYOUT_VERBS = (
    ["drc"], ["lvs", "--netlist", "SPICE"], ["extract"], ["tapeout"], ["view", "--png"],
    ["views", "--netlist", "SPICE"], ["foundry", "drc"], ["measure", "--plan"],
)  # fmt: skip
NETWORK_VERBS = (["solve"], ["limits"], ["inspect"], ["foundry", "solve"])
CONFIG_VERBS = (["build"], ["generate"], ["sweep", "--vary", "rows=1,2"], ["compare"], ["size"])

#: words -> what is wrong is a value that the user wrote
WRITTEN = [
    *([*verb, "LAYOUT", "--process", "none"] for verb in LAYOUT_VERBS),
    *([*verb, "LAYOUT", "--profile", "none"] for verb in LAYOUT_VERBS),
    *([*verb, "gone.gds"] for verb in LAYOUT_VERBS),
    *([*verb, "gone.npz"] for verb in NETWORK_VERBS),
    *([*verb, "NETWORK", "--process", "none"] for verb in NETWORK_VERBS),
    *([*verb, "gone.yaml"] for verb in CONFIG_VERBS),
    *([*verb, "unclosed.yaml"] for verb in CONFIG_VERBS),
    *([*verb, "empty.yaml"] for verb in CONFIG_VERBS),
    *([*verb, "binary.yaml"] for verb in CONFIG_VERBS),
    *([*verb, "braces.yaml"] for verb in CONFIG_VERBS),
    *([*verb, "list.yaml"] for verb in CONFIG_VERBS),
    *([*verb, "hot.yaml"] for verb in CONFIG_VERBS[:4]),
    *([*verb, "large.yaml"] for verb in CONFIG_VERBS),
    ["drc", "LAYOUT", "--waivers", "large.yaml"],
    ["measure", "--simulate", "--truth", "large.yaml"],
    ["generate", "--rows", "1", "--cols", "1", "--process", "./large"],
    *(["generate", "--rows", word] for word in ("0x10", "1_0", "\u0664", "4.0", "0", "9" * 30)),
    *(["generate", "--device-um", word] for word in ("0x1", "1_0", "nan", "1e999", "1e9")),
    *(["solve", "NETWORK", "--device", f"r_on_ohm={word}"] for word in ("0x10", "0o17", "1_0")),
    ["sweep", "--vary", "rows=0x2,4"],
    ["sweep", "--vary", "device.r_on_ohm=1e4,1e30"],
    ["sweep", "--vary", "tech.temperature_c=25,2000"],
    ["sweep", "--vary", "select_w_um=2,1e9"],
    ["extract", "LAYOUT", "--temperature", "2000"],
    ["extract", "LAYOUT", "--sheet", "ME=0x1"],
    ["view", "LAYOUT", "--cross-section", "y=1_0"],
    ["drc", "LAYOUT", "--waivers", "list.yaml"],
    ["drc", "LAYOUT", "--waivers", "binary.yaml"],
    ["measure", "--simulate", "--truth", "binary.yaml"],
    ["lvs", "alone.gds"],
    ["views", "alone.gds"],
    ["drc", "LAYOUT", "--rules", "none"],
    ["drc", "LAYOUT", "--top", "none"],
    ["inspect", "NETWORK", "--net", "none"],
    ["pdk", "check", "none"],
    # what was named for results, and is no place for them
    ["build", "--rows", "1", "--cols", "1", "-o", "text.gds"],
    ["pdk", "new", "folder"],
    ["generate", "--rows", "1", "--cols", "1", "-o", "text.gds/deep"],
    ["extract", "LAYOUT", "-o", "text.gds"],
    *([*verb, "LAYOUT", "-o", "text.gds/deep"] for verb in LAYOUT_VERBS if verb[0] != "measure"),
    *([*verb, "-o", "text.gds/deep"] for verb in (["solve", "NETWORK"], ["limits", "NETWORK"])),
    ["solve", "NETWORK", "--transient", "-o", "text.gds/deep"],
    ["measure", "--simulate", "-o", "text.gds/deep"],
    ["foundry", "solve", "NETWORK", "--deck", "none/a.spice"],
    ["sweep", "--vary", "rows=1", "-o", "."],
    ["drc", "LAYOUT", "--format", "sarif", "--output", "folder"],
    ["drc", "LAYOUT", "--format", "sarif", "--output", "none/a.sarif"],
    ["view", "LAYOUT", "--png", "-o", "none/a.png"],
]  # fmt: skip
#: words -> what is wrong is a file that nobody types
DAMAGED = [
    *([*verb, bad] for verb in LAYOUT_VERBS for bad in ("text.gds", "cut.gds")),
    *([*verb, bad] for verb in NETWORK_VERBS for bad in ("text.gds", "cut.npz")),
    *([*verb, "folder"] for verb in (*LAYOUT_VERBS[:5], *NETWORK_VERBS, ["report"])),
    ["lvs", "LAYOUT", "--netlist", "text.gds"],
    ["solve", "NETWORK", "--inputs", "text.gds"],
    ["solve", "NETWORK", "--weights", "cut.npz"],
    ["extract", "LAYOUT", "--memristor", "text.gds"],
    ["view", "LAYOUT", "--png", "--markers", "text.gds"],
    ["measure", "--readings", "text.gds"],
]


@pytest.fixture(scope="module")
def inputs(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "folder").mkdir()
    for ending in ("gds", "spice"):
        shutil.copy(built / f"{NAME}.{ending}", folder)
    network = folder / "network.npz"
    shutil.copy(built / network.name, network)
    layout = folder / f"{NAME}.gds"
    (folder / "cut.gds").write_bytes(layout.read_bytes()[:500])
    (folder / "cut.npz").write_bytes(network.read_bytes()[:500])
    shutil.copy(layout, folder / "alone.gds")
    (folder / "binary.yaml").write_bytes(b"rows: \xff\xfe\0")
    texts = {
        "text.gds": "* nothing\nhello (\n",
        "unclosed.yaml": "rows: [",
        "empty.yaml": "# no\n",
        "braces.yaml": "{}\n",
        "list.yaml": "- 1\n",
        "hot.yaml": "tech: {temperature_c: 2e3}\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "large.yaml").write_text("# no\n" * 210_000)
    (folder / "large").mkdir()
    (folder / "large" / "process.toml").write_text("# no\n" * 810_000)
    return folder


def filled(words):
    known = {"LAYOUT": f"{NAME}.gds", "NETWORK": "network.npz", "SPICE": f"{NAME}.spice"}
    return [known.get(word, word) for word in words]


@pytest.mark.parametrize("words", WRITTEN, ids=" ".join)
def test_what_a_user_wrote_is_wrong_usage(crossstack, inputs, monkeypatch, words):
    monkeypatch.chdir(inputs)
    before = sorted(inputs.rglob("*"))
    crossstack(*filled(words)).fails(2)
    assert sorted(inputs.rglob("*")) == before


PLACED = [*([*verb, "LAYOUT"] for verb in LAYOUT_VERBS if verb[0] not in ("measure", "view")),
          ["solve", "NETWORK"], ["solve", "NETWORK", "--transient"], ["limits", "NETWORK"],
          ["measure", "--simulate"], *CONFIG_VERBS[:4]]  # fmt: skip


def idle(_console, _plan=None):
    raise AssertionError("work begins before the place for its results is looked at")


@pytest.mark.parametrize("words", PLACED, ids=" ".join)
def test_a_place_that_takes_no_results_is_refused_before_work(
    crossstack, inputs, monkeypatch, words
):
    """`solve` printed its table first, and `views` worked for half a minute."""
    monkeypatch.chdir(inputs)
    monkeypatch.setattr(Console, "steps", idle)
    (inputs / "folder").mkdir(exist_ok=True)
    before = sorted(inputs.rglob("*"))
    crossstack(*filled(words), "-o", "text.gds/deep").fails(2, "text.gds is a file, not a folder")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "folder" or mode == 4)
    ran = crossstack(*filled(words), "-o", "folder/deep")
    ran.fails(3, "folder")
    assert "writable" in ran.err
    assert not ran.out
    assert sorted(inputs.rglob("*")) == before


@pytest.mark.parametrize("words", DAMAGED, ids=" ".join)
def test_a_damaged_file_ends_a_run(crossstack, inputs, monkeypatch, words):
    monkeypatch.chdir(inputs)
    before = sorted(inputs.rglob("*"))
    crossstack(*filled(words)).fails(3)
    assert sorted(inputs.rglob("*")) == before


def test_exit_codes_are_listed_where_they_are_told(crossstack):
    """Ctrl-C ends a run with 130 and SIGTERM with 143, which no document listed."""
    codes = {OK, FOUND, USAGE, INCOMPLETE, *STOPS.values()}
    root = Path(__file__).parents[2]
    told = [crossstack("--help").out.partition("Exit codes:")[2].partition("Shell")[0]]
    for page in ("README.md", "docs/reference/cli.md"):
        text = (root / page).read_text(encoding="utf-8")
        told.append(re.split(r"\.\s", text.partition("Exit codes:")[2])[0])
    table = (root / "docs/concepts/signoff.md").read_text(encoding="utf-8")
    rows = table.partition("## Exit codes")[2].partition("\n## ")[0]
    told.append("\n".join(line.split("|")[1] for line in rows.splitlines() if "|" in line))
    for text in told:
        assert {int(word) for word in re.findall(r"\b\d+\b", text)} == codes, text


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["generate", "--cell", "hibrid"], "hybrid"),
        (["generate", "--top", "macros"], "macro"),
        (["generate", "--profile", "steper"], "stepper"),
        (["generate", "cell.yaml"], "hybrid"),
        (["solve", "NETWORK", "--mode", "expanson"], "expansion"),
        (["drc", "LAYOUT", "--format", "sarf"], "sarif"),
        (["extract", "LAYOUT", "--corner", "mx"], "max"),
    ],
)
def test_a_mistyped_word_names_the_nearest(crossstack, inputs, tmp_path, monkeypatch, words, meant):
    monkeypatch.chdir(inputs)
    (tmp_path / "cell.yaml").write_text("cell: hibrid\n")
    typed = [tmp_path / word if word == "cell.yaml" else word for word in filled(words)]
    crossstack(*typed).fails(2, f"; did you mean {meant!r}?")
    # nothing is near, and nothing is guessed
    assert "did you mean" not in crossstack("generate", "--cell", "wxyz").err


def test_a_temperature_has_one_range(crossstack, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    for degrees in (126, 2000, 1e300):
        ran = crossstack("extract", f"{NAME}.gds", "--temperature", degrees)
        ran.fails(2, "a number from -40 to 125 C")


def test_an_error_after_remarks_is_one_line(crossstack, inputs, tmp_path):
    """Remarks that nothing is judged by were printed above the line that says why."""
    layout = shutil.copy(inputs / "text.gds", tmp_path / "a.gds")
    other = {"name": "b", "parameters": {}, "files": {"b.gds": ""}}
    (tmp_path / "a.json").write_text(json.dumps(other))
    crossstack("drc", layout).fails(3, "is not a GDS or OASIS file")
    shutil.copy(inputs / f"{NAME}.gds", layout)
    ran = crossstack("drc", layout)
    assert ran.code == 0
    assert "a.json says nothing of a.gds" in ran.err
