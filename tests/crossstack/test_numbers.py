"""Files of numbers given to solve: what is not exactly such a file is refused in one line."""

import io

import numpy as np
import pytest

from crossstack.analyse.numbers import load_numbers, read_numbers
from crossstack.base.errors import CrossStackError


def npy(values, **options) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


def headed(head: str, data: bytes = b"") -> bytes:
    text = head.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def zipped() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.zeros(3))
    return stream.getvalue()


BAD = {
    "object": npy(np.array([1.0, None], dtype=object), allow_pickle=True),
    "complex": npy(np.ones((2, 3), dtype=complex)),
    "text": npy(np.array(["1", "2"])),
    "date": npy(np.array(["2026-01-01"], dtype="datetime64[D]")),
    "record": npy(np.zeros(2, dtype=[("a", float)])),
    "nan": npy(np.full((2, 3), np.nan)),
    "inf": npy(np.full((2, 3), -np.inf)),
    "empty": npy(np.zeros((2, 0))),
    "cut off": npy(np.ones((2, 3)))[:-1],
    "more": npy(np.ones((2, 3))) + b"x",
    "Python 2": npy(np.ones((2, 3))).replace(b"(2, 3), }  ", b"(2, 3L), } "),
    "huge": headed("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999999), }"),
    "negative": headed("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3), }"),
    "no head": headed("(" * 100),
    "code": headed("__import__('os')"),
    "version": b"\x93NUMPY\x09\x00" + b"x" * 100,
    "head of 60 kB": b"\x93NUMPY\x01\x00" + (60_000).to_bytes(2, "little") + b" " * 60_000,
    "npz": zipped(),
    "no number": b"1,2,three\n",
    "ragged": b"1,2\n3\n",
    "no text": b"\xff\xfe\x00\x01",
    "nothing": b"",
    "remarks only": b"# nothing\n",
    "csv nan": b"1,nan\n",
    "csv complex": b"1,2j\n",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("suffix", [".npy", ".csv"])
def test_what_is_no_file_of_numbers(tmp_path, name, suffix):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(BAD[name])
    with pytest.raises(CrossStackError) as caught:
        load_numbers(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_told_what_is_expected(tmp_path):
    path = tmp_path / "w.gds"
    path.write_bytes(bytes((0, 6, 0, 2, 2, 88, 0x89, 0xFF)) * 20)
    with pytest.raises(CrossStackError) as told:
        load_numbers(path)
    wanted = ".npy, or CSV: text, a line per row with commas between its numbers"
    assert str(told.value) == f"{path} does not hold numbers: expected {wanted}"


def test_what_is_one(tmp_path):
    rng = np.random.default_rng(3)
    wanted = rng.random((2, 3))
    for k, values in enumerate((wanted, np.asfortranarray(wanted), wanted.astype(">f8"))):
        np.save(tmp_path / f"{k}.npy", values)
        np.testing.assert_array_equal(load_numbers(tmp_path / f"{k}.npy"), wanted)
    np.save(tmp_path / "b.npy", wanted > 0.5)
    np.testing.assert_array_equal(load_numbers(tmp_path / "b.npy"), wanted > 0.5)
    (tmp_path / "x.csv").write_text("\ufeff# volts\n1,2\n3,4\n", encoding="utf-8")
    np.testing.assert_array_equal(read_numbers(tmp_path / "x.csv", (2, 2)), [[1, 2], [3, 4]])
    for shape in ((3, 2), (2, 2, 2), (4,)):
        with pytest.raises(CrossStackError, match="expected"):
            read_numbers(tmp_path / "x.csv", shape)


def test_pipes_and_folders_are_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path, tmp_path / "none.npy"):
        with pytest.raises(CrossStackError, match=path.name):
            load_numbers(path)


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--weights", 1.5, "0 .. 1"),
        ("--conductances", -1e-4, ""),
        ("--conductances", np.nan, "finite"),
        ("--inputs", np.inf, "finite"),
        ("--inputs", 1e-300, "input 1e-300 V at [0, 0], allowed: 0, or 1e-100 .. 1e+100 V"),
        ("--inputs", -1e200, "allowed: 0, or 1e-100 .. 1e+100 V"),
    ],
)
def test_values_out_of_range_are_refused_by_solve(crossstack, built, tmp_path, flag, value, words):
    shape = (2, 3) if flag == "--inputs" else (2, 3, 2)
    np.save(tmp_path / "x.npy", np.full(shape, value))
    crossstack("solve", built, flag, tmp_path / "x.npy").fails(2, words)


@pytest.mark.parametrize(("flag", "text"), [("--sheet", "ME=1"), ("--bias", "ME=0.1")])
def test_a_film_named_twice_is_refused(crossstack, built, tmp_path, flag, text):
    given = (flag, text, flag, "ME=0.2")
    ran = crossstack("extract", built / f"{built.name}.gds", *given, "-o", tmp_path)
    ran.fails(2, f"{flag} names ME twice")
