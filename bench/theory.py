"""What `size` rules out by theory, held against arrays solved in full.

python bench/theory.py     a dozen arrays of any kind, a minute: the error that the parts of a few
                           cells give without a margin, as a part of the error of the drawn array
Exit code 1 if one is above what the margin allows for, so that theory could rule out too much.
"""

from __future__ import annotations

import sys
from typing import Any

from crossstack.config import config_of
from crossstack.figures import Study, draw, mode_figures
from crossstack.sizing import theory
from crossstack.sizing.metrics import flat_figures

FOLDED = {"select_fingers": 4, "strap": True, "row_ends": "both"}
ARRAYS: tuple[dict[str, Any], ...] = (
    {"rows": 12, "cols": 12},
    {"rows": 7, "cols": 5},
    {"rows": 16, "cols": 8, "strap": True},
    {"rows": 5, "cols": 9, "strap": True, "cuts": 2, "select_w_um": 6.0},
    {"rows": 24, "cols": 6, "strap": True, "select_w_um": 12.0, "select_fingers": 2},
    {"rows": 8, "cols": 24, "select_w_um": 8.0, "pitch_x_um": 9.0, **FOLDED},
    {"rows": 16, "cols": 16, "select_w_um": 16.0, "pitch_x_um": 14.0, **FOLDED},
    {"rows": 10, "cols": 10, "me_width_um": 4.0, "row_ends": "both"},
    {"rows": 10, "cols": 10, "profile": "aligner", "strap": True},
    {"rows": 12, "cols": 4, "cell": "passive", "tech": {"corner": "max"}},
    {"rows": 5, "cols": 6, "cell": "planar", "device_um": 2.0},
    {"rows": 10, "cols": 8, "top": "macro"},
)


def main() -> int:
    theory.LEAST_CELLS = 0
    margins, theory.MARGIN = theory.MARGIN, dict.fromkeys(theory.MARGIN, 1.0)
    bad = 0
    for values in ARRAYS:
        config = config_of(values)
        study = Study(config, draw(config))
        solved = study.modes(["expansion"])[0]["expansion"].to_json()
        known = flat_figures({"modes": {"expansion": mode_figures(solved)}})
        ratios = {n: least / (known[n] or 1.0) for n, least in theory.least_errors(config).items()}
        for view, margin in margins.items():
            worst = max(r for n, r in ratios.items() if n.endswith("_wires") == (view == "wires"))
            good = worst * margin < 1.0
            bad += not good
            print(
                f"{view:<6} at most {worst:.3f} of what is solved, margin {margin:g}: "
                f"{'below' if good else 'ABOVE'}   {values}",
                flush=True,
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
