"""A process is a folder of tables: complete or refused by name, of any shape, from anywhere."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.base.errors import FileError
from crossstack.drc import derived as drc_derived
from crossstack.drc.expr import Node, layer
from crossstack.drc.kinds import KINDS as CHECKED_KINDS
from crossstack.pdk import ParameterError, ProcessError, TechError, get_tech, home, profile_names
from crossstack.pdk.arithmetic import evaluate
from crossstack.pdk.audit import audit
from crossstack.pdk.home import (
    DEFAULT,
    DEFAULT_MODULE,
    HOME,
    MARK,
    MODULES,
    process_names,
    usual_profiles,
)
from crossstack.pdk.kinds import KINDS
from crossstack.pdk.regions import build, names_in
from crossstack.pdk.tables import Section, read_csv, read_toml
from crossstack.pdk.tech import default_process

GF180 = HOME / "gf180mcuD"
#: tables of what only views say
OPTIONAL = ("tracks", "leakage")
MODULE = MODULES / "al_tio2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A process of a user's own, with a module of its own, outside the repository."""
    target = tmp_path / "lab"
    shutil.copytree(GF180, target)
    shutil.copytree(MODULE, target / "al_tio2")
    return target


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))


def without(path: Path, start: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) < len(lines), start
    path.write_text("".join(kept))


def test_what_comes_with_crossstack_is_complete():
    assert "gf180mcuD" in process_names()
    for name in process_names():
        assert audit(HOME / name)[1] == ()


def test_a_folder_outside_the_repository_is_a_process(folder):
    own, ours = get_tech("aligner", process=folder), get_tech("aligner")
    assert own.process.folder == folder
    assert own.module.folder == folder / "al_tio2"
    assert own == ours
    assert get_tech("aligner", process=str(folder)) is own
    # a table that changes is read again
    edit(folder / "rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,0.38")
    assert get_tech("aligner", process=folder).rule("M3.1") == 0.38


def test_what_derives_from_a_changed_figure_follows(folder):
    edit(folder / "rules.csv", "V1.1,exact_size,Via1,0.26", "V1.1,exact_size,Via1,0.3")
    edit(folder / "films.csv", "pass_nitride,SiN,0.3,", "pass_nitride,SiN,0.5,")
    edit(folder / "al_tio2" / "profiles.csv", "stepper,0.5,0.5,0.5,0.15", "stepper,0.7,0.8,0.6,0.2")
    tech = get_tech(process=folder)
    assert tech.cut("Via1").size_um == 0.3
    # 4 cuts and 3 spaces make an array
    assert next(r for r in tech.rules if r.name == "V1.2b").extra[1] == pytest.approx(
        4 * 0.3 + 3 * 0.26
    )
    assert tech.heights_um["BE"][0] == pytest.approx(8.88 + 0.2)
    assert tech.cut("VBE").ohm.typ == pytest.approx((0.042 * 1.7 + 0.2) / 0.36, abs=1e-4)
    assert tech.rule("VTE.5") == pytest.approx(0.7 + 0.2)
    assert tech.rule("VTE.7m") == 0.8


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: "".join(f"  {line}\n" for line in text.splitlines()),
        lambda text: text.rstrip("\n"),
    ],
    ids=["as Windows writes", "blanks behind", "blanks before", "no last line end"],
)
def test_tables_are_read_as_editors_leave_them(folder, change):
    for path in folder.rglob("*"):
        if path.suffix in (".csv", ".toml"):
            path.write_bytes(change(path.read_text()).encode())
    own, ours = get_tech(process=folder), get_tech()
    assert own == ours
    assert own.nets == ours.nets


def test_what_is_no_table_is_named_by_its_line(folder):
    edit(folder / "rules.csv", "M3.1,width,Metal3,0.28", 'M3.1,width,Metal3,"0.28"x')
    with pytest.raises(ProcessError, match=r"rules\.csv line \d+: no table"):
        get_tech(process=folder)
    head = folder / "process.toml"
    head.write_bytes(head.read_text().encode("utf-16"))
    with pytest.raises(ProcessError, match=r"process\.toml: not a text file in UTF-8"):
        get_tech(process=folder)


def add_metal6(folder: Path) -> None:
    """Metal6 becomes the land: a row or two in each table; the rules of five metals go."""
    rules = (folder / "rules.csv").read_text().splitlines(keepends=True)
    kept = [row for row in rules if not row.startswith("MT.5LM")]
    assert len(kept) == len(rules) - 2
    (folder / "rules.csv").write_text("".join(kept))
    for table, row in (
        ("layers.csv", "Via5,82,0,cut,,#666633,0,Metal5 to Metal6"),
        ("layers.csv", "Metal6,53,0,metal,Metal6_Label,#8a8a8a,9,metal 6"),
        ("layers.csv", "Metal6_Label,53,10,label,,#8a8a8a,1,text on Metal6"),
        ("cuts.csv", "Via5,Via5,Metal5,Metal6,4.5,,15,0.00107,ES2"),
        ("limits.csv", "Metal6,um,one,4.5,2.2,1.5,EM1"),
        ("limits.csv", "Metal6,um,both,7,3,2.2,EM1"),
        ("limits.csv", "Via5,cut,one,0.58,0.28,0.18,EM2"),
        ("limits.csv", "Via5,cut,both,0.87,0.42,0.28,EM2"),
        ("rules.csv", "V5.1,exact_size,Via5,0.26,,exact size of Via5,DM23"),
        ("rules.csv", "V5.2a,space,Via5,0.26,,min space of Via5,DM23"),
        ("rules.csv", "M6.1,width,Metal6,0.44,,min width of Metal6,DM24"),
        ("rules.csv", "M6.2a,space,Metal6,0.46,,min space of Metal6,DM24"),
        ("tracks.csv", "Metal6,vertical,0.9,0.45,as Metal5"),
    ):
        with (folder / table).open("a") as file:
            file.write(row + "\n")
    old = 'pass_oxide,"SiO2, 1.2 um of it above Metal5",2.45'
    films = "IMD5,SiO2,1.45,,,,,,,4,IS\nMetal6,Al,1.25,yes,,0.04,0.031,0.049,0.0037,,IS ES1\n"
    edit(folder / "films.csv", old, films + old)
    edit(folder / "process.toml", '"Metal5"]', '"Metal5", "Metal6"]')
    edit(folder / "devices.toml", '["Metal5", ""]', '["Metal5", "Via5"], ["Metal6", ""]')


def test_a_sixth_metal_is_a_row_in_each_table_and_becomes_the_land(folder):
    add_metal6(folder)
    assert audit(folder)[1] == ()
    tech = get_tech(process=folder)
    assert tech.roles.land == "Metal6"
    assert tech.cut("VBE").lower == "Metal6"
    assert next(r for r in tech.rules if r.name == "VBE.4").layers == ("VBE", "Metal6")
    assert tech.layer("VBE").text == "via Metal6 to bottom electrode"
    assert tech.roles.layer("vias[4]") == "Via5"


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ("films.csv", "Metal6,", "Metal6 has no film"),
        ("cuts.csv", "Via5,", "Metal5 and Metal6 are joined by no cut"),
        ("limits.csv", "Metal6,", "Metal6 has no current limit"),
        ("limits.csv", "Via5,", "Via5 has no current limit per cut"),
        ("rules.csv", "M6.1,", "Metal6 has no rule of kind width"),
        ("rules.csv", "M6.2a,", "Metal6 has no rule of kind space"),
        ("rules.csv", "V5.1,", "Via5 has no rule of kind exact_size"),
        ("layers.csv", "Metal6_Label,", "label layer 'Metal6_Label' of Metal6"),
        ("layers.csv", "Metal6,", "Metal6 is no layer of purpose metal"),
        ("layers.csv", "Via5,", "'Via5' is no layer"),
    ],
)
def test_a_metal_without_one_of_its_rows_is_refused_by_name(folder, table, row, words):
    add_metal6(folder)
    without(folder / table, row)
    with pytest.raises(ProcessError, match=words.replace("(", r"\(")) as found:
        get_tech(process=folder)
    assert "\n" not in str(found.value)
    assert any(words in problem for problem in audit(folder)[1])


DAMAGE = [
    ("layers.csv", "Metal3,42,0", "Metal3,36,0", "Metal3 and Metal2 are both 36/0"),
    ("layers.csv", "Metal3,42,0", "Metal3,-1,0", "layer = '-1', allowed: a whole number from 0"),
    ("layers.csv", "Metal3,42,0", "Metal3,1e9,0", "layer = '1e9', allowed: a whole number"),
    ("layers.csv", "Metal3,42,0,metal", "Metal3,42,0,mettal", "none of front end"),
    ("layers.csv", "Metal3,42,0,metal", "Metal3,42,0,module cut", "does not belong to a base"),
    ("layers.csv", "Metal3,42,0,metal,Metal3_Label", "Metal3,42,0,metal,", "Metal3 has no label"),
    ("layers.csv", "#20b2aa", "teal", "is not #rrggbb"),
    ("layers.csv", "purpose,label", "purpose,lable", "column 'label' is missing"),
    ("layers.csv", "metal 3\n", "metal 3,more\n", "9 cells where 8"),
    ("films.csv", "Metal3,Al,0.55,yes,3.53", "Metal3,Al,0.55,yes,3.63", "not contiguous"),
    ("films.csv", "IMD2,SiO2,1.15", "IMD2,SiO2,0.5", "heights are not contiguous"),
    ("films.csv", "IMD2,SiO2,1.15", "IMD2,SiO2,nan", "not a finite number"),
    ("films.csv", "IMD2,SiO2,1.15", "IMD2,SiO2,-1", "allowed: 0.0001 to 100 um"),
    ("films.csv", "IMD2,SiO2,1.15,,,,,,,4", "IMD2,SiO2,1.15,,,,,,,", "neither sheet res"),
    ("films.csv", "3.53,0.09,0.076", "3.53,0.09,0.1", "ohm_sq_min <= ohm_sq <= ohm_sq_max"),
    ("cuts.csv", "Via2,Via2,Metal2,Metal3", "Via2,Via2,Metal3,Metal2", "joined by no cut"),
    ("cuts.csv", "Via2,Via2,Metal2,Metal3", "Via2,Via2,Metal2,Metal9", "'Metal9', which is no"),
    ("cuts.csv", "Via2,Via2", "Via1,Via2", "cut Via1 is there twice"),
    ("rules.csv", "M3.1,width,Metal3", "M3.1,width,Metal4", "both width of Metal4"),
    ("rules.csv", "M3.1,width", "M2.1,width", "rule M2.1 is there twice"),
    ("rules.csv", "M3.1,width,Metal3", "M3.1,width,Metal33", "'Metal33' is no layer"),
    ("rules.csv", "M3.1,width,Metal3", "M3.1,wdth,Metal3", "kind = 'wdth' is none of"),
    ("rules.csv", "M3.1,width,Metal3,", "M3.1,width,Metal3 Metal4,", "asks for 1 layers, not 2"),
    ("rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,-0.28", "value = -0.28, allowed"),
    ("rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,", "value is empty"),
    ("rules.csv", "M3.1,width,Metal3,0.28", "M3.1,width,Metal3,F", "no such name 'F'"),
    ("rules.csv", "wider_than=10", "wider=10", "wide_space asks for wider_than"),
    ("rules.csv", "on_grid,*,grid,,", "on_grid,*,0,,", "value = 0, allowed: above 0"),
    ("rules.csv", "on_grid,*,grid,,", "on_grid,*,grid,foo=3,", "a rule of every layer has none"),
    ("limits.csv", "85,110,125", "85,hot,125", "column 'hot', allowed: temperatures"),
    ("limits.csv", "Metal3,um,one,2.09,1,0.67", "Metal3,um,one,2.09,3,0.67", "rise with"),
    ("limits.csv", "Metal3,um,both,3.14,1.5,1,EM1\n", "", "a row for one and for both"),
    ("process.toml", "grid_um = 0.005", "grid_um = 0.0007", "allowed: 0.001 or 0.005 um"),
    ("process.toml", "grid_um = 0.005", "grid_um = inf", "grid_um = inf, allowed"),
    ("process.toml", "grid_um = 0.005", "", "key 'grid_um' is missing"),
    ("process.toml", 'poly = "Poly2"', "", "role 'poly' is missing"),
    ("process.toml", 'poly = "Poly2"', 'poly = "Poly3"', "role poly = 'Poly3' is no layer"),
    ("process.toml", '"Metal4", ', "", "Metal4 is a metal but not among"),
    ("process.toml", 'name = "gf', 'name = "a"\nname = "gf', "Cannot overwrite"),
    ("derived.toml", '"COMP & Nplus"', '"COMP & Nplus - Nwell"', "brackets"),
    ("derived.toml", '"COMP & Nplus"', '"COMP & Nminus"', "'Nminus', which is no layer"),
    ("derived.toml", '"COMP & Nplus"', '"__import__(1)"', "only layers"),
    ("derived.toml", '"Nplus | Pplus"', '"ptap2.delete()"', "no such method 'delete'"),
    ("devices.toml", 'name = "pfet"', 'name = "pmos"', "transistor pfet is missing"),
    ("ron_table.json", '"nfet": {', '"mfet": {', "nfet has no on resistance"),
    ("ron_table.json", "{", "", "cannot be read"),
    ("ron_table.json", "3010.3", "NaN", "is nan, allowed: numbers"),
    ("ron_table.json", "3010.3, ", "", "nfet, typ is not 4 x 6 x 16 x 10 numbers"),
    ("ron_table.json", '"max"', '"slow"', "nfet, max is not 4 x 6 x 16 x 10 numbers"),
    ("ron_table.json", "[0.36, 0.5", "[0.5, 0.36", "a grid is not two or more numbers"),
    ("process.toml", '["Metal1", "Metal2", "Metal3", "Metal4", "Metal5"]', "[]", "two or more"),
    ("process.toml", 'name = "gf180mcuD"', 'name = "a b"', "is not a word"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "words"), DAMAGE, ids=[d[3] for d in DAMAGE])
def test_a_damaged_table_is_refused_in_one_line(folder, table, old, new, words):
    path = folder / table
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(TechError) as found:
        get_tech(process=folder)
    assert words in str(found.value)
    assert "\n" not in str(found.value)
    assert any(words in problem for problem in audit(folder)[1])


MODULE_DAMAGE = [
    ("layers.csv", "BE,231,0", "BE,42,0", "BE 42/0: taken by Metal3"),
    ("layers.csv", "BE,231,0,module electrode", "BE,231,0,metal", "does not belong to a module"),
    ("rules.csv", "VBE.5,clear,VBE crossing,F + A", "VBE.5,clear,VBE crossing,F + B", "'B'"),
    ("rules.csv", "VBE.5,clear,VBE crossing", "VBE.5,clear,VBE crosing", "'crosing' is no layer"),
    ("cuts.csv", "land,ME", "land,XE", "XE is no film"),
    ("limits.csv", "VME,cut,wire * side,PLUG\n", "", "VME has no current limit"),
    ("limits.csv", "ME,um,density", "ME,um,densty", "'densty'"),
    ("profiles.csv", "stepper,0.5", "stepper,0", "line_um = 0, allowed: above 0"),
    ("profiles.csv", "aligner,1", "stepper,1", "each name once"),
    ("module.toml", '"TE"]', '"TE", "XE"]', "electrode XE has no film"),
    ("module.toml", 'name = "memristor_bottom"', 'name = "{x}"', "no device memristor_bottom, and"),
    ("module.toml", 'name = "memristor_top"', 'name = "over"', "device 'over' is none of memrist"),
    ("derived.toml", '"BE & ME"', '"BE & XE"', "'XE', which is no layer"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "old", "new", "words"), MODULE_DAMAGE, ids=[d[3] for d in MODULE_DAMAGE]
)
def test_a_damaged_module_is_refused_in_one_line(folder, table, old, new, words):
    edit(folder / "al_tio2" / table, old, new)
    with pytest.raises(TechError) as found:
        get_tech(process=folder)
    assert words in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "table",
    [*sorted(p.name for p in GF180.glob("*.csv") if p.stem not in OPTIONAL), "derived.toml"],
)
def test_a_missing_table_is_named(folder, table):
    (folder / table).unlink()
    with pytest.raises(FileError, match=table):
        get_tech(process=folder)
    assert any(table in problem for problem in audit(folder)[1])


@pytest.mark.parametrize(
    "table", ["models.toml", "deck.toml", "shuttle.toml", "magic.toml", "SOURCES.md"]
)
def test_the_audit_misses_what_other_programs_need(folder, table):
    (folder / table).unlink()
    assert get_tech(process=folder) == get_tech()  # layouts do not need it
    assert any(table in problem for problem in audit(folder)[1])


@pytest.mark.parametrize(
    ("table", "old", "new", "words"),
    [
        ("devices.toml", '"ptap", "ntap", "Nwell"', '"pta", "ntap", "Nwell"', "silicon 'pta'"),
        ("devices.toml", '["Contact_nsd", "ntap"]', '["Contact_nsd", "nt"]', "link of"),
        ("devices.toml", '["S", "nsd"]', '["S", "nsf"]', "nfet: S = 'nsf' is no conductor"),
        ("devices.toml", 'body = "ngate"', 'body = "ngat"', "body 'ngat' is no layer"),
        ("devices.toml", ', ["Metal5", ""]', "", "Metal5 is not in the antenna order"),
        ("devices.toml", '["Metal5", ""]', '["Metal6", ""]', "antenna: 'Metal6' is no layer"),
        ("devices.toml", '"pmos", ', '"nmos", ', "model 'nmos' is nfet and pfet"),
        ("models.toml", 'pfet = "pmos_3p3"', "", "pfet has no subcircuit"),
        ("models.toml", 'library = "sm', 'library = "sn', "is not among its files"),
        ("models.toml", "w_um = [0.36, ", "w_um = [", "w_um is not that of the sweep"),
        ("models.toml", 'max = "ss"', 'slow = "ss"', "sections are not those of typ, min, max"),
        ("deck.toml", 'layer = "Nplus"', 'layer = "Nminus"', "'Nminus' of the canary of NP.1"),
    ],
)  # fmt: skip
def test_the_audit_sees_what_only_checks_and_models_use(folder, table, old, new, words):
    edit(folder / table, old, new)
    assert any(words in problem for problem in audit(folder)[1])


def test_unknown_processes_are_named(tmp_path):
    for name in ("sky13", "../nothing", str(tmp_path), ""):
        with pytest.raises(ParameterError, match="gf180mcuD, sky130, sky130_reram, or a folder"):
            get_tech(process=name)


def test_kinds_of_rules_are_those_that_are_checked():
    assert set(KINDS) == set(CHECKED_KINDS)


def test_the_key_of_a_rule_is_its_kind_and_layers():
    for profile in ("stepper", "aligner"):
        rules = [r for r in get_tech(profile).rules if r.kind != "density"]
        assert len({(r.kind, r.layers) for r in rules}) == len(rules)


@pytest.mark.parametrize(
    "text",
    ["", "x", "1e999", "nan", "inf", "F +", "F()", "F.real", "[F]", "'F'", "F if F else F", "True",
     "9 ** 9 ** 9", "1 / 0", "F @ F", "(" * 150 + "1" + ")" * 150, "0 ** -1",
     "(0 - 1) ** 0.5"],
)  # fmt: skip
def test_only_arithmetic_is_run(text):
    with pytest.raises(TechError):
        evaluate(text, {"F": 0.5})


@given(st.recursive(
    st.floats(0.001, 100).map(repr) | st.sampled_from("FSVA"),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({' '.join(t)})"),
    max_leaves=8,
))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_arithmetic_is_pythons(text):
    names = {"F": 0.5, "S": 0.6, "V": 0.7, "A": 0.15}
    if len(text) <= 200:
        assert evaluate(text, names) == pytest.approx(eval(text, {}, names))
        assert math.isfinite(evaluate(text, names))


def test_tables_are_read_strictly(tmp_path):
    path = tmp_path / "t.csv"
    for text, words in (
        ("", "no columns"),
        ("a,a\n", "appears twice"),
        ("a,c\n1,2\n", "column 'b' is missing"),
        ("a,b\n1\n", "line 2: 1 cells where 2"),
        ('a,b\n"1,2\n', "no table"),
    ):
        path.write_text(text)
        with pytest.raises(ProcessError, match=words):
            list(read_csv(path, ("a", "b")))
    path.write_bytes(b"a,b\n\xff,1\n")
    with pytest.raises(ProcessError, match="UTF-8"):
        list(read_csv(path, ("a", "b")))
    # comments, a byte-order mark and Windows line ends are no part of a table
    path.write_bytes(b"\xef\xbb\xbf# note, with a comma\r\na,b\r\n\r\n1, 2\r\n")
    assert [row.cells for row in read_csv(path, ("a", "b"))] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    "text", ["a = [" * 3000, "a = " + "1" * 9000, "a = 1\na = 2", "a = 1\n[a]", "="]
)
def test_odd_toml_is_refused(tmp_path, text):
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(ProcessError):
        Section("t", read_toml(path)).number("a")


def test_derived_layers_are_those_of_the_design_rules():
    tech = get_tech()
    texts: dict[str, str] = {}
    for folder in (GF180, MODULE):
        texts |= dict(Section.of(folder / "derived.toml", ("rules", "nets")).pairs("rules"))

    def node(name: str) -> Node:
        return build(texts[name], node) if name in texts else layer(name)

    assert set(texts) == set(drc_derived.derived(tech))
    for name in texts:
        # equal expressions are one object
        assert node(name) is drc_derived.resolve(name, tech), name


def test_names_in_a_text_come_in_its_order():
    assert names_in("(A & B).overlapping(C.sized(0.5)) - A") == ("A", "B", "C")


def test_roles_of_the_default_process_exist():
    roles = default_process().roles
    assert roles.land == "Metal5"
    assert roles.vias == ("Via1", "Via2", "Via3", "Via4")
    with pytest.raises(TechError, match=r"no role 'metals\[5\]'"):
        roles.layer("metals[5]")


def test_one_process_and_one_module_are_marked_as_the_usual(tmp_path):
    assert get_tech().process.name == DEFAULT
    assert get_tech().process.module == DEFAULT_MODULE
    assert usual_profiles() == profile_names(DEFAULT)
    with pytest.raises(TechError, match="0 folders"):
        home._marked(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / MARK).touch()
        if name == "a":
            assert home._marked(tmp_path) == "a"
    with pytest.raises(TechError, match=r"2 folders.*: a, b"):
        home._marked(tmp_path)
