"""The design rules of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from .kinds import EXTRA, KINDS
from .model import LABELS, Layer, Rule
from .tables import Row, read_csv
from .words import Words, name_of

_RULES = ("name", "kind", "layers", "value", "extra", "text", "source")


def read_rules(
    folder: Path,
    words: Words,
    layers: tuple[Layer, ...],
    values: Mapping[str, float],
    roles: Mapping[str, str],
    digits: int | None = None,
) -> Iterator[Rule]:
    """Yield the rules of a table; rows of ``*`` stand for every layer that holds shapes."""
    known: dict[tuple[str, str], float] = {}
    waiting: list[Row] = []
    for row in read_csv(folder / "rules.csv", _RULES):
        if row.cells["layers"] == "*":
            waiting.append(row)
            continue
        yield from _for_every_layer(waiting, words, layers, values)
        waiting.clear()
        rule = _rule(row, words, values, roles, known, digits)
        known[rule.kind, rule.layers[0]] = rule.value
        yield rule
    yield from _for_every_layer(waiting, words, layers, values)


def _for_every_layer(
    rows: list[Row], words: Words, layers: tuple[Layer, ...], values: Mapping[str, float]
) -> Iterator[Rule]:
    if not rows:
        return
    shown = {name: f"{value:g}" for name, value in values.items()}
    for row in rows:
        if row.cells["extra"]:
            raise row.wrong(f"extra {row.cells['extra']!r}: a rule of every layer has none")
    for layer in (x for x in layers if x.purpose not in LABELS):
        for row in rows:
            yield Rule(
                words.fill(row.text("name"), layer=layer.name),
                _kind(row, 1),
                (layer.name,),
                row.number("value", KINDS[_kind(row, 1)].span, names=values),
                words.fill(row.text("text"), layer=layer.name, **shown),
                words.source(row),
            )


def _kind(row: Row, layers: int) -> str:
    kind = row.text("kind")
    if kind not in KINDS:
        raise row.wrong(f"kind = {kind!r} is none of {', '.join(KINDS)}")
    if KINDS[kind].layers != layers:
        raise row.wrong(f"{kind} asks for {KINDS[kind].layers} layers, not {layers}")
    return kind


def _rule(
    row: Row,
    words: Words,
    values: Mapping[str, float],
    roles: Mapping[str, str],
    known: Mapping[tuple[str, str], float],
    digits: int | None,
) -> Rule:
    layers = tuple(roles.get(name, name) for name in row.text("layers").split())
    kind = _kind(row, len(layers))
    value = row.number("value", KINDS[kind].span, names=values)
    return Rule(
        name_of(row),
        kind,
        layers,
        value if digits is None else round(value, digits),
        words.fill(row.text("text")),
        words.source(row),
        _extra(row, kind, layers[0], {**values}, known),
    )


def _extra(
    row: Row,
    kind: str,
    layer: str,
    values: dict[str, float],
    known: Mapping[tuple[str, str], float],
) -> tuple[float, ...]:
    """Return the further limits of a rule, in the order of its kind."""
    given = dict(part.partition("=")[::2] for part in row.cells["extra"].split())
    asked = KINDS[kind].extra
    if set(given) != set(asked) or len(given) != len(row.cells["extra"].split()):
        shown = " ".join(f"{name}=..." for name in asked) or "nothing"
        raise row.wrong(f"extra = {row.cells['extra']!r}: {kind} asks for {shown}")
    for name, other in (("size", "exact_size"), ("space", "space"), ("width", "width")):
        if (other, layer) in known:
            values[name] = known[other, layer]
    cells = Row(row.where, given)
    found = tuple(cells.number(name, EXTRA[name], names=values) for name in asked)
    if "sign" in asked and not found[asked.index("sign")]:
        raise row.wrong(f"sign = {given['sign']}, allowed: 1 (at least) or -1 (at most)")
    return found
