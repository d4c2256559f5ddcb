"""What is wrong, in names and coordinates, read off matched devices and nets."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..base.units import place
from .devices import KINDS
from .extraction import ExtractedLayout, Finding
from .graph import DRAIN, SOURCE
from .matching import match
from .names import label_names
from .places import where_joined, where_open
from .wholes import extra_wholes, lost_wholes

if TYPE_CHECKING:
    from .flat import FlatDevice, FlatNet
    from .graph import Graph
    from .matching import Matching
    from .tolerances import Tolerances

#: Findings of one kind that are spelled out; the rest is counted.
MOST = 20


class Explainer:
    """Turns a matching into findings.

    Args:
        layout: the extracted layout.
        a: graph of the layout.
        b: graph of the reference.
        tolerances: allowed differences of parameters.
    """

    def __init__(self, layout: ExtractedLayout, a: Graph, b: Graph, tolerances: Tolerances) -> None:
        self.layout, self.a, self.b, self.tolerances = layout, a, b, tolerances
        self.pairs = np.empty((0, 2), dtype=np.int64)

    def explain(self) -> list[Finding]:
        """Match what can be matched and return every difference."""
        known = self.a.anchors.copy()
        found = match(self.a, self.b)
        self.pairs = np.array([(i, j) for i, j, _ in found.pairs], dtype=np.int64).reshape(-1, 2)
        findings = self._nets(found)
        findings += self.parameters()
        findings += self._left_over(found, replace(self.a, anchors=known))
        return findings

    def pair_by_color(self, hops: int) -> None:
        """Pair the devices of two netlists of equal colours, equal sizes with each other."""
        order = []
        for graph in (self.a, self.b):
            colors = graph.device_colors(graph.net_colors(hops))
            order.append(np.lexsort((graph.parameters[:, 1], graph.parameters[:, 0], colors)))
        self.pairs = np.column_stack(order)

    def shorts(self) -> list[Finding]:
        """Return the shorts between labels, with the place where the wires meet."""
        found = []
        for net, finding in self.layout.shorts():
            seeds = self._seeds(net)
            if len(seeds) > 1:
                first, second = list(seeds.values())[:2]
                spot = where_joined(self.layout, net, first, second)
                places = spot.points + finding.places
                finding = Finding(finding.kind, finding.message + spot.words, places)
            found.append(finding)
        return found

    def _seeds(self, net: FlatNet) -> dict[str, list[tuple[FlatDevice, int]]]:
        """Return for each name of a shorted net the terminals that the reference has on it."""
        names = set(label_names(net))
        seeds: dict[str, list[tuple[FlatDevice, int]]] = defaultdict(list)
        on_net = np.any(self.a.nets[self.pairs[:, 0]] == net.number, axis=1)
        for i, j in self.pairs[on_net].tolist():
            device = self.device(i)
            other = self.b.flat.devices[self.b.members[j][0]]
            for position in np.flatnonzero(self.a.nets[i] == net.number).tolist():
                channel = position in (DRAIN, SOURCE) and not device.kind.is_memristor
                columns = (DRAIN, SOURCE) if channel else (position,)
                numbers = [other.nets[c] for c in columns if other.nets[c] >= 0]
                both = names & {self.b.flat.nets[number].name for number in numbers}
                if len(both) == 1:
                    seeds[both.pop()].append((device, position))
        return seeds

    def parameters(self) -> list[Finding]:
        """Return the paired devices whose size differs."""
        rows_a, rows_b = self.pairs[:, 0], self.pairs[:, 1]
        texts: list[Finding] = []
        for number, kind in enumerate(KINDS):
            mine = self.a.kinds[rows_a] == number
            ia, ib = rows_a[mine], rows_b[mine]
            for column, name in enumerate(kind.parameters):
                va, vb = self.a.parameters[ia, column], self.b.parameters[ib, column]
                # a size that is no number is a difference, too
                bad = np.flatnonzero(~(np.abs(va - vb) <= self.tolerances.allowed(name, vb)))
                for k in bad.tolist():
                    at = self.device(int(ia[k])).at
                    text = (
                        f"{self.describe(int(ia[k]))}: {name} = {va[k]:.6g} {_unit(name)}, "
                        f"reference {self.b_name(int(ib[k]))} has {vb[k]:.6g} {_unit(name)}"
                    )
                    texts.append(Finding("size", text, (at,)))
        return _at_most(texts)

    def device(self, row: int) -> FlatDevice:
        """Return a layout device (the first, where several were combined)."""
        return self.a.flat.devices[self.a.members[row][0]]

    def describe(self, row: int) -> str:
        """Return a layout device with its place and named nets."""
        device = self.device(row)
        named = []
        for terminal, net in zip(device.kind.terminals, device.nets, strict=True):
            if net >= 0 and self.a.flat.nets[net].name:
                named.append(f"{terminal}={self.a_net(self.a.flat.nets[net])}")
        inside = f" ({', '.join(named)})" if named else ""
        return f"{device.kind.name} at {place(device.at)}{inside}"

    def b_name(self, row: int) -> str:
        """Return the path of a reference device."""
        return self.b.flat.devices[self.b.members[row][0]].name

    def a_net(self, net: FlatNet) -> str:
        """Return a layout net by label, or by where it is."""
        if net.name:
            names = net.name.split(",")
            return ",".join(names[:2]) + (",..." if len(names) > 2 else "")
        on = self.a.flat.terminals[net.number]
        if not on:
            return "a wire without device"
        device, column = self.a.flat.devices[on[0][0]], on[0][1]
        terminal = device.kind.terminals[column]
        return f"the net of {terminal} of {device.kind.name} at {place(device.at)}"

    def b_net(self, net: FlatNet) -> str:
        """Return a reference net by name or path."""
        return net.name or f"{net.path}{net.net.expanded_name()}"

    def _nets(self, found: Matching) -> list[Finding]:
        """Return opens, shorts and wrong connections, one for each pair of nets."""
        joined: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
        for number in range(len(found.pairs)):
            if found.sure[number]:
                i, j, _ = found.pairs[number]
                for column, _, net_a, net_b in found.terminal_pairs(number):
                    joined[net_a, net_b].append((i, j, column))
        stands_for, drawn_as = self._main(joined)
        findings, swapped = [], set()
        for (net_a, net_b), rows in sorted(joined.items()):
            if drawn_as.get(net_b) == net_a and stands_for.get(net_a) == net_b:
                continue
            other_b, other_a = stands_for.get(net_a, -1), drawn_as.get(net_b, -1)
            both = frozenset((net_a, other_a))
            crossed = len(both) == 2 and (other_a, other_b) in joined
            if crossed and other_b != net_b and drawn_as.get(other_b) == net_a:
                if both not in swapped:
                    swapped.add(both)
                    findings.append(self._swap(net_a, other_a, rows))
            elif max(net_a, net_b) >= 0:
                kept = joined.get((net_a, other_b), [])
                findings.append(self._wrong(net_a, net_b, rows, other_a, other_b, kept))
        return _at_most(findings)

    def _main(
        self, joined: dict[tuple[int, int], list[tuple[int, int, int]]]
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Return layout net -> reference net and the reverse: by anchor, else by most devices."""
        by_anchor = {int(n): net for net, n in enumerate(self.a.anchors.tolist()) if n >= 0}
        drawn_as = {
            net: by_anchor[n] for net, n in enumerate(self.b.anchors.tolist()) if n in by_anchor
        }
        stands_for = {net_a: net_b for net_b, net_a in drawn_as.items()}
        order = sorted(joined.items(), key=lambda item: (-len(item[1]), item[0]))
        for (net_a, net_b), _ in order:
            if net_a >= 0 <= net_b:
                stands_for.setdefault(net_a, net_b)
                drawn_as.setdefault(net_b, net_a)
        return stands_for, drawn_as

    def _swap(self, first: int, second: int, rows: list[tuple[int, int, int]]) -> Finding:
        nets = self.a.flat.nets
        names = f"{self.a_net(nets[first])} and {self.a_net(nets[second])}"
        i, j, column = rows[0]
        many = f"{len(rows)} terminals, the first " if len(rows) > 1 else ""
        text = f"{names} are exchanged at {many}{self._terminal(i, column)}"
        return Finding("swap", f"{text} (reference {self.b_name(j)})", (self.device(i).at,))

    def _wrong(
        self,
        net_a: int,
        net_b: int,
        rows: list[tuple[int, int, int]],
        right: int,
        other_b: int,
        kept: list[tuple[int, int, int]],
    ) -> Finding:
        """Say what is wrong where devices on layout net `net_a` should be on `net_b`.

        Args:
            net_a: layout net.
            net_b: reference net.
            rows: layout device, reference device and terminal column of each.
            right: layout net that stands for `net_b` elsewhere.
            other_b: reference net that `net_a` stands for elsewhere.
            kept: as `rows`, for the terminals that are on `other_b`.
        """
        i, j, column = rows[0]
        places = tuple(self.device(row).at for row, _, _ in rows[:MOST])
        terminal = f"{self._terminal(i, column)} (reference {self.b_name(j)})"
        if len(rows) > 1:
            terminal += f" and {len(rows) - 1} more terminal" + "s" * (len(rows) > 2)
        wanted = self.b_net(self.b.flat.nets[net_b]) if net_b >= 0 else "no net"
        if net_a < 0:
            return Finding("open", f"{terminal}: on no net, not on {wanted}", places)
        net = self.a.flat.nets[net_a]
        if right == net_a:
            other = self.b_net(self.b.flat.nets[other_b]) if other_b >= 0 else "no net"
            ends = [[(self.device(row), c) for row, _, c in group] for group in (rows, kept)]
            spot = where_joined(self.layout, net, *ends)
            text = f"{wanted} and {other} are one net, seen at {terminal}{spot.words}"
            return Finding("short", text, spot.points + places)
        if right >= 0 and other_b == net_b:
            spot = where_open(self.layout, net, self.a.flat.nets[right])
            text = f"{wanted}: {terminal} on a separate piece of wire{spot.words}"
            return Finding("open", text, spot.points + places)
        return Finding("connection", f"{terminal} on {self.a_net(net)}, not on {wanted}", places)

    def _terminal(self, row: int, column: int) -> str:
        device = self.device(row)
        return f"{device.kind.terminals[column]} of {self.describe(row)}"

    def _left_over(self, found: Matching, by_name: Graph) -> list[Finding]:
        """Return devices that only one side has.

        Args:
            found: what was matched.
            by_name: the layout with anchors only for what is known by name.
        """
        more, missing = found.left_a.tolist(), found.left_b.tolist()
        if found.unread:
            text = "more devices differ; they were too many to be matched one by one"
            return [Finding("more", f"{len(more)} {text}")]
        extra, told = extra_wholes(by_name, more)
        extra += [
            Finding("extra", f"{self.describe(i)} is not in the reference", (self.device(i).at,))
            for i in more
            if i not in told
        ]
        nets = {int(net) for j in missing for net in self.b.nets[j] if net >= 0}
        near: dict[int, int] = {}
        for (i, j, _), sure in zip(found.pairs, found.sure, strict=True):
            if sure:
                near.update((net, i) for net in self.b.nets[j].tolist() if net in nets)
        wholes, told = lost_wholes(self.b, missing)
        wholes += [self._missing(j, near) for j in missing if j not in told]
        return _at_most(extra) + _at_most(wholes)

    def _missing(self, row: int, near: dict[int, int]) -> Finding:
        """Return a reference device that the layout lacks, with the place of a neighbour.

        Args:
            row: the reference device.
            near: reference net -> a layout device that stands for one on it.
        """
        device = self.b.flat.devices[self.b.members[row][0]]
        names = [self.b_net(self.b.flat.nets[net]) for net in device.nets if net >= 0]
        text = f"{device.kind.name} {device.name} ({', '.join(names)}) is not in the layout"
        for net in device.nets:
            if net in near and not self.b.flat.nets[net].name:
                at = self.device(near[net]).at
                return Finding("missing", f"{text}, expected near {place(at)}", (at,))
        return Finding("missing", text)


def _at_most(findings: list[Finding]) -> list[Finding]:
    """Spell out the first findings of each kind and count the rest."""
    counts = Counter(finding.kind for finding in findings)
    seen: Counter[str] = Counter()
    kept = []
    for finding in findings:
        seen[finding.kind] += 1
        if seen[finding.kind] <= MOST:
            kept.append(finding)
    for kind, count in counts.items():
        if count > MOST:
            kept.append(Finding(kind, f"and {count - MOST} more of this kind"))
    return kept


def _unit(parameter: str) -> str:
    return "um2" if parameter == "AREA" else "um"
