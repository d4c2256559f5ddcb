"""`crossstack inspect`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import OK
from ..console import Console, output_options
from ..named import EXISTING, EXISTING_OR_FOLDER, PROFILE_NAMES
from ..options import Temperature, process_option

if TYPE_CHECKING:
    from ..extract import NetCapacitance, NetSummary, Segment
    from ..extract.array.tiled import TiledArray
    from ..pdk import Tech
    from ..pdk.electromigration import CurrentLimits
    from ..solve.network.network import Network

#: nets that a line names
_NAMED = 6


@click.command("inspect")
@click.argument("network", type=EXISTING_OR_FOLDER)
@click.option("--net", "nets", multiple=True, help="Only these nets, e.g. 'TR*,C[3]'.")
@click.option("--to", help="With one net: the node at the other end (default: the farthest).")
@click.option("--layout", type=EXISTING, help="The network's layout: adds the capacitance.")
@click.option(
    "--temperature",
    cls=Temperature,
    limits=True,
    help="Temperature of the current limits in degree C (default: that of the wires, at least 85).",
)
@click.option("--bidirectional", is_flag=True, help="Current limits for both directions.")
@process_option
@click.option("--profile", type=PROFILE_NAMES, help="Post-process profile, without a manifest.")
@output_options
def command(
    network: Path,
    nets: tuple[str, ...],
    to: str | None,
    layout: Path | None,
    temperature: float | None,
    bidirectional: bool,
    process: str | None,
    profile: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show where the resistance of nets sits: a table, or one net segment by segment.

    NETWORK is a file by `crossstack extract` or the folder of a build. Each net is measured from
    its pin to the device that is farthest from it in ohm; lines of a macro from the edge of
    the array. "Carries" is the least current into the pin, all of it to one device, that
    brings a piece to its electromigration limit, whichever device that is. Of <stem>_array.npz,
    where `extract` met a large array, the row and column lines are shown.

    \b
    crossstack inspect gds_out/crossstack_10x10x2 --net 'TR*,C[3]'
    crossstack inspect gds_out/crossstack_10x10x2 --net 'TR[0]'
    """  # noqa: D301
    from ..base.errors import ConfigError
    from ..extract import inspect_net, net_summary, split_patterns
    from ..extract.reach import Reach
    from ..extract.sheet.rates import rates
    from ..layouts import wires_in
    from ..solve.network.network import Network

    console = Console(as_json, quiet)
    wires = wires_in(network, profile, process)
    path, loaded, tech = wires.path, wires.found, wires.tech
    for note in wires.notes:
        console.note(note)
    patterns = split_patterns(nets)
    if not isinstance(loaded, Network):
        if to is not None or layout is not None:
            raise ConfigError("--to and --layout need a network; this file holds arrays")
        return _array(console, path, loaded, patterns)
    limits = _limits(console, tech, temperature, bidirectional=bidirectional)
    chosen = _chosen(loaded, patterns)
    if to is not None and len(chosen) != 1:
        raise ConfigError(f"--to {to}: choose one net with --net, not {len(chosen)}")
    # what may be refused comes before anything is printed
    segments = inspect_net(loaded, chosen[0], to=to) if patterns and len(chosen) == 1 else None
    capacitance = _capacitance(console, layout, tech, patterns, loaded)
    with console.steps(), console.step("nets"):
        table = net_summary(
            loaded,
            tech,
            nets=set(chosen),
            sheets=rates(tech).sheet_ohm_sq,
            capacitance=capacitance,
            wire_limits=limits.wire_a_per_um,
            cut_limits=limits.cut_a,
        )
    if not table and len(chosen) != 1:
        raise ConfigError("none of these nets has a pin; choose a single one with --net")
    origins = {row.net: row.origin for row in table}
    value: dict[str, Any] = {
        "network": str(path),
        "notes": [*wires.notes],
        "conditions": tech.conditions.to_json(),
        "limits": {
            "temperature_c": limits.temperature_c,
            "bidirectional": bidirectional,
            "assumed": list(limits.assumed),
        },
        "nets": [row.to_json() for row in table],
    }
    if not table:
        origins[chosen[0]] = value["origin"] = Reach(loaded, chosen[0]).origin
    if segments is not None:
        value["segments"] = [_plain(s) for s in segments]
    for line in _lines(table, origins, segments, limits.assumed):
        console.say(line)
    console.result(value)
    return OK


def _lines(
    table: list[NetSummary],
    origins: Mapping[str, str],
    segments: list[Segment] | None,
    assumed: Collection[str],
) -> Iterator[str]:
    """Yield what is found of the nets, for people."""
    yield from _table(table) if table else ()
    yield from _origins(origins)
    yield from _unknown(table)
    yield from _segments(segments) if segments is not None else ()
    if weak := sorted({row.em_layer for row in table} & set(assumed)):
        yield f"limits of {', '.join(weak)} are assumed, not published"


def _limits(
    console: Console, tech: Tech, celsius: float | None, *, bidirectional: bool
) -> CurrentLimits:
    """Return the current limits at a temperature; None for that of the wires, if there are some."""
    from ..pdk.electromigration import current_limits

    wires = tech.conditions.temperature_c
    if celsius is None:
        celsius = max(tech.process.limits.temperatures_c[0], wires)
    # a temperature beyond the manual's is refused before it is remarked on
    found = current_limits(tech, celsius, bidirectional=bidirectional)
    if celsius < wires:
        console.note(f"current limits at {celsius:g} C, wires at {wires:g} C")
    return found


def _chosen(network: Network, patterns: list[str]) -> list[str]:
    """Return the nets with wires that match the patterns; without any, those with a pin."""
    from ..extract import matching

    wired = [network.nets[k] for k in sorted(set(network.resistor_net.tolist()))]
    if patterns:
        return matching(wired, patterns)
    return [name for name in wired if name in network.ports]


def _capacitance(
    console: Console, layout: Path | None, tech: Tech, patterns: list[str], network: Network
) -> dict[str, NetCapacitance]:
    """Return the capacitance of the nets, if their layout was given.

    Raises:
        ConfigError: if it is another layout: its wires are extracted and compared.
    """
    if layout is None:
        return {}
    from ..base.errors import ConfigError
    from ..base.layout import open_layout
    from ..extract import extract, net_capacitance, other_wires
    from ..extract.array.tiled import SUMS

    shapes = open_layout(layout, tech.drawing)
    with console.steps(), console.step("wires") as step:
        # as the network was: the tile engine sums up what the flat one keeps apart
        engine = "tile" if SUMS.intersection(network.layers) else "flat"
        found = extract(shapes, tech, engine=engine, progress=step).network
        if other := other_wires(network, found):
            raise ConfigError(f"--layout {layout} is not the layout of the network: {other}")
    with console.steps(), console.step("capacitance") as step:
        return net_capacitance(shapes, tech, nets=patterns or None, progress=step)


def _array(console: Console, path: Path, array: TiledArray, patterns: list[str]) -> int:
    """Show the lines of a tiled array."""
    from ..extract import array_lines, matching

    lines = {line.net: line for line in array_lines(array)}
    chosen = matching(list(lines), patterns) if patterns else list(lines)
    table = [lines[name].to_json() for name in chosen]
    console.say(f"{'net':<10}{'ohm':>12}{'median':>10}{'largest':>10}  at cell")
    for row in table:
        console.say(
            f"{row['net']:<10}{row['ohm']:>12.4f}{row['median_ohm']:>10.4f}"
            f"{row['largest_ohm']:>10.4f}  {row['largest_cell']}"
        )
    value: dict[str, Any] = {"array": str(path), "nets": table}
    if patterns and len(chosen) == 1:
        line = lines[chosen[0]]
        value["segments"] = [
            {"cell": cell, "ohm": float(ohm), "sum_ohm": float(total)}
            for cell, ohm, total in zip(
                line.cells, line.segments, line.segments.cumsum(), strict=True
            )
        ]
        console.say(f"\n{'to cell':<10}{'ohm':>10}{'sum ohm':>12}")
        for part in value["segments"]:
            console.say(f"{part['cell']:<10}{part['ohm']:>10.4f}{part['sum_ohm']:>12.4f}")
    console.result(value)
    return OK


def _table(rows: list[NetSummary]) -> list[str]:
    lines = [
        f"{'net':<10}{'ohm':>11}{'squares':>10}{'cuts':>7}{'narrowest':>11}{'C':>11}"
        f"{'carries':>11}  weakest    mostly in"
    ]
    for row in rows:
        most = sorted(row.by_layer_ohm.items(), key=lambda item: -item[1])[:3]
        share = ", ".join(f"{n} {100 * v / row.ohm:.0f}%" for n, v in most if row.ohm > 0)
        lines.append(
            f"{row.net:<10}{row.ohm:>11.4f}{sum(row.squares.values()):>10.2f}"
            f"{'-' if row.cuts is None else row.cuts:>7}"
            f"{_number(row.narrowest_um, 1, 'um'):>11}{_number(row.capacitance_f, 1e15, 'fF'):>11}"
            f"{_number(row.em_limit_a, 1e3, 'mA'):>11}  {row.em_layer or '-':<11}{share}"
        )
    return lines


def _origins(origins: Mapping[str, str]) -> Iterator[str]:
    """Yield what nets are measured from, where that is no pin that feeds them."""
    nets: dict[str, list[str]] = {}
    for net, origin in origins.items():
        if origin:
            nets.setdefault(origin, []).append(net)
    for origin, names in nets.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"measured from {origin}: {', '.join(names[:_NAMED])}{more}"


def _unknown(rows: list[NetSummary]) -> Iterator[str]:
    """Yield why dashes stand for widths, cuts and limits, and what brings the numbers."""
    if any(row.summed for row in rows):
        yield (
            "-: not known: these wires were extracted by the array's repeated cell, which gives "
            "their resistance only; `crossstack extract --engine flat`, which takes longer, also "
            "finds cuts, widths (narrowest, drawn) and the current that each net carries"
        )


def _segments(segments: list[Segment]) -> list[str]:
    lines = [
        "",
        f"{'from':<18}{'to':<18}{'layer':<14}{'ohm':>10}{'current':>9}{'adds ohm':>10}"
        f"{'sum ohm':>10}  drawn",
    ]
    total = 0.0
    for s in segments:
        total += s.share_ohm
        cuts = "1 cut" if s.cuts == 1 else f"{s.cuts:g} cuts"
        drawn = cuts if s.cuts == s.cuts else _number(s.width_um, 1, "um wide")
        lines.append(
            f"{s.a:<18}{s.b:<18}{s.layer:<14}{s.ohm:>10.4f}{100 * s.current:>8.1f}%"
            f"{s.share_ohm:>10.4f}{total:>10.4f}  {drawn}"
        )
    return lines


def _number(value: float, scale: float, unit: str) -> str:
    return "-" if value != value else f"{value * scale:.4g} {unit}"


def _plain(segment: Segment) -> dict[str, Any]:
    return {k: None if v != v else v for k, v in vars(segment).items()}
