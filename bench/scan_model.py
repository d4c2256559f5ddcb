"""The model of a scan chain beside the drawn transistors, switch by switch, step by step.

python bench/scan_model.py [ROWSxCOLS:STATES ...]

Of each macro so many states of all bits are shifted in and latched, also those of no mode; 0 stands
for all of them. At every step of every pin the levels of all lines and of the chain's end must be
the same in the model, under Icarus Verilog, as in the layout. Exit code 1 for a difference.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from onboard.models import Drawn, modelled

from crossstack.base import names
from crossstack.solve.modes.address import INPUTS, RESET, Chain
from crossstack.views.delays import Circuit, scan_order
from crossstack.views.model import write_model

BENCH = """\
`timescale 1ns / 1ps
module bench;
    reg [{last}:0] pins [0:{count} - 1];
    reg [{last}:0] now;
    wire SOUT;
    integer n;
    blk dut ({ports}, .SOUT(SOUT));
    initial begin
        $readmemb("steps.txt", pins);
        for (n = 0; n < {count}; n = n + 1) begin
            now = pins[n];
            #1 $display("%b %b", dut.control, SOUT);
        end
    end
endmodule
"""

Levels = dict[str, bool]


def steps(chain: Chain, states: int) -> Iterator[Levels]:
    """Yield what the pins carry: reset, then each state shifted in, latched and turned on."""
    yield dict(RESET.levels)
    yield {**RESET.levels, "EN": True, "LE": True, "CLK": True}
    yield dict(RESET.levels)
    bits = len(chain.nets)
    order = random.Random(1)
    every = order.sample(range(1 << bits), states or 1 << bits)
    for number in every:
        levels = {net: bool(number >> k & 1) for k, net in enumerate(chain.nets)}
        yield from (dict(step.levels) for step in chain.sequence(levels))
        if order.random() < 0.05:  # in the middle of it, whatever the others are
            yield {"SIN": True, "CLK": True, "LE": False, "EN": True, "RSTN": False}


def drawn(circuit: Circuit, tech, chain: Chain, every: list[Levels]) -> list[str]:
    """Return the levels of all lines and of the end of the chain after each step."""
    switching = circuit.at(tech)
    nets = [circuit.number[net] for net in (*chain.nets, names.SCAN_PINS[-1])]
    found = []
    for levels in every:
        switching.run({circuit.number[pin]: high for pin, high in levels.items()})
        *lines, end = (str(switching.level[net]) for net in nets)
        found.append(f"{''.join(lines)} {end}")
    return found


def connected(place: Mapping[str, int]) -> str:
    """Return the connections of the block to bits of `now`."""
    return ", ".join(f".{pin}(now[{k}])" for pin, k in place.items())


def told(folder: Path, every: list[Levels]) -> list[str]:
    """Return the same of the model that a folder holds."""
    said = modelled(folder, BENCH, connected, INPUTS, every)
    return [line for line in said if line and line[0] in "01xz"]


def compare(rows: int, cols: int, states: int) -> int:
    """Print how many steps were compared and return the number that differ."""
    macro = Drawn.of(rows, cols, "scan")
    tech, network = macro.tech, macro.network
    order = scan_order(macro.extracted, macro.block, tech, network)
    assert order == macro.array.chain, "the order that was read is not the one that was drawn"
    chain = Chain(order)
    every = [*steps(chain, states)]
    start = time.perf_counter()
    layout = drawn(macro.circuit(), tech, chain, every)
    seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as lent:
        parts = (macro.block, macro.groups, network, tech, macro.what)
        write_model(Path(lent), *parts, 1e-9, chain=order)
        model = told(Path(lent), every)
    wrong = [k for k, pair in enumerate(zip(layout, model, strict=True)) if pair[0] != pair[1]]
    print(f"{rows} x {cols}: {len(order)} bits, {states or 1 << len(order)} states, "
          f"{len(every)} steps, {len(wrong)} differ ({seconds:.1f} s for the drawn ones)",
          flush=True)  # fmt: skip
    for k in wrong[:5]:
        print(f"  step {k}, {every[k]}: drawn {layout[k]}, model {model[k]}")
    return len(wrong)


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", default=["3x2:0", "7x5:100"])
    wrong = 0
    for text in parser.parse_args().sizes:
        size, _, states = text.partition(":")
        rows, cols = map(int, size.split("x"))
        wrong += compare(rows, cols, int(states or 0))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
