"""`crossstack measure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.decimals import whole_decimal
from ..base.errors import OK
from ..base.spans import BAR, SEED
from ..console import Console, output_options
from ..named import EXISTING, PROFILE_NAMES
from ..options import Temperature, check_results, out_option, process_option
from ..typed import Whole

if TYPE_CHECKING:
    from ..lab import Figure, Reading
    from ..pdk import Tech

#: figures that a configuration takes in its section ``tech:``
_OF_TECH = ("sheet_resistance_ohm_sq", "size_bias_um")


@click.command("measure")
@click.option("--readings", type=EXISTING, help="CSV of an instrument's readings.")
@click.option("--simulate", is_flag=True, help="Measure the monitors' extraction instead.")
@click.option("--truth", type=EXISTING, help="With --simulate: YAML whose `tech:` is the truth.")
@click.option(
    "--seed",
    type=Whole(SEED),
    default=0,
    show_default=True,
    help="With --simulate: seed of the noise.",
)
@click.option(
    "--overlay", multiple=True, metavar="MASK,AXIS,BAR",
    help=f"Bar of a vernier that coincides, {BAR.ends}, e.g. VME,x,-2; may be repeated.",
)  # fmt: skip
@click.option("--plan", type=EXISTING, help="Layout of a test chip: where its probe pads are.")
@click.option(
    "--temperature", cls=Temperature,
    help="Temperature of the chuck in degree C (default: that of the readings; 25 with "
    "--simulate).",
)  # fmt: skip
@process_option
@click.option(
    "--profile", type=PROFILE_NAMES, help="Post-process profile (default: that of the readings)."
)
@out_option("Folder for readings.csv, measured.json, measured.yaml and probe_plan.csv.", Path())
@output_options
def command(
    readings: Path | None,
    simulate: bool,
    truth: Path | None,
    seed: int,
    overlay: tuple[str, ...],
    plan: Path | None,
    temperature: float | None,
    process: str | None,
    profile: str | None,
    out: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find the process's own figures from the monitors of a test chip.

    A Greek cross gives each film's sheet resistance, a line on four terminals by how much what is
    drawn grows, a chain the resistance of a via, each with its error. measured.yaml holds them
    as `tech:` of a build, which then uses the lab's own numbers.

    \b
    crossstack measure --plan chip.gds              # where the probe card goes
    crossstack measure --readings readings.csv      # the figures of a die
    crossstack measure --simulate --truth lab.yaml  # the extraction as instrument
    """  # noqa: D301
    from ..base.errors import ConfigError
    from ..base.files import together, write_json
    from ..base.outputs import write_text
    from ..lab import evaluate, overlay_figures, plan_csv, probe_plan, write_readings
    from ..pdk import NoRuleError, ParameterError
    from ..pdk.conditions import REFERENCE_C

    console = Console(as_json, quiet)
    if sum((readings is not None, simulate)) != 1 and plan is None and not overlay:
        raise click.UsageError("say --readings FILE, --simulate, --plan LAYOUT or --overlay")
    if readings is not None and simulate:
        raise click.UsageError("--readings and --simulate exclude each other")
    if truth is not None and not simulate:
        raise click.UsageError("--truth is what --simulate measures")
    check_results(out, "readings.csv", "measured.json", "measured.yaml", "probe_plan.csv")
    taken = _file(readings)
    tech = _tech(console, plan, process, profile, taken, readings)
    with console.steps(), console.step("monitors") as step:
        try:
            if simulate:
                taken = _simulated(console, tech, truth, temperature, seed, step)
            temperature = _chuck(taken, temperature, readings)
            temperature = REFERENCE_C if temperature is None else temperature
            figures = evaluate(taken, tech, temperature) if taken else []
            figures += overlay_figures(_bars(overlay), tech)
            rows = probe_plan(plan, tech) if plan is not None else []
        except NoRuleError as error:
            allowed = f"a process whose rules.csv says how pads are drawn, for monitors: {error}"
            raise ParameterError("--process", tech.process.name, allowed) from None
    if plan is not None and not rows:
        raise ConfigError(f"--plan {plan}: holds none of the monitors that a test chip has")
    value: dict[str, Any] = {
        "process": tech.name, "profile": tech.profile.name, "temperature_c": temperature,
        "figures": [figure.to_json() for figure in figures], "probe_plan": rows,
    }  # fmt: skip
    for_a_build = any(figure.name in _OF_TECH for figure in figures)
    # limits that these figures do not have would be those of earlier ones
    with together(out, ("measured.yaml",) if figures else ()) as work:
        if simulate:
            write_readings(work / "readings.csv", taken)
        if figures:
            write_json(work / "measured.json", value)
        if for_a_build:
            write_text(work / "measured.yaml", _yaml(figures, temperature))
        if plan is not None:
            write_text(work / "probe_plan.csv", plan_csv(rows))
    _say(console, figures, rows, out, for_a_build)
    console.result(value)
    return OK


def _file(path: Path | None) -> list[Reading]:
    from ..lab import read_readings

    return read_readings(path) if path is not None else []


def _tech(
    console: Console,
    plan: Path | None,
    process: str | None,
    profile: str | None,
    taken: list[Reading],
    path: Path | None,
) -> Tech:
    """Return the process as drawn: of the layout where one is given, else as readings say.

    Raises:
        ConfigError: if the readings are of several profiles, or of another one.
    """
    from ..base.errors import ConfigError
    from ..pdk import DEFAULT, profile_names

    said = sorted({reading.profile for reading in taken} - {""})
    if len(said) > 1:
        raise ConfigError(f"{path}: readings of several profiles ({', '.join(said[:4])})")
    if said and plan is None and said[0] in profile_names(process or DEFAULT):
        profile = profile or said[0]
    tech = _drawn(console, plan, process, profile)
    if said and said[0] != tech.profile.name:
        raise ConfigError(f"profile {tech.profile.name}: {path} was measured on {said[0]}")
    return tech


def _drawn(console: Console, plan: Path | None, process: str | None, profile: str | None) -> Tech:
    from ..layouts import origin_of
    from ..pdk import DEFAULT, get_tech

    if plan is not None:
        origin = origin_of(plan, profile, process)
        for note in origin.notes:
            console.note(note)
        return origin.resolved_tech()
    return get_tech(profile or "", process or DEFAULT)


def _simulated(
    console: Console,
    tech: Tech,
    truth: Path | None,
    temperature: float | None,
    seed: int,
    step: Any,
) -> list[Reading]:
    """Return the readings of the simulated instrument."""
    from dataclasses import replace

    from ..lab import Simulated, beyond_corners, measure
    from ..pdk.conditions import REFERENCE_C

    at = REFERENCE_C if temperature is None else temperature
    made = tech.at(replace(_truth(truth, tech), temperature_c=at))
    for text in beyond_corners(made.conditions.sheet_resistance_ohm_sq, tech):
        console.note(f"{truth}: {text}")
    instrument = Simulated(made, seed=seed)
    return measure(instrument, temperature_c=at, progress=step, profile=tech.profile.name)


def _chuck(taken: list[Reading], asked: float | None, path: Path | None) -> float | None:
    """Return the temperature at which readings were taken.

    Raises:
        ConfigError: if they are of several, or of another than was asked for.
    """
    from ..base.errors import ConfigError

    found = sorted({reading.temperature_c for reading in taken})
    if len(found) > 1:
        shown = ", ".join(f"{at:g}" for at in found[:4])
        raise ConfigError(f"{path}: readings at several temperatures ({shown} C): one file each")
    if found and asked not in (None, found[0]):
        raise ConfigError(f"--temperature {asked:g}: {path} was measured at {found[0]:g} C")
    return found[0] if found else asked


def _truth(path: Path | None, tech: Tech) -> Any:
    from ..base.documents import read_yaml
    from ..base.errors import ConfigError
    from ..config import Values, conditions_of

    if path is None:
        return tech.conditions
    found = read_yaml(path)
    value, places = found.values, {k: f"{path}, line {line}" for k, line in found.lines.items()}
    if not isinstance(value, dict) or set(value) != {"tech"}:
        raise ConfigError(f"{path}: holds one section, tech:, with sheet resistances and biases")
    if isinstance(value["tech"], dict) and "temperature_c" in value["tech"]:
        told = "the temperature of the chuck is --temperature"
        where = places["tech.temperature_c"]
        raise ConfigError(f"{where}: tech.temperature_c is not of the process: {told}")
    with Values({}, places).named():
        return conditions_of(value["tech"], tech.process.name, None)


def _bars(texts: tuple[str, ...]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for text in texts:
        try:
            mask, axis, number = map(str.strip, text.split(","))
            mask, bar = mask.upper(), whole_decimal(number)
        except ValueError:
            told = f"--overlay {text!r} is not MASK,AXIS,BAR, e.g. VME,x,-2"
            raise click.UsageError(told) from None
        if (mask, axis) in found:
            raise click.UsageError(f"--overlay names {mask},{axis} twice")
        found[mask, axis] = bar
    return found


def _yaml(figures: list[Figure], temperature: float) -> str:
    """Return the figures that a configuration takes as its section ``tech:``."""
    lines = [f"# measured at {temperature:g} C; sheet resistances are those at 25 C", "tech:"]
    for name in _OF_TECH:
        chosen = [figure for figure in figures if figure.name == name]
        lines += [f"  {name}:"] if chosen else []
        lines += [f"    {f.of}: {f.value:.6g}  # +- {f.error:.2g}" for f in chosen]
    others = [f for f in figures if f.name not in _OF_TECH]
    lines += [
        f"# {f.name} of {f.of}: {f.value:.6g} +- {f.error:.2g} {f.unit} at {temperature:g} C"
        for f in others
    ]
    return "\n".join(lines) + "\n"


def _say(
    console: Console,
    figures: list[Figure],
    rows: list[dict[str, Any]],
    out: Path,
    for_a_build: bool,
) -> None:
    for f in figures:
        if f.remark:
            console.note(f.remark)
        expected = f", expected {f.expected:.4g}" if f.name != "size_bias_um" else ""
        console.say(f"{f.of:6} {f.name:24} {f.value:.5g} +- {f.error:.2g} {f.unit}{expected}")
    if rows:
        console.say(f"{len(rows)} steps of the probe card: {out / 'probe_plan.csv'}")
    if for_a_build:
        console.say(f"section tech: for the next build, written to {out / 'measured.yaml'}")
    elif figures:
        console.say(
            f"nothing for the section tech: of the next build; values: {out / 'measured.json'}"
        )
