"""What one run leaves is one set: optional files of an earlier run do not stay beside new ones."""

from __future__ import annotations

import shutil

import pytest

from crossstack.base import claims, files
from crossstack.base.errors import ConfigError
from crossstack.extracted_files import ENDS

from .conftest import NAME


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def make(folder, **texts):
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_what_could_have_been_written_and_was_not_goes(tmp_path):
    make(tmp_path, a__csv="1", b__csv="2", b__txt="3", c__spef='*PROGRAM "crossstack"', d__spef="x")
    with files.together(tmp_path, ("a.csv", "b.*", "c.spef", "d.spef")) as work:
        make(work, a__csv="new")
    # another program's d.spef is somebody's
    assert names(tmp_path) == ["a.csv", "d.spef"]


def test_nothing_goes_if_the_run_fails_or_reads_it(tmp_path):
    make(tmp_path, a__csv="1", b__csv="2")

    def fails():
        with files.together(tmp_path, ("*.csv",)) as work:
            make(work, a__csv="new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with claims.watched():
        claims.note_read(tmp_path / "b.csv")
        with (
            pytest.raises(ConfigError, match=r"b\.csv is read"),
            files.together(tmp_path, ("*.csv",)) as work,
        ):
            make(work, a__csv="new")
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["1", "2"]


def test_netlists_of_an_earlier_extraction_go(built, crossstack, tmp_path):
    """`--no-spice`, or without --spef: those of other conditions stayed beside a new network."""
    gds, there = built / f"{NAME}.gds", ("-o", tmp_path)
    make(tmp_path, notes__spice="mine", other__spef='*PROGRAM "crossstack"')
    assert crossstack("extract", gds, *there, "--spef").code == 0
    (tmp_path / f"{NAME}_array.npz").write_bytes(b"of a larger one")
    assert {f"{NAME}{end}" for end in ENDS} <= {*names(tmp_path)}
    assert crossstack("extract", gds, *there, "--no-spice", "--corner", "max").code == 0
    left = [f"{NAME}_network.npz", "notes.spice", "other.spef"]
    assert names(tmp_path) == sorted(left)
    (tmp_path / f"{NAME}.spef").write_text('*SPEF "IEEE 1481-1998"\n*PROGRAM "another"\n')
    assert crossstack("extract", gds, *there).code == 0
    assert names(tmp_path) == sorted([*left, f"{NAME}.spef", f"{NAME}_extracted.spice"])


def test_curves_of_an_earlier_run_over_time_go(built, crossstack, tmp_path):
    make(tmp_path, transient_write_set__csv="old", transient_mine__csv="mine")
    network = built / "network.npz"
    assert crossstack("solve", network, "--transient", "-o", tmp_path).code == 0
    assert names(tmp_path) == ["transient.json", "transient_mine.csv", "transient_read.csv"]


def test_a_layout_of_another_kind_goes_if_it_is_as_it_was_written(crossstack, tmp_path):
    run = ("generate", "--rows", 1, "--cols", 1, "-o", tmp_path)
    stem = "crossstack_1x1x2"
    assert crossstack(*run).code == 0
    assert crossstack(*run, "--format", "oas").code == 0
    assert {f"{stem}.gds", f"{stem}.oas"} < {*names(tmp_path)}, "one array in two formats"
    (tmp_path / f"{stem}.gds").unlink()
    assert crossstack(*run, "--strap").code == 0
    assert names(tmp_path) == [f"{stem}.gds", f"{stem}.json", f"{stem}.spice"]
    with (tmp_path / f"{stem}.gds").open("ab") as stream:  # edited by hand
        stream.write(b"\0" * 2)
    assert crossstack(*run, "--format", "oas").code == 0
    assert f"{stem}.gds" in names(tmp_path)


def test_limits_of_earlier_measurements_go(crossstack, tmp_path):
    make(tmp_path, measured__yaml="tech: {}  # crossstack\n", readings__csv="mine")
    assert crossstack("measure", "--overlay", "VME,x,-2", "-o", tmp_path).code == 0
    assert names(tmp_path) == ["measured.json", "readings.csv"]


def test_files_of_a_chip_go_from_the_package_of_an_array(built, crossstack, tmp_path):
    layout = shutil.copy(built / f"{NAME}.gds", tmp_path)
    shutil.copy(built / f"{NAME}.spice", tmp_path)
    package = tmp_path / "tapeout"
    package.mkdir()
    make(package, pads__csv="old", probe_plan__csv="old", wafer_map__svg="old", notes__txt="mine")
    assert crossstack("tapeout", layout).code == 1
    assert not {"pads.csv", "probe_plan.csv", "wafer_map.svg"} & {*names(package)}
    assert "notes.txt" in names(package)
