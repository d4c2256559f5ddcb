"""Every view of a block, into one folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError
from ..base.files import write_json
from ..base.outputs import write_text
from ..lvs import read_netlist
from .abstract import Abstract, abstract_of, natural
from .access import on_tracks, unreachable
from .cdl import cdl_lines
from .corners import circuit_of, corner_figures, corners_of, transistor_count
from .datasheet import Found, datasheet, html, markdown
from .delays import LogicDelays, scan_order
from .handling import drawings, steps
from .lef import lef_lines
from .liberty import CornerFigures, liberty_lines
from .memristor import NAME, spice_text, veriloga_text
from .model import write_model
from .pintable import csv_text
from .ports import PortGroup, check_macro, port_groups
from .verilog import black_box_lines

if TYPE_CHECKING:
    from ..analyse import Stimulus
    from ..extract import NetCapacitance
    from ..lvs import ExtractedLayout, Reference
    from ..pdk import Tech
    from ..solve import Network


@dataclass(frozen=True)
class Known:
    """What has been found of a block before; what is missing is found, or left out.

    Attributes:
        network: extracted at the nominal conditions.
        capacitance: of its nets; without it there is no timing.
        what: devices and inputs.
        results: contents of a build's JSON files.
        engine: how the capacitances were found, see `extract.net_capacitance`.
    """

    network: Network
    capacitance: Mapping[str, NetCapacitance]
    what: Stimulus
    results: Found = field(default_factory=Found)
    engine: str = "formula"


@dataclass
class Views:
    """What was written of a block.

    Attributes:
        block: its abstract.
        files: names of the files.
        warnings: what a user should know.
        blocked: pins that no wire and no via can reach.
    """

    block: Abstract
    files: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        tracks = on_tracks(self.block)
        return {
            "files": self.files,
            "pins": len(self.block.pins),
            "off_track": sorted((n for n, on in tracks.items() if not on), key=natural),
            "blocked": self.blocked,
            "warnings": self.warnings,
        }


def netlist_of(extracted: ExtractedLayout, tech: Tech, reference: Path) -> Reference:
    """Read a macro's netlist; what is no macro is refused before anything is extracted of it.

    Raises:
        ConfigError: for a bare array.
        FileError: for a netlist that cannot be read, or is of another block.
    """
    netlist = read_netlist(
        reference, prefer=extracted.top_name, models=tech.nets.models, named=True
    )
    check_macro(netlist.pins, extracted.top_name)
    return netlist


def set_of(name: str) -> list[str]:
    """Return what of a block's views is not written each time, as patterns of names."""
    ends = ("_model.sv", "_bench.sv", "_matrix.hex", "_states.hex", "_vectors.hex", "_write.svg")
    return [f"{escape(name)}{end}" for end in ("__??_*C_*v*.lib", *ends)]


def write_views(
    folder: Path,
    extracted: ExtractedLayout,
    tech: Tech,
    reference: Path,
    known: Known,
    *,
    last_metal: str = "metal",
    corners: bool = True,
    quick: bool = False,
    seed: int = 1,
) -> Views:
    """Write every view of a block: LEF, Liberty, Verilog, CDL, models, pin list and datasheet.

    Args:
        folder: receives ``<name>.lef`` and the others.
        extracted: the layout with its nets and devices.
        tech: at the nominal conditions.
        reference: the block's netlist.
        known: what has been found of it.
        last_metal: obstruction of the last metal (`abstract_of`).
        corners: fast and slow libraries, too.
        quick: without libraries and behavioural model, which take minutes for a large block.
        seed: of the bench's inputs.

    Raises:
        ConfigError: if the layout has no pins, or is a bare array.
        FileError: if the reference is of another block, or a file cannot be written.
    """
    netlist = netlist_of(extracted, tech, reference)
    block = abstract_of(extracted, last_metal, netlist.pins)
    groups = port_groups(block.pins)
    views = Views(block)
    views.blocked = unreachable(block)
    if views.blocked:
        views.warnings.append(f"no wire or via can reach {', '.join(views.blocked)}")
    name = block.name
    _write(views, folder / f"{name}.lef", lef_lines(block))
    words = f"{len(block.pins)} pins, drawn by CrossStack for {tech.name}"
    _write(views, folder / f"{name}.v", black_box_lines(name, groups, words))
    lines = reference.read_text(encoding="utf-8").splitlines()
    _write(views, folder / f"{name}.cdl", cdl_lines(name, lines, block.pins, tech))
    _write(views, folder / f"{NAME}.lib", [spice_text(tech)])
    _write(views, folder / f"{NAME}.va", [veriloga_text(tech)])
    figures: tuple[CornerFigures, ...] = ()
    if not quick:
        figures = tuple(_figures(extracted, tech, block, known, corners))
        for at in figures:
            _write(views, folder / f"{name}__{at.name}.lib", liberty_lines(block, groups, at))
        chain = scan_order(extracted, block, tech, known.network)
        known = replace(known, results=replace(known.results, chain=chain))
        _model(views, folder, groups, tech, known, figures[0], seed, chain)
    _sheet(views, folder, groups, tech, known, figures, transistor_count(extracted))
    return views


def _figures(
    extracted: ExtractedLayout, tech: Tech, block: Abstract, known: Known, corners: bool
) -> Iterator[CornerFigures]:
    settle = ((known.results.timing or {}).get("settle") or {}).get("settle_s")
    if known.engine != "formula":
        settle = None  # the build's may be of the formula
    farad = known.capacitance
    circuit = circuit_of(extracted, block, farad)
    for at in corners_of(tech):
        if at == tech.conditions:
            given = (known.network, settle)
            found = corner_figures(extracted, tech, block, farad, *given, circuit=circuit)
        elif corners:
            found = corner_figures(extracted, tech.at(at), block, farad, circuit=circuit)
        else:
            continue
        yield replace(found, engine=known.engine)


def _model(
    views: Views,
    folder: Path,
    groups: Sequence[PortGroup],
    tech: Tech,
    known: Known,
    at: CornerFigures,
    seed: int,
    chain: Sequence[str],
) -> None:
    """Write the behavioural model, or say why there is none."""
    settle = at.settle_s
    if settle is None:
        settle = 0.0
        views.warnings.append(
            "the model's columns settle immediately, because no capacitance was extracted"
        )
    # the model of a chain has no time of its own
    logic = at.logic if isinstance(at.logic, LogicDelays) else None
    try:
        views.files += write_model(
            folder, views.block, groups, known.network, tech, known.what, settle, seed, logic,
            chain,
        )  # fmt: skip
    except ConfigError as error:
        views.warnings.append(f"no behavioural model: {error}")


def _sheet(
    views: Views,
    folder: Path,
    groups: Sequence[PortGroup],
    tech: Tech,
    known: Known,
    figures: Sequence[CornerFigures],
    transistors: int,
) -> None:
    """Write pin list, diagrams and datasheet."""
    block = views.block
    found = known.results
    sheet = datasheet(block, groups, tech, known.network, known.what, figures, found, transistors)
    pictures, how = drawings(groups, sheet), steps(groups, sheet)
    name = block.name
    _write(views, folder / f"{name}_pins.csv", [csv_text(sheet["pins"])])
    for kind, picture in pictures.items():
        _write(views, folder / f"{name}_{kind}.svg", [picture])
    write_json(folder / f"{name}_datasheet.json", sheet)
    views.files.append(f"{name}_datasheet.json")
    _write(views, folder / f"{name}_datasheet.md", [markdown(sheet, pictures, how)])
    _write(views, folder / f"{name}_datasheet.html", [html(sheet, pictures, how)])


def _write(views: Views, path: Path, lines: Iterable[str]) -> None:
    write_text(path, "\n".join(lines).rstrip("\n") + "\n")
    views.files.append(path.name)
