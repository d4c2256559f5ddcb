"""`ArraySpec`: what a user asks for, checked once, here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from ..base.errors import nearest
from ..cells.limits import one_of, switch
from ..cells.parameters import (
    CUTS,
    FINGERS,
    PERIPHERIES,
    READ_SWITCHES,
    ROW_ENDS,
    TOPS,
    default,
)
from ..cells.registry import ARRAY_CELLS, array_cell, array_cells_on, parameters_of
from ..pdk import DEFAULT, Module, ParameterError, Tech, get_tech, process_key, profile_names
from ..pdk.ranges import MAX_LINES

#: what the unit cell is drawn with, if it takes it
CELL_VALUES = ("device_um", "me_width_um", "select_w_um", "pitch_x_um", "pitch_y_um")


def top_fits(top: str, module: Module) -> bool:
    """Tell whether a kind of top cell can be made with a module: chips monitor its own masks."""
    return top != "testchip" or not module.stands_within


def array_defaults(tech: Tech) -> dict[str, Any]:
    """Return the defaults of an array's parameters, with a cell that the module has."""
    found = {f.name: f.default for f in fields(ArraySpec)}
    cells = array_cells_on(tech.module)
    return found if found["cell"] in cells else {**found, "cell": cells[0]}


def one_word(allowed: Sequence[str], given: str) -> str:
    """Return what a refusal says of a word: those that there are, and the nearest."""
    return f"one of {', '.join(allowed)}{nearest(given, allowed)}"


@dataclass(frozen=True)
class ArraySpec:
    """One array; every output derives from it.

    Its attributes, their defaults and ranges are those of `cells.parameters.ARRAY`, the process
    by default the usual one.

    Raises:
        ParameterError: for any value outside its range.
    """

    rows: int = default("rows")
    cols: int = default("cols")
    cell: str = default("cell")
    profile: str = default("profile")
    device_um: float | None = default("device_um")
    me_width_um: float | None = default("me_width_um")
    select_w_um: float = default("select_w_um")
    select_fingers: int = default("select_fingers")
    pitch_x_um: float | None = default("pitch_x_um")
    pitch_y_um: float | None = default("pitch_y_um")
    strap: bool = default("strap")
    cuts: int = default("cuts")
    row_ends: str = default("row_ends")
    top: str = default("top")
    switch_wn_um: float = default("switch_wn_um")
    switch_wp_um: float = default("switch_wp_um")
    read_switch: str = default("read_switch")
    kelvin: bool = default("kelvin")
    periphery: str = default("periphery")
    name: str | None = default("name")
    process: str = DEFAULT

    def __post_init__(self) -> None:
        for key in ("rows", "cols"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LINES:
                raise ParameterError(key, value, f"a whole number from 1 to {MAX_LINES}")
        for key in ("cell", "profile", "row_ends", "top", "read_switch", "periphery"):
            if not isinstance(value := getattr(self, key), str):
                raise ParameterError(key, value, "a word")
        array_cell(self.cell)
        object.__setattr__(self, "process", process_key(self.process))
        profiles = profile_names(self.process)
        if self.profile == "":
            object.__setattr__(self, "profile", profiles[0])
        if self.profile not in profiles:
            raise ParameterError("profile", self.profile, one_word(profiles, self.profile))
        if self.top not in TOPS:
            raise ParameterError("top", self.top, one_word(TOPS, self.top))
        self._check_module()
        switch("kelvin", self.kelvin)
        if self.read_switch not in READ_SWITCHES:
            raise ParameterError(
                "read_switch", self.read_switch, one_word(READ_SWITCHES, self.read_switch)
            )
        if self.periphery not in PERIPHERIES:
            raise ParameterError("periphery", self.periphery, one_word(PERIPHERIES, self.periphery))
        self._check_cell_options()
        if self.top == "array":
            # a bare array has no switches and nothing to sense behind them
            for key in ("kelvin", "switch_wn_um", "switch_wp_um", "read_switch", "periphery"):
                if (value := getattr(self, key)) != getattr(type(self), key):
                    raise ParameterError(key, value, "it needs top: macro or testchip")
        self._check_lengths()
        self._check_taken()
        if self.name is not None and not (
            isinstance(self.name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", self.name)
        ):
            raise ParameterError(
                "name", self.name, "a letter, then letters, digits or _ (32 at most)"
            )

    def _check_module(self) -> None:
        """Refuse a cell that the process's module has no tiers or no films for."""
        if self.process == DEFAULT:  # known to take every cell of ours, without reading a table
            return
        module = self.tech().module
        cells = array_cells_on(module)
        if self.cell not in cells:
            why = f"whose tier is {' and '.join(module.tiers)}"
            if set(array_cell(self.cell).tiers) <= set(module.tiers):
                why = (
                    "whose film lies between the foundry's metals: this cell is a crossing of "
                    "electrodes with masks of their own"
                )
            allowed = f"{' or '.join(cells)} on module {module.name}, {why}"
            raise ParameterError("cell", self.cell, allowed)
        if not top_fits(self.top, module):
            what = f"array or macro on module {module.name}: it has no masks of its own to monitor"
            raise ParameterError("top", self.top, what)

    def _check_lengths(self) -> None:
        """Refuse what is no length at all; the ranges are the cells' own, and known when drawn."""
        for key in (*CELL_VALUES, "switch_wn_um", "switch_wp_um"):
            value, default = getattr(self, key), getattr(type(self), key)
            if value is None and default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise ParameterError(key, value, "a finite number, in um")

    def _check_taken(self) -> None:
        """Refuse a value that the cell does not take, and that would change nothing."""
        taken = parameters_of(array_cell(self.cell).cell)
        for key in CELL_VALUES:
            if key not in taken and (value := getattr(self, key)) != getattr(type(self), key):
                cells = [n for n, c in ARRAY_CELLS.items() if key in parameters_of(c.cell)]
                raise ParameterError(
                    key, value, f"it needs another cell than {self.cell}: {' or '.join(cells)}"
                )

    def _check_cell_options(self) -> None:
        """Refuse what the cell or the top does not draw; `draw_unit` would pass over it."""
        if self.row_ends not in ROW_ENDS:
            raise ParameterError("row_ends", self.row_ends, one_word(ROW_ENDS, self.row_ends))
        if self.row_ends != "one" and self.top == "testchip":
            told = "only one on a test chip: its ring has no more pads for the rows' other ends"
            raise ParameterError("row_ends", self.row_ends, told)
        if self.row_ends != "one" and self.periphery != "none":
            told = (
                f"only one with periphery: {self.periphery}, whose lines are where a second bank "
                "of switches would be"
            )
            raise ParameterError("row_ends", self.row_ends, told)
        known = parameters_of(array_cell(self.cell).cell)
        if switch("strap", self.strap) and "strap" not in known:
            told = f"only false for cell {self.cell}, which has no strap"
            raise ParameterError("strap", self.strap, told)
        folded = one_of("select_fingers", self.select_fingers, FINGERS) != 1
        if folded and "select_fingers" not in known:
            told = f"1 for cell {self.cell}, it has no such transistors"
            raise ParameterError("select_fingers", self.select_fingers, told)
        if one_of("cuts", self.cuts, CUTS) != 1 and "cuts" not in known:
            raise ParameterError("cuts", self.cuts, f"1 for cell {self.cell}, it has no stacks")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> ArraySpec:
        """Return a spec from the keys of a configuration file.

        A cell that is not named is one that the module of the process has.

        Raises:
            ParameterError: for a key that does not exist (the nearest one is named) or a bad value.
        """
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                raise ParameterError.unknown(key, values[key], known, "key")
        process = values.get("process", DEFAULT)
        if "cell" not in values and process != DEFAULT:
            values = {**values, "cell": array_defaults(get_tech(process=process))["cell"]}
        return cls(**values)

    @property
    def tiers(self) -> tuple[str, ...]:
        """Tiers that the cell draws, bottom first."""
        return array_cell(self.cell).tiers

    @property
    def top_name(self) -> str:
        """Name of the top cell and of the output files."""
        if self.name:
            return self.name
        kind = ("" if self.top == "array" else f"_{self.top}") + (
            "" if self.cell == "hybrid" else f"_{self.cell}"
        )
        return f"crossstack{kind}_{self.rows}x{self.cols}x{len(self.tiers)}"

    def tech(self) -> Tech:
        """Return the technology of the spec's process and profile."""
        return get_tech(self.profile, self.process)

    def device_side_um(self) -> float:
        """Return the device's side in um, with the default resolved."""
        if self.device_um is not None:
            return self.device_um
        tech = self.tech()
        return tech.module.device_um or max(1.0, tech.profile.line_um)

    def cell_values(self) -> dict[str, Any]:
        """Return the parameters that the unit cell is drawn with, where it takes them."""
        values = {
            key: getattr(self, key) for key in (*CELL_VALUES, "strap", "cuts", "select_fingers")
        }
        return {**values, "device_um": self.device_side_um()}
