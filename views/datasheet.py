"""The datasheet of a block: one set of values, written as JSON, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..base import names
from ..base.units import counted, percent
from ..solve import ArrayKind
from .drawings import block_diagram, timing_diagram
from .fill import filled
from .liberty import DELAYS_TOLD, LEAKAGE_TOLD
from .modes import written_in
from .onboard import (
    kind_of_logic,
    later,
    power_up,
    scan_chain,
    settings,
    waves,
    write_waves,
)
from .pintable import chain_states, modes_table, pin_table
from .power import supply_windows

if TYPE_CHECKING:
    from ..analyse import Stimulus
    from ..pdk import Tech
    from ..pdk.memristor import MemristorParameters
    from ..solve import Network
    from .abstract import Abstract
    from .liberty import CornerFigures
    from .ports import PortGroup

#: what the pins of `kelvin` are for
_SENSE = (
    "{pins} sense their lines behind the switches: measure voltages there, and draw no current."
)
_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


#: what stands for figures that a build finds, where there is none
NOT_JUDGED = "not judged: run `crossstack build`, whose views state it"


@dataclass(frozen=True)
class Found:
    """What other files of a build say; empty where a step was not run.

    Attributes:
        nets: entries of nets.json.
        ir_drop, em, timing: the files of these names.
        chain: what the bits of a scan chain on board drive, from its data input on.
    """

    nets: Sequence[Mapping[str, Any]] = ()
    ir_drop: Mapping[str, Any] | None = None
    em: Mapping[str, Any] | None = None
    timing: Mapping[str, Any] | None = None
    chain: Sequence[str] = ()


def datasheet(
    block: Abstract,
    groups: Sequence[PortGroup],
    tech: Tech,
    network: Network,
    what: Stimulus,
    corners: Sequence[CornerFigures],
    found: Found,
    transistors: int,
) -> dict[str, Any]:
    """Return the values of a datasheet, SI units unless a key says otherwise.

    `transistors` are all of the layout, those of logic on board with them.
    """
    um = tech.dbu_um
    farad = corners[0].farad if corners else {}
    pins = pin_table(block, tech, network, what, farad, found.nets)
    selects = ArrayKind.of(network).select
    return {
        "schema": 1,
        "name": block.name,
        "process": tech.name,
        "conditions": tech.conditions.text,
        "size_um": [round(block.width * um, 3), round(block.height * um, 3)],
        "area_um2": round(block.width * um * block.height * um, 3),
        "tiers": len(network.tiers),
        "rows": network.rows,
        "cols": network.cols,
        "devices": len(network.memristor_row),
        "transistors": transistors,
        "supply_V": tech.conditions.supply_v,
        "device": _device(tech.memristor),
        "stimulus": dict((found.ir_drop or {}).get("stimulus", what.text)),
        "model": what.text["conductances"],
        "pins": pins,
        "ports": [*map(_port, groups)],
        "supply_windows": [w.to_json(um) for w in supply_windows(block)],
        "modes": modes_table(network, [pin.name for pin in block.pins]),
        "select_lines": selects,
        "power_up": power_up((g.name for g in groups), selects=selects) or None,
        "scan_chain": scan_chain(found.chain, chain_states(network, tech, what, found.chain)),
        "not_written": written_in(network)[1],
        "lines": _lines(found.nets),
        "ir_drop": _drops(found.ir_drop),
        "limits": _limits(found.em),
        "write": _write(found.em),
        "not_judged": NOT_JUDGED,
        "corners": [_corner(at) for at in corners],
        "logic_delay": later(
            kind_of_logic(g.name for g in groups),
            bool(corners) and corners[0].logic is not None,
            selects=selects,
        )
        or None,
        "logic_source": f"{DELAYS_TOLD[0].upper()}{DELAYS_TOLD[1:]}.",
        "leakage": LEAKAGE_TOLD[bool(corners) and corners[0].leakage_measured],
        "settle": (found.timing or {}).get("settle"),
        "from_array_edge": any(row.get("origin") for row in found.nets),
    }


def _device(m: MemristorParameters) -> dict[str, Any]:
    return {
        "r_on_ohm": m.r_on_ohm,
        "r_off_ohm": m.r_off_ohm,
        "v_read_V": m.v_read_v,
        "v_set_V": m.v_set_v,
        "v_reset_V": m.v_reset_v,
        "law": m.law,
        "write_rows": m.write_rows,
        "compliance_A": m.compliance_a,
        "source": m.source,
    }


def _port(group: PortGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "bits": len(group.pins),
        "direction": group.direction,
        "use": group.pins[0].role.use.lower(),
    }


def _lines(nets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the range of resistance and capacitance of each kind of line."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in nets:
        kinds.setdefault(names.kind_of(row["net"]) or row["net"], []).append(row)
    found = []
    for kind, rows in kinds.items():
        entry: dict[str, Any] = {"line": kind, "count": len(rows)}
        for key in ("nearest_ohm", "farthest_ohm", "farad", "em_limit_a"):
            values = [row[key] for row in rows if row[key] is not None]
            entry[key] = [min(values), max(values)] if values else None
        found.append(entry)
    return found


def _drops(ir_drop: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if ir_drop is None:
        return []
    keys = ("worst_device_error", "mean_device_error", "worst_column_error")
    return [
        {"mode": mode, **{key: dict(value[key]) for key in keys}}
        for mode, value in ir_drop["modes"].items()
    ]


def _limits(em: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if em is None:
        return None
    verdict = em["verdict"]
    return {"text": verdict["text"], "exceeded": verdict["exceeded"], "counted": em["counted"],
            "temperature_c": em["temperature_c"]}  # fmt: skip


def _write(em: Mapping[str, Any] | None) -> dict[str, Any] | None:
    from ..analyse.needs import write_voltages

    return None if em is None else write_voltages(dict(em))


def _corner(at: CornerFigures) -> dict[str, Any]:
    control = list(at.control_s.values())
    return {
        "corner": at.name,
        "conditions": at.conditions.text,
        "settle_s": at.settle_s,
        "control_s": [min(control), max(control)] if control else None,
        "leakage_W": at.leakage_w,
        "logic": None if at.logic is None else asdict(at.logic),
    }


def _settle(sheet: Mapping[str, Any]) -> float | None:
    """Return how long a read takes at the nominal conditions, if that is known."""
    return sheet["corners"][0]["settle_s"] if sheet["corners"] else None


def _times(sheet: Mapping[str, Any]) -> dict[str, str]:
    """Return what logic on board takes at the nominal conditions, in words, if known."""
    logic = sheet["corners"][0]["logic"] if sheet["corners"] else None
    return {key: quantity(value, "s") for key, value in (logic or {}).items()}


def drawings(groups: Sequence[PortGroup], sheet: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> SVG of the diagrams of a datasheet."""
    words = (
        f"{counted(sheet['tiers'], 'tier')} of {counted(sheet['rows'], 'row')} x "
        f"{counted(sheet['cols'], 'column')}",
        f"{sheet['size_um'][0]:g} um x {sheet['size_um'][1]:g} um",
    )
    found = {"block": block_diagram(sheet["name"], groups, words)}
    settle = _settle(sheet)
    wait = quantity(settle, "s") if settle is not None else "settling"
    inputs = [g.name for g in groups if g.name in names.ALL_INPUTS]
    controls = [g.name for g in groups if g.pins[0].role.digital]
    selects = [name for name in controls if name in names.SELECTS]
    writes = [name for name in controls if name not in names.SELECTS]
    # inputs step when control lines stand: a read settles from there
    before = "0" if selects else ""
    read = [(name, "0" + "1" * 4) for name in selects]
    read += [(name, f"{before}0000") for name in writes]
    have, begun = [g.name for g in groups], 1.0 + len(before)
    marks = {**({1.0: "select"} if selects else {}), begun: "inputs step", begun + 1.0: wait}
    step = "x" * len(before) + "x==="
    if kind_of_logic(have):
        read, marks = waves(have, _times(sheet), wait)
        step = "xxx==" if len(read[0][1]) > len(step) else step
    read += [(name, step) for name in inputs] + [(names.OUTPUT, f"x{step[:-1]}")]
    found["read"] = timing_diagram(
        "Read: both tiers" if sheet["tiers"] > 1 else "Read", read, marks
    )
    if sheet["not_written"] is None:
        of_tier = " of one tier" if sheet["tiers"] > 1 else ""
        found["write"] = timing_diagram(f"Write of column k{of_tier}", _write_waves(have, sheet), {
            1: "others off", 2: "column k on", 3: "pulse", 4: "pulse ends", 5: "column k off",
        })  # fmt: skip
    return found


def _write_waves(have: Sequence[str], sheet: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the order in which the controls of a write change: break before make."""
    two, more = sheet["tiers"] > 1, sheet["cols"] > 1
    own, row, column = ", written tier" if two else "", names.WRITE_ROW, names.WRITE_SELECT
    write = names.write_tier("x" if two else names.BOTTOM)
    found = [(f"select k{own}", "101110")]
    if more:
        found.append((f"select j{own}", "100000"))
    if two:
        found.append(("select k, other tier", "100000"))
    found += [(f"{column} k", "001110"), (write, "001110"), (row, "xx0=00")]
    if two and more:
        found.append((f"{names.OUTPUT} j", "=x===="))
    return [*write_waves(have), *found]


def steps(groups: Sequence[PortGroup], sheet: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return how to read and to program a block, step by step."""
    have = [g.name for g in groups]
    selects, inputs, drivers, sensed = (
        _listed([name for name in kinds if name in have])
        for kinds in (
            names.SELECTS, names.ALL_INPUTS, names.WRITE_ROWS, (*names.ROWS, names.COLUMN)
        )
    )  # fmt: skip
    tiers = " or ".join(name for name in names.WRITE_TIERS if name in have)
    logic = kind_of_logic(have)
    device, settle = sheet["device"], _settle(sheet)
    wait = f"after {quantity(settle, 's')}" if settle is not None else "when they have settled"
    controls = sheet["corners"][0]["control_s"] if sheet["corners"] else None
    low = ", ".join(n for n in (*names.WRITE_TIERS, names.WRITE_SELECT) if n in have)
    set_read = [
        f"Set {low} low: rows are led to {inputs}, columns to {names.OUTPUT}.",
        *([f"Set every {selects} high."] if selects else []),
    ]
    set_write = _set_write(sheet, selects, drivers, tiers)
    after = (
        "Return all of them to 0 V, then set the select line low, then "
        f"{names.WRITE_SELECT} and {tiers}. Read back, and repeat as needed."
    )
    if logic:
        times = _times(sheet)
        set_read, set_write, after = settings(
            have, times, sheet["cols"], sheet["tiers"], selects=sheet["select_lines"]
        )
        what, key, pin = ("select lines are on", "on_s", names.ENABLE)
        if not sheet["select_lines"]:
            what, key, pin = ("mode switches stand", "on_s", names.ENABLE)
        if names.ENABLE not in have:
            key, pin = "follow_s", "LE"
        after_pin = f" ({times[key]} after {pin})" if times else ""
        wait += f", counted from when {what}{after_pin} and inputs stand"
    elif settle is not None:
        wait += ", counted from when inputs and control lines stand"
        if controls:
            wait += f" (these take up to {quantity(controls[1], 's')} from their pins)"
    read = [
        *set_read,
        f"Apply up to {device['v_read_V']:g} V to {inputs}; hold every {names.OUTPUT} at 0 V.",
        *([_SENSE.format(pins=sensed)] if sensed else []),
        f"Take the currents out of {names.OUTPUT} {wait}. {sheet['logic_delay'] or ''}".rstrip(),
    ]
    write = [
        *set_write,
        f"Set: put {device['v_set_V']:g} V on {drivers} of the rows to set, for a pulse. "
        f"Reset: put {device['v_reset_V']:g} V on {names.WRITE_RAIL} and on {drivers} of "
        f"the rows that stay; hold {drivers} of the rows to reset at 0 V."
        f"{_write_limits(device, sheet['rows'])} {_write_judged(sheet)}",
        after,
    ]
    return {"read": read, "write": write}


def _listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _set_write(sheet: Mapping[str, Any], selects: str, drivers: str, tiers: str) -> list[str]:
    """Return how controls that are pins of their own are set for a write."""
    off = f"Set every {selects} low, and {drivers} and {names.WRITE_RAIL} to 0 V."
    if sheet["tiers"] == 1:
        write, select = f"and {tiers}.", f"Set {selects} of column k high."
    else:
        write = f"and {tiers}: the tier that is written."
        own = ", ".join(map("{} with {}".format, names.SELECTS, names.WRITE_TIERS))
        select = (
            f"Set that tier's select line of column k high ({own}); the other tier's stays low."
        )
        if sheet["cols"] > 1:
            select += (
                " The other tier's lines of the other columns may be high, too: these columns are "
                "read meanwhile."
            )
    return [off, f"Set {names.WRITE_SELECT} of column k high, {write}", select]


def _write_limits(device: Mapping[str, Any], rows: int) -> str:
    """Return how many rows are written at a time and what a driver may give, in words."""
    at_a_time, amps = device["write_rows"], device["compliance_A"]
    found = ""
    if at_a_time is not None and at_a_time < rows:
        found += (
            f" Write at most {at_a_time} row{'s' if at_a_time > 1 else ''} at a time: repeat this "
            f"step for the others, which stay unwritten meanwhile ({-(-rows // at_a_time)} turns)."
        )
    if amps is not None:
        found += f" Limit the current of each written row to {quantity(amps, 'A')}."
    return found


def _write_judged(sheet: Mapping[str, Any]) -> str:
    """Return whether the voltages of a write are known to switch what is written."""
    if sheet["write"] is None:
        return f"Whether these voltages switch the devices is {NOT_JUDGED}."
    return f"Judged: {sheet['write']['text']}."


def quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """Return a quantity with the prefix that suits it; a dash for none."""
    if value is None:
        return "-"
    if value == 0:
        return f"0 {unit}"
    size = f"{abs(value):.{digits - 1}e}"
    power = min(max(int(size.partition("e")[2]) // 3 * 3, -15), 9)
    return f"{value / 10.0**power:.{digits}g} {_PREFIXES[power]}{unit}"


def span(values: Sequence[float] | None, unit: str) -> str:
    """Return a range of a quantity, one figure where both ends read the same."""
    if not values:
        return "-"
    low, high = (quantity(value, unit) for value in values)
    return low if low == high else f"{low} .. {high}"


def markdown(
    sheet: Mapping[str, Any], pictures: Mapping[str, str], how: Mapping[str, list[str]]
) -> str:
    """Return the datasheet as Markdown; pictures are files beside it."""
    return filled("datasheet.md.j2", _values(sheet, pictures, how))


def html(
    sheet: Mapping[str, Any], pictures: Mapping[str, str], how: Mapping[str, list[str]]
) -> str:
    """Return the datasheet as one HTML page, pictures in it."""
    return filled("datasheet.html.j2", _values(sheet, pictures, how), html=True)


def _values(
    sheet: Mapping[str, Any], pictures: Mapping[str, str], how: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Return what a template shows; who reads a datasheet has not the files that a source names."""
    ours = ".md" in sheet["device"]["source"]
    told = "; these files are in the source tree of CrossStack" if ours else ""
    return {"s": sheet, "pictures": pictures, "steps": how, "source_told": told,
            "unjudged": f"{NOT_JUDGED[0].upper()}{NOT_JUDGED[1:]}.", **_FORMATS}  # fmt: skip


_FORMATS = {"quantity": quantity, "span": span, "percent": percent, "counted": counted}
