"""`sweep`: IR drop over values of parameters, each case drawn, extracted and solved in memory."""

from __future__ import annotations

import copy
import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import files
from .base.documents import plain_value
from .base.errors import ConfigError, shortened
from .base.outputs import one_step
from .config import RunConfig, config_of
from .console import Console
from .pdk import CrossStackError

if TYPE_CHECKING:
    from .lvs import ExtractedLayout
    from .sweep_points import Points

#: cases that one sweep may have; more is a slip of the keyboard
MOST_CASES = 1000
#: figures of a case: name in the table -> (metric, what is counted)
FIGURES = {
    f"{metric}_{short}": (f"{metric}_error", counted)
    for counted, short in (("all_series", "all"), ("wires_only", "wires"))
    for metric in ("worst_device", "mean_device", "worst_column")
}
#: what a row has of a write: the part of its voltage that is lost, and in which polarity
WRITE = ("write_loss", "write_polarity")
#: what a row has of the currents: the highest load as part of its limit, and the verdict
LIMITS = ("limit_used", "limits")


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
        return ", ".join(f"{key}={value}" for key, value in self.values.items())


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
            raise ConfigError(f"--vary {shortened(text)[1:-1]}: a value cannot be read") from None
        if key in found:
            raise ConfigError(f"--vary names {key} twice; list all its values at once")
        if len({str(value) for value in values}) < len(values):
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
            _set(nested, key, value)
        config = config_of(nested)
        if config.spec.top == "testchip":
            raise ConfigError("top = testchip: the wires of a whole die are not extracted")
        found.append(Case(chosen, config))
        if len(found) > MOST_CASES:
            raise ConfigError(f"--vary asks for more than {MOST_CASES} cases")
    return found


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for name in sections:
        inner = values.get(name)
        values[name] = dict(inner) if isinstance(inner, Mapping) else {}
        values = values[name]
    values[last] = value


def run(
    found: Sequence[Case], console: Console, points: Points | None = None
) -> list[dict[str, Any]]:
    """Draw, extract and solve every case; returns a row per case, in their order.

    A case that the rules of the process do not allow says so in its row; the others go on.

    Args:
        found: the cases.
        console: where progress goes.
        points: those of an interrupted run are taken from here, new ones are kept.
    """
    rows: list[dict[str, Any]] = [{} for _ in found]
    # what is drawn alike stands together: wires are extracted anew, the layout is not
    order = sorted(range(len(found)), key=lambda k: _first_alike(found, k))
    drawn: tuple[Any, ExtractedLayout] | None = None
    with console.step("sweep") as step:
        for done, k in enumerate(order):
            case = found[k]
            step(done, len(found), case.text)
            row: dict[str, Any] = {"case": dict(case.values)}
            if points is not None and (before := points.find(case.config)) is not None:
                rows[k] = row | before
                continue
            try:
                if drawn is None or drawn[0] != case.config.spec:
                    drawn = case.config.spec, _draw(case.config)
                figures = _solve(case.config, drawn[1])
                row |= figures
                if points is not None:
                    points.keep(case.config, figures)
            except CrossStackError as error:
                row["failed"] = str(error)
            rows[k] = row
    return rows


def _first_alike(found: Sequence[Case], k: int) -> int:
    return next(i for i, case in enumerate(found) if case.config.spec == found[k].config.spec)


def _draw(config: RunConfig) -> ExtractedLayout:
    from .cells import to_layout
    from .generators import build_top
    from .lvs import extract_layout

    array = build_top(config.spec)
    return extract_layout(to_layout(array.cell, array.tech), array.tech)


def _solve(config: RunConfig, layout: ExtractedLayout) -> dict[str, Any]:
    from .analyse import analysis
    from .analyse.electromigration import current_limits_of, em_report
    from .extract import extract

    tech = config.resolved_tech()
    network = extract(layout, tech).network
    what = analysis.stimulus(network, tech)
    solved, not_run = analysis.solve_modes(network, tech, what, Console(quiet=True))
    modes = {}
    for mode, result in solved.items():
        value = result.to_json()
        modes[mode] = {name: value[metric][counted] for name, (metric, counted) in FIGURES.items()}
        modes[mode]["kcl_residual"] = value["kcl_residual"]
        if result.write is not None:
            modes[mode]["write_loss"] = result.write.worst_loss
            modes[mode]["write_polarity"] = result.write.polarity
    limits = current_limits_of(tech, tech.conditions.temperature_c)
    verdict = em_report(network, tech, limits, solved, what)["verdict"]
    return {"modes": modes, "not_run": not_run, "limits": verdict}


def write(
    folder: Path, base: Mapping[str, Any], vary: Mapping[str, Sequence[Any]],
    rows: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Write sweep.csv, sweep.json, sweep.png and the manifest."""
    from .sweep_picture import draw

    counted = "every device at R_on, every row at the read voltage; parts of the ideal voltage"
    files.write_json(folder / "sweep.json", {"vary": vary, "counted": counted, "rows": rows})
    table = folder / "sweep.csv"
    with one_step(table) as work, work.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*vary, "mode", *FIGURES, "kcl_residual", *WRITE, *LIMITS, "failed"])
        writer.writerows(_table(rows))
    draw(folder / "sweep.png", vary, rows)
    files.write_manifest(folder, {"name": "sweep", "parameters": {**base, "vary": vary}})


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """Yield a line per case and mode, or one that says why there is none."""
    for row in rows:
        values = list(row["case"].values())
        if "failed" in row:
            yield [
                *values,
                "",
                *[""] * (len(FIGURES) + 1 + len(WRITE) + len(LIMITS)),
                row["failed"],
            ]
            continue
        for mode, m in row["modes"].items():
            figures = [f"{m[n]:.9g}" for n in (*FIGURES, "kcl_residual")]
            writes = [f"{m[n]:.9g}" if isinstance(m.get(n), float) else m.get(n, "") for n in WRITE]
            limits = [row["limits"].get("ratio", ""), row["limits"]["text"]]
            yield [*values, mode, *figures, *writes, *limits, ""]
