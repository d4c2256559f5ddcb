"""The resistor, memristor and switch network that `extract` builds and `solve` solves.

A `Network` is plain data: nodes, the wire resistors between them (with layer, net and
drawn width, so that current densities can be judged later), memristors by array
position, transistors by gate net, and the pins (`ports`). It holds no conductances of
memristors and no gate levels: those belong to a solve, not to a layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import NetworkError
from ...base.names import COLUMN, LINE, ROWS, TIER_NAMES, kind_of, number_of
from .left_out import LeftOut

#: places of an array that is solved whatever it holds, and places for each memristor beyond
_MOST_PLACES, _MOST_EMPTY = 2_000_000, 64

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Array = NDArray[Any]

#: least and most of an ohm, a um or a um2: beyond, 1 / x and sums of squares leave the numbers
LEAST, MOST = 1e-100, 1e100
#: what stands for a joint of zero ohm where a net is solved alone
JOINT_OHM = 1e-9
#: largest sizes of devices, um2 and um: a metre, and its square
SIZES = {"memristor_area_um2": 1e12, "switch_w_um": 1e6, "switch_l_um": 1e6}
#: cuts of a piece of wire that can be told apart, a bit each
PARTINGS = 64
#: what a strip of a grid crosses: the cut that all strips of its parting lie on, side by side
STRIP = -1
#: V of a supply that nobody has named
NO_SUPPLY_V = 1.0

# dtype of every array field; the order is the order in the file.
ARRAY_TYPES: dict[str, type[np.generic]] = {
    "resistor_a": np.int32,
    "resistor_b": np.int32,
    "resistor_ohm": np.float64,
    "resistor_layer": np.int16,
    "resistor_net": np.int32,
    "resistor_width_um": np.float64,
    "resistor_cuts": np.float64,
    "memristor_tier": np.int8,
    "memristor_row": np.int32,
    "memristor_col": np.int32,
    "memristor_a": np.int32,
    "memristor_b": np.int32,
    "memristor_area_um2": np.float64,
    "switch_a": np.int32,
    "switch_b": np.int32,
    "switch_gate": np.int32,
    "switch_w_um": np.float64,
    "switch_l_um": np.float64,
    "switch_p": np.bool_,
}
#: the same of what is known of pieces of wire with several ends; without, of none
PARTING_TYPES: dict[str, type[np.generic]] = {
    "resistor_parting": np.int32,
    "resistor_crosses": np.int64,
}
#: the same of what a network has where its capacitance was extracted
CAPACITOR_TYPES: dict[str, type[np.generic]] = {
    "capacitor_a": np.int32,
    "capacitor_b": np.int32,
    "capacitor_f": np.float64,
}
#: the other node of a capacitor to ground
TO_GROUND = -1


@dataclass(frozen=True, eq=False)
class Network:
    """An extracted network; all arrays are read-only.

    Attributes:
        node_names: one unique name per node, shape (n_nodes,).
        layers: names of the layers that `resistor_layer` indexes, e.g. a metal, 'ME'.
        nets: names of the nets that `resistor_net` and `switch_gate` index.
        resistor_a: first node of each wire piece, shape (n_resistors,).
        resistor_b: second node of each wire piece.
        resistor_ohm: resistance in ohm, >= 0; 0 joins the two nodes.
        resistor_layer: index into `layers`.
        resistor_net: index into `nets`.
        resistor_width_um: length of a straight cut that the piece's current passes, in um; of
            pieces in series the shortest; nan for cuts and where it is not known.
        resistor_cuts: number of parallel cuts of a via or contact; nan for wires.
        resistor_parting: of a resistor of a piece with several ends, 64 (`PARTINGS`) times the
            number of the piece on its net and layer, plus the number of the cut through the piece
            that is `resistor_width_um` long; -1 of others.
        resistor_crosses: which of its piece's cuts the resistor crosses, a bit each; -1 (`STRIP`)
            of a strip of a grid: those of one `resistor_parting` lie side by side, each from `a` to
            `b` the same way, and `resistor_width_um` is that of them all.
        memristor_tier: 0 bottom, 1 top, shape (n_memristors,).
        memristor_row: row of the device, from 0.
        memristor_col: column of the device, from 0.
        memristor_a: node on the row's (outer electrode's) side.
        memristor_b: node on the column's (middle electrode's) side.
        memristor_area_um2: active area in um^2.
        switch_a: source or drain node of each transistor, shape (n_switches,).
        switch_b: the other of the two.
        switch_gate: index into `nets` of the gate's net.
        switch_w_um: gate width in um.
        switch_l_um: gate length in um.
        switch_p: True for a pfet (conducts when its gate is low).
        ports: pin name -> node, e.g. 'TR[3]', 'BR[0]', 'C[2]', 'TS[1]', 'VSS'.
        conditions: what the wires were extracted at, as plain values (`pdk.Conditions`); empty
            for a network made by hand.
        left_out: what the layout has and the network lacks.
        pads: which of the ports are pads of a die, in their order.
        capacitor_a: node of each capacitor, shape (n_capacitors,); none where no capacitance was
            extracted.
        capacitor_b: its other node, -1 for ground.
        capacitor_f: its capacitance in F, >= 0.
    """

    node_names: NDArray[np.str_]
    layers: tuple[str, ...]
    nets: tuple[str, ...]
    resistor_a: Ints
    resistor_b: Ints
    resistor_ohm: Floats
    resistor_layer: NDArray[np.int16]
    resistor_net: Ints
    resistor_width_um: Floats
    resistor_cuts: Floats
    memristor_tier: NDArray[np.int8]
    memristor_row: Ints
    memristor_col: Ints
    memristor_a: Ints
    memristor_b: Ints
    memristor_area_um2: Floats
    switch_a: Ints
    switch_b: Ints
    switch_gate: Ints
    switch_w_um: Floats
    switch_l_um: Floats
    switch_p: NDArray[np.bool_]
    ports: dict[str, int] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    pads: tuple[str, ...] = ()
    capacitor_a: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    capacitor_b: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    capacitor_f: Floats = field(default_factory=lambda: np.zeros(0))
    resistor_parting: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    resistor_crosses: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        for name, value in (("resistor_parting", -1), ("resistor_crosses", 0)):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.resistor_ohm), value))
        for name, dtype in (ARRAY_TYPES | PARTING_TYPES | CAPACITOR_TYPES).items():
            array = exact(name, getattr(self, name), dtype)
            if array.ndim != 1:
                raise NetworkError(f"{name} has {array.ndim} dimensions, expected 1")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        names = np.array(self.node_names, dtype=np.str_).reshape(-1)
        names.setflags(write=False)
        object.__setattr__(self, "node_names", names)
        object.__setattr__(self, "layers", tuple(map(str, self.layers)))
        object.__setattr__(self, "nets", tuple(map(str, self.nets)))
        object.__setattr__(self, "ports", {str(k): int(v) for k, v in self.ports.items()})
        object.__setattr__(self, "pads", tuple(map(str, self.pads)))

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_names)

    @property
    def capacitors(self) -> Iterator[tuple[int, int | None, float]]:
        """Capacitors: node, other node or None for ground, F."""
        ends = (self.capacitor_a.tolist(), self.capacitor_b.tolist(), self.capacitor_f.tolist())
        return (
            (a, None if b == TO_GROUND else b, farad) for a, b, farad in zip(*ends, strict=True)
        )

    @property
    def tiers(self) -> tuple[int, ...]:
        """Tiers that hold at least one memristor, in rising order."""
        return tuple(int(t) for t in np.unique(self.memristor_tier))

    @property
    def rows(self) -> int:
        """Number of rows: one more than the highest row of any memristor."""
        return int(self.memristor_row.max()) + 1 if len(self.memristor_row) else 0

    @property
    def cols(self) -> int:
        """Number of columns: one more than the highest column of any memristor."""
        return int(self.memristor_col.max()) + 1 if len(self.memristor_col) else 0

    @property
    def shape(self) -> tuple[tuple[int, ...], int, int]:
        """(tiers present, rows, cols)."""
        return self.tiers, self.rows, self.cols

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Where the grid holds a memristor, shape (highest tier + 1, rows, cols)."""
        found = np.zeros((max(self.tiers, default=0) + 1, self.rows, self.cols), dtype=bool)
        found[self.memristor_tier, self.memristor_row, self.memristor_col] = True
        return found

    def _bare_lines(self) -> str:
        """Say which lines beyond the last device have none, with their verb; "" for none."""
        has = dict.fromkeys(ROWS, self.rows) | {COLUMN: self.cols}
        nets = (net for net in dict.fromkeys([*self.ports, *self.nets]) if LINE.fullmatch(net))
        bare = [net for net in nets if number_of(net) >= has[kind_of(net)]]
        if not bare or not len(self.memristor_row):
            return ""
        more = f" and {len(bare) - 1} more have" if len(bare) > 1 else " has"
        return f"{bare[0]}{more}"

    @property
    def missing(self) -> str:
        """Says that places of the grid hold no memristor, and which first; empty if none."""
        bare = self._bare_lines()
        empty = np.argwhere(~self.present[list(self.tiers)])
        if not len(empty):
            return bare and f"{bare} no device; all figures are of those present"
        tier, row, col = (int(v) for v in empty[0])
        count = len(self.memristor_row)
        more = f" and {len(empty) - 1} more are" if len(empty) > 1 else " is"
        return (bare and f"{bare} no device, ") + (
            f"{count} of {count + len(empty)} devices: {TIER_NAMES[self.tiers[tier]]} tier, row "
            f"{row}, column {col}{more} missing; all figures are of those present"
        )

    @property
    def gate_nets(self) -> tuple[str, ...]:
        """Names of the nets that drive at least one gate, in the order of `nets`."""
        return tuple(self.nets[int(i)] for i in np.unique(self.switch_gate))

    def validate(self) -> Network:
        """Check the network against itself.

        Returns:
            The network, so that the call can be chained.

        Raises:
            NetworkError: naming the field, the element, its value and the allowed range.
        """
        self._check_lengths()
        self._check_indices()
        self._check_values()
        self._check_positions()
        return self

    def _check_lengths(self) -> None:
        every = [*ARRAY_TYPES, *PARTING_TYPES, *CAPACITOR_TYPES]
        for kind in ("resistor", "memristor", "switch", "capacitor"):
            sizes = {n: len(getattr(self, n)) for n in every if n.startswith(kind + "_")}
            if len(set(sizes.values())) > 1:
                raise NetworkError(f"{kind} arrays differ in length: {sizes}")
        for what in ("node_names", "layers", "nets"):
            rising = np.sort(np.asarray(getattr(self, what), dtype=np.str_))
            twice = np.flatnonzero(rising[1:] == rising[:-1])
            if len(twice):
                raise NetworkError(f"{what} holds {str(rising[twice[0]])!r} more than once")

    def _check_indices(self) -> None:
        limits = {
            "resistor_a": self.n_nodes,
            "resistor_b": self.n_nodes,
            "resistor_layer": len(self.layers),
            "resistor_net": len(self.nets),
            "memristor_tier": len(TIER_NAMES),
            "memristor_a": self.n_nodes,
            "memristor_b": self.n_nodes,
            "switch_a": self.n_nodes,
            "switch_b": self.n_nodes,
            "switch_gate": len(self.nets),
            "capacitor_a": self.n_nodes,
            "capacitor_b": self.n_nodes,
        }
        for name, limit in limits.items():
            values, least = getattr(self, name), TO_GROUND if name == "capacitor_b" else 0
            _refuse(name, values, (values < least) | (values >= limit), f"{least}..{limit - 1}")
        for name in ("memristor_row", "memristor_col"):
            _refuse(name, getattr(self, name), getattr(self, name) < 0, ">= 0")
        for pin, node in self.ports.items():
            if not 0 <= node < self.n_nodes:
                raise NetworkError(f"port {pin!r} is node {node}, allowed 0..{self.n_nodes - 1}")
        if wrong := [pad for pad in self.pads if pad not in self.ports]:
            raise NetworkError(f"pad {wrong[0]!r} is none of the {len(self.ports)} ports")

    def _check_values(self) -> None:
        ohm = self.resistor_ohm
        wrong = ~((ohm == 0) | ((ohm >= LEAST) & (ohm <= MOST)))
        _refuse("resistor_ohm", ohm, wrong, f"0, or {LEAST:g} .. {MOST:g}")
        loops = (self.resistor_a == self.resistor_b) & (ohm > 0)
        _refuse("resistor_b", self.resistor_b, loops, "another node than resistor_a")
        for name in ("resistor_width_um", "resistor_cuts"):
            values = getattr(self, name)
            wrong = (values <= 0) | (values > MOST)
            _refuse(name, values, wrong, "> 0, or nan where it has no meaning")
        parting, crosses = self.resistor_parting, self.resistor_crosses
        _refuse("resistor_parting", parting, parting < -1, ">= 0, or -1 of none")
        if not (parting >= 0).any() and not crosses.any():
            parting, crosses = parting[:0], crosses[:0]
        own = (crosses >> (np.maximum(parting, 0) % PARTINGS) & 1) == 1
        fits = np.where(parting < 0, crosses == 0, (crosses == STRIP) | ((crosses > 0) & own))
        _refuse(
            "resistor_crosses",
            crosses,
            ~fits,
            "none, or bits that have the one of its parting among them",
        )
        farad = self.capacitor_f
        _refuse("capacitor_f", farad, ~((farad >= 0) & (farad <= 1.0)), "0 .. 1")
        for name, most in SIZES.items():
            values = getattr(self, name)
            _refuse(name, values, ~((values > 0) & (values <= most)), f"> 0, at most {most:g}")

    def _check_positions(self) -> None:
        if not len(self.memristor_row):
            return
        places = len(TIER_NAMES) * self.rows * self.cols
        if places > max(_MOST_PLACES, _MOST_EMPTY * len(self.memristor_row)):
            raise NetworkError(
                f"{len(self.memristor_row)} memristors reach to row {self.rows - 1} and column "
                f"{self.cols - 1}: too far apart for an array"
            )
        key = (self.memristor_tier.astype(np.int64) * self.rows + self.memristor_row) * self.cols
        key += self.memristor_col
        unique, first, counts = np.unique(key, return_index=True, return_counts=True)
        if len(unique) != len(key):
            k = int(first[counts > 1][0])
            raise NetworkError(
                f"two memristors at tier {TIER_NAMES[int(self.memristor_tier[k])]}, "
                f"row {self.memristor_row[k]}, column {self.memristor_col[k]}; one is allowed"
            )


def exact(name: str, values: Any, dtype: type[np.generic]) -> Array:
    """Return a copy as an array of a type that holds every value as it is.

    Raises:
        NetworkError: for values of another kind, such as a fraction for an index, or too large.
    """
    given = np.asarray(values)
    kind = np.dtype(dtype).kind
    if given.size and given.dtype.kind not in {"i": "iu", "f": "iuf", "b": "b"}[kind]:
        raise NetworkError(f"{name} holds {given.dtype} values, allowed: {np.dtype(dtype)}")
    array: Array = np.array(given, dtype=dtype)
    if kind == "i":
        _refuse(name, given.ravel(), (array != given).ravel(), f"values of {np.dtype(dtype)}")
    return array


def _refuse(name: str, values: Array, wrong: NDArray[np.bool_], allowed: str) -> None:
    """Raise a NetworkError that shows the first wrong element, if any."""
    bad = np.flatnonzero(wrong)
    if len(bad):
        raise NetworkError(
            f"{name}[{bad[0]}] is {values[bad[0]]}, allowed: {allowed} "
            f"({len(bad)} of {len(values)} elements are wrong)"
        )


def supply_of(conditions: Mapping[str, Any]) -> float:
    """Return the supply at which a network was extracted, V; see `Network.conditions`."""
    volts = conditions.get("supply_v")
    return float(volts) if isinstance(volts, int | float) else NO_SUPPLY_V
