"""Process monitors on the probe station: measure, find the process's own figures, hand them on.

`measure` runs the script of every monitor on an instrument; `evaluate` turns the readings into
sheet resistances, widths as printed and via resistances, each with its error.
"""

from .evaluate import Figure, beyond_corners, evaluate, overlay_figures
from .instrument import Instrument, Simulated, four_wire_ohm
from .readings import Reading, read_readings, write_readings
from .scripts import STEPS, measure, plan_csv, probe_plan

__all__ = [
    "STEPS",
    "Figure",
    "Instrument",
    "Reading",
    "Simulated",
    "beyond_corners",
    "evaluate",
    "four_wire_ohm",
    "measure",
    "overlay_figures",
    "plan_csv",
    "probe_plan",
    "read_readings",
    "write_readings",
]
