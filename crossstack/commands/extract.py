"""`crossstack extract`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ..cli import OK
from ..console import Console, output_options
from ..options import layout_options, out_option


@click.command("extract")
@layout_options
@click.option("--net", "nets", multiple=True, help="Only these nets, e.g. 'TR*'; may be repeated.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "flat", "tile"]),
    default="auto",
    help="tile for regular arrays of any size, flat for everything else (default auto).",
)
@click.option("--capacitance", is_flag=True, help="Find the capacitance of the nets, too.")
@click.option("--spef", is_flag=True, help="Write <stem>.spef as well.")
@click.option("--corner", type=click.Choice(["typ", "min", "max"]), help="Resistance corner.")
@click.option("--temperature-c", type=float, help="Temperature of the wires in degree C.")
@click.option("--sheet", multiple=True, metavar="FILM=OHM", help="Sheet resistance, e.g. ME=0.8.")
@out_option("Folder for <stem>_network.npz and <stem>_extracted.spice (default: beside FILE).")
@output_options
def command(
    file: Path,
    top: str | None,
    profile: str | None,
    nets: tuple[str, ...],
    engine: str,
    capacitance: bool,
    spef: bool,
    corner: str | None,
    temperature_c: float | None,
    sheet: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find the resistance of every wire, via and contact between devices and pins.

    Leaves the network for `crossstack solve` and a SPICE netlist of devices and wires.
    """
    from ..config import TechOptions
    from ..extract import extract, net_capacitance, write_spef, write_spice
    from ..files import together
    from ..layouts import open_layout, origin_of
    from ..lvs import extract_layout
    from ..nets import net_table

    console = Console(as_json, quiet)
    origin = origin_of(file, profile)
    changed = {**origin.tech.sheet_resistance_ohm_sq, **_sheets(sheet)}
    options = TechOptions(
        changed,
        corner or origin.tech.corner,
        origin.tech.temperature_c if temperature_c is None else temperature_c,
    )
    tech = replace(origin, tech=options).resolved_tech()
    folder = out or file.parent
    layout = open_layout(file, tech, top)
    with console.steps():
        with console.step("extract devices"):
            extracted = extract_layout(layout, tech, top)
        with console.step("extract wires") as step:
            found = extract(
                extracted,
                tech,
                nets=list(nets) or None,
                engine=engine,
                corner=options.corner,
                temperature_c=options.temperature_c,
                progress=step,
            )
        farad = {}
        if capacitance:
            with console.step("capacitance") as step:
                farad = net_capacitance(extracted, tech, nets=list(nets) or None, progress=step)
    network = found.network
    for warning in found.report.warnings:
        console.note(warning)
    target, spice = folder / f"{file.stem}_network.npz", folder / f"{file.stem}_extracted.spice"
    with together(folder) as work:
        network.save(work / target.name)
        total = {name: net.total_f for name, net in farad.items()}
        write_spice(network, tech, work / spice.name, capacitance=farad)
        if spef:
            write_spef(network, work / f"{file.stem}.spef", capacitance=farad, design=file.stem)
    counts = {
        "nodes": network.n_nodes,
        "resistors": len(network.resistor_ohm),
        "memristors": len(network.memristor_row),
        "transistors": len(network.switch_a),
        "ports": len(network.ports),
    }
    console.say(f"{file.name}: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    console.say(f"  {target}\n  {spice}")
    if as_json:
        console.result(
            {
                **counts,
                "network": str(target),
                "spice": str(spice),
                "nets": net_table(network, total),
                "extraction": found.report.to_json(),
            }
        )
    return OK


def _sheets(pairs: tuple[str, ...]) -> dict[str, float]:
    from ..errors import ConfigError

    found = {}
    for pair in pairs:
        film, _, text = pair.partition("=")
        try:
            found[film] = float(text)
        except ValueError:
            raise ConfigError(f"--sheet {pair}: write it as FILM=OHM, e.g. ME=0.8") from None
    return found
