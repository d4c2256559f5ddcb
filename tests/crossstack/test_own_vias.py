"""The via under a memristor's film is no resistor of a network, and has a limit all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.mark.parametrize("ohm", [5000, 100])
def test_a_memristors_current_is_held_against_its_own_via(
    ohm: int, crossstack, tmp_path: Path
) -> None:
    """Four vias in every stack, so that the one under the film is the narrowest place."""
    config = tmp_path / "a.yaml"
    config.write_text(
        "rows: 2\ncols: 1\nname: own\nprocess: sky130_reram\ncuts: 4\nselect_w_um: 20.0\n"
        f"device: {{r_on_ohm: {ohm}}}\n"
    )
    assert crossstack("build", config, "-o", tmp_path, "-q").code == 0
    em = json.loads((tmp_path / "own" / "em.json").read_text())
    read = em["modes"]["expansion"]
    worst = read["worst_cut"]
    assert (worst["layer"], worst["net"]) == ("via_metal", "C[0]")
    drop = json.loads((tmp_path / "own" / "ir_drop.json").read_text())
    amps = max(drop["modes"]["expansion"]["column_currents_A"]) / 2
    assert worst["current_A"] == pytest.approx(amps, rel=0.05)
    assert worst["ratio"] == pytest.approx(worst["current_A"] / 0.29e-3)
    assert (ohm == 100) == (read["above_limit"] > 0)
    # a write of this array is beyond its limits at either resistance
    assert em["verdict"]["exceeded"] == any(mode["above_limit"] for mode in em["modes"].values())
