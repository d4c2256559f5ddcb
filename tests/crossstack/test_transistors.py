"""Transistors in a solve: one table for all of a size, at the corner and temperature asked for."""

import numpy as np
import pytest

from crossstack.analyse.on_resistance import OnResistance
from crossstack.cli import run
from crossstack.pdk import Conditions, get_tech

TECH = get_tech("stepper")


def test_many_at_once_equal_one_by_one():
    rng = np.random.default_rng(5)
    w, is_p = rng.choice([0.5, 2.0, 7.3], 200), rng.uniform(size=200) < 0.4
    length, a, b = rng.choice([0.28, 0.5], 200), *rng.uniform(-0.3, 3.3, (2, 200))
    found = OnResistance(TECH, w, length, is_p)(a, b)
    models = {False: TECH.nfet, True: TECH.pfet}
    wanted = [
        models[bool(p)].ron_ohm(wide, max(u, v) if p else min(u, v), u - v) * long / 0.28
        for wide, long, p, u, v in zip(w, length, is_p, a, b, strict=True)
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_corner_and_temperature_reach_the_transistors(kind):
    def ohm(**options):
        model = getattr(TECH.at(Conditions(**options)), kind)
        return model.ron_ohm(2.0)

    assert ohm(corner="min") < ohm() < ohm(corner="max")
    assert ohm(temperature_c=-40.0) < ohm() < ohm(temperature_c=125.0)
    assert ohm() == getattr(TECH, kind).ron_ohm(2.0)


def test_a_hot_build_drops_more_and_beyond_the_table_is_refused(tmp_path, capsys):
    config = tmp_path / "hot.yaml"
    drops = []
    for celsius in (25, 125):
        config.write_text(f"rows: 2\ncols: 2\ntech: {{temperature_c: {celsius}}}\n")
        out = tmp_path / str(celsius)
        assert run(["build", str(config), "-o", str(out), "--json", "--quiet"]) == 0
        table = np.loadtxt(
            next(out.glob("*/ir_drop.csv")), delimiter=",", skiprows=1, usecols=(6, 7), max_rows=8
        )
        drops.append(table.max(axis=0))
        capsys.readouterr()
    (wires, everything), (hot_wires, hot_everything) = drops
    # 800 ohm of transistor grow by a fourth, tens of ohm of wire by a third
    assert hot_everything - hot_wires > 1.15 * (everything - wires)
    config.write_text("rows: 2\ncols: 2\ntech: {temperature_c: 150}\n")
    assert run(["build", str(config), "-o", str(tmp_path / "150")]) == 2
    error = capsys.readouterr().err
    assert "temperature_c = 150" in error
    assert "a number from -40 to 125 C" in error
    assert not (tmp_path / "150").exists()
