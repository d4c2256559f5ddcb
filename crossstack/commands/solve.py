"""`crossstack solve`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import solution
from ..base.errors import FOUND, OK, ConfigError
from ..base.spans import BITS, COLUMN, COUNT, SEED, SHARE, SIGMA_LN_G, STUCK, TIME_S, WRITE_V
from ..console import Console, output_options
from ..named import EXISTING, EXISTING_OR_FOLDER
from ..options import device_figures, device_option, mode_option, options_of_mode, process_option
from ..over_time import asked_of, check_place, follow
from ..typed import NearChoice, Need, Number, Whole

if TYPE_CHECKING:
    from ..analyse.analysis import Stimulus
    from ..analyse.operating import Laws
    from ..analyse.solve_studies import Asked, Found
    from ..extract.array.tiled import TiledArray
    from ..layouts import Wires
    from ..solve.modes.address import Told
    from ..solve.network.network import Network


@click.command("solve")
@click.argument("network", type=EXISTING_OR_FOLDER)
@mode_option
@click.option("--read-tier", type=NearChoice(["bottom", "top"]), help="Tier that computes.")
@click.option(
    "--write-column", type=Whole(COLUMN), help="Column that is written, counted from 0 (default 0)."
)
@click.option(
    "--address",
    type=Whole(COLUMN),
    metavar="COLUMN",
    help="Of a macro with a scan chain or a decoder: set every control by the bits for --mode and "
    "this column, which is written if the mode writes; prints them.",
)
@click.option(
    "--write-voltage",
    type=Number(WRITE_V),
    help="Write voltage in V (default: the device's, 2), also of --programming; through "
    "transistors up to the supply.",
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
    type=NearChoice(["set", "reset"]),
    help="Write with the rows above the column (set) or the column above the rows (reset); "
    "default: both are solved, the one that loses more is shown.",
)
@click.option(
    "--monte-carlo", type=Whole(COUNT), metavar="N", help="Solve N random versions of the array."
)
@click.option(
    "--seed", type=Whole(SEED), help="With --monte-carlo: equal seeds, equal results (default 0)."
)
@click.option(
    "--sigma",
    type=Number(SIGMA_LN_G),
    help="With --monte-carlo: standard deviation of ln G (default: the device's, 0.1).",
)
@click.option(
    "--stuck",
    type=Number(STUCK),
    help="With --monte-carlo: share stuck on; as many stuck off (default: the device's, none).",
)
@click.option(
    "--open-wire",
    type=Number(SHARE),
    help="With --monte-carlo: probability that a piece of a wire is open (default 0).",
)
@click.option(
    "--programming",
    type=Need(WRITE_V),
    metavar="VOLT",
    help="Write every column of either tier; name the cells that see less than VOLT, or than what "
    "the device declares to need (`device`); exit code 1 if there are any.",
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
@click.option(
    "--bits",
    type=Whole(BITS),
    help="With --transient: a read settles to half of the last of so many bits (default 10).",
)
@click.option(
    "--rise",
    type=Number(TIME_S),
    metavar="S",
    help="With --transient: rise time of the sources in s (default 1e-12).",
)
@click.option(
    "--pulse",
    type=Number(TIME_S),
    metavar="S",
    help="With --transient: length of a write pulse in s (default 4e-8).",
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
    help="With -o FOLDER: a CSV table of any number of devices (160 MB for 1024 x 1024 x 2).",
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
    from ..analyse.operating import Laws
    from ..layouts import wires_in
    from ..solve.network.network import Network

    console = Console(as_json, quiet)
    # programming writes every column, whatever the mode
    anyway = () if programming is None else ("write_voltage",)
    given = options_of_mode(mode, options, anyway=anyway)
    if address is not None:
        given |= _addressed(network, mode, address, options)
    chance = {"seed": seed, "sigma": sigma, "stuck": stuck, "open_wire": open_wire}
    asked = _asked(monte_carlo, chance, programming, options["write_voltage"], sensitivity)
    if linear and nonlinear:
        raise ConfigError("--linear and --nonlinear exclude each other")
    asked.check(nonlinear=nonlinear)
    times = asked_of(transient, linear, {"bits": bits, "rise": rise, "pulse": pulse})
    if times is not None and (flags := asked.flags()):
        raise ConfigError(f"--transient and {flags[0]} exclude each other")
    solution.check_place(out, as_csv=as_csv)
    if times is not None:
        check_place(out)
    wires = wires_in(network, process=process).with_device(device_figures(device))
    loaded = wires.found
    what, vectors = analysis.stimulus_of_many(
        loaded, wires.tech, weights=weights, conductances=conductances, inputs=inputs
    )
    asked = replace(asked, vectors=vectors)
    _check_offered(loaded, mode, asked, transient=transient)
    told = None if address is None else _told(loaded, mode, address, given)
    laws = Laws.of(wires.tech, linear=linear, nonlinear=nonlinear)
    if times is not None and isinstance(loaded, Network):
        return follow(console, loaded, wires, what, mode, laws, times, given, out)
    found, solved = _solve(console, wires, what, mode, laws, given, asked, linear=linear)
    value, lines, notes = solved.told(network, (wires.path, weights, conductances, inputs))
    for note in notes:
        console.note(note)
    if told is not None:
        value[told.key] = {"address": address, **told.value}
        lines.append(told.text)
    with console.later():
        for line in lines:
            console.say(line)
        pins = solution.pins_of(loaded)
        solution.say_currents(console, pins, solved.drop)
        value |= found.say(console, pins, solved.drop.counted_columns)
        if out is not None:
            written = solution.write_files(out, solved.done, value, found.batch, as_csv=as_csv)
            for path in written:
                console.say(str(path))
    console.result(value)
    return FOUND if found.misses else OK


def _asked(
    samples: int | None,
    chance: Mapping[str, float | None],
    programming: float | str | None,
    write_voltage: float | None,
    sensitivity: bool,
) -> Asked:
    """Return what is asked for beyond one solve."""
    from ..analyse.solve_studies import Asked

    return Asked(
        samples=samples,
        chance=chance,
        programming_v=programming,
        write_voltage=write_voltage,
        sensitivity=sensitivity,
    )


def _solve(
    console: Console,
    wires: Wires,
    what: Stimulus,
    mode: str,
    laws: Laws,
    given: Mapping[str, Any],
    asked: Asked,
    *,
    linear: bool,
) -> tuple[Found, solution.Solution]:
    """Solve a network in a mode, and study what was asked beyond that."""
    from ..analyse.analysis import solve_modes
    from ..analyse.solve_studies import Found, Problem
    from ..solve.network.network import Network

    found, loaded = Found(), wires.found
    with console.steps():
        done, not_run = solve_modes(loaded, wires.tech, what, console, (mode,), laws, **given)
        if isinstance(loaded, Network):
            found = Problem(loaded, wires.tech, what, mode, given, laws).study(asked, console)
    return found, solution.Solution(wires, what, laws, given, done, not_run, linear)


def _addressed(
    network: Path, mode: str, address: int, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of a mode whose controls logic on board sets."""
    from ..addresses import addressing_beside
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
    from ..solve.modes.drives import network_drives
    from ..solve.network.network import Network

    if not isinstance(loaded, Network):
        raise ConfigError("--address needs a network with named nodes")
    tiers, rows, cols = shape_of(loaded)
    check_address(address, cols, given["chain"])
    drives = network_drives(loaded, mode, np.zeros((tiers, rows)), **given)
    told: Told = given["chain"].told(drives)
    return told


def _check_offered(
    loaded: Network | TiledArray, mode: str, asked: Asked, *, transient: bool
) -> None:
    """Refuse what a network, or an array without named nodes, does not offer."""
    from ..analyse import analysis
    from ..solve.network.network import Network

    flags = [*asked.flags(), *(["--transient"] if transient else [])]
    if not isinstance(loaded, Network) and flags:
        raise ConfigError(f"{flags[0]} needs a network with named nodes, {analysis.TOO_LARGE}")
    if (reason := analysis.refusal(loaded, mode)) is not None:
        raise ConfigError(reason)
