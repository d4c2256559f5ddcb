"""A hybrid cell of one's own: 1T2R, two stacked memristors behind one select transistor.

The two devices of a crosspoint share row line, transistor and column, so that their conductances
add: one weight with twice the range, or with more levels (parallel devices, arXiv 1906.09395).
Against the 2T2R cell it saves a transistor, a row line and a select line, and gives up the second
input and with it deep-net mode.

All that a new cell takes is here: a function that draws it from the parts of `crossstack.cells`,
the reference netlist beside it, and one call of `register_cell`. Arrays, macros, DRC, LVS,
extraction, the solver and gdsfactory then know it by its name.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from crossstack.analyse.analysis import Stimulus
from crossstack.analyse.operating import mode_ohm
from crossstack.cells import Cell, Device, Subcircuit, register_cell, to_layout
from crossstack.cells.drawing import Canvas
from crossstack.cells.hybrid import planar_cell
from crossstack.cells.parts import module_via, oxides
from crossstack.cells.place import HybridGeometry, HybridParameters
from crossstack.drc import run_drc
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import CrossStackError, Tech
from crossstack.pdk.klayout_tech import lyp_text
from crossstack.pictures import layout_png
from crossstack.solve import Network, SolveError, network_matrix

NAME = "cell_1t2r"


def cell_1t2r(
    tech: Tech,
    *,
    select_w_um: float = 2.0,
    device_um: float = 1.0,
    pitch_x_um: float | None = None,
    pitch_y_um: float | None = None,
) -> Cell:
    """Draw the cell: the one-tier cell, and TE on the same land as BE.

    Args:
        tech: the process.
        select_w_um: width of the select transistor.
        device_um: height of the BE and TE strips.
        pitch_x_um, pitch_y_um: cell pitch; None for the least that the rules allow.
    """
    parameters = HybridParameters(
        select_w_um, device_um=device_um, pitch_x_um=pitch_x_um, pitch_y_um=pitch_y_um
    )
    g = HybridGeometry(tech, parameters)  # both sides of ME are taken, as in the 2T2R cell
    at = {"pitch_x_um": g.pitch_x * 1e-3, "pitch_y_um": g.pitch_y * 1e-3}
    planar = planar_cell(tech, replace(parameters, **at))
    r, c = g.rules, Canvas(tech)
    via_x = g.pitch_x - g.module_x  # TE comes from the east as BE comes from the west
    module_via(c, r, "TE", via_x, g.module_y)
    c.rect(
        "TE",
        g.me_x - g.me_half - r.overhang("TE", "top_crossing"),
        g.strip_y[0],
        via_x + r.land // 2,
        g.strip_y[1],
    )
    oxides(c, r, "T", g.crossing)
    half = (
        r.width("land") // 2
    )  # one strap in the last metal under the crossing joins the two lands
    c.rect("land", g.module_x, g.module_y - half, via_x, g.module_y + half)
    return replace(
        planar,
        name=NAME,
        rects=(*planar.rects, *c.rects),
        netlist=Subcircuit(
            NAME,
            ("BR", "C", "BS", "VSS"),
            (
                Device("M1", "nfet", ("x", "BS", "BR", "VSS"),
                       (("W", g.w * 1e-3), ("L", g.length * 1e-3))),
                Device("XB", "memristor_bottom", ("x", "C"), (("AREA", g.area_um2),)),
                Device("XT", "memristor_top", ("x", "C"), (("AREA", g.area_um2),)),
            ),
        ),
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Draw, check, compare, extract and solve an array of the cell."""
    parser = argparse.ArgumentParser(description="An array of a cell of one's own (1T2R).")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--cols", type=int, default=6)
    parser.add_argument("--profile", default="stepper", help="stepper or aligner")
    parser.add_argument("--macro", action="store_true", help="with mode switches at the edge")
    parser.add_argument("--out", type=Path, default=Path("examples_out"), help="folder for files")
    parser.add_argument("--no-gdsfactory", action="store_true", help="leave gdsfactory out")
    args = parser.parse_args(argv)
    try:
        register_cell(NAME, cell_1t2r)
        top = "macro" if args.macro else "array"
        spec = ArraySpec(args.rows, args.cols, NAME, args.profile, top=top)
        passed = prove(spec, args.out)
    except (CrossStackError, SolveError) as error:
        print(f"custom_cell: {error}", file=sys.stderr)
        return 2
    if not args.no_gdsfactory:
        as_component(spec)
    return 0 if passed else 1


def prove(spec: ArraySpec, out: Path) -> bool:
    """Write the layout and its netlist; print what DRC, LVS and the solver say of them."""
    array, tech = build_top(spec), spec.tech()
    out.mkdir(parents=True, exist_ok=True)
    gds, netlist = (out / f"{spec.top_name}.{kind}" for kind in ("gds", "spice"))
    to_layout(array.cell, tech).write(str(gds))
    netlist.write_text("\n".join(array.netlist_lines()) + "\n")
    (out / "layers.lyp").write_text(lyp_text(tech))
    layout_png(gds, out / "layers.lyp", gds.with_suffix(".png"))
    info = array.unit.info
    print(f"{spec.top_name}: cell {info['pitch_x_um']:g} x {info['pitch_y_um']:g} um, wrote {gds}")

    drc = run_drc(gds, tech)
    print(f"DRC  {drc.to_json()['violations']} violations")
    layout = extract_layout(gds, tech)
    lvs = compare_layout(layout, netlist, tech).to_json()
    devices = ", ".join(f"{n} {name}" for name, n in lvs["devices"].items() if n)
    print(f"LVS  {'match' if lvs['match'] else 'NO MATCH'} ({devices})")
    if not lvs["match"]:
        print("\n".join(f"     {error}" for error in lvs["errors"][:5]))
        return False
    solve(extract(layout, tech).network, tech)
    return bool(drc.clean)


def solve(network: Network, tech: Tech) -> None:
    """Print what the devices of the extracted array weigh, alone and together."""
    g_on, g_off = 1 / tech.memristor.r_on_ohm, 1 / tech.memristor.r_off_ohm
    rows, volt = network.rows, tech.memristor.v_read_v
    for text, bottom, top in (("both off", g_off, g_off), ("one on", g_on, g_off),
                              ("both on", g_on, g_on)):  # fmt: skip
        siemens = np.ones((2, rows, network.cols)) * np.array([bottom, top])[:, None, None]
        what = Stimulus(siemens, np.full((2, rows), volt), {})
        ohm = mode_ohm(network, tech, what, "expansion")
        found = network_matrix(network, siemens, series={"switch_ohm": ohm})
        share = found.matrix.sum(axis=1) / (rows * (bottom + top))
        print(f"     {text:<9} a weight of {(bottom + top) * 1e6:6.1f} uS arrives as "
              f"{share.min():.2%} .. {share.max():.2%} of it")  # fmt: skip


def as_component(spec: ArraySpec) -> None:
    """Show that gdsfactory knows the cell and its arrays."""
    import gdsfactory as gf

    from crossstack.pdk import PDK

    PDK.activate()
    cell = gf.get_component(NAME, profile=spec.profile)
    array = gf.get_component(
        "crossbar_array",
        cell=NAME,
        profile=spec.profile,
        rows=spec.rows,
        cols=spec.cols,
        top=spec.top,
    )
    print(f"gdsfactory: {cell.name} with ports {', '.join(sorted(p.name for p in cell.ports))}")
    print(f"gdsfactory: {array.name}, {array.xsize:g} x {array.ysize:g} um")


if __name__ == "__main__":
    raise SystemExit(main())
