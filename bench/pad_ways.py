"""What lies between a pad's plate, its diodes, its lines and the rings, in ohm: cuts and the lead.

Counted from the drawn pad: all cuts of a field in parallel, fields in series, and the lead's
squares from the middle of one field to that of the next. The lines and the metal over the stripes
are left out: they are some tenths of a square, on several levels.
"""

from __future__ import annotations

from crossstack.cells.drawing import Cell
from crossstack.cells.pad_plan import FEED, PadPlan
from crossstack.cells.pads import bond_pad
from crossstack.cells.protection import STRIPE, stripes
from crossstack.cells.rules import RuleBook
from crossstack.extract.sheet.rates import rates
from crossstack.pdk import Tech

Span = tuple[int, int]


class PadWays:
    """The resistances of one pad, ohm, in the names of `PadPlan`.

    Attributes:
        plate: from the plate to the lead.
        diode: rail -> from there to the diode to that rail.
        taps: rail -> from a diode's taps to the line of the rail.
        line: rail -> from that line to the ring.
        rail: rail -> from the lead of a pad of this rail to its ring.
        fewest: the least number of cuts of a field that carry all that a pad takes.
    """

    def __init__(self, tech: Tech) -> None:
        self.tech, plan = tech, PadPlan(RuleBook(tech))
        self._rates = rates(tech)
        self._ohm = {cut.name: self._rates.cut_ohm_um2[cut.name] / cut.size_um**2
                     for cut in tech.cuts}  # fmt: skip
        self._middles = stripes(plan)
        self.fewest = 1_000_000
        pad, roles = bond_pad(tech), tech.roles
        up = roles.cuts("bottom_row", "land")
        down = (roles.layer("local_via"), roles.layer("select_via"))
        self.plate = self._series(pad, plan.tongue, {cut: cut for cut in up})
        self.diode, self.taps, self.line, self.rail = {}, {}, {}, {}
        for name, span, line, ring, kinds in (
            ("VSS", plan.diode, plan.low, plan.ring, ("nsd", "psd")),
            ("VDD", plan.upper, plan.high, plan.supply, ("psd", "nsd")),
        ):
            contacts = {f"Contact_{kinds[0]}": roles.layer("contact")}
            fields = contacts | {cut: cut for cut in down}
            self.diode[name] = self._lead(plan.tongue, span) + self._series(pad, span, fields)
            self.taps[name] = self._series(
                pad, span, {f"Contact_{kinds[1]}": roles.layer("contact")}, beside=True
            )
            to_ring = {cut: cut for cut in roles.cuts("local", "land")}
            self.line[name] = self._series(pad, line, to_ring)
            own = bond_pad(tech, rail=name)
            bare, joined = (self._counts(cell, ring, up) for cell in (pad, own))
            self.rail[name] = self._lead(plan.tongue, ring) + sum(
                self._ohm[cut] / (joined[cut] - bare[cut]) for cut in up
            )

    def _lead(self, low: Span, high: Span) -> float:
        """Return the resistance of the lead from the middle of one span to that of another."""
        metal = self.tech.roles.layer("bottom_row")
        return self._rates.sheet_ohm_sq[metal] * (sum(high) - sum(low)) / 2 / FEED

    def _counts(self, cell: Cell, span: Span, layers: tuple[str, ...]) -> dict[str, int]:
        found = dict.fromkeys(layers, 0)
        for q in cell.rects:
            if q.layer in found and span[0] <= q.y1 and q.y2 <= span[1]:
                found[q.layer] += 1
        return found

    def _series(
        self, cell: Cell, span: Span, fields: dict[str, str], *, beside: bool = False
    ) -> float:
        """Return the resistance of fields of cuts in series.

        Args:
            cell: the pad.
            span: y span of the fields.
            fields: name of the cut's resistance -> its layer.
            beside: contacts on the taps beside the stripes, not those on the stripes.
        """
        total = 0.0
        for name, layer in fields.items():
            count = 0
            for q in cell.rects:
                if q.layer != layer or q.y1 < span[0] or q.y2 > span[1]:
                    continue
                on = any(abs(q.x1 + q.x2 - 2 * x) < STRIPE for x in self._middles)
                count += layer != self.tech.roles.layer("contact") or on != beside
            self.fewest = min(self.fewest, count)
            total += self._ohm[name] / count
        return total


__all__ = ["PadWays"]
