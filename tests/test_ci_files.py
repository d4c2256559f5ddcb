"""What other repositories and machines use: the action, the light installation, the container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from crossstack import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LIGHT = [
    line
    for line in (ROOT / "requirements-check.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_the_light_installation_asks_for_the_same_ranges() -> None:
    assert set(LIGHT) <= set(PROJECT["project"]["dependencies"])


def test_checks_load_nothing_but_the_light_installation(tmp_path) -> None:
    """Run in a process in which every other library of ours cannot be imported."""
    light = {re.split("[<>=]", line)[0] for line in LIGHT}
    every = {re.split("[<>=]", line)[0] for line in PROJECT["project"]["dependencies"]}
    barred = sorted(every - light)
    assert {"gdsfactory", "scipy"} <= set(barred)
    # what gdsfactory brings is not there either
    barred += ["kfactory", "matplotlib"]
    script = (
        f"import sys\nfor name in {barred!r}: sys.modules[name] = None\n"
        "from crossstack.cli import run\n"
        "codes = [run(line.split()) for line in sys.argv[1:]]\n"
        "sys.exit(str(codes) if codes != [0, 0, 0, 1, 0, 0] else 0)"
    )
    lines = (
        "generate --rows 1 --cols 2 --name a -o . -q",
        "drc a.gds -q --output a.sarif",
        "lvs a.gds --netlist a.spice -q --output a.xml",
        "tapeout a.gds -q",
        "drc a.gds --threads 2 -q",
        "drc --list -q",
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *lines], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def checked(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the action's script as a workflow does."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", ROOT / ".ci" / "check"],
        env={**env, **variables}, cwd=folder, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("an action")
    from crossstack.cli import run

    assert run(["generate", "--rows", "1", "--cols", "2", "--name", "a", "-o", str(folder)]) == 0
    shutil.copy(folder / "a.gds", folder / "-q my $(touch x) chip.gds")
    return folder


def test_the_action_runs_every_check(drawn: Path, tmp_path) -> None:
    output = tmp_path / "output"
    ran = checked(drawn, LAYOUT="-q my $(touch x) chip.gds", NETLIST="a.spice", OUT="o u t",
                  GITHUB_OUTPUT=str(output))  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert output.read_text() == "out=o u t\n"
    names = {path.name for path in (drawn / "o u t").iterdir()}
    assert {"drc.xml", "drc.sarif", "drc.txt", "lvs.xml", "lvs.sarif"} <= names
    assert ElementTree.parse(drawn / "o u t" / "lvs.xml").getroot().get("failures") == "0"
    assert not (drawn / "x").exists(), "a name is no command"


def test_the_action_fails_when_a_check_does(drawn: Path) -> None:
    (drawn / "wrong.spice").write_text((drawn / "a.spice").read_text().replace("W=", "W=1"))
    ran = checked(drawn, LAYOUT="a.gds", NETLIST="wrong.spice")
    assert ran.returncode == 1
    assert "::error file=a.gds,title=LVS " in ran.stdout
    assert "drc: exit code 0" in ran.stdout
    assert checked(drawn, LAYOUT="a.gds").returncode == 3, "no netlist: lvs was not run"
    assert checked(drawn, LAYOUT="a.gds", CHECKS="drc").returncode == 0
    assert checked(drawn, LAYOUT="a.gds", CHECKS="drc; lvs").returncode == 2
    assert checked(drawn, LAYOUT="").returncode == 2
    none = checked(drawn, LAYOUT="none.gds", CHECKS="drc")
    assert (none.returncode, none.stdout) == (2, "::error::LAYOUT: there is no none.gds\n")


def test_the_action_takes_what_it_declares() -> None:
    text = (ROOT / "action.yml").read_text()
    action = yaml.safe_load(text)
    used = set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", text))
    assert used == set(action["inputs"])
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), "an input must not become text of a script"
    (step,) = (s for s in action["runs"]["steps"] if s.get("id") == "check")
    script = (ROOT / ".ci" / "check").read_text()
    assert all(re.search(rf"\$\{{?{name}\b", script) for name in step["env"])


@pytest.mark.parametrize(
    ("broken", "rounds"),
    [
        ("nothing", [["klayout", "ngspice", "chromium"]]),
        # together it fails, so each comes by itself
        ("ngspice", [["klayout", "ngspice", "chromium"], ["klayout"], ["ngspice"], ["chromium"]]),
    ],
)
def test_programs_come_together_or_else_one_by_one(tmp_path, broken, rounds) -> None:
    """A distribution that does not know some of them, or cannot give one, gives the others."""
    fakes = {
        "id": "echo 0",
        "apt-cache": "case $2 in klayout | ngspice | chromium) ;; *) exit 100 ;; esac",
        "apt-get": f'echo "$@" >>{tmp_path}/log; case "$*" in *{broken}*) exit 100 ;; esac',
    }
    (tmp_path / "bin").mkdir()
    for name, text in fakes.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    shell = shutil.which("sh")
    assert shell is not None
    env = {"PATH": str(tmp_path / "bin")}
    ran = subprocess.run([shell, str(ROOT / ".ci" / "system")], env=env, check=False)
    assert ran.returncode == 1, "magic and others are not known here"
    update, *installs = (tmp_path / "log").read_text().splitlines()
    assert update.startswith("update")
    assert [line.split("--no-install-recommends ")[1].split() for line in installs] == rounds


def test_the_longest_files_of_tests_are_there() -> None:
    """A name that is gone would let a long file run last, on one worker."""
    text = (ROOT / "tests" / "conftest.py").read_text()
    names = re.findall(r'"(\w+/test_\w+\.py)"', text[text.index("LONGEST = (") :])
    assert len(names) > 10
    assert [name for name in names if not (ROOT / "tests" / name).is_file()] == []


def test_versions_are_said_once() -> None:
    version = PROJECT["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], __version__) == (version, version)
    assert f"crossstack, version {version}\n" in (ROOT / "docs" / "tutorial.md").read_text()
    released = re.findall(r"^## (\d\S*) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert released[0] == (version, str(citation["date-released"]))
    container = (ROOT / "Containerfile").read_text()
    assert "requirements-check.txt" in container
    for line in re.findall(r"^COPY (?:--from=\w+ )?(\S+) ", container, re.MULTILINE):
        assert line.startswith("/") or (ROOT / line).exists()
