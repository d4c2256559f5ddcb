"""`crossstack views`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..base.errors import FOUND, OK
from ..base.spans import SEED
from ..console import Console, output_options
from ..named import EXISTING
from ..options import (
    capacitance_engine_option,
    check_results,
    check_results_folder,
    folder_beside,
    layout_options,
    out_option,
)
from ..typed import NearChoice, Whole

if TYPE_CHECKING:
    from ..pdk import Tech


@click.command("views")
@layout_options
@click.option(
    "--netlist", type=EXISTING, help="Reference netlist (default: <stem>.spice beside the layout)."
)
@click.option(
    "--weights", type=EXISTING, help="Weights 0 .. 1 of the model's devices, as in `solve`."
)
@click.option("--conductances", type=EXISTING, help="Conductances of the model's devices, S.")
@click.option(
    "--last-metal",
    type=NearChoice(["metal", "block", "none"]),
    default="metal",
    show_default=True,
    help="Obstruction of the last metal in the LEF: where metal is, all of the block, or nothing.",
)
@click.option(
    "--corners/--no-corners", default=True, help="Fast and slow libraries, too (default)."
)
@click.option(
    "--capacitance/--r-only",
    "capacitance",
    default=True,
    help="Extract capacitances, for the timing of libraries and model (default).",
)
@capacitance_engine_option
@click.option(
    "--seed",
    type=Whole(SEED),
    default=1,
    show_default=True,
    help="Seed of the test bench's random numbers.",
)
@out_option("Folder for the files (default: beside FILE; of a build, here).")
@output_options
def command(
    file: Path,
    top: str | None,
    process: str | None,
    profile: str | None,
    netlist: Path | None,
    weights: Path | None,
    conductances: Path | None,
    last_metal: str,
    corners: bool,
    capacitance: bool,
    c_engine: str | None,
    seed: int,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Write the views of a macro for the chip around it.

    FILE is a GDS or OASIS file of a macro, or the folder of a build, whose figures the datasheet
    then shows, too. Leaves LEF, Liberty per corner, a Verilog black box, CDL, a behavioural model
    with a self-checking bench, the memristor for ngspice and Verilog-A, pin list and datasheet.

    A bare array and a die with pads are refused. Exit code 1 if the layout has a pin that no wire
    and no via can reach.

    \b
    crossstack views gds_out/crossstack_macro_8x8x2 -o views
    """  # noqa: D301
    from ..base.errors import ConfigError, FileError
    from ..base.files import together
    from ..layouts import layout_in, origin_of

    if c_engine is not None and not capacitance:
        raise ConfigError(
            f"--r-only finds no capacitance: leave out --capacitance-engine {c_engine}"
        )
    engine = c_engine or "formula"
    console = Console(as_json, quiet)
    beside, folder, file = file, folder_beside(file, out), layout_in(file)
    # beside them stand figures of the build
    tech: Tech = origin_of(file, profile, process, mixes=True).resolved_tech()
    reference = netlist or file.with_suffix(".spice")
    if not reference.is_file():
        if beside.is_dir():  # as of every build that has lost a file
            raise FileError(f"{beside} holds no {reference.name}: not a complete build")
        raise click.UsageError(
            f"missing option '--netlist': there is no {reference}", click.get_current_context()
        )
    check_results_folder(folder)
    check_results(folder)
    # what takes long to load comes after what may be refused
    from ..analyse import stimulus
    from ..base.layout import open_layout
    from ..block_views import figures_in
    from ..extract import extract_network, net_capacitance
    from ..lvs import extract_layout
    from ..views import Known, check_block, netlist_of, write_views
    from ..views.write import set_of

    with console.steps():
        with console.step("extract devices"):
            opened = open_layout(file, tech.drawing, top)
            check_block(opened, tech)
            extracted = extract_layout(opened, tech, top)
        netlist_of(extracted, tech, reference)  # what is no macro is refused before minutes of work
        with console.step("extract wires") as step:
            network = extract_network(extracted, tech, progress=step)
        what = stimulus(network, tech, weights=weights, conductances=conductances)
        farad = {}
        if capacitance:
            with console.step("capacitance") as step:
                farad = net_capacitance(extracted, tech, engine=engine, progress=step)
        known = Known(network, farad, what, figures_in(file.parent), engine)
        with console.step("views"), together(folder, set_of(extracted.top_name)) as work:
            views = write_views(
                work, extracted, tech, reference, known,
                last_metal=last_metal, corners=corners, seed=seed,
            )  # fmt: skip
    for warning in views.warnings:
        console.note(warning)
    for name in views.files:
        console.say(str(folder / name))
    console.result({**views.to_json(), "folder": str(folder)})
    return FOUND if views.blocked else OK
