"""Two macros in a chip, as far as programs of the package registries go; the router comes after.

Makes the macro, synthesises the controller around its black box (Yosys), times the chip with the
macro's Liberty and wires of estimated length (OpenSTA over SPEF), places both macros in a DEF and
reads that with the macro's LEF (KLayout). See README.md for what a user with OpenROAD types next.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import klayout.db as db
import yaml

from crossstack.lvs import extract_layout, read_netlist
from crossstack.pdk import Ask, Tech, get_tech
from crossstack.views import Abstract, abstract_of, technology_lines

HERE = Path(__file__).resolve().parent
#: F per um of a routed wire, for the estimate: about that of a line with neighbours on both sides
WIRE_F_PER_UM = 0.2e-15
NAME = "crossbar"


def run(*command: str, cwd: Path) -> str:
    """Run a program; raises SystemExit with what it printed if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{text[-3000:]}")
    return text


def make_macro(out: Path) -> Abstract:
    """Build the macro with its views, if it is not there yet."""
    folder = out / NAME
    if not (folder / f"{NAME}.lef").is_file():
        size = ("--rows", "8", "--cols", "6", "--top", "macro", "--name", NAME)
        command = (sys.executable, "-c", "from crossstack.cli import main; main()")
        run(*command, "build", *size, "-o", str(out), cwd=HERE)
    tech = get_tech()
    netlist = read_netlist(folder / f"{NAME}.spice", NAME, models=tech.nets.models)
    return abstract_of(extract_layout(folder / f"{NAME}.gds", tech), pins=netlist.pins)


def limits(out: Path) -> str:
    """Return what the macro's own build says of its currents."""
    return str(json.loads((out / NAME / "em.json").read_text())["verdict"]["text"])


def synthesise(out: Path) -> str:
    """Map the controller to the stand-in cells, the macros as black boxes; returns statistics."""
    box, cells, netlist = out / NAME / f"{NAME}.v", HERE / "cells.lib", out / "chip_netlist.v"
    steps = [
        f"read_liberty -lib {cells}", f"read_verilog {box} {HERE / 'chip.v'}",
        "hierarchy -check -top chip",
        "synth -flatten -top chip", f"dfflibmap -liberty {cells}", f"abc -liberty {cells}",
        "opt_clean", "check -assert", f"stat -liberty {cells}",
        f"write_verilog -noattr -noexpr {netlist}",
    ]  # fmt: skip
    return run("yosys", "-p", "; ".join(steps), cwd=out)


def placements() -> dict[str, tuple[float, float]]:
    """Return instance -> lower left corner in um, from the configuration."""
    config = yaml.safe_load((HERE / "config.yaml").read_text(encoding="utf-8"))
    placed = config["MACROS"][NAME]["instances"]
    return {name: tuple(value["location"]) for name, value in placed.items()}


def die() -> tuple[float, float]:
    """Return width and height of the die in um, from the configuration."""
    config = yaml.safe_load((HERE / "config.yaml").read_text(encoding="utf-8"))
    return tuple(config["DIE_AREA"][2:])


def def_lines(block: Abstract) -> Iterator[str]:
    """Yield the floorplan: the die and both macros, fixed."""
    scale = round(1 / block.tech.dbu_um)
    width, height = (round(v * scale) for v in die())
    yield "VERSION 5.8 ;"
    yield 'DIVIDERCHAR "/" ;'
    yield 'BUSBITCHARS "[]" ;'
    yield "DESIGN chip ;"
    yield f"UNITS DISTANCE MICRONS {scale} ;"
    yield f"DIEAREA ( 0 0 ) ( {width} {height} ) ;"
    yield f"COMPONENTS {len(placements())} ;"
    for name, (x, y) in placements().items():
        at = f"( {round(x * scale)} {round(y * scale)} )"
        yield f"- {name} {NAME} + FIXED {at} N ;"
    yield "END COMPONENTS"
    yield "END DESIGN"


def spef_lines(block: Abstract, netlist: str) -> Iterator[str]:
    """Yield wires of the chip's nets that end at a macro, of estimated length.

    A wire runs from the middle of the die, where the controller is, to the pin.
    """
    tech, um = block.tech, block.tech.dbu_um
    metal = tech.roles.metals[2]
    ohm_per_um = tech.film(metal).sheet_ohm_sq.typ / Ask(tech).width(metal)
    middle = tuple(v / 2 for v in die())
    yield from (
        '*SPEF "IEEE 1481-1998"', '*DESIGN "chip"', '*DATE "none"', '*VENDOR "CrossStack"',
        '*PROGRAM "run.py"', '*VERSION "1"', '*DESIGN_FLOW "ESTIMATED"', "*DIVIDER /",
        "*DELIMITER :", "*BUS_DELIMITER [ ]", "*T_UNIT 1 NS", "*C_UNIT 1 PF", "*R_UNIT 1 OHM",
        "*L_UNIT 1 HENRY",
    )  # fmt: skip
    for instance, (x0, y0) in placements().items():
        for pin, net, driver in ends(netlist, instance):
            at = block.pin(pin).shapes[0].box.center()
            where = (x0 + at.x * um, y0 + at.y * um)
            length = sum(abs(a - b) for a, b in zip(where, middle, strict=True))
            picofarad = length * WIRE_F_PER_UM * 1e12
            yield f"*D_NET {net} {picofarad:.6f}"
            yield "*CONN"
            yield f"*I {driver} O"
            yield f"*I {instance}:{pin} I"
            yield "*CAP"
            yield f"1 {driver} {picofarad / 2:.6f}"
            yield f"2 {instance}:{pin} {picofarad / 2:.6f}"
            yield "*RES"
            yield f"1 {driver} {instance}:{pin} {length * ohm_per_um:.4f}"
            yield "*END"


def ends(netlist: str, instance: str) -> Iterator[tuple[str, str, str]]:
    """Yield (macro pin, net, driver's pin) of the nets from a cell to a macro's controls."""
    drivers = {}
    for cell in re.finditer(r"^  \w+ (\S+) \(\n(.*?)\n  \);", netlist, re.MULTILINE | re.DOTALL):
        name = cell[1].strip("\\")
        for pin, net in re.findall(r"\.([YQ])\(([^)]*)\)", cell[2]):
            drivers[plain(net)] = f"{name}:{pin}"
    call = re.search(rf"^  {NAME} {instance} \(\n(.*?)\n  \);", netlist, re.MULTILINE | re.DOTALL)
    if call is None:
        sys.exit(f"the netlist has no instance {instance}")
    for port, value in re.findall(r"\.(\w+)\(([^)]*)\)", call[1]):
        nets = [plain(n) for n in value.strip("{} ").split(",")]
        if len(nets) == 1 and port in ("TS", "BS", "WSEL"):
            nets = [f"{nets[0]}[{k}]" for k in reversed(range(6))]
        for k, net in enumerate(reversed(nets)):
            pin = f"{port}[{k}]" if port in ("TS", "BS", "WSEL") else port
            if net in drivers:
                yield pin, net, drivers[net]


def plain(net: str) -> str:
    """Return a net's name without Verilog's escapes."""
    return net.replace("\\", "").replace(" ", "")


def time_chip(out: Path) -> str:
    """Report the slowest way from the controller through a macro, by OpenSTA."""
    script = [
        f"read_liberty {HERE / 'cells.lib'}",
        f"read_liberty {out / NAME / f'{NAME}__ss_125C_3v30.lib'}",
        f"read_verilog {out / 'chip_netlist.v'}", "link_design chip",
        "create_clock -name clk -period 50 [get_ports clk]",
        "set_input_delay 5 -clock clk [get_ports {load unit mode tier column*}]",
        "set_output_delay 0 -clock clk [get_ports {*_out* ready*}]",
        f"read_spef {out / 'chip.spef'}",
        "report_checks -through u_left/OUT[0]",
        "report_checks -path_delay max",
    ]  # fmt: skip
    (out / "chip.tcl").write_text("\n".join(script) + "\n", encoding="utf-8")
    return run("sta", "-no_splash", "-exit", str(out / "chip.tcl"), cwd=out)


def read_floorplan(out: Path, tech: Tech) -> db.Layout:
    """Read the DEF with the macro's LEF as a router would, by KLayout."""
    options = db.LoadLayoutOptions()
    files = [str(out / "technology.lef"), str(out / NAME / f"{NAME}.lef")]
    options.lefdef_config.lef_files = files
    options.lefdef_config.read_lef_with_def = False
    options.lefdef_config.macro_resolution_mode = 1
    layout = db.Layout()
    layout.read(str(out / "chip.def"), options)
    return layout


def check_floorplan(layout: db.Layout, block: Abstract) -> list[str]:
    """Return what is wrong with the floorplan; nothing if both macros stand apart on the die."""
    top = next(cell for cell in layout.top_cells() if cell.name == "chip")
    boxes = [inst.dbbox() for inst in top.each_inst()]
    size = (block.width * block.tech.dbu_um, block.height * block.tech.dbu_um)
    faults = [] if len(boxes) == len(placements()) else [f"{len(boxes)} macros"]
    faults += [f"{b} is outside the die" for b in boxes if not b.inside(db.DBox(0, 0, *die()))]
    faults += [f"a macro of {b.width()} um" for b in boxes if abs(b.width() - size[0]) > 1e-6]
    if len(boxes) == 2 and boxes[0].overlaps(boxes[1]):
        faults.append("the macros overlap")
    return faults


def main() -> None:
    """Run everything and print what each program found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where files go")
    out = parser.parse_args().out.resolve()
    if missing := [p for p in ("yosys", "sta") if not shutil.which(p)]:
        sys.exit(f"not installed: {', '.join(missing)} (make system)")
    out.mkdir(parents=True, exist_ok=True)
    block = make_macro(out)
    print(f"macro      {NAME}: {len(block.pins)} pins; {limits(out)}")
    cells = re.findall(r"^\s+(\w+)\s+(\d+)\s", synthesise(out).rpartition("=== chip ===")[2], re.M)
    kinds = [f"{n} {kind}" for kind, n in cells if kind.isupper() or kind == NAME]
    print("yosys      " + ", ".join(kinds))
    (out / "technology.lef").write_text("\n".join(technology_lines(block.tech)) + "\n")
    (out / "chip.def").write_text("\n".join(def_lines(block)) + "\n")
    faults = check_floorplan(read_floorplan(out, block.tech), block)
    print("floorplan  " + ("; ".join(faults) or "both macros on the die, apart"))
    netlist = (out / "chip_netlist.v").read_text(encoding="utf-8")
    (out / "chip.spef").write_text("\n".join(spef_lines(block, netlist)) + "\n")
    timing = time_chip(out)
    if odd := re.findall(r"^(?:Warning|Error).*", timing, re.MULTILINE):
        sys.exit("\n".join(odd))
    slack = re.findall(r"^\s+(-?[\d.]+)\s+slack \((\w+)\)", timing, re.MULTILINE)
    annotated = (out / "chip.spef").read_text().count("*D_NET")
    through, worst = slack[0][0], slack[-1][0]
    print(
        f"opensta    {annotated} nets with wires; slack through a macro {through} ns, worst {worst}"
    )
    if faults or not slack or any(word != "MET" for _, word in slack):
        sys.exit("the chip does not close: see above")


if __name__ == "__main__":
    main()
