"""Liberty of a block at one corner: supplies, pin capacitances, leakage, delays to columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base import names
from ..pdk import Conditions
from .abstract import Abstract
from .delays import LogicDelays
from .onboard import kind_of_logic, latched
from .ports import PortGroup

if TYPE_CHECKING:
    from .chain_delays import ChainDelays

#: where leakage and the times of logic on board come from, in words
LEAKAGE_TOLD = {
    True: "of each transistor off half of the time, by the process's off currents at the corner",
    False: "assumed, the same at each corner: typical off currents of the process",
}
#: how capacitances were found -> in words
CAPACITANCE_TOLD = {
    "formula": "by the formula, of first order",
    "field": "from the field in three dimensions",
}
DELAYS_TOLD = (
    "switches with the transistors' measured on resistance at the corner, extracted capacitances"
)
#: resistance corner -> what transistors at it are called
_CORNER = {"typ": "tt", "min": "ff", "max": "ss"}
_INDENT = "  "


@dataclass(frozen=True)
class CornerFigures:
    """What a block is at one corner.

    Attributes:
        conditions: corner, temperature and supply.
        settle_s: from a step of all inputs until every column stands; None if not extracted.
        control_s: control pin -> from its edge until the transistors that it drives switch.
        farad: pin -> capacitance; pins that were not extracted are as another of their kind.
        leakage_w: of the inverters, their transistors off.
        logic: what logic on board takes; None without any, or if not known.
        leakage_measured: off currents are those of the corner, not typical ones.
        engine: how capacitances were found, a key of `CAPACITANCE_TOLD`.
    """

    conditions: Conditions
    settle_s: float | None
    control_s: Mapping[str, float]
    farad: Mapping[str, float]
    leakage_w: float
    logic: LogicDelays | ChainDelays | None = None
    leakage_measured: bool = False
    engine: str = "formula"

    @property
    def name(self) -> str:
        """Corner as libraries are called: ``tt_025C_3v30``."""
        at = self.conditions
        degrees = f"{abs(at.temperature_c):0{2 if at.temperature_c < 0 else 3}.0f}C"
        sign = "n" if at.temperature_c < 0 else ""
        return f"{_CORNER[at.corner]}_{sign}{degrees}_{at.supply_v:.2f}".replace(".", "v")


def liberty_lines(block: Abstract, groups: Sequence[PortGroup], at: CornerFigures) -> Iterator[str]:
    """Yield a library with the block as its one cell; ns, pF, V, nW."""
    supply = at.conditions.supply_v
    yield f'library ("{block.name}__{at.name}") {{'
    kind = kind_of_logic(group.name for group in groups)
    told = f"delays of columns: see the datasheet; leakage {LEAKAGE_TOLD[at.leakage_measured]}"
    if at.farad:
        told += f"; capacitances {CAPACITANCE_TOLD[at.engine]}"
    if at.logic is not None:
        told += f"; of the {kind}: {DELAYS_TOLD}"
    elif kind:
        told += "; no delay of the logic on board is in here"
    yield from _indented(_library_head(at, supply, told))
    yield from _indented(_bus_types(groups))
    yield f'  cell ("{block.name}") {{'
    yield from _indented(_cell(block, groups, at), 2)
    yield "  }"
    yield "}"


def _indented(lines: Iterable[str], depth: int = 1) -> Iterator[str]:
    yield from (_INDENT * depth + line for line in lines)


def _library_head(at: CornerFigures, supply: float, told: str) -> Iterator[str]:
    yield f'comment : "{at.conditions.text}; {told}";'
    yield "technology (cmos);"
    yield "delay_model : table_lookup;"
    yield 'time_unit : "1ns";'
    yield 'voltage_unit : "1V";'
    yield 'current_unit : "1mA";'
    yield 'pulling_resistance_unit : "1kohm";'
    yield 'leakage_power_unit : "1nW";'
    yield "capacitive_load_unit (1, pf);"
    for edge in ("input", "output"):
        for way in ("rise", "fall"):
            yield f"{edge}_threshold_pct_{way} : 50;"
    for way in ("rise", "fall"):
        yield f"slew_lower_threshold_pct_{way} : 20;"
        yield f"slew_upper_threshold_pct_{way} : 80;"
    yield "slew_derate_from_library : 1.0;"
    yield "nom_process : 1.0;"
    yield f"nom_temperature : {at.conditions.temperature_c:g};"
    yield f"nom_voltage : {supply:g};"
    yield f"voltage_map ({names.SUPPLY}, {supply:g});"
    yield f"voltage_map ({names.GROUND}, 0);"
    yield f'operating_conditions ("{at.name}") {{'
    yield "  process : 1.0;"
    yield f"  temperature : {at.conditions.temperature_c:g};"
    yield f"  voltage : {supply:g};"
    yield "}"
    yield f'default_operating_conditions : "{at.name}";'
    for what in ("input_pin", "output_pin", "inout_pin"):
        yield f"default_{what}_cap : 0;"
    yield "default_fanout_load : 1;"
    yield "default_cell_leakage_power : 0;"


def _bus_types(groups: Sequence[PortGroup]) -> Iterator[str]:
    for size in sorted({len(group.pins) for group in groups if group.bus}):
        yield f'type ("{_type(size)}") {{'
        yield "  base_type : array;"
        yield "  data_type : bit;"
        yield f"  bit_width : {size};"
        yield f"  bit_from : {size - 1};"
        yield "  bit_to : 0;"
        yield "  downto : true;"
        yield "}"


def _type(size: int) -> str:
    return f"bus_of_{size}"


def _cell(block: Abstract, groups: Sequence[PortGroup], at: CornerFigures) -> Iterator[str]:
    um = block.tech.dbu_um
    yield f"area : {block.width * um * block.height * um:.4f};"
    yield "is_macro_cell : true;"
    yield "interface_timing : true;"
    yield "dont_touch : true;"
    yield "dont_use : true;"
    for group in groups:
        if group.pins[0].role.supply:
            power = group.pins[0].role.use == "POWER"
            yield f'pg_pin ("{group.name}") {{'
            yield f"  pg_type : {'primary_power' if power else 'primary_ground'};"
            yield f'  voltage_name : "{names.SUPPLY if power else names.GROUND}";'
            yield "}"
    yield f"cell_leakage_power : {at.leakage_w * 1e9:.6g};"
    yield "leakage_power () {"
    yield f"  value : {at.leakage_w * 1e9:.6g};"
    yield f'  related_pg_pin : "{names.SUPPLY}";'
    yield "}"
    for group in groups:
        if not group.pins[0].role.supply:
            yield from _port(group, groups, at)


def _port(group: PortGroup, groups: Sequence[PortGroup], at: CornerFigures) -> Iterator[str]:
    if not group.bus:
        yield from _pin(group.pins[0].name, group, groups, at)
        return
    yield f'bus ("{group.name}") {{'
    yield f'  bus_type : "{_type(len(group.pins))}";'
    yield f"  direction : {group.direction};"
    for pin in group.pins:
        yield from _indented(_pin(pin.name, group, groups, at))
    yield "}"


def _pin(
    name: str, group: PortGroup, groups: Sequence[PortGroup], at: CornerFigures
) -> Iterator[str]:
    yield f'pin ("{name}") {{'
    yield f"  direction : {group.direction};"
    if not group.pins[0].role.digital:
        yield "  is_analog : true;"
    yield f'  related_power_pin : "{names.SUPPLY}";'
    yield f'  related_ground_pin : "{names.GROUND}";'
    if name in at.farad:
        yield f"  capacitance : {at.farad[name] * 1e12:.6g};"
    if isinstance(at.logic, LogicDelays):
        yield from _indented(_checks(name, at.logic))
    elif at.logic is not None:
        yield from _indented(_checks_of_chain(name, at.logic))
    if group.name == names.OUTPUT and at.settle_s is not None:
        for pins, seconds in _ways(name, groups, at):
            # what logic on board turns on begins with its rising enable
            launched = pins == [names.ENABLE]
            kind = "rising_edge" if launched else "combinational"
            yield from _indented(_arc(pins, seconds, kind))
    yield "}"


def _ways(
    output: str, groups: Sequence[PortGroup], at: CornerFigures
) -> Iterator[tuple[list[str], float]]:
    """Yield the pins that change a column's current, with the time until it stands."""
    assert at.settle_s is not None
    if at.logic is not None and any(group.name == names.ENABLE for group in groups):
        yield [names.ENABLE], at.logic.on_s + at.settle_s
    column = names.number_of(output)
    own = {names.select(tier, column) for tier in range(len(names.TIERS))}
    own.add(names.write_select(column))
    for group in groups:
        pins = [pin.name for pin in group.pins]
        if group.name in names.ALL_INPUTS:
            yield pins, at.settle_s
        elif group.name in names.WRITE_TIERS or own & set(pins):
            for pin in pins:
                if pin in own or group.name in names.WRITE_TIERS:
                    yield [pin], at.settle_s + at.control_s.get(pin, 0.0)


def _checks(pin: str, logic: LogicDelays) -> Iterator[str]:
    """Yield what a decoder asks of one of its pins."""
    if pin == names.ENABLE:
        yield from _pulse(logic.on_s, logic.rest_s)
    elif latched([pin]):
        yield from _constraint(names.ENABLE, "setup_rising", logic.setup_s)
        yield from _constraint(names.ENABLE, "hold_rising", logic.hold_s)


def _checks_of_chain(pin: str, chain: ChainDelays) -> Iterator[str]:
    """Yield what a scan chain asks of one of its pins, and when its output stands."""
    data, clock, latch, enable, reset, out = names.SCAN_PINS
    if pin == data:
        yield from _constraint(clock, "setup_rising", chain.setup_s)
        yield from _constraint(clock, "hold_rising", chain.hold_s)
    elif pin == clock:
        yield "clock : true;"
        yield from _pulse(chain.high_s, chain.low_s)
    elif pin == latch:
        yield from _pulse(chain.follow_s, chain.shut_s)
        # it has fallen, and latches hold, before the next clock
        yield from _constraint(clock, "setup_rising", chain.shut_s)
    elif pin == enable:
        yield from _pulse(chain.on_s, chain.off_s)
    elif pin == reset:
        yield f"min_pulse_width_low : {chain.clear_s * 1e9:.6g};"
        yield from _constraint(clock, "recovery_rising", chain.ready_s)
    elif pin == out:
        yield from _arc([clock], chain.out_s, "rising_edge")
        yield from _arc([reset], chain.clear_s, "clear", "positive_unate")


def _pulse(high_s: float, low_s: float) -> Iterator[str]:
    yield f"min_pulse_width_high : {high_s * 1e9:.6g};"
    yield f"min_pulse_width_low : {low_s * 1e9:.6g};"


def _constraint(related: str, kind: str, seconds: float) -> Iterator[str]:
    yield "timing () {"
    yield f'  related_pin : "{related}";'
    yield f"  timing_type : {kind};"
    for way in ("rise",) if kind.startswith("recovery") else ("rise", "fall"):
        yield f'  {way}_constraint (scalar) {{ values ("{seconds * 1e9:.6g}"); }}'
    yield "}"


def _arc(
    pins: list[str], seconds: float, kind: str = "combinational", sense: str = "non_unate"
) -> Iterator[str]:
    yield "timing () {"
    yield f'  related_pin : "{" ".join(pins)}";'
    yield f"  timing_type : {kind};"
    yield f"  timing_sense : {sense};"
    ways = ("fall",) if kind == "clear" else ("rise", "fall")
    for what in (*(f"cell_{way}" for way in ways), *(f"{way}_transition" for way in ways)):
        yield f'  {what} (scalar) {{ values ("{seconds * 1e9:.6g}"); }}'
    yield "}"
