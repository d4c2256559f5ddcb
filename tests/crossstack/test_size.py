"""`crossstack size`: the least array that meets a target, or which parts of it conflict."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossstack.base.errors import ConvergenceError, CrossStackError
from crossstack.config import config_of, load_config
from crossstack.config import keys as known_keys
from crossstack.console import Console
from crossstack.figures import Study, draw, mode_figures
from crossstack.pace import Pace, paced
from crossstack.points import Points
from crossstack.pool import Here
from crossstack.sizing import closest, conflict, search, theory
from crossstack.sizing import evaluate as one
from crossstack.sizing import run as whole
from crossstack.sizing.alike import groups
from crossstack.sizing.candidates import Candidate, pareto
from crossstack.sizing.metrics import METRICS, flat_figures
from crossstack.sizing.prove import Proof, named, prove
from crossstack.sizing.search import Search
from crossstack.sizing.target import FIXED, SEARCH, Free, Target, read_target

QUIET = Console(quiet=True)
#: a wide transistor makes the error small and the array large
TARGET = """
array: {rows: 2, cols: 2, tech: {temperature_c: 85}}
targets: {worst_device: 0.07, limit_used: 3.0}
free:
  select_w_um: {min: 2, max: 5, step: 1}
  strap: [false, true]
"""


@pytest.fixture(scope="module")
def sized(tmp_path_factory):
    """A search that finds a point; its folder and target file."""
    from crossstack.cli import run

    folder = tmp_path_factory.mktemp("sized")
    (folder / "small.yaml").write_text(TARGET)
    assert run(["size", str(folder / "small.yaml"), "-o", str(folder / "small"), "-q"]) == 0
    return folder / "small"


def write(folder, text, name="t.yaml"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def unbuilt(monkeypatch):
    """Points of a front are solved, not built: what a build gives is tested with `sized`."""

    def figures_only(proof):
        task = one.Task(proof.configs, READ, (), whole=True)
        name = proof.configs[0].spec.top_name
        (proof.folder / name).mkdir(exist_ok=True)
        (proof.folder / name / "manifest.json").write_text("{}")
        found = dict.fromkeys(METRICS) | one.evaluate(task)["figures"]
        verdict = {"verdict": "passed", "drc_violations": 0, "lvs_match": True, "not_done": {}}
        return {"name": name, "passed": True, "figures": found, "worst": found, **verdict}

    monkeypatch.setattr(whole, "prove", figures_only)


READ = {name: 0.5 for name in METRICS if METRICS[name].stage == "read"}

# ---- what is found


def test_the_point_is_the_least_that_meets_the_target(sized):
    value = json.loads((sized / "size.json").read_text())
    assert value["met"]
    found = value["search"]
    assert (found["combinations"], found["looked_at"], found["complete"]) == (8, 8, True)
    (point,) = value["points"]
    assert point["chosen"]["select_w_um"] == 3.0
    assert point["worst"]["worst_device"] <= 0.07
    assert point["drc_violations"] == 0
    assert point["lvs_match"] is True
    # the next smaller one misses, by hand
    config = config_of({"rows": 2, "cols": 2, "strap": True, "tech": {"temperature_c": 85}})
    (drop,) = Study(config, draw(config)).modes(["expansion"])[0].values()
    assert drop.all_series.worst_device > 0.07


def test_the_yaml_builds_to_the_same_files(sized, crossstack, tmp_path):
    assert crossstack("build", sized / "point_1.yaml", "-o", tmp_path, "-q").code == 0
    for name in ("ir_drop.json", "em.json", "timing.json", "point_1.gds", "manifest.json"):
        again = (tmp_path / "point_1" / name).read_bytes()
        assert again == (sized / "point_1" / name).read_bytes(), name
    point = json.loads((sized / "size.json").read_text())["points"][0]
    drop = json.loads((tmp_path / "point_1" / "ir_drop.json").read_text())["modes"]
    em = json.loads((tmp_path / "point_1" / "em.json").read_text())["verdict"]
    modes = {mode: mode_figures(value) for mode, value in drop.items()}
    found = flat_figures({"modes": modes, "limits": em})
    assert {name: point["figures"][name] for name in found} == found


def test_what_is_left(sized):
    names = {path.name for path in sized.iterdir()}
    assert names == {
        "size.json", "size.csv", "candidates.csv", "pareto.svg", "report.html", "manifest.json",
        "point_1", "point_1.yaml",
    }  # fmt: skip
    assert sorted(p.name for p in sized.parent.iterdir()) == ["small", "small.yaml"]
    with (sized / "size.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert (row["point"], row["met"], row["select_w_um"]) == ("point_1", "True", "3")
    with (sized / "candidates.csv").open() as stream:
        assert len([*csv.DictReader(stream)]) == 8
    text = (sized / "report.html").read_text()
    assert 'badge ok">targets met' in text
    assert "met by 1 point" in text
    assert "<h1>small</h1>" in text
    assert 'href="point_1/report.html"' in text


def test_the_report_can_be_written_again(sized, crossstack):
    before = (sized / "report.html").read_bytes()
    assert crossstack("report", sized).code == 0
    assert (sized / "report.html").read_bytes() == before


def test_the_course_does_not_depend_on_the_number_of_processes(sized, crossstack, tmp_path):
    target = sized.parent / "small.yaml"
    assert crossstack("size", target, "--jobs", 1, "-o", tmp_path / "small", "-q").code == 0
    for name in ("size.json", "size.csv", "candidates.csv", "point_1.yaml", "pareto.svg"):
        assert (tmp_path / "small" / name).read_bytes() == (sized / name).read_bytes(), name


# ---- what cannot be had

ALONE = ("--jobs", 1, "-o")
CONFLICT = """
array: {rows: 2, cols: 2}
targets: {worst_device: 0.05, array_um2: 80, mean_device: 0.5}
free: {select_w_um: [2, 3, 5]}
"""


def test_targets_that_conflict_are_named(crossstack, tmp_path, unbuilt):
    ran = crossstack("size", write(tmp_path, CONFLICT), *ALONE, tmp_path / "o", "--json")
    assert ran.code == 1
    value = ran.json
    assert not value["met"]
    assert value["conflict"]["targets"] == ["worst_device", "array_um2"]
    assert all(found["reached"] for found in value["conflict"]["best"].values())
    assert value["verdict"] == (
        "not met: worst_device at most 5 % and array_um2 at most 80 um2 cannot be had together "
        "(proved by looking at all 3 combinations)"
    )
    (point,) = value["points"]  # the nearest
    assert set(point["missed"]) <= {"worst_device", "array_um2"}
    assert (tmp_path / "o" / "point_1.yaml").is_file()
    assert 'badge bad">targets not met' in (tmp_path / "o" / "report.html").read_text()


def test_one_target_that_nothing_reaches_is_named(crossstack, tmp_path, unbuilt):
    text = CONFLICT.replace("0.05", "0.001").replace("[2, 3, 5]", "[2]")
    ran = crossstack("size", write(tmp_path, text), *ALONE, tmp_path / "o")
    assert ran.code == 1
    assert "worst_device at most 0.1 % cannot be had (proved" in ran.out
    assert "nearest: point_1.yaml; it misses worst_device at most 0.1 %" in ran.out


def test_all_targets_that_nothing_reaches_are_named(crossstack, tmp_path, unbuilt):
    text = CONFLICT.replace("0.05", "0.001").replace("array_um2: 80", "array_um2: 8")
    ran = crossstack("size", write(tmp_path, text), *ALONE, tmp_path / "o")
    assert ran.code == 1
    # nothing was read before, for its area: all of it is computed to tell what is best alone
    assert "3 computed in full; every combination was looked at, each until it missed" in ran.out
    assert (
        "not met: worst_device at most 0.1 % cannot be had, nor can array_um2 at most 8 um2 "
        "(proved by looking at all 3 combinations)"
    ) in ran.out
    assert "; it misses worst_device at most 0.1 % and array_um2 at most 8 um2" in ran.out
    with (tmp_path / "o" / "candidates.csv").open() as stream:
        rows = [*csv.DictReader(stream)]
    assert len(rows) == 3
    assert all(float(row["worst_device"]) > 0.001 for row in rows)
    assert all("array_um2 at most 8 um2 is asked" in row["ended"] for row in rows)


#: width, strap -> its share of the write voltage, that by theory, its load: wide ones get the most
#: and are loaded the most, a strap takes most of the load off
_SHARES = st.lists(
    st.tuples(st.floats(0.1, 0.99), st.floats(1.0, 1.2), st.floats(0.2, 5.0)),
    min_size=8,
    max_size=8,
)


#: where the look for the nearest ends: when all is known, or at so many of 8, by candidates or by
#: cells, four each; of however large ones two are computed
_ENDS = {
    "known": (8, {}),
    "candidates": (3, {"MOST": 3}),
    "cells": (3, {"CELLS": 15, "ROUND": 2}),
    "large": (2, {"CELLS": 1}),
}


@given(_SHARES, st.sampled_from([*_ENDS]), st.sampled_from([0.2, 0.6, 0.995]))
def test_what_theory_ruled_out_may_be_nearest_or_best_alone(found, end, drive):
    """Against all of them, where theory told nothing but what a write gets at most.

    A device never gets more than what drives it, which many then get by theory, and some really.
    """
    target, (enough, limits) = _written(), _ENDS[end]
    found = [(min(share, drive), over, load) for share, over, load in found]
    with paced(QUIET, "search", 8) as pace, pytest.MonkeyPatch.context() as patch:
        looking = Search(target, _ruled_out(found, drive), pace)
        outcome = looking.run()
        assert not outcome.front
        for name, value in limits.items():
            patch.setattr(closest, name, value)
        clash = conflict.conflicts(looking, target)
        assert pace.done == pace.total <= enough
    (point,) = conflict.nearest(looking, target)
    wide = end == "known"
    values = [(share, load) for share, _, load in found]
    misses = [sorted((1.0 - s, max(0.0, high - 1.0)), reverse=True) for s, high in values]
    share, load = (clash["best"][name] for name in target.bounds)
    assert clash["targets"][0] == "write_share"
    settled = clash["nearest"]["settled"], share["settled"], load["settled"]
    if wide:
        assert settled == (True, True, True)
        assert ("limit_used" in clash["targets"]) == all(high > 1.0 for _, high in values)
    if settled[0]:
        assert misses[_number(point)] == min(misses)
    if settled[1]:
        assert share["best"] == max(s for s, _ in values)
    if settled[2]:
        assert load["best"] == min(high for _, high in values)
    else:
        assert load["computed"] == clash["nearest"]["computed"] == enough


def _number(candidate):
    width, strap = candidate.choice
    return 2 * width + strap


def _written():
    free = (Free("select_w_um", (2, 3, 4, 5), True), Free("strap", (False, True), False))
    bounds = {"write_share": 1.0, "limit_used": 1.0}
    settings = {"candidates": 8, "points": 1, "seed": 1, "minutes": None}
    return Target({"rows": 2, "cols": 2}, (), bounds, free, ("area_um2",), settings)


def _ruled_out(found, drive):
    """Return what evaluates: theory rules everything out by what a write gets at most."""

    def run(tasks):
        for number, task in enumerate(tasks):
            spec = task.configs[0].spec
            share, over, load = found[2 * round(spec.select_w_um - 2) + spec.strap]
            area = {"area_um2": spec.select_w_um}
            if task.through == "draw":
                yield number, {"figures": area}, False
            elif task.whole:
                values = area | {"write_share": share, "limit_used": load}
                yield number, {"figures": values, "stage": "limits"}, False
            else:
                most = {"write_share": min(share * over, drive)}
                ruled = {"stage": one.THEORY, "why": "too little by theory"}
                yield number, {"figures": area | most, **ruled}, False

    return run


# ---- interruptions


def test_an_interrupted_search_goes_on_where_it_was(tmp_path, monkeypatch):
    target = read_target(write(tmp_path, TARGET.replace(", limit_used: 3.0", "")))
    real, count = one.evaluate_alike, []

    def stops(tasks):
        if len(count) == 5:
            raise KeyboardInterrupt
        count.extend(tasks)
        return real(tasks)

    monkeypatch.setattr(whole, "evaluate_alike", stops)
    with pytest.raises(KeyboardInterrupt):
        whole.size(target, tmp_path / "o", QUIET)
    monkeypatch.setattr(whole, "evaluate_alike", lambda tasks: count.extend(tasks) or real(tasks))
    monkeypatch.setattr(whole, "prove", lambda task: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        whole.size(target, tmp_path / "o", QUIET)
    assert len(count) == len({str(task) for task in count}), "no candidate twice"
    assert sum(task.through == "draw" for task in count) == 8
    monkeypatch.undo()
    monkeypatch.setattr(whole, "evaluate_alike", None)  # nothing is left to do
    assert whole.size(target, tmp_path / "o", QUIET)["met"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o", "t.yaml"]


def test_an_interrupted_look_for_the_nearest_goes_on_where_it_was(tmp_path, monkeypatch, unbuilt):
    text = CONFLICT.replace("0.05", "0.001").replace("array_um2: 80", "array_um2: 8")
    target = read_target(write(tmp_path, text))
    whole.size(target, tmp_path / "straight", QUIET)
    real, count = one.evaluate_alike, []

    def stops(tasks):
        count.extend(task for task in tasks if task.whole)
        if len(count) == 2:
            raise KeyboardInterrupt
        return real(tasks)

    monkeypatch.setattr(whole, "evaluate_alike", stops)
    with pytest.raises(KeyboardInterrupt):
        whole.size(target, tmp_path / "o", QUIET)
    monkeypatch.setattr(whole, "evaluate_alike", lambda tasks: count.extend(tasks) or real(tasks))
    whole.size(target, tmp_path / "o", QUIET)
    assert len(count) == 4, "the one that was stopped is computed again, and one more"
    for name in ("size.json", "candidates.csv", "point_1.yaml", "pareto.svg"):
        assert (tmp_path / "o" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o", "straight", "t.yaml"]


def test_the_time_left_is_told_of_each_phase(tmp_path, monkeypatch, unbuilt):
    seen, piece = [], Pace.piece

    def noted(self, *args, **kwargs):
        assert self.done < self.total, "no piece is left over"
        piece(self, *args, **kwargs)
        seen.append((self._step.name, self.line().partition(",")[0]))

    monkeypatch.setattr(Pace, "piece", noted)
    text = CONFLICT.replace("0.05", "0.001")
    whole.size(read_target(write(tmp_path, text)), tmp_path / "o", QUIET)
    assert [*dict.fromkeys(name for name, _ in seen)] == ["draw", "search", "nearest", "build"]
    last = dict(seen)
    assert (last["draw"], last["build"]) == ("3 of 3", "1 of 1")
    assert (last["search"], last["nearest"]) == ("2 of at most 2", "1 of at most 1")


# ---- targets


def test_every_condition_must_hold(tmp_path):
    text = TARGET.replace(", tech: {temperature_c: 85}", "").replace(", limit_used: 3.0", "")
    target = read_target(write(tmp_path, text + "conditions: [{corner: min}, {temperature_c: 85}]"))
    configs = target.configs((1, 1))
    assert [c.tech.temperature_c for c in configs] == [25, 85]
    task = one.Task(tuple(configs), target.bounds, target.goals, whole=True)
    apart = [
        one.evaluate(one.Task((c,), target.bounds, target.goals, whole=True))["figures"]
        for c in configs
    ]
    both = one.evaluate(task)["figures"]["worst_device"]
    assert both == max(found["worst_device"] for found in apart)
    assert apart[0] != apart[1]
    found = prove(Proof(tuple(named(c, "both") for c in configs), tmp_path / "built"))
    assert found["worst"]["worst_device"] == pytest.approx(both, rel=1e-9)
    # what is said of the build is not of the worst of both
    assert found["verdict"].startswith("built at the first condition: passed")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("free:", "fre:", ["no such key fre", "did you mean 'free'"]),
        ("free:", "rows: 4\nfree:", ["line", "rows is a key of an array", "under array:"]),
        ("free:", "tech: {corner: max}\nfree:", ["tech is a key of an array", "conditions"]),
        ("worst_device: 0.07", "worst_device: 7", ["line 3", "worst_device = 7", "not per cent"]),
        ("worst_device: 0.07", "worst_devise: 0.07", ["worst_devise", "did you mean"]),
        ("worst_device: 0.07", "worst_device: .nan", ["worst_device = nan"]),
        ("worst_device: 0.07", "worst_device: 7 %", ["worst_device = '7 %'"]),
        ("worst_device: 0.07", "worst_device: true", ["worst_device = True"]),
        ("{worst_device: 0.07, limit_used: 3.0}", "{}", ["line 3", "targets is missing"]),
        ("rows: 2", "rows: 0", ["line 2", "rows = 0"]),
        ("rows: 2", "rosw: 2", ["array.rosw", "did you mean 'rows'"]),
        ("rows: 2", "rows: 2, strap: true", ["free.strap", "not both"]),
        ("rows: 2", "rows: 2, top: testchip", ["testchip"]),
        ("temperature_c: 85", "temperature_c: 900", ["line 2", "temperature_c = 900"]),
        (", step: 1", "", ["line 5: free.select_w_um.step is missing: a range is {min: , max: , "]),
        ("step: 1", "step: null", ["line 5", "select_w_um.step = None", "finite"]),
        ("step: 1", "step: 0", ["step = 0", "above 0"]),
        ("step: 1", "step: .inf", ["step = inf", "finite"]),
        ("step: 1", "step: 1e-9", ["at most 10000"]),
        ("step: 1", "stop: 1", ["stop", "did you mean 'step'"]),
        ("max: 5", "max: 1", ["max = 1", "min = 2 or more"]),
        ("max: 5", "max: 500", ["line 5", "select_w_um = 500", "0.36 .. 100 um"]),
        ("[false, true]", "[]", ["free.strap", "a list of values"]),
        ("[false, true]", "[true, true]", ["free.strap", "every value once"]),
        ("[false, true]", "[true, 3]", ["strap = 3"]),
        ("[false, true]", "true", ["free.strap = True", "a list"]),
        ("  strap:", "  process: [gf180mcuD]\n  strap:", ["free.process", "cannot be free"]),
        ("  strap:", "  tech.corner: [min]\n  tech: {corner: [max]}\n  strap:", ["twice"]),
        ("free:", "optimise: [speed]\nfree:", ["speed", "area_um2"]),
        ("free:", "optimise: []\nfree:", ["optimise", "1 to 3"]),
        ("free:", "search: {candidates: 0}\nfree:", ["search.candidates = 0", "from 1"]),
        ("free:", "search: {seed: 1.5}\nfree:", ["search.seed = 1.5", "whole number"]),
        ("free:", "conditions: [{corner: fast}]\nfree:", ["conditions", "tech", "not both"]),
        ("free:", "conditions: 5\nfree:", ["conditions = 5"]),
    ],
)
def test_targets_that_are_refused(crossstack, tmp_path, old, new, words):
    assert old in TARGET
    path = write(tmp_path, TARGET.replace(old, new))
    crossstack("size", path, "-o", tmp_path / "o").fails(2, *words)
    assert [p.name for p in tmp_path.iterdir()] == ["t.yaml"]


BAD = (".nan", "-1e30", "nonsense", "{a: 1}", "[]", "null", "''")


def block(values, indent=0):
    """Return the lines of a mapping, every key on its own."""
    lines = []
    for key, value in values.items():
        deep = isinstance(value, dict)
        lines.append(" " * indent + (f"{key}:" if deep else f"{key}: {value}"))
        lines += block(value, indent + 2) if deep else []
    return lines


def put(values, key, value):
    *sections, last = key.split(".")
    for name in sections:
        values = values.setdefault(name, {})
    values[last] = value
    return last


def names_its_line(path, lines, key, read):
    """Refused or not: a line that is named holds the key."""
    write(path.parent, "\n".join(lines), path.name)
    try:
        read(path)
    except CrossStackError as error:
        said = str(error)
    else:
        return False
    told = re.match(rf"{re.escape(str(path))}, line (\d+): ", said)
    assert told is not None, (lines, said)
    assert re.match(rf" *(- )?{re.escape(key)}:", lines[int(told[1]) - 1]), (lines, said)
    return True


def around(**more):
    base = {"array": {"rows": 2, "cols": 2}, "targets": {"worst_device": 0.07}}
    return {**base, "free": {"strap": "[false, true]"}, **more}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("section", ["device", "tech", ""])
def test_the_line_that_is_named_holds_the_key(tmp_path, section, bad):
    """Of what is free, and of conditions, no line was named; of what is fixed, that of another."""
    refused = 0
    for key in (key for key in known_keys() if key.partition(".")[0] == section or
                (not section and "." not in key)):  # fmt: skip
        plain = {"rows": 2, "cols": 2, "device": {"source": "x"}, "tech": {"corner": "typ"}}
        last = put(plain, key, bad)
        check = lambda path: load_config(path, {})  # noqa: E731
        refused += names_its_line(tmp_path / "c.yaml", block(plain), last, check)
        if key == "strap":
            continue
        fixed = around()
        put(fixed, f"array.{key}", bad)
        refused += names_its_line(tmp_path / "t.yaml", block(fixed), last, read_target)
        for value in (bad, f"[{bad}]", f"{{min: {bad}, max: 3, step: 1}}"):
            free = around()
            free["array"].pop(key, None)
            free["free"][key] = value
            refused += names_its_line(tmp_path / "t.yaml", block(free), key, read_target)
        if section == "tech":
            second = {}
            put(second, key.removeprefix("tech."), bad)
            lines = [*block(around()), "conditions:", "  - corner: typ", "  -", *block(second, 4)]
            refused += names_its_line(tmp_path / "t.yaml", lines, last, read_target)
    assert refused > 5


@pytest.mark.parametrize("bad", BAD)
def test_the_line_of_a_section_that_is_named_holds_it(tmp_path, bad):
    for section in ("array", "targets", "free", "search", "conditions", "optimise", "tech", "no"):
        names = {"targets": METRICS, "search": SEARCH}.get(section, ())
        for name in ("", *names):
            values = around()
            values[section] = {**values.get(section, {}), name: bad} if name else bad
            names_its_line(tmp_path / "t.yaml", block(values), name or section, read_target)


def test_a_figure_of_an_item_names_the_line_of_the_item(crossstack, tmp_path):
    text = TARGET + "optimise:\n  - area_um2\n  - aera_um2\n"
    ran = crossstack("size", write(tmp_path, text), "-o", tmp_path / "o")
    ran.fails(2, "t.yaml, line 9: optimise[1] = 'aera_um2'", "did you mean 'area_um2'")


def test_what_is_fixed_is_named_by_its_own_line(crossstack, tmp_path):
    """A read voltage above the supply was said of the first key that is free."""
    text = TARGET.replace("rows: 2,", "rows: 2, device: {v_read_v: 50},")
    ran = crossstack("size", write(tmp_path, text), "-o", tmp_path / "o")
    ran.fails(2, "t.yaml, line 2: device.v_read_v = 50", "supply")


def test_known_keys_are_those_that_can_be_free(tmp_path, crossstack):
    path = write(tmp_path, TARGET.replace("strap:", "strip:"))
    ran = crossstack("size", path, "-o", tmp_path / "o")
    ran.fails(2, "free.strip", "known: ")
    known = ran.err.partition("known: ")[2].rstrip(")\n").split(", ")
    assert "strap" in known
    assert not set(FIXED) & set(known)


def test_values_of_conditions_are_checked(tmp_path, crossstack):
    text = TARGET.replace(", tech: {temperature_c: 85}", "") + "conditions: [{corner: fast}]"
    crossstack("size", write(tmp_path, text), "-o", tmp_path / "o").fails(2, "corner = 'fast'")


def test_without_the_library(crossstack, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    ran = crossstack("size", write(tmp_path, TARGET), "-o", tmp_path / "o")
    ran.fails(2, "crossstack[size]")


# ---- parts


@pytest.mark.parametrize(
    "spec",
    [
        {"rows": 7, "cols": 5},
        {"rows": 5, "cols": 9, "strap": True, "cuts": 2, "select_w_um": 6.0},
        {"rows": 12, "cols": 4, "cell": "passive", "tech": {"corner": "max"}},
        {"rows": 5, "cols": 6, "cell": "planar", "device_um": 2.0},
    ],
)
def test_theory_never_rules_out_what_can_be_had(spec, monkeypatch):
    monkeypatch.setattr(theory, "LEAST_CELLS", 0)
    config = config_of(spec)
    least = theory.least_errors(config)
    study = Study(config, draw(config))
    solved = flat_figures({"modes": {"expansion": mode_figures(
        study.modes(["expansion"])[0]["expansion"].to_json())}})  # fmt: skip
    assert set(least) == {name for name in METRICS if METRICS[name].stage == "read"}
    for name, value in least.items():
        assert 0.5 * solved[name] < value <= solved[name], name


def test_theory_spares_a_solve(monkeypatch):
    monkeypatch.setattr(theory, "LEAST_CELLS", 10)
    monkeypatch.setattr(Study, "modes", None)
    task = one.Task((config_of({"rows": 8, "cols": 8}),), {"worst_device": 0.02}, ("area_um2",))
    found = one.evaluate(task)
    assert (found["stage"], found["refused"]) == ("theory", False)
    assert "worst_device is at least " in found["why"]
    assert " % by theory, " in found["why"]


def _target(goals):
    return Target({}, (), {"worst_device": 0.5}, (), tuple(goals), {"points": 3})


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_front_holds_what_nothing_betters(values):
    target = _target(["area_um2", "write_v_set"])
    many = [Candidate((k,), {"area_um2": a, "write_v_set": v}) for k, (a, v) in enumerate(values)]
    front = {c.goals(target) for c in pareto(many, target)}
    for a, v in values:
        beaten = any(x <= a and y >= v and (x, y) != (a, v) for x, y in values)
        assert ((a, v) in front) == (not beaten)


def test_a_figure_that_nobody_knows_misses_every_target():
    for metric in METRICS.values():
        assert metric.misses(None, 0.5)
        assert metric.misses(math.nan, 0.5)
    unjudged = {"judged": False, "exceeded": False, "text": "", "ratio": 0.1}
    assert flat_figures({"limits": unjudged})["limit_used"] is None


def test_what_cannot_be_drawn_is_passed_over(tmp_path, unbuilt):
    text = CONFLICT.replace("array_um2: 80, ", "").replace(
        "{select_w_um: [2, 3, 5]}", "{select_w_um: [3, 5], pitch_y_um: [4, 7]}"
    )
    value = whole.size(read_target(write(tmp_path, text)), tmp_path / "o", QUIET)
    assert value["search"]["not_drawable"] == 1
    assert value["points"][0]["chosen"] == {"select_w_um": 5, "pitch_y_um": 7}


def test_a_search_ends_when_its_time_is_over(tmp_path, monkeypatch, unbuilt):
    looked = []
    monkeypatch.setattr(Search, "late", lambda self: bool(looked.append(1) or len(looked) > 1))
    monkeypatch.setattr(search, "ROUND", 1)
    value = whole.size(read_target(write(tmp_path, CONFLICT)), tmp_path / "o", QUIET)
    assert value["search"]["looked_at"] < 3
    assert value["search"]["ended"] == "its time was over"
    assert len(value["points"]) == 1  # there is one to build
    assert "proved" not in value["verdict"]


def test_two_goals_give_a_front(tmp_path, unbuilt):
    text = CONFLICT.replace("array_um2: 80, ", "").replace("0.05", "0.1")
    value = whole.size(
        read_target(write(tmp_path, text + "optimise: [array_um2, worst_device]")),
        tmp_path / "o",
        QUIET,
    )
    assert [p["chosen"]["select_w_um"] for p in value["points"]] == [2, 3, 5]
    names = [p["name"] for p in value["points"]]
    assert names == ["point_1", "point_2", "point_3"]
    for name in names:
        assert load_config(tmp_path / "o" / f"{name}.yaml", {}).spec.name == name


def test_what_could_not_be_computed_is_no_proof(tmp_path, monkeypatch, unbuilt):
    real = one.draw

    def breaks(config):
        if config.spec.select_w_um == 3:
            raise ConvergenceError("did not settle")
        return real(config)

    monkeypatch.setattr(one, "draw", breaks)
    text = CONFLICT.replace("0.05", "0.001")
    value = whole.size(read_target(write(tmp_path, text)), tmp_path / "o", QUIET)
    found = value["search"]
    assert (found["complete"], found["not_computed"], found["not_drawable"]) == (False, 1, 0)
    assert "1 could not be computed: did not settle" in value["verdict"]
    assert "proved" not in value["verdict"]


def test_a_point_that_its_build_puts_behind_another_is_named():
    target = _target(["area_um2", "settle_s"])
    points = [
        {"name": name, "met": met, "worst": {"area_um2": area, "settle_s": settle}}
        for name, met, area, settle in (
            ("a", True, 1.0, 2.0), ("b", True, 2.0, 3.0), ("c", True, 2.0, 1.0),
            ("d", False, 9.0, 9.0), ("e", True, 9.0, None), ("f", True, 1.0, 2.0),
        )
    ]  # fmt: skip
    whole._mark_bettered(points, target)
    assert [p["bettered_by"] for p in points] == [None, "a", None, None, None, None]


@pytest.mark.parametrize("asked", [1, 4, 8, 25, 60, 300])
def test_no_more_candidates_are_looked_at_than_asked_for(asked, tmp_path):
    text = TARGET.replace("{min: 2, max: 5, step: 1}", "{min: 2, max: 12, step: 0.1}")
    target = read_target(write(tmp_path, f"{text}search: {{candidates: {asked}}}\n"))

    def found(tasks):
        """Larger is better for the error and worse for the area, with a jump of either."""
        for number, task in enumerate(tasks):
            spec = task.configs[0].spec
            area = spec.select_w_um * (1.5 if spec.strap else 1.0)
            values = {"area_um2": area, "worst_device": 0.5 / area, "limit_used": 1.0}
            yield number, {"figures": values, "stage": "settle"}, False

    with paced(QUIET, "search", asked) as pace:
        outcome = Search(target, found, pace).run()
    assert target.size == 202
    assert len(outcome.seen) <= asked
    assert len(outcome.seen) == min(asked, 202) or "nothing better" in outcome.ended
    if asked > 25:  # neighbours were looked at within it
        assert outcome.front[0].figures["area_um2"] == pytest.approx(7.2, abs=0.05)


# ---- a target of writes and currents, as examples/size_32.yaml has it

NEEDS = {"worst_device": 0.10, "write_share": 1.0, "limit_used": 1.0}


def _row_by_row(**more):
    device = {"write_rows": 1, "v_set_v": 2.6, "v_reset_v": 2.4}
    return config_of({"rows": 3, "cols": 2, "strap": True, "device": device, **more})


@pytest.mark.parametrize("width", [2.0, 12.0])
def test_a_few_writes_rule_out_only_what_all_of_them_do(width, monkeypatch):
    config = _row_by_row(select_w_um=width)
    study = Study(config, draw(config))
    share = flat_figures({"write_voltages": study.em().write_voltages.to_json()})["write_share"]
    far = [*study.far_shares()]
    assert len(far) == 4  # either tier, both polarities
    assert share == pytest.approx(min(far), rel=1e-6)
    full = one.evaluate(one.Task((config,), NEEDS, ("area_um2",)))
    assert (full["why"] is None) == (share >= 1.0)
    if share < 1.0:
        monkeypatch.setattr(Study, "em", None)  # not needed
        found = one.evaluate(one.Task((config,), {"write_share": 1.0}, ("area_um2",)))
        assert "write_share is" in found["why"]
        assert found["figures"]["write_share"] == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize(
    "spec",
    [
        {"select_w_um": 6.0},
        {"select_w_um": 12.0, "select_fingers": 4, "strap": True, "rows": 5},
        {"device": {"v_set_v": 2.2, "v_reset_v": 1.8, "law": "cubic", "write_rows": 1}},
        {"device": {"area_exponent": 1.0, "area_um2": 2.0}},
        {"device": {"compliance_a": 1e-4, "v_set_v": 1.5, "v_reset_v": 1.5}},
    ],
)
def test_no_device_gets_more_than_theory_allows(spec):
    config = config_of({"rows": 2, "cols": 2, **spec})
    most = theory.most_write_share(config)
    found = Study(config, draw(config)).em().write_voltages
    share = flat_figures({"write_voltages": found.to_json()})["write_share"]
    assert 0.3 * most < share <= most
    if share > 0.9 * most:  # theory alone rules out what is asked beyond
        bound = {"write_share": 1.001 * most}
        ruled = one.evaluate(one.Task((config,), bound, ("area_um2",)))
        assert (ruled["stage"], ruled["figures"]["write_share"]) == (one.THEORY, most)


def test_no_transistor_gives_a_device_more_than_what_drives_it():
    device = {"v_set_v": 1.2, "v_reset_v": 1.2}
    most = [
        theory.most_write_share(config_of({"select_w_um": w, "device": device}))
        for w in (1.0, 12.0, 100.0)
    ]
    memristor = config_of({"device": device}).resolved_tech().memristor
    drive = 1.2 / memristor.needed_v("reset")
    assert most == sorted(most)
    assert 0.9 * drive < most[-1] <= drive * (1 + 1e-5)


def test_theory_of_writes_rules_nothing_out_without_transistors():
    assert theory.most_write_share(config_of({"cell": "passive"})) is None
    assert theory.most_write_share(config_of({"select_w_um": 999.0})) is None


def test_candidates_of_one_drawing_are_extracted_and_read_once(monkeypatch):
    from crossstack import extract

    volts = ((2.0, 2.4), (2.6, 2.4), (3.0, 2.4))
    configs = [
        _row_by_row(
            select_w_um=14.0, rows=2, device={"v_set_v": a, "v_reset_v": b, "write_rows": 1}
        )
        for a, b in volts
    ]
    bounds = NEEDS | {"limit_used": 9.0}
    tasks = [one.Task((config,), bounds, ("area_um2",), whole=True) for config in configs]
    alone = [one.evaluate(task) for task in tasks]
    count, real = [], extract.extract
    monkeypatch.setattr(extract, "extract", lambda *a, **k: count.append(a) or real(*a, **k))
    assert one.evaluate_alike(tasks) == alone
    assert len(count) == 1
    # what an earlier one meets, a later one of the same area cannot better
    found = one.evaluate_alike([replace(task, whole=False) for task in tasks])
    assert [f["why"] is None for f in found] == [False, True, False]
    assert found[2]["why"] == one.BETTERED
    other = _row_by_row(select_w_um=14.0, rows=2, device={"r_on_ohm": 9000.0})
    assert groups(enumerate([*(t.configs for t in tasks), (other,)])) == [[0, 1, 2], [3]]


def test_what_its_neighbour_betters_is_not_filed(tmp_path):
    text = TARGET.replace("{min: 2, max: 5, step: 1}", "[4]").replace("[false, true]", "[true]")
    text = text.replace("  strap", "  device.v_set_v: [2.0, 2.2, 2.4]\n  strap")
    target = read_target(write(tmp_path, text))
    points, goals = Points(tmp_path / "o"), ("area_um2",)
    tasks = [
        one.Task(tuple(target.configs((0, k, 0))), {"worst_device": 0.2}, goals) for k in range(3)
    ]
    found = {k: result["why"] for k, result, _ in whole._evaluator(points, Here())(tasks)}
    assert found == {0: None, 1: one.BETTERED, 2: one.BETTERED}
    again = {k: (r["why"], kept) for k, r, kept in whole._evaluator(points, Here())(tasks)}
    assert again == {0: (None, True), 1: (one.BETTERED, False), 2: (one.BETTERED, False)}
    # another search, without the first of them
    (_, alone, kept), *_ = whole._evaluator(points, Here())(tasks[1:])
    assert (alone["why"], kept) == (None, False)


def test_the_examples_targets_are_read():
    folder = Path(__file__).parents[2] / "examples"
    paths = sorted(folder.glob("size_*.yaml"))
    assert paths
    for path in paths:
        target = read_target(path)
        assert target.bounds == NEEDS
        assert target.base["tech"] == {"temperature_c": 85}
        assert target.size >= 50


def test_from_the_least_up_it_does_not_matter_how_many_at_a_time(tmp_path):
    target = read_target(write(tmp_path, TARGET))

    def found(tasks):
        for number, task in enumerate(tasks):
            spec = task.configs[0].spec
            area = spec.select_w_um * (1.1 if spec.strap else 1.0)
            values = {"area_um2": area}
            if task.through != "draw":
                values |= {"worst_device": 0.224 / area, "limit_used": 1.0}
            why = None if area >= 3.2 or len(values) == 1 else "too little"
            yield number, {"figures": values, "stage": task.through, "why": why}, False

    seen = []
    for together in (1, 3, 8):
        with paced(QUIET, "search", 8) as pace:
            outcome = Search(target, found, pace, together).run()
        assert outcome.complete
        seen.append(outcome.seen)
        (best,) = outcome.front
        assert best.figures["area_um2"] == pytest.approx(3.3)
        full = [c for c in outcome.seen if c.stage != "draw"]
        assert max(c.figures["area_um2"] for c in full) == best.figures["area_um2"]
    assert seen[0] == seen[1] == seen[2]


def test_currents_of_a_large_array_are_judged(monkeypatch):
    from crossstack.extract import engines

    config = _row_by_row(select_w_um=4.0)
    small = one.evaluate(one.Task((config,), {"limit_used": 9.0}, ("area_um2",)))
    monkeypatch.setattr(engines, "_LARGE", 5)  # cells; beyond, lines are found once for all alike
    study = Study(config, draw(config))
    assert study.limits().judged
    assert len(study.network.resistor_ohm) < 100
    large = one.evaluate(one.Task((config,), {"limit_used": 9.0}, ("area_um2",)))
    assert large["figures"]["limit_used"] == pytest.approx(small["figures"]["limit_used"], rel=1e-9)


@pytest.mark.parametrize(
    "values",
    [
        {"cell": "planar", "rows": 40, "cols": 5},
        {"rows": 4, "cols": 36},
        {"rows": 36, "cols": 4, "strap": True, "row_ends": "both", "pitch_x_um": 5.0},
        {"cell": "passive", "rows": 33, "cols": 34},
    ],
)
def test_a_line_carries_at_least_what_its_devices_may_not_lack(values):
    config = config_of(values)
    study = Study(config, draw(config))
    lost = study.modes(["expansion"])[0]["expansion"].all_series.worst_device
    loads = study.em(["expansion"]).modes["expansion"].loads.by_layer
    highest = max(load.ratio for load in loads.values())
    least = theory.least_load(config, lost)
    assert least is not None
    assert 0.3 * highest < least < highest
    assert theory.least_load(config, 0.5) == pytest.approx(least * 0.5 / (1 - lost))


def test_nobody_knows_what_short_lines_carry():
    assert theory.least_load(config_of({"rows": 16, "cols": 16}), 0.1) is None
