"""`solve --transient`: what is refused, run and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.errors import OK, ConfigError
from .console import Console
from .options import check_results, is_folder

if TYPE_CHECKING:
    from .analyse.analysis import Stimulus
    from .analyse.operating import Laws
    from .analyse.transients import Asked, OverTime
    from .layouts import Wires
    from .solve.network.network import Network

#: the curves that a run over time may leave, as patterns of names
_CURVES = ("transient_read.csv", "transient_write_set*.csv", "transient_write_reset*.csv")


def asked_of(
    transient: bool, linear: bool, options: Mapping[str, float | int | None]
) -> Asked | None:
    """Return what is asked of a run over time; None if none is.

    Args:
        transient: whether one is.
        linear: transistors as resistors, as memristors are.
        options: bits, rise and pulse; None where not given.

    Raises:
        ConfigError: for an option without --transient.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if not transient:
        for key in given:
            raise ConfigError(f"--{key} belongs to --transient")
        return None
    from .analyse.transients import Asked

    bits = given.pop("bits", Asked.bits)
    return Asked(bits=int(bits), fixed=linear, **{f"{key}_s": v for key, v in given.items()})


def check_place(out: Path | None) -> None:
    """Refuse a place that is no folder, or holds what the run reads."""
    if out is not None and not is_folder(out):
        raise ConfigError("--transient writes several files: -o FOLDER")
    if out is not None:
        check_results(out, "transient.json", "transient_read.csv")


def follow(
    console: Console,
    network: Network,
    wires: Wires,
    what: Stimulus,
    mode: str,
    laws: Laws,
    asked: Asked,
    options: Mapping[str, Any],
    out: Path | None,
) -> int:
    """Follow a network over time, print what was found and write its files; return the exit code.

    Args:
        console: where everything is printed.
        network: with its capacitances.
        wires: the file that it is from.
        what: devices and inputs.
        mode: one of `MODES`.
        laws: what memristors follow.
        asked: bits, rise and pulse.
        options: of the mode.
        out: folder for the files; None for none.

    Raises:
        ConfigError: for a network without capacitances.
    """
    from .analyse.transient_tables import time_lines
    from .analyse.transients import need_capacitors, over_time
    from .base.versions import versions

    need_capacitors(network)
    for note in wires.notes:
        console.note(note)
    with console.steps():
        found = over_time(network, wires.tech, what, console, mode, laws, asked, **options)
    value = {
        "network": wires.path.name,
        "conditions": wires.tech.conditions.to_json(),
        "laws": laws.to_json(),
        **found.to_json(),
        "notes": list(wires.notes),
        "versions": versions(),
    }
    lines = [wires.tech.conditions.text, laws.text(mode), *what.text.values()]
    with console.later():
        for line in (*lines, *time_lines(found)):
            console.say(line)
        for path in () if out is None else _write(found, value, out):
            console.say(str(path))
    console.result(value)
    return OK


def _write(found: OverTime, value: dict[str, Any], out: Path) -> list[Path]:
    """Write figures and curves; return what was written."""
    from .analyse.transient_tables import curve_files, write_curves
    from .base.files import together, write_json

    with together(out, _CURVES) as work:
        write_json(work / "transient.json", value)
        for name, curves in curve_files(found).items():
            write_curves(work / name, curves)
        return [out / path.name for path in sorted(work.iterdir())]
