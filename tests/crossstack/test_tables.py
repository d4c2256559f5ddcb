"""Tables of every device: as CSV and as an archive, and which is written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from crossstack.analyse import tables
from crossstack.analyse.summary import cause_of_loss, remarks
from crossstack.base.errors import FileError


def result(shape: tuple[int, int, int], seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    error = rng.random(shape)
    error[0, 0, 0] = np.nan
    solution = SimpleNamespace(device_voltages=rng.random(shape), device_currents=rng.random(shape))
    return SimpleNamespace(solution=solution, device_error_wires=error / 2, device_error=error)


@pytest.mark.parametrize(("name", "digits"), [("t.csv", 1e-8), ("t.npz", 1e-6)])
def test_what_is_written_is_read_again(name, digits, tmp_path):
    done = {"expansion": result((2, 3, 4)), "deep-net": result((2, 3, 4), 2)}
    tables.write_table(tmp_path / name, done)
    maps = tables.read_maps(tmp_path / name)
    assert list(maps) == list(done)
    for mode, r in done.items():
        wanted = (r.solution.device_voltages, r.solution.device_currents,
                  r.device_error_wires, r.device_error)  # fmt: skip
        for column, values in zip(tables.COLUMNS, wanted, strict=True):
            np.testing.assert_allclose(maps[mode][column], values, rtol=digits)


def test_large_tables_are_archives(tmp_path):
    assert tables.table_name({"expansion": result((2, 10, 10))}) == "ir_drop.csv"
    many = {"expansion": result((2, 400, 300))}
    assert tables.table_name(many) == "ir_drop.npz"
    tables.write_table(tmp_path / "ir_drop.npz", many)
    assert tables.table_in(tmp_path) == tmp_path / "ir_drop.npz"
    assert (tmp_path / "ir_drop.npz").stat().st_size < 240_000 * 16


def test_another_archive_is_refused(tmp_path):
    path = tmp_path / "ir_drop.npz"
    np.savez(path, format=np.array("other"), version=np.array(1))
    with pytest.raises(FileError, match="other"):
        tables.read_maps(path)
    path.write_bytes(b"PK no zip")
    with pytest.raises(FileError, match="ir_drop"):
        tables.read_maps(path)


@pytest.mark.parametrize(("loss", "said"), [(0.97, 1), (0.2, 0), (float("nan"), 0)])
def test_a_great_loss_is_remarked_on(loss, said):
    one = SimpleNamespace(worst_device=loss)
    drop = SimpleNamespace(all_series=one, wires_only=one, device_error=np.full((1, 1, 1), loss))
    found = remarks(SimpleNamespace(modes={"expansion": drop}))
    assert len(found) == said
    assert not said or ("97" in found[0] and "expansion" in found[0])


@pytest.mark.parametrize(
    ("largest", "ours", "words", "not_words"),
    [
        (1.0, True, ["largest conductance, 1 S, is 1e+04 times 1/R_on (100 uS)"], ["size"]),
        (1e-4, True, ["`crossstack size` finds an array that loses less"], ["conductance,"]),
        (1e-4, False, ["is not what its conductance says"], ["size", ";", "conductance,"]),
    ],
)
def test_the_cause_of_a_great_loss_is_the_true_one(largest, ours, words, not_words):
    """An array of 5 x 3 with devices of 1 ohm was said to be too large."""
    one = SimpleNamespace(worst_device=0.9)
    drop = SimpleNamespace(all_series=one, wires_only=one, device_error=np.full((1, 1, 1), 0.9))
    cause = cause_of_loss(largest, 1e-4, ours=ours)
    (line,) = remarks(SimpleNamespace(modes={"expansion": drop}), cause)
    assert all(word in line for word in words)
    assert not any(word in line for word in [*not_words, "so large an array"])


HEAD = f"mode,tier,row,col,{','.join(tables.COLUMNS)}\n"


@pytest.mark.parametrize("text", ["", "mode,tier\n", HEAD, HEAD + "a,b\n", HEAD + "x" * 140_000])
def test_a_damaged_table_is_said_to_be_none(tmp_path, text):
    """A value that does not end was an error of ours; a table of no device passed."""
    path = tmp_path / "ir_drop.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=r"ir_drop\.csv is not a table"):
        tables.read_maps(path)
