"""What a block does in each state of its controls: the linear map from rows to columns.

A state is one line of the mode table: which controls are high, which rows are inputs, which
columns are read. Its matrix is that of the extracted network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analyse import Laws, mode_ohm, refusal, write_options
from ..base import names
from ..base.errors import ConfigError
from ..solve import MODES, ArrayKind, NetworkSolver, gates_for, network_drives, port_matrix
from ..solve.modes.decoder import mode_code
from ..solve.modes.modes import EXPANSION, read_tiers
from .modes import reads_meanwhile, written_in
from .onboard import decoder_of, pin_levels

if TYPE_CHECKING:
    from ..analyse import Stimulus
    from ..pdk import Tech
    from ..solve import Drives, Mode, Network

Floats = NDArray[np.float64]
#: numbers in a model's matrices; as text 17 bytes each
MOST_NUMBERS = 4_000_000
#: tier that is no tier: nothing is written
NONE = -1


@dataclass(frozen=True, eq=False)
class State:
    """One state of the controls.

    Attributes:
        mode: name of its mode.
        controls: digital pin -> high?
        matrix: siemens, shape (columns, inputs); columns that are not read have zeros.
        write_tier, write_column: what is written; `NONE` without a write.
        reads: columns that are read.
        drives: everything that the state drives, inputs at 0 V.
        ohm: on resistance of the transistors.
        options: of `mode_drives`.
    """

    mode: str
    controls: dict[str, bool]
    matrix: Floats
    write_tier: int
    write_column: int
    reads: tuple[int, ...]
    drives: Drives
    ohm: Floats
    options: dict[str, Any]


def input_names(network: Network) -> tuple[str, ...]:
    """Return the row pins that carry inputs, bottom tier first, then those of the rows' other ends.

    Raises:
        ConfigError: for a network without mode switches, which has no such pins.
    """
    found = [
        name
        for kind in names.ALL_INPUTS
        for row in range(network.rows)
        if (name := names.numbered(kind, row)) in network.ports
    ]
    if not found:
        raise ConfigError("the layout has no row inputs: models are of a macro, not of an array")
    return tuple(found)


def states(
    network: Network, tech: Tech, what: Stimulus, controls: Sequence[str]
) -> tuple[State, ...]:
    """Return every state in which a block computes or is written, those that read first.

    Args:
        network: extracted.
        tech: the transistors' models.
        what: the devices, and the inputs at which transistors are taken.
        controls: digital pins of the block.

    Raises:
        ConfigError: for an array without mode switches, or one with too many states.
    """
    wanted = [
        (mode, options)
        for mode in MODES.values()
        if refusal(network, mode.name) is None
        for options in _options(mode, network.cols)
    ]
    inputs = input_names(network)
    _check_size(len(wanted), network, inputs)
    ohms: dict[tuple[str, int], Floats] = {}
    found: list[State] = []
    for mode, options in wanted:
        key = (mode.name, options.get("read_tier", NONE))
        if key not in ohms:
            ohms[key] = _ohm(network, tech, what, mode, options)
        way = next(write_options(tech, mode.name, options))
        found += _same(_state(network, what, mode, way, ohms[key], inputs), network, controls)
        _check_size(len(found), network, inputs)
    found += _writing(network, controls, inputs)
    for tier, code in _other_codes(network, controls, found):
        found.append(_by_code(network, tech, what, tier, code, ohms, inputs))
        _check_size(sum(bool(state.reads) for state in found), network, inputs)
    return tuple(sorted(found, key=lambda state: not state.reads))


def _check_size(count: int, network: Network, inputs: Sequence[str]) -> None:
    """Refuse more numbers than a simulator reads in reasonable time; `count` states read."""
    size = count * network.cols * len(inputs)
    if size > MOST_NUMBERS:
        raise ConfigError(
            f"the model of {network.rows} x {network.cols} cells would have {size} numbers in "
            f"{count} states, allowed: {MOST_NUMBERS}"
        )


def _same(state: State, network: Network, controls: Sequence[str]) -> Iterator[State]:
    """Yield a state once for each way in which the digital pins make it."""
    for levels in pin_levels(state.drives, network, controls):
        yield replace(state, controls={pin: levels[pin] for pin in controls})


def _writing(network: Network, controls: Sequence[str], inputs: tuple[str, ...]) -> Iterator[State]:
    """Yield the states that write a column while nothing is read: of one tier, of a lone column."""
    mode, why_not = written_in(network)
    if why_not or reads_meanwhile(network):
        return
    none = np.zeros((network.cols, len(inputs)))
    idle = np.zeros((len(network.tiers), network.rows))
    for tier in read_tiers(ArrayKind.of(network)):
        for options in _options(mode, network.cols, (tier,)):
            column = options["write_column"]
            drives = network_drives(network, mode.name, idle, **options)
            state = State(
                mode.name, {}, none, 1 - tier, column, (), drives, np.zeros(0), options
            )  # fmt: skip
            yield from _same(state, network, controls)


def _other_codes(
    network: Network, controls: Sequence[str], found: Sequence[State]
) -> Iterator[tuple[int, dict[str, bool]]]:
    """Yield (tier that is read, pins) of a decoder's codes of writes that are no line of the table.

    They are those of addresses beyond the last column, and those of a block with one tier, which
    write and read nothing.
    """
    kind = ArrayKind.of(network)
    decoder = decoder_of(network, controls)
    if decoder is None or not kind.select:
        return
    taken = {tuple(state.controls[pin] for pin in controls) for state in found}
    for tier in range(len(names.TIERS)):
        for column in range(1 << len(decoder.address)) if 1 - tier in kind.tiers else ():
            pins = decoder.pins(mode_code(tier), column)
            if tuple(pins[pin] for pin in controls) not in taken:
                yield tier, pins


def _by_code(
    network: Network,
    tech: Tech,
    what: Stimulus,
    tier: int,
    pins: dict[str, bool],
    ohms: dict[tuple[str, int], Floats],
    inputs: tuple[str, ...],
) -> State:
    """Return the state that a decoder makes of a code, as the drawn logic does."""
    decoder = decoder_of(network, pins)
    assert decoder is not None
    levels = decoder.levels(pins)
    gates = levels | {names.complement(net): not on for net, on in levels.items()}
    reads = tuple(
        j for j in range(network.cols)
        if levels.get(names.select(tier, j)) and not levels[names.write_select(j)]
    )  # fmt: skip
    written = [j for j in range(network.cols) if levels[names.write_select(j)]]
    column = written[0] if written else NONE
    mode = written_in(network)[0]
    key = (mode.name, tier)
    if reads and key in ohms:
        way = next(write_options(tech, mode.name, {"read_tier": tier, "write_column": 0}))
        state = _state(network, what, mode, way, ohms[key], inputs, (gates, reads))
        return replace(state, controls=pins, write_column=column)
    drives = network_drives(network, EXPANSION, np.zeros_like(what.inputs))
    drives = replace(drives, gates={**drives.gates, **gates})
    none = np.zeros((network.cols, len(inputs)))
    return State(mode.name, pins, none, 1 - tier, column, (), drives, np.zeros(0), {})


def _ohm(
    network: Network, tech: Tech, what: Stimulus, mode: Mode, options: dict[str, Any]
) -> Floats:
    """Return the transistors' resistance in all states of a mode that read one tier.

    Which column is written hardly moves the transistors of the others, so two states tell those
    of all: the first column's transistors are off where it is written, and on in the second.
    """
    laws = Laws.of(tech)
    found = np.full(len(network.switch_a), np.nan)
    ends = (0, network.cols - 1) if mode.writes else (None,)
    for column in ends:
        own = options if column is None else {**options, "write_column": column}
        way = next(write_options(tech, mode.name, own))
        ohm = mode_ohm(network, tech, what, mode.name, **laws.options, **way)
        drives = network_drives(network, mode.name, what.inputs, **way)
        levels = np.array([drives.gates.get(net, True) for net in network.nets])
        on = levels[network.switch_gate] != network.switch_p
        found = np.where(np.isnan(found) & on, ohm, found)
    # what is on in neither of them is on in no state that is read
    return np.where(np.isnan(found), ohm, found)


def _options(
    mode: Mode, cols: int, tiers: Sequence[int] = (names.BOTTOM, names.TOP)
) -> Iterator[dict[str, Any]]:
    if not mode.writes:
        yield {}
        return
    for tier in tiers:
        for column in range(cols):
            yield {"read_tier": tier, "write_column": column}


def _state(
    network: Network,
    what: Stimulus,
    mode: Mode,
    options: dict[str, Any],
    ohm: Floats,
    inputs: tuple[str, ...],
    set_by: tuple[dict[str, bool], tuple[int, ...]] | None = None,
) -> State:
    """Return a state of a mode; `set_by` are other gates than its own, and what they read."""
    idle = network_drives(network, mode.name, np.zeros_like(what.inputs), **options)
    lit = network_drives(network, mode.name, np.ones_like(what.inputs), **options)
    mine = [p for p in inputs if lit.port_voltages.get(p) != idle.port_voltages.get(p)]
    request = idle.request
    columns = mode.columns(network.cols, request.write_column)
    if set_by is not None:
        idle = replace(idle, gates={**idle.gates, **set_by[0]})
        columns = list(set_by[1])
    solver = solver_of(network, what.conductances, idle, ohm)
    rest = {pin: volt for pin, volt in idle.port_voltages.items() if pin not in mine}
    outputs = [idle.outputs[j] for j in columns]
    found = port_matrix(solver, mine, outputs, rest)
    matrix = np.zeros((network.cols, len(inputs)))
    matrix[np.ix_(columns, [inputs.index(pin) for pin in mine])] = found.matrix
    return State(
        mode.name,
        {},
        matrix,
        request.write_tier if mode.writes else NONE,
        request.write_column if mode.writes else NONE,
        tuple(columns),
        idle,
        ohm,
        options,
    )


def solver_of(network: Network, siemens: Floats, drives: Drives, ohm: Floats) -> NetworkSolver:
    """Return the factorised network of a state."""
    return NetworkSolver(
        network,
        conductances=siemens,
        driven=drives.port_voltages,
        gates=gates_for(network, drives),
        switch_ohm=ohm,
    )


def currents_of(network: Network, siemens: Floats, state: State) -> Callable[[Floats], Floats]:
    """Return what tells the column currents of a state, A, by a solve for inputs of its own.

    Args:
        network: extracted.
        siemens: of the memristors.
        state: which; factorised once.

    Returns:
        A function of the inputs, V, shape (tiers, rows).
    """

    def drives_of(inputs: Floats) -> Drives:
        drives = network_drives(network, state.mode, inputs, **state.options)
        return replace(drives, gates=state.drives.gates)

    idle = drives_of(np.zeros((len(network.tiers), network.rows)))
    solver = solver_of(network, siemens, idle, state.ohm) if state.reads else None

    def currents(inputs: Floats) -> Floats:
        out = np.zeros(network.cols)
        if solver is not None:
            drives = drives_of(inputs)
            found = solver.solve(drives.port_voltages)
            for j in state.reads:
                out[j] = -found.port_currents[drives.outputs[j]]
        return out

    return currents
