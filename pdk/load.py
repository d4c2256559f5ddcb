"""A folder of tables becomes a `Process`; `module` does the same for what stands on it.

What a table says is checked cell by cell here; whether the tables agree with each other is
`check`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ..base.layout import ForeignLayer
from ..base.spans import Span
from .devices import TransistorParameters
from .load_rules import read_rules
from .model import (
    Corner,
    CurrentTable,
    Cut,
    Film,
    Layer,
    Limit,
    Process,
    Purpose,
    Roles,
    Rule,
)
from .ranges import (
    ACTIVATION_EV,
    CURRENT_EXPONENT,
    CURRENT_MA,
    CUT_OHM,
    DBU_UM,
    END_F_PER_UM,
    GATE_F_PER_UM,
    GRID_UM,
    HEIGHT_UM,
    LEAKAGE_A_PER_UM,
    LENGTH_UM,
    PERMITTIVITY,
    SHEET_OHM_SQ,
    SOURCE_VOLT,
    TCR_PER_C,
    TEMPERATURE_C,
    THICKNESS_UM,
    VOLT,
)
from .ron import FILE as RON_FILE
from .tables import ProcessError, Row, Section, read_csv, table_of
from .words import Words, name_of

LAYERS = ("name", "layer", "datatype", "purpose", "label", "color", "pattern", "text")
FILMS = (
    "name", "material", "thickness_um", "shares_bottom", "bottom_um", "ohm_sq", "ohm_sq_min",
    "ohm_sq_max", "tcr_per_c", "permittivity", "source",
)  # fmt: skip
CUTS = ("name", "layer", "lower", "upper", "ohm", "ohm_min", "ohm_max", "tcr_per_c", "source")


def load_process(folder: Path) -> Process:
    """Return the process of a folder; `check.refuse_incomplete` then says whether it is one.

    Raises:
        ProcessError: for a table that cannot be understood.
        FileError: for one that is missing.
    """
    keys = ("name", "title", "grid_um", "dbu_um", "supply_v", "temperatures_c", "module", "metals")
    more = ("roles", "current_limits", "sources")
    top = Section.of(folder / "process.toml", (*keys, *more), ("below",))
    words = Words.of(top, {})
    name, grid, metals = top.text("name"), top.number("grid_um", GRID_UM), top.texts("metals")
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise ProcessError(top.where, (f"name = {name[:40]!r} is not a word",))
    if len(metals) < 2:
        raise ProcessError(top.where, ("metals: two or more are asked for",))
    layers = tuple(
        read_layer(row, words, module=False) for row in read_csv(folder / "layers.csv", LAYERS)
    )
    rules = tuple(read_rules(folder, words, layers, {"grid": grid}, {}))
    films = tuple(read_film(row, words) for row in read_csv(folder / "films.csv", FILMS))
    cuts = tuple(_cuts(folder, words, rules))
    joins = {(cut.lower, cut.upper): cut.layer for cut in cuts}
    below = top.texts("below") if "below" in top.values else ()
    vias = tuple(joins.get(pair, "") for pair in pairwise((*below, *metals)))
    return Process(
        name=name,
        title=top.text("title"),
        folder=folder,
        grid_um=grid,
        dbu_um=top.number("dbu_um", DBU_UM),
        supply_v=top.number("supply_v", VOLT),
        temperatures_c=_range(top, "temperatures_c"),
        module=top.text("module"),
        roles=Roles(
            name, metals, vias[len(below) :], top.pairs("roles"), below, vias[: len(below)]
        ),
        layers=layers,
        films=tuple(film for film in films if film.thickness_um),
        diffusions=tuple(film for film in films if not film.thickness_um),
        cuts=cuts,
        rules=rules,
        limits=_limits(folder, words, top.section("current_limits")),
        transistors=tuple(_transistors(folder, rules)),
        foreign=tuple(_foreign(folder, layers)),
    )


def _range(section: Section, key: str) -> tuple[float, float]:
    ends = section.numbers(key, TEMPERATURE_C)
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ProcessError(section.where, (f"{key} is not [lowest, highest]",))
    return ends[0], ends[1]


def _foreign(folder: Path, layers: tuple[Layer, ...]) -> Iterator[ForeignLayer]:
    known = {layer.name: layer.gds for layer in layers}
    # fill is described for the design rules; what it joins is still said here
    described = {layer.gds for layer in layers if layer.purpose is not Purpose.FILL}
    columns = ("name", "layer", "datatype", "changes", "joins", "text")
    for row in read_csv(folder / "foreign.csv", columns):
        pair, changes = (row.whole("layer"), row.whole("datatype")), row.text("changes", "").split()
        if missing := [name for name in changes if name not in known]:
            raise row.wrong(f"changes: {missing[0]!r} is no layer (layers.csv)")
        if pair not in described:  # a process that describes it needs no remark
            yield ForeignLayer(
                name_of(row),
                pair,
                row.text("text"),
                tuple(known[name] for name in changes),
                row.flag("joins"),
            )


def read_layer(row: Row, words: Words, *, module: bool) -> Layer:
    """Return the layer of a row; its purpose must be that of a base or of a module on top of it."""
    purpose, color = row.text("purpose"), row.text("color")
    if purpose not in set(Purpose):
        raise row.wrong(f"purpose = {purpose!r} is none of {', '.join(Purpose)}")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise row.wrong(f"color = {color!r} is not #rrggbb")
    made = Layer(
        name_of(row),
        (row.whole("layer"), row.whole("datatype")),
        Purpose(purpose),
        words.fill(row.text("text")),
        color,
        row.whole("pattern", 9),
        row.text("label", ""),
    )
    if made.is_module != module:
        raise row.wrong(
            f"purpose {purpose!r} does not belong to a {'module' if module else 'base'}"
        )
    return made


def _corner(row: Row, column: str, span: Span) -> Corner:
    low, high = row.optional(f"{column}_min", span), row.optional(f"{column}_max", span)
    made = Corner(row.number(column, span), low, high)
    ends = [end for end in (low, made.typ, high) if end is not None]
    if ends != sorted(ends):
        shown = " ".join(f"{end:g}" for end in ends)
        raise row.wrong(f"{column}: {shown}, allowed: {column}_min <= {column} <= {column}_max")
    return made


def read_film(row: Row, words: Words) -> Film:
    """Return the film of a row; without a thickness it is a conductor in the silicon."""
    thickness = row.number("thickness_um", THICKNESS_UM, 0.0)
    unread = () if row.cells["ohm_sq"] else ("ohm_sq_min", "ohm_sq_max", "tcr_per_c")
    for column in unread if thickness else (*unread, "shares_bottom", "bottom_um"):
        if row.cells[column]:
            without = "ohm_sq" if column in unread else "thickness_um"
            raise row.wrong(f"{column} = {row.cells[column][:40]}: allowed: empty, as {without} is")
    return Film(
        name_of(row),
        row.text("material"),
        thickness,
        words.source(row),
        _corner(row, "ohm_sq", SHEET_OHM_SQ) if row.cells["ohm_sq"] else None,
        row.number("tcr_per_c", TCR_PER_C, 0.0),
        row.optional("permittivity", PERMITTIVITY),
        row.flag("shares_bottom"),
        row.optional("bottom_um", HEIGHT_UM),
    )


def sizes_of(rules: tuple[Rule, ...]) -> dict[str, float]:
    """Return layer -> exact side of the cuts on it, um."""
    return {rule.layers[0]: rule.value for rule in rules if rule.kind == "exact_size"}


def _cuts(folder: Path, words: Words, rules: tuple[Rule, ...]) -> Iterator[Cut]:
    sizes = sizes_of(rules)
    for row in read_csv(folder / "cuts.csv", CUTS):
        layer = row.text("layer")
        if layer not in sizes:
            raise row.wrong(f"{layer} has no rule of kind exact_size (rules.csv)")
        yield Cut(
            name_of(row),
            layer,
            row.text("lower"),
            row.text("upper"),
            _corner(row, "ohm", CUT_OHM),
            sizes[layer],
            words.source(row),
            row.number("tcr_per_c", TCR_PER_C, 0.0),
        )


def _limits(folder: Path, words: Words, law: Section) -> CurrentTable:
    path, fixed = folder / "limits.csv", ("name", "per", "direction", "source")
    found: dict[str, dict[str, tuple[tuple[float, ...], bool, str]]] = {}
    temperatures: tuple[str, ...] = ()
    for row in read_csv(path, fixed, more="temperatures in C"):
        temperatures = tuple(column for column in row.cells if column not in fixed)
        per, direction = row.text("per"), row.text("direction")
        if per not in {"um", "cut"} or direction not in {"one", "both"}:
            raise row.wrong("per is 'um' or 'cut', direction 'one' or 'both'")
        values = tuple(row.number(column, CURRENT_MA) for column in temperatures)
        if list(values) != sorted(values, reverse=True):
            raise row.wrong("limits that rise with the temperature; allowed: falling ones")
        name = row.text("name")
        if direction in found.setdefault(name, {}):
            raise row.wrong(f"{name}, {direction} is there twice")
        found[name][direction] = (values, per == "cut", words.source(row))
    degrees = _degrees(path, temperatures)
    half = [name for name, rows in found.items() if set(rows) != {"one", "both"}]
    if half or len(degrees) < 2 or list(degrees) != sorted(set(degrees)):
        what = [f"{name} needs a row for one and for both" for name in half]
        raise ProcessError(
            str(path), (*what, *(() if half else ("two or more temperatures, ascending",)))
        )
    rows = tuple(
        Limit(name, both["one"][1], both["one"][0], both["both"][0], both["one"][2])
        for name, both in found.items()
    )
    law.checked(("activation_ev", "exponent"))
    return CurrentTable(
        degrees,
        rows,
        law.number("activation_ev", ACTIVATION_EV),
        law.number("exponent", CURRENT_EXPONENT),
    )


def _degrees(path: Path, columns: tuple[str, ...]) -> tuple[float, ...]:
    """Return the temperatures that columns are named by."""
    span = TEMPERATURE_C
    for column in columns:
        try:
            fine = float(column) in span
        except ValueError:
            fine = False
        if not fine:
            what = f"column {column[:20]!r}, allowed: temperatures, {span}"
            raise ProcessError(str(path), (what,))
    return tuple(map(float, columns))


def _transistors(folder: Path, rules: tuple[Rule, ...]) -> Iterator[TransistorParameters]:
    gate = [rule.value for rule in rules if rule.kind == "gate_length"]
    numbers = ("well_on_v", "ioff_a_per_um", "cg_on_f_per_um", "cg_off_f_per_um")
    keys = ("name", "body", "terminals", "supply", "models", *numbers, "v_off_v", "source")
    ends = ("end_on_f_per_um", "end_off_f_per_um")
    top = Section.of(folder / "devices.toml", ("transistor", "nets", "antenna"))
    for section in top.sections("transistor"):
        row = section.checked(keys, ("l_um", "netlist", *ends))
        if "l_um" not in row.values and len(gate) != 1:
            raise ProcessError(
                row.where, ("l_um is missing, and no rule of kind gate_length is the one",)
            )
        yield TransistorParameters(
            name=row.text("name"),
            l_um=row.number("l_um", LENGTH_UM, gate[0] if gate else None),
            well_on_v=row.number("well_on_v", SOURCE_VOLT),
            ioff_a_per_um=row.number("ioff_a_per_um", LEAKAGE_A_PER_UM),
            cg_on_f_per_um=row.number("cg_on_f_per_um", GATE_F_PER_UM),
            cg_off_f_per_um=row.number("cg_off_f_per_um", GATE_F_PER_UM),
            source=row.text("source"),
            v_off_v=row.number("v_off_v", VOLT),
            ron_table=table_of(folder / RON_FILE),
            end_on_f_per_um=row.number(ends[0], END_F_PER_UM, 0.0),
            end_off_f_per_um=row.number(ends[1], END_F_PER_UM, 0.0),
        )
