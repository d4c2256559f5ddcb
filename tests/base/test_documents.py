"""YAML 1.2 and JSON from strangers: the core schema, one line for the rest, no work without end."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.base.documents import (
    MAX_YAML,
    SCHEMA,
    json_text,
    parse_json,
    parse_yaml,
    read_json,
    read_yaml,
)
from crossstack.base.errors import ConfigError, FileError
from crossstack.base.versions import versions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("017", 17), ("0o17", 15), ("0x1F", 31), ("-5", -5), ("+5", 5), ("1_000", "1_000"),
        ("12:30:45", "12:30:45"), ("2027-01-31", "2027-01-31"), ("yes", "yes"), ("on", "on"),
        ("NO", "NO"), ("True", True), ("false", False), ("~", None), ("", None), ("null", None),
        ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-.inf", float("-inf")), ("'5'", "5"),
        ("0b11", "0b11"), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_words_by_the_core_schema_of_yaml_1_2(text, value):
    found = parse_yaml(f"key: {text}").values["key"]
    assert (type(found), found) == (type(value), value)


ALIASES = "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefgh"))
BAD = [
    (ALIASES, 1, "anchor"),
    ("rows: 3\ncols: *x", 2, "alias"),
    ("rows: !!int 3", 1, "tag"),
    ("rows: !!python/object/apply:os.system [x]", 1, "tag"),
    ("rows: " + "9" * 5000, 1, "5000 digits"),
    ("rows: 1e999", 1, "beyond every number"),
    ("rows: " + "[" * 300 + "]" * 300, 1, "levels of brackets"),
    ("{a: " * 300, 1, "more than 20 levels"),
    ('name: "\\ud800"', 1, "half a character"),
    ("rows: 3\ntech:\n  corner: typ\n  corner: max", 4, "'corner' appears twice"),
    ("rows: 3\n---\nrows: 4", 2, "second document"),
    ("%TAG ! tag:x,2000:\n---\nrows: 3", 1, "directive"),
    ("? [a, b]\n: 3", 1, "a key is a word"),
    ("rows: 3\n\tcols: 4", 2, r"cannot start any token, column 1 \(a tab: indent"),
    ("rows: 3\ncols: 4: 5", 2, r"not allowed here, column 8 \(a second colon"),
    ("rows: @3", 1, r"column 7 \(quote a text"),
    ("rows: 3\ncols", 2, r"column 5 \(a line without `key: value`\)"),
    ("tech:\n  corner: min\n bad: 3", 3, r"column 2 \(keys of one section begin in one column"),
    ("rows: [3", 1, r"column 9 \(a bracket that is not closed"),
    ("rows: 3\u2028cols: 4", 1, "YAML 1.1"),
    ("rows: 'open", 1, r"end of stream, column 12 \(a quote that is not closed"),
]


@pytest.mark.parametrize(("text", "line", "words"), BAD, ids=[words for *_, words in BAD])
def test_what_no_parameter_needs_is_refused_with_its_line(tmp_path, text, line, words):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=words) as error:
        read_yaml(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert len(str(error.value)) < len(str(path)) + 200
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"rows: 3\nname: \xff\xfe", ConfigError, "line 2: not a text file in UTF-8"),
        ("rows: 3".encode("utf-16"), ConfigError, "UTF-8"),
        (b"rows: 3\nname: \0", ConfigError, "line 2: .*zero byte"),
        (b"#" * (MAX_YAML + 1), ConfigError, "has 1.000001 MB, more than the 1 MB that"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path, data, error, words):
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    with pytest.raises(error, match=words):
        read_yaml(path)


def test_a_mark_at_the_start_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfrows: 3\r\ncols: 4\r\n")
    found = read_yaml(path)
    assert found.values == {"rows": 3, "cols": 4}
    assert dict(found.lines) == {"rows": 1, "cols": 2}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(PLAIN)
def test_json_comes_back_from_both_readers(value):
    text = json.dumps(value)
    assert parse_json(text) == value
    assert parse_yaml(text).values == value  # YAML 1.2 holds JSON


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-[]{},&*!|>%#'\"\n \t0.e~?\\\x85\u2029", max_size=60))
def test_noise_is_read_or_refused_in_one_short_line(text):
    said = ""
    try:
        parse_yaml(text)
    except ConfigError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 300


@pytest.mark.parametrize(
    "text",
    ["{", "[1, NaN]", "[Infinity]", "[1e999]", '{"a": 1, "a": 2}', "[" * 100_000,
     "[" + "9" * 5000 + "]", "[1] [2]", "", "\0"],
)  # fmt: skip
def test_json_that_is_none_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(FileError, match=r"a\.json") as error:
        read_json(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < len(str(path)) + 200


def test_a_file_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json_text({"value": 1}))
    assert read_json(path) == {"schema": SCHEMA, "value": 1, "versions": versions()}
    path.write_text(json_text({"versions": {"python": "3.0"}}))
    assert read_json(path)["versions"] == {"python": "3.0"}, "written again, made by another"
    path.write_text(json_text({"value": 1}))
    for schema in (SCHEMA + 1, "2", 1.5, None):
        path.write_text(json.dumps({"schema": schema, "value": 1}))
        with pytest.raises(FileError, match="a later one"):
            read_json(path)
    path.write_text('{"value": 1}')  # of a version without
    assert read_json(path) == {"value": 1}
    with pytest.raises(ValueError, match="JSON"):
        json_text({"value": float("nan")})
