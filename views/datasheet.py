"""The datasheet of a block: one set of values, written as JSON, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..base import names
from ..base.units import counted, percent, quantity, span
from ..solve import ArrayKind
from .fill import filled
from .liberty import CAPACITANCE_TOLD, DELAYS_TOLD, LEAKAGE_TOLD
from .modes import written_in
from .onboard import kind_of_logic, later, power_up, scan_chain
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
        "capacitance": CAPACITANCE_TOLD[corners[0].engine] if farad else None,
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
