"""Random small crossbars and networks with their exact solutions, by mpmath in 90 digits.

Nothing here is shared with the solver: nodes are eliminated one by one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from crossstack.solve import NetworkBuilder

mp = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.mp
mp.dps = 90
INF = float("inf")
Edge = tuple[int, int, Any]  # node, node, ohm


class Exact:
    """Node voltages and edge currents of resistors between nodes, some of them held."""

    def __init__(self, n_nodes: int, edges: list[Edge], held: dict[int, float]) -> None:
        """Solve; an edge of 0 ohm joins its nodes, one of inf ohm is left out."""
        self._parent = list(range(n_nodes))
        for a, b, ohm in edges:
            if ohm == 0:
                self._parent[self.root(a)] = self.root(b)
        self.volts: dict[int, Any] = {self.root(k): mp.mpf(v) for k, v in held.items()}
        rows: dict[int, dict[int, Any]] = defaultdict(lambda: defaultdict(mp.mpf))
        for a, b, ohm in edges:
            a, b = self.root(a), self.root(b)
            if a != b and ohm != INF:
                g = 1 / mp.mpf(ohm)
                rows[a][a] += g
                rows[b][b] += g
                rows[a][b] -= g
                rows[b][a] -= g
        self._eliminate(rows)

    def root(self, node: int) -> int:
        """The node that stands for all that 0 ohm joins to this one."""
        while self._parent[node] != node:
            node = self._parent[node]
        return node

    def volt(self, node: int) -> Any:
        """Voltage of a node; 0 where nothing drives it."""
        return self.volts.get(self.root(node), mp.mpf(0))

    def amps(self, a: int, b: int, ohm: Any) -> Any:
        """Current through a resistor."""
        return (self.volt(a) - self.volt(b)) / mp.mpf(ohm) if ohm not in {0, INF} else mp.mpf(0)

    def _eliminate(self, rows: dict[int, dict[int, Any]]) -> None:
        """Gauss's elimination by least degree of every node that something drives."""
        left = self._driven(rows)
        order = []
        while left:
            k = min(left, key=lambda node: len(rows[node]))
            left.discard(k)
            row = dict(rows[k])
            pivot = row.pop(k)
            for i, a in row.items():
                for j, b in row.items():
                    if i not in self.volts:
                        rows[i][j] -= a * b / pivot
                rows[i].pop(k, None)
            order.append((k, pivot, row))
        for k, pivot, row in reversed(order):
            self.volts[k] = -sum(g * self.volts[j] for j, g in row.items()) / pivot

    def _driven(self, rows: dict[int, dict[int, Any]]) -> set[int]:
        seen, todo = set(), list(self.volts)
        while todo:
            for j in rows[todo.pop()]:
                if j not in seen and j not in self.volts:
                    seen.add(j)
                    todo.append(j)
        return seen


def spans(rng: np.random.Generator) -> Callable[..., np.ndarray]:
    """How conductances of one case are drawn: (low decade, high decade, shape) -> siemens."""
    width = rng.choice([0.0, 1.0, 3.0, 6.0])

    def draw(low: float, high: float, *shape: int) -> np.ndarray:
        middle = rng.uniform(low, high)
        return 10.0 ** np.clip(rng.uniform(middle - width, middle + width, shape), low, high)

    return draw


@dataclass
class Crossbar:
    """Arguments of `solve_crossbar` and the exact answers."""

    arguments: dict[str, Any]
    v: np.ndarray

    @classmethod
    def random(cls, rng: np.random.Generator) -> Crossbar:
        """A small crossbar."""
        T = int(rng.integers(1, 3))
        n, m = (int(k) for k in rng.integers(1, [7, 7]))
        if rng.random() < 0.1:
            n, m = (1, int(rng.integers(8, 20))) if rng.random() < 0.5 else (20, 1)
        ends = rng.choice(["left", "right", "both"]), rng.choice(["bottom", "top", "both"])
        wide, tall = m + (ends[0] == "both"), n + (ends[1] == "both")
        absurd = rng.random() < 0.65
        draw = spans(rng)
        if absurd:
            reach = float(rng.choice([6, 9, 12, 15]))
            G = draw(-reach, reach, T, n, m)
            wires = [draw(-reach, reach, *s) for s in ((T, n, wide), (tall, m), (T, n), (m,))]
            if rng.random() < 0.3:
                G = 10.0 ** rng.uniform(-reach, reach, G.shape)
            if rng.random() < 0.3:
                wires = [10.0 ** rng.uniform(-reach, reach, w.shape) for w in wires]
        else:
            G = 10.0 ** rng.uniform(-7, -3, (T, n, m))
            wires = [
                rng.uniform(0.1, 20) * rng.uniform(0.8, 1.2, s)
                for s in ((T, n, wide), (tall, m), (T, n), (m,))
            ]
        rows, cols, drive, sense = wires
        if rng.random() < 0.3:
            G[rng.random(G.shape) < rng.choice([0.1, 0.5, 1.0], p=[0.6, 0.35, 0.05])] = 0.0
        for wire in (rows, cols):
            if rng.random() < 0.25:
                wire[rng.random(wire.shape) < 0.15] = INF
            if rng.random() < 0.15:
                wire[rng.random(wire.shape) < 0.2] = 0.0
            if rng.random() < 0.1:
                wire[...] = float(wire.flat[0])
        for end in (drive, sense):
            if rng.random() < 0.4:
                end[...] = 0.0
            elif rng.random() < 0.15:
                end[rng.random(end.shape) < 0.2] = INF
        if rng.random() < 0.08:
            G[rng.random(G.shape) < 0.2] = INF
        v = rng.uniform(-1, 1, (T, n)) if rng.random() < 0.5 else rng.uniform(0, 1, (T, n))
        if rng.random() < 0.1:
            v *= 10.0 ** rng.uniform(-9, 3, v.shape)
        if rng.random() < 0.1:
            v[rng.random(v.shape) < 0.5] = 0.0
        if rng.random() < 0.1:
            v[rng.random(v.shape) < 0.3] = np.nan
        arguments = {
            "conductances": G,
            "row_segments": rows,
            "column_segments": cols,
            "drive_resistance": drive,
            "sense_resistance": sense,
            "row_drive": str(ends[0]),
            "column_sense": str(ends[1]),
        }
        return cls(arguments, v)

    def edges(self) -> tuple[int, list[Edge], list[tuple[str, tuple[int, ...]]]]:
        """Nodes, resistors, and what each resistor is: ('device' | 'row' | 'col' | 'wire', at).

        Nodes: rows, columns, one source a row, one ground (a node of its own) a column.
        """
        a = self.arguments
        G = a["conductances"]
        T, n, m = G.shape
        rows, cols, drive, sense = (
            a[k]
            for k in ("row_segments", "column_segments", "drive_resistance", "sense_resistance")
        )
        row = lambda t, i, j: (t * n + i) * m + j  # noqa: E731
        col = lambda i, j: T * n * m + i * m + j  # noqa: E731
        base = (T + 1) * n * m
        out: list[Edge] = []
        what: list[tuple[str, tuple[int, ...]]] = []

        def add(kind: str, at: tuple[int, ...], p: int, q: int, *ohm: float) -> None:
            out.append(
                (p, q, INF if INF in ohm else sum((mp.mpf(float(x)) for x in ohm), mp.mpf(0)))
            )
            what.append((kind, at))

        for t in range(T):
            for i in range(n):
                for j in range(m):
                    g = G[t, i, j]
                    ohm = INF if g == 0 else 0 if g == INF else 1 / mp.mpf(float(g))
                    out.append((row(t, i, j), col(i, j), ohm))
                    what.append(("device", (t, i, j)))
                s = base + t * n + i
                side, seg = a["row_drive"], rows[t, i]
                if side != "right":
                    add("row", (t, i), s, row(t, i, 0), seg[0], drive[t, i])
                if side != "left":
                    add("row", (t, i), s, row(t, i, m - 1), seg[-1], drive[t, i])
                inner = seg[1:] if side == "left" else seg[:-1] if side == "right" else seg[1:-1]
                for j in range(m - 1):
                    add("wire", (), row(t, i, j), row(t, i, j + 1), inner[j])
        for j in range(m):
            level, side, seg = base + T * n + j, a["column_sense"], cols[:, j]
            if side != "bottom":
                add("col", (j,), col(0, j), level, seg[0], sense[j])
            if side != "top":
                add("col", (j,), col(n - 1, j), level, seg[-1], sense[j])
            inner = seg[:-1] if side == "bottom" else seg[1:] if side == "top" else seg[1:-1]
            for i in range(n - 1):
                add("wire", (), col(i, j), col(i + 1, j), inner[i])
        return base + T * n + m, out, what

    def exact(self, device: Any = None) -> dict[str, list[Any]]:
        """Exact vectors of one drive, flattened in C order."""
        T, n, m = self.arguments["conductances"].shape
        nodes, edges, what = self.edges()
        base = (T + 1) * n * m
        held = {base + k: v for k, v in enumerate(self.v.reshape(-1)) if not np.isnan(v)}
        held |= {base + T * n + j: 0.0 for j in range(m)}
        sources = {base + k for k, v in enumerate(self.v.reshape(-1)) if np.isnan(v)}
        edges = [(p, q, INF if p in sources else r) for p, q, r in edges]
        solved = Exact(nodes, edges, held)
        into: dict[int, Any] = defaultdict(mp.mpf)
        for p, q, ohm in edges:
            amps = solved.amps(p, q, ohm)
            into[solved.root(p)] += amps
            into[solved.root(q)] -= amps
        share = Counter(solved.root(k) for k in held)
        volts = [solved.volt(k) for k in range(base)]
        device_amps = [
            solved.amps(*e) for e, w in zip(edges, what, strict=True) if w[0] == "device"
        ]
        terminal = [into[solved.root(base + k)] / max(share[solved.root(base + k)], 1)
                    if base + k in held else mp.mpf(0) for k in range(T * n + m)]  # fmt: skip
        return {
            "columns": [-x for x in terminal[T * n :]],
            "rows": terminal[: T * n],
            "devices": device_amps,
            "volts": volts,
            "power": [sum(mp.mpf(float(v)) * x for v, x in
                          zip(np.nan_to_num(self.v).reshape(-1), terminal, strict=False))],
        }  # fmt: skip


@dataclass
class Net:
    """A random network with its edges for the exact solution."""

    network: Any
    G: np.ndarray
    edges: list[Edge]
    kinds: list[str]
    volts: dict[str, float]
    port_ohm: dict[str, float]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Net:
        """A graph of wires and switches with some memristors and ports."""
        b = NetworkBuilder()
        n = int(rng.integers(4, 24))
        nodes = [b.node(f"n{k}") for k in range(n)]
        draw = spans(rng)
        reach = float(rng.choice([2, 6, 12, 15]))
        edges: list[Edge] = []
        kinds: list[str] = []
        for k in range(1, n):
            others = [int(rng.integers(k))]
            if rng.random() < 0.4:
                others.append(int(rng.integers(k)))
            for other in others:
                if rng.random() < 0.08:
                    continue
                ohm = float(draw(-reach, reach, 1)[0])
                if rng.random() < 0.08:
                    ohm = 0.0
                b.resistor(nodes[other], nodes[k], ohm, layer="M", net="x")
                edges.append((other, k, mp.mpf(ohm)))
                kinds.append("wire")
        shape = tuple(int(k) for k in rng.integers(1, 4, 2))
        places = [(t, i, j) for t in range(2) for i in range(shape[0]) for j in range(shape[1])]
        G = draw(-reach, reach, 2, *shape)
        if rng.random() < 0.3:
            G[rng.random(G.shape) < 0.3] = 0.0
        for t, i, j in places:
            p, q = (int(k) for k in rng.choice(n, 2, replace=False))
            b.memristor(t, i, j, p, q)
            g = float(G[t, i, j])
            edges.append((p, q, 1 / mp.mpf(g) if g else INF))
            kinds.append("device")
        ports = {
            f"p{k}": int(x) for k, x in enumerate(rng.choice(n, int(rng.integers(1, 4)), False))
        }
        for name, node in ports.items():
            b.port(name, node)
        volts = {name: float(rng.choice([0.0, rng.uniform(-1, 1)])) for name in ports}
        port_ohm = {}
        for name in ports:
            if rng.random() < 0.3:
                port_ohm[name] = float(draw(-reach, reach, 1)[0])
        return cls(b.build(), G, edges, kinds, volts, port_ohm)

    def exact(self) -> dict[str, Any]:
        """Port currents, device currents, wire currents, node voltages."""
        n = self.network.n_nodes
        edges = list(self.edges)
        held = {}
        for k, (name, volt) in enumerate(self.volts.items()):
            node = self.network.ports[name]
            if name in self.port_ohm:
                edges.append((n + k, node, mp.mpf(self.port_ohm[name])))
                held[n + k] = volt
            else:
                held[node] = volt
        solved = Exact(n + len(self.volts), edges, held)
        into: dict[int, Any] = defaultdict(mp.mpf)
        for p, q, ohm in edges:
            amps = solved.amps(p, q, ohm)
            into[solved.root(p)] += amps
            into[solved.root(q)] -= amps
        pins = [solved.root(n + k if name in self.port_ohm else self.network.ports[name])
                for k, name in enumerate(self.volts)]  # fmt: skip
        share = Counter(pins)
        amps = [solved.amps(*e) for e in self.edges]
        return {
            "ports": [into[p] / share[p] for p in pins],
            "devices": [x for x, k in zip(amps, self.kinds, strict=True) if k == "device"],
            "wires": [x for x, k in zip(amps, self.kinds, strict=True) if k == "wire"],
            "volts": [solved.volt(k) for k in range(n)],
            "all": amps,
        }
