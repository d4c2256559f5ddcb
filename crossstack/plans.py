"""What a build does, in its order, and how its time is shared: for the time that is left."""

from __future__ import annotations

from .config import RunConfig

#: step of a build -> per cent of its time on 16 x 16 cells, for the time that is left
_CHECKED = {"draw": 0.1, "write layout": 0.1, "design rules": 3.0, "layout vs netlist": 0.5}
#: steps of a chip -> seconds on 10 x 10 cells: its size is that of the slot, not of the array
_DIE = {
    "draw": 0.5,
    "seal ring and fill": 5.0,
    "write layout": 3.0,
    "design rules": 75.0,
    "layout vs netlist": 20.0,
    "pictures": 4.0,
    "report": 3.0,
}
#: steps of a tapeout -> seconds for a chip of 10 x 10 cells: the design rules as measured, the
#: others estimated
TAPEOUT = {
    "write package": 4.0,
    "check files": 12.0,
    "design rules": 75.0,
    "layout vs netlist": 20.0,
    "check die": 30.0,
}
_WIRES = {"extract wires": 2.0, "nets": 53.0}
_WRITTEN = {"pictures": 6.0, "report": 2.0}
_JUDGED = {"beside the paper": 9.0, "settling": 22.0}
_EACH_MODE = 1.5


def plan_of(config: RunConfig) -> dict[str, float]:
    """Return the steps of a build in their order, with the share of time that each takes."""
    from .analyse.progress import step_of
    from .solve.modes.modes import MODES

    if config.spec.top == "testchip":
        return dict(_DIE)
    modes = {step_of(mode): _EACH_MODE for mode in MODES}
    return {**_CHECKED, **_WIRES, **modes, **_JUDGED, **_WRITTEN}
