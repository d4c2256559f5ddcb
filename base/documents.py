"""YAML and JSON that people and programs hand us: read strictly, refused in one line.

YAML is read as the core schema of YAML 1.2: 017 is 17, `yes`, `on` and dates are texts. PyYAML
only parses (it knows the schema of YAML 1.1 alone); we make the values from its events, which
carry line numbers, need no recursion and never build what an alias multiplies. So there are no
anchors, no tags, no key twice, and no number that Python would take minutes to read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError, FileError, shortened
from .inputs import NoTextError, TooLargeError, read_text
from .versions import versions

#: bytes of a YAML file; one with a thousand waivers has a sixth of that
MAX_YAML = 1_000_000
#: bytes of a JSON file of ours; nets.json of the largest network has a tenth of that
MAX_JSON = 500_000_000
#: sections inside sections
MAX_DEPTH = 20
#: characters of a number
_MAX_DIGITS = 100

#: version of the JSON files that we write: raised when a reader must know of a change
SCHEMA = 1

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_BASES = {"0o": 8, "0x": 16}
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"), None)
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
#: start of what the parser says -> the same for people who write `key: value` only
_PLAIN = (
    ("mapping values are not", "a second colon, or keys of one section not in one column, or a "
     "line above without `key: value`; quote a text that holds a colon"),
    ("found character '\\t'", "a tab: indent and separate with spaces"),
    ("found character", "quote a text that begins so"),
    ("expected alphabetic or numeric", "quote a text that begins with * or &"),
    ("could not find expected ':'", "a line without `key: value`"),
    ("expected ',' or", "a bracket that is not closed"),
    ("found unexpected end of stream", "a quote that is not closed"),
    ("expected <block end>", "keys of one section begin in one column"),
    ("expected '<document start>'", "keys of one section begin in one column"),
    ("found unknown escape", "write a text with backslashes in single quotes"),
)  # fmt: skip
#: breaks of a line for YAML 1.1, and so for its parser, but not for YAML 1.2
_ALIEN_BREAKS = re.compile("[\x85\u2028\u2029]")


@dataclass(frozen=True)
class Document:
    """What a YAML file says.

    Attributes:
        values: the value of the whole file; None if it is empty.
        lines: dotted key -> line, as ``tech.corner`` or ``waivers[2].rule``.
    """

    values: Any
    lines: Mapping[str, int]


def read_yaml(path: Path) -> Document:
    """Return what a YAML 1.2 file says.

    Raises:
        FileError: if it is no file that can be read.
        ConfigError: if it is too large, no text, no YAML, or YAML that a file of parameters has
            no use for; the message names file and line.
    """
    try:
        return parse_yaml(read_text(path, MAX_YAML))
    except (NoTextError, TooLargeError) as error:
        # somebody wrote or named it, as with any other wrong word in it
        raise ConfigError(str(error)) from None
    except ConfigError as error:
        raise ConfigError(f"{path}, {error}") from None


def parse_yaml(text: str) -> Document:
    """Return what a text in YAML 1.2 says.

    Raises:
        ConfigError: if it is not YAML; the message begins with the line.
    """
    import yaml

    if (alien := _ALIEN_BREAKS.search(text)) is not None:
        at = text.count("\n", 0, alien.start()) + 1
        raise ConfigError(f"line {at}: a line break that only YAML 1.1 knows")
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            reader.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else "not text"
        column = f", column {mark.column + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        plain = next((f" ({words})" for start, words in _PLAIN if problem.startswith(start)), "")
        raise ConfigError(f"{where}: {problem}{column}{plain}") from None
    return Document(reader.whole, reader.lines)


class _Reader:
    """Makes values from events, one at a time."""

    def __init__(self) -> None:
        self.whole: Any = None
        self.lines: dict[str, int] = {}
        self._open: list[tuple[Any, str]] = []  # containers and their dotted names
        self._keys: list[str | None] = []  # the key whose value comes next, of each
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take the next event of the parser."""
        import yaml

        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise ConfigError(f"line {line}: a second document (---); one is read")
            if event.tags or (event.version and event.version[0] != 1):
                raise ConfigError(f"line {line}: a directive (%) that is not read")
        elif isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"line {line}: an alias (*{str(event.anchor)[:20]}) is not allowed")
        elif isinstance(event, yaml.NodeEvent):
            self._refuse(event, line)
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event, line)
            elif len(self._open) >= MAX_DEPTH:
                raise ConfigError(f"line {line}: more than {MAX_DEPTH} levels of brackets")
            else:
                self._enter({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
            self._keys.pop()

    def _refuse(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise ConfigError(f"line {line}: an anchor (&{event.anchor[:20]}) is not allowed")
        if event.tag is not None:
            raise ConfigError(f"line {line}: a tag ({event.tag[:20]}) is not allowed")

    def _scalar(self, event: Any, line: int) -> None:
        plain, text = event.implicit[0], _joined(event.value, line)
        if self._open and isinstance(self._open[-1][0], dict) and self._keys[-1] is None:
            self._key(text, line)
            return
        self._place(_plain(text, self._name(), line) if plain else text, line)

    def _key(self, text: str, line: int) -> None:
        """Keys are texts: `1` and `"1"` are one key, and none can be called null."""
        values, name = self._open[-1]
        if text in values:
            raise ConfigError(f"line {line}: {shortened(text)} appears twice")
        self._keys[-1] = text
        self.lines[f"{name}.{text}" if name else text] = line

    def _enter(self, container: Any, line: int) -> None:
        if self._open and isinstance(self._open[-1][0], dict) and self._keys[-1] is None:
            raise ConfigError(f"line {line}: a key is a word, not a list or section")
        name = self._name()
        self._place(container, line)
        self._open.append((container, name))
        self._keys.append(None)

    def _name(self) -> str:
        """Return the dotted name of the value that comes next."""
        if not self._open:
            return ""
        container, name = self._open[-1]
        if isinstance(container, list):
            return f"{name}[{len(container)}]"
        return f"{name}.{self._keys[-1]}" if name else str(self._keys[-1])

    def _place(self, value: Any, line: int) -> None:
        if not self._open:
            self.whole = value
            return
        container = self._open[-1][0]
        self.lines.setdefault(self._name(), line)
        if isinstance(container, list):
            container.append(value)
        else:
            container[self._keys[-1]] = value
            self._keys[-1] = None


def _joined(text: str, line: int) -> str:
    """Join characters written as two halves, as JSON does; a half alone is no text."""
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ConfigError(f"line {line}: half a character (\\ud800 to \\udfff)") from None


def _plain(text: str, name: str, line: int) -> Any:
    """Return the value of a word without quotes, by the core schema."""
    if text in _WORDS:
        return _WORDS[text]
    whole = _INT.fullmatch(text) is not None
    if not whole and _FLOAT.fullmatch(text) is None:
        return text
    if len(text) > _MAX_DIGITS:
        raise ConfigError(
            f"line {line}: {name} = {shortened(text)} is a number of {len(text)} digits, "
            f"allowed: {_MAX_DIGITS}"
        )
    if whole:
        return int(text, _BASES.get(text[:2], 10))
    value = float(text.replace(".inf", "inf").replace(".nan", "nan")
                  if text.strip("+-").lower() in (".inf", ".nan") else text)  # fmt: skip
    if math.isinf(value) and "inf" not in text.lower():
        raise ConfigError(f"line {line}: {name} = {shortened(text)} is beyond every number")
    return value


def plain_value(text: str) -> Any:
    """Return the value of one word, as in YAML.

    Raises:
        ConfigError: if it is anything but one value, or a number that is not decimal.
    """
    if _INT.fullmatch(text.strip()) and text.strip()[:2] in _BASES:
        raise ConfigError(f"{shortened(text)} is not a number in decimal digits")
    value = parse_yaml(text).values
    if isinstance(value, dict | list):
        raise ConfigError(f"{shortened(text)} is not one value")
    return value


def json_text(value: Mapping[str, Any], indent: int = 2) -> str:
    """Return the text of a JSON file of ours: with its schema and versions, without NaN.

    Raises:
        ValueError: for a number that JSON has no word for.
    """
    # what was made by another version, and is only written again, keeps saying so
    whole = {"schema": SCHEMA, **value, "versions": value.get("versions") or versions()}
    return json.dumps(whole, indent=indent, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """Return the value in a JSON file.

    Raises:
        FileError: if it cannot be read or is not JSON, names a key twice, holds NaN or infinity,
            or brackets in brackets without end; or if a later version of us wrote it.
    """
    text = read_text(path, MAX_JSON)
    try:
        value = parse_json(text)
    except json.JSONDecodeError as error:
        raise FileError(f"{path} is not a JSON file: line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        reason = "brackets in brackets" if isinstance(error, RecursionError) else error
        raise FileError(f"{path} is not a JSON file of ours: {reason}") from None
    schema = value.get("schema", SCHEMA) if isinstance(value, dict) else SCHEMA
    if not isinstance(schema, int) or schema > SCHEMA:
        raise FileError(
            f"{path} has schema {shortened(str(schema))}, this version of crossstack reads up to "
            f"{SCHEMA}: written by a later one?"
        )
    return value


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: if it is not JSON in the strict sense of its standard.
    """
    return json.loads(
        text,
        object_pairs_hook=_once,
        parse_constant=_no_constant,
        parse_float=_finite,
        parse_int=_whole,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"{shortened(twice)} appears twice")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    value = float(text) if len(text) <= _MAX_DIGITS else math.inf
    if math.isinf(value):
        raise ValueError(f"{shortened(text)} is beyond every number")
    return value


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"{shortened(text)} is a number of {len(text)} digits")
    return int(text)
