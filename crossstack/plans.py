"""What a build does, in its order, and how its time is shared: for the time that is left."""

from __future__ import annotations

from .config import RunConfig

#: step of a build -> per cent of its CPU time, as measured: of an array of 10 x 10 cells (6.5 s),
#: of one of 64 x 64 (48 s), whose settling is not computed, and of a macro of 16 x 16 (59 s)
_ARRAY = {
    "draw": 0.2, "write layout": 1.3, "design rules": 8.0, "layout vs netlist": 1.1,
    "extract wires": 4.8, "nets": 50.6, "solve expansion": 0.3, "solve deep-net": 0.8,
    "beside the paper": 2.0, "settling": 25.9, "pictures": 2.0, "report": 3.1,
}  # fmt: skip
_LARGE = {
    "draw": 0.1, "write layout": 0.2, "design rules": 2.8, "layout vs netlist": 3.7,
    "extract wires": 8.3, "nets": 19.2, "solve expansion": 2.6, "solve deep-net": 15.0,
    "beside the paper": 38.2, "settling": 0.1, "pictures": 0.8, "report": 9.3,
}  # fmt: skip
_MACRO = {
    "draw": 0.2, "write layout": 0.2, "design rules": 3.6, "layout vs netlist": 0.5,
    "extract wires": 9.2, "nets": 29.1, "solve expansion": 0.5, "solve deep-net": 0.9,
    "beside the paper": 4.2, "settling": 49.5, "views": 0.9, "pictures": 0.3, "report": 1.0,
}  # fmt: skip
#: the same of a die around a macro of 16 x 16 cells (138 s): its size is that of the slot, not of
#: the array
_DIE = {
    "draw": 0.4, "seal ring and fill": 5.7, "write layout": 1.8, "design rules": 69.2,
    "layout vs netlist": 18.1, "pictures": 0.1, "report": 4.7,
}  # fmt: skip
#: steps of a tapeout -> seconds for a chip of 10 x 10 cells: the design rules as measured, the
#: others estimated
TAPEOUT = {
    "write package": 4.0,
    "check files": 12.0,
    "design rules": 75.0,
    "layout vs netlist": 20.0,
    "check die": 30.0,
}


def plan_of(config: RunConfig) -> dict[str, float]:
    """Return the steps of a build in their order, with the share of time that each takes."""
    from .capacitances import MOST_SETTLED

    spec = config.spec
    if spec.top == "testchip":
        return dict(_DIE)
    devices = len(spec.tiers) * spec.rows * spec.cols
    plan = _LARGE if devices > MOST_SETTLED else _ARRAY
    return dict(_MACRO if spec.top == "macro" else plan)
