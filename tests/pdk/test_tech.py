"""The process data: one table each, nothing twice, heights derived, values as the sources say."""

import csv
import dataclasses
import itertools
from pathlib import Path

import pytest

from crossstack.pdk import LAYERS, PROFILES, ParameterError, TechError, get_tech


@pytest.fixture(params=sorted(PROFILES))
def tech(request):
    return get_tech(request.param)


def test_layer_names_and_numbers_are_unique():
    assert len({layer.name for layer in LAYERS}) == len(LAYERS)
    assert len({layer.gds for layer in LAYERS}) == len(LAYERS)


def test_module_layers_keep_off_the_foundry_numbers():
    """Of all variants of the process: a layer that variant D lacks is one of another wafer."""
    listed = Path(__file__).parent / "gf180mcu_numbers.csv"
    rows = (line for line in listed.read_text().splitlines() if not line.startswith("#"))
    theirs = {int(row["layer"]) for row in csv.DictReader(rows)}
    theirs |= {layer.gds[0] for layer in LAYERS if not layer.is_module}
    module = {layer.gds[0] for layer in LAYERS if layer.is_module}
    own = {layer.gds for layer in LAYERS if layer.is_module}  # its fill is foreign to its films
    theirs |= {layer.gds[0] for layer in get_tech().foreign if layer.gds not in own}
    assert module
    assert not module & theirs


def test_every_foundry_number_is_described_or_named_as_foreign():
    """Markers of KLayout's (222) and the two metals that variant D must not have aside."""
    listed = Path(__file__).parent / "gf180mcu_numbers.csv"
    rows = (line for line in listed.read_text().splitlines() if not line.startswith("#"))
    theirs = {(int(row["layer"]), int(row["datatype"])) for row in csv.DictReader(rows)}
    ours = {layer.gds for layer in LAYERS} | {layer.gds for layer in get_tech().foreign}
    assert {pair for pair in theirs - ours if pair[1] != 222} == {(53, 0), (82, 0)}


def test_forbidden_layers_are_absent():
    # Via5 and MetalTop do not exist in variant D
    assert not {(82, 0), (53, 0)} & {layer.gds for layer in LAYERS}


def test_stack_heights_agree_with_the_foundry_table(tech):
    # heights of pdk/gf180mcuD/SOURCES.md section 3, with the MIM option's thicker IMD4
    expected = {"Poly2": 0.32, "Metal1": 1.23, "Metal2": 2.38, "Metal3": 3.53, "Metal4": 4.68,
                "Metal5": 6.13}  # fmt: skip
    for film, bottom in expected.items():
        assert tech.heights_um[film][0] == pytest.approx(bottom)


def test_stack_has_neither_gap_nor_overlap(tech):
    z = tech.heights_um
    solid = [
        f.name for f in tech.films if not f.name.startswith(("Metal", "Poly")) and f.name != "ME"
    ]
    for below, above in itertools.pairwise(solid):
        if below == "STI":  # the liner follows it
            continue
        assert z[above][0] == pytest.approx(z[below][1]), (below, above)


def test_oxide_lies_between_its_electrodes(tech):
    z = tech.heights_um
    assert z["BE"][1] == z["TIO2_B"][0]
    assert z["TIO2X_B"][1] == z["ME"][0]
    assert z["ME"][1] == z["TIO2_T"][0]
    assert z["TIO2X_T"][1] == z["TE"][0]


def test_module_via_resistance_by_hand():
    # plug 0.042 ohm um x 1.5 um over 0.25 um2, and two interfaces of 0.1 ohm um2
    assert get_tech().cut("VBE").ohm.typ == pytest.approx((0.042 * 1.5 + 0.2) / 0.25)


def test_every_film_and_rule_names_its_source(tech):
    assert all(f.source for f in (*tech.films, *tech.diffusions))
    assert all(r.source and r.text for r in tech.rules)
    assert len({r.name for r in tech.rules}) == len(tech.rules)


def test_sheet_resistance_changes_one_film_only(tech):
    other = tech.with_sheet_resistance("ME", 0.8)
    assert other.film("ME").sheet_ohm_sq.typ == 0.8
    assert tech.film("ME").sheet_ohm_sq.typ == 0.4
    assert [f for f in other.films if f not in tech.films] == [other.film("ME")]


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_unphysical_sheet_resistance_is_refused(tech, value):
    with pytest.raises(ParameterError, match=r"sheet_resistance_ohm_sq\.ME"):
        tech.with_sheet_resistance("ME", value)


def test_unknown_names_are_named(tech):
    with pytest.raises(TechError, match="'Metal9'"):
        tech.layer("Metal9")
    with pytest.raises(TechError, match=r"'XX\.1'"):
        tech.rule("XX.1")
    with pytest.raises(ParameterError, match="stepper"):
        get_tech("laser")


def test_tech_is_frozen(tech):
    with pytest.raises(dataclasses.FrozenInstanceError):
        tech.name = "other"


def test_module_rules_follow_the_profile():
    for name, profile in PROFILES.items():
        tech = get_tech(name)
        assert tech.rule("ME.1") == profile.line_um
        assert tech.rule("VTE.5") == pytest.approx(profile.line_um + profile.overlay_um)
        assert tech.rule("OXB.7") == pytest.approx(2 * profile.overlay_um)
