"""`sweep`: IR drop over values of parameters, each case drawn, extracted and solved in memory."""

from __future__ import annotations

import copy
import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import files
from .base.documents import plain_value
from .base.errors import ConfigError, shortened
from .base.outputs import one_step, write_text
from .base.units import setting
from .config import RunConfig, config_of, set_value
from .console import Console
from .figures import COUNTED, ERRORS, Drawn, draw, figures
from .pace import paced
from .pdk import CrossStackError, ParameterError
from .pdk.memristor import PARAMETERS, SPREAD, WORDS, WRITES
from .pool import Here, Pool

if TYPE_CHECKING:
    from .points import Points

#: cases that one sweep may have; more is a slip of the keyboard
MOST_CASES = 1000
#: cells that a process of its own pays for: they take about as long as its start
CELLS_EACH = 50
#: figures of a mode: name in the table -> (metric, what is counted)
FIGURES = ERRORS
#: what a row has of a write
WRITE = (
    "write_loss", "write_polarity", "write_loss_set", "write_loss_reset", "write_v_set",
    "write_v_reset", "write_met", "write_voltages",
)  # fmt: skip
#: what a row has of the currents: the highest load as part of its limit, and the verdict
LIMITS = ("limit_used", "limits")
#: what a row has of the whole array
WHOLE = ("area_um2", "array_um2", "settle_s", "energy_per_mac_j")


@dataclass(frozen=True)
class Case:
    """One combination of values.

    Attributes:
        values: key -> value, in the order of the command line.
        config: what it stands for.
    """

    values: Mapping[str, Any]
    config: RunConfig

    @property
    def text(self) -> str:
        """The combination for people, e.g. ``rows=4, cols=8``."""
        return ", ".join(f"{key}={setting(value)}" for key, value in self.values.items())


def parse_vary(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return key -> values of texts such as ``rows=4,8,16``.

    Raises:
        ConfigError: if a text is written otherwise, or names a key or value twice.
    """
    found: dict[str, list[Any]] = {}
    for text in texts:
        key, equals, listed = text.partition("=")
        words = [word.strip() for word in listed.split(",")]
        if not key.strip() or not equals or not all(words):
            raise ConfigError(f"--vary {text}: write it as KEY=VALUE,VALUE,... e.g. rows=4,8,16")
        try:
            values = [plain_value(word) for word in words]
        except ConfigError:
            raise ConfigError(
                f"--vary {shortened(text)[1:-1]}: a value is no word or decimal number"
            ) from None
        if key in found:
            raise ConfigError(f"--vary names {key} twice; list all its values at once")
        # 1 and 1.0 are one value, true and 1 are not
        if len({(isinstance(v, bool), v if v == v else "nan") for v in values}) < len(values):
            raise ConfigError(f"--vary {text}: a value appears twice")
        found[key] = values
    return found


def cases(base: Mapping[str, Any], vary: Mapping[str, Sequence[Any]]) -> list[Case]:
    """Return every combination of the values, checked, on top of a configuration.

    Args:
        base: values as in a configuration file.
        vary: key -> values; a dot leads into a section, as in ``tech.corner``.

    Raises:
        ConfigError: for an unknown key, or too many cases.
        ParameterError: for a value outside its range.
    """
    found = []
    for values in itertools.product(*vary.values()):
        chosen = dict(zip(vary, values, strict=True))
        nested = copy.deepcopy(dict(base))
        for key, value in chosen.items():
            set_value(nested, key, value)
        config = config_of(nested)
        if config.spec.top == "testchip":
            raise ConfigError("top = testchip: a sweep solves arrays and macros, not whole dies")
        found.append(Case(chosen, config))
        if len(found) > MOST_CASES:
            raise ConfigError(f"--vary asks for more than {MOST_CASES} cases")
    return found


def check(found: Sequence[Case]) -> None:
    """Refuse a value that no combination can be drawn with, before anything is solved.

    What only some combinations cannot have is left to them: their rows say so.

    Raises:
        ParameterError: as the cell or the conditions refuse it; and for a key of the device that
            no figure of a sweep can depend on.
    """
    _refuse_idle(found)
    refused: dict[RunConfig, CrossStackError | None] = {}
    for case in found:
        refused[case.config] = refusal(case.config)
    for key in found[0].values if found else ():
        groups: dict[str, list[Case]] = {}
        for case in found:
            groups.setdefault(str(case.values[key]), []).append(case)
        for group in groups.values():
            errors = [refused[case.config] for case in group]
            if all(errors) and (first := errors[0]) is not None:
                raise first


def _refuse_idle(found: Sequence[Case]) -> None:
    writes = any(not case.config.spec.cell.startswith("passive") for case in found)
    for key, value in found[0].values.items() if found else ():
        of = PARAMETERS[key.removeprefix("device.")].of if key.startswith("device.") else ""
        if of == WORDS:
            raise ParameterError(f"--vary {key}", value, "a key that figures depend on")
        if of == SPREAD:
            raise ParameterError(
                f"--vary {key}", value, "`solve --monte-carlo`: no case has spread"
            )
        if of == WRITES and not writes:
            allowed = "cells with select transistors: without them no write is judged"
            raise ParameterError(f"--vary {key}", value, allowed)


def without_effect(
    vary: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return the keys that no figure of any row changed with.

    Args:
        vary: key -> values.
        rows: a row per combination, as `run` returned them.
    """
    found = []
    for key in vary:
        groups: dict[str, set[str]] = {}
        for row in rows:
            others = {k: v for k, v in row["case"].items() if k != key}
            figures = {k: v for k, v in row.items() if k != "case"}
            groups.setdefault(repr(others), set()).add(repr(figures))
        if len(vary[key]) > 1 and all(len(group) == 1 for group in groups.values()):
            found.append(key)
    return found


def refusal(config: RunConfig) -> CrossStackError | None:
    """Return why a configuration cannot be drawn, as its smallest array shows; None if it can."""
    from .generators import build_top

    spec = config.spec
    try:
        config.resolved_tech()
        build_top(replace(spec, rows=min(spec.rows, 2), cols=min(spec.cols, 2)))
    except CrossStackError as error:
        return error
    return None


def run(
    found: Sequence[Case],
    console: Console,
    points: Points | None = None,
    where: Pool | None = None,
) -> list[dict[str, Any]]:
    """Draw, extract and solve every case; returns a row per case, in their order.

    A case that the rules of the process do not allow says so in its row; the others go on.

    Args:
        found: the cases.
        console: where progress goes.
        points: those of an interrupted run are taken from here, new ones are kept.
        where: the processes that work; None for this one.
    """
    rows: list[dict[str, Any]] = [{"case": dict(case.values)} for case in found]
    # what is drawn alike stands together: wires are extracted anew, the layout is not
    order = sorted(range(len(found)), key=lambda k: _first_alike(found, k))
    with paced(console, "sweep", len(found)) as pace:
        todo = []
        for k in order:
            before = None if points is None else points.find(found[k].config)
            if before is None:
                todo.append(k)
                continue
            rows[k] |= before
            pace.piece(found[k].text, free=True)
        for number, row in (where or Here()).run(work, [found[k].config for k in todo]):
            k = todo[number]
            rows[k] |= row
            if points is not None and "failed" not in row:
                points.keep(found[k].config, row)
            pace.piece(found[k].text)
    return rows


def resumed(found: Sequence[Case], points: Points) -> str:
    """Return in words where a sweep goes on; empty if it begins."""
    there = sum(points.find(case.config) is not None for case in found)
    return f"goes on where an earlier run ended: {there} of {len(found)} solved" if there else ""


def helpers(found: Sequence[Case]) -> int:
    """Return how many processes the cases are worth; starting one takes longer than a small case.

    Args:
        found: the cases.
    """
    cells = sum(case.config.spec.rows * case.config.spec.cols for case in found)
    return min(len(found), max(1, cells // CELLS_EACH))


def _first_alike(found: Sequence[Case], k: int) -> int:
    return next(i for i, case in enumerate(found) if case.config.spec == found[k].config.spec)


#: what this process drew last
_last: list[tuple[Any, Drawn]] = []


def work(config: RunConfig) -> dict[str, Any]:
    """Return the figures of one case, or why there are none."""
    try:
        if not _last or _last[0][0] != config.spec:
            _last[:] = [(config.spec, _draw(config))]
        return _solve(config, _last[0][1])
    except CrossStackError as error:
        return {"failed": str(error)}


_draw, _solve = draw, figures


def write(
    folder: Path, base: Mapping[str, Any], vary: Mapping[str, Sequence[Any]],
    rows: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Write sweep.csv, sweep.json, sweep.svg, report.html and the manifest."""
    from .report.standalone import standalone
    from .report.sweep import tradeoffs, write_report

    files.write_json(folder / "sweep.json", {"vary": vary, "counted": COUNTED, "rows": rows})
    table = folder / "sweep.csv"
    with one_step(table) as work, work.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*vary, "mode", *_COLUMNS, "failed"])
        writer.writerows(_table(rows))
    for chart in list(tradeoffs(vary, rows).values())[:1]:
        write_text(folder / "sweep.svg", standalone(chart))
    head = {"name": "sweep", "parameters": {**base, "vary": vary}}
    # the report lists the files, so it reads a manifest that does not hold itself yet
    files.write_manifest(folder, head)
    write_report(folder)
    files.write_manifest(folder, head)


_COLUMNS = (*FIGURES, "kcl_residual", *WRITE, *LIMITS, *WHOLE)


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """Yield a line per case and mode, or one that says why there is none."""
    for row in rows:
        values = list(row["case"].values())
        if "failed" in row:
            yield [*values, "", *[""] * len(_COLUMNS), row["failed"]]
            continue
        limits = row["limits"]
        shared = {"limit_used": limits.get("ratio"), "limits": limits["text"]}
        writes = row["write_voltages"]
        if writes is not None:
            # what was not judged is not met
            shared["write_met"] = bool(writes["judged"] and writes["met"])
            shared["write_voltages"] = writes["text"]
        shared |= row["area"] | row["read"] | row["writes"]
        for mode, m in row["modes"].items():
            yield [*values, mode, *(_cell((m | shared).get(name)) for name in _COLUMNS), ""]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.9g}" if isinstance(value, float) else value
