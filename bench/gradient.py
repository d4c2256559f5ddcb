"""What an exact gradient of column currents costs, in forward solves of the same array.

Every size is a stacked hybrid array, extracted tile by tile. A loss of all column currents is
differentiated by every conductance and every input through `crossstack.torch.currents`. "forward"
is the same call where no gradient is asked for, "backward" what comes on top of a forward call
that keeps what it needs. Both are timed in turns; the least times, and the median of the ratios.

python bench/gradient.py           512 x 512 x 2
python bench/gradient.py 64 256    other sizes
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

from crossstack.torch import currents

sys.path.insert(0, str(Path(__file__).parent))
from prepared import Case

#: vectors of inputs
BATCHES = (1, 16)
LAWS = (("linear", None), ("sinh", 3.0))
TURNS = 9
#: forward solves that a gradient may cost
MOST = 3.0


def timed(case: Case, batch: int, b: float | None, turn: int) -> tuple[float, float]:
    """Return seconds of a forward call, and of the backward one after a forward call."""
    array = case.array
    g = torch.from_numpy(case.siemens[turn % 2].reshape(-1)[array.flat])
    volts = torch.from_numpy(case.volts[:batch].reshape(batch, -1).copy())
    law = None if b is None else torch.tensor(b, dtype=torch.float64)
    begun = time.perf_counter()
    with torch.no_grad():
        currents(array, g, volts, law)
    forward = time.perf_counter() - begun
    found = currents(array, g.requires_grad_(), volts.requires_grad_(), law)
    begun = time.perf_counter()
    (found * found).sum().backward()
    return forward, time.perf_counter() - begun


def main() -> int:
    """Print a table; returns 1 if a gradient costs more than it may."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[512])
    args = parser.parse_args()
    print(f"{'size':>6}  {'law':<8}{'vectors':>8}{'forward ms':>12}{'backward ms':>13}"
          f"{'ratio':>8}{'median':>8}")  # fmt: skip
    good = True
    for size in args.sizes:
        case = Case(size, "hybrid", "array", arrays=False)
        for name, b in LAWS:
            for batch in BATCHES:
                timed(case, batch, b, 0)
                times = np.array([timed(case, batch, b, k) for k in range(TURNS)])
                forward, backward = times.min(axis=0)
                median = float(np.median(times[:, 1] / times[:, 0]))
                fine = min(backward / forward, median) <= MOST
                good = good and fine
                print(f"{size:>6}  {name:<8}{batch:>8}{1e3 * forward:>12.1f}"
                      f"{1e3 * backward:>13.1f}{backward / forward:>8.2f}{median:>8.2f}"
                      f"{'' if fine else '  TOO MUCH'}", flush=True)  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
