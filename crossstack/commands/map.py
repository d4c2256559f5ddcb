"""`crossstack map`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import OK
from ..base.spans import BITS_OR_NONE, OHM, PULSES, SEED, SHARE, SIGMA_LN_G, TILE, Span
from ..base.units import counted
from ..console import Console, output_options
from ..named import EXISTING, EXISTING_OR_FOLDER
from ..options import jobs_options, mode_option, out_option, process_option
from ..typed import NearChoice, Number, Whole

if TYPE_CHECKING:
    from ..mapping.arrays import Array

#: file that a result of this command has
MARKER = "map.json"


@click.command("map")
@click.argument("model", type=EXISTING)
@click.option(
    "--data",
    type=EXISTING,
    required=True,
    help="An .npz of inputs x and classes y, and for --retrain x_train and y_train.",
)
@click.option(
    "--wires",
    type=EXISTING_OR_FOLDER,
    multiple=True,
    help="Network file or build folder whose array is every tile; may be repeated: all are tried.",
)
@click.option(
    "--tile",
    metavar="RxC",
    help=f"Without --wires: rows and columns of a stacked array, each {TILE.ends}; planar ones of "
    "twice the rows are tried beside it (default 32x32).",
)
@click.option(
    "--row-ohm",
    type=Number(OHM),
    help="Without --wires: resistance of a row line from one cell to the next (default 0.2 ohm).",
)
@click.option(
    "--column-ohm",
    type=Number(OHM),
    help="Without --wires: resistance of a column line from one cell to the next (default 1.2 "
    "ohm).",
)
@click.option(
    "--drive-ohm",
    type=Number(OHM),
    help="Without --wires: resistance between each source and its row line (default 0 ohm).",
)
@click.option(
    "--sense-ohm",
    type=Number(OHM),
    help="Without --wires: resistance between each column line and ground (default 0 ohm).",
)
@mode_option
@click.option("--read-tier", type=NearChoice(["bottom", "top"]), help="Tier that computes.")
@click.option(
    "--pairs",
    type=NearChoice(["columns", "tiers"]),
    default="columns",
    show_default=True,
    help="Where the positive and the negative part of a weight are.",
)
@click.option(
    "--levels",
    type=Whole(Span(0, 2**24, whole=True)),
    default=0,
    help="Conductances that a device can be set to; 0, the default: any value.",
)
@click.option(
    "--dac-bits",
    type=Whole(BITS_OR_NONE),
    default=0,
    help="Bits of the converters that drive the rows; 0, the default: inputs are not rounded.",
)
@click.option(
    "--bit-serial",
    is_flag=True,
    help="Apply the inputs one bit after the other, as many as --dac-bits says.",
)
@click.option(
    "--adc-bits",
    type=Whole(BITS_OR_NONE),
    default=0,
    help="Bits of the converters that read column currents, 2 or more; 0, the default: currents "
    "are not rounded.",
)
@click.option(
    "--read-noise",
    type=Number(SHARE),
    default=0.0,
    help="Standard deviation of a column current, as a share of the largest current of one device "
    "(default 0).",
)
@click.option(
    "--sigma",
    type=Number(SIGMA_LN_G),
    help="With --samples: standard deviation of ln G from device to device (default: the "
    "device's).",
)
@click.option(
    "--samples",
    type=Whole(Span(0, 1000, whole=True)),
    default=0,
    help="Chips with randomly spread devices to evaluate (default 0).",
)
@click.option(
    "--retrain",
    type=Whole(Span(0, 1000, whole=True)),
    default=0,
    help="Retrain the network for so many epochs with the wires in the loop (default 0).",
)
@click.option(
    "--rate",
    type=Number(Span(0, above=True)),
    default=1e-3,
    show_default=True,
    help="Learning rate of --retrain (Adam).",
)
@click.option(
    "--program",
    is_flag=True,
    help="Write each device by pulses and read it after each, as a chip is programmed.",
)
@click.option(
    "--tolerance",
    type=Number(PULSES["tolerance"]),
    help="With --program: a device is written when its conductance is within this share of the "
    "span from smallest to largest (default 0.02).",
)
@click.option(
    "--pulses",
    type=Whole(PULSES["pulses"]),
    help="With --program: most pulses for one device (default 100).",
)
@click.option(
    "--pulse-s",
    type=Number(PULSES["pulse_s"]),
    help="With --program: length of a pulse in s (default 1e-8).",
)
@click.option(
    "--step-v",
    type=Number(PULSES["step_v"]),
    help="With --program: how much higher each pulse is than the last, in V (default 0.03).",
)
@click.option(
    "--write-v",
    type=Number(PULSES["write_v"]),
    help="With --program: largest voltage of a write driver in V (default: the device's).",
)
@click.option(
    "--rows-at-once",
    type=Whole(PULSES["rows"]),
    help="With --program: rows of a column that are written at a time (default: the device's "
    "write_rows).",
)
@click.option(
    "--threshold-sigma",
    type=Number(PULSES["threshold_sigma"]),
    help="With --program: standard deviation of the devices' threshold voltages, as a share of "
    "them (default 0.05).",
)
@click.option(
    "--pulse-sigma",
    type=Number(PULSES["pulse_sigma"]),
    help="With --program: standard deviation of ln of what a pulse changes (default 0.1).",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="LAYER",
    help="Layer of the network that stays digital, by name; may be repeated.",
)
@click.option(
    "--seed",
    type=Whole(SEED),
    default=0,
    help="Seed of all random numbers: equal seeds, equal results (default 0).",
)
@jobs_options
@process_option
@out_option(f"Folder for {MARKER} (default: nothing is written).")
@output_options
def command(
    model: Path,
    data: Path,
    wires: tuple[Path, ...],
    mode: str,
    process: str | None,
    samples: int,
    retrain: int,
    rate: float,
    keep: tuple[str, ...],
    seed: int,
    jobs: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Map a trained network to arrays: what of its accuracy is left.

    MODEL is an ONNX file (.onnx; needs crossstack[onnx]) of one input and one output, whose
    branches may join again, or what torch.save(model, path) stores of PyTorch's own layers, one
    after the other, in Sequentials as deep as they are nested: linear, convolution, activation,
    pooling, normalization, dropout, flatten. Any other model of PyTorch is mapped in Python
    (crossstack.torch.convert). Every linear and convolution layer is cut into tiles of one array,
    the rest stays digital. Reported is the accuracy in software, on devices without wires (ideal),
    with wires, with wires and spread of the devices, and after retraining with the wires in the
    loop; per layer its tiles and the error that wires make; from a build folder area, time and
    energy of an inference. Reads are linear; an extracted array's transistors have the resistance
    at which they work for the mean of the inputs.

    With --program, devices are not taken for what they should be: pulses set and reset them, each
    with the voltage that wires and select transistor leave it, until a read finds them within the
    tolerance (written). Pulses, energy and the devices that are not reached are told.

    Tiles are solved on all cores, or on a Dask cluster that is there already. With --out, a run
    that was interrupted goes on where it was. Needs PyTorch: pip install 'crossstack[torch]'.

    \b
    crossstack map model.pt --data digits.npz --tile 32x32 --row-ohm 1 --column-ohm 1
    crossstack map model.pt --data digits.npz --wires gds_out/crossstack_10x10x2 --samples 20
    """  # noqa: D301
    from ..base.files import check_replaceable, replacing, write_json, write_manifest
    from ..pool import pool

    try:
        from ..torch import files, study
    except ImportError as error:
        from ..base.errors import ConfigError

        raise ConfigError(str(error)) from None
    from ..mapping.choice import arrays, programming, readout
    from ..mapping.tiles import helpers

    console = Console(as_json, quiet)
    if out is not None:
        check_replaceable(out, MARKER)
    loaded, sets = files.load_model(model), files.load_data(data)
    chosen = arrays(wires, mode, process, options)
    read = readout(next(iter(chosen.values())).memristor, samples, options)
    asked = study.Asked(read, samples, retrain, rate, seed, keep, programming(options))
    kept = (
        None
        if out is None
        else _kept(out, (model, data, *wires), asked, {**options, "mode": mode, "process": process})
    )
    wanted = helpers(study.devices(loaded, samples, retrain) * len(chosen))
    with pool(scheduler, jobs, wanted) as where, console.steps():
        done = study.Study(loaded, sets, asked, console, where, kept)
        rows = [_row(done, name, array) for name, array in chosen.items()]
        value: dict[str, Any] = {
            "model": model.name,
            "vectors": len(sets["x"]),
            "software": done.accuracy(done.model),
            "readout": vars(read),
            "program": None if asked.program is None else vars(asked.program),
            "seed": seed,
            "arrays": rows,
        }
    if out is not None:
        with replacing(out, MARKER) as work:
            write_json(work / MARKER, value)
            write_manifest(work, {"name": "map", "parameters": {"model": model.name}})
    if kept is not None:
        kept.drop()
    with console.later():
        for line in _lines(value):
            console.say(line)
        if out is not None:
            console.say(f"written to {out}")
    console.result(value)
    return OK


def _kept(out: Path, read: tuple[Path, ...], asked: Any, options: Mapping[str, Any]) -> Any:
    """Return what an interrupted run of the same files and options has finished."""
    from ..base.files import sha256
    from ..identity import process_sum
    from ..mapping.kept import Kept

    files = [path / "network.npz" if path.is_dir() else path for path in read]
    value = {
        "files": [sha256(path) for path in files],
        "asked": {
            **vars(asked),
            "read": vars(asked.read),
            "program": None if asked.program is None else vars(asked.program),
        },
        "options": {**options, "tables": process_sum(options["process"] or "")},
    }
    return Kept(out, value)


def _row(study: Any, name: str, array: Array) -> dict[str, Any]:
    """Return what becomes of the model on one array, and what that costs."""
    from ..mapping.cost import cost

    found: dict[str, Any] = study.on(name, array)
    made = found.pop("made")
    found["cost"] = cost(array.folder, found["tiles"], study.reads(made))
    return found


def _lines(value: Mapping[str, Any]) -> list[str]:
    """Return the tables for people."""
    lines = [f"{value['vectors']} vectors; in software {value['software']:.2%} right"]
    head = ["ideal", "wires", "spread", "least", "retrained", "spread"]
    if value["program"] is not None:
        head = [*head[:4], "written", *head[4:], "written"]
    lines.append(f"{'array':<28}{'tiles':>6}" + "".join(f"{name:>10}" for name in head))
    for row in value["arrays"]:
        spread, taught = row.get("spread", {}), row.get("retrained_spread", {})
        cells = [row["ideal"], row["wires"], spread.get("mean"), spread.get("least")]
        if value["program"] is not None:
            cells.append(row["written"]["mean"])
        cells += [row.get("retrained"), taught.get("mean")]
        if value["program"] is not None:
            cells.append(row.get("retrained_written", {}).get("mean"))
        shown = "".join(f"{'-' if c is None else format(c, '.2%'):>10}" for c in cells)
        lines.append(f"{row['array']:<28}{row['tiles']:>6}{shown}")
    for row in value["arrays"]:
        for layer in row["layers"]:
            n, m = layer["matrix"]
            groups = f" x {layer['groups']}" if layer["groups"] > 1 else ""
            tiles = counted(layer["tiles"], "tile")
            lines.append(
                f"  {row['array']}, layer {layer['layer']}: {n} x {m}{groups}, {tiles}, wires "
                f"change its output by {layer['error']:.2%}"
            )
        lines += [f"  {row['array']}: {text}" for text in _writes(row)]
        lines.append(f"  {row['array']}: {_cost(row['cost'])}")
    return lines


def _writes(row: Mapping[str, Any]) -> list[str]:
    """Return what writing takes, in words."""
    found = []
    for key, name in (("written", "written"), ("retrained_written", "written after retraining")):
        if (value := row.get(key)) is not None:
            missed = value["not_reached"] / max(1, value["devices"])
            joule = value["write_j"] + value["verify_j"]
            found.append(
                f"{name}: {value['pulses'] / max(1, value['devices']):.1f} pulses a device, at "
                f"most {value['most_pulses']}; {missed:.2%} not within the tolerance; "
                f"{joule * 1e6:.3g} uJ, {value['seconds'] * 1e3:.3g} ms"
            )
    return found


def _cost(value: Mapping[str, Any]) -> str:
    """Return area, time and energy in words."""
    found = []
    if "area_um2" in value:
        found.append(f"{value['area_um2']:.0f} um2")
    if "time_s" in value:
        found.append(f"{value['time_s'] * 1e6:.3g} us and {value['energy_j'] * 1e9:.3g} nJ")
    if "not_known" in value:
        found.append(f"not known: {value['not_known']}")
    return "; ".join(found)
