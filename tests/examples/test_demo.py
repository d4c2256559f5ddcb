"""`make demo` builds an array that holds: limits in both modes, voltages of written devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossstack.config import load_config
from crossstack.figures import Study, draw

ROOT = Path(__file__).resolve().parents[2]


def check_kept(em):
    """Check that currents are within their limits and every write has its voltage."""
    assert em.verdict.judged
    assert not em.verdict.exceeded
    assert em.write_voltages is not None
    assert em.write_voltages.judged
    assert em.write_voltages.met


def test_the_demo_keeps_its_limits_and_writes_every_device():
    config = load_config(ROOT / "examples" / "demo.yaml", {})
    assert (config.spec.rows, config.spec.cols, len(config.spec.tiers)) == (10, 10, 2)
    study = Study(config, draw(config))
    em = study.em()
    assert set(em.modes) == {"expansion", "deep-net"}
    check_kept(em)
    assert study.tech.memristor.set_needed_v == 1.5  # what the device model declares, not less
    assert "examples/demo.yaml" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_macro_of_the_test_chip_keeps_its_limits_and_writes_every_device():
    """With the options of the demo's bare array, the mode switches of a macro take too much."""
    config = load_config(ROOT / "examples" / "testchip.yaml", {})
    assert config.spec.top == "testchip"
    config = replace(config, spec=replace(config.spec, top="macro"))
    em = Study(config, draw(config)).em()
    check_kept(em)


@pytest.mark.parametrize(("corner", "temperature_c"), [("max", 85.0), ("min", -40.0)])
def test_the_demo_with_margin_holds_where_writes_are_weakest_and_strongest(corner, temperature_c):
    config = load_config(ROOT / "examples" / "demo_corners.yaml", {})
    config = replace(config, tech=replace(config.tech, corner=corner, temperature_c=temperature_c))
    em = Study(config, draw(config)).em()
    check_kept(em)
