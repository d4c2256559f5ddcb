"""What `crossstack solve` says of a solution, and the files that it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.errors import ConfigError
from .base.outputs import check_target
from .console import Console
from .options import check_results, check_results_folder, check_table, is_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .analyse.analysis import Stimulus
    from .analyse.batch import Batch
    from .analyse.operating import Laws
    from .extract.array.tiled import TiledArray
    from .layouts import Wires
    from .pdk import Tech
    from .solve.network.network import Network
    from .solve.study.metrics import IrDrop

    Floats = NDArray[np.float64]

#: what a folder of results holds, or held before
_RESULTS = ("ir_drop.csv", "ir_drop.npz", "ir_drop.json", "report.html", "column_currents.csv")
#: columns that are printed; --json holds all
COLUMNS_SHOWN = 64


def check_place(out: Path | None, *, as_csv: bool) -> None:
    """Refuse a place for results before anything is solved.

    Raises:
        ConfigError: naming it.
        FileError: if nothing can be written there.
    """
    check_results_folder(out)
    check_table(out)
    in_folder = out is not None and is_folder(out)
    if as_csv and not in_folder:
        raise ConfigError("--csv needs a folder: -o FOLDER")
    if in_folder:
        check_results(out, *_RESULTS)
    elif out is not None:
        check_target(out)


@dataclass(frozen=True, eq=False)
class Solution:
    """A network that was solved in one mode.

    Attributes:
        wires: the network and its technology.
        what: devices and inputs.
        laws: what memristors followed.
        given: options of the mode.
        done: mode -> what it loses.
        not_run: mode -> why it was not solved.
        linear: whether memristors that are written were linear by request.
    """

    wires: Wires
    what: Stimulus
    laws: Laws
    given: Mapping[str, Any]
    done: Mapping[str, IrDrop]
    not_run: Mapping[str, str]
    linear: bool = False

    @property
    def drop(self) -> IrDrop:
        """What the mode loses."""
        return next(iter(self.done.values()))

    def _cause(self) -> str:
        """Say why much of a voltage is lost, or what helps; "" if neither is known."""
        import numpy as np

        from .analyse.analysis import on_conductances
        from .analyse.summary import cause_of_loss
        from .base.files import MANIFEST

        siemens = self.what.conductances
        usual = np.broadcast_to(on_conductances(self.wires.found, self.wires.tech), siemens.shape)
        most = np.unravel_index(np.argmax(siemens / usual), siemens.shape)
        ours = (self.wires.path.parent / MANIFEST).is_file()
        return cause_of_loss(float(siemens[most]), float(usual[most]), ours=ours)

    def told(
        self, network: Path, read: Iterable[Path | None]
    ) -> tuple[dict[str, Any], list[str], list[str]]:
        """Return values for JSON, lines to print, and notes.

        Args:
            network: file or folder that was named.
            read: the files that all this comes from; None for those that were not given.
        """
        from .analyse.needs import lowest_of_writes, write_verdict
        from .analyse.pads import at_pads
        from .analyse.summary import drop_lines, remarks, summary
        from .solve.network.network import Network

        drop, loaded, tech = self.drop, self.wires.found, self.wires.tech
        drops = summary(self.done, self.not_run, self.what)
        notes = [*self.wires.notes, *remarks(drops, self._cause())]
        value = {"network": network.resolve().name, **drops.to_json(), "notes": notes}
        pads = at_pads(loaded, drop) if isinstance(loaded, Network) else None
        value |= {} if pads is None else {"pads": pads.to_json()}
        value |= _record(tech, drop, self.given, read)
        value["laws"] = {**self.laws.to_json(), "text": self.laws.text(drop.mode)}
        lines = [tech.conditions.text, self.laws.text(drop.mode)]
        lines += [*self.what.text.values(), *drop_lines(drops)]
        lines += [] if pads is None else pads.lines()
        if drop.writes and not self.linear:
            absent = _absent(loaded, self.what.conductances)
            lowest = lowest_of_writes(drop.writes)
            verdict = write_verdict(tech, lowest, "the written column", absent)
            value["write_voltages"] = verdict.to_json()
            lines.append(verdict.line)
        return value, lines, notes


def say_currents(console: Console, pins: list[str], drop: IrDrop) -> None:
    """Print the current of each column."""
    written = ""
    if drop.write is not None:
        written = pins[drop.write.column]
    for name, amps in list(zip(pins, drop.column_currents, strict=True))[:COLUMNS_SHOWN]:
        micro = round(amps * 1e6, 6) + 0.0  # no minus before a zero
        console.say(f"  {name:<8} {micro:12.6f} uA{'  (written)' if name == written else ''}")
    if len(pins) > COLUMNS_SHOWN:
        console.say(f"  and {len(pins) - COLUMNS_SHOWN} more columns: see --json")


def _absent(loaded: Network | TiledArray, siemens: Floats) -> list[str]:
    """Say which devices no write reaches: left out by the extraction, or open."""
    left_out = getattr(loaded, "left_out", None)
    found = ["some are left out"] if left_out is not None and left_out.devices else []
    there = getattr(loaded, "present", None)
    if (siemens == 0).any() if there is None else (siemens[there] == 0).any():
        found.append("devices of 0 S are open and get nothing")
    return found


def _record(
    tech: Tech, drop: IrDrop, given: Mapping[str, Any], read: Iterable[Path | None]
) -> dict[str, Any]:
    """Return what a reader needs to solve the same again: files with sums, options, versions."""
    from .base.files import sha256
    from .base.names import TIER_NAMES
    from .base.versions import versions

    parameters: dict[str, Any] = {"conditions": tech.conditions.to_json(), "mode": drop.mode}
    if (write := drop.write) is not None:
        parameters |= {
            "read_tier": TIER_NAMES[1 - write.tier],
            "write_column": write.column,
            "write_voltage_V": float(abs(write.applied).max()),
            "polarity": write.polarity,
        }
    else:
        parameters |= {key: value for key, value in given.items() if key != "chain"}
    return {
        "parameters": parameters,
        "source": {path.name: sha256(path) for path in read if path is not None},
        "versions": versions(),
    }


def write_files(
    out: Path,
    done: Mapping[str, IrDrop],
    value: dict[str, Any],
    batch: Batch | None,
    *,
    as_csv: bool,
) -> list[Path]:
    """Write the table, and in a folder the figures and a report; return what was written."""
    from .analyse.tables import CSV, NPZ, STEM, table_name, write_table
    from .base.files import together, write_json
    from .report.solve import write_report

    if not is_folder(out):
        write_table(out, done)
        return [out]
    name = f"{STEM}{CSV}" if as_csv else table_name(done)
    # a table or currents of an earlier solve would not belong to this one
    with together(out, (f"{STEM}{CSV}", f"{STEM}{NPZ}", "column_currents.csv")) as work:
        write_table(work / name, done)
        write_json(work / "ir_drop.json", value)
        if batch is not None:
            batch.write_csv(work / "column_currents.csv")
        write_report(work)
        return [out / path.name for path in sorted(work.iterdir())]


def pins_of(loaded: Network | TiledArray) -> list[str]:
    """Return the names of the columns' outputs."""
    from .analyse.analysis import shape_of
    from .base import names
    from .solve.modes.mode import is_macro

    macro = is_macro(getattr(loaded, "ports", ()))
    return [names.output(j, macro=macro) for j in range(shape_of(loaded)[2])]
