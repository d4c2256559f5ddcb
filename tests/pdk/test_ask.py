"""The rule book asked by role: every rule of the manual has one question that it answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossstack.pdk import Ask, NoRuleError, Rule, TechError, get_tech

ROOT = Path(__file__).parents[2]
#: kind -> (method, which of the rule's layers it is asked with, in its order)
ASKED = {
    "width": ("width", (0,)),
    "space": ("space", (0,)),
    "separation": ("space", (0, 1)),
    "clear": ("space", (1, 0)),  # either order
    "butt_separation": ("space", (0, 1)),
    "enclosure": ("enclosure", (1, 0)),
    "implant_enclosure": ("enclosure", (1, 0)),
    "extension": ("extension", (0, 1)),
    "butt_extension": ("extension", (0, 1)),
    "butt_gate": ("butt_gate", (0, 1)),
    "channel_width": ("channel_width", (0, 1)),
    "gate_length": ("gate_length", (0, 1)),
    "area": ("area", (0,)),
    "hole_area": ("hole_area", (0,)),
    "exact_size": ("size", (0,)),
    "array_space": ("array_space", (0, 1)),
    "reach": ("reach", (0, 1)),
    "wide_space": ("wide_space", (0,)),
    "max_width": ("max_width", (0,)),
    "max_size": ("max_width", (0,)),
    "wide_joint": ("joint_width", (0,)),
    "line_end": ("line_end", (0, 1)),
    "adjacent": ("adjacent", (0, 1)),
    "end_overhang": ("overhang", (0, 1)),
    "overlay": ("overlay", (0, 1)),
    "antenna": ("antenna", (1,)),
}


@pytest.fixture(params=["stepper", "aligner"])
def tech(request):
    return get_tech(request.param)


def answers(ask: Ask, rule: Rule, names: dict[str, str]) -> float:
    method, order = ASKED[rule.kind]
    layers = (names.get(rule.layers[k], rule.layers[k]) for k in order)
    value: float = getattr(ask, method)(*layers)
    return value


def test_every_rule_that_is_a_length_answers_by_name_and_by_role(tech):
    ask = Ask(tech)
    roles = {layer: role for role, layer in tech.roles.names.items()}
    found = [rule for rule in tech.rules if rule.kind in ASKED]
    assert len(found) > 170
    for rule in found:
        assert answers(ask, rule, {}) == rule.value, rule.name
        assert answers(ask, rule, roles) == rule.value, rule.name


def test_every_rule_number_in_cells_and_generators_has_a_question(tech):
    rules = {rule.name: rule for rule in tech.rules}
    named = set()
    for room in ("cells", "generators"):
        for path in (ROOT / room).glob("*.py"):
            named |= set(re.findall(r'"([A-Z]\w*\.\w+)"', path.read_text())) & set(rules)
    assert not {name for name in named if rules[name].kind not in ASKED}


def test_a_pair_of_layers_is_kept_apart_by_one_rule_alone(tech):
    pairs = [
        frozenset(r.layers)
        for r in tech.rules
        if r.kind in {"separation", "clear", "butt_separation"}
    ]
    assert len(set(pairs)) == len(pairs)
    around = [r.layers[:2] for r in tech.rules if r.kind in {"enclosure", "implant_enclosure"}]
    assert len(set(around)) == len(around)


def test_layers_are_named_by_role():
    ask = Ask(get_tech())
    assert ask.width("land") == ask.width("metals[4]") == ask.width("Metal5") == 0.44
    assert ask.space("bond_pad", "poly") == ask.space("poly", "bond_pad") == 15.0
    assert ask.enclosure("poly", "poly_contact") == 0.07
    assert ask.line_end_width("contact", "metals[0]") == 0.34
    assert ask.gate_length() == 0.28
    assert ask.density("metals[0]") == (30.0, 100.0)
    assert ask.density("diffusion") == (25.0, 70.0)
    assert ask.antenna_wall("metals[1]") == 0.54
    assert ask.density("nwell") == (0.0, 100.0)


def test_what_a_process_lacks_is_named_by_role():
    ask = Ask(get_tech())
    with pytest.raises(NoRuleError, match=r"gf180mcuD has no rule width\(contact = Contact\)"):
        ask.width("contact")
    with pytest.raises(NoRuleError, match=r"no rule separation\(nwell = Nwell, land = Metal5\)"):
        ask.space("nwell", "land")
    with pytest.raises(NoRuleError, match=r"enclosure\(contact = Contact, nwell = Nwell\)"):
        ask.enclosure("nwell", "contact")
    with pytest.raises(TechError, match="no role 'local_interconnect'"):
        ask.width("local_interconnect")
    with pytest.raises(TechError, match=r"no role 'metals\[7\]'"):
        ask.space("metals[7]")


def test_a_default_stands_in_for_a_rule_that_there_is_not_but_not_for_a_layer():
    ask = Ask(get_tech())
    assert ask.width("contact", default=0.1) == 0.1
    assert ask.adjacent("vias[0]", "land", default=0.0) == 0.0
    assert ask.line_end_width("vias[0]", "land", default=0.0) == 0.0
    assert ask.space("nwell", "land", default=0.0) == 0.0
    with pytest.raises(TechError, match="no role"):
        ask.width("metals[7]", default=0.1)
