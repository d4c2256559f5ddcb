"""Behavioural SystemVerilog of a block, and its bench: the currents of the extracted network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import names
from ..base.outputs import write_text
from ..solve.modes.address import Chain, is_gated
from .fill import filled
from .onboard import latched
from .ports import PortGroup
from .states import NONE, State, currents_of, input_names, states
from .verilog import POWER_DEFINE, identifier, port_lines

if TYPE_CHECKING:
    from ..analyse import Stimulus
    from ..pdk import Tech
    from ..solve import Network
    from .abstract import Abstract
    from .delays import LogicDelays

Floats = NDArray[np.float64]
#: vectors of each state in the bench, and in all
_PER_STATE, _MOST_VECTORS = 4, 400
#: of the largest current; both ways of the sum round differently
TOLERANCE = 1e-9


def write_model(
    folder: Path,
    block: Abstract,
    groups: Sequence[PortGroup],
    network: Network,
    tech: Tech,
    what: Stimulus,
    settle_s: float,
    seed: int = 1,
    logic: LogicDelays | None = None,
    chain: Sequence[str] = (),
) -> list[str]:
    """Write the model, its matrices, the bench and its vectors; returns the files' names.

    Args:
        folder: receives them.
        block: the block's pins.
        groups: its ports.
        network: extracted.
        tech: the transistors' models.
        what: the devices, and the inputs at which transistors are taken.
        settle_s: from a change until columns stand.
        seed: of the bench's inputs.
        logic: what a decoder on board takes; None if not known, and then it acts at once.
        chain: what the bits of a scan chain on board drive, from its data input on.

    Raises:
        ConfigError: for an array without mode switches, or one too large.
    """
    pins = [pin.name for g in groups for pin in reversed(g.pins) if _control(g)]
    controls = list(chain) or pins
    found = states(network, tech, what, controls)
    # a decoder's latches; where every control is a pin there are none
    held = latched(controls) if set(controls) >= set(names.DECODER_PINS) else []
    inputs = input_names(network)
    vectors = list(_vectors(network, what, found, inputs, seed))
    name = block.name
    shared = {
        "name": name,
        "module": identifier(name),
        "inputs": inputs,
        "cols": network.cols,
        "n_states": len(found),
        "n_read": sum(bool(state.reads) for state in found),
        "controls": controls,
        "held": [_bit(pin) for pin in held],
        "decoder": bool(held),
        "chain": bool(chain),
        "enable": names.ENABLE,
        "chain_enable": bool(chain) and Chain(tuple(chain)).enabled,
        "settle_ns": _ns(settle_s),
    }
    model = filled(
        "model.sv.j2",
        {
            **shared,
            "ports": list(port_lines(groups)),
            "times": _times(logic),
            "control_bits": [_level(pin, controls, held, chained=bool(chain)) for pin in controls],
            "conditions": tech.conditions.text,
            "devices": what.text["conductances"],
            "modes": list(_ranges(found)),
        },
    )
    bench = filled(
        "bench.sv.j2",
        {
            **shared,
            "n_vectors": len(vectors),
            "illegal": _illegal(found, controls),
            "enable_bit": len(controls) - 1 - controls.index(names.ENABLE) if held else 0,
            "tolerance": f"{TOLERANCE:g}",
            "power_define": POWER_DEFINE,
            **_joined(groups, controls),
        },
    )
    write_text(folder / f"{name}_model.sv", model)
    write_text(folder / f"{name}_bench.sv", bench)
    rows = {
        "matrix": (word for state in found if state.reads for word in _hex(state.matrix)),
        "states": (_pattern(state, controls) for state in found),
        "vectors": (word for vector in vectors for word in vector),
    }
    for kind, words in rows.items():
        write_text(folder / f"{name}_{kind}.hex", "\n".join(words) + "\n")
    return [f"{name}_{end}" for end in ("model.sv", "bench.sv", *(f"{k}.hex" for k in rows))]


def _joined(groups: Sequence[PortGroup], controls: Sequence[str]) -> dict[str, Any]:
    """Return what the bench joins to the block's ports."""
    supplies = [g for g in groups if g.pins[0].role.supply]
    return {
        # nets, since no simulator joins a number to an inout port
        "supplies": [
            (f"supply{int(g.pins[0].role.use == 'POWER')}", identifier(g.name)) for g in supplies
        ],
        "analog": [g for g in groups if not _control(g) and g not in supplies],
        "connections": list(_connections(groups, controls)),
    }


def _ns(seconds: float) -> str:
    """Return a time in ns; a clock of a picosecond cannot tell shorter ones than are left."""
    return f"{max(seconds * 1e9, 0.004):.3f}"


def _times(logic: LogicDelays | None) -> dict[str, str]:
    """Return name of a parameter of the model -> ns."""
    keys = ("on", "off", "rest", "setup", "hold")
    return {
        f"{key.upper()}_NS": _ns(0.0 if logic is None else getattr(logic, f"{key}_s"))
        for key in keys
    }


def _control(group: PortGroup) -> bool:
    return group.pins[0].role.digital and group.direction == "input"


def _bit(pin: str) -> str:
    """Return a pin as Verilog reads it out of its port."""
    return pin if "[" in pin else identifier(pin)


def _level(pin: str, controls: Sequence[str], held: Sequence[str], *, chained: bool) -> str:
    """Return what a control is in the model: of a decoder a latch or its enable, of a chain a bit.

    Args:
        pin: the control.
        controls: all of them.
        held: those that a decoder holds.
        chained: they are bits of a chain.
    """
    if chained:
        bit = f"latched[{len(controls) - 1 - controls.index(pin)}]"
        return f"{bit} && on" if is_gated(pin) else bit
    if pin in held:
        return f"held[{held.index(pin)}]"
    return "on" if held and pin == names.ENABLE else _bit(pin)


def _connections(groups: Sequence[PortGroup], controls: Sequence[str]) -> Iterator[str]:
    """Yield the port connections of the bench: controls by their place in `control`."""
    place = {pin: len(controls) - 1 - k for k, pin in enumerate(controls)}
    rest = [g for g in groups if not g.pins[0].role.supply]
    supplies = [g for g in groups if g.pins[0].role.supply]
    if supplies:
        yield f"`ifdef {POWER_DEFINE}"
        for group in supplies:
            yield f".{identifier(group.name)}({identifier(group.name)}),"
        yield "`endif"
    for k, group in enumerate(rest):
        comma = "," if k < len(rest) - 1 else ""
        if _control(group) and group.pins[0].name in place:
            bits = [f"control[{place[pin.name]}]" for pin in reversed(group.pins)]
            yield f".{identifier(group.name)}({{{', '.join(bits)}}}){comma}"
        else:
            yield f".{identifier(group.name)}({identifier(group.name)}){comma}"


def _hex(values: Floats) -> Iterator[str]:
    """Yield the bits of doubles, as ``$bitstoreal`` takes them."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    yield from (f"{int(value):016x}" for value in bits.ravel())


def _pattern(state: State, controls: Sequence[str]) -> str:
    """Return the levels of the controls as a hexadecimal number, the first pin highest."""
    bits = "".join("1" if state.controls[pin] else "0" for pin in controls)
    return f"{int(bits, 2):0{-(-len(bits) // 4)}x}"


def _illegal(found: Sequence[State], controls: Sequence[str]) -> str:
    """Return controls that are no state's, as a number in Verilog."""
    taken = {int(_pattern(state, controls), 16) for state in found}
    free = next(k for k in range(len(taken) + 1) if k not in taken)
    return f"{len(controls)}'h{free:x}"


def _ranges(found: Sequence[State]) -> Iterator[dict[str, object]]:
    """Yield runs of states that differ by the column alone, for a comment."""
    start = 0
    for k, state in enumerate(found):
        after = found[k + 1] if k + 1 < len(found) else None
        if after and _run_of(after) == _run_of(state):
            continue
        tier = f"tier {state.write_tier} (0 bottom, 1 top)"
        text = ""
        if state.write_tier != NONE:
            text = f", column 0 .. {state.write_column} of {tier} written"
            if state.write_column == NONE:
                read = "every column is read" if state.reads else "no column is read"
                text = f" by an address of no column: {read}, none of {tier} written"
            elif not state.reads:
                text += ", none read"
        yield {"first": start, "last": k, "mode": state.mode, "text": text}
        start = k + 1


def _run_of(state: State) -> tuple[object, ...]:
    return state.mode, state.write_tier, state.write_column == NONE, not state.reads


def _vectors(
    network: Network,
    what: Stimulus,
    found: Sequence[State],
    inputs: Sequence[str],
    seed: int,
) -> Iterator[list[str]]:
    """Yield state, inputs and currents of the bench's vectors, as words of 64 bits."""
    random = np.random.default_rng(seed)
    each = max(1, min(_PER_STATE, _MOST_VECTORS // len(found)))
    largest = float(np.abs(what.inputs).max())
    tiers, rows = _rows_of(inputs)
    for number, state in enumerate(found):
        currents = currents_of(network, what.conductances, state)
        for _ in range(each):
            volts = random.uniform(-largest, largest, what.inputs.shape)
            yield [f"{number:016x}", *_hex(volts[tiers, rows]), *_hex(currents(volts))]


def _rows_of(inputs: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return tier and row of every input; both ends of a row are of the same."""
    tiers = [names.ALL_INPUTS.index(names.kind_of(pin)) % len(names.INPUTS) for pin in inputs]
    return tiers, [names.number_of(pin) for pin in inputs]
