"""One edit of a process folder is named, or the folder is as good as before."""

from __future__ import annotations

import importlib.util
import math
import random
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crossstack.pdk import Conditions, ParameterError
from crossstack.pdk.audit import audit
from crossstack.pdk.tables import ProcessError
from crossstack.pdk.tech import get_tech, profile_names, unmeasured_tech
from crossstack.signoff import models
from crossstack.trial import problems_of_drawing

_PATH = Path(__file__).parents[2] / "bench" / "pdk_folders.py"
_SPEC = importlib.util.spec_from_file_location("bench_pdk_folders", _PATH)
folders = importlib.util.module_from_spec(_SPEC)
sys.modules["bench_pdk_folders"] = folders
_SPEC.loader.exec_module(folders)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "lab"
    folders.start(place, "gf180mcuD")
    return place


def test_no_edit_of_a_table_is_an_error_of_its_own(tmp_path):
    found = folders.run("gf180mcuD", 20, seed=12, macros=0.0)
    assert set(found) <= folders.GOOD, found
    assert found["named"] > 5


def test_edits_are_the_same_for_the_same_seed(folder):
    streams = [folders.edits(folder, random.Random(3)) for _ in range(2)]
    assert [next(streams[0]) for _ in range(30)] == [next(streams[1]) for _ in range(30)]


LINKS = 'links = [["Contact_nsd", "ntap"], ["Contact_psd", "ptap"]]'
NFET = '[["D", "nsd"], ["G", "Poly2"], ["S", "nsd"], ["B", ""]]'


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("films.csv", "IMD2,SiO2,1.15,,,,,,,4", "IMD2,SiO2,1.15,,,,,,,-4",
         "films.csv line 14: permittivity = -4, allowed: 1 to 10000"),
        ("films.csv", 'salicided",0.2,yes,0.32,6.8', 'salicided",,,,6.8',
         "role poly = 'Poly2' has no film with a thickness"),
        ("films.csv", "Metal3,Al,0.55,yes,3.53,", "Metal3,Al,,,,", "Metal3 has no film with a th"),
        ("films.csv", "pass_oxide,", "plate,Al,,,,6,,,,,IS\npass_oxide,",
         "film plate conducts, but is no layer"),
        ("films.csv", 'salicided",,,,6.3', 'salicided",,yes,,6.3',
         "shares_bottom = yes: allowed: empty, as thickness_um is"),
        ("films.csv", "STI,SiO2,0.32,,,,,,", "STI,SiO2,0.32,,,,abc,,",
         "ohm_sq_min = abc: allowed: empty, as ohm_sq is"),
        ("films.csv", "STI,SiO2,0.32,,,,,,", "STI,SiO2,0.32,,,,,-1,", "ohm_sq_max = -1: allowed"),
        ("process.toml", 'DM16 = "GF180MCU design manual, 16_Poly2_42"', 'DM16 = " "',
         "[sources]: DM16 is empty, allowed: a document"),
        ("process.toml", 'DM16 = "GF180MCU design manual, 16_Poly2_42"', "",
         "source: 'DM16' is no key of [sources]"),
        ("al_tio2/module.toml", "\nPLUG = ", "\nPLUGG = ", "source: 'PLUG' is no key of"),
        ("devices.toml", 'supply = "VSS"', 'supply = "abc"', "'abc', allowed: VDD or VSS"),
        ("films.csv", "IMD2,SiO2,1.15,,,,,,,4", "IMD2,SiO2,1e6,,,,,,,4", "thickness_um = 1e6"),
        ("films.csv", "0.104,0.0033,,IS ES1\nIMD1", "0.104,-0.02,,IS ES1\nIMD1",
         "film Metal1: tcr_per_c = -0.02 makes its resistance negative at 125 C"),
        ("devices.toml", LINKS, "links = []", "silicon 'ptap': no cut"),
        ("devices.toml", NFET, '[["D", "nsd"], ["G", "Poly2"], ["S", "nsd"]]',
         "device nfet: terminals D G S, allowed: D G S B"),
        ("devices.toml", NFET, '[["D", "nsd"], ["D", "nsd"], ["G", "Poly2"], ["B", ""]]',
         "device nfet: terminals D D G B, allowed"),
        ("devices.toml", 'name = "nfet"\n', 'name = "nfet"\nl_um = -3\n', "l_um = -3, allowed"),
        ("derived.toml", '"Contact & Poly2"', '"Contact"', "is no part of Contact of its own"),
        ("derived.toml", '"Contact & Poly2"', '"Contact_poly"', "which is no layer above it"),
        ("derived.toml", 'gate = "Poly2 & COMP"', 'gate = "Poly2.edges()"', "gate"),
        ("derived.toml", 'gate = "COMP & Poly2"', 'gate = "Poly2.edges()"', "derived layer gate"),
        ("process.toml", "dbu_um = 0.001", "dbu_um = 1e-12", "dbu_um = 1e-12, allowed: 0.001 um"),
        ("process.toml", "dbu_um = 0.001", "dbu_um = 0.005", "dbu_um = 0.005, allowed: 0.001 um"),
        ("process.toml", "grid_um = 0.005", "grid_um = 0.003", "allowed: 0.001 or 0.005 um"),
        ("process.toml", "activation_ev = 0.7", "activation_ev = -1", "ev = -1, allowed"),
        ("process.toml", 'nplus = "Nplus"', 'nplus = "Pplus"', "roles nplus and pplus are both"),
        ("process.toml", 'n_gate = "n', 'n_gate = "p', "'pgate'"),
        ("process.toml", 'bond_pad = ', 'bondpad = ',
         "role 'bondpad' is unknown; did you mean 'bond_pad'? (process.toml)"),
        ("process.toml", '\ngate = "gate"', '\ngatee = "gate"', "did you mean 'gate'?"),
        ("process.toml", '\ngate = "gate"', '\nlocal = "Poly2"\ngate = "gate"', "'local' is unk"),
        ("al_tio2/module.toml", 'reopen = ', 'repen = ', "did you mean 'reopen'? (module.toml)"),
        ("process.toml", 'n_active = "ncomp_outside"\n', "", "role 'n_active' is missing"),
        ("rules.csv", "V2.1,exact_size,Via2,0.26", "V2.1,exact_size,Via2,0",
         "value = 0, allowed: above 0 to 1000 um"),
        ("rules.csv", "V2.1,exact_size,Via2,0.26", "V2.1,exact_size,Via2,0.2625",
         "rule V2.1: 0.2625 um is no multiple"),
        ("rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,1e6", "value = 1e6, allowed"),
        ("rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,0.283",
         "rule M3.1: 0.283 um is no multiple of grid_um = 0.005, allowed: 0.28 or 0.285 (rules"),
        ("rules.csv", "wider_than=10", "wider_than=10.001", "wider_than = 10.001 um is no mult"),
        ("shuttle.toml", "bond_opening_um = 60", "bond_opening_um = 60.0012",
         "pads.bond_opening_um = 60.0012 um is no multiple of grid_um"),
        ("shuttle.toml", "bond_opening_um = 60", "bond_opening_um = 1e-9",
         "bond_opening_um = 1e-09 um is no multiple of grid_um = 0.005, allowed: 0.005 ("),
        ("rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,1e-9",
         "rule M3.1: 1e-09 um is no multiple"),
        ("al_tio2/profiles.csv", "stepper,0.5,", "stepper,1e-9,", "line_um = 1e-09 um is no"),
        ("shuttle.toml", "probe_pitch_um = 80", "probe_pitch_um = 50",
         "probe_pitch_um = 50, allowed: above probe_opening_um, 50 um"),
        ("shuttle.toml", "side_um = 500", "side_um = 1", "side_um = 1, allowed: 10 to 100000 um"),
        ("shuttle.toml", 'name = "1x0p5"', 'name = "1x1"', "slot '1x1' is there twice"),
        ("shuttle.toml", 'name = "1x0p5"', 'name = " "', "name is empty, allowed: a text"),
        ("shuttle.toml", "width_um = 1936\nheight_um = 5122", "width_um = 52\nheight_um = 5122",
         "slot '0p5x1': width_um = 52, allowed: above 52 um, the seal ring on both sides"),
        ("shuttle.toml", "column_um = [1.6, 8]", "column_um = [1.6, 8.001]", "column_um[2] = 8.00"),
        ("shuttle.toml", "poly = 1.5", "poly = 1.5012", "clear.poly = 1.5012 um is no multiple"),
        ("al_tio2/profiles.csv", "stepper,0.5,", "stepper,0.5012,", "line_um = 0.5012 um is no"),
        ("al_tio2/rules.csv", "VBE.5,clear,VBE crossing,F + A", "VBE.5,clear,VBE crossing,F / 7",
         "rule VBE.5: 0.071429 um is no multiple"),
        ("al_tio2/fill.csv", "BE_Dummy,10 * F", "BE_Dummy,10.0001 * F", "side_um = 5.000"),
        ("rules.csv", "MT.5LM,forbidden_layer,82/0", "MT.5LM,forbidden_layer,42/0",
         "'42/0' is described as Metal3"),
        ("rules.csv", "MT.5LM,forbidden_layer,82/0", "MT.5LM,forbidden_layer,70000/0",
         "each 0 to 32767"),
        ("rules.csv", "MT.5LM,forbidden_layer,82/0", "MT.5LM,forbidden_layer,82/32768",
         "each 0 to 32767"),
        ("layers.csv", "Metal2,36,0,", "Metal2,32768,0,",
         "layer = '32768', allowed: a whole number from 0 to 32767"),
        ("layers.csv", "Metal2,36,0,", "Metal2,36,65535,", "datatype = '65535', allowed: a whole"),
        ("layers.csv", "Metal2,36,0,", "Metal2,0000000036,0,", "layer = '0000000036', allowed"),
        ("al_tio2/layers.csv", "\nME,235,", "\nME,42350,", "layer = '42350', allowed: a whole n"),
        ("shuttle.toml", "datatype = 4", "datatype = 40000",
         "datatype = 40000, allowed: a whole number from 0 to 32767"),
        ("tracks.csv", "Metal3,horizontal,0.56", "Metal2,horizontal,0.56", "tracks.csv"),
        ("leakage.csv", "nfet,typ,25,", "nfet,typ,85,", "nfet at typ and 85 C stands twice"),
        ("leakage.csv", "pfet,max,", "pfet,slow,", "corner = 'slow', allowed: typ, min, max"),
        ("limits.csv", "direction,85,110,125", "direction,85,110,inf", "limits.csv"),
        ("limits.csv", "direction,85,110,125", "direction,-500,110,125", "limits.csv"),
        ("cuts.csv", "ohm,ohm_min,ohm_max", "ohm,ohm_max,ohm_min", "allowed: ohm_min <= ohm"),
        ("ron_table.json", '"min"', '"mix"', "ron_table.json"),
        ("process.toml", "supply_v = 3.3", "supply_v = 2.5",
         "measured at supply_v = 3.3 V, the process has 2.5 V: measure again with"),
        ("rules.csv", "PL.2,gate_length,Poly2 COMP,0.28", "PL.2,gate_length,Poly2 COMP,0.4",
         "measured at l_um of nfet = 0.28 um, the process has 0.4 um: measure again"),
        ("devices.toml", 'name = "pfet"\n', 'name = "pfet"\nl_um = 0.5\n',
         "measured at l_um of pfet = 0.28 um, the process has 0.5 um"),
        ("ron_table.json", ' "supply_v": 3.3,\n', "", "at supply_v = None, which is no number"),
        ("ron_table.json", '"supply_v": 3.3', '"supply_v": NaN', "measured at supply_v = nan V"),
        ("ron_table.json", '"pfet": 0.28', '"pfet": true', "l_um of pfet = True, which is no"),
        ("shuttle.toml", 'clear = { poly = 1.5', 'clear = { polly = 1.5', "'polly' is no role"),
        ("magic.toml", 'nfet = "COMP;and Poly2', 'nfet = "COMP;and Poly3', "magic.toml"),
        *(("al_tio2/module.toml", f"\n{key} = {volts}\n", f"\n{key} = 3.301\n",
           f"module.toml [memristor] {key} = 3.301 is not allowed: up to the supply, 3.3 V")
          for key, volts in (("v_set_v", "2.0"), ("v_reset_v", "2.0"), ("v_read_v", "0.2"))),
        ("al_tio2/module.toml", "\nset_needed_v = 1.5\n", "\nset_needed_v = 101\n",
         "module.toml [memristor]: set_needed_v = 101 is not allowed: a number from 0.001 to 100"),
        ("al_tio2/limits.csv", "TE,um,", "XE,um,", "limit of XE: no conductor or cut"),
        ("al_tio2/cuts.csv", "VTE,VTE,land", "VTE,VBE,land", "VTE"),
        ("al_tio2/module.toml", 'top_via = "VTE"\n', "", "role 'top_via' is missing"),
    ],
)  # fmt: skip
def test_what_no_process_could_mean_is_named(folder, file, old, new, words):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = audit(folder)[1]
    assert any(words in problem for problem in problems), problems


def test_swapped_corners_of_the_on_resistance_are_named(folder):
    path = folder / "ron_table.json"
    text = path.read_text(encoding="utf-8")
    text = text.replace('"min"', '"x"').replace('"max"', '"min"').replace('"x"', '"max"')
    path.write_text(text, encoding="utf-8")
    assert any("of corner min lie above" in problem for problem in audit(folder)[1])


def test_a_new_table_of_on_resistance_says_what_it_was_measured_at(folder, monkeypatch):
    monkeypatch.setattr(models, "_currents_of", lambda *_: {})
    monkeypatch.setattr(models, "_value", lambda *_: 1.0)
    head, table = folder / "process.toml", folder / "ron_table.json"
    head.write_text(head.read_text().replace("supply_v = 3.3", "supply_v = 2.5"))
    tech = unmeasured_tech(folder)
    found = models.measure(tech, folder)
    assert models.largest_difference(tech, found) == math.inf
    models.write_table(table, found)
    assert audit(folder)[1] == ()
    assert '"l_um": {' in table.read_text()


def test_what_only_drawing_shows_is_said_in_one_line(folder):
    path = folder / "rules.csv"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(row for row in rows if not row.startswith("PL.3a")), encoding="utf-8")
    assert audit(folder)[1] == ()
    problems = [*problems_of_drawing(folder, whole=False)]
    assert "no rule space(poly = Poly2)" in problems[0]


def test_rules_that_leave_no_room_are_named(folder):
    path = folder / "rules.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("M3.1,width,Metal3,0.28", "M3.1,width,Metal3,28"), "utf-8")
    assert audit(folder)[1] == ()
    problem = next(problems_of_drawing(folder, whole=False))
    words = "process gf180mcuD: its rules leave no room for Metal1, which would be "
    assert words in problem, problem
    assert "the longest of them: M3.1, width of Metal3, 28 um; " in problem


def _headless(folder):
    (folder / "al_tio2" / "module.toml").unlink()


def _dangling(folder):
    (folder / "al_tio2").rename(folder.parent / "elsewhere")
    (folder / "al_tio2").symlink_to(folder.parent / "gone")


def _renamed(folder):
    (folder / "al_tio2").rename(folder / "ours")


def _headless_and_renamed(folder):
    _headless(folder)
    _renamed(folder)


def _like_and_renamed(folder):
    _renamed(folder)
    head = 'like = "gf180mcuD"\nname = "lab"\ntitle = "no key module"\n'
    (folder / "process.toml").write_text(head, encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_headless, "module = 'al_tio2': {}/al_tio2/module.toml is missing"),
        (_dangling, "module = 'al_tio2': {}/al_tio2/module.toml is missing"),
        (_renamed, "module = 'al_tio2', but a module lies in {}/ours: name that one"),
        (_headless_and_renamed, "module = 'al_tio2', but a module lies in {}/ours: name that one"),
        (_like_and_renamed, "module = 'al_tio2', but a module lies in {}/ours: name that one"),
    ],
)
def test_a_module_that_lies_in_the_folder_is_not_passed_over(folder, change, words):
    get_tech(process=folder)  # what was read before does not stand in for it
    change(folder)
    words = f"{folder}/process.toml: {words.format(folder)}"
    problems = audit(folder)[1]
    assert any(words in problem for problem in problems), problems
    for read in (get_tech, profile_names, unmeasured_tech):
        with pytest.raises(ProcessError, match=re.escape(words)):
            read(process=folder)


def _second_module(folder):
    shutil.copytree(folder / "al_tio2", folder / "second")


def _module_in_module(folder):
    shutil.copytree(folder / "al_tio2", folder.parent / "copy")
    (folder.parent / "copy").rename(folder / "al_tio2" / "al_tio2")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_second_module, "/second: nothing reads this folder, process.toml names al_tio2"),
        (_module_in_module, "/al_tio2/al_tio2: nothing reads this folder, process.toml names"),
        (lambda f: (f / "leakage.csv").rename(f / "leakages.csv"),
         "/leakages.csv: nothing reads this table; did you mean leakage.csv?"),
        (lambda f: (f / "tracks.csv").rename(f / "Tracks.CSV"), "/Tracks.CSV: nothing reads"),
        (lambda f: (f / "al_tio2/fill.csv").rename(f / "fill.csv"), "/fill.csv: nothing reads"),
        (lambda f: (f / "al_tio2/fill.csv").rename(f / "al_tio2/fills.csv"),
         "/al_tio2/fills.csv: nothing reads this table; did you mean fill.csv?"),
    ],
)  # fmt: skip
def test_what_nothing_reads_is_named(folder, change, words):
    change(folder)
    assert (
        [problem for problem in audit(folder)[1] if words in problem] == [*audit(folder)[1]] != []
    )


def test_notes_and_hidden_files_are_nobodys_tables(folder):
    for name in ("notes.txt", "README.md", ".films.csv.swp", ".old.csv", "films.csv~"):
        (folder / name).write_text("ours\n", encoding="utf-8")
    (folder / ".git").mkdir()
    (folder / ".git" / "films.csv").write_text("ours\n", encoding="utf-8")
    (folder / "scans").mkdir()
    (folder / "scans" / "run12.csv").write_text("ours\n", encoding="utf-8")
    assert audit(folder)[1] == ()


def test_a_write_above_the_supply_is_refused_by_its_key(folder):
    path = folder / "al_tio2" / "module.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nv_set_v = 2.0", "\nv_set_v = 9"), encoding="utf-8")
    words = r"module\.toml \[memristor\] v_set_v = 9\.0 is not allowed: up to the supply, 3\.3 V"
    tech = get_tech(process=folder)
    with pytest.raises(ParameterError, match=words):
        tech.at(Conditions())
    # a configuration may state another, and a program may put one in
    assert tech.at(Conditions(device={"v_set_v": 2.2})).memristor.v_set_v == 2.2
    own = replace(tech, memristor=replace(tech.memristor, v_set_v=8.0))
    assert own.at(Conditions()).memristor.v_set_v == 8.0
