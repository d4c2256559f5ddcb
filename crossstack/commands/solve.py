"""`crossstack solve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..cli import OK
from ..console import Console, output_options
from ..options import EXISTING


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
@click.option("--write-voltage", type=float, help="Write voltage in V (default 2).")
@click.option("--inputs", type=EXISTING, help="Read voltages in V: .npy or CSV, a line per tier.")
@click.option(
    "--weights", type=EXISTING, help="Weights 0..1: .npy or CSV, a line per tier and row."
)
@click.option("--conductances", type=EXISTING, help="The same, in siemens.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Table (CSV) of every device.",
)
@output_options
def command(
    network: Path,
    mode: str,
    inputs: Path | None,
    weights: Path | None,
    conductances: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Solve a network: voltages, column currents, IR drop.

    NETWORK is a file by `crossstack extract` or the folder of a build. Without files of your own
    the worst case is solved: every device in its on state, every row at the read voltage.

    \b
    crossstack solve gds_out/crossstack_10x10x2 --mode deep-net --read-tier top --write-column 4
    """  # noqa: D301
    from .. import analysis
    from ..errors import ConfigError
    from ..layouts import origin_of
    from ..solve.network import Network
    from ..summary import drop_lines

    console = Console(as_json, quiet)
    given = {key: value for key, value in options.items() if value is not None}
    if mode == "expansion" and given:
        flag = "--" + next(iter(given)).replace("_", "-")
        raise ConfigError(f"{flag} belongs to --mode deep-net")
    path = network / "network.npz" if network.is_dir() else network
    tech = origin_of(path, None).resolved_tech()
    loaded = Network.load(path)
    if (reason := analysis.refusal(loaded, mode)) is not None:
        raise ConfigError(reason)
    what = analysis.stimulus(
        loaded, tech, weights=weights, conductances=conductances, inputs=inputs
    )
    with console.steps():
        done, not_run = analysis.solve_modes(loaded, tech, what, console, (mode,), **given)
    value = analysis.summary(done, not_run, what)
    for text in what.text.values():
        console.say(text)
    for line in drop_lines(value):
        console.say(line)
    write = done[mode].write
    written = () if write is None else (f"C[{write.column}]", f"OUT[{write.column}]")
    for name, amps in zip(_pins(loaded), done[mode].column_currents, strict=False):
        console.say(f"  {name:<8} {amps * 1e6:12.6f} uA{'  (written)' if name in written else ''}")
    if out is not None:
        analysis.write_csv(out, done)
        console.say(str(out))
    console.result(value)
    return OK


def _pins(network: Any) -> list[str]:
    macro = any(pin.startswith("OUT[") for pin in network.ports)
    return [f"{'OUT' if macro else 'C'}[{j}]" for j in range(network.cols)]
