"""What nobody judged, what nobody said: verdicts, manifests and numbers that are not there."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from crossstack import sweep
from crossstack.analyse import analysis
from crossstack.analyse.electromigration import current_limits_of, em_report
from crossstack.console import Console
from crossstack.extract import engines, extract
from crossstack.generators import ArraySpec, build_top
from crossstack.layouts import origin_of
from crossstack.lvs import extract_layout
from crossstack.pdk import FileError, ParameterError, get_tech
from crossstack.points import Points

from .conftest import COLS, NAME, ROWS

TECH = get_tech()


def limits_of(**values):
    from crossstack.cells import to_layout

    array = build_top(ArraySpec(**values))
    network = extract(extract_layout(to_layout(array.cell, TECH), TECH), TECH).network
    what = analysis.stimulus(network, TECH)
    done, _ = analysis.solve_modes(network, TECH, what, Console(quiet=True))
    done |= analysis.unread_writes(network)
    return em_report(network, TECH, current_limits_of(TECH, 25.0), done, what).verdict


@pytest.mark.parametrize(
    ("values", "judged", "why"),
    [
        ({"rows": 1, "cols": 1, "top": "macro", "kelvin": True}, False,
         "deep-net needs a second column"),
        ({"rows": 1, "cols": 1}, False, "deep-net needs a second column"),
        ({"rows": 1, "cols": 2, "cell": "passive"}, False, "deep-net needs select transistors"),
        ({"rows": 1, "cols": 2, "cell": "passive_planar"}, False,
         "write needs select transistors"),
    ],
)  # fmt: skip
def test_a_verdict_on_reads_is_none_on_writes(values, judged, why):
    verdict = limits_of(**values)
    assert verdict.judged is judged
    assert verdict.hardest.judged_for == ("reading",)
    assert verdict.text.startswith("reading within the current limits: ")
    assert f"; writing not judged: {why}" in verdict.text


@pytest.mark.parametrize("values", [{"cols": 2}, {"cols": 2, "cell": "planar"},
                                    {"cols": 1, "cell": "planar"}])  # fmt: skip
def test_a_verdict_on_both_says_so(values):
    verdict = limits_of(rows=1, **values)
    assert verdict.hardest.judged_for == ("reading", "writing")
    assert "not judged" not in verdict.text


@pytest.mark.parametrize("top", ["array", "macro"])
def test_wires_without_their_pieces_are_not_called_within(top, monkeypatch):
    monkeypatch.setattr(engines, "_LARGE", 3)  # cells; beyond, electrodes are one resistance each
    verdict = limits_of(rows=2, cols=2, top=top, select_w_um=8.0)
    assert not verdict.judged
    assert "within" not in verdict.text
    assert "electrode" in verdict.text
    assert "not judged: " in verdict.text
    assert "which the network holds without the pieces of wire" in verdict.text


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{", '{"a": NaN}', '{"files": {}, "files": {}}', '{"name": "a", "parameters": {}}',
        '{"files": []}', '{"files": {"a.gds": ""}, "parameters": 3}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["manifest.json", "a.json"])
def test_a_damaged_manifest_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(FileError, match=name) as caught:
        origin_of(tmp_path / "a.gds", "stepper")
    assert caught.value.exit_code == 3


def test_a_manifest_of_other_files_is_remarked(tmp_path, crossstack, built, caplog):
    shutil.copy(built / f"{NAME}.gds", tmp_path / "b.gds")
    shutil.copy(built / "manifest.json", tmp_path / "b.json")
    ran = crossstack("extract", tmp_path / "b.gds", "-o", tmp_path / "out")
    assert ran.code == 0
    assert "b.json says nothing of b.gds: taken at profile stepper, typical, 25 C" in caplog.text
    (tmp_path / "b.json").write_text('{"violations": 0}')  # of drc --json
    assert origin_of(tmp_path / "b.gds", None).source == "default"


@pytest.mark.parametrize("cell", ["passive", "passive_planar"])
def test_an_option_without_effect_is_refused(cell, crossstack, tmp_path):
    with pytest.raises(ParameterError, match=r"select_w_um = 4.0 .* hybrid or planar"):
        ArraySpec(cell=cell, select_w_um=4.0)
    vary = ("--cell", cell, "--vary", "select_w_um=2,4")
    crossstack("sweep", *vary, "-o", tmp_path / "s").fails(2, "select_w_um = 4", "hybrid")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize(
    "args",
    [
        ("solve", "--write-voltage"), ("solve", "--sigma"), ("solve", "--stuck"),
        ("solve", "--open-wire"), ("solve", "--programming"),
        ("foundry", "solve", "--tolerance"), ("foundry", "solve", "--write-voltage"),
        ("extract", "--temperature"), ("inspect", "--temperature"), ("view", "--stretch"),
    ],
)  # fmt: skip
def test_numbers_are_finite(crossstack, tmp_path, args, value):
    (tmp_path / "x").write_text("")
    *verb, flag = args
    crossstack(*verb, tmp_path / "x", f"{flag}={value}").fails(2, flag)


def test_every_number_of_a_command_is_of_the_type_that_refuses_nan():
    import click

    from crossstack.cli import cli
    from crossstack.typed import Number

    def floats(command, context):
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                yield from floats(command.get_command(context, name), context)
            return
        for param in command.params:
            kinds = getattr(param.type, "types", [param.type])
            yield from (
                (command.name, param.name)
                for kind in kinds
                if isinstance(kind, click.types.FloatParamType) and not isinstance(kind, Number)
            )

    assert list(floats(cli, click.Context(cli))) == []


@pytest.mark.parametrize("volts", ["0", "-1", "1e-300", "0.0009"])
@pytest.mark.parametrize("verb", [("solve",), ("foundry", "solve")])
def test_the_least_write_voltage_is_stated(crossstack, built, verb, volts):
    args = ("--mode", "deep-net", f"--write-voltage={volts}")
    ran = crossstack(*verb, built, *args)
    assert ran.code != 0
    assert "0.001 V or more" in ran.err
    if verb == ("solve",):
        ran = crossstack("solve", built, f"--programming={volts}")
        assert ran.code != 0
        assert "0.001" in ran.err


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
@pytest.mark.parametrize("kind", ["zero", "bipolar", "open"])
def test_currents_are_printed_where_no_percentage_is(crossstack, built, tmp_path, mode, kind):
    x = np.zeros((2, ROWS))
    if kind == "bipolar":
        x[0], x[1] = [0.1, 0.2, -0.3], [-0.1, -0.2, 0.3]
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "g.npy", np.zeros((2, ROWS, COLS)))
    flags = ("--conductances", tmp_path / "g.npy") if kind == "open" else (
        "--inputs", tmp_path / "x.npy")  # fmt: skip
    ran = crossstack("solve", built, "--mode", mode, *flags, "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "uA" in ran.out
    assert "is zero" in ran.out or "no device" in ran.out or mode == "deep-net"
    found = json.loads((tmp_path / "out" / "ir_drop.json").read_text())["modes"][mode]
    assert len(found["column_currents_A"]) == COLS
    if mode == "expansion":
        assert found["worst_column_error"]["all_series"] is None


def test_one_vector_on_one_line(crossstack, built, tmp_path):
    x = np.linspace(-0.2, 0.2, 2 * ROWS)
    (tmp_path / "x.csv").write_text(",".join(map(str, x)) + "\n")
    np.save(tmp_path / "x.npy", x.reshape(2, ROWS))
    np.save(tmp_path / "batch.npy", x.reshape(1, 2, ROWS))
    found = [
        crossstack("solve", built, "--inputs", tmp_path / n, "--json").json["modes"]
        for n in ("x.csv", "x.npy", "batch.npy")
    ]
    assert found[0] == found[1] == found[2]


def test_places_in_a_table_are_counted_from_one(crossstack, built, tmp_path):
    (tmp_path / "x.csv").write_text("abc,0.1,0.1\n0.1,0.1,0.1\n")
    ran = crossstack("solve", built, "--inputs", tmp_path / "x.csv")
    ran.fails(3, "row 1, column 1, both counted from 1")


@pytest.fixture
def copy(built, tmp_path):
    return shutil.copytree(built, tmp_path / "copy")


@pytest.mark.parametrize(
    ("name", "key"), [("drc", "violations"), ("lvs", "match"), ("em", "verdict")]
)
def test_a_report_names_file_and_key(crossstack, copy, name, key):
    (copy / f"{name}.json").write_text("{}")
    crossstack("report", copy).fails(3, f"{name}.json", key)


def test_the_head_of_a_report_follows_its_files(crossstack, copy):
    drc = json.loads((copy / "drc.json").read_text())
    drc |= {"violations": 1, "by_rule": {"M1.1": 1}}
    (copy / "drc.json").write_text(json.dumps(drc))
    (copy / "em.json").unlink()
    assert crossstack("report", copy).code == 1
    text = (copy / "report.html").read_text()
    assert 'badge bad">failed<' in text
    why = "current limits not judged: there is no em.json"
    assert f'badge warn" title="{why}">current limits not judged<' in text


def test_changed_figures_of_a_point_are_solved_again(tmp_path):
    (case,) = sweep.cases({"cols": 1}, {"rows": [1]})
    points = Points(tmp_path / "sweep")
    points.keep(case.config, {"modes": {"expansion": {"x": 1.5}}})
    assert points.find(case.config) is not None
    (path,) = (tmp_path / ".sweep.points").iterdir()
    path.write_text(path.read_text().replace("1.5", "2.5"))
    assert points.find(case.config) is None


def test_bad_values_of_a_sweep_are_refused_beforehand(crossstack, tmp_path):
    for value in ("select_w_um=nan", "pitch_x_um=.inf", "device_um=x", "switch_wn_um=.nan"):
        ran = crossstack("sweep", "--vary", value, "-o", tmp_path / "s")
        ran.fails(2, value.partition("=")[0])
    assert not list(tmp_path.iterdir())


def test_conditions_with_a_key_twice_are_refused():
    from crossstack.base.errors import NetworkFileError
    from crossstack.solve.network.archive import unpack_json

    for text in (b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": 1e999}'):
        with pytest.raises(NetworkFileError):
            unpack_json("x", np.frombuffer(text, dtype=np.uint8))
