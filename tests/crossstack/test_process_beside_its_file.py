"""`process:` of a configuration file, and what a process cannot be asked for."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from crossstack.base.errors import ConfigError, ParameterError
from crossstack.cells.registry import CELLS, draw_cell, offered
from crossstack.commands.compare import command as compare
from crossstack.config import load_config
from crossstack.pdk import get_tech, profile_names
from crossstack.pdk.home import DEFAULT, HOME, process_names


def test_a_relative_process_lies_beside_the_file_that_names_it(tmp_path, monkeypatch):
    shutil.copytree(HOME / DEFAULT, tmp_path / "a" / "lab")
    (tmp_path / "a" / "run.yaml").write_text("rows: 2\ncols: 2\nprocess: lab\n")
    (tmp_path / "a" / "up.yaml").write_text("rows: 2\ncols: 2\nprocess: ../a/lab\n")
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    for name in ("run.yaml", "up.yaml"):
        config = load_config(tmp_path / "a" / name, {})
        assert config.spec.process == str((tmp_path / "a" / "lab").resolve())
    # a name is a name, and an option is meant from where the command runs
    (tmp_path / "a" / "name.yaml").write_text("process: sky130\n")
    assert load_config(tmp_path / "a" / "name.yaml", {}).spec.process == "sky130"
    with pytest.raises((ConfigError, ParameterError)):
        load_config(tmp_path / "a" / "run.yaml", {"process": "lab"})


def test_what_is_only_in_the_working_folder_is_not_meant(tmp_path, monkeypatch):
    shutil.copytree(HOME / DEFAULT, tmp_path / "b" / "lab")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.yaml").write_text("rows: 2\nprocess: lab\n")
    monkeypatch.chdir(tmp_path / "b")
    with pytest.raises((ConfigError, ParameterError), match=r"run\.yaml, line 2: process = "):
        load_config(tmp_path / "a" / "run.yaml", {})


def test_compare_says_that_a_module_of_one_tier_has_nothing_to_compare(tmp_path):
    with pytest.raises(ParameterError, match="process = 'sky130_reram'") as found:
        CliRunner().invoke(
            compare, ["--process", "sky130_reram", "-o", str(tmp_path / "out")],
            catch_exceptions=False, standalone_mode=False,
        )  # fmt: skip
    assert "hybrid" not in str(found.value)
    assert "has one" in str(found.value)
    assert not (tmp_path / "out").exists()


def test_every_cell_that_is_offered_can_be_drawn():
    for process in process_names():
        for profile in profile_names(process):
            tech = get_tech(profile, process)
            names = offered(tech)
            for name in names:
                draw_cell(name, tech)
            for name in set(CELLS) - set(names):
                with pytest.raises((ParameterError, ValueError)):
                    draw_cell(name, tech)
    assert "bond_pad" in offered(get_tech())
    assert "bond_pad" not in offered(get_tech(process="sky130"))
