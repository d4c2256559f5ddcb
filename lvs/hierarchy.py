"""KLayout's own hierarchical comparison: its netlist browser, and a second opinion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import klayout.db as db

from ..base.outputs import one_step
from ..pdk import FileError
from .devices import KIND_BY_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from .extraction import ExtractedLayout
    from .spice import Reference


def klayout_compare(
    extracted: ExtractedLayout,
    reference: Reference,
    length_um: float,
    area: float,
    database: Path | None = None,
) -> bool:
    """Compare with KLayout's comparer, cell by cell.

    Both netlists are brought to the same cells first; that changes them, so both are read anew.

    Args:
        extracted: the layout.
        reference: the reference netlist.
        length_um: allowed difference of W and L in um.
        area: allowed relative difference of areas.
        database: where to write the .lvsdb, if anywhere.

    Raises:
        FileError: if the database cannot be written.
    """
    schematic = reference.read_again().netlist
    lvs = extracted.extract_again()
    drawn = lvs.netlist()
    names = (extracted.top.name, reference.top.name)
    _align(drawn, schematic, names)
    for made in (*drawn.each_device_class(), *schematic.each_device_class()):
        _tolerate(made, length_um, area)
    comparer = _comparer(drawn, schematic, names)
    lvs.reference = schematic
    same = bool(lvs.compare(comparer))
    if database is not None:
        with one_step(database) as work:
            try:
                lvs.write(str(work))
            except RuntimeError as error:
                reason = str(error).splitlines()[0]
                raise FileError(f"{database}: cannot be written ({reason})") from None
            _name_templates(work)
    return same


def _name_templates(database: Path) -> None:
    """Give device classes of our own the plainest template that KLayout has.

    KLayout before 0.29.1 cannot read a class without one (its issue 1696). What the template
    brings along, two terminals and a parameter, stays unconnected.
    """
    text = database.read_text(encoding="utf-8")
    named = re.sub(r"^(\s*class\(\S+) ''$", r"\1 IND", text, flags=re.MULTILINE)
    database.write_text(named, encoding="utf-8")


def _align(drawn: db.Netlist, schematic: db.Netlist, tops: tuple[str, str]) -> None:
    """Bring both netlists to the cells that they share, with pins on the layout's top."""
    pairs = ((drawn, tops[0].upper()), (schematic, tops[1].upper()))
    for netlist, top in pairs:
        while others := [c for c in netlist.top_circuits() if c.name.upper() != top]:
            for circuit in others:
                netlist.remove(circuit)
    _empty(drawn)
    drawn.make_top_level_pins()
    drawn.purge()
    while True:
        names = [{c.name.upper() for c in netlist.each_circuit()} for netlist, _ in pairs]
        lonely = [
            [c for c in netlist.each_circuit() if c.name.upper() not in shared | {top}]
            for (netlist, top), shared in zip(pairs, reversed(names), strict=True)
        ]
        if not any(lonely):
            break
        for (netlist, _), circuits in zip(pairs, lonely, strict=True):
            netlist.flatten_circuits(circuits)
    for netlist, _ in pairs:
        netlist.combine_devices()
        netlist.purge_nets()


def _empty(netlist: db.Netlist) -> None:
    """Take the cells out of cells in which there is no device: a seal ring has 300,000 vias."""
    bare: set[str] = set()
    for circuit in netlist.each_circuit_bottom_up():
        if next(circuit.each_device(), None) is not None:
            continue
        called = {cell.circuit_ref().name for cell in circuit.each_subcircuit()}
        if called <= bare:
            bare.add(circuit.name)
            if called:
                circuit.blank()


def _tolerate(made: db.DeviceClass, length_um: float, area: float) -> None:
    kind = KIND_BY_NAME.get(made.name.lower())
    if kind is None:
        return
    if kind.is_memristor:
        made.equal_parameters = db.EqualDeviceParameters(made.parameter_id("AREA"), 0.0, area)
        return
    ids = [made.parameter_id(name) for name in kind.parameters]
    both = [db.EqualDeviceParameters(number, length_um, 0.0) for number in ids]
    made.equal_parameters = both[0] + both[1]


def _comparer(
    drawn: db.Netlist, schematic: db.Netlist, tops: tuple[str, str]
) -> db.NetlistComparer:
    """Return a comparer that must match the pins of the tops by name."""
    comparer = db.NetlistComparer()
    a, b = drawn.circuit_by_name(tops[0]), schematic.circuit_by_name(tops[1].upper())
    if a is None or b is None:  # KLayout purges a circuit without devices
        return comparer
    comparer.same_circuits(a, b)
    nets = {net.name.upper(): net for net in b.each_net() if net.name}
    for net in a.each_net():
        for name in net.name.upper().split(","):
            if name in nets:
                comparer.same_nets(a, b, net, nets.pop(name), True)
                break
    return comparer
