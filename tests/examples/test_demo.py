"""`make demo` builds an array that holds: limits in both modes, voltages of written devices."""

from __future__ import annotations

from pathlib import Path

from crossstack.config import load_config
from crossstack.figures import Study, draw

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_keeps_its_limits_and_writes_every_device():
    config = load_config(ROOT / "examples" / "demo.yaml", {})
    assert (config.spec.rows, config.spec.cols, len(config.spec.tiers)) == (10, 10, 2)
    study = Study(config, draw(config))
    em = study.em()
    assert set(em.modes) == {"expansion", "deep-net"}
    assert em.verdict.judged
    assert not em.verdict.exceeded
    assert em.write_voltages is not None
    assert em.write_voltages.judged
    assert em.write_voltages.met
    assert study.tech.memristor.set_needed_v == 1.5  # what the device model declares, not less
    assert "examples/demo.yaml" in (ROOT / "Makefile").read_text(encoding="utf-8")
