"""ngspice, run once and not believed blindly: it ends with 0 whatever happened."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .errors import CrossStackError


class ModelsError(CrossStackError):
    """The foundry's models could not be run."""


#: how long a deck may take, s; the transistors of a large macro need more
TIMEOUT_S = 300.0


def run_ngspice(deck: Path, timeout_s: float = TIMEOUT_S) -> str:
    """Run a deck and return what it printed.

    Raises:
        ModelsError: if ngspice is missing or does not finish.
    """
    program = shutil.which("ngspice")
    if program is None:
        raise ModelsError("ngspice is not installed (make system)")
    try:
        done = subprocess.run(
            [program, "-b", str(deck)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelsError(f"ngspice did not finish within {timeout_s:g} s") from None
    if " = " not in done.stdout:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise ModelsError(f"ngspice could not run the models: {last[0]}")
    return done.stdout
