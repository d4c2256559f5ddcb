"""The macro in both modes, and the comparison with the paper's figures."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from crossstack.analyse.on_resistance import switch_ohm
from crossstack.cells import to_layout
from crossstack.cli import run
from crossstack.comparison import bare, deepnet
from crossstack.comparison.cases import Pair, pairs, patterns, prove
from crossstack.comparison.drops import METRICS, VIEWS, solve_view
from crossstack.comparison.estimate import estimate, measure_parts
from crossstack.comparison.landscape import worst_loss
from crossstack.comparison.table import compare_pair, crossing, ratio_sweep
from crossstack.console import Console
from crossstack.extract import extract_network, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import Conditions, CrossStackError, ParameterError
from crossstack.report.standalone import embedded
from crossstack.solve.modes.drives import gates_for, network_drives
from crossstack.solve.network.linear import solve_network

from .conftest import BROWSERS, acted, width_in
from .result_keys import changed_keys

BASE = ArraySpec(rows=3, cols=4, top="macro", kelvin=True, switch_wn_um=6.0, switch_wp_um=6.0)
TECH = BASE.tech()


@pytest.fixture(scope="module")
def pair() -> Pair:
    return pairs(BASE)[0]


@pytest.fixture(scope="module")
def proved(pair):
    console = Console(quiet=True)
    return prove(pair.stacked, TECH, console), prove(pair.planar, TECH, console)


@pytest.fixture(scope="module")
def network(proved):
    return proved[0].network


def all_on(siemens=1e-4):
    return np.full((2, 3, 4), siemens), np.full((2, 3), 0.2)


def test_both_layouts_are_proved(proved):
    for one in proved:
        assert one.drc_violations == 0
        assert one.lvs_match
    stacked, planar = proved
    assert stacked.inputs == planar.inputs
    assert planar.array_um2 == pytest.approx(2 * stacked.array_um2)


@pytest.mark.parametrize("view", VIEWS)
def test_theory_agrees_in_the_small_drop_limit(pair, proved, view):
    """Within 5 % of the reduction, every metric, when devices load the wires very little."""
    tech = replace(TECH, memristor=replace(TECH.memristor, r_on_ohm=1e9, r_off_ohm=1e12))
    found = patterns(proved[0].network, tech, seed=1)[:1]
    done = compare_pair(pair, *proved, found, tech)
    for metric in METRICS:
        got, wanted = done.reduction("all on", view, metric), done.theory[view][metric]
        assert got == pytest.approx(wanted, rel=0.05, abs=2e-4), metric


def test_views_leave_out_what_they_say(pair, proved):
    found = patterns(proved[0].network, TECH, seed=1)[:1]
    stacked, _ = compare_pair(pair, *proved, found, TECH).results["all on"]
    worst = {view: stacked.errors[view].worst_device for view in VIEWS}
    assert worst["array"] < worst["wires"] < worst["all"]
    assert worst["array"] < worst["kelvin"] < worst["all"]
    assert stacked.kcl_residual < 1e-6


def test_kelvin_regulation_holds_every_tap(network):
    g, x = all_on()
    solution, _ = solve_view(network, TECH, g, x, "kelvin")
    for tier, letter in enumerate("BT"):
        for i in range(3):
            tap = solution.node_voltages[network.ports[f"{letter}R[{i}]"]]
            assert tap == pytest.approx(x[tier, i], abs=1e-12)
    for j in range(4):
        assert solution.node_voltages[network.ports[f"C[{j}]"]] == pytest.approx(0, abs=1e-12)


def slots_of(network):
    g, x = all_on()
    return list(deepnet.slots(network, TECH, g, x, width_um=2.0))


def is_right(slot):
    """A write that the others do not feel and that loses half of its voltage on the way.

    ngspice with BSIM loses 51.9 % in column 0 in a set, 50.2 % in a reset (10 kohm, 2 V).
    """
    apart = slot.disturb_a <= slot.leak_bound_a and slot.half_selected_v < 1e-3
    return apart and 0.0 < slot.loss < 0.55


def test_writing_is_not_felt_by_the_other_columns(network):
    found = slots_of(network)
    assert len(found) == 16  # two tiers, four columns, two polarities
    for slot in found:
        assert is_right(slot), slot


def with_gate(network, old, new):
    """Return the network with the transistors of one gate net on another one."""
    a, b = network.nets.index(old), network.nets.index(new)
    gate = network.switch_gate.copy()
    gate[network.switch_gate == a] = b
    return replace(network, switch_gate=gate)


@pytest.mark.parametrize(
    ("old", "new"),
    [("TS[1]", "BS[1]"), ("BS[2]", "TS[2]"), ("TS[0]", "TS[1]"), ("WSEL[3]", "WSEL[3]_N"),
     ("WSEL[1]", "WSEL[2]"), ("WT", "WB"), ("WB_N", "WT_N")],
)  # fmt: skip
def test_a_wrongly_wired_line_shows_in_the_slots(network, old, new):
    assert shows(with_gate(network, old, new))


def shows(network) -> bool:
    """Whether a slot is wrong; two drivers that fight may leave nothing that settles."""
    try:
        return not all(is_right(slot) for slot in slots_of(network))
    except CrossStackError as error:
        return "did not settle" in str(error)


@pytest.mark.parametrize(("rows", "cols"), [(2, 3), (5, 2)])
@pytest.mark.parametrize(
    ("mode", "options"),
    [("expansion", {}), ("deep-net", {"read_tier": 0, "write_column": 1}),
     ("deep-net", {"read_tier": 1, "write_column": 0})],
)  # fmt: skip
def test_ngspice_agrees_with_switches_in(rows, cols, mode, options, tmp_path, requires_program):
    requires_program("ngspice")
    spec = ArraySpec(rows=rows, cols=cols, top="macro", switch_wn_um=4.0, switch_wp_um=4.0)
    net = extract_network(to_layout(build_top(spec).cell, spec.tech()), spec.tech())
    rng = np.random.default_rng(rows)
    ohm = rng.uniform(1e4, 1e6, (2, rows, cols))
    inputs = rng.uniform(0.05, 0.2, (2, rows))
    drives = network_drives(net, mode, inputs, **options)
    ours = solve_network(
        net,
        conductances=1 / ohm,
        port_voltages=drives.port_voltages,
        gates=gates_for(net, drives),
        switch_ohm=switch_ohm(spec.tech()),
    )
    deck = write_spice(net, spec.tech(), tmp_path / "m.spice", memristor_ohm=ohm,
                       gates=drives.gates, sources=drives.port_voltages)  # fmt: skip
    out = subprocess.run(
        [shutil.which("ngspice"), "-b", str(deck)], capture_output=True, text=True, timeout=120,
        check=False,
    ).stdout.splitlines()  # fmt: skip
    theirs = {}
    for k, line in enumerate(out):
        if line.startswith("pin "):
            theirs[line.split()[1]] = float(out[k + 1].split("=")[1])
    scale = max(abs(v) for v in ours.port_currents.values())
    assert {f"OUT[{j}]" for j in range(cols)} <= set(theirs)
    for pin, amps in theirs.items():
        assert amps == pytest.approx(ours.port_currents[pin], rel=1e-6, abs=1e-6 * scale), pin


def test_sweep_finds_a_known_crossing():
    rows = [(1.0, 0.4), (100.0, 0.1)]
    assert crossing(rows, 0.25) == pytest.approx(10.0)
    assert crossing(rows, 0.05) is None


def test_sweep_falls_with_the_ratio(pair, proved):
    found = patterns(proved[0].network, TECH, seed=1)
    done = compare_pair(pair, *proved, found[:1], TECH)
    rows = ratio_sweep(done, found[0], TECH, "array", (0.03, 0.3, 3.0))
    values = [r.reduction for r in rows]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    ("ohm", "reduction"),
    # independent nodal analysis of 20 x 20 against 10 x 20 x 2, 10 kohm, equal wires
    [(1.0, 0.231), (2.5, 0.221), (5.0, 0.206)],
)
def test_the_map_knows_the_square_baseline(ohm, reduction):
    stacked = worst_loss(2, 10, 20, 1e4, (ohm, ohm, 0.0))
    planar = worst_loss(1, 20, 20, 1e4, (ohm, ohm, 0.0))
    assert 1 - stacked / planar == pytest.approx(reduction, abs=5e-4)


def test_series_resistance_alone_saves_nothing():
    losses = [worst_loss(t, n, 4, 1e4, (1e-6, 1e-6, 2e3)) for t, n in ((2, 3), (1, 6))]
    assert losses == pytest.approx([1 / 6, 1 / 6], rel=1e-6)


def test_the_map_holds_the_drawn_arrays(left):
    value = json.loads((left / "compare.json").read_text())
    found = value["map"]
    shape = (len(found["row_over_col"]), len(found["series_over_col"]))
    assert set(found["maps"]) == {"planar", "square"}
    for each in found["maps"].values():
        assert np.shape(each["reduction"]) == shape
        # the more in series, the less is saved
        assert (np.diff(each["reduction"], axis=1) < 1e-6).all()
    drawn = {(p["pair"], p["view"]): p for p in found["drawn"]}
    point = drawn["planar", "array"]
    rows = value["pairs"][0]["rows"]
    row = next(r for r in rows if (r["pattern"], r["view"], r["metric"])
               == ("all on", "array", "worst_device"))  # fmt: skip
    assert point["reduction"] == row["reduction"]
    # the nearest place of the map says what the drawn array's own parts say
    grid = np.array(found["maps"]["planar"]["reduction"])
    at = [np.interp(np.log(point[k]), np.log(found[k]), np.arange(len(found[k])))
          for k in ("row_over_col", "series_over_col")]  # fmt: skip
    assert grid[round(at[0]), round(at[1])] == pytest.approx(point["on_map"], abs=0.05)
    assert point["reduction"] < point["on_map"]
    page = (left / "report.html").read_text()
    assert "What decides the saving" in page
    for key, each in found["maps"].items():
        chart = embedded((left / f"map_{key}.svg").read_text()).rstrip()
        assert chart in page, "the page draws what the file shows"
        assert chart.count("<rect fill=") >= np.size(each["reduction"])


def test_bare_arrays_show_which_one_gives_the_paper_s_figure(left):
    found = json.loads((left / "compare.json").read_text())["bare"]
    rows = found["select_w"]["rows"]
    saved = [row["all"]["reduction"] for row in rows]
    assert saved == sorted(saved), "the wider the transistors, the more do wires count"
    for row in rows:
        for view in ("wires", "all"):
            assert row[view]["reduction"] == 1 - row[view]["stacked"] / row[view]["planar"]
    for pair in found["equal"]:
        assert pair["col_ohm"] == pytest.approx(pair["row_ohm"], rel=0.02)
        assert 0 < pair["on_map"] < 0.5
    assert "Square pairs with equal wire resistance" in (left / "report.html").read_text()


def test_the_width_that_gives_the_figure_is_drawn(monkeypatch):
    def both(stacked, planar, conditions):
        assert (planar.cell, planar.rows) == ("planar", 2 * stacked.rows)
        saved = 0.05 * stacked.select_w_um
        return {"all": bare.PairLoss(1 - saved, 1.0)}

    monkeypatch.setattr(bare, "_both", both)
    found = bare._widths(ArraySpec(rows=2, cols=2), Conditions())
    assert found.width_for_paper_um == pytest.approx(4.4, abs=0.03)
    assert found.width_for_paper_um in [row.select_w_um for row in found.rows]


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """What the command leaves of a small comparison."""
    out = tmp_path_factory.mktemp("compared") / "cmp"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bare, "WIDTHS_UM", (2.0, 5.0))
        code = run(["compare", "--rows", "3", "--cols", "3", "--switch-wn-um", "4",
                    "--switch-wp-um", "4", "-o", str(out), "--quiet"])  # fmt: skip
    assert code == 0
    return out


def test_command_leaves_tables_and_pictures(left):
    value = json.loads((left / "compare.json").read_text())
    assert changed_keys(left / "compare.json") == ""
    assert {p["key"] for p in value["pairs"]} == {"planar", "own pitch", "square", "passive"}
    assert value["paper"] == {"ir_drop_reduction": 0.22, "speed": 0.29}
    assert len(value["deep_net"]["slots"]) == 12  # two tiers, three columns, two polarities
    page = (left / "report.html").read_text()
    for name in ("map_planar.svg", "map_square.svg", "paths_0_expansion.svg",
                 "paths_1_deep-net.svg"):  # fmt: skip
        text = (left / name).read_text()
        ElementTree.fromstring(text)
        assert "prefers-color-scheme:dark" in text, "it opens alone, light or dark"
        assert embedded(text).rstrip() in page
    assert "<img" not in page
    assert "| paper |" in (left / "compare.md").read_text()
    manifest = json.loads((left / "manifest.json").read_text())
    assert {p.name for p in left.iterdir()} == {*manifest["files"], "manifest.json"}
    assert manifest["parameters"]["tech"]["corner"] == "typ"


def test_the_head_of_a_comparison_is_short_and_of_one_colour_with_its_cards(left):
    page = (left / "report.html").read_text()
    badges = dict(reversed(pair) for pair in re.findall(r'class="badge (\w+)"[^>]*>(.*?)<', page))
    card = r'class="card (\w+)">\s*<h3>(.*?)</h3>\s*<p class="head">(.*?)<'
    cards = {title: (look, head) for look, title, head in re.findall(card, page)}
    (currents,) = (text for text in badges if text.startswith("current limits "))
    (writes,) = (text for text in badges if text.startswith("write voltages "))
    assert badges[currents] == cards["Current limits, stacked macro"][0]
    assert badges[writes] == cards["Write voltages"][0]
    assert all(len(text) < 30 for text in badges)
    for view in ("array", "all"):
        assert re.fullmatch(r"[\d.]+ % (less|more)", cards[f"Stacked IR drop, counted: {view}"][1])


def test_the_page_shows_the_areas_of_the_table(left):
    page = (left / "report.html").read_text()
    part = page[page.index('<section id="areas">') :].split("</section>")[0]
    found = json.loads((left / "compare.json").read_text())["areas"]
    assert len(found["rows"]) > 3
    for row in (found["asked"], *found["rows"]):
        assert f"{row['rows']} x {row['cols']} x 2" in part
        for side in ("stacked", "planar"):
            for kind in ("array_um2", "macro_um2"):
                assert f">{row[side][kind]:.0f}<" in part
        assert f">{row['array_ratio']:.3f}<" in part
        assert f"<b>{row['ratio']:.3f}</b>" in part


def test_the_page_of_a_comparison(left, tmp_path, requires_program, crossstack):
    text = (left / "report.html").read_text()
    assert "http" not in text.replace("http://www.w3.org", "")
    assert crossstack("report", left).code == 0
    assert (left / "report.html").read_text() == text
    acts = """
const bodies = [...document.querySelectorAll("#cases tbody")];
const shown = () => bodies.filter((b) => !b.hidden).map((b) => b.dataset.case).join();
told.push(shown());
document.querySelector('[data-show="random"]').click();
told.push(shown());
document.querySelector('[data-series="array"]').click();
const planar = document.querySelectorAll("#maps canvas")[2];
planar.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown"}));
told.push(document.querySelector("#readout").textContent);
told.push(document.querySelectorAll("svg.chart").length);
told.push(document.images.length);
"""
    told, document = acted(requires_program(*BROWSERS), text, tmp_path, acts)
    assert told[:2] == [",".join(["all on"] * 4), ",".join(["random"] * 4)]
    value = json.loads((left / "maps.json").read_text())["panels"][2]
    assert value["title"] == "planar"
    lost = float(told[2].split(": ")[1].split(" %")[0]) / 100
    assert lost == pytest.approx(value["values"]["array"][0][0], rel=5e-3)
    # one for each way of counting, the ratio, two maps, two on timing, two of current paths
    assert told[3:] == ["11", "0"]
    assert document.count("no match") == 0
    for name in ("layout", "section", "stack"):
        assert f'<section id="{name}">' in text
    # on paper every pattern is shown, each under its name
    assert text.count('<tr class="onpaper">') == 2 * 4
    assert width_in(requires_program(*BROWSERS), text, tmp_path, 500) <= 500


def test_theory_without_a_baseline_is_that_of_the_same_parts(pair, proved):
    """The estimate of a build: an imagined planar array made of the bottom tier's parts."""
    network = proved[0].network
    found = estimate(network, measure_parts(network, TECH))
    assert set(found.views) == set(VIEWS)
    assert [*found.to_json()["views"]["array"]] == ["counted", "parts_ohm", "reduction"]
    done = compare_pair(pair, *proved, patterns(proved[0].network, TECH, seed=1)[:1], TECH)
    # beside the array the drawn planar macro has wires of its own; within it they are the same
    for metric in METRICS:
        mine = getattr(found.views["array"].reduction, metric)
        assert mine == pytest.approx(done.theory["array"][metric], rel=1e-3)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["compare", "--rows", "600"], ("rows", "600", "512")),
        (["compare", "--cell", "planar"], ("--cell",)),
        (["compare", "--top", "array"], ("--top",)),
        (["build", "--top", "macro", "--rows", "0"], ("rows", "0")),
        (["build", "--top", "macro", "--switch-wn-um", "0.5"], ("switch", "0.5")),
    ],
)
def test_wrong_requests_are_one_line(args, words, tmp_path, capfd):
    assert run([*args, "-o", str(tmp_path / "x")]) == 2
    err = capfd.readouterr().err
    assert len(err.strip().splitlines()) == 1
    assert all(w in err for w in words)


def test_modes_of_a_macro_refuse_nonsense(network):
    x = np.full((2, 3), 0.2)
    for options, word in (
        ({"mode": "deepnet"}, "deepnet"),
        ({"mode": "deep-net", "write_column": 4}, "write_column"),
        ({"mode": "deep-net", "read_tier": 0, "write_tier": 0}, "one tier"),
    ):
        with pytest.raises(ValueError, match=word):
            network_drives(network, inputs=x, **options)


def test_baseline_larger_than_the_largest_array_is_refused():
    with pytest.raises(ParameterError, match="512"):
        pairs(ArraySpec(rows=513, cols=2))
