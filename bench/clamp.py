"""The protection of a die in the foundry's models: off in operation, and what a discharge does.

python bench/clamp.py [ROWS COLS]     a test chip of that size; some minutes
python bench/clamp.py --periphery scan 64 64

In operation: what one supply clamp takes at 3.3 V - 10 %, 3.3 V and 3.3 V + 10 %, over corners and
temperatures, and while the supply rises. In a discharge of the human-body model (100 pF, 1.5 kohm,
rise by 7.5 uH: ANSI/ESDA/JEDEC JS-001 asks for 2 to 10 ns): the highest voltage between the pad
that is struck and the one on ground, and between the rails, with the diodes, clamps and rings of
the die where they stand, and the cuts and leads between (`pad_ways.py`). Of the signal pads those
nearest to and farthest from a pad of VSS are taken, and the pad farthest from the latter. JS-001
strikes a signal with all other signals on ground; one that is alone on ground is worse.

What this can say: the models are those of operation. They know channels, junctions and their series
resistance, but neither snapback nor heat, and diodes have the models' figures for a drawn area. So
a voltage above BVDSS (7 V at least, ES 1_Low_Voltage_Devices) or BVox (7 V at least, ES
5_General_Specification4) says that it is not held, not what happens then; one below says that the
channel alone holds it, not that metal and junctions survive the current; its peak is printed for
each um of width and for each cut.

Exit code 1 if all clamps of a die take more than 1 mA in operation while the supply rises within
1 ms, or if the die does not hold 2 kV below BVox on a way that JS-001 asks for.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pad_ways import PadWays

from crossstack.base import names
from crossstack.base.ngspice import run_ngspice
from crossstack.cells.clamp import supply_clamp
from crossstack.cells.pad_plan import DIODE, FEED, RING, PadPlan, ring_metals
from crossstack.cells.pads import RAILS
from crossstack.cells.protection import STRIPE, stripes
from crossstack.cells.rules import RuleBook
from crossstack.extract.sheet.rates import rates
from crossstack.extract.write.bsim import Bsim, transistor_card
from crossstack.generators import ArraySpec, build_macro, testchip
from crossstack.generators.chip import Chip
from crossstack.pdk import Conditions, Tech
from crossstack.signoff.models import foundry_models

#: least figure of ES, V; the discharge that must be held, V, a larger one and those to go down to
#: where it is not; most current of a die in operation, A
BVOX_V, ASKED_V, MORE_V, LESS_V, OPERATES_A = 7.0, 2000.0, 4000.0, (1000.0, 500.0, 250.0), 1e-3
CORNERS = (("typ", 25.0), ("min", 125.0), ("max", -40.0))
RISES_S = (1e-3, 1e-4, 1e-5, 1e-6)
#: width of a card, um: those of the models end at 100 um, and their subcircuits ignore `m`
CARD_UM = 80.0
_FOUND = re.compile(r"^(\w+)\s+=\s+(\S+)", re.MULTILINE)


def clamp(bsim: Bsim, name: str, vdd: str, vss: str) -> Iterator[str]:
    """Yield the devices of a supply clamp, as its layout compares with."""
    cell = supply_clamp(bsim.tech)
    assert cell.netlist is not None
    for device in cell.netlist.devices:
        size = dict(device.parameters)
        at = {"VDD": vdd, "VSS": vss}
        drain, gate, source, bulk = (at.get(n, f"{name}_{n}".lower()) for n in device.nets)
        parts = max(1, round(size["W"] / CARD_UM))
        nodes = (drain, gate, source, bulk)
        for k in range(parts):
            yield transistor_card(bsim.kit, f"{name}_{device.name}_{k}", nodes, device.model,
                                  size["W"] / parts, size["L"])  # fmt: skip


def ran(bsim: Bsim, lines: list[str], control: list[str]) -> dict[str, float]:
    """Run a circuit and return what it printed."""
    deck = ["* protection", *bsim.library(), *lines,
            ".control", *control, "quit 0", ".endc", ".end"]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.spice"
        path.write_text("\n".join(deck) + "\n")
        printed = run_ngspice(path, 240.0)
    return {name: float(value) for name, value in _FOUND.findall(printed)}


# -- operation ------------------------------------------------------------------------------------


def operation(at: Callable[[str, float], Bsim], clamps: int) -> list[str]:
    """Print what one of so many clamps takes in operation; returns faults."""
    wrong = []
    for corner, temperature in CORNERS:
        bsim = at(corner, temperature)
        supply = bsim.vdd_v
        levels = [round(supply * share, 3) for share in (0.9, 1.0, 1.1)]
        lines = [*clamp(bsim, "c", "vdd", "0"), f"vdd vdd 0 {supply}",
                 ".options gmin=1e-15"]  # fmt: skip
        control = []
        for k, volts in enumerate(levels):
            control += [f"alter vdd dc = {volts}", "op", f"let i{k} = -i(vdd)", f"print i{k}"]
        found = ran(bsim, lines, control)
        amps = [found[f"i{k}"] for k in range(len(levels))]
        print(f"standing, {corner}, {temperature:g} C: " + ", ".join(
            f"{1e9 * a:.3g} nA at {v:g} V" for a, v in zip(amps, levels, strict=True)))  # fmt: skip
    for corner, temperature in CORNERS:
        bsim = at(corner, temperature)
        most = 1.1 * bsim.vdd_v
        for rise in RISES_S:
            lines = [*clamp(bsim, "c", "vdd", "0"),
                     f"vdd vdd 0 pwl(0 0 {rise} {most} {3 * rise} {most})"]  # fmt: skip
            control = [f"tran {rise / 500} {2 * rise}", "meas tran least min i(vdd)",
                       f"meas tran last find i(vdd) at={1.999 * rise}",
                       "meas tran gate max v(c_g)"]  # fmt: skip
            found = ran(bsim, lines, control)
            print(f"rise to {most:.2f} V in {rise:g} s, {corner}, {temperature:g} C: "
                  f"{-1e6 * found['least']:.3g} uA at most, {-1e6 * found['last']:.3g} uA as long "
                  f"after; gate {found['gate']:.2f} V at most", flush=True)  # fmt: skip
            if rise == max(RISES_S) and -found["least"] * clamps > OPERATES_A:
                wrong.append(f"{corner}, {temperature:g} C")
    return wrong


# -- discharge ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ring:
    """What stands along the rings of a die, by place counterclockwise, um.

    Attributes:
        length_um: all round.
        clamps: places of the supply clamps.
        grounds: places of the pads of VSS.
        pads: (net, place) of the other pads.
    """

    length_um: float
    clamps: tuple[float, ...]
    grounds: tuple[float, ...]
    pads: tuple[tuple[str, float], ...]

    def away(self, place: float, others: tuple[float, ...]) -> float:
        """Return how far the nearest of other places is, um."""
        gaps = (abs(place - other) for other in others)
        return min(min(gap, self.length_um - gap) for gap in gaps)

    def signals(self) -> tuple[str, str, str]:
        """Return the signals nearest to and farthest from a pad of VSS, and that opposite."""
        places = {net: place for net, place in self.pads if net != "VDD"}
        near, *_, far = sorted(places, key=lambda net: self.away(places[net], self.grounds))
        return near, far, max(places, key=lambda net: self.away(places[net], (places[far],)))


def ring_of(chip: Chip) -> Ring:
    """Return what stands along the rings of a chip."""
    depth, um = chip.row_at(0) + chip.plan.supply[0], chip.rules.tech.dbu_um
    around = sum(chip.length(side) - 2 * depth for side in ("south", "east", "north", "west"))
    found: dict[str, list[float]] = {"clamp": [], "vss": []}
    pads = {(p.x, p.y): p.name for p in chip.pins}
    signals = []
    for placement in chip.placements:
        name = placement.cell.name
        if not name.startswith(("bond_pad", names.CLAMP)):
            continue
        side = name.rpartition("_")[2]
        x = placement.x + placement.cell.width // 2
        y = placement.y + placement.cell.height // 2
        place = chip.around(depth, side, x if side in ("south", "north") else y) * um
        if name.startswith(names.CLAMP):
            found["clamp"].append(place)
        elif name.startswith("bond_pad_vss"):
            found["vss"].append(place)
        else:
            here = [net for (px, py), net in pads.items()
                    if placement.x <= px <= placement.x + placement.cell.width
                    and placement.y <= py <= placement.y + placement.cell.height]  # fmt: skip
            signals += [(net, place) for net in here[:1]]
    return Ring(around * um, tuple(found["clamp"]), tuple(found["vss"]), tuple(signals))


def rails(ring: Ring, tech: Tech, ways: PadWays) -> Iterator[str]:
    """Yield both rings in pieces between all that stands along them, and the line of each clamp."""
    ohm = rates(tech).sheet_ohm_sq
    ohm_um = 1.0 / sum(1.0 / ohm[metal] for metal in ring_metals(tech)) / (RING * tech.dbu_um)
    places = sorted({*ring.clamps, *ring.grounds, *(place for _, place in ring.pads)})
    nexts = [*places[1:], places[0] + ring.length_um]
    for k, (here, after) in enumerate(zip(places, nexts, strict=True)):
        to = places[(k + 1) % len(places)]
        for rail in ("vdd", "vss"):
            yield f"r{rail}{k} {_node(rail, here)} {_node(rail, to)} {ohm_um * (after - here):.6g}"
    for k, place in enumerate(ring.clamps):
        for rail in ("vdd", "vss"):
            yield (f"rl{rail}{k} {_node(rail, place)} {_node('line' + rail, place)} "
                   f"{ways.line[rail.upper()]:.6g}")  # fmt: skip


def _node(rail: str, place: float) -> str:
    return f"{rail}_{round(place * 1e3)}"


def _pad(net: str) -> str:
    return "pad_" + re.sub(r"\W", "_", net).lower()


def sizes(tech: Tech) -> tuple[float, float]:
    """Return the area (m2) and the circumference (m) of each of a pad's diodes."""
    count, um = len(stripes(PadPlan(RuleBook(tech)))), tech.dbu_um * 1e-6
    return count * STRIPE * DIODE * um * um, count * 2 * (STRIPE + DIODE) * um


def diodes(net: str, place: float, tech: Tech, ways: PadWays) -> Iterator[str]:
    """Yield the two diodes of a pad, of their drawn area and circumference, and the ways to them.

    Each pad has a clamp, so that its lines are among those of `rails`.
    """
    size, pad = "area={:.6g} pj={:.6g}".format(*sizes(tech)), _pad(net)
    yield f"rp{pad} {pad} {pad}_lead {ways.plate:.6g}"
    for rail in ("vdd", "vss"):
        yield f"rd{rail}{pad} {pad}_lead {pad}_{rail} {ways.diode[rail.upper()]:.6g}"
        line = _node("line" + rail, place)
        yield f"rt{rail}{pad} {pad}_t{rail} {line} {ways.taps[rail.upper()]:.6g}"
    yield f"dup{pad} {pad}_vdd {pad}_tvdd pn_3p3 {size}"
    yield f"ddn{pad} {pad}_tvss {pad}_vss np_3p3 {size}"


def discharge(
    bsim: Bsim, ring: Ring, struck: str, ground: tuple[str, ...], volts: float
) -> dict[str, float]:
    """Return voltages of a discharge, V, and the peak of its current, A.

    Args:
        bsim: models.
        ring: the die's.
        struck: net: VDD, VSS or a signal.
        ground: nets on ground; those of many signals are joined.
        volts: that the capacitor is charged to.
    """
    tech, place, ways = bsim.tech, dict(ring.pads), PadWays(bsim.tech)
    library = bsim.models / bsim.kit.library
    lines = [*rails(ring, tech, ways), f".lib '{library}' diode_typical"]
    for k, at in enumerate(ring.clamps):
        lines += clamp(bsim, f"c{k}", _node("linevdd", at), _node("linevss", at))

    def node(net: str) -> str:
        if net in RAILS:
            at = ring.grounds if net == "VSS" else (place[net],)
            ohm = ways.plate + ways.rail[net]
            lines.extend(
                f"rg{net}{k} {_pad(net)} {_node(net.lower(), one)} {ohm:.6g}"
                for k, one in enumerate(at)
            )
        else:
            lines.extend(diodes(net, place[net], tech, ways))
        return _pad(net)

    at_struck = node(struck)
    lines += [f"vg{k} {node(net)} 0 0" for k, net in enumerate(ground)]
    lines += [f"ch h 0 100p ic={volts:g}", "rh h h1 1500", f"lh h1 {at_struck} 7.5u ic=0"]
    # pieces of 2 ns at most: the rise takes some
    control = ["tran 0.2n 600n 0 2n uic", f"meas tran pad max v({at_struck})",
               "meas tran amps max i(lh)"]  # fmt: skip
    for k, at in enumerate(ring.clamps):
        control += [f"let d{k} = v({_node('linevdd', at)}) - v({_node('linevss', at)})",
                    f"meas tran rails{k} max d{k}"]  # fmt: skip
    found = ran(bsim, lines, control)
    inside = [found[f"rails{k}"] for k in range(len(ring.clamps))]
    return {"pad": found["pad"], "rails": max(inside), "amps": found["amps"]}


def discharges(bsim: Bsim, ring: Ring) -> list[str]:
    """Print what discharges of a die do, and the largest that is held; returns faults."""
    tech, wrong = bsim.tech, []
    near, far, opposite = ring.signals()
    rest = tuple(net for net, _ in ring.pads if net not in (far, "VDD"))
    print(
        f"rings of {ring.length_um:.0f} um, {len(ring.clamps)} clamps, {len(ring.grounds)} pads "
        f"of VSS, {len(ring.pads)} other pads; to VSS {near} is nearest, {far} farthest"
    )
    ways: list[tuple[str, tuple[str, ...], bool]] = [
        ("VDD", ("VSS",), True), ("VSS", ("VDD",), True), (near, ("VSS",), True),
        (far, ("VSS",), True), ("VSS", (far,), True), (far, ("VDD",), True), ("VDD", (far,), True),
        (far, rest, True), (far, (opposite,), False),
    ]  # fmt: skip
    most = 0.0
    for struck, ground, asked in ways:
        to = ground[0] if len(ground) == 1 else "all other signals"
        steps = [ASKED_V]
        for volts in steps:
            found = discharge(bsim, ring, struck, ground, volts)
            held = found["pad"] <= BVOX_V
            if volts == ASKED_V:
                steps += (MORE_V,) if held else LESS_V
            most = max(most, found["amps"] if volts == ASKED_V else 0.0)
            print(f"{volts:g} V into {struck}, {to} on ground: pad {found['pad']:.2f} V, "
                  f"rails at a clamp {found['rails']:.2f} V at most: "
                  f"{'below' if held else 'NOT below'} {BVOX_V:g} V", flush=True)  # fmt: skip
            if asked and not held and volts == ASKED_V:
                wrong.append(f"{volts:g} V into {struck}")
            if held != (volts == ASKED_V):
                break
    um, around, fewest = tech.dbu_um, sizes(tech)[1] * 1e6, PadWays(tech).fewest
    print(f"{ASKED_V:g} V: {most:.2f} A at most: {1e3 * most / (FEED * um):.0f} mA for each um of "
          f"the lead, {1e3 * most / (RING * um):.0f} of a ring if it goes one way, "
          f"{1e3 * most / around:.1f} of a diode's circumference, {1e3 * most / fewest:.0f} for "
          f"each cut")  # fmt: skip
    return wrong


def main() -> int:
    """Run both; returns 1 for a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="*", type=int, default=[2, 2], help="rows and columns")
    parser.add_argument("--periphery", default="none", help="none, scan or decoder")
    given = parser.parse_args()
    rows, cols = given.size
    spec = ArraySpec(rows=rows, cols=cols, top="macro", periphery=given.periphery)
    tech = spec.tech()
    ring = ring_of(testchip.placed(build_macro(spec)))
    with foundry_models(tech) as models:

        def at(corner: str, temperature: float) -> Bsim:
            return Bsim(tech.at(Conditions(corner=corner, temperature_c=temperature)), models)

        wrong = operation(at, len(ring.clamps))
        wrong += discharges(at("typ", 25.0), ring)
    print("FAULTS: " + ", ".join(wrong) if wrong else "as it must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
