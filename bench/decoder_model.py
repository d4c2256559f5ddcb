"""The model of a decoder beside the drawn transistors, switch by switch: every code and address.

python bench/decoder_model.py [COLS ...]

Macros of one row and 1 to 9 columns unless others are asked for. Each code of the mode bits is set
with each address, also those of no column. The state that the model is in, under Icarus Verilog,
must turn on what the layout's transistors turn on, and read the columns that these connect; where
it is in none, nothing may be on. Exit code 1 for a difference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from onboard.models import Drawn, modelled

from crossstack.base import names
from crossstack.solve.modes.decoder import Decoder
from crossstack.views.delays import FollowedDecoder
from crossstack.views.model import write_model
from crossstack.views.states import State, states

BENCH = """\
`timescale 1ns / 1ps
module bench;
    reg [{last}:0] pins [0:{count} - 1];
    reg [{last}:0] now;
    integer n;
    blk dut ({ports});
    initial begin
        $readmemb("steps.txt", pins);
        for (n = 0; n < {count}; n = n + 1) begin
            now = pins[n];
            #10 $display("%0d", dut.state);
        end
    end
endmodule
"""

Levels = dict[str, bool]


def connected(place: Mapping[str, int]) -> str:
    """Return the connections of the block's buses to bits of `now`."""
    kinds: dict[str, list[str]] = {}
    for pin, k in place.items():
        kinds.setdefault(names.kind_of(pin) or pin, []).append(f"now[{k}]")
    return ", ".join(f".{kind}({{{', '.join(bits[::-1])}}})" for kind, bits in kinds.items())


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
    macro = Drawn.of(1, cols, "decoder")
    tech, network, what = macro.tech, macro.network, macro.what
    logic = Decoder(cols, macro.array.decoded)
    codes = [(b, t) for b in (False, True) for t in (False, True)]
    pins = [logic.pins(code, k) for code in codes for k in range(1 << len(logic.address))]
    every = [{**p, names.ENABLE: on} for p in pins for on in (False, True)]
    followed, drawn = FollowedDecoder(macro.circuit(), tech, logic, {}), []
    for levels in every:
        followed.run(levels)
        drawn.append(followed.levels())
    controls = [
        pin.name for g in macro.groups for pin in reversed(g.pins)
        if pin.role.digital and pin.role.direction == "INPUT"
    ]  # fmt: skip
    found = states(network, tech, what, controls)
    with tempfile.TemporaryDirectory() as lent:
        write_model(Path(lent), macro.block, macro.groups, network, tech, what, 1e-9)
        said = modelled(Path(lent), BENCH, connected, logic.inputs, every)
    numbers = [int(line) for line in said if line.lstrip("-").isdecimal()]
    wrong = []
    for levels, real, number in zip(every, drawn, numbers, strict=True):
        if not levels[names.ENABLE]:
            continue
        if told := fault(cols, real, found[number] if number >= 0 else None):
            wrong.append(f"  {levels}: {told}")
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
