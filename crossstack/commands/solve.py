"""`crossstack solve`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import FOUND, OK
from ..console import Console, output_options
from ..options import (
    EXISTING,
    EXISTING_OR_FOLDER,
    check_results,
    check_results_folder,
    check_table,
    device_figures,
    device_option,
    is_folder,
    mode_option,
    options_of_mode,
    process_option,
)
from ..over_time import asked_of, check_place, follow
from ..typed import NUMBER, WHOLE, Need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..analyse.batch import Batch
    from ..analyse.solve_studies import Asked
    from ..extract.array.tiled import TiledArray
    from ..pdk import Tech
    from ..solve.modes.address import Told
    from ..solve.network.network import Network
    from ..solve.study.metrics import IrDrop

    Floats = NDArray[np.float64]

#: what a folder of results holds, or held before
_RESULTS = ("ir_drop.csv", "ir_drop.npz", "ir_drop.json", "report.html", "column_currents.csv")
#: columns that are printed; --json holds all
COLUMNS_SHOWN = 64


@click.command("solve")
@click.argument("network", type=EXISTING_OR_FOLDER)
@mode_option
@click.option("--read-tier", type=click.Choice(["bottom", "top"]), help="Tier that computes.")
@click.option("--write-column", type=WHOLE, help="Column that is written (default 0).")
@click.option(
    "--address",
    type=WHOLE,
    metavar="COLUMN",
    help="Of a macro with a scan chain or a decoder: set every control by the bits for --mode and "
    "this column, which is written if the mode writes; prints them.",
)
@click.option(
    "--write-voltage",
    type=NUMBER,
    help="Write voltage in V, 0.001 or more (default: the device's, 2), also of --programming.",
)
@click.option(
    "--inputs",
    type=EXISTING,
    help="Read voltages in V: .npy or CSV, a line per tier; or many vectors: .npy of shape "
    "(vectors, tiers, rows), or CSV with a line per vector.",
)
@click.option(
    "--weights", type=EXISTING, help="Weights 0..1: .npy or CSV, a line per tier and row."
)
@click.option("--conductances", type=EXISTING, help="The same, in siemens.")
@click.option(
    "--nonlinear",
    is_flag=True,
    help="Every memristor by the device's law, those that are read too (default: those that are "
    "written).",
)
@click.option("--linear", is_flag=True, help="Every memristor linear, those that are written too.")
@click.option(
    "--polarity",
    type=click.Choice(["set", "reset"]),
    help="Write with the rows above the column (set) or the column above the rows (reset); "
    "default: both are solved, the one that loses more is shown.",
)
@click.option(
    "--monte-carlo", type=WHOLE, metavar="N", help="Solve N random versions of the array."
)
@click.option(
    "--seed", type=WHOLE, help="Of --monte-carlo: equal seeds, equal results (default 0)."
)
@click.option(
    "--sigma",
    type=NUMBER,
    help="Of --monte-carlo: deviation of ln G (default: the device's, 0.1).",
)
@click.option(
    "--stuck",
    type=NUMBER,
    help="Of --monte-carlo: share stuck on; as many stuck off (default: the device's, none).",
)
@click.option("--open-wire", type=NUMBER, help="Of --monte-carlo: chance of an open wire piece.")
@click.option(
    "--programming",
    type=Need(),
    metavar="VOLT",
    help="Write every column of either tier; name the cells that see less than VOLT, 0.001 or "
    "more, or `device` for what the device declares to need (exit code 1).",
)
@click.option(
    "--sensitivity", is_flag=True, help="How column currents answer to each layer's resistance."
)
@click.option(
    "--transient",
    is_flag=True,
    help="Over time: settling of a read, rise of a write, disturb of what is read meanwhile, "
    "energy; of a network extracted with --rc. With -o FOLDER the curves, too.",
)
@click.option("--bits", type=WHOLE, help="Of --transient: to which a read settles (default 10).")
@click.option(
    "--rise", type=NUMBER, metavar="S", help="Of --transient: rise of the sources (default 1e-12)."
)
@click.option(
    "--pulse", type=NUMBER, metavar="S", help="Of --transient: length of a write (default 4e-8)."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Table (.csv or .npz) of every device; a folder gets ir_drop.csv (of 200,000 devices on "
    "ir_drop.npz), ir_drop.json, report.html, and of many vectors column_currents.csv.",
)
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Of -o FOLDER: a CSV table of any number of devices (160 MB for 1024 x 1024 x 2).",
)
@device_option
@process_option
@output_options
def command(
    network: Path,
    mode: str,
    inputs: Path | None,
    weights: Path | None,
    conductances: Path | None,
    nonlinear: bool,
    linear: bool,
    address: int | None,
    monte_carlo: int | None,
    seed: int | None,
    sigma: float | None,
    stuck: float | None,
    open_wire: float | None,
    programming: float | str | None,
    sensitivity: bool,
    transient: bool,
    bits: int | None,
    rise: float | None,
    pulse: float | None,
    out: Path | None,
    as_csv: bool,
    device: tuple[str, ...],
    process: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Solve a network: voltages, column currents, IR drop.

    NETWORK is a file by `crossstack extract`, a network or (above 600 x 600 cells) an array, or
    the folder of a build. Without files of your own the worst case is solved: every device in
    its on state, every row at the read voltage. With several input vectors, the device table and
    the IR drop are computed for one vector: the mean of their absolute values.

    \b
    crossstack solve gds_out/crossstack_10x10x2 --mode deep-net --read-tier top --write-column 4
    crossstack solve gds_out/crossstack_10x10x2 --nonlinear
    crossstack solve gds_out/crossstack_10x10x2 --monte-carlo 200 --seed 7 --sigma 0.2
    crossstack solve gds_out/crossstack_10x10x2 --weights W.npy --inputs X.npy -o results
    crossstack solve gds_out/crossstack_10x10x2 --programming 1.6 --sensitivity
    crossstack solve crossstack_10x10x2_network.npz --transient --bits 8 -o times
    """  # noqa: D301
    from ..analyse import analysis
    from ..analyse.needs import lowest_of_writes, write_verdict
    from ..analyse.operating import Laws
    from ..analyse.pads import at_pads
    from ..analyse.solve_studies import Asked, Found, Problem
    from ..analyse.summary import drop_lines, remarks, summary
    from ..base.errors import ConfigError
    from ..layouts import wires_in
    from ..solve.network.network import Network

    console = Console(as_json, quiet)
    # programming writes every column, whatever the mode
    anyway = () if programming is None else ("write_voltage",)
    given = options_of_mode(mode, options, anyway=anyway)
    if address is not None:
        given |= _addressed(network, mode, address, options)
    asked = Asked(
        samples=monte_carlo,
        chance={"seed": seed, "sigma": sigma, "stuck": stuck, "open_wire": open_wire},
        programming_v=programming,
        write_voltage=options["write_voltage"],
        sensitivity=sensitivity,
    )
    if linear and nonlinear:
        raise ConfigError("--linear and --nonlinear exclude each other")
    asked.check(nonlinear=nonlinear)
    times = asked_of(transient, linear, {"bits": bits, "rise": rise, "pulse": pulse})
    if times is not None and (flags := asked.flags()):
        raise ConfigError(f"--transient and {flags[0]} exclude each other")
    _check_place(out, as_csv=as_csv)
    if times is not None:
        check_place(out)
    wires = wires_in(network, process=process).with_device(device_figures(device))
    loaded, tech = wires.found, wires.tech
    what, vectors = analysis.stimulus_of_many(
        loaded, tech, weights=weights, conductances=conductances, inputs=inputs
    )
    asked = replace(asked, vectors=vectors)
    _check_offered(loaded, mode, asked, transient=transient)
    told = None if address is None else _told(loaded, mode, address, given)
    laws = Laws.of(tech, linear=linear, nonlinear=nonlinear)
    if times is not None and isinstance(loaded, Network):
        return follow(console, loaded, wires, what, mode, laws, times, given, out)
    found = Found()
    with console.steps():
        done, not_run = analysis.solve_modes(loaded, tech, what, console, (mode,), laws, **given)
        if isinstance(loaded, Network):
            found = Problem(loaded, tech, what, mode, given, laws).study(asked, console)
    drops = summary(done, not_run, what)
    notes = [*wires.notes, *remarks(drops)]
    for note in notes:
        console.note(note)
    value = {"network": network.resolve().name, **drops.to_json(), "notes": notes}
    pads = at_pads(loaded, done[mode]) if isinstance(loaded, Network) else None
    value |= {} if pads is None else {"pads": pads.to_json()}
    value |= _record(tech, done[mode], given, (wires.path, weights, conductances, inputs))
    value["laws"] = laws.to_json()
    if laws.every is not None:
        value["nonlinear"] = value["laws"]["read"]
    lines = [tech.conditions.text, laws.text(mode), *what.text.values(), *drop_lines(drops)]
    lines += [] if pads is None else pads.lines()
    if (writes := done[mode].writes) and not linear:
        absent = _absent(loaded, what.conductances)
        verdict = write_verdict(tech, lowest_of_writes(writes), "the written column", absent)
        value["write_voltages"] = verdict.to_json()
        lines.append(verdict.line)
    if told is not None:
        value[told.key] = {"address": address, **told.value}
        lines.append(told.text)
    with console.later():
        for line in lines:
            console.say(line)
        pins = _pins(loaded)
        _say_currents(console, pins, done[mode])
        value |= found.say(console, pins, done[mode].counted_columns)
        if out is not None:
            for path in _write(out, done, value, found.batch, as_csv=as_csv):
                console.say(str(path))
    console.result(value)
    return FOUND if found.misses else OK


def _addressed(
    network: Path, mode: str, address: int, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of a mode whose controls logic on board sets."""
    from ..addresses import addressing_beside
    from ..base.errors import ConfigError
    from ..solve.modes.modes import MODES

    if options["write_column"] is not None:
        raise ConfigError("--address and --write-column exclude each other")
    column = {"write_column": address} if MODES[mode].writes else {}
    return {"chain": addressing_beside(network), **column}


def _told(loaded: Network | TiledArray, mode: str, address: int, given: Mapping[str, Any]) -> Told:
    """Return what to put on the pins for a mode and a column."""
    import numpy as np

    from ..addresses import check_address
    from ..analyse.analysis import shape_of
    from ..base.errors import ConfigError
    from ..solve.modes.drives import network_drives
    from ..solve.network.network import Network

    if not isinstance(loaded, Network):
        raise ConfigError("--address needs a network with named nodes")
    tiers, rows, cols = shape_of(loaded)
    check_address(address, cols, given["chain"])
    drives = network_drives(loaded, mode, np.zeros((tiers, rows)), **given)
    told: Told = given["chain"].told(drives)
    return told


def _check_place(out: Path | None, *, as_csv: bool) -> None:
    """Refuse a place for results before anything is solved."""
    from ..base.errors import ConfigError

    check_results_folder(out)
    check_table(out)
    in_folder = out is not None and is_folder(out)
    check_results(out, *(_RESULTS if in_folder else ("",)))
    if as_csv and not in_folder:
        raise ConfigError("--csv needs a folder: -o FOLDER")


def _absent(loaded: Network | TiledArray, siemens: Floats) -> list[str]:
    """Say which devices no write reaches: left out by the extraction, or open."""
    left_out = getattr(loaded, "left_out", None)
    found = ["some are left out"] if left_out is not None and left_out.devices else []
    there = getattr(loaded, "present", None)
    if (siemens == 0).any() if there is None else (siemens[there] == 0).any():
        found.append("devices of 0 S are open and get nothing")
    return found


def _check_offered(
    loaded: Network | TiledArray, mode: str, asked: Asked, *, transient: bool
) -> None:
    """Refuse what a network, or an array without named nodes, does not offer."""
    from ..analyse import analysis
    from ..base.errors import ConfigError
    from ..solve.network.network import Network

    flags = [*asked.flags(), *(["--transient"] if transient else [])]
    if not isinstance(loaded, Network) and flags:
        raise ConfigError(f"{flags[0]} needs a network with named nodes, {analysis.TOO_LARGE}")
    if (reason := analysis.refusal(loaded, mode)) is not None:
        raise ConfigError(reason)


def _say_currents(console: Console, pins: list[str], drop: IrDrop) -> None:
    """Print the current of each column."""
    written = ""
    if drop.write is not None:
        written = pins[drop.write.column]
    for name, amps in list(zip(pins, drop.column_currents, strict=True))[:COLUMNS_SHOWN]:
        micro = round(amps * 1e6, 6) + 0.0  # no minus before a zero
        console.say(f"  {name:<8} {micro:12.6f} uA{'  (written)' if name == written else ''}")
    if len(pins) > COLUMNS_SHOWN:
        console.say(f"  and {len(pins) - COLUMNS_SHOWN} more columns: see --json")


def _record(
    tech: Tech, drop: IrDrop, given: Mapping[str, Any], read: Iterable[Path | None]
) -> dict[str, Any]:
    """Return what a reader needs to solve the same again: files with sums, options, versions."""
    from ..base.files import sha256
    from ..base.names import TIER_NAMES
    from ..base.versions import versions

    parameters: dict[str, Any] = {"conditions": tech.conditions.to_json(), "mode": drop.mode}
    if (write := drop.write) is not None:
        parameters |= {
            "read_tier": TIER_NAMES[1 - write.tier],
            "write_column": write.column,
            "write_voltage_V": float(abs(write.applied).max()),
            "polarity": write.polarity,
        }
    else:
        parameters |= {key: value for key, value in given.items() if key != "chain"}
    return {
        "parameters": parameters,
        "source": {path.name: sha256(path) for path in read if path is not None},
        "versions": versions(),
    }


def _write(
    out: Path,
    done: Mapping[str, IrDrop],
    value: dict[str, Any],
    batch: Batch | None,
    *,
    as_csv: bool,
) -> list[Path]:
    """Write the table, and in a folder the figures and a report; return what was written."""
    from ..analyse.tables import CSV, NPZ, STEM, table_name, write_table
    from ..base.files import together, write_json
    from ..base.outputs import remove
    from ..report.solve import write_report

    if not is_folder(out):
        write_table(out, done)
        return [out]
    name = f"{STEM}{CSV}" if as_csv else table_name(done)
    with together(out) as work:
        write_table(work / name, done)
        write_json(work / "ir_drop.json", value)
        if batch is not None:
            batch.write_csv(work / "column_currents.csv")
        write_report(work)
        written = [out / path.name for path in sorted(work.iterdir())]
    for other in {f"{STEM}{CSV}", f"{STEM}{NPZ}"} - {name}:
        remove(out / other)
    if batch is None:  # one of an earlier solve would not belong to this one
        remove(out / "column_currents.csv")
    return written


def _pins(loaded: Network | TiledArray) -> list[str]:
    from ..analyse.analysis import shape_of
    from ..base import names
    from ..solve.modes.mode import is_macro

    macro = is_macro(getattr(loaded, "ports", ()))
    return [names.output(j, macro=macro) for j in range(shape_of(loaded)[2])]
