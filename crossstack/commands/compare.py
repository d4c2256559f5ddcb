"""`crossstack compare`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..array_options import macro_options
from ..base.errors import FOUND, OK
from ..base.spans import SEED
from ..console import Console, output_options
from ..options import limits_line, limits_option, out_option, within
from ..typed import Whole

if TYPE_CHECKING:
    from ..comparison.bare import BareStudies
    from ..comparison.results import Comparison


@click.command("compare")
@macro_options
@click.option(
    "--seed",
    type=Whole(SEED),
    default=1,
    show_default=True,
    help="Seed of the random pattern.",
)
@limits_option
@out_option("Folder for the results (default gds_out/compare_<rows>x<cols>).")
@output_options
def command(
    config: Path | None,
    out: Path | None,
    seed: int,
    limits: str,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Compare the stacked macro with planar and passive ones, beside the paper's figures.

    Generates, verifies and extracts an N x M x 2 macro and its baselines (2N x M x 1 and
    2N x 2N x 1 planar with the same cell, wires and switches; passive ones), solves them on the
    same inputs and weights, and reports what is counted. Deep-net mode is run slot by slot.

    \b
    crossstack compare --rows 10 --cols 10
    """  # noqa: D301
    from ..base.errors import ConfigError
    from ..config import config_of, read_values

    console = Console(as_json, quiet)
    if options.get("cell") not in (None, "hybrid"):
        raise ConfigError("--cell does not apply: compare draws every cell that it needs")
    if options.get("top") not in (None, "macro"):
        raise ConfigError("--top does not apply: compare draws macros, with their switches")
    if options.get("kelvin") is None:
        options["kelvin"] = True  # the Kelvin view needs its taps drawn
    options["top"] = "macro"
    values = read_values(config, options)
    if values.get("cell") not in (None, "hybrid"):
        raise ConfigError("cell does not apply: compare draws every cell that it needs")
    with values.named():
        _refuse_one_tier(values)
    with values.named():
        run = config_of(values)
    # what takes long to load comes after what may be refused
    from ..built import json_of
    from ..comparison.run import compare

    folder = out or Path("gds_out") / f"compare_{run.spec.rows}x{run.spec.cols}"
    with values.named():
        value = compare(run, folder, seed, console)
    for line in (folder / "compare.md").read_text(encoding="utf-8").splitlines():
        console.say(line)
    for line in _summary(value):
        console.say(line)
    verdict = "passed: rules, netlists" if value.proved else "FAILED: rules, netlists"
    writes = value.write_voltages
    judged = "; ".join(each.text for each in (value.limits, writes) if each is not None)
    console.say(f"\n{verdict}; stacked macro: {judged}")
    fit = within(limits, value.limits.to_json(), json_of(writes))
    if limits == "fail":
        console.say(limits_line(fit, "comparison"))
    console.say(f"written to {folder}")
    console.result(value.to_json())
    return OK if value.proved and fit else FOUND


def _refuse_one_tier(values: Mapping[str, Any]) -> None:
    """Refuse a process whose module has no second tier: there is nothing stacked to compare.

    Raises:
        ParameterError: naming the process.
    """
    from ..base.errors import ParameterError
    from ..pdk import get_tech
    from ..pdk.home import DEFAULT, process_folder, process_names

    process = values.get("process", DEFAULT)
    if process == DEFAULT:
        return

    def stacked(name: str) -> bool:
        return len(get_tech(process=name).module.tiers) > 1

    process_folder(process)
    if not stacked(process):
        module = get_tech(process=process).module
        allowed = (
            f"{' or '.join(filter(stacked, process_names()))}, or a folder: compare sets two "
            f"stacked tiers against one, and module {module.name} has one"
        )
        raise ParameterError("process", process, allowed)


def _summary(value: Comparison) -> list[str]:
    lines = ["Counted:"]
    lines += [f"  {key:<7} {text}" for key, text in value.counted.items()]
    lines += [f"  {key:<7} {text}" for key, text in value.patterns.items()]
    sweep = value.sweep
    if sweep.drawn_ratio:
        needed = sweep.ratio_for_paper
        lines.append(
            f"Row wire over column wire is {sweep.drawn_ratio:.3f} as drawn; 22 % needs "
            + (f"{needed:.2f}" if needed else "more than was swept")
            + f" (theory for bare wires: {sweep.theory_ratio:.2f})."
        )
    lines += _bare_lines(value.bare)
    deep = value.deep_net
    if deep.slots and deep.write_voltages is not None:
        parts = "wires and transistors"
        if deep.compliance_a is not None:
            parts = "wires, transistors and the write drivers' limit"
        worst = max(deep.slots, key=lambda s: s.disturb_a)
        lines.append(
            f"Deep-net: writing changes the other columns' currents by {worst.disturb_a:.2e} A "
            f"at most (bound by off-state leakage: {worst.leak_bound_a:.2e} A); half-selected "
            f"devices see {max(s.half_selected_v for s in deep.slots):.2e} V; {parts} take "
            f"{max(s.loss for s in deep.slots):.1%} of the write voltage."
        )
        lines.append(f"Writes: {deep.write_voltages.line}.")
    return lines + _timing_lines(deep.overlap)


def _bare_lines(bare: BareStudies) -> list[str]:
    """Return which drawn array gives the paper's figure."""
    if bare.select_w is None or (width := bare.select_w.width_for_paper_um) is None:
        return []
    row = next(r for r in bare.select_w.rows if r.select_w_um == width).losses["all"]
    return [
        f"Bare arrays, everything counted: select transistors of {width:g} um give "
        f"{row.reduction:.1%} less at the worst device ({row.planar:.2%} to "
        f"{row.stacked:.2%})."
    ]


def _timing_lines(timing: Mapping[str, Any]) -> list[str]:
    from ..analyse.timing import slot_words

    lines = [
        f"Read settles in {timing['settle_s'] * 1e9:.3g} ns per bit; "
        f"{timing['counted']}. Gain by overlap (paper: 29 %):"
    ]
    lines += [
        f"  pulse {r['pulse'] * 1e9:6.0f} ns   time -{r['time_reduction']:6.1%}   "
        f"speed +{r['speed_up']:6.1%}"
        for r in timing["over_pulse"]
    ]
    needed = {
        name: " or ".join(f"{pulse * 1e9:.1f}" for pulse in pulses)
        for name, pulses in timing["pulse_for_paper_s"].items()
    }
    lines.append(
        f"  A 29 % shorter run time needs a pulse of {needed['time_reduction']} ns per "
        f"{slot_words(timing)}; 29 % higher speed needs {needed['speed_up']} ns."
    )
    return lines
