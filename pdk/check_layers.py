"""Whether layers, roles, rules and derived layers of a process agree; see `check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from ..base.errors import CrossStackError
from ..base.spans import LAYER
from .model import LABELS, Cut, Film, Layer, Module, Process, Purpose, Rule
from .module import TIERS
from .regions import names_in
from .tables import Section

#: roles without which nothing can be drawn
ROLES = (
    "nwell", "diffusion", "tap", "poly", "nplus", "pplus", "contact", "pad", "boundary",
    "n_gate", "p_gate", "n_active", "p_active", "n_tap", "n_tap_at_well_edge", "p_tap",
    "p_tap_near_well", "diffusion_contact", "poly_contact", "tap_contact",
)  # fmt: skip
#: roles that a process need not have
_MORE_ROLES = (
    "gate", "device_mark", "poly_mark", "no_active_fill", "no_metal_fill", "seal_ring", "bond_pad",
    "pad_metal", "pad_via", "other_metal", "circuit", "butting", "p_butting", "n_butted",
    "p_butted", "n_butted_contact", "p_butted_contact",
)  # fmt: skip
_MORE_MODULE_ROLES = ("oxide", "crossing", "reopen", "marks")
_TIER_PARTS = ("electrode", "via", "oxide", "oxide_x", "crossing")
_WITHIN = (
    "bottom_electrode", "middle_electrode", "memristor_film", "memristor_via", "memristor_cut",
    "beside_via", "beside_bottom_electrode", "beside_middle_electrode",
)  # fmt: skip
_ON_TOP = ("middle_electrode", "middle_via", "module_area")
#: roles that must be drawn layers -> of which purpose
_DRAWN = {
    "nwell": Purpose.FRONT_END, "diffusion": Purpose.FRONT_END, "tap": Purpose.FRONT_END,
    "poly": Purpose.FRONT_END, "nplus": Purpose.FRONT_END, "pplus": Purpose.FRONT_END,
    "pad": Purpose.FRONT_END, "contact": Purpose.CUT, "boundary": Purpose.MARKER,
}  # fmt: skip
#: of these, which may be the same layer
_ALIKE = frozenset(("diffusion", "tap"))


def problems_of_names(
    layers: tuple[Layer, ...],
    films: tuple[Film, ...],
    cuts: tuple[Cut, ...],
    rules: tuple[Rule, ...],
) -> Iterator[str]:
    """Yield names, GDS numbers and rules that are there twice."""
    for what, names in (
        ("layer", [x.name for x in layers]),
        ("film", [x.name for x in films]),
        ("cut", [x.name for x in cuts]),
        ("rule", [x.name for x in rules]),
    ):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        yield from (f"{what} {name} is there twice ({what}s.csv)" for name in repeated)
    owner: dict[tuple[int, int], str] = {}
    for layer in layers:
        if layer.gds in owner:
            yield (
                f"{layer.name} and {owner[layer.gds]} are both {layer.gds[0]}/{layer.gds[1]} "
                "(layers.csv)"
            )
        owner.setdefault(layer.gds, layer.name)
    first: dict[tuple[str, tuple[str, ...]], str] = {}
    for rule in rules:
        key = (rule.kind, rule.layers)
        if rule.kind != "density" and key in first:
            both = f"rules {first[key]} and {rule.name}"
            yield f"{both} are both {rule.kind} of {' '.join(rule.layers)} (rules.csv)"
        first.setdefault(key, rule.name)


def problems_of_roles(base: Process, known: set[str]) -> Iterator[str]:
    """Yield roles that are missing, no layer, or of the wrong one."""
    given = dict(base.roles.layers)
    yield from (f"role {role!r} is missing (process.toml)" for role in ROLES if role not in given)
    yield from _unknown(given, {*ROLES, *_MORE_ROLES}, "process.toml")
    for role, layer in given.items():
        if layer not in known:
            yield f"role {role} = {layer!r} is no layer (process.toml; layers.csv, derived.toml)"
    purposes = {layer.name: layer.purpose for layer in base.layers}
    owner: dict[str, str] = {}
    for role, purpose in _DRAWN.items():
        layer = given.get(role, "")
        if layer in known and purposes.get(layer) != purpose:
            yield (
                f"role {role} = {layer!r}, allowed: a drawn layer of purpose {purpose} "
                "(process.toml; layers.csv)"
            )
        other = owner.setdefault(layer, role)
        if layer and other != role and not {other, role} <= _ALIKE:
            yield f"roles {other} and {role} are both {layer} (process.toml)"
    yield from _doping(base, given)


def _doping(base: Process, given: dict[str, str]) -> Iterator[str]:
    """Gates, active areas and taps of either type read their own implant."""
    texts = derived_layers(base.folder, "rules")

    def read(name: str) -> set[str]:
        found, todo = set(), [name]
        while todo:
            here = todo.pop()
            if here in found:
                continue
            found.add(here)
            try:
                todo += names_in(texts.get(here, ""))
            except CrossStackError:  # said before
                continue
        return found

    n, p = given.get("nplus", ""), given.get("pplus", "")
    for role, own, other in (
        ("n_gate", n, p), ("p_gate", p, n), ("n_active", n, p), ("p_active", p, n),
        ("n_tap", n, p), ("p_tap", p, n),
    ):  # fmt: skip
        name = given.get(role, "")
        reads = read(name)
        if name in texts and other in reads and own not in reads:
            yield (
                f"role {role} = {name!r} is drawn with {other}, allowed: a layer that is made of "
                f"{own} (process.toml; derived.toml)"
            )


def problems_of_labels(layers: tuple[Layer, ...]) -> Iterator[str]:
    """Yield label layers that are none, or that belong to no conductor."""
    purposes = {layer.name: layer.purpose for layer in layers}
    for layer in layers:
        if layer.label and purposes.get(layer.label) not in LABELS:
            yield (
                f"label layer {layer.label!r} of {layer.name} is no layer of purpose label "
                "(layers.csv)"
            )
    used = {layer.label for layer in layers}
    for layer in layers:
        if layer.purpose in (Purpose.LABEL, Purpose.MODULE_LABEL) and layer.name not in used:
            yield f"label layer {layer.name} belongs to no conductor (layers.csv, column label)"


def problems_of_rule_layers(
    rules: tuple[Rule, ...], known: set[str], layers: tuple[Layer, ...]
) -> Iterator[str]:
    """Yield layers of rules that are not there."""
    for rule in rules:
        for name in rule.layers:
            if "/" not in name and name not in known:
                yield (
                    f"rule {rule.name}: {name!r} is no layer (rules.csv; layers.csv, derived.toml)"
                )
            elif "/" in name:
                yield from _by_number(rule, name, layers)


def _by_number(rule: Rule, name: str, layers: tuple[Layer, ...]) -> Iterator[str]:
    """A layer of the foundry that is not described may be named by its number."""
    where = f"rule {rule.name}: {name!r}"
    pair = name.split("/")
    if len(pair) != 2 or not all(p.isascii() and p.isdecimal() and len(p) < 6 for p in pair):
        yield f"{where} is not layer/datatype (rules.csv)"
        return
    number = (int(pair[0]), int(pair[1]))
    if max(number) not in LAYER or name != "/".join(map(str, number)):
        yield f"{where}, allowed: layer/datatype, each {LAYER.ends} (rules.csv)"
    for layer in layers:
        if layer.gds == number:
            yield f"{where} is described as {layer.name}: name it (rules.csv)"


def problems_of_regions(folder: Path, drawn: set[str], below: set[str]) -> Iterator[str]:
    """Derived layers read only what is drawn or defined before them."""
    for table in ("rules", "nets"):
        known = drawn | (below if table == "rules" else set())
        for name, text in derived_layers(folder, table).items():
            if name in known:
                yield f"derived layer {name} is a layer already (derived.toml)"
            try:
                missing = [part for part in names_in(text) if part not in known]
            except CrossStackError as error:
                yield f"derived layer {name}: {error} (derived.toml)"
                continue
            yield from (
                f"derived layer {name} reads {part!r}, which is no layer above it (derived.toml)"
                for part in missing
            )
            known.add(name)


def module_roles(module: Module) -> tuple[str, ...]:
    """Return the roles without which nothing can be drawn with a module."""
    if module.stands_within:
        return _WITHIN
    return (*_ON_TOP, *(f"{tier}_{part}" for tier in module.tiers for part in _TIER_PARTS))


def problems_of_module_roles(module: Module, known: set[str]) -> Iterator[str]:
    """Yield roles of a module that are missing, unknown or no layer."""
    missing = [role for role in module_roles(module) if role not in dict(module.roles)]
    yield from (f"role {role!r} is missing (module.toml)" for role in missing)
    tiers = (f"{tier}_{part}" for tier in TIERS for part in _TIER_PARTS)
    names = {*_WITHIN, *_ON_TOP, *tiers, *_MORE_MODULE_ROLES}
    yield from _unknown((role for role, _ in module.roles), names, "module.toml")
    for role, name in module.roles:
        if name not in known:
            yield f"role {role} = {name!r} is no layer (module.toml)"


def _unknown(roles: Iterable[str], names: set[str], file: str) -> Iterator[str]:
    """Nothing asks for a role of another name: what it was to be would be left out."""
    for role in roles:
        if role not in names:
            near = get_close_matches(role, sorted(names), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"role {role!r} is unknown{hint} ({file})"


def derived_layers(folder: Path, table: str) -> dict[str, str]:
    """Return one table of a folder's derived layers, as texts."""
    return dict(Section.of(folder / "derived.toml", ("rules", "nets")).pairs(table))
