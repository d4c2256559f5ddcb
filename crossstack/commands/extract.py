"""`crossstack extract`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..base.errors import FOUND, OK
from ..base.names import LINE
from ..base.spans import SHARE
from ..console import Console, output_options
from ..named import EXISTING
from ..options import (
    Temperature,
    capacitance_engine_option,
    check_results,
    check_results_folder,
    device_figures,
    device_option,
    folder_beside,
    layout_options,
    out_option,
)
from ..pdk.ranges import BIAS_UM, SHEET_OHM_SQ
from ..typed import NearChoice, Number

if TYPE_CHECKING:
    from ..base.layout import OpenedLayout
    from ..extract import Extraction, NetCapacitance
    from ..pdk import Conditions, Tech

#: couplings below this share of both nets' capacitance count as ground in the SPICE
LEAST_COUPLING = 0.01


@click.command("extract")
@layout_options
@click.option("--nets", "--net", multiple=True, help="Only these nets, e.g. 'TR*,C[3]'.")
@click.option(
    "--engine",
    type=NearChoice(["auto", "flat", "tile"]),
    default="auto",
    help="tile for regular arrays of any size, flat for everything else (default auto).",
)
@click.option(
    "--capacitance/--r-only",
    "--rc/ ",
    "capacitance",
    default=False,
    help="Find the capacitance of the nets, too; or resistance only (default).",
)
@capacitance_engine_option
@click.option(
    "--least-coupling",
    type=Number(SHARE),
    metavar="SHARE",
    help="Couplings below this share of both nets' capacitance count as ground in the SPICE "
    "(default 0.01; 0 keeps all).",
)
@click.option(
    "--spice/--no-spice",
    default=True,
    help="Write the SPICE netlist (default), which takes most of the time of a large array.",
)
@click.option("--hierarchical", is_flag=True, help="SPICE with the wires of equal nets once.")
@click.option("--spef", is_flag=True, help="Write <stem>.spef as well.")
@click.option("--bsim", is_flag=True, help="Transistors in the SPICE as the foundry's BSIM models.")
@click.option(
    "--memristor",
    type=EXISTING,
    metavar="MODEL.lib",
    help="Memristors in the SPICE as calls of a subcircuit in this file.",
)
@click.option(
    "--subckt",
    metavar="NAME",
    help="The subcircuit, of two nodes: row side, column side (default: the file's only one).",
)
@click.option("--corner", type=NearChoice(["typ", "min", "max"]), help="Resistance corner.")
@click.option(
    "--temperature",
    "--temperature-c",
    "temperature_c",
    cls=Temperature,
    help="Temperature of wires and transistors in degree C (default 25).",
)
@click.option(
    "--sheet",
    multiple=True,
    metavar="FILM=OHM",
    help=f"Sheet resistance of a film: {SHEET_OHM_SQ.ends}, e.g. ME=0.8.",
)
@click.option(
    "--bias",
    multiple=True,
    metavar="FILM=UM",
    help=f"Growth of a film's lines per edge: {BIAS_UM.ends}, e.g. ME=-0.05.",
)
@device_option
@out_option(
    "Folder for <stem>_network.npz and <stem>_extracted.spice (default: beside FILE; of a build, "
    "here)."
)
@output_options
def command(
    file: Path,
    top: str | None,
    process: str | None,
    profile: str | None,
    nets: tuple[str, ...],
    engine: str,
    capacitance: bool,
    c_engine: str | None,
    least_coupling: float | None,
    spice: bool,
    spef: bool,
    bsim: bool,
    memristor: Path | None,
    subckt: str | None,
    corner: str | None,
    temperature_c: float | None,
    sheet: tuple[str, ...],
    bias: tuple[str, ...],
    device: tuple[str, ...],
    hierarchical: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find the resistance of every wire, via and contact between devices and pins.

    FILE is any GDS or OASIS of this process, or the folder of a build.

    Leaves the network for `crossstack solve` and a SPICE netlist of devices and wires. Of an
    array above 600 x 600 cells, whose nodes have no names, it leaves <stem>_array.npz, and a
    netlist in which cells and rows that are alike stand once. What an earlier run left there of
    the same layout goes, so that network and netlists are of one extraction.

    Exit code 1: every memristor was left out, or the layout draws on layers that the process does
    not know and its cuts, labels or lines end in nothing.

    \b
    crossstack extract wide.gds
    crossstack extract gds_out/crossstack_10x10x2 --rc --corner max
    """  # noqa: D301
    from ..base.errors import ConfigError
    from ..base.layout import open_layout
    from ..layouts import layout_in, origin_of
    from ..pdk.memristor import merged

    console = Console(as_json, quiet)
    folder, file = folder_beside(file, out), layout_in(file)
    origin = origin_of(file, profile, process)
    at = _conditions(origin.tech, corner, temperature_c, sheet, bias)
    at = replace(at, device=merged(at.device, device_figures(device)))
    tech = replace(origin, tech=at).resolved_tech()
    # what takes long to load comes after what may be refused
    from ..extract import Bsim, read_model, split_patterns
    from ..extracted_files import ENDS, write_extraction

    capacitance = capacitance or _wants_capacitance(c_engine)
    if least_coupling is not None and not capacitance:
        raise ConfigError("--least-coupling belongs to --rc")
    if not spice:
        _check_no_spice(
            hierarchical=hierarchical, bsim=bsim, memristor=memristor,
            least_coupling=least_coupling is not None,
        )  # fmt: skip
    chosen = split_patterns(nets) or None
    if nets and not chosen:
        raise ConfigError(f"--nets {nets[0]!r} names no net; write it as e.g. 'TR*,C[3]'")
    if subckt is not None and memristor is None:
        raise ConfigError(f"--subckt {subckt} needs --memristor, the file that defines it")
    model = None if memristor is None else read_model(memristor, subckt, folder)
    if model is not None and model.remark:
        console.note(model.remark)
    opened = open_layout(file, tech.drawing, top)
    check_results_folder(folder)
    check_results(folder, *(f"{file.stem}{end}" for end in ENDS))
    found, farad = _extracted(
        console, opened, tech, top, chosen, engine,
        capacitance=capacitance, c_engine=c_engine or "formula",
    )  # fmt: skip
    found.report.warnings[:0] = origin.notes
    for warning in found.report.warnings:
        console.note(warning)
    console.say(f"{tech.name}, {tech.conditions.text}")
    if least_coupling is not None and _too_large(found):
        raise ConfigError(
            f"--least-coupling is {least_coupling:g}: of so many cells every coupling but "
            "those across memristors counts as ground; leave it out"
        )
    value = write_extraction(
        console, folder / file.stem, found, tech, farad,
        spice=spice, spef=spef, bsim=Bsim(tech) if bsim else None, hierarchical=hierarchical,
        model=model, cell=opened.top.name,
        least_coupling=LEAST_COUPLING if least_coupling is None else least_coupling,
    )  # fmt: skip
    if as_json:
        console.result({**value, "extraction": found.report.to_json()})
    lost = None if _too_large(found) else _lost(found, tech.name)
    if lost:
        console.note(lost)
    return FOUND if lost else OK


def _wants_capacitance(engine: str | None) -> bool:
    """Return whether an engine for capacitances asks for them; refuse one with --r-only."""
    from ..base.errors import ConfigError

    if engine is None:
        return False
    said = click.get_current_context().get_parameter_source("capacitance")
    if said is not ParameterSource.DEFAULT:
        raise ConfigError(f"--r-only finds no capacitance: leave out --capacitance-engine {engine}")
    return True


def _check_no_spice(**wanted: object) -> None:
    """Refuse options of a netlist that is not written."""
    from ..base.errors import ConfigError

    for name, value in wanted.items():
        if value:
            option = "--" + name.replace("_", "-")
            raise ConfigError(f"{option} is for the SPICE netlist: leave out it or --no-spice")


def _lost(found: Extraction, process: str) -> str:
    """Return a line on a network that is not that of the layout; empty for one that may well be.

    Shapes on layers that the process does not know are a user's marks, unless what it knows has
    lost something: a cut or label its metal, an array its memristors.
    """
    network, remarks = found.network, found.report.warnings
    unknown = next((text for text in remarks if text.startswith("unknown layers")), "")
    bare = not len(network.memristor_row)
    way = f"a layout of another process than {process}? name it with --process"
    if unknown:
        ends = sum("end in nothing" in text or text.startswith("label: ") for text in remarks)
        layers = unknown.rpartition(": ")[2]
        if bare and any(map(LINE.fullmatch, network.ports)):
            return f"rows or columns, but no memristor, and unknown layers ({layers}): {way}"
        if ends:
            return f"cuts or labels on no metal, and unknown layers ({layers}): {way}"
    if bare and any("memristor" in text for text in network.left_out.devices):
        return f"every memristor of the layout is left out of the network; {way}"
    return ""


def _extracted(
    console: Console,
    opened: OpenedLayout,
    tech: Tech,
    top: str | None,
    nets: list[str] | None,
    engine: str,
    *,
    capacitance: bool,
    c_engine: str,
) -> tuple[Extraction, dict[str, NetCapacitance]]:
    """Return wires, and the capacitance of nets if asked for."""
    from ..extract import extract, net_capacitance, prefers_tiles
    from ..extract.field.array import array_capacitance

    source: Any = opened
    with console.steps():
        # the tile engine finds the devices of its samples itself
        if top is not None or not prefers_tiles(
            source, tech, engine=engine, nets=nets, capacitance=capacitance
        ):
            from ..lvs import extract_layout

            with console.step("extract devices"):
                source = extract_layout(source, tech, top)
        with console.step("extract wires") as step:
            found = extract(
                source, tech, nets=nets, engine=engine, capacitance=capacitance, progress=step
            )
        if not capacitance:
            return found, {}
        with console.step("capacitance") as step:
            if _too_large(found):
                farads = array_capacitance(
                    opened.layout, opened.top, tech, engine=c_engine, progress=step
                )
                return found.with_farads(farads), {}
            return found, net_capacitance(source, tech, nets=nets, engine=c_engine, progress=step)


def _too_large(found: Extraction) -> bool:
    """Return whether an array has no network with named nodes."""
    return found.array is not None and not found.array.fits_network


def _conditions(
    built: Conditions,
    corner: str | None,
    temperature_c: float | None,
    sheet: tuple[str, ...],
    bias: tuple[str, ...],
) -> Conditions:
    """Return how a layout was built, with what the command line says instead."""
    from ..config import conditions_of

    chosen = built.chosen()
    given = {"corner": corner, "temperature_c": temperature_c}
    chosen |= {key: value for key, value in given.items() if value is not None}
    chosen["sheet_resistance_ohm_sq"] |= _by_film("--sheet", sheet, "ME=0.8")
    chosen["size_bias_um"] |= _by_film("--bias", bias, "ME=-0.05")
    return conditions_of(chosen, device=built.device)


def _by_film(flag: str, pairs: tuple[str, ...], example: str) -> dict[str, float]:
    """Return film -> value of texts such as ME=0.8."""
    from ..base.decimals import decimal
    from ..base.errors import ConfigError

    found: dict[str, float] = {}
    for pair in pairs:
        film, _, text = pair.partition("=")
        if film in found:
            raise ConfigError(f"{flag} names {film} twice")
        try:
            found[film] = decimal(text)
        except ValueError:
            told = f"{flag} {pair}: write it as FILM=NUMBER, e.g. {example}"
            raise ConfigError(told) from None
    return found
