"""What the other checks say of a layout that is taped out: design rules, netlist, density.

Ready is only said over what was judged, here and now: a verdict that a build left was of its own
profile, process tables and program, and its files may have been touched since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import CrossStackError
from ..base.layout import clear_layers, open_copy, open_layout
from ..base.serial import shape_store
from .checks import Check, TapeoutFile, has_pads
from .summary import drc_findings, drc_line, lvs_line

if TYPE_CHECKING:
    import klayout.db as db

    from ..base.layout import OpenedLayout
    from ..pdk import Rule, Tech

#: steps of a check, as a build calls them
RULES, NETLIST = "design rules", "layout vs netlist"
#: enters a step of a name, and gives what takes news of it
Steps = Callable[[str], AbstractContextManager[Callable[..., None]]]


@contextmanager
def quietly(name: str) -> Iterator[Callable[..., None]]:
    """Run a step that nobody watches."""
    yield lambda *news: None


def judge(
    opened: OpenedLayout,
    path: Path,
    tech: Tech,
    netlist: Path | None,
    package: tuple[TapeoutFile, ...] = (),
    steps: Steps = quietly,
) -> list[Check]:
    """Return the verdicts on design rules and netlist.

    Args:
        opened: the layout.
        path: its file.
        tech: its technology.
        netlist: reference netlist; None for the one beside the file.
        package: files of an existing package whose fill is judged with the layout; none if the
            package was made from the layout just now.
        steps: enters a step of this name, and gives what takes news of it.
    """
    beside = path.with_suffix(".spice")
    reference = netlist or (beside if beside.is_file() else None)
    filled: list[OpenedLayout] = []

    def layout() -> OpenedLayout:
        if not filled:
            filled.append(_with_fill(opened, package, tech) if package else opened)
        return filled[0]

    def rules() -> dict[str, Any]:
        from ..drc import run_drc

        with steps(RULES) as news:
            return run_drc(layout(), tech, progress=news).to_json()

    def compared() -> dict[str, Any] | None:
        from ..lvs import compare_layout, extract_layout

        if reference is None:
            return None
        with steps(NETLIST):
            return compare_layout(extract_layout(layout(), tech), reference, tech).to_json()

    return [
        _check("design rules", path, rules, _clean, drc_line, drc_findings),
        _check(
            "netlist",
            path,
            compared,
            lambda v: v["match"] is True,
            lvs_line,
            lambda v: list(v.get("errors", [])),
        ),
    ]


def _clean(value: dict[str, Any]) -> bool:
    return bool(value["violations"] == 0 and value["rules_run"] > 0)


def _check(
    name: str,
    path: Path,
    run: Callable[[], dict[str, Any] | None],
    good: Callable[[dict[str, Any]], bool],
    line: Callable[[dict[str, Any]], str],
    findings: Callable[[dict[str, Any]], list[str]],
) -> Check:
    """Return the verdict of a run; one that ends early judged nothing."""
    try:
        value = run()
        if value is None:
            text = f"no {path.stem}.spice beside it and no --netlist: compared with nothing"
            return Check(name, path.name, "unknown", text)
        status = "ok" if good(value) else "failed"
        return Check(name, path.name, status, line(value), findings=tuple(findings(value)))
    except (CrossStackError, KeyError, TypeError) as error:
        return Check(name, path.name, "unknown", f"could not be judged: {error}")


def _with_fill(opened: OpenedLayout, package: tuple[TapeoutFile, ...], tech: Tech) -> OpenedLayout:
    """Return a layout with the fill of its package instead of its own.

    Raises:
        FileError: if the fill makes other devices or joins wires.
    """
    pairs = set(tech.fill_of.values())
    whole = open_copy(opened, tech.drawing)
    layout, top = whole.layout, whole.top
    clear_layers(layout, top, pairs)
    for file in package:
        fill = file.layout.dup()
        others = {(info.layer, info.datatype) for info in fill.layer_infos()} - pairs
        clear_layers(fill, fill.top_cells()[0], others)
        for cell in fill.top_cells():
            if not cell.bbox().empty():
                copy = layout.create_cell(f"{cell.name}_fill")
                copy.copy_tree(cell)
                top.insert(_at_origin(copy))
    return open_layout(layout, tech.drawing, top.name)


def _at_origin(cell: db.Cell) -> db.CellInstArray:
    import klayout.db as db

    return db.CellInstArray(cell.cell_index(), db.Trans())


def check_density(pair: tuple[TapeoutFile, ...], tech: Tech) -> Check:
    """Return whether a die is covered as the foundry and the module ask, fill counted."""
    name, file = "density", pair[0].path.name
    if not has_pads(pair[0]):
        text = "a block without pads; densities count on the die of the chip that it is placed on"
        return Check(name, file, "unknown", text)
    wrong = list(_wrong_densities(pair, tech))
    if wrong:
        text = "; ".join(wrong) + ": run the shuttle's fill, then tapeout --check-only"
        return Check(name, file, "failed", text)
    if all(tech.layer(rule.layers[0]).is_module for rule in _density_rules(tech)):
        text = f"rules.csv of process {tech.process.name} limits no density of the foundry's layers"
        return Check(name, file, "unknown", f"{text}: those of the chip are not judged")
    return Check(name, file, "ok", "Every density lies within its limits.")


def _density_rules(tech: Tech) -> list[Rule]:
    return [rule for rule in tech.rules if rule.kind == "density"]


def _wrong_densities(pair: tuple[TapeoutFile, ...], tech: Tech) -> Iterator[str]:
    x1, y1, x2, y2 = pair[0].box
    die = (x2 - x1) * (y2 - y1)
    for rule in _density_rules(tech):
        layer = tech.layer(rule.layers[0])
        layout = pair[layer.is_module].layout
        area = _area(layout, layer.gds, merged=True)
        fill = tech.fill_of.get(layer.name)
        area += _area(layout, fill, merged=False) if fill else 0
        percent = 100.0 * area / die if die else 0.0
        least = rule.extra[0] > 0
        if not (percent >= rule.value if least else percent <= rule.value):
            limit = "at least" if least else "at most"
            yield f"{rule.name}: {percent:.1f} % {layer.name}, {limit} {rule.value:g} %"


def _area(layout: db.Layout, gds: tuple[int, int], *, merged: bool) -> int:
    """Return what a layer covers; squares of fill, of which none overlap, are only added up."""
    import klayout.db as db

    index = layout.find_layer(*gds)
    region = db.Region()
    for top in layout.top_cells() if index is not None else ():
        region += db.Region(top.begin_shapes_rec(index))
    region.merged_semantics = merged
    return int(region.area())


def differences(opened: OpenedLayout, pair: tuple[TapeoutFile, ...], tech: Tech) -> list[str]:
    """Return where a package draws something else than its layout; fill may have come since."""
    fill = set(tech.fill_of.values())
    found = []
    for file in pair:
        infos = {(i.layer, i.datatype) for i in file.layout.layer_infos()}
        if file.kind == "foundry":
            infos |= {
                gds for gds, name in tech.drawing.known.items() if not tech.layer(name).is_module
            }
        else:
            infos |= {layer.gds for layer in tech.layers if layer.is_module}
            infos -= {tech.gds(label) for label in tech.label_of.values()}
        sides = ((opened.layout, [opened.top]), (file.layout, file.layout.top_cells()))
        for gds in sorted(infos - fill):
            store = shape_store()  # keeps the hierarchy: a large array costs no more
            drawn = [_drawn(layout, tops, gds, store) for layout, tops in sides]
            polygon = next((drawn[0] ^ drawn[1]).each(), None)
            name = tech.drawing.known.get(gds, f"{gds[0]}/{gds[1]}")
            if polygon is not None:
                at = polygon.bbox().center().to_dtype(file.layout.dbu)
                found.append(f"{name} at ({at.x:.3f}, {at.y:.3f})")
            texts = [_texts(layout, tops, gds) for layout, tops in sides]
            for text, x, y in sorted((texts[0] - texts[1]) + (texts[1] - texts[0]))[:1]:
                dbu = file.layout.dbu
                found.append(f"text {text!r} on {name} at ({x * dbu:.3f}, {y * dbu:.3f})")
    return found


def _texts(
    layout: db.Layout, tops: list[db.Cell], gds: tuple[int, int]
) -> Counter[tuple[str, int, int]]:
    import klayout.db as db

    index = layout.find_layer(*gds)
    found: Counter[tuple[str, int, int]] = Counter()
    for top in tops if index is not None else ():
        for text in db.Texts(top.begin_shapes_rec(index)).each():
            found[(text.string, text.x, text.y)] += 1
    return found


def _drawn(
    layout: db.Layout, tops: list[db.Cell], gds: tuple[int, int], store: db.DeepShapeStore
) -> db.Region:
    import klayout.db as db

    index = layout.find_layer(*gds)
    region = db.Region()
    for top in tops if index is not None else ():
        region += db.Region(top.begin_shapes_rec(index), store)
    return region
