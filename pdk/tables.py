"""Reading the tables of a process folder strictly: what is odd is refused by file and line."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

from ..base.errors import TechError
from ..base.inputs import TooLargeError, regular_file
from ..base.spans import LAYER, Span
from ..base.sums import sum_of
from .arithmetic import evaluate
from .home import HEAD, HOME, MODULE_HEAD

T = TypeVar("T")
#: largest table that is read; the largest of ours has 40 kB
_MAX_BYTES = 4_000_000


class ProcessError(TechError):
    """A process that is incomplete or contradicts itself.

    Attributes:
        problems: one line each.
    """

    def __init__(self, where: str, problems: tuple[str, ...]) -> None:
        self.where, self.problems = where, problems
        super().__init__(f"{where}: {'; '.join(problems)}")


@dataclass(frozen=True)
class Row:
    """One row of a table, whose cells are asked for by column.

    Attributes:
        where: file and line, for messages.
        cells: column -> text, stripped.
    """

    where: str
    cells: Mapping[str, str]

    def text(self, column: str, default: str | None = None) -> str:
        """Return a cell; `default` where it is empty, an error if there is no default."""
        value = self.cells[column]
        if value or default is not None:
            return value or (default or "")
        raise self.wrong(f"{column} is empty")

    def number(
        self,
        column: str,
        span: Span,
        default: float | None = None,
        names: Mapping[str, float] | None = None,
    ) -> float:
        """Return a number of a range, or the value of an expression of `names`."""
        value = self.cells[column]
        if not value and default is not None:
            return default
        try:
            found = evaluate(self.text(column), names or {})
        except ProcessError:
            raise
        except TechError as error:
            raise self.wrong(f"{column}: {error}") from None
        if found not in span:
            shown = value[:40] if _is_number(value) else f"{value[:40]} = {found:g}"
            raise self.wrong(f"{column} = {shown}, allowed: {span}")
        return found

    def whole(self, column: str, default: int | None = None) -> int:
        """Return an integer, from 0 to the largest number of a layer."""
        value = self.cells[column]
        if not value and default is not None:
            return default
        digits = value.isascii() and value.isdecimal() and len(value) < 9
        if not digits or int(value) not in LAYER:
            raise self.wrong(f"{column} = {value[:40]!r}, allowed: {LAYER}")
        return int(value)

    def optional(self, column: str, span: Span) -> float | None:
        """Return a number of a range, None where the cell is empty."""
        return self.number(column, span) if self.cells[column] else None

    def flag(self, column: str) -> bool:
        """Return True for ``yes``, False for an empty cell or ``no``."""
        value = self.cells[column]
        if value not in {"", "yes", "no"}:
            raise self.wrong(f"{column} = {value!r} is neither 'yes' nor 'no'")
        return value == "yes"

    def wrong(self, what: str) -> ProcessError:
        """Return the error for this row."""
        return ProcessError(self.where, (what,))


_LIKE, _MODULE = "like", "module"
#: most processes that may stand on each other
_MOST_LIKE = 4


def folders(folder: Path) -> tuple[Path, ...]:
    """Return the folder of a process and those of the processes that it is like, nearest first.

    ``like`` in its head names another process: one of ours, or a folder beside it. A table that a
    process does not have is that process's; of a .toml, each key that it does not have.

    Raises:
        ProcessError: for a process that is like none there is, or like itself.
    """
    found = [folder]
    while True:
        head = found[-1] / HEAD
        like = _values(head).get(_LIKE, "") if head.is_file() else ""
        if not like:
            return tuple(found)
        near = (HOME / like, found[-1] / like) if isinstance(like, str) else ()
        known = [place for place in near if is_file(place / HEAD)]
        if not known:
            raise ProcessError(str(head), (f"{_LIKE} = {str(like)[:40]!r} is no process",))
        found.append(known[0])
        if len(found) > _MOST_LIKE or known[0].resolve() == found[0].resolve():
            what = f"{_LIKE} = {like[:40]!r} leads in a circle, or too far"
            raise ProcessError(str(head), (what,))


def sources(folder: Path) -> tuple[Path, ...]:
    """Return the folders whose files say what a process is: `folders`, and that of its module.

    The module's is among them where it lies elsewhere, or behind a link; CrossStack's own modules
    are part of the program.

    Raises:
        ProcessError: as `folders`.
    """
    found = folders(folder)
    heads = (_values(place / HEAD) for place in found if is_file(place / HEAD))
    name = next((head[_MODULE] for head in heads if _MODULE in head), "")
    for place in found if isinstance(name, str) and name else ():
        if is_file(place / name / MODULE_HEAD):
            real = (place / name).resolve()
            inside = any(real.is_relative_to(other.resolve()) for other in found)
            return found if inside else (*found, real)
    return found


def table_sum(folder: Path) -> str:
    """Return a sum over all files of a process, by which a copy of its folder is the same one.

    Raises:
        ProcessError: as `folders`.
    """
    return sum_of({f"process{k or ''}": place for k, place in enumerate(sources(folder))})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


Stamp = tuple[tuple[str, int, int], ...]


def stamp(folder: Path, pattern: str = "*") -> Stamp:
    """Return what changes when a file of a process does; files of CrossStack's own do not."""
    if folder.is_relative_to(HOME):
        return ()
    files = (path for place in sources(folder) for path in sorted(place.rglob(pattern)))
    found = ((path, path.stat()) for path in files if path.is_file())
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)


def of_folder(file: str) -> Callable[[Callable[[Path], T]], Callable[[Path], T]]:
    """Return a decorator that keeps what was read of a folder's file until the file changes."""

    def kept(read: Callable[[Path], T]) -> Callable[[Path], T]:
        @lru_cache(maxsize=16)
        def known(folder: Path, _: Stamp) -> T:
            return read(folder)

        @wraps(read)
        def found(folder: Path) -> T:
            return known(folder, stamp(folder, file))

        return found

    return kept


def is_file(path: Path) -> bool:
    """Return whether a file is there; a path that nothing can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, NUL
        return False


def table_of(path: Path) -> Path:
    """Return the file that stands for one of a process: its own, or that of what it is like."""
    if path.exists():
        return path
    others = (place / path.name for place in folders(path.parent)[1:])
    return next((other for other in others if other.exists()), path)


def _content(path: Path) -> str:
    try:
        return regular_file(path, _MAX_BYTES).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProcessError(str(path), ("not a text file in UTF-8",)) from None
    except TooLargeError as error:
        raise ProcessError(str(path), (str(error).removeprefix(f"{path} "),)) from None


def read_csv(path: Path, columns: tuple[str, ...], more: str = "") -> Iterator[Row]:
    """Yield the rows of a table; lines that start with ``#`` are comments.

    Args:
        path: the file.
        columns: those that it must have, in any order.
        more: name for further columns that it may have (`read_csv` hands them out unread);
            empty if there may be none.

    Raises:
        ProcessError: for a missing, unknown or repeated column, or a row of another length.
        FileError: if the file cannot be read.
    """
    path = table_of(path)
    lines = (line.strip() for line in _content(path).splitlines())
    numbered = [(k, x) for k, x in enumerate(lines, 1) if x and not x.startswith("#")]
    reader = csv.reader((x for _, x in numbered), skipinitialspace=True, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        number = numbered[reader.line_num - 1][0]
        raise ProcessError(f"{path} line {number}", (f"no table: {error}",)) from None
    if not rows:
        raise ProcessError(str(path), (f"no columns ({', '.join(columns)})",))
    head = [name.strip() for name in rows[0]]
    missing = [name for name in columns if name not in head]
    unknown = [name for name in head if name not in columns]
    twice = [name for name in dict.fromkeys(head) if head.count(name) > 1]
    if missing or twice or (unknown and not more):
        what = [f"column {name!r} is missing" for name in missing]
        what += [f"column {name!r} appears twice" for name in twice]
        what += [f"column {name!r} is unknown" for name in unknown if not more]
        raise ProcessError(str(path), tuple(what))
    for (number, _), cells in zip(numbered[1:], rows[1:], strict=False):
        where = f"{path} line {number}"
        if len(cells) != len(head):
            raise ProcessError(where, (f"{len(cells)} cells where {len(head)} are asked for",))
        yield Row(where, dict(zip(head, (cell.strip() for cell in cells), strict=True)))


@lru_cache(maxsize=64)
def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values of a TOML file; readers leave them as they are.

    Raises:
        ProcessError: if it is not TOML (a key that appears twice included).
        FileError: if the file cannot be read.
    """
    found: dict[str, Any] = {}
    for place in reversed(folders(path.parent)):
        if (place / path.name).exists():
            found |= _values(place / path.name)
    found.pop(_LIKE, None)
    return found or _values(path)


def _values(path: Path) -> dict[str, Any]:
    text = _content(path)
    try:
        return _parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise ProcessError(str(path), (str(error),)) from None
    except (RecursionError, ValueError):
        raise ProcessError(
            str(path), ("nested too deeply, or a number of too many digits",)
        ) from None


@dataclass(frozen=True)
class Section:
    """Values of a TOML table, asked for by key and type; what is left over is refused.

    Attributes:
        where: file and table, for messages.
        values: the values.
    """

    where: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> Section:
        """Return the top of a file after checking its keys."""
        return cls(str(path), read_toml(path)).checked(keys, optional)

    def checked(self, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> Section:
        """Return this section after checking that it has `keys` and none but `optional` beside."""
        what = [f"key {key!r} is missing" for key in keys if key not in self.values]
        known = (*keys, *optional)
        what += [f"key {key!r} is unknown" for key in self.values if key not in known]
        if what:
            raise ProcessError(self.where, tuple(what))
        return self

    def _typed(self, key: str, kinds: tuple[type, ...], word: str) -> Any:
        value = self.values.get(key)
        if not isinstance(value, kinds) or isinstance(value, bool):
            shown = str(value)[:40]
            raise ProcessError(self.where, (f"{key} = {shown!r} is not {word}",))
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; one without a default is not empty."""
        if key not in self.values and default is not None:
            return default
        value: str = self._typed(key, (str,), "a text")
        if default is None and not value.strip():
            raise ProcessError(self.where, (f"{key} is empty, allowed: a text",))
        return value

    def number(self, key: str, span: Span, default: float | None = None) -> float:
        """Return a number of a range."""
        if key not in self.values and default is not None:
            return default
        given = self._typed(key, (int, float), "a number")
        if given not in span:
            raise ProcessError(self.where, (f"{key} = {str(given)[:40]}, allowed: {span}",))
        return float(given)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self._typed(key, (list,), "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise ProcessError(self.where, (f"{key} is not a list of texts",))
        return tuple(values)

    def whole(self, key: str, span: Span) -> int:
        """Return a whole number of a range."""
        return int(self.number(key, replace(span, whole=True)))

    def numbers(self, key: str, span: Span) -> tuple[float, ...]:
        """Return a list of numbers of a range."""
        values = self._typed(key, (list,), "a list of numbers")
        return tuple(Section(self.where, {key: value}).number(key, span) for value in values)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return a table of texts."""
        table = self._typed(key, (dict,), "a table of texts")
        if not all(isinstance(value, str) for value in table.values()):
            raise ProcessError(self.where, (f"{key} is not a table of texts",))
        return tuple(table.items())

    def section(self, key: str) -> Section:
        """Return a table within this one."""
        return Section(f"{self.where} [{key}]", self._typed(key, (dict,), "a table"))

    def sections(self, key: str, *, optional: bool = False) -> tuple[Section, ...]:
        """Return a list of tables within this one; none, where they may be left out."""
        if optional and key not in self.values:
            return ()
        values = self._typed(key, (list,), "a list of tables")
        if not all(isinstance(value, dict) for value in values):
            raise ProcessError(self.where, (f"{key} is not a list of tables",))
        return tuple(Section(f"{self.where} [[{key}]] {k}", v) for k, v in enumerate(values, 1))
