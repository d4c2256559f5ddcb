"""The files that an extraction leaves: network or array, SPICE and SPEF."""

from __future__ import annotations

from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .console import Console
    from .extract import Bsim, Extraction, MemristorModel, NetCapacitance
    from .pdk import Tech
    from .solve import Network

#: what a file's name of an extraction ends in, after that of the layout
ENDS = ("_network.npz", "_array.npz", "_extracted.spice", ".spef")


def set_of(stem: Path) -> list[str]:
    """Return the names of all that an extraction may leave, as patterns."""
    return [f"{escape(stem.name)}{end}" for end in ENDS]


def write_extraction(
    console: Console,
    stem: Path,
    found: Extraction,
    tech: Tech,
    farad: dict[str, NetCapacitance],
    *,
    hierarchical: bool,
    least_coupling: float,
    **given: Any,
) -> dict[str, Any]:
    """Write an array or a network, whichever was extracted; returns what was written.

    Args:
        console: where progress and the names of files go.
        stem: folder, and how the files' names begin.
        found: the wires.
        tech: technology at their conditions.
        farad: capacitance by net, of a network.
        hierarchical: SPICE of a network with the wires of equal nets once.
        least_coupling: of a network, share below which a coupling counts as ground.
        given: what both take.
    """
    if found.array is not None and not found.array.fits_network:
        return write_array(console, stem, found, tech, **given)
    # a large array is given its nodes and names here
    with console.step("write network and netlist"):
        return write_network(
            console, stem, found, tech, farad,
            hierarchical=hierarchical, least_coupling=least_coupling, **given,
        )  # fmt: skip


def write_array(
    console: Console,
    stem: Path,
    found: Extraction,
    tech: Tech,
    *,
    spice: bool,
    spef: bool,
    bsim: Bsim | None,
    model: MemristorModel | None,
    cell: str,
) -> dict[str, Any]:
    """Write an array whose nodes have no names, with its netlists; returns what was written.

    Raises:
        ConfigError: for one with mode switches around it.
    """
    from .base.errors import ConfigError
    from .base.files import together
    from .extract import save_array, write_array_spef, write_array_spice
    from .extract.array.tiled import LARGEST

    array = found.array
    assert array is not None
    tiers, rows, cols = array.shape
    if found.rest is not None:
        raise ConfigError(
            f"{rows} x {cols} cells with mode switches are too many for a network (at most "
            f"{LARGEST}); extract the array without them"
        )
    names = {"array": f"{stem.name}_array.npz"}
    with together(stem.parent, set_of(stem)) as work:
        save_array(array, work / names["array"])
        if spice:
            names["spice"] = f"{stem.name}_extracted.spice"
            at = work / names["spice"]
            with console.step("write SPICE"):
                write_array_spice(array, tech, at, bsim=bsim, model=model, name=cell)
        if spef:
            names["spef"] = f"{stem.name}.spef"
            with console.step("write SPEF"):
                write_array_spef(array, tech, work / names["spef"], design=cell)
    console.say(
        f"{stem.name}: {rows} x {cols} x {tiers} cells are too many for a network with named "
        "nodes; their resistances are kept as arrays (see docs/extraction.md)"
    )
    value: dict[str, Any] = {"tiers": tiers, "rows": rows, "cols": cols}
    if (farads := array.farads) is not None:
        value["capacitance"] = farads.summary()
        for line in farads.lines():
            console.say(line)
    for kind, name in names.items():
        value[kind] = str(stem.with_name(name))
        console.say(f"  {value[kind]}")
    return value


def write_network(
    console: Console,
    stem: Path,
    found: Extraction,
    tech: Tech,
    farad: dict[str, NetCapacitance],
    *,
    spice: bool,
    spef: bool,
    bsim: Bsim | None,
    hierarchical: bool,
    model: MemristorModel | None,
    cell: str,
    least_coupling: float,
) -> dict[str, Any]:
    """Write a network with its netlists; returns what was written."""
    from .analyse.nets import net_table
    from .base.files import together
    from .extract import write_spef, write_spice
    from .extract.field.lumps import with_capacitors

    network, name = found.network, stem.name
    names = {"network": f"{name}_network.npz"}
    with together(stem.parent, set_of(stem)) as work:
        _save(with_capacitors(network, farad), work / names["network"], found, cell)
        if spice:
            names["spice"] = f"{name}_extracted.spice"
            write_spice(
                network, tech, work / names["spice"],
                capacitance=farad, bsim=bsim, model=model, hierarchical=hierarchical, name=cell,
                least_coupling=least_coupling,
            )  # fmt: skip
        if spef:
            names["spef"] = f"{name}.spef"
            write_spef(network, work / names["spef"], capacitance=farad, design=cell)
    counts = {
        "nodes": network.n_nodes,
        "resistors": len(network.resistor_ohm),
        "memristors": len(network.memristor_row),
        "transistors": len(network.switch_a),
        "ports": len(network.ports),
    }
    console.say(f"{name}: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    files = {kind: str(stem.with_name(file)) for kind, file in names.items()}
    for path in files.values():
        console.say(f"  {path}")
    value: dict[str, Any] = {**counts, **files}
    if console.as_json:
        total = {net: values.total_f for net, values in farad.items()}
        value["nets"] = net_table(network, tech, total)
    return value


def _save(network: Network, path: Path, found: Extraction, cell: str) -> None:
    """Write a network file.

    Raises:
        FileError: for a layout whose pins are shorted, in the words of that.
        NetworkError: for a network that contradicts itself otherwise.
    """
    from .base.errors import FileError, NetworkError
    from .solve import save_network

    try:
        save_network(network, path)
    except NetworkError as error:
        shorts = [text for text in found.report.warnings if text.startswith("short")]
        if not shorts:
            raise
        raise FileError(f"{cell}: {shorts[0]}") from error
