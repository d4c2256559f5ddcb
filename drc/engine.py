"""The DRC run: read, check what can be checked, never call clean what did not run."""

from __future__ import annotations

import difflib
import resource
import time
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, partial
from pathlib import Path

import klayout.db as kdb

from ..base.compact import Compacted, Contents, compact
from ..base.errors import ParameterError
from ..base.layout import OpenedLayout, clear_layers, empty_shapes, open_copy
from ..base.repeat import flat_shapes
from ..pdk import Rule, Tech
from ..pdk.model import FILLS
from . import workers
from .evaluate import Evaluator, layer_pair
from .expr import Node
from .hierarchy import in_hierarchy
from .kinds import compile_rule
from .report import DrcReport, RuleRun, Violation

#: Rules that look no further than the first range share a stand-in cell, and so on, um.
RANGES_UM = (8.0, 24.0, 110.0)
#: Below this many shapes the whole cell is checked as it is.
COMPACT_ABOVE = 20_000
#: Above this many shapes some rules are checked in the hierarchy (see hierarchy.py).
DEEP_ABOVE = 100_000
#: squares of fill from which on helper processes take less time than they need to start
FILL_ABOVE = 50_000
#: Markers kept per rule; the count goes on.
LIMIT = 10_000

#: Kinds that judge a whole die: only run when asked for, and reported as warnings.
WHOLE_DIE = frozenset({"density", "max_gap"})

Progress = Callable[[str, int, int], None]


def select_rules(tech: Tech, patterns: Iterable[str] | None) -> list[Rule]:
    """Return the rules that names or globs choose; without any, all but whole-die rules.

    Raises:
        ParameterError: if a pattern matches no rule.
    """
    if patterns is None:
        return [rule for rule in tech.rules if rule.kind not in WHOLE_DIE]
    known = dict.fromkeys(rule.name for rule in tech.rules)
    chosen: set[str] = set()
    for pattern in patterns:
        # a name stands for itself: matching hundreds of names with hundreds takes a while
        named = {pattern} & known.keys() or {n for n in known if fnmatchcase(n, pattern)}
        if not named:
            allowed = f"a rule name or glob of {tech.name}; {_near(pattern, list(known))}"
            raise ParameterError("rules", pattern, allowed)
        chosen |= named
    return [rule for rule in tech.rules if rule.name in chosen]


def _near(pattern: str, known: list[str]) -> str:
    """Say which rules a pattern may have meant, or else how rules begin."""
    plain = pattern.strip("*?").upper()
    meant = [name for name in known if fnmatchcase(name.upper(), pattern.upper())]
    meant = meant or [name for name in known if plain and plain in name.upper()]
    meant = meant or difflib.get_close_matches(plain, known, n=3)
    if meant:
        return f"did you mean {', '.join(meant[:3])}{', ...' if len(meant) > 3 else ''}?"
    families = dict.fromkeys(name.partition(".")[0] for name in known)
    return "there are " + ", ".join(f"{family}.*" for family in families)


class Run:
    """One DRC run over one cell.

    Args:
        layout: layout of the cell; the run adds stand-in cells to it.
        cell: cell to check.
        tech: process.
    """

    def __init__(self, layout: kdb.Layout, cell: kdb.Cell, tech: Tech) -> None:
        self.layout, self.cell, self.tech = layout, cell, tech
        self._fill = frozenset(x.name for x in tech.layers if x.purpose in FILLS)
        # fill is hundreds of thousands of squares in no period: only its own rules look at it
        self._kept, self._bare = _without(layout, cell, [tech.gds(name) for name in self._fill])
        self._small = flat_shapes(self._bare) < COMPACT_ABOVE
        self._stand_ins: dict[float, tuple[Compacted, Evaluator]] = {}
        self._deep: dict[Evaluator, Evaluator | None] = {}
        self._contents = Contents(self._bare.layout())

    def _evaluator(self, node: Node) -> tuple[Compacted, Evaluator]:
        """Return what a node is to be evaluated on: a stand-in, or the cell itself."""
        if self._bare is not self.cell and (node.inputs & self._fill or node.reads_die):
            return self._filled
        reach = next((r for r in RANGES_UM if node.range_um <= r), None)
        return self._whole() if self._small or reach is None else self._stand_in(reach)

    @cached_property
    def _filled(self) -> tuple[Compacted, Evaluator]:
        return Compacted(self.cell, ()), Evaluator(self.cell, self.tech, fill=self._fill)

    def _stand_in(self, reach: float) -> tuple[Compacted, Evaluator]:
        if reach not in self._stand_ins:
            dbu = self.layout.dbu
            # shapes that only touch at the range's end, and markers one dbu large, count
            grid = round(self.tech.grid_um / dbu)
            compacted = compact(self._bare, round(reach / dbu) + 10, grid, contents=self._contents)
            self._stand_ins[reach] = (compacted, Evaluator(compacted.cell, self.tech))
        return self._stand_ins[reach]

    def _whole(self) -> tuple[Compacted, Evaluator]:
        if 0.0 not in self._stand_ins:
            nearest = None if self._small else self._stand_in(RANGES_UM[0])
            evaluator = Evaluator(self._bare, self.tech, nearest)
            self._stand_ins[0.0] = (Compacted(self._bare, ()), evaluator)
        return self._stand_ins[0.0]

    def check(self, rule: Rule) -> tuple[list[Violation], int]:
        """Return the markers of a rule, at most LIMIT, and how many more there are.

        Raises:
            RuleError: if the rule cannot run.
        """
        node = compile_rule(rule, self.tech)
        if not any(self._drawn(name) for name in node.inputs):
            return [], 0
        compacted, evaluator = self._evaluator(node)
        clean = self._clean_in_hierarchy(evaluator, node)
        region = kdb.Region() if clean else evaluator.region(node).merged()
        found = [self._violation(rule, polygon, compacted) for polygon in _first(region, LIMIT)]
        return found, region.count() - len(found)

    def _clean_in_hierarchy(self, evaluator: Evaluator, node: Node) -> bool:
        """Return whether the hierarchy of a large layout shows, fast, that there is no marker.

        What marks there are is left to the flat layout, where they have one shape.
        """
        filled = self._bare is not self.cell and evaluator.cell is self.cell
        if filled or not in_hierarchy(node, self.tech):
            return False
        if evaluator not in self._deep:
            large = flat_shapes(evaluator.cell) > DEEP_ABOVE
            self._deep[evaluator] = (
                Evaluator(evaluator.cell, self.tech, deep=True) if large else None
            )
        deep = self._deep[evaluator]
        return deep is not None and deep.region(node).is_empty()

    def _drawn(self, name: str) -> bool:
        index = self.layout.find_layer(*layer_pair(name, self.tech))
        return index is not None and not self.cell.bbox(index).empty()

    def _violation(self, rule: Rule, polygon: kdb.Polygon, compacted: Compacted) -> Violation:
        box = polygon.bbox()
        x, y, copies = compacted.original(box.left, box.bottom)
        moved = polygon.moved(x - box.left, y - box.bottom).resolved_holes()
        dbu = self.layout.dbu
        points = tuple((round(p.x * dbu, 6), round(p.y * dbu, 6)) for p in moved.each_point_hull())
        return Violation(rule.name, rule.text, points, _owner(self.cell, moved.bbox()), copies)


def _without(
    layout: kdb.Layout, cell: kdb.Cell, pairs: Collection[tuple[int, int]]
) -> tuple[kdb.Layout, kdb.Cell]:
    """Return a layout and cell without what is drawn on some layers; the same if nothing is."""
    drawn = (layout.find_layer(*pair) for pair in pairs)
    if all(cell.bbox(index).empty() for index in drawn if index is not None):
        return layout, cell
    bare = layout.dup()
    top = bare.cell(cell.cell_index())
    clear_layers(bare, top, pairs)
    return bare, top


def _first(region: kdb.Region, limit: int) -> list[kdb.Polygon]:
    polygons: list[kdb.Polygon] = []
    for polygon in region.each():
        polygons.append(polygon)
        if len(polygons) == limit:
            break
    return polygons


def _owner(cell: kdb.Cell, box: kdb.Box) -> str:
    """Return the name of the smallest cell that contains a box."""
    while True:
        for inst in cell.each_overlapping_inst(box):
            inner = _into(inst, box)
            if inner is not None:
                cell, box = cell.layout().cell(inst.cell_index), inner
                break
        else:
            return cell.name


def _into(inst: kdb.Instance, box: kdb.Box) -> kdb.Box | None:
    """Return the box in the coordinates of the array element that contains it."""
    bounds = inst.layout().cell(inst.cell_index).bbox()
    first = bounds.transformed(inst.cplx_trans)
    if not inst.is_regular_array():
        shifts = [kdb.Vector(0, 0)]
    else:
        a, b = inst.a, inst.b
        det = a.x * b.y - a.y * b.x
        dx, dy = int(box.left - first.left), int(box.bottom - first.bottom)
        if det:
            i, j = int((dx * b.y - dy * b.x) // det), int((a.x * dy - a.y * dx) // det)
        else:  # a single row or column
            i = int((dx * a.x + dy * a.y) // max(a.sq_length(), 1))
            j = int((dx * b.x + dy * b.y) // max(b.sq_length(), 1))
        shifts = [
            a * (i + di) + b * (j + dj)
            for di in (0, -1) for dj in (0, -1)
            if 0 <= i + di < max(inst.na, 1) and 0 <= j + dj < max(inst.nb, 1)
        ]  # fmt: skip
    for shift in shifts:
        if box.inside(first.moved(shift)):
            return box.moved(-shift).transformed(inst.cplx_trans.inverted())
    return None


@dataclass(frozen=True)
class _Outcome:
    run: RuleRun
    markers: list[Violation]


def _measured(run: Run, rule: Rule) -> _Outcome:
    begin = time.perf_counter()
    markers, rest = run.check(rule)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return _Outcome(
        RuleRun(rule.name, rule.text, rule.value, len(markers) + rest, seconds, peak), markers
    )


def judge(layout: kdb.Layout, cell: kdb.Cell, tech: Tech) -> Callable[[Rule], _Outcome]:
    """Return what checks one rule after the other, in this process or a helper."""
    return partial(_measured, Run(layout, cell, tech))


def _results(
    layout: kdb.Layout, cell: kdb.Cell, tech: Tech, rules: list[Rule], threads: int
) -> Generator[_Outcome, None, None]:
    """Yield the outcome of every rule in order."""
    helpers = min(threads, workers.cores())
    if helpers > 1 and len(rules) > workers.CHUNK:
        yield from workers.share(judge, layout, cell.name, tech, rules, helpers)
    else:
        yield from map(judge(layout, cell, tech), rules)


def _worthwhile(layout: kdb.Layout, cell: kdb.Cell, tech: Tech) -> int:
    """Return how many processes pay: a die's fill takes minutes, all else less than they do."""
    names = [x.name for x in tech.layers if x.purpose in FILLS]
    found = [layout.find_layer(*tech.gds(name)) for name in names]
    squares = flat_shapes(cell, [index for index in found if index is not None])
    return workers.cores() if squares > FILL_ABOVE else 1


def _without_area(layout: kdb.Layout, cell: kdb.Cell) -> tuple[str, ...]:
    """Return a note on shapes that no rule sees because they cover nothing."""
    found = empty_shapes(layout, cell)
    if not found:
        return ()
    listed = ", ".join(f"{count} on {a}/{b}" for (a, b), count in found.items())
    return (f"shapes without area, not checked (tapeout refuses them): {listed}",)


def run_drc(
    source: Path | str | kdb.Layout | OpenedLayout,
    tech: Tech,
    *,
    top: str | None = None,
    rules: Iterable[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> DrcReport:
    """Check a layout against the rules of a process.

    Args:
        source: GDS or OASIS file, or a layout (which is not changed).
        tech: process with its rules.
        top: cell to check; needed if there are several top cells.
        rules: names or globs of rules; without any, all but the whole-die rules.
        threads: number of processes to share the rules among; no more than cores are used.
            None is one, or every core where there is so much fill that it pays.
        progress: called with (rule, done, total) before each rule.

    Raises:
        FileError: if the layout cannot be worked on (see `base.layout.open_layout`).
        ParameterError: if top, rules or threads are not usable.
        RuleError: if a rule could not run.
        WorkerError: if helper processes die at a rule again and again.
    """
    if threads is not None and threads < 1:
        raise ParameterError("threads", threads, "1 or more")
    opened = open_copy(source, tech.drawing, top)
    layout, cell = opened.layout, opened.top
    notes = (*opened.warnings, *_without_area(layout, cell))
    chosen = select_rules(tech, rules)
    threads = threads or _worthwhile(layout, cell, tech)
    runs: list[RuleRun] = []
    found: list[Violation] = []
    warnings: list[Violation] = []
    more: dict[str, int] = {}
    with closing(_results(layout, cell, tech, chosen, threads)) as results:
        for number, rule in enumerate(chosen):
            if progress:
                progress(rule.name, number, len(chosen))
            outcome = next(results)
            runs.append(outcome.run)
            if rule.kind in WHOLE_DIE:
                warnings += outcome.markers
            else:
                found += outcome.markers
                more[rule.name] = outcome.run.count - len(outcome.markers)
    done = {rule.name for rule in chosen}
    return DrcReport(
        source=opened.name,
        top=cell.name,
        tech=f"{tech.name}, profile {tech.profile.name}",
        runs=tuple(runs),
        violations=tuple(found),
        warnings=tuple(warnings),
        skipped=tuple(r.name for r in tech.rules if r.name not in done),
        notes=notes,
        unlisted={name: count for name, count in more.items() if count},
    )
