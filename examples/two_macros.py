"""Two macros with decoders and their pads, joined by gdsfactory's routers.

The address, mode and enable of each macro come down from its south edge to pads, its row inputs,
which are Metal4, go west or east to pads that end in Metal3. Where metals differ, the routers put
vias, as the PDK's layer transitions say. Prints what the rules and the extracted nets say.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gdsfactory as gf

from crossstack.drc import run_drc
from crossstack.lvs import extract_layout
from crossstack.pdk import LABEL_OF, PDK, CrossStackError, get_tech

ROWS, COLS = 2, 3
#: um from pad to pad, from a macro to its pads, and from wire to wire
PITCH, AWAY, APART = 90.0, 150.0, 1.0
INPUTS = ("A[0]", "A[1]", "M[0]", "M[1]", "EN")
Placed = dict[str, tuple[gf.Port, gf.Port]]


def macro_with_pads(chip: gf.Component, east: bool) -> Placed:
    """Place a macro and its pads, and route them; returns pin -> (its port, that of its pad)."""
    macro = chip << gf.get_component(
        "crossbar_array", rows=ROWS, cols=COLS, top="macro", periphery="decoder"
    )
    if east:
        macro.dmirror_x()
        macro.dmovex(macro.dxsize + 2 * AWAY + len(INPUTS) * PITCH)
    strategies = gf.get_active_pdk().routing_strategies or {}
    found: Placed = {}
    pins = sorted((macro.ports[name] for name in INPUTS), key=lambda port: port.dcenter[0])
    middle = macro.dcenter[0]
    found |= _joined(
        chip,
        pins,
        [
            (middle + (k - (len(pins) - 1) / 2) * PITCH, macro.dymin - AWAY)
            for k in range(len(pins))
        ],
        0,
        strategies["route_metal3"],
    )
    rows = [macro.ports[f"IN_{tier}[{i}]"] for i in range(ROWS) for tier in "BT"]
    rows.sort(key=lambda port: port.dcenter[1])
    x = macro.dxmax + AWAY if east else macro.dxmin - AWAY
    middle = sum(port.dcenter[1] for port in rows) / len(rows)
    places = [(x, middle + (k - (len(rows) - 1) / 2) * PITCH) for k in range(len(rows))]
    return found | _joined(chip, rows, places, 90 if east else 270, strategies["route_metal4"])


def _joined(
    chip: gf.Component,
    pins: list[gf.Port],
    places: list[tuple[float, float]],
    turn: int,
    route: object,
) -> Placed:
    """Place a pad for each pin and route the bundle."""
    pads = []
    for x, y in places:
        pad = chip << gf.get_component("bond_pad")
        pad.drotate(turn)
        port = pad.ports["PAD_N"]
        # on the grid of 10 nm
        pad.dmove((round(x - port.dcenter[0], 2), round(y - port.dcenter[1], 2)))
        pads.append(pad.ports["PAD_N"])
    assert callable(route)
    route(chip, pins, pads, separation=APART, sort_ports=True)
    return {pin.name or "": (pin, pad) for pin, pad in zip(pins, pads, strict=True)}


def label(chip: gf.Component, text: str, port: gf.Port) -> None:
    """Put a label on the metal at a port, inside the part that it belongs to."""
    metal = gf.get_layer_name(port.layer)
    x, y = port.dcenter
    dx, dy = {0: (-1, 0), 90: (0, -1), 180: (1, 0), 270: (0, 1)}[round(port.orientation) % 360]
    at = (x + 0.2 * dx, y + 0.2 * dy)
    chip.add_label(text, position=at, layer=get_tech().gds(LABEL_OF[metal]))


def draw() -> tuple[gf.Component, dict[str, str]]:
    """Return the chip, and label of each pin -> label of its pad."""
    chip = gf.Component(name="two_macros")
    joined = {}
    for k in range(2):
        for pin, (port, pad) in macro_with_pads(chip, east=k == 1).items():
            label(chip, f"pin{k}_{pin}", port)
            label(chip, f"pad{k}_{pin}", pad)
            joined[f"pin{k}_{pin}"] = f"pad{k}_{pin}"
    return chip, joined


def reached(path: Path, joined: dict[str, str]) -> tuple[int, bool]:
    """Return how many pins are on their pad's net, and whether no two pins are on one."""
    extracted = extract_layout(path, get_tech())
    numbers = {name: extracted.net(name).number for pair in joined.items() for name in pair}
    count = sum(numbers[pin] == numbers[pad] for pin, pad in joined.items())
    return count, len({numbers[pin] for pin in joined}) == len(joined)


def main(arguments: list[str] | None = None) -> int:
    """Draw, check, compare; 1 for a rule that is broken or a pin that reaches no pad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("examples_out"))
    options = parser.parse_args(arguments)
    PDK.activate()
    chip, joined = draw()
    options.out.mkdir(parents=True, exist_ok=True)
    path = chip.write_gds(options.out / "two_macros.gds", with_metadata=False)
    report = run_drc(path, get_tech())
    count, apart = reached(path, joined)
    print(f"{path}: {chip.dxsize:.0f} x {chip.dysize:.0f} um")
    print(f"DRC   {report.count} violations")
    print(f"nets  {count} of {len(joined)} pins reach their pad, "
          f"{'none' if apart else 'some'} are joined to another")  # fmt: skip
    return 0 if report.clean and apart and count == len(joined) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CrossStackError as error:
        print(f"two_macros: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
