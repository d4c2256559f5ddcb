"""What the other checks say of a layout that is taped out: design rules, netlist, density.

Ready is only said over what was judged: where a build has not judged this very file, it is judged
here, and what nobody judges is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base import files
from ..base.errors import CrossStackError
from .checks import Check, TapeoutFile, has_pads
from .summary import drc_line, lvs_line

if TYPE_CHECKING:
    import klayout.db as db

    from ..base.layout import OpenedLayout
    from ..pdk import Tech

#: (name of the check, file of a build)
RULES, NETLIST = ("design rules", "drc.json"), ("netlist", "lvs.json")


def judge(
    opened: OpenedLayout, path: Path, tech: Tech, folder: Path | None, netlist: Path | None
) -> list[Check]:
    """Return the verdicts on design rules and netlist.

    Args:
        opened: the layout.
        path: its file.
        tech: its technology.
        folder: its build, None for a file alone.
        netlist: reference netlist; None for the one beside the file.
    """
    beside = path.with_suffix(".spice")
    reference = netlist or (beside if beside.is_file() else None)

    def rules() -> dict[str, Any]:
        from ..drc import run_drc

        return run_drc(opened, tech).to_json()

    def compared() -> dict[str, Any] | None:
        from ..lvs import compare_layout, extract_layout

        if reference is None:
            return None
        return compare_layout(extract_layout(opened, tech), reference, tech).to_json()

    kept = None if netlist is not None else folder
    return [
        _check(RULES, path, folder, rules, _clean, drc_line),
        _check(NETLIST, path, kept, compared, lambda v: v["match"] is True, lvs_line),
    ]


def _clean(value: dict[str, Any]) -> bool:
    return bool(value["violations"] == 0 and value["rules_run"] > 0)


def _check(
    what: tuple[str, str],
    path: Path,
    folder: Path | None,
    run: Callable[[], dict[str, Any] | None],
    good: Callable[[dict[str, Any]], bool],
    line: Callable[[dict[str, Any]], str],
) -> Check:
    """Return a verdict of the build, or else of a run; a run that ends early judged nothing."""
    name, file = what
    try:
        value, by = _of_build(path, folder, file), f"{file} of the build: "
        if value is None:
            value, by = run(), ""
        if value is None:
            text = f"no {path.stem}.spice beside it and no --netlist: compared with nothing"
            return Check(name, path.name, "unknown", text)
        return Check(name, path.name, "ok" if good(value) else "failed", by + line(value))
    except (CrossStackError, KeyError, TypeError) as error:
        return Check(name, path.name, "unknown", f"could not be judged: {error}")


def _of_build(path: Path, folder: Path | None, file: str) -> dict[str, Any] | None:
    """Return what a build found, if it is still this layout and these results."""
    if folder is None or not (folder / file).is_file():
        return None
    listed = files.read_json(folder / files.MANIFEST)["files"]
    if any(listed.get(p.name) != files.sha256(p) for p in (path, folder / file)):
        return None
    value = files.read_json(folder / file)
    return value if isinstance(value, dict) else None


def check_density(pair: tuple[TapeoutFile, TapeoutFile], tech: Tech) -> Check:
    """Return whether a die is covered as the foundry and the module ask, fill counted."""
    name, file = "density", pair[0].path.name
    if not has_pads(pair[0]):
        text = "a block without pads; densities count on the die of the chip that it is placed on"
        return Check(name, file, "unknown", text)
    wrong = list(_wrong_densities(pair, tech))
    if wrong:
        text = "; ".join(wrong) + ": run the shuttle's fill, then tapeout --check-only"
        return Check(name, file, "failed", text)
    return Check(name, file, "ok", "Every density lies within its limits.")


def _wrong_densities(pair: tuple[TapeoutFile, TapeoutFile], tech: Tech) -> Iterator[str]:
    x1, y1, x2, y2 = pair[0].box
    die = (x2 - x1) * (y2 - y1)
    for rule in (r for r in tech.rules if r.kind == "density"):
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


def differences(
    opened: OpenedLayout, pair: tuple[TapeoutFile, TapeoutFile], tech: Tech
) -> list[str]:
    """Return where a package draws something else than its layout; fill may have come since."""
    import klayout.db as db

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
        for gds in sorted(infos - fill):
            store = db.DeepShapeStore()  # keeps the hierarchy: a large array costs no more
            both = [
                _drawn(layout, tops, gds, store)
                for layout, tops in (
                    (opened.layout, [opened.top]),
                    (file.layout, file.layout.top_cells()),
                )
            ]
            polygon = next((both[0] ^ both[1]).each(), None)
            if polygon is not None:
                at = polygon.bbox().center().to_dtype(file.layout.dbu)
                name = tech.drawing.known.get(gds, f"{gds[0]}/{gds[1]}")
                found.append(f"{name} at ({at.x:.3f}, {at.y:.3f})")
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
