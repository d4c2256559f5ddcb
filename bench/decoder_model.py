"""The model of a decoder beside the drawn transistors, switch by switch: every code and address.

python bench/decoder_model.py [COLS ...]

Macros of one row and 1 to 9 columns unless others are asked for. Each code of the mode bits is set
with each address, also those of no column. The state that the model is in, under Icarus Verilog,
must turn on what the layout's transistors turn on, and read the columns that these connect; where
it is in none, nothing may be on. Exit code 1 for a difference.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from crossstack.analyse import stimulus
from crossstack.base import names
from crossstack.cells.drawing import to_layout
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import extract_layout
from crossstack.solve.modes.decoder import Decoder
from crossstack.views import abstract_of
from crossstack.views.delays import Circuit, Followed
from crossstack.views.model import write_model
from crossstack.views.ports import port_groups
from crossstack.views.states import State, states

BENCH = """\
`timescale 1ns / 1ps
module codes;
    reg [{last}:0] pins [0:{count} - 1];
    reg [{last}:0] now;
    integer n;
    blk dut ({ports});
    initial begin
        $readmemb("codes.txt", pins);
        for (n = 0; n < {count}; n = n + 1) begin
            now = pins[n];
            #10 $display("%0d", dut.state);
        end
    end
endmodule
"""

Levels = dict[str, bool]


def modelled(folder: Path, logic: Decoder, every: list[Levels]) -> list[int]:
    """Return the state of the model after each step, -1 for none."""
    rows = ["".join("01"[levels[pin]] for pin in reversed(logic.inputs)) for levels in every]
    (folder / "codes.txt").write_text("\n".join(rows) + "\n")
    place = {pin: k for k, pin in enumerate(logic.inputs)}
    kinds: dict[str, list[str]] = {}
    for pin in logic.inputs:
        kinds.setdefault(names.kind_of(pin) or pin, []).append(f"now[{place[pin]}]")
    ports = ", ".join(f".{kind}({{{', '.join(bits[::-1])}}})" for kind, bits in kinds.items())
    text = BENCH.format(last=len(place) - 1, count=len(rows), ports=ports)
    (folder / "codes.sv").write_text(text)
    command = ["iverilog", "-g2012", "-s", "codes", "-o", "codes.vvp", "codes.sv", "blk_model.sv"]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run(
        ["vvp", "codes.vvp"], cwd=folder, check=True, capture_output=True, text=True
    )
    return [int(line) for line in done.stdout.splitlines() if line.lstrip("-").isdecimal()]


def fault(cols: int, levels: Levels, state: State | None) -> str:
    """Return what is not as the transistors have it, '' for nothing."""
    if state is None:
        on = [net for net, high in levels.items() if high]
        return f"in no state, but {on[0]} is on" if on else ""
    wrong = [net for net, high in levels.items() if state.drives.gates[net] != high]
    if wrong:
        return f"the state has {wrong[0]} otherwise"
    selected = {j for j in range(cols) for t in (0, 1) if levels[names.select(t, j)]}
    read = {j for j in selected if not levels[names.write_select(j)]}
    told = set(np.flatnonzero(state.matrix.any(axis=1)).tolist())
    return "" if told == read else f"columns {sorted(read)} are read, the model has {sorted(told)}"


def compare(cols: int) -> int:
    """Print how many codes were compared and return the number that differ."""
    array = build_top(ArraySpec(1, cols, top="macro", periphery="decoder", name="blk"))
    tech = array.tech
    extracted = extract_layout(to_layout(array.cell, tech), tech)
    block = abstract_of(extracted, pins=[pin.name for pin in array.pins])
    network, logic = extract_network(extracted, tech), Decoder(cols, array.decoded)
    what, groups = stimulus(network, tech), port_groups(block.pins)
    codes = [(b, t) for b in (False, True) for t in (False, True)]
    pins = [logic.pins(code, k) for code in codes for k in range(1 << len(logic.address))]
    every = [{**p, names.ENABLE: on} for p in pins for on in (False, True)]
    followed, drawn = Followed(Circuit(extracted, block, None), tech, logic, {}), []
    for levels in every:
        followed.run(levels)
        drawn.append(followed.levels())
    controls = [
        pin.name for g in groups for pin in reversed(g.pins)
        if pin.role.digital and pin.role.direction == "INPUT"
    ]  # fmt: skip
    found = states(network, tech, what, controls)
    with tempfile.TemporaryDirectory() as lent:
        write_model(Path(lent), block, groups, network, tech, what, 1e-9)
        numbers = modelled(Path(lent), logic, every)
    wrong = []
    for levels, real, number in zip(every, drawn, numbers, strict=True):
        if not levels[names.ENABLE]:
            continue
        if said := fault(cols, real, found[number] if number >= 0 else None):
            wrong.append(f"  {levels}: {said}")
    none = sum(n < 0 for n in numbers[1::2])
    print(f"{cols} columns: {len(pins)} codes and addresses, {none} of them in no state, "
          f"{len(wrong)} differ", flush=True)  # fmt: skip
    print("\n".join(wrong[:5]), end="\n" * bool(wrong))
    return len(wrong)


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("cols", nargs="*", type=int, default=range(1, 10))
    return 1 if sum([compare(cols) for cols in parser.parse_args().cols]) else 0


if __name__ == "__main__":
    sys.exit(main())
