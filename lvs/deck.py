"""Files of a netlist to logical lines: comments, continuations, `.include` and `.lib`.

The rules are those of ngspice. What ngspice would drop with a warning, or understand in another
way than its writer, is refused with file and line.
"""

from __future__ import annotations

import codecs
import filecmp
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..base import FileError, regular_file

#: Limits: bytes of one file and of all that are included, files in files.
MOST_BYTES = 100_000_000
MOST_DEPTH = 20
#: Longest piece of a line that a message repeats.
_QUOTED = 60

_INCLUDE = (".include", ".inc")
#: Statements that count for nothing in line 1, which is the title to a simulator.
_NOT_FIRST = (".param", ".option", ".options", ".global", ".model", ".if", ".control")
#: Comment at the end of a line: `;`, `//`, or `$` after a blank or a comma.
_TAIL = re.compile(r";|//|(?<=[ \t,])\$")
#: What only a netlist has: a statement, a transistor, or the call of a subcircuit.
_SPICE = re.compile(
    r"^[ \t]*(\.(subckt|inc|lib|end|param|model|global|option)"
    r"|m[^\s(),;=]*([ \t]+[^\s(),;=]+){5}|x[^\s(),;=]*([ \t]+[^\s(),;=]+){2})",
    re.MULTILINE | re.IGNORECASE,
)
_FILE = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(\S+))\s*(\S*)\s*(.*)""")


class Line(NamedTuple):
    """One logical line of a netlist, without comments, and where it starts."""

    text: str
    path: Path
    number: int

    def error(self, what: str) -> FileError:
        """Return an error that names file and line."""
        return FileError(f"{self.path}, line {self.number}: {what}")

    def unknown(self) -> FileError:
        """Return the error for a line that is not understood."""
        return self.error(f"not understood: {shortened(self.text)}")

    @property
    def card(self) -> str:
        """The first word in lower case."""
        return self.text.split(None, 1)[0].lower()

    @property
    def rest(self) -> str:
        """What follows the first word."""
        return [*self.text.split(None, 1), ""][1]


def shortened(text: str) -> str:
    """Return the start of a text, so that a message stays one short line."""
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}...")


def refuse_other(path: Path) -> None:
    """Say of a file that could not be read as a netlist if it is one of another kind altogether.

    Raises:
        FileError: for a text without any line that only a netlist has.
    """
    try:
        text = _text(regular_file(path, MOST_BYTES).read_bytes(), path)
    except OSError:  # what was said of it stands
        return
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line[0] != "*"), "")
    if first and _SPICE.search(text) is None:
        raise FileError(
            f"{path} is no SPICE netlist: no line of it begins with .SUBCKT, and none is a "
            f"transistor or a call; it begins with {shortened(first)}"
        )


def read_deck(path: Path) -> list[Line]:
    """Return the logical lines of a netlist, those of included files in their place.

    Raises:
        FileError: for a file that is missing, a pipe or device, too large or not text, and for a
            line that has no right place.
    """
    return list(_Deck().lines(Path(path)))


@dataclass
class _Deck:
    """State of one reading.

    Attributes:
        size: bytes read so far.
        open: files being read, outermost first, with the section where one was asked for.
    """

    size: int = 0
    open: list[tuple[Path, str]] = field(default_factory=list)

    def lines(self, path: Path, section: str = "", call: Line | None = None) -> Iterator[Line]:
        """Yield the lines of a file, or of one section of a library.

        Args:
            path: the file.
            section: name of the section in lower case; "" for the whole file.
            call: the line that includes the file, None for the netlist itself.
        """
        key = (path.resolve(), section)
        if call is not None and key in self.open:
            raise call.error(f"{path.name} includes itself")
        if call is not None and len(self.open) > MOST_DEPTH:
            raise call.error(f"files include each other more than {MOST_DEPTH} deep")
        self.open.append(key)
        lines = self._file(path, call)
        chosen = _section(lines, section, call) if section and call else lines
        branches, ended = 0, False
        for line in chosen:
            card = line.card
            branches += {".if": 1, ".endif": -1}.get(card, 0)
            if ended:
                raise line.error(f"stands after .end: {shortened(line.text)}")
            if card in _INCLUDE or card == ".lib":
                if branches > 0:
                    raise line.error(f"{card} between .if and .endif is not supported")
                yield from self._included(line)
            elif card == ".end":
                ended = True
            else:
                yield line
        self.open.pop()

    def _included(self, line: Line) -> Iterator[Line]:
        """Yield the lines of the file that `.include` or `.lib` names, relative to its own file."""
        found = _FILE.fullmatch(line.rest)
        if found is None:
            raise line.error(f"{line.card} names no file")
        double, single, bare, section, more = found.groups()
        name = double or single or bare or ""
        library = line.card == ".lib"
        if more or not name or bool(section) != library:
            wanted = "file and section" if library else "one file"
            raise line.error(f"{line.card} takes {wanted}: {shortened(line.text)}")
        try:
            path = line.path.parent / name
            _check_place(path, Path(name), line)
            yield from self.lines(path, section.strip("'\"").lower(), line)
        except ValueError:
            raise line.unknown() from None

    def _file(self, path: Path, call: Line | None) -> list[Line]:
        try:
            regular_file(path, MOST_BYTES)
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        except FileError as error:
            raise FileError(str(error)) if call is None else call.error(str(error)) from None
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None
        self.size += len(data)
        if self.size > MOST_BYTES:
            raise FileError(f"{path}: with what it includes more than {MOST_BYTES / 1e6:g} MB")
        return _logical(_text(data, path), path, title=call is None)


def _text(data: bytes, path: Path) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, or Latin-1."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if not marked and any(data[k::2].count(0) > 0.45 * len(data) for k in (0, 1)):
        raise FileError(f"{path}: UTF-16 without its mark (FF FE or FE FF); save it as UTF-8")
    if "\0" in text:
        raise FileError(f"{path}: not a readable netlist (a binary file)")
    return text


def _logical(text: str, path: Path, title: bool) -> list[Line]:
    """Return logical lines: without comments, continuations joined."""
    found: list[tuple[list[str], int]] = []
    open_line, control, asked = False, 0, False
    # a lone CR ends a line only where nothing else does: elsewhere ngspice takes it for a blank
    for number, raw in enumerate(re.split(r"\r?\n" if "\n" in text else "\r", text), 1):
        if asked and not raw.strip(" \t\f"):
            continue
        # ngspice puts the + there while it still has the comments: `$ note \\\\` continues, too
        raw = f"+{raw}" if asked else raw
        raw, asked = _without_asking(raw)
        line = _stripped(raw)
        first = line[:1]
        if control:
            control = 0 if line.lower().split()[:1] == [".endc"] else control
        elif title and number == 1 and line and _is_title(Line(line, path, 1)):
            continue
        elif not line:
            # ngspice joins over blank and comment lines, but not over one that starts with `;`
            open_line = open_line and not raw.lstrip().startswith(";")
        elif first == "+":
            if not open_line:
                raise Line(line, path, number).error("a line starting with + continues nothing")
            found[-1][0].append(line[1:])
        elif line.lower().split()[:1] == [".control"]:
            control, open_line = number, False
        else:
            found.append(([line], number))
            open_line = True
    if control:
        raise Line("", path, control).error(".control without .endc")
    if asked:
        raise Line("", path, number).error("the last line asks for another one (\\\\)")
    return [_checked(Line(" ".join(parts), path, number)) for parts, number in found]


def _without_asking(raw: str) -> tuple[str, bool]:
    r"""Return a physical line without `\\` at its end, and whether it was there."""
    bare = raw.rstrip(" \t\f")
    if bare.lstrip(" \t\f")[:1] in ("*", "$") or not bare.endswith("\\\\"):
        return raw, False
    return f"{bare[:-2]}  ", True


def _stripped(raw: str) -> str:
    """Return a physical line without comment and outer blanks; "" for a comment line."""
    line = raw.strip(" \t\f")
    if line[:1] in ("", "*", "#", "$"):
        return ""
    if (found := _TAIL.search(line)) is not None:
        line = line[: found.start()].rstrip(" \t\f")
    return line


def _is_title(line: Line) -> bool:
    """True if the first line is to be passed over; refuses one with a meaning.

    SPICE takes any first line for the title; `.include` and `.lib` count there, and `.subckt`
    cannot be lost unnoticed.
    """
    words = line.text.split()
    device = "=" in line.text and len(words) > 2 and line.text[0].lower() in "mx"
    if device or line.card in _NOT_FIRST:
        raise line.error("the first line of a netlist is its title: put a line '* title' before it")
    return line.text[0] != "."


def _check_place(path: Path, name: Path, line: Line) -> None:
    """Refuse a file's name that means another file where the program runs: ngspice takes that.

    Args:
        path: the file, from the folder of the file that names it.
        name: the same as it is written, from the working folder.
        line: the line that names it.
    """
    try:
        both = path.is_file() and name.is_file() and not path.samefile(name)
        differ = both and not filecmp.cmp(path, name, shallow=False)
    except OSError as error:
        raise line.error(f"{shortened(str(name))}: {error.strerror}") from None
    if differ:
        what = f"{path.resolve()} or {name.resolve()}, which differ"
        raise line.error(f"{line.card}: {shortened(str(name))} is {what}")


def _checked(line: Line) -> Line:
    """Return a line that holds nothing but printable characters."""
    if not line.text.isascii() or not line.text.isprintable():
        for character in line.text:
            if character not in "\t\f" and not character.isprintable():
                raise line.error(f"holds the character {ord(character):#04x}, which is no text")
    return line


def _section(lines: list[Line], section: str, call: Line) -> Iterator[Line]:
    """Yield what stands between `.lib SECTION` and `.endl` of a library.

    Raises:
        FileError: if the section is missing, not ended, or there twice.
    """
    inside, seen, start = "", 0, call
    for line in lines:
        words = [word.strip("'\"").lower() for word in line.text.split()]
        if words[0] == ".lib" and len(words) == 2:
            if inside:
                raise line.error(f"section {words[1]} starts inside section {inside}")
            inside, start = words[1], line
            seen += inside == section
            if inside == section and seen > 1:
                raise line.error(f"section {section} is there twice")
        elif words[0] == ".endl":
            if not inside or (len(words) > 1 and words[1] != inside):
                raise line.error(f"ends no section: {shortened(line.text)}")
            inside = ""
        elif inside == section:
            yield line
    if inside:
        raise start.error(f"section {inside} is not ended by .endl")
    if not seen:
        raise call.error(f"the library has no section {section}")
