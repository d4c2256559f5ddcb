"""The probe station: what is put in comes back out, and readings that no wire gives do not."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossstack.cells import to_layout
from crossstack.cells.monitors import ELECTRODES
from crossstack.cli import run
from crossstack.config import load_config
from crossstack.generators import ArraySpec, build_top
from crossstack.lab import (
    Simulated,
    beyond_corners,
    evaluate,
    four_wire_ohm,
    measure,
    overlay_figures,
    probe_plan,
    read_readings,
    write_readings,
)
from crossstack.lab.evaluate import _slope
from crossstack.lab.instrument import wires_of
from crossstack.lab.readings import Reading
from crossstack.pdk import Conditions, FileError, ParameterError, get_tech

TECH = get_tech()


@pytest.fixture(scope="module")
def readings():
    return measure(Simulated(TECH), repeats=4)


class OneFilm(Simulated):
    """An instrument that spends no time on the monitors of other films."""

    def __init__(self, film: str, *args, **options) -> None:
        super().__init__(*args, **options)
        self.end = f"_{film.lower()}"

    def voltage(self, monitor, force, sense, current_a):
        known = monitor.endswith(self.end)
        return super().voltage(monitor, force, sense, current_a) if known else 0.0


def of_film(film, tech, made, seed=0, repeats=16):
    """Return the figures of one film whose truth is `made`, each with its truth."""
    at = tech.at(made)
    taken = measure(OneFilm(film, at, seed=seed), repeats, made.temperature_c)
    taken = [r for r in taken if r.monitor.endswith(f"_{film.lower()}")]
    (cut,) = (c for c in at.cuts if c.name == f"V{film}")
    truth = {
        "sheet_resistance_ohm_sq": at.film(film).sheet_ohm_sq.at(made.corner),
        "size_bias_um": made.size_bias_um.get(film, 0.0),
        "via_ohm": cut.ohm.at(made.corner) * (1 + cut.tcr_per_c * (made.temperature_c - 25.0)),
    }
    return [(f, truth[f.name]) for f in evaluate(taken, tech, made.temperature_c)]


@pytest.mark.parametrize("seed", range(9))
def test_the_truth_comes_back_within_the_stated_error(seed):
    """Whatever the sheets, the widths, the temperature and the corner that all else stands at."""
    rng = np.random.default_rng(seed)
    tech = get_tech(("stepper", "aligner")[seed % 2])
    film, line = ELECTRODES[seed % 3], tech.profile.line_um
    made = Conditions(
        temperature_c=float(rng.uniform(0, 85)),
        corner=("max", "min", "typ")[seed // 3],
        sheet_resistance_ohm_sq={film: float(10 ** rng.uniform(-1.3, 1))},
        size_bias_um={film: float(rng.uniform(-0.3, 0.3)) * line},
    )
    found = of_film(film, tech, made, seed)
    assert len(found) == 3
    for figure, truth in found:
        assert abs(figure.value - truth) <= figure.error, figure
        most = 0.2 if figure.name == "via_ohm" else 0.03  # of films of 10 ohm/sq, too
        assert figure.error < most * max(abs(figure.value), line), figure


@pytest.mark.parametrize("corner", ["min", "max"])
@pytest.mark.parametrize("film", ELECTRODES)
def test_the_error_holds_the_corner_of_every_part(film, corner):
    """The cross reads low all the time: that adds up with the corner, it does not cancel."""
    for figure, truth in of_film(film, TECH, Conditions(corner=corner)):
        assert abs(figure.value - truth) <= figure.error, figure
        assert figure.error < 0.02, figure


def test_the_error_of_few_readings_holds_what_it_says():
    """Three standard errors out of 400: of four readings, the spread itself is uncertain."""
    rng, outside = np.random.default_rng(0), 0
    for _ in range(400):
        noise = rng.normal(0.0, 1e-3, 4)
        rows = [
            Reading("kelvin_be", 1, 4, 2, 3, i, i + v, 25.0)
            for i, v in zip((1e-3, -1e-3, 1e-3, -1e-3), noise * 1e-3, strict=True)
        ]
        slope = _slope("kelvin_be", rows)
        outside += abs(slope.value - 1.0) > 3 * slope.error
    assert outside <= 5


@pytest.mark.parametrize("part", [0.0, 0.02])
@pytest.mark.parametrize("film", ELECTRODES)
@pytest.mark.parametrize("profile", ["stepper", "aligner"])
def test_a_chain_below_its_links_is_refused(profile, film, part):
    tech, end = get_tech(profile), f"_{film.lower()}"
    taken = [
        replace(r, voltage_v=2e-6 + r.voltage_v * part) if "chain" in r.monitor else r
        for r in measure(OneFilm(film, tech), 4)
        if r.monitor in (f"van_der_pauw{end}", f"via_chain{end}")
    ]
    with pytest.raises(ParameterError, match=rf"chain{end}: .*are the pads in order"):
        evaluate(taken, tech)


def test_a_via_that_the_process_does_not_know_of_is_measured():
    """The chain is compared with its extraction; what is more than that is the vias'."""
    more = 0.5
    cuts = tuple(
        replace(c, ohm=replace(c.ohm, typ=c.ohm.typ + more)) if c.name == "VME" else c
        for c in TECH.cuts
    )
    found = evaluate(measure(Simulated(replace(TECH, cuts=cuts))), TECH)
    via = next(f for f in found if f.of == "VME")
    assert via.value == pytest.approx(via.expected + more, abs=via.error)
    assert via.error < 0.02


def test_a_line_has_the_squares_that_are_drawn():
    """160 squares between the taps: hand value, less than a square for the taps themselves."""
    sheet = next(f.sheet_ohm_sq.typ for f in TECH.films if f.name == "ME")
    ohm = four_wire_ohm(wires_of("kelvin_me", TECH), (1, 4), (2, 3))
    assert ohm / sheet == pytest.approx(160, abs=1.0)


def test_readings_survive_their_file(readings, tmp_path):
    write_readings(tmp_path / "r.csv", readings)
    assert read_readings(tmp_path / "r.csv") == readings


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0.001", "nan", "line 2: current_a = nan"),
        ("be,1,2,3,4", "be,1,1,3,4", r"line 2: pads \(1, 1, 3, 4\)"),
        ("current_a", "current", "line 1 is not monitor,"),
        ("0.001", "0.001,7", "line 2: 10 values, not 9"),
        ("0.001", "x" * 140_000, "line 2: field larger than field limit"),
        ("0.001", "many", "line 2: current_a: 'many' is not a number"),
    ],
)
def test_a_damaged_file_names_its_line(readings, tmp_path, old, new, told):
    write_readings(tmp_path / "r.csv", readings)
    text = (tmp_path / "r.csv").read_text()
    (tmp_path / "r.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(FileError, match=told):
        read_readings(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda r: [x for x in r if x.current_a > 0], "with the current in both directions"),
        (lambda r: [replace(x, voltage_v=-x.voltage_v) for x in r], "are the pads in order"),
        (lambda r: [x for x in r if "pauw_me" not in x.monitor], "van_der_pauw_me"),
        (
            lambda r: [replace(x, monitor="kelvin_xe") for x in r],
            "monitor = 'kelvin_xe' is not allowed: one of van_der_pauw_be, .*, via_chain_te",
        ),
        (lambda r: [replace(x, monitor="fork_be") for x in r], "'fork_be' is not allowed: one of"),
        (
            lambda r: [
                replace(x, force_in=2, force_out=1, sense_high=3, sense_low=4)
                if x.monitor == "kelvin_me"
                else x
                for x in r
            ],
            r"kelvin_me = 'pads \(2, 1\) \(3, 4\)' is not allowed: only \(1, 4\) \(2, 3\)",
        ),
        (lambda r: [x for x in r if x.force_out != 4 or "pauw" not in x.monitor], "also those"),
        (
            lambda r: [
                replace(x, voltage_v=x.voltage_v * 50) if "kelvin" in x.monitor else x for x in r
            ],
            "that of a line 0.5 um wide",
        ),
    ],
)
def test_readings_that_no_wire_gives_are_refused(readings, damage, told):
    with pytest.raises(ParameterError, match=told):
        evaluate(damage(readings), TECH)


def test_a_vernier_reads_its_bars():
    (figure,) = overlay_figures({("VME", "x"): -2}, TECH)
    assert (figure.value, figure.error) == pytest.approx((-0.06, 0.015))
    for bars in ({("VXX", "x"): 0}, {("VME", "z"): 0}, {("VME", "x"): 99}):
        with pytest.raises(ParameterError, match="overlay"):
            list(overlay_figures(bars, TECH))


@pytest.fixture(scope="module")
def chip(tmp_path_factory) -> Path:
    array = build_top(ArraySpec(1, 1, top="testchip"))
    path = tmp_path_factory.mktemp("chip") / "chip.gds"
    to_layout(array.cell, array.tech).write(str(path))
    return path


def test_the_plan_meets_the_pads(chip):
    """Each place is the centre of an opening in the passivation of the module's pads."""
    import klayout.db as db

    layout = db.Layout()
    layout.read(str(chip))
    pad = layout.layer(*TECH.gds(TECH.roles.layer("pad")))
    openings = db.Region(layout.top_cell().begin_shapes_rec(pad)).merged()
    centres = {(p.bbox().center().x, p.bbox().center().y) for p in openings.each()}
    rows = probe_plan(chip, TECH)
    assert len(rows) == 12
    for row in rows:
        for k in (1, 2, 3, 4):
            at = round(row[f"pad{k}_x_um"] * 1e3), round(row[f"pad{k}_y_um"] * 1e3)
            assert at in centres


def test_a_layout_without_monitors_has_no_plan(tmp_path, capsys):
    array = build_top(ArraySpec(1, 1))
    to_layout(array.cell, array.tech).write(str(tmp_path / "a.gds"))
    assert run(["measure", "--plan", str(tmp_path / "a.gds"), "-o", str(tmp_path / "out")]) == 2
    assert "holds none of the monitors" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_build_takes_what_was_measured(chip, tmp_path, capsys):
    truth, out = tmp_path / "truth.yaml", tmp_path / "out"
    truth.write_text("tech:\n  sheet_resistance_ohm_sq: {ME: 0.7, Metal5: 0.05}\n")
    simulated = ["measure", "--simulate", "--truth", truth, "--plan", chip, "--overlay", "BE,y,1"]
    assert run([*map(str, simulated), "-o", str(out)]) == 0
    assert f"{truth}: Metal5: 0.05 ohm/sq is outside its corners" in capsys.readouterr().err
    with (out / "probe_plan.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 12
    measured = (out / "measured.yaml").read_text()
    (tmp_path / "array.yaml").write_text(measured + "rows: 2\ncols: 2\n")
    films = load_config(tmp_path / "array.yaml", {}).tech.sheet_resistance_ohm_sq
    assert films["ME"] == pytest.approx(0.7, rel=4e-3)
    again = ["measure", "--readings", str(out / "readings.csv"), "-o", str(tmp_path / "2")]
    assert run(again) == 0
    same = [line for line in measured.splitlines() if "overlay" not in line]
    assert (tmp_path / "2" / "measured.yaml").read_text().splitlines() == same


def test_readings_carry_the_temperature_of_the_chuck(tmp_path, capsys):
    first, table = tmp_path / "1", tmp_path / "1" / "readings.csv"
    assert run(["measure", "--simulate", "--temperature", "60", "-o", str(first), "--quiet"]) == 0
    again = ["measure", "--readings", str(table), "-o", str(tmp_path / "2")]
    assert run(again) == 0
    measured = [(folder / "measured.yaml").read_text() for folder in (first, tmp_path / "2")]
    assert measured[0] == measured[1]
    assert "ohm at 60 C" in measured[0]
    assert run([*again, "--temperature", "25"]) == 2
    assert f"--temperature 25: {table} was measured at 60 C" in capsys.readouterr().err
    lines = table.read_text().splitlines()
    lines[1] = lines[1].replace(",60.0,", ",25,")
    table.write_text("\n".join(lines) + "\n")
    assert run(again) == 2
    assert "several temperatures (25, 60 C)" in capsys.readouterr().err


def test_a_truth_that_names_a_temperature_is_refused(tmp_path, capsys):
    truth = tmp_path / "lab.yaml"
    truth.write_text("tech: {temperature_c: 85}\n")
    assert run(["measure", "--simulate", "--truth", str(truth), "-o", str(tmp_path)]) == 2
    assert "tech.temperature_c is not of the process" in capsys.readouterr().err


def test_a_process_without_rules_of_pads_is_refused_by_name(tmp_path, capsys):
    asked = ["measure", "--simulate", "--process", "sky130", "-o", str(tmp_path)]
    assert run(asked) == 2
    told = capsys.readouterr().err
    assert "--process = 'sky130' is not allowed" in told
    assert "rules.csv" in told
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("said", ["VME,x,-2,3", "VME,x,1.5", "VME,x", "VME,x,"])
def test_an_overlay_of_another_form_is_refused(said, tmp_path, capsys):
    assert run(["measure", "--overlay", said, "-o", str(tmp_path)]) == 2
    assert f"--overlay {said!r} is not MASK,AXIS,BAR, e.g. VME,x,-2" in capsys.readouterr().err


def test_an_overlay_alone_leaves_no_section_for_a_build(tmp_path, capsys):
    assert run(["measure", "--overlay", "VME, x, -2", "-o", str(tmp_path)]) == 0
    assert "nothing for the section tech: of the next build" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["measured.json"]


def test_readings_carry_the_profile_that_they_were_drawn_in(tmp_path, capsys):
    first, table = tmp_path / "1", tmp_path / "1" / "readings.csv"
    simulated = ["measure", "--simulate", "--profile", "aligner", "-o", str(first), "--quiet"]
    assert run(simulated) == 0
    again = ["measure", "--readings", str(table), "-o", str(tmp_path / "2"), "--quiet"]
    assert run(again) == 0
    measured = [(folder / "measured.yaml").read_text() for folder in (first, tmp_path / "2")]
    assert measured[0] == measured[1]
    assert run([*again, "--profile", "stepper"]) == 2
    assert f"profile stepper: {table} was measured on aligner" in capsys.readouterr().err
    text = table.read_text()
    table.write_text(text.replace(",aligner", ",stepper", 1))
    assert run(again) == 2
    assert "readings of several profiles (aligner, stepper)" in capsys.readouterr().err
    table.write_text(text.replace(",profile", "").replace(",aligner", ""))  # as files were before
    assert run([*again, "--profile", "aligner"]) == 0
    assert (tmp_path / "2" / "measured.yaml").read_text() == measured[0]


def scaled(readings, monitor, factor, force=None):
    """Return readings of which one monitor's, or one step's of it, are off by a factor."""
    return [
        replace(r, voltage_v=2e-6 + (r.voltage_v - 2e-6) * factor)
        if r.monitor == monitor and force in (None, (r.force_in, r.force_out))
        else r
        for r in readings
    ]


@pytest.mark.parametrize("factor", [0.55, 0.8, 0.99, 1.01, 1.3, 1.9])
@pytest.mark.parametrize("force", [(1, 2), (2, 4)])
def test_a_cross_of_unequal_arms_is_remarked_and_in_its_error(readings, factor, force):
    taken = [r for r in readings if r.monitor == "van_der_pauw_me"]
    (sound,), (found,) = (
        evaluate(rows, TECH) for rows in (taken, scaled(taken, "van_der_pauw_me", factor, force))
    )
    assert not sound.remark
    low, high = sorted((0.0881, 0.0881 * factor))
    shown = re.search(r"van_der_pauw_me: (\S+) and (\S+) ohm", found.remark)
    assert sorted(map(float, shown.groups())) == pytest.approx([low, high], rel=2e-3)
    assert "what either pair of contacts says alone" in found.note
    assert abs(found.value - sound.value) <= found.error < abs(factor - 1) * sound.value + 0.004


def test_what_follows_from_a_cross_of_unequal_arms_holds_it_too(readings):
    taken = [r for r in readings if r.monitor.endswith("_me")]
    (_, line, via) = evaluate(scaled(taken, "van_der_pauw_me", 1.3, (1, 2)), TECH)
    assert abs(line.value) <= line.error
    assert abs(via.value - via.expected) <= via.error


@pytest.mark.parametrize(
    ("monitor", "factor", "told"),
    [
        ("van_der_pauw_me", 2.1, "sheet resistance of ME: 0.838 ohm/sq, expected 0.4"),
        ("van_der_pauw_me", 0.45, "sheet resistance of ME: 0.18 ohm/sq, expected 0.4"),
        ("kelvin_me", 3.0, "kelvin_me: a line of 0.5 um is 0.166 um wide"),
        ("via_chain_me", 3.0, "via VME: 3.95 ohm, expected 1.08"),
    ],
)
def test_a_figure_far_off_is_remarked(readings, monitor, factor, told):
    taken = [r for r in readings if r.monitor in ("van_der_pauw_me", monitor)]
    remark = evaluate(scaled(taken, monitor, factor), TECH)[-1].remark
    assert told in remark
    assert "more than a factor of 2 off: are process, profile and pads right?" in remark


@pytest.mark.parametrize(
    ("sheets", "told"),
    [
        ({"Metal5": 0.06}, ["Metal5: 0.06 ohm/sq is outside its corners, 0.031 to 0.049"]),
        ({"Metal5": 0.03, "ME": 3.0}, ["Metal5: 0.03 ohm/sq is outside its corners"]),
        ({"Metal5": 0.049, "ME": 3.0}, []),
        ({"Metal5": 0.031}, []),
        ({}, []),
    ],
)
def test_a_truth_beyond_the_corners_is_remarked(sheets, told):
    found = list(beyond_corners(sheets, TECH))
    assert len(found) == len(told)
    for text, start in zip(found, told, strict=True):
        assert text.startswith(start)
