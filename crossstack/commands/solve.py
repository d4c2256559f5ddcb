"""`crossstack solve`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..cli import FOUND, OK
from ..console import Console, output_options
from ..options import EXISTING, check_results_folder, check_table, is_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..analysis import Stimulus
    from ..batch import Batch
    from ..extract.tiled import TiledArray
    from ..layouts import Origin
    from ..pdk import Tech
    from ..solve.iv import DeviceLaw
    from ..solve.metrics import IrDrop
    from ..solve.network import Network
    from ..solve.variation import MonteCarlo, Spread

    Floats = NDArray[np.float64]

#: columns that are printed; --json holds all
COLUMNS_SHOWN = 64
#: deviation of ln G where none is given
SIGMA = 0.1


@click.command("solve")
@click.argument("network", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--mode",
    type=click.Choice(["expansion", "deep-net"]),
    default="expansion",
    help="expansion: both tiers compute; deep-net: one is read, a column of the other written.",
)
@click.option("--read-tier", type=click.Choice(["bottom", "top"]), help="Tier that computes.")
@click.option("--write-column", type=int, help="Column that is written (default 0).")
@click.option(
    "--write-voltage", type=float, help="Write voltage in V (default 2), also of --programming."
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
@click.option("--nonlinear", is_flag=True, help="Memristors as I = G sinh(b V) / b, by Newton.")
@click.option("--monte-carlo", type=int, metavar="N", help="Solve N random versions of the array.")
@click.option("--seed", type=int, help="Of --monte-carlo: equal seeds, equal results (default 0).")
@click.option("--sigma", type=float, help="Of --monte-carlo: deviation of ln G (default 0.1).")
@click.option("--stuck", type=float, help="Of --monte-carlo: share stuck on; as many stuck off.")
@click.option("--open-wire", type=float, help="Of --monte-carlo: chance of an open wire piece.")
@click.option(
    "--programming",
    type=float,
    metavar="VOLT",
    help="Write every column of either tier; name the cells that see less than VOLT (exit code 1).",
)
@click.option(
    "--sensitivity", is_flag=True, help="How column currents answer to each layer's resistance."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Table (.csv) of every device; a folder gets ir_drop.csv, ir_drop.json, report.html, and "
    "of many vectors column_currents.csv.",
)
@output_options
def command(
    network: Path,
    mode: str,
    inputs: Path | None,
    weights: Path | None,
    conductances: Path | None,
    nonlinear: bool,
    monte_carlo: int | None,
    seed: int | None,
    sigma: float | None,
    stuck: float | None,
    open_wire: float | None,
    programming: float | None,
    sensitivity: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Solve a network: voltages, column currents, IR drop.

    NETWORK is a file by `crossstack extract`, a network or (above 600 x 600 cells) an array, or
    the folder of a build. Without files of your own the worst case is solved: every device in
    its on state, every row at the read voltage. Of many input vectors, the table of devices and
    the IR drop are those of the mean one.

    \b
    crossstack solve gds_out/crossstack_10x10x2 --mode deep-net --read-tier top --write-column 4
    crossstack solve gds_out/crossstack_10x10x2 --nonlinear
    crossstack solve gds_out/crossstack_10x10x2 --monte-carlo 200 --seed 7 --sigma 0.2
    crossstack solve gds_out/crossstack_10x10x2 --weights W.npy --inputs X.npy -o results
    crossstack solve gds_out/crossstack_10x10x2 --programming 1.6 --sensitivity
    """  # noqa: D301
    from .. import analysis
    from ..errors import ConfigError
    from ..extract.tilefile import is_array, load_array
    from ..layouts import origin_of
    from ..solve.iv import Sinh
    from ..solve.network import Network
    from ..summary import drop_lines

    console = Console(as_json, quiet)
    given = {key: value for key, value in options.items() if value is not None}
    # programming writes every column, whatever the mode
    alien = [key for key in given if not (key == "write_voltage" and programming is not None)]
    if mode == "expansion" and alien:
        raise ConfigError(f"--{alien[0].replace('_', '-')} belongs to --mode deep-net")
    if sensitivity and nonlinear:
        raise ConfigError("--sensitivity is that of linear devices; leave --nonlinear away")
    written_with = given.get("write_voltage")
    if mode == "expansion":
        given.clear()
    chance = {"seed": seed, "sigma": sigma, "stuck": stuck, "open_wire": open_wire}
    _check_chance(monte_carlo, nonlinear, chance)
    check_results_folder(out)
    check_table(out)
    path = network / "network.npz" if network.is_dir() else network
    origin = origin_of(path, None)
    tech = origin.resolved_tech()
    loaded = load_array(path) if is_array(path) else Network.load(path)
    what, vectors = analysis.stimulus_of_many(
        loaded, tech, weights=weights, conductances=conductances, inputs=inputs
    )
    asked = {
        "--monte-carlo": monte_carlo is not None,
        "--programming": programming is not None,
        "--sensitivity": sensitivity,
        "--inputs of many vectors": vectors is not None,
    }
    if not isinstance(loaded, Network) and any(asked.values()):
        flag = next(flag for flag, is_asked in asked.items() if is_asked)
        raise ConfigError(f"{flag} needs a network with named nodes, {analysis.TOO_LARGE}")
    if (reason := analysis.refusal(loaded, mode)) is not None:
        raise ConfigError(reason)
    device = Sinh(tech.memristor.sinh_b_per_v) if nonlinear else None
    with console.steps():
        done, not_run = analysis.solve_modes(
            loaded, tech, what, console, (mode,), device=device, **given
        )
        extras = _Extras()
        if isinstance(loaded, Network):
            problem = _Problem(loaded, tech, what, mode, given)
            if monte_carlo is not None:
                extras.many = problem.vary(console, monte_carlo, chance)
            if vectors is not None:
                extras.batch = problem.batch(console, vectors, device)
            if programming is not None:
                extras.programming = problem.programming(console, programming, written_with, device)
            if sensitivity:
                extras.sensitivity = problem.sensitivity(console)
    value = {"network": network.resolve().name, **analysis.summary(done, not_run, what)}
    value |= _record(origin, done[mode], (path, weights, conductances, inputs))
    if device is not None:
        value["nonlinear"] = {"law": "G sinh(b V) / b", "b_per_V": device.b}
        console.say(f"memristors: I = G sinh(b V) / b with b = {device.b:g} /V")
    for text in what.text.values():
        console.say(text)
    for line in drop_lines(value):
        console.say(line)
    write = done[mode].write
    written = () if write is None else (f"C[{write.column}]", f"OUT[{write.column}]")
    pins = _pins(loaded)
    for name, amps in list(zip(pins, done[mode].column_currents, strict=True))[:COLUMNS_SHOWN]:
        console.say(f"  {name:<8} {amps * 1e6:12.6f} uA{'  (written)' if name in written else ''}")
    if len(pins) > COLUMNS_SHOWN:
        console.say(f"  and {len(pins) - COLUMNS_SHOWN} more columns: see --json")
    value |= extras.say(console, pins, done[mode].counted_columns)
    if out is not None:
        for path in _write(out, done, value, extras.batch):
            console.say(str(path))
    console.result(value)
    missed = any(report["cells_below"] for report in extras.programming or ())
    return FOUND if missed else OK


@dataclass(frozen=True, eq=False)
class _Problem:
    """A network in one mode, ready for what goes beyond one solve of it."""

    network: Network
    tech: Tech
    what: Stimulus
    mode: str
    options: Mapping[str, Any]

    def vary(
        self, console: Console, samples: int, chance: Mapping[str, float | None]
    ) -> MonteCarlo:
        from ..analysis import vary

        return vary(
            self.network, self.tech, self.what, console, self.mode,
            spread=_spread(self.tech, chance), samples=samples, seed=int(chance["seed"] or 0),
            **self.options,
        )  # fmt: skip

    def batch(self, console: Console, vectors: Floats, device: DeviceLaw | None) -> Batch:
        from ..batch import solve_batch

        with console.step(f"{len(vectors)} vectors") as step:
            return solve_batch(
                self.network, self.tech, self.what.conductances, vectors, self.mode,
                device=device, step=step, **self.options,
            )  # fmt: skip

    def programming(
        self,
        console: Console,
        needed_v: float,
        write_voltage: float | None,
        device: DeviceLaw | None,
    ) -> list[dict[str, Any]]:
        from ..studies import programming

        return programming(
            self.network, self.tech, self.what, needed_v, console,
            write_voltage=write_voltage, device=device,
        )  # fmt: skip

    def sensitivity(self, console: Console) -> dict[str, Floats]:
        from ..studies import sensitivity

        return sensitivity(self.network, self.tech, self.what, self.mode, console, **self.options)


@dataclass
class _Extras:
    """What was asked for beyond one solve, and found."""

    many: MonteCarlo | None = None
    batch: Batch | None = None
    programming: list[dict[str, Any]] | None = None
    sensitivity: dict[str, Floats] | None = None

    def say(self, console: Console, pins: list[str], counted: NDArray[np.bool_]) -> dict[str, Any]:
        """Print it; return it as JSON values."""
        from .. import studies
        from ..batch import batch_lines

        value: dict[str, Any] = {}
        lines: list[str] = []
        if self.many is not None:
            value["monte_carlo"] = _say_many(console, pins, self.many, counted)
        if self.batch is not None:
            value["batch"] = self.batch.to_json()
            lines += batch_lines(value["batch"])
        if self.programming is not None:
            value["programming"] = self.programming
            lines += studies.programming_lines(self.programming)
        if self.sensitivity is not None:
            value["sensitivity"] = studies.sensitivity_json(self.sensitivity)
            lines += studies.sensitivity_lines(self.sensitivity)
        for line in lines:
            console.say(line)
        return value


def _record(origin: Origin, drop: IrDrop, read: Iterable[Path | None]) -> dict[str, Any]:
    """Return what a reader needs to solve the same again: files with sums, options, versions."""
    from ..files import sha256, versions
    from ..solve.network import TIER_NAMES

    tech = origin.resolved_tech()
    parameters: dict[str, Any] = {
        "process": tech.name,
        "profile": origin.profile,
        "profile_from": origin.source,
        "tech": origin.tech.to_json(),
        "mode": drop.mode,
    }
    if (write := drop.write) is not None:
        parameters |= {
            "read_tier": TIER_NAMES[1 - write.tier],
            "write_column": write.column,
            "write_voltage_V": float(write.applied[0]),
        }
    return {
        "parameters": parameters,
        "source": {path.name: sha256(path) for path in read if path is not None},
        "versions": versions(),
    }


def _write(
    out: Path, done: Mapping[str, IrDrop], value: dict[str, Any], batch: Batch | None
) -> list[Path]:
    """Write the table, and in a folder the figures and a report; return what was written."""
    from .. import analysis
    from ..files import together, write_json
    from ..report.solve import write_report

    if not is_folder(out):
        analysis.write_csv(out, done)
        return [out]
    with together(out) as work:
        analysis.write_csv(work / "ir_drop.csv", done)
        write_json(work / "ir_drop.json", value)
        if batch is not None:
            batch.write_csv(work / "column_currents.csv")
        write_report(work)
        written = [out / path.name for path in sorted(work.iterdir())]
    if batch is None:  # one of an earlier solve would not belong to this one
        (out / "column_currents.csv").unlink(missing_ok=True)
    return written


def _check_chance(samples: int | None, nonlinear: bool, chance: Mapping[str, float | None]) -> None:
    """Refuse options that do not go together, naming them."""
    from ..errors import ConfigError

    if samples is None:
        for key, number in chance.items():
            if number is not None:
                raise ConfigError(f"--{key.replace('_', '-')} belongs to --monte-carlo")
        return
    if samples < 1:
        raise ConfigError(f"--monte-carlo is {samples}, allowed: 1 or more")
    if (seed := chance["seed"]) is not None and seed < 0:
        raise ConfigError(f"--seed is {seed}, allowed: 0 or more")
    if nonlinear:
        raise ConfigError("--monte-carlo solves linear devices; leave --nonlinear away")


def _spread(tech: Tech, chance: Mapping[str, float | None]) -> Spread:
    """Return how devices and wires vary."""
    from ..solve.variation import Spread

    sigma, stuck = chance["sigma"], chance["stuck"] or 0.0
    return Spread(
        sigma=SIGMA if sigma is None else sigma,
        stuck_on=stuck,
        stuck_off=stuck,
        g_on=1.0 / tech.memristor.r_on_ohm,
        g_off=1.0 / tech.memristor.r_off_ohm,
        open_wire=chance["open_wire"] or 0.0,
    )


def _say_many(
    console: Console, pins: list[str], many: MonteCarlo, counted: NDArray[np.bool_]
) -> dict[str, Any]:
    """Print what random versions do to every column that counts; return it as JSON values."""
    import numpy as np

    from ..analysis import distribution
    from ..summary import percent

    value = many.to_json()
    mean, std = np.array(value["mean_A"]), np.array(value["std_A"])
    nominal = many.nominal_currents
    carries = counted & (nominal != 0)
    if not carries.any():
        value["worst_column_error"] = None
        return value
    off = np.abs(many.column_currents - nominal)[:, carries] / np.abs(nominal[carries])
    sample, column = np.unravel_index(int(off.argmax()), off.shape)
    name = [pin for pin, is_in in zip(pins, carries, strict=True) if is_in][column]
    worst = float(off.max())
    value |= {"worst_column_error": worst, "worst_column": name, "worst_sample": int(sample)}
    value["distribution"] = distribution(many, carries)
    console.say(f"monte carlo {value['samples']} samples, seed {many.seed}, against the nominal")
    for pin, a, b in zip(pins, mean, std, strict=True):
        console.say(f"  {pin:<8} mean {a * 1e6:12.6f} uA  std {b * 1e6:12.6f} uA")
    console.say(f"  worst column error {percent(worst)}: {name} in sample {sample}")
    return value


def _pins(loaded: Network | TiledArray) -> list[str]:
    from ..analysis import shape_of

    macro = any(pin.startswith("OUT[") for pin in getattr(loaded, "ports", ()))
    return [f"{'OUT' if macro else 'C'}[{j}]" for j in range(shape_of(loaded)[2])]
